//! Which packets and which texts a list of findings knows.

use std::collections::BTreeMap;

use super::{Baseline, Entry, Key};
use crate::finding::{Certainty, Code, Packets};
use crate::packet::{OverBudget, PacketSet, Product, RangeSet, Space};

/// Where a finding is, and of which code.
type Place = (String, String, Code);

/// Entries by where they are, with what was met of them.
pub(super) struct Known<'b> {
    by_place: BTreeMap<Place, Vec<Listed<'b>>>,
    sets: Sets,
}

/// An entry, with what was met of it.
struct Listed<'b> {
    /// Its place in the list.
    at: usize,
    entry: &'b Entry,
    packets: Option<PacketSet>,
    is_met: bool,
    /// How many more findings there may be of an entry without packets.
    left: usize,
}

impl<'b> Known<'b> {
    pub(super) fn of(baseline: &'b Baseline) -> Self {
        let mut by_place: BTreeMap<Place, Vec<Listed<'b>>> = BTreeMap::new();
        let mut sets = Sets::default();
        for (at, (entry, _)) in baseline.entries.iter().enumerate() {
            let listed = Listed {
                at,
                entry,
                packets: entry.packets.as_ref().and_then(|packets| sets.set(packets)),
                is_met: false,
                left: entry.count,
            };
            by_place.entry(place(&entry.key)).or_default().push(listed);
        }
        Self { by_place, sets }
    }

    /// Whether entries speak of all of a finding.
    pub(super) fn meets(&mut self, found: &Entry) -> bool {
        let key = place(&found.key);
        let Some(listed) = self.by_place.get_mut(&key) else {
            return false;
        };
        let mut about: Vec<&mut Listed<'_>> = listed
            .iter_mut()
            .filter(|listed| is_about(&listed.entry.key, &found.key))
            .collect();
        if let Some(packets) = &found.packets {
            return self.sets.covers(&mut about, packets).unwrap_or(false);
        }
        let same = about.iter_mut().find(|listed| {
            let entry = listed.entry;
            if found.key.text.is_some() {
                entry.key.text == found.key.text && listed.left > 0
            } else {
                found.region.is_some() && entry.region == found.region
            }
        });
        let Some(same) = same else { return false };
        same.left = same.left.saturating_sub(1);
        same.is_met = same.left == 0;
        true
    }

    /// The places of the entries that meet nothing, or less than they say.
    pub(super) fn unmet(&self) -> Vec<usize> {
        let all = self.by_place.values().flatten();
        let mut unmet: Vec<usize> = all
            .filter(|listed| !listed.is_met)
            .map(|listed| listed.at)
            .collect();
        unmet.sort_unstable();
        unmet
    }
}

fn place(key: &Key) -> Place {
    (key.file.clone(), key.object.clone(), key.code)
}

/// Whether an entry speaks of a finding, as far as packets do not tell. What was sure is known where it is only possible by now,
/// and what is held against some of the rows of then.
fn is_about(listed: &Key, found: &Key) -> bool {
    let is_as_sure = listed.certainty == Certainty::Surely || found.certainty == Certainty::Possibly;
    is_as_sure && found.rows.iter().all(|row| listed.rows.contains(row))
}

/// Packets of many runs in one space. Who somebody is has a number for each number of a name.
#[derive(Default)]
struct Sets {
    space: Space,
    who: BTreeMap<u64, u128>,
}

impl Sets {
    /// The packets that products say; none where one of them is none, or they are too many.
    fn set(&mut self, packets: &Packets) -> Option<PacketSet> {
        let mut sets = Vec::new();
        for text in &packets.products {
            let product: Product = text.parse().ok()?;
            sets.push(self.product(product).ok()?);
        }
        self.space.union_all(&sets).ok()
    }

    fn product(&mut self, product: Product) -> Result<PacketSet, OverBudget> {
        let mut tests = product.tests;
        for (field, names) in product.who {
            let numbers = names.into_iter().map(|name| {
                let next = self.who.len() as u128;
                let number = *self.who.entry(name).or_insert(next);
                (number, number)
            });
            tests.push((field, numbers.collect::<RangeSet>()));
        }
        self.space.product(&tests)
    }

    /// Whether all of these packets are known; then the entries that know some are met.
    fn covers(&mut self, known: &mut [&mut Listed<'_>], packets: &Packets) -> Result<bool, OverBudget> {
        let Some(found) = self.set(packets) else {
            return Ok(false);
        };
        let is_same_way = |listed: &Listed<'_>| {
            let of = listed.entry.packets.as_ref();
            of.is_some_and(|of| of.way == packets.way)
        };
        let mut all = Vec::new();
        for listed in known.iter().filter(|listed| is_same_way(listed)) {
            all.extend(listed.packets);
        }
        let all = self.space.union_all(&all)?;
        if !self.space.difference(found, all)?.is_empty() {
            return Ok(false);
        }
        for listed in known.iter_mut().filter(|listed| is_same_way(listed)) {
            let of = listed.packets.unwrap_or(PacketSet::empty());
            listed.is_met |= !self.space.is_disjoint(of, found);
        }
        Ok(true)
    }
}
