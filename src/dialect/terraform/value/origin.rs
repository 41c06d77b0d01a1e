//! Where values come from.
//!
//! INVARIANT: a way never holds two equal places behind each other, and no more than [`MAX_WAY`] of them.

use std::sync::Arc;

use crate::source::Span;

/// References that a value is said to have passed.
const MAX_WAY: u8 = 12;

/// Where a value came from.
#[derive(Debug, Clone)]
pub(in super::super) struct Origin {
    /// The innermost literal.
    pub(in super::super) span: Span,
    /// The references that it passed, the last first.
    way: Option<Arc<Way>>,
}

#[derive(Debug)]
struct Way {
    span: Span,
    length: u8,
    before: Option<Arc<Way>>,
}

impl Origin {
    pub(in super::super) fn new(span: Span) -> Self {
        Self { span, way: None }
    }

    /// The same, having passed a reference.
    pub(in super::super) fn through(&self, span: Span) -> Self {
        let length = self.way.as_ref().map_or(0, |way| way.length);
        let is_repeated = self.way.as_ref().is_some_and(|way| way.span == span);
        if length >= MAX_WAY || is_repeated || span == self.span {
            return self.clone();
        }
        Self {
            span: self.span,
            way: Some(Arc::new(Way {
                span,
                length: length + 1,
                before: self.way.clone(),
            })),
        }
    }

    /// The references passed, the last first.
    pub(in super::super) fn way(&self) -> Vec<Span> {
        let mut spans = Vec::new();
        let mut next = self.way.as_ref();
        while let Some(way) = next {
            spans.push(way.span);
            next = way.before.as_ref();
        }
        spans
    }
}
