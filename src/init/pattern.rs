//! Files of hosts to patterns with `{host}`, by how they lie in folders.
//!
//! A folder is a host if its files are called as dumps are called everywhere, or if folders beside it have files of the same names;
//! else each file is one.

use std::collections::BTreeMap;

/// A file of a host, or the folder tree of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct HostFile {
    /// The folder of the host's files.
    folder: String,
    /// The file in it; a pattern for a tree.
    name: String,
    /// Where in the host's own folder that is: `etc/iptables`, or nothing.
    inside: String,
}

/// A pattern, and the hosts that it names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern {
    /// The path before `{host}`, with a slash at its end unless it is empty.
    pub(super) before: String,
    /// What stands behind it; of files that no `{host}` is for, nothing.
    pub(super) behind: String,
    /// What `{host}` stands for.
    pub(super) hosts: Vec<String>,
    pub(super) n_files: usize,
}

/// Where files lie on hosts, the longest first.
const SYSTEM_FOLDERS: &[&str] = &[
    "etc/iptables",
    "etc/nftables",
    "etc/sysconfig",
    "etc/firewalld",
    "etc/ufw",
    "etc",
];

/// What dumps are called everywhere, in parts of names.
const USUAL: &[&str] = &[
    "iptables",
    "ip6tables",
    "nftables",
    "nft",
    "ipset",
    "rules",
    "ruleset",
    "save",
    "dump",
    "firewall",
    "fw",
    "filter",
    "inet",
    "conf",
    "txt",
    "v4",
    "v6",
    "rules4",
    "rules6",
    "list",
];

/// The files of a unit. A tree is one, whatever it is made of.
pub(super) fn files(root: &str, files: &[String]) -> Vec<HostFile> {
    if files.iter().any(|file| file == root) {
        return files.iter().map(|file| HostFile::of(file)).collect();
    }
    vec![HostFile::of(&joined(root, "**"))]
}

impl HostFile {
    fn of(path: &str) -> Self {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let within = |inside: &&&str| folder == **inside || folder.ends_with(&format!("/{inside}"));
        let inside = SYSTEM_FOLDERS.iter().find(within).copied().unwrap_or("");
        let folder = folder.strip_suffix(inside).unwrap_or(folder);
        Self {
            folder: folder.trim_end_matches('/').to_owned(),
            name: name.to_owned(),
            inside: inside.to_owned(),
        }
    }

    /// Whether its name says nothing of whose it is.
    fn is_usual(&self) -> bool {
        let name = self.name.to_ascii_lowercase();
        let mut parts = name.split(|letter: char| !letter.is_ascii_alphanumeric());
        !self.inside.is_empty() || parts.all(|part| part.is_empty() || USUAL.contains(&part))
    }
}

fn joined(folder: &str, name: &str) -> String {
    if folder.is_empty() {
        name.to_owned()
    } else {
        format!("{folder}/{name}")
    }
}

