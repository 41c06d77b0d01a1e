//! What Cilium's policies mean, asked one by one: who a peer is, and what a tier of rules with denials does.
//!
//! INVARIANT: nothing here looks at what the lowering made.

use super::super::cluster::Namespace;
use super::super::cover::has_addresses;
use super::super::node::Nodes;
use super::super::policy::{Action, Peer, Policy, Rule, Who as Peers};
use super::super::reach::{Direction, Side};
use super::super::reach_rule::is_in;
use super::super::select::selects;
use super::super::truth::Truth;
use super::{Entity, Who};

/// Whether somebody is who a peer says.
pub(in super::super) fn is_peer(who: &Who, other: Side<'_>, nodes: &Nodes) -> Truth {
    match (who, other) {
        (Who::Entity(entity), _) => entity.holds(other, nodes),
        (Who::Addresses { network, except }, Side::Outside(address)) => {
            Truth::of(is_in(address, network, except) && !nodes.have(address))
        }
        (Who::Addresses { .. } | Who::Outside(_), Side::Pod(..)) => Truth::No,
        (Who::Nodes | Who::NoPods(_), Side::Pod(_, pods)) => {
            Truth::of(pods.is_on_host_network).and(Truth::Maybe)
        }
        (Who::Nodes | Who::NoPods(_) | Who::Outside(_), Side::Outside(_))
        | (Who::Anybody(_) | Who::Later(_), _) => Truth::Maybe,
    }
}

/// Whether all that a peer of one of the APIs is, one of Cilium's is too, by what is written.
pub(in super::super) fn has_peer(outer: &Who, inner: &Peers) -> bool {
    match (outer, inner) {
        (Who::Entity(outer), Peers::Cilium(Who::Entity(inner))) => outer.has(*inner),
        (Who::Entity(Entity::All), _) | (Who::Entity(Entity::Cluster), Peers::Pods(_)) => true,
        (Who::Entity(Entity::World(family)), Peers::Cilium(Who::Addresses { network, .. })) => {
            family.is_none_or(|family| family == network.family)
        }
        (
            Who::Addresses { network, except },
            Peers::Cilium(Who::Addresses {
                network: inner,
                except: left_out,
            }),
        ) => has_addresses((network, except), (inner, left_out)),
        _ => false,
    }
}

/// What the policies of a tier say of one packet, put together: "Deny policies take precedence over allow policies", and what
/// neither decides is dropped where a policy isolates.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Isolation {
    denied: Truth,
    accepted: Truth,
    isolated: Truth,
}

impl Isolation {
    pub(in super::super) fn none() -> Self {
        Self {
            denied: Truth::No,
            accepted: Truth::No,
            isolated: Truth::No,
        }
    }

    /// Takes one policy more: whether the pod is its subject, and which of its rules apply to the packet.
    pub(in super::super) fn add(
        &mut self,
        policy: &Policy,
        is_subject: Truth,
        direction: Direction,
        applies: impl Fn(&Rule) -> Truth,
    ) {
        let rules = direction.rules(policy).map_or(&[][..], |rules| &rules.rules);
        for rule in rules {
            let applies = is_subject.and(applies(rule));
            match rule.action {
                Action::Deny => self.denied = self.denied.or(applies),
                Action::MayAccept | Action::Unread => {
                    self.accepted = self.accepted.or(applies.and(Truth::Maybe));
                }
                Action::Accept | Action::Pass => self.accepted = self.accepted.or(applies),
                Action::Log => {}
            }
        }
        if policy.isolates(direction) {
            self.isolated = self.isolated.or(is_subject);
        }
    }

    /// Whether the packet may be accepted, may be dropped, and may be left to the next tier.
    pub(in super::super) fn outcome(self) -> (bool, bool, bool) {
        let Self {
            denied,
            accepted,
            isolated,
        } = self;
        let may_pass = denied != Truth::Yes;
        (
            may_pass && accepted != Truth::No,
            denied != Truth::No || accepted != Truth::Yes && isolated != Truth::No,
            may_pass && accepted != Truth::Yes && isolated != Truth::Yes,
        )
    }
}

/// Whether a peer meets what `fromRequires` or `toRequires` of policies ask of it, given whether the pod is the subject of each.
///
/// "These additional constraints [...] serve as a foundation for any `fromEndpoints` relationship"; of peers that other fields
/// select, the documents and the agent disagree, so there it is open.
pub(in super::super) fn meets<'p>(
    policies: impl Iterator<Item = (&'p Policy, Truth)>,
    direction: Direction,
    other: Side<'_>,
    own: &Namespace,
) -> Truth {
    let asked = policies.flat_map(|(policy, is_subject)| {
        let requires = policy.cilium.iter().flat_map(|traits| traits.requires(direction));
        requires.map(move |required| {
            let is_it = match other {
                Side::Pod(_, pods) if pods.is_on_host_network => Truth::No,
                Side::Pod(namespace, pods) => {
                    let sets = required.sets.iter();
                    Truth::any(sets.map(|set| selects(set, namespace, pods, own)))
                }
                Side::Outside(_) => Truth::No,
            };
            is_it.or(is_subject.negated())
        })
    });
    Truth::all(asked)
}

/// Whether a peer of a rule that accepts is met, given whether what is required of all peers is.
pub(in super::super) fn with_required(peer: Option<&Peer>, is_peer: Truth, meets: Truth) -> Truth {
    match peer.map(|peer| &peer.who) {
        Some(Peers::Pods(_)) => is_peer.and(meets),
        _ => is_peer.and(meets.or(Truth::Maybe)),
    }
}
