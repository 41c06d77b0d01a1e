//! Rules of Calico's policies and profiles.
//!
//! Semantics: docs.tigera.io, "Network policy", Rule, ICMP and Ports. "All match criteria must match for the rule as a whole."
//! INVARIANT: a criterion that could not be read makes the rule one that may apply or not.

use super::entity::{Asked, Question, Reader};
use crate::dialect::kubernetes::notes::Notes;
use crate::dialect::kubernetes::policy::{Action, Asks, PacketEnd, Peer, Port, Ports, Rule, Rules, Test};
use crate::dialect::kubernetes::reach::Direction;
use crate::packet::Family;
use crate::packet::protocol::number;
use crate::source::Span;
use crate::tree::Node;

const KEYS: &[&str] = &[
    "metadata",
    "action",
    "protocol",
    "notProtocol",
    "icmp",
    "notICMP",
    "ipVersion",
    "source",
    "destination",
    "http",
];

/// "Match HTTP request parameters": what is refused is so by a proxy, in connections that are let through.
const OF_HTTP: &str =
    "rules with `http` are read by their addresses and ports: the connections get through, requests need not";

impl Reader<'_> {
    /// The rules of a direction; of none, an empty list.
    pub(super) fn rules(
        &self,
        spec: Node<'_>,
        direction: Direction,
        (notes, remarks): (&mut Notes, &mut Vec<String>),
    ) -> Rules {
        let entry = spec.entry(direction.word());
        let rules = match notes.items(entry.map(|entry| entry.value), "rules") {
            Some(list) => list
                .into_iter()
                .map(|rule| self.rule(rule, direction, (&mut *notes, &mut *remarks)))
                .collect(),
            None => vec![unread(spec)],
        };
        Rules {
            rules,
            span: entry.map_or(spec.span(), |entry| entry.key.span()),
        }
    }

    fn rule(
        &self,
        node: Node<'_>,
        direction: Direction,
        (notes, remarks): (&mut Notes, &mut Vec<String>),
    ) -> Rule {
        let mut rule = of_anything(node);
        if !notes.knows(node, KEYS, "a rule of Calico") {
            if !node.is_mapping() {
                return unread(node);
            }
            rule.ask(node.span(), Asks::Unread);
        }
        (rule.action, rule.action_span) = action(node, notes);
        let protocol = rule.protocols(node, notes);
        if node.get("http").is_some_and(|http| !http.is_null()) {
            remarks.push(OF_HTTP.to_owned());
        }
        for (key, end) in [
            ("source", PacketEnd::Source),
            ("destination", PacketEnd::Destination),
        ] {
            let Some(entity) = node.get(key) else { continue };
            for asked in self.entity(entity, notes) {
                rule.end(asked, end, (direction, protocol), notes);
            }
        }
        if rule.ports.is_none()
            && let Some((protocol, span)) = protocol
        {
            rule.ports = Some(vec![Port {
                span,
                protocol: Some(protocol),
                ports: Ports::All,
            }]);
        } else if let Some((protocol, span)) = protocol
            && rule
                .ports
                .iter()
                .flatten()
                .any(|port| port.protocol != Some(protocol))
        {
            // Ports of a service have protocols of their own.
            rule.ask(span, Asks::Protocol(protocol));
        }
        rule
    }
}

/// A rule that asks nothing yet, and of which it is not known what it does.
fn of_anything(node: Node<'_>) -> Rule {
    Rule {
        span: node.span(),
        action: Action::Unread,
        action_span: node.span(),
        peers: None,
        ports: None,
        tests: Vec::new(),
    }
}

fn unread(node: Node<'_>) -> Rule {
    let mut rule = of_anything(node);
    rule.ask(node.span(), Asks::Unread);
    rule
}

fn action(node: Node<'_>, notes: &mut Notes) -> (Action, Span) {
    let word = node.get("action");
    let span = word.map_or(node.span(), |word| word.span());
    let action = match word.and_then(|word| word.text()) {
        Some("Allow") => Action::Accept,
        Some("Deny") => Action::Deny,
        Some("Pass") => Action::Pass,
        Some("Log") => Action::Log,
        other => {
            let message = match other {
                Some(other) => format!("`{other}` is no action"),
                None => "this rule has no action".to_owned(),
            };
            notes.unread(span, message, Some("actions are Allow, Deny, Log and Pass"));
            Action::Unread
        }
    };
    (action, span)
}

impl Rule {
    fn ask(&mut self, span: Span, asks: Asks) {
        self.tests.push(Test {
            span,
            is_negated: false,
            asks,
        });
    }

    fn ask_not(&mut self, span: Span, asks: Asks) {
        self.tests.push(Test {
            span,
            is_negated: true,
            asks,
        });
    }

    /// Protocols, messages and families. The protocol that it asks for.
    fn protocols(&mut self, node: Node<'_>, notes: &mut Notes) -> Option<(u8, Span)> {
        let get = |key| node.get(key).filter(|value| !value.is_null());
        let mut found = None;
        if let Some(word) = get("protocol") {
            match protocol(word, notes) {
                Some(number) => found = Some((number, word.span())),
                None => self.ask(word.span(), Asks::Unread),
            }
        }
        if let Some(word) = get("notProtocol") {
            match protocol(word, notes) {
                Some(number) => self.ask_not(word.span(), Asks::Protocol(number)),
                None => self.ask(word.span(), Asks::Unread),
            }
        }
        for (key, is_negated) in [("icmp", false), ("notICMP", true)] {
            let Some(messages) = get(key) else { continue };
            let asks = messages_of(messages, found, notes).unwrap_or(Asks::Unread);
            self.tests.push(Test {
                span: messages.span(),
                is_negated,
                asks,
            });
        }
        if let Some(version) = get("ipVersion") {
            match version.as_int() {
                Some(4) => self.ask(version.span(), Asks::Family(Family::V4)),
                Some(6) => self.ask(version.span(), Asks::Family(Family::V6)),
                _ => {
                    notes.unread(version.span(), "a version of IP is 4 or 6", None);
                    self.ask(version.span(), Asks::Unread);
                }
            }
        }
        found
    }

