//! Conditions that several dialects build: one of many, and keys that are joined before they become conditions.
//!
//! INVARIANT: what comes out holds of the same packets as what goes in.

use crate::model::Condition;
use crate::packet::RangeSet;

/// What never holds.
pub(super) fn never() -> Condition {
    Condition::Any(Vec::new())
}

/// One of many, as a tree that is as deep as the logarithm of their number.
pub(super) fn any(mut parts: Vec<Condition>) -> Condition {
    const WIDTH: usize = 8;
    parts.retain(|part| *part != never());
    while parts.len() > WIDTH {
        let mut groups = Vec::with_capacity(parts.len() / WIDTH + 1);
        let mut rest = parts.into_iter().peekable();
        while rest.peek().is_some() {
            groups.push(Condition::Any(rest.by_ref().take(WIDTH).collect()));
        }
        parts = groups;
    }
    if parts.len() == 1
        && let Some(only) = parts.pop()
    {
        return only;
    }
    Condition::Any(parts)
}

/// Keys that differ in one part alone as one.
pub(super) fn merged(mut keys: Vec<Vec<RangeSet>>) -> Vec<Vec<RangeSet>> {
    let width = keys.first().map_or(0, Vec::len);
    for part in 0..width {
        let others = |key: &Vec<RangeSet>| {
            let mut others = key.clone();
            if part < others.len() {
                others.remove(part);
            }
            others
        };
        let mut sorted: Vec<(Vec<RangeSet>, Vec<RangeSet>)> =
            keys.into_iter().map(|key| (others(&key), key)).collect();
        sorted.sort_unstable();
        keys = sorted
            .chunk_by(|a, b| a.0 == b.0)
            .filter_map(|group| {
                let ranges = group
                    .iter()
                    .filter_map(|(_, key)| key.get(part))
                    .flat_map(|set| set.ranges().iter().copied());
                let union = RangeSet::from_ranges(ranges);
                let mut key = group.first()?.1.clone();
                if let Some(place) = key.get_mut(part) {
                    *place = union;
                }
                Some(key)
            })
            .collect();
    }
    keys
}
