//! The files of another revision of a git repository, in a folder that is gone when it is no longer needed.
//!
//! git itself reads the objects (filters, alternates and partial clones included), through an index of its own: neither the work
//! tree nor the repository's index is touched. Submodules are read too, at the commits of then, where the work tree has them. INVARIANT: what is written lies in one new folder that nobody else can read.

mod renamed;

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::baseline::Baseline;
use crate::check::{self, Past, Refusal, Request};
use renamed::Renamed;

/// Why a revision cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum RevisionError {
    /// git is not there, or refuses.
    #[error("git cannot {what}: {why}")]
    Git {
        /// What it was to do.
        what: String,
        /// What it says.
        why: String,
    },
    /// The folder for the files cannot be made.
    #[error("cannot make a folder for the files of `{revision}`: {why}")]
    Folder {
        /// The revision.
        revision: String,
        /// The operating system's reason.
        why: io::Error,
    },
    /// A path that has no earlier revision.
    #[error("`{path}` lies in no git repository that `{revision}` is a revision of")]
    Outside {
        /// The path.
        path: String,
        /// The revision.
        revision: String,
    },
    /// The policies or the site file of then are wrong.
    #[error("what was there at `{revision}` cannot be judged: its site file or one of its policies is wrong")]
    Refused {
        /// The revision.
        revision: String,
    },
}

/// The files of one revision.
#[derive(Debug)]
pub struct Checkout {
    revision: String,
    /// The folder of all that was written.
    folder: PathBuf,
    /// Where the files are.
    root: PathBuf,
    /// The work tree that they are another state of.
    top: PathBuf,
    /// What git calls the tree of the revision.
    tree: String,
}

impl Checkout {
    /// Reads a revision of the repository that the first of some paths lies in; without paths, of that of the working directory.
    pub fn of(revision: &str, paths: &[PathBuf]) -> Result<Self, RevisionError> {
        let here = folder_of(paths.first().map_or(Path::new("."), PathBuf::as_path));
        let what = format!("find a work tree at `{}`", here.display());
        let top = git(&["rev-parse", "--show-toplevel"], &here, None, &what)?;
        let top = fs::canonicalize(&top).unwrap_or_else(|_| PathBuf::from(&top));
        let tree = format!("{revision}^{{tree}}");
        let what = format!("find the revision `{revision}`");
        let tree = git(
            &["rev-parse", "--verify", "--quiet", "--end-of-options", &tree],
            &top,
            None,
            &what,
        )?;
        let folder = new_folder().map_err(|why| RevisionError::Folder {
            revision: revision.to_owned(),
            why,
        })?;
        let checkout = Self {
            revision: revision.to_owned(),
            root: folder.join("tree"),
            folder,
            top,
            tree,
        };
        checkout.fill()?;
        Ok(checkout)
    }

    fn fill(&self) -> Result<(), RevisionError> {
        // Repositories whose files are still to be written: where they are, the tree, and where its files go.
        let mut pending = vec![(self.top.clone(), self.tree.clone(), self.root.clone())];
        let mut written = 0;
        while let Some((top, tree, root)) = pending.pop() {
            written += 1;
            let what = match root.strip_prefix(&self.root) {
                Ok(within) if within != Path::new("") => {
                    format!("`{}` at `{}`", within.display(), self.revision)
                }
                _ => format!("`{}`", self.revision),
            };
            // The root of a repository is where the search for a site file ends.
            fs::create_dir_all(root.join(".git")).map_err(|why| RevisionError::Folder {
                revision: self.revision.clone(),
                why,
            })?;
            let index = self.folder.join(format!("index-{written}"));
            let what = format!("read the files of {what}");
            let whole = ["-c", "core.sparseCheckout=false"];
            git(
                &[whole[0], whole[1], "read-tree", &tree],
                &top,
                Some(&index),
                &what,
            )?;
            let prefix = format!("--prefix={}/", root.display());
            let write = [whole[0], whole[1], "checkout-index", "--all", "--quiet", &prefix];
            git(&write, &top, Some(&index), &what)?;
            let listed = git(&["ls-files", "--stage", "-z"], &top, Some(&index), &what)?;
            for (commit, path) in listed.split('\0').filter_map(submodule) {
                // One that is not there in the work tree has no files in either state.
                if top.join(path).join(".git").exists() {
                    pending.push((top.join(path), commit.to_owned(), root.join(path)));
                }
            }
        }
        Ok(())
    }

    /// Where the files are.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The work tree that they are another state of.
    #[must_use]
    pub fn top(&self) -> &Path {
        &self.top
    }

    /// Where a file or folder of the work tree is; `None` if there was none.
    fn path_of(&self, path: &Path) -> Result<Option<PathBuf>, RevisionError> {
        let there = self.folder_of(path)?;
        Ok(there.exists().then_some(there))
    }

