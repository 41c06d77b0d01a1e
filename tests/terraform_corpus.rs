//! Terraform as others wrote it, and what they expect of it. INVARIANT: every disagreement has its reason beside it.
#![cfg(test)]

#[path = "support/corpus/root.rs"]
mod corpus;
#[path = "support/say.rs"]
mod say;
#[path = "support/terraform.rs"]
mod terraform;
#[path = "support/world.rs"]
mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use portcullis::dialect::Dialect as _;
use portcullis::dialect::cloudformation::CloudFormation;
use portcullis::model::{Condition, Group, Rule, Side};
use portcullis::packet::Family;
use portcullis::source::SourceMap;
use terraform::Repository;
use world::Open;

const SETS: &[&str] = &[
    "DataDog+kics",
    "aquasecurity+tfsec",
    "aquasecurity+trivy",
    "bridgecrewio+checkov",
    "cloudposse+terraform-aws-security-group",
    "kubernetes+kops",
    "kubernetes-sigs+kubespray",
    "poseidon+typhoon",
    "terraform-aws-modules+terraform-aws-eks",
    "terraform-aws-modules+terraform-aws-security-group",
    "terraform-aws-modules+terraform-aws-vpc",
    "terraform-provider-openstack+terraform-provider-openstack",
];

#[test]
fn everything_is_read() {
    let Some(corpus) = corpus::root() else { return };
    let mut n_rules_in_all = 0;
    for set in SETS {
        let repository = Repository::below(&corpus.join(set));
        let started = std::time::Instant::now();
        let roots = repository.roots();
        let mut notices: BTreeMap<String, usize> = BTreeMap::new();
        let (mut n_groups, mut n_rules, mut n_members, mut n_unknown) = (0, 0, 0, 0);
        for root in &roots {
            n_groups += root.reading.groups.len();
            n_members += root.reading.members.len();
            for group in &root.reading.groups {
                for side in [&group.ingress, &group.egress].into_iter().flatten() {
                    n_rules += side.rules.len();
                    n_unknown += side
                        .rules
                        .iter()
                        .filter(|rule| format!("{rule:?}").contains("Unknown("))
                        .count();
                }
            }
            for notice in &root.reading.notices {
                let key = format!("{}: {}", notice.code.id(), words(&notice.message));
                *notices.entry(key).or_default() += 1;
                if std::env::var_os("VERBOSE").is_some() {
                    let place = notice
                        .primary
                        .as_ref()
                        .map(|label| repository.sources.place(label.span));
                    println!("    {} {place:?} {}", notice.code.id(), notice.message);
                }
            }
        }
        println!(
            "{set}: {} roots, {n_groups} groups, {n_rules} rules ({n_unknown} with unknowns), {n_members} members, {:?}",
            roots.len(),
            started.elapsed()
        );
        for (key, n) in notices {
            println!("  {n:4} {key}");
        }
        n_rules_in_all += n_rules;
    }
    assert!(n_rules_in_all > 1000, "{n_rules_in_all}");
}

/// A message without what is quoted.
fn words(message: &str) -> String {
    let mut parts = message.split('`');
    let mut words = parts.next().unwrap_or("").to_owned();
    while let (Some(_), Some(next)) = (parts.next(), parts.next()) {
        words.push('…');
        words.push_str(next);
    }
    words
}

/// Resources that checkov judges otherwise, and why it is wrong, or means something else.
const CHECKOV_OTHERWISE: &[(&str, &str)] = &[
    (
        "SecurityGroupUnrestrictedIngress80.py aws_security_group.fail2",
        "tcp from 0 to 0 is port 0 alone: only the protocol -1 takes no ports",
    ),
    (
        "SecurityGroupUnrestrictedIngress80.py aws_vpc_security_group_ingress_rule.fail2",
        "a rule that names nobody lets nobody through; the API refuses it",
    ),
];

