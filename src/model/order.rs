//! Which order of fields suits the rules of a host: an estimate of how large the diagrams get in each.
//!
//! A diagram has about as many edges as there are ways down: intervals of the first field, times the intervals of the
//! second among the rules that are active in one interval of the first, and so on. The estimate walks down a few of them.
//! INVARIANT: only speed depends on it.

use super::{Condition, Rule, Ruleset};
use crate::packet::{Axis, Field, Order, RangeSet};

/// Rules below which every order is fast.
const MIN_RULES: usize = 256;
/// Rules looked at, evenly spread.
const MAX_RULES: usize = 1 << 13;
/// Intervals looked at of the first field and of the second.
const SAMPLES: [usize; 3] = [12, 5, 1];

/// How many times smaller the estimate must be before the usual order is left: it is a rough one, and knows nothing of the
/// parts of a diagram that are shared.
const MARGIN: f64 = 4.0;

const AXES: [Axis; 3] = [Axis::Services, Axis::Sources, Axis::Destinations];

/// The order where nothing speaks for another: services, then the addresses of which rules name fewer.
const FEWER_SOURCES: [Axis; 3] = AXES;
const FEWER_DESTINATIONS: [Axis; 3] = [Axis::Services, Axis::Destinations, Axis::Sources];

const ORDERS: [[Axis; 3]; 6] = [
    FEWER_SOURCES,
    FEWER_DESTINATIONS,
    [Axis::Sources, Axis::Services, Axis::Destinations],
    [Axis::Sources, Axis::Destinations, Axis::Services],
    [Axis::Destinations, Axis::Services, Axis::Sources],
    [Axis::Destinations, Axis::Sources, Axis::Services],
];

/// What one rule asks of each of [`AXES`]: the ranges that it wants, if any.
type Asked<'r> = [Option<&'r RangeSet>; 3];

/// The order in which the diagrams of these rulesets are probably smallest. `None` if they are small in any.
pub(super) fn best_order(rulesets: &[Ruleset]) -> Option<Order> {
    let rules: Vec<&Rule> = rulesets
        .iter()
        .flat_map(|ruleset| &ruleset.chains)
        .flat_map(|chain| &chain.rules)
        .collect();
    if rules.len() < MIN_RULES {
        return None;
    }
    let step = rules.len().div_ceil(MAX_RULES);
    let asked: Vec<Asked<'_>> = rules.into_iter().step_by(step).map(asked).collect();
    let all: Vec<usize> = (0..asked.len()).collect();
    let cost = |axes: &[Axis; 3]| ways_down(&asked, &all, axes, &SAMPLES);
    let usual = if starts(&asked, &all, Axis::Sources).len() < starts(&asked, &all, Axis::Destinations).len()
    {
        FEWER_SOURCES
    } else {
        FEWER_DESTINATIONS
    };
    let worth_leaving = cost(&usual) / MARGIN;
    let orders = ORDERS.iter().map(|axes| (cost(axes), axes));
    let best = orders.min_by(|a, b| a.0.total_cmp(&b.0));
    match best {
        Some((cost, axes)) if cost < worth_leaving => Some(Order::of(*axes)),
        _ => Some(Order::of(usual)),
    }
}

fn asked(rule: &Rule) -> Asked<'_> {
    let mut asked = [None; 3];
    for one in &rule.matches {
        note(&one.condition, &mut asked);
    }
    asked
}

/// Tests that are not plain (negated, alternatives) take most values: they count as none.
fn note<'r>(condition: &'r Condition, asked: &mut Asked<'r>) {
    match condition {
        Condition::Test(field, values) => {
            let place = AXES.iter().position(|axis| axis.fields().contains(field));
            if let Some(slot) = place.and_then(|place| asked.get_mut(place))
                && *field != Field::SourcePort
            {
                *slot = Some(values);
            }
        }
        Condition::All(all) => all.iter().for_each(|condition| note(condition, asked)),
        _ => {}
    }
}

/// About how many edges the diagram of some rules has that asks these axes.
fn ways_down(asked: &[Asked<'_>], rules: &[usize], axes: &[Axis], samples: &[usize]) -> f64 {
    let (Some((first, rest)), Some((&n_samples, samples))) = (axes.split_first(), samples.split_first())
    else {
        return 0.0;
    };
    let starts = starts(asked, rules, *first);
    let step = (starts.len() / n_samples).max(1);
    let (mut below, mut n_taken) = (0.0, 0.0_f64);
    for &start in starts.iter().skip(step / 2).step_by(step) {
        let values = |rule: usize| values_of(asked, rule, *first);
        let is_active = |&&rule: &&usize| values(rule).is_none_or(|values| values.contains(start));
        let active: Vec<usize> = rules.iter().filter(is_active).copied().collect();
        below += ways_down(asked, &active, rest, samples);
        n_taken += 1.0;
    }
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    let n_intervals = starts.len() as f64;
    n_intervals * (1.0 + below / n_taken.max(1.0))
}

/// The values that a rule wants of an axis; `None` if any will do.
fn values_of<'r>(asked: &[Asked<'r>], rule: usize, axis: Axis) -> Option<&'r RangeSet> {
    let place = AXES.iter().position(|other| *other == axis)?;
    asked.get(rule)?.get(place).copied()?
}

/// Where the intervals begin into which rules cut an axis.
fn starts(asked: &[Asked<'_>], rules: &[usize], axis: Axis) -> Vec<u128> {
    let wanted = rules.iter().filter_map(|&rule| values_of(asked, rule, axis));
    let ends = wanted
        .flat_map(RangeSet::ranges)
        .flat_map(|&(low, high)| [low, high.wrapping_add(1)]);
    let mut starts: Vec<u128> = ends.chain([0]).collect();
    starts.sort_unstable();
    starts.dedup();
    starts
}
