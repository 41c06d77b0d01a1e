//! Peers of Cilium to questions about packets, and what `fromRequires` adds to every rule.
//!
//! INVARIANT: what is not known is an unknown that keeps its answer for the same place, beside what is surely asked.

use super::super::condition::{are_nodes, block, unknown};
use super::super::identity::Identities;
use super::super::lower::Lowering;
use super::super::node::Nodes;
use super::super::policy::{Action, Peer, Rule, Who as Peers};
use super::super::reach::Direction;
use super::{At, Who};
use crate::dialect::condition::any;
use crate::model::{Condition, Match};
use crate::packet::Field;
use crate::source::Span;

/// Whether the other end is who a peer says.
pub(in super::super) fn condition(
    who: &Who,
    span: Span,
    direction: Direction,
    (at, nodes): (At, &Nodes),
) -> Condition {
    let end = direction.other_identity();
    let is_no_pod = || Condition::Not(Box::new(Identities::is_pod(end)));
    match who {
        Who::Entity(entity) => entity.condition(direction, (at, nodes)),
        Who::Addresses { network, except } => {
            let is_no_node = Condition::Not(Box::new(are_nodes(nodes, direction)));
            Condition::All(vec![block(network, except, direction), is_no_pod(), is_no_node])
        }
        Who::Nodes => no_pods(
            end,
            format!("nodes at {span:?}"),
            "which addresses nodes have is not known",
        ),
        Who::NoPods(why) => no_pods(end, format!("no pods at {span:?}"), why),
        Who::Outside(why) => Condition::All(vec![
            is_no_pod(),
            unknown(format!("outside at {span:?}"), why.clone()),
        ]),
        Who::Anybody(why) => unknown(format!("peer at {span:?}"), why.clone()),
        Who::Later(_) => unknown(format!("peer at {span:?}"), "who this peer is is not known"),
    }
}

/// Whether an end may be one of some nodes or somebody outside.
fn no_pods(end: Field, property: String, why: &str) -> Condition {
    let is_no_pod = Condition::Not(Box::new(Identities::is_pod(end)));
    Condition::All(vec![
        Condition::Any(vec![is_no_pod, Identities::is_on_node(end)]),
        unknown(property, why),
    ])
}

impl Lowering<'_> {
    /// The peers of a rule, with what is required of all peers asked too: surely of pods by labels, perhaps of others.
    pub(in super::super) fn required(
        &self,
        rule: &Rule,
        mut peers: Vec<Option<Match>>,
        direction: Direction,
    ) -> Vec<Option<Match>> {
        let required = self.all_required(direction);
        if required.is_empty() || rule.action == Action::Deny {
            return peers;
        }
        let span = required.first().map_or(rule.span, |(span, _)| *span);
        let all = Condition::All(required.into_iter().map(|(_, condition)| condition).collect());
        let may_apply = unknown(
            "what is required of pods is required of others",
            "whether `fromRequires` and `toRequires` limit peers that are not selected by labels is not known",
        );
        let others = Condition::Any(vec![all.clone(), may_apply]);
        let of_rule: Vec<Option<&Peer>> = match &rule.peers {
            Some(peers) => peers.iter().map(Some).collect(),
            None => vec![None],
        };
        for (lowered, peer) in peers.iter_mut().zip(of_rule) {
            let asked = match peer.map(|peer| &peer.who) {
                Some(Peers::Pods(_)) => all.clone(),
                _ => others.clone(),
            };
            *lowered = Some(match lowered.take() {
                Some(one) => Match {
                    span: one.span,
                    condition: Condition::All(vec![one.condition, asked]),
                },
                None => Match {
                    span,
                    condition: asked,
                },
            });
        }
        peers
    }

    /// What the policies that select the workload, or may, require of all peers.
    fn all_required(&self, direction: Direction) -> Vec<(Span, Condition)> {
        let end = direction.other_identity();
        let mut found = Vec::new();
        for (policy, is_selected) in self.selected_by() {
            for required in policy.cilium.iter().flat_map(|traits| traits.requires(direction)) {
                let sets = required.sets.iter();
                let mut condition = any(sets.map(|set| Identities::is_in(end, set, "")).collect());
                if let Some(is_selected) = &is_selected {
                    let is_not = Condition::Not(Box::new(is_selected.clone()));
                    condition = Condition::Any(vec![condition, is_not]);
                }
                found.push((required.span, condition));
            }
        }
        found
    }
}
