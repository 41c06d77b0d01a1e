//! Names of ICMP types and codes in policies: those that findings are written with, and others that people know.

use crate::packet::protocol::number;
use crate::packet::{RangeSet, icmp_name, icmp_type};

/// Names besides those of [`icmp_name`], with type and code, for `icmp`.
const MORE_V4: &[(&str, u8, Option<u8>)] = &[
    ("network-unreachable", 3, Some(0)),
    ("host-unreachable", 3, Some(1)),
    ("protocol-unreachable", 3, Some(2)),
    ("port-unreachable", 3, Some(3)),
    ("fragmentation-needed", 3, Some(4)),
];

/// The same for `icmpv6`.
const MORE_V6: &[(&str, u8, Option<u8>)] = &[
    ("neighbor-solicitation", 135, None),
    ("neighbor-advertisement", 136, None),
    ("inverse-neighbour-solicitation", 141, None),
    ("inverse-neighbour-advertisement", 142, None),
];

fn more(protocol: u8) -> &'static [(&'static str, u8, Option<u8>)] {
    if protocol == number::ICMP {
        MORE_V4
    } else {
        MORE_V6
    }
}

/// The names that a protocol's types and codes have.
pub(super) fn names(protocol: u8) -> impl Iterator<Item = &'static str> {
    let types = (0..=u8::MAX).filter_map(move |kind| icmp_name(protocol, kind));
    types.chain(more(protocol).iter().map(|entry| entry.0))
}

/// The values of [`crate::packet::Field::Service`] that a name stands for.
pub(super) fn by_name(protocol: u8, name: &str) -> Option<RangeSet> {
    if let Some(kind) = icmp_type(protocol, name) {
        return Some(values(kind, None));
    }
    let entry = more(protocol).iter().find(|entry| entry.0 == name)?;
    Some(values(entry.1, entry.2))
}

/// The values of a type, and of a code if there is one: type times 256 plus code.
pub(super) fn values(kind: u8, code: Option<u8>) -> RangeSet {
    let base = u128::from(kind) * 256;
    match code {
        Some(code) => RangeSet::point(base + u128::from(code)),
        None => RangeSet::range(base, base + 255),
    }
}

/// A range of values as types: a name, `3/4`, or the first and last type.
pub(super) fn text_of(protocol: u8, low: u128, high: u128) -> String {
    let (first, last) = (low / 256, high / 256);
    let code = match (low % 256, high % 256) {
        (0, 255) if first == last => None,
        (code, end) if first == last && code == end => Some(code),
        _ => return format!("{first}-{last}"),
    };
    let is_it =
        |entry: &&(&str, u8, Option<u8>)| u128::from(entry.1) == first && entry.2.map(u128::from) == code;
    let usual = u8::try_from(first)
        .ok()
        .filter(|_| code.is_none())
        .and_then(|kind| icmp_name(protocol, kind));
    match (
        usual.or_else(|| more(protocol).iter().find(is_it).map(|entry| entry.0)),
        code,
    ) {
        (Some(name), _) => name.to_owned(),
        (None, None) => first.to_string(),
        (None, Some(code)) => format!("{first}/{code}"),
    }
}
