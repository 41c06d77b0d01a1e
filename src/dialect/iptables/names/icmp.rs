//! Names of ICMP types for IPv4 and for IPv6, and their codes, as `iptables -p icmp -h` and `ip6tables -p icmpv6 -h` list them.

/// A name's type, and the codes it stands for.
type Named = (&'static str, u8, (u8, u8));

const ANY_CODE: (u8, u8) = (0, 255);

const ICMP: &[Named] = &[
    ("echo-reply", 0, ANY_CODE),
    ("pong", 0, ANY_CODE),
    ("destination-unreachable", 3, ANY_CODE),
    ("network-unreachable", 3, (0, 0)),
    ("host-unreachable", 3, (1, 1)),
    ("protocol-unreachable", 3, (2, 2)),
    ("port-unreachable", 3, (3, 3)),
    ("fragmentation-needed", 3, (4, 4)),
    ("source-route-failed", 3, (5, 5)),
    ("network-unknown", 3, (6, 6)),
    ("host-unknown", 3, (7, 7)),
    ("network-prohibited", 3, (9, 9)),
    ("host-prohibited", 3, (10, 10)),
    ("TOS-network-unreachable", 3, (11, 11)),
    ("TOS-host-unreachable", 3, (12, 12)),
    ("communication-prohibited", 3, (13, 13)),
    ("host-precedence-violation", 3, (14, 14)),
    ("precedence-cutoff", 3, (15, 15)),
    ("source-quench", 4, ANY_CODE),
    ("redirect", 5, ANY_CODE),
    ("network-redirect", 5, (0, 0)),
    ("host-redirect", 5, (1, 1)),
    ("TOS-network-redirect", 5, (2, 2)),
    ("TOS-host-redirect", 5, (3, 3)),
    ("echo-request", 8, ANY_CODE),
    ("ping", 8, ANY_CODE),
    ("router-advertisement", 9, ANY_CODE),
    ("router-solicitation", 10, ANY_CODE),
    ("time-exceeded", 11, ANY_CODE),
    ("ttl-exceeded", 11, ANY_CODE),
    ("ttl-zero-during-transit", 11, (0, 0)),
    ("ttl-zero-during-reassembly", 11, (1, 1)),
    ("parameter-problem", 12, ANY_CODE),
    ("ip-header-bad", 12, (0, 0)),
    ("required-option-missing", 12, (1, 1)),
    ("timestamp-request", 13, ANY_CODE),
    ("timestamp-reply", 14, ANY_CODE),
    ("address-mask-request", 17, ANY_CODE),
    ("address-mask-reply", 18, ANY_CODE),
];

const ICMPV6: &[Named] = &[
    ("destination-unreachable", 1, ANY_CODE),
    ("no-route", 1, (0, 0)),
    ("communication-prohibited", 1, (1, 1)),
    ("beyond-scope", 1, (2, 2)),
    ("address-unreachable", 1, (3, 3)),
    ("port-unreachable", 1, (4, 4)),
    ("failed-policy", 1, (5, 5)),
    ("reject-route", 1, (6, 6)),
    ("packet-too-big", 2, ANY_CODE),
    ("time-exceeded", 3, ANY_CODE),
    ("ttl-exceeded", 3, ANY_CODE),
    ("ttl-zero-during-transit", 3, (0, 0)),
    ("ttl-zero-during-reassembly", 3, (1, 1)),
    ("parameter-problem", 4, ANY_CODE),
    ("bad-header", 4, (0, 0)),
    ("unknown-header-type", 4, (1, 1)),
    ("unknown-option", 4, (2, 2)),
    ("echo-request", 128, ANY_CODE),
    ("ping", 128, ANY_CODE),
    ("echo-reply", 129, ANY_CODE),
    ("pong", 129, ANY_CODE),
    ("mld-listener-query", 130, ANY_CODE),
    ("mld-listener-report", 131, ANY_CODE),
    ("mld-listener-done", 132, ANY_CODE),
    ("mld-listener-reduction", 132, ANY_CODE),
    ("router-solicitation", 133, ANY_CODE),
    ("router-advertisement", 134, ANY_CODE),
    ("neighbour-solicitation", 135, ANY_CODE),
    ("neighbor-solicitation", 135, ANY_CODE),
    ("neighbour-advertisement", 136, ANY_CODE),
    ("neighbor-advertisement", 136, ANY_CODE),
    ("redirect", 137, ANY_CODE),
];

/// Type and codes of an ICMP name: the name itself or an unambiguous beginning of it, in any case.
pub(in crate::dialect) fn icmp_type(name: &str) -> Option<(u8, (u8, u8))> {
    by_name(ICMP, name)
}

/// Type and codes of an ICMP name for IPv6.
pub(in crate::dialect) fn icmpv6_type(name: &str) -> Option<(u8, (u8, u8))> {
    by_name(ICMPV6, name)
}

fn by_name(table: &[Named], name: &str) -> Option<(u8, (u8, u8))> {
    let exact = table.iter().find(|entry| entry.0.eq_ignore_ascii_case(name));
    let mut beginning = table.iter().filter(|entry| {
        let start = entry.0.get(..name.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(name))
    });
    let found = exact.or_else(|| beginning.next().filter(|_| beginning.next().is_none()));
    found.map(|entry| (entry.1, entry.2))
}
