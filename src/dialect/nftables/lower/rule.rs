//! One rule of the text to rules of the model: a rule that changes a packet on its way, or whose verdict depends on a map,
//! becomes several.

use std::rc::Rc;

use super::chains::{Group, Lowering};
use super::condition::{Operand, operand};
use super::content::{self, Content, Tuple};
use super::place::Place;
use super::program::Table;
use super::scope::behind;
use super::value::Refusal;
use crate::dialect::nftables::ast::{
    ChainItem, Comparison, Data, Expr, ExprKind, Kind, Read, Rule, Statement, TableFamily, Unread, Verdict,
};
use crate::dialect::nftables::names::{Key, Type};
use crate::model::{Action, ChainId, Condition, Edit, Families, Match, Rule as ModelRule, Unknown};
use crate::packet::protocol::number::TCP;
use crate::packet::{Family, Field, RangeSet};
use crate::source::Span;

/// Verdicts of a map up to which each is a rule of its own, so that it can be pointed at.
const MAX_SINGLE: usize = 64;

/// Writes the rules of one chain.
pub(super) struct Writer<'w, 'p, 'a> {
    pub(super) lowering: &'w mut Lowering<'p, 'a>,
    pub(super) group: &'w mut Group,
    pub(super) table_index: usize,
}

/// What goes on after a statement.
enum Step {
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
        let is_plain = |statement: &Statement<'_>| matches!(statement.kind, Kind::Pass);
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
        push(place, Vec::new(), action, span, into);
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
            Kind::Update { set, key, gated } => {
                self.reads(place, key, matches)?;
                self.lowering.unknowns.note_change(format!("@{set}"));
                if *gated {
                    self.gate("limit", span, matches);
                }
                return Ok(Step::Next);
            }
            Kind::Change(key, value) => {
                self.reads(place, value, matches)?;
                return Ok(self.change(place, key, span, matches, into));
            }
            Kind::Verdict(verdict) => {
                let action = self.verdict(place, verdict)?;
                push(place, std::mem::take(matches), action, span, into);
            }
            Kind::VerdictMap { key, map } => return self.verdict_map(place, key, map, matches, into),
            Kind::Reject(family, is_reset) => {
                check_reject(place, *family, statement)?;
                matches.extend(answered(place, *family, *is_reset, span));
                push(place, std::mem::take(matches), Action::Reject, span, into);
            }
            Kind::Nat(nat) => self.translation(place, nat, span, matches, into)?,
            Kind::Unknown(name) => {
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

    /// The operands of a key; what they demand is in the matches then.
    pub(super) fn operands(
        &mut self,
        place: &mut Place<'p, 'a>,
        key: &'p Expr<'a>,
        matches: &mut Vec<Match>,
    ) -> Result<Vec<Operand<'p>>, Refusal<'a>> {
        let key = behind(key);
        let parts: Vec<&'p Expr<'a>> = match &key.kind {
            ExprKind::Concat(parts) => parts.iter().collect(),
            _ => vec![key],
        };
        let mut operands = Vec::with_capacity(parts.len());
        for part in parts {
            let operand =
                operand(part).ok_or(Refusal::Unknown("what is computed here is not modelled"))??;
            self.lowering.demand(place, part, operand.key, matches)?;
            place.reads_mark |= *operand.key == Key::Mark;
            place.reads_state |= *operand.key == Key::CtState;
            operands.push(operand);
        }
        Ok(operands)
    }

    /// What a map holds, by name or in braces.
    pub(super) fn map_content(
        &mut self,
        table: &'p Table<'a>,
        map: &'p Expr<'a>,
        kinds: &[Type],
    ) -> Result<Rc<Content<'p, 'a>>, Refusal<'a>> {
        let map = behind(map);
        let ExprKind::SetName(name) = &map.kind else {
            let content = content::of_expr(map, kinds)?;
            content
                .reversed
                .iter()
                .for_each(|unread| self.lowering.unread(unread));
            return Ok(Rc::new(content));
        };
        match table.sets.get(*name) {
            None => {
                self.lowering.dangling_set(table, name);
                Err(Refusal::Unknown("the map does not exist"))
            }
            Some(set) if set.is_dynamic => {
                let span = self.lowering.texts.span(map.text);
                self.lowering.unknowns.note(&format!("@{name}"), span, true);
                Err(Refusal::Unknown("the members of the map are not known"))
            }
            Some(_) => self.lowering.content_of(table, name, kinds),
        }
    }

