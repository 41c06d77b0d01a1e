//! What a change of its filters opens and closes at a host.
//!
//! The openings of both states are brought into one space, where who somebody is has one number for both, and subtracted there.
//! INVARIANT: each packet of the families that both states filter, of each direction, is in exactly one change or in none, and
//! in none only if what becomes of it is the same in both states, for the same reasons.

mod peers;

use std::collections::BTreeSet;

use super::extent::Extents;
use super::filters::Filters;
use super::host::Host;
use super::openings::{Part, parts};
use super::peer::World;
use super::view::{Moment, Side, View};
use super::words;
use crate::finding::Label;
use crate::model::Decider;
use crate::packet::{Concrete, End, Family, Field, OverBudget, PacketSet, RangeSet, Space};
use crate::source::Span;
use peers::Peers;

/// What becomes of packets in one state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// They do not get through, whatever the unknown parts turn out to be.
    Closed,
    /// It depends on something that is not known.
    Possibly,
    /// They get through.
    Open,
}

/// Which way packets go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Direction {
    /// To the host.
    In,
    /// From it.
    Out,
    /// Through it.
    Forward,
}

/// Packets whose fate a change changes.
#[derive(Debug, Clone)]
pub struct Change {
    /// The packets, line by line.
    pub lines: Vec<String>,
    /// What became of them.
    pub before: State,
    /// What becomes of them.
    pub after: State,
    /// Which way they go.
    pub direction: Direction,
    /// What decided about them, in a text of the old state.
    pub old: Option<Label>,
    /// What decides about them, in a text of the new one.
    pub new: Option<Label>,
}

/// A state of a host: itself, what is known beside it, and what its texts say at a place.
#[derive(Clone, Copy)]
pub struct Told<'a> {
    /// The host.
    pub host: &'a Host,
    /// Zones and peers.
    pub world: &'a World,
    /// The text of some bytes.
    pub text: &'a (dyn Fn(Span) -> String + Sync),
}

/// What becomes other between two states of a host, in the order of the rules that open. `None`: there is no such host.
pub fn changes(
    old: Option<Told<'_>>,
    new: Option<Told<'_>>,
    budget: usize,
) -> Result<Vec<Change>, OverBudget> {
    let peers = Peers::of(old.map(|told| told.world), new.map(|told| told.world));
    let (Some(shown), both) = (new.or(old), old.is_some() && new.is_some()) else {
        return Ok(Vec::new());
    };
    let families: Vec<Family> = Family::ALL
        .into_iter()
        .filter(|family| {
            let filters = |told: Told<'_>| told.host.families().contains(family);
            old.is_none_or(filters) && new.is_none_or(filters)
        })
        .collect();
    let mut states = [None, None];
    for (state, told) in states.iter_mut().zip([old, new]) {
        if let Some(told) = told {
            let filters = Filters::compile(told.host, told.world, Space::with_budget(budget), false)?;
            *state = Some((told, filters));
        }
    }
    let is_router = [old, new].iter().flatten().any(|told| told.host.is_router);
    let world = World {
        identities: peers.identities.clone(),
        ..shown.world.clone()
    };
    let mut found = Vec::new();
    let sides = [
        (Side::Ingress, Direction::In, true),
        // Of a host that is made or taken away it is not said what it may call: mostly everything.
        (Side::Egress, Direction::Out, both),
        (Side::Transit, Direction::Forward, is_router),
    ];
    for (side, direction, _) in sides.into_iter().filter(|(.., is_asked)| *is_asked) {
        let mut joint = Joint {
            space: Space::with_budget(budget),
            peers: &peers,
            extents: None,
            side,
        };
        let mut sets = Vec::new();
        for (at, state) in states.iter_mut().enumerate() {
            sets.push(match state {
                None => Opened::default(),
                Some((_, filters)) => {
                    let (own, others) = (filters.own().clone(), filters.ends(Side::Transit).clone());
                    joint.extents = Some(Extents::of(&world, &own, &others));
                    joint.opened(filters, at, &families)?
                }
            });
        }
        let [old, new] = <[Opened; 2]>::try_from(sets).unwrap_or_default();
        let mut differences = Differences {
            joint: &mut joint,
            states: &states,
            opened: [&old, &new],
            direction,
        };
        differences.find(&mut found)?;
    }
    Ok(found)
}

