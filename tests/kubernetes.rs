//! Clusters of others, and the results that they got from them, found through `PORTCULLIS_CORPUS`: without it, each test says
//! that it skipped. INVARIANT: a sure answer never contradicts an expected one; what is excepted is named with its reason.
#![cfg(test)]

#[path = "../benches/generate/cluster.rs"]
mod cluster;
#[path = "support/file.rs"]
mod file;
#[path = "support/golden.rs"]
mod golden;
#[path = "support/kubernetes/mod.rs"]
mod kubernetes;
#[path = "support/say.rs"]
mod say;

use kubernetes::conformance::{Outcome, suites};
use kubernetes::{Folder, corpus, lowered, pod_set};
use portcullis::dialect::kubernetes::{Backend, Cluster, End, Truth};
use portcullis::finding::Code;
use serde_json::Value;

const NETPOL_ANALYZER: &str = "np-guard+netpol-analyzer";

/// Folders that the other tool refuses and that are good to Kubernetes, or the other way about: with the reason.
const NOT_BAD: &[(&str, &str)] = &[
    (
        "anp_bad_path_test_1",
        "two policies of one priority are legal; which is asked first is an unknown, and said",
    ),
    (
        "banp_bad_path_test_2",
        "the name of a BaselineAdminNetworkPolicy decides nothing about what it lets through",
    ),
    (
        "bad_yamls",
        "what is wrong in these files is of kinds that say nothing about who may talk to whom",
    ),
];

#[test]
fn single_questions_are_answered_alike() {
    let Some(root) = corpus(NETPOL_ANALYZER) else {
        return;
    };
    let text = std::fs::read_to_string(root.join("expected/eval_dir_results.json")).unwrap();
    let questions: Vec<Value> = serde_json::from_str(&text).unwrap();
    let mut n_asked = 0;
    for question in &questions {
        let text = |key: &str| question[key].as_str().unwrap_or("");
        let folder = Folder::read(&root.join("tests").join(text("dir")));
        let (cluster, _) = folder.cluster();
        let end =
            |namespace: &str, name: &str| pod_set(&cluster, &format!("{}/{}", text(namespace), text(name)));
        let flow = kubernetes::flow(text("protocol"), text("port").parse().unwrap());
        let answer = cluster.may_reach(
            end("sourceNs", "sourceWorkload"),
            end("destNs", "destWorkload"),
            flow,
        );
        assert_eq!(answer, Truth::of(text("evalResult") == "true"), "{question}");
        n_asked += 1;
    }
    say::say(&format!("{n_asked} questions answered as expected"));
    assert!(n_asked > 0);
}

#[test]
fn what_others_refuse_is_not_read_in_silence() {
    let Some(root) = corpus(NETPOL_ANALYZER) else {
        return;
    };
    let (mut n_bad, mut n_other) = (0, 0);
    for folder in Folder::all(&root.join("tests")) {
        let name = folder.name();
        let is_bad = name.contains("bad_path") || name == "bad_yamls" || name == "document_with_syntax_error";
        if !is_bad || name.starts_with("udn") {
            continue;
        }
        let (_, findings) = folder.cluster();
        let is_unread = findings.iter().any(|finding| finding.code == Code::UnreadText);
        let is_excepted = NOT_BAD.iter().any(|(excepted, _)| *excepted == name);
        assert_eq!(is_unread, !is_excepted, "{name}: {findings:?}");
        n_bad += usize::from(!is_excepted);
        n_other += usize::from(is_excepted);
    }
    say::say(&format!(
        "{n_bad} folders refused as expected, {n_other} excepted by name"
    ));
    assert!(n_bad > 0);
}

/// The conformance tests of the network policy API: each probe after the mutations that stand before it.
#[test]
fn conformance_probes_connect_as_expected() {
    let Some(api) = corpus("kubernetes-sigs+network-policy-api") else {
        return;
    };
    let Some(analyzer) = corpus(NETPOL_ANALYZER) else {
        return;
    };
    let (mut n_agreed, mut n_without, mut n_skipped) = (0, 0, 0);
    let mut others = Vec::new();
    for suite in suites(&api, &analyzer.join("tests")) {
        for probe in suite.probes() {
            match probe.outcome {
                Outcome::Answered(answer) => {
                    if answer == Truth::of(probe.is_connected) {
                        n_agreed += 1;
                    } else {
                        others.push(format!("{answer:?}: {}", probe.words));
                    }
                }
                Outcome::NoPolicies => n_without += 1,
                Outcome::NotApplied => n_skipped += 1,
            }
        }
    }
    say::say(&format!(
        "{n_agreed} probes as expected; {n_without} without their policies in the corpus, {n_skipped} after a change that is not applied here or to no named pod"
    ));
    assert!(others.is_empty(), "{}", others.join("\n"));
    assert!(n_agreed > 50);
}