/// Cases of `OpenStack` that checkov judges otherwise.
const CHECKOV_OPENSTACK_OTHERWISE: &[(&str, &str)] = &[
    (
        "test_pass_compute_secgroup_null_cidr",
        "without a network and a group the compute service takes everybody (0.0.0.0/0)",
    ),
    (
        "test_pass_networking_secgroup_source_sg",
        "`security_group_id` is the group that the rule is in; without a remote end it is open to everybody",
    ),
];

/// Whether everybody surely and possibly gets through rules to a port of TCP, in either family.
fn is_open(rules: &[&Rule], port: u16) -> (bool, bool) {
    let Some(first) = rules.first() else {
        return (false, false);
    };
    let side = Side {
        rules: rules.iter().map(|rule| (*rule).clone()).collect(),
        default_span: first.span,
    };
    let open = Family::ALL.map(|family| world::tcp(Some(&side), port, family));
    (
        open.contains(&Open::Surely),
        open.iter().any(|open| *open != Open::No),
    )
}

/// The rules of a resource: its own, or those in it.
fn rules_of<'r>(repository: &Repository, roots: &'r [terraform::Root], address: &str) -> Vec<&'r Rule> {
    let (kind, name) = address.split_once('.').unwrap();
    let head = format!("resource \"{kind}\" \"{name}\"");
    let mut rules = Vec::new();
    for group in roots.iter().flat_map(|root| &root.reading.groups) {
        for rule in group.ingress.iter().flat_map(|side| &side.rules) {
            let text = repository.sources.text(rule.span);
            let squeezed = text
                .lines()
                .next()
                .unwrap_or("")
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" ");
            let is_separate = squeezed.starts_with("resource ");
            if squeezed.starts_with(&head) || !is_separate && group.name == address {
                rules.push(rule);
            }
        }
    }
    rules
}

#[test]
fn checkov_expects_the_same_of_resources() {
    let Some(corpus) = corpus::root() else { return };
    let set = corpus.join("bridgecrewio+checkov");
    let text = std::fs::read_to_string(set.join("expected/resource_expectations.json")).unwrap();
    let expected: serde_json::Value = serde_json::from_str(&text).unwrap();
    let (mut n_agree, mut other, mut excused) = (0, Vec::new(), 0);
    for one in expected.as_array().unwrap() {
        let source = one["source"].as_str().unwrap();
        let Some(check) = source.strip_prefix("tests/terraform/checks/resource/aws/test_") else {
            continue;
        };
        let port = check.split_once("Unrestricted").and_then(|(_, rest)| {
            rest.trim_end_matches(".py")
                .strip_prefix("Ingress")?
                .parse::<u16>()
                .ok()
        });
        let Some(port) = port else { continue };
        let folder = set.join(format!(
            "tests/terraform/checks/resource/aws/example_{}",
            check.trim_end_matches(".py")
        ));
        if !folder.is_dir() {
            continue;
        }
        let repository = Repository::below(&folder);
        let roots = repository.roots();
        for (key, wanted) in [("passing_resources", false), ("failing_resources", true)] {
            for address in one[key].as_array().into_iter().flatten() {
                let address = address.as_str().unwrap();
                let rules = rules_of(&repository, &roots, address);
                let (surely, possibly) = is_open(&rules, port);
                let agrees = if wanted { possibly } else { !surely };
                let name = format!("{check} {address}");
                if agrees {
                    n_agree += 1;
                } else if CHECKOV_OTHERWISE.iter().any(|(known, _)| *known == name) {
                    excused += 1;
                } else {
                    other.push(format!(
                        "{name}: expected {wanted}, found {surely}/{possibly} ({} rules)",
                        rules.len()
                    ));
                }
            }
        }
    }
    println!(
        "checkov: {n_agree} agree, {excused} excused, {} disagree",
        other.len()
    );
    assert!(other.is_empty(), "{}", other.join("\n"));
    assert!(n_agree > 0);
}

/// Queries of KICS about one port that is open to everybody.
const KICS_PORTS: &[(&str, u16)] = &[
    ("http_port_open", 80),
    ("remote_desktop_port_open_to_internet", 3389),
    ("security_group_with_unrestricted_access_to_ssh", 22),
    ("sql_analysis_services_port_2383_is_publicly_accessible", 2383),
];

