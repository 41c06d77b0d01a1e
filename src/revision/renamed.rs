//! Files of a work tree that were called otherwise in a revision.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::{RevisionError, git};

/// What files and folders are called now, by what they were called.
#[derive(Debug, Default)]
pub(super) struct Renamed(BTreeMap<String, String>);

impl Renamed {
    /// Of a work tree, since a revision whose tree this is, and whose files are in `root`. git tells files whose text is mostly the
    /// same, but only those that it tracks; others are the same where all of the text is.
    pub(super) fn since(tree: &str, top: &Path, root: &Path) -> Result<Self, RevisionError> {
        let what = "compare the work tree with the revision";
        let told = git(
            &[
                "diff",
                "--name-status",
                "--find-renames",
                "--diff-filter=ADR",
                "-z",
                tree,
                "--",
            ],
            top,
            None,
            what,
        )?;
        let listed = git(
            &["ls-files", "--others", "--exclude-standard", "-z"],
            top,
            None,
            what,
        )?;
        let mut renamed = Self::default();
        let (mut added, mut gone): (Vec<&str>, Vec<&str>) = (Vec::new(), Vec::new());
        let mut words = told.split('\0').filter(|word| !word.is_empty());
        while let (Some(status), Some(path)) = (words.next(), words.next()) {
            match status.as_bytes().first() {
                Some(b'A') => added.push(path),
                Some(b'D') => gone.push(path),
                _ => {
                    if let Some(new) = words.next() {
                        renamed.add(path, new, top);
                    }
                }
            }
        }
        added.extend(listed.split('\0').filter(|path| !path.is_empty()));
        if gone.is_empty() {
            return Ok(renamed);
        }
        let mut by_text: BTreeMap<Vec<u8>, Vec<&str>> = BTreeMap::new();
        for path in added {
            // What cannot be read is no renamed file.
            if let Ok(text) = fs::read(top.join(path)) {
                by_text.entry(text).or_default().push(path);
            }
        }
        for old in gone {
            let text = fs::read(root.join(old)).unwrap_or_default();
            let new = by_text
                .get_mut(&text)
                .filter(|there| !text.is_empty() && !there.is_empty());
            if let Some(new) = new {
                renamed.add(old, new.remove(0), top);
            }
        }
        Ok(renamed)
    }

    /// Takes note of a file, and of the folders that it was moved with, if these are gone.
    fn add(&mut self, old: &str, new: &str, top: &Path) {
        let (mut old, mut new) = (old, new);
        self.0.insert(old.to_owned(), new.to_owned());
        while let (Some((old_folder, old_name)), Some((new_folder, new_name))) =
            (old.rsplit_once('/'), new.rsplit_once('/'))
        {
            if old_name != new_name || old_folder == new_folder || top.join(old_folder).exists() {
                break;
            }
            (old, new) = (old_folder, new_folder);
            self.0.entry(old.to_owned()).or_insert_with(|| new.to_owned());
        }
    }

    /// What a file, or a host that is called as one, is called now.
    pub(super) fn now(&self, name: &mut String) {
        if let Some(new) = self.0.get(name.as_str()) {
            name.clone_from(new);
        }
    }
}