    /// `verdict-map ::= "{" lines?
    ///     ((/0{0,}([0-9]{1,4}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])|ssh|https?|domain/
    ///     | (/0{0,}([0-9]{1,4}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])/ blank?
    ///     | /ssh|https?|domain/ blank) ("/" blank? /0{0,}([0-9]|1[0-6])/ | "-" blank?
    ///     /0{0,}([0-9]{1,4}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])|ssh|https?|domain/))
    ///     blank? ":" lines? ("accept" | "drop" | "continue" | "return" | ("jump" | "goto") blank word))
    ///     (lines? "," lines?
    ///     ((/0{0,}([0-9]{1,4}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])|ssh|https?|domain/
    ///     | (/0{0,}([0-9]{1,4}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])/ blank?
    ///     | /ssh|https?|domain/ blank) ("/" blank? /0{0,}([0-9]|1[0-6])/ | "-" blank?
    ///     /0{0,}([0-9]{1,4}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])|ssh|https?|domain/))
    ///     blank? ":" lines? ("accept" | "drop" | "continue" | "return" | ("jump" | "goto") blank word)))*
    ///     (lines? ",")? lines? "}"`
    ///
    /// What it says.
    fn verdict_map(
        &mut self,
        place: &mut Place<'p, 'a>,
        key: &'p Expr<'a>,
        map: &'p Expr<'a>,
        matches: &mut Vec<Match>,
        into: &mut Vec<ModelRule>,
    ) -> Read<'a, Step> {
        let found = self.operands(place, key, matches).and_then(|operands| {
            let kinds: Vec<Type> = operands.iter().map(|operand| operand.key.kind()).collect();
            let content = self.map_content(place.table, map, &kinds)?;
            Ok((operands, content))
        });
        let (operands, content) = match found {
            Ok(found) => found,
            Err(Refusal::Unread(unread)) => return Err(unread),
            Err(Refusal::Unknown(why)) => {
                let span = self.lowering.texts.span(map.text);
                self.lowering.unknowns.note("vmap", span, true);
                let why = self.lowering.unknowns.text(why);
                let action = Action::Unknown(Unknown { property: None, why });
                push(place, std::mem::take(matches), action, span, into);
                return Ok(Step::Over);
            }
        };
        if !content.plain.is_empty() {
            return Err(Unread::new(map.text, "a key without a verdict"));
        }
        if let Err(unread) = check_overlap(&content.tuples) {
            self.lowering.unread(&unread);
        }
        let is_single = content.tuples.len() <= MAX_SINGLE;
        for tuples in by_verdict(&content.tuples, is_single) {
            self.mapped(place, &operands, (key, map), &tuples, matches, into)?;
        }
        // What a map says `continue` of goes on in the rule; everything else ends here.
        let goes_on = content.tuples.iter().filter(|tuple| {
            let said = tuple
                .data
                .map(|data| matches!(data, Data::Verdict(_, Verdict::Continue)));
            said == Some(true)
        });
        let content = Content {
            tuples: goes_on.cloned().collect(),
            ..Content::default()
        };
        let span = self.lowering.texts.span(key.text);
        let condition = self.is_element(place, &operands, (key, map), &content)?;
        matches.push(Match { span, condition });
        Ok(Step::Next)
    }

    /// Whether a key is one of a map's.
    pub(super) fn is_element(
        &mut self,
        place: &mut Place<'p, 'a>,
        operands: &[Operand<'p>],
        (key, map): (&Expr<'a>, &Expr<'a>),
        content: &Content<'p, 'a>,
    ) -> Read<'a, Condition> {
        let question = (key, Comparison::Implicit, map);
        match self.lowering.among_content(place, operands, content, question) {
            Ok(condition) => Ok(condition),
            Err(Refusal::Unread(unread)) => Err(unread),
            Err(Refusal::Unknown(why)) => {
                let why = self.lowering.unknowns.text(why);
                Ok(Condition::Unknown(Unknown { property: None, why }))
            }
        }
    }

    /// Elements of a map that have one verdict.
    fn mapped(
        &mut self,
        place: &mut Place<'p, 'a>,
        operands: &[Operand<'p>],
        (key, map): (&Expr<'a>, &Expr<'a>),
        tuples: &[&Tuple<'p, 'a>],
        matches: &[Match],
        into: &mut Vec<ModelRule>,
    ) -> Read<'a, ()> {
        let Some(Data::Verdict(said, verdict)) = tuples.first().and_then(|tuple| tuple.data) else {
            return Err(Unread::new(map.text, "a key without a verdict"));
        };
        let content = Content {
            plain: crate::packet::RangeSet::empty(),
            tuples: tuples.iter().map(|tuple| (*tuple).clone()).collect(),
            reversed: Vec::new(),
        };
        let at = match tuples {
            [only] => only.text,
            _ => key.text,
        };
        let question = (key, Comparison::Implicit, map);
        let condition = match self.lowering.among_content(place, operands, &content, question) {
            Ok(condition) => condition,
            Err(Refusal::Unread(unread)) => return Err(unread),
            Err(Refusal::Unknown(why)) => {
                let why = self.lowering.unknowns.text(why);
                Condition::Unknown(Unknown { property: None, why })
            }
        };
        let action = self.verdict(place, verdict)?;
        let mut matches = matches.to_vec();
        matches.push(Match {
            span: self.lowering.texts.span(at),
            condition,
        });
        let span = self.lowering.texts.span(said);
        push(place, matches, action, span, into);
        Ok(())
    }
}

