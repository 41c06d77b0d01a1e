//! What to do about an opening: the row that comes nearest to it, or a change of the rule. INVARIANT: a rule that a program keeps is
//! never said to be the reader's to change.

use std::collections::BTreeMap;

use super::filters::Filters;
use super::permitted::concerns;
use super::view::Side;
use super::words;
use crate::packet::{RangeSet, service_words};
use crate::policy::{Kind, Row, Service};

/// The rows that may come near to the openings of one side of a host.
pub(super) struct Advice<'f> {
    /// The services that some row has for this host.
    near: Vec<Near<'f>>,
    /// By protocol, the ranges of ports of each: lowest, highest, and the place in `near`, in that order.
    ranges: BTreeMap<u8, Vec<(u128, u128, usize)>>,
}

/// A service of a row, with the words for it: there are many openings for each row.
struct Near<'f> {
    row: &'f Row,
    service: &'f Service,
    word: String,
    /// For whom the row has it: "from `internal`".
    peers: String,
}

impl<'f> Advice<'f> {
    pub(super) fn new<'m: 'f>(filters: &Filters<'m>, side: Side, rows: &'f [Row]) -> Self {
        let (host, world) = (filters.host, filters.world);
        let mine = |row: &&Row| row.kind != Kind::Forbid && concerns(row, side, host, world);
        let near = rows.iter().filter(mine).flat_map(|row| {
            let peers = side.far(row).items.iter();
            let peers: Vec<_> = peers.map(|peer| world.party(&peer.value).word).collect();
            let peers = format!("{} {}", side.word(), peers.join(", "));
            row.services.items.iter().map(move |service| Near {
                row,
                service: &service.value,
                word: words::service(&service.value),
                peers: peers.clone(),
            })
        });
        let near: Vec<_> = near.collect();
        let mut ranges: BTreeMap<u8, Vec<_>> = BTreeMap::new();
        for (at, Near { service, .. }) in near.iter().enumerate() {
            if let Some(protocol) = service.protocol {
                let of_service = service.values.ranges().iter();
                let known = ranges.entry(protocol).or_default();
                known.extend(of_service.map(|&(low, high)| (low, high, at)));
            }
        }
        Self { near, ranges }
    }

    /// The service of a protocol that is nearest to a port, the first of those that are, and how far away it is.
    fn nearest_service(&self, protocol: u8, port: u128) -> Option<(u128, &Near<'f>)> {
        let mut nearest: Option<(u128, usize)> = None;
        for &(low, high, at) in self.ranges.get(&protocol)? {
            let away = low.saturating_sub(port).max(port.saturating_sub(high));
            if nearest.is_none_or(|nearest| away < nearest.0) {
                nearest = Some((away, at));
            }
        }
        let (away, at) = nearest?;
        Some((away, self.near.get(at)?))
    }

    /// Names the row that comes nearest to an opening; if none comes near, what to do about the rule, which a program may keep.
    pub(super) fn nearest(&self, protocol: u8, port: u128, program: Option<&str>) -> String {
        match self.nearest_service(protocol, port) {
            Some((0, Near { row, word, peers, .. })) => {
                format!("`{}` has {word}, but {peers} only", row.id)
            }
            Some((away, Near { row, word, .. })) if away <= 100 => {
                let this = service_words(protocol, &RangeSet::point(port)).join(", ");
                format!("`{}` has {word}, this is {this}", row.id)
            }
            _ => {
                let remedy = program.map_or_else(|| "remove the rule".into(), kept);
                format!("{remedy}, or add a row that allows it to a policy of the site")
            }
        }
    }
}

/// What to do about an opening that no row can allow.
pub(super) fn narrow(program: Option<&str>) -> String {
    program.map_or_else(
        || "narrow the rule to the peers that need it, or remove it".into(),
        kept,
    )
}

fn kept(program: &str) -> String {
    format!("{program} keeps this rule: change what it publishes")
}
