//! Schemes of np-guard's network-config-analyzer: sets of policies over the same pods, and how many pairs of them let other
//! connections through. INVARIANT: a scheme whose policies are not all in the corpus is left out.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::Path;

use portcullis::dialect::kubernetes::{Cluster, End, Flow, Truth};
use portcullis::packet::Network;
use portcullis::source::{SourceFile, SourceMap};
use portcullis::tree::{Node, Schema, Tree};

use super::Folder;

/// The pods of most schemes; another project of the same authors has them under its tests.
const PODS: &str = "../../example_podlist/pods_list.json";
const NAMESPACES: &str = "../../example_podlist/ns_list.json";

/// A question how many pairs of sets are as its name says.
pub(crate) struct Question {
    pub(crate) words: String,
    pub(crate) expected: i64,
    pub(crate) ours: i64,
}

/// The questions that are answered here: whether sets let the same through, and whether the first lets all through that
/// another does.
const ASKED: &[(&str, bool)] = &[("equivalence", true), ("containment", false)];

/// The questions of a scheme about what sets of policies let through.
pub(crate) fn questions(path: &Path, pods: &Path) -> Vec<Question> {
    let mut sources = SourceMap::new();
    let name = path.display().to_string();
    let file = sources.add(SourceFile::from_bytes(name.clone(), std::fs::read(path).unwrap()));
    let tree = Tree::read(sources.source(file), Schema::Core);
    let Some(scheme) = tree.documents().next() else {
        return Vec::new();
    };
    let text = |key| scheme.get(key).and_then(|list| list.text());
    if text("podList") != Some(PODS) || text("namespaceList").is_some_and(|list| list != NAMESPACES) {
        return Vec::new();
    }
    let configs = scheme
        .get("networkConfigList")
        .into_iter()
        .flat_map(|list| list.items());
    let configs: BTreeMap<&str, Node<'_>> = configs
        .filter_map(|config| Some((config.get("name")?.text()?, config)))
        .collect();
    let sampled = |name: &str, samples: &Samples| {
        let (config, policy) = name.split_once('/').map_or((name, None), |(a, b)| (a, Some(b)));
        let folder = path.parent()?;
        Some(connections(
            &cluster(*configs.get(config)?, folder, pods, policy)?,
            samples,
        ))
    };
    let queries = scheme.get("queries").into_iter().flat_map(|list| list.items());
    let mut found = Vec::new();
    for query in queries {
        for (kind, is_equivalence) in ASKED {
            let Some(list) = query.get(kind) else { continue };
            let names: Vec<&str> = list.items().filter_map(|name| name.text()).collect();
            let samples = Samples::of(&names, &configs, path.parent().unwrap());
            let sets: Option<Vec<Vec<bool>>> = names.iter().map(|name| sampled(name, &samples)).collect();
            let (Some(sets), Some(expected)) = (sets, query.get("expected").and_then(|it| it.as_int()))
            else {
                continue;
            };
            let ours = if *is_equivalence {
                n_different(&sets)
            } else {
                n_contained(&sets)
            };
            found.push(Question {
                words: format!("{name}: {kind} of {names:?}"),
                expected,
                ours: i64::try_from(ours).unwrap(),
            });
        }
    }
    found
}

fn n_different(sets: &[Vec<bool>]) -> usize {
    let pairs = sets
        .iter()
        .enumerate()
        .flat_map(|(at, one)| sets[at + 1..].iter().map(move |other| (one, other)));
    pairs.filter(|(one, other)| one != other).count()
}

/// How many of the others the first contains.
fn n_contained(sets: &[Vec<bool>]) -> usize {
    let contains = |other: &&Vec<bool>| sets[0].iter().zip(*other).all(|(one, other)| *one || !other);
    sets[1..].iter().filter(contains).count()
}

/// The files of a set of policies.
fn files(config: Node<'_>, folder: &Path) -> Option<Vec<(String, Vec<u8>)>> {
    let names = config
        .get("networkPolicyList")?
        .items()
        .filter_map(|policy| policy.text());
    names
        .map(|name| Some((name.to_owned(), std::fs::read(folder.join(name)).ok()?)))
        .collect()
}

