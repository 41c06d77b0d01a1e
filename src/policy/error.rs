//! What can be wrong with a policy: a kind, the bytes it is about, and a line of help.
//!
//! Kinds name the mistake, not the state of the parser. INVARIANT: the text of a message, its label and its help is
//! written in [`ErrorKind`] and nowhere else; spans lie in the policy's text or in the site file that set something.

use std::fmt;

use miette::{Diagnostic, LabeledSpan, NamedSource, SourceSpan};

pub use super::error_kind::ErrorKind;
use crate::source::{SourceMap, Span};

/// One thing that is wrong with a policy or with its settings.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind}")]
pub struct PolicyError {
    /// What is wrong.
    pub kind: ErrorKind,
    /// The bytes that are wrong.
    pub span: Span,
    /// Where the other one is, for what clashes with something.
    pub earlier: Option<Span>,
}

impl PolicyError {
    /// An error about the bytes of `span`.
    #[must_use]
    pub fn new(kind: ErrorKind, span: Span) -> Self {
        Self {
            kind,
            span,
            earlier: None,
        }
    }

    /// An error about the bytes of `span`, which clash with those of `earlier`.
    #[must_use]
    pub fn clash(kind: ErrorKind, span: Span, earlier: Span) -> Self {
        Self {
            kind,
            span,
            earlier: Some(earlier),
        }
    }

    /// The error with its text, as miette renders it. `map` is the one that the spans are of.
    #[must_use]
    pub fn diagnostic(&self, map: &SourceMap) -> Diagnosed {
        let file = map.file(self.span.file);
        let label = |text: &str, span: Span| {
            LabeledSpan::new_with_span(Some(text.to_owned()), SourceSpan::from(span.range()))
        };
        let mut labels = vec![label(self.kind.label(), self.span)];
        let earlier = self.earlier.filter(|earlier| earlier.file == self.span.file);
        labels.extend(earlier.map(|earlier| label("the other one is here", earlier)));
        Diagnosed {
            kind: self.kind.clone(),
            source: NamedSource::new(file.name(), file.text().to_owned()),
            labels,
        }
    }
}

/// A [`PolicyError`] with the text it is about.
#[derive(Debug)]
pub struct Diagnosed {
    kind: ErrorKind,
    source: NamedSource<String>,
    labels: Vec<LabeledSpan>,
}

impl fmt::Display for Diagnosed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.fmt(f)
    }
}

impl std::error::Error for Diagnosed {}

impl Diagnostic for Diagnosed {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(self.kind.code()))
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(self.kind.help()))
    }

    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        Some(&self.source)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.labels.iter().cloned()))
    }
}
