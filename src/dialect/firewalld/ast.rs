//! What the files of a firewalld folder say, each kind in the terms of its manual page.
//!
//! INVARIANT: every part knows the bytes that say it; what firewalld knows of itself lies in no file and has no span.

use std::collections::BTreeMap;

use crate::packet::{Family, Network, RangeSet};
use crate::source::{Span, Spanned};

/// Ports of one protocol: firewalld.zone(5), "port".
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ports {
    pub(super) protocol: u8,
    pub(super) ports: RangeSet,
}

/// A named set of ports and protocols: firewalld.service(5).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Service {
    pub(super) ports: Vec<Ports>,
    pub(super) source_ports: Vec<Ports>,
    pub(super) protocols: Vec<u8>,
    /// Where packets must go besides, of at most one network a family.
    pub(super) destinations: Vec<Network>,
    pub(super) includes: Vec<(String, Option<Span>)>,
    /// What could not be read of it.
    pub(super) unread: Option<Span>,
}

/// Where packets come from or go to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Peer {
    Network(Network),
    Mac(String),
    /// The members of an ipset.
    Set(String),
}

/// The source or destination of a rich rule.
#[derive(Debug, Clone)]
pub(super) struct End {
    pub(super) peer: Peer,
    pub(super) is_inverted: bool,
    /// The address, or the name of the set.
    pub(super) span: Span,
}

/// What a zone, a policy or a rich rule speaks of: firewalld.richlanguage(5), "Element".
#[derive(Debug, Clone)]
pub(super) enum Kind {
    Service(String),
    Ports(Ports),
    SourcePorts(Ports),
    Protocol(u8),
    IcmpBlock(String),
    IcmpType(String),
    Masquerade,
    ForwardPort {
        from: Ports,
        to_ports: Option<RangeSet>,
        to: Option<(Family, u128)>,
    },
    TcpMssClamp,
}

/// An element with its place.
#[derive(Debug, Clone)]
pub(super) struct Element {
    pub(super) kind: Kind,
    /// All of it.
    pub(super) span: Span,
    /// The smallest part that says what it is about: a port, a name.
    pub(super) value: Span,
}

/// What a rich rule does: firewalld.richlanguage(5), "Action".
#[derive(Debug, Clone)]
pub(super) struct Action {
    pub(super) verb: Verb,
    pub(super) span: Span,
    /// Only so many packets in a time.
    pub(super) limit: Option<Span>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Accept,
    Reject,
    Drop,
    /// Packet mark becomes `(mark & !clear) ^ flip`.
    Mark {
        clear: u32,
        flip: u32,
    },
}

/// A rule in firewalld's rich language.
#[derive(Debug, Clone)]
pub(super) struct RichRule {
    pub(super) span: Span,
    pub(super) family: Option<Family>,
    pub(super) priority: i32,
    pub(super) source: Option<End>,
    pub(super) destination: Option<End>,
    pub(super) element: Option<Element>,
    pub(super) action: Option<Action>,
}

/// What zones and policies have in common.
#[derive(Debug, Clone, Default)]
pub(super) struct Body {
    pub(super) elements: Vec<Element>,
    pub(super) rules: Vec<RichRule>,
    /// Parts that could not be read: they may say anything.
    pub(super) unread: Vec<Span>,
    /// Whether the host's own configuration says it, not what firewalld came with.
    pub(super) is_own: bool,
}

/// What happens to packets that nothing in a zone or policy decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    /// Rejects all but ICMP; of zones alone.
    Default,
    /// Leaves them to what follows; of policies alone.
    Continue,
    Accept,
    Reject,
    Drop,
}

/// firewalld.zone(5)
#[derive(Debug, Clone)]
pub(super) struct Zone {
    pub(super) target: Target,
    /// The target, or the beginning of the zone.
    pub(super) target_span: Span,
    pub(super) ingress_priority: i32,
    pub(super) egress_priority: i32,
    pub(super) interfaces: Vec<Spanned<String>>,
    pub(super) sources: Vec<Spanned<Peer>>,
    /// `<forward/>`
    pub(super) forward: Option<Span>,
    pub(super) icmp_block_inversion: Option<Span>,
    pub(super) body: Body,
}

/// One end of a policy: firewalld.policies(5), "Symbolic Zones".
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ends {
    Host,
    Any,
    Zones(Vec<Spanned<String>>),
}

/// firewalld.policy(5)
#[derive(Debug, Clone)]
pub(super) struct Policy {
    pub(super) target: Target,
    pub(super) target_span: Span,
    pub(super) priority: i32,
    pub(super) ingress: Ends,
    pub(super) egress: Ends,
    pub(super) is_disabled: bool,
    pub(super) body: Body,
}

/// firewalld.ipset(5)
#[derive(Debug, Clone, Default)]
pub(super) struct IpSet {
    /// `hash:net`
    pub(super) kind: String,
    pub(super) family: Option<Family>,
    pub(super) entries: Vec<Spanned<String>>,
    /// Why not all members are known.
    pub(super) doubt: Option<&'static str>,
}

/// A line of direct.xml: firewalld.direct(5).
#[derive(Debug, Clone)]
pub(super) struct Direct {
    pub(super) family: Family,
    pub(super) kind: DirectKind,
    /// All of the element.
    pub(super) span: Span,
}

#[derive(Debug, Clone)]
pub(super) enum DirectKind {
    Chain {
        table: String,
        chain: String,
    },
    Rule {
        table: String,
        chain: String,
        priority: i32,
        arguments: Span,
    },
    Passthrough {
        arguments: Span,
    },
}

/// firewalld.conf(5), as far as it decides anything.
#[derive(Debug, Clone)]
pub(super) struct Conf {
    pub(super) default_zone: Option<Spanned<String>>,
    pub(super) is_iptables: bool,
    pub(super) has_rfc3964: bool,
    /// `StrictForwardPorts`, where it is on.
    pub(super) strict_forward_ports: Option<Span>,
    /// `AllowZoneDrifting`, where it is on.
    pub(super) drifting: Option<Span>,
}

/// All that a folder says, with what firewalld knows of itself where no file overrides it.
#[derive(Debug)]
pub(super) struct Folder {
    pub(super) conf: Conf,
    pub(super) zones: BTreeMap<String, Zone>,
    pub(super) policies: BTreeMap<String, Policy>,
    pub(super) services: BTreeMap<String, Service>,
    pub(super) sets: BTreeMap<String, IpSet>,
    /// ICMP types of one family alone, that the files declare.
    pub(super) icmp_types: BTreeMap<String, Option<Family>>,
    pub(super) directs: Vec<Direct>,
    /// Whether the policies that firewalld was installed with are among the files.
    pub(super) has_vendor_policies: bool,
    /// The beginning of the first file: where nothing better can be pointed at.
    pub(super) start: Span,
    /// Files of which nothing is known.
    pub(super) unread: Vec<Span>,
}
