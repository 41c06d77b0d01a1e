//! One rule of the text to rules of the model: a rule that changes a packet on its way, or whose verdict depends on a map,
//! becomes several.

use super::allowed::{check_proxy, check_reject};
use super::chains::Lowering;
use super::form;
use super::group::Group;
use super::place::Place;
use super::program::Table;
use super::scope::behind;
use crate::dialect::nftables::ast::{
    ChainItem, Expr, ExprKind, Kind, Read, Rule, Statement, Unread, Verdict,
};
use crate::dialect::nftables::names::Key;
use crate::model::{Action, ChainId, Condition, Edit, Families, Match, Rule as ModelRule, Unknown};
use crate::packet::protocol::number::TCP;
use crate::packet::{Family, Field, RangeSet};
use crate::source::Span;

/// Writes the rules of one chain.
pub(super) struct Writer<'w, 'p, 'a> {
    pub(super) lowering: &'w mut Lowering<'p, 'a>,
    pub(super) group: &'w mut Group,
    pub(super) table_index: usize,
}

/// What goes on after a statement.
pub(super) enum Step {
    Next,
    /// The rule is over, whatever follows.
    Over,
}

impl<'p, 'a> Writer<'_, 'p, 'a> {
    /// All of a rule.
    pub(super) fn rule(&mut self, place: &mut Place<'p, 'a>, rule: &'p Rule<'a>, into: &mut Vec<ModelRule>) {
        let n_before = into.len();
        let mut matches = Vec::new();
        let done = self.statements(place, rule, &rule.statements, &mut matches, into);
        if let (Ok(_), Some(unread)) = (&done, place.refusal.take()) {
            self.lowering.unread(&unread);
            into.truncate(n_before);
            self.unreadable(place.span, Vec::new(), into);
            return;
        }
        let is_over = match done {
            Ok(Step::Over) => true,
            Ok(Step::Next) => false,
            Err(unread) => {
                self.lowering.unread(&unread);
                self.unreadable(place.span, matches, into);
                return;
            }
        };
        if is_over {
            return;
        }
        if rule.bad.is_some() {
            self.unreadable(place.span, matches, into);
        } else if into.len() == n_before {
            self.lowering.unknowns.forget_rule();
            push(place, matches, Action::Continue, place.span, into);
        }
    }

    fn unreadable(&mut self, span: Span, matches: Vec<Match>, into: &mut Vec<ModelRule>) {
        let why = self.lowering.unknowns.text("this rule could not be read");
        into.push(ModelRule {
            span,
            matches,
            action: Action::Unknown(Unknown { property: None, why }),
            action_span: span,
        });
    }

    fn statements(
        &mut self,
        place: &mut Place<'p, 'a>,
        rule: &'p Rule<'a>,
        statements: &'p [Statement<'a>],
        matches: &mut Vec<Match>,
        into: &mut Vec<ModelRule>,
    ) -> Read<'a, Step> {
        let mut rest = statements;
        while let Some((statement, after)) = rest.split_first() {
            rest = after;
            if let Kind::SetMark(value) = &statement.kind {
                super::action::check_mark(value)?;
            }
            let edit = match &statement.kind {
                Kind::SetMark(value) => {
                    let span = self.lowering.texts.span(statement.text);
                    let mapped = self.reads(place, value, matches)?;
                    if let (Some(mapped), false) = (mapped, place.reads_mark)
                        && self.mapped_marks(place, &mapped, span, matches, into)
                    {
                        continue;
                    }
                    Some((super::action::mark(value), place.reads_mark))
                }
                Kind::Notrack => Some((Edit::Untrack, place.reads_state)),
                _ => None,
            };
            let Some((edit, conflicts)) = edit else {
                if let Step::Over = self.statement(place, statement, matches, into)? {
                    return Ok(Step::Over);
                }
                continue;
            };
            let span = self.lowering.texts.span(statement.text);
            if conflicts && !rest.is_empty() {
                return Ok(self.behind_edit(place, rule, (edit, span), rest, matches, into));
            }
            push(place, matches.clone(), Action::Edit(edit), span, into);
        }
        Ok(Step::Next)
    }

    /// A change of what the conditions before it have read: what follows is a chain of its own.
    fn behind_edit(
        &mut self,
        place: &mut Place<'p, 'a>,
        rule: &'p Rule<'a>,
        (edit, span): (Edit, Span),
        rest: &'p [Statement<'a>],
        matches: &mut Vec<Match>,
        into: &mut Vec<ModelRule>,
    ) -> Step {
        let is_plain = |statement: &Statement<'_>| match &statement.kind {
            Kind::WithObject(_, then) => matches!(then.kind, Kind::Pass),
            kind => matches!(kind, Kind::Pass),
        };
        let leaves_at_once = rest.split_last().is_some_and(|(last, before)| {
            before.iter().all(is_plain) && matches!(last.kind, Kind::Verdict(_)) && leaves(last)
        });
        if !leaves_at_once && rest.iter().any(leaves) {
            self.leaves_perhaps(place, (edit, span), matches, into);
            return Step::Over;
        }
        // What falls out of a chain that was gone to returns to the caller of this one.
        let through = if leaves_at_once {
            Action::Goto
        } else {
            Action::Jump
        };
        let path = format!("{}/(after a change)", super::chains::table_path(place.table));
        let chain = self.group.add(path, place.span);
        push(place, std::mem::take(matches), through(chain), span, into);
        let mut inner = Vec::new();
        push(place, Vec::new(), Action::Edit(edit), span, &mut inner);
        (place.reads_mark, place.reads_state) = (false, false);
        let mut conditions = Vec::new();
        let done = self.statements(place, rule, rest, &mut conditions, &mut inner);
        match &done {
            Ok(Step::Next) if rule.bad.is_some() => self.unreadable(place.span, conditions, &mut inner),
            Err(unread) => {
                self.lowering.unread(unread);
                self.unreadable(place.span, conditions, &mut inner);
            }
            Ok(_) => {}
        }
        self.group.set_rules(chain, inner);
        Step::Over
    }

    /// A change of what was read, and then a question on which it depends whether packets leave the chain: they are changed,
    /// and whether any packet leaves is not known.
    fn leaves_perhaps(
        &mut self,
        place: &Place<'p, 'a>,
        (edit, span): (Edit, Span),
        matches: &mut Vec<Match>,
        into: &mut Vec<ModelRule>,
    ) {
        push(place, std::mem::take(matches), Action::Edit(edit), span, into);
        let why = "a change before `return` or `goto` of what the rule has read";
        let why = self.lowering.unknowns.count(why, span, true);
        let action = Action::Unknown(Unknown { property: None, why });
        // The chain that the rest of the rule leads to is one of those that it may lead to.
        push(place, Vec::new(), action, place.span, into);
    }

    fn statement(
        &mut self,
        place: &mut Place<'p, 'a>,
        statement: &'p Statement<'a>,
        matches: &mut Vec<Match>,
        into: &mut Vec<ModelRule>,
    ) -> Read<'a, Step> {
        let span = self.lowering.texts.span(statement.text);
        match &statement.kind {
            Kind::Match { left, op, right } => {
                self.lowering.comparison(place, left, *op, right, matches)?;
                return Ok(Step::Next);
            }
            Kind::Pass | Kind::SetMark(_) | Kind::Notrack | Kind::Verdict(Verdict::Continue) => {
                return Ok(Step::Next);
            }
            Kind::Limit(name) => {
                self.gate(name, span, matches);
                return Ok(Step::Next);
            }
            Kind::WithObject(named, then) => {
                self.lowering.check_object(place.table, *named);
                return self.statement(place, then, matches, into);
            }
            Kind::Mapped { map, then } => {
                self.reads(place, map, matches)?;
                return self.statement(place, then, matches, into);
            }
            Kind::Update { set, key, gated } => {
                self.reads(place, key, matches)?;
                if !place.table.sets.contains_key(set) {
                    self.lowering.dangling_set(place.table, set);
                }
                self.lowering.unknowns.note_change(format!("@{set}"));
                if *gated {
                    self.gate("limit", span, matches);
                }
                return Ok(Step::Next);
            }
            Kind::Change(key, value) => {
                if matches!(key, Key::Other(other) if other.name == "ct event") {
                    form::check_events(value)?;
                }
                self.reads(place, value, matches)?;
                return Ok(self.change(place, key, span, matches, into));
            }
            Kind::Verdict(verdict) => {
                let action = self.verdict(place, verdict)?;
                push(place, std::mem::take(matches), action, span, into);
            }
            Kind::VerdictMap { key, map } => return self.verdict_map(place, key, map, matches, into),
            Kind::Reject(family, is_reset) => {
                check_reject(place, *family, *is_reset, statement)?;
                matches.extend(answered(place, *family, *is_reset, span));
                push(place, std::mem::take(matches), Action::Reject, span, into);
            }
            Kind::Nat(nat) => self.translation(place, nat, span, matches, into)?,
            Kind::Unknown(name) => {
                if *name == "tproxy" {
                    check_proxy(place, statement)?;
                }
                let why = self.lowering.unknowns.count(name, span, true);
                let action = Action::Unknown(Unknown { property: None, why });
                push(place, std::mem::take(matches), action, span, into);
            }
        }
        Ok(Step::Over)
    }

    /// Something that lets some packets go on and others not.
    fn gate(&mut self, name: &str, span: Span, matches: &mut Vec<Match>) {
        let why = self.lowering.unknowns.count(name, span, false);
        matches.push(Match {
            span,
            condition: Condition::Unknown(Unknown { property: None, why }),
        });
    }

    fn change(
        &mut self,
        place: &Place<'p, 'a>,
        key: &Key,
        span: Span,
        matches: &[Match],
        into: &mut Vec<ModelRule>,
    ) -> Step {
        if let Key::Other(other) = key {
            self.lowering.unknowns.note_change(other.name.clone());
            return Step::Next;
        }
        // Ports and addresses that a rule writes into packets change what every later rule sees.
        let why = self
            .lowering
            .unknowns
            .count("a change of what is modelled", span, true);
        let action = Action::Unknown(Unknown { property: None, why });
        push(place, matches.to_vec(), action, span, into);
        Step::Next
    }

    /// What a verdict does.
    pub(super) fn verdict(
        &mut self,
        place: &mut Place<'p, 'a>,
        verdict: &'p Verdict<'a>,
    ) -> Read<'a, Action> {
        Ok(match verdict {
            Verdict::Accept => Action::Accept,
            Verdict::Drop => Action::Drop,
            Verdict::Continue => Action::Continue,
            Verdict::Return => Action::Return,
            Verdict::Jump(chain) => self.target(place.table, chain, Action::Jump)?,
            Verdict::Goto(chain) => self.target(place.table, chain, Action::Goto)?,
            Verdict::Block(is_goto, items) => {
                let chain = self.block(place, items);
                if *is_goto {
                    Action::Goto(chain)
                } else {
                    Action::Jump(chain)
                }
            }
        })
    }

    fn target(
        &mut self,
        table: &Table<'a>,
        chain: &Expr<'a>,
        action: fn(ChainId) -> Action,
    ) -> Read<'a, Action> {
        let ExprKind::Word(word) = &behind(chain).kind else {
            return Err(Unread::new(chain.text, "this is no chain"));
        };
        let found = table
            .target_index(word.text)
            .and_then(|index| self.group.ids.get(&(self.table_index, index)));
        if let Some(id) = found {
            return Ok(action(*id));
        }
        self.lowering.dangling_chain(table, word.text);
        let why = format!("chain `{}` does not exist", word.text);
        let why = self.lowering.unknowns.text(&why);
        Ok(Action::Unknown(Unknown { property: None, why }))
    }

    /// The rules of a chain without a name.
    fn block(&mut self, place: &Place<'p, 'a>, items: &'p [ChainItem<'a>]) -> ChainId {
        let path = format!("{}/(block)", super::chains::table_path(place.table));
        let chain = self.group.add(path, place.span);
        let mut rules = Vec::new();
        for item in items {
            match item {
                ChainItem::Rule(rule) => {
                    let span = self.lowering.texts.span(rule.text);
                    let mut inner = Place::new(place.table, place.families, place.met, span);
                    if let Some(unread) = &rule.bad {
                        self.lowering.unread(unread);
                    }
                    self.rule(&mut inner, rule, &mut rules);
                }
                ChainItem::Bad(unread) => {
                    self.lowering.unread(unread);
                    let span = self.lowering.texts.span(unread.at);
                    self.unreadable(span, Vec::new(), &mut rules);
                }
                _ => {}
            }
        }
        self.group.set_rules(chain, rules);
        chain
    }
}

