//! Extents of findings: sets of packets as lines of a port table, in the words of the site. INVARIANT: only what goes without
//! saying is left out.

use std::sync::Arc;

use super::filters::Filters;
use super::peer::World;
use super::view::{CLIENT_PORTS, OwnAddresses, Side, all_but_loopback, odd_peers};
use crate::finding::{Finding, Packets};
use crate::model::Identities;
use crate::packet::{Family, Field, PacketSet, RangeSet, Region, Space, describe_region};

/// Regions printed of an extent before the rest is only counted.
const MAX_LINES: usize = 6;

/// Products written as numbers before there is one number for all.
const MAX_PRODUCTS: usize = 64;

/// Bytes of these products.
const MAX_LENGTH: usize = 32 << 10;

/// The number of the name of those of whom only an address is known.
const NOBODY: u64 = 1;

/// The number of the name of the host itself, where its name does not count.
const ITSELF: u64 = 2;

/// Peers named before the rest is only counted.
const MAX_NAMES: usize = 4;

/// How the packets of one host are said.
#[derive(Debug)]
pub(super) struct Extents {
    v4: Words,
    v6: Words,
    /// Every interface but loopback, and those of them that other hosts' packets arrive on.
    usual_interfaces: [RangeSet; 2],
    clients: RangeSet,
    /// The addresses that members of groups have.
    inside: [RangeSet; 2],
    identities: Arc<Identities>,
}

/// What is said of one family.
#[derive(Debug)]
struct Words {
    odd: RangeSet,
    /// The addresses that the host may have, but for odd ones.
    own: RangeSet,
    /// The addresses that other hosts may have.
    others: RangeSet,
    /// Sets of addresses, but for odd ones, that have a name.
    names: Vec<(RangeSet, String)>,
}

impl Words {
    fn of(family: Family, world: &World, own: &OwnAddresses, others: &OwnAddresses) -> Self {
        let odd = odd_peers(family);
        let host = own.among(family).difference(&odd);
        let mut names = Vec::new();
        for (set, name) in world.names_of(family) {
            let set = set.difference(&odd);
            // A zone without this host is still the zone: nobody is his own peer.
            if host.single().is_some() {
                names.push((set.difference(&host), name.clone()));
            }
            names.push((set, name));
        }
        names.retain(|(set, _)| !set.is_empty());
        Self {
            own: host,
            others: others.among(family).clone(),
            names,
            odd,
        }
    }

    /// The addresses of the end that is not the peer.
    fn end(&self, side: Side) -> &RangeSet {
        if side == Side::Transit {
            &self.others
        } else {
            &self.own
        }
    }

    /// The words for a set of addresses, if there are any shorter than the addresses: those that no packet can come from
    /// do not count.
    fn name(&self, values: &RangeSet) -> Option<String> {
        let values = values.difference(&self.odd);
        let named = self.names.iter().find(|named| named.0 == values);
        named.map(|(_, name)| name.clone())
    }
}

impl Filters<'_> {
    /// Tells a finding which packets it is about.
    pub(super) fn describe(&self, finding: &mut Finding, set: PacketSet, side: Side) {
        finding.extent = self.extent(set, side);
        if self.world.compared {
            let space = &self.compiler.space;
            finding.packets = self.extents.packets(space, set, side);
            let is_said = finding.packets.is_some();
            finding.region = (!is_said).then(|| self.extents.number(space, set, None));
        }
    }
}

impl Filters<'_> {
    /// The number of a set of packets, the same in every run and whatever the host is called.
    pub(super) fn number(&self, set: PacketSet) -> u64 {
        self.extents.number(&self.compiler.space, set, self.host.identity)
    }
}

