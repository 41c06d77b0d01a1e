//! The policy under construction: entries in the order of the document, and the names that they need.
//!
//! INVARIANT: every name that an entry speaks of is defined; ids are unique.

use std::collections::BTreeSet;

use super::cell::name;
use super::cell::peer::{Peer, Peers};
use super::cell::port::Ports;
use super::requirement::{Definition, Ends, Entry, Requirement};

/// What the entries of a document come to.
#[derive(Debug, Default)]
pub(super) struct Outline {
    pub(super) entries: Vec<Entry>,
    /// Roles and zones in the order of their first use.
    pub(super) roles: Vec<String>,
    pub(super) zones: Vec<String>,
    pub(super) definitions: Vec<Definition>,
    ids: BTreeSet<String>,
}

impl Outline {
    /// An id that no other row has.
    pub(super) fn free_id(&mut self, wish: &str) -> String {
        let taken = |id: &str, ids: &BTreeSet<String>| ids.contains(id);
        let mut id = wish.to_owned();
        let mut n = 1;
        while taken(&id, &self.ids) {
            n += 1;
            id = format!("{wish}-{n}");
        }
        self.ids.insert(id.clone());
        id
    }

    /// Whether the last requirement asks for the same.
    pub(super) fn says(&self, requirement: &Requirement) -> bool {
        matches!(self.entries.last(), Some(Entry::Row(_, known, _))
            if known.from == requirement.from && known.to == requirement.to && known.services == requirement.services)
    }

    /// Adds a requirement, and the names that it speaks of.
    pub(super) fn add(&mut self, place: (usize, crate::source::Span), requirement: Requirement) {
        let both = requirement.from.list.iter().chain(&requirement.to.list);
        for peer in both.cloned().collect::<Vec<_>>() {
            self.declare(&peer);
        }
        self.entries
            .push(Entry::Row(place.0, Box::new(requirement), place.1));
    }

    /// Gives zones that are called as roles are other names: in a policy each name is one thing.
    pub(super) fn settle(&mut self) {
        let clashes: Vec<String> = self
            .zones
            .iter()
            .filter(|zone| self.roles.contains(zone))
            .cloned()
            .collect();
        for zone in clashes {
            let mut name = format!("{zone}-zone");
            while self.zones.contains(&name) || self.roles.contains(&name) {
                name.push_str("-zone");
            }
            for known in self.zones.iter_mut().filter(|known| **known == zone) {
                known.clone_from(&name);
            }
            let rows = self.entries.iter_mut().filter_map(|entry| match entry {
                Entry::Row(_, requirement, _) => Some(requirement),
                _ => None,
            });
            let (old, new) = (format!("zone `{zone}`"), format!("zone `{name}`"));
            for row in rows {
                let sides = row.from.list.iter_mut().chain(&mut row.to.list);
                for peer in sides.filter(|peer| **peer == Peer::Zone(zone.clone())) {
                    *peer = Peer::Zone(name.clone());
                }
                for guess in &mut row.guesses {
                    *guess = guess.replace(&old, &new);
                }
            }
        }
    }

    fn declare(&mut self, peer: &Peer) {
        match peer {
            Peer::Role(role) if !self.roles.contains(role) => self.roles.push(role.clone()),
            Peer::Zone(zone) if !self.zones.contains(zone) => self.zones.push(zone.clone()),
            Peer::Host(host) => {
                for parameter in parameters(host) {
                    let meaning = format!("what stands for {parameter} in host names of the site");
                    self.define(Definition::Parameter {
                        name: parameter,
                        default: Vec::new(),
                        meaning,
                    });
                }
            }
            _ => {}
        }
    }

    /// Defines a name unless it is defined already.
    pub(super) fn define(&mut self, definition: Definition) {
        let same_kind =
            |known: &&Definition| std::mem::discriminant(*known) == std::mem::discriminant(&definition);
        let names = |known: &Definition| known.name() == definition.name();
        if !self.definitions.iter().filter(same_kind).any(names) {
            self.definitions.push(definition);
        }
    }

    /// One side of a row. What the site chooses becomes a parameter, named for the row.
    pub(super) fn ends(&mut self, peers: Peers, id: &str, meaning: &str) -> Ends {
        let Peers {
            list, one_of, open, ..
        } = peers;
        if !open {
            return Ends {
                list: list.into_iter().map(renamed).collect(),
                one_of,
            };
        }
        let hosts = list.into_iter().filter_map(|peer| match renamed(peer) {
            Peer::Host(host) => Some(host),
            _ => None,
        });
        let default: Vec<String> = hosts.collect();
        let name = format!("{id}-{}", if default.len() > 1 { "hosts" } else { "host" });
        let host = Peer::Host(format!("<{name}>"));
        self.define(Definition::Parameter {
            name,
            default,
            meaning: meaning.to_owned(),
        });
        Ends {
            list: vec![host],
            one_of: false,
        }
    }

    /// The services of a row: those that the site may choose are defined under the name of the row.
    pub(super) fn services(&mut self, ports: &Ports, id: &str) -> (Vec<String>, bool) {
        if !ports.configurable && !ports.is_open() {
            return (ports.services.clone(), ports.one_of);
        }
        let taken = |name: &str| {
            let clashes =
                |known: &&Definition| !matches!(known, Definition::Feature { .. }) && known.name() == name;
            self.definitions.iter().any(|known| clashes(&known))
        };
        let mut name = id.to_owned();
        while taken(&name) {
            name.push_str("-port");
        }
        let value = ports.services.join(if ports.one_of { " | " } else { ", " });
        let configurable = ports.configurable && !ports.is_open();
        self.define(Definition::Service {
            name: name.clone(),
            value,
            configurable,
        });
        (vec![name], false)
    }
}

/// A host whose parameters have names of the language.
fn renamed(peer: Peer) -> Peer {
    let Peer::Host(host) = peer else { return peer };
    let mut text = String::new();
    for (at, part) in host.split(['<', '>']).enumerate() {
        match name::kebab(part).filter(|_| at % 2 == 1) {
            Some(parameter) => text.extend(["<", &parameter, ">"]),
            None => text.push_str(part),
        }
    }
    Peer::Host(text)
}

/// The parameters in a host name.
fn parameters(host: &str) -> Vec<String> {
    let parts = host.split(['<', '>']).enumerate();
    parts
        .filter(|(at, _)| at % 2 == 1)
        .map(|(_, part)| part.to_owned())
        .collect()
}
