//! `diff` on pairs of clusters that others compare with their own tool (np-guard's netpol-analyzer). Their pairs are taken, not their
//! results: what changes is held against the lists of `connections`, which are made another way.
#![cfg(test)]

#[path = "support/program.rs"]
mod program;
#[path = "support/corpus/root.rs"]
mod root;
#[path = "support/say.rs"]
mod say;

use std::collections::{BTreeMap, BTreeSet};

use program::Folder;
use serde_json::Value;

/// Both ends of each connection between workloads and its services, with how sure it is.
fn connections(folder: &Folder, path: &str) -> BTreeMap<(String, String), BTreeSet<String>> {
    let run = folder.run(&format!("connections --format json '{path}'"));
    let json: Value = serde_json::from_str(&run.stdout).unwrap();
    let mut found: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    let clusters = json["clusters"].as_array().unwrap();
    for one in clusters
        .iter()
        .flat_map(|cluster| cluster["connections"].as_array().unwrap())
    {
        // Addresses outside are cut into stretches as the policies of each state name them.
        let is_workload = |end: &str| one[end]["kind"] != "addresses";
        let name = |end: &str| one[end]["name"].as_str().map(str::to_owned);
        let end = |end: &str| name(end).filter(|_| is_workload(end));
        let (Some(from), Some(to)) = (end("from"), end("to")) else {
            continue;
        };
        let services = one["services"].as_array().unwrap().iter();
        let services = services.map(|service| format!("{} {}", one["certainty"], service));
        found.entry((from, to)).or_default().extend(services);
    }
    found
}

/// The hosts that a comparison speaks of.
fn changed(folder: &Folder, old: &str, new: &str) -> BTreeSet<String> {
    let run = folder.run(&format!("diff --no-common --format json '{old}' '{new}'"));
    assert!(run.status < 2, "{old} {new}: {}", run.stderr);
    let json: Value = serde_json::from_str(&run.stdout).unwrap();
    // A pod that lets through what another did under another name counts as changed here.
    let lists = ["hosts", "renamed"].map(|list| json[list].as_array().unwrap());
    let hosts = lists.into_iter().flatten();
    let names = hosts.flat_map(|host| [host["old"].as_str(), host["new"].as_str()]);
    names.flatten().map(str::to_owned).collect()
}

#[test]
fn what_others_compare_changes_where_connections_do() {
    let Some(root) = root::root() else { return };
    let root = root.join("np-guard+netpol-analyzer");
    let Ok(pairs) = std::fs::read_to_string(root.join("expected/diff_tests.json")) else {
        say::say("skipped: the corpus has no np-guard+netpol-analyzer");
        return;
    };
    let pairs: Value = serde_json::from_str(&pairs).unwrap();
    let folder = Folder::new(&[]);
    let (mut n_compared, mut n_changed) = (0, 0);
    for pair in pairs.as_array().unwrap() {
        let path = |key: &str| root.join("tests").join(pair[key].as_str().unwrap());
        let (old, new) = (path("firstDirName"), path("secondDirName"));
        if !old.is_dir() || !new.is_dir() {
            continue;
        }
        let [old, new] = [old, new].map(|path| path.display().to_string());
        assert_eq!(
            changed(&folder, &old, &old),
            BTreeSet::new(),
            "{old}: nothing changes"
        );
        let hosts = changed(&folder, &old, &new);
        assert_eq!(
            hosts,
            changed(&folder, &new, &old),
            "{old} {new}: the other way round"
        );
        let (was, is) = (connections(&folder, &old), connections(&folder, &new));
        let ends: BTreeSet<_> = was.keys().chain(is.keys()).collect();
        for (from, to) in ends {
            let key = (from.clone(), to.clone());
            let is_said = hosts.contains(from) || hosts.contains(to);
            assert!(
                was.get(&key) == is.get(&key) || is_said,
                "{old} {new}: {from} -> {to} changes, but neither end does"
            );
        }
        n_compared += 1;
        n_changed += usize::from(!hosts.is_empty());
    }
    assert!(
        n_compared >= 15 && n_changed >= 10 && n_changed < n_compared,
        "{n_changed} of {n_compared}"
    );
}
