//! Who may open connections to whom in a cluster, on what: every pair of workloads, addresses outside, pods that nobody has made.
//!
//! The answers are those of `reach`, put together: between the ports and addresses that policies name, all are alike.
//! INVARIANT: what is not listed is surely not let through; what is listed as sure surely is, by all policies of both ends.

use std::collections::BTreeSet;

use super::cluster::{Cluster, Namespace, Pods};
use super::identity::Identities;
use super::node::Nodes;
use super::policy::{Policy, Ports, Rule};
use super::reach::{Direction, Flow, Side};
use super::truth::Truth;
use crate::packet::protocol::number;
use crate::packet::{Family, RangeSet};

/// The protocols that policies are about.
pub const PROTOCOLS: [u8; 3] = [number::TCP, number::UDP, number::SCTP];

/// Destination ports of each of [`PROTOCOLS`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Services(pub [RangeSet; 3]);

impl Services {
    fn none() -> Self {
        Self(std::array::from_fn(|_| RangeSet::empty()))
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(RangeSet::is_empty)
    }

    fn without(&self, other: &Self) -> Self {
        let mut rest = self.clone();
        for (ports, taken) in rest.0.iter_mut().zip(&other.0) {
            *ports = ports.difference(taken);
        }
        rest
    }
}

/// One end of connections.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Party {
    /// A workload, as `namespace/name`, and what makes its pods.
    Workload(String, &'static str),
    /// Addresses outside of the cluster, of one family.
    Outside(Family, RangeSet),
    /// Pods that nobody has made, in words: who would get through once there were any.
    Pods(String),
}

/// Connections that one end may open to the other.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Connection {
    /// Who opens them.
    pub from: Party,
    /// Whose port it is.
    pub to: Party,
    /// What to.
    pub services: Services,
    /// Whether they get through for sure; if not, it depends on what manifests do not say.
    pub is_sure: bool,
}

/// What gets through: surely, and possibly besides.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Let {
    surely: Services,
    perhaps: Services,
}

impl Let {
    /// Asks about one port of each stretch of ports that the cuts leave alike.
    fn through(cuts: &BTreeSet<u16>, answer: impl Fn(Flow) -> Truth) -> Self {
        let (mut surely, mut perhaps) = (Services::none(), Services::none());
        let starts: Vec<u16> = std::iter::once(0).chain(cuts.iter().copied()).collect();
        for (at, protocol) in PROTOCOLS.into_iter().enumerate() {
            let (mut yes, mut maybe) = (Vec::new(), Vec::new());
            for (index, &low) in starts.iter().enumerate() {
                let high = starts
                    .get(index + 1)
                    .map_or(u16::MAX, |next| next.saturating_sub(1));
                let range = (u128::from(low), u128::from(high));
                match answer(Flow { protocol, port: low }) {
                    Truth::Yes => yes.push(range),
                    Truth::Maybe => maybe.push(range),
                    Truth::No => {}
                }
            }
            if let (Some(surely), Some(perhaps)) = (surely.0.get_mut(at), perhaps.0.get_mut(at)) {
                *surely = RangeSet::from_ranges(yes);
                *perhaps = RangeSet::from_ranges(maybe);
            }
        }
        Self { surely, perhaps }
    }

    fn connections(self, from: &Party, to: &Party) -> impl Iterator<Item = Connection> {
        let of = [(self.surely, true), (self.perhaps, false)].map(|(services, is_sure)| Connection {
            from: from.clone(),
            to: to.clone(),
            services,
            is_sure,
        });
        of.into_iter().filter(|one| !one.services.is_empty())
    }
}

/// A workload with what its policies tell apart.
struct Own<'c> {
    side: Side<'c>,
    pods: &'c Pods,
    party: Party,
    policies: Vec<&'c Policy>,
    /// Ports where the answers may change, by direction: of ingress and of egress.
    cuts: [BTreeSet<u16>; 2],
}

impl Own<'_> {
    fn cuts(&self, direction: Direction) -> &BTreeSet<u16> {
        let [ingress, egress] = &self.cuts;
        match direction {
            Direction::Ingress => ingress,
            Direction::Egress => egress,
        }
    }
}

impl Cluster {
    /// All connections that may be opened, sorted: between workloads, and with addresses outside.
    #[must_use]
    pub fn connections(&self) -> Vec<Connection> {
        let all = self.owns();
        let mut found = Vec::new();
        for from in &all {
            for to in &all {
                let is_one_pod = from.pods.kind == "Pod" && std::ptr::eq(from.pods, to.pods);
                if is_one_pod {
                    // "A Pod cannot block access to itself."
                    continue;
                }
                let cuts: BTreeSet<u16> = (from.cuts(Direction::Egress).iter())
                    .chain(to.cuts(Direction::Ingress))
                    .copied()
                    .collect();
                let through = Let::through(&cuts, |flow| {
                    let egress = self.lets(Direction::Egress, from.side, to.side, flow, &from.policies);
                    let ingress = || self.lets(Direction::Ingress, to.side, from.side, flow, &to.policies);
                    if egress == Truth::No {
                        egress
                    } else {
                        egress.and(ingress())
                    }
                });
                found.extend(through.connections(&from.party, &to.party));
            }
            found.extend(self.outside(from));
        }
        found.sort();
        found
    }

