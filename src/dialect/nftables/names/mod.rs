//! What the reader knows by name: what can be asked of packets, and the names of values.
//!
//! One table says for each selector what type its values have, what it demands of the packet, and how far it is modelled;
//! parser, lowering and `portcullis dialects` all read it.

mod constant;
mod construct;
mod object;
mod selector;
mod state;

pub(super) use constant::{constant, default_priority, type_of_name};
pub(super) use construct::constructs;
pub(super) use object::{Named, OBJECTS};
pub(super) use selector::{field, is_header};
pub(super) use state::{CT, CT_DIRECTED, META, META_BARE, lookup};

use crate::model::Part;
use crate::packet::protocol::number::{DCCP, SCTP, TCP, UDP, UDPLITE};
use crate::packet::{Family, Field};

/// Protocols whose header begins with two ports.
pub(super) const WITH_PORTS: [u8; 5] = [TCP, UDP, DCCP, SCTP, UDPLITE];

/// Which end, or which interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Side {
    /// Source; for interfaces, incoming.
    Source,
    /// Destination; outgoing.
    Destination,
}

/// What is asked of a packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Key {
    /// `ip saddr`
    Address(Family, Side),
    /// `tcp dport`
    Port(u8, Side),
    /// `th dport`
    TransportPort(Side),
    /// `meta l4proto`
    L4Protocol,
    /// `ip protocol`, `ip6 nexthdr`
    Protocol(Family),
    /// `tcp flags`
    TcpFlags,
    /// `icmp type`
    IcmpType(Family),
    /// `icmp code`
    IcmpCode(Family),
    /// `iifname`, and `iif`, which is bound to the interface of that name when the ruleset is loaded.
    Interface(Side),
    /// `meta nfproto`
    NfProto,
    /// `meta protocol`
    EtherType,
    /// `meta mark`
    Mark,
    /// `ct state`
    CtState,
    /// `ct status`
    CtStatus,
    /// `ct direction`
    CtDirection,
    /// `fib daddr type`
    Class(Side),
    /// Not modelled.
    Other(Box<Other>),
}

/// A selector that is not modelled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Other {
    /// Its words, one blank between them.
    pub(super) name: String,
    pub(super) kind: Type,
    /// What it is only asked of.
    pub(super) family: Option<Family>,
    pub(super) protocol: Option<u8>,
    /// Whether a packet gives the same answer wherever it is asked.
    pub(super) keeps: bool,
    /// Whether destination translation may change the answer.
    pub(super) is_of_destination: bool,
}

impl Other {
    /// Whether it reads a packet within the packet.
    pub(super) fn is_of_tunnel(&self) -> bool {
        let header = self.name.split(' ').next();
        header.is_some_and(|header| matches!(header, "gre" | "gretap" | "vxlan" | "geneve"))
    }

    /// Whether it asks if there is some header.
    pub(super) fn asks_presence(&self) -> bool {
        self.name.starts_with("exthdr ")
    }

    /// Whether it reads an extension header of IPv6, which packets are taken not to have.
    pub(super) fn is_of_extension_header(&self) -> bool {
        let (header, field) = self.name.split_once(' ').unwrap_or((&self.name, ""));
        is_extension_header(header, field)
    }
}

/// Whether a field is of an extension header of IPv6: exthdr in nft(8), but for mobility, which is a protocol.
fn is_extension_header(header: &str, field: &str) -> bool {
    const HEADERS: &[&str] = &["dst", "frag", "hbh", "rt0", "rt2", "srh"];
    match header {
        "exthdr" => field == "rt" || HEADERS.contains(&field),
        "rt" => matches!(field, "hdrlength" | "nexthdr" | "seg-left" | "type"),
        _ => HEADERS.contains(&header),
    }
}

/// What values a selector has, and how they are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    Address(Family),
    Port,
    Protocol,
    TcpFlags,
    IcmpKind(Family),
    IcmpCode(Family),
    Interface,
    NfProto,
    Ethernet,
    Mark,
    CtState,
    CtStatus,
    CtDirection,
    Class,
    PacketClass,
    Dscp,
    /// A number of so many bits.
    Integer(u8),
    /// Written in many ways, and read in none.
    Opaque,
}

