//! What is open in one state and not in the other, and what decides.

use super::super::filters::Filters;
use super::super::view::View;
use super::super::words;
use super::joint::{Joint, Opened};
use super::{Change, Direction, State, Told};
use crate::finding::Label;
use crate::model::Decider;
use crate::packet::{Concrete, End, OverBudget, PacketSet, Space};
use crate::source::Span;

/// The states of a host with what is open in each.
pub(super) struct Differences<'d, 'm> {
    pub(super) joint: &'d mut Joint<'m>,
    pub(super) states: &'d [Option<(Told<'m>, Filters<'m>)>; 2],
    pub(super) opened: [&'d Opened; 2],
    pub(super) direction: Direction,
}

impl Differences<'_, '_> {
    pub(super) fn find(&mut self, found: &mut Vec<Change>) -> Result<(), OverBudget> {
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
