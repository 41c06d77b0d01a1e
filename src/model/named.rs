//! Sets with names, element by element, for findings that point at the one that a packet is in by.
//!
//! What a rule asks is its condition, where a set is one question whatever its size; this stands beside it. INVARIANT: an
//! element of IPv4 addresses costs 16 bytes, and none is looked at before a finding speaks of it.

use std::sync::Arc;

use crate::packet::Field;
use crate::packet::protocol::number::{ICMP, ICMPV6};
use crate::source::{FileId, Span};

/// The elements of one set, in the order of the text.
#[derive(Debug, Clone)]
pub struct Elements {
    n_parts: usize,
    keys: Keys,
    /// First byte and the one behind the last.
    places: Vec<(u32, u32)>,
    /// From which element on they stand in which file.
    files: Vec<(usize, FileId)>,
}

/// A range for each part of each element.
#[derive(Debug, Clone)]
enum Keys {
    Narrow(Vec<(u32, u32)>),
    Wide(Vec<(u128, u128)>),
}

impl Elements {
    /// No elements yet, of so many parts each.
    #[must_use]
    pub fn new(n_parts: usize) -> Self {
        Self {
            n_parts,
            keys: Keys::Narrow(Vec::new()),
            places: Vec::new(),
            files: Vec::new(),
        }
    }

    /// Adds an element that stands at `at`: a range, ends included, for each of its parts.
    pub fn push(&mut self, at: Span, parts: impl ExactSizeIterator<Item = (u128, u128)> + Clone) {
        if parts.len() != self.n_parts {
            return;
        }
        if let Keys::Narrow(narrow) = &mut self.keys {
            let before = narrow.len();
            narrow.extend(parts.clone().map_while(both_narrow));
            if narrow.len() - before < self.n_parts {
                narrow.truncate(before);
                let wide = narrow.iter().map(|&(low, high)| (low.into(), high.into()));
                self.keys = Keys::Wide(wide.collect());
            }
        }
        if let Keys::Wide(wide) = &mut self.keys {
            wide.extend(parts);
        }
        if self.files.last().is_none_or(|(_, file)| *file != at.file) {
            self.files.push((self.places.len(), at.file));
        }
        self.places.push((at.start, at.end));
    }

    /// Where the narrowest element stands that has these values in its parts.
    fn find(&self, values: &[u128]) -> Option<Span> {
        let at = match &self.keys {
            Keys::Narrow(keys) => {
                let values: Option<Vec<u32>> =
                    values.iter().map(|value| u32::try_from(*value).ok()).collect();
                narrowest(keys, &values?, |low, high| u128::from(high - low))
            }
            Keys::Wide(keys) => narrowest(keys, values, |low, high| high - low),
        }?;
        let (start, end) = *self.places.get(at)?;
        let (_, file) = self.files.iter().rfind(|(from, _)| *from <= at)?;
        Some(Span::new(*file, start, end))
    }
}

fn both_narrow((low, high): (u128, u128)) -> Option<(u32, u32)> {
    Some((u32::try_from(low).ok()?, u32::try_from(high).ok()?))
}

/// The element with the smallest ranges of those that have these values.
fn narrowest<T: Copy + PartialOrd>(
    keys: &[(T, T)],
    values: &[T],
    width: impl Fn(T, T) -> u128,
) -> Option<usize> {
    let n_parts = values.len().max(1);
    let elements = keys.chunks_exact(n_parts).enumerate();
    let holding = elements.filter(|(_, parts)| {
        let mut both = parts.iter().zip(values);
        both.all(|((low, high), value)| low <= value && value <= high)
    });
    let size = |parts: &[(T, T)]| -> u128 {
        let widths = parts
            .iter()
            .map(|(low, high)| width(*low, *high).saturating_add(1));
        widths.fold(1, u128::saturating_mul)
    };
    holding.min_by_key(|(_, parts)| size(parts)).map(|(at, _)| at)
}

/// What of a packet a part of an element is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The value of a field.
    Field(Field),
    /// The protocol times 65,536, and its port in this field; of ICMP, type and code whichever the field.
    ServiceOf(Field),
}

impl Part {
    /// The field that a condition about it asks.
    fn field(self) -> Field {
        match self {
            Self::Field(field) => field,
            Self::ServiceOf(_) => Field::Protocol,
        }
    }

    fn value(self, packet: &dyn Fn(Field) -> Option<u128>) -> Option<u128> {
        match self {
            Self::Field(field) => packet(field),
            Self::ServiceOf(field) => {
                let protocol = packet(Field::Protocol)?;
                let is_icmp = protocol == u128::from(ICMP) || protocol == u128::from(ICMPV6);
                let port = packet(if is_icmp { Field::Service } else { field })?;
                Some(protocol << 16 | port)
            }
        }
    }
}