    /// What is asked of an end. What is asked first of the other end, and of the port of the destination, is what a finding
    /// points at piece by piece.
    fn end(
        &mut self,
        (span, question): Asked,
        end: PacketEnd,
        (direction, protocol): (Direction, Option<(u8, Span)>),
        notes: &mut Notes,
    ) {
        match question {
            Question::Unread => self.ask(span, Asks::Unread),
            Question::Families(families) => {
                for family in families {
                    self.ask(span, Asks::Family(family));
                }
            }
            Question::Peers {
                peers,
                is_negated: true,
            } => self.ask_not(span, Asks::Peers(end, peers)),
            Question::Peers { peers, .. } => self.is_one_of(peers, span, end, direction),
            Question::Service { peers, ports } => {
                self.is_one_of(peers, span, end, direction);
                if end == PacketEnd::Destination {
                    let of_service = |(protocol, ports)| Port {
                        span,
                        protocol: Some(protocol),
                        ports,
                    };
                    self.is_to(ports.into_iter().map(of_service).collect(), span);
                }
            }
            Question::Ports { ports, is_negated } => {
                let has_ports = |(of, _)| matches!(of, number::TCP | number::UDP | number::SCTP);
                let is_numbered = ports.iter().any(|(_, ports)| !matches!(ports, Ports::Named(_)));
                if !protocol.map_or(!is_numbered, has_ports) {
                    let help = "ports stand with the protocol TCP, UDP or SCTP";
                    notes.unread(span, "this rule has ports of no protocol", Some(help));
                    self.ask(span, Asks::Unread);
                    return;
                }
                let of_rule = |(span, ports)| Port {
                    span,
                    protocol: protocol.map(|(protocol, _)| protocol),
                    ports,
                };
                let ports: Vec<Port> = ports.into_iter().map(of_rule).collect();
                match (end, is_negated) {
                    (PacketEnd::Destination, false) => self.is_to(ports, span),
                    (_, true) => self.ask_not(span, Asks::Ports(end, ports)),
                    (PacketEnd::Source, false) => self.ask(span, Asks::Ports(end, ports)),
                }
            }
        }
    }

    fn is_one_of(&mut self, peers: Vec<Peer>, span: Span, end: PacketEnd, direction: Direction) {
        if end == direction.other_end() && self.peers.is_none() {
            self.peers = Some(peers);
        } else {
            self.ask(span, Asks::Peers(end, peers));
        }
    }

    fn is_to(&mut self, ports: Vec<Port>, span: Span) {
        if self.ports.is_none() {
            self.ports = Some(ports);
        } else {
            self.ask(span, Asks::Ports(PacketEnd::Destination, ports));
        }
    }
}

/// A protocol by the names that the API has, or by its number from 1 to 255.
pub(super) fn protocol(node: Node<'_>, notes: &mut Notes) -> Option<u8> {
    let text = node.text().unwrap_or("");
    let found = match text {
        "TCP" => Some(number::TCP),
        "UDP" => Some(number::UDP),
        "ICMP" => Some(number::ICMP),
        "ICMPv6" => Some(number::ICMPV6),
        "SCTP" => Some(number::SCTP),
        "UDPLite" => Some(number::UDPLITE),
        _ => text.parse().ok().filter(|number| *number > 0),
    };
    if found.is_none() {
        let message = format!("`{text}` is no protocol");
        let help = "protocols are TCP, UDP, ICMP, ICMPv6, SCTP, UDPLite and numbers from 1 to 255";
        notes.unread(node.span(), message, Some(help));
    }
    found
}

/// Messages of the protocol of the rule; a code stands with a type.
fn messages_of(node: Node<'_>, protocol: Option<(u8, Span)>, notes: &mut Notes) -> Option<Asks> {
    if !notes.knows(node, &["type", "code"], "messages of ICMP") {
        return None;
    }
    let Some((protocol @ (number::ICMP | number::ICMPV6), _)) = protocol else {
        let help = "`icmp` stands with the protocol ICMP or ICMPv6";
        notes.unread(node.span(), "this rule has messages of no protocol", Some(help));
        return None;
    };
    let mut read = |key: &str| match node.get(key).filter(|value| !value.is_null()) {
        None => Some(None),
        Some(value) => {
            let number = value.as_int().and_then(|value| u8::try_from(value).ok());
            if number.is_none() {
                notes.unread(
                    value.span(),
                    format!("no {key} of ICMP"),
                    Some("it is a number up to 255"),
                );
            }
            number.map(Some)
        }
    };
    let (kind, code) = (read("type")?, read("code")?);
    if kind.is_none() && code.is_some() {
        notes.unread(node.span(), "a code of ICMP stands without a type", None);
        return None;
    }
    Some(Asks::Icmp { protocol, kind, code })
}