/// The pods with the policies of a set, or with one of them (`namespace/name`); of a set with pods of its own, nothing.
fn cluster(config: Node<'_>, folder: &Path, pods: &Path, policy: Option<&str>) -> Option<Cluster> {
    if config.get("namespaceList").is_some() || config.get("podList").is_some() {
        return None;
    }
    let mut all = Folder::read(pods);
    for (name, bytes) in files(config, folder)? {
        let bytes = policy.map_or(bytes.clone(), |policy| only(&bytes, policy));
        all.add(&name, bytes);
    }
    Some(all.cluster().0)
}

/// The documents of a text that are one policy.
fn only(bytes: &[u8], policy: &str) -> Vec<u8> {
    let text = String::from_utf8_lossy(bytes);
    let (namespace, name) = policy
        .split_once('/')
        .map_or((None, policy), |(a, b)| (Some(a), b));
    let mut sources = SourceMap::new();
    let file = sources.add_text("policies.yaml", text.clone());
    let tree = Tree::read(sources.source(file), Schema::Core);
    let is_it = |document: &Node<'_>| {
        let word = |key| document.get("metadata")?.get(key)?.text();
        word("name") == Some(name) && namespace.is_none_or(|of| word("namespace") == Some(of))
    };
    let found = tree.documents().filter(is_it).map(|document| {
        let span = document.span();
        &text[span.start as usize..span.end as usize]
    });
    found.collect::<Vec<_>>().join("\n---\n").into_bytes()
}

/// Addresses and ports at which answers may change: at and beside all that policies name.
struct Samples {
    addresses: Vec<IpAddr>,
    ports: Vec<u16>,
}

impl Samples {
    fn of(names: &[&str], configs: &BTreeMap<&str, Node<'_>>, folder: &Path) -> Self {
        let outside = ["49.50.0.1", "1.2.3.4", "198.51.100.1", "10.1.2.3", "2001:db8::1"];
        let mut addresses: BTreeSet<IpAddr> = outside.iter().map(|one| one.parse().unwrap()).collect();
        let mut ports = BTreeSet::from([53, 54, 80, 443, 5000, 5001, 8080, 10054]);
        let configs = names
            .iter()
            .filter_map(|name| configs.get(name.split('/').next()?));
        for (_, bytes) in configs.filter_map(|config| files(*config, folder)).flatten() {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            for word in text.split(|one: char| !one.is_ascii_hexdigit() && !"./:".contains(one)) {
                if let (true, Ok(network)) =
                    (word.contains('.') || word.contains("::"), word.parse::<Network>())
                {
                    let ends = [
                        Some(network.low),
                        network.low.checked_sub(1),
                        Some(network.high),
                        network.high.checked_add(1),
                    ];
                    let ends = ends
                        .into_iter()
                        .flatten()
                        .filter(|end| *end <= network.family.max());
                    addresses.extend(ends.map(|end| network.family.address(end)));
                }
                for number in word.split(':').filter_map(|part| part.parse::<u16>().ok()) {
                    ports.extend([number.saturating_sub(1), number, number.saturating_add(1)]);
                }
            }
        }
        Self {
            addresses: addresses.into_iter().collect(),
            ports: ports.into_iter().collect(),
        }
    }
}

/// What surely may be opened between all ends. The other tool takes blocks to be about what is outside of the cluster alone.
fn connections(cluster: &Cluster, samples: &Samples) -> Vec<bool> {
    let mut ends: Vec<End> = (0..cluster.workloads().count()).map(End::Workload).collect();
    ends.extend(samples.addresses.iter().map(|address| End::Outside(*address)));
    let mut found = Vec::new();
    for (from, to) in ends
        .iter()
        .flat_map(|from| ends.iter().map(move |to| (*from, *to)))
    {
        for port in &samples.ports {
            for protocol in [6, 17, 132] {
                let flow = Flow {
                    protocol,
                    port: *port,
                };
                found.push(cluster.may_reach(from, to, flow) == Truth::Yes);
            }
        }
    }
    found
}
