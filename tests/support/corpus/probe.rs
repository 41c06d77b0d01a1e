//! Packets at the corners of a ruleset: on the edges of the ranges that its rules ask for, one inside, one outside.
//! INVARIANT: a probe has one value for each field that some rule asks for.

use std::collections::{BTreeMap, BTreeSet};

use portcullis::model::{Condition, Edit, Ruleset};
use portcullis::packet::{Family, Field, RangeSet};

use crate::random::Random;

/// The values of each field at which some rule changes its mind, and the tests of each rule.
pub(crate) struct Corners {
    pool: BTreeMap<Field, Vec<u128>>,
    rules: Vec<Vec<(Field, RangeSet)>>,
}

/// A packet as a value for each field.
pub(crate) type Values = BTreeMap<Field, u128>;

impl Corners {
    pub(crate) fn of(rulesets: &[Ruleset]) -> Self {
        let mut pool: BTreeMap<Field, BTreeSet<u128>> = BTreeMap::new();
        // Asked by the base chains themselves, and by what routing did.
        pool.entry(Field::Family).or_default();
        pool.entry(Field::State).or_default().extend(0..=4);
        pool.entry(Field::DestinationClass).or_default().extend(0..=3);
        for field in [Field::Protocol, Field::Service, Field::SourcePort] {
            pool.entry(field).or_default().extend([0, 1, 6, 17]);
        }
        let mut rules = Vec::new();
        for ruleset in rulesets {
            for rule in ruleset.chains.iter().flat_map(|chain| &chain.rules) {
                let mut tests = Vec::new();
                for one in &rule.matches {
                    collect(&one.condition, &mut tests);
                }
                if let portcullis::model::Action::Edit(Edit::Mark { flip, .. }) = rule.action {
                    let bits = (0..32u8).filter(|bit| flip >> bit & 1 == 1);
                    tests.extend(bits.map(|bit| (Field::Mark(bit), RangeSet::range(0, 1))));
                }
                for (field, values) in &tests {
                    let edges = values.ranges().iter().flat_map(|&(low, high)| {
                        [Some(low), Some(high), low.checked_sub(1), high.checked_add(1)]
                    });
                    let edges = edges.flatten().filter(|&edge| edge <= field.maximum());
                    pool.entry(*field).or_default().extend(edges);
                }
                rules.push(tests);
            }
        }
        let families = rulesets.iter().filter_map(|ruleset| match ruleset.families {
            portcullis::model::Families::V4 => Some(Family::V4.value()),
            portcullis::model::Families::V6 => Some(Family::V6.value()),
            portcullis::model::Families::Both => None,
        });
        pool.entry(Field::Family).or_default().extend(families);
        let pool = pool
            .into_iter()
            .map(|(field, values)| (field, values.into_iter().collect()));
        Self {
            pool: pool.collect(),
            rules,
        }
    }

    /// A packet near the corners of one rule, or anywhere.
    pub(crate) fn packet(&self, random: &mut Random) -> Values {
        let mut packet: Values = self
            .pool
            .iter()
            .map(|(&field, values)| {
                let value = if random.chance(1, 6) {
                    anything(field, random)
                } else {
                    values.get(random.index(values.len())).copied().unwrap_or(0)
                };
                (field, value)
            })
            .collect();
        if random.chance(1, 2) {
            packet.insert(Field::Protocol, if random.chance(1, 2) { 6 } else { 17 });
        }
        if random.chance(5, 6)
            && let Some(rule) = self.rules.get(random.index(self.rules.len()))
        {
            for (field, values) in rule {
                let ranges = values.ranges();
                if let Some(&(low, high)) = ranges.get(random.index(ranges.len())) {
                    packet.insert(*field, if random.chance(1, 2) { low } else { high });
                }
            }
            // One step outside of one of its tests.
            if random.chance(1, 3)
                && let Some((field, values)) = rule.get(random.index(rule.len()))
                && let Some(outside) = values.complement(field.maximum()).first()
            {
                packet.insert(*field, outside);
            }
        }
        packet
    }
}

fn anything(field: Field, random: &mut Random) -> u128 {
    let any = u128::from(random.bits()) << 64 | u128::from(random.bits());
    match field.maximum() {
        u128::MAX => any,
        most => any % (most + 1),
    }
}

/// The tests of a condition, whatever stands around them.
fn collect(condition: &Condition, tests: &mut Vec<(Field, RangeSet)>) {
    match condition {
        Condition::Test(field, values) => tests.push((*field, values.clone())),
        Condition::All(inner) | Condition::Any(inner) => {
            for condition in inner {
                collect(condition, tests);
            }
        }
        Condition::Not(inner) => collect(inner, tests),
        Condition::Member(_) | Condition::Unknown(_) => {}
    }
}
