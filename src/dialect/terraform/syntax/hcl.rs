//! HCL's native syntax to the tree: hcl-edit reads it, here its nodes lose their decoration.
//!
//! HCL Native Syntax Specification (hashicorp/hcl, hclsyntax/spec.md). INVARIANT: offsets in `text` plus `start` are offsets in
//! the file, so that templates in other files' strings have places too.

use std::ops::Range;
use std::sync::Arc;

use hcl_edit::expr::{self, BinaryOperator, Expression, ObjectKey, TraversalOperator, UnaryOperator};
use hcl_edit::structure;
use hcl_edit::template::{Directive, Element, Strip, Template};
use hcl_edit::{Span as _, parser};

use super::super::value::Number;
use super::ast::{Attribute, Block, Body, Call, Expr, ExprKind, For, Operator, Part, Step};
use crate::source::{Source, Span};

/// Text that is no HCL: where, and why.
#[derive(Debug, Clone)]
pub(in super::super) struct SyntaxMistake {
    pub(in super::super) span: Span,
    pub(in super::super) message: String,
}

/// A file of native syntax.
pub(in super::super) fn body(source: Source<'_>) -> Result<Body, SyntaxMistake> {
    let reader = Reader::of_file(source);
    let body = parser::parse_body(source.text).map_err(|error| reader.mistake(&error))?;
    Ok(reader.body(&body))
}

/// A template that stands in a string of another syntax, or in a file of its own.
pub(in super::super) fn template(text: &str, whole: Span, is_exact: bool) -> Result<Expr, SyntaxMistake> {
    let reader = Reader {
        text,
        whole,
        is_exact,
    };
    let template = parser::parse_template(text).map_err(|error| reader.mistake(&error))?;
    Ok(reader.template(&template, whole))
}

/// An expression by itself.
pub(in super::super) fn expression(source: Source<'_>) -> Result<Expr, SyntaxMistake> {
    let reader = Reader::of_file(source);
    let expression = parser::parse_expr(source.text).map_err(|error| reader.mistake(&error))?;
    Ok(reader.expression(&expression))
}

/// An expression in text that lies elsewhere: all of it is at `whole`.
pub(in super::super) fn expression_at(text: &str, whole: Span) -> Result<Expr, SyntaxMistake> {
    let reader = Reader {
        text,
        whole,
        is_exact: false,
    };
    let expression = parser::parse_expr(text).map_err(|error| reader.mistake(&error))?;
    Ok(reader.expression(&expression))
}

/// Spans for nodes of a text.
struct Reader<'a> {
    text: &'a str,
    whole: Span,
    /// Whether the text stands in its file as it is; otherwise every place in it is the whole.
    is_exact: bool,
}

impl<'a> Reader<'a> {
    fn of_file(source: Source<'a>) -> Self {
        let end = u32::try_from(source.text.len()).unwrap_or(u32::MAX);
        Self {
            text: source.text,
            whole: Span::new(source.file, 0, end),
            is_exact: true,
        }
    }

    fn mistake(&self, error: &parser::Error) -> SyntaxMistake {
        let at = error.location().offset().min(self.text.len());
        let width = self.text.get(at..).and_then(|rest| rest.chars().next());
        let end = at + width.filter(|char| *char != '\n').map_or(0, char::len_utf8);
        SyntaxMistake {
            span: self.span(Some(at..end)),
            message: format!("no HCL: {}", error.message()),
        }
    }

    fn span(&self, range: Option<Range<usize>>) -> Span {
        let Some(range) = range.filter(|_| self.is_exact) else {
            return self.whole;
        };
        let offset = |at: usize| {
            let at = u32::try_from(at).unwrap_or(u32::MAX);
            self.whole.start.saturating_add(at).min(self.whole.end)
        };
        Span::new(self.whole.file, offset(range.start), offset(range.end))
    }

    fn body(&self, body: &structure::Body) -> Body {
        let attribute = |attribute: &structure::Attribute| Attribute {
            name: attribute.key.as_str().into(),
            value: Arc::new(self.expression(&attribute.value)),
        };
        Body {
            attributes: body.attributes().map(attribute).collect(),
            blocks: body.blocks().map(|block| self.block(block)).collect(),
        }
    }

    fn block(&self, block: &structure::Block) -> Block {
        let label = |label: &structure::BlockLabel| (label.as_str().into(), self.span(label.span()));
        let labels: Vec<_> = block.labels.iter().map(label).collect();
        let kind_span = self.span(block.ident.span());
        let header = labels
            .last()
            .map_or(kind_span, |(_, last): &(_, Span)| kind_span.to(*last));
        Block {
            kind: block.ident.as_str().into(),
            labels,
            header,
            span: self.span(block.span()),
            body: self.body(&block.body),
        }
    }

