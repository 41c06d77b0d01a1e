//! Peers of rows to addresses and interfaces: who must get through, and who may at the most.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::address::{Addresses, Crowd};
use super::view::{Side, all_but_loopback, container_interfaces, odd_peers};
use crate::model::Identities;
use crate::packet::{Family, Field, PacketSet, RangeSet, Space, value};
use crate::policy::Peer;
use crate::site::{Origin, ZoneNetworks, Zones};

/// What the run knows beyond one host: zones, who is in them, names.
#[derive(Debug, Clone)]
pub struct World {
    /// The zones of the site, with defaults.
    pub zones: Zones,
    /// Zones that stand for another unless the site defines them.
    pub aliases: BTreeMap<String, String>,
    /// Addresses of hosts bound to a role, `policy.role`, as others see them.
    pub role_members: BTreeMap<String, Addresses>,
    /// The zone in which hosts of a role were bound.
    pub role_zones: BTreeMap<String, String>,
    /// Addresses of hosts bound in a zone.
    pub zone_members: BTreeMap<String, Addresses>,
    /// The hosts bound to a role.
    pub role_crowds: BTreeMap<String, Vec<Crowd>>,
    /// The hosts bound in a zone.
    pub zone_crowds: BTreeMap<String, Vec<Crowd>>,
    /// Who there is apart from addresses.
    pub identities: Arc<Identities>,
    /// Addresses of names that the site pins.
    pub names: BTreeMap<String, Addresses>,
    /// Bridges that lead to containers of the host itself, beside those that are called so everywhere.
    pub bridges: RangeSet,
    /// Whether rules are looked for that could go without a change.
    pub redundant: bool,
    /// Whether to say of each row and each opening what became of it.
    pub coverage: bool,
    /// Whether findings have their packets as numbers, to be compared with those of another run.
    pub compared: bool,
}

/// A peer of a row, resolved.
#[derive(Debug, Clone)]
pub(super) struct Party {
    /// How findings call it.
    pub(super) word: String,
    /// Who must get through.
    pub(super) members: Addresses,
    /// The same where rules ask who somebody is: identities, each with addresses. No address: any of `members`.
    pub(super) crowds: Vec<Crowd>,
    /// Whether somebody who can be told from `crowds` is none of them, wherever he is.
    pub(super) is_role: bool,
    /// Who may get through at the most.
    pub(super) limits: Addresses,
    /// Interfaces its packets arrive on; `None`: not known, any but `lo`.
    pub(super) interfaces: Option<RangeSet>,
    /// It is the same host, over loopback.
    pub(super) is_self: bool,
    /// Its addresses are not known: why.
    pub(super) unknown: Option<String>,
    /// Its members are a zone's default, not something the site said: they oblige one family only.
    pub(super) is_assumed: bool,
}

