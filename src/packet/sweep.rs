//! Compiling a list of rules, first match first, by sweeping over elementary intervals.
//!
//! At each level the ends of all ranges cut the field into intervals; in each, some of the rules are still active.
//! Equal lists of active rules are compiled once, and a list ends at the first rule that has nothing left to ask. That is fast where
//! few rules overlap, and far too slow where many do: the work is bounded, and past the bound
//! the list is cut in chunks that are put one behind the other (see [`Space::first_match`]).

use std::hash::{Hash, Hasher};

use hashbrown::HashTable;
use rustc_hash::{FxHashSet, FxHasher};

use super::active::toggle;
use super::effort::{Effort, TooMuch};
use super::outcome::End;
use super::pins::Pin;
use super::ruling::Ruling;
use super::set::PacketSet;
use super::space::{Node, OverBudget, Space};
use super::{Field, RangeSet};

/// A rule: what a packet must pass, and what happens then.
#[derive(Debug, Clone)]
pub struct Line {
    /// The tests, all of which must hold, each of another field.
    pub tests: Vec<(Field, RangeSet)>,
    /// What happens: a ruling that asks no field, and changes none unless it is the last of its list.
    pub leaf: Ruling,
}

/// Copied list elements a rule that a sweep of all rules may cost before it gives up.
const WORK_PER_LINE: usize = 160;
/// What a sweep may cost however few the rules.
const WORK_AT_LEAST: usize = 200_000;
/// Rules taken at once where a sweep of all gave up; halved and doubled as their sweeps fail and succeed.
const FIRST_CHUNK: usize = 128;

/// Why a sweep stopped.
enum Stop {
    Budget(OverBudget),
    TooMuchWork,
}

impl From<TooMuch> for Stop {
    fn from(_: TooMuch) -> Self {
        Self::TooMuchWork
    }
}

impl From<OverBudget> for Stop {
    fn from(over: OverBudget) -> Self {
        Self::Budget(over)
    }
}

impl Space {
    /// Compiles rules of which the first that matches decides. May collect: only what is pinned outlives the call,
    /// and its result.
    pub fn first_match(&mut self, lines: &[Line]) -> Result<Ruling, OverBudget> {
        match self.sweep(lines, (lines.len() * WORK_PER_LINE).max(WORK_AT_LEAST)) {
            Ok(node) => Ok(Ruling(node)),
            Err(Stop::Budget(over)) => Err(over),
            Err(Stop::TooMuchWork) => self.first_match_by_chunks(lines),
        }
    }

    fn sweep(&mut self, lines: &[Line], limit: usize) -> Result<Node, Stop> {
        let begun = self.begin();
        let result = Sweep::new(self, lines, limit).run(self);
        if result.is_err() {
            self.abandon(begun);
        }
        result
    }

    /// Sweeps chunk by chunk and puts the chunks one behind the other, those of like size first. Lines that
    /// nothing reaches any more are left out of their chunk: where much overlaps, those are most.
    fn first_match_by_chunks(&mut self, lines: &[Line]) -> Result<Ruling, OverBudget> {
        let mark = self.pin_mark();
        let undecided = self.pin(Ruling(PacketSet::all().0));
        let mut weights: Vec<(Pin, usize)> = Vec::new();
        let (mut rest, mut size) = (lines, FIRST_CHUNK);
        while !rest.is_empty() {
            let (chunk, behind) = rest.split_at(size.min(rest.len()));
            let open = self.pinned(undecided).0;
            let is_reached = |line: &&Line| self.meets(open, line);
            let alive: Vec<Line> = chunk.iter().filter(is_reached).cloned().collect();
            // A single line is a product: its sweep costs what it has ranges, and is not to be cut further.
            let limit = if size == 1 { usize::MAX } else { WORK_AT_LEAST };
            match self.sweep(&alive, limit) {
                Ok(node) => {
                    rest = behind;
                    size = size.saturating_mul(2);
                    weights.push((self.pin(Ruling(node)), chunk.len()));
                    self.leave_undecided(undecided, node)?;
                    self.join_like_sizes(&mut weights)?;
                    self.collect_if_due();
                }
                Err(Stop::TooMuchWork) => size = (size / 2).max(1),
                Err(Stop::Budget(over)) => return Err(over),
            }
        }
        let segments: Vec<_> = weights.iter().map(|&(pin, _)| self.pinned(pin)).collect();
        self.release(mark);
        self.sequence_all(&segments)
    }

    /// Takes what a segment decides out of the packets that nothing before it has decided.
    fn leave_undecided(&mut self, undecided: Pin, segment: Node) -> Result<(), OverBudget> {
        let falls = self.packets_where(Ruling(segment), &mut |set| {
            set.outcomes.iter().any(|outcome| outcome.end == End::Fall)
        })?;
        let before = PacketSet(self.pinned(undecided).0);
        let left = self.intersection(before, falls)?;
        self.repin(undecided, Ruling(left.0));
        Ok(())
    }

