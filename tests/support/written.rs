//! What a run of the program left in a file of its folder.

use crate::program::Folder;

/// The text of a file.
pub(crate) fn text(folder: &Folder, name: &str) -> String {
    std::fs::read_to_string(folder.0.join(name)).unwrap()
}
