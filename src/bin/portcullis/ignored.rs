//! `check --add-ignore`: writes comments that take back what fails the run.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use portcullis::check::{self, Outcome, Request};
use portcullis::finding::Severity;
use portcullis::source::SourceMap;
use portcullis::suppress::{self, Edited};

use crate::{complain, output};

/// Writes a comment with this reason for each finding of at least this severity that a comment can take back. Whether all could
/// be written; a run that cannot start says nothing here.
pub(crate) fn add(reason: &str, request: &Request, fail_on: impl Fn(&Outcome) -> Severity) -> bool {
    if request.paths.iter().any(|path| path.as_os_str() == "-") {
        complain("standard input cannot be written to: name the file that the comments are to be added in");
        return false;
    }
    let request = Request {
        is_merged: false,
        ..request.clone()
    };
    let Ok(outcome) = check::check(&request) else {
        return true;
    };
    let least = fail_on(&outcome);
    let findings = outcome
        .findings
        .iter()
        .filter(|finding| finding.severity >= least);
    let edits = suppress::additions(&outcome.sources, findings, reason);
    let mut n_comments = 0;
    let mut n_files = 0;
    for edited in &edits {
        match write(&outcome.sources, edited) {
            Ok(()) => {
                n_comments += edited.insertions.len();
                n_files += 1;
            }
            Err(why) => complain(&why),
        }
    }
    let comments = if n_comments == 1 { "comment" } else { "comments" };
    let files = if n_files == 1 { "file" } else { "files" };
    // If standard error is gone, there is nobody to tell.
    let _told = writeln!(io::stderr(), "{n_comments} {comments} added in {n_files} {files}");
    n_files == edits.len()
}

fn write(sources: &SourceMap, edited: &Edited) -> Result<(), String> {
    let file = sources.file(edited.file);
    let path = Path::new(file.name());
    let cannot = |why: &dyn std::fmt::Display| format!("no comment added in {}: {why}", file.name());
    let bytes = fs::read(path).map_err(|error| cannot(&error))?;
    if bytes.len() != file.text().len() {
        return Err(cannot(&"it was changed meanwhile"));
    }
    let text = edited.apply(&bytes);
    output::write_file(path, |out| out.write_all(&text)).map_err(|error| cannot(&error))
}
