//! The elements of a set to products of ranges, one range set a part.
//!
//! INVARIANT: what is in `surely` is in the set whatever is not known, and what is in neither is not in it.

use super::element::{MAX_PARTS, Member};
use super::names::Part;
use super::nesting::innermost;
use super::sets::Set;
use crate::dialect::condition::merged;
use crate::packet::address::blocks;
use crate::packet::{Family, RangeSet};

/// One range set for each part of an element.
pub(super) type Product = Vec<RangeSet>;

/// What is in a set.
#[derive(Debug, Default)]
pub(super) struct Content {
    pub(super) surely: Vec<Product>,
    /// In it, or not: elements that may be gone, and what depends on more than is modelled.
    pub(super) unsure: Vec<Product>,
}

/// Elements that one set with exceptions may be spread out to.
const MAX_SPREAD: usize = 1 << 20;

/// Pairs of elements and exceptions that are compared.
const MAX_PAIRS: usize = 1 << 22;

type Parts = [(u128, u128); MAX_PARTS];

/// What a set holds; of `exceptions`, what its exceptions are ("--return-nomatch": iptables-extensions(8), "set"). `None`
/// if that is too much to follow. `members` are its elements.
pub(super) fn content(set: &Set<'_>, members: &[Member], exceptions: bool) -> Option<Content> {
    let is_met = |member: &&Member| member.is_exception == exceptions;
    let parts = set.create.kind.parts;
    let n_networks = parts.iter().filter(|part| **part == Part::Net).count();
    if parts.contains(&Part::Interface) {
        return Some(by_interface(members, exceptions));
    }
    if members.iter().any(|member| member.is_exception) {
        return if n_networks > 1 {
            overlapping(members, exceptions, parts.len())
        } else {
            nested(
                members,
                exceptions,
                parts,
                set.create.family.unwrap_or(Family::V4),
            )
        };
    }
    let (unsure, surely): (Vec<_>, Vec<_>) = members
        .iter()
        .filter(is_met)
        .map(|member| (member.is_unsure, member.parts))
        .partition(|(is_unsure, _)| *is_unsure);
    let products =
        |keys: Vec<(bool, Parts)>| products(keys.into_iter().map(|(_, key)| key).collect(), parts.len());
    Some(Content {
        surely: products(surely),
        unsure: products(unsure),
    })
}

/// Keys as products: those that differ in the first part alone are one, then what `merged` finds.
fn products(mut keys: Vec<Parts>, n_parts: usize) -> Vec<Product> {
    let rest = |key: &Parts| (key[1], key[2]);
    keys.sort_unstable_by_key(|key| (rest(key), key[0]));
    let groups = keys.chunk_by(|a, b| rest(a) == rest(b)).map(|group| {
        let first = RangeSet::from_ranges(group.iter().map(|key| key[0]));
        let others = group.first().into_iter().flat_map(|key| &key[1..]);
        let others = others.map(|(low, high)| RangeSet::range(*low, *high));
        std::iter::once(first).chain(others).take(n_parts).collect()
    });
    merged(groups.collect())
}

/// Sets of which one part is a network and the others are compared whole: among the elements that are alike in the
/// others, the most specific network decides (ipset(8), "hash:net").
fn nested(members: &[Member], exceptions: bool, parts: &[Part], family: Family) -> Option<Content> {
    let main = parts.iter().position(|part| *part == Part::Net)?;
    let mut spread: Vec<(Parts, (u128, u128), Block)> = Vec::new();
    for member in members {
        let (low, high) = *member.parts.get(main)?;
        let others = points(member, main, MAX_SPREAD.checked_sub(spread.len())?)?;
        for block in blocks(family, low, high) {
            let answer = Block {
                is_met: member.is_exception == exceptions,
                is_unsure: member.is_unsure,
            };
            spread.extend(
                others
                    .iter()
                    .map(|others| (*others, (block.low, block.high), answer)),
            );
            if spread.len() > MAX_SPREAD {
                return None;
            }
        }
    }
    // Wider networks first; of one network twice the later counts.
    spread.sort_by_key(|(others, (low, high), _)| (*others, *low, std::cmp::Reverse(*high)));
    let mut content = Content::default();
    for group in spread.chunk_by(|a, b| a.0 == b.0) {
        let Some((others, ..)) = group.first() else {
            continue;
        };
        let (surely, unsure) = flat(group.iter().map(|(_, block, answer)| (*block, *answer)));
        for (ranges, into) in [(surely, &mut content.surely), (unsure, &mut content.unsure)] {
            if !ranges.is_empty() {
                let mut product: Product = others
                    .iter()
                    .map(|(low, high)| RangeSet::range(*low, *high))
                    .take(parts.len())
                    .collect();
                *product.get_mut(main)? = ranges;
                into.push(product);
            }
        }
    }
    Some(Content {
        surely: merged(content.surely),
        unsure: merged(content.unsure),
    })
}