/// What an answer can be given to: ICMP to packets of its family, a reset to TCP.
fn answered(place: &Place<'_, '_>, family: Option<Family>, is_reset: bool, span: Span) -> Vec<Match> {
    let of_family = family
        .filter(|_| place.families == Families::Both)
        .map(|family| (Field::Family, family.value()));
    let of_tcp = is_reset.then_some((Field::Protocol, u128::from(TCP)));
    let tests = of_family.into_iter().chain(of_tcp);
    let test = |(field, number)| Match {
        span,
        condition: Condition::Test(field, RangeSet::point(number)),
    };
    tests.map(test).collect()
}

/// Whether a statement may leave its chain for the caller.
fn leaves(statement: &Statement<'_>) -> bool {
    match &statement.kind {
        Kind::Verdict(verdict) => matches!(
            verdict,
            Verdict::Return | Verdict::Goto(_) | Verdict::Block(true, _)
        ),
        Kind::VerdictMap { .. } | Kind::Unknown(_) => true,
        Kind::WithObject(_, then) => leaves(then),
        _ => false,
    }
}

pub(super) fn push(
    place: &Place<'_, '_>,
    matches: Vec<Match>,
    action: Action,
    action_span: Span,
    into: &mut Vec<ModelRule>,
) {
    into.push(ModelRule {
        span: place.span,
        matches,
        action,
        action_span,
    });
}
