//! `toPorts` and `icmps` of a rule ("Layer 4 Policies").
//!
//! INVARIANT: of an empty list of ports nothing gets through, of no list everything does; a part that could not be read is
//! [`Ports::Unread`].

use super::super::notes::Notes;
use super::super::policy::{Port, Ports};
use super::layer7;
use super::rule::Section;
use crate::packet::protocol::number;
use crate::tree::{Node, Typed};

/// "ports: [...] max 40" and "icmps: fields max 40" (API reference, `PortRule` and `ICMPRule`).
const MAX_PORTS: usize = 40;
/// Protocols that the agent knows besides those that have ports.
const VRRP: u8 = 112;
const IGMP: u8 = 2;

/// What a list of ports came to.
#[derive(Default)]
pub(super) struct Read {
    pub(super) ports: Vec<Port>,
    /// Whether layer 7 has a say.
    pub(super) has_layer7: bool,
    /// Whether Cilium would refuse it.
    pub(super) is_refused: bool,
}

impl Read {
    fn refuse(&mut self, node: Node<'_>, message: impl Into<String>, help: Option<&str>, notes: &mut Notes) {
        notes.unread(node.span(), message, help);
        self.is_refused = true;
    }

    /// Reads one item of `toPorts`.
    pub(super) fn port_rule(&mut self, node: Node<'_>, section: Section<'_>, notes: &mut Notes) {
        let allowed = [
            "ports",
            "rules",
            "terminatingTLS",
            "originatingTLS",
            "serverNames",
            "listener",
        ];
        let keys = if section.is_deny {
            &allowed[..1]
        } else {
            &allowed[..]
        };
        if !notes.knows(node, keys, "an item of `toPorts`") {
            self.ports.push(unread(node));
            return;
        }
        self.has_layer7 |= keys
            .iter()
            .skip(1)
            .any(|key| node.get(key).is_some_and(|value| !value.is_empty()));
        self.is_refused |= layer7::is_refused(node, section.direction, notes);
        match notes.items(node.get("ports"), "ports") {
            None => self.ports.push(unread(node)),
            Some(list) if list.len() > MAX_PORTS => {
                let message = format!("{} ports in one list, and Cilium takes {MAX_PORTS}", list.len());
                self.refuse(node, message, None, notes);
                self.ports.push(unread(node));
            }
            Some(list) => {
                for item in list {
                    self.port(item, notes);
                }
            }
        }
    }

    fn port(&mut self, node: Node<'_>, notes: &mut Notes) {
        let mut found = unread(node);
        if !notes.knows(node, &["port", "endPort", "protocol"], "a port") {
            self.ports.push(found);
            return;
        }
        let word = node.get("protocol").filter(|word| !word.is_null());
        let protocol = word.map_or(Ok(None), |word| protocol(word.text().unwrap_or("")));
        let Ok(protocol) = protocol else {
            let span = word.unwrap_or(node);
            let message = format!(
                "`{}` is no protocol of a port",
                span.text().unwrap_or(span.kind())
            );
            let help = "use TCP, UDP, SCTP or ANY, in upper case";
            self.refuse(span, message, Some(help), notes);
            self.ports.push(found);
            return;
        };
        found.protocol = protocol;
        let Some(port) = node.get("port").filter(|port| !port.is_null()) else {
            self.refuse(
                node,
                "this port has no `port`",
                Some("`port: \"0\"` is every port"),
                notes,
            );
            self.ports.push(found);
            return;
        };
        found.span = port.span();
        // "port must be empty or 0" (`PortProtocol.Validate`).
        if matches!(protocol, Some(VRRP | IGMP)) && port.text() != Some("0") {
            let message = "this protocol has no ports";
            self.refuse(port, message, Some("write `port: \"0\"`"), notes);
        }
        let is_icmp = matches!(protocol, Some(number::ICMP | number::ICMPV6));
        if is_icmp {
            // `L4Proto.Validate` took them once, and refuses them since.
            let message = "whether a port may be of ICMP depends on the version of Cilium";
            let help = "name types of ICMP in `icmps`";
            notes.unsupported(word.unwrap_or(node).span(), message, Some(help));
            self.is_refused = true;
        }
        match ports_of(port, node.get("endPort"), notes) {
            Some(ports) if is_icmp && ports != Ports::All => {}
            // "If omitted or empty, any protocol matches": those that have ports.
            Some(Ports::All) if protocol.is_none() => found.ports = Ports::Range(0, u16::MAX),
            Some(ports) => found.ports = ports,
            None => self.is_refused = true,
        }
        self.ports.push(found);
    }

    /// Reads one item of `icmps`: types, as numbers or by name, of IPv4 without a word.
    pub(super) fn icmp_rule(&mut self, node: Node<'_>, notes: &mut Notes) {
        if !notes.knows(node, &["fields"], "an item of `icmps`") {
            self.ports.push(unread(node));
            return;
        }
        for field in notes.items(node.get("fields"), "ICMP types").unwrap_or_default() {
            let mut found = unread(field);
            if notes.knows(field, &["type", "family"], "an ICMP type") {
                if let Some((protocol, kind)) = icmp(field) {
                    found.protocol = Some(protocol);
                    found.ports = Ports::Range(kind << 8, kind << 8 | 0xff);
                } else {
                    let help = "a type is a number up to 255, or a name of the API reference";
                    self.refuse(field, "not a type of ICMP that is known here", Some(help), notes);
                }
            }
            self.ports.push(found);
        }
    }
}

