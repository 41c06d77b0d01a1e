//! Names of values, as `nft describe` lists them.

use super::Type;
use crate::model::Hook;
use crate::packet::Family;
use crate::packet::protocol::protocol_by_name;

const ICMP_TYPES: &[(&str, u128)] = &[
    ("echo-reply", 0),
    ("destination-unreachable", 3),
    ("source-quench", 4),
    ("redirect", 5),
    ("echo-request", 8),
    ("router-advertisement", 9),
    ("router-solicitation", 10),
    ("time-exceeded", 11),
    ("parameter-problem", 12),
    ("timestamp-request", 13),
    ("timestamp-reply", 14),
    ("info-request", 15),
    ("info-reply", 16),
    ("address-mask-request", 17),
    ("address-mask-reply", 18),
];

const ICMPV6_TYPES: &[(&str, u128)] = &[
    ("destination-unreachable", 1),
    ("packet-too-big", 2),
    ("time-exceeded", 3),
    ("parameter-problem", 4),
    ("echo-request", 128),
    ("echo-reply", 129),
    ("mld-listener-query", 130),
    ("mld-listener-report", 131),
    ("mld-listener-done", 132),
    ("mld-listener-reduction", 132),
    ("nd-router-solicit", 133),
    ("nd-router-advert", 134),
    ("nd-neighbor-solicit", 135),
    ("nd-neighbor-advert", 136),
    ("nd-redirect", 137),
    ("router-renumbering", 138),
    ("ind-neighbor-solicit", 141),
    ("ind-neighbor-advert", 142),
    ("mld2-listener-report", 143),
];

const ICMP_CODES: &[(&str, u128)] = &[
    ("net-unreachable", 0),
    ("host-unreachable", 1),
    ("prot-unreachable", 2),
    ("port-unreachable", 3),
    ("frag-needed", 4),
    ("net-prohibited", 9),
    ("host-prohibited", 10),
    ("admin-prohibited", 13),
];

const ICMPV6_CODES: &[(&str, u128)] = &[
    ("no-route", 0),
    ("admin-prohibited", 1),
    ("addr-unreachable", 3),
    ("port-unreachable", 4),
    ("policy-fail", 5),
    ("reject-route", 6),
];

const TCP_FLAGS: &[(&str, u128)] = &[
    ("fin", 1),
    ("syn", 2),
    ("rst", 4),
    ("psh", 8),
    ("ack", 16),
    ("urg", 32),
    ("ecn", 64),
    ("cwr", 128),
];

const STATES: &[(&str, u128)] = &[
    ("invalid", 1),
    ("established", 2),
    ("related", 4),
    ("new", 8),
    ("untracked", 64),
];

const STATUSES: &[(&str, u128)] = &[
    ("expected", 1),
    ("seen-reply", 2),
    ("assured", 4),
    ("confirmed", 8),
    ("snat", 16),
    ("dnat", 32),
    ("dying", 512),
];

const CLASSES: &[(&str, u128)] = &[
    ("unspec", 0),
    ("unicast", 1),
    ("local", 2),
    ("broadcast", 3),
    ("anycast", 4),
    ("multicast", 5),
    ("blackhole", 6),
    ("unreachable", 7),
    ("prohibit", 8),
];

const ETHER_TYPES: &[(&str, u128)] = &[
    ("ip", 0x0800),
    ("arp", 0x0806),
    ("ip6", 0x86dd),
    ("8021q", 0x8100),
    ("8021ad", 0x88a8),
    ("vlan", 0x8100),
];

const PACKET_TYPES: &[(&str, u128)] = &[
    ("host", 0),
    ("unicast", 0),
    ("broadcast", 1),
    ("multicast", 2),
    ("other", 3),
];

const DSCPS: &[(&str, u128)] = &[
    ("cs0", 0),
    ("cs1", 8),
    ("cs2", 16),
    ("cs3", 24),
    ("cs4", 32),
    ("cs5", 40),
    ("cs6", 48),
    ("cs7", 56),
    ("df", 0),
    ("be", 0),
    ("lephb", 1),
    ("af11", 10),
    ("af12", 12),
    ("af13", 14),
    ("af21", 18),
    ("af22", 20),
    ("af23", 22),
    ("af31", 26),
    ("af32", 28),
    ("af33", 30),
    ("af41", 34),
    ("af42", 36),
    ("af43", 38),
    ("va", 44),
    ("ef", 46),
];