impl World {
    /// Takes note of a bound host.
    pub fn meet<'r>(&mut self, roles: impl Iterator<Item = &'r str>, zone: Option<&str>, crowd: &Crowd) {
        for role in roles {
            let members = self.role_members.entry(role.to_owned()).or_default();
            *members = members.union(&crowd.addresses);
            crowd.join(self.role_crowds.entry(role.to_owned()).or_default());
        }
        if let Some(zone) = zone {
            let members = self.zone_members.entry(zone.to_owned()).or_default();
            *members = members.union(&crowd.addresses);
            crowd.join(self.zone_crowds.entry(zone.to_owned()).or_default());
        }
    }

    /// The zone that a name means here.
    pub(super) fn zone(&self, name: &str) -> Option<&ZoneNetworks> {
        self.zones
            .zone(name)
            .or_else(|| self.zones.zone(self.aliases.get(name)?))
    }

    /// Sets of addresses that have a name, the first of two names first.
    pub(super) fn names_of(&self, family: Family) -> Vec<(RangeSet, String)> {
        let all = RangeSet::range(0, family.max());
        let mut names = vec![(all.clone(), format!("any {} address", family.word()))];
        for zone in self.zones.iter() {
            let name = format!("`{}`", zone.name);
            names.push((zone.networks(family).clone(), name.clone()));
            names.push((self.limits(zone).family(family).clone(), name));
        }
        for zone in self.zones.iter() {
            let others = all.difference(zone.networks(family));
            names.push((others, format!("anywhere but `{}`", zone.name)));
        }
        names
    }

    /// The most that may come from a zone: for what remains when all others are taken away, addresses that belong
    /// nowhere too.
    pub(super) fn limits(&self, zone: &ZoneNetworks) -> Addresses {
        if zone.origin != Origin::Remainder {
            return Addresses::of_zone(zone);
        }
        let others = self
            .zones
            .iter()
            .filter(|other| other.name != zone.name)
            .map(Addresses::of_zone);
        Addresses::all().difference(&others.fold(Addresses::default(), |all, other| all.union(&other)))
    }

    /// The zones that some peers of a set of packets lie in. Who is told apart by who he is is in none: his address may be any.
    pub(super) fn zones_of(&self, space: &Space, set: PacketSet, side: Side) -> Vec<String> {
        let identities = space.values_of(set, side.peer_identity());
        if !identities.contains(Identities::UNKNOWN.into()) {
            return Vec::new();
        }
        let families = space.values_of(set, Field::Family);
        let mut names = Vec::new();
        for family in Family::ALL {
            if !families.contains(family.value()) {
                continue;
            }
            let peers = space
                .values_of(set, side.peer(family))
                .difference(&odd_peers(family));
            let meets = |zone: &&ZoneNetworks| {
                let limits = self.limits(zone);
                !limits.family(family).intersection(&peers).is_empty()
            };
            names.extend(self.zones.iter().filter(meets).map(|zone| zone.name.clone()));
        }
        names.sort();
        names.dedup();
        names
    }

    /// The interfaces that other hosts' packets may arrive on: not loopback, and none that leads to containers of the host
    /// itself unless a zone names it.
    pub(super) fn outside_interfaces(&self) -> RangeSet {
        let inside = container_interfaces().union(&self.bridges);
        all_but_loopback().difference(&inside.difference(&self.named_interfaces()))
    }

    /// The interfaces that some zone names.
    fn named_interfaces(&self) -> RangeSet {
        let named = self.zones.iter().filter_map(interfaces);
        named.fold(RangeSet::empty(), |all, one| all.union(&one))
    }

    /// Where packets of a peer surely do not arrive: interfaces that other zones name, where his names some. One that no zone
    /// names may lead to anybody.
    pub(super) fn interfaces_of_others(&self, party: &Party) -> Option<RangeSet> {
        let own = party.interfaces.as_ref()?;
        Some(if party.is_self {
            own.complement(u128::MAX)
        } else {
            self.named_interfaces().difference(own)
        })
    }

    /// Where the members of groups are: in any zone but `external`. A rule that names a group is about the private addresses of its
    /// members (Amazon VPC user guide, "Security group rules").
    pub(super) fn inside(&self) -> Addresses {
        let zones = self.zones.iter().filter(|zone| zone.name != "external");
        let inside = zones.map(Addresses::of_zone);
        let known = self
            .role_crowds
            .values()
            .chain(self.zone_crowds.values())
            .flatten();
        let known = known.map(|crowd| crowd.addresses.clone());
        inside
            .chain(known)
            .fold(Addresses::default(), |all, one| all.union(&one))
    }

    /// The addresses of all zones: where a name may lead.
    pub(super) fn everywhere(&self) -> Addresses {
        let zones = self.zones.iter().map(Addresses::of_zone);
        zones.fold(Addresses::default(), |all, zone| all.union(&zone))
    }

    /// Resolves one end of a row.
    pub(super) fn party(&self, peer: &Peer) -> Party {
        let nobody = Party {
            word: String::new(),
            members: Addresses::default(),
            crowds: Vec::new(),
            is_role: false,
            limits: Addresses::default(),
            interfaces: None,
            is_self: false,
            unknown: None,
            is_assumed: false,
        };
        let unknown = |word: String, why: String| Party {
            word,
            limits: Addresses::all(),
            unknown: Some(why),
            ..nobody.clone()
        };
        match peer {
            Peer::This => Party {
                word: "the host itself".into(),
                members: Addresses::loopback(),
                limits: Addresses::all(),
                interfaces: Some(RangeSet::point(value::interface("lo"))),
                is_self: true,
                ..nobody
            },
            Peer::Any | Peer::Every => Party {
                word: "anywhere".into(),
                members: Addresses::of_peers(),
                limits: Addresses::all(),
                is_assumed: true,
                ..nobody
            },
            Peer::Zone(name) => match self.zone(name) {
                Some(zone) => self.zone_party(zone, format!("`{name}`"), nobody),
                None => unknown(format!("`{name}`"), format!("zone `{name}` is not defined")),
            },
            Peer::Role { name, home } => self.role_party(name, home.as_deref(), nobody),
            Peer::Name(name) => match self.names.get(name) {
                Some(pinned) => Party {
                    word: format!("`{name}`"),
                    members: pinned.clone(),
                    limits: pinned.clone(),
                    ..nobody
                },
                None => unknown(
                    format!("`{name}`"),
                    format!("the addresses of `{name}` are not pinned"),
                ),
            },
            Peer::Unset(why) => unknown("a peer that is not set".into(), why.clone()),
        }
    }

    fn zone_party(&self, zone: &ZoneNetworks, word: String, nobody: Party) -> Party {
        let networks = Addresses::of_zone(zone);
        let bound = self
            .zone_members
            .get(&zone.name)
            .filter(|members| !members.is_empty());
        let members = bound.cloned().unwrap_or_else(|| networks.clone());
        let limits = self.limits(zone).union(&members);
        let crowds = self.zone_crowds.get(&zone.name).cloned().unwrap_or_default();
        let is_bound = bound.is_some() || crowds.iter().any(Crowd::is_told_apart);
        let is_assumed = !is_bound && zone.origin != Origin::Site;
        Party {
            word,
            crowds,
            members,
            limits,
            interfaces: interfaces(zone),
            is_assumed,
            ..nobody
        }
    }

    fn role_party(&self, name: &str, home: Option<&str>, nobody: Party) -> Party {
        let word = format!("`{name}`");
        let zone = self
            .role_zones
            .get(name)
            .map(String::as_str)
            .or(home)
            .and_then(|zone| self.zone(zone));
        let bound = self.role_members.get(name).filter(|members| !members.is_empty());
        let crowds = self.role_crowds.get(name).cloned().unwrap_or_default();
        match (bound, zone) {
            (Some(members), zone) => Party {
                word,
                is_role: crowds.iter().any(Crowd::is_told_apart),
                crowds,
                members: members.clone(),
                limits: members.clone(),
                interfaces: zone.and_then(interfaces),
                ..nobody
            },
            (None, Some(zone)) => {
                let word = format!("{word} in `{}`", zone.name);
                let party = self.zone_party(zone, word, nobody);
                if crowds.iter().any(Crowd::is_told_apart) {
                    let is_role = true;
                    Party {
                        crowds,
                        is_role,
                        ..party
                    }
                } else {
                    party
                }
            }
            (None, None) if crowds.iter().any(Crowd::is_told_apart) => Party {
                word,
                crowds,
                is_role: true,
                members: self.inside(),
                ..nobody
            },
            (None, None) => Party {
                word,
                limits: Addresses::all(),
                unknown: Some(format!("where the hosts of `{name}` are is not known")),
                ..nobody
            },
        }
    }
}

/// The interfaces of a zone as values; `None` if it names none. `eth+` and `eth*` stand for all that begin so.
fn interfaces(zone: &ZoneNetworks) -> Option<RangeSet> {
    if zone.interfaces.is_empty() {
        return None;
    }
    let one = |name: &str| match name.strip_suffix(['+', '*']) {
        Some(prefix) => value::interface_prefix(prefix),
        None => (value::interface(name), value::interface(name)),
    };
    Some(zone.interfaces.iter().map(|name| one(&name.value)).collect())
}
