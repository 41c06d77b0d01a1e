//! Compiled rulesets: diagrams whose terminals say what happens and which rule decides.
//!
//! A [`Ruling`] is a *segment* of a ruleset: it decides some packets and lets the others fall through or
//! return, with the changes made on the way. [`Space::sequence`] puts one behind another and is associative,
//! so any bracketing gives the same ruling: chains are folded by halves, and each is compiled once.

use rustc_hash::FxHashMap;

use super::apply::Binary;
use super::cursor::Cursor;
use super::outcome::{Assignment, Cause, Doubt, EditId, End, Kinds, Outcome, OutcomeSet};
use super::set::{Bounds, PacketSet};
use super::space::{Node, Operation, OverBudget, Space};
use super::{Field, RangeSet};

/// For each packet, what may happen to it and who decides. Only means something in the [`Space`] that made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ruling(pub(super) Node);

struct Merge(Option<Doubt>);

impl Binary for Merge {
    fn operation(&self) -> Operation {
        Operation::Merge(self.0)
    }

    fn shortcut(&self, _: &Space, left: Node, right: Node) -> Option<Node> {
        (left == right).then_some(left)
    }

    fn whatever_right(&self, _: &Space, _: Node) -> Option<Node> {
        None
    }

    fn whatever_left(&self, _: &Space, _: Node) -> Option<Node> {
        None
    }

    fn terminals(&self, space: &mut Space, left: u32, right: u32) -> u32 {
        let merged = OutcomeSet::merged(&[space.outcomes.set(left), space.outcomes.set(right)], self.0);
        space.outcomes.number(merged)
    }
}

impl Space {
    /// The ruling that does the same to every packet.
    pub fn always(&mut self, outcomes: &[Outcome], doubts: &[Doubt]) -> Ruling {
        let set = OutcomeSet::canonical(outcomes.to_vec(), doubts.to_vec());
        Ruling(Node::terminal(self.outcomes.number(set)))
    }

    /// The ruling that decides nothing: the neutral element of [`Space::sequence`].
    pub fn pass(&mut self) -> Ruling {
        self.always(
            &[Outcome {
                end: End::Fall,
                cause: Cause::NOBODY,
                edit: EditId::NONE,
            }],
            &[],
        )
    }

    /// Numbers a change. Fields must be distinct.
    pub fn edit(&mut self, assignments: Vec<(Field, Assignment)>) -> EditId {
        self.outcomes.edit_number(assignments)
    }

    /// What a change does, field by field.
    #[must_use]
    pub fn assignments(&self, edit: EditId) -> &[(Field, Assignment)] {
        self.outcomes.edit(edit)
    }

    /// Of two base chains that accept a packet one after the other, the cause of higher rank is named; of
    /// equal ranks the later.
    pub fn set_rank(&mut self, cause: Cause, rank: u8) {
        self.outcomes.set_rank(cause, rank);
    }

    /// What may happen by either; `doubt` says what decides between them.
    pub fn merge(&mut self, left: Ruling, right: Ruling, doubt: Option<Doubt>) -> Result<Ruling, OverBudget> {
        self.apply(&Merge(doubt), left.0, right.0).map(Ruling)
    }

    /// A ruling as packets see it to which `edit` was done before.
    pub fn read_under(&mut self, ruling: Ruling, edit: EditId) -> Result<Ruling, OverBudget> {
        let (mut points, mut others) = (Vec::new(), Vec::new());
        for (field, assignment) in self.outcomes.edit(edit) {
            match assignment {
                Assignment::OneOf(values, _) if values.single().is_some() => {
                    points.extend(values.single().map(|value| (self.level_of(*field), value)));
                }
                _ if self.asks(*field) => others.push((*field, assignment.clone())),
                _ => {}
            }
        }
        points.sort_unstable();
        let mut result = Ruling(self.fix(ruling.0, &points, &mut FxHashMap::default())?);
        for (field, assignment) in others {
            result = match assignment {
                Assignment::OneOf(values, doubt) => self.assume(result, field, &values, doubt)?,
                Assignment::Flip => self.flip(result, field)?,
            };
        }
        Ok(result)
    }

