//! What `ipset save` prints: the sets that rules of iptables ask for.
//!
//! A file of sets filters nothing by itself: it is read again with the dump beside it, which asks which packets are in a
//! set. INVARIANT: reading never fails, and a set of which a line could not be read may hold anything.

mod ast;
mod content;
mod element;
mod listed;
mod membership;
mod names;
mod nesting;
mod parser;
mod sets;

pub(super) use membership::{Membership, Question, Side};
pub(super) use parser::MAX_NAME_BYTES;
pub(super) use sets::Sets;

use super::{Claim, Construct, Dialect, Reading, Support};
use crate::source::Source;
use names::{KINDS, Part, kind_by_name};

/// The dialect.
#[derive(Debug)]
pub struct Ipset;

impl Dialect for Ipset {
    fn name(&self) -> &'static str {
        "ipset"
    }

    fn summary(&self) -> &'static str {
        "sets as ipset save prints them, read with the dump beside them"
    }

    /// Looks for `create NAME TYPE` in the first line that says anything.
    fn claims(&self, source: Source<'_>) -> Claim {
        let mut lines = source.text.lines().map(str::trim);
        let first = lines.find(|line| !line.is_empty() && !line.starts_with('#'));
        let words: Vec<_> = first
            .unwrap_or_default()
            .split_ascii_whitespace()
            .take(3)
            .collect();
        match words.as_slice() {
            ["create" | "-N", _, kind] if kind_by_name(kind).is_some() => Claim::Content,
            _ => Claim::No,
        }
    }

    /// Says what cannot be read. What the sets are for is read with the dumps that ask for them.
    fn read(&self, unit: &[Source<'_>]) -> Reading {
        let mut reading = Reading::default();
        for source in unit {
            let mut sets = Sets::read(*source);
            reading.notices.append(&mut sets.notices);
        }
        reading
    }

    fn is_companion(&self) -> bool {
        true
    }

    fn constructs(&self) -> Vec<Construct> {
        let of_kind = |kind: &names::Kind| Construct {
            name: kind.name.to_owned(),
            support: if kind.parts.contains(&Part::Mac) {
                Support::UnknownProperty
            } else {
                Support::Exact
            },
        };
        KINDS.iter().map(of_kind).collect()
    }
}
