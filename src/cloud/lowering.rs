//! What is found out on the way: what an API would refuse, and which open values the rules depend on.
//!
//! INVARIANT: a value that is refused is said once, and what depends on it is a question with the value's own name.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Doubt;
use crate::finding::{Code, Finding, Label};
use crate::source::{Span, Spanned};

/// One unit's permissions on their way to rules.
#[derive(Debug, Default)]
pub struct Lowering {
    notices: BTreeMap<Span, Finding>,
    doubts: BTreeMap<Arc<str>, Doubt>,
}

impl Lowering {
    /// Nothing read yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What an API would refuse, in the order of the text.
    pub fn notices(&self) -> impl Iterator<Item = &Finding> {
        self.notices.values()
    }

    /// The open values that some rule depends on, each once.
    pub fn doubts(&self) -> impl Iterator<Item = &Doubt> {
        self.doubts.values()
    }

    /// Notes that a rule depends on an open value.
    pub fn depends(&mut self, doubt: &Doubt) {
        let place = self.doubts.entry(doubt.key.clone());
        place.or_insert_with(|| doubt.clone());
    }

    /// A value that the API would refuse: said, and open from here on.
    pub(super) fn refuse(&mut self, value: &Spanned<String>, message: String, help: &str) -> Doubt {
        self.refuse_at(value.span, &value.value, message, help)
    }

    /// One note for each open value that some rule depends on. What was refused, or `is_said` otherwise, is left out.
    #[must_use]
    pub fn unknown_values(&self, is_said: &dyn Fn(Span) -> bool) -> Vec<Finding> {
        let open = self.doubts.values();
        let open = open.filter(|doubt| !self.notices.contains_key(&doubt.span) && !is_said(doubt.span));
        let note = |doubt: &Doubt| {
            let label = Label::new(doubt.span, "not known");
            Finding::new(Code::UnknownValue, doubt.why.to_string(), Some(label))
                .help("what depends on it may be open or closed: give it a value")
        };
        open.map(note).collect()
    }

    /// Something at `span` that the API would refuse; `what` names it.
    pub fn refuse_at(&mut self, span: Span, what: &str, message: String, help: &str) -> Doubt {
        let doubt = Doubt {
            key: format!("refused {what} at {}:{}", span.file.index(), span.start).into(),
            why: message.as_str().into(),
            span,
        };
        let label = Label::new(span, "the API refuses it");
        let finding = Finding::new(Code::UnreadText, message, Some(label)).help(help);
        self.notices.entry(span).or_insert(finding);
        doubt
    }
}
