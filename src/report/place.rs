//! Where a finding is shown in formats that know files of the repository alone.
//!
//! INVARIANT: a place is one in a file. A finding whose own place lies in none is shown at its first related place that does,
//! else at the site file as a whole, else nowhere: line 1 is never invented.

use super::Report;
use crate::finding::{Finding, Label};
use crate::source::{FileId, SourceMap};

/// Where a finding is shown.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place<'a> {
    /// At these bytes.
    At(&'a Label),
    /// At a file as a whole.
    Whole(FileId),
    /// At no file.
    Nowhere,
}

impl<'a> Place<'a> {
    pub(super) fn of(report: &Report<'a>, finding: &'a Finding) -> Self {
        let labels = finding.primary.iter().chain(&finding.related);
        let mut on_disk = labels.filter(|label| is_on_disk(report.sources, label));
        match (on_disk.next(), report.site) {
            (Some(label), _) => Self::At(label),
            (None, Some(site)) => Self::Whole(site),
            (None, None) => Self::Nowhere,
        }
    }

    /// The file.
    pub(super) fn file(&self) -> Option<FileId> {
        match self {
            Self::At(label) => Some(label.span.file),
            Self::Whole(file) => Some(*file),
            Self::Nowhere => None,
        }
    }
}

/// Whether a label lies in a file.
pub(super) fn is_on_disk(sources: &SourceMap, label: &Label) -> bool {
    !sources.file(label.span.file).is_virtual()
}

/// A file's path as the server sees it, which knows paths from the root of the repository, where the run is: without `./`, and
/// without the folder of the run, if it was given as an absolute one.
pub(super) fn path(sources: &SourceMap, file: FileId) -> String {
    let name = sources.file(file).name();
    let here = std::env::current_dir().unwrap_or_default();
    let inside = std::path::Path::new(name).strip_prefix(&here).ok();
    let path = inside.and_then(std::path::Path::to_str).unwrap_or(name);
    path.strip_prefix("./").unwrap_or(path).to_owned()
}
