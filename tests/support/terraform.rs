//! Root modules of a folder tree to readings, with the files that belong to them. INVARIANT: names are paths from the tree's root.
#![allow(dead_code, reason = "some tests read folders, others single files")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use portcullis::dialect::terraform::Terraform;
use portcullis::dialect::{Dialect as _, Reading};
use portcullis::source::{FileId, Source, SourceMap};

/// A tree of folders.
pub(crate) struct Repository {
    pub(crate) sources: SourceMap,
    ids: BTreeMap<String, FileId>,
}

/// A root module, read.
pub(crate) struct Root {
    pub(crate) reading: Reading,
}

impl Repository {
    /// All text files below a folder.
    pub(crate) fn below(root: &Path) -> Self {
        let mut sources = SourceMap::new();
        let mut ids = BTreeMap::new();
        let entries = walkdir::WalkDir::new(root).sort_by_file_name().into_iter();
        for entry in entries.filter_map(Result::ok) {
            let path: PathBuf = entry.path().to_owned();
            let Ok(text) = std::fs::read_to_string(&path) else {
                continue;
            };
            let name = path
                .strip_prefix(root)
                .unwrap()
                .to_string_lossy()
                .replace('\\', "/");
            ids.insert(name.clone(), sources.add_text(name, text));
        }
        Self { sources, ids }
    }

    /// One file by itself.
    pub(crate) fn of(name: &str, text: &str) -> Self {
        Self::of_files(&[(name, text)])
    }

    /// Files by their names.
    pub(crate) fn of_files(files: &[(&str, &str)]) -> Self {
        let mut sources = SourceMap::new();
        let ids = files
            .iter()
            .map(|(name, text)| ((*name).to_owned(), sources.add_text(*name, *text)))
            .collect();
        Self { sources, ids }
    }

    fn source(&self, id: FileId) -> Source<'_> {
        self.sources.source(id)
    }

    fn matching(&self, pattern: &str) -> Vec<FileId> {
        let (folder, last) = pattern.rsplit_once('/').unwrap_or(("", pattern));
        let is_match = |name: &str| {
            let (inside, file) = name.rsplit_once('/').unwrap_or(("", name));
            let fits = match last.strip_prefix('*') {
                Some(end) => file.ends_with(end) && !file.starts_with('.'),
                None => file == last,
            };
            inside == folder && fits
        };
        self.ids
            .iter()
            .filter(|(name, _)| is_match(name))
            .map(|(_, id)| *id)
            .collect()
    }

    /// The files of the unit of a file.
    fn unit(&self, of: FileId) -> Vec<FileId> {
        let tree = Terraform.tree(self.source(of));
        let patterns: Vec<String> = tree.map_or_else(Vec::new, |tree| tree.patterns().collect());
        let mut files: Vec<FileId> = Vec::new();
        for pattern in patterns {
            for id in self.matching(&pattern) {
                if !files.contains(&id) {
                    files.push(id);
                }
            }
        }
        let mut next = 0;
        while let Some(id) = files.get(next).copied() {
            next += 1;
            for patterns in Terraform.includes(self.source(id)) {
                let found = patterns.iter().map(|pattern| self.matching(pattern));
                for id in found
                    .into_iter()
                    .find(|found| !found.is_empty())
                    .unwrap_or_default()
                {
                    if !files.contains(&id) {
                        files.push(id);
                    }
                }
            }
        }
        files
    }

    /// All root modules: folders that no other one calls.
    pub(crate) fn roots(&self) -> Vec<Root> {
        let mut units: BTreeMap<String, Vec<FileId>> = BTreeMap::new();
        for (name, id) in &self.ids {
            let is_module = [".tf", ".tofu", ".tf.json"].iter().any(|end| name.ends_with(end));
            let folder = name.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
            if is_module && !units.contains_key(&folder) {
                units.insert(folder, self.unit(*id));
            }
        }
        let folder_of = |id: &FileId| {
            let name = self.source(*id).name;
            name.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned()
        };
        let mut called: BTreeSet<String> = BTreeSet::new();
        for (folder, files) in &units {
            called.extend(files.iter().map(folder_of).filter(|other| other != folder));
        }
        let roots = units.into_iter().filter(|(folder, _)| !called.contains(folder));
        roots
            .map(|(_, files)| {
                let unit: Vec<Source<'_>> = files.iter().map(|id| self.source(*id)).collect();
                let reading = Terraform.read(&unit);
                Root { reading }
            })
            .collect()
    }
}
