//! Changes that rules make to packets: marks, tracking, translated addresses and ports, as assignments to fields.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::compile::Compiler;
use super::path::loopback_addresses;
use super::{Action, Decider, Edit, Families, Ruleset};
use crate::packet::{Assignment, Cause, End, Family, Field, Outcome, RangeSet, value};
use crate::source::Span;

impl Compiler<'_> {
    /// Whether some rule changes a field that is not about the destination.
    #[must_use]
    pub fn changes(&self, field: Field) -> bool {
        self.edited.contains(&field)
    }

    /// What an edit does, and how packets go on with it.
    pub(super) fn edit_outcome(
        &mut self,
        edit: &Edit,
        families: Families,
        span: Span,
        cause: Cause,
    ) -> Outcome {
        let (assignments, end) = match edit {
            Edit::Mark { clear, flip } => (mark_assignments(*clear, *flip), End::Fall),
            Edit::MarkUnknown { mask } => {
                let doubt = self.doubt(Some(span), &Arc::from("the mark that is restored is not known"));
                let bits = (0..32).filter(|bit| mask >> bit & 1 == 1);
                let unknown = Assignment::OneOf(RangeSet::range(0, 1), Some(doubt));
                (
                    bits.map(|bit| (Field::Mark(bit), unknown.clone())).collect(),
                    End::Fall,
                )
            }
            Edit::Untrack => (
                vec![(Field::State, one(RangeSet::point(value::UNTRACKED)))],
                End::Fall,
            ),
            Edit::Dnat { to, ports } => (
                self.translation(to.as_ref(), ports.as_ref(), families, span),
                End::Accept,
            ),
            Edit::Redirect { ports } => (
                self.redirection(ports.as_ref(), families, span, cause),
                End::Accept,
            ),
            Edit::Snat { to } => (self.masking(to.as_ref(), families, span), End::Accept),
        };
        let cause = if end == End::Fall { Cause::NOBODY } else { cause };
        Outcome {
            end,
            cause,
            edit: self.space.edit(assignments),
        }
    }

    /// Destination translation: new address and port, and what routing will say of the new address.
    fn translation(
        &mut self,
        to: Option<&RangeSet>,
        ports: Option<&RangeSet>,
        families: Families,
        span: Span,
    ) -> Vec<(Field, Assignment)> {
        let mut assignments = vec![(Field::StatusDnat, one(RangeSet::point(1)))];
        if let Some(ports) = ports {
            let doubt = self.doubt(Some(span), &Arc::from("one of several ports is chosen"));
            assignments.push((Field::Service, Assignment::OneOf(ports.clone(), Some(doubt))));
        }
        if let Some(to) = to {
            let family = if families == Families::V6 {
                Family::V6
            } else {
                Family::V4
            };
            let doubt = self.doubt(Some(span), &Arc::from("one of several addresses is chosen"));
            assignments.push((family.destination(), Assignment::OneOf(to.clone(), Some(doubt))));
            let class = self.class_of(family, to);
            let why = Arc::from("whether the new destination is an address of this host is not known");
            let doubt = self.doubt(Some(span), &why);
            assignments.push((Field::DestinationClass, Assignment::OneOf(class, Some(doubt))));
        }
        assignments
    }

    /// Source translation: a new address, one of the host's own if none is said, and a port that may be another.
    fn masking(&mut self, to: Option<&RangeSet>, families: Families, span: Span) -> Vec<(Field, Assignment)> {
        let why = Arc::from("which address and port the source is translated to is not known");
        let doubt = Some(self.doubt(Some(span), &why));
        let mut assignments = vec![
            (Field::StatusSnat, one(RangeSet::point(1))),
            (
                Field::SourceClass,
                Assignment::OneOf(RangeSet::range(value::UNICAST, value::LOCAL), doubt),
            ),
            (
                Field::SourcePort,
                Assignment::OneOf(RangeSet::range(0, 0xffff), doubt),
            ),
        ];
        let of = |family| match families {
            Families::Both => to.is_none(),
            Families::V4 => family == Family::V4,
            Families::V6 => family == Family::V6,
        };
        for family in Family::ALL.into_iter().filter(|family| of(*family)) {
            let to = to.cloned().unwrap_or_else(|| RangeSet::range(0, family.max()));
            assignments.push((family.source(), Assignment::OneOf(to, doubt)));
        }
        assignments
    }

    /// What the routing table may say of addresses: this host's own, or another's.
    fn class_of(&self, family: Family, addresses: &RangeSet) -> RangeSet {
        let loopback = loopback_addresses(family);
        if addresses.is_subset(&loopback) {
            return RangeSet::point(value::LOCAL);
        }
        let either = RangeSet::range(value::UNICAST, value::LOCAL);
        let known = match family {
            Family::V4 => &self.facts.addresses4,
            Family::V6 => &self.facts.addresses6,
        };
        match known {
            Some(own) if addresses.intersection(&own.union(&loopback)).is_empty() => {
                RangeSet::point(value::UNICAST)
            }
            // The host has one of these addresses; only if they are one is it known to be this one.
            Some(own) if own.single().is_some() && addresses.single() == own.single() => {
                RangeSet::point(value::LOCAL)
            }
            None if self.facts.translates_to_others => RangeSet::point(value::UNICAST),
            _ => either,
        }
    }

    fn redirection(
        &mut self,
        ports: Option<&RangeSet>,
        families: Families,
        span: Span,
        cause: Cause,
    ) -> Vec<(Field, Assignment)> {
        let mut assignments = vec![
            (Field::StatusDnat, one(RangeSet::point(1))),
            (Field::DestinationClass, one(RangeSet::point(value::LOCAL))),
        ];
        if let Some(ports) = ports {
            let doubt = self.doubt(Some(span), &Arc::from("one of several ports is chosen"));
            assignments.push((Field::Service, Assignment::OneOf(ports.clone(), Some(doubt))));
        }
        let why = Arc::from("which of the host's addresses it is redirected to is not known");
        let doubt = self.doubt(Some(span), &why);
        for family in Family::ALL {
            let applies = match family {
                Family::V4 => families != Families::V6,
                Family::V6 => families != Families::V4,
            };
            if let Some(Decider::Rule { ruleset, chain, .. }) = self.decider(cause).filter(|_| applies) {
                let to = self.redirects.targets((ruleset, chain), &self.facts, family);
                assignments.push((family.destination(), Assignment::OneOf(to, Some(doubt))));
            }
        }
        assignments
    }
}