    /// What each workload lets through to and from pods that nobody has made yet, sorted: for pods of no labels in a namespace
    /// that is not there, and for others where it is more.
    #[must_use]
    pub fn exposure(&self) -> Vec<Connection> {
        let imagined = Identities::new(self).possible(self).pods;
        let mut found = Vec::new();
        for own in self.owns() {
            for direction in [Direction::Ingress, Direction::Egress] {
                let through = |(namespace, pods): &(Namespace, Pods)| {
                    let other = Side::Pod(namespace, pods);
                    let answer = |flow| self.lets(direction, own.side, other, flow, &own.policies);
                    Let::through(own.cuts(direction), answer)
                };
                let anybody = imagined.iter().find(|one| is_anybody(&one.1)).map(through);
                for one in &imagined {
                    let mut through = through(one);
                    if let Some(anybody) = anybody.as_ref().filter(|_| !is_anybody(&one.1)) {
                        through.surely = through.surely.without(&anybody.surely);
                        through.perhaps = through.perhaps.without(&anybody.perhaps);
                    }
                    let peer = Party::Pods(one.1.name.clone());
                    let (from, to) = ends(direction, &own.party, &peer);
                    found.extend(through.connections(from, to));
                }
            }
        }
        found.sort();
        found.dedup();
        found
    }

    /// What a workload may open to addresses outside, and they to it.
    fn outside(&self, own: &Own<'_>) -> Vec<Connection> {
        let mut found = Vec::new();
        for direction in [Direction::Ingress, Direction::Egress] {
            for family in Family::ALL {
                let mut by_services: Vec<(Let, Vec<(u128, u128)>)> = Vec::new();
                for (low, high) in stretches(&own.policies, &self.nodes, direction, family) {
                    let other = Side::Outside(family.address(low));
                    let through = Let::through(own.cuts(direction), |flow| {
                        self.lets(direction, own.side, other, flow, &own.policies)
                    });
                    match by_services.iter_mut().find(|(known, _)| *known == through) {
                        Some((_, ranges)) => ranges.push((low, high)),
                        None => by_services.push((through, vec![(low, high)])),
                    }
                }
                for (through, ranges) in by_services {
                    let outside = Party::Outside(family, RangeSet::from_ranges(ranges));
                    let (from, to) = ends(direction, &own.party, &outside);
                    found.extend(through.connections(from, to));
                }
            }
        }
        found
    }

    fn owns(&self) -> Vec<Own<'_>> {
        let mut found = Vec::new();
        for pods in &self.pods {
            let Some(namespace) = self.namespaces.get(&pods.namespace) else {
                continue;
            };
            let policies: Vec<&Policy> = self.about(pods).into_iter().map(|(policy, _)| policy).collect();
            found.push(Own {
                side: Side::Pod(namespace, pods),
                pods,
                party: Party::Workload(pods.full_name(), pods.kind),
                cuts: [Direction::Ingress, Direction::Egress].map(|way| self.cuts(&policies, way, pods)),
                policies,
            });
        }
        found
    }

    /// The ports at which the answer of policies may change; of egress, whoever the destination is.
    fn cuts(&self, policies: &[&Policy], direction: Direction, own: &Pods) -> BTreeSet<u16> {
        let mut cuts = BTreeSet::new();
        let mut add = |low: u16, high: u16| {
            cuts.insert(low);
            cuts.extend(high.checked_add(1));
        };
        let rules = policies.iter().filter_map(|policy| direction.rules(policy));
        for port in rules.flat_map(|rules| &rules.rules).flat_map(Rule::all_ports) {
            match &port.ports {
                Ports::Range(low, high) => add(*low, *high),
                Ports::Named(name) | Ports::NamedAnywhere(name) => {
                    let is_it = |name: &str, pods: &Pods| {
                        let ports = pods.ports.iter();
                        let named = ports.filter(|port| port.name.as_deref() == Some(name));
                        named.map(|port| port.number).collect::<Vec<_>>()
                    };
                    let numbers = match direction {
                        Direction::Ingress => is_it(name, own),
                        Direction::Egress => self.pods.iter().flat_map(|pods| is_it(name, pods)).collect(),
                    };
                    for number in numbers {
                        add(number, number);
                    }
                }
                Ports::All | Ports::Unread => {}
            }
        }
        cuts.remove(&0);
        cuts
    }
}

/// Whether pods stand for all that no selector names.
fn is_anybody(pods: &Pods) -> bool {
    pods.namespace.is_empty() && pods.labels.is_empty()
}

/// Who opens connections, and to whom.
fn ends<'p>(direction: Direction, own: &'p Party, other: &'p Party) -> (&'p Party, &'p Party) {
    match direction {
        Direction::Ingress => (other, own),
        Direction::Egress => (own, other),
    }
}

/// All addresses of a family, cut where blocks of these policies begin and end, and at nodes.
fn stretches(policies: &[&Policy], nodes: &Nodes, direction: Direction, family: Family) -> Vec<(u128, u128)> {
    let mut starts = BTreeSet::from([0]);
    let rules = policies.iter().filter_map(|policy| direction.rules(policy));
    let peers = rules.flat_map(|rules| &rules.rules).flat_map(Rule::all_peers);
    let of_peers = peers.flat_map(|peer| peer.who.blocks());
    for block in of_peers
        .chain(nodes.addresses())
        .filter(|block| block.family == family)
    {
        starts.insert(block.low);
        starts.extend(block.high.checked_add(1).filter(|next| *next <= family.max()));
    }
    let starts: Vec<u128> = starts.into_iter().collect();
    let end = |index: usize| starts.get(index + 1).map_or(family.max(), |next| next - 1);
    starts
        .iter()
        .enumerate()
        .map(|(index, low)| (*low, end(index)))
        .collect()
}
