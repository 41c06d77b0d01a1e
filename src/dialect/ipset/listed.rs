//! Elements with their places, for findings that point at one.
//!
//! INVARIANT: an element that is listed holds what it says, exceptions left out: the narrowest that has a packet of the set is
//! the one that it is in by.

use std::sync::Arc;

use super::element::Member;
use super::membership::{Question, Side};
use super::names::Part;
use super::sets::Set;
use crate::model::{AskedSet, Elements, Part as Asked};
use crate::packet::Field;

/// The elements of a set that hold packets, or of its exceptions. `members` are its elements, in order. `None` where a part is
/// asked of no one field of a packet.
pub(super) fn listed(
    set: &Set<'_>,
    members: &[Member],
    question: Question<'_>,
    exceptions: bool,
) -> Option<Arc<AskedSet>> {
    let kind = set.create.kind;
    let parts = kind.parts.iter().zip(question.sides);
    let parts = parts.map(|(part, side)| asked(*part, *side, question, kind.is_bitmap()));
    let parts: Vec<Asked> = parts.collect::<Option<_>>()?;
    if members.len() != set.elements.len() {
        return None;
    }
    let mut elements = Elements::new(kind.parts.len());
    for (member, change) in members.iter().zip(&set.elements) {
        if member.is_exception == exceptions {
            let ranges = member.parts.get(..kind.parts.len()).unwrap_or(&[]);
            elements.push(set.at.span(change.element), ranges.iter().copied());
        }
    }
    Some(Arc::new(AskedSet {
        name: set.create.name.into(),
        parts,
        elements: Arc::new(elements),
    }))
}

fn asked(part: Part, side: Side, question: Question<'_>, is_bitmap: bool) -> Option<Asked> {
    let of = |source, destination| if side == Side::Source { source } else { destination };
    let service = of(Field::SourcePort, Field::Service);
    match part {
        Part::Ip | Part::Net => Some(Asked::Field(of(
            question.family.source(),
            question.family.destination(),
        ))),
        Part::Interface => Some(Asked::Field(of(Field::InInterface, Field::OutInterface))),
        Part::Port if is_bitmap => Some(Asked::Field(service)),
        Part::Port => Some(Asked::ServiceOf(service)),
        Part::Mark | Part::Mac | Part::Set => None,
    }
}
