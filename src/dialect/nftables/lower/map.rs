//! Maps: the keys of a packet, what a map holds, and a rule of the model for each of its verdicts.
//!
//! INVARIANT: a packet whose key is not in the map goes no further in the rule.

use std::rc::Rc;

use super::condition::{Operand, check_family, operand};
use super::content::{self, Content, Tuple};
use super::place::Place;
use super::program::Table;
use super::rule::{Step, Writer, push};
use super::scope::behind;
use super::value::Refusal;
use crate::dialect::nftables::ast::{Comparison, Data, Expr, ExprKind, Read, Unread, Verdict};
use crate::dialect::nftables::names::{Key, Type};
use crate::model::{Action, Condition, Match, Rule as ModelRule, Unknown};

/// Verdicts of a map up to which each is a rule of its own, so that it can be pointed at.
const MAX_SINGLE: usize = 64;

impl<'p, 'a> Writer<'_, 'p, 'a> {
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
            check_family(part, operand.key)?;
            place.reads_mark |= *operand.key == Key::Mark;
            place.reads_state |= *operand.key == Key::CtState;
            operands.push(operand);
        }
        Ok(operands)
    }

    /// The operands of a key and what the map holds that is asked for it.
    pub(super) fn looked_up(
        &mut self,
        place: &mut Place<'p, 'a>,
        (key, map): (&'p Expr<'a>, &'p Expr<'a>),
        matches: &mut Vec<Match>,
    ) -> Result<(Vec<Operand<'p>>, Rc<Content<'p, 'a>>), Refusal<'a>> {
        let operands = self.operands(place, key, matches)?;
        let kinds: Vec<Type> = operands.iter().map(|operand| operand.key.kind()).collect();
        let content = self.map_content(place.table, map, &kinds)?;
        Ok((operands, content))
    }

    /// What a map holds, by name or in braces.
    fn map_content(
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
            Some(_) => self.lowering.asked_content(table, name, kinds),
        }
    }

    /// `verdict-map ::= "{" lines?
    ///     ((/0{1,}([0-7]{0,5}|1[0-7]{5})|([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])|ssh|https?|domain/
    ///     | (/0{1,}([0-7]{0,5}|1[0-7]{5})|([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])/ blank?
    ///     | /ssh|https?|domain/ blank) ("/" blank? /0{1,}(1?[0-7]|20)?|[1-9]|1[0-6]/ | "-" blank?
    ///     /0{1,}([0-7]{0,5}|1[0-7]{5})|([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])|ssh|https?|domain/))
    ///     blank? ":" lines? ("accept" | "drop" | "continue" | "return" | ("jump" | "goto") blank word))
    ///     (lines? "," lines?
    ///     ((/0{1,}([0-7]{0,5}|1[0-7]{5})|([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])|ssh|https?|domain/
    ///     | (/0{1,}([0-7]{0,5}|1[0-7]{5})|([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])/ blank?
    ///     | /ssh|https?|domain/ blank) ("/" blank? /0{1,}(1?[0-7]|20)?|[1-9]|1[0-6]/ | "-" blank?
    ///     /0{1,}([0-7]{0,5}|1[0-7]{5})|([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])|ssh|https?|domain/))
    ///     blank? ":" lines? ("accept" | "drop" | "continue" | "return" | ("jump" | "goto") blank word)))*
    ///     (lines? ",")? lines? "}"`
    ///
    /// What it says.
    pub(super) fn verdict_map(
        &mut self,
        place: &mut Place<'p, 'a>,
        key: &'p Expr<'a>,
        map: &'p Expr<'a>,
        matches: &mut Vec<Match>,
        into: &mut Vec<ModelRule>,
    ) -> Read<'a, Step> {
        let found = self.looked_up(place, (key, map), matches);
        let (operands, content) = match found {
            Ok(found) => found,
            Err(Refusal::Unread(unread)) => return Err(unread),
            Err(Refusal::Unknown(why)) => {
                let span = self.lowering.texts.span(map.text);
                self.lowering.unknowns.note("vmap", span, true);
                let why = self.lowering.unknowns.text(why);
                let action = Action::Unknown(Unknown { property: None, why });
                // Of its verdicts nothing is known: it may lead to any chain.
                push(place, std::mem::take(matches), action, place.span, into);
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
        if let (false, ExprKind::SetName(_)) = (is_single, &behind(map).kind) {
            self.lowering.list(behind(map), key, &operands, &content);
        }
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
            elements: None,
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
