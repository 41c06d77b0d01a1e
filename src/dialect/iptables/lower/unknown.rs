//! What is not modelled in a dump: the kinds by what users write, and what targets change of what is asked.
//!
//! INVARIANT: a question that some target may change the answer of is asked afresh each time.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::dialect::iptables::names::{Change, Keeps, known_module};
use crate::dialect::unmodelled::{self, KindId, Unmodelled};
use crate::model::Ruleset;
use crate::source::Span;

/// Questions and kinds of one dump.
#[derive(Default)]
pub(super) struct Unknowns<'a> {
    all: Unmodelled,
    by_name: FxHashMap<(&'a str, &'a str), (KindId, Arc<str>)>,
    changes: u8,
}

impl Deref for Unknowns<'_> {
    type Target = Unmodelled;

    fn deref(&self) -> &Unmodelled {
        &self.all
    }
}

impl DerefMut for Unknowns<'_> {
    fn deref_mut(&mut self) -> &mut Unmodelled {
        &mut self.all
    }
}

impl<'a> Unknowns<'a> {
    /// Counts one use of `option` of `flag` (`-m mac`, `-j NFQUEUE`); `option` may be empty. Returns why it is unknown.
    pub(super) fn count(&mut self, flag: &str, name: &'a str, option: &'a str, span: Span) -> Arc<str> {
        let all = &mut self.all;
        let (kind, why) = self.by_name.entry((name, option)).or_insert_with(|| {
            let name = match option {
                "" => format!("{flag}{name}"),
                _ => format!("{flag}{name} {option}"),
            };
            (all.add(&name, flag == "-j ", span), all.why(&name))
        });
        all.used(*kind, span);
        Arc::clone(why)
    }

    /// Notes that some rule changes this.
    pub(super) fn note_change(&mut self, change: Change) {
        self.changes |= 1 << change as u8;
    }

    /// Has what some rule changes be asked afresh each time.
    pub(super) fn forget_changed(&self, ruleset: &mut Ruleset) {
        if self.changes == 0 {
            return;
        }
        unmodelled::forget_changed(ruleset, &|property| {
            let module = property.split(' ').next().and_then(known_module);
            match module.map(|module| module.keeps) {
                Some(Keeps::Unless(change)) => self.changes >> change as u8 & 1 == 1,
                _ => false,
            }
        });
    }
}
