//! Values as files give them: with the bytes that wrote them, or with the reason for which nobody knows them yet.
//!
//! INVARIANT: two doubts have one key exactly if they are settled together.

use std::sync::Arc;

use crate::model::{Condition, Match, Unknown};
use crate::source::{Span, Spanned};

/// Something that a file leaves open until it is deployed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doubt {
    /// What it depends on: the same wherever the same value is meant, and another one for other values of the run (so it
    /// names the unit too): `stacks/web.yaml parameter SshCidr`.
    pub key: Arc<str>,
    /// Why it is open, for people: "parameter `SshCidr` has no value".
    pub why: Arc<str>,
    /// The bytes that leave it open: the reference, or the declaration without a value.
    pub span: Span,
}

impl Doubt {
    /// A question about packets whose answer depends on this value alone: `asks` says what is asked, in words that are the
    /// same for the same question.
    #[must_use]
    pub fn question(&self, asks: &str) -> Condition {
        Condition::Unknown(Unknown {
            property: Some(format!("{asks} {}", self.key).into()),
            why: self.why.clone(),
        })
    }
}

/// A value that a file gives, or leaves open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value<T> {
    /// What it is, and the innermost bytes that say so.
    Known(Spanned<T>),
    /// It is not known.
    Unknown(Doubt),
}

impl<T> Value<T> {
    /// A known value.
    pub fn new(value: T, span: Span) -> Self {
        Self::Known(Spanned::new(value, span))
    }

    /// The bytes to point at.
    #[must_use]
    pub fn span(&self) -> Span {
        match self {
            Self::Known(known) => known.span,
            Self::Unknown(doubt) => doubt.span,
        }
    }

    /// The value, if it is known.
    #[must_use]
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known(known) => Some(&known.value),
            Self::Unknown(_) => None,
        }
    }
}

/// What decides whether a rule is there at all: a condition of a template, a count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guard {
    /// What is not known.
    pub doubt: Doubt,
    /// Whether the rule is there if the answer is yes; otherwise it is there if the answer is no.
    pub holds: bool,
}

impl Guard {
    /// The guard as a match of the rule: it may hold or not, and the opposite guard does the opposite.
    #[must_use]
    pub fn to_match(&self) -> Match {
        let question = self.doubt.question("if");
        let condition = if self.holds {
            question
        } else {
            Condition::Not(Box::new(question))
        };
        Match {
            span: self.doubt.span,
            condition,
        }
    }
}
