//! Paths to inputs: which files a run reads, in a fixed order.
//!
//! INVARIANT: what is found does not depend on the order of arguments or of the disk, and whatever could not be
//! looked at is an error with its path: nothing unread passes for checked.

mod ignored;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use crate::source::{MAX_FILE_BYTES, SourceFile};
use ignored::Ignored;

/// The argument that means standard input.
pub const STANDARD_INPUT: &str = "-";
/// The name under which standard input is shown.
pub const STANDARD_INPUT_NAME: &str = "<stdin>";
/// How much of a file is looked at to tell text from binary data.
const PROBE_BYTES: usize = 8 * 1024;

/// One file to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// The file; `-` for standard input.
    pub path: PathBuf,
    /// The name it is shown under: the path as given, with `/` between folders and no `.` parts.
    pub name: String,
    /// Whether it was named itself, not found in a folder.
    pub explicit: bool,
}

impl Input {
    /// Whether it is standard input.
    #[must_use]
    pub fn is_standard_input(&self) -> bool {
        self.path.as_os_str() == STANDARD_INPUT
    }
}

/// What was found.
#[derive(Debug, Default)]
pub struct Discovery {
    /// The inputs, sorted by name; no file twice.
    pub inputs: Vec<Input>,
    /// What could not be looked at, sorted by path.
    pub errors: Vec<DiscoverError>,
}

/// A path that could not be looked at. Whoever gave the path, or the disk, is to blame.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum DiscoverError {
    /// It cannot be opened or listed.
    #[error("cannot read `{path}`: {why}")]
    Unreadable {
        /// The path.
        path: String,
        /// The operating system's reason.
        why: String,
    },
    /// A symbolic link that leads back to a folder above it.
    #[error("`{path}` is a symbolic link to `{ancestor}`, which it is in")]
    Loop {
        /// The link.
        path: String,
        /// The folder above it that it leads to.
        ancestor: String,
    },
}

/// Why a file could not be read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum ReadError {
    /// The operating system refused.
    #[error("cannot read `{name}`: {why}")]
    Unreadable {
        /// The file.
        name: String,
        /// The operating system's reason.
        why: String,
    },
    /// It is larger than any file that is read.
    #[error("`{name}` is larger than {} MiB", MAX_FILE_BYTES >> 20)]
    TooLarge {
        /// The file.
        name: String,
    },
    /// It was named, but is not text.
    #[error("`{name}` is a binary file")]
    Binary {
        /// The file.
        name: String,
    },
}

/// Finds the files behind `paths`: files as they are, folders with all in them except what is hidden, what
/// `.gitignore`, `.ignore` or `.git/info/exclude` exclude, and what is no regular file. Links are followed.
#[must_use]
pub fn discover(paths: &[PathBuf]) -> Discovery {
    let mut found = Vec::new();
    let mut errors = Vec::new();
    for path in paths {
        if path.as_os_str() == STANDARD_INPUT {
            found.push(Input {
                path: path.clone(),
                name: STANDARD_INPUT_NAME.to_owned(),
                explicit: true,
            });
            continue;
        }
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => walk(path, &mut found, &mut errors),
            Ok(_) => found.push(Input {
                path: path.clone(),
                name: shown(path),
                explicit: true,
            }),
            Err(error) => errors.push(unreadable(path, &error)),
        }
    }
    errors.sort_unstable();
    errors.dedup();
    Discovery {
        inputs: once_each(found),
        errors,
    }
}

/// Each file once, whatever it was called: of several names the shortest, then the first by letters.
fn once_each(found: Vec<Input>) -> Vec<Input> {
    let mut files: BTreeMap<PathBuf, Input> = BTreeMap::new();
    for input in found {
        let real = fs::canonicalize(&input.path).unwrap_or_else(|_| input.path.clone());
        let Some(known) = files.get_mut(&real) else {
            files.insert(real, input);
            continue;
        };
        let explicit = known.explicit || input.explicit;
        if (input.name.len(), &input.name) < (known.name.len(), &known.name) {
            *known = input;
        }
        known.explicit = explicit;
    }
    let mut inputs: Vec<_> = files.into_values().collect();
    inputs.sort_by(|a, b| (&a.name, &a.path).cmp(&(&b.name, &b.path)));
    inputs
}

