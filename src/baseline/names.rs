//! Names of files and hosts as they are from the folder of a baseline, wherever a run was started.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

/// Names from one folder.
#[derive(Debug)]
pub struct Names {
    folder: PathBuf,
    known: BTreeMap<String, String>,
    /// Whether relative names may be paths from the working directory.
    has_relative: bool,
}

impl Names {
    /// Names from `folder`.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        Self {
            folder: absolute(folder),
            known: BTreeMap::new(),
            has_relative: true,
        }
    }

    /// The same for a run that was given these paths: where all of them are whole, a relative name is none. Hosts may be called by
    /// the way from their site's folder, which leads elsewhere from here.
    #[must_use]
    pub fn of_run(mut self, paths: &[PathBuf]) -> Self {
        self.has_relative = paths.iter().any(|path| path.is_relative());
        self
    }

    /// The name of a file, a folder, or a host that is called as one; any other name stays as it is.
    pub fn of(&mut self, name: &str) -> String {
        if let Some(known) = self.known.get(name) {
            return known.clone();
        }
        let path = Path::new(name);
        let is_path = path.is_absolute() || self.has_relative;
        let shown = if !name.is_empty() && is_path && path.exists() {
            from(&self.folder, &absolute(path))
        } else {
            name.to_owned()
        };
        self.known.insert(name.to_owned(), shown.clone());
        shown
    }

    /// A text that speaks of files, without the way to the folder.
    #[must_use]
    pub fn in_text(&self, text: &str) -> String {
        text.replace(&format!("{}/", self.folder.display()), "")
    }
}

/// The path without links, so that two ways to one folder are one; where it is not there, by its words alone.
fn absolute(path: &Path) -> PathBuf {
    let path = if path.as_os_str().is_empty() {
        Path::new(".")
    } else {
        path
    };
    let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    std::fs::canonicalize(&whole).unwrap_or(whole)
}

/// The way from a folder to a path, with `/` between folders. Both are absolute.
fn from(folder: &Path, path: &Path) -> String {
    let mut ours = folder.components().peekable();
    let mut its = path.components().peekable();
    while ours.peek().is_some() && ours.peek() == its.peek() {
        ours.next();
        its.next();
    }
    let up = ours.map(|_| "..".to_owned());
    let down = its.map(|part| match part {
        Component::Normal(name) => name.to_string_lossy().into_owned(),
        other => other.as_os_str().to_string_lossy().into_owned(),
    });
    let parts: Vec<String> = up.chain(down).collect();
    if parts.is_empty() {
        ".".to_owned()
    } else {
        parts.join("/")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_counts_from_the_folder() {
        let way = |folder: &str, path: &str| from(Path::new(folder), Path::new(path));
        assert_eq!(way("/repo", "/repo/hosts/a.rules"), "hosts/a.rules");
        assert_eq!(way("/repo/ci", "/repo/hosts/a.rules"), "../hosts/a.rules");
        assert_eq!(way("/repo", "/repo"), ".");
    }

    #[test]
    fn what_is_no_file_keeps_its_name() {
        let mut names = Names::new(Path::new("."));
        assert_eq!(names.of("aws_security_group.web"), "aws_security_group.web");
        assert_eq!(names.of("shop/web"), "shop/web");
        assert_eq!(names.of("Cargo.toml"), "Cargo.toml");
        assert_eq!(names.of("./src/../Cargo.toml"), "Cargo.toml");
    }
}
