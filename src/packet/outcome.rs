//! The terminals of compiled rulesets: what may happen to a packet, which rule decides it, and what is in doubt.
//!
//! INVARIANT: an outcome set is never empty, its outcomes and doubts are sorted and without repeats, so that
//! equal sets are one terminal.

use std::hash::{Hash, Hasher};

use hashbrown::HashTable;
use rustc_hash::{FxHashMap, FxHasher};

use super::store::spread;
use super::{Field, RangeSet};

/// How a packet leaves a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum End {
    /// Accepted by [`Outcome::cause`].
    Accept,
    /// Dropped in silence.
    Drop,
    /// Dropped with an answer.
    Reject,
    /// No rule decided: what follows the segment is next.
    Fall,
    /// Sent back to the calling chain.
    Return,
}

/// Who decided: a number that the model gave out. 0 is nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Cause(pub u32);

impl Cause {
    /// Nobody yet.
    pub const NOBODY: Self = Self(0);
}

/// Something that is not known: a number that the model gave out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Doubt(pub u32);

/// Changes made on the way, by number. 0 changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct EditId(pub(super) u32);

impl EditId {
    /// No change.
    pub const NONE: Self = Self(0);
}

/// How one field changes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Assignment {
    /// It becomes one of these; if they are several, nobody knows which, for the reason given.
    OneOf(RangeSet, Option<Doubt>),
    /// A field of one bit becomes the other value.
    Flip,
}

/// One thing that may happen to a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Outcome {
    /// How it leaves.
    pub end: End,
    /// Who decided; of a packet that goes on, who accepted it so far.
    pub cause: Cause,
    /// What was changed on the way.
    pub edit: EditId,
}

/// All that may happen to a packet, and why it is not one thing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OutcomeSet {
    /// Sorted.
    pub outcomes: Vec<Outcome>,
    /// Sorted; the smallest few of them.
    pub doubts: Vec<Doubt>,
    is_truncated: bool,
}

/// Doubts kept with an outcome set. Keeping the smallest so many of a union is associative, so results do not depend on
/// the order of merging.
pub(super) const MAX_DOUBTS: usize = 4;

/// Causes kept of outcomes that end alike. That there are outcomes of an end is never lost.
pub(super) const MAX_CAUSES: usize = 12;

/// Outcomes that one set may have: marks that may or may not be set would double them without end.
const MAX_OUTCOMES: usize = 4096;

impl OutcomeSet {
    /// Whether every outcome is acceptance.
    #[must_use]
    pub fn surely_accepts(&self) -> bool {
        self.outcomes.iter().all(|outcome| outcome.end == End::Accept)
    }

    /// Whether some outcome is acceptance.
    #[must_use]
    pub fn possibly_accepts(&self) -> bool {
        self.outcomes.iter().any(|outcome| outcome.end == End::Accept)
    }

    /// Whether there were more outcomes of some end than are kept. None of an end is never lost.
    #[must_use]
    pub fn is_truncated(&self) -> bool {
        self.is_truncated
    }

    pub(super) fn merged(sets: &[&Self], doubt: Option<Doubt>) -> Self {
        let outcomes = sets.iter().flat_map(|set| set.outcomes.iter().copied()).collect();
        let doubts = sets
            .iter()
            .flat_map(|set| set.doubts.iter().copied())
            .chain(doubt)
            .collect();
        let merged = Self::canonical(outcomes, doubts);
        let is_truncated = merged.is_truncated || sets.iter().any(|set| set.is_truncated);
        Self {
            is_truncated,
            ..merged
        }
    }

    pub(super) fn truncated(mut self, was: bool) -> Self {
        self.is_truncated |= was;
        self
    }

    pub(super) fn canonical(mut outcomes: Vec<Outcome>, mut doubts: Vec<Doubt>) -> Self {
        let mut is_truncated = false;
        outcomes.sort_unstable_by_key(|outcome| (outcome.end, outcome.edit, outcome.cause));
        outcomes.dedup();
        if outcomes.len() > MAX_CAUSES {
            let mut kept = 0;
            let mut before = None;
            outcomes.retain(|outcome| {
                let kind = (outcome.end, outcome.edit);
                kept = if before == Some(kind) { kept + 1 } else { 1 };
                before = Some(kind);
                is_truncated |= kept > MAX_CAUSES;
                kept <= MAX_CAUSES
            });
        }
        doubts.sort_unstable();
        doubts.dedup();
        doubts.truncate(MAX_DOUBTS);
        Self {
            outcomes,
            doubts,
            is_truncated,
        }
    }
}

/// What outcome sets do, in short: kept at each node for all terminals below it, so that walks can stop where there is
/// nothing for them to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Kinds(u8);

impl Kinds {
    /// Some outcome accepts.
    pub(super) const ACCEPT: Self = Self(1);
    /// Some outcome drops or rejects.
    pub(super) const BLOCK: Self = Self(2);
    /// Some outcome falls through.
    pub(super) const FALL: Self = Self(4);
    /// Some outcome returns.
    pub(super) const RETURN: Self = Self(8);
    /// Some outcome falls through and changes the packet.
    pub(super) const FALL_EDITED: Self = Self(16);
    /// Some set has an outcome that accepts and one that does not.
    pub(super) const UNSURE: Self = Self(32);

    /// Any of them.
    pub(super) const ANY: Self = Self(63);

    pub(super) fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether some kind is in both.
    pub(super) fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    fn of(set: &OutcomeSet) -> Self {
        let kind = |outcome: &Outcome| match outcome.end {
            End::Fall if outcome.edit != EditId::NONE => Self::FALL.with(Self::FALL_EDITED),
            end => end.kind(),
        };
        let kinds = set.outcomes.iter().map(kind).fold(Self::default(), Self::with);
        if set.possibly_accepts() && !set.surely_accepts() {
            kinds.with(Self::UNSURE)
        } else {
            kinds
        }
    }
}