/// A set as a rule asks it.
#[derive(Debug, Clone)]
pub struct AskedSet {
    /// As users call it: `@allowed`.
    pub name: Arc<str>,
    /// What each part of an element is compared with.
    pub parts: Vec<Part>,
    /// Its elements.
    pub elements: Arc<Elements>,
}

/// The sets that rules ask, by the bytes that ask.
#[derive(Debug, Clone, Default)]
pub struct NamedSets {
    asked: Arc<[(Span, Arc<AskedSet>)]>,
}

impl NamedSets {
    /// The sets of a ruleset, in any order: each with the place of the match that asks it ([`Match::span`](super::Match)).
    #[must_use]
    pub fn new(mut asked: Vec<(Span, Arc<AskedSet>)>) -> Self {
        asked.sort_by_key(|(at, _)| *at);
        asked.dedup_by(|a, b| a.0 == b.0 && Arc::ptr_eq(&a.1, &b.1));
        Self { asked: asked.into() }
    }

    /// Whether no rule asks any.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.asked.is_empty()
    }

    /// The set that a match asks, and the place of its element that a packet is in by. `asks` says which fields the match asks,
    /// `packet` has the values of those that are known. `None` where it is in none, or in several that one place asks.
    pub fn element<'s>(
        &'s self,
        at: Span,
        asks: &dyn Fn(Field) -> bool,
        packet: &dyn Fn(Field) -> Option<u128>,
    ) -> Option<(&'s str, Span)> {
        let first = self.asked.partition_point(|(place, _)| *place < at);
        let here = self
            .asked
            .iter()
            .skip(first)
            .take_while(|(place, _)| *place == at);
        let asked = here.filter(|(_, set)| set.parts.iter().all(|part| asks(part.field())));
        let mut found = asked.filter_map(|(_, set)| {
            let values: Option<Vec<u128>> = set.parts.iter().map(|part| part.value(packet)).collect();
            Some((&*set.name, set.elements.find(&values?)?))
        });
        let only = found.next()?;
        found.all(|other| other == only).then_some(only)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(start: u32) -> Span {
        Span::new(FileId(7), start, start + 1)
    }

    #[test]
    fn the_narrowest_element_holds_a_value() {
        let mut elements = Elements::new(1);
        for (start, range) in [(1, (0, 255)), (2, (16, 31)), (3, (20, 20)), (4, (64, 127))] {
            elements.push(at(start), std::iter::once(range));
        }
        let found = |value| elements.find(&[value]).map(|span| span.start);
        assert_eq!(found(20), Some(3));
        assert_eq!(found(21), Some(2));
        assert_eq!(found(70), Some(4));
        assert_eq!(found(200), Some(1));
        assert_eq!(found(256), None);
        assert_eq!(found(1 << 40), None);
    }

    #[test]
    fn a_wide_element_keeps_those_before_it() {
        let mut elements = Elements::new(2);
        elements.push(at(1), [(1, 2), (5, 6)].into_iter());
        elements.push(at(2), [(1, 2), (1 << 64, 1 << 65)].into_iter());
        elements.push(at(3), [(3, 3)].into_iter());
        assert_eq!(elements.find(&[2, 5]), Some(at(1)));
        assert_eq!(elements.find(&[2, 1 << 64]), Some(at(2)));
        assert_eq!(elements.find(&[2, 7]), None);
    }

    #[test]
    fn a_packet_in_several_sets_of_one_place_is_in_none_by_name() {
        let set = |low: u32, high: u32| {
            let mut elements = Elements::new(1);
            elements.push(at(9 + low + high), std::iter::once((low.into(), high.into())));
            Arc::new(AskedSet {
                name: "@s".into(),
                parts: vec![Part::Field(Field::Source4)],
                elements: Arc::new(elements),
            })
        };
        let (one, other) = (set(1, 1), set(1, 2));
        let sets = NamedSets::new(vec![
            (at(4), one.clone()),
            (at(3), one.clone()),
            (at(4), other),
            (at(3), one),
        ]);
        let element = |place, value| sets.element(at(place), &|_| true, &|_| Some(value));
        assert_eq!(element(3, 1), Some(("@s", at(11))));
        assert_eq!(element(4, 2), Some(("@s", at(12))));
        assert_eq!(element(4, 1), None);
        assert_eq!(element(4, 3), None);
        assert_eq!(sets.element(at(3), &|_| false, &|_| Some(1)), None);
    }
}
