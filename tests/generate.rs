//! The generated inputs stay what they are: small ones are kept in files, to be read by people and to be noticed when
//! they change, since measurements are compared over time.
#![cfg(test)]

#[path = "support/file.rs"]
mod file;
#[path = "../benches/generate/mod.rs"]
mod generate;
#[path = "support/golden.rs"]
mod golden;

use generate::{Shape, policy, ruleset};

#[test]
fn small_inputs_are_the_ones_kept() {
    for shape in Shape::ALL {
        let path = format!("fixtures/generated/{}.rules", shape.name());
        golden::assert_golden(&path, &ruleset(shape, 24, 1));
    }
    golden::assert_golden("fixtures/generated/policy.ports", &policy(12, 1));
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
