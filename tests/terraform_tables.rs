//! Tables of others that Terraform is written from, and snippets that others call good and bad. INVARIANT: every disagreement has its
//! reason beside it.
#![cfg(test)]

#[path = "support/corpus/root.rs"]
mod corpus;
#[path = "support/say.rs"]
mod say;
#[path = "support/terraform.rs"]
mod terraform;
#[path = "support/world.rs"]
mod world;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use portcullis::packet::Family;
use terraform::Repository;
use world::Open;

/// One line of the module's table: `name = [from, to, "protocol", "description"]`.
fn entry(line: &str) -> Option<(&str, u32, u32, &str)> {
    let (name, rest) = line.split_once('=')?;
    let inside = rest.trim().strip_prefix('[')?;
    let mut parts = inside.split(',').map(str::trim);
    let from = parts.next()?.parse().ok()?;
    let to = parts.next()?.parse().ok()?;
    let protocol = parts.next()?.trim_matches('"');
    Some((name.trim(), from, to, protocol))
}

/// Declares each variable that a module asks for, with the default that its documentation gives it: nothing is made but the group.
fn variables(module: &str) -> String {
    let is_name = |char: char| char.is_ascii_alphanumeric() || char == '_';
    let names: BTreeSet<&str> = module
        .split("var.")
        .skip(1)
        .map(|rest| rest.split(|char| !is_name(char)).next().unwrap())
        .collect();
    let mut text = String::new();
    for name in names.into_iter().filter(|name| *name != "rules") {
        let default = match name {
            "create" | "create_sg" | "putin_khuylo" => "true",
            "use_name_prefix" | "revoke_rules_on_delete" => "false",
            "name" | "description" => "\"web\"",
            "vpc_id" | "security_group_id" | "create_timeout" | "delete_timeout" => "null",
            "tags" => "{}",
            _ if name.starts_with("number_of_") => "0",
            _ => "[]",
        };
        writeln!(text, "variable \"{name}\" {{\n  default = {default}\n}}").unwrap();
    }
    text
}

#[test]
fn each_row_of_a_module_s_table_opens_the_ports_that_it_says() {
    let Some(corpus) = corpus::root() else { return };
    let module = corpus.join("terraform-aws-modules+terraform-aws-security-group");
    let read = |name: &str| std::fs::read_to_string(module.join(name)).unwrap();
    let (main, rules) = (read("main.tf"), read("rules.tf"));
    let variables = variables(&main);
    let table = rules.split("variable \"auto_groups\"").next().unwrap();
    let entries: Vec<_> = table.lines().filter_map(entry).collect();
    let mut n_ports = 0;
    for (name, from, to, protocol) in &entries {
        let values = format!("ingress_rules = [\"{name}\"]\ningress_cidr_blocks = [\"0.0.0.0/0\"]\n");
        let files = [
            ("main.tf", &*main),
            ("rules.tf", &*rules),
            ("variables.tf", &*variables),
            ("terraform.tfvars", &*values),
        ];
        let roots = Repository::of_files(&files).roots();
        assert_eq!(roots.len(), 1);
        let group = &roots[0].reading.groups[0];
        assert_eq!(roots[0].reading.groups.len(), 1, "{name}");
        let (low, high) = (*from, *to);
        for port in [low, high, low.saturating_sub(1), high + 1] {
            let Ok(port) = u16::try_from(port) else { continue };
            let is_in = (low..=high).contains(&u32::from(port));
            let expected = if *protocol == "-1" || *protocol == "tcp" && is_in {
                Open::Surely
            } else {
                Open::No
            };
            let actual = world::tcp(group.ingress.as_ref(), port, Family::V4);
            assert_eq!(actual, expected, "{name} {port}");
            n_ports += 1;
        }
    }
    println!(
        "{} rows of the table, {n_ports} ports, all as they say",
        entries.len()
    );
    assert!(entries.len() > 100, "{}", entries.len());
}

/// Snippets that are judged otherwise, by a part of their text, and why.
const SNIPPETS_OTHERWISE: &[(&str, &str)] = &[(
    "port_range_max = 22\n}",
    "a rule of Neutron without a prefix and a group is about everybody: the check looks for a prefix that is written",
)];

#[test]
fn snippets_that_are_called_bad_are_open_and_good_ones_are_not() {
    let Some(corpus) = corpus::root() else { return };
    let text =
        std::fs::read_to_string(corpus.join("aquasecurity+trivy-checks/expected/good_bad_examples.json"));
    let examples: Vec<serde_json::Value> = serde_json::from_str(&text.unwrap()).unwrap();
    let (mut n_agreed, mut n_otherwise) = (0, 0);
    for example in &examples {
        let check = example["check"].as_str().unwrap();
        if !check.contains("openstack/networking/no_public") {
            continue;
        }
        let text = example["text"].as_str().unwrap();
        let roots = Repository::of("main.tf", text).roots();
        let is_egress = check.contains("egress");
        let groups = roots.iter().flat_map(|root| &root.reading.groups);
        let mut sides = groups.map(|group| if is_egress { &group.egress } else { &group.ingress });
        let is_open = sides.any(|side| world::tcp(side.as_ref(), 22, Family::V4) == Open::Surely);
        let is_bad = example["verdict"] == "bad";
        if is_open == is_bad {
            n_agreed += 1;
        } else {
            let reason = SNIPPETS_OTHERWISE.iter().find(|(part, _)| text.contains(part));
            assert!(reason.is_some(), "{check}: open {is_open}\n{text}");
            n_otherwise += 1;
        }
    }
    println!("{n_agreed} snippets judged alike, {n_otherwise} otherwise for a reason");
    assert!(n_agreed >= 6, "{n_agreed}");
}
