//! What a text asks or does that is not modelled: one shared copy of each reason, one count and one notice for each kind.
//!
//! INVARIANT: what a rule asks on which nothing depends is not counted: see [`Unmodelled::forget_rule`].

use std::sync::Arc;

use rustc_hash::FxHashSet;

use crate::finding::{Code, Finding, Label};
use crate::model::{Condition, Ruleset};
use crate::source::Span;

/// One kind of construct that is not modelled.
#[derive(Debug)]
struct Kind {
    /// As users write it: `-m mac`.
    name: Arc<str>,
    first: Span,
    count: usize,
    is_verdict: bool,
}

/// The place of a kind among those of one text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct KindId(usize);

/// All that is not modelled in one text.
#[derive(Debug, Default)]
pub(super) struct Unmodelled {
    kinds: Vec<Kind>,
    texts: FxHashSet<Arc<str>>,
    /// The kinds that the rule at hand asks.
    at_hand: Vec<usize>,
}

impl Unmodelled {
    /// A new kind, not counted yet, that first stands at `first`. `is_verdict`: what it does is not known, rather than whether
    /// it holds.
    pub(super) fn add(&mut self, name: &str, is_verdict: bool, first: Span) -> KindId {
        self.kinds.push(Kind {
            name: name.into(),
            first,
            count: 0,
            is_verdict,
        });
        KindId(self.kinds.len() - 1)
    }

    /// Counts a use.
    pub(super) fn used(&mut self, KindId(at): KindId, span: Span) {
        let Some(kind) = self.kinds.get_mut(at) else {
            return;
        };
        if kind.count == 0 {
            kind.first = span;
        }
        kind.count += 1;
        self.at_hand.push(at);
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

    /// The one shared copy of a text: rules ask the same question again and again.
    pub(super) fn text(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.texts.get(text) {
            return Arc::clone(known);
        }
        let new: Arc<str> = Arc::from(text);
        self.texts.insert(Arc::clone(&new));
        new
    }

    /// Why something of this name is unknown.
    pub(super) fn why(&mut self, name: &str) -> Arc<str> {
        self.text(&format!("`{name}` is not modelled"))
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

/// Has unknowns of which some rule changes the answer be asked afresh each time. `is_changed` is asked of properties.
pub(super) fn forget_changed(ruleset: &mut Ruleset, is_changed: &dyn Fn(&str) -> bool) {
    let rules = ruleset.chains.iter_mut().flat_map(|chain| &mut chain.rules);
    for found in rules.flat_map(|rule| &mut rule.matches) {
        forget(&mut found.condition, is_changed);
    }
}

/// Recursive over conditions, which are as deep as the logarithm of their size.
fn forget(condition: &mut Condition, is_changed: &dyn Fn(&str) -> bool) {
    match condition {
        Condition::Test(..) | Condition::Member(_) => {}
        Condition::All(parts) | Condition::Any(parts) => {
            for part in parts {
                forget(part, is_changed);
            }
        }
        Condition::Not(part) => forget(part, is_changed),
        Condition::Unknown(unknown) => {
            if unknown.property.as_deref().is_some_and(is_changed) {
                unknown.property = None;
            }
        }
    }
}