/// Sets of policies that let the same through, and sets that do not.
#[test]
fn sets_of_policies_are_as_equal_as_expected() {
    sets_are_as_expected("k8s_testcases", &[]);
}

/// The same, of policies of Calico.
#[test]
fn sets_of_policies_of_calico_are_as_equal_as_expected() {
    sets_are_as_expected("calico_testcases", OTHERWISE);
}

/// Sets of policies that the other tool judges otherwise, by the end of the question: what we say, and why.
const OTHERWISE: &[(&str, i64, &str)] = &[];

fn sets_are_as_expected(set: &str, otherwise: &[(&str, i64, &str)]) {
    let Some(root) = corpus(&format!("np-guard+network-config-analyzer/tests/{set}")) else {
        return;
    };
    let Some(analyzer) = corpus(NETPOL_ANALYZER) else {
        return;
    };
    let pods = analyzer.join("tests/semanticDiff-orig-topologies-no-policy");
    let (mut n_asked, mut wrong) = (0, Vec::new());
    for entry in walkdir::WalkDir::new(root)
        .sort_by_file_name()
        .into_iter()
        .map(Result::unwrap)
    {
        if !entry.file_name().to_string_lossy().ends_with("scheme.yaml") {
            continue;
        }
        for question in kubernetes::scheme::questions(entry.path(), &pods) {
            let other = otherwise
                .iter()
                .find(|(words, ..)| question.words.ends_with(words));
            let expected = other.map_or(question.expected, |(_, ours, _)| *ours);
            n_asked += 1;
            if question.ours != expected {
                wrong.push(format!("{}: {} for {expected}", question.words, question.ours));
            }
        }
    }
    say::say(&format!(
        "{set}: {n_asked} questions about sets of policies answered as expected, {} of them otherwise than by the other tool",
        otherwise.len()
    ));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(n_asked > 0);
}

/// Each pair of workloads of each folder: the policies asked one by one, and the rulesets that were made of them.
#[test]
fn rulesets_say_what_the_policies_say() {
    let Some(root) = corpus(NETPOL_ANALYZER) else {
        return;
    };
    let (mut n_asked, mut n_sure, mut n_folders) = (0, 0, 0);
    for folder in Folder::all(&root.join("tests")) {
        let (cluster, _) = folder.cluster();
        let reading = folder.reading();
        let hosts = lowered::Hosts::new(&reading);
        let (asked, sure) = compare(&cluster, &hosts, &folder.name());
        n_asked += asked;
        n_sure += sure;
        n_folders += usize::from(asked > 0);
    }
    say::say(&format!(
        "{n_asked} packets in {n_folders} clusters decided alike, {n_sure} of them surely by both"
    ));
    assert!(n_sure > 1000);
}

fn compare(cluster: &Cluster, hosts: &lowered::Hosts<'_>, name: &str) -> (usize, usize) {
    let (mut n_asked, mut n_sure) = (0, 0);
    let n_workloads = cluster.workloads().count();
    let flows = [
        ("tcp", 80),
        ("tcp", 8080),
        ("tcp", 443),
        ("tcp", 9090),
        ("udp", 53),
        ("udp", 5353),
        ("sctp", 9003),
        ("sctp", 9005),
    ];
    // The larger folders repeat themselves: every third workload of them is asked.
    let step = 1 + n_workloads / 12;
    for from in (0..n_workloads).step_by(step) {
        for to in (0..n_workloads).step_by(step) {
            for (protocol, port) in flows {
                let flow = kubernetes::flow(protocol, port);
                let plain = cluster.may_reach(End::Workload(from), End::Workload(to), flow);
                let made = hosts.may_reach(from, to, flow);
                n_asked += 1;
                let is_contradiction = plain.and(made) == Truth::No && plain.or(made) == Truth::Yes;
                assert!(
                    !is_contradiction,
                    "{name}: {from} -> {to} {flow:?}: {plain:?}, lowered {made:?}"
                );
                n_sure += usize::from(plain == made && plain != Truth::Maybe);
                let is_widened = plain != Truth::Maybe && made == Truth::Maybe;
                assert!(
                    !is_widened || flow.protocol > 200,
                    "{name}: {from} -> {to} {flow:?}: {plain:?} became unsure"
                );
            }
        }
    }
    (n_asked, n_sure)
}

