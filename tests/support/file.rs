//! Files of the repository by path. INVARIANT: paths are relative to the package, with
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