/// Files in which KICS finds otherwise, and why.
const KICS_OTHERWISE: &[(&str, &str)] = &[];

#[test]
fn kics_expects_the_same_of_ports() {
    let Some(corpus) = corpus::root() else { return };
    let set = corpus.join("DataDog+kics");
    let wrong = std::fs::read_to_string(set.join("expected_KNOWN_WRONG.txt")).unwrap();
    let (mut n_agree, mut n_inverted, mut n_absent, mut other) = (0, 0, 0, Vec::new());
    for (query, port) in KICS_PORTS {
        let folder = format!("assets/queries/terraform/aws/{query}/test");
        let text = std::fs::read_to_string(set.join(&folder).join("positive_expected_result.json")).unwrap();
        let expected: serde_json::Value = serde_json::from_str(&text).unwrap();
        let mut files: Vec<String> = std::fs::read_dir(set.join(&folder))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .filter(|name| name.split('.').next_back() == Some("tf"))
            .collect();
        files.sort();
        for file in files {
            let lines: Vec<u64> = expected
                .as_array()
                .unwrap()
                .iter()
                .filter(|one| {
                    let named = one["filename"].as_str().or(one["fileName"].as_str());
                    named.is_none_or(|named| named == file) && file.starts_with("positive")
                })
                .filter_map(|one| one["line"].as_u64())
                .collect();
            let name = format!("{folder}/{file}");
            let repository = Repository::of(&file, &std::fs::read_to_string(set.join(&name)).unwrap());
            let roots = repository.roots();
            let is_absent = roots
                .iter()
                .flat_map(|root| &root.reading.notices)
                .any(|notice| notice.message.contains("is not here"));
            if is_absent {
                n_absent += 1;
                continue;
            }
            let mut open = Vec::new();
            for group in roots.iter().flat_map(|root| &root.reading.groups) {
                for rule in group.ingress.iter().flat_map(|side| &side.rules) {
                    if is_open(&[rule], *port).1 {
                        let source = repository.sources.file(rule.span.file);
                        let line = |at| source.line_column(at).line as u64;
                        open.push(line(rule.span.start)..=line(rule.span.end));
                        open.push(line(group.span.start)..=line(group.span.end));
                    }
                }
            }
            if KICS_OTHERWISE.iter().any(|(known, _)| name.ends_with(known)) {
                continue;
            }
            if file.starts_with("positive") {
                for line in lines {
                    if open.iter().any(|span| span.contains(&line)) {
                        n_agree += 1;
                    } else {
                        other.push(format!("{name}:{line}: nothing open there, only {open:?}"));
                    }
                }
            } else if open.is_empty() {
                n_agree += 1;
            } else if wrong.contains(&name) {
                n_inverted += 1;
            } else {
                other.push(format!("{name}: open at {open:?}"));
            }
        }
    }
    println!(
        "kics: {n_agree} agree, {n_inverted} known wrong are open, {n_absent} of modules that are not here, {} disagree",
        other.len()
    );
    assert!(other.is_empty(), "{}", other.join("\n"));
}

/// What checkov expects of groups of `OpenStack`.
#[test]
fn checkov_expects_the_same_of_openstack() {
    let Some(corpus) = corpus::root() else { return };
    let path = corpus.join("bridgecrewio+checkov/expected/inline_hcl_cases.json");
    let cases: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let (mut n_agree, mut other) = (0, Vec::new());
    for case in cases.as_array().unwrap() {
        let check = case["check"].as_str().unwrap();
        let Some(port) = check
            .strip_prefix("SecurityGroupUnrestrictedIngress")
            .and_then(|port| port.parse().ok())
        else {
            continue;
        };
        let wanted = case["result"].as_str().unwrap();
        for hcl in case["hcl"].as_array().unwrap() {
            let repository = Repository::of("main.tf", hcl.as_str().unwrap());
            let roots = repository.roots();
            let groups = roots.iter().flat_map(|root| &root.reading.groups);
            let rules: Vec<&Rule> = groups
                .flat_map(|group| &group.ingress)
                .flat_map(|side| &side.rules)
                .collect();
            let (surely, possibly) = is_open(&rules, port);
            let function = case["function"].as_str().unwrap();
            let agrees = if wanted == "FAILED" { possibly } else { !surely };
            if agrees {
                n_agree += 1;
            } else if CHECKOV_OPENSTACK_OTHERWISE
                .iter()
                .any(|(known, _)| *known == function)
            {
                println!("  {function}: excused");
            } else {
                other.push(format!(
                    "{}: {wanted}, found {surely}\n{}",
                    case["function"],
                    hcl.as_str().unwrap()
                ));
            }
        }
    }
    println!("checkov on OpenStack: {n_agree} agree, {} disagree", other.len());
    assert!(other.is_empty(), "{}", other.join("\n"));
}