/// The patterns of some files, in their order.
pub(super) fn patterns(files: &[HostFile]) -> Vec<Pattern> {
    let mut folders: BTreeMap<(&str, &str), Vec<&HostFile>> = BTreeMap::new();
    for file in files {
        folders
            .entry((&file.folder, &file.inside))
            .or_default()
            .push(file);
    }
    let names: BTreeMap<&str, Vec<&str>> = folders
        .iter()
        .map(|(at, files)| (at.0, files.iter().map(|file| file.name.as_str()).collect()))
        .collect();
    let mut patterns: BTreeMap<(String, String), Pattern> = BTreeMap::new();
    let mut add = |before: &str, behind: String, host: &str, n_files: usize| {
        let before = if before.is_empty() {
            String::new()
        } else {
            format!("{before}/")
        };
        let pattern = patterns
            .entry((before.clone(), behind.clone()))
            .or_insert_with(|| Pattern {
                before,
                behind,
                hosts: Vec::new(),
                n_files: 0,
            });
        pattern.n_files += n_files;
        if !host.is_empty() && !pattern.hosts.iter().any(|known| known == host) {
            pattern.hosts.push(host.to_owned());
        }
    };
    for ((folder, inside), files) in &folders {
        let (above, own) = folder.rsplit_once('/').unwrap_or(("", folder));
        let is_host = files.iter().all(|file| file.is_usual()) || has_twin(folder, &names);
        if is_host && !own.is_empty() {
            let all = if files.iter().any(|file| file.name == "**") {
                "**"
            } else {
                "*"
            };
            add(above, format!("/{}", joined(inside, all)), own, files.len());
            continue;
        }
        for file in files {
            let (stem, ending) = match file.name.rsplit_once('.') {
                Some((stem, ending)) if !stem.is_empty() => (stem, format!(".{ending}")),
                _ => (file.name.as_str(), String::new()),
            };
            if file.is_usual() {
                // At the root, and called as everywhere: there is no name for the host.
                add("", joined(inside, &file.name), "", 1);
            } else {
                add(folder, ending, stem, 1);
            }
        }
    }
    patterns.into_values().collect()
}

/// Whether a folder beside this one has a file of the same name.
fn has_twin(folder: &str, names: &BTreeMap<&str, Vec<&str>>) -> bool {
    let above = |folder: &str| folder.rsplit_once('/').map_or("", |it| it.0).to_owned();
    let own = names.get(folder).map_or(&[][..], Vec::as_slice);
    names.iter().any(|(other, theirs)| {
        *other != folder && above(other) == above(folder) && own.iter().any(|name| theirs.contains(name))
    })
}

impl Pattern {
    /// As a site file writes it.
    pub(super) fn text(&self) -> String {
        if self.hosts.is_empty() {
            format!("{}{}", self.before, self.behind)
        } else {
            format!("{}{{host}}{}", self.before, self.behind)
        }
    }

    /// The folder that its hosts lie in.
    pub(super) fn folder(&self) -> &str {
        self.before.trim_end_matches('/').rsplit('/').next().unwrap_or("")
    }

    /// Whether each of its hosts has one file.
    pub(super) fn is_a_file_each(&self) -> bool {
        self.n_files == self.hosts.len()
    }

    /// The same for hosts alone whose names begin so, or are so. What is before `{host}` is no part of a host's name, so it only stands
    /// where files must be put together.
    pub(super) fn of_prefix(&self, prefix: &str, is_exact: bool) -> String {
        let rest = match (is_exact, self.is_a_file_each()) {
            (true, _) => "",
            (false, true) => "*",
            (false, false) => "{host}",
        };
        format!("{}{prefix}{rest}{}", self.before, self.behind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(paths: &[&str]) -> Vec<String> {
        let files: Vec<HostFile> = paths.iter().map(|path| HostFile::of(path)).collect();
        patterns(&files).iter().map(Pattern::text).collect()
    }

    #[test]
    fn folders_are_hosts_where_files_are_called_as_everywhere() {
        assert_eq!(
            texts(&[
                "hosts/manager1/iptables.rules",
                "hosts/worker1/rules.v4",
                "hosts/worker1/nft.conf"
            ]),
            ["hosts/{host}/*"]
        );
        assert_eq!(
            texts(&["managers/m1.rules", "workers/w1.rules"]),
            ["managers/{host}.rules", "workers/{host}.rules"]
        );
        assert_eq!(texts(&["a/edge.rules", "b/edge.rules"]), ["{host}/*"]);
        assert_eq!(texts(&["rules.v4", "rules.v6"]), ["rules.v4", "rules.v6"]);
        assert_eq!(
            texts(&["h/a/etc/iptables/rules.v4", "h/b/etc/ufw/**"]),
            ["h/{host}/etc/iptables/*", "h/{host}/etc/ufw/**"]
        );
        assert_eq!(texts(&["etc/ufw/**"]), ["etc/ufw/**"]);
    }
}