/// Clusters of our own, with what may be opened in each.
#[test]
fn our_own_clusters_connect_as_their_tables_say() {
    for folder in Folder::all(&file::place("fixtures/kubernetes")) {
        let name = folder.name();
        let table = file::text(&format!("fixtures/kubernetes/{name}/connections.txt"));
        let (cluster, findings) = folder.cluster();
        assert!(findings.is_empty(), "{name}: {findings:?}");
        let lines = table
            .lines()
            .filter(|line| !line.starts_with('#') && !line.is_empty());
        for line in lines {
            let (ends, expected) = line.rsplit_once(' ').unwrap();
            let (from, rest) = ends.split_once("->").unwrap();
            let (to, service) = rest.trim().split_once(' ').unwrap();
            let (protocol, port) = service.trim().split_once('/').unwrap();
            let flow = kubernetes::flow(protocol, port.parse().unwrap());
            let end = |name: &str| match name.parse() {
                Ok(address) => End::Outside(address),
                Err(_) => pod_set(&cluster, name),
            };
            let answer = match cluster.may_reach(end(from.trim()), end(to.trim()), flow) {
                Truth::Yes => "yes",
                Truth::No => "no",
                Truth::Maybe => "maybe",
            };
            assert_eq!(answer, expected, "{name}: {line}");
        }
        let reading = folder.reading();
        compare(&cluster, &lowered::Hosts::new(&reading), &name);
    }
}

#[test]
fn a_service_leads_to_the_port_of_its_pods() {
    let folder = Folder::read(&file::place("fixtures/kubernetes/shop"));
    let (cluster, _) = folder.cluster();
    let End::Workload(web) = pod_set(&cluster, "shop/web") else {
        panic!("no workload")
    };
    let backend = Backend {
        workload: web,
        protocol: 6,
        port: 80,
        target: 8080,
    };
    assert_eq!(cluster.behind("shop", "web"), [backend]);
    assert_eq!(cluster.behind("watch", "web"), []);
}

#[test]
fn a_large_cluster_is_read_in_time() {
    type Manifests = fn(usize) -> String;
    let apis: [(&str, Manifests); 3] = [
        ("Kubernetes", cluster::cluster),
        ("Calico", cluster::calico_cluster),
        ("Cilium", cluster::cilium_cluster),
    ];
    for ((api, text), n) in apis.iter().flat_map(|api| [(api, 200), (api, 1000)]) {
        let mut folder = Folder::empty();
        folder.add("all.yaml", text(n).into_bytes());
        let begun = std::time::Instant::now();
        let reading = folder.reading();
        let taken = begun.elapsed();
        say::say(&format!("{n} workloads with {n} policies of {api}: {taken:.2?}"));
        assert_eq!(reading.workloads.len(), n);
        assert!(reading.notices.is_empty(), "{:?}", reading.notices);
        assert!(taken.as_secs() < 20, "{n} took {taken:?}");
    }
}

/// Manifests of others, of which nothing is expected but that each is read or said not to be.
#[test]
fn manifests_of_others_are_read() {
    for set in [
        "kubeflow+manifests",
        "Azure+azure-container-networking",
        "stackrox+kube-linter",
        "np-guard+cluster-topology-analyzer",
    ] {
        let Some(root) = corpus(set) else { continue };
        let folder = Folder::read(&root);
        let (cluster, findings) = folder.cluster();
        let mut messages: std::collections::BTreeMap<String, usize> = std::collections::BTreeMap::new();
        for finding in &findings {
            *messages.entry(finding.message.clone()).or_default() += 1;
        }
        say::say(&format!(
            "{set}: {} workloads, {} notices",
            cluster.workloads().count(),
            findings.len()
        ));
        for (message, count) in messages
            .iter()
            .filter(|(message, _)| !message.contains("there twice"))
            .take(15)
        {
            say::say(&format!("    {count} times: {message}"));
        }
    }
}
