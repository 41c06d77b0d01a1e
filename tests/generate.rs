//! The generated inputs stay what they are: small ones are kept in files, to be read by people and to be noticed when
//! they change, since measurements are compared over time.
#![cfg(test)]

#[path = "support/file.rs"]
mod file;
#[path = "../benches/generate/mod.rs"]
mod generate;
#[path = "support/golden.rs"]
mod golden;

use generate::{Shape, calico_cluster, cilium_cluster, cluster, groups, policy, repository, ruleset, write};

#[test]
fn small_inputs_are_the_ones_kept() {
    for shape in Shape::ALL {
        let path = format!("fixtures/generated/{}.rules", shape.name());
        golden::assert_golden(&path, &ruleset(shape, 24, 1));
    }
    golden::assert_golden("fixtures/generated/policy.ports", &policy(12, 1));
    golden::assert_golden("fixtures/generated/cluster.yaml", &cluster(4));
    golden::assert_golden("fixtures/generated/calico-cluster.yaml", &calico_cluster(4));
    golden::assert_golden("fixtures/generated/cilium.yaml", &cilium_cluster(4));
}

#[test]
fn a_ruleset_has_as_many_rules_as_it_was_asked_for() {
    for shape in Shape::ALL {
        for n_rules in [0, 1, 9, 1000] {
            let text = ruleset(shape, n_rules, 7);
            assert_eq!(text.matches("\n-A ").count(), n_rules, "{}", shape.name());
            assert!(text.ends_with("\nCOMMIT\n"));
        }
    }
}

#[test]
fn another_seed_is_another_input_of_the_same_shape() {
    for shape in Shape::ALL {
        assert_ne!(ruleset(shape, 100, 1), ruleset(shape, 100, 2), "{}", shape.name());
        assert_eq!(ruleset(shape, 100, 1), ruleset(shape, 100, 1), "{}", shape.name());
    }
}

#[test]
fn a_policy_has_as_many_rows_as_it_was_asked_for() {
    let text = policy(200, 3);
    assert_eq!(text.lines().filter(|line| line.contains(" row-")).count(), 200);
}

#[test]
fn a_file_of_groups_has_as_many_as_it_was_asked_for() {
    let text = groups(100, 1);
    assert_eq!(text.matches("resource \"aws_security_group\"").count(), 100);
    assert_eq!(text.matches("  egress {").count(), 100);
    golden::assert_golden("fixtures/generated/groups.tf", &groups(2, 1));
}

#[test]
fn a_repository_is_as_large_as_the_one_that_others_were_measured_on() {
    let files = repository(100, 1);
    let n_lines: usize = files.iter().map(|(_, text)| text.lines().count()).sum();
    assert_eq!(files.len(), 548);
    assert!((45_000..47_000).contains(&n_lines), "{n_lines} lines");
    let calls: usize = files
        .iter()
        .map(|(_, text)| text.matches("\nmodule \"").count())
        .sum();
    assert_eq!(calls, 400);
}

#[test]
fn a_repository_is_written_as_its_files_say() {
    let folder = std::env::temp_dir().join(format!("portcullis-generate-{}", std::process::id()));
    write(&folder, 1, 1).unwrap();
    for (name, text) in repository(1, 1) {
        assert_eq!(
            std::fs::read_to_string(folder.join(&name)).unwrap(),
            text,
            "{name}"
        );
    }
    std::fs::remove_dir_all(&folder).unwrap();
}