    fn join_like_sizes(&mut self, weights: &mut Vec<(Pin, usize)>) -> Result<(), OverBudget> {
        while let [.., (first, before), (second, after)] = weights.as_slice()
            && *before <= 2 * after
        {
            let (pin, weight) = (*first, before + after);
            let both = self.sequence(self.pinned(*first), self.pinned(*second))?;
            weights.truncate(weights.len() - 2);
            self.release(pin);
            weights.push((self.pin(both), weight));
        }
        Ok(())
    }

    /// Whether a line matches some packet of a set.
    fn meets(&self, set: Node, line: &Line) -> bool {
        let tests = prepare(self, line).tests;
        self.meets_tests(set, &tests, &mut FxHashSet::default())
    }

    fn meets_tests(&self, node: Node, tests: &[(u16, &RangeSet)], seen: &mut FxHashSet<Node>) -> bool {
        if node.as_terminal().is_some() {
            return !PacketSet(node).is_empty();
        }
        if !seen.insert(node) {
            return false;
        }
        let level = self.level(node);
        match tests.iter().find(|test| test.0 == level) {
            None => self.edges(node).any(|edge| self.meets_tests(edge.2, tests, seen)),
            Some((_, values)) => values.ranges().iter().any(|&(low, high)| {
                self.edges_within(node, low, high)
                    .any(|kid| self.meets_tests(kid, tests, seen))
            }),
        }
    }
}

/// A line as the sweep reads it: tests in the order of the levels.
struct Prepared<'l> {
    tests: Vec<(u16, &'l RangeSet)>,
    leaf: Node,
    /// The first level below all its tests.
    done_at: u16,
    /// Nothing follows it: its leaf never falls through.
    decides: bool,
}

impl Prepared<'_> {
    /// The first test at or below a level.
    fn next(&self, level: u16) -> Option<(u16, &RangeSet)> {
        self.tests.iter().find(|test| test.0 >= level).copied()
    }

    fn is_done(&self, level: u16) -> bool {
        self.done_at <= level
    }
}

struct Sweep<'l> {
    lines: Vec<Prepared<'l>>,
    /// Lists of active lines, one behind the other.
    lists: Vec<u32>,
    /// `(level, first, length, node)` of the lists compiled so far.
    known: HashTable<(u16, usize, usize, Node)>,
    effort: Effort,
    pass: Node,
}

impl<'l> Sweep<'l> {
    fn new(space: &mut Space, lines: &'l [Line], limit: usize) -> Self {
        let prepared = lines.iter().map(|line| prepare(space, line)).collect();
        let pass = space.pass().0;
        Self {
            lines: prepared,
            lists: Vec::new(),
            known: HashTable::new(),
            effort: Effort::new(limit),
            pass,
        }
    }

    fn run(mut self, space: &mut Space) -> Result<Node, Stop> {
        let all = 0..u32::try_from(self.lines.len()).unwrap_or(u32::MAX);
        self.lists.extend(all);
        let end = self.lists.len();
        self.compile(space, 0, 0, end)
    }