impl End {
    pub(super) fn kind(self) -> Kinds {
        match self {
            Self::Accept => Kinds::ACCEPT,
            Self::Drop | Self::Reject => Kinds::BLOCK,
            Self::Fall => Kinds::FALL,
            Self::Return => Kinds::RETURN,
        }
    }
}

/// The numbers of outcome sets and edits.
#[derive(Debug)]
pub(super) struct Outcomes {
    /// The first two stand for the terminals of packet sets, which have no outcomes.
    sets: Vec<OutcomeSet>,
    kinds: Vec<Kinds>,
    /// Half a hash and the number of each set.
    by_set: HashTable<(u32, u32)>,
    edits: Vec<Vec<(Field, Assignment)>>,
    by_edit: FxHashMap<Vec<(Field, Assignment)>, EditId>,
    ranks: Vec<u8>,
    /// What the sets and edits cost to hold, in edges.
    held: usize,
    /// Outcomes of all sets ever numbered, known ones included.
    pub(super) work: usize,
    /// Some set had more outcomes than anything can be done with.
    pub(super) is_over: bool,
}

impl std::default::Default for Outcomes {
    fn default() -> Self {
        let none = Vec::new();
        let nothing = OutcomeSet {
            outcomes: Vec::new(),
            doubts: Vec::new(),
            is_truncated: false,
        };
        Self {
            sets: vec![nothing.clone(), nothing],
            kinds: vec![Kinds::default(); 2],
            held: 0,
            by_set: HashTable::new(),
            edits: vec![none.clone()],
            by_edit: std::iter::once((none, EditId::NONE)).collect(),
            ranks: vec![0],
            work: 0,
            is_over: false,
        }
    }
}

impl Outcomes {
    pub(super) fn number(&mut self, set: OutcomeSet) -> u32 {
        self.work += set.outcomes.len();
        self.is_over |= set.outcomes.len() > MAX_OUTCOMES;
        let half = half_hash(&set);
        let sets = &self.sets;
        let same = |&(other, at): &(u32, u32)| other == half && sets.get(at as usize) == Some(&set);
        if let Some(&(_, known)) = self.by_set.find(spread(half), same) {
            return known;
        }
        let number = u32::try_from(self.sets.len()).unwrap_or(u32::MAX >> 1);
        self.held += 8 + set.outcomes.len();
        self.kinds.push(Kinds::of(&set));
        self.sets.push(set);
        self.by_set
            .insert_unique(spread(half), (half, number), |known| spread(known.0));
        number
    }

    /// What an outcome set does.
    pub(super) fn kinds(&self, number: u32) -> Kinds {
        self.kinds.get(number as usize).copied().unwrap_or_default()
    }

    /// How much is held, in edges of the budget.
    pub(super) fn held(&self) -> usize {
        self.held
    }

    #[expect(
        clippy::indexing_slicing,
        reason = "terminals of rulings are numbers that `number` gave out"
    )]
    pub(super) fn set(&self, number: u32) -> &OutcomeSet {
        &self.sets[number as usize]
    }

    pub(super) fn edit(&self, id: EditId) -> &[(Field, Assignment)] {
        self.edits.get(id.0 as usize).map_or(&[], Vec::as_slice)
    }

    pub(super) fn edit_number(&mut self, mut edit: Vec<(Field, Assignment)>) -> EditId {
        edit.sort();
        if let Some(&known) = self.by_edit.get(&edit) {
            return known;
        }
        let id = EditId(u32::try_from(self.edits.len()).unwrap_or(u32::MAX));
        self.held += 14 + 14 * edit.len();
        self.edits.push(edit.clone());
        self.by_edit.insert(edit, id);
        id
    }

    /// `first`, then `second`.
    pub(super) fn compose(&mut self, first: EditId, second: EditId) -> EditId {
        if first == EditId::NONE {
            return second;
        }
        if second == EditId::NONE {
            return first;
        }
        let mut edit = self.edit(first).to_vec();
        for (field, assignment) in self.edit(second).to_vec() {
            let before = edit.iter().position(|(other, _)| *other == field);
            let before = before.map(|at| edit.swap_remove(at).1);
            match (before, assignment) {
                (Some(Assignment::Flip), Assignment::Flip) => {}
                (Some(Assignment::OneOf(bits, doubt)), Assignment::Flip) => {
                    let flipped = bits
                        .ranges()
                        .iter()
                        .map(|&(low, high)| (1 - high.min(1), 1 - low.min(1)));
                    edit.push((field, Assignment::OneOf(flipped.collect(), doubt)));
                }
                (_, assignment) => edit.push((field, assignment)),
            }
        }
        self.edit_number(edit)
    }

    pub(super) fn set_rank(&mut self, cause: Cause, rank: u8) {
        let at = cause.0 as usize;
        if self.ranks.len() <= at {
            self.ranks.resize(at + 1, 0);
        }
        if let Some(place) = self.ranks.get_mut(at) {
            *place = rank;
        }
    }

    /// Of two that accepted one after the other, the one to name.
    pub(super) fn later(&self, first: Cause, second: Cause) -> Cause {
        let rank = |cause: Cause| self.ranks.get(cause.0 as usize).copied().unwrap_or(0);
        if first == Cause::NOBODY || rank(second) >= rank(first) && second != Cause::NOBODY {
            second
        } else {
            first
        }
    }
}

fn half_hash(set: &OutcomeSet) -> u32 {
    let mut hasher = FxHasher::default();
    set.hash(&mut hasher);
    u32::try_from(hasher.finish() >> 32).unwrap_or(0)
}
