//! Paths to bindings: which roles a config has, and which host it is of.

use std::path::{Component, Path, PathBuf};

use super::{Pattern, Site};

/// A file's place in a binding.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bound {
    /// Index in [`Site::bindings`].
    pub binding: usize,
    /// What `{host}` stands for; the path if the pattern has none.
    pub host: String,
    /// Whether the pattern has a `{host}`: files of one binding with the same one are one host.
    pub named: bool,
}

/// The patterns of a site, ready to match.
#[derive(Debug, Clone, Default)]
pub struct Binder {
    patterns: Vec<(usize, Pattern)>,
    everything: Vec<usize>,
}

impl Binder {
    /// The patterns of a site's bindings. Those that are none were refused when the site was read.
    #[must_use]
    pub fn new(site: &Site) -> Self {
        let mut binder = Self::default();
        for (index, binding) in site.bindings.iter().enumerate() {
            let patterns = binding
                .files
                .iter()
                .filter_map(|file| Pattern::parse(&file.value).ok());
            binder.patterns.extend(patterns.map(|pattern| (index, pattern)));
            if binding.everything {
                binder.everything.push(index);
            }
        }
        binder
    }

    /// Whether the site file names a path: to the letter, or only by a pattern that others match too.
    #[must_use]
    pub fn names(&self, path: &str) -> Option<bool> {
        let matching = self.patterns.iter().map(|(_, pattern)| pattern);
        let matching = matching.filter(|pattern| pattern.host(path).is_some());
        matching.map(Pattern::spells_name).max()
    }

    /// All bindings of a file, in their order, each once: its first pattern that matches counts. `path` is
    /// counted from the folder of the site file, see [`Binder::path_from`].
    #[must_use]
    pub fn bind(&self, path: &str) -> Vec<Bound> {
        let mut bound: Vec<Bound> = Vec::new();
        for (binding, pattern) in &self.patterns {
            if bound.last().is_some_and(|last| last.binding == *binding) {
                continue;
            }
            if let Some(host) = pattern.host(path) {
                bound.push(Bound {
                    binding: *binding,
                    host: host.to_owned(),
                    named: pattern.names_host(),
                });
            }
        }
        for &binding in &self.everything {
            bound.push(Bound {
                binding,
                host: path.to_owned(),
                named: false,
            });
        }
        bound.sort_unstable();
        bound.dedup_by_key(|bound| bound.binding);
        bound
    }

    /// The path of `file` counted from `folder`, with `/` between folders and `..` where it leaves `folder`:
    /// what patterns are matched against. Links are not resolved.
    #[must_use]
    pub fn path_from(folder: &Path, file: &Path) -> String {
        let (folder, file) = (plain(folder), plain(file));
        let shared = folder
            .components()
            .zip(file.components())
            .take_while(|(a, b)| a == b)
            .count();
        let up = folder.components().skip(shared).map(|_| "..".into());
        let down = file
            .components()
            .skip(shared)
            .map(|part| part.as_os_str().to_string_lossy());
        let parts: Vec<_> = up.chain(down).collect();
        parts.join("/")
    }
}

/// The absolute path without `.` and `..`, as far as that can be said without looking at the disk.
fn plain(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut plain = PathBuf::new();
    for part in absolute.components() {
        match part {
            Component::ParentDir => {
                plain.pop();
            }
            Component::CurDir => {}
            part => plain.push(part),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_count_from_the_site_folder() {
        for (folder, file, expected) in [
            ("/repo", "/repo/hosts/m1/a.rules", "hosts/m1/a.rules"),
            ("/repo/site", "/repo/hosts/a.rules", "../hosts/a.rules"),
            ("/repo/./x/..", "/repo/a", "a"),
            (".", "hosts/a", "hosts/a"),
            ("site", "./site/a", "a"),
        ] {
            assert_eq!(
                Binder::path_from(Path::new(folder), Path::new(file)),
                expected,
                "{folder} {file}"
            );
        }
    }
}
