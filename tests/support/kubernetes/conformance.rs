//! The conformance tests of the network policy API: policies, changes to them, and probes between pods.
//!
//! The policies of most suites are not in the corpus as they are, but in the API before, under another project's tests: which
//! is which is said here. INVARIANT: a change that is not understood ends a suite's answers, never changes them.

use std::path::{Path, PathBuf};

use portcullis::dialect::kubernetes::Truth;
use serde_json::Value;

use super::{Folder, flow, pod_set};

/// Folders of the other project with the policies of a suite.
const SAME_POLICIES: &[(&str, &str)] = &[
    ("base/admin_tier/standard-ingress-udp-rules.yaml", "anp_test_6"),
    ("base/admin_tier/standard-ingress-tcp-rules.yaml", "anp_test_7"),
    ("base/admin_tier/standard-ingress-sctp-rules.yaml", "anp_test_8"),
    ("base/admin_tier/standard-gress-rules-combined.yaml", "anp_test_9"),
    ("base/admin_tier/standard-egress-udp-rules.yaml", "anp_test_10"),
    ("base/admin_tier/standard-egress-tcp-rules.yaml", "anp_test_11"),
    ("base/admin_tier/standard-egress-sctp-rules.yaml", "anp_test_12"),
    (
        "base/baseline_tier/standard-egress-udp-rules.yaml",
        "banp_test_core_egress_udp_rules",
    ),
    (
        "base/baseline_tier/standard-ingress-sctp-rules.yaml",
        "banp_test_core_ingress_sctp_rules",
    ),
    (
        "base/baseline_tier/standard-gress-rules-combined.yaml",
        "banp_test_core_gress_rules",
    ),
];

/// Tests of one file, which change its policies one after the other.
pub(crate) struct Suite {
    tests: Vec<Value>,
    /// Texts of pods and policies; `None` if the corpus has them not.
    texts: Option<Vec<(String, String)>>,
}

/// A probe, with what is answered.
pub(crate) struct Probe {
    pub(crate) words: String,
    pub(crate) is_connected: bool,
    pub(crate) outcome: Outcome,
}

pub(crate) enum Outcome {
    Answered(Truth),
    NoPolicies,
    NotApplied,
}

/// All suites.
pub(crate) fn suites(api: &Path, analyzer: &Path) -> Vec<Suite> {
    let text = std::fs::read_to_string(api.join("expected/conformance_probes.json")).unwrap();
    let mut tests: Vec<Value> = serde_json::from_str(&text).unwrap();
    let key = |test: &Value| (test["source"].to_string(), test["manifests"].to_string());
    tests.sort_by_key(|test| (key(test), test["order_in_file"].as_u64()));
    tests
        .chunk_by(|a, b| key(a) == key(b))
        .map(|tests| Suite {
            texts: texts(&tests[0], api, analyzer),
            tests: tests.to_vec(),
        })
        .collect()
}

fn texts(test: &Value, api: &Path, analyzer: &Path) -> Option<Vec<(String, String)>> {
    let manifests: Vec<&str> = test["manifests"]
        .as_array()?
        .iter()
        .filter_map(Value::as_str)
        .collect();
    let [manifest] = manifests.as_slice() else {
        return None;
    };
    let own = api.join("conformance").join(manifest);
    let paths: Vec<PathBuf> = if own.is_file() {
        vec![api.join("conformance/base/manifests.yaml"), own]
    } else {
        let (_, folder) = SAME_POLICIES.iter().find(|(known, _)| known == manifest)?;
        let entries = std::fs::read_dir(analyzer.join(folder)).ok()?;
        let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        paths
    };
    // The suite fills in the ports of nodes that it found to be free.
    let filled = |path: PathBuf| {
        let written = std::fs::read_to_string(&path).ok()?;
        let written = written
            .replace("{{ index .HostNetworkPorts ", "3434")
            .replace(" }}", "");
        Some((path.display().to_string(), written))
    };
    paths.into_iter().map(filled).collect()
}

impl Suite {
    pub(crate) fn probes(&self) -> Vec<Probe> {
        let mut texts = self.texts.clone();
        let mut is_applied = true;
        let mut probes = Vec::new();
        for test in &self.tests {
            let mut server = None;
            for step in test["steps"].as_array().unwrap() {
                let text = step["text"].as_str().unwrap_or("");
                match step["op"].as_str().unwrap() {
                    "mutate" => {
                        if let Some(texts) = &mut texts {
                            is_applied &= change(text, texts);
                        }
                    }
                    "comment" if text.starts_with("delete network policy") => {
                        if let Some(texts) = &mut texts {
                            delete_network_policies(texts);
                        }
                    }
                    "comment" => server = server_of(text).or(server),
                    "probe" => {
                        let mut step = step.clone();
                        if let Some((namespace, pod)) = &server {
                            step["to"] = serde_json::json!([namespace, pod]);
                        }
                        probes.push(probe(test, &step, texts.as_deref(), is_applied));
                    }
                    _ => {}
                }
            }
        }
        probes
    }
}

/// The server that a comment names. Tests give their variables for it anew, which the list of probes does not know.
fn server_of(comment: &str) -> Option<(String, String)> {
    let (pod, rest) = comment.split_once(" is our server pod in ")?;
    let namespace = rest.strip_suffix(" namespace")?;
    Some((format!("network-policy-conformance-{namespace}"), pod.to_owned()))
}