/// The value of a name of that type.
pub(in crate::dialect::nftables) fn constant(kind: Type, name: &str) -> Option<u128> {
    let table = match kind {
        Type::Protocol => {
            // What `/etc/protocols` and nft call otherwise.
            return match name {
                "ip" => Some(0),
                "ipip" => Some(94),
                "comp" => Some(108),
                _ => protocol_by_name(name).map(u128::from),
            };
        }
        Type::Port => return crate::dialect::iptables::port_by_name(name).map(u128::from),
        Type::IcmpKind(Family::V4) => ICMP_TYPES,
        Type::IcmpKind(Family::V6) => ICMPV6_TYPES,
        Type::IcmpCode(Family::V4) => ICMP_CODES,
        Type::IcmpCode(Family::V6) => ICMPV6_CODES,
        Type::TcpFlags => TCP_FLAGS,
        Type::CtState => STATES,
        Type::CtStatus => STATUSES,
        Type::CtDirection => &[("original", 0), ("reply", 1)],
        Type::Class => CLASSES,
        Type::Ethernet => ETHER_TYPES,
        Type::NfProto => &[("ipv4", 2), ("ipv6", 10)],
        Type::PacketClass => PACKET_TYPES,
        Type::Dscp => DSCPS,
        // The last two in JSON.
        Type::Integer(1) => &[("exists", 1), ("missing", 0), ("true", 1), ("false", 0)],
        Type::Address(_) | Type::Interface | Type::Mark | Type::Integer(_) | Type::Opaque => &[],
    };
    table.iter().find(|entry| entry.0 == name).map(|entry| entry.1)
}

/// The type of a set's keys by its name: nft(8), "DATA TYPES". `None` for a name that is none.
pub(in crate::dialect::nftables) fn type_of_name(name: &str) -> Option<Type> {
    Some(match name {
        "ipv4_addr" => Type::Address(Family::V4),
        "ipv6_addr" => Type::Address(Family::V6),
        "inet_service" => Type::Port,
        "inet_proto" => Type::Protocol,
        "mark" => Type::Mark,
        "ifname" | "iface_index" => Type::Interface,
        "icmp_type" => Type::IcmpKind(Family::V4),
        "icmpv6_type" => Type::IcmpKind(Family::V6),
        "icmp_code" => Type::IcmpCode(Family::V4),
        "icmpv6_code" => Type::IcmpCode(Family::V6),
        "ct_state" => Type::CtState,
        "ct_status" => Type::CtStatus,
        "ct_dir" => Type::CtDirection,
        "nf_proto" => Type::NfProto,
        "ether_type" => Type::Ethernet,
        "fib_addrtype" => Type::Class,
        "pkt_type" => Type::PacketClass,
        "tcp_flag" => Type::TcpFlags,
        "dscp" => Type::Dscp,
        "boolean" => Type::Integer(1),
        "ether_addr" | "ll_addr" | "arp_op" | "uid" | "gid" | "devgroup" | "realm" | "classid"
        | "cgroupsv2" | "iface_type" | "icmpx_code" | "dccp_pkttype" | "mh_type" | "ct_label"
        | "ct_event" | "time" | "hour" | "day" | "ecn" | "string" | "integer" | "verdict" | "nfproto"
        | "ifkind" | "bridge_vlan" | "ct_id" | "igmp_type" | "xfrm_dir" | "sctp_chunk_flags" | "osf"
        | "host_endian" | "limit" | "bitmask" | "dscp6" | "tunnel" => Type::Opaque,
        _ => return None,
    })
}

/// The priority of a name at a hook: nft(8), "Standard priority names". Names of the bridge family have other numbers.
pub(in crate::dialect::nftables) fn default_priority(name: &str, hook: Hook, is_bridge: bool) -> Option<i32> {
    Some(match (name, is_bridge) {
        ("raw", false) => -300,
        ("mangle", false) => -150,
        ("dstnat", false) if matches!(hook, Hook::Prerouting) => -100,
        ("filter", false) => 0,
        ("security", false) => 50,
        ("srcnat", false) if matches!(hook, Hook::Postrouting) => 100,
        ("dstnat", true) if matches!(hook, Hook::Prerouting) => -300,
        ("filter", true) => -200,
        ("out", true) if matches!(hook, Hook::Output) => 100,
        ("srcnat", true) if matches!(hook, Hook::Postrouting) => 300,
        _ => return None,
    })
}
