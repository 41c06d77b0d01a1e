//! Rules of layer 7, as far as Cilium refuses a policy for them. What they say of names and requests is not judged.
//!
//! Semantics: pkg/policy/api, `PortRule.Validate` and `L7Rules.Validate`, and the schema of the API. INVARIANT: a policy that Cilium
//! would take is not refused here.

use super::super::notes::Notes;
use super::super::reach::Direction;
use crate::source::Span;
use crate::tree::{Entry, Node};

/// Kinds of rules: "exactly one of the following must be set" (API reference, `L7Rules`).
const KINDS: &[&str] = &["http", "kafka", "dns", "l7proto"];

/// Whether Cilium refuses an item of `toPorts` for what it says besides its ports.
pub(super) fn is_refused(node: Node<'_>, direction: Direction, notes: &mut Notes) -> bool {
    let rules = written(node, "rules");
    let refused = rules.and_then(|rules| refused_rules(node, rules.value, direction));
    let refused = refused.or_else(|| refused_beside(node, rules.is_some(), direction));
    let Some((span, message, help)) = refused else {
        return false;
    };
    notes.unread(span, message, help);
    true
}

type Refused = (Span, String, Option<&'static str>);

fn written<'t>(node: Node<'t>, key: &str) -> Option<Entry<'t>> {
    node.entry(key).filter(|entry| !entry.value.is_null())
}

/// What is wrong with `rules`.
fn refused_rules(node: Node<'_>, rules: Node<'_>, direction: Direction) -> Option<Refused> {
    let is_known = |entry: &Entry<'_>| entry.name() == "l7" || KINDS.contains(&entry.name());
    if let Some(entry) = rules.entries().find(|entry| !is_known(entry)) {
        let message = format!("`{}` is no kind of rules of layer 7", entry.name());
        return Some((
            entry.key.span(),
            message,
            Some("kinds are http, kafka, dns and l7proto"),
        ));
    }
    let kinds: Vec<Entry<'_>> = KINDS.iter().filter_map(|kind| written(rules, kind)).collect();
    let kind = match (kinds.as_slice(), written(rules, "l7")) {
        ([kind], _) => kind,
        ([], Some(l7)) => {
            return Some((l7.key.span(), "`l7` stands without `l7proto`".into(), None));
        }
        ([], None) => {
            return Some((rules.span(), "these rules of layer 7 are of no kind".into(), None));
        }
        ([_, second, ..], _) => {
            let message = "rules of layer 7 are of more than one kind".into();
            return Some((second.key.span(), message, Some("make a rule of each")));
        }
    };
    let is_dns = kind.name() == "dns";
    if is_dns && direction == Direction::Ingress && !kind.value.is_empty() {
        let message = "rules about names are for egress".into();
        return Some((kind.key.span(), message, None));
    }
    let ports = node.get("ports").into_iter().flat_map(|ports| ports.items());
    let ports: Vec<Node<'_>> = ports.collect();
    if is_dns && ports.is_empty() {
        let message = "rules about names need ports".into();
        return Some((kind.key.span(), message, Some("name port 53")));
    }
    ports.into_iter().find_map(|port| refused_port(port, is_dns))
}

/// What is wrong with a port that rules of layer 7 are for.
fn refused_port(port: Node<'_>, is_dns: bool) -> Option<Refused> {
    let number = port.get("port").filter(|number| number.text() == Some("0"));
    if let Some(number) = number {
        let message = "rules of layer 7 are for ports, and 0 is all of them".into();
        return Some((number.span(), message, Some("name the port")));
    }
    if is_dns {
        let end = written(port, "endPort").filter(|end| end.value.as_int() != Some(0))?;
        let message = "rules about names are for single ports".into();
        return Some((end.key.span(), message, None));
    }
    let protocol = port.get("protocol").filter(|protocol| !protocol.is_null());
    if protocol.and_then(|protocol| protocol.text()) == Some("TCP") {
        return None;
    }
    let span = protocol.unwrap_or(port).span();
    let message = "rules of layer 7 other than those about names are for TCP alone".into();
    Some((span, message, Some("write `protocol: TCP`")))
}

/// What is wrong with what stands beside `rules`.
fn refused_beside(node: Node<'_>, has_rules: bool, direction: Direction) -> Option<Refused> {
    if let Some(names) = written(node, "serverNames") {
        if has_rules && written(node, "terminatingTLS").is_none() {
            let message = "`serverNames` stands beside rules of layer 7 without `terminatingTLS`".into();
            return Some((names.key.span(), message, None));
        }
        if let Some(empty) = names.value.items().find(|name| name.text() == Some("")) {
            return Some((empty.span(), "the name of a server is empty".into(), None));
        }
    }
    let listener = written(node, "listener")?;
    if direction == Direction::Ingress {
        return Some((listener.key.span(), "a listener is for egress".into(), None));
    }
    has_rules.then(|| {
        let message = "a listener stands beside rules of layer 7".into();
        (listener.key.span(), message, None)
    })
}
