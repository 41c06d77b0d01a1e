//! Where the corpus lies: the folder that `PORTCULLIS_CORPUS` names. INVARIANT: a test without it says that it skipped.

use std::path::PathBuf;

/// The corpus, or a line that says why there is none.
pub(crate) fn root() -> Option<PathBuf> {
    let named = std::env::var_os("PORTCULLIS_CORPUS").map(PathBuf::from);
    match named {
        Some(root) if root.is_dir() => Some(root),
        Some(root) => {
            crate::say::say(&format!("skipped: {} is not a folder", root.display()));
            None
        }
        None => {
            crate::say::say("skipped: PORTCULLIS_CORPUS is not set");
            None
        }
    }
}
