//! Matches that are not modelled: what each asks, under one name wherever it is asked.
//!
//! INVARIANT: two conditions have the same property only if every packet gives the same answer to both.

use super::Lowering;
use super::condition::not;
use super::table::TableKind;
use crate::dialect::iptables::ast::{Owner, Rule, Term, Use};
use crate::dialect::iptables::names::{Keeps, Meaning, Module};
use crate::dialect::iptables::parser::{bare, words};
use crate::model::{Condition, Unknown};
use crate::packet::{Family, Field, RangeSet, value};

impl<'a> Lowering<'a> {
    /// A test of a known module that is not modelled.
    pub(super) fn unmodelled(&mut self, rule: &Rule<'a>, term: &Term<'a>, table: TableKind) -> Condition {
        let Owner::Module(at) = term.owner else {
            return Condition::All(Vec::new());
        };
        let Some((used, module)) = rule.uses.get(at).and_then(|used| Some((used, used.module?))) else {
            return Condition::All(Vec::new());
        };
        if self.asks_extension_header(module) {
            return Condition::never_met();
        }
        let mut key = format!("{} {}", module.name, term.name);
        push_words(&mut key, term.arguments);
        let details = rule
            .terms
            .iter()
            .filter(|other| other.owner == term.owner && is_detail(other));
        details.for_each(|detail| push_term(&mut key, detail));
        let (option, at) = if partly_modelled(module) {
            (term.name, term.name)
        } else {
            ("", used.name)
        };
        let reason = self.unknowns.count("-m ", used.name, option, self.at.span(at));
        let why = match (module.name, words(term.arguments).next()) {
            ("set", Some(name)) => self
                .unknowns
                .text(&format!("the members of set `{}` are not known", name.text())),
            _ => reason,
        };
        let property = keeps(module, term, table).then(|| self.unknowns.text(&key));
        let asked = Condition::Unknown(Unknown { property, why });
        match module.name {
            "conntrack" if !table.is_before_tracking() => of_connection(rule, term, not(asked, term.negated)),
            // A packet without a connection has no helper (the kernel's `helper_mt`).
            "helper" => not(Condition::All(vec![tracked(), asked]), term.negated),
            _ => not(asked, term.negated),
        }
    }

    /// A module that asks one question with all its options: a module that is not known, or one without options of its own.
    pub(super) fn whole_module(
        &mut self,
        rule: &Rule<'a>,
        at: usize,
        used: &Use<'a>,
        table: TableKind,
    ) -> Condition {
        if used
            .module
            .is_some_and(|module| self.asks_extension_header(module))
        {
            return Condition::never_met();
        }
        let terms = || rule.terms.iter().filter(|term| term.owner == Owner::Module(at));
        let negations = terms().filter(|term| term.negated).count();
        let negated = used.module.is_none() && negations == 1;
        let mut key = used.name.to_owned();
        for term in terms() {
            let mut term = *term;
            term.negated &= !negated;
            push_term(&mut key, &term);
        }
        let why = self.unknowns.count("-m ", used.name, "", self.at.span(used.name));
        // What a module that nobody knows asks may be asked of anything: it is not kept.
        let kept = used.module.is_some_and(|module| lasts(module.keeps, table));
        let property = kept.then(|| self.unknowns.text(&key));
        not(Condition::Unknown(Unknown { property, why }), negated)
    }

    /// Whether a module asks about an extension header of IPv6. Without the header none of its options holds, negated or
    /// not: the kernel's `rt_mt6`, `frag_mt6`, `hbh_mt6` and `srh_mt6` look for it first.
    fn asks_extension_header(&self, module: &Module) -> bool {
        module.keeps == Keeps::Absent && self.family == Family::V6
    }
}

/// What `-m conntrack` asks of a connection: of packets that have none it does not hold, unless `--ctstate` stands beside it
/// and has held (the kernel's `conntrack_mt`).
fn of_connection(rule: &Rule<'_>, term: &Term<'_>, asked: Condition) -> Condition {
    let is_of = |name| term.entry.is_some_and(|entry| entry.name == name);
    let is_new = Condition::Test(Field::State, RangeSet::point(value::NEW));
    // A new connection's packets are in its original direction.
    let asked = match bare(term.arguments).eq_ignore_ascii_case("original") != term.negated {
        _ if !is_of("ctdir") => asked,
        true => Condition::Any(vec![is_new, asked]),
        false => Condition::All(vec![not(is_new, true), asked]),
    };
    let asks_state = |other: &Term<'_>| {
        let is_state = other.entry.is_some_and(|entry| entry.meaning == Meaning::State);
        other.owner == term.owner && is_state
    };
    if rule.terms.iter().any(asks_state) {
        let without = RangeSet::from_ranges([(value::INVALID, value::UNTRACKED)]);
        return Condition::Any(vec![Condition::Test(Field::State, without), asked]);
    }
    Condition::All(vec![tracked(), asked])
}

/// Packets that have a connection.
pub(super) fn tracked() -> Condition {
    Condition::Test(Field::State, RangeSet::range(value::NEW, value::RELATED))
}

pub(super) fn is_detail(term: &Term<'_>) -> bool {
    term.entry.is_none_or(|entry| entry.meaning == Meaning::Detail)
}

/// Whether a module asks something that none of its options asks by itself.
pub(super) fn asks_by_itself(rule: &Rule<'_>, at: usize, used: &Use<'_>) -> bool {
    let silent = |module: &Module| module.keeps == Keeps::Exact || !module.protocols.is_empty();
    !used.module.is_some_and(silent)
        && rule
            .terms
            .iter()
            .all(|term| term.owner != Owner::Module(at) || is_detail(term))
}

fn partly_modelled(module: &Module) -> bool {
    let unmodelled = |meaning| matches!(meaning, Meaning::Test | Meaning::Detail | Meaning::InSet);
    module.options.iter().any(|option| !unmodelled(option.meaning))
}

/// Whether a packet gives the same answer to the test wherever it is asked.
fn keeps(module: &Module, term: &Term<'_>, table: TableKind) -> bool {
    let is_same = match module.name {
        "set" => asks_the_same(term, table),
        "addrtype" => !term.name.contains("dst") || table.is_behind_translation(),
        _ => true,
    };
    is_same && lasts(module.keeps, table)
}

/// Whether `--match-set` asks the same of a packet wherever it is asked: `dst` asks about the destination, `src` about the
/// source, which only POSTROUTING translates.
pub(super) fn asks_the_same(term: &Term<'_>, table: TableKind) -> bool {
    let mut directions = words(term.arguments).skip(1);
    table.is_behind_translation() || directions.next().is_some_and(|flags| !flags.0.contains("dst"))
}

fn lasts(keeps: Keeps, table: TableKind) -> bool {
    match keeps {
        Keeps::Exact | Keeps::Always | Keeps::Unless(_) | Keeps::Absent => true,
        Keeps::UntilTranslated => table.is_behind_translation(),
        Keeps::Never => false,
    }
}

fn push_words(key: &mut String, text: &str) {
    for word in words(text) {
        key.push(' ');
        key.push_str(word.0);
    }
}

fn push_term(key: &mut String, term: &Term<'_>) {
    key.push_str(if term.negated { " ! " } else { " " });
    key.push_str(term.name);
    push_words(key, term.arguments);
}
