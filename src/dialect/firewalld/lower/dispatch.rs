//! From base chains to zones and policies: by where packets come from, and where they go.
//!
//! firewalld.zones(5): zones in the order of their priorities; among equals sources before interfaces, then by name; the
//! default zone takes the rest. INVARIANT: a packet meets one zone at each of its ends.

use std::collections::BTreeMap;

use super::Lowering;
use super::applied::Applied;
use super::chains::{Chains, jumps, own_rule};
use super::condition::{Side, is_interface, unknown};
use super::content::{Owner, verdict};
use super::place::{Place, Table};
use crate::dialect::firewalld::ast::{Ends, Peer, Policy, Target, Zone};
use crate::model::{Action, ChainId, Condition, Hook, Match, Rule};
use crate::packet::protocol::number;
use crate::packet::{Family, Field, RangeSet};
use crate::source::Span;

/// One end of a packet's way.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Point<'f> {
    Zone(&'f str),
    Host,
}

impl<'f> Point<'f> {
    fn name(self) -> &'f str {
        match self {
            Self::Zone(zone) => zone,
            Self::Host => "HOST",
        }
    }
}

/// Which end of packets says the zone that is asked first.
fn side_of(place: Place) -> Side {
    match place.hook {
        Hook::Output => Side::Destination,
        _ => Side::Source,
    }
}

/// Whether a zone decides about every packet of it here.
fn is_terminal(place: Place) -> bool {
    place == Place::INPUT || place == Place::FORWARD
}

/// Up to firewalld 2.3 a packet meets one zone at each end. Later chains come back from a zone that has not decided, so that
/// the packet meets other zones of the same hook too.
fn one_zone() -> Condition {
    unknown(
        Some("one zone".to_owned()),
        "whether a packet that its zone leaves undecided meets the default zone too depends on the version of firewalld",
    )
}

/// Up to firewalld 2.3 a zone accepts ICMP behind the policies that come behind it, later before them.
fn icmp_last() -> Condition {
    unknown(
        Some("icmp last".to_owned()),
        "whether a zone accepts ICMP before or behind the policies that follow depends on the version of firewalld",
    )
}

/// The chains of zones and policies at one place.
struct Contents<'f> {
    zones: BTreeMap<&'f str, ChainId>,
    policies: BTreeMap<&'f str, ChainId>,
}

impl<'f> Lowering<'f> {
    /// The zones that packets may meet, by name.
    pub(super) fn active(&self) -> Vec<(&'f str, &'f Zone)> {
        let folder = self.folder;
        let zones = folder.zones.iter().map(|(name, zone)| (name.as_str(), zone));
        zones
            .filter(|(name, zone)| zone.is_bound() || *name == self.default_zone)
            .collect()
    }

    /// The rules that lead from a base chain to the zones.
    pub(super) fn dispatch(
        &mut self,
        chains: &mut Chains,
        place: Place,
        family: Option<Family>,
    ) -> Vec<Rule> {
        let contents = self.contents(chains, place, family);
        if place.table != Table::Filter && contents.zones.is_empty() && contents.policies.is_empty() {
            return Vec::new();
        }
        let pair = |lowering: &mut Self, chains: &mut Chains, from, to| {
            lowering.pair(chains, place, &contents, from, to)
        };
        self.by_zone(chains, place, side_of(place), |lowering, chains, zone| {
            let zone = Point::Zone(zone);
            match place.hook {
                Hook::Input => vec![pair(lowering, chains, zone, Point::Host)],
                Hook::Output => vec![pair(lowering, chains, Point::Host, zone)],
                Hook::Forward | Hook::Postrouting => {
                    vec![lowering.second_stage(chains, place, &contents, zone)]
                }
                Hook::Prerouting => vec![
                    lowering.second_stage(chains, place, &contents, zone),
                    pair(lowering, chains, zone, Point::Host),
                ],
            }
        })
    }

    /// From a zone to all zones, by where packets go.
    fn second_stage(
        &mut self,
        chains: &mut Chains,
        place: Place,
        contents: &Contents<'f>,
        from: Point<'f>,
    ) -> Option<ChainId> {
        let rules = self.by_zone(chains, place, Side::Destination, |lowering, chains, to| {
            vec![lowering.pair(chains, place, contents, from, Point::Zone(to))]
        });
        chains.add(
            &format!("{}_{}_dispatch_stage2", place.prefix(), from.name()),
            rules,
        )
    }

