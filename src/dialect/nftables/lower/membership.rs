//! Sets to conditions: whether the parts of a packet are a key of one.
//!
//! INVARIANT: a set of which not all members are known gives an [`Unknown`], never an answer.

use std::sync::Arc;

use super::chains::Lowering;
use super::condition::{Operand, Values, any, keeps, narrow};
use super::content::{self, Content};
use super::place::Place;
use super::scope::behind;
use super::value::Refusal;
use crate::dialect::nftables::ast::{Comparison, Expr, ExprKind};
use crate::dialect::nftables::names::Type;
use crate::dialect::nftables::parser::canonical;
use crate::model::{AskedSet, Condition, Unknown};
use crate::packet::RangeSet;

impl<'p, 'a> Lowering<'p, 'a> {
    /// `membership ::= "ip" blank ("saddr" | "daddr") blank? (("==" | "!=") blank?)? "{" lines?
    ///     (dotted-address (blank? "/" blank? prefix | blank? "-" blank? dotted-address)? |
    ///     /[A-Za-z_][A-Za-z0-9._-]*/ - /[_.-]+/) (lines? "," lines? (dotted-address (blank? "/" blank?
    ///     prefix | blank? "-" blank? dotted-address)? | /[A-Za-z_][A-Za-z0-9._-]*/ - /[_.-]+/))* (lines?
    ///     ",")? lines? "}" | selector blank? (("==" | "!=") blank?)? "{" lines?
    ///     (/0{1,}([0-7]{0,5}|1[0-7]{5})|([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])|ssh|https?|domain/
    ///     | (/0{1,}([0-7]{0,5}|1[0-7]{5})|([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])/ blank?
    ///     | /ssh|https?|domain/ blank) ("/" blank? /0{1,}(1?[0-7]|20)?|[1-9]|1[0-6]/ | "-" blank?
    ///     /0{1,}([0-7]{0,5}|1[0-7]{5})|([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])|ssh|https?|domain/))
    ///     (lines? "," lines?
    ///     (/0{1,}([0-7]{0,5}|1[0-7]{5})|([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])|ssh|https?|domain/
    ///     | (/0{1,}([0-7]{0,5}|1[0-7]{5})|([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])/ blank?
    ///     | /ssh|https?|domain/ blank) ("/" blank? /0{1,}(1?[0-7]|20)?|[1-9]|1[0-6]/ | "-" blank?
    ///     /0{1,}([0-7]{0,5}|1[0-7]{5})|([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])|ssh|https?|domain/)))*
    ///     (lines? ",")? lines? "}" | selector blank "vmap" blank? verdict-map | "ct" blank "state" blank?
    ///     (("==" | "!=") blank?)? "{" lines? /new|established|related|invalid|untracked/ (lines? "," lines?
    ///     /new|established|related|invalid|untracked/)* (lines? ",")? lines? "}" | ("iifname" | "oifname")
    ///     blank? (("==" | "!=") blank?)? /"[ !#-)+-[\]-~]{1,15}"/`
    ///
    /// Whether the parts of a packet are a key of a set.
    pub(super) fn membership(
        &mut self,
        place: &mut Place<'p, 'a>,
        left: &'p Expr<'a>,
        operands: &[Operand<'p>],
        right: &'p Expr<'a>,
        negated: bool,
    ) -> Result<Condition, Refusal<'a>> {
        let kinds: Vec<Type> = operands.iter().map(|operand| operand.key.kind()).collect();
        let set = behind(right);
        if let ExprKind::SetName(name) = &set.kind {
            let condition = self.named_membership(place, left, operands, name, &kinds)?;
            if !negated && let Some(content) = self.known_content(place.table, name, &kinds) {
                self.list(set, right, operands, &content);
            }
            return Ok(condition);
        }
        let content = content::of_expr(set, &kinds)?;
        if let Some(mapped) = content.tuples.iter().find(|tuple| tuple.data.is_some()) {
            return Err(content::leads_nowhere(mapped.text)
                .help("write `vmap` before the brace")
                .into());
        }
        content.reversed.iter().for_each(|unread| self.unread(unread));
        if let ([only], true, false) = (operands, content.tuples.is_empty(), negated)
            && only.ops.is_empty()
        {
            narrow(place, only.key, &Values::Ranges(content.plain.clone()));
        }
        self.among_content(place, operands, &content, (left, Comparison::Implicit, right))
    }

