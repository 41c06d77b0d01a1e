//! Folders of the repository to the files in them. INVARIANT: listed in the order of their names, as paths of the
//! package with `/`, so that tests say the same on every machine.

use super::file;

/// The files with an extension in and below a folder, sorted; a file stands for itself, no folder for no files.
pub(crate) fn below(folder: &str, extension: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in walkdir::WalkDir::new(file::place(folder))
        .sort_by_file_name()
        .into_iter()
        .filter_map(Result::ok)
    {
        let path = entry.path();
        if entry.file_type().is_file() && path.extension().is_some_and(|found| found == extension) {
            let inside = path.strip_prefix(file::place("")).unwrap_or(path);
            found.push(inside.to_string_lossy().replace('\\', "/"));
        }
    }
    found
}
