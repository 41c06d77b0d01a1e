//! Host policies: what policies with a `nodeSelector` let through to the nodes that they select.
//!
//! Semantics: docs.cilium.io, "Host Policies" and "Host Firewall". They are about what is addressed to a node, or comes from it and the
//! pods in its network, at the interfaces that the agent's programs are at, before the node translates it: "hosts will enforce Host
//! Policies on service addresses". INVARIANT: what is passed on is none of their business, and what they let through meets the node's own
//! rules.

use super::super::cluster::{Cluster, Namespace, Pods};
use super::super::condition::{protocols, unknown};
use super::super::host::{KIND, interface, may_be_anything};
use super::super::identity::Identities;
use super::super::lower::{Lowering, answers, let_through};
use super::super::node::Node;
use super::super::notes::Notes;
use super::super::policy::Policy;
use super::super::reach::Direction;
use super::super::selector::{ANY_KEY, Seen};
use super::super::truth::Truth;
use super::agent::Agent;
use crate::dialect::condition::any;
use crate::finding::Finding;
use crate::model::{
    Action, Base, Condition, Families, Hook, HostEndpoint, Layer, Match, NamedSets, Rule, Ruleset,
    loopback_interface,
};
use crate::packet::protocol::number;
use crate::packet::{Family, Field, RangeSet, value};
use crate::source::Span;

/// The agent's programs see what comes before all of netfilter does.
const BEFORE_HOST: i32 = -5_000;
/// Messages of ICMPv6 that pass whatever policies say, by type, and those that policies are asked about; the others are dropped
/// (bpf/lib, `icmp6_host_handle`).
const PASSING: &[(u128, u128)] = &[(1, 4), (130, 136), (141, 143), (148, 149), (151, 153)];
const ASKED: (u128, u128) = (128, 129);
/// Interfaces that the agent never chooses for itself (pkg/defaults, `ExcludedDevicePrefixes`) by their usual names, less those of its pods,
/// which reach the node through its programs too.
const NEVER: &[&str] = &["cni0", "docker0", "docker_gwbridge"];
/// Those of its pods.
const OF_PODS: &[&str] = &["cilium_", "lxc"];

/// The nodes of a cluster that policies are about, each with their rulesets. Without any Node in the run, any host may be one.
pub(in super::super) fn endpoints(
    cluster: &Cluster,
    identities: &Identities,
    notices: &mut Vec<Finding>,
) -> Vec<HostEndpoint> {
    let Some(first) = cluster.cilium.of_nodes.first() else {
        return Vec::new();
    };
    let agent = &cluster.cilium.agent;
    if agent.host_firewall() == Truth::No || agent.idle().is_some() {
        return Vec::new();
    }
    notices.append(&mut not_known(cluster, *first).findings);
    let all = &cluster.nodes.all;
    if all.is_empty() {
        return endpoint(cluster, identities, None).into_iter().collect();
    }
    let of = |node| endpoint(cluster, identities, Some(node));
    all.iter().filter_map(of).collect()
}

/// What policies of nodes depend on and no manifest says.
fn not_known(cluster: &Cluster, place: Span) -> Notes {
    let mut notes = Notes::default();
    if cluster.cilium.agent.host_firewall() == Truth::Maybe {
        let message = "whether the host firewall of Cilium is on is in no manifest";
        let help = "give the ConfigMap `cilium-config`: `kubectl get -n kube-system configmap cilium-config -o yaml`";
        notes.unsupported(place, message, Some(help));
    }
    if cluster.nodes.all.is_empty() {
        let message = "which hosts are nodes that this selects is in no manifest";
        notes.unsupported(
            place,
            message,
            Some("give the Nodes: `kubectl get nodes -o yaml`"),
        );
    }
    notes
}

/// The host endpoint of a node, or of any host; `None`: no policy is about it.
fn endpoint(cluster: &Cluster, identities: &Identities, node: Option<&Node>) -> Option<HostEndpoint> {
    let open = Seen {
        open: ANY_KEY.to_vec(),
        ..Seen::default()
    };
    let about = about(cluster, node.map_or(&open, |node| &node.seen), node.is_some());
    let (policy, _) = about.first()?;
    let span = node.map_or(policy.span, |node| node.span);
    let subject = subject(node, &open, span);
    let nowhere = Namespace {
        is_declared: true,
        ..Namespace::used("")
    };
    let lowering = Lowering::new((cluster, identities), &nowhere, &subject, about);
    Some(HostEndpoint {
        name: subject.name.clone(),
        node: node.map(|node| node.name.clone()),
        span,
        ruleset: Endpoint { cluster, span }.ruleset(lowering),
        goes_on: true,
        interfaces: devices(&cluster.cilium.agent),
    })
}

/// The policies that are or may be about a node; of a host that need not be one, none is surely.
fn about<'c>(cluster: &'c Cluster, seen: &Seen, is_node: bool) -> Vec<(&'c Policy, Truth)> {
    let policies = cluster.policies.iter().filter_map(|policy| {
        let selector = policy.of_nodes()?;
        let limit = Truth::of(is_node && !policy.is_subject_unread).or(Truth::Maybe);
        Some((policy, selector.selects(&seen.labels, &seen.open).and(limit)))
    });
    policies.filter(|(_, answer)| *answer != Truth::No).collect()
}

