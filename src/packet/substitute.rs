//! One ruling behind another: what falls out of the first is decided by the second, which reads each packet as the
//! first changed it.
//!
//! INVARIANT: a packet that falls out with one change meets the second ruling under that change and no other, so the cost
//! grows with the places where a change can fall out, not with their number times the number of changes.

use std::hash::{Hash, Hasher};
use std::rc::Rc;

use hashbrown::HashTable;
use rustc_hash::{FxHashMap, FxHasher};

use super::apply::Binary;
use super::outcome::{Cause, EditId, End, Kinds, Outcome, OutcomeSet};
use super::ruling::Ruling;
use super::space::{Node, Operation, OverBudget, Space};

/// Replaces what falls out of the left diagram with `edit`, the only one it falls out with, by the right diagram's outcomes.
struct Sequence {
    edit: EditId,
}

impl Binary for Sequence {
    fn operation(&self) -> Operation {
        Operation::Sequence(self.edit)
    }

    fn shortcut(&self, space: &Space, left: Node, right: Node) -> Option<Node> {
        if !space.kinds(left).meets(Kinds::FALL) {
            return Some(left);
        }
        let set = space.outcomes.set(left.as_terminal()?);
        let plain = Outcome {
            end: End::Fall,
            cause: Cause::NOBODY,
            edit: EditId::NONE,
        };
        (set.outcomes == [plain] && set.doubts.is_empty()).then_some(right)
    }

    fn whatever_right(&self, space: &Space, left: Node) -> Option<Node> {
        (!space.kinds(left).meets(Kinds::FALL)).then_some(left)
    }

    fn whatever_left(&self, _: &Space, _: Node) -> Option<Node> {
        None
    }

    fn terminals(&self, space: &mut Space, left: u32, right: u32) -> u32 {
        space.after(left, &[(self.edit, right)])
    }
}

/// The second ruling as packets meet it that fall out with an edit, for each edit of some packets, sorted.
type Reads = [(EditId, Node)];

/// One walk over a first ruling that packets leave with several edits.
#[derive(Default)]
struct Substitution {
    /// The edits with which packets fall out of a diagram, sorted.
    falls: FxHashMap<Node, Rc<[EditId]>>,
    /// First diagram, reads and result of the walks done so far.
    known: HashTable<(Node, Box<Reads>, Node)>,
    /// Edits and reads held by the two, against the budget of edges.
    held: usize,
}

impl Space {
    /// `first`, and for packets that fall out of it `second`, read under the changes that `first` made.
    pub fn sequence(&mut self, first: Ruling, second: Ruling) -> Result<Ruling, OverBudget> {
        if !self.kinds(first.0).meets(Kinds::FALL_EDITED) {
            return self.sequence_under(EditId::NONE, first.0, second.0).map(Ruling);
        }
        let mut walk = Substitution::default();
        let edits = walk.falls(self, first.0);
        self.check_held(walk.held)?;
        let mut reads = Vec::with_capacity(edits.len());
        for &edit in edits.iter() {
            reads.push((edit, self.read_under(second, edit)?.0));
        }
        walk.run(self, first.0, &reads).map(Ruling)
    }

    fn sequence_under(&mut self, edit: EditId, first: Node, second: Node) -> Result<Node, OverBudget> {
        self.apply(&Sequence { edit }, first, second)
    }

    /// What happens to packets with the outcomes `first`, of which each that falls out with some edit meets the outcomes
    /// given for it.
    fn after(&mut self, first: u32, seconds: &[(EditId, u32)]) -> u32 {
        let first = self.outcomes.set(first).clone();
        let mut is_truncated = first.is_truncated();
        let (mut outcomes, mut doubts) = (Vec::with_capacity(first.outcomes.len()), first.doubts);
        for &(_, second) in seconds {
            let second = self.outcomes.set(second);
            is_truncated |= second.is_truncated();
            doubts.extend_from_slice(&second.doubts);
        }
        for before in first.outcomes {
            let second = seconds.iter().find(|second| second.0 == before.edit);
            let (End::Fall, Some(&(_, second))) = (before.end, second) else {
                outcomes.push(before);
                continue;
            };
            for after in self.outcomes.set(second).outcomes.clone() {
                let edit = self.outcomes.compose(before.edit, after.edit);
                let goes_on = matches!(after.end, End::Accept | End::Fall);
                let cause = if goes_on {
                    self.outcomes.later(before.cause, after.cause)
                } else {
                    after.cause
                };
                outcomes.push(Outcome {
                    end: after.end,
                    cause,
                    edit,
                });
            }
        }
        let set = OutcomeSet::canonical(outcomes, doubts).truncated(is_truncated);
        self.outcomes.number(set)
    }
}