/// A walk of one folder, and of what links in it lead to.
///
/// INVARIANT: each real folder is walked once, whatever the links, so that a few links cannot make a walk long.
struct Walk<'a> {
    /// Folders to walk, the first of them given, the rest behind links.
    folders: VecDeque<PathBuf>,
    /// Real paths of folders that were walked.
    walked: BTreeSet<PathBuf>,
    found: &'a mut Vec<Input>,
    errors: &'a mut Vec<DiscoverError>,
}

/// Walks a folder.
fn walk(root: &Path, found: &mut Vec<Input>, errors: &mut Vec<DiscoverError>) {
    let mut walk = Walk {
        folders: VecDeque::from([root.to_owned()]),
        walked: BTreeSet::new(),
        found,
        errors,
    };
    while let Some(folder) = walk.folders.pop_front() {
        walk.folder(&folder);
    }
}

impl Walk<'_> {
    /// Walks one folder without following the links in it.
    fn folder(&mut self, root: &Path) {
        let mut ignored = Ignored::above(root, self.errors);
        let mut entries = WalkDir::new(root).sort_by_file_name().into_iter();
        while let Some(entry) = entries.next() {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    self.errors.push(walk_error(root, &error));
                    continue;
                }
            };
            let (path, depth) = (entry.path(), entry.depth());
            let is_folder = depth == 0 || entry.file_type().is_dir();
            let skipped = depth > 0 && (is_hidden(path) || ignored.excludes(path, is_folder, depth));
            if is_folder && (skipped || !self.walked.insert(ignored.real(path))) {
                entries.skip_current_dir();
            } else if is_folder && fs::read_dir(path).is_ok() {
                // One that cannot be listed is said once, by the walk.
                ignored.enter(path, depth, self.errors);
            } else if is_folder {
            } else if !skipped && entry.path_is_symlink() {
                self.link(path);
            } else if !skipped && entry.file_type().is_file() {
                self.found.push(found_input(path));
            }
        }
    }

    /// Follows a link: a folder is walked after all others, unless the link is inside of it.
    fn link(&mut self, link: &Path) {
        let target = fs::metadata(link).and_then(|metadata| Ok((metadata, fs::canonicalize(link)?)));
        match target {
            Ok((metadata, _)) if metadata.is_file() => self.found.push(found_input(link)),
            Ok((metadata, target)) if metadata.is_dir() => {
                let folder = link.parent().and_then(|folder| fs::canonicalize(folder).ok());
                if folder.is_some_and(|folder| folder.starts_with(&target)) {
                    self.errors.push(DiscoverError::Loop {
                        path: shown(link),
                        ancestor: shown(&target),
                    });
                } else {
                    self.folders.push_back(link.to_owned());
                }
            }
            Ok(_) => {}
            Err(error) => self.errors.push(unreadable(link, &error)),
        }
    }
}

fn found_input(path: &Path) -> Input {
    Input {
        path: path.to_owned(),
        name: shown(path),
        explicit: false,
    }
}

/// Entries of folders that one pattern may match.
const MAX_MATCHES: usize = 1000;

/// The regular files that a pattern of paths matches, sorted. `matches` says whether one name matches one part of a pattern.
#[must_use]
pub fn expand(pattern: &str, matches: fn(&str, &str) -> bool) -> Vec<Input> {
    let mut found = vec![if pattern.starts_with('/') {
        PathBuf::from("/")
    } else {
        PathBuf::new()
    }];
    for part in pattern.split('/').filter(|part| !part.is_empty()) {
        let mut next = Vec::new();
        for folder in &found {
            if !part.contains(['*', '?', '[']) {
                next.push(folder.join(part));
                continue;
            }
            let listed = if folder.as_os_str().is_empty() {
                Path::new(".")
            } else {
                folder
            };
            let entries = fs::read_dir(listed).into_iter().flatten().filter_map(Result::ok);
            let named = entries.filter_map(|entry| entry.file_name().into_string().ok());
            next.extend(
                named
                    .filter(|name| matches(part, name))
                    .map(|name| folder.join(name)),
            );
        }
        next.sort();
        next.truncate(MAX_MATCHES);
        found = next;
    }
    found.retain(|path| path.is_file());
    found.iter().map(|path| found_input(path)).collect()
}

