//! What Cilium's own connectivity tests expect of policies: of the manifests in the corpus, where it has them, and of policies of ours
//! that do what the names of the tests say. INVARIANT: every expectation of the corpus is asked or is named with why it is not.

use std::path::Path;

use portcullis::dialect::kubernetes::{End, Flow, Truth};
use serde_json::Value;

use super::cilium_expected::{NOT_A_PAIR, NOT_ASKED, PAIRS, TESTS};
use super::{Folder, corpus, flow, lowered, pod_set};
use crate::file;
use crate::say::say;

/// A policy about nobody, so that Cilium is who enforces NetworkPolicies too.
const NOBODY: &str = "apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: nobody, namespace: none}\n\
                      spec: {endpointSelector: {}, ingress: [{}]}\n";

/// The text of a policy by its name, from one of two places.
struct Manifests {
    ours: Vec<(String, String)>,
    theirs: Option<std::path::PathBuf>,
}

impl Manifests {
    fn ours() -> Self {
        let text = file::text("fixtures/kubernetes-connectivity/policies.yaml");
        let documents = text.split("\n---\n").map(|document| {
            let (_, rest) = document.split_once("metadata: {name: ").unwrap();
            (rest.split_once(',').unwrap().0.to_owned(), document.to_owned())
        });
        Self {
            ours: documents.collect(),
            theirs: None,
        }
    }

    fn theirs() -> Option<Self> {
        let theirs = corpus("cilium+cilium-cli")?.join("connectivity/builder/manifests");
        Some(Self {
            ours: Vec::new(),
            theirs: Some(theirs),
        })
    }

    fn text(&self, name: &str) -> Option<String> {
        match &self.theirs {
            None => self
                .ours
                .iter()
                .find(|(known, _)| known == name)
                .map(|(_, text)| text.clone()),
            Some(folder) => {
                let text = std::fs::read_to_string(folder.join(format!("{name}.yaml"))).ok()?;
                Some(filled_in(&text))
            }
        }
    }

    /// The cluster under these policies; `None` if there is one that nobody has.
    fn folder(&self, names: &[&str]) -> Option<Folder> {
        let mut folder = Folder::empty();
        let cluster = file::text("fixtures/kubernetes-connectivity/cluster.yaml");
        folder.add("cluster.yaml", cluster.into_bytes());
        folder.add("nobody.yaml", NOBODY.as_bytes().to_vec());
        for name in names {
            folder.add(&format!("{name}.yaml"), self.text(name)?.into_bytes());
        }
        Some(folder)
    }
}

/// Their templates with addresses filled in, and the namespace that they are applied to.
fn filled_in(text: &str) -> String {
    let mut text = text.replacen("metadata:\n", "metadata:\n  namespace: cilium-test\n", 1);
    let values = [
        ("{{.ExternalCIDRv4}}", "1.0.0.0/8"),
        ("{{.ExternalCIDRv6}}", "2606::/16"),
        ("{{.ExternalCIDR}}", "1.0.0.0/8"),
        ("{{ .ExternalOtherIPv4 | ipToCIDR }}", "1.0.0.1/32"),
        ("{{ .ExternalOtherIPv6 | ipToCIDR }}", "2606::1001/128"),
        ("{{ .ExternalOtherIP | ipToCIDR }}", "1.0.0.1/32"),
        ("{{.ExternalIPv4 | ipToCIDR }}", "1.1.1.1/32"),
        ("{{.ExternalIPv6 | ipToCIDR }}", "2606::1111/128"),
        ("{{trimSuffix .ExternalTarget \".\"}}", "one"),
        ("{{.ExternalTarget}}", "one.one.one.one."),
        ("{{.ClusterNameLocal}}", "one"),
        ("{{.ClusterNameRemote}}", "other"),
        ("{{.ClusterName}}", "one"),
    ];
    for (template, value) in values {
        text = text.replace(template, value);
    }
    text
}

