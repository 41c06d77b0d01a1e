//! Whether a packet is in a set, as a condition.
//!
//! The kernel's `ip_set_test`: a set of another family, or one that is asked for fewer directions than it has parts, holds
//! nothing. INVARIANT: a packet of which `unsure` does not hold is in the set just if `surely` holds.

use std::sync::Arc;

use super::content::{Product, content};
use super::element::members;
use super::listed::listed;
use super::names::Part;
use super::sets::{Set, Sets};
use crate::dialect::condition::{any, never};
use crate::model::{AskedSet, Condition};
use crate::packet::protocol::number::{ICMP, ICMPV6, SCTP, TCP, UDP, UDPLITE};
use crate::packet::{Family, Field, RangeSet};

/// Which end of a packet a part of an element is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::dialect) enum Side {
    /// `src`
    Source,
    /// `dst`
    Destination,
}

/// How a set is asked: `--match-set NAME src,dst`.
#[derive(Debug, Clone, Copy)]
pub(in crate::dialect) struct Question<'q> {
    pub(in crate::dialect) family: Family,
    pub(in crate::dialect) sides: &'q [Side],
    /// `--return-nomatch`: for the exceptions of the set.
    pub(in crate::dialect) exceptions: bool,
    /// Later fragments are told from packets that have ports.
    pub(in crate::dialect) tests_fragments: bool,
}

/// What is in a set.
#[derive(Debug, Clone)]
pub(in crate::dialect) struct Membership {
    pub(in crate::dialect) surely: Condition,
    /// In it, or not.
    pub(in crate::dialect) unsure: Condition,
    /// The same by elements, as far as one can be pointed at: of each set, if it is a list's.
    pub(in crate::dialect) sets: Vec<Arc<AskedSet>>,
}

/// Products of one set beyond which its members count as not known.
const MAX_PRODUCTS: usize = 1 << 17;

impl Sets<'_> {
    /// Which packets are in a set; `None` if there is none of that name.
    pub(in crate::dialect) fn membership(&self, name: &str, question: Question<'_>) -> Option<Membership> {
        let set = self.by_name.get(name)?;
        let mut all: Vec<Membership> = self.parts(set).map(|set| of_set(set, question)).collect();
        if set.is_doubtful || self.is_doubtful {
            all.push(anything());
        }
        let sets = all
            .iter_mut()
            .flat_map(|one| std::mem::take(&mut one.sets))
            .collect();
        let (surely, unsure) = all.into_iter().map(|one| (one.surely, one.unsure)).unzip();
        Some(Membership {
            surely: any(surely),
            unsure: any(unsure),
            sets,
        })
    }

    /// The names of a set, and of the sets that it lists.
    pub(in crate::dialect) fn names<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'s str> {
        let set = self.by_name.get(name);
        let listed = set
            .into_iter()
            .flat_map(|set| self.parts(set))
            .map(|set| set.create.name);
        std::iter::once(name).chain(listed)
    }

    /// Whether a set is known to hold nothing, and to stay so: nobody fills it with elements that expire.
    pub(in crate::dialect) fn holds_nothing(&self, name: &str) -> bool {
        let is_bare =
            |set: &Set<'_>| set.elements.is_empty() && set.create.timeout.is_none() && !set.is_doubtful;
        let set = self.by_name.get(name);
        !self.is_doubtful && set.is_some_and(is_bare)
    }

    /// The family of a set's addresses; `None` for sets of both, of neither, and lists.
    pub(in crate::dialect) fn family(&self, name: &str) -> Option<Family> {
        self.by_name.get(name).and_then(family)
    }

    /// Whether elements of a set, or of one that it lists, count packets.
    pub(in crate::dialect) fn counts(&self, name: &str) -> bool {
        let set = self.by_name.get(name);
        set.is_some_and(|set| set.create.has_counters || self.parts(set).any(|part| part.create.has_counters))
    }

    /// The sets that a list has, or the set itself. Lists have no lists in them.
    fn parts<'s>(&'s self, set: &'s Set<'s>) -> impl Iterator<Item = &'s Set<'s>> {
        let is_list = set.create.kind.parts == [Part::Set];
        let listed = set.elements.iter().filter(move |_| is_list);
        let listed = listed.filter_map(|change| self.by_name.get(change.element));
        let listed = listed.filter(|other| other.create.kind.parts != [Part::Set]);
        (!is_list).then_some(set).into_iter().chain(listed)
    }
}