    fn expression(&self, expression: &Expression) -> Expr {
        let span = self.span(expression.span());
        let kind = match expression {
            Expression::Null(_) => ExprKind::Null,
            Expression::Bool(value) => ExprKind::Bool(**value),
            Expression::Number(number) => self.number(number.span(), number.value().as_f64()),
            Expression::String(text) => ExprKind::String(text.as_str().into()),
            Expression::Array(items) => {
                ExprKind::Tuple(items.iter().map(|item| self.expression(item)).collect())
            }
            Expression::Object(object) => {
                let entry = |(key, value): (&ObjectKey, &expr::ObjectValue)| {
                    (self.key(key), self.expression(value.expr()))
                };
                ExprKind::Object(object.iter().map(entry).collect())
            }
            Expression::StringTemplate(template) => {
                return self.template_of(template.iter(), span, true);
            }
            Expression::HeredocTemplate(heredoc) => {
                return self.template_of(heredoc.template.iter(), span, false);
            }
            Expression::Parenthesis(inner) => return self.expression(inner.inner()),
            Expression::Variable(name) => ExprKind::Variable(name.as_str().into()),
            Expression::Conditional(conditional) => ExprKind::Conditional(Box::new([
                self.expression(&conditional.cond_expr),
                self.expression(&conditional.true_expr),
                self.expression(&conditional.false_expr),
            ])),
            Expression::FuncCall(call) => self.call(call),
            Expression::Traversal(traversal) => return self.traversal(traversal, span),
            Expression::UnaryOp(unary) => {
                let inner = Box::new(self.expression(&unary.expr));
                match *unary.operator {
                    UnaryOperator::Neg => ExprKind::Negative(inner),
                    UnaryOperator::Not => ExprKind::Not(inner),
                }
            }
            Expression::BinaryOp(binary) => {
                let (left, right) = (
                    self.expression(&binary.lhs_expr),
                    self.expression(&binary.rhs_expr),
                );
                ExprKind::Binary(Box::new((left, operator(*binary.operator), right)))
            }
            Expression::ForExpr(for_expr) => self.for_expression(for_expr),
        };
        Expr { span, kind }
    }

    /// A number as its digits say; the parser has rounded it.
    fn number(&self, range: Option<Range<usize>>, rounded: Option<f64>) -> ExprKind {
        let written = range.and_then(|range| self.text.get(range));
        let number = written
            .and_then(|digits| Number::parse(digits.trim()))
            .or_else(|| Number::of_float(rounded?));
        ExprKind::Number(number.unwrap_or(Number::ZERO))
    }

    fn key(&self, key: &ObjectKey) -> Expr {
        match key {
            ObjectKey::Ident(name) => Expr {
                span: self.span(name.span()),
                kind: ExprKind::String(name.as_str().into()),
            },
            ObjectKey::Expression(expression) => self.expression(expression),
        }
    }

    fn call(&self, call: &expr::FuncCall) -> ExprKind {
        let mut name: Vec<&str> = call.name.namespace.iter().map(|part| part.as_str()).collect();
        name.push(call.name.name.as_str());
        ExprKind::Call(Box::new(Call {
            name: name.join("::").into(),
            arguments: call
                .args
                .iter()
                .map(|argument| self.expression(argument))
                .collect(),
            expands: call.args.expand_final(),
        }))
    }

    fn traversal(&self, traversal: &expr::Traversal, whole: Span) -> Expr {
        let mut left = self.expression(&traversal.expr);
        let mut operators = traversal.operators.iter().peekable();
        while let Some(operator) = operators.next() {
            let is_full = matches!(**operator, TraversalOperator::FullSplat(_));
            let mut end = self.span(operator.span());
            let inner = Box::new(left);
            let kind = match &**operator {
                TraversalOperator::GetAttr(name) => ExprKind::Attribute(inner, name.as_str().into()),
                TraversalOperator::Index(index) => ExprKind::Index(inner, Box::new(self.expression(index))),
                TraversalOperator::LegacyIndex(index) => {
                    ExprKind::Index(inner, Box::new(Self::legacy_index(**index, end)))
                }
                TraversalOperator::AttrSplat(_) | TraversalOperator::FullSplat(_) => {
                    let mut steps = Vec::new();
                    while let Some(next) = operators.peek() {
                        let step = match &***next {
                            TraversalOperator::GetAttr(name) => Step::Attribute(name.as_str().into()),
                            TraversalOperator::Index(index) if is_full => Step::Index(self.expression(index)),
                            TraversalOperator::LegacyIndex(index) if is_full => {
                                Step::Index(Self::legacy_index(**index, end))
                            }
                            _ => break,
                        };
                        end = end.to(self.span(next.span()));
                        steps.push(step);
                        operators.next();
                    }
                    ExprKind::Splat(inner, steps)
                }
            };
            let span = if self.is_exact {
                Span::new(whole.file, whole.start, end.end.clamp(whole.start, whole.end))
            } else {
                whole
            };
            left = Expr { span, kind };
        }
        left
    }

    fn legacy_index(index: u64, span: Span) -> Expr {
        Expr {
            span,
            kind: ExprKind::Number(Number::integer(index.into())),
        }
    }