/// What both the policies and the rulesets made of them answer.
fn answer(folder: &Folder, from: &str, to: &str, flow: Flow) -> Truth {
    let (cluster, _) = folder.cluster();
    let end = |name: &str| match name.parse() {
        Ok(address) => End::Outside(address),
        Err(_) => pod_set(&cluster, &format!("cilium-test/{name}")),
    };
    let (source, destination) = (end(from), end(to));
    let plain = cluster.may_reach(source, destination, flow);
    let reading = folder.reading();
    let hosts = lowered::Hosts::new(&reading);
    let made = match (source, destination) {
        (End::Workload(from), End::Workload(to)) => hosts.may_reach(from, to, flow),
        (End::Workload(from), End::Outside(to)) => hosts.outside(from, to, false, flow),
        (End::Outside(from), End::Workload(to)) => hosts.outside(to, from, true, flow),
        (End::Outside(_), End::Outside(_)) => plain,
    };
    assert_eq!(plain, made, "{from} -> {to} {flow:?}");
    plain
}

fn flow_of(service: &str) -> Flow {
    let (protocol, port) = service.split_once('/').unwrap();
    flow(protocol, port.parse().unwrap())
}

fn ask_all(manifests: &Manifests) -> (usize, usize) {
    let (mut n_asked, mut n_without) = (0, 0);
    for test in TESTS {
        let Some(folder) = manifests.folder(test.manifests) else {
            n_without += 1;
            continue;
        };
        for (from, to, service, expected) in test.probes {
            let found = answer(&folder, from, to, flow_of(service));
            assert_eq!(found, *expected, "{}: {from} -> {to} {service}", test.name);
            n_asked += 1;
        }
    }
    (n_asked, n_without)
}

#[test]
fn policies_do_what_the_names_of_ciliums_tests_say() {
    let (n_asked, n_without) = ask_all(&Manifests::ours());
    assert_eq!(n_without, 0);
    assert!(n_asked > 50);
}

#[test]
fn manifests_of_ciliums_tests_do_what_they_expect() {
    let Some(manifests) = Manifests::theirs() else {
        return;
    };
    let (n_asked, n_without) = ask_all(&manifests);
    say(&format!(
        "{n_asked} probes as Cilium expects; {n_without} tests without their manifests in the corpus"
    ));
}

/// One policy in both APIs, enforced by Cilium: who reaches whom is the same.
#[test]
fn one_policy_in_both_apis_means_the_same() {
    assert_eq!(same_in_both(&Manifests::ours(), &[]), (PAIRS.len(), 0));
    if let Some(manifests) = Manifests::theirs() {
        let (n_equal, n_excepted) = same_in_both(&manifests, NOT_A_PAIR);
        say(&format!(
            "{n_equal} pairs of the corpus are equal, {n_excepted} excepted by name"
        ));
    }
}

fn same_in_both(manifests: &Manifests, excepted: &[(&str, &str)]) -> (usize, usize) {
    let (mut n_equal, mut n_excepted) = (0, 0);
    for name in PAIRS {
        let both = [name.to_string(), format!("{name}-knp")];
        let folders = both.map(|name| manifests.folder(&[name.as_str()]));
        let [Some(one), Some(other)] = folders else {
            continue;
        };
        let connections = [&one, &other].map(|folder| folder.cluster().0.connections());
        let is_excepted = excepted.iter().any(|(known, _)| known == name);
        assert_eq!(connections[0] == connections[1], !is_excepted, "{name}");
        n_equal += usize::from(!is_excepted);
        n_excepted += usize::from(is_excepted);
    }
    (n_equal, n_excepted)
}

/// Every test that the corpus has expectations of is asked here, or is named with why it is not.
#[test]
fn every_expectation_of_ciliums_tests_is_asked_or_excepted() {
    let Some(root) = corpus("cilium+cilium-cli") else {
        return;
    };
    let text = std::fs::read_to_string(Path::new(&root).join("expected/builder_expectations.json")).unwrap();
    let all: Vec<Value> = serde_json::from_str(&text).unwrap();
    let mut missing = Vec::new();
    for one in &all {
        let assigned = one["name_assigns"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str);
        let written = one["name_expr"].as_str().filter(|name| name.starts_with('"'));
        let names = written
            .map(|name| name.trim_matches('"'))
            .into_iter()
            .chain(assigned);
        for name in names {
            // The same with a range of ports is asked with the plain one.
            let name = name.trim_end_matches("-port-range");
            let is_asked = TESTS.iter().any(|test| test.name == name);
            let is_excepted = NOT_ASKED.iter().any(|(known, _)| name.starts_with(known));
            if !is_asked && !is_excepted {
                missing.push(name.to_owned());
            }
        }
    }
    assert!(missing.is_empty(), "neither asked nor excepted: {missing:?}");
    say(&format!("{} expectations asked or excepted by name", all.len()));
}
