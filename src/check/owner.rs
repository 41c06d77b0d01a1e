//! A file that was given by itself to the units that own it: a part of a module to the roots that call the module.
//!
//! The repository around it is searched for files that include it, and those that include them, up to those that nobody does.
//! INVARIANT: only where a file was named by itself is anything searched: a folder is checked as it is.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::assemble::Claimed;
use super::unread::Unread;
use crate::dialect::{ALL, Dialect, include};
use crate::discover::{self, Input};
use crate::source::{FileId, Source, SourceMap};

/// A root that owns a file, by one of its own files.
pub(super) type Owner = (Input, &'static dyn Dialect);

/// The roots that own files which were given by themselves. Where one is not below the folder that the run began in, all of
/// them and the files that were given are called by their whole paths: modules are found by paths from each other.
pub(super) fn owners(claimed: &mut [Claimed], unread: &[Unread], sources: &mut SourceMap) -> Vec<Owner> {
    let mut found: BTreeMap<PathBuf, &'static dyn Dialect> = BTreeMap::new();
    let mut searched: BTreeMap<PathBuf, Folders> = BTreeMap::new();
    for (input, _, dialect) in claimed.iter() {
        let patterns = dialect.owners();
        if patterns.is_empty() || !input.explicit || input.is_standard_input() {
            continue;
        }
        let Ok(path) = std::fs::canonicalize(&input.path) else {
            continue;
        };
        let (Some(folder), Some(repository)) = (path.parent(), repository(&path)) else {
            continue;
        };
        let folders = searched
            .entry(repository.clone())
            .or_insert_with(|| Folders::below(&repository, *dialect));
        for file in folders.roots(folder) {
            found.insert(file, *dialect);
        }
    }
    // What no dialect knows may be what the functions of a module read.
    for file in unread.iter().filter(|file| file.input.explicit) {
        let Ok(path) = std::fs::canonicalize(&file.input.path) else {
            continue;
        };
        let Some(repository) = repository(&path) else {
            continue;
        };
        for dialect in ALL.iter().filter(|dialect| !dialect.owners().is_empty()) {
            let folders = searched
                .entry(repository.clone())
                .or_insert_with(|| Folders::below(&repository, *dialect));
            for file in folders.readers(&path) {
                found.insert(file, *dialect);
            }
        }
    }
    let is_elsewhere = found.keys().any(|file| from_here(file).is_absolute());
    if is_elsewhere {
        for (input, file, _) in claimed.iter_mut().filter(|(.., of)| !of.owners().is_empty()) {
            if let Ok(path) = std::fs::canonicalize(&input.path) {
                *input = named(path);
                sources.rename(*file, &input.name);
            }
        }
    }
    let name = |file: PathBuf| named(if is_elsewhere { file } else { from_here(&file) });
    found
        .into_iter()
        .map(|(file, dialect)| (name(file), dialect))
        .collect()
}

fn named(path: PathBuf) -> Input {
    Input {
        name: discover::shown(&path),
        path,
        explicit: true,
    }
}

/// The folder that a repository begins in.
fn repository(path: &Path) -> Option<PathBuf> {
    let mut above = path.ancestors().skip(1);
    above
        .find(|folder| folder.join(".git").exists())
        .map(Path::to_owned)
}

/// A path as users see it: from the folder that the run began in, if it is below that.
fn from_here(path: &Path) -> PathBuf {
    let here = std::env::current_dir().and_then(std::fs::canonicalize);
    match here
        .ok()
        .and_then(|here| path.strip_prefix(here).ok().map(Path::to_owned))
    {
        Some(inside) => inside,
        None => path.to_owned(),
    }
}

/// The folders of a repository, with what their files include.
struct Folders {
    /// A file of each folder.
    first: BTreeMap<PathBuf, PathBuf>,
    /// Patterns of what the files of a folder include.
    includes: BTreeMap<PathBuf, BTreeSet<String>>,
}

impl Folders {
    fn below(repository: &Path, dialect: &dyn Dialect) -> Self {
        let mut folders = Self {
            first: BTreeMap::new(),
            includes: BTreeMap::new(),
        };
        let all = discover::discover(&[repository.to_owned()]).inputs;
        let is_owner = |input: &Input| {
            let name = input.name.rsplit('/').next().unwrap_or("");
            dialect
                .owners()
                .iter()
                .any(|pattern| include::part_matches(pattern, name))
        };
        for input in all.into_iter().filter(is_owner) {
            let Some(folder) = input.path.parent().map(Path::to_owned) else {
                continue;
            };
            if let Ok(Some(file)) = discover::read(&input) {
                let source = Source {
                    file: FileId(0),
                    name: &input.name,
                    text: file.text(),
                };
                let patterns = dialect.includes(source).into_iter().flatten();
                folders
                    .includes
                    .entry(folder.clone())
                    .or_default()
                    .extend(patterns);
            }
            folders.first.entry(folder).or_insert(input.path);
        }
        folders
    }

    /// The folders whose files include those of a folder.
    fn callers(&self, of: &Path) -> Vec<&PathBuf> {
        let Some(file) = self.first.get(of) else {
            return Vec::new();
        };
        let name = discover::shown(file);
        let calls =
            |patterns: &BTreeSet<String>| patterns.iter().any(|pattern| include::matches(pattern, &name));
        let callers = self
            .includes
            .iter()
            .filter(|(folder, patterns)| *folder != of && calls(patterns));
        callers.map(|(folder, _)| folder).collect()
    }

    /// A file of each folder that nobody includes and whose files, or those that they include, read a file.
    fn readers(&self, file: &Path) -> Vec<PathBuf> {
        let name = discover::shown(file);
        let reads =
            |patterns: &BTreeSet<String>| patterns.iter().any(|pattern| include::matches(pattern, &name));
        let folders = self.includes.iter().filter(|(_, patterns)| reads(patterns));
        let root = |folder: &PathBuf| {
            if self.callers(folder).is_empty() {
                self.first.get(folder).cloned().into_iter().collect()
            } else {
                self.roots(folder)
            }
        };
        folders.flat_map(|(folder, _)| root(folder)).collect()
    }

    /// A file of each folder that nobody includes and that leads to a folder, other than that itself.
    fn roots(&self, of: &Path) -> Vec<PathBuf> {
        let mut seen: BTreeSet<PathBuf> = BTreeSet::from([of.to_owned()]);
        let mut pending = vec![of.to_owned()];
        let mut roots = Vec::new();
        while let Some(folder) = pending.pop() {
            let callers = self.callers(&folder);
            if callers.is_empty() && folder != of {
                roots.extend(self.first.get(&folder).cloned());
            }
            for caller in callers {
                if seen.insert(caller.clone()) {
                    pending.push(caller.clone());
                }
            }
        }
        roots
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::terraform::Terraform;

    #[test]
    fn a_part_of_a_module_knows_the_roots_that_call_it() {
        let root = std::env::temp_dir().join(format!("portcullis-owner-{}", std::process::id()));
        let files = [
            (".git/HEAD", ""),
            (
                "live/a/main.tf",
                "module \"x\" {\n  source = \"../../modules/outer\"\n}\n",
            ),
            (
                "live/b/main.tf",
                "module \"x\" {\n  source = \"../../modules/inner\"\n}\n",
            ),
            (
                "live/c/main.tf",
                "locals {\n  module = \"../../modules/inner\"\n}\n",
            ),
            (
                "modules/outer/main.tf",
                "module \"x\" {\n  source = \"../inner\"\n}\n",
            ),
            ("modules/inner/main.tf", "variable \"x\" {}\n"),
        ];
        for (name, text) in files {
            let path = root.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let of = |name: &str, explicit: bool| {
            let path = root.join(name);
            let input = Input {
                name: discover::shown(&path),
                path,
                explicit,
            };
            let real = std::fs::canonicalize(&root).unwrap();
            let mut sources = SourceMap::new();
            let file = sources.add_text(input.name.clone(), "");
            let owners = owners(
                &mut [(input, file, &Terraform as &dyn Dialect)],
                &[],
                &mut sources,
            );
            let inside = |(input, _): &Owner| input.path.strip_prefix(&real).unwrap().to_owned();
            owners.iter().map(inside).collect::<Vec<PathBuf>>()
        };
        let paths = |names: &[&str]| names.iter().map(PathBuf::from).collect::<Vec<PathBuf>>();
        assert_eq!(
            of("modules/inner/main.tf", true),
            paths(&["live/a/main.tf", "live/b/main.tf"])
        );
        assert_eq!(of("modules/outer/main.tf", true), paths(&["live/a/main.tf"]));
        assert_eq!(of("live/a/main.tf", true), paths(&[]));
        assert_eq!(of("modules/inner/main.tf", false), paths(&[]));
        std::fs::remove_dir_all(&root).unwrap();
    }
}
