//! `-m set`: which packets are in a set, as the file of sets beside the dump has it.
//!
//! iptables-extensions(8), "set". INVARIANT: a set that rules fill, or that is in no file, gives an [`Unknown`], never an
//! answer.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::Lowering;
use super::condition::{not, test};
use super::table::TableKind;
use super::unmodelled::asks_the_same;
use crate::dialect::condition::{any, never};
use crate::dialect::ipset::{MAX_NAME_BYTES, Membership, Question, Sets, Side};
use crate::dialect::iptables::ast::{Read, Rule, Term, Unread};
use crate::dialect::iptables::parser::{bare, words};
use crate::dialect::reference::{self, Uses};
use crate::finding::Finding;
use crate::model::{AskedSet, Condition, NamedSets, Unknown};
use crate::source::Span;

/// Parts that an element may have: the kernel's `IPSET_DIM_MAX`.
const MAX_SIDES: usize = 6;

/// Conditions that the sets of one dump may come to; beyond, members count as not known.
const MAX_CONDITIONS: usize = 1 << 22;

/// The sets that one dump asks for.
#[derive(Default)]
pub(super) struct AskedSets<'a> {
    /// `None`: there is no file of sets.
    sets: Option<Rc<Sets<'a>>>,
    /// Sets that rules put addresses into, and take some out of.
    filled: FxHashSet<&'a str>,
    emptied: FxHashSet<&'a str>,
    known: FxHashMap<(&'a str, Vec<Side>, bool), (Membership, usize)>,
    n_conditions: usize,
    /// What rules ask, by the place of the match.
    listed: Vec<(Span, Arc<AskedSet>)>,
    /// Sets that the file does not have, and those of it that hold nothing, with who asks for them.
    missing: BTreeMap<&'a str, Uses>,
    empty: BTreeMap<&'a str, Uses>,
}

impl<'a> AskedSets<'a> {
    /// The sets of a file, for a dump of which this is the text.
    pub(super) fn new(sets: Option<Rc<Sets<'a>>>, text: &'a str) -> Self {
        let mut asked = Self {
            sets,
            ..Self::default()
        };
        // What a rule far below puts into a set is in it for all rules.
        for line in text.lines().filter(|line| line.contains("-set ")) {
            let mut all = words(line);
            while let Some(word) = all.next() {
                let into = match word.0 {
                    "--add-set" => &mut asked.filled,
                    "--del-set" => &mut asked.emptied,
                    _ => continue,
                };
                into.extend(all.next().map(|name| name.0));
            }
        }
        asked
    }

    /// What is in a set, and how many conditions say so.
    fn membership(&mut self, sets: &Sets<'_>, name: &'a str, question: Question<'_>) -> Option<Membership> {
        let key = (name, question.sides.to_vec(), question.exceptions);
        if !self.known.contains_key(&key) {
            let membership = sets.membership(name, question)?;
            let count = size(&membership.surely) + size(&membership.unsure);
            self.known.insert(key.clone(), (membership, count));
        }
        let (membership, n_conditions) = self.known.get(&key)?;
        self.n_conditions += n_conditions;
        (self.n_conditions <= MAX_CONDITIONS).then(|| membership.clone())
    }
}

/// Conditions that a condition is made of.
fn size(condition: &Condition) -> usize {
    match condition {
        Condition::All(parts) | Condition::Any(parts) => 1 + parts.iter().map(size).sum::<usize>(),
        Condition::Not(part) => 1 + size(part),
        Condition::Test(..) | Condition::Member(_) | Condition::Unknown(_) => 1,
    }
}

/// `set-name ::= /[^-!#' \t\n"][^ \t\n"]{0,30}|"[^-!#' \t\n"\\][^ \t\n"\\]{0,30}"/`
fn set_name(text: &str) -> Read<'_, &str> {
    let name = bare(text);
    if name.is_empty()
        || name.len() > MAX_NAME_BYTES
        || name.starts_with(['-', '!', '#', '\''])
        || name.contains('"')
    {
        return Err(Unread::new(text, format!("`{name}` is not the name of a set"))
            .help(format!("names of sets are 1 to {MAX_NAME_BYTES} bytes long")));
    }
    Ok(name)
}

/// `set-sides ::= /(src|dst)(,(src|dst)){0,5}/`
fn set_sides(text: &str) -> Read<'_, Vec<Side>> {
    let side = |direction| match direction {
        "src" => Ok(Side::Source),
        "dst" => Ok(Side::Destination),
        _ => Err(
            Unread::new(direction, format!("`{direction}` is not a direction"))
                .help("write `src` or `dst` for each part of the set's elements"),
        ),
    };
    let sides: Vec<Side> = bare(text).split(',').map(side).collect::<Result<_, _>>()?;
    if sides.len() > MAX_SIDES {
        return Err(Unread::new(text, format!("more than {MAX_SIDES} directions")));
    }
    Ok(sides)
}

