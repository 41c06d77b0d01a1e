//! NetworkPolicies, and what stands beside them, of one workload: a union of what they accept.
//!
//! INVARIANT: order matters only between what denies and what accepts.

use super::condition::{protocols, unknown};
use super::lower::{Lowering, Selected};
use super::policy::{Policy, Ties};
use super::reach::Direction;
use crate::model::{Action, Condition, Match, Rule, Unknown};
use crate::packet::protocol::number;
use crate::source::Span;

impl Lowering<'_> {
    /// What any of them denies, and what any of them accepts with the rest dropped behind it, if one isolates.
    pub(super) fn union(&self, selected: &[Selected<'_>], direction: Direction) -> (Vec<Rule>, Vec<Rule>) {
        let written = selected.iter().flat_map(|one| self.rules(*one, direction));
        // "Deny policies take precedence over allow policies" (Cilium).
        let (mut denying, mut accepting): (Vec<Rule>, Vec<Rule>) =
            written.partition(|rule| rule.action == Action::Drop);
        if self.has_cilium() {
            denying.push(self.unsupported_protocols());
        }
        accepting.extend(self.end(selected, direction));
        (denying, accepting)
    }

    /// What stands behind the rules of a tier: a drop, if one of its policies isolates.
    pub(super) fn end(&self, selected: &[Selected<'_>], direction: Direction) -> Vec<Rule> {
        let isolating: Vec<&Selected<'_>> = selected
            .iter()
            .filter(|one| one.policy.isolates(direction))
            .collect();
        let says_something = |one: &&&Selected<'_>| {
            let rules = direction.rules(one.policy);
            rules.is_some_and(|rules| !rules.rules.is_empty())
        };
        // What isolates is shown where something is let through, since that is where more would be.
        let all_sure = || isolating.iter().filter(|one| one.is_sure);
        let sure = all_sure().find(says_something).or_else(|| all_sure().next());
        let Some(shown) = sure.or(isolating.first()) else {
            return Vec::new();
        };
        let span = direction
            .rules(shown.policy)
            .map_or(shown.policy.span, |rules| rules.span);
        let is_isolated = match sure {
            Some(_) => Vec::new(),
            None => vec![Match {
                span,
                condition: Condition::Any(isolating.iter().map(|one| self.is_selected(one)).collect()),
            }],
        };
        let is_of_calico = self.has_calico() || selected.iter().any(|one| one.policy.ties != Ties::Union);
        if self.has_cilium() || is_of_calico {
            return vec![decide(span, is_isolated, Action::Drop)];
        }
        // "It is only guaranteed to deny TCP, UDP and SCTP connections." Calico and Cilium deny all.
        let mut others = is_isolated.clone();
        others.push(Match {
            span,
            condition: Condition::Not(Box::new(protocols(&[number::TCP, number::UDP, number::SCTP]))),
        });
        let left_open = Unknown {
            property: Some("other protocols than TCP, UDP and SCTP".into()),
            why: "what becomes of other protocols than TCP, UDP and SCTP is left to the network plugin"
                .into(),
        };
        others.push(Match {
            span,
            condition: Condition::Unknown(left_open),
        });
        let others = Rule {
            span: self.nowhere(),
            ..decide(span, others, Action::Accept)
        };
        vec![others, decide(span, is_isolated, Action::Drop)]
    }

    /// Protocols that Cilium does not keep track of: whether what peers may send without naming ports holds of them is not known.
    fn unsupported_protocols(&self) -> Rule {
        let known = [
            number::TCP,
            number::UDP,
            number::SCTP,
            number::ICMP,
            number::ICMPV6,
        ];
        let why = "what Cilium does with other protocols than TCP, UDP, SCTP and ICMP is not known";
        let matches = [
            Condition::Not(Box::new(protocols(&known))),
            unknown("protocols that Cilium does not know", why),
        ];
        let matches = matches.map(|condition| Match {
            span: self.nowhere(),
            condition,
        });
        decide(self.nowhere(), matches.into(), Action::Drop)
    }

    /// The policies that select the workload, or may: then with the question whether they do.
    pub(super) fn selected_by(&self) -> impl Iterator<Item = (&Policy, Option<Condition>)> {
        self.all_selected().map(|one| {
            let is_selected = (!one.is_sure).then(|| self.is_selected(&one));
            (one.policy, is_selected)
        })
    }

    /// Whether a policy selects the workload, if that is not known.
    pub(super) fn is_selected(&self, one: &Selected<'_>) -> Condition {
        let name = one.policy.full_name();
        let pods = self.pods.full_name();
        unknown(
            format!("{name} at {:?} selects {pods}", one.policy.subject.pods.span),
            format!("whether `{name}` selects `{pods}` is not known"),
        )
    }
}

fn decide(span: Span, matches: Vec<Match>, action: Action) -> Rule {
    Rule {
        span,
        matches,
        action,
        action_span: span,
    }
}