/// Elements one by one, or those with the same verdict together; what matches everything comes last.
fn by_verdict<'t, 'p, 'a>(tuples: &'t [Tuple<'p, 'a>], is_single: bool) -> Vec<Vec<&'t Tuple<'p, 'a>>> {
    if is_single {
        let (rest, last): (Vec<_>, Vec<_>) = tuples.iter().partition(|tuple| tuple.text != "*");
        return rest.into_iter().chain(last).map(|tuple| vec![tuple]).collect();
    }
    let verdict = |tuple: &Tuple<'p, 'a>| match tuple.data {
        Some(Data::Verdict(_, Verdict::Block(..)) | Data::Value(_)) | None => tuple.text.to_owned(),
        Some(Data::Verdict(said, _)) => crate::dialect::nftables::parser::canonical(said),
    };
    let mut sorted: Vec<_> = tuples
        .iter()
        .map(|tuple| (tuple.text == "*", verdict(tuple), tuple))
        .collect();
    sorted.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
    sorted
        .chunk_by(|a, b| (a.0, &a.1) == (b.0, &b.1))
        .map(|group| group.iter().map(|(_, _, tuple)| *tuple).collect())
        .collect()
}

/// A key has one verdict: nft refuses maps whose ranges overlap.
fn check_overlap<'a>(tuples: &[Tuple<'_, 'a>]) -> Read<'a, ()> {
    let mut ranges = Vec::with_capacity(tuples.len());
    for tuple in tuples.iter().filter(|tuple| tuple.text != "*") {
        if let [only] = tuple.key.as_slice() {
            ranges.extend(only.ranges().iter().map(|(low, high)| (*low, *high, tuple.text)));
        }
    }
    ranges.sort_unstable();
    let overlap = ranges.windows(2).find_map(|pair| match pair {
        [(.., high, first), (low, _, second)] if low <= high => Some((*first, *second)),
        _ => None,
    });
    match overlap {
        Some((first, second)) => Err(Unread::new(second, format!("this overlaps `{first}`"))),
        None => Ok(()),
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

/// A table of one family answers with the ICMP of that family.
fn check_reject<'a>(
    place: &Place<'_, 'a>,
    family: Option<Family>,
    statement: &Statement<'a>,
) -> Read<'a, ()> {
    let clashes = matches!(
        (place.table.name.family, family),
        (TableFamily::Ip, Some(Family::V6)) | (TableFamily::Ip6, Some(Family::V4))
    );
    if clashes {
        let message = "this answer is of the other family";
        return Err(
            Unread::new(statement.text, message).help("write `icmpx`, or the ICMP of the table's family")
        );
    }
    Ok(())
}

/// Whether a statement may leave its chain for the caller.
fn leaves(statement: &Statement<'_>) -> bool {
    match &statement.kind {
        Kind::Verdict(verdict) => matches!(
            verdict,
            Verdict::Return | Verdict::Goto(_) | Verdict::Block(true, _)
        ),
        Kind::VerdictMap { .. } | Kind::Unknown(_) => true,
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