    fn for_expression(&self, from: &expr::ForExpr) -> ExprKind {
        ExprKind::For(Box::new(For {
            key_name: from.intro.key_var.as_ref().map(|name| name.as_str().into()),
            value_name: from.intro.value_var.as_str().into(),
            collection: self.expression(&from.intro.collection_expr),
            key: from.key_expr.as_ref().map(|key| self.expression(key)),
            value: self.expression(&from.value_expr),
            groups: from.grouping,
            condition: from
                .cond
                .as_ref()
                .map(|condition| self.expression(&condition.expr)),
        }))
    }

    fn template(&self, template: &Template, span: Span) -> Expr {
        self.template_of(template.iter(), span, true)
    }

    /// A template. One that is an interpolation and nothing else is what it interpolates (spec.md, "Template Interpolation
    /// Unwrapping").
    fn template_of<'e>(
        &self,
        elements: impl Iterator<Item = &'e Element>,
        span: Span,
        unwraps: bool,
    ) -> Expr {
        let mut parts = self.parts(elements, false).0;
        if unwraps
            && parts.len() == 1
            && let Some(Part::Interpolation(_)) = parts.first()
            && let Some(Part::Interpolation(inner)) = parts.pop()
        {
            return inner;
        }
        let kind = match parts.as_slice() {
            [] => ExprKind::String("".into()),
            [Part::Literal(text)] => ExprKind::String(text.clone()),
            _ => ExprKind::Template(parts),
        };
        Expr { span, kind }
    }

    /// The pieces of a template, and whether blanks behind it are stripped. `strips` says whether those before it are.
    fn parts<'e>(&self, elements: impl Iterator<Item = &'e Element>, mut strips: bool) -> (Vec<Part>, bool) {
        let mut parts: Vec<Part> = Vec::new();
        for element in elements {
            match element {
                Element::Literal(text) => {
                    let text = if strips { text.trim_start() } else { text.as_str() };
                    if !text.is_empty() {
                        parts.push(Part::Literal(text.into()));
                    }
                    strips = false;
                }
                Element::Interpolation(one) => {
                    strip_end(&mut parts, one.strip);
                    parts.push(Part::Interpolation(self.expression(&one.expr)));
                    strips = strips_next(one.strip);
                }
                Element::Directive(directive) => {
                    let part = self.directive(directive, &mut parts, &mut strips);
                    parts.push(part);
                }
            }
        }
        (parts, strips)
    }

    fn directive(&self, directive: &Directive, before: &mut [Part], strips: &mut bool) -> Part {
        match directive {
            Directive::If(one) => {
                strip_end(before, one.if_expr.strip);
                let (mut yes, _) = self.parts(one.if_expr.template.iter(), strips_next(one.if_expr.strip));
                let mut no = Vec::new();
                if let Some(other) = &one.else_expr {
                    strip_end(&mut yes, other.strip);
                    no = self.parts(other.template.iter(), strips_next(other.strip)).0;
                    strip_end(&mut no, one.endif_expr.strip);
                } else {
                    strip_end(&mut yes, one.endif_expr.strip);
                }
                *strips = strips_next(one.endif_expr.strip);
                Part::If {
                    condition: self.expression(&one.if_expr.cond_expr),
                    yes,
                    no,
                }
            }
            Directive::For(one) => {
                strip_end(before, one.for_expr.strip);
                let (mut body, _) = self.parts(one.for_expr.template.iter(), strips_next(one.for_expr.strip));
                strip_end(&mut body, one.endfor_expr.strip);
                *strips = strips_next(one.endfor_expr.strip);
                Part::For {
                    key_name: one.for_expr.key_var.as_ref().map(|name| name.as_str().into()),
                    value_name: one.for_expr.value_var.as_str().into(),
                    collection: self.expression(&one.for_expr.collection_expr),
                    body,
                }
            }
        }
    }
}

fn strips_next(strip: Strip) -> bool {
    matches!(strip, Strip::End | Strip::Both)
}

/// Takes blanks off the literal before a marker that strips them.
fn strip_end(parts: &mut [Part], strip: Strip) {
    if matches!(strip, Strip::Start | Strip::Both)
        && let Some(Part::Literal(text)) = parts.last_mut()
    {
        let trimmed: Arc<str> = text.trim_end().into();
        *text = trimmed;
    }
}

fn operator(operator: BinaryOperator) -> Operator {
    match operator {
        BinaryOperator::Eq => Operator::Equal,
        BinaryOperator::NotEq => Operator::NotEqual,
        BinaryOperator::LessEq => Operator::LessOrEqual,
        BinaryOperator::GreaterEq => Operator::GreaterOrEqual,
        BinaryOperator::Less => Operator::Less,
        BinaryOperator::Greater => Operator::Greater,
        BinaryOperator::Plus => Operator::Add,
        BinaryOperator::Minus => Operator::Subtract,
        BinaryOperator::Mul => Operator::Multiply,
        BinaryOperator::Div => Operator::Divide,
        BinaryOperator::Mod => Operator::Remainder,
        BinaryOperator::And => Operator::And,
        BinaryOperator::Or => Operator::Or,
    }
}
