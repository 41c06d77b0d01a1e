//! What firewalld comes with: the services, ICMP types, zones and policies that the reader knows mean what its files say.

#![cfg(test)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use portcullis::dialect::firewalld::Firewalld;
use portcullis::dialect::{Dialect, Reading};
use portcullis::finding::Code;
use portcullis::model::{Action, Condition, Rule};
use portcullis::source::SourceMap;

fn corpus() -> Option<PathBuf> {
    let root = std::env::var_os("PORTCULLIS_CORPUS").map(|root| Path::new(&root).join("firewalld+firewalld"));
    let found = root.filter(|root| root.is_dir());
    if found.is_none() {
        eprintln!("skipped: PORTCULLIS_CORPUS names no folder with firewalld+firewalld");
    }
    found
}

/// The texts of the files of a folder of firewalld's own configuration, under a name where they would be installed.
fn shipped_files(root: &Path, folder: &str, place: &str) -> Vec<(String, String)> {
    let mut paths: Vec<_> = std::fs::read_dir(root.join("config").join(folder))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    let file = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        (
            format!("{place}/{folder}/{name}"),
            std::fs::read_to_string(path).unwrap(),
        )
    };
    paths.iter().map(file).collect()
}

/// A unit of files, by name and text.
fn read(files: &[(String, String)]) -> Reading {
    let mut map = SourceMap::new();
    let files: Vec<_> = files
        .iter()
        .map(|(name, text)| map.add_text(name, text))
        .collect();
    let unit: Vec<_> = files.iter().map(|file| map.source(*file)).collect();
    Firewalld.read(&unit)
}

/// What a unit means, without the places: for each chain its conditions and actions.
fn meaning(files: &[(String, String)]) -> (BTreeMap<String, Vec<String>>, Vec<String>) {
    let reading = read(files);
    let mut chains = BTreeMap::new();
    for ruleset in &reading.rulesets {
        for chain in &ruleset.chains {
            let rule = |rule: &Rule| {
                let conditions = rule.matches.iter().map(|one| &one.condition);
                let conditions: Vec<_> = conditions.filter(|one| !asks_for_listeners(one)).collect();
                let action = match &rule.action {
                    Action::Jump(to) => {
                        format!("jump {}", ruleset.chains[to.0 as usize].path)
                    }
                    action => format!("{action:?}"),
                };
                format!("{conditions:?} {action}")
            };
            let key = format!("{:?} {}", ruleset.families, chain.path);
            chains.insert(key, chain.rules.iter().map(rule).collect());
        }
    }
    let unread = reading
        .notices
        .iter()
        .filter(|notice| notice.code != Code::UnsupportedMatch);
    let unread = unread.map(|notice| notice.message.clone()).collect();
    (chains, unread)
}

fn file(name: &str, text: impl Into<String>) -> (String, String) {
    (name.to_owned(), text.into())
}

#[test]
fn the_services_and_icmp_types_that_firewalld_comes_with_are_known() {
    let Some(root) = corpus() else { return };
    let place = "usr/lib/firewalld";
    let services = shipped_files(&root, "services", place);
    let types = shipped_files(&root, "icmptypes", place);
    let stem = |(name, _): &(String, String)| {
        let file = name.rsplit('/').next().unwrap();
        file.trim_end_matches(".xml").to_owned()
    };
    let opened = services
        .iter()
        .map(|service| format!("<service name=\"{}\"/>\n", stem(service)));
    let blocked = types
        .iter()
        .map(|kind| format!("<icmp-block name=\"{}\"/>\n", stem(kind)));
    let zone = format!(
        "<zone>{}{}</zone>",
        opened.collect::<String>(),
        blocked.collect::<String>()
    );
    let zone = file("etc/firewalld/zones/public.xml", zone);
    let (known, unread) = meaning(std::slice::from_ref(&zone));
    assert_eq!(unread, [""; 0]);
    let all: Vec<_> = services.iter().chain(&types).cloned().chain([zone]).collect();
    let (read, unread) = meaning(&all);
    assert_eq!(unread, [""; 0]);
    println!(
        "{} services and {} ICMP types are known as they are",
        services.len(),
        types.len()
    );
    assert!(services.len() >= 266 && types.len() >= 49);
    assert_eq!(known, read);
}

/// Whether a condition asks for the version of firewalld that lets in listener discovery: its own policy says so only there.
fn asks_for_listeners(condition: &Condition) -> bool {
    let Condition::Unknown(unknown) = condition else {
        return false;
    };
    unknown
        .why
        .contains("multicast listener discovery depends on its version")
}

/// Rules that hold for the versions alone that let in listener discovery.
fn n_by_version(files: &[(String, String)]) -> usize {
    let reading = read(files);
    let chains = reading.rulesets.iter().flat_map(|ruleset| &ruleset.chains);
    let rules = chains.flat_map(|chain| &chain.rules);
    let asks = |rule: &&Rule| rule.matches.iter().any(|one| asks_for_listeners(&one.condition));
    rules.filter(asks).count()
}

#[test]
fn the_zones_and_policies_that_firewalld_comes_with_are_known() {
    let Some(root) = corpus() else { return };
    let place = "usr/lib/firewalld";
    let mut shipped = shipped_files(&root, "zones", place);
    let n_zones = shipped.len();
    shipped.extend(shipped_files(&root, "policies", place));
    for at in 0..n_zones {
        let name = shipped[at].0.rsplit('/').next().unwrap().trim_end_matches(".xml");
        let conf = file("etc/firewalld/firewalld.conf", format!("DefaultZone={name}\n"));
        let (known, _) = meaning(std::slice::from_ref(&conf));
        let all: Vec<_> = shipped.iter().cloned().chain([conf.clone()]).collect();
        let (read, unread) = meaning(&all);
        assert_eq!(unread, [""; 0], "{name}");
        assert_eq!(known, read, "{name}");
        assert_eq!((n_by_version(&[conf]), n_by_version(&all)), (4, 0), "{name}");
    }
    println!("{n_zones} zones are known as they are");
    assert!(n_zones >= 9);
}