    fn named_membership(
        &mut self,
        place: &mut Place<'p, 'a>,
        left: &'p Expr<'a>,
        operands: &[Operand<'p>],
        name: &'a str,
        kinds: &[Type],
    ) -> Result<Condition, Refusal<'a>> {
        let Some(set) = place.table.sets.get(name) else {
            self.dangling_set(place.table, name);
            return Ok(self.unknown_set(left, name, &format!("set `{name}` does not exist")));
        };
        if set.is_dynamic {
            let span = self.texts.span(left.text);
            self.unknowns.note(&format!("@{name}"), span, false);
            return Ok(self.unknown_set(left, name, &format!("the members of set `{name}` are not known")));
        }
        let content = self.asked_content(place.table, name, kinds)?;
        if content.is_empty() {
            return Ok(Condition::never_met());
        }
        let whole = Expr {
            text: left.text,
            kind: ExprKind::SetName(name),
        };
        self.among_content(place, operands, &content, (left, Comparison::Implicit, &whole))
    }

    /// Keeps a named set with the question for it, which stands at `asking`.
    pub(super) fn list(
        &mut self,
        set: &Expr<'a>,
        asking: &Expr<'a>,
        operands: &[Operand<'p>],
        content: &Content<'p, 'a>,
    ) {
        let parts = operands
            .iter()
            .map(|operand| operand.ops.is_empty().then(|| operand.key.part())?);
        if let (Some(parts), Some(elements)) = (parts.collect::<Option<_>>(), &content.elements) {
            let asked = AskedSet {
                name: set.text.into(),
                parts,
                elements: Arc::clone(elements),
            };
            self.listed.push((self.texts.span(asking.text), Arc::new(asked)));
        }
    }

    /// Membership of a set of which nothing is known.
    pub(super) fn unknown_set(&mut self, left: &Expr<'a>, name: &str, why: &str) -> Condition {
        let is_kept = keeps(left, self.program_translates);
        let property = is_kept.then(|| self.unknowns.text(&format!("@{name} {}", canonical(left.text))));
        let why = self.unknowns.text(why);
        Condition::Unknown(Unknown { property, why })
    }

    /// Whether the parts of a packet are an element.
    pub(super) fn among_content(
        &mut self,
        place: &mut Place<'p, 'a>,
        operands: &[Operand<'p>],
        content: &Content<'p, 'a>,
        question: (&Expr<'a>, Comparison, &Expr<'a>),
    ) -> Result<Condition, Refusal<'a>> {
        let mut parts = Vec::new();
        if let (Some(operand), false) = (operands.first(), content.plain.is_empty()) {
            let values = Values::Ranges(content.plain.clone());
            parts.push(self.among(place, operand, values, question)?);
        }
        let (unsure, sure): (Vec<_>, Vec<_>) = content.tuples.iter().partition(|tuple| tuple.is_unsure);
        for key in crate::dialect::condition::merged(sure.iter().map(|tuple| tuple.key.clone()).collect()) {
            parts.push(self.tuple(place, operands, &key, question)?);
        }
        for tuple in unsure {
            let member = self.tuple(place, operands, &tuple.key, question)?;
            let why = self.unknowns.text(&format!(
                "whether `{}` is still in the set is not known",
                tuple.text
            ));
            let property = format!("{} in {}", canonical(tuple.text), canonical(question.0.text));
            let is_there = Condition::Unknown(Unknown {
                property: Some(self.unknowns.text(&property)),
                why,
            });
            parts.push(Condition::All(vec![member, is_there]));
        }
        Ok(any(parts))
    }

    /// Whether each part of a packet is in the part of a key.
    pub(super) fn tuple(
        &mut self,
        place: &mut Place<'p, 'a>,
        operands: &[Operand<'p>],
        key: &[RangeSet],
        question: (&Expr<'a>, Comparison, &Expr<'a>),
    ) -> Result<Condition, Refusal<'a>> {
        let before = (place.protocols.clone(), place.demanded.len());
        let mut parts = Vec::with_capacity(key.len());
        for (operand, set) in operands.iter().zip(key) {
            let values = Values::Ranges(set.clone());
            if operand.ops.is_empty() {
                narrow(place, operand.key, &values);
            }
            let all = RangeSet::range(0, operand.key.kind().max());
            if set != &all {
                parts.push(self.among(place, operand, values, question)?);
            }
        }
        place.protocols = before.0;
        place.demanded.truncate(before.1);
        if parts.len() == 1
            && let Some(only) = parts.pop()
        {
            return Ok(only);
        }
        Ok(Condition::All(parts))
    }
}
