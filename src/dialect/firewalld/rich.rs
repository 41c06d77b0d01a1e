//! Which rich rules firewalld takes: firewalld.richlanguage(5).

use std::fmt::Write;

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

/// Elements of a rule, and those in them that the language writes beside them.
const LIMITED: &[&str] = &["log", "nflog", "audit", "accept", "reject", "drop", "mark"];

/// A rule as `firewall-cmd` prints it to what stands for it in a zone's file: firewalld.richlanguage(5).
pub(super) fn to_xml(text: &str) -> Option<String> {
    let mut xml = String::new();
    let mut open: Vec<&str> = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let end = rest.find([' ', '=']).unwrap_or(rest.len());
        let (word, after) = rest.split_at_checked(end)?;
        let is_name = word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-') && !word.is_empty();
        if let Some(value) = after.strip_prefix('=') {
            let (value, behind) = match value.strip_prefix('"') {
                Some(quoted) => quoted.split_once('"')?,
                None => value.split_at_checked(value.find(' ').unwrap_or(value.len()))?,
            };
            if !is_name || open.is_empty() {
                return None;
            }
            // Attributes go before the end of the tag at hand.
            let _infallible = write!(xml, " {word}=\"{}\"", super::listing::escaped(value));
            rest = behind.trim_start();
            continue;
        }
        rest = after.trim_start();
        match word {
            "NOT" | "not" => xml.push_str(" invert=\"True\""),
            "rule" if open.is_empty() => {
                xml.push_str("<rule");
                open.push("rule");
            }
            _ if !is_name || open.is_empty() => return None,
            "limit" if open.last().is_some_and(|last| LIMITED.contains(last)) => {
                xml.push_str("><limit");
                open.push("limit");
            }
            _ => {
                xml.push_str(if open.len() == 1 { ">" } else { "" });
                close(&mut xml, &mut open, 1);
                xml.push('<');
                xml.push_str(word);
                open.push(word);
            }
        }
    }
    if open.len() == 1 {
        xml.push('>');
    }
    close(&mut xml, &mut open, 1);
    (open.len() == 1).then(|| xml + "</rule>")
}

/// Closes elements down to a depth: the innermost has no content.
fn close(xml: &mut String, open: &mut Vec<&str>, depth: usize) {
    let mut is_innermost = true;
    while open.len() > depth {
        if let Some(name) = open.pop() {
            let _infallible = if is_innermost {
                write!(xml, "/>")
            } else {
                write!(xml, "</{name}>")
            };
            is_innermost = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::to_xml;

    #[test]
    fn rules_are_written_as_in_files() {
        for (rule, xml) in [
            (
                "rule family=\"ipv4\" source address=\"10.0.0.0/8\" service name=\"ssh\" accept",
                "<rule family=\"ipv4\"><source address=\"10.0.0.0/8\"/><service name=\"ssh\"/><accept/></rule>",
            ),
            (
                "rule source NOT ipset=\"x\" log prefix=\"a b\" limit value=\"1/m\" drop limit value=\"2/m\"",
                "<rule><source invert=\"True\" ipset=\"x\"/><log prefix=\"a b\"><limit value=\"1/m\"/></log>\
                 <drop><limit value=\"2/m\"/></drop></rule>",
            ),
            ("rule priority=\"-1\"", "<rule priority=\"-1\"></rule>"),
        ] {
            assert_eq!(to_xml(rule).as_deref(), Some(xml));
        }
        for refused in [
            "",
            "accept",
            "rule family=\"ipv4",
            "rule <x/> accept",
            "a=\"b\" rule",
        ] {
            assert_eq!(to_xml(refused), None, "{refused}");
        }
    }
}
