//! What zones and policies refer to: services, ipsets and ICMP types; and the lines of direct.xml.
//!
//! firewalld.service(5), firewalld.ipset(5), firewalld.icmptype(5), firewalld.direct(5).

use roxmltree::Node;

use super::ast::{Direct, DirectKind, IpSet, Service};
use super::body;
use super::value;
use super::xml::{Reader, Schema, children};
use crate::packet::Family;
use crate::source::{Span, Spanned};

const SERVICE: Schema = &[
    ("service", &[], &["name", "version"]),
    ("short", &[], &[]),
    ("description", &[], &[]),
    ("port", &["port", "protocol"], &[]),
    ("protocol", &["value"], &[]),
    ("source-port", &["port", "protocol"], &[]),
    ("module", &["name"], &[]),
    ("destination", &[], &["ipv4", "ipv6"]),
    ("include", &["service"], &[]),
    ("helper", &["name"], &[]),
];

/// Reads the root element of a service's file. Helpers decide nothing about new connections.
pub(super) fn service(reader: &mut Reader<'_>, root: Node<'_, '_>) -> Service {
    let mut service = Service::default();
    if !reader.check(root, SERVICE) {
        service.unread = Some(reader.head(root));
    }
    for node in children(root) {
        if !reader.check(node, SERVICE) || service_part(reader, node, &mut service).is_none() {
            service.unread = Some(reader.span(node));
        }
    }
    service
}

fn service_part(reader: &mut Reader<'_>, node: Node<'_, '_>, service: &mut Service) -> Option<()> {
    match node.tag_name().name() {
        // A port without a number is all of the protocol.
        "port" if node.attribute("port") == Some("") => {
            let protocol = reader.attribute(node, "protocol")?;
            service.protocols.push(protocol_of(reader, &protocol)?);
        }
        "port" => service.ports.push(body::ports(reader, node)?.0),
        "source-port" => service.source_ports.push(body::ports(reader, node)?.0),
        "protocol" => {
            let protocol = reader.attribute(node, "value")?;
            service.protocols.push(protocol_of(reader, &protocol)?);
        }
        "include" => {
            let included = reader.attribute(node, "service")?;
            service.includes.push((included.value, Some(included.span)));
        }
        "destination" => {
            for (name, family) in [("ipv4", Family::V4), ("ipv6", Family::V6)] {
                let Some(address) = reader.attribute(node, name) else {
                    continue;
                };
                let found = value::network(&address.value).filter(|network| network.family == family);
                let what = format!("an {} address", family.word());
                let network = reader.known(&address, found, &what, "write an address or a network")?;
                service.destinations.push(network);
            }
        }
        _ => {}
    }
    Some(())
}

fn protocol_of(reader: &mut Reader<'_>, protocol: &Spanned<String>) -> Option<u8> {
    let help = "write its name, or its number from 0 to 255";
    reader.known(protocol, value::protocol(&protocol.value), "a protocol", help)
}

const IPSET: Schema = &[
    ("ipset", &["type"], &["version"]),
    ("short", &[], &[]),
    ("description", &[], &[]),
    ("option", &["name"], &["value"]),
    ("entry", &[], &[]),
];

/// Reads the root element of an ipset's file.
pub(super) fn ipset(reader: &mut Reader<'_>, root: Node<'_, '_>) -> IpSet {
    let mut set = IpSet::default();
    if !reader.check(root, IPSET) {
        set.doubt = Some("not all of its file could be read");
    }
    set.kind = reader
        .attribute(root, "type")
        .map_or(String::new(), |kind| kind.value);
    for node in children(root) {
        if !reader.check(node, IPSET) {
            set.doubt = Some("not all of its file could be read");
        }
        match node.tag_name().name() {
            "entry" => set.entries.push(reader.text(node)),
            "option" => {
                let option = |name| reader.attribute(node, name).map(|said| said.value);
                let (name, value) = (option("name"), option("value").unwrap_or_default());
                match name.as_deref() {
                    Some("family") if value == "inet6" => set.family = Some(Family::V6),
                    // "entries are not persistent if the set has a timeout"
                    Some("timeout") if value != "0" => set.doubt = Some("its members expire"),
                    _ => {}
                }
            }
            _ => {}
        }
    }
    set
}

const ICMP_TYPE: Schema = &[
    ("icmptype", &[], &["name", "version"]),
    ("short", &[], &[]),
    ("description", &[], &[]),
    ("destination", &[], &["ipv4", "ipv6"]),
];

/// Reads the root element of an ICMP type's file: the one family that it is for, if it is for one alone.
pub(super) fn icmp_type(reader: &mut Reader<'_>, root: Node<'_, '_>) -> Option<Family> {
    reader.check(root, ICMP_TYPE);
    let mut families = [false; 2];
    for node in children(root) {
        reader.check(node, ICMP_TYPE);
        for (said, name) in families.iter_mut().zip(["ipv4", "ipv6"]) {
            *said |= node.attribute(name).is_some_and(body::is_yes);
        }
    }
    match families {
        [true, false] => Some(Family::V4),
        [false, true] => Some(Family::V6),
        _ => None,
    }
}

const HELPER: Schema = &[
    ("helper", &["module"], &["family", "version", "name"]),
    ("short", &[], &[]),
    ("description", &[], &[]),
    ("port", &["port", "protocol"], &[]),
    ("module", &["name"], &[]),
];

/// Reads the root element of a helper's file, of which nothing decides about openings.
pub(super) fn helper(reader: &mut Reader<'_>, root: Node<'_, '_>) {
    reader.check(root, HELPER);
    for node in children(root) {
        reader.check(node, HELPER);
    }
}

const DIRECT: Schema = &[
    ("direct", &[], &[]),
    ("chain", &["ipv", "table", "chain"], &[]),
    ("rule", &["ipv", "table", "chain", "priority"], &[]),
    ("passthrough", &["ipv"], &[]),
];

/// Reads the root element of direct.xml. Rules of bridges decide nothing about IP.
pub(super) fn direct(
    reader: &mut Reader<'_>,
    root: Node<'_, '_>,
    directs: &mut Vec<Direct>,
    unread: &mut Vec<Span>,
) {
    if !reader.check(root, DIRECT) {
        unread.push(reader.head(root));
    }
    for node in children(root) {
        let span = reader.span(node);
        if !reader.check(node, DIRECT) {
            unread.push(span);
            continue;
        }
        let said = |name| reader.attribute(node, name).map(|said| said.value);
        let family = match said("ipv").as_deref() {
            Some("ipv4") => Family::V4,
            Some("ipv6") => Family::V6,
            Some("eb") => continue,
            _ => {
                reader.refuse(
                    span,
                    "a direct rule of no family",
                    "`ipv` is `ipv4`, `ipv6` or `eb`",
                );
                unread.push(span);
                continue;
            }
        };
        let (table, chain) = (
            said("table").unwrap_or_default(),
            said("chain").unwrap_or_default(),
        );
        let priority = said("priority")
            .and_then(|text| text.trim().parse().ok())
            .unwrap_or(0);
        let arguments = reader.text(node).span;
        let kind = match node.tag_name().name() {
            "chain" => DirectKind::Chain { table, chain },
            "rule" => DirectKind::Rule {
                table,
                chain,
                priority,
                arguments,
            },
            _ => DirectKind::Passthrough { arguments },
        };
        directs.push(Direct { family, kind, span });
    }
}