/// A number as text, or a name; `0` is every port. "`EndPort` can only be used with numeric ports."
fn ports_of(port: Node<'_>, end: Option<Node<'_>>, notes: &mut Notes) -> Option<Ports> {
    let Typed::Text(text) = port.typed() else {
        let text = port.text().unwrap_or(port.kind());
        let help = format!("quote it: `\"{text}\"`");
        notes.unread(
            port.span(),
            format!("`{text}` is no text, and a port is one to Cilium"),
            Some(&help),
        );
        return None;
    };
    let end = end.filter(|end| !end.is_null() && end.as_int() != Some(0));
    let is_number = !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit());
    if is_number && text.len() > 1 && text.starts_with('0') {
        // `strconv.ParseUint(port, 0, 16)`: what begins with a zero is octal.
        let message = format!("`{text}` begins with a zero, and is octal to Cilium");
        notes.unread(port.span(), message, Some("write the number without it"));
        return None;
    }
    if !is_number {
        let name = text.to_lowercase();
        let is_of_name = |one: u8| one.is_ascii_lowercase() || one.is_ascii_digit() || one == b'-';
        let is_name = name.bytes().all(is_of_name) && name.bytes().any(|one| one.is_ascii_lowercase());
        if !is_name || end.is_some() {
            let what = if is_name {
                "a range begins with a number"
            } else {
                "no port, and no name of one"
            };
            notes.unread(port.span(), format!("`{text}`: {what}"), None);
            return None;
        }
        return Some(Ports::NamedAnywhere(name));
    }
    let low: Option<u16> = text.parse().ok();
    let high = end.map_or(low, |end| end.as_int().and_then(|end| u16::try_from(end).ok()));
    match (low, high) {
        (Some(0), _) if end.is_none() => Some(Ports::All),
        (Some(low), Some(high)) if low <= high && low > 0 => Some(Ports::Range(low, high)),
        _ => {
            notes.unread(
                port.span(),
                "no port, or no range of ports",
                Some("ports are numbers up to 65535"),
            );
            None
        }
    }
}

fn icmp(field: Node<'_>) -> Option<(u8, u16)> {
    let family = field.get("family").and_then(|family| family.text());
    let (protocol, names) = match family {
        None | Some("" | "IPv4") => (number::ICMP, V4),
        Some("IPv6") => (number::ICMPV6, V6),
        Some(_) => return None,
    };
    let kind = field.get("type")?;
    let number = kind.number().and_then(|number| u16::try_from(number).ok());
    let by_name = || {
        let name = kind.text()?;
        names
            .iter()
            .find(|(_, known)| *known == name)
            .map(|(number, _)| *number)
    };
    let found = number.or_else(by_name).filter(|number| *number <= 255)?;
    Some((protocol, found))
}

/// A word that is no protocol.
struct UnknownProtocol;

/// The protocol of a word; `None` for any. Words are those that the API takes, in upper case: the agent would read others too
/// (`ParseL4Proto`), and never gets them.
fn protocol(word: &str) -> Result<Option<u8>, UnknownProtocol> {
    Ok(Some(match word {
        "" | "ANY" => return Ok(None),
        "TCP" => number::TCP,
        "UDP" => number::UDP,
        "SCTP" => number::SCTP,
        "ICMP" => number::ICMP,
        "ICMPv6" => number::ICMPV6,
        "VRRP" => VRRP,
        "IGMP" => IGMP,
        _ => return Err(UnknownProtocol),
    }))
}

pub(super) fn unread(node: Node<'_>) -> Port {
    Port {
        span: node.span(),
        protocol: None,
        ports: Ports::Unread,
    }
}

/// Names of types of ICMP (API reference, `ICMPField`).
const V4: &[(u16, &str)] = &[
    (0, "EchoReply"),
    (3, "DestinationUnreachable"),
    (5, "Redirect"),
    (8, "Echo"),
    (8, "EchoRequest"),
    (9, "RouterAdvertisement"),
    (10, "RouterSelection"),
    (11, "TimeExceeded"),
    (12, "ParameterProblem"),
    (13, "Timestamp"),
    (14, "TimestampReply"),
    (40, "Photuris"),
    (42, "ExtendedEcho Request"),
    (43, "ExtendedEcho Reply"),
];
const V6: &[(u16, &str)] = &[
    (1, "DestinationUnreachable"),
    (2, "PacketTooBig"),
    (3, "TimeExceeded"),
    (4, "ParameterProblem"),
    (128, "EchoRequest"),
    (129, "EchoReply"),
    (130, "MulticastListenerQuery"),
    (131, "MulticastListenerReport"),
    (132, "MulticastListenerDone"),
    (133, "RouterSolicitation"),
    (134, "RouterAdvertisement"),
    (135, "NeighborSolicitation"),
    (136, "NeighborAdvertisement"),
    (137, "RedirectMessage"),
    (138, "RouterRenumbering"),
    (139, "ICMPNodeInformationQuery"),
    (140, "ICMPNodeInformationResponse"),
    (141, "InverseNeighborDiscoverySolicitation"),
    (142, "InverseNeighborDiscoveryAdvertisement"),
    (144, "HomeAgentAddressDiscoveryRequest"),
    (145, "HomeAgentAddressDiscoveryReply"),
    (146, "MobilePrefixSolicitation"),
    (147, "MobilePrefixAdvertisement"),
    (157, "DuplicateAddressRequestCodeSuffix"),
    (158, "DuplicateAddressConfirmationCodeSuffix"),
    (160, "ExtendedEchoRequest"),
    (161, "ExtendedEchoReply"),
];
