//! What units of a run hand to each other by name.
//!
//! INVARIANT: what several units hand out by one name, and differently, is not known.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::assemble::Assembled;
use crate::dialect::{Exported, Given};
use crate::source::SourceMap;

/// Tells each unit what the others hand to it.
pub(super) fn share(sources: &SourceMap, units: &[Assembled], given: &mut [Given]) {
    let exported = units.par_iter().zip(&*given).map(|(unit, given)| {
        let files: Vec<_> = unit.files.iter().map(|file| sources.source(*file)).collect();
        unit.dialect.exports(&files, given)
    });
    let mut all: BTreeMap<String, Option<Exported>> = BTreeMap::new();
    for (name, what) in exported.collect::<Vec<_>>().into_iter().flatten() {
        let place = all.entry(name).or_insert_with(|| Some(what.clone()));
        if place.as_ref() != Some(&what) {
            *place = None;
        }
    }
    for given in given.iter_mut().filter(|_| !all.is_empty()) {
        given.exports.clone_from(&all);
    }
}
