//! Files that others name as parts of them, read with them.
//!
//! INVARIANT: a file that is a part of another is no unit of its own, and each is read from disk once.

use std::collections::{BTreeMap, BTreeSet};

use crate::dialect::{Dialect, include};
use crate::discover::{self, Input};
use crate::finding::Summary;
use crate::source::{FileId, SourceMap};

/// Files that one unit may be made of.
const MAX_PARTS: usize = 1000;

/// An input with its file and its language.
type Claimed = (Input, FileId, &'static dyn Dialect);

/// Loads what the inputs include, and takes from the inputs those that are parts of others. Returns the parts of each input.
pub(super) fn load(
    sources: &mut SourceMap,
    claimed: &mut Vec<Claimed>,
    summary: &mut Summary,
) -> Vec<Vec<FileId>> {
    let mut known: BTreeMap<String, Option<FileId>> = claimed
        .iter()
        .map(|(input, file, _)| (input.name.clone(), Some(*file)))
        .collect();
    let mut all_parts: BTreeSet<FileId> = BTreeSet::new();
    let mut parts_of: BTreeMap<FileId, Vec<FileId>> = BTreeMap::new();
    for (_, file, dialect) in claimed.iter() {
        if all_parts.contains(file) {
            continue;
        }
        let parts = closure(sources, *file, *dialect, &mut known, summary);
        all_parts.extend(&parts);
        parts_of.insert(*file, parts);
    }
    claimed.retain(|(_, file, _)| !all_parts.contains(file));
    let parts = claimed
        .iter()
        .map(|(_, file, _)| parts_of.remove(file).unwrap_or_default());
    parts.collect()
}

/// The files that a file includes, and those that they include.
fn closure(
    sources: &mut SourceMap,
    root: FileId,
    dialect: &dyn Dialect,
    known: &mut BTreeMap<String, Option<FileId>>,
    summary: &mut Summary,
) -> Vec<FileId> {
    let mut parts: Vec<FileId> = Vec::new();
    let mut pending = vec![root];
    while let Some(file) = pending.pop() {
        for patterns in dialect.includes(sources.source(file)) {
            let found = patterns
                .iter()
                .map(|pattern| discover::expand(pattern, include::part_matches));
            let Some(found) = found.into_iter().find(|found| !found.is_empty()) else {
                continue;
            };
            for input in found {
                let Some(part) = read(sources, &input, known, summary) else {
                    continue;
                };
                if part != root && !parts.contains(&part) && parts.len() < MAX_PARTS {
                    parts.push(part);
                    pending.push(part);
                }
            }
        }
    }
    parts.sort_unstable();
    parts
}

/// The file of an input, read if it has not been. `None` where it cannot be, which is said once.
fn read(
    sources: &mut SourceMap,
    input: &Input,
    known: &mut BTreeMap<String, Option<FileId>>,
    summary: &mut Summary,
) -> Option<FileId> {
    if let Some(found) = known.get(&input.name) {
        return *found;
    }
    let file = match discover::read(input) {
        Ok(file) => file.map(|file| sources.add(file)),
        Err(error) => {
            summary.failures.push(error.to_string());
            None
        }
    };
    known.insert(input.name.clone(), file);
    file
}