/// A number for a name, the same in every run (FNV-1a, 64 bits).
fn number_of(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

impl Extents {
    pub(super) fn of(world: &World, own: &OwnAddresses, others: &OwnAddresses) -> Self {
        Self {
            v4: Words::of(Family::V4, world, own, others),
            v6: Words::of(Family::V6, world, own, others),
            usual_interfaces: [all_but_loopback(), world.outside_interfaces()],
            clients: RangeSet::range(CLIENT_PORTS.0, CLIENT_PORTS.1),
            inside: Family::ALL.map(|family| world.inside().family(family).clone()),
            identities: world.identities.clone(),
        }
    }

    fn words(&self, family: Family) -> &Words {
        match family {
            Family::V4 => &self.v4,
            Family::V6 => &self.v6,
        }
    }

    /// A set of packets, line by line.
    pub(super) fn lines(&self, space: &Space, set: PacketSet, side: Side) -> Vec<String> {
        let (mut regions, more) = space.regions(set, MAX_LINES);
        for region in &mut regions {
            self.strip_the_usual(region, side);
        }
        let name = |family, values: &RangeSet| self.words(family).name(values);
        let mut lines: Vec<String> = regions
            .iter()
            .map(|region| describe_region(region, &name, &|identities| self.who(identities)))
            .collect();
        lines.dedup();
        if more > 0 {
            lines.push(format!("and {more} more"));
        }
        lines
    }

    /// A set as numbers, unless it is of too many products. What goes without saying is left out here too, so that what is said of
    /// interfaces and own addresses elsewhere does not make other packets of these.
    fn packets(&self, space: &Space, set: PacketSet, side: Side) -> Option<Packets> {
        let (mut regions, more) = space.regions(set, MAX_PRODUCTS);
        if more > 0 {
            return None;
        }
        for region in &mut regions {
            self.strip_the_usual(region, side);
        }
        let names = |identities: &RangeSet| self.names_of(identities);
        let products = regions.iter().map(|region| region.to_numbers(&names));
        let mut products = products.collect::<Option<Vec<String>>>()?;
        products.sort();
        products.dedup();
        let length: usize = products.iter().map(String::len).sum();
        let way = match side {
            Side::Ingress => "in",
            Side::Egress => "out",
            Side::Transit => "through",
            Side::Loopback => "loopback",
        };
        (length <= MAX_LENGTH).then(|| Packets {
            way: way.to_owned(),
            products,
        })
    }

    /// The numbers of the names of some identities.
    fn names_of(&self, identities: &RangeSet) -> Vec<u64> {
        let known = self.identities.iter();
        let meant = known.filter(|(number, _)| identities.contains(u128::from(*number)));
        let mut numbers: Vec<u64> = meant.map(|(_, class)| number_of(&class.name)).collect();
        if identities.contains(Identities::UNKNOWN.into()) {
            numbers.push(NOBODY);
        }
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    }

    /// The number of a set. Who somebody is goes by name, since numbers are those of one run; `itself` is the same whatever its name.
    fn number(&self, space: &Space, set: PacketSet, itself: Option<u32>) -> u64 {
        let names = |field: Field| {
            let is_who = matches!(field, Field::SourceIdentity | Field::DestinationIdentity);
            is_who.then(|| {
                let known = self.identities.iter();
                let name = |number, name| {
                    if Some(number) == itself {
                        ITSELF
                    } else {
                        number_of(name)
                    }
                };
                let known = known.map(|(number, class)| (number.into(), name(number, &class.name)));
                known.chain([(Identities::UNKNOWN.into(), NOBODY)]).collect()
            })
        };
        space.fingerprint(set, &names)
    }

    /// The words for some identities.
    fn who(&self, identities: &RangeSet) -> String {
        let known = self.identities.iter();
        let meant = known.filter(|(number, _)| identities.contains(u128::from(*number)));
        let mut names: Vec<&str> = meant.map(|(_, class)| class.name.as_str()).collect();
        if identities.contains(u128::from(Identities::UNKNOWN)) {
            names.push("others");
        }
        let more = names.len().saturating_sub(MAX_NAMES);
        names.truncate(MAX_NAMES);
        let mut who = names.join(", ");
        if more > 0 {
            who.extend([" and ", &more.to_string(), " more"]);
        }
        who
    }

    /// Takes out what goes without saying: any interface but loopback, any port of a client, any address of the host, or
    /// of the far end in transit.
    fn strip_the_usual(&self, region: &mut Region, side: Side) {
        let is_any_own = |field: Field, values: &RangeSet| {
            let mut families = Family::ALL.into_iter();
            families.any(|family| side.own(family) == field && self.words(family).end(side).is_subset(values))
        };
        // That somebody is in no group says nothing.
        let nobody = RangeSet::point(Identities::UNKNOWN.into());
        region
            .tests
            .retain(|(field, values)| *field != side.peer_identity() || *values != nobody);
        // Of a member of a group, the address and its family say nothing more.
        let is_told_apart = region.values(side.peer_identity()).is_some();
        let is_inside = |field: Field, values: &RangeSet| {
            let mut families = Family::ALL.into_iter().zip(&self.inside);
            families.any(|(family, inside)| side.peer(family) == field && inside.is_subset(values))
        };
        let is_anywhere_inside = is_told_apart
            && region.tests.iter().all(|(field, values)| {
                let is_address = Family::ALL.iter().any(|family| side.peer(*family) == *field);
                !is_address || is_inside(*field, values)
            });
        region.tests.retain(|(field, values)| match field {
            Field::Family => !is_anywhere_inside,
            field if is_anywhere_inside && is_inside(*field, values) => false,
            field if is_any_own(*field, values) => false,
            Field::InInterface | Field::OutInterface => !self.usual_interfaces.contains(values),
            Field::SourcePort => *values != self.clients,
            _ => true,
        });
    }
}
