//! Real templates, and what other linters expect of theirs, found through `PORTCULLIS_CORPUS`: without it, each test says that
//! it skipped. INVARIANT: what is excepted is named here with its reason.
#![cfg(test)]

#[path = "support/corpus/root.rs"]
mod corpus;
#[path = "support/model_text.rs"]
mod model_text;
#[path = "support/say.rs"]
mod say;
#[path = "support/world.rs"]
mod world;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use portcullis::dialect::cloudformation::CloudFormation;
use portcullis::dialect::{Claim, Dialect, Reading};
use portcullis::model::Group;
use portcullis::packet::Family;
use portcullis::source::SourceMap;
use world::Open;

/// A template under a name of its own, so that those of two languages have the same keys.
fn read(path: &Path, name: &str) -> Option<(SourceMap, Reading)> {
    let text = std::fs::read(path).ok()?;
    let mut map = SourceMap::new();
    let file = map.add(portcullis::source::SourceFile::from_bytes(name, text));
    if CloudFormation.claims(map.source(file)) == Claim::No {
        return None;
    }
    let reading = CloudFormation.read(&[map.source(file)]);
    Some((map, reading))
}

/// The files below a folder with one of these extensions, sorted.
fn files(folder: &Path, extensions: &[&str]) -> Vec<PathBuf> {
    let entries = walkdir::WalkDir::new(folder).sort_by_file_name();
    let files = entries
        .into_iter()
        .filter_map(Result::ok)
        .map(walkdir::DirEntry::into_path);
    let is_one = |path: &PathBuf| {
        let extension = path.extension().and_then(|extension| extension.to_str());
        extension.is_some_and(|extension| extensions.contains(&extension))
    };
    files.filter(is_one).collect()
}

/// How often each thing was said, by its code and first words.
fn tally(said: &mut BTreeMap<String, usize>, reading: &Reading) {
    for finding in &reading.notices {
        let words: String = finding
            .message
            .split('`')
            .enumerate()
            .map(|(at, piece)| if at % 2 == 0 { piece } else { "…" })
            .collect();
        *said.entry(format!("{}: {words}", finding.code.id())).or_default() += 1;
    }
}

#[test]
fn templates_of_aws_mean_the_same_in_both_languages() {
    let Some(root) = corpus::root() else { return };
    let root = root.join("aws-cloudformation+aws-cloudformation-templates");
    let (mut n_pairs, mut n_groups, mut n_rules, mut n_other) = (0, 0, 0, Vec::new());
    let mut said = BTreeMap::new();
    for yaml in files(&root, &["yaml", "yml"]) {
        let json = yaml.with_extension("json");
        let Some((_, from_yaml)) = read(&yaml, "template") else {
            continue;
        };
        tally(&mut said, &from_yaml);
        let Some((_, from_json)) = read(&json, "template") else {
            continue;
        };
        if from_yaml.groups.is_empty() && from_json.groups.is_empty() {
            continue;
        }
        n_pairs += 1;
        n_groups += from_yaml.groups.len();
        n_rules += from_yaml.n_rules;
        let shapes =
            [&from_yaml, &from_json].map(|reading| model_text::shape(&reading.groups, &reading.members));
        if shapes[0] != shapes[1] {
            println!("{}", yaml.display());
            for line in shapes[0].symmetric_difference(&shapes[1]) {
                let side = if shapes[0].contains(line) { "yaml" } else { "json" };
                println!("  only {side}: {line}");
            }
            n_other.push(yaml);
        }
    }
    for (what, times) in &said {
        println!("{times:5} {what}");
    }
    println!(
        "{n_pairs} pairs with {n_groups} groups and {n_rules} rules, {} differ",
        n_other.len()
    );
    assert!(n_pairs >= 34, "{n_pairs}");
    assert!(n_other.is_empty());
}

/// Whether a port of any group is open to everybody, of either family.
fn opens(reading: &Reading, port: u16) -> Open {
    let sides = reading.groups.iter().map(|group| group.ingress.as_ref());
    let open = sides.flat_map(|side| Family::ALL.map(|family| world::tcp(side, port, family)));
    open.max().unwrap_or(Open::No)
}

