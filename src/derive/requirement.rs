//! What tables and prose come to: requirements, and what could not be turned into one.

use super::cell::condition::Guard;
use super::cell::peer::Peer;
use crate::source::Span;

/// A row of a table, or a part of one, as a statement of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Requirement {
    /// Its id; unique in the document.
    pub(super) id: Option<String>,
    /// Whether it may be open and need not.
    pub(super) optional: bool,
    /// Who connects.
    pub(super) from: Ends,
    /// Who is connected to.
    pub(super) to: Ends,
    /// Services as the policy language writes them, or the name of one that is defined.
    pub(super) services: Vec<String>,
    /// Whether one of the services will do.
    pub(super) one_of: bool,
    /// Features that must be on.
    pub(super) features: Vec<String>,
    /// Versions that it holds for.
    pub(super) guards: Vec<Guard>,
    /// What it is for.
    pub(super) purpose: String,
    /// What was guessed.
    pub(super) guesses: Vec<String>,
}

/// One side.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Ends {
    pub(super) list: Vec<Peer>,
    pub(super) one_of: bool,
}

/// Something that the policy defines before its rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Definition {
    /// `feature NAME "meaning"`
    Feature { name: String, meaning: String },
    /// `parameter NAME = "a", "b" "meaning"`
    Parameter {
        name: String,
        default: Vec<String>,
        meaning: String,
    },
    /// `service NAME = tcp/443 configurable`
    Service {
        name: String,
        value: String,
        configurable: bool,
    },
}

impl Definition {
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Feature { name, .. } | Self::Parameter { name, .. } | Self::Service { name, .. } => name,
        }
    }
}

/// What a row of a table became.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Entry {
    /// A heading of the document.
    Section(String),
    /// A requirement, with the number of its row under the heading. 0 for prose, which has no rows.
    Row(usize, Box<Requirement>, Span),
    /// A row that is none.
    Left(Note),
    /// A table that says nothing of ports, or a column of one that is not read.
    Skipped(Note),
}

/// Something that a person should look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// "Metrics exporters, row 3, column Port"
    pub place: String,
    /// What there is to see.
    pub message: String,
    /// The text of the document.
    pub text: String,
    /// Where that stands.
    pub span: Span,
}
