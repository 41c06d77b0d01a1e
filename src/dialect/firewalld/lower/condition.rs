//! What elements ask of packets.
//!
//! INVARIANT: a condition is exact, or has an unknown in it that is said.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Lowering;
use crate::dialect::firewalld::ast::{Element, Kind, Peer, Ports, Service};
use crate::dialect::firewalld::data;
use crate::finding::{Code, Finding, Label};
use crate::model::{Condition, Match, Unknown};
use crate::packet::protocol::number;
use crate::packet::{Family, Field, Network, RangeSet, value};
use crate::source::Span;

/// Services that one may include, those that they include counted.
const MAX_INCLUDED: usize = 1000;

/// Which end of a packet is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Side {
    Source,
    Destination,
}

impl Side {
    pub(super) fn field(self, family: Family) -> Field {
        match self {
            Self::Source => family.source(),
            Self::Destination => family.destination(),
        }
    }
}

pub(super) fn is_family(family: Family) -> Condition {
    Condition::Test(Field::Family, RangeSet::point(family.value()))
}

pub(super) fn is_protocol(protocol: u8) -> Condition {
    Condition::Test(Field::Protocol, RangeSet::point(protocol.into()))
}

/// Addresses of one family.
pub(super) fn is_in(side: Side, family: Family, addresses: RangeSet) -> Condition {
    Condition::All(vec![
        is_family(family),
        Condition::Test(side.field(family), addresses),
    ])
}

fn is_in_network(side: Side, network: &Network) -> Condition {
    is_in(side, network.family, RangeSet::range(network.low, network.high))
}

pub(super) fn has_ports(ports: &Ports, field: Field) -> Condition {
    Condition::All(vec![
        is_protocol(ports.protocol),
        Condition::Test(field, ports.ports.clone()),
    ])
}

/// Packets that come in or leave by an interface; `+` at the end of its name stands for any.
pub(super) fn is_interface(name: &str, field: Field) -> Condition {
    let (low, high) = match name.strip_suffix('+') {
        Some(prefix) => value::interface_prefix(prefix),
        None => (value::interface(name), value::interface(name)),
    };
    Condition::Test(field, RangeSet::range(low, high))
}

pub(super) fn unknown(property: Option<String>, why: impl Into<Arc<str>>) -> Condition {
    Condition::Unknown(Unknown {
        property: property.map(Arc::from),
        why: why.into(),
    })
}

/// At least one of them.
pub(super) fn any(choices: Vec<Condition>) -> Condition {
    match <[Condition; 1]>::try_from(choices) {
        Ok([only]) => only,
        Err(choices) => Condition::Any(choices),
    }
}

