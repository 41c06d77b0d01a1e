//! Selectors: headers with their fields, and what `meta` and `ct` know.
//!
//! nft(8), "PRIMARY EXPRESSIONS" and "PAYLOAD EXPRESSIONS". INVARIANT: a selector that is modelled stands in [`modelled`] alone.

use super::{Key, Other, Side, Type};
use crate::packet::Family;
use crate::packet::protocol::number::{DCCP, ICMP, ICMPV6, SCTP, TCP, UDP, UDPLITE};

/// A header: its name, the family and the protocol it is of, and its fields.
pub(super) struct Header {
    pub(super) name: &'static str,
    pub(super) family: Option<Family>,
    pub(super) protocol: Option<u8>,
    pub(super) fields: &'static [(&'static str, Type)],
}

const fn header(
    name: &'static str,
    family: Option<Family>,
    protocol: Option<u8>,
    fields: &'static [(&'static str, Type)],
) -> Header {
    Header {
        name,
        family,
        protocol,
        fields,
    }
}

const V4: Option<Family> = Some(Family::V4);
const V6: Option<Family> = Some(Family::V6);
const BYTE: Type = Type::Integer(8);
const SHORT: Type = Type::Integer(16);
const LONG: Type = Type::Integer(32);
const PORTS: [(&str, Type); 2] = [("dport", Type::Port), ("sport", Type::Port)];

/// Headers, sorted by name.
pub(super) const HEADERS: &[Header] = &[
    header(
        "ah",
        None,
        Some(51),
        &[
            ("hdrlength", BYTE),
            ("nexthdr", Type::Protocol),
            ("reserved", SHORT),
            ("sequence", LONG),
            ("spi", LONG),
        ],
    ),
    header(
        "arp",
        None,
        None,
        &[
            ("daddr", Type::Opaque),
            ("hlen", BYTE),
            ("htype", SHORT),
            ("operation", Type::Opaque),
            ("plen", BYTE),
            ("ptype", Type::Ethernet),
            ("saddr", Type::Opaque),
        ],
    ),
    header(
        "comp",
        None,
        Some(108),
        &[("cpi", SHORT), ("flags", BYTE), ("nexthdr", Type::Protocol)],
    ),
    header(
        "dccp",
        None,
        Some(DCCP),
        &[PORTS[0], PORTS[1], ("type", Type::Opaque)],
    ),
    header(
        "dst",
        V6,
        None,
        &[("hdrlength", BYTE), ("nexthdr", Type::Protocol)],
    ),
    header("esp", None, Some(50), &[("sequence", LONG), ("spi", LONG)]),
    header(
        "ether",
        None,
        None,
        &[
            ("daddr", Type::Opaque),
            ("saddr", Type::Opaque),
            ("type", Type::Ethernet),
        ],
    ),
    header(
        "frag",
        V6,
        None,
        &[
            ("frag-off", Type::Integer(13)),
            ("id", LONG),
            ("more-fragments", Type::Integer(1)),
            ("nexthdr", Type::Protocol),
            ("reserved", BYTE),
            ("reserved2", Type::Integer(2)),
        ],
    ),
    header(
        "hbh",
        V6,
        None,
        &[("hdrlength", BYTE), ("nexthdr", Type::Protocol)],
    ),
    header(
        "icmp",
        V4,
        Some(ICMP),
        &[
            ("checksum", SHORT),
            ("code", Type::IcmpCode(Family::V4)),
            ("gateway", Type::Opaque),
            ("id", SHORT),
            ("mtu", SHORT),
            ("sequence", SHORT),
            ("type", Type::IcmpKind(Family::V4)),
        ],
    ),
    header(
        "icmpv6",
        V6,
        Some(ICMPV6),
        &[
            ("checksum", SHORT),
            ("code", Type::IcmpCode(Family::V6)),
            ("daddr", Type::Opaque),
            ("id", SHORT),
            ("max-delay", SHORT),
            ("mtu", LONG),
            ("packet-too-big", LONG),
            ("parameter-problem", LONG),
            ("sequence", SHORT),
            ("taddr", Type::Opaque),
            ("type", Type::IcmpKind(Family::V6)),
        ],
    ),
    header(
        "igmp",
        V4,
        Some(2),
        &[
            ("checksum", SHORT),
            ("group", Type::Opaque),
            ("mrt", BYTE),
            ("type", Type::Opaque),
        ],
    ),
    header(
        "ip",
        V4,
        None,
        &[
            ("checksum", SHORT),
            ("daddr", Type::Address(Family::V4)),
            ("dscp", Type::Dscp),
            ("ecn", Type::Opaque),
            ("frag-off", SHORT),
            ("hdrlength", Type::Integer(4)),
            ("id", SHORT),
            ("length", SHORT),
            ("protocol", Type::Protocol),
            ("saddr", Type::Address(Family::V4)),
            ("ttl", BYTE),
            ("version", Type::Integer(4)),
        ],
    ),
    header(
        "ip6",
        V6,
        None,
        &[
            ("daddr", Type::Address(Family::V6)),
            ("dscp", Type::Dscp),
            ("ecn", Type::Opaque),
            ("flowlabel", Type::Integer(20)),
            ("hoplimit", BYTE),
            ("length", SHORT),
            ("nexthdr", Type::Protocol),
            ("saddr", Type::Address(Family::V6)),
            ("version", Type::Integer(4)),
        ],
    ),
    header(
        "mh",
        V6,
        Some(135),
        &[
            ("checksum", SHORT),
            ("hdrlength", BYTE),
            ("nexthdr", Type::Protocol),
            ("reserved", BYTE),
            ("type", Type::Opaque),
        ],
    ),
    header(
        "rt",
        V6,
        None,
        &[
            ("hdrlength", BYTE),
            ("nexthdr", Type::Protocol),
            ("seg-left", BYTE),
            ("type", BYTE),
        ],
    ),
    header("rt0", V6, None, &[("addr", Type::Opaque)]),
    header("rt2", V6, None, &[("addr", Type::Opaque)]),
    header(
        "sctp",
        None,
        Some(SCTP),
        &[("checksum", LONG), PORTS[0], PORTS[1], ("vtag", LONG)],
    ),
    header(
        "srh",
        V6,
        None,
        &[
            ("flags", BYTE),
            ("last-entry", BYTE),
            ("sid", Type::Opaque),
            ("tag", SHORT),
        ],
    ),
    header(
        "tcp",
        None,
        Some(TCP),
        &[
            ("ackseq", LONG),
            ("checksum", SHORT),
            ("doff", Type::Integer(4)),
            PORTS[0],
            ("flags", Type::TcpFlags),
            ("reserved", Type::Integer(4)),
            ("sequence", LONG),
            PORTS[1],
            ("urgptr", SHORT),
            ("window", SHORT),
        ],
    ),
    header("th", None, None, &PORTS),
    header(
        "udp",
        None,
        Some(UDP),
        &[("checksum", SHORT), PORTS[0], ("length", SHORT), PORTS[1]],
    ),
    header(
        "udplite",
        None,
        Some(UDPLITE),
        &[("checksum", SHORT), ("csumcov", SHORT), PORTS[0], PORTS[1]],
    ),
    header(
        "vlan",
        None,
        None,
        &[
            ("cfi", Type::Integer(1)),
            ("dei", Type::Integer(1)),
            ("id", Type::Integer(12)),
            ("pcp", Type::Integer(3)),
            ("type", Type::Ethernet),
        ],
    ),
];