/// Files of checkov say in their names what it expects of a port.
#[test]
fn what_checkov_calls_open_is_open() {
    let Some(root) = corpus::root() else { return };
    let folder = root.join("bridgecrewio+checkov/tests/cloudformation/checks/resource/aws");
    let (mut n_alike, mut n_files) = (0, 0);
    for port in [22, 80, 3389] {
        let folder = folder.join(format!("example_SecurityGroupUnrestrictedIngress{port}"));
        for path in files(&folder, &["yaml", "yml", "json"]) {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let Some((_, reading)) = read(&path, &name) else {
                println!("{name}: no template");
                continue;
            };
            n_files += 1;
            let found = opens(&reading, port);
            // What checkov cannot tell, we may. Ports that end before they start are refused by EC2: that is said, and the
            // rule is open to nobody surely; checkov calls it closed.
            let is_refused = name == "SecurityGroupRangeInvalid-PASSED.yaml";
            let is_alike = match (name.contains("FAILED"), name.contains("UNKNOWN") || is_refused) {
                (true, _) => found == Open::Surely,
                (_, true) => found == Open::Possibly,
                _ => found == Open::No,
            };
            println!(
                "{}: {name}: port {port} {found:?}",
                if is_alike { "alike" } else { "OTHER" }
            );
            n_alike += usize::from(is_alike);
        }
    }
    println!("{n_alike} of {n_files} alike");
    assert_eq!((n_alike, n_files), (8, 8));
}

/// Lines that KICS expects lie in rules that are open, and what it calls closed is closed.
#[test]
fn what_kics_calls_open_is_open() {
    let Some(root) = corpus::root() else { return };
    let folder = root.join("DataDog+kics/assets/queries/cloudFormation/aws");
    let (mut n_alike, mut n_lines, mut other) = (0, 0, Vec::new());
    let queries = [
        "http_port_open",
        "remote_desktop_port_open_to_internet",
        "fully_open_ingress",
        "unknown_port_exposed_to_internet",
        "ec2_sensitive_port_is_publicly_exposed",
        "security_group_ingress_with_all_protocols",
        "security_group_ingress_with_port_range",
    ];
    for query in queries {
        let tests = folder.join(query).join("test");
        let text = std::fs::read_to_string(tests.join("positive_expected_result.json")).unwrap();
        let expected: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
        for line in expected {
            let name = line
                .get("fileName")
                .or(line.get("filename"))
                .unwrap()
                .as_str()
                .unwrap();
            let number = usize::try_from(line["line"].as_u64().unwrap()).unwrap();
            let Some((map, reading)) = read(&tests.join(name), name) else {
                println!("{query}/{name}: no template");
                continue;
            };
            n_lines += 1;
            if is_in_a_rule(&map, &reading, number) {
                n_alike += 1;
            } else {
                other.push(format!("{query}/{name}:{number}"));
            }
        }
        let port = match query {
            "http_port_open" => Some(80),
            "remote_desktop_port_open_to_internet" => Some(3389),
            _ => None,
        };
        for path in files(&tests, &["yaml", "json"]) {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let (Some(port), true) = (port, name.starts_with("negative")) else {
                continue;
            };
            let Some((_, reading)) = read(&path, &name) else {
                continue;
            };
            println!("{query}/{name}: port {port} {:?}", opens(&reading, port));
            assert_ne!(opens(&reading, port), Open::Surely, "{query}/{name}");
        }
    }
    println!("{n_alike} of {n_lines} lines lie in rules that let somebody in; others: {other:#?}");
    // Rules for a group that is not in their template: that is a dangling reference, and no rule of any group.
    let in_no_group = [
        "security_group_ingress_with_all_protocols/positive1.yaml:35",
        "security_group_ingress_with_all_protocols/positive2.json:51",
        "security_group_ingress_with_port_range/positive1.yaml:37",
        "security_group_ingress_with_port_range/positive2.json:53",
    ];
    assert_eq!(other, in_no_group);
    assert_eq!(n_lines, 44);
}

/// Whether a line is one of a rule for what is received, or of the group or resource that has one.
fn is_in_a_rule(map: &SourceMap, reading: &Reading, number: usize) -> bool {
    let line = |span: portcullis::source::Span, offset: u32| map.file(span.file).line_column(offset).line;
    let of_group = |group: &Group| {
        let rules = group.ingress.iter().flat_map(|side| &side.rules);
        let spans: Vec<_> = rules.map(|rule| rule.span).collect();
        let in_rule = spans.iter().any(|span| {
            // The key of a list of rules, and that of a resource's properties, stand on the line before.
            (line(*span, span.start).saturating_sub(3)..=line(*span, span.end)).contains(&number)
        });
        in_rule
            || (line(group.span, group.span.start)..line(group.span, group.span.start) + 8).contains(&number)
    };
    reading.groups.iter().any(of_group)
}