fn probe(test: &Value, step: &Value, texts: Option<&[(String, String)]>, is_applied: bool) -> Probe {
    let words = format!("{}: {step}", test["test"]);
    let connected = step["expect_connected"].as_bool();
    let to = step["to"].as_array();
    let port = step["port"].as_u64().and_then(|port| u16::try_from(port).ok());
    let outcome = match (texts, to, port, connected) {
        (None, ..) => Outcome::NoPolicies,
        (Some(texts), Some(to), Some(port), Some(_)) if is_applied => {
            let mut folder = Folder::empty();
            for (name, text) in texts {
                folder.add(name, text.clone().into_bytes());
            }
            let (cluster, findings) = folder.cluster();
            assert!(findings.is_empty(), "{words}: {findings:?}");
            let set = |namespace: &Value, pod: &Value| {
                // Pods of a StatefulSet are its name and a number.
                let name = pod
                    .as_str()
                    .unwrap()
                    .trim_end_matches(|one: char| one == '-' || one.is_ascii_digit());
                pod_set(&cluster, &format!("{}/{name}", namespace.as_str().unwrap()))
            };
            let flow = flow(step["proto"].as_str().unwrap(), port);
            let from = set(&step["from_ns"], &step["from_pod"]);
            Outcome::Answered(cluster.may_reach(from, set(&to[0], &to[1]), flow))
        }
        _ => Outcome::NotApplied,
    };
    Probe {
        words,
        is_connected: connected == Some(true),
        outcome,
    }
}

/// Applies one statement of a test to the policy texts; whether it was understood.
fn change(statement: &str, texts: &mut [(String, String)]) -> bool {
    let Some((target, value)) = statement.split_once(" = ") else {
        // A rule that is read to be put elsewhere.
        return true;
    };
    let Some((direction, index)) = place(target) else {
        return false;
    };
    if target.ends_with(".Action") {
        let word = ["Pass", "Deny", "Accept"]
            .into_iter()
            .find(|word| value.ends_with(word));
        return word.is_some_and(|word| each_policy(texts, |text| set_action(text, direction, index, word)));
    }
    match place(value) {
        // The first half of a swap; the second puts the rule that was kept there.
        Some((_, other)) => each_policy(texts, |text| swap(text, direction, index, other)),
        None => value.ends_with("Rule") && !value.to_lowercase().contains("port"),
    }
}

/// `mutate.Spec.Ingress[3]`: the key of the rules and the number.
fn place(text: &str) -> Option<(&'static str, usize)> {
    let rest = text.strip_prefix("mutate.Spec.")?;
    let (direction, rest) = match rest.strip_prefix("Ingress[") {
        Some(rest) => ("ingress", rest),
        None => ("egress", rest.strip_prefix("Egress[")?),
    };
    Some((direction, rest.split_once(']')?.0.parse().ok()?))
}

/// Changes the first policy that has what is to be changed.
fn each_policy(texts: &mut [(String, String)], change: impl Fn(&str) -> Option<String>) -> bool {
    for (_, text) in texts {
        if let Some(changed) = text.contains("NetworkPolicy").then(|| change(text)).flatten() {
            *text = changed;
            return true;
        }
    }
    false
}

/// The lines of the rules of a direction of the first policy, by rule, with where they begin and end.
fn rules(lines: &[&str], direction: &str) -> Option<(usize, Vec<Vec<String>>, usize)> {
    let key = format!("  {direction}:");
    let begin = lines.iter().position(|line| line.trim_end() == key)? + 1;
    let is_of_it =
        |line: &&str| line.starts_with("  - ") || line.starts_with("   ") || line.trim().is_empty();
    let end = begin + lines[begin..].iter().take_while(|line| is_of_it(line)).count();
    let mut rules: Vec<Vec<String>> = Vec::new();
    for line in &lines[begin..end] {
        if line.starts_with("  - ") {
            rules.push(Vec::new());
        }
        rules.last_mut()?.push((*line).to_owned());
    }
    Some((begin, rules, end))
}

fn with_rules(
    text: &str,
    direction: &str,
    change: impl Fn(&mut Vec<Vec<String>>) -> Option<()>,
) -> Option<String> {
    let lines: Vec<&str> = text.lines().collect();
    let (begin, mut rules, end) = rules(&lines, direction)?;
    change(&mut rules)?;
    let mut changed: Vec<String> = lines[..begin].iter().map(|line| (*line).to_owned()).collect();
    changed.extend(rules.concat());
    changed.extend(lines[end..].iter().map(|line| (*line).to_owned()));
    Some(changed.join("\n") + "\n")
}

fn swap(text: &str, direction: &str, one: usize, other: usize) -> Option<String> {
    with_rules(text, direction, |rules| {
        (one.max(other) < rules.len()).then(|| rules.swap(one, other))
    })
}

fn set_action(text: &str, direction: &str, index: usize, word: &str) -> Option<String> {
    with_rules(text, direction, |rules| {
        let rule = rules.get_mut(index)?;
        let line = rule
            .iter_mut()
            .find(|line| line.trim_start().starts_with("action:"))?;
        *line = format!("    action: {word}");
        Some(())
    })
}

fn delete_network_policies(texts: &mut [(String, String)]) {
    for (_, text) in texts {
        let documents: Vec<&str> = text.split("\n---").collect();
        let kept = documents
            .iter()
            .filter(|document| !document.contains("kind: NetworkPolicy\n"));
        *text = kept.copied().collect::<Vec<_>>().join("\n---");
    }
}
