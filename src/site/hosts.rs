//! Files to hosts: which files are one machine, and which roles it has.

use std::collections::BTreeMap;

use super::Binder;

/// One machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostFiles {
    /// Its name: what `{host}` stands for, or the path of its file. No two hosts have the same.
    pub name: String,
    /// Its files, as indices of the paths that were grouped, ascending.
    pub files: Vec<usize>,
    /// Its bindings, as indices of [`super::Site::bindings`], ascending. Empty: no role is bound to it.
    pub bindings: Vec<usize>,
}

/// The machines of a run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Hosts {
    /// In the order of their first file. A file that no binding matches is a host without bindings.
    pub hosts: Vec<HostFiles>,
    /// Bindings that no file has, ascending: their roles are unchecked.
    pub unmatched: Vec<usize>,
}

impl Hosts {
    /// Groups files. Files of one binding with the same `{host}` are one host; so are files that share a host
    /// by way of another file, so that one machine never counts twice. `n_bindings` is how many there are.
    #[must_use]
    pub fn group(binder: &Binder, paths: &[String], n_bindings: usize) -> Self {
        let bound: Vec<_> = paths.iter().map(|path| binder.bind(path)).collect();
        let mut first: BTreeMap<(usize, &str), usize> = BTreeMap::new();
        let mut leaders: Vec<usize> = (0..paths.len()).collect();
        for (file, bounds) in bound.iter().enumerate() {
            for place in bounds.iter().filter(|place| place.named) {
                let other = *first.entry((place.binding, &place.host)).or_insert(file);
                let (a, b) = (leader(&leaders, file), leader(&leaders, other));
                if let Some(cell) = leaders.get_mut(a.max(b)) {
                    *cell = a.min(b);
                }
            }
        }
        let mut groups: BTreeMap<usize, HostFiles> = BTreeMap::new();
        for (file, (path, bounds)) in paths.iter().zip(&bound).enumerate() {
            let host = groups.entry(leader(&leaders, file)).or_insert_with(|| HostFiles {
                name: String::new(),
                files: Vec::new(),
                bindings: Vec::new(),
            });
            if host.name.is_empty() {
                let named = bounds.iter().find(|place| place.named);
                host.name.clone_from(named.map_or(path, |place| &place.host));
            }
            host.files.push(file);
            host.bindings.extend(bounds.iter().map(|place| place.binding));
        }
        let mut hosts: Vec<_> = groups.into_values().collect();
        for host in &mut hosts {
            host.bindings.sort_unstable();
            host.bindings.dedup();
        }
        tell_apart(&mut hosts, paths);
        let matched = |binding: &usize| hosts.iter().any(|host| host.bindings.contains(binding));
        let unmatched = (0..n_bindings).filter(|binding| !matched(binding)).collect();
        Self { hosts, unmatched }
    }
}

/// The first file of the group that `file` is in. Leaders only ever point to smaller indices.
fn leader(leaders: &[usize], mut file: usize) -> usize {
    while let Some(&next) = leaders.get(file)
        && next != file
    {
        file = next;
    }
    file
}

/// Hosts of different bindings may have the same `{host}`: those are named by their first file's folder.
fn tell_apart(hosts: &mut [HostFiles], paths: &[String]) {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for host in hosts.iter() {
        *counts.entry(host.name.clone()).or_default() += 1;
    }
    for host in hosts
        .iter_mut()
        .filter(|host| counts.get(&host.name).is_some_and(|&count| count > 1))
    {
        if let Some(path) = host.files.first().and_then(|&file| paths.get(file)) {
            host.name = format!("{} ({path})", host.name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::site::Arguments;
    use crate::source::SourceMap;

    fn binder(text: &str) -> (Binder, usize) {
        let mut sources = SourceMap::new();
        let file = sources.add_text("portcullis.toml", text);
        let site = crate::site::read(sources.source(file)).unwrap();
        (Binder::new(&site), site.bindings.len())
    }

    fn group(text: &str, paths: &[&str]) -> Vec<(String, Vec<usize>, Vec<usize>)> {
        let (binder, n) = binder(text);
        let paths: Vec<_> = paths.iter().map(|path| (*path).to_owned()).collect();
        let hosts = Hosts::group(&binder, &paths, n);
        hosts
            .hosts
            .into_iter()
            .map(|host| (host.name, host.files, host.bindings))
            .collect()
    }

    const TWO: &str = "[[bind]]\nroles = ['a.x']\nfiles = ['m/{host}/*.rules', 'm/{host}/ipset.save']\n\
                       [[bind]]\nroles = ['a.y']\nfiles = ['w/{host}/*']\n";

    #[test]
    fn files_with_one_host_are_one_host() {
        let hosts = group(
            TWO,
            &[
                "m/1/ipset.save",
                "m/1/v4.rules",
                "m/1/v6.rules",
                "m/2/v4.rules",
                "z",
            ],
        );
        assert_eq!(
            hosts,
            [
                ("1".to_owned(), vec![0, 1, 2], vec![0]),
                ("2".to_owned(), vec![3], vec![0]),
                ("z".to_owned(), vec![4], vec![]),
            ]
        );
    }

    #[test]
    fn a_file_of_two_bindings_is_one_host_with_both_roles() {
        let text = "[[bind]]\nroles = ['a.x']\nfiles = ['h/{host}/v4']\n[[bind]]\nroles = ['a.y']\nfiles = ['h/{host}/*']\n";
        assert_eq!(
            group(text, &["h/1/v4", "h/1/v6"]),
            [("1".to_owned(), vec![0, 1], vec![0, 1])]
        );
    }

    #[test]
    fn hosts_of_one_name_in_two_bindings_are_told_apart() {
        let hosts = group(TWO, &["m/1/v4.rules", "w/1/v4"]);
        let names: Vec<_> = hosts.into_iter().map(|host| host.0).collect();
        assert_eq!(names, ["1 (m/1/v4.rules)", "1 (w/1/v4)"]);
    }

    #[test]
    fn roles_of_the_command_line_are_bound_to_every_file() {
        let arguments = Arguments {
            policies: vec!["mke".into()],
            roles: vec!["manager".into()],
            ..Arguments::default()
        };
        let mut sources = SourceMap::new();
        let file = sources.add(arguments.source_file());
        let site = arguments
            .overlay(crate::site::Site::default(), sources.source(file))
            .unwrap();
        let paths = ["<stdin>".to_owned(), "../a".to_owned()];
        let hosts = Hosts::group(&Binder::new(&site), &paths, 1);
        assert_eq!(hosts.hosts.len(), 2);
        assert!(hosts.hosts.iter().all(|host| host.bindings == [0]));
        assert!(hosts.unmatched.is_empty());
    }
}
