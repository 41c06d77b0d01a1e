//! Inputs to units: the files that only mean something together, read as one.
//!
//! A unit is a file with those that it includes, or the files of a folder tree ([`Tree`]) with those that they include.
//! INVARIANT: a file that is a part of a unit is no unit of its own, and each is read from disk once.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::owner::Owner;
use super::unread::Unread;
use crate::dialect::{Dialect, Given, Tree, include};
use crate::discover::{self, Input};
use crate::finding::Summary;
use crate::site;
use crate::source::{FileId, SourceMap};

/// Files that one unit may be made of.
const MAX_PARTS: usize = 1000;

/// An input with its file and its language.
pub(super) type Claimed = (Input, FileId, &'static dyn Dialect);

/// The files of a unit that is to be read.
pub(super) struct Assembled {
    /// What it is called: the file, or the folder of a tree.
    pub(super) name: String,
    pub(super) dialect: &'static dyn Dialect,
    /// In reading order. There is at least the one that was claimed.
    pub(super) files: Vec<FileId>,
    /// Their paths, that of the claimed file first.
    pub(super) paths: Vec<PathBuf>,
    /// Whether it was not given, but says what stands before hosts that were.
    pub(super) is_context: bool,
}

/// Joins the inputs to units, with what is read to know what stands before them, and takes from `unread` what became a part of one.
pub(super) fn assemble(
    sources: &mut SourceMap,
    (mut claimed, context): (Vec<Claimed>, Vec<Owner>),
    site: Option<&Path>,
    unread: &mut Vec<Unread>,
    summary: &mut Summary,
) -> Vec<Assembled> {
    let owners = super::owner::owners(&mut claimed, unread, sources);
    let known = claimed
        .iter()
        .map(|(input, file, _)| (real(&input.path), Some(*file)));
    let mut disk = Disk {
        known: known.collect(),
        paths: BTreeMap::new(),
        sources,
        summary,
    };
    let mut owned: Vec<Claimed> = Vec::new();
    for (input, dialect) in owners {
        if let Some(file) = disk.read(&input) {
            owned.push((input, file, dialect));
        }
    }
    let is_new = |new: &Claimed| claimed.iter().all(|(_, file, _)| *file != new.1);
    owned.retain(is_new);
    let mut added: Vec<Claimed> = Vec::new();
    for (input, dialect) in context {
        if let Some(file) = disk.read(&input) {
            added.push((input, file, dialect));
        }
    }
    let of_context: BTreeSet<FileId> = added.iter().map(|(_, file, _)| *file).collect();
    let claimed = owned.into_iter().chain(claimed).chain(added);
    let mut all_parts: BTreeSet<FileId> = BTreeSet::new();
    let mut units: Vec<(FileId, Assembled)> = Vec::new();
    let mut together = Together::default();
    for (input, file, dialect) in claimed {
        if dialect.reads_all_together() {
            together.add(input, file, dialect, site);
            continue;
        }
        if all_parts.contains(&file) {
            continue;
        }
        let mut unit = disk.unit(input, file, dialect);
        unit.is_context = of_context.contains(&file);
        all_parts.extend(unit.files.iter().filter(|part| **part != file));
        units.push((file, unit));
    }
    unread.retain(|one| !matches!(disk.known.get(&real(&one.input.path)), Some(Some(_))));
    units.retain(|(file, _)| !all_parts.contains(file));
    join_beside(&mut units, disk.sources);
    let units = units.into_iter().map(|(_, unit)| unit);
    units.chain(together.units.into_values()).collect()
}

/// Joins units of one tree that differ only in files which belong to it and say nothing by themselves: see
/// [`Dialect::is_beside`].
fn join_beside(units: &mut Vec<(FileId, Assembled)>, sources: &SourceMap) {
    let mut of_root: BTreeMap<(&'static str, String), usize> = BTreeMap::new();
    let mut joined: Vec<(FileId, Assembled)> = Vec::new();
    for (file, mut unit) in std::mem::take(units) {
        let source = sources.source(file);
        let root = unit
            .dialect
            .tree(source)
            .map(|tree| (unit.dialect.name(), tree.root));
        if unit.dialect.is_beside(source)
            && let Some(root) = root
        {
            let at = *of_root.entry(root).or_insert(joined.len());
            if let Some((_, known)) = joined.get_mut(at) {
                known.files.extend(
                    unit.files
                        .iter()
                        .filter(|file| !known.files.contains(file))
                        .copied()
                        .collect::<Vec<_>>(),
                );
                known.paths.append(&mut unit.paths);
                continue;
            }
        }
        joined.push((file, unit));
    }
    *units = joined;
}

/// Units of all the files of a site that are in one language: see [`Dialect::reads_all_together`].
#[derive(Default)]
struct Together {
    /// By language and site.
    units: BTreeMap<(&'static str, Option<PathBuf>), Assembled>,
}

impl Together {
    fn add(&mut self, input: Input, file: FileId, dialect: &'static dyn Dialect, site: Option<&Path>) {
        let site = site.map(Path::to_owned).or_else(|| site::find(&input.path));
        let unit = self
            .units
            .entry((dialect.name(), site))
            .or_insert_with(|| Assembled {
                name: dialect.name().to_owned(),
                dialect,
                files: Vec::new(),
                paths: Vec::new(),
                is_context: false,
            });
        unit.files.push(file);
        unit.paths.push(input.path);
    }
}

/// Adds to units the files that what is given for them names: they are read anew for each.
pub(super) fn add_given(
    sources: &mut SourceMap,
    units: &mut [Assembled],
    given: &[Given],
    summary: &mut Summary,
) {
    for (unit, given) in units.iter_mut().zip(given) {
        let folder = unit.paths.first().and_then(|path| path.parent());
        let root = folder.map_or_else(String::new, discover::shown);
        let root = if root == "." { "" } else { &root };
        for pattern in unit.dialect.given_files(root, given) {
            for input in discover::expand(&pattern, include::part_matches) {
                match discover::read(&input) {
                    Ok(file) => unit.files.extend(file.map(|file| sources.add(file))),
                    Err(error) => summary.failures.push(error.to_string()),
                }
            }
        }
    }
}

/// The file behind whatever name it was called by.
fn real(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

/// What has been read so far.
struct Disk<'a> {
    /// By real path; `None` for what cannot be read.
    known: BTreeMap<PathBuf, Option<FileId>>,
    /// The paths of files that were read as parts.
    paths: BTreeMap<FileId, PathBuf>,
    sources: &'a mut SourceMap,
    summary: &'a mut Summary,
}

impl Disk<'_> {
    /// The unit of a file that a dialect claims.
    fn unit(&mut self, input: Input, file: FileId, dialect: &'static dyn Dialect) -> Assembled {
        let tree = dialect.tree(self.sources.source(file));
        let tree = tree.filter(|_| !input.is_standard_input());
        let mut files = tree.as_ref().map_or_else(Vec::new, |tree| self.of_tree(tree));
        if !files.contains(&file) {
            files.insert(0, file);
        }
        self.include(&mut files, dialect);
        if files.len() > MAX_PARTS {
            let message = format!("{}: more than {MAX_PARTS} files belong together", input.name);
            self.summary.failures.push(message);
            files.truncate(MAX_PARTS);
        }
        let others = files.iter().filter(|other| **other != file);
        let others = others.filter_map(|other| self.paths.get(other).cloned());
        let paths = std::iter::once(input.path).chain(others).collect();
        let folder = tree.map(|tree| tree.root).filter(|root| !root.is_empty());
        Assembled {
            name: folder.unwrap_or(input.name),
            dialect,
            files,
            paths,
            is_context: false,
        }
    }

    /// The files of a folder tree, in its order.
    fn of_tree(&mut self, tree: &Tree) -> Vec<FileId> {
        let mut files = Vec::new();
        for pattern in tree.patterns() {
            for input in discover::expand(&pattern, include::part_matches) {
                let file = self.read(&input);
                files.extend(file.filter(|file| !files.contains(file)));
            }
        }
        files
    }

    /// Adds the files that these include, and those that they include, in the order of their ids.
    fn include(&mut self, files: &mut Vec<FileId>, dialect: &dyn Dialect) {
        let mut pending = files.clone();
        let mut parts: Vec<FileId> = Vec::new();
        while let Some(file) = pending.pop() {
            for patterns in dialect.includes(self.sources.source(file)) {
                let found = patterns
                    .iter()
                    .map(|pattern| discover::expand(pattern, include::part_matches));
                let Some(found) = found.into_iter().find(|found| !found.is_empty()) else {
                    continue;
                };
                for input in found {
                    let Some(part) = self.read(&input) else { continue };
                    let is_new = !files.contains(&part) && !parts.contains(&part);
                    let is_taken = is_new && dialect.takes(self.sources.source(part));
                    if is_taken && files.len() + parts.len() <= MAX_PARTS {
                        parts.push(part);
                        pending.push(part);
                    }
                }
            }
        }
        parts.sort_unstable();
        files.append(&mut parts);
    }

    /// The file of an input, read if it has not been. `None` where it cannot be, which is said once.
    fn read(&mut self, input: &Input) -> Option<FileId> {
        let path = real(&input.path);
        let file = match self.known.get(&path) {
            Some(found) => *found,
            None => match discover::read(input) {
                Ok(file) => file.map(|file| self.sources.add(file)),
                Err(error) => {
                    self.summary.failures.push(error.to_string());
                    None
                }
            },
        };
        self.known.insert(path, file);
        if let Some(file) = file {
            self.paths.insert(file, input.path.clone());
        }
        file
    }
}

#[cfg(test)]
mod tests;
