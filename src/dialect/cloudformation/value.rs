//! What an expression of a template is, as far as it is known before the stack is deployed.
//!
//! INVARIANT: a value keeps the bytes of the innermost literal that made it.

use crate::cloud::{Doubt, GroupName, Value};
use crate::source::{Span, Spanned};
use crate::tree::{Node, Style, Typed};

/// The value of an expression.
#[derive(Debug, Clone)]
pub(in crate::dialect) enum Evaluated<'t> {
    /// None: `AWS::NoValue`, or nothing written.
    Nothing,
    /// A text, or a number or truth value as text.
    Text(Spanned<String>),
    /// Several.
    List(Vec<Evaluated<'t>>),
    /// Keys and values, whose values are expressions.
    Map(Node<'t>),
    /// A resource of the template, or an attribute of one.
    Resource(Reference),
    /// A group of another template of the run, and the bytes that refer to it.
    Group(GroupName, Span),
    /// It is not known.
    Unknown(Doubt),
}

/// A reference to a resource.
#[derive(Debug, Clone)]
pub(in crate::dialect) struct Reference {
    /// Its logical id.
    pub(in crate::dialect) id: String,
    /// What is asked of it; what `Ref` gives has no name.
    pub(in crate::dialect) attribute: Option<String>,
    /// The bytes that refer to it.
    pub(in crate::dialect) span: Span,
}

impl Reference {
    /// `Web`, `Vpc.CidrBlock`.
    pub(in crate::dialect) fn words(&self) -> String {
        match &self.attribute {
            Some(attribute) => format!("{}.{attribute}", self.id),
            None => self.id.clone(),
        }
    }
}

impl Evaluated<'_> {
    /// The value of a property that takes a text: `None` if it is not there. `unit` is the template's.
    pub(in crate::dialect) fn into_text(self, unit: &str) -> Option<Value<String>> {
        match self {
            Self::Nothing => None,
            Self::Text(text) => Some(Value::Known(text)),
            Self::Unknown(doubt) => Some(Value::Unknown(doubt)),
            Self::Group(group, span) => Some(Value::Unknown(Doubt {
                key: group.key,
                why: format!("the id of `{}` is not known before it is deployed", group.name).into(),
                span,
            })),
            Self::Resource(reference) => {
                let words = reference.words();
                Some(Value::Unknown(Doubt {
                    key: format!("{unit} {words}").into(),
                    why: format!("`{words}` is not known before it is deployed").into(),
                    span: reference.span,
                }))
            }
            Self::List(mut list) if list.len() == 1 => list.pop().and_then(|only| only.into_text(unit)),
            Self::List(list) => {
                let mut values = list.into_iter().filter_map(|one| one.into_text(unit));
                let span = values.next()?.span();
                Some(Value::Unknown(not_text(unit, span)))
            }
            Self::Map(node) => Some(Value::Unknown(not_text(unit, node.span()))),
        }
    }
}

fn not_text(unit: &str, span: Span) -> Doubt {
    Doubt {
        key: format!("{unit} value at {}", span.start).into(),
        why: "one value is wanted here, and this is something else".into(),
        span,
    }
}

/// The bytes of a scalar without its quotes; of anything else, all of it.
pub(in crate::dialect) fn inner_span(node: &Node<'_>) -> Span {
    let span = node.span();
    if node.style() == Some(Style::Quoted) && span.end >= span.start + 2 {
        return Span::new(span.file, span.start + 1, span.end - 1);
    }
    span
}

/// A scalar as `CloudFormation` passes it on: numbers in decimal, `yes` as true.
pub(in crate::dialect) fn scalar(node: &Node<'_>) -> String {
    match node.typed() {
        Typed::Int(number) => number.to_string(),
        Typed::Bool(value) => value.to_string(),
        _ => node.text().unwrap_or("").to_owned(),
    }
}
