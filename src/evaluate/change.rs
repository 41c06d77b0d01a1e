//! What a change of its filters opens and closes at a host.
//!
//! The openings of both states are brought into one space, where who somebody is has one number for both, and subtracted there.
//! INVARIANT: each packet of the families that both states filter, of each direction, is in exactly one change or in none, and
//! in none only if what becomes of it is the same in both states, for the same reasons.

mod difference;
mod joint;
mod peers;
mod requirement;
mod rows;

use super::filters::Filters;
use super::host::Host;
use super::openings::{parts, sendable};
use super::peer::World;
use super::view::{Moment, Side};
use crate::finding::{Certainty, Code, Label};
use crate::packet::{Family, OverBudget, PacketSet, Space};
use crate::policy::Row;
use crate::source::Span;
use difference::Differences;
use joint::{Joint, Opened};
use peers::Peers;
use requirement::Compared;

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

/// Packets for which rows get otherwise than they ask, and did not, or did and no longer do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    /// What it is called where a host does not keep to the rows.
    pub code: Code,
    /// Whether it is so whatever the unknown parts turn out to be, in both states.
    pub certainty: Certainty,
    /// The ids of the rows.
    pub rows: Vec<String>,
    /// The packets, line by line.
    pub lines: Vec<String>,
}

/// What a change does to the rows at a host.
#[derive(Debug, Clone, Default)]
pub struct Requirements {
    /// What the host no longer keeps to.
    pub broken: Vec<Requirement>,
    /// What it keeps to now.
    pub mended: Vec<Requirement>,
}

/// What becomes other at a host.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    /// What opens and closes, in the order of the rules that open.
    pub openings: Vec<Change>,
    /// What becomes of the rows.
    pub requirements: Requirements,
}

/// A state of a host: itself, what is known beside it, and what its texts say at a place.
#[derive(Clone, Copy)]
pub struct Told<'a> {
    /// The host.
    pub host: &'a Host,
    /// Zones and peers.
    pub world: &'a World,
    /// The rows in force.
    pub rows: &'a [Row],
    /// The text of some bytes.
    pub text: &'a (dyn Fn(Span) -> String + Sync),
}

/// What becomes other between two states of a host. `None`: there is no such host.
pub fn changes(old: Option<Told<'_>>, new: Option<Told<'_>>, budget: usize) -> Result<Changes, OverBudget> {
    let peers = Peers::of(old.map(|told| told.world), new.map(|told| told.world));
    let both = old.is_some() && new.is_some();
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
            let has_own = rows::speak_of_itself(told.rows);
            let filters = Filters::compile(told.host, told.world, Space::with_budget(budget), has_own)?;
            *state = Some((told, filters));
        }
    }
    let is_router = [old, new].iter().flatten().any(|told| told.host.is_router);
    let mut found = Vec::new();
    let sides = [
        (Side::Ingress, Direction::In, true),
        // Of a host that is made or taken away it is not said what it may call: mostly everything.
        (Side::Egress, Direction::Out, both),
        (Side::Transit, Direction::Forward, is_router),
    ];
    for (side, direction, _) in sides.into_iter().filter(|(.., is_asked)| *is_asked) {
        let there: Vec<&Filters<'_>> = states.iter().flatten().map(|(_, filters)| filters).collect();
        let mut joint = Joint::new(&peers, &there, side, Space::with_budget(budget))?;
        let mut sets = [Opened::default(), Opened::default()];
        for (at, (set, state)) in sets.iter_mut().zip(&mut states).enumerate() {
            if let Some((_, filters)) = state {
                *set = joint.opened(filters, at, &families)?;
            }
        }
        let [old, new] = &sets;
        let mut differences = Differences {
            joint: &mut joint,
            states: &states,
            opened: [old, new],
            direction,
        };
        differences.find(&mut found)?;
    }
    let mut asked = [Vec::new(), Vec::new()];
    for (asked, state) in asked.iter_mut().zip(&mut states) {
        if let Some((told, filters)) = state {
            *asked = rows::asked(filters, told.rows)?;
        }
    }
    let mut compared = Compared {
        peers: &peers,
        states: &mut states,
        families: &families,
        budget,
    };
    Ok(Changes {
        openings: found,
        requirements: compared.requirements(&asked)?,
    })
}

/// A number of what is open at a host, the same for hosts that differ in their names alone.
pub fn fingerprint(host: &Host, world: &World, budget: usize) -> Result<Vec<u64>, OverBudget> {
    let mut filters = Filters::compile(host, world, Space::with_budget(budget), false)?;
    let mut numbers = Vec::new();
    for side in [Side::Ingress, Side::Egress] {
        let view = filters.view(side, Moment::First)?;
        let families = filters.families.clone();
        let all = sendable(&mut filters, view, &families)?;
        let all = filters.inside(all, side)?;
        let parts = parts(&mut filters, view, all)?;
        for wanted in [true, false] {
            let of = parts.iter().filter(|part| part.is_sure || part.is_sure == wanted);
            let regions: Vec<PacketSet> = of.map(|part| part.region).collect();
            let all = filters.compiler.space.union_all(&regions)?;
            let told = filters.told(all)?;
            numbers.push(filters.number(told));
        }
    }
    Ok(numbers)
}
