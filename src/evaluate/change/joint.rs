//! The space in which two states of a host are compared, side by side.
//!
//! INVARIANT: who somebody is has one number for both states here, and only packets are here that somebody may send in one of
//! them: nobody by a number that no class has, no member of a group from where none is in either.

use std::collections::BTreeSet;

use super::super::address::Addresses;
use super::super::extent::Extents;
use super::super::filters::Filters;
use super::super::openings::{Part, parts, sendable};
use super::super::peer::World;
use super::super::view::{Moment, Side, View};
use super::peers::Peers;
use crate::model::Identities;
use crate::packet::{Family, Field, OverBudget, PacketSet, RangeSet, Space};

/// The space in which both states are compared, for one side of the host.
pub(super) struct Joint<'p> {
    pub(super) space: Space,
    pub(super) peers: &'p Peers,
    extents: Option<Extents>,
    side: Side,
    /// The packets that somebody may send or get, in one state at least.
    inside: PacketSet,
}

/// What is open in one state, in the joint space.
#[derive(Default)]
pub(super) struct Opened {
    pub(super) view: Option<View>,
    pub(super) parts: Vec<Part>,
    surely: Option<PacketSet>,
    possibly: Option<PacketSet>,
}

impl Opened {
    pub(super) fn surely(&self) -> PacketSet {
        self.surely.unwrap_or(PacketSet::empty())
    }

    pub(super) fn possibly(&self) -> PacketSet {
        self.possibly.unwrap_or(PacketSet::empty())
    }
}

impl<'p> Joint<'p> {
    /// A space for a side of the host in these states.
    pub(super) fn new(
        peers: &'p Peers,
        states: &[&Filters<'_>],
        side: Side,
        space: Space,
    ) -> Result<Self, OverBudget> {
        let mut joint = Self {
            space,
            peers,
            // What is said is said as the new state would, or the old one where there is no new.
            extents: states.last().map(|filters| {
                let world = World {
                    identities: peers.identities.clone(),
                    ..filters.world.clone()
                };
                Extents::of(&world, filters.own(), filters.ends(Side::Transit))
            }),
            side,
            inside: PacketSet::all(),
        };
        if states.iter().any(|filters| filters.asks_who(side)) {
            let inside = states.iter().map(|filters| filters.world.inside());
            let inside = inside.fold(Addresses::default(), |all, one| all.union(&one));
            joint.inside = joint.somebody(&inside)?;
        }
        Ok(joint)
    }

    /// The packets of peers by numbers that there are: of those of whom only an address is known, and of members from where these
    /// are.
    fn somebody(&mut self, inside: &Addresses) -> Result<PacketSet, OverBudget> {
        let who = self.side.peer_identity();
        let unknown = RangeSet::point(Identities::UNKNOWN.into());
        let last = self.peers.identities.iter().count() as u128;
        let mut somebody = vec![self.space.product(&[(who, unknown)])?];
        for family in Family::ALL.into_iter().filter(|_| last > 0) {
            somebody.push(self.space.product(&[
                (Field::Family, RangeSet::point(family.value())),
                (who, RangeSet::range(1, last)),
                (self.side.peer(family), inside.family(family).clone()),
            ])?);
        }
        self.space.union_all(&somebody)
    }

    /// A set of a state's own space here.
    pub(super) fn bring(
        &mut self,
        filters: &mut Filters<'_>,
        state: usize,
        set: PacketSet,
    ) -> Result<PacketSet, OverBudget> {
        let peers = self.peers;
        let values = |field: Field, there: &RangeSet| peers.numbers(field, state, there);
        let told = filters.told(set)?;
        let here = self.space.import(&filters.compiler.space, told, &values)?;
        self.space.intersection(here, self.inside)
    }

    pub(super) fn opened(
        &mut self,
        filters: &mut Filters<'_>,
        state: usize,
        families: &[Family],
    ) -> Result<Opened, OverBudget> {
        let view = filters.view(self.side, Moment::First)?;
        let sendable = sendable(filters, view, families)?;
        let mut joint = Vec::new();
        for part in parts(filters, view, sendable)? {
            let region = self.bring(filters, state, part.region)?;
            if !region.is_empty() {
                joint.push(Part { region, ..part });
            }
        }
        let regions = |sure_only: bool| {
            let of = joint.iter().filter(|part| part.is_sure || !sure_only);
            of.map(|part| part.region).collect::<Vec<_>>()
        };
        let (sure, all) = (regions(true), regions(false));
        Ok(Opened {
            view: Some(view),
            surely: Some(self.space.union_all(&sure)?),
            possibly: Some(self.space.union_all(&all)?),
            parts: joint,
        })
    }

    /// The lines of a set. What holds for peers of whom only an address is known is said of addresses alone, the rest of
    /// those for whom it holds besides.
    pub(super) fn lines(&mut self, set: PacketSet) -> Result<Vec<String>, OverBudget> {
        let Some(extents) = &self.extents else {
            return Ok(Vec::new());
        };
        let who = self.side.peer_identity();
        let unknown = RangeSet::point(crate::model::Identities::UNKNOWN.into());
        let of_anybody = self.space.exists(set, who, &unknown)?;
        let of_members = self.space.difference(set, of_anybody)?;
        let mut lines = Vec::new();
        for set in [of_anybody, of_members] {
            if !set.is_empty() {
                lines.extend(extents.lines(&self.space, set, self.side));
            }
        }
        // What goes without saying may be all that two lines differ in.
        let mut seen = BTreeSet::new();
        lines.retain(|line| seen.insert(line.clone()));
        Ok(lines)
    }
}
