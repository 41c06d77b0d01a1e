//! Names of ICMP and ICMPv6 types, for people.

use super::protocol::number;

/// Types of ICMP (RFC 792, 1256 and IANA's registry).
const V4: &[(u8, &str)] = &[
    (0, "echo-reply"),
    (3, "destination-unreachable"),
    (4, "source-quench"),
    (5, "redirect"),
    (8, "echo-request"),
    (9, "router-advertisement"),
    (10, "router-solicitation"),
    (11, "time-exceeded"),
    (12, "parameter-problem"),
    (13, "timestamp-request"),
    (14, "timestamp-reply"),
    (17, "address-mask-request"),
    (18, "address-mask-reply"),
];

/// Types of ICMPv6 (RFC 4443, 4861, 2710, 3810).
const V6: &[(u8, &str)] = &[
    (1, "destination-unreachable"),
    (2, "packet-too-big"),
    (3, "time-exceeded"),
    (4, "parameter-problem"),
    (128, "echo-request"),
    (129, "echo-reply"),
    (130, "mld-listener-query"),
    (131, "mld-listener-report"),
    (132, "mld-listener-done"),
    (133, "router-solicitation"),
    (134, "router-advertisement"),
    (135, "neighbour-solicitation"),
    (136, "neighbour-advertisement"),
    (137, "redirect"),
    (143, "mld2-listener-report"),
    (148, "certificate-path-solicitation"),
    (149, "certificate-path-advertisement"),
    (151, "multicast-router-advertisement"),
    (152, "multicast-router-solicitation"),
    (153, "multicast-router-termination"),
];

/// The name of an ICMP or ICMPv6 type.
#[must_use]
pub fn icmp_name(protocol: u8, kind: u8) -> Option<&'static str> {
    let names = match protocol {
        number::ICMP => V4,
        number::ICMPV6 => V6,
        _ => return None,
    };
    names.iter().find(|entry| entry.0 == kind).map(|entry| entry.1)
}

/// The ICMP or ICMPv6 type of a name that [`icmp_name`] gives.
#[must_use]
pub fn icmp_type(protocol: u8, name: &str) -> Option<u8> {
    (0..=u8::MAX).find(|&kind| icmp_name(protocol, kind) == Some(name))
}
