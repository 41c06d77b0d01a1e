//! Which rich rules firewalld takes: firewalld.richlanguage(5).

use super::ast::{Kind, Peer, RichRule, Verb};
use super::xml::Reader;
use crate::source::Span;

/// Whether firewalld takes a rule. What it does not take it leaves out, with a warning in its log; that is said here.
pub(super) fn check(reader: &mut Reader<'_>, rule: &RichRule, has_log: bool, head: Span) -> bool {
    let Some((message, help)) = objection(rule, has_log) else {
        return true;
    };
    reader.refuse(head, message, help);
    false
}

/// What is wrong with a rule, and what to do about it.
fn objection(rule: &RichRule, has_log: bool) -> Option<(&'static str, &'static str)> {
    let kind = rule.element.as_ref().map(|element| &element.kind);
    let stands_alone = matches!(
        kind,
        Some(Kind::IcmpBlock(_) | Kind::ForwardPort { .. } | Kind::Masquerade | Kind::TcpMssClamp)
    );
    let ends = [&rule.source, &rule.destination];
    let networks = ends.into_iter().flatten().filter_map(|end| match end.peer {
        Peer::Network(network) => Some(network.family),
        _ => None,
    });
    let mut families = networks.clone();
    if rule.family.is_none() && (families.next().is_some() || matches!(kind, Some(Kind::ForwardPort { .. })))
    {
        return Some((
            "a rule with an address and without a family",
            "add `family=\"ipv4\"` or `family=\"ipv6\"`",
        ));
    }
    if networks.into_iter().any(|family| Some(family) != rule.family) {
        return Some((
            "an address of another family than its rule's",
            "correct one of them",
        ));
    }
    if rule.action.is_none() && !stands_alone && !has_log {
        return Some((
            "a rule that does nothing",
            "add `accept`, `reject`, `drop` or `mark`",
        ));
    }
    let is_empty = rule.source.is_none() && rule.destination.is_none() && kind.is_none();
    if is_empty && rule.priority == 0 {
        return Some((
            "a rule that names no packets and has no priority",
            "give it a `priority` other than 0, an element, a source or a destination",
        ));
    }
    let accepts = rule
        .action
        .as_ref()
        .is_some_and(|action| action.verb == Verb::Accept);
    match kind {
        Some(Kind::IcmpBlock(_)) if accepts => {
            Some(("`icmp-block` that accepts", "write `icmp-type` with `accept`"))
        }
        Some(Kind::ForwardPort { .. } | Kind::Masquerade | Kind::TcpMssClamp) if rule.action.is_some() => {
            Some(("an action beside an element that has none", "remove the action"))
        }
        _ => None,
    }
}
