//! Findings about names: of what is not there, and of sets that hold nothing. One finding a name, however often it is used.

use crate::finding::{Code, Finding, Label};
use crate::source::Span;

/// The uses of a name: the first of them, and how many there are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Uses {
    pub(super) first: Span,
    pub(super) count: usize,
}

impl Uses {
    /// A name that is used here for the first time.
    pub(super) fn new(first: Span) -> Self {
        Self { first, count: 0 }
    }

    fn times(self) -> String {
        match self.count {
            0 | 1 => String::new(),
            count => format!(" ({count} references)"),
        }
    }
}

/// Something does not exist: `what` says so.
pub(super) fn dangling(what: &str, uses: Uses) -> Finding {
    let message = format!("{what}{}", uses.times());
    let label = Label::new(uses.first, "leads nowhere");
    Finding::new(Code::DanglingReference, message, Some(label)).help("declare it, or correct the name")
}

/// A set of which it is known that it has no elements, though rules ask it. `declaration` is where it is made.
pub(super) fn empty_set(name: &str, uses: Uses, declaration: Option<Span>) -> Finding {
    let message = format!("set `{name}` holds nothing{}", uses.times());
    let label = Label::new(uses.first, "no packet is in it");
    let finding = Finding::new(Code::EmptySet, message, Some(label));
    let related = declaration.map(|span| Label::new(span, "without elements"));
    Finding {
        related: related.into_iter().collect(),
        ..finding
    }
    .help("add its elements, or remove it with the rules that ask it")
}
