//! Files of the repository by path: read whole, listed in order. INVARIANT: paths are relative to the package, with
//! `/`, so that tests say the same on every machine.

use std::path::{Path, PathBuf};

/// The place of a path of the package.
pub(crate) fn place(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The text of a file.
pub(crate) fn text(path: &str) -> String {
    std::fs::read_to_string(place(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The files with an extension in and below a folder, sorted; a file stands for itself, no folder for no files.
pub(crate) fn below(folder: &str, extension: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in walkdir::WalkDir::new(place(folder))
        .sort_by_file_name()
        .into_iter()
        .filter_map(Result::ok)
    {
        let path = entry.path();
        if entry.file_type().is_file() && path.extension().is_some_and(|found| found == extension) {
            let inside = path.strip_prefix(place("")).unwrap_or(path);
            found.push(inside.to_string_lossy().replace('\\', "/"));
        }
    }
    found
}