fn one(values: RangeSet) -> Assignment {
    Assignment::OneOf(values, None)
}

/// The fields that some rule changes, apart from what translation changes of destinations.
pub(super) fn edited_fields(rulesets: &[Ruleset]) -> Vec<Field> {
    let rules = rulesets
        .iter()
        .flat_map(|ruleset| &ruleset.chains)
        .flat_map(|chain| &chain.rules);
    let mut fields = BTreeSet::new();
    for rule in rules {
        if let Action::Edit(edit) = &rule.action {
            fields.extend(changes(edit));
        }
    }
    fields.into_iter().collect()
}

/// The fields that an edit may change, apart from destinations.
fn changes(edit: &Edit) -> Vec<Field> {
    let marks = |mask: u32| {
        (0..32)
            .filter(move |bit| mask >> bit & 1 == 1)
            .map(Field::Mark)
            .collect()
    };
    match edit {
        Edit::Mark { clear, flip } => marks(clear | flip),
        Edit::MarkUnknown { mask } => marks(*mask),
        Edit::Untrack => vec![Field::State],
        Edit::Snat { .. } => vec![Field::StatusSnat],
        Edit::Dnat { .. } | Edit::Redirect { .. } => vec![Field::StatusDnat],
    }
}

/// `(mark & !clear) ^ flip`, bit by bit.
fn mark_assignments(clear: u32, flip: u32) -> Vec<(Field, Assignment)> {
    let bit_of = |bit: u8| match (clear >> bit & 1, flip >> bit & 1) {
        (1, set) => Some((Field::Mark(bit), one(RangeSet::point(u128::from(set))))),
        (_, 1) => Some((Field::Mark(bit), Assignment::Flip)),
        _ => None,
    };
    (0..32).filter_map(bit_of).collect()
}