impl Substitution {
    fn falls(&mut self, space: &Space, node: Node) -> Rc<[EditId]> {
        if !space.kinds(node).meets(Kinds::FALL) {
            return Rc::from([]);
        }
        if let Some(known) = self.falls.get(&node) {
            return Rc::clone(known);
        }
        let mut edits: Vec<EditId> = Vec::new();
        if let Some(terminal) = node.as_terminal() {
            let outcomes = space.outcomes.set(terminal).outcomes.iter();
            let fall = outcomes.filter(|outcome| outcome.end == End::Fall);
            edits.extend(fall.map(|outcome| outcome.edit));
        } else {
            for at in 0..space.n_edges_of(node) {
                edits.extend_from_slice(&self.falls(space, space.edge(node, at).1));
            }
        }
        edits.sort_unstable();
        edits.dedup();
        self.held += 2 + edits.len();
        let edits: Rc<[EditId]> = edits.into();
        self.falls.insert(node, Rc::clone(&edits));
        edits
    }

    /// Puts the reads behind a diagram; there is one for each edit with which packets fall out of it.
    fn run(&mut self, space: &mut Space, first: Node, reads: &Reads) -> Result<Node, OverBudget> {
        match reads {
            [] => return Ok(first),
            &[(edit, read)] => return space.sequence_under(edit, first, read),
            _ => {}
        }
        let hash = hash_of(first, reads);
        let same = |known: &(Node, Box<Reads>, Node)| known.0 == first && *known.1 == *reads;
        if let Some(&(.., known)) = self.known.find(hash, same) {
            return Ok(known);
        }
        space.check_work()?;
        let result = if let Some(first) = first.as_terminal()
            && let Some(seconds) = terminals(reads)
        {
            Node::terminal(space.after(first, &seconds))
        } else {
            self.run_edges(space, first, reads)?
        };
        self.held += 4 + reads.len();
        space.check_held(self.held)?;
        let rehash = |known: &(Node, Box<Reads>, Node)| hash_of(known.0, &known.1);
        self.known
            .insert_unique(hash, (first, reads.into(), result), rehash);
        Ok(result)
    }

    fn run_edges(&mut self, space: &mut Space, first: Node, reads: &Reads) -> Result<Node, OverBudget> {
        let levels = reads.iter().map(|read| space.level(read.1));
        let level = levels.min().unwrap_or(u16::MAX).min(space.level(first));
        let max = space.maximum(level);
        let begun = space.begin();
        let splits = space.level(first) == level;
        let n_edges = if splits { space.n_edges_of(first) } else { 1 };
        let mut low = 0;
        for at in 0..n_edges {
            let (high, kid) = if splits {
                space.edge(first, at)
            } else {
                (max, first)
            };
            let wanted = among(reads, &self.falls(space, kid));
            // The edge is cut where one of the reads that matter under it changes.
            let mut from = low;
            loop {
                let (to, below) = step(space, level, &wanted, from, high);
                let node = self.run(space, kid, &below)?;
                space.push(begun, to, node);
                if to >= high {
                    break;
                }
                from = to + 1;
            }
            low = high.wrapping_add(1);
        }
        space.finish(begun, level)
    }
}

/// Where the reads lead for the values from `from` on, and up to which value, at most `high`, they all lead there.
fn step(space: &Space, level: u16, reads: &Reads, from: u128, high: u128) -> (u128, Vec<(EditId, Node)>) {
    let mut to = high;
    let mut below = Vec::with_capacity(reads.len());
    for &(edit, read) in reads {
        if space.level(read) == level {
            let (end, kid) = space.edge_at(read, from);
            to = to.min(end);
            below.push((edit, kid));
        } else {
            below.push((edit, read));
        }
    }
    (to, below)
}

/// The reads for some of the edits.
fn among(reads: &Reads, edits: &[EditId]) -> Vec<(EditId, Node)> {
    let read = |edit| reads.binary_search_by_key(edit, |read| read.0).ok();
    edits
        .iter()
        .filter_map(|edit| reads.get(read(edit)?).copied())
        .collect()
}

fn hash_of(first: Node, reads: &Reads) -> u64 {
    let mut hasher = FxHasher::default();
    first.hash(&mut hasher);
    reads.hash(&mut hasher);
    hasher.finish()
}

fn terminals(reads: &Reads) -> Option<Vec<(EditId, u32)>> {
    let terminal = |&(edit, read): &(EditId, Node)| Some((edit, read.as_terminal()?));
    reads.iter().map(terminal).collect()
}
