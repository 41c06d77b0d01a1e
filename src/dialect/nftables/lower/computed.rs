//! Values that statements compute from a packet: what must hold for it, and the marks that come of it.
//!
//! INVARIANT: a rule goes on behind a statement only with packets of which its value could be computed: nft ends a rule where
//! a header or a connection is missing, or a map has no such key.

use std::rc::Rc;

use super::condition::Operand;
use super::content::Content;
use super::demand::is_of_connection;
use super::place::Place;
use super::rule::{Writer, push};
use super::scope::behind;
use super::value::{self, Refusal};
use crate::dialect::nftables::ast::{Comparison, Data, Expr, ExprKind, Read};
use crate::dialect::nftables::names::Type;
use crate::model::{Action, Condition, Edit, Match, Rule as ModelRule, Unknown};
use crate::source::Span;

/// Marks of a map up to which each is a rule of its own.
const MAX_MARKS: usize = 64;

/// A value that a map gives.
pub(super) struct Mapped<'p, 'a> {
    operands: Vec<Operand<'p>>,
    content: Rc<Content<'p, 'a>>,
    question: (&'p Expr<'a>, &'p Expr<'a>),
}

impl<'p, 'a> Writer<'_, 'p, 'a> {
    /// Adds what must hold for a value to be computed. Gives the map that it is from, if it is from one alone.
    pub(super) fn reads(
        &mut self,
        place: &mut Place<'p, 'a>,
        value: &'p Expr<'a>,
        matches: &mut Vec<Match>,
    ) -> Read<'a, Option<Mapped<'p, 'a>>> {
        let value = behind(value);
        match &value.kind {
            ExprKind::Selector(key) => {
                place.reads_state |= is_of_connection(key);
                if let Err(Refusal::Unread(unread)) = self.lowering.demand(place, value, key, matches) {
                    return Err(unread);
                }
            }
            ExprKind::Binary(_, both) => {
                self.reads(place, &both.0, matches)?;
                self.reads(place, &both.1, matches)?;
            }
            ExprKind::Concat(parts) => {
                for part in parts {
                    self.reads(place, part, matches)?;
                }
            }
            ExprKind::Map(both) => return self.looks_up(place, (&both.0, &both.1), matches),
            _ => {}
        }
        Ok(None)
    }

    /// Adds that a key is one of a map's.
    fn looks_up(
        &mut self,
        place: &mut Place<'p, 'a>,
        (key, map): (&'p Expr<'a>, &'p Expr<'a>),
        matches: &mut Vec<Match>,
    ) -> Read<'a, Option<Mapped<'p, 'a>>> {
        let span = self.lowering.texts.span(map.text);
        let found = self.looked_up(place, (key, map), matches);
        let (operands, content) = match found {
            Ok(found) => found,
            Err(Refusal::Unread(unread)) => return Err(unread),
            Err(Refusal::Unknown(why)) => {
                let why = self.lowering.unknowns.text(why);
                let condition = Condition::Unknown(Unknown { property: None, why });
                matches.push(Match { span, condition });
                return Ok(None);
            }
        };
        let condition = self.is_element(place, &operands, (key, map), &content)?;
        matches.push(Match { span, condition });
        let question = (key, map);
        Ok(Some(Mapped {
            operands,
            content,
            question,
        }))
    }

    /// Sets the mark that a map gives, a rule for each of its keys. `false`: not all of its values are known.
    pub(super) fn mapped_marks(
        &mut self,
        place: &mut Place<'p, 'a>,
        mapped: &Mapped<'p, 'a>,
        span: Span,
        matches: &[Match],
        into: &mut Vec<ModelRule>,
    ) -> bool {
        let tuples = &mapped.content.tuples;
        if tuples.len() > MAX_MARKS || tuples.iter().any(|tuple| tuple.is_unsure || tuple.text == "*") {
            return false;
        }
        let question = (mapped.question.0, Comparison::Implicit, mapped.question.1);
        let mut rules = Vec::with_capacity(tuples.len());
        for tuple in tuples {
            let flip = match tuple.data {
                Some(Data::Value(value)) => value::number(behind(value), Type::Mark).ok(),
                _ => None,
            };
            let flip = flip.and_then(|flip| u32::try_from(flip).ok());
            let condition = self.lowering.tuple(place, &mapped.operands, &tuple.key, question);
            let (Some(flip), Ok(condition)) = (flip, condition) else {
                return false;
            };
            let mut matches = matches.to_vec();
            matches.push(Match {
                span: self.lowering.texts.span(tuple.text),
                condition,
            });
            let clear = u32::MAX;
            push(
                place,
                matches,
                Action::Edit(Edit::Mark { clear, flip }),
                span,
                &mut rules,
            );
        }
        into.append(&mut rules);
        true
    }
}
