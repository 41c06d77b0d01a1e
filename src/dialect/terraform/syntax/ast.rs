//! What a configuration says, in HCL or JSON: bodies of attributes and blocks, expressions with their bytes.
//!
//! INVARIANT: the tree owns its strings, and every node has the span of what wrote it.

use std::sync::Arc;

use super::super::value::Number;
use crate::source::Span;

/// A name as it was written.
pub(in super::super) type Name = Arc<str>;

/// Attributes and blocks.
#[derive(Debug, Clone, Default)]
pub(in super::super) struct Body {
    pub(in super::super) attributes: Vec<Attribute>,
    pub(in super::super) blocks: Vec<Block>,
}

/// `name = expression`.
#[derive(Debug, Clone)]
pub(in super::super) struct Attribute {
    pub(in super::super) name: Name,
    pub(in super::super) value: Arc<Expr>,
}

/// `type "label" { … }`.
#[derive(Debug, Clone)]
pub(in super::super) struct Block {
    pub(in super::super) kind: Name,
    pub(in super::super) labels: Vec<(Name, Span)>,
    /// From the type to the last label.
    pub(in super::super) header: Span,
    /// The whole block.
    pub(in super::super) span: Span,
    pub(in super::super) body: Body,
}

/// An expression.
#[derive(Debug, Clone)]
pub(in super::super) struct Expr {
    pub(in super::super) span: Span,
    pub(in super::super) kind: ExprKind,
}

#[derive(Debug, Clone)]
pub(in super::super) enum ExprKind {
    Null,
    Bool(bool),
    Number(Number),
    String(Arc<str>),
    Template(Vec<Part>),
    Tuple(Vec<Expr>),
    Object(Vec<(Expr, Expr)>),
    /// The root of a traversal: `var`, `local`, `each`, `aws_vpc`.
    Variable(Name),
    Attribute(Box<Expr>, Name),
    Index(Box<Expr>, Box<Expr>),
    /// What is applied to each element of a list.
    Splat(Box<Expr>, Vec<Step>),
    Conditional(Box<[Expr; 3]>),
    Call(Box<Call>),
    Not(Box<Expr>),
    Negative(Box<Expr>),
    Binary(Box<(Expr, Operator, Expr)>),
    For(Box<For>),
}

/// A step of a traversal behind a splat.
#[derive(Debug, Clone)]
pub(in super::super) enum Step {
    Attribute(Name),
    Index(Expr),
}

/// A function's call.
#[derive(Debug, Clone)]
pub(in super::super) struct Call {
    /// `provider::aws::arn_parse` has its namespaces in it.
    pub(in super::super) name: Name,
    pub(in super::super) arguments: Vec<Expr>,
    /// Whether the last argument is a list of arguments.
    pub(in super::super) expands: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    And,
    Or,
}

/// `[for k, v in c : x if y]`, `{for k, v in c : a => x... if y}`.
#[derive(Debug, Clone)]
pub(in super::super) struct For {
    pub(in super::super) key_name: Option<Name>,
    pub(in super::super) value_name: Name,
    pub(in super::super) collection: Expr,
    /// There in an object.
    pub(in super::super) key: Option<Expr>,
    pub(in super::super) value: Expr,
    pub(in super::super) groups: bool,
    pub(in super::super) condition: Option<Expr>,
}

/// A piece of a template.
#[derive(Debug, Clone)]
pub(in super::super) enum Part {
    Literal(Arc<str>),
    Interpolation(Expr),
    If {
        condition: Expr,
        yes: Vec<Part>,
        no: Vec<Part>,
    },
    For {
        key_name: Option<Name>,
        value_name: Name,
        collection: Expr,
        body: Vec<Part>,
    },
}

impl Body {
    pub(in super::super) fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|attribute| &*attribute.name == name)
    }

    pub(in super::super) fn blocks(&self, kind: &str) -> impl Iterator<Item = &Block> {
        self.blocks.iter().filter(move |block| &*block.kind == kind)
    }
}

impl Block {
    pub(in super::super) fn label(&self, at: usize) -> Option<&Name> {
        self.labels.get(at).map(|(label, _)| label)
    }
}

impl Expr {
    /// The text of a string that is written out.
    pub(in super::super) fn literal(&self) -> Option<&str> {
        match &self.kind {
            ExprKind::String(text) => Some(text),
            _ => None,
        }
    }
}
