//! The laws of packet sets and of lists of rules, held against universes small enough to count every packet.
#![cfg(test)]

#[path = "support/brute.rs"]
mod brute;

use brute::Universe;
use portcullis::packet::{Cause, EditId, End, Field, Line, Outcome, PacketSet, RangeSet, Ruling, Space};
use proptest::prelude::*;

/// Eight kinds of packets: small enough for every pair of sets.
fn bits() -> Universe {
    Universe::new(&[
        (Field::Family, &[1]),
        (Field::Fragment, &[1]),
        (Field::Mark(0), &[1]),
    ])
}

/// 48 kinds: ports with 0 and the last one apart, addresses at their ends, a field that is all numbers.
fn ranges() -> Universe {
    Universe::new(&[
        (Field::Service, &[1, 23, 65_535]),
        (Field::Source4, &[1, 0x0a00_0000, 0xffff_ffff]),
        (Field::Source6, &[1, u128::MAX]),
    ])
}

#[test]
fn every_pair_of_sets_of_eight_packets_obeys_every_law() {
    let universe = bits();
    let mut space = Space::default();
    let sets: Vec<PacketSet> = (0..256)
        .map(|word| universe.set(&mut space, word).unwrap())
        .collect();
    let set_of = |word: u64| sets[usize::try_from(word).unwrap()];
    for a in 0..256 {
        assert_eq!(space.complement(set_of(a)).unwrap(), set_of(!a & 255));
        assert_eq!(
            universe.word(|value| space.contains(set_of(a), &|field| value(field))),
            a
        );
        for b in 0..256 {
            assert_eq!(
                space.union(set_of(a), set_of(b)).unwrap(),
                set_of(a | b),
                "{a:#b} {b:#b}"
            );
            assert_eq!(
                space.intersection(set_of(a), set_of(b)).unwrap(),
                set_of(a & b),
                "{a:#b} {b:#b}"
            );
            assert_eq!(
                space.difference(set_of(a), set_of(b)).unwrap(),
                set_of(a & !b),
                "{a:#b} {b:#b}"
            );
            assert_eq!(
                space.is_subset(set_of(a), set_of(b)),
                a & !b == 0,
                "{a:#b} {b:#b}"
            );
            assert_eq!(
                space.is_disjoint(set_of(a), set_of(b)),
                a & b == 0,
                "{a:#b} {b:#b}"
            );
        }
    }
    assert!(set_of(0).is_empty() && set_of(255).is_all());
}

#[test]
fn every_set_of_eight_packets_is_quantified_right() {
    let universe = bits();
    let mut space = Space::default();
    for word in 0..256 {
        let set = universe.set(&mut space, word).unwrap();
        for (field, n_blocks) in universe.fields() {
            for among in 1..1 << n_blocks {
                let values = universe.values(field, among);
                let exists = space.exists(set, field, &values).unwrap();
                let for_all = space.for_all(set, field, &values).unwrap();
                let holds = |set| universe.word(|value| space.contains(set, &|field| value(field)));
                assert_eq!(
                    holds(exists),
                    universe.exists(word, field, among),
                    "{word:#b} {field:?} {among:#b}"
                );
                assert_eq!(
                    holds(for_all),
                    universe.for_all(word, field, among),
                    "{word:#b} {field:?} {among:#b}"
                );
            }
        }
    }
}

#[test]
fn a_space_that_is_too_small_says_so_and_never_answers_wrong() {
    let universe = ranges();
    for budget in [0, 1, 3, 10, 30] {
        let mut space = Space::with_budget(budget);
        for word in [0, 1, 0x5555_5555_5555, universe.all()] {
            let Ok(set) = universe.set(&mut space, word) else {
                continue;
            };
            assert_eq!(
                universe.word(|value| space.contains(set, &|field| value(field))),
                word
            );
        }
    }
}

/// Regions are disjoint and cover the set; together with those only counted there are as many as they say.
fn regions_are_the_set(universe: &Universe, space: &mut Space, set: PacketSet, word: u64) {
    let (regions, more) = space.regions(set, usize::MAX);
    assert_eq!(more, 0);
    let mut covered = 0;
    for region in &regions {
        let inside = |value: &dyn Fn(Field) -> u128| {
            region
                .tests
                .iter()
                .all(|(field, values)| values.contains(value(*field)))
        };
        let packets = universe.word(inside);
        assert_eq!(covered & packets, 0, "regions overlap: {regions:?}");
        covered |= packets;
    }
    assert_eq!(covered, word);
    let (few, more) = space.regions(set, 1);
    assert_eq!(few.len() + more, regions.len());
}

fn leaf(space: &mut Space, end: End, cause: u32) -> Ruling {
    space.always(
        &[Outcome {
            end,
            cause: Cause(cause),
            edit: EditId::NONE,
        }],
        &[],
    )
}

