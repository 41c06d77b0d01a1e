//! Names of IP protocols and of well-known services, as `/etc/protocols` and IANA's registry have them.

/// Protocol numbers that the code names.
pub mod number {
    /// Internet Control Message Protocol.
    pub const ICMP: u8 = 1;
    /// Transmission Control Protocol.
    pub const TCP: u8 = 6;
    /// User Datagram Protocol.
    pub const UDP: u8 = 17;
    /// Datagram Congestion Control Protocol.
    pub const DCCP: u8 = 33;
    /// ICMP for IPv6.
    pub const ICMPV6: u8 = 58;
    /// Stream Control Transmission Protocol.
    pub const SCTP: u8 = 132;
    /// Lightweight UDP.
    pub const UDPLITE: u8 = 136;
}

/// Whether packets of the protocol carry ports.
#[must_use]
pub fn has_ports(protocol: u8) -> bool {
    use number::{DCCP, SCTP, TCP, UDP, UDPLITE};
    matches!(protocol, TCP | UDP | SCTP | DCCP | UDPLITE)
}

/// Number and names of a protocol; the first name is the one printed.
const PROTOCOLS: &[(u8, &[&str])] = &[
    (0, &["ip-hopopt", "hopopt"]),
    (1, &["icmp"]),
    (2, &["igmp"]),
    (3, &["ggp"]),
    (4, &["ipip", "ipencap", "ip-encap"]),
    (5, &["st"]),
    (6, &["tcp"]),
    (8, &["egp"]),
    (9, &["igp"]),
    (12, &["pup"]),
    (17, &["udp"]),
    (20, &["hmp"]),
    (22, &["xns-idp"]),
    (27, &["rdp"]),
    (29, &["iso-tp4"]),
    (33, &["dccp"]),
    (36, &["xtp"]),
    (37, &["ddp"]),
    (38, &["idpr-cmtp"]),
    (41, &["ipv6"]),
    (43, &["ipv6-route"]),
    (44, &["ipv6-frag"]),
    (45, &["idrp"]),
    (46, &["rsvp"]),
    (47, &["gre"]),
    (50, &["esp", "ipv6-crypt"]),
    (51, &["ah", "ipv6-auth"]),
    (57, &["skip"]),
    (58, &["icmpv6", "ipv6-icmp"]),
    (59, &["ipv6-nonxt"]),
    (60, &["ipv6-opts"]),
    (73, &["rspf"]),
    (81, &["vmtp"]),
    (88, &["eigrp"]),
    (89, &["ospf"]),
    (93, &["ax.25"]),
    (94, &["ip-ip-encap"]),
    (97, &["etherip"]),
    (98, &["encap"]),
    (103, &["pim"]),
    (108, &["ipcomp"]),
    (112, &["vrrp", "carp"]),
    (115, &["l2tp"]),
    (124, &["isis"]),
    (132, &["sctp"]),
    (133, &["fc"]),
    (135, &["mobility-header", "ipv6-mh", "mh"]),
    (136, &["udplite"]),
    (137, &["mpls-in-ip"]),
    (138, &["manet"]),
    (139, &["hip"]),
    (140, &["shim6"]),
    (141, &["wesp"]),
    (142, &["rohc"]),
    (143, &["ethernet"]),
];

/// The protocol of a name, in any case. Numbers are not names: parse them first.
#[must_use]
pub fn protocol_by_name(name: &str) -> Option<u8> {
    let known = |names: &&[&str]| names.iter().any(|known| known.eq_ignore_ascii_case(name));
    PROTOCOLS
        .iter()
        .find(|(_, names)| known(names))
        .map(|entry| entry.0)
}

/// The name a protocol is printed under; `None` where it has only a number.
#[must_use]
pub fn protocol_name(protocol: u8) -> Option<&'static str> {
    PROTOCOLS
        .iter()
        .find(|entry| entry.0 == protocol)
        .and_then(|entry| entry.1.first().copied())
}