/// What rules see of a node at their own end.
fn subject(node: Option<&Node>, open: &Seen, span: Span) -> Pods {
    let seen = node.map_or(open, |node| &node.seen);
    Pods {
        kind: KIND,
        name: node.map_or_else(|| "of any node".to_owned(), |node| node.name.clone()),
        namespace: String::new(),
        labels: seen.labels.clone(),
        is_unread: node.is_none(),
        seen: seen.clone(),
        ports: Vec::new(),
        has_unknown_ports: true,
        is_on_host_network: true,
        service_account: None,
        addresses: node.map(|node| node.addresses.clone()).unwrap_or_default(),
        owner: None,
        span,
    }
}

/// The host endpoint of one node.
struct Endpoint<'c> {
    cluster: &'c Cluster,
    span: Span,
}

impl Endpoint<'_> {
    fn ruleset(&self, mut lowering: Lowering<'_>) -> Ruleset {
        let bases = [
            (Hook::Prerouting, Direction::Ingress),
            (Hook::Output, Direction::Egress),
        ];
        let bases = bases.map(|(hook, direction)| self.base(&mut lowering, hook, direction));
        Ruleset {
            layer: Layer::HostEndpoint,
            families: Families::Both,
            chains: lowering.into_chains(),
            bases: bases.into(),
            sets: NamedSets::default(),
        }
    }

    fn base(&self, lowering: &mut Lowering<'_>, hook: Hook, direction: Direction) -> Base {
        let place = self.nowhere();
        let mut rules = vec![let_through(place, self.elsewhere(direction)), answers(place)];
        rules.extend(self.may_be_off());
        rules.extend(self.not_read());
        rules.extend(self.messages());
        rules.extend(lowering.tiers(direction));
        let chain = lowering.chain(direction.word().to_owned(), self.span, rules);
        Base {
            priority: BEFORE_HOST,
            ..Base::filter(hook, chain, self.span)
        }
    }

    fn nowhere(&self) -> Span {
        Span::new(self.span.file, self.span.start, self.span.start)
    }

    /// What meets no policy of nodes: what goes by other interfaces, or is not addressed to the node.
    fn elsewhere(&self, direction: Direction) -> Condition {
        let field = interface(direction);
        let are = |names: RangeSet| Condition::Test(field, names);
        let mut parts = vec![Condition::Test(field, loopback_interface())];
        parts.push(match devices(&self.cluster.cilium.agent) {
            Some(devices) => Condition::Not(Box::new(are(devices))),
            None => are(RangeSet::from_ranges(NEVER.iter().map(|name| point(name)))),
        });
        if direction == Direction::Ingress {
            let local = RangeSet::point(value::LOCAL);
            let is_own = Condition::Test(Field::DestinationClass, local);
            parts.push(Condition::Not(Box::new(is_own)));
        }
        any(parts)
    }

    fn may_be_off(&self) -> Option<Rule> {
        let is_off = unknown(
            "the host firewall of Cilium is off",
            "whether the host firewall of Cilium is on is not known",
        );
        let is_on = self.cluster.cilium.agent.host_firewall();
        (is_on == Truth::Maybe).then(|| let_through(self.nowhere(), is_off))
    }

    /// Objects of the cluster that are not read.
    fn not_read(&self) -> impl Iterator<Item = Rule> {
        let all = self.cluster.foreign.iter();
        let of_nodes = all.filter(|one| one.namespace.is_none() && one.subject.is_none());
        of_nodes.map(|one| may_be_anything(one.span, &one.why))
    }

    /// "When the host firewall is enabled, we drop and allow ICMPv6 messages according to RFC 4890, except for echo request and
    /// reply messages."
    fn messages(&self) -> [Rule; 2] {
        let of_type = |(low, high): &(u128, u128)| (low << 8, (high << 8) | 0xff);
        let are = |types: &[(u128, u128)]| {
            let family = Condition::Test(Field::Family, RangeSet::point(Family::V6.value()));
            let types = RangeSet::from_ranges(types.iter().map(of_type));
            let types = Condition::Test(Field::Service, types);
            Condition::All(vec![family, protocols(&[number::ICMPV6]), types])
        };
        let all = are(&[(0, 255)]);
        let others = Condition::All(vec![all, Condition::Not(Box::new(are(&[ASKED])))]);
        let place = self.nowhere();
        let dropped = Rule {
            span: place,
            matches: vec![Match {
                span: place,
                condition: others,
            }],
            action: Action::Drop,
            action_span: place,
        };
        [let_through(place, are(PASSING)), dropped]
    }
}

/// The interfaces that the agent is told to be at, and those of its pods.
fn devices(agent: &Agent) -> Option<RangeSet> {
    let named = agent.devices.iter().map(|name| match name.strip_suffix('+') {
        Some(prefix) => value::interface_prefix(prefix),
        None => point(name),
    });
    let of_pods = OF_PODS.iter().map(|prefix| value::interface_prefix(prefix));
    (!agent.devices.is_empty()).then(|| RangeSet::from_ranges(named.chain(of_pods)))
}

fn point(name: &str) -> (u128, u128) {
    (value::interface(name), value::interface(name))
}
