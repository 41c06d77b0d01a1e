//! What is not modelled: one shared text for each reason, and one notice for each kind.

use std::collections::BTreeSet;
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::finding::{Code, Finding, Label};
use crate::model::{Action, Condition, Ruleset, Unknown};
use crate::source::Span;

/// One kind of construct that is not modelled.
#[derive(Debug)]
struct Seen {
    name: Arc<str>,
    first: Span,
    count: usize,
    is_verdict: bool,
}

/// All that is not modelled in one ruleset.
#[derive(Debug, Default)]
pub(super) struct Unknowns {
    kinds: Vec<Seen>,
    by_name: FxHashMap<Arc<str>, usize>,
    texts: FxHashSet<Arc<str>>,
    /// What the rule at hand has asked.
    at_hand: Vec<usize>,
    /// What some rule changes: the names that properties begin with.
    changed: BTreeSet<String>,
    /// A ruleset is lowered once more for another family: nothing is counted twice.
    pub(super) is_muted: bool,
}

impl Unknowns {
    /// Counts a use of something that is not modelled and says why it is unknown.
    pub(super) fn count(&mut self, name: &str, span: Span, is_verdict: bool) -> Arc<str> {
        let why = self.text(&format!("`{name}` is not modelled"));
        self.note(name, span, is_verdict);
        why
    }

    /// Counts a use.
    pub(super) fn note(&mut self, name: &str, span: Span, is_verdict: bool) {
        if self.is_muted {
            return;
        }
        let at = if let Some(&at) = self.by_name.get(name) {
            at
        } else {
            let name: Arc<str> = Arc::from(name);
            self.by_name.insert(Arc::clone(&name), self.kinds.len());
            self.kinds.push(Seen {
                name,
                first: span,
                count: 0,
                is_verdict,
            });
            self.kinds.len() - 1
        };
        if let Some(kind) = self.kinds.get_mut(at) {
            if kind.count == 0 {
                kind.first = span;
            }
            kind.count += 1;
            self.at_hand.push(at);
        }
    }

    /// A new rule begins.
    pub(super) fn begin_rule(&mut self) {
        self.at_hand.clear();
    }

    /// Takes back what the rule at hand asks: nothing depends on it.
    pub(super) fn forget_rule(&mut self) {
        for at in self.at_hand.drain(..) {
            if let Some(kind) = self.kinds.get_mut(at) {
                kind.count -= 1;
            }
        }
    }

    /// The one shared copy of a text.
    pub(super) fn text(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.texts.get(text) {
            return Arc::clone(known);
        }
        let new: Arc<str> = Arc::from(text);
        self.texts.insert(Arc::clone(&new));
        new
    }

    /// Notes that some rule changes what properties of this name ask.
    pub(super) fn note_change(&mut self, name: String) {
        self.changed.insert(name);
    }

    /// Unknowns about what some rule changes are asked afresh each time.
    pub(super) fn forget_changed(&self, ruleset: &mut Ruleset) {
        if self.changed.is_empty() {
            return;
        }
        let rules = ruleset.chains.iter_mut().flat_map(|chain| &mut chain.rules);
        for rule in rules {
            for found in &mut rule.matches {
                self.forget(&mut found.condition);
            }
            if let Action::Unknown(unknown) = &mut rule.action {
                unknown.property = None;
            }
        }
    }

    /// Recursive over conditions, which are as deep as the logarithm of their size.
    fn forget(&self, condition: &mut Condition) {
        match condition {
            Condition::Test(..) | Condition::Member(_) => {}
            Condition::All(parts) | Condition::Any(parts) => {
                for part in parts {
                    self.forget(part);
                }
            }
            Condition::Not(part) => self.forget(part),
            Condition::Unknown(Unknown { property, .. }) => {
                let is_changed = |key: &Arc<str>| {
                    self.changed.iter().any(|name| {
                        key.strip_prefix(name.as_str())
                            .is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
                    })
                };
                if property.as_ref().is_some_and(is_changed) {
                    *property = None;
                }
            }
        }
    }

    /// One notice a kind, in the order of first use.
    pub(super) fn notices(&self) -> impl Iterator<Item = Finding> + '_ {
        let mut kinds: Vec<_> = self.kinds.iter().filter(|kind| kind.count > 0).collect();
        kinds.sort_by_key(|kind| (kind.first.file, kind.first.start));
        kinds.into_iter().map(|kind| {
            let times = if kind.count == 1 {
                String::new()
            } else {
                format!(" ({} times)", kind.count)
            };
            let message = format!("`{}` is not modelled{times}", kind.name);
            let doubt = if kind.is_verdict {
                "may accept, drop or pass on"
            } else {
                "may hold or not"
            };
            let label = Label::new(kind.first, doubt);
            Finding::new(Code::UnsupportedMatch, message, Some(label)).help("all that it may do was followed")
        })
    }
}