    /// A diagram with some fields, by their levels, fixed at one value each. Walks no further down than the last of them.
    fn fix(
        &mut self,
        node: Node,
        points: &[(u16, u128)],
        known: &mut FxHashMap<Node, Node>,
    ) -> Result<Node, OverBudget> {
        let level = self.level(node);
        let points = points
            .get(points.partition_point(|point| point.0 < level)..)
            .unwrap_or(&[]);
        let Some(&(next, value)) = points.first() else {
            return Ok(node);
        };
        if next == level {
            return self.fix(self.child(node, value), points, known);
        }
        if let Some(&done) = known.get(&node) {
            return Ok(done);
        }
        let begun = self.begin();
        for at in 0..self.n_edges_of(node) {
            let (high, kid) = self.edge(node, at);
            let kid = self.fix(kid, points, known)?;
            self.push(begun, high, kid);
        }
        let result = self.finish(begun, level)?;
        known.insert(node, result);
        Ok(result)
    }

    /// A ruling for packets of which it is known that `field` has one of `values`, but not which one. The result does
    /// not depend on `field`; where the values lead to different outcomes, all of them may happen and `doubt` says why.
    pub fn assume(
        &mut self,
        ruling: Ruling,
        field: Field,
        values: &RangeSet,
        doubt: Option<Doubt>,
    ) -> Result<Ruling, OverBudget> {
        self.assume_all(ruling, &[(field, values.clone(), doubt)])
    }

    /// [`Space::assume`] for several fields in one walk.
    pub fn assume_all(
        &mut self,
        ruling: Ruling,
        fields: &[(Field, RangeSet, Option<Doubt>)],
    ) -> Result<Ruling, OverBudget> {
        let mut asked: Vec<_> = fields
            .iter()
            .filter(|(field, ..)| self.asks(*field))
            .map(|(field, values, doubt)| (self.level_of(*field), values, *doubt))
            .collect();
        asked.sort_by_key(|asked| asked.0);
        self.assume_below(ruling.0, &asked, &mut FxHashMap::default())
            .map(Ruling)
    }

    fn assume_below(
        &mut self,
        node: Node,
        asked: &[(u16, &RangeSet, Option<Doubt>)],
        known: &mut FxHashMap<Node, Node>,
    ) -> Result<Node, OverBudget> {
        let level = self.level(node);
        if asked.last().is_none_or(|last| last.0 < level) {
            return Ok(node);
        }
        if let Some(&done) = known.get(&node) {
            return Ok(done);
        }
        let assumed = asked.binary_search_by_key(&level, |asked| asked.0).ok();
        let result = if let Some(&(_, values, doubt)) = assumed.and_then(|at| asked.get(at)) {
            let mut kids: Vec<Node> = Vec::new();
            for &(low, high) in values.ranges() {
                kids.extend(self.edges_within(node, low, high));
            }
            for kid in &mut kids {
                *kid = self.assume_below(*kid, asked, known)?;
            }
            kids.sort_unstable();
            kids.dedup();
            self.fold(&Merge(doubt), &kids, node)?
        } else {
            let begun = self.begin();
            for at in 0..self.n_edges_of(node) {
                let (high, kid) = self.edge(node, at);
                let kid = self.assume_below(kid, asked, known)?;
                self.push(begun, high, kid);
            }
            self.finish(begun, level)?
        };
        known.insert(node, result);
        Ok(result)
    }

    fn flip(&mut self, ruling: Ruling, field: Field) -> Result<Ruling, OverBudget> {
        let mut known = FxHashMap::default();
        self.project(ruling.0, field, &mut known, &mut |space, node| {
            let (zero, one) = (space.child(node, 0), space.child(node, 1));
            space.split(field, &RangeSet::point(0), one, zero)
        })
        .map(Ruling)
    }

    /// The same diagram with the outcomes of some ends changed by `change`.
    pub fn map_outcomes(
        &mut self,
        ruling: Ruling,
        ends: &[End],
        change: &impl Fn(Outcome) -> Outcome,
    ) -> Result<Ruling, OverBudget> {
        let kinds = ends
            .iter()
            .fold(Kinds::default(), |kinds, end| kinds.with(end.kind()));
        let change = |outcome: Outcome| {
            if ends.contains(&outcome.end) {
                change(outcome)
            } else {
                outcome
            }
        };
        let mut known = FxHashMap::default();
        self.map_terminals(ruling.0, kinds, &mut known, &mut |space, terminal| {
            let set = space.outcomes.set(terminal);
            let (is_truncated, doubts) = (set.is_truncated(), set.doubts.clone());
            let outcomes = set.outcomes.iter().copied().map(change).collect();
            let changed = OutcomeSet::canonical(outcomes, doubts).truncated(is_truncated);
            space.outcomes.number(changed)
        })
        .map(Ruling)
    }

