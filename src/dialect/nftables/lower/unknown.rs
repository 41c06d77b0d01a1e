//! What is not modelled in a ruleset: the kinds by their names, and what statements change of what is asked.
//!
//! INVARIANT: a question that some statement may change the answer of is asked afresh each time.

use std::collections::BTreeSet;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::dialect::unmodelled::{self, KindId, Unmodelled};
use crate::model::{Action, Ruleset};
use crate::source::Span;

/// All that is not modelled in one ruleset.
#[derive(Debug, Default)]
pub(super) struct Unknowns {
    all: Unmodelled,
    by_name: FxHashMap<Arc<str>, KindId>,
    /// What some rule changes: the names that properties begin with.
    changed: BTreeSet<String>,
    /// A ruleset is lowered once more for another family: nothing is counted twice.
    pub(super) is_muted: bool,
}

impl Deref for Unknowns {
    type Target = Unmodelled;

    fn deref(&self) -> &Unmodelled {
        &self.all
    }
}

impl DerefMut for Unknowns {
    fn deref_mut(&mut self) -> &mut Unmodelled {
        &mut self.all
    }
}

impl Unknowns {
    /// Counts a use of something that is not modelled and says why it is unknown.
    pub(super) fn count(&mut self, name: &str, span: Span, is_verdict: bool) -> Arc<str> {
        self.note(name, span, is_verdict);
        self.why(name)
    }

    /// Counts a use.
    pub(super) fn note(&mut self, name: &str, span: Span, is_verdict: bool) {
        if self.is_muted {
            return;
        }
        let kind = if let Some(&kind) = self.by_name.get(name) {
            kind
        } else {
            let kind = self.all.add(name, is_verdict, span);
            self.by_name.insert(Arc::from(name), kind);
            kind
        };
        self.all.used(kind, span);
    }

    /// Notes that some rule changes what properties of this name ask.
    pub(super) fn note_change(&mut self, name: String) {
        self.changed.insert(name);
    }

    /// Has what some rule changes be asked afresh each time.
    pub(super) fn forget_changed(&self, ruleset: &mut Ruleset) {
        if self.changed.is_empty() {
            return;
        }
        unmodelled::forget_changed(ruleset, &|property| {
            self.changed.iter().any(|name| {
                property
                    .strip_prefix(name.as_str())
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
            })
        });
        for rule in ruleset.chains.iter_mut().flat_map(|chain| &mut chain.rules) {
            if let Action::Unknown(unknown) = &mut rule.action {
                unknown.property = None;
            }
        }
    }
}