/// A number of what is open at a host, the same for hosts that differ in their names alone.
pub fn fingerprint(host: &Host, world: &World, budget: usize) -> Result<Vec<u64>, OverBudget> {
    let mut filters = Filters::compile(host, world, Space::with_budget(budget), false)?;
    let mut numbers = Vec::new();
    for side in [Side::Ingress, Side::Egress] {
        let view = filters.view(side, Moment::First)?;
        let families = filters.families.clone();
        let parts = parts(&mut filters, view, &families)?;
        for wanted in [true, false] {
            let of = parts.iter().filter(|part| part.is_sure || part.is_sure == wanted);
            let regions: Vec<PacketSet> = of.map(|part| part.region).collect();
            let all = filters.compiler.space.union_all(&regions)?;
            numbers.push(filters.number(all));
        }
    }
    Ok(numbers)
}

/// The space in which both states are compared, for one side of the host.
struct Joint<'p> {
    space: Space,
    peers: &'p Peers,
    extents: Option<Extents>,
    side: Side,
}

/// What is open in one state, in the joint space.
#[derive(Default)]
struct Opened {
    view: Option<View>,
    parts: Vec<Part>,
    surely: Option<PacketSet>,
    possibly: Option<PacketSet>,
}

impl Opened {
    fn surely(&self) -> PacketSet {
        self.surely.unwrap_or(PacketSet::empty())
    }

    fn possibly(&self) -> PacketSet {
        self.possibly.unwrap_or(PacketSet::empty())
    }
}