/// The other parts of an element, one value each. `None` if they are more than `most`.
fn points(member: &Member, main: usize, most: usize) -> Option<Vec<Parts>> {
    let mut all = vec![member.parts];
    for at in (0..MAX_PARTS).filter(|at| *at != main) {
        let (low, high) = *member.parts.get(at)?;
        let is_name = high - low > u128::from(u32::MAX);
        if is_name {
            continue;
        }
        let count = usize::try_from(high - low).ok()?.checked_add(1)?;
        if count.checked_mul(all.len())? > most {
            return None;
        }
        all = all
            .iter()
            .flat_map(|parts| {
                (low..=high).map(move |value| {
                    let mut parts = *parts;
                    if let Some(place) = parts.get_mut(at) {
                        *place = (value, value);
                    }
                    parts
                })
            })
            .collect();
    }
    for parts in &mut all {
        *parts.get_mut(main)? = (0, 0);
    }
    Some(all)
}

/// What one network answers for its addresses.
#[derive(Debug, Clone, Copy)]
struct Block {
    is_met: bool,
    is_unsure: bool,
}

/// What may be answered: yes, no, or either.
#[derive(Debug, Clone, Copy)]
struct Answers {
    yes: bool,
    no: bool,
}

/// Networks inside each other, wider first, to the ranges that are surely and perhaps answered yes.
fn flat(blocks: impl Iterator<Item = ((u128, u128), Block)>) -> (RangeSet, RangeSet) {
    let none = Answers { yes: false, no: true };
    let segments = innermost(blocks, |block, around| {
        let around = around.copied().unwrap_or(none);
        Answers {
            yes: block.is_met || block.is_unsure && around.yes,
            no: !block.is_met || block.is_unsure && around.no,
        }
    });
    let of = |wanted: (bool, bool)| {
        let segments = segments
            .iter()
            .filter(|(_, answers)| (answers.yes, answers.no) == wanted);
        RangeSet::from_ranges(segments.map(|(range, _)| *range))
    };
    (of((true, false)), of((true, true)))
}

/// What interfaces a network is in the set with.
#[derive(Debug, Clone, Default)]
struct Ways {
    surely: RangeSet,
    unsure: RangeSet,
}

/// `hash:net,iface`: the most specific network decides that is there with any interface (the kernel's
/// `hash_netiface4_data_equal` counts them and `mtype_test_cidrs` then stops), and of its interfaces each.
fn by_interface(members: &[Member], exceptions: bool) -> Content {
    let network = |member: &Member| (member.parts[0].0, std::cmp::Reverse(member.parts[0].1));
    let mut sorted: Vec<&Member> = members.iter().collect();
    sorted.sort_by_key(|member| network(member));
    let blocks = sorted
        .chunk_by(|a, b| network(a) == network(b))
        .filter_map(|group| Some((group.first()?.parts[0], group)));
    let segments = innermost(blocks, |group, around: Option<&Ways>| {
        let links = |is_it: &dyn Fn(&Member) -> bool| {
            let members = group.iter().filter(|member| is_it(member));
            RangeSet::from_ranges(members.map(|member| member.parts[1]))
        };
        let met = links(&|member| member.is_exception == exceptions && !member.is_unsure);
        let others = links(&|member| member.is_exception != exceptions);
        let unsure = links(&|member| member.is_exception == exceptions && member.is_unsure);
        let mut ways = Ways {
            surely: met.difference(&others),
            unsure: met.intersection(&others).union(&unsure),
        };
        if let (true, Some(around)) = (group.iter().all(|member| member.is_unsure), around) {
            // The network may be gone, and what is around it decide.
            let all = [&ways.surely, &ways.unsure, &around.surely, &around.unsure];
            ways.unsure = RangeSet::from_ranges(all.into_iter().flat_map(|set| set.ranges().iter().copied()));
            ways.surely = RangeSet::empty();
        }
        ways
    });
    let products = |of: &dyn Fn(&Ways) -> RangeSet| {
        let all = segments
            .iter()
            .map(|((low, high), ways)| vec![RangeSet::range(*low, *high), of(ways)]);
        merged(
            all.filter(|product| product.iter().all(|part| !part.is_empty()))
                .collect(),
        )
    };
    Content {
        surely: products(&|ways| ways.surely.clone()),
        unsure: products(&|ways| ways.unsure.clone()),
    }
}

/// Sets in which several networks decide together: which of two elements that overlap is asked first is not modelled.
fn overlapping(members: &[Member], exceptions: bool, n_parts: usize) -> Option<Content> {
    let (met, others): (Vec<_>, Vec<_>) = members
        .iter()
        .partition(|member| member.is_exception == exceptions);
    if met.len().checked_mul(others.len())? > MAX_PAIRS {
        return None;
    }
    let overlaps = |a: &Member, b: &Member| {
        let mut pairs = a.parts.iter().zip(&b.parts);
        pairs.all(|((low, high), (other_low, other_high))| low <= other_high && other_low <= high)
    };
    let is_unsure = |member: &Member| member.is_unsure || others.iter().any(|other| overlaps(member, other));
    let (unsure, surely): (Vec<_>, Vec<_>) = met.iter().partition(|member| is_unsure(member));
    let products =
        |members: Vec<&Member>| products(members.iter().map(|member| member.parts).collect(), n_parts);
    Some(Content {
        surely: products(surely),
        unsure: products(unsure),
    })
}
