//! Where a rule stands: what its packets are before it asks anything.

use crate::model::Families;
use crate::packet::RangeSet;
use crate::source::Span;

/// When a chain is met, as seen from something else that happens to packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    /// Always behind it.
    After,
    /// Always before it.
    Before,
    /// Both.
    Either,
}

/// When a chain is met.
#[derive(Debug, Clone, Copy)]
pub(super) struct Met {
    /// As seen from connection tracking.
    pub(super) tracking: When,
    /// As seen from routing, which says by which interface a packet leaves.
    pub(super) routing: When,
}

/// What is known of the packets that a rule sees.
#[derive(Debug)]
pub(super) struct Place<'p, 'a> {
    pub(super) table: &'p super::program::Table<'a>,
    /// The families of the ruleset that is made.
    pub(super) families: Families,
    pub(super) met: Met,
    /// What selectors that were read demanded, so that it is demanded once.
    pub(super) demanded: Vec<(crate::packet::Field, u128)>,
    /// The protocols that get past the conditions so far.
    pub(super) protocols: RangeSet,
    /// Whether some condition so far tells the protocol.
    pub(super) tells_protocol: bool,
    /// Whether a condition so far reads the mark, or the state.
    pub(super) reads_mark: bool,
    pub(super) reads_state: bool,
    /// The rule that is read.
    pub(super) span: Span,
}

impl<'p, 'a> Place<'p, 'a> {
    pub(super) fn new(
        table: &'p super::program::Table<'a>,
        families: Families,
        met: Met,
        span: Span,
    ) -> Self {
        Self {
            table,
            families,
            met,
            demanded: Vec::new(),
            protocols: RangeSet::range(0, 255),
            tells_protocol: false,
            reads_mark: false,
            reads_state: false,
            span,
        }
    }
}