/// Whether a header has this name.
pub(in crate::dialect::nftables) fn is_header(name: &str) -> bool {
    header_of(name).is_some()
}

fn header_of(name: &str) -> Option<&'static Header> {
    let at = HEADERS.binary_search_by(|header| header.name.cmp(name)).ok()?;
    HEADERS.get(at)
}

/// A field of a header.
pub(in crate::dialect::nftables) fn field(header: &str, name: &str) -> Option<Key> {
    if let Some(key) = modelled(header, name) {
        return Some(key);
    }
    let of = header_of(header)?;
    let kind = of.fields.iter().find(|field| field.0 == name)?.1;
    Some(Key::Other(Box::new(Other {
        name: format!("{header} {name}"),
        kind,
        family: of.family,
        protocol: of.protocol,
        keeps: true,
        is_of_destination: name == "checksum" || name == "daddr",
    })))
}

/// The fields of headers that are modelled.
pub(super) fn modelled(header: &str, field: &str) -> Option<Key> {
    let side = match field {
        "saddr" | "sport" => Side::Source,
        _ => Side::Destination,
    };
    Some(match (header, field) {
        ("ip", "saddr" | "daddr") => Key::Address(Family::V4, side),
        ("ip6", "saddr" | "daddr") => Key::Address(Family::V6, side),
        ("ip", "protocol") => Key::Protocol(Family::V4),
        ("ip6", "nexthdr") => Key::Protocol(Family::V6),
        ("tcp", "sport" | "dport") => Key::Port(TCP, side),
        ("udp", "sport" | "dport") => Key::Port(UDP, side),
        ("udplite", "sport" | "dport") => Key::Port(UDPLITE, side),
        ("sctp", "sport" | "dport") => Key::Port(SCTP, side),
        ("dccp", "sport" | "dport") => Key::Port(DCCP, side),
        ("th", "sport" | "dport") => Key::TransportPort(side),
        ("tcp", "flags") => Key::TcpFlags,
        ("icmp", "type") => Key::IcmpType(Family::V4),
        ("icmpv6", "type") => Key::IcmpType(Family::V6),
        ("icmp", "code") => Key::IcmpCode(Family::V4),
        ("icmpv6", "code") => Key::IcmpCode(Family::V6),
        ("meta", "iif" | "iifname") => Key::Interface(Side::Source),
        ("meta", "oif" | "oifname") => Key::Interface(Side::Destination),
        ("meta", "l4proto") => Key::L4Protocol,
        ("meta", "nfproto") => Key::NfProto,
        ("meta", "protocol") => Key::EtherType,
        ("meta", "mark") => Key::Mark,
        ("ct", "state") => Key::CtState,
        ("ct", "status") => Key::CtStatus,
        ("ct", "direction") => Key::CtDirection,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::state::{CT, CT_DIRECTED, META, META_BARE, lookup};
    use super::*;

    #[test]
    fn the_tables_are_sorted_so_that_they_can_be_searched() {
        assert!(HEADERS.is_sorted_by(|a, b| a.name < b.name));
        for table in [META, CT, CT_DIRECTED] {
            assert!(table.is_sorted_by(|a, b| a.0 < b.0));
        }
        assert!(META_BARE.is_sorted());
        assert!(META_BARE.iter().all(|name| lookup(META, name).is_some()));
    }
}
