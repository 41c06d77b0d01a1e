//! One concrete packet of a set, chosen to look ordinary, and its text form.

use std::collections::BTreeMap;

use super::field::value;
use super::icmp::icmp_name;
use super::protocol::{has_ports, number, protocol_name};
use super::set::PacketSet;
use super::space::Space;
use super::{Family, Field};

/// A packet with a value for every field that matters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Concrete {
    fields: BTreeMap<Field, u128>,
}

impl Concrete {
    /// The packet with a field set.
    #[must_use]
    pub fn with(mut self, field: Field, value: u128) -> Self {
        self.fields.insert(field, value);
        self
    }

    /// A field's value; an ordinary one where none was chosen.
    #[must_use]
    pub fn value(&self, field: Field) -> u128 {
        self.fields
            .get(&field)
            .copied()
            .unwrap_or_else(|| self.usual(field))
    }

    /// Whether a value was chosen for the field.
    #[must_use]
    pub fn has(&self, field: Field) -> bool {
        self.fields.contains_key(&field)
    }

    /// What the field has in an ordinary packet of this protocol.
    fn usual(&self, field: Field) -> u128 {
        let protocol = self
            .fields
            .get(&Field::Protocol)
            .and_then(|&number| u8::try_from(number).ok());
        match (field, protocol) {
            (Field::Service, Some(number::ICMP)) => 8 << 8,
            (Field::Service, Some(number::ICMPV6)) => 128 << 8,
            _ => usual(field),
        }
    }

    fn family(&self) -> Family {
        if self.value(Field::Family) == value::V6 {
            Family::V6
        } else {
            Family::V4
        }
    }
}

/// What a field has in an ordinary packet: a TCP connection from a documentation address.
fn usual(field: Field) -> u128 {
    match field {
        Field::Protocol => u128::from(number::TCP),
        Field::SourcePort => 40_000,
        Field::Service => 80,
        Field::TcpFlags => 2,
        Field::InInterface => value::interface("eth0"),
        // 198.51.100.7 and 203.0.113.10 (RFC 5737), 2001:db8::7 and 2001:db8::10 (RFC 3849)
        Field::Source4 => 0xc633_6407,
        Field::Destination4 => 0xcb00_710a,
        Field::Source6 => 0x2001_0db8_0000_0000_0000_0000_0000_0007,
        Field::Destination6 => 0x2001_0db8_0000_0000_0000_0000_0000_0010,
        Field::DestinationClass => value::LOCAL,
        _ => 0,
    }
}

impl Space {
    /// One packet of a set; `None` if it is empty.
    #[must_use]
    pub fn witness(&self, set: PacketSet) -> Option<Concrete> {
        let mut packet = Concrete::default();
        let mut node = set.0;
        while let Some(field) = self.field(node) {
            let wanted = packet.usual(field);
            let inside = || self.edges(node).filter(|edge| !PacketSet(edge.2).is_empty());
            let usual_edge = inside().find(|edge| (edge.0..=edge.1).contains(&wanted));
            let (low, high, kid) = usual_edge.or_else(|| inside().next())?;
            let chosen = if (low..=high).contains(&wanted) {
                wanted
            } else {
                ordinary(field, low, high)
            };
            packet = packet.with(field, chosen);
            node = kid;
        }
        PacketSet(node).is_all().then_some(packet)
    }
}

/// A value of a range that does not look odd: not a network's zero address, a printable interface.
fn ordinary(field: Field, low: u128, high: u128) -> u128 {
    match field {
        Field::Source4 | Field::Source6 | Field::Destination4 | Field::Destination6 if low < high => low + 1,
        Field::InInterface | Field::OutInterface => {
            let names = ["eth1", "ens3", "wan0", "x0"].map(value::interface);
            let name = names.into_iter().find(|name| (low..=high).contains(name));
            name.unwrap_or(low)
        }
        _ => low,
    }
}

impl std::fmt::Display for Concrete {
    /// `tcp 198.51.100.7:40000 -> 203.0.113.10:22 in eth0`, as `portcullis trace` reads it. A destination that was
    /// not chosen is `host`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let family = self.family();
        let protocol = u8::try_from(self.value(Field::Protocol)).unwrap_or(0);
        match protocol_name(protocol) {
            Some(name) => write!(f, "{name}")?,
            None => write!(f, "proto/{protocol}")?,
        }
        let service = self.value(Field::Service);
        if protocol == number::ICMP || protocol == number::ICMPV6 {
            let (kind, code) = (service >> 8, service & 0xff);
            match icmp_name(protocol, u8::try_from(kind).unwrap_or(0)) {
                Some(name) => write!(f, "/{name}")?,
                None => write!(f, "/{kind}")?,
            }
            if code != 0 {
                write!(f, "/{code}")?;
            }
        }
        let address = |number| match family {
            Family::V6 if has_ports(protocol) => format!("[{}]", family.address(number)),
            Family::V4 | Family::V6 => family.address(number).to_string(),
        };
        write!(f, " {}", address(self.value(family.source())))?;
        if has_ports(protocol) {
            write!(f, ":{}", self.value(Field::SourcePort))?;
        }
        match self.fields.get(&family.destination()) {
            Some(&number) => write!(f, " -> {}", address(number))?,
            None => write!(f, " -> host")?,
        }
        if has_ports(protocol) {
            write!(f, ":{service}")?;
        }
        for (word, field) in [("in", Field::InInterface), ("out", Field::OutInterface)] {
            let name = self
                .fields
                .get(&field)
                .and_then(|&number| value::interface_name(number));
            if let Some(name) = name.filter(|name| !name.is_empty()) {
                write!(f, " {word} {name}")?;
            }
        }
        Ok(())
    }
}