fn of_set(set: &Set<'_>, question: Question<'_>) -> Membership {
    let kind = set.create.kind;
    let is_other = family(set).is_some_and(|family| family != question.family);
    if question.sides.len() < kind.parts.len() || is_other {
        return Membership {
            surely: never(),
            unsure: never(),
            sets: Vec::new(),
        };
    }
    if set.is_doubtful {
        return anything();
    }
    // Of sets that can have none, the kernel takes no notice of it.
    let exceptions = question.exceptions && kind.has_networks();
    let members = members(set);
    let found = content(set, &members, exceptions);
    let Some(content) = found.filter(|content| content.surely.len() + content.unsure.len() <= MAX_PRODUCTS)
    else {
        return anything();
    };
    let of = |products: Vec<Product>| {
        any(products
            .iter()
            .map(|product| condition(set, product, question))
            .collect())
    };
    Membership {
        surely: of(content.surely),
        unsure: of(content.unsure),
        sets: listed(set, &members, question, exceptions).into_iter().collect(),
    }
}

fn family(set: &Set<'_>) -> Option<Family> {
    match set.create.kind.parts {
        [Part::Port | Part::Mac | Part::Set] => None,
        _ => Some(set.create.family.unwrap_or(Family::V4)),
    }
}

fn anything() -> Membership {
    Membership {
        surely: never(),
        unsure: Condition::All(Vec::new()),
        sets: Vec::new(),
    }
}

/// Whether each part of a packet is in the part of a product.
fn condition(set: &Set<'_>, product: &Product, question: Question<'_>) -> Condition {
    let mut parts = Vec::with_capacity(product.len());
    for ((part, side), ranges) in set.create.kind.parts.iter().zip(question.sides).zip(product) {
        let is_source = *side == Side::Source;
        let (address, interface) = if is_source {
            (question.family.source(), Field::InInterface)
        } else {
            (question.family.destination(), Field::OutInterface)
        };
        match part {
            Part::Ip | Part::Net if ranges.is_full(address.maximum()) => {}
            Part::Ip | Part::Net => parts.push(Condition::Test(address, ranges.clone())),
            Part::Interface => parts.push(Condition::Test(interface, ranges.clone())),
            Part::Port if set.create.kind.is_bitmap() => {
                let both = RangeSet::from_ranges(
                    [TCP, UDP].map(|protocol| (u128::from(protocol), u128::from(protocol))),
                );
                parts.push(Condition::Test(Field::Protocol, both));
                parts.extend(ports(is_source, ranges.clone(), question));
            }
            Part::Port => parts.push(services(is_source, ranges, question)),
            Part::Mark => parts.push(marks(ranges, set.create.mark_mask)),
            Part::Mac | Part::Set => {}
        }
    }
    match <[Condition; 1]>::try_from(parts) {
        Ok([only]) => only,
        Err(parts) => Condition::All(parts),
    }
}

/// The kernel's `ip_set_get_ip4_port`: ports of tcp, udp, sctp and udplite, type and code of ICMP at either end, and of
/// other protocols nothing.
fn services(is_source: bool, ranges: &RangeSet, question: Question<'_>) -> Condition {
    let mut all = Vec::new();
    for &(low, high) in ranges.ranges() {
        for protocol in low >> 16..=high >> 16 {
            let base = protocol << 16;
            let (low, high) = (low.max(base) - base, high.min(base | 0xffff) - base);
            all.push((protocol, RangeSet::range(low, high)));
        }
    }
    let of_protocol = all.chunk_by(|a, b| a.0 == b.0).filter_map(|group| {
        let protocol = group.first()?.0;
        let values = RangeSet::from_ranges(group.iter().flat_map(|(_, set)| set.ranges().iter().copied()));
        let mut parts = vec![Condition::Test(Field::Protocol, RangeSet::point(protocol))];
        match u8::try_from(protocol).unwrap_or(u8::MAX) {
            TCP | UDP | SCTP | UDPLITE => parts.extend(ports(is_source, values, question)),
            ICMP | ICMPV6 => parts.extend(ports(false, values, question)),
            _ => {}
        }
        Some(Condition::All(parts))
    });
    any(of_protocol.collect())
}

fn ports(is_source: bool, values: RangeSet, question: Question<'_>) -> impl Iterator<Item = Condition> {
    let field = if is_source {
        Field::SourcePort
    } else {
        Field::Service
    };
    let first = Condition::Test(Field::Fragment, RangeSet::point(0));
    let is_port = (!values.is_full(0xffff)).then_some(Condition::Test(field, values));
    is_port
        .into_iter()
        .chain(question.tests_fragments.then_some(first))
}

/// Marks under a mask, each bit by bit.
fn marks(ranges: &RangeSet, mask: u32) -> Condition {
    let values = ranges.ranges().iter().flat_map(|(low, high)| *low..=*high);
    let one = |mark: u128| {
        let bits = (0..32u8).filter(|bit| mask >> bit & 1 == 1);
        Condition::All(
            bits.map(|bit| Condition::Test(Field::Mark(bit), RangeSet::point(mark >> bit & 1)))
                .collect(),
        )
    };
    any(values.map(one).collect())
}