fn is_hidden(path: &Path) -> bool {
    let name = path.file_name().map(std::ffi::OsStr::to_string_lossy);
    name.is_some_and(|name| name.starts_with('.'))
}

fn walk_error(root: &Path, error: &walkdir::Error) -> DiscoverError {
    DiscoverError::Unreadable {
        path: shown(error.path().unwrap_or(root)),
        why: error.io_error().map_or_else(|| error.to_string(), reason),
    }
}

fn unreadable(path: &Path, error: &io::Error) -> DiscoverError {
    DiscoverError::Unreadable {
        path: shown(path),
        why: reason(error),
    }
}

/// The kind of an error in the same words on every system.
fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "no such file or folder".to_owned(),
        kind => kind.to_string(),
    }
}

/// A path as it is shown: as given, with `/` between folders, and without `.` parts and doubled slashes.
#[must_use]
pub fn shown(path: &Path) -> String {
    let mut shown = String::new();
    for part in path.components() {
        match part {
            std::path::Component::CurDir => continue,
            std::path::Component::RootDir => {
                shown.push('/');
                continue;
            }
            _ if shown.is_empty() || shown.ends_with('/') => {}
            _ => shown.push('/'),
        }
        shown.push_str(&part.as_os_str().to_string_lossy());
    }
    if shown.is_empty() { ".".to_owned() } else { shown }
}

/// Reads one input. `None`: a binary file that was found in a folder, which nobody asked for.
pub fn read(input: &Input) -> Result<Option<SourceFile>, ReadError> {
    let unreadable = |error: &io::Error| ReadError::Unreadable {
        name: input.name.clone(),
        why: reason(error),
    };
    let mut bytes = Vec::new();
    let read = if input.is_standard_input() {
        io::stdin()
            .lock()
            .take(MAX_FILE_BYTES + 1)
            .read_to_end(&mut bytes)
            .map(Some)
    } else {
        File::open(&input.path).and_then(|file| read_text(file, input.explicit, &mut bytes))
    };
    let Some(size) = read.map_err(|error| unreadable(&error))? else {
        return Ok(None);
    };
    if u64::try_from(size).is_ok_and(|size| size > MAX_FILE_BYTES) {
        return Err(ReadError::TooLarge {
            name: input.name.clone(),
        });
    }
    if is_binary(&bytes) {
        return if input.explicit {
            Err(ReadError::Binary {
                name: input.name.clone(),
            })
        } else {
            Ok(None)
        };
    }
    Ok(Some(if input.is_standard_input() {
        SourceFile::virtual_bytes(&input.name, bytes)
    } else {
        SourceFile::from_bytes(&input.name, bytes)
    }))
}

/// Reads a file, one byte over the cap at most. A file that is not asked for and begins like binary data is
/// read no further: `None`.
fn read_text(file: File, explicit: bool, bytes: &mut Vec<u8>) -> io::Result<Option<usize>> {
    let size = file.metadata().map_or(0, |metadata| metadata.len());
    if size > MAX_FILE_BYTES {
        return Ok(Some(usize::try_from(size).unwrap_or(usize::MAX)));
    }
    bytes.reserve_exact(usize::try_from(size).unwrap_or(0) + 1);
    let mut file = file.take(MAX_FILE_BYTES + 1);
    (&mut file).take(PROBE_BYTES as u64).read_to_end(bytes)?;
    if !explicit && is_binary(bytes) {
        return Ok(None);
    }
    file.read_to_end(bytes)?;
    Ok(Some(bytes.len()))
}

/// Text has no NUL among its first bytes.
fn is_binary(bytes: &[u8]) -> bool {
    bytes.iter().take(PROBE_BYTES).any(|&byte| byte == 0)
}

#[cfg(test)]
mod tests;