    #[expect(clippy::indexing_slicing, reason = "list elements are line numbers")]
    fn line(&self, at: usize) -> &Prepared<'l> {
        &self.lines[self.lists[at] as usize]
    }

    /// Compiles the list at `first..end` for what is asked at `level` and below.
    fn compile(&mut self, space: &mut Space, level: u16, first: usize, end: usize) -> Result<Node, Stop> {
        let mut rest = first;
        while rest < end && self.line(rest).is_done(level) && !self.line(rest).decides {
            rest += 1;
        }
        let mut node = if rest == end {
            self.pass
        } else if self.line(rest).is_done(level) {
            self.line(rest).leaf
        } else {
            self.compile_level(space, level, rest, end)?
        };
        for at in (first..rest).rev() {
            node = space.sequence(Ruling(self.line(at).leaf), Ruling(node))?.0;
        }
        Ok(node)
    }

    fn compile_level(
        &mut self,
        space: &mut Space,
        level: u16,
        first: usize,
        end: usize,
    ) -> Result<Node, Stop> {
        if let Some(behind) = self.behind_one(level, first, end) {
            return self.product(space, level, first, behind);
        }
        let level = self.next_level(level, first, end);
        let hash = self.hash(level, first, end);
        if let Some(&(.., node)) = self
            .known
            .find(hash, |known| self.is_same(known, level, first, end))
        {
            return Ok(node);
        }
        self.effort.add(end - first)?;
        let node = self.sweep(space, level, first, end)?;
        let (lists, entry) = (&self.lists, (level, first, end - first, node));
        let rehash =
            |known: &(u16, usize, usize, Node)| hash_list(lists, known.0, known.1, known.1 + known.2);
        self.known.insert_unique(hash, entry, rehash);
        Ok(node)
    }

    /// The first level, from `level` on, that some line of a list asks.
    fn next_level(&self, level: u16, first: usize, end: usize) -> u16 {
        let mut next = u16::MAX;
        for (asked, _) in (first..end).filter_map(|at| self.line(at).next(level)) {
            next = next.min(asked);
            if next == level {
                break;
            }
        }
        next
    }

    /// What follows the first line of a list, if that is the same for all packets.
    fn behind_one(&self, level: u16, first: usize, end: usize) -> Option<Node> {
        if end - first == 1 {
            return Some(self.pass);
        }
        let second = self.line(first + 1);
        (second.decides && second.is_done(level)).then_some(second.leaf)
    }

    /// One line, and what happens to packets that it does not match. Most lists of a kind ruleset come to that.
    fn product(&mut self, space: &mut Space, level: u16, line: usize, behind: Node) -> Result<Node, Stop> {
        self.effort.add(1)?;
        let line = self.line(line);
        let mut node = if line.decides {
            line.leaf
        } else {
            space.sequence(Ruling(line.leaf), Ruling(behind))?.0
        };
        for &(asked, values) in line.tests.iter().rev().filter(|test| test.0 >= level) {
            let field = space.order.field(asked);
            node = space.split(field, values, node, behind)?;
        }
        Ok(node)
    }

    /// Cuts the field of `level` at the ends of the active lines' ranges and compiles each interval.
    fn sweep(&mut self, space: &mut Space, level: u16, first: usize, end: usize) -> Result<Node, Stop> {
        let max = space.maximum(level);
        let (mut active, events) = self.events(level, first, end, max);
        let mut part = self
            .effort
            .begin(|| events.chunk_by(|one, next| one.0 == next.0).count());
        let begun = space.begin();
        let mut events = events.into_iter().peekable();
        let mut changes = Vec::new();
        while let Some(&(start, ..)) = events.peek() {
            changes.clear();
            while let Some((_, line, opens)) = events.next_if(|event| event.0 == start) {
                changes.push((line, opens));
            }
            toggle(&mut active, &changes);
            let high = events.peek().map_or(max, |next| next.0 - 1);
            let node = self.interval(space, level, &active)?;
            self.effort.step(&mut part);
            space.push(begun, high, node);
        }
        self.effort.end(&part);
        Ok(space.finish(begun, level)?)
    }

    /// The lines active everywhere, and the places where the others begin and cease to be.
    fn events(&self, level: u16, first: usize, end: usize, max: u128) -> (Vec<u32>, Vec<(u128, u32, bool)>) {
        let (mut active, mut events) = (Vec::new(), vec![(0, u32::MAX, false)]);
        for at in first..end {
            let number = self.lists.get(at).copied().unwrap_or(0);
            match self.line(at).next(level) {
                Some((tested, values)) if tested == level => {
                    for &(low, high) in values.ranges().iter().filter(|range| range.0 <= max) {
                        events.push((low, number, true));
                        if high < max {
                            events.push((high + 1, number, false));
                        }
                    }
                }
                _ => active.push(number),
            }
        }
        events.sort_unstable();
        (active, events)
    }

    /// Compiles one interval: its active lines up to the first that decides all.
    fn interval(&mut self, space: &mut Space, level: u16, active: &[u32]) -> Result<Node, Stop> {
        let first = self.lists.len();
        for &number in active {
            self.lists.push(number);
            let line = self.line(self.lists.len() - 1);
            if line.decides && line.is_done(level + 1) {
                break;
            }
        }
        let end = self.lists.len();
        self.effort.add(end - first)?;
        let n_known = self.known.len();
        let node = self.compile(space, level + 1, first, end)?;
        if self.known.len() == n_known {
            self.lists.truncate(first);
        }
        Ok(node)
    }

    fn hash(&self, level: u16, first: usize, end: usize) -> u64 {
        hash_list(&self.lists, level, first, end)
    }

    fn is_same(&self, known: &(u16, usize, usize, Node), level: u16, first: usize, end: usize) -> bool {
        known.0 == level && self.lists.get(known.1..known.1 + known.2) == self.lists.get(first..end)
    }
}

fn hash_list(lists: &[u32], level: u16, first: usize, end: usize) -> u64 {
    let mut hasher = FxHasher::default();
    level.hash(&mut hasher);
    lists.get(first..end).unwrap_or(&[]).hash(&mut hasher);
    hasher.finish()
}

fn prepare<'l>(space: &Space, line: &'l Line) -> Prepared<'l> {
    let mut tests: Vec<_> = line
        .tests
        .iter()
        .map(|(field, values)| (space.level_of(*field), values))
        .collect();
    tests.sort_by_key(|test| test.0);
    let outcomes = line
        .leaf
        .0
        .as_terminal()
        .map(|terminal| space.outcomes.set(terminal));
    let decides = outcomes.is_some_and(|set| set.outcomes.iter().all(|outcome| outcome.end != End::Fall));
    Prepared {
        done_at: tests.last().map_or(0, |test| test.0 + 1),
        tests,
        leaf: line.leaf.0,
        decides,
    }
}