/// The name and the directions of `--match-set`.
fn arguments<'a>(term: &Term<'a>) -> Read<'a, (&'a str, Vec<Side>)> {
    let mut both = words(term.arguments);
    let (name, sides) = (
        both.next().map_or("", |word| word.0),
        both.next().map_or("", |word| word.0),
    );
    Ok((set_name(name)?, set_sides(sides)?))
}

impl<'a> Lowering<'a> {
    /// `--match-set NAME src,dst`
    pub(super) fn in_set(
        &mut self,
        rule: &Rule<'a>,
        term: &Term<'a>,
        table: TableKind,
    ) -> Read<'a, Condition> {
        let (name, sides) = arguments(term)?;
        let Some(sets) = self.asked.sets.clone() else {
            return Ok(self.unmodelled(rule, term, table));
        };
        if !sets.has(name) {
            let span = self.at.span(name);
            asked(&mut self.asked.missing, name, span);
            return Ok(self.unmodelled(rule, term, table));
        }
        if let Some(family) = sets.family(name).filter(|family| *family != self.family) {
            let message = format!("set `{name}` is of {} addresses", family.word());
            return Err(
                Unread::new(term.arguments, message).help("iptables refuses a set of the other family")
            );
        }
        let detail = |option: &str| {
            let mut others = rule.terms.iter().filter(|other| other.owner == term.owner);
            others.any(|other| other.entry.is_some_and(|entry| entry.name.starts_with(option)))
        };
        let question = Question {
            family: self.family,
            sides: &sides,
            exceptions: detail("return-nomatch"),
            tests_fragments: self.tests_fragments,
        };
        let Some(membership) = self.asked.membership(&sets, name, question) else {
            return Ok(self.unmodelled(rule, term, table));
        };
        let is_in = |names: &FxHashSet<&'a str>| sets.names(name).any(|name| names.contains(name));
        let (is_filled, is_emptied) = (is_in(&self.asked.filled), is_in(&self.asked.emptied));
        let counts = sets.counts(name) && (detail("packets-") || detail("bytes-"));
        if !term.negated {
            let at = self.at.span(term.arguments);
            let sets = membership.sets.iter().cloned();
            self.asked.listed.extend(sets.map(|set| (at, set)));
        }
        Ok(if is_filled || is_emptied || counts {
            // What is in it changes while packets pass: each question may be answered differently.
            let span = self.at.span(name);
            self.unknowns.count("-m ", "set", "", span);
            let why = self
                .unknowns
                .text(&format!("the members of set `{name}` change as packets pass"));
            let changes = Condition::Unknown(Unknown { property: None, why });
            let (surely, possibly) = match (is_filled, is_emptied || counts) {
                (true, true) => (never(), Condition::All(Vec::new())),
                (true, false) => (membership.surely, Condition::All(Vec::new())),
                _ => (never(), any(vec![membership.surely, membership.unsure])),
            };
            not(
                any(vec![surely, Condition::All(vec![possibly, changes])]),
                term.negated,
            )
        } else if sets.holds_nothing(name) {
            let span = self.at.span(name);
            asked(&mut self.asked.empty, name, span);
            not(Condition::never_met(), term.negated)
        } else {
            let property = asks_the_same(term, table).then(|| {
                let exceptions = if question.exceptions { " exceptions" } else { "" };
                self.unknowns.text(&format!("set {}{exceptions}", term.arguments))
            });
            let why = self
                .unknowns
                .text(&format!("not all members of set `{name}` are known for sure"));
            joined(membership, Unknown { property, why }, term.negated)
        })
    }
}

/// Counts a question for a set.
fn asked<'a>(uses: &mut BTreeMap<&'a str, Uses>, name: &'a str, span: Span) {
    uses.entry(name).or_insert_with(|| Uses::new(span)).count += 1;
}

impl AskedSets<'_> {
    /// The sets that rules ask, element by element.
    pub(super) fn named(&mut self) -> NamedSets {
        NamedSets::new(std::mem::take(&mut self.listed))
    }

    /// What there is to say of sets that are not there, or hold nothing.
    pub(super) fn notices(&self) -> impl Iterator<Item = Finding> {
        let missing = self.missing.iter().map(|(name, uses)| {
            let what = format!("set `{name}` is not in the file of sets");
            reference::dangling(&what, *uses)
                .help("save the sets again with `ipset save`, or correct the name")
        });
        let empty = self.empty.iter();
        missing.chain(empty.map(|(name, uses)| reference::empty_set(name, *uses, None)))
    }
}

/// Membership with what is not known of it.
fn joined(membership: Membership, unknown: Unknown, negated: bool) -> Condition {
    let Membership { surely, unsure, .. } = membership;
    if unsure != never() {
        let perhaps = Condition::All(vec![unsure, Condition::Unknown(unknown)]);
        return not(any(vec![surely, perhaps]), negated);
    }
    match surely {
        Condition::Test(field, set) => test(field, set, negated),
        Condition::Any(parts) if parts.is_empty() && negated => Condition::All(Vec::new()),
        other => not(other, negated),
    }
}