    /// One rule for each source and interface of a zone, to each of the chains that are made for it.
    fn by_zone(
        &mut self,
        chains: &mut Chains,
        place: Place,
        side: Side,
        mut made_for: impl FnMut(&mut Self, &mut Chains, &'f str) -> Vec<Option<ChainId>>,
    ) -> Vec<Rule> {
        let active = self.active();
        let mut to: BTreeMap<&str, Vec<ChainId>> = BTreeMap::new();
        for (name, _) in &active {
            let made = made_for(self, chains, name);
            to.insert(name, made.into_iter().flatten().collect());
        }
        if to.values().all(Vec::is_empty) {
            return Vec::new();
        }
        let to = |name: &str| to.get(name).into_iter().flatten().copied();
        let mut rules: Vec<Rule> = Vec::new();
        for (name, at, condition) in self.bindings(place, side) {
            rules.extend(to(name).map(|to| own_rule(at, vec![condition.clone()], Action::Jump(to))));
            if !is_terminal(place) {
                rules.push(own_rule(at, vec![condition, one_zone()], Action::Return));
            }
        }
        rules.extend(jumps(self.default_span, to(&self.default_zone).map(Some)));
        rules
    }

    /// The sources and interfaces of all zones in the order in which they are asked.
    fn bindings(&mut self, place: Place, side: Side) -> Vec<(&'f str, Span, Condition)> {
        let mut order: Vec<(i32, bool, &str, Span, Condition)> = Vec::new();
        for (name, zone) in self.active() {
            let priority = match side {
                Side::Source => zone.ingress_priority,
                Side::Destination => zone.egress_priority,
            };
            for source in &zone.sources {
                let cannot = side == Side::Destination && matches!(source.value, Peer::Mac(_));
                if !cannot {
                    let condition = self.is_peer(&source.value, side, source.span);
                    order.push((priority, false, name, source.span, condition));
                }
            }
            // No packet has been routed before PREROUTING: it leaves by no interface yet.
            let has_interface = side == Side::Source || place.hook != Hook::Prerouting;
            for interface in zone.interfaces.iter().filter(|_| has_interface) {
                let field = match side {
                    Side::Source => Field::InInterface,
                    Side::Destination => Field::OutInterface,
                };
                let condition = is_interface(&interface.value, field);
                order.push((priority, true, name, interface.span, condition));
            }
        }
        order.sort_by_key(|(priority, is_interface, name, ..)| (*priority, *is_interface, *name));
        let bindings = order.into_iter();
        bindings
            .map(|(_, _, name, at, condition)| (name, at, condition))
            .collect()
    }

    /// The chain of all that goes from one point to another: `filter_IN_public_to_HOST`.
    fn pair(
        &mut self,
        chains: &mut Chains,
        place: Place,
        contents: &Contents<'f>,
        from: Point<'f>,
        to: Point<'f>,
    ) -> Option<ChainId> {
        let of_zone = match (from, to) {
            (_, Point::Zone(zone)) if place.hook == Hook::Postrouting => zone,
            (Point::Zone(zone), _) | (Point::Host, Point::Zone(zone)) => zone,
            (Point::Host, Point::Host) => return None,
        };
        let zone = self.folder.zones.get(of_zone)?;
        let at = zone.target_span;
        let mut rules = Vec::new();
        let (before, behind): (Vec<_>, Vec<_>) = self
            .applied(place, from, to)
            .into_iter()
            .partition(|one| one.policy.priority < 0);
        let ask = |applied: Vec<Applied<'_>>, rules: &mut Vec<Rule>| {
            for one in applied {
                if let Some(&chain) = contents.policies.get(one.name) {
                    rules.push(own_rule(at, one.conditions, Action::Jump(chain)));
                }
            }
        };
        ask(before, &mut rules);
        rules.extend(jumps(at, [contents.zones.get(of_zone).copied()]));
        ask(behind, &mut rules);
        if place == Place::INPUT && self.has_later(of_zone) {
            let mut last = icmp(zone);
            if let Some(rule) = &mut last {
                rule.matches.push(Match {
                    span: at,
                    condition: icmp_last(),
                });
            }
            rules.extend(last);
        }
        if is_terminal(place) {
            rules.extend(self.last(zone));
        } else if !rules.is_empty() {
            rules.push(own_rule(at, Vec::new(), Action::Return));
        }
        chains.add(
            &format!("{}_{}_to_{}", place.prefix(), from.name(), to.name()),
            rules,
        )
    }