/// A rule of the tiny language: the blocks of each field that it matches, and whether it accepts.
type Rule = (Vec<u64>, bool);

fn rule(universe: &Universe) -> impl Strategy<Value = Rule> + use<> {
    // All blocks twice as often as a choice of them, so that rules leave fields out as real ones do.
    let chosen = |n_blocks: usize| {
        let all = (1u64 << n_blocks) - 1;
        prop_oneof![2 => Just(all), 1 => 1..=all]
    };
    let blocks: Vec<_> = universe.fields().map(|(_, n_blocks)| chosen(n_blocks)).collect();
    (blocks, any::<bool>())
}

fn tests_of(universe: &Universe, rule: &Rule) -> Vec<(Field, RangeSet)> {
    let fields = universe.fields().zip(&rule.0);
    let tests = fields.filter(|((_, n_blocks), chosen)| **chosen != (1 << n_blocks) - 1);
    tests
        .map(|((field, _), chosen)| (field, universe.values(field, *chosen)))
        .collect()
}

proptest! {
    #[test]
    fn operations_on_ranges_are_those_on_words(a: u64, b: u64, c: u64) {
        let universe = ranges();
        let (a, b, c) = (a & universe.all(), b & universe.all(), c & universe.all());
        let mut space = Space::default();
        let [x, y, z] = [a, b, c].map(|word| universe.set(&mut space, word).unwrap());
        let expected = universe.set(&mut space, (a | b) & !c).unwrap();
        let union = space.union(x, y).unwrap();
        prop_assert_eq!(space.difference(union, z).unwrap(), expected);
        let (left, right) = (space.difference(x, z).unwrap(), space.difference(y, z).unwrap());
        prop_assert_eq!(space.union(left, right).unwrap(), expected);
        prop_assert_eq!(space.union_all(&[y, x, z, y]).unwrap(), universe.set(&mut space, a | b | c).unwrap());
        prop_assert_eq!(universe.word(|value| space.contains(x, &|field| value(field))), a);
        regions_are_the_set(&universe, &mut space, x, a);
        let witness = space.witness(x);
        prop_assert_eq!(witness.is_none(), a == 0);
        prop_assert!(witness.is_none_or(|packet| space.contains(x, &|field| packet.value(field))));
    }

    #[test]
    fn quantifying_ranges_is_looking_at_every_neighbour(word: u64, among in 0u64..16) {
        let universe = ranges();
        let word = word & universe.all();
        let mut space = Space::default();
        let set = universe.set(&mut space, word).unwrap();
        for (field, n_blocks) in universe.fields() {
            let among = (among & ((1 << n_blocks) - 1)).max(1);
            let values = universe.values(field, among);
            let exists = universe.set(&mut space, universe.exists(word, field, among)).unwrap();
            let for_all = universe.set(&mut space, universe.for_all(word, field, among)).unwrap();
            prop_assert_eq!(space.exists(set, field, &values).unwrap(), exists);
            prop_assert_eq!(space.for_all(set, field, &values).unwrap(), for_all);
        }
    }

    #[test]
    fn the_first_rule_that_matches_decides(rules in prop::collection::vec(rule(&ranges()), 0..12)) {
        let universe = ranges();
        let mut space = Space::default();
        let mut lines = Vec::new();
        for (rule, cause) in rules.iter().zip(1..) {
            let end = if rule.1 { End::Accept } else { End::Drop };
            lines.push(Line { tests: tests_of(&universe, rule), leaf: leaf(&mut space, end, cause) });
        }
        let matched = space.first_match(&lines).unwrap();
        let default = leaf(&mut space, End::Drop, 0);
        let ruling = space.sequence(matched, default).unwrap();
        let first = |value: &dyn Fn(Field) -> u128| {
            let matches = |rule: &Rule| {
                tests_of(&universe, rule).iter().all(|(field, values)| values.contains(value(*field)))
            };
            rules.iter().position(matches)
        };
        for (at, cause) in (0..rules.len()).zip(1..) {
            let decided = universe.word(|value| {
                let outcomes = &space.outcomes_of(ruling, &|field| value(field)).outcomes;
                outcomes.iter().any(|outcome| outcome.cause == Cause(cause))
            });
            prop_assert_eq!(decided, universe.word(|value| first(value) == Some(at)), "rule {}", at);
        }
        let accepted = space.accepted(ruling).unwrap();
        let expected = universe.word(|value| first(value).is_some_and(|at| rules[at].1));
        let expected = universe.set(&mut space, expected).unwrap();
        prop_assert_eq!((accepted.surely, accepted.possibly), (expected, expected));
    }
}
