//! What is not modelled: one name for one question, and a count of each kind for the notices.

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::dialect::iptables::names::Change;
use crate::finding::{Code, Finding, Label};
use crate::source::Span;

/// One kind of thing that is not modelled.
struct Kind {
    /// As users write it: `-m mac`.
    name: String,
    why: Arc<str>,
    first: Span,
    count: usize,
}

/// Questions and kinds of one dump.
#[derive(Default)]
pub(super) struct Unknowns<'a> {
    texts: FxHashSet<Arc<str>>,
    by_name: FxHashMap<(&'a str, &'a str), usize>,
    kinds: Vec<Kind>,
    /// The kinds that the rule at hand asks.
    at_hand: Vec<usize>,
    changes: u8,
}

impl<'a> Unknowns<'a> {
    /// Counts one use of `option` of `flag` (`-m mac`, `-j NFQUEUE`); `option` may be empty. Returns why it is unknown.
    pub(super) fn count(&mut self, flag: &str, name: &'a str, option: &'a str, span: Span) -> Arc<str> {
        let kinds = &mut self.kinds;
        let at = *self.by_name.entry((name, option)).or_insert_with(|| {
            let name = match option {
                "" => format!("{flag}{name}"),
                _ => format!("{flag}{name} {option}"),
            };
            let why = Arc::from(format!("`{name}` is not modelled"));
            kinds.push(Kind {
                name,
                why,
                first: span,
                count: 0,
            });
            kinds.len() - 1
        });
        self.at_hand.push(at);
        match self.kinds.get_mut(at) {
            Some(kind) => {
                if kind.count == 0 {
                    kind.first = span;
                }
                kind.count += 1;
                Arc::clone(&kind.why)
            }
            None => Arc::from(name),
        }
    }

    /// Begins a rule.
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

    /// The one shared copy of a text: dumps ask the same question in many rules.
    pub(super) fn text(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.texts.get(text) {
            return Arc::clone(known);
        }
        let new: Arc<str> = Arc::from(text);
        self.texts.insert(Arc::clone(&new));
        new
    }

    /// Notes that some rule changes this.
    pub(super) fn note_change(&mut self, change: Change) {
        self.changes |= 1 << change as u8;
    }

    /// Whether any rule changes anything that unmodelled matches ask.
    pub(super) fn any_change(&self) -> bool {
        self.changes != 0
    }

    /// Whether some rule changes this.
    pub(super) fn is_changed(&self, change: Change) -> bool {
        self.changes >> change as u8 & 1 == 1
    }

    /// One notice a kind, in the order of first use.
    pub(super) fn notices(&self) -> impl Iterator<Item = Finding> + '_ {
        let mut kinds: Vec<_> = self.kinds.iter().filter(|kind| kind.count > 0).collect();
        kinds.sort_by_key(|kind| kind.first.start);
        kinds.into_iter().map(|kind| {
            let times = if kind.count == 1 {
                String::new()
            } else {
                format!(" ({} times)", kind.count)
            };
            let message = format!("`{}` is not modelled{times}", kind.name);
            let is_target = kind.name.starts_with("-j");
            let doubt = if is_target {
                "may accept, drop or pass on"
            } else {
                "may hold or not"
            };
            let label = Label::new(kind.first, doubt);
            Finding::new(Code::UnsupportedMatch, message, Some(label)).help("all that it may do was followed")
        })
    }
}
