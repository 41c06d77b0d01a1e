//! What zones and policies have in common: elements and rich rules.
//!
//! firewalld.zone(5), firewalld.policy(5), firewalld.richlanguage(5). INVARIANT: what cannot be read is said, and kept as a
//! part of which nothing is known.

use roxmltree::Node;

use super::ast::{Action, Body, Element, End, Kind, Peer, Ports, RichRule, Verb};
use super::value;
use super::xml::{Reader, Schema, children};
use crate::packet::address::number;
use crate::packet::{Family, RangeSet};
use crate::source::{Span, Spanned};

/// Elements that stand in zones, in policies and in rules.
pub(super) const ELEMENTS: Schema = &[
    ("short", &[], &[]),
    ("description", &[], &[]),
    ("service", &["name"], &[]),
    ("port", &["port", "protocol"], &[]),
    ("protocol", &["value"], &[]),
    ("source-port", &["port", "protocol"], &[]),
    ("icmp-block", &["name"], &[]),
    ("icmp-type", &["name"], &[]),
    ("masquerade", &[], &["enabled"]),
    ("forward-port", &["port", "protocol"], &["to-port", "to-addr"]),
    ("tcp-mss-clamp", &[], &["value"]),
    ("rule", &[], &["family", "priority"]),
];

/// Elements that stand in rules alone.
const RULE_PARTS: Schema = &[
    ("source", &[], &["address", "mac", "invert", "family", "ipset"]),
    ("destination", &[], &["address", "invert", "ipset"]),
    ("log", &[], &["prefix", "level"]),
    ("nflog", &[], &["group", "prefix", "queue-size"]),
    ("audit", &[], &[]),
    ("accept", &[], &[]),
    ("reject", &[], &["type"]),
    ("drop", &[], &[]),
    ("mark", &["set"], &[]),
];

const LIMIT: Schema = &[("limit", &["value"], &["burst"])];

/// Reads one element of a zone or policy into its body.
pub(super) fn read(reader: &mut Reader<'_>, node: Node<'_, '_>, body: &mut Body) {
    let span = reader.span(node);
    if !reader.check(node, ELEMENTS) {
        body.unread.push(span);
        return;
    }
    match node.tag_name().name() {
        "short" | "description" => {}
        "rule" => match rule(reader, node) {
            Some(rule) => body.rules.push(rule),
            None => body.unread.push(span),
        },
        "icmp-type" | "tcp-mss-clamp" => {
            let name = node.tag_name().name();
            reader.refuse(
                span,
                format!("`{name}` outside of a rule"),
                "put it in a `rule`, with an action beside it",
            );
            body.unread.push(span);
        }
        _ => match element(reader, node) {
            Some(element) => body.elements.push(element),
            None => body.unread.push(span),
        },
    }
}

/// The element of a zone, a policy or a rule. `None` if it cannot be read, which is said.
fn element(reader: &mut Reader<'_>, node: Node<'_, '_>) -> Option<Element> {
    let span = reader.span(node);
    let attribute = |name| reader.attribute(node, name);
    let name = attribute("name");
    let (kind, value) = match (node.tag_name().name(), name) {
        ("service", Some(name)) => (Kind::Service(name.value), span),
        ("icmp-block", Some(name)) => (Kind::IcmpBlock(name.value), name.span),
        ("icmp-type", Some(name)) => (Kind::IcmpType(name.value), name.span),
        ("masquerade", _) => (Kind::Masquerade, span),
        ("tcp-mss-clamp", _) => (Kind::TcpMssClamp, span),
        ("protocol", _) => {
            let value = attribute("value")?;
            let help = "write its name, or its number from 0 to 255";
            let number = reader.known(&value, value::protocol(&value.value), "a protocol", help)?;
            (Kind::Protocol(number), value.span)
        }
        ("port", _) => {
            let (ports, value) = ports(reader, node)?;
            (Kind::Ports(ports), value)
        }
        ("source-port", _) => {
            let (ports, value) = ports(reader, node)?;
            (Kind::SourcePorts(ports), value)
        }
        _ => forward_port(reader, node)?,
    };
    Some(Element { kind, span, value })
}

/// `port` and `protocol`, with the place of the port.
pub(super) fn ports(reader: &mut Reader<'_>, node: Node<'_, '_>) -> Option<(Ports, Span)> {
    let (port, protocol) = (
        reader.attribute(node, "port")?,
        reader.attribute(node, "protocol")?,
    );
    let help = "it is `tcp`, `udp`, `sctp` or `dccp`";
    let found = value::transport(&protocol.value);
    let number = reader.known(&protocol, found, "a protocol with ports", help)?;
    let ports = port_range(reader, &port)?;
    let ports = Ports {
        protocol: number,
        ports,
    };
    Some((ports, port.span))
}

fn port_range(reader: &mut Reader<'_>, port: &Spanned<String>) -> Option<RangeSet> {
    let help = "write `80`, or `5000-5010` from the lower to the higher";
    reader.known(
        port,
        value::ports(&port.value),
        "a port or a range of ports",
        help,
    )
}

/// "to-addr" and "to-port": one of them at least.
fn forward_port(reader: &mut Reader<'_>, node: Node<'_, '_>) -> Option<(Kind, Span)> {
    let (from, span) = ports(reader, node)?;
    let said = |name| reader.attribute(node, name).filter(|said| !said.value.is_empty());
    let (to_port, to_addr) = (said("to-port"), said("to-addr"));
    if to_port.is_none() && to_addr.is_none() {
        let head = reader.head(node);
        reader.refuse(
            head,
            "`forward-port` that leads nowhere",
            "give `to-port`, `to-addr`, or both",
        );
        return None;
    }
    let to_ports = match to_port {
        Some(port) => Some(port_range(reader, &port)?),
        None => None,
    };
    let to = match to_addr {
        Some(address) => {
            let help = "write an IPv4 or IPv6 address without a mask";
            let found = address.value.parse().ok();
            Some(number(reader.known(&address, found, "an address", help)?))
        }
        None => None,
    };
    Some((Kind::ForwardPort { from, to_ports, to }, span))
}

