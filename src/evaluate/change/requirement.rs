//! Requirements that a change breaks and mends, by their packets.
//!
//! A packet is *wrong* in a state if a row in force there asks for something else than what becomes of it. INVARIANT: a row is
//! broken where packets are wrong and were not, and mended where packets were wrong and are surely as the row asks now: a row
//! that no longer asks mends nothing, and neither does a doubt.

use std::collections::{BTreeMap, BTreeSet};

use super::super::filters::Filters;
use super::super::view::Side;
use super::joint::Joint;
use super::peers::Peers;
use super::rows::Asked;
use super::{Requirement, Requirements, Told};
use crate::finding::{Certainty, Code};
use crate::packet::{Bounds, Family, Field, OverBudget, PacketSet, RangeSet, Space};

/// A row as it is asked in both states: with the side that its packets cross.
type Key = (Side, Code, String);

/// What a row asks, in the joint space.
#[derive(Clone, Copy)]
struct Held {
    asked: PacketSet,
    wrong: Bounds,
}

impl Default for Held {
    fn default() -> Self {
        Self {
            asked: PacketSet::empty(),
            wrong: Bounds::empty(),
        }
    }
}

/// The states of a host, with what their rows ask.
pub(super) struct Compared<'c, 'm> {
    pub(super) peers: &'c Peers,
    pub(super) states: &'c mut [Option<(Told<'m>, Filters<'m>)>; 2],
    pub(super) families: &'c [Family],
    pub(super) budget: usize,
}

impl Compared<'_, '_> {
    /// What is broken and mended of what the rows of both states ask.
    pub(super) fn requirements(&mut self, asked: &[Vec<Asked>; 2]) -> Result<Requirements, OverBudget> {
        let mut found = Requirements::default();
        let sides: BTreeSet<Side> = asked.iter().flatten().map(|asked| asked.side).collect();
        for side in sides {
            let there: Vec<&Filters<'_>> = self.states.iter().flatten().map(|(_, filters)| filters).collect();
            let mut joint = Joint::new(self.peers, &there, side, Space::with_budget(self.budget))?;
            let mut held = [BTreeMap::new(), BTreeMap::new()];
            for ((at, held), asked) in held.iter_mut().enumerate().zip(asked) {
                let of_side = asked.iter().filter(|asked| asked.side == side);
                *held = self.held(&mut joint, at, of_side)?;
            }
            let [old, new] = &held;
            let keys: BTreeSet<&Key> = old.keys().chain(new.keys()).collect();
            for key in keys {
                let [old, new] = [old, new].map(|held| held.get(key).copied().unwrap_or_default());
                let broken = brought(&mut joint.space, old, new)?;
                add(&mut joint, key, broken, &mut found.broken)?;
                let mended = mended(&mut joint.space, old, new)?;
                add(&mut joint, key, mended, &mut found.mended)?;
            }
        }
        found.broken = together(found.broken);
        found.mended = together(found.mended);
        Ok(found)
    }

    /// What the rows of a state ask, here: of the families that both states filter.
    fn held<'a>(
        &mut self,
        joint: &mut Joint<'_>,
        at: usize,
        asked: impl Iterator<Item = &'a Asked>,
    ) -> Result<BTreeMap<Key, Held>, OverBudget> {
        let mut found: BTreeMap<Key, Held> = BTreeMap::new();
        let Some(Some((told, filters))) = self.states.get_mut(at) else {
            return Ok(found);
        };
        let families = self
            .families
            .iter()
            .map(|family| (family.value(), family.value()));
        let families = joint.space.test(Field::Family, &families.collect::<RangeSet>())?;
        for one in asked {
            let id = told.rows.get(one.at).map_or("", |row| row.id.as_str());
            let held = found.entry((one.side, one.code, id.to_owned())).or_default();
            for (known, set) in [
                (&mut held.asked, one.packets),
                (&mut held.wrong.surely, one.wrong.surely),
                (&mut held.wrong.possibly, one.wrong.possibly),
            ] {
                let here = joint.bring(filters, at, set)?;
                let here = joint.space.intersection(here, families)?;
                *known = joint.space.union(*known, here)?;
            }
        }
        Ok(found)
    }
}

/// The packets that are wrong now and were not, or were perhaps.
fn brought(space: &mut Space, old: Held, new: Held) -> Result<Bounds, OverBudget> {
    let surely = space.difference(new.wrong.surely, old.wrong.possibly)?;
    let surer = space.difference(new.wrong.surely, old.wrong.surely)?;
    let possibly = space.difference(new.wrong.possibly, old.wrong.possibly)?;
    let possibly = space.union(possibly, surer)?;
    Ok(Bounds { surely, possibly })
}

/// The packets that were wrong, or perhaps, and surely are as the row asks now.
fn mended(space: &mut Space, old: Held, new: Held) -> Result<Bounds, OverBudget> {
    let right = space.difference(new.asked, new.wrong.possibly)?;
    Ok(Bounds {
        surely: space.intersection(old.wrong.surely, right)?,
        possibly: space.intersection(old.wrong.possibly, right)?,
    })
}

/// Adds what becomes of a row, the sure part first.
fn add(
    joint: &mut Joint<'_>,
    (_, code, row): &Key,
    packets: Bounds,
    found: &mut Vec<Requirement>,
) -> Result<(), OverBudget> {
    let rest = joint.space.difference(packets.possibly, packets.surely)?;
    for (set, certainty) in [(packets.surely, Certainty::Surely), (rest, Certainty::Possibly)] {
        if !set.is_empty() {
            found.push(Requirement {
                code: *code,
                certainty,
                rows: vec![row.clone()],
                lines: joint.lines(set)?,
            });
        }
    }
    Ok(())
}

/// Rows of which the same becomes of the same packets, together.
fn together(all: Vec<Requirement>) -> Vec<Requirement> {
    let mut kept: Vec<Requirement> = Vec::new();
    for one in all {
        let same = kept.iter_mut().find(|known| {
            known.code == one.code && known.certainty == one.certainty && known.lines == one.lines
        });
        match same {
            Some(known) => known.rows.extend(one.rows),
            None => kept.push(one),
        }
    }
    for one in &mut kept {
        one.rows.sort();
        one.rows.dedup();
    }
    kept.sort_by(|a, b| (a.code, a.certainty, &a.rows).cmp(&(b.code, b.certainty, &b.rows)));
    kept
}