/// The groups that `cfn_nag` expects to be open to everybody, one way or the other.
#[test]
fn what_cfn_nag_calls_open_is_open() {
    let Some(root) = corpus::root() else { return };
    let folder = root.join("stelligent+cfn_nag/spec/test_templates");
    let mut n_alike = 0;
    for (template, is_egress, expected) in [
        (
            "json/security_group/two_security_group_two_cidr_ingress.json",
            false,
            &["sg2"][..],
        ),
        (
            "json/security_group/security_group_open_to_world_on_egress.json",
            true,
            &["sgOpenEgress", "sgOpenEgress2"],
        ),
        (
            "yaml/security_group/ip6_security_group_egress_open_to_world.yml",
            true,
            // cfn_nag names the rule of a group by its id where we name the group, and leaves out the group without a rule for
            // egress, which EC2 lets send everything.
            &[
                "InstanceSecurityGroup",
                "InstanceSecurityGroup2",
                "InstanceSecurityGroup3",
                "InstanceSecurityGroup4",
                "sg-12341234",
            ],
        ),
        ("yaml/security_group/pesky_if.yml", true, &["SG"]),
        (
            "json/security_group/security_group_ip4_localhost_egress.json",
            true,
            &[],
        ),
        (
            "json/security_group/security_group_ip6_localhost_egress.json",
            true,
            &[],
        ),
        ("json/security_group/multiple_inline_egress.json", true, &[]),
    ] {
        let (_, reading) = read(&folder.join(template), template).unwrap();
        let open = |group: &&Group| {
            let side = if is_egress { &group.egress } else { &group.ingress };
            let ports = (0..=u16::MAX)
                .step_by(1)
                .filter(|port| [22, 23, 25, 36, 80, 443, 3306, 34, 46].contains(port));
            ports
                .flat_map(|port| Family::ALL.map(|family| world::tcp(side.as_ref(), port, family)))
                .any(|open| open == Open::Surely)
        };
        let found: Vec<_> = reading
            .groups
            .iter()
            .filter(open)
            .map(|group| group.name.clone())
            .collect();
        let is_alike = found.iter().map(String::as_str).eq(expected.iter().copied());
        println!(
            "{}: {template}: {found:?}, expected {expected:?}",
            if is_alike { "alike" } else { "OTHER" }
        );
        n_alike += usize::from(is_alike);
    }
    assert_eq!(n_alike, 7);
}

/// One cluster as Terraform and as a template: the same groups. Where the reader of Terraform is there.
#[test]
fn clusters_of_kops_are_the_same_in_terraform() {
    let Some(root) = corpus::root() else { return };
    let Some(terraform) = portcullis::dialect::by_name("terraform") else {
        say::say("skipped: there is no reader of Terraform");
        return;
    };
    let folder = root.join("kubernetes+kops/at-6132c8d9-2022-11-19/tests/integration/update_cluster");
    let (mut n_clusters, mut n_rules, mut other) = (0, 0, Vec::new());
    for path in files(&folder, &["json"]) {
        let code = path.with_file_name("kubernetes.tf");
        if path.file_name().is_none_or(|name| name != "cloudformation.json") || !code.is_file() {
            continue;
        }
        let (_, template) = read(&path, "template").unwrap();
        let mut map = SourceMap::new();
        let file = map.add_text("kubernetes.tf", std::fs::read_to_string(&code).unwrap());
        let module = terraform.read(&[map.source(file)]);
        let shapes = [&template, &module].map(|reading| {
            let shape = model_text::shape(&reading.groups, &[]);
            let rules = shape.into_iter().filter(|line| line.contains(" => "));
            rules
                .map(|line| plain(&line))
                .collect::<std::collections::BTreeSet<_>>()
        });
        n_clusters += 1;
        n_rules += shapes[0].len();
        other.extend(shapes[0].symmetric_difference(&shapes[1]).cloned());
    }
    println!(
        "{n_clusters} clusters with {n_rules} rules, {} differ",
        other.len()
    );
    // Neither says anything of egress: EC2 adds a rule for all to what a template makes, and Terraform takes it away.
    assert_eq!(other, ["apielbcomplexexamplecom sends 0:  => Accept"]);
    assert_eq!(n_clusters, 7);
}

/// Names of groups without what the two languages put around them.
fn plain(line: &str) -> String {
    let line = line
        .replace("AWSEC2SecurityGroup", "")
        .replace("aws_security_group.", "");
    let (head, tail) = line.split_once(' ').unwrap_or((&line, ""));
    let letters = |text: &str| {
        text.chars()
            .filter(|one| one.is_alphanumeric())
            .collect::<String>()
    };
    let words = tail.split(' ').map(|word| {
        let is_name = word.contains('-') && word.contains(|one: char| one.is_alphabetic());
        if is_name {
            letters(word)
        } else {
            word.trim_end_matches(';').to_owned()
        }
    });
    format!("{} {}", letters(head), words.collect::<Vec<_>>().join(" "))
}
