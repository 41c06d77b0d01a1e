//! Why something is not known, and why a value is not there.
//!
//! INVARIANT: a fault is what Terraform would refuse, or a limit; what cannot be known has a reason.

use std::sync::Arc;

use crate::source::Span;

/// Why something is not known.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) struct Why {
    pub(in super::super) span: Span,
    pub(in super::super) reason: Reason,
    /// For people: "variable `more` has no value".
    pub(in super::super) text: String,
}

/// The kinds of things that are not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) enum Reason {
    /// A variable without a value.
    Variable,
    /// Read from elsewhere when Terraform runs.
    Data,
    /// Made by a provider.
    Apply,
    /// The source of a module is not there.
    Module,
    /// A function that is not modelled, or whose result is not the same each time.
    Function,
    /// The configuration is wrong there.
    Mistake,
    /// A limit was hit.
    Limit,
}

impl Why {
    /// The same reason of something else.
    pub(in super::super) fn again(&self) -> Arc<Self> {
        Self::new(self.span, self.reason, self.text.as_str())
    }

    pub(in super::super) fn new(span: Span, reason: Reason, text: impl Into<String>) -> Arc<Self> {
        Arc::new(Self {
            span,
            reason,
            text: text.into(),
        })
    }
}

/// Why a value is not there: it cannot be computed, or the configuration is wrong.
#[derive(Debug, Clone)]
pub(in super::super) enum Stop {
    Fault(Fault),
    Unknown(Arc<Why>),
}

/// What Terraform would refuse.
#[derive(Debug, Clone)]
pub(in super::super) struct Fault {
    pub(in super::super) span: Option<Span>,
    pub(in super::super) message: String,
    /// Whether a limit was hit: nothing may go on as if the configuration were wrong.
    pub(in super::super) is_limit: bool,
}

pub(in super::super) type Outcome<T> = Result<T, Stop>;

/// A refusal.
pub(in super::super) fn fault<T>(message: impl Into<String>) -> Outcome<T> {
    Err(Stop::Fault(Fault {
        span: None,
        message: message.into(),
        is_limit: false,
    }))
}

/// A limit that was hit.
pub(in super::super) fn over_limit<T>(message: impl Into<String>) -> Outcome<T> {
    Err(Stop::Fault(Fault {
        span: None,
        message: message.into(),
        is_limit: true,
    }))
}
