//! Selectors of Calico as expressions, and as the terms in which all selectors are asked.
//!
//! INVARIANT: negations are pushed down to the labels, where each has an operator of its own; so what is not known of a label
//! stays unknown under any number of them.

use super::parser;
use crate::dialect::kubernetes::notes::Notes;
use crate::dialect::kubernetes::selector::{Operator, Requirement, Selector, Terms};
use crate::source::Span;
use crate::tree::Node;

/// A selector as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Expression {
    /// `all()`: what is in a namespace, where namespaces are asked about.
    All,
    /// `global()`: what is in none.
    Global,
    Compared(Comparison),
    Not(Box<Expression>),
    Every(Vec<Expression>),
    Any(Vec<Expression>),
}

/// A question about one label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Comparison {
    pub(super) key: String,
    pub(super) operator: Operator,
    pub(super) values: Vec<String>,
}

/// What `all()` and `global()` stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// What is asked about is in a namespace, or it makes no difference.
    Namespaced,
    /// It is in none.
    Global,
}

impl Expression {
    /// Reads one, and says where it is no selector.
    pub(super) fn read(node: Node<'_>, notes: &mut Notes) -> Option<Self> {
        let Some(text) = node.text().filter(|_| node.is_scalar()) else {
            let message = format!("expected a selector, found {}", node.kind());
            notes.unread(node.span(), message, None);
            return None;
        };
        match parser::selector(text) {
            Ok(found) => Some(found),
            Err(refusal) => {
                let span = place(node, text, refusal.at);
                notes.unread(span, refusal.message, Some(refusal.help));
                None
            }
        }
    }

    /// Whether `global()` is in it.
    pub(super) fn has_global(&self) -> bool {
        match self {
            Self::Global => true,
            Self::All | Self::Compared(_) => false,
            Self::Not(inner) => inner.has_global(),
            Self::Every(parts) | Self::Any(parts) => parts.iter().any(Self::has_global),
        }
    }

    /// As terms, of keys that begin with a prefix.
    pub(super) fn terms(&self, prefix: &str, scope: Scope) -> Terms {
        let mut terms = Terms::default();
        self.put(&mut terms, prefix, scope, false);
        terms.requirements.sort();
        terms.choices.sort();
        terms
    }

    /// As a selector that asks all of some terms.
    pub(super) fn selector(terms: Vec<Terms>, span: Span) -> Selector {
        let mut selector = Selector::everything(span);
        for part in terms {
            selector.terms.requirements.extend(part.requirements);
            selector.terms.choices.extend(part.choices);
        }
        selector.terms.requirements.sort();
        selector.terms.choices.sort();
        selector
    }

    /// Puts it, or its opposite, to terms that all hold. Recursion is bounded by the parser.
    fn put(&self, terms: &mut Terms, prefix: &str, scope: Scope, is_negated: bool) {
        match self {
            Self::All => put_constant(terms, (scope == Scope::Namespaced) != is_negated),
            Self::Global => put_constant(terms, (scope == Scope::Global) != is_negated),
            Self::Compared(comparison) => terms.requirements.push(comparison.asked(prefix, is_negated)),
            Self::Not(inner) => inner.put(terms, prefix, scope, !is_negated),
            Self::Every(parts) if !is_negated => {
                for part in parts {
                    part.put(terms, prefix, scope, false);
                }
            }
            Self::Any(parts) if is_negated => {
                for part in parts {
                    part.put(terms, prefix, scope, true);
                }
            }
            Self::Every(parts) | Self::Any(parts) => {
                let one = |part: &Self| {
                    let mut terms = Terms::default();
                    part.put(&mut terms, prefix, scope, is_negated);
                    terms.requirements.sort();
                    terms.choices.sort();
                    terms
                };
                let mut choice: Vec<Terms> = parts.iter().map(one).collect();
                choice.sort();
                choice.dedup();
                // What one alternative always grants is no question.
                if !choice.contains(&Terms::default()) {
                    terms.choices.push(choice);
                }
            }
        }
    }
}

/// What never holds is a choice of nothing.
fn put_constant(terms: &mut Terms, holds: bool) {
    if !holds {
        terms.choices.push(Vec::new());
    }
}

impl Comparison {
    fn asked(&self, prefix: &str, is_negated: bool) -> Requirement {
        let operator = if is_negated {
            opposite(self.operator)
        } else {
            self.operator
        };
        Requirement {
            key: format!("{prefix}{}", self.key),
            operator,
            values: self.values.clone(),
        }
    }
}

fn opposite(operator: Operator) -> Operator {
    match operator {
        Operator::In => Operator::NotIn,
        Operator::NotIn => Operator::In,
        Operator::Exists => Operator::DoesNotExist,
        Operator::DoesNotExist => Operator::Exists,
        Operator::Contains => Operator::NotContains,
        Operator::NotContains => Operator::Contains,
        Operator::StartsWith => Operator::NotStartsWith,
        Operator::NotStartsWith => Operator::StartsWith,
        Operator::EndsWith => Operator::NotEndsWith,
        Operator::NotEndsWith => Operator::EndsWith,
    }
}

/// The bytes from which a selector is not understood: to the end of it, if the file has it as it is. Where it ends too early,
/// its last character is shown.
fn place(node: Node<'_>, text: &str, at: usize) -> Span {
    let last = text.char_indices().next_back().map_or(0, |(last, _)| last);
    let at = at.min(last);
    let span = node.span();
    let length = (span.end - span.start) as usize;
    let quotes = length.wrapping_sub(text.len());
    let begin = match quotes {
        0 => at,
        2 => at + 1,
        _ => return span,
    };
    let offset = |at: usize| span.start.saturating_add(u32::try_from(at).unwrap_or(u32::MAX));
    Span::new(span.file, offset(begin), offset(length - quotes / 2))
}
