//! Schemes of np-guard's network-config-analyzer: sets of policies over the same pods, and how many pairs of them let other
//! connections through. INVARIANT: a scheme whose policies are not all in the corpus is left out.

use std::collections::BTreeMap;
use std::path::Path;

use portcullis::dialect::kubernetes::{Cluster, End, Flow, Truth};
use portcullis::source::{SourceFile, SourceMap};
use portcullis::tree::{Node, Schema, Tree};

use super::Folder;

/// The pods of most schemes; another project of the same authors has them under its tests.
const PODS: &str = "../../example_podlist/pods_list.json";

/// A question how many pairs of sets differ.
pub(crate) struct Question {
    pub(crate) words: String,
    pub(crate) expected: i64,
    pub(crate) ours: i64,
}

/// The questions about equivalence of a scheme.
pub(crate) fn equivalences(path: &Path, pods: &Path) -> Vec<Question> {
    let mut sources = SourceMap::new();
    let name = path.display().to_string();
    let file = sources.add(SourceFile::from_bytes(name.clone(), std::fs::read(path).unwrap()));
    let tree = Tree::read(sources.source(file), Schema::Core);
    let Some(scheme) = tree.documents().next() else {
        return Vec::new();
    };
    if scheme.get("podList").and_then(|list| list.text()) != Some(PODS) {
        return Vec::new();
    }
    let configs = scheme
        .get("networkConfigList")
        .into_iter()
        .flat_map(|list| list.items());
    let configs: BTreeMap<&str, Vec<Truth>> = configs
        .filter_map(|config| {
            let cluster = cluster(config, path.parent()?, pods)?;
            Some((config.get("name")?.text()?, connections(&cluster)))
        })
        .collect();
    let queries = scheme.get("queries").into_iter().flat_map(|list| list.items());
    let questions = queries.filter_map(|query| {
        let names: Vec<&str> = query
            .get("equivalence")?
            .items()
            .filter_map(|name| name.text())
            .collect();
        let sets: Option<Vec<&Vec<Truth>>> = names.iter().map(|name| configs.get(name)).collect();
        let sets = sets?;
        let pairs = sets
            .iter()
            .enumerate()
            .flat_map(|(at, one)| sets[at + 1..].iter().map(move |other| (one, other)));
        Some(Question {
            words: format!("{name}: {names:?}"),
            expected: query
                .get("expected")
                .and_then(|expected| expected.as_int())
                .unwrap_or(0),
            ours: i64::try_from(pairs.filter(|(one, other)| one != other).count()).unwrap(),
        })
    });
    questions.collect()
}

/// The pods with the policies of a set; of a set with pods of its own, nothing.
fn cluster(config: Node<'_>, folder: &Path, pods: &Path) -> Option<Cluster> {
    if config.get("namespaceList").is_some() || config.get("podList").is_some() {
        return None;
    }
    let mut all = Folder::read(pods);
    for policy in config
        .get("networkPolicyList")?
        .items()
        .filter_map(|policy| policy.text())
    {
        all.add(policy, std::fs::read(folder.join(policy)).ok()?);
    }
    Some(all.cluster().0)
}

/// What may be opened between all ends. The other tool takes blocks to be about what is outside of the cluster alone.
fn connections(cluster: &Cluster) -> Vec<Truth> {
    let outside = ["49.50.0.1", "1.2.3.4", "198.51.100.1", "10.1.2.3"];
    let mut ends: Vec<End> = (0..cluster.workloads().count()).map(End::Workload).collect();
    ends.extend(outside.map(|address| End::Outside(address.parse().unwrap())));
    let mut found = Vec::new();
    for (from, to) in ends
        .iter()
        .flat_map(|from| ends.iter().map(move |to| (*from, *to)))
    {
        for port in [53, 54, 80, 443, 5000, 5001, 8080, 10054] {
            for protocol in [6, 17] {
                let answer = cluster.may_reach(from, to, Flow { protocol, port });
                found.push(Truth::of(answer == Truth::Yes));
            }
        }
    }
    found
}
