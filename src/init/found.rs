//! What there is below a folder: hosts, groups, workloads, policies, networks and interfaces, by their names.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::pattern::{self, HostFile};
use super::role::Roles;
use crate::check::{Past, Request, Watch, read_inputs};
use crate::discover;
use crate::packet::{DEFAULT_BUDGET, Network};
use crate::site::Arguments;

/// What there is below a folder. Paths are counted from there.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// How many files dialects know.
    pub(super) n_configs: usize,
    /// Files of hosts.
    pub(super) hosts: Vec<HostFile>,
    /// Security groups and network ACLs, as bindings name them, in their order.
    pub(super) groups: Vec<String>,
    /// Workloads of clusters.
    pub(super) workloads: BTreeSet<Workload>,
    /// Policies that lie there, and those that ship.
    pub(super) roles: Roles,
    /// Private networks that files speak of, and in how many files.
    pub(super) networks: BTreeMap<String, usize>,
    /// Interfaces by which dumps let private networks in.
    pub(super) interfaces: BTreeSet<String>,
    /// What could not be looked at.
    pub(super) failures: Vec<String>,
}

/// One workload, or several that are told apart by nothing that a binding would name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Workload {
    pub(super) namespace: String,
    pub(super) labels: BTreeMap<String, String>,
    /// What it is called, without the namespace.
    pub(super) name: String,
}

/// The labels that say what a workload is, the usual ones first (kubernetes.io, "Recommended Labels").
const NAMING_LABELS: &[&str] = &["app.kubernetes.io/name", "app", "k8s-app", "name"];

impl Found {
    pub(super) fn below(folder: &Path) -> Self {
        let request = Request {
            paths: vec![PathBuf::from(folder)],
            dialect: None,
            arguments: Arguments::default(),
            site: None,
            budget: DEFAULT_BUDGET,
            skips_unknown: false,
            coverage: false,
            is_merged: true,
            known: Past::BySites,
            watch: Watch::default(),
        };
        let inputs = read_inputs(&request);
        let from_here = |path: &Path| discover::shown(path.strip_prefix(folder).unwrap_or(path));
        let mut found = Self {
            roles: Roles::of(policies(folder)),
            failures: inputs.summary.failures.clone(),
            ..Self::default()
        };
        for unit in &inputs.units {
            found.n_configs += 1 + unit.parts.len();
            let files: Vec<String> = std::iter::once(&unit.path)
                .chain(&unit.parts)
                .map(|path| from_here(path))
                .collect();
            if unit.makes_hosts || unit.is_companion {
                let root = from_here(Path::new(&unit.name));
                found.hosts.extend(pattern::files(&root, &files));
            }
            for group in &unit.reading.groups {
                let name = resource(&group.name);
                if !found.groups.contains(&name) {
                    found.groups.push(name);
                }
            }
            for workload in unit.reading.workloads.iter().filter(|it| !it.is_on_host_network) {
                let name = workload.name.rsplit('/').next().unwrap_or(&workload.name);
                found.workloads.insert(Workload {
                    namespace: workload.namespace.clone(),
                    labels: naming(&workload.labels),
                    name: name.to_owned(),
                });
            }
        }
        for id in inputs.sources.ids() {
            let text = inputs.sources.file(id).text();
            for network in private_networks(text) {
                *found.networks.entry(network).or_default() += 1;
            }
            found.interfaces.extend(text.lines().filter_map(inner_interface));
        }
        found
    }
}

/// The policies that lie below a folder, with their texts.
fn policies(folder: &Path) -> Vec<(String, String)> {
    let inputs = discover::discover(&[PathBuf::from(folder)]).inputs;
    let mut policies = Vec::new();
    for input in inputs {
        if input.path.extension().is_some_and(|ending| ending == "ports")
            && let Ok(Some(file)) = discover::read(&input)
        {
            let path = input.path.strip_prefix(folder).unwrap_or(&input.path);
            policies.push((discover::shown(path), file.text().to_owned()));
        }
    }
    policies
}

/// A group as a binding names it: without the instance, and without what recordings put behind ids.
fn resource(name: &str) -> String {
    let name = name.split('[').next().unwrap_or(name);
    name.split(" (").next().unwrap_or(name).to_owned()
}

/// The label that names a workload, or all if none does.
fn naming(labels: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let mut naming = NAMING_LABELS.iter();
    match naming.find_map(|key| labels.get_key_value(*key)) {
        Some((key, value)) => BTreeMap::from([(key.clone(), value.clone())]),
        None => labels.clone(),
    }
}

/// The private networks (RFC 1918) that a text names, each once; hosts are none.
fn private_networks(text: &str) -> BTreeSet<String> {
    let is_part = |letter: char| letter.is_ascii_digit() || letter == '.' || letter == '/';
    let words = text
        .split(|letter| !is_part(letter))
        .filter(|word| word.contains('/'));
    let is_private = |word: &&str| {
        let parts: Vec<&str> = word.split(['.', '/']).collect();
        let number = |at: usize| parts.get(at).and_then(|part| part.parse::<u8>().ok());
        let is_inside = match (number(0), number(1)) {
            (Some(10), _) | (Some(192), Some(168)) => true,
            (Some(172), Some(second)) => (16..32).contains(&second),
            _ => false,
        };
        is_inside
            && number(4).is_some_and(|length| (8..=28).contains(&length))
            && word.parse::<Network>().is_ok()
    };
    words.filter(is_private).map(str::to_owned).collect()
}

/// The interface that a line of a dump names beside a private network: `-i eth1 -s 10.0.0.0/8`, `iifname "eth1" ip saddr …`.
fn inner_interface(line: &str) -> Option<String> {
    let mut words = line.split_whitespace();
    words.find(|word| ["-i", "--in-interface", "iifname", "iif"].contains(word))?;
    let name = words.next()?.trim_matches('"');
    let is_plain = name
        .chars()
        .all(|letter| letter.is_ascii_alphanumeric() || "-_.@".contains(letter));
    (is_plain && name != "lo" && !private_networks(line).is_empty()).then(|| name.to_owned())
}