impl Type {
    /// Bits of a value; `None` where values are not read as numbers.
    pub(super) fn bits(self) -> Option<u32> {
        Some(match self {
            Self::Address(family) => family.bits(),
            Self::Port | Self::Ethernet => 16,
            Self::Protocol
            | Self::TcpFlags
            | Self::IcmpKind(_)
            | Self::IcmpCode(_)
            | Self::NfProto
            | Self::CtDirection
            | Self::PacketClass => 8,
            Self::Interface => 128,
            Self::Mark | Self::CtState | Self::CtStatus | Self::Class => 32,
            Self::Dscp => 6,
            Self::Integer(bits) => u32::from(bits),
            Self::Opaque => return None,
        })
    }

    /// The largest value.
    pub(super) fn max(self) -> u128 {
        match self.bits() {
            Some(bits @ 1..=127) => (1 << bits) - 1,
            _ => u128::MAX,
        }
    }

    /// Whether a bare value means "some of these bits" rather than "equal".
    pub(super) fn is_flags(self) -> bool {
        matches!(self, Self::TcpFlags | Self::CtState | Self::CtStatus)
    }
}

impl Key {
    /// What values it has.
    pub(super) fn kind(&self) -> Type {
        match self {
            Self::Address(family, _) => Type::Address(*family),
            Self::Port(..) | Self::TransportPort(_) => Type::Port,
            Self::L4Protocol | Self::Protocol(_) => Type::Protocol,
            Self::TcpFlags => Type::TcpFlags,
            Self::IcmpType(family) => Type::IcmpKind(*family),
            Self::IcmpCode(family) => Type::IcmpCode(*family),
            Self::Interface(_) => Type::Interface,
            Self::NfProto => Type::NfProto,
            Self::EtherType => Type::Ethernet,
            Self::Mark => Type::Mark,
            Self::CtState => Type::CtState,
            Self::CtStatus => Type::CtStatus,
            Self::CtDirection => Type::CtDirection,
            Self::Class(_) => Type::Class,
            Self::Other(other) => other.kind,
        }
    }

    /// What a part of an element is compared with, if it is one field of a packet as it is.
    pub(super) fn part(&self) -> Option<Part> {
        Some(Part::Field(match self {
            Self::Address(family, Side::Source) => family.source(),
            Self::Address(family, Side::Destination) => family.destination(),
            Self::Port(_, Side::Source) | Self::TransportPort(Side::Source) => Field::SourcePort,
            Self::Port(_, Side::Destination) | Self::TransportPort(Side::Destination) => Field::Service,
            Self::L4Protocol | Self::Protocol(_) => Field::Protocol,
            Self::Interface(Side::Source) => Field::InInterface,
            Self::Interface(Side::Destination) => Field::OutInterface,
            _ => return None,
        }))
    }

    /// The family that a packet must be of.
    pub(super) fn family(&self) -> Option<Family> {
        match self {
            Self::Address(family, _)
            | Self::Protocol(family)
            | Self::IcmpType(family)
            | Self::IcmpCode(family) => Some(*family),
            Self::Other(other) => other.family,
            _ => None,
        }
    }

    /// The protocol that a packet must be of.
    pub(super) fn protocol(&self) -> Option<u8> {
        use crate::packet::protocol::number::{ICMP, ICMPV6};
        match self {
            Self::Port(protocol, _) => Some(*protocol),
            Self::TcpFlags => Some(TCP),
            Self::IcmpType(Family::V4) | Self::IcmpCode(Family::V4) => Some(ICMP),
            Self::IcmpType(Family::V6) | Self::IcmpCode(Family::V6) => Some(ICMPV6),
            Self::Other(other) => other.protocol,
            _ => None,
        }
    }

    /// Whether it reads the header of the protocol above IP: later fragments have none.
    pub(super) fn reads_transport(&self) -> bool {
        matches!(self, Self::TransportPort(_)) || self.protocol().is_some()
    }
}