impl Lowering<'_> {
    /// What an element asks, with its place; nothing for those that ask nothing.
    pub(super) fn element(&mut self, element: &Element) -> Vec<Match> {
        let condition = match &element.kind {
            Kind::Service(name) => self.service(name, element.span),
            Kind::Ports(ports) | Kind::ForwardPort { from: ports, .. } => has_ports(ports, Field::Service),
            Kind::SourcePorts(ports) => has_ports(ports, Field::SourcePort),
            Kind::Protocol(protocol) => is_protocol(*protocol),
            Kind::IcmpBlock(name) | Kind::IcmpType(name) => self.icmp_type(name, element.value),
            Kind::Masquerade | Kind::TcpMssClamp => return Vec::new(),
        };
        vec![Match {
            span: element.value,
            condition,
        }]
    }

    /// What a service opens, with all that it includes: one of its ports and protocols, at its destination.
    fn service(&mut self, name: &str, at: Span) -> Condition {
        let mut choices = Vec::new();
        let mut seen: BTreeSet<String> = BTreeSet::new();
        let mut pending = vec![(name.to_owned(), at)];
        while let Some((name, at)) = pending.pop() {
            if !seen.insert(name.clone()) {
                continue;
            }
            if seen.len() > MAX_INCLUDED {
                let why = format!("service `{name}` includes more than {MAX_INCLUDED} others");
                self.unsupported(&why, at);
                choices.push(unknown(None, why));
                break;
            }
            let Some(service) = self.folder.services.get(&name) else {
                let help = "firewalld refuses a configuration that names it; declare it in `services/`, or correct the name";
                self.dangling("service", &name, at, help);
                choices.push(unknown(None, format!("what service `{name}` is, is not known")));
                continue;
            };
            choices.extend(opened(service));
            if let Some(unread) = service.unread {
                let why = format!("not all of service `{name}` could be read");
                choices.push(unknown(Some(format!("service {name} {}", unread.start)), why));
            }
            let included = service.includes.iter();
            pending.extend(included.map(|(name, span)| (name.clone(), span.unwrap_or(at))));
        }
        any(choices)
    }

    /// The service of a rich rule that itself asks for a destination.
    pub(super) fn has_destination(&self, name: &str) -> bool {
        self.folder
            .services
            .get(name)
            .is_some_and(|service| !service.destinations.is_empty())
    }

    /// Type and codes of ICMP, of the families that have it.
    fn icmp_type(&mut self, name: &str, at: Span) -> Condition {
        let declared = self.folder.icmp_types.get(name).copied();
        if !data::is_icmp_type(name) {
            if declared.is_some() {
                self.unsupported(&format!("icmptype {name}"), at);
            } else {
                let help = "firewalld refuses a configuration that names it; correct the name";
                self.dangling("ICMP type", name, at, help);
            }
            let icmp = Condition::Any(vec![is_protocol(number::ICMP), is_protocol(number::ICMPV6)]);
            let which = unknown(
                Some(format!("icmptype {name}")),
                format!("which packets ICMP type `{name}` is, is not known"),
            );
            return Condition::All(vec![icmp, which]);
        }
        let only = declared.flatten();
        let types = data::icmp_types(name).filter(|(family, ..)| only.is_none_or(|only| only == *family));
        let choices = types.map(|(family, number, (low, high))| {
            let is_type = |(low, high): (u8, u8)| {
                let value = |code: u8| u128::from(number) << 8 | u128::from(code);
                Condition::Test(Field::Service, RangeSet::range(value(low), value(high)))
            };
            let mut ways = vec![is_type((low, high))];
            if data::has_code_zero(family, number) {
                let why = "whether codes other than 0 are meant depends on the version of firewalld";
                let perhaps = unknown(Some("icmp codes".to_owned()), why);
                ways.push(Condition::All(vec![is_type((1, u8::MAX)), perhaps]));
            }
            Condition::All(vec![
                is_family(family),
                is_protocol(match family {
                    Family::V4 => self::number::ICMP,
                    Family::V6 => self::number::ICMPV6,
                }),
                any(ways),
            ])
        });
        any(choices.collect())
    }

    /// Whether one end of a packet is a peer.
    pub(super) fn is_peer(&mut self, peer: &Peer, side: Side, at: Span) -> Condition {
        match peer {
            Peer::Network(network) => is_in_network(side, network),
            Peer::Mac(mac) => {
                self.unsupported("source mac", at);
                let why = format!("whether a packet comes from `{mac}` is not modelled");
                unknown(Some(format!("mac {mac}")), why)
            }
            Peer::Set(name) => self.is_member(name, side, at),
        }
    }

    /// Says once that something is not modelled.
    pub(super) fn unsupported(&mut self, name: &str, at: Span) {
        let (_, count) = self.unsupported.entry(name.to_owned()).or_insert((at, 0));
        *count += 1;
    }

    /// Says once that something that is named is not there.
    pub(super) fn dangling(&mut self, what: &str, name: &str, at: Span, help: &str) {
        if !self.dangling.insert((name.to_owned(), at)) {
            return;
        }
        let message = format!("{what} `{name}` does not exist");
        let label = Label::new(at, "leads nowhere");
        self.notices
            .push(Finding::new(Code::DanglingReference, message, Some(label)).help(help));
    }
}

/// What a service asks for by itself: one condition for each of its ports and protocols.
fn opened(service: &Service) -> Vec<Condition> {
    let destinations: Vec<Condition> = service
        .destinations
        .iter()
        .map(|network| is_in_network(Side::Destination, network))
        .collect();
    let at_destination = |condition: Condition| match destinations.as_slice() {
        [] => condition,
        _ => Condition::All(vec![Condition::Any(destinations.clone()), condition]),
    };
    let to = service.ports.iter().map(|ports| has_ports(ports, Field::Service));
    let from = service
        .source_ports
        .iter()
        .map(|ports| has_ports(ports, Field::SourcePort));
    let protocols = service.protocols.iter().map(|protocol| is_protocol(*protocol));
    to.chain(from).chain(protocols).map(at_destination).collect()
}