    /// Rebuilds a diagram with other terminals. What has no terminal of these kinds stays as it is.
    pub(super) fn map_terminals(
        &mut self,
        node: Node,
        kinds: Kinds,
        known: &mut FxHashMap<Node, Node>,
        change: &mut impl FnMut(&mut Self, u32) -> u32,
    ) -> Result<Node, OverBudget> {
        if !self.kinds(node).meets(kinds) {
            return Ok(node);
        }
        if let Some(&done) = known.get(&node) {
            return Ok(done);
        }
        let result = if let Some(terminal) = node.as_terminal() {
            Node::terminal(change(self, terminal))
        } else {
            let begun = self.begin();
            for at in 0..self.n_edges_of(node) {
                let (high, kid) = self.edge(node, at);
                let kid = self.map_terminals(kid, kinds, known, change)?;
                self.push(begun, high, kid);
            }
            self.finish(begun, self.level(node))?
        };
        known.insert(node, result);
        Ok(result)
    }

    /// The packets whose outcomes pass a test.
    pub fn packets_where(
        &mut self,
        ruling: Ruling,
        test: &mut impl FnMut(&OutcomeSet) -> bool,
    ) -> Result<PacketSet, OverBudget> {
        let mut known = FxHashMap::default();
        self.map_terminals(ruling.0, Kinds::ANY, &mut known, &mut |space, terminal| {
            u32::from(test(space.outcomes.set(terminal)))
        })
        .map(PacketSet)
    }

    /// The packets that get through.
    pub fn accepted(&mut self, ruling: Ruling) -> Result<Bounds, OverBudget> {
        let possibly = self.packets_where(ruling, &mut OutcomeSet::possibly_accepts)?;
        if !self.kinds(ruling.0).meets(Kinds::UNSURE) {
            return Ok(Bounds::exactly(possibly));
        }
        let surely = self.packets_where(ruling, &mut OutcomeSet::surely_accepts)?;
        Ok(Bounds { surely, possibly })
    }

    /// The packets of `within` whose outcomes pass a test. Costs what the part of the ruling under `within` costs.
    pub fn packets_within(
        &mut self,
        within: PacketSet,
        ruling: Ruling,
        test: &impl Fn(&OutcomeSet) -> bool,
    ) -> Result<PacketSet, OverBudget> {
        let mut known = FxHashMap::default();
        self.select(within.0, ruling.0, test, &mut known).map(PacketSet)
    }

    fn select(
        &mut self,
        within: Node,
        ruling: Node,
        test: &impl Fn(&OutcomeSet) -> bool,
        known: &mut FxHashMap<(Node, Node), Node>,
    ) -> Result<Node, OverBudget> {
        if within == PacketSet::empty().0 {
            return Ok(within);
        }
        if let Some(terminal) = ruling.as_terminal() {
            let passes = test(self.outcomes.set(terminal));
            return Ok(if passes { within } else { PacketSet::empty().0 });
        }
        if let Some(&done) = known.get(&(within, ruling)) {
            return Ok(done);
        }
        let level = self.level(within).min(self.level(ruling));
        let max = self.maximum(level);
        let mut of_set = Cursor::new(self, within, level, max);
        let mut of_ruling = Cursor::new(self, ruling, level, max);
        let begun = self.begin();
        loop {
            let is_outside = PacketSet(of_set.kid).is_empty();
            let high = if is_outside {
                of_set.high
            } else {
                of_set.high.min(of_ruling.high)
            };
            let kid = self.select(of_set.kid, of_ruling.kid, test, known)?;
            self.push(begun, high, kid);
            if high >= max {
                break;
            }
            of_set.go_behind(self, high);
            of_ruling.go_behind(self, high);
        }
        let result = self.finish(begun, level)?;
        known.insert((within, ruling), result);
        Ok(result)
    }

    /// What may happen to one packet; `value` gives its fields.
    pub fn outcomes_of(&self, ruling: Ruling, value: &impl Fn(Field) -> u128) -> &OutcomeSet {
        self.outcomes.set(self.terminal_of(ruling.0, value))
    }
}
