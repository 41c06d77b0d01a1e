//! The files of a unit to one folder: what files say, over what firewalld came with, over what it knows of itself.
//!
//! INVARIANT: a file of the host's own configuration takes the place of one of the same kind and name.

use std::collections::BTreeMap;

use super::ast::{Conf, Folder, Zone};
use super::{conf, data, object, policy, xml, zone};
use crate::finding::Finding;
use crate::source::{Source, Span};

/// What a file is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FileKind {
    Conf,
    Zone,
    Policy,
    Service,
    Set,
    IcmpType,
    Helper,
    Direct,
}

/// Root elements and the folders that their files lie in.
const KINDS: &[(&str, &str, FileKind)] = &[
    ("zone", "zones", FileKind::Zone),
    ("policy", "policies", FileKind::Policy),
    ("service", "services", FileKind::Service),
    ("ipset", "ipsets", FileKind::Set),
    ("icmptype", "icmptypes", FileKind::IcmpType),
    ("helper", "helpers", FileKind::Helper),
];

/// Where a file lies in its folder.
pub(super) struct Place<'a> {
    pub(super) kind: Option<FileKind>,
    /// The name of what it declares.
    pub(super) name: &'a str,
    /// Whether firewalld came with it.
    pub(super) is_vendor: bool,
}

impl<'a> Place<'a> {
    /// `/etc/firewalld/zones/public.xml`; files of `zones/NAME/` are parts of one zone.
    pub(super) fn of(path: &'a str) -> Self {
        let mut parts = path.rsplit('/');
        let file = parts.next().unwrap_or(path);
        let folders = [parts.next().unwrap_or(""), parts.next().unwrap_or("")];
        let is_vendor = path.contains("lib/firewalld/");
        let stem = file.strip_suffix(".xml").unwrap_or(file);
        let place = |kind, name| Self {
            kind,
            name,
            is_vendor,
        };
        match (file, folders) {
            ("firewalld.conf", _) => place(Some(FileKind::Conf), stem),
            ("direct.xml", _) => place(Some(FileKind::Direct), stem),
            (_, [zone, "zones"]) => place(Some(FileKind::Zone), zone),
            (_, [folder, _]) => {
                let kind = KINDS.iter().find(|(_, known, _)| *known == folder);
                place(kind.map(|(.., kind)| *kind), stem)
            }
        }
    }
}

/// What the root element of a file says it is.
pub(super) fn kind_of_root(name: &str) -> Option<FileKind> {
    if name == "direct" {
        return Some(FileKind::Direct);
    }
    KINDS
        .iter()
        .find(|(root, ..)| *root == name)
        .map(|(.., kind)| *kind)
}

/// Reads the files of a unit, those that firewalld came with first.
pub(super) fn read(unit: &[Source<'_>], notices: &mut Vec<Finding>) -> Folder {
    let conf = unit
        .iter()
        .find(|source| Place::of(source.name).kind == Some(FileKind::Conf));
    let conf = conf.map_or_else(Conf::default, |source| conf::read(*source, notices));
    let mut folder = known(unit, conf, start(unit));
    let mut replaced: Vec<(FileKind, &str, bool)> = Vec::new();
    for source in unit {
        file(*source, &mut folder, &mut replaced, notices);
    }
    folder
}

/// What firewalld comes with, for a text that is none of its files.
pub(super) fn shipped(unit: &[Source<'_>]) -> Folder {
    known(&[], Conf::default(), start(unit))
}

/// Where nothing better can be pointed at.
fn start(unit: &[Source<'_>]) -> Span {
    unit.first()
        .map_or(Span::new(crate::source::FileId(0), 0, 0), |first| {
            Span::new(first.file, 0, 0)
        })
}

/// What firewalld knows of itself; nothing of a kind of which the files that it came with are there.
fn known(unit: &[Source<'_>], conf: Conf, start: Span) -> Folder {
    let has = |kind| {
        unit.iter().any(|source| {
            let place = Place::of(source.name);
            place.is_vendor && place.kind == Some(kind)
        })
    };
    let anchor = conf.default_zone.as_ref().map_or(start, |zone| zone.span);
    let mut folder = Folder {
        conf,
        zones: BTreeMap::new(),
        policies: BTreeMap::new(),
        services: if has(FileKind::Service) {
            BTreeMap::new()
        } else {
            data::services()
        },
        sets: BTreeMap::new(),
        icmp_types: BTreeMap::new(),
        directs: Vec::new(),
        has_vendor_policies: has(FileKind::Policy),
        start,
        unread: Vec::new(),
    };
    let mut none = Vec::new();
    for (name, text) in data::ZONES.iter().filter(|_| !has(FileKind::Zone)) {
        if let Some((document, mut reader)) = xml::parse_built_in(text, anchor, &mut none) {
            let zone = zone::read(&mut reader, document.root_element(), false);
            folder.zones.insert((*name).to_owned(), zone);
        }
    }
    for (name, text) in data::POLICIES.iter().filter(|_| !has(FileKind::Policy)) {
        if let Some((document, mut reader)) = xml::parse_built_in(text, start, &mut none) {
            let policy = policy::read(&mut reader, document.root_element(), false);
            folder.policies.insert((*name).to_owned(), policy);
        }
    }
    folder
}

/// Reads one file. `replaced` has the names that files have said so far, by kind and layer.
fn file<'a>(
    source: Source<'a>,
    folder: &mut Folder,
    replaced: &mut Vec<(FileKind, &'a str, bool)>,
    notices: &mut Vec<Finding>,
) {
    let place = Place::of(source.name);
    if place.kind == Some(FileKind::Conf) {
        return;
    }
    let (document, mut reader) = match xml::parse(source, notices) {
        Ok(parsed) => parsed,
        Err(at) => {
            folder.unread.push(at);
            return;
        }
    };
    let root = document.root_element();
    let said = kind_of_root(root.tag_name().name());
    let Some(kind) = said.filter(|said| place.kind.is_none_or(|kind| kind == *said)) else {
        let head = reader.head(root);
        let message = format!("`{}` is not what a file here declares", root.tag_name().name());
        reader.refuse(head, message, "firewalld leaves the whole file out");
        folder.unread.push(head);
        return;
    };
    let name = place.name.to_owned();
    match kind {
        FileKind::Zone => {
            let zone = zone::read(&mut reader, root, !place.is_vendor);
            let key = (kind, place.name, place.is_vendor);
            let is_part = replaced.contains(&key);
            replaced.push(key);
            put_zone(folder, name, zone, is_part);
        }
        FileKind::Policy => {
            let policy = policy::read(&mut reader, root, !place.is_vendor);
            folder.policies.insert(name, policy);
        }
        FileKind::Service => {
            let service = object::service(&mut reader, root);
            folder.services.insert(name, service);
        }
        FileKind::Set => {
            let set = object::ipset(&mut reader, root);
            folder.sets.insert(name, set);
        }
        FileKind::IcmpType => {
            let family = object::icmp_type(&mut reader, root);
            folder.icmp_types.insert(name, family);
        }
        FileKind::Helper => object::helper(&mut reader, root),
        FileKind::Direct => {
            object::direct(&mut reader, root, &mut folder.directs, &mut folder.unread);
        }
        FileKind::Conf => {}
    }
}

fn put_zone(folder: &mut Folder, name: String, zone: Zone, is_part: bool) {
    match folder.zones.get_mut(&name) {
        Some(known) if is_part => known.combine(zone),
        _ => drop(folder.zones.insert(name, zone)),
    }
}
