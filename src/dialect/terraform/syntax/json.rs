//! JSON configuration syntax to the same tree as HCL's.
//!
//! Terraform, "JSON Configuration Syntax": properties of block types are labels, then bodies; strings are templates, but not in
//! files of values. INVARIANT: a property `//` is a comment.

use std::sync::Arc;

use super::ast::{Attribute, Block, Body, Expr, ExprKind};
use super::hcl::{self, SyntaxMistake};
use crate::dialect::terraform::value::Number;
use crate::source::{Source, Span};
use crate::tree::{Entry, Node, Tree, Typed};

/// How many labels blocks of a kind have.
const KINDS: &[(&str, usize)] = &[
    ("data", 2),
    ("ephemeral", 2),
    ("locals", 0),
    ("module", 1),
    ("output", 1),
    ("resource", 2),
    ("variable", 1),
];

/// A file of JSON: of declarations, or of values.
pub(super) fn body(source: Source<'_>, is_values: bool) -> Result<Body, SyntaxMistake> {
    let tree = Tree::json(source);
    if let Some(problem) = tree.problems().first() {
        return Err(SyntaxMistake {
            span: problem.span,
            message: format!("no JSON: {}", problem.message),
        });
    }
    let mut body = Body::default();
    let reader = Reader {
        source,
        are_templates: !is_values,
    };
    for root in tree.documents() {
        if is_values {
            body.attributes
                .extend(entries(root).map(|entry| reader.attribute(&entry)));
            continue;
        }
        for part in each(root) {
            for entry in entries(part) {
                let known = KINDS.iter().find(|(kind, _)| *kind == entry.name());
                if let Some((kind, n_labels)) = known {
                    reader.blocks(kind, *n_labels, &entry, &mut Vec::new(), &mut body.blocks);
                }
            }
        }
    }
    Ok(body)
}

/// The elements of a list, or the value itself.
fn each(node: Node<'_>) -> Vec<Node<'_>> {
    if node.is_sequence() {
        node.items().collect()
    } else {
        vec![node]
    }
}

fn entries(node: Node<'_>) -> impl Iterator<Item = Entry<'_>> {
    node.entries().filter(|entry| entry.name() != "//")
}

struct Reader<'s> {
    source: Source<'s>,
    are_templates: bool,
}

impl Reader<'_> {
    /// The blocks below a property: labels are properties of their own.
    fn blocks(
        &self,
        kind: &str,
        n_labels: usize,
        entry: &Entry<'_>,
        labels: &mut Vec<(Arc<str>, Span)>,
        out: &mut Vec<Block>,
    ) {
        for node in each(entry.value) {
            if labels.len() < n_labels {
                for inner in entries(node) {
                    labels.push((inner.name().into(), inner.key.span()));
                    self.blocks(kind, n_labels, &inner, labels, out);
                    labels.pop();
                }
                continue;
            }
            out.push(Block {
                kind: kind.into(),
                labels: labels.clone(),
                header: entry.key.span(),
                span: entry.key.span().to(node.span()),
                body: self.block_body(kind, node),
            });
        }
    }

    fn block_body(&self, kind: &str, node: Node<'_>) -> Body {
        let mut body = Body::default();
        for entry in entries(node) {
            match (kind, entry.name()) {
                ("variable", "type") => {
                    if let Some(constraint) = Self::constraint(entry.value) {
                        body.attributes.push(Attribute {
                            name: "type".into(),
                            value: Arc::new(constraint),
                        });
                    }
                }
                ("variable", _) => {
                    // Values of variables are not templates.
                    let literal = Reader {
                        are_templates: false,
                        ..*self
                    };
                    body.attributes.push(literal.attribute(&entry));
                }
                (_, "dynamic") => self.dynamic(&entry, &mut body.blocks),
                _ => body.attributes.push(self.attribute(&entry)),
            }
        }
        body
    }

    /// `"dynamic": {"ingress": {"for_each": …, "content": {…}}}`.
    fn dynamic(&self, entry: &Entry<'_>, blocks: &mut Vec<Block>) {
        for group in each(entry.value) {
            for named in entries(group) {
                for node in each(named.value) {
                    let mut body = Body::default();
                    for inner in entries(node) {
                        if inner.name() == "content" {
                            body.blocks.push(Block {
                                kind: "content".into(),
                                labels: Vec::new(),
                                header: inner.key.span(),
                                span: inner.span(),
                                body: self.block_body("content", inner.value),
                            });
                        } else {
                            body.attributes.push(self.attribute(&inner));
                        }
                    }
                    blocks.push(Block {
                        kind: "dynamic".into(),
                        labels: vec![(named.name().into(), named.key.span())],
                        header: named.key.span(),
                        span: named.span(),
                        body,
                    });
                }
            }
        }
    }

    fn attribute(&self, entry: &Entry<'_>) -> Attribute {
        Attribute {
            name: entry.name().into(),
            value: Arc::new(self.expression(entry.value)),
        }
    }

    /// A type is an expression in a string.
    fn constraint(node: Node<'_>) -> Option<Expr> {
        hcl::expression_at(node.as_str()?, node.span()).ok()
    }

    fn expression(&self, node: Node<'_>) -> Expr {
        let span = node.span();
        let kind = match node.typed() {
            Typed::Null => ExprKind::Null,
            Typed::Bool(value) => ExprKind::Bool(value),
            Typed::Int(value) => ExprKind::Number(Number::integer(value.into())),
            Typed::Float(digits) => ExprKind::Number(Number::parse(digits).unwrap_or(Number::ZERO)),
            Typed::Text(text) => return self.text(text, span),
            Typed::Sequence => ExprKind::Tuple(node.items().map(|item| self.expression(item)).collect()),
            Typed::Mapping => {
                let entry = |entry: Entry<'_>| {
                    (
                        self.text(entry.name(), entry.key.span()),
                        self.expression(entry.value),
                    )
                };
                ExprKind::Object(entries(node).map(entry).collect())
            }
        };
        Expr { span, kind }
    }

    fn text(&self, text: &str, span: Span) -> Expr {
        let plain = || Expr {
            span,
            kind: ExprKind::String(text.into()),
        };
        if !self.are_templates || !(text.contains("${") || text.contains("%{")) {
            return plain();
        }
        let inside = Span::new(span.file, span.start + 1, span.end.max(span.start + 2) - 1);
        let is_exact = self.source.text.get(inside.range()) == Some(text);
        let whole = if is_exact { inside } else { span };
        hcl::template(text, whole, is_exact).unwrap_or_else(|_| plain())
    }
}
