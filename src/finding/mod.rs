//! Findings: what is wrong, where, how sure, and what to do about it. Reports render these and nothing else.

mod code;
mod coverage;
mod known;
mod selection;
mod summary;

pub use code::Code;
pub use coverage::{
    Coverage, CoverageCounts, CoveredCell, CoveredHost, CoveredOpening, CoveredRow, Ground, OpeningCell,
    Standing,
};
pub use known::Known;
pub use selection::Selection;
pub use summary::Summary;

use crate::source::Span;

/// How bad it is. Ordered: a note is less than an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// Probably wrong, or surely wrong for some.
    Warning,
    /// Wrong.
    Error,
}

impl Severity {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }

    /// One step less; a note stays a note.
    #[must_use]
    pub fn lower(self) -> Self {
        match self {
            Self::Error => Self::Warning,
            Self::Warning | Self::Note => Self::Note,
        }
    }
}

/// Whether everything behind the finding is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Certainty {
    /// Whatever the unknown parts turn out to be.
    Surely,
    /// It depends on something that the run does not know; a related label names it.
    Possibly,
}

impl Certainty {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Surely => "surely",
            Self::Possibly => "possibly",
        }
    }
}

/// Bytes of some file with what they have to do with the finding.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Label {
    /// The bytes.
    pub span: Span,
    /// What they say, lower case, no full stop.
    pub message: String,
}

impl Label {
    /// A label.
    pub fn new(span: Span, message: impl Into<String>) -> Self {
        Self {
            span,
            message: message.into(),
        }
    }
}

/// A table row that a finding is held against.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowCitation {
    /// The row's id: `mke/bgp`.
    pub id: String,
    /// The published document and the row in it: "MKE: open ports to incoming traffic, row 1".
    pub document: String,
    /// Who answers for it, if its policy says.
    pub owner: Option<String>,
    /// What it is a part of for others: controls of a compliance framework.
    pub tags: Vec<String>,
}

/// Packets as numbers, for another run to compare its own with.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Packets {
    /// Which way they go: `in`, `out`, `through` a router, or `loopback`.
    pub way: String,
    /// Disjoint products of field values, as `packet::Product` reads them.
    pub products: Vec<String>,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What kind.
    pub code: Code,
    /// How bad.
    pub severity: Severity,
    /// How sure.
    pub certainty: Certainty,
    /// The fact, one line, lower case, no full stop, user text in backticks.
    pub message: String,
    /// The deciding bytes at the smallest token. `None` only where no input has such a place.
    pub primary: Option<Label>,
    /// Other places: the table row, the shadowing rules, the doubt.
    pub related: Vec<Label>,
    /// The rows it is held against.
    pub rows: Vec<RowCitation>,
    /// The hosts it holds for, sorted.
    pub hosts: Vec<String>,
    /// All its packets in human form, one line a product of fields, largest first; empty where no packets are concerned.
    pub extent: Vec<String>,
    /// All its packets as numbers, if the run is compared with another and they are not too many to write down.
    pub packets: Option<Packets>,
    /// What tells the packets apart from any others, if they are too many.
    pub region: Option<u64>,
    /// One of its packets, in the form that `portcullis trace` takes.
    pub witness: Option<String>,
    /// What to do about it.
    pub help: Option<String>,
}

impl Finding {
    /// A finding of a code with its usual severity, sure, at `primary`.
    pub fn new(code: Code, message: impl Into<String>, primary: Option<Label>) -> Self {
        Self {
            code,
            severity: code.severity(),
            certainty: Certainty::Surely,
            message: message.into(),
            primary,
            related: Vec::new(),
            rows: Vec::new(),
            hosts: Vec::new(),
            extent: Vec::new(),
            packets: None,
            region: None,
            witness: None,
            help: None,
        }
    }

    /// Makes it a possibility: one severity lower, with the doubts as related labels.
    #[must_use]
    pub fn possibly(mut self, doubts: impl IntoIterator<Item = Label>) -> Self {
        self.certainty = Certainty::Possibly;
        self.severity = self.severity.lower();
        self.related.extend(doubts);
        self
    }

    /// Adds a related label.
    #[must_use]
    pub fn related(mut self, label: Label) -> Self {
        self.related.push(label);
        self
    }

    /// Adds the help line.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The key by which findings are sorted in every report: place, code, message.
    #[must_use]
    pub fn sort_key(&self) -> (Option<Span>, Code, &str, &[String]) {
        (
            self.primary.as_ref().map(|label| label.span),
            self.code,
            &self.message,
            &self.hosts,
        )
    }
}
