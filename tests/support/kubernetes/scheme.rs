//! Schemes of np-guard's network-config-analyzer: sets of policies over the same pods, and how many pairs of them let other
//! connections through. INVARIANT: a scheme whose policies are not all in the corpus is left out.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::Path;

use portcullis::dialect::kubernetes::{End, Flow, Truth};
use portcullis::model::{Action, Hook};
use portcullis::packet::Network;
use portcullis::source::{SourceFile, SourceMap};
use portcullis::tree::{Node, Schema, Tree};

use super::Folder;

/// The pods of most schemes; another project of the same authors has them under its tests.
const PODS: &str = "../../example_podlist/pods_list.json";
/// Pods of a scheme of its own.
const OWN_PODS: &str = "./topology/";
const NAMESPACES: &str = "../../example_podlist/ns_list.json";

/// A question how many pairs of sets are as its name says.
pub(crate) struct Question {
    pub(crate) words: String,
    pub(crate) expected: i64,
    pub(crate) ours: i64,
}

/// What sets of policies let through of the same packets, and which of these some policy speaks of.
struct Answers {
    lets: Vec<bool>,
    is_asked: Vec<bool>,
}

/// How many sets are as a question says.
type Count = fn(&[Answers]) -> usize;

/// The questions that are answered here, with how many sets are as they say.
const ASKED: &[(&str, Count)] = &[
    ("equivalence", n_different),
    ("containment", n_contained),
    ("permits", n_denied),
    ("forbids", n_allowed),
];

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
    let own_pods = path.parent().unwrap().join(OWN_PODS);
    let pods = match text("podList") {
        Some(OWN_PODS) => own_pods.as_path(),
        Some(PODS) if text("namespaceList").is_none_or(|list| list == NAMESPACES) => pods,
        _ => return Vec::new(),
    };
    let configs = scheme
        .get("networkConfigList")
        .into_iter()
        .flat_map(|list| list.items());
    let configs: BTreeMap<&str, Node<'_>> = configs
        .filter_map(|config| Some((config.get("name")?.text()?, config)))
        .collect();
    let asked = |name: &str, samples: &Samples| {
        let (config, policy) = name.split_once('/').map_or((name, None), |(a, b)| (a, Some(b)));
        let folder = path.parent()?;
        Some(answers(
            &set(*configs.get(config)?, folder, pods, policy)?,
            samples,
        ))
    };
    let queries = scheme.get("queries").into_iter().flat_map(|list| list.items());
    let mut found = Vec::new();
    for query in queries {
        for (kind, count) in ASKED {
            let Some(list) = query.get(kind) else { continue };
            let names: Vec<&str> = list.items().filter_map(|name| name.text()).collect();
            let samples = Samples::of(&names, &configs, path.parent().unwrap());
            let sets: Option<Vec<Answers>> = names.iter().map(|name| asked(name, &samples)).collect();
            let (Some(sets), Some(expected)) = (sets, query.get("expected").and_then(|it| it.as_int()))
            else {
                continue;
            };
            found.push(Question {
                words: format!("{name}: {kind} of {names:?}"),
                expected,
                ours: i64::try_from(count(&sets)).unwrap(),
            });
        }
    }
    found
}

fn n_different(sets: &[Answers]) -> usize {
    let pairs = sets
        .iter()
        .enumerate()
        .flat_map(|(at, one)| sets[at + 1..].iter().map(move |other| (one, other)));
    pairs.filter(|(one, other)| one.lets != other.lets).count()
}

/// How many of the others the first contains.
fn n_contained(sets: &[Answers]) -> usize {
    let contains = |other: &&Answers| {
        sets[0]
            .lets
            .iter()
            .zip(&other.lets)
            .all(|(one, other)| *one || !other)
    };
    sets[1..].iter().filter(contains).count()
}

/// How many of the others say of something that it is let through that the first denies.
fn n_denied(sets: &[Answers]) -> usize {
    n_speaking(sets, |first| !first)
}

/// How many of the others say of something that it is let through that the first lets through.
fn n_allowed(sets: &[Answers]) -> usize {
    n_speaking(sets, |first| first)
}

fn n_speaking(sets: &[Answers], is_meant: fn(bool) -> bool) -> usize {
    let speaks = |other: &&Answers| {
        let mut asked = other.lets.iter().zip(&other.is_asked).zip(&sets[0].lets);
        asked.any(|((lets, is_asked), first)| *lets && *is_asked && is_meant(*first))
    };
    sets[1..].iter().filter(speaks).count()
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

/// The pods with the policies of a set, or with one of them (`namespace/name`); of a set with pods of its own, nothing;
/// with policies of an API that is not read here, nothing either.
fn set(config: Node<'_>, folder: &Path, pods: &Path, policy: Option<&str>) -> Option<Folder> {
    if config.get("namespaceList").is_some() || config.get("podList").is_some() {
        return None;
    }
    let mut all = Folder::read(pods);
    for (name, bytes) in files(config, folder)? {
        let is_read = |api: &str| !String::from_utf8_lossy(&bytes).contains(api);
        if !["istio.io", "kind: Ingress"].iter().all(|api| is_read(api)) {
            return None;
        }
        let bytes = policy.map_or(bytes.clone(), |policy| only(&bytes, policy));
        all.add(&name, bytes);
    }
    Some(all)
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
fn answers(set: &Folder, samples: &Samples) -> Answers {
    let (cluster, reading) = (set.cluster().0, set.reading());
    let mut ends: Vec<End> = (0..cluster.workloads().count()).map(End::Workload).collect();
    ends.extend(samples.addresses.iter().map(|address| End::Outside(*address)));
    // Whether a policy says anything of what comes to pods, or leaves them.
    let is_spoken_of = |end: End, hook: Hook| {
        let End::Workload(index) = end else { return false };
        let ruleset = &reading.workloads[index].ruleset;
        let base = ruleset.bases.iter().find(|base| base.hook == hook).unwrap();
        let rules = &ruleset.chains[base.chain.0 as usize].rules;
        rules.iter().any(|rule| matches!(rule.action, Action::Jump(_)))
    };
    let mut found = Answers {
        lets: Vec::new(),
        is_asked: Vec::new(),
    };
    for (from, to) in ends
        .iter()
        .flat_map(|from| ends.iter().map(move |to| (*from, *to)))
    {
        let is_asked = is_spoken_of(from, Hook::Output) || is_spoken_of(to, Hook::Input);
        for port in &samples.ports {
            for protocol in [6, 17, 132] {
                let flow = Flow {
                    protocol,
                    port: *port,
                };
                found.lets.push(cluster.may_reach(from, to, flow) == Truth::Yes);
                found.is_asked.push(is_asked);
            }
        }
    }
    found
}
