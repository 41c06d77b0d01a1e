//! What can be wrong with a site file or with arguments that say the same.

use miette::{NamedSource, SourceSpan};

use crate::source::{Source, Span};

/// One mistake of whoever wrote the site file or the command line. [`SiteErrors`] has the text it lies in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, miette::Diagnostic)]
pub enum SiteError {
    /// The text is not TOML.
    #[error("not valid TOML: {message}")]
    #[diagnostic(code(site::syntax))]
    Syntax {
        /// What the TOML reader says.
        message: String,
        /// Where it stopped.
        #[label("here")]
        at: SourceSpan,
    },
    /// A key that does not exist.
    #[error("unknown key `{key}` in {place}")]
    #[diagnostic(code(site::unknown_key))]
    UnknownKey {
        /// The key.
        key: String,
        /// The table it stands in, as users name it.
        place: String,
        /// What it may have meant, or what there is.
        #[help]
        help: String,
        /// The key.
        #[label("not known here")]
        at: SourceSpan,
    },
    /// A value of another type than the key takes.
    #[error("`{key}` takes {expected}, this is {found}")]
    #[diagnostic(code(site::wrong_type))]
    WrongType {
        /// The key.
        key: String,
        /// What it takes.
        expected: &'static str,
        /// What is there.
        found: &'static str,
        /// How to write it, if there is something to say.
        #[help]
        help: Option<String>,
        /// The value.
        #[label("{found}")]
        at: SourceSpan,
    },
    /// Text that does not name addresses.
    #[error("{message}")]
    #[diagnostic(
        code(site::network),
        help("write an address, `10.0.0.0/8`, or `10.0.0.1-10.0.0.9`")
    )]
    Network {
        /// What is wrong with it.
        message: String,
        /// The text.
        #[label("no address, network or range")]
        at: SourceSpan,
    },
    /// A value that the key does not take.
    #[error("{message}")]
    #[diagnostic(code(site::value))]
    Value {
        /// What is wrong with it.
        message: String,
        /// What it is not.
        label: &'static str,
        /// What would be right.
        #[help]
        help: String,
        /// The value.
        #[label("{label}")]
        at: SourceSpan,
    },
    /// A table without a key that it needs.
    #[error("{place} has no `{key}`")]
    #[diagnostic(code(site::missing_key))]
    MissingKey {
        /// The table.
        place: String,
        /// The key.
        key: &'static str,
        /// How to write it.
        #[help]
        help: String,
        /// The table.
        #[label("here")]
        at: SourceSpan,
    },
    /// A zone that is named but not defined.
    #[error("zone `{name}` is not defined")]
    #[diagnostic(code(site::unknown_zone))]
    UnknownZone {
        /// Its name.
        name: String,
        /// What it may have meant, or how to define it.
        #[help]
        help: String,
        /// The name.
        #[label("named here")]
        at: SourceSpan,
    },
    /// The same thing said twice.
    #[error("{what} is given twice")]
    #[diagnostic(code(site::twice), help("keep one of them"))]
    Twice {
        /// What.
        what: String,
        /// The first.
        #[label("first here")]
        first: SourceSpan,
        /// The second.
        #[label("again here")]
        at: SourceSpan,
    },
}

impl SiteError {
    /// The place, as bytes of the text.
    #[must_use]
    pub fn at(&self) -> SourceSpan {
        match self {
            Self::Syntax { at, .. }
            | Self::UnknownKey { at, .. }
            | Self::WrongType { at, .. }
            | Self::Network { at, .. }
            | Self::Value { at, .. }
            | Self::MissingKey { at, .. }
            | Self::UnknownZone { at, .. }
            | Self::Twice { at, .. } => *at,
        }
    }
}

/// Everything that is wrong with one text, in the order of the text, with the text.
#[derive(Debug, Clone, thiserror::Error, miette::Diagnostic)]
#[error("{} cannot be used: {} {}", .text.name(), .errors.len(), plural(.errors.len()))]
pub struct SiteErrors {
    /// The text; `related` errors point into it.
    #[source_code]
    text: NamedSource<String>,
    /// The mistakes. There is at least one.
    #[related]
    errors: Vec<SiteError>,
}

impl SiteErrors {
    /// Errors of a file, sorted by place.
    #[must_use]
    pub fn new(source: Source<'_>, mut errors: Vec<SiteError>) -> Self {
        errors.sort_by_key(|error| (error.at().offset(), error.at().len()));
        Self {
            text: NamedSource::new(source.name, source.text.to_owned()),
            errors,
        }
    }

    /// The mistakes, in the order of the text.
    #[must_use]
    pub fn errors(&self) -> &[SiteError] {
        &self.errors
    }
}

fn plural(count: usize) -> &'static str {
    if count == 1 { "error" } else { "errors" }
}

/// The bytes of a span as miette counts them.
pub(super) fn bytes(span: Span) -> SourceSpan {
    span.range().into()
}
