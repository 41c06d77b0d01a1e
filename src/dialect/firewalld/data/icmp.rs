//! The ICMP types that firewalld names: firewalld.icmptype(5), with types and codes of IANA's registries.

use crate::packet::Family;
use Family::{V4, V6};

/// Any code.
const ANY: (u8, u8) = (0, 255);

const fn code(code: u8) -> (u8, u8) {
    (code, code)
}

/// Name, family, type and codes. Of neighbour discovery and redirects of IPv6, see [`has_code_zero`].
const TYPES: &[(&str, Family, u8, (u8, u8))] = &[
    ("address-unreachable", V6, 1, code(3)),
    ("bad-header", V6, 4, code(0)),
    ("beyond-scope", V6, 1, code(2)),
    ("communication-prohibited", V4, 3, code(13)),
    ("communication-prohibited", V6, 1, code(1)),
    ("destination-unreachable", V4, 3, ANY),
    ("destination-unreachable", V6, 1, ANY),
    ("echo-reply", V4, 0, ANY),
    ("echo-reply", V6, 129, ANY),
    ("echo-request", V4, 8, ANY),
    ("echo-request", V6, 128, ANY),
    ("failed-policy", V6, 1, code(5)),
    ("fragmentation-needed", V4, 3, code(4)),
    ("host-precedence-violation", V4, 3, code(14)),
    ("host-prohibited", V4, 3, code(10)),
    ("host-redirect", V4, 5, code(1)),
    ("host-unknown", V4, 3, code(7)),
    ("host-unreachable", V4, 3, code(1)),
    ("ip-header-bad", V4, 12, code(1)),
    ("mld-listener-done", V6, 132, ANY),
    ("mld-listener-query", V6, 130, ANY),
    ("mld-listener-report", V6, 131, ANY),
    ("mld2-listener-report", V6, 143, ANY),
    ("neighbour-advertisement", V6, 136, code(0)),
    ("neighbour-solicitation", V6, 135, code(0)),
    ("network-prohibited", V4, 3, code(8)),
    ("network-redirect", V4, 5, code(0)),
    ("network-unknown", V4, 3, code(6)),
    ("network-unreachable", V4, 3, code(0)),
    ("no-route", V6, 1, code(0)),
    ("packet-too-big", V6, 2, ANY),
    ("parameter-problem", V4, 12, ANY),
    ("parameter-problem", V6, 4, ANY),
    ("port-unreachable", V4, 3, code(3)),
    ("port-unreachable", V6, 1, code(4)),
    ("precedence-cutoff", V4, 3, code(15)),
    ("protocol-unreachable", V4, 3, code(2)),
    ("redirect", V4, 5, ANY),
    ("redirect", V6, 137, code(0)),
    ("reject-route", V6, 1, code(6)),
    ("required-option-missing", V4, 12, code(1)),
    ("router-advertisement", V4, 9, ANY),
    ("router-advertisement", V6, 134, code(0)),
    ("router-solicitation", V4, 10, ANY),
    ("router-solicitation", V6, 133, code(0)),
    ("source-quench", V4, 4, ANY),
    ("source-route-failed", V4, 3, code(5)),
    ("time-exceeded", V4, 11, ANY),
    ("time-exceeded", V6, 3, ANY),
    ("timestamp-reply", V4, 14, ANY),
    ("timestamp-request", V4, 13, ANY),
    ("tos-host-redirect", V4, 5, code(3)),
    ("tos-host-unreachable", V4, 3, code(12)),
    ("tos-network-redirect", V4, 5, code(2)),
    ("tos-network-unreachable", V4, 3, code(11)),
    ("ttl-zero-during-reassembly", V4, 11, code(1)),
    ("ttl-zero-during-reassembly", V6, 3, code(1)),
    ("ttl-zero-during-transit", V4, 11, code(0)),
    ("ttl-zero-during-transit", V6, 3, code(0)),
    ("unknown-header-type", V6, 4, code(1)),
    ("unknown-option", V6, 4, code(2)),
];

/// Families, types and codes of a name.
pub(in crate::dialect::firewalld) fn types(name: &str) -> impl Iterator<Item = (Family, u8, (u8, u8))> + '_ {
    let of_name = TYPES.iter().filter(move |entry| entry.0 == name);
    of_name.map(|&(_, family, number, codes)| (family, number, codes))
}

/// Whether firewalld asks for code 0 of a type in its newest versions, and for any code in those before: the only code that
/// RFC 4861 has.
pub(in crate::dialect::firewalld) fn has_code_zero(family: Family, number: u8) -> bool {
    family == V6 && (133..=137).contains(&number)
}

/// Whether there is such a type.
pub(in crate::dialect::firewalld) fn is_icmp_type(name: &str) -> bool {
    types(name).next().is_some()
}
