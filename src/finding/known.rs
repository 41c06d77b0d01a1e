//! Findings that somebody has taken back: what they were, where it says so, and why.

use super::{Finding, Label};

/// A finding that is known, and no finding of the run any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// What it was.
    pub finding: Finding,
    /// Where it is taken back.
    pub by: Label,
    /// The reason that stands there.
    pub reason: String,
}