    /// Where a file or folder of the work tree is, or would be.
    pub fn folder_of(&self, path: &Path) -> Result<PathBuf, RevisionError> {
        let outside = || RevisionError::Outside {
            path: path.display().to_string(),
            revision: self.revision.clone(),
        };
        let whole = std::path::absolute(path).map_err(|_| outside())?;
        let real = fs::canonicalize(&whole).unwrap_or(whole);
        let inside = real.strip_prefix(&self.top).map_err(|_| outside())?;
        Ok(self.root.join(inside))
    }

    /// What was asked of the work tree, asked of these files. Without paths: none of them was there.
    pub fn request(&self, request: &Request) -> Result<Request, RevisionError> {
        let mut then = request.clone();
        then.paths.clear();
        for path in &request.paths {
            then.paths.extend(self.path_of(path)?);
        }
        if let Some(site) = &request.site
            && let Ok(Some(site)) = self.path_of(site)
        {
            then.site = Some(site);
        }
        for policy in &mut then.arguments.policies {
            // A bare name without an ending is that of a shipped policy.
            let path = Path::new(policy.as_str());
            let is_file = policy.contains('/') || path.extension().is_some();
            if let (true, Ok(Some(path))) = (is_file, self.path_of(path)) {
                *policy = path.display().to_string();
            }
        }
        Ok(then)
    }
}

impl Drop for Checkout {
    fn drop(&mut self) {
        // What cannot be removed lies where the system clears up.
        let _gone = fs::remove_dir_all(&self.folder);
    }
}

/// What a run over a revision finds, as a baseline for the work tree.
pub fn findings(revision: &str, request: &Request) -> Result<Arc<Baseline>, RevisionError> {
    let checkout = Checkout::of(revision, &request.paths)?;
    let mut then = checkout.request(request)?;
    then.known = Past::Record(Some(checkout.root().to_owned()));
    then.coverage = false;
    let mut entries = if then.paths.is_empty() {
        Vec::new()
    } else {
        let found = check::check(&then).map_err(|_: Refusal| RevisionError::Refused {
            revision: revision.to_owned(),
        })?;
        found.entries
    };
    let renamed = Renamed::since(&checkout.tree, checkout.top(), checkout.root())?;
    for entry in &mut entries {
        renamed.now(&mut entry.key.file);
        renamed.now(&mut entry.key.object);
    }
    Ok(Arc::new(Baseline {
        folder: checkout.top().to_owned(),
        ..Baseline::from_iter(entries)
    }))
}

/// The commit and the path of a line of `git ls-files --stage`, if it is a submodule.
fn submodule(line: &str) -> Option<(&str, &str)> {
    let (about, path) = line.split_once('\t')?;
    let mut words = about.split(' ');
    let is_submodule = words.next()? == "160000";
    words.next().filter(|_| is_submodule).map(|commit| (commit, path))
}

/// The nearest folder at a path that is there.
fn folder_of(path: &Path) -> PathBuf {
    let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let there = whole.ancestors().find(|folder| folder.is_dir());
    there.map_or_else(|| PathBuf::from("."), Path::to_owned)
}

/// Runs git in a folder, and gives what it prints, without the last line break.
fn git(arguments: &[&str], folder: &Path, index: Option<&Path>, what: &str) -> Result<String, RevisionError> {
    let refused = |why: String| RevisionError::Git {
        what: what.to_owned(),
        why,
    };
    let mut command = Command::new("git");
    command.args(arguments).current_dir(folder);
    if let Some(index) = index {
        command.env(OsStr::new("GIT_INDEX_FILE"), index);
    }
    let output = command.output().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => refused("there is no program `git`".into()),
        _ => refused(error.to_string()),
    })?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end().to_owned();
    if output.status.success() {
        return Ok(text(&output.stdout));
    }
    let said = text(&output.stderr);
    let first = said.lines().next().map(|line| line.trim_start_matches("fatal: "));
    Err(refused(first.unwrap_or("there is none").to_owned()))
}

/// A new folder that only its owner can look into.
fn new_folder() -> io::Result<PathBuf> {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    let parent = fs::canonicalize(std::env::temp_dir())?;
    remove_left_over(&parent);
    loop {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = parent.join(format!("{PREFIX}{}-{number}", std::process::id()));
        match builder.create(&folder) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
            Ok(()) => return Ok(folder),
        }
    }
}

/// How folders of revisions begin.
const PREFIX: &str = "portcullis-revision-";

/// How long no run takes.
const LONG: Duration = Duration::from_secs(60 * 60);

/// Removes folders of runs that were interrupted before they could: those that nobody wrote to for long. What belongs to somebody
/// else cannot be removed.
fn remove_left_over(parent: &Path) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let is_ours = entry
            .file_name()
            .to_str()
            .is_some_and(|name| name.starts_with(PREFIX));
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if !is_ours || !is_folder {
            continue;
        }
        let written = entry.metadata().and_then(|about| about.modified()).ok();
        let age = written.and_then(|written| written.elapsed().ok());
        if age.is_some_and(|age| age > LONG) {
            let _gone = fs::remove_dir_all(entry.path());
        }
    }
}