/// What a source or destination names: `address`, `mac` or `ipset`, and whether it is one thing alone.
pub(super) fn peer(reader: &mut Reader<'_>, node: Node<'_, '_>) -> Option<Spanned<Peer>> {
    let said = ["address", "mac", "ipset"].map(|name| reader.attribute(node, name));
    let head = reader.head(node);
    match said {
        [Some(address), None, None] => {
            // Zones take a MAC address here.
            let mac = || value::mac(&address.value).map(Peer::Mac);
            let found = value::network(&address.value).map(Peer::Network).or_else(mac);
            let help = "write an address, or a network as `10.0.0.0/8`";
            let found = reader.known(&address, found, "an address", help)?;
            Some(address.map(|_| found))
        }
        [None, Some(mac), None] => {
            let help = "write it as `11:22:33:44:55:66`";
            let found = reader.known(&mac, value::mac(&mac.value), "a MAC address", help)?;
            Some(mac.map(|_| Peer::Mac(found)))
        }
        [None, None, Some(set)] => Some(set.map(Peer::Set)),
        [None, None, None] => {
            reader.refuse(
                head,
                "neither an address nor a set",
                "give `address`, `mac` or `ipset`",
            );
            None
        }
        _ => {
            reader.refuse(
                head,
                "more than one of `address`, `mac` and `ipset`",
                "give one of them",
            );
            None
        }
    }
}

/// A rich rule. `None` if firewalld does not take it, which is said.
fn rule(reader: &mut Reader<'_>, node: Node<'_, '_>) -> Option<RichRule> {
    let family = match reader.attribute(node, "family") {
        None => None,
        Some(family) => {
            let found = match family.value.as_str() {
                "ipv4" => Some(Family::V4),
                "ipv6" => Some(Family::V6),
                _ => None,
            };
            Some(reader.known(&family, found, "a family", "it is `ipv4` or `ipv6`")?)
        }
    };
    let priority = match reader.attribute(node, "priority") {
        None => 0,
        Some(text) => {
            let help = "it is a number from -32768 to 32767";
            reader.known(&text, value::priority(&text.value), "a priority", help)?
        }
    };
    let mut rule = RichRule {
        span: reader.span(node),
        family,
        priority,
        source: None,
        destination: None,
        element: None,
        action: None,
    };
    let mut has_log = false;
    for child in children(node) {
        part(reader, child, &mut rule, &mut has_log)?;
    }
    super::rich::check(reader, &rule, has_log, reader.head(node)).then_some(rule)
}

/// One part of a rule.
fn part(reader: &mut Reader<'_>, node: Node<'_, '_>, rule: &mut RichRule, has_log: &mut bool) -> Option<()> {
    let name = node.tag_name().name();
    let is_part = RULE_PARTS.iter().any(|(part, ..)| *part == name);
    if !reader.check(node, if is_part { RULE_PARTS } else { ELEMENTS }) {
        return None;
    }
    let is_taken = match name {
        "short" | "description" => return Some(()),
        "source" => rule.source.replace(end(reader, node)?).is_some(),
        "destination" => rule.destination.replace(end(reader, node)?).is_some(),
        "log" | "nflog" | "audit" => {
            limit(reader, node)?;
            *has_log = true;
            false
        }
        "accept" | "reject" | "drop" | "mark" => rule.action.replace(action(reader, node)?).is_some(),
        "rule" => true,
        _ => rule.element.replace(element(reader, node)?).is_some(),
    };
    if is_taken {
        let head = reader.head(node);
        reader.refuse(
            head,
            "a second part of one kind in a rule",
            "write a rule for each",
        );
        return None;
    }
    Some(())
}

fn end(reader: &mut Reader<'_>, node: Node<'_, '_>) -> Option<End> {
    let peer = peer(reader, node)?;
    let invert = reader.attribute(node, "invert");
    let is_inverted = invert.is_some_and(|invert| is_yes(&invert.value));
    Some(End {
        peer: peer.value,
        is_inverted,
        span: peer.span,
    })
}

/// "yes" and "true", in any case.
pub(super) fn is_yes(text: &str) -> bool {
    text.eq_ignore_ascii_case("yes") || text.eq_ignore_ascii_case("true")
}

fn action(reader: &mut Reader<'_>, node: Node<'_, '_>) -> Option<Action> {
    let verb = match node.tag_name().name() {
        "accept" => Verb::Accept,
        "reject" => Verb::Reject,
        "drop" => Verb::Drop,
        _ => {
            let set = reader.attribute(node, "set")?;
            let help = "write a number of 32 bits, or one with a mask as `0x1/0xff`";
            let (clear, flip) = reader.known(&set, value::mark(&set.value), "a mark", help)?;
            Verb::Mark { clear, flip }
        }
    };
    Some(Action {
        verb,
        span: reader.span(node),
        limit: limit(reader, node)?,
    })
}

/// The limit in an action or a log: `None` if it cannot be read, `Some(None)` if there is none.
#[expect(
    clippy::option_option,
    reason = "whether it was read, and whether it is there"
)]
fn limit(reader: &mut Reader<'_>, node: Node<'_, '_>) -> Option<Option<Span>> {
    let mut found = None;
    for child in children(node) {
        if !reader.check(child, LIMIT) {
            return None;
        }
        found = Some(reader.span(child));
    }
    Some(found)
}