    /// Whether policies come behind a zone on the way to the host.
    fn has_later(&mut self, zone: &str) -> bool {
        let applied = self.applied(Place::INPUT, Point::Zone(zone), Point::Host);
        applied.iter().any(|one| one.policy.priority > 0)
    }

    /// What a zone does with what nothing decides.
    fn last(&mut self, zone: &Zone) -> Option<Rule> {
        let mut rule = own_rule(zone.target_span, Vec::new(), verdict(zone.target)?);
        if let Some(drifting) = self
            .folder
            .conf
            .drifting
            .filter(|_| zone.target == Target::Default)
        {
            rule.matches.push(Match {
                span: drifting,
                condition: Condition::Not(Box::new(unknown(
                    Some("AllowZoneDrifting".to_owned()),
                    "whether this firewalld lets packets drift from zone to zone is not known: from version 1.0 on none does",
                ))),
            });
            self.unsupported("AllowZoneDrifting", drifting);
        }
        Some(rule)
    }

    /// What zones and policies do at a place.
    fn contents(&mut self, chains: &mut Chains, place: Place, family: Option<Family>) -> Contents<'f> {
        let mut contents = Contents {
            zones: BTreeMap::new(),
            policies: BTreeMap::new(),
        };
        for (name, zone) in self.active() {
            let content = self.content(Owner::Zone(zone), place, family);
            let mut last = icmp(zone).filter(|_| place == Place::INPUT);
            if self.has_later(name) {
                let matches = last.iter_mut().flat_map(|rule| &mut rule.matches);
                for one in matches {
                    let both = vec![one.condition.clone(), Condition::Not(Box::new(icmp_last()))];
                    one.condition = Condition::All(both);
                }
            }
            let chain_name = format!("{}_{name}", place.prefix());
            let last = last.into_iter().collect();
            if let Some(chain) = content.chain(chains, &chain_name, zone.target_span, last) {
                contents.zones.insert(name, chain);
            }
        }
        let folder = self.folder;
        for (name, policy) in &folder.policies {
            let Some(filter) = filters_at(policy) else {
                continue;
            };
            let content = self.content(Owner::Policy(policy, filter), place, family);
            let last = verdict(policy.target).filter(|_| place == filter);
            let last = last.map(|action| own_rule(policy.target_span, Vec::new(), action));
            let chain_name = format!("{}_policy_{name}", place.prefix());
            let last = last.into_iter().collect();
            if let Some(chain) = content.chain(chains, &chain_name, policy.target_span, last) {
                contents.policies.insert(name, chain);
            }
        }
        contents
    }
}

/// Where a policy filters: firewalld.policies(5). `None` if it does nowhere.
fn filters_at(policy: &Policy) -> Option<Place> {
    if policy.is_disabled {
        return None;
    }
    Some(match (&policy.ingress, &policy.egress) {
        (Ends::Host, Ends::Host) => return None,
        (_, Ends::Host) => Place::INPUT,
        (Ends::Host, _) => Place::OUTPUT,
        _ => Place::FORWARD,
    })
}

/// "ICMP will be accepted": firewalld.zone(5), "target". The inversion turns it round, unless the target decides anyway.
fn icmp(zone: &Zone) -> Option<Rule> {
    let (at, action) = match (zone.target, zone.icmp_block_inversion) {
        (Target::Default, None) => (zone.target_span, Action::Accept),
        (Target::Default | Target::Accept, Some(inversion)) => (inversion, Action::Reject),
        _ => return None,
    };
    let icmp = [number::ICMP, number::ICMPV6].map(|number| (u128::from(number), u128::from(number)));
    let condition = Condition::Test(Field::Protocol, RangeSet::from_ranges(icmp));
    Some(own_rule(at, vec![condition], action))
}