impl Joint<'_> {
    fn opened(
        &mut self,
        filters: &mut Filters<'_>,
        state: usize,
        families: &[Family],
    ) -> Result<Opened, OverBudget> {
        let view = filters.view(self.side, Moment::First)?;
        let mut joint = Vec::new();
        for part in parts(filters, view, families)? {
            let values = |field: Field, there: &RangeSet| self.peers.numbers(field, state, there);
            let told = filters.told(part.region)?;
            let region = self.space.import(&filters.compiler.space, told, &values)?;
            joint.push(Part { region, ..part });
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
    fn lines(&mut self, set: PacketSet) -> Result<Vec<String>, OverBudget> {
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

/// The states of a host with what is open in each.
struct Differences<'d, 'm> {
    joint: &'d mut Joint<'m>,
    states: &'d [Option<(Told<'m>, Filters<'m>)>; 2],
    opened: [&'d Opened; 2],
    direction: Direction,
}

impl Differences<'_, '_> {
    fn find(&mut self, found: &mut Vec<Change>) -> Result<(), OverBudget> {
        let [old, new] = self.opened;
        let bounds = [old, new].map(|opened| [opened.surely(), opened.possibly()]);
        let of_state = |space: &mut Space, at: usize, state: State| {
            let [surely, possibly] = bounds.get(at).copied().unwrap_or([PacketSet::empty(); 2]);
            match state {
                State::Open => Ok(surely),
                State::Possibly => space.difference(possibly, surely),
                State::Closed => space.complement(possibly),
            }
        };
        let others = [
            (State::Closed, State::Open),
            (State::Possibly, State::Open),
            (State::Closed, State::Possibly),
            (State::Open, State::Closed),
            (State::Open, State::Possibly),
            (State::Possibly, State::Closed),
        ];
        for (before, after) in others {
            let space = &mut self.joint.space;
            let (from, to) = (of_state(space, 0, before)?, of_state(space, 1, after)?);
            let mut left = space.intersection(from, to)?;
            // Whoever opens has more to say than who closes.
            let at = usize::from(after > before);
            let parts = self.opened.get(at).map_or(&[][..], |opened| &opened.parts);
            for part in parts {
                let region = self.joint.space.intersection(left, part.region)?;
                if !region.is_empty() {
                    left = self.joint.space.difference(left, region)?;
                    found.push(self.change((before, after), region, (at, part.opener))?);
                }
            }
        }
        self.other_doubts(found)
    }

    /// What depends on something in both states, but not on the same.
    fn other_doubts(&mut self, found: &mut Vec<Change>) -> Result<(), OverBudget> {
        let [old, new] = self.opened;
        let mut seen = self.joint.space.union(old.surely(), new.surely())?;
        for was in old.parts.iter().filter(|part| !part.is_sure) {
            for is in new.parts.iter().filter(|part| !part.is_sure) {
                let space = &mut self.joint.space;
                let both = space.intersection(was.region, is.region)?;
                let both = space.difference(both, seen)?;
                let Some(witness) = space.witness(both) else {
                    continue;
                };
                seen = space.union(seen, both)?;
                if self.doubts(0, &witness) != self.doubts(1, &witness) {
                    let states = (State::Possibly, State::Possibly);
                    found.push(self.change(states, both, (1, is.opener))?);
                }
            }
        }
        Ok(())
    }

    /// Why it is not sure what becomes of a packet: the reasons with the text that each is about.
    fn doubts(&self, state: usize, witness: &Concrete) -> Vec<(String, String)> {
        let (Some(Some((told, filters))), Some(view)) = (self.states.get(state), self.view(state)) else {
            return Vec::new();
        };
        let of = |field| self.joint.peers.value(field, state, witness);
        let outcomes = filters.compiler.space.outcomes_of(view.ruling, &of);
        let reasons = outcomes.doubts.iter();
        let reasons = reasons.filter_map(|&doubt| filters.compiler.reason(doubt));
        let text = |span: Option<Span>| {
            let text = span.map(|span| (told.text)(span)).unwrap_or_default();
            text.split_whitespace().collect::<Vec<_>>().join(" ")
        };
        let mut said: Vec<_> = reasons
            .map(|reason| (reason.why.to_string(), text(reason.span)))
            .collect();
        said.sort();
        said.dedup();
        said
    }

    fn view(&self, state: usize) -> Option<View> {
        self.opened.get(state)?.view
    }

    fn change(
        &mut self,
        (before, after): (State, State),
        region: PacketSet,
        (at, opener): (usize, Decider),
    ) -> Result<Change, OverBudget> {
        let lines = self.joint.lines(region)?;
        let witness = self.joint.space.witness(region);
        let label = |state: usize| {
            let (_, filters) = self.states.get(state)?.as_ref()?;
            if state == at {
                return words::opener(&filters.compiler, opener, "it");
            }
            self.decides(state, witness.as_ref()?)
        };
        Ok(Change {
            lines,
            before,
            after,
            direction: self.direction,
            old: label(0),
            new: label(1),
        })
    }

    /// What decides about a packet in a state.
    fn decides(&self, state: usize, witness: &Concrete) -> Option<Label> {
        let (_, filters) = self.states.get(state)?.as_ref()?;
        let view = self.view(state)?;
        let of = |field| self.joint.peers.value(field, state, witness);
        let outcomes = filters.compiler.space.outcomes_of(view.ruling, &of);
        let stops = outcomes
            .outcomes
            .iter()
            .find(|outcome| outcome.end != End::Accept);
        let cause = stops.or(outcomes.outcomes.first())?.cause;
        let decider = filters.compiler.decider(cause)?;
        if stops.is_none() {
            return words::opener(&filters.compiler, decider, "it");
        }
        words::blocker(&filters.compiler, decider, "stops it")
    }
}
