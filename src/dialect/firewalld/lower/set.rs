//! Members of ipsets: firewalld.ipset(5).
//!
//! INVARIANT: a set whose members are not all known is a property of the packet, under one name a side.

use super::Lowering;
use super::condition::{Side, has_ports, is_in, is_interface, unknown};
use crate::dialect::firewalld::ast::{IpSet, Ports};
use crate::dialect::firewalld::value;
use crate::finding::{Code, Finding, Label};
use crate::model::{AskedSet, Condition, Elements, Part};
use crate::packet::{Family, Field, RangeSet};
use crate::source::{Span, Spanned};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Entries of a set that are followed.
const MAX_ENTRIES: usize = 200_000;

impl Lowering<'_> {
    /// Whether one end of a packet is in a set.
    pub(super) fn is_member(&mut self, name: &str, side: Side, at: Span) -> Condition {
        let key = (name.to_owned(), side);
        if !self.members.contains_key(&key) {
            let condition = self.members_of(name, side, at);
            let listed = self.folder.sets.get(name).and_then(|set| listed(name, set, side));
            self.members
                .insert(key.clone(), (condition, listed.map(Arc::new)));
        }
        let Some((condition, listed)) = self.members.get(&key) else {
            return Condition::Any(Vec::new());
        };
        self.listed.extend(listed.iter().map(|set| (at, Arc::clone(set))));
        condition.clone()
    }

    fn members_of(&mut self, name: &str, side: Side, at: Span) -> Condition {
        let not_known = |why: &str| {
            let why = format!("the members of set `{name}` are not known: {why}");
            unknown(Some(format!("ipset {name} {side:?}")), why)
        };
        let Some(set) = self.folder.sets.get(name) else {
            let help = "firewalld refuses a configuration that names it; declare it in `ipsets/`, or correct the name";
            self.dangling("ipset", name, at, help);
            return not_known("no file declares it");
        };
        if let Some(doubt) = set.doubt {
            self.unsupported(&format!("ipset {name}"), at);
            return not_known(doubt);
        }
        if set.entries.len() > MAX_ENTRIES {
            self.unsupported(&format!("ipset {name}"), at);
            return not_known("there are too many");
        }
        let family = set.family.unwrap_or(Family::V4);
        let found = match set.kind.as_str() {
            "hash:ip" | "hash:net" => addresses(set, family).map(|addresses| is_in(side, family, addresses)),
            "hash:ip,port" | "hash:net,port" => with_ports(set, family, side),
            "hash:net,iface" => with_interfaces(set, family, side),
            "hash:ip,mark" => with_marks(set, family, side),
            _ => {
                self.unsupported(&format!("ipset of type {}", set.kind), at);
                return not_known(&format!("its type is `{}`", set.kind));
            }
        };
        match found {
            Ok(condition) => condition,
            Err(entry) => {
                let label = Label::new(entry.span, "not understood");
                let message = format!("`{}` is no entry of a set of type `{}`", entry.value, set.kind);
                let finding = Finding::new(Code::UnreadText, message, Some(label));
                let help = "firewalld refuses a set with such an entry";
                if !self.notices.iter().any(|known| known.primary == finding.primary) {
                    self.notices.push(finding.help(help));
                }
                not_known("one of its entries could not be read")
            }
        }
    }
}

/// The entries of a set that are addresses, with or without ports, by their places.
fn listed(name: &str, set: &IpSet, side: Side) -> Option<AskedSet> {
    let family = set.family.unwrap_or(Family::V4);
    let mut parts = vec![Part::Field(side.field(family))];
    match set.kind.as_str() {
        "hash:ip" | "hash:net" => {}
        "hash:ip,port" | "hash:net,port" => parts.push(Part::ServiceOf(port_field(side))),
        _ => return None,
    }
    let mut elements = Elements::new(parts.len());
    for entry in set.entries.iter().take(MAX_ENTRIES) {
        let (at, service) = if parts.len() == 1 {
            (entry.value.as_str(), None)
        } else {
            let (at, service) = address_and_service(&entry.value)?;
            let [(low, high)] = *service.ports.ranges() else {
                return None;
            };
            let protocol = u128::from(service.protocol) << 16;
            (at, Some((protocol | low, protocol | high)))
        };
        let ranges: Vec<_> = std::iter::once(address(at, family)?).chain(service).collect();
        elements.push(entry.span, ranges.into_iter());
    }
    Some(AskedSet {
        name: name.into(),
        parts,
        elements: Arc::new(elements),
    })
}

