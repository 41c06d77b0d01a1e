//! `diff`. Exit codes: 0 nothing changes, 1 something does, 2 could not do what was asked.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use portcullis::check::{Request, State};
use portcullis::diff::{self, Diff};
use portcullis::revision::{Checkout, RevisionError};

use crate::arguments::Diff as Arguments;
use crate::{Ending, complain, errors};

pub(crate) fn diff(arguments: &Arguments, out: &mut dyn Write) -> io::Result<Ending> {
    let compared = match &arguments.base {
        Some(revision) => with_revision(arguments, revision),
        None => two_paths(arguments),
    };
    let Some(diff) = compared else {
        return Ok(Ending::Failed);
    };
    diff::write(&diff, arguments.format.into(), out)?;
    for failure in &diff.failures {
        complain(failure);
    }
    Ok(if !diff.failures.is_empty() {
        Ending::Failed
    } else if diff.is_empty() {
        Ending::Clean
    } else {
        Ending::Found
    })
}

fn two_paths(arguments: &Arguments) -> Option<Diff> {
    let [old, new] = arguments.paths.as_slice() else {
        complain("give two files or two folders, OLD and NEW, or a revision to compare with: --base REV");
        return None;
    };
    let [of_old, of_new] = [old, new].map(|path| arguments.inputs.request(std::slice::from_ref(path)));
    let [old, new] = [old, new].map(|path| root(path));
    compare(Some((&of_old, &old)), Some((&of_new, &new)))
}

/// The folder from which what is in a state is named: what was given, or the folder of the file.
fn root(path: &Path) -> PathBuf {
    if path.is_dir() {
        path.to_owned()
    } else {
        path.parent().unwrap_or(Path::new("")).to_owned()
    }
}

fn with_revision(arguments: &Arguments, revision: &str) -> Option<Diff> {
    let here = [PathBuf::from(".")];
    let paths = if arguments.paths.is_empty() {
        &here[..]
    } else {
        &arguments.paths
    };
    let new = arguments.inputs.request(paths);
    let read = || -> Result<_, RevisionError> {
        let checkout = Checkout::of(revision, paths)?;
        let old = checkout.request(&new)?;
        // From outside of the repository its own folder is what names count from.
        let here = checkout.folder_of(Path::new("."));
        let roots = here.map_or_else(
            |_| (checkout.root().to_owned(), checkout.top().to_owned()),
            |root| (root, PathBuf::from(".")),
        );
        Ok((checkout, old, roots))
    };
    // The files of the revision are there as long as the checkout is.
    let (_checkout, old, (root, top)) = match read() {
        Ok(read) => read,
        Err(error) => {
            complain(&error.to_string());
            return None;
        }
    };
    let is_there = |request: &Request| request.paths.iter().any(|path| path.exists());
    let mut of_new = new.clone();
    if is_there(&old) {
        // What is gone was taken away.
        of_new.paths.retain(|path| path.exists());
    }
    let old = (!old.paths.is_empty()).then_some((&old, root.as_path()));
    let new = (!of_new.paths.is_empty()).then_some((&of_new, top.as_path()));
    compare(old, new)
}

/// A state: what is asked of it, and the folder from which it is named.
type Asked<'a> = (&'a Request, &'a Path);

fn compare(old: Option<Asked<'_>>, new: Option<Asked<'_>>) -> Option<Diff> {
    let state = |(request, root)| State { request, root };
    match diff::diff(old.map(state), new.map(state)) {
        Ok(diff) => Some(diff),
        Err(refusal) => {
            errors::show_refusal(&refusal);
            None
        }
    }
}
