//! `.gitignore`, `.ignore` and `.git/info/exclude`: what a walk leaves out.
//!
//! INVARIANT: the rules are git's: the last pattern that matches decides, files nearer to the path come before
//! those further up, and nothing inside an excluded folder is looked at. As in ripgrep, `.ignore` comes before
//! `.gitignore`, and `.gitignore` counts outside a repository too.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use ignore::gitignore::{Gitignore, GitignoreBuilder};

use super::{DiscoverError, unreadable};

/// The patterns in force at one place of a walk.
pub(super) struct Ignored {
    /// The folder that is walked, as given.
    root: PathBuf,
    /// The same folder as the disk has it, in which patterns are rooted.
    real_root: PathBuf,
    /// Patterns of the folders down to the current one, with the depth at which they end to count.
    folders: Vec<(usize, Matchers)>,
    /// `.git/info/exclude` of the repository.
    exclude: Gitignore,
}

struct Matchers {
    ignore: Gitignore,
    gitignore: Gitignore,
}

impl Ignored {
    /// The patterns of the folders above `root` up to the repository's root. Outside a repository there are none.
    pub(super) fn above(root: &Path, errors: &mut Vec<DiscoverError>) -> Self {
        let real_root = fs::canonicalize(root).unwrap_or_else(|_| root.to_owned());
        let repository = real_root.ancestors().find(|folder| folder.join(".git").exists());
        let mut ignored = Self {
            root: root.to_owned(),
            exclude: Gitignore::empty(),
            folders: Vec::new(),
            real_root: real_root.clone(),
        };
        if let Some(repository) = repository {
            ignored.exclude = matcher(repository, &repository.join(".git/info/exclude"), errors);
            let above = real_root
                .ancestors()
                .skip(1)
                .take_while(|folder| folder.starts_with(repository));
            let mut above: Vec<_> = above.collect();
            above.reverse();
            ignored
                .folders
                .extend(above.into_iter().map(|folder| (0, Matchers::of(folder, errors))));
        }
        ignored
    }

    /// Adds the patterns of a folder that the walk enters.
    pub(super) fn enter(&mut self, folder: &Path, depth: usize, errors: &mut Vec<DiscoverError>) {
        self.leave(depth);
        let matchers = Matchers::of(&self.real(folder), errors);
        if !matchers.is_empty() {
            self.folders.push((depth + 1, matchers));
        }
    }

    /// Whether `path`, `depth` levels below the root, is left out.
    pub(super) fn excludes(&mut self, path: &Path, is_folder: bool, depth: usize) -> bool {
        self.leave(depth);
        let path = self.real(path);
        let folders = || self.folders.iter().rev().map(|folder| &folder.1);
        let matchers = folders()
            .map(|folder| &folder.ignore)
            .chain(folders().map(|folder| &folder.gitignore))
            .chain(std::iter::once(&self.exclude));
        for matcher in matchers {
            match matcher.matched(&path, is_folder) {
                ignore::Match::None => {}
                ignore::Match::Ignore(_) => return true,
                ignore::Match::Whitelist(_) => return false,
            }
        }
        false
    }

    /// Forgets the patterns of folders that the walk has left: those that are not above `depth`.
    fn leave(&mut self, depth: usize) {
        while self.folders.last().is_some_and(|folder| folder.0 > depth) {
            self.folders.pop();
        }
    }

    /// The path below the real root. A walk follows no links inside of it, so this is where the disk has it.
    pub(super) fn real(&self, path: &Path) -> PathBuf {
        match path.strip_prefix(&self.root) {
            Ok(inside) if inside.as_os_str().is_empty() => self.real_root.clone(),
            Ok(inside) => self.real_root.join(inside),
            Err(_) => path.to_owned(),
        }
    }
}

impl Matchers {
    fn of(folder: &Path, errors: &mut Vec<DiscoverError>) -> Self {
        Self {
            ignore: matcher(folder, &folder.join(".ignore"), errors),
            gitignore: matcher(folder, &folder.join(".gitignore"), errors),
        }
    }

    fn is_empty(&self) -> bool {
        self.ignore.is_empty() && self.gitignore.is_empty()
    }
}

/// The patterns of one file, rooted in `folder`. A line that is no pattern is passed over, as git does; a file
/// that is there and cannot be read is an error.
fn matcher(folder: &Path, file: &Path, errors: &mut Vec<DiscoverError>) -> Gitignore {
    let bytes = match fs::read(file) {
        Ok(bytes) => bytes,
        Err(error) => {
            if !matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::IsADirectory
            ) {
                errors.push(unreadable(file, &error));
            }
            return Gitignore::empty();
        }
    };
    let mut builder = GitignoreBuilder::new(folder);
    let text = String::from_utf8_lossy(&bytes);
    for line in text.trim_start_matches('\u{feff}').lines() {
        // A bad pattern excludes nothing.
        let _passed_over = builder.add_line(None, line);
    }
    builder.build().unwrap_or_else(|_| Gitignore::empty())
}