/// kops writes one cluster as Terraform and as `CloudFormation`: the rules between groups and networks are the same.
#[test]
fn kops_writes_the_same_cluster_in_two_languages() {
    let Some(corpus) = corpus::root() else { return };
    let set = corpus.join("kubernetes+kops/at-6132c8d9-2022-11-19/tests/integration/update_cluster");
    let (mut n_pairs, mut n_rules, mut other) = (0, 0, Vec::new());
    let mut folders: Vec<PathBuf> = std::fs::read_dir(&set)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("kubernetes.tf").is_file() && path.join("cloudformation.json").is_file())
        .collect();
    folders.sort();
    for folder in folders {
        let hcl = std::fs::read_to_string(folder.join("kubernetes.tf")).unwrap();
        let repository = Repository::of("kubernetes.tf", &hcl);
        let roots = repository.roots();
        let json = std::fs::read_to_string(folder.join("cloudformation.json")).unwrap();
        let mut map = SourceMap::new();
        let file = map.add_text("cloudformation.json", json);
        let template = CloudFormation.read(&[map.source(file)]);
        let terraform = shape(&roots[0].reading.groups);
        let cloudformation = shape(&template.groups);
        n_pairs += 1;
        n_rules += terraform.len();
        for line in terraform.symmetric_difference(&cloudformation) {
            let side = if terraform.contains(line) {
                "terraform"
            } else {
                "cloudformation"
            };
            other.push(format!("{}: only {side}: {line}", folder.display()));
        }
    }
    println!(
        "kops: {n_pairs} clusters, {n_rules} rules, {} differ",
        other.len()
    );
    assert!(other.is_empty(), "{}", other.join("\n"));
    assert!(n_pairs > 5);
}

/// Rules with names instead of keys: `masters.x.example.com` and `AWSEC2SecurityGroupmastersxexamplecom` are one group.
fn shape(groups: &[Group]) -> BTreeSet<String> {
    let plain = |name: &str| -> String {
        let ends = ["AWSEC2SecurityGroup", "aws_security_group."].map(|head| name.split_once(head));
        let name = ends.into_iter().flatten().next().map_or(name, |(_, name)| name);
        name.chars().filter(char::is_ascii_alphanumeric).collect()
    };
    let mut lines = BTreeSet::new();
    for group in groups {
        for (direction, side) in [("in", &group.ingress), ("out", &group.egress)] {
            for rule in side.iter().flat_map(|side| &side.rules) {
                let conditions: Vec<String> = rule
                    .matches
                    .iter()
                    .map(|one| match &one.condition {
                        Condition::Member(member) => format!("member {}", plain(&member.group)),
                        Condition::Any(any) if matches!(any.as_slice(), [Condition::Unknown(_)]) => {
                            format!("{any:?}")
                        }
                        other => format!("{other:?}"),
                    })
                    .collect();
                // AWS lets new groups send everything; Terraform takes that away, CloudFormation does not.
                if direction == "out" && conditions.is_empty() {
                    continue;
                }
                lines.insert(format!(
                    "{} {direction} {:?} {}",
                    plain(&group.key),
                    rule.action,
                    conditions.join("; ")
                ));
            }
        }
    }
    lines
}
