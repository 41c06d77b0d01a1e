//! Groups that a site file puts a dump behind, to the files that define them, where the dump was given without them.
//!
//! A binding says by `resources` which groups stand before its hosts. What it says nothing of is not read for it, and nothing is
//! found in what is read: it only says what stands before the hosts that were given. INVARIANT: only where no file of groups was given
//! is anything searched.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::assemble::Claimed;
use super::owner::Owner;
use crate::dialect;
use crate::discover::{self, Input};
use crate::site::{self, Binder, Site};
use crate::source::{FileId, Source, SourceFile, SourceMap};

/// Names of files that may define groups.
const ENDINGS: &[&str] = &[".tf", ".tofu", ".json", ".yaml", ".yml", ".template"];

/// The files that define groups, below the folders of the sites that put what was given behind some. `roles` of the command line
/// replace what sites say.
pub(super) fn of_groups(claimed: &[Claimed], given: Option<&Path>, roles: &[String]) -> Vec<Owner> {
    if !roles.is_empty() || claimed.iter().any(|(.., dialect)| !dialect.makes_hosts()) {
        return Vec::new();
    }
    let mut sites: BTreeMap<PathBuf, Option<Site>> = BTreeMap::new();
    let mut found: BTreeMap<PathBuf, Owner> = BTreeMap::new();
    let mut searched: Vec<PathBuf> = Vec::new();
    for (input, ..) in claimed {
        if input.is_standard_input() {
            continue;
        }
        let Some(path) = given.map(Path::to_owned).or_else(|| site::find(&input.path)) else {
            continue;
        };
        let read = sites.entry(path.clone()).or_insert_with(|| read(&path));
        let Some(site) = read else { continue };
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        let is_behind = Binder::new(site)
            .bind(&Binder::path_from(folder, &input.path))
            .iter()
            .filter_map(|bound| site.bindings.get(bound.binding))
            .any(|binding| !binding.resources.is_empty());
        if is_behind && !searched.contains(&path) {
            for (input, dialect) in below(folder) {
                found.entry(input.path.clone()).or_insert((input, dialect));
            }
            searched.push(path);
        }
    }
    found.into_values().collect()
}

/// The site of a file. What is wrong with it is said where it is bound.
fn read(path: &Path) -> Option<Site> {
    let bytes = std::fs::read(path).ok()?;
    let mut sources = SourceMap::new();
    let file = sources.add(SourceFile::from_bytes(discover::shown(path), bytes));
    site::read(sources.source(file)).ok()
}

/// The files below a folder that define groups and are no hosts.
fn below(folder: &Path) -> Vec<Owner> {
    let all = discover::discover(&[folder.to_owned()]).inputs.into_iter();
    let may_define = |input: &Input| ENDINGS.iter().any(|ending| input.name.ends_with(ending));
    let defines = |input: Input| {
        let file = discover::read(&input).ok()??;
        let source = Source {
            file: FileId(0),
            name: &input.name,
            text: file.text(),
        };
        let dialect = dialect::detect(source)?;
        let is_of_groups = !dialect.makes_hosts() && !dialect.reads_all_together();
        let input = Input {
            explicit: false,
            ..input
        };
        is_of_groups.then_some((input, dialect))
    };
    all.filter(may_define).filter_map(defines).collect()
}
