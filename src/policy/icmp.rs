//! Names of ICMP types and codes, as iptables(8) and IANA's registries have them, kebab case, for both
//! families.

use crate::packet::RangeSet;
use crate::packet::protocol::number;

/// Name, type and, where the name is a code's, code, for `icmp`.
const ICMP: &[(&str, u8, Option<u8>)] = &[
    ("echo-reply", 0, None),
    ("destination-unreachable", 3, None),
    ("network-unreachable", 3, Some(0)),
    ("host-unreachable", 3, Some(1)),
    ("protocol-unreachable", 3, Some(2)),
    ("port-unreachable", 3, Some(3)),
    ("fragmentation-needed", 3, Some(4)),
    ("source-quench", 4, None),
    ("redirect", 5, None),
    ("echo-request", 8, None),
    ("router-advertisement", 9, None),
    ("router-solicitation", 10, None),
    ("time-exceeded", 11, None),
    ("parameter-problem", 12, None),
    ("timestamp-request", 13, None),
    ("timestamp-reply", 14, None),
    ("address-mask-request", 17, None),
    ("address-mask-reply", 18, None),
];

/// The same for `icmpv6`.
const ICMPV6: &[(&str, u8, Option<u8>)] = &[
    ("destination-unreachable", 1, None),
    ("packet-too-big", 2, None),
    ("time-exceeded", 3, None),
    ("parameter-problem", 4, None),
    ("echo-request", 128, None),
    ("echo-reply", 129, None),
    ("multicast-listener-query", 130, None),
    ("multicast-listener-report", 131, None),
    ("multicast-listener-done", 132, None),
    ("router-solicitation", 133, None),
    ("router-advertisement", 134, None),
    ("neighbour-solicitation", 135, None),
    ("neighbor-solicitation", 135, None),
    ("neighbour-advertisement", 136, None),
    ("neighbor-advertisement", 136, None),
    ("redirect", 137, None),
    ("inverse-neighbor-solicitation", 141, None),
    ("inverse-neighbor-advertisement", 142, None),
    ("multicast-listener-report-v2", 143, None),
    ("certification-path-solicitation", 148, None),
    ("certification-path-advertisement", 149, None),
    ("multicast-router-advertisement", 151, None),
    ("multicast-router-solicitation", 152, None),
    ("multicast-router-termination", 153, None),
];

fn table(protocol: u8) -> &'static [(&'static str, u8, Option<u8>)] {
    if protocol == number::ICMP { ICMP } else { ICMPV6 }
}

/// The names that a protocol's types have.
pub(super) fn names(protocol: u8) -> impl Iterator<Item = &'static str> {
    table(protocol).iter().map(|entry| entry.0)
}

/// The values of [`crate::packet::Field::Service`] that a name stands for.
pub(super) fn by_name(protocol: u8, name: &str) -> Option<RangeSet> {
    let entry = table(protocol).iter().find(|entry| entry.0 == name)?;
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
    match (table(protocol).iter().find(is_it), code) {
        (Some(entry), _) => entry.0.to_owned(),
        (None, None) => first.to_string(),
        (None, Some(code)) => format!("{first}/{code}"),
    }
}
