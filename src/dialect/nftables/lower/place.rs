//! Where a rule stands: what its packets are before it asks anything.

use crate::dialect::nftables::ast::Unread;
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
    /// The family and the protocol that the conditions so far have named.
    pub(super) told: Vec<(crate::packet::Field, u128)>,
    /// What nft refuses of the rule as a whole: said once all of it is read, since a word may be wrong too.
    pub(super) refusal: Option<Unread<'a>>,
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
            told: Vec::new(),
            refusal: None,
            tells_protocol: false,
            reads_mark: false,
            reads_state: false,
            span,
        }
    }

    /// The family or the protocol that the conditions so far have named.
    pub(super) fn named(&self, field: crate::packet::Field) -> Option<u128> {
        self.told.iter().find(|told| told.0 == field).map(|told| told.1)
    }

    /// Takes note of a family or protocol that a selector is of. Gives another that is named already, with which nft refuses
    /// the rule: "conflicting protocols specified".
    pub(super) fn tell(&mut self, field: crate::packet::Field, number: u128) -> Option<u128> {
        let other = self.told.iter().find(|told| told.0 == field && told.1 != number);
        let other = other.map(|told| told.1);
        self.told.push((field, number));
        other
    }
}