/// Addresses and networks; `Err` is the entry that is none.
fn addresses(set: &IpSet, family: Family) -> Result<RangeSet, Spanned<String>> {
    let mut ranges = Vec::with_capacity(set.entries.len());
    for entry in &set.entries {
        ranges.push(address(&entry.value, family).ok_or_else(|| entry.clone())?);
    }
    Ok(RangeSet::from_ranges(ranges))
}

/// A network, an address, or a range of them.
fn address(text: &str, family: Family) -> Option<(u128, u128)> {
    let network: crate::packet::Network = text.parse().ok()?;
    (network.family == family).then_some((network.low, network.high))
}

/// `192.0.2.0/24,eth0`: packets come in by the interface, or leave by it.
fn with_interfaces(set: &IpSet, family: Family, side: Side) -> Result<Condition, Spanned<String>> {
    let mut by_interface: BTreeMap<&str, Vec<(u128, u128)>> = BTreeMap::new();
    for entry in &set.entries {
        let read = || {
            let (at, interface) = entry.value.split_once(',')?;
            Some((interface, address(at, family)?))
        };
        let (interface, range) = read().ok_or_else(|| entry.clone())?;
        by_interface.entry(interface).or_default().push(range);
    }
    let field = match side {
        Side::Source => Field::InInterface,
        Side::Destination => Field::OutInterface,
    };
    let choices = by_interface.into_iter().map(|(interface, ranges)| {
        Condition::All(vec![
            is_in(side, family, RangeSet::from_ranges(ranges)),
            is_interface(interface, field),
        ])
    });
    Ok(Condition::Any(choices.collect()))
}

/// `192.0.2.1,0x10`
fn with_marks(set: &IpSet, family: Family, side: Side) -> Result<Condition, Spanned<String>> {
    let mut choices = Vec::new();
    for entry in &set.entries {
        let read = || {
            let (at, mark) = entry.value.split_once(',')?;
            let (low, high) = address(at, family)?;
            let (_, mark) = value::mark(mark)?;
            let bit = |bit: u8| RangeSet::point(u128::from(mark >> bit & 1));
            let mut all: Vec<Condition> = (0..32)
                .map(|at| Condition::Test(Field::Mark(at), bit(at)))
                .collect();
            all.push(is_in(side, family, RangeSet::range(low, high)));
            Some(Condition::All(all))
        };
        choices.push(read().ok_or_else(|| entry.clone())?);
    }
    Ok(Condition::Any(choices))
}

/// `192.0.2.1,tcp:80`, `192.0.2.1,80`: without a protocol it is tcp. The port is of the same side as the address.
fn with_ports(set: &IpSet, family: Family, side: Side) -> Result<Condition, Spanned<String>> {
    let mut by_port: BTreeMap<(u8, RangeSet), Vec<(u128, u128)>> = BTreeMap::new();
    for entry in &set.entries {
        let read = || {
            let (at, service) = address_and_service(&entry.value)?;
            Some(((service.protocol, service.ports), address(at, family)?))
        };
        let (key, range) = read().ok_or_else(|| entry.clone())?;
        by_port.entry(key).or_default().push(range);
    }
    let field = port_field(side);
    let choices = by_port.into_iter().map(|((protocol, ports), ranges)| {
        Condition::All(vec![
            is_in(side, family, RangeSet::from_ranges(ranges)),
            has_ports(&Ports { protocol, ports }, field),
        ])
    });
    Ok(Condition::Any(choices.collect()))
}

fn address_and_service(entry: &str) -> Option<(&str, Ports)> {
    let (at, port) = entry.split_once(',')?;
    let (protocol, port) = port.split_once(':').unwrap_or(("tcp", port));
    let (protocol, ports) = (value::transport(protocol)?, value::ports(port)?);
    Some((at, Ports { protocol, ports }))
}

fn port_field(side: Side) -> Field {
    match side {
        Side::Source => Field::SourcePort,
        Side::Destination => Field::Service,
    }
}
