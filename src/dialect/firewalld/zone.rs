//! Zones: firewalld.zone(5).

use roxmltree::Node;

use super::ast::{Body, Peer, Target, Zone};
use super::body;
use super::value;
use super::xml::{Reader, Schema, children};
use crate::source::Spanned;

const ROOT: Schema = &[(
    "zone",
    &[],
    &[
        "version",
        "target",
        "ingress-priority",
        "egress-priority",
        "name",
        "immutable",
    ],
)];

const PARTS: Schema = &[
    ("interface", &["name"], &[]),
    ("source", &[], &["address", "mac", "invert", "family", "ipset"]),
    ("forward", &[], &[]),
    ("icmp-block-inversion", &[], &[]),
];

/// Reads the root element of a zone's file.
pub(super) fn read(reader: &mut Reader<'_>, root: Node<'_, '_>, is_own: bool) -> Zone {
    let head = reader.head(root);
    let mut zone = Zone {
        target: Target::Default,
        target_span: head,
        ingress_priority: 0,
        egress_priority: 0,
        interfaces: Vec::new(),
        sources: Vec::new(),
        forward: None,
        icmp_block_inversion: None,
        body: Body {
            is_own,
            ..Body::default()
        },
    };
    if !reader.check(root, ROOT) {
        zone.body.unread.push(head);
    }
    if let Some(target) = reader.attribute(root, "target") {
        let help = "it is `ACCEPT`, `%%REJECT%%`, `DROP` or `default`";
        match reader.known(&target, target_of(&target.value), "the target of a zone", help) {
            Some(found) => (zone.target, zone.target_span) = (found, target.span),
            None => zone.body.unread.push(target.span),
        }
    }
    for (name, is_ingress) in [("ingress-priority", true), ("egress-priority", false)] {
        let Some(priority) = reader.attribute(root, name) else {
            continue;
        };
        let help = "it is a number from -32768 to 32767";
        match reader.known(&priority, value::priority(&priority.value), "a priority", help) {
            Some(found) if is_ingress => zone.ingress_priority = found,
            Some(found) => zone.egress_priority = found,
            None => zone.body.unread.push(priority.span),
        }
    }
    for node in children(root) {
        part(reader, node, &mut zone);
    }
    zone
}

fn target_of(text: &str) -> Option<Target> {
    Some(match text {
        "ACCEPT" => Target::Accept,
        "%%REJECT%%" => Target::Reject,
        "DROP" => Target::Drop,
        "default" | "" => Target::Default,
        _ => return None,
    })
}

fn part(reader: &mut Reader<'_>, node: Node<'_, '_>, zone: &mut Zone) {
    let name = node.tag_name().name();
    if !PARTS.iter().any(|(part, ..)| *part == name) {
        return body::read(reader, node, &mut zone.body);
    }
    let span = reader.span(node);
    if !reader.check(node, PARTS) {
        zone.body.unread.push(span);
        return;
    }
    match name {
        "forward" => zone.forward = Some(span),
        "icmp-block-inversion" => zone.icmp_block_inversion = Some(span),
        "interface" => interface(reader, node, zone),
        _ => source(reader, node, zone),
    }
}

/// A name of at most 15 bytes; `+` at its end stands for any.
fn interface(reader: &mut Reader<'_>, node: Node<'_, '_>, zone: &mut Zone) {
    let Some(name) = reader.attribute(node, "name") else {
        return;
    };
    let is_name = (1..=crate::packet::value::MAX_INTERFACE_BYTES).contains(&name.value.len())
        && !name.value.contains([' ', '!', '/', '*', '\t', '\n']);
    if is_name {
        zone.interfaces.push(name);
        return;
    }
    let message = format!("`{}` is not the name of an interface", name.value);
    reader.refuse(
        name.span,
        message,
        "interface names are 1 to 15 bytes long, without blanks and `/`",
    );
    zone.body.unread.push(name.span);
}

fn source(reader: &mut Reader<'_>, node: Node<'_, '_>, zone: &mut Zone) {
    let span = reader.span(node);
    if reader.attribute(node, "invert").is_some() {
        reader.refuse(
            span,
            "a zone's source cannot be inverted",
            "firewalld leaves this source out",
        );
        zone.body.unread.push(span);
        return;
    }
    match body::peer(reader, node) {
        Some(peer) => zone.sources.push(peer),
        None => zone.body.unread.push(span),
    }
}

impl Zone {
    /// Whether any packet is of it: firewalld.zones(5).
    pub(super) fn is_bound(&self) -> bool {
        !self.interfaces.is_empty() || !self.sources.is_empty()
    }

    /// Adds what another part of the same zone says: files of a folder `zones/NAME/` are one zone.
    pub(super) fn combine(&mut self, part: Self) {
        let has = |known: &[Spanned<String>], new: &str| known.iter().any(|one| one.value == new);
        for interface in part.interfaces {
            if !has(&self.interfaces, &interface.value) {
                self.interfaces.push(interface);
            }
        }
        let has = |known: &[Spanned<Peer>], new: &Peer| known.iter().any(|one| one.value == *new);
        for source in part.sources {
            if !has(&self.sources, &source.value) {
                self.sources.push(source);
            }
        }
        self.forward = self.forward.or(part.forward);
        self.icmp_block_inversion = self.icmp_block_inversion.or(part.icmp_block_inversion);
        self.body.elements.extend(part.body.elements);
        self.body.rules.extend(part.body.rules);
        self.body.unread.extend(part.body.unread);
        self.body.is_own |= part.body.is_own;
    }
}
