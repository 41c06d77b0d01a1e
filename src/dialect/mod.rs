//! Configuration languages: text to [`model::Ruleset`](crate::model::Ruleset).
//!
//! A dialect never sees a policy. Reading never fails: what cannot be read becomes a notice, and an unknown in the model.

pub(crate) mod include;
pub mod iptables;
pub mod nftables;
mod unread;

use crate::finding::Finding;
use crate::model::Ruleset;
use crate::source::Source;

/// How sure a dialect is that a file is its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Claim {
    /// Not its own.
    No,
    /// The name says so, the content does not speak against it.
    Name,
    /// The content says so.
    Content,
}

/// What a unit of input said.
#[derive(Debug, Default)]
pub struct Reading {
    /// One ruleset a layer and family.
    pub rulesets: Vec<Ruleset>,
    /// What could not be read or is not modelled.
    pub notices: Vec<Finding>,
    /// How many lines or objects were rules.
    pub n_rules: usize,
}

/// How far a construct of a dialect is modelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Support {
    /// Its meaning is exact.
    Exact,
    /// An unknown that a packet keeps: cancels against itself.
    UnknownProperty,
    /// An unknown that is answered afresh each time.
    UnknownEachTime,
    /// Passes packets on unchanged as far as filtering goes.
    PassThrough,
}

/// One construct for `portcullis dialects`, from the same table that the reader uses.
#[derive(Debug, Clone)]
pub struct Construct {
    /// As users write it: `-m multiport`.
    pub name: String,
    /// How far it is modelled.
    pub support: Support,
}

/// One configuration language that portcullis can read.
pub trait Dialect: Sync {
    /// The name used in `--dialect`, `fixtures/` and `grammar/`.
    fn name(&self) -> &'static str;
    /// One line for `portcullis dialects`.
    fn summary(&self) -> &'static str;
    /// Whether a file is in this language: content first, name second.
    fn claims(&self, source: Source<'_>) -> Claim;
    /// The files that a file names as parts of it: for each place that names some, the patterns of paths that it may mean,
    /// the likeliest first. By default, none.
    fn includes(&self, _source: Source<'_>) -> Vec<Vec<String>> {
        Vec::new()
    }
    /// Reads and lowers one unit: the files that only mean something together, the one that includes the others first.
    fn read(&self, unit: &[Source<'_>]) -> Reading;
    /// What it can read, and how exactly.
    fn constructs(&self) -> Vec<Construct>;
}

/// Every dialect.
pub static ALL: &[&dyn Dialect] = &[&iptables::Iptables, &nftables::Nftables];

/// The dialect of a name.
#[must_use]
pub fn by_name(name: &str) -> Option<&'static dyn Dialect> {
    ALL.iter().copied().find(|dialect| dialect.name() == name)
}

/// The dialect that is surest of a file; of equals, the first in [`ALL`].
#[must_use]
pub fn detect(source: Source<'_>) -> Option<&'static dyn Dialect> {
    let claims = ALL
        .iter()
        .copied()
        .map(|dialect| (dialect.claims(source), dialect));
    let mut best: Option<(Claim, &'static dyn Dialect)> = None;
    for (claim, dialect) in claims.filter(|(claim, _)| *claim != Claim::No) {
        if best.as_ref().is_none_or(|(surest, _)| claim > *surest) {
            best = Some((claim, dialect));
        }
    }
    best.map(|(_, dialect)| dialect)
}
