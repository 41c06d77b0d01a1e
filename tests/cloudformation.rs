//! The reader of `CloudFormation` templates: fixtures by eye, both languages of a template, values from outside, hostile input.

#![cfg(test)]

#[path = "support/file.rs"]
mod file;
#[path = "support/golden.rs"]
mod golden;
#[path = "support/listing.rs"]
mod listing;
#[path = "support/model_text.rs"]
mod model_text;
#[path = "support/notices.rs"]
mod notices;

use portcullis::dialect::cloudformation::CloudFormation;
use portcullis::dialect::{Claim, Dialect, Given, GivenValue, Reading};
use portcullis::source::{FileId, SourceMap, Spanned};

fn read(name: &str, text: &str) -> (SourceMap, Reading) {
    let mut map = SourceMap::new();
    let file = map.add_text(name, text);
    assert_eq!(CloudFormation.claims(map.source(file)), Claim::Content, "{name}");
    let reading = CloudFormation.read(&[map.source(file)]);
    (map, reading)
}

#[test]
fn each_fixture_means_what_its_model_says() {
    for path in listing::below("fixtures/cloudformation", "yaml") {
        let (map, reading) = read("template", &file::text(&path));
        let groups = model_text::groups_text(&reading.groups, &reading.members, &map);
        let said = notices::text(&map, &reading.notices);
        let text = format!("{groups}{said}");
        golden::assert_golden(&path.replace("template.yaml", "model.txt"), &text);
    }
}

#[test]
fn both_languages_of_a_template_mean_the_same() {
    for path in listing::below("fixtures/cloudformation", "json") {
        let json = read("template", &file::text(&path)).1;
        let yaml = read("template", &file::text(&path.replace(".json", ".yaml"))).1;
        let shape = |reading: &Reading| model_text::shape(&reading.groups, &reading.members);
        assert_eq!(shape(&json), shape(&yaml), "{path}");
        assert!(!json.groups.is_empty(), "{path}");
    }
}

#[test]
fn a_parameter_has_the_value_that_is_given_for_it() {
    let text = "Parameters:\n  Admin: {Type: String}\nResources:\n  G:\n    Type: AWS::EC2::SecurityGroup\n    Properties:\n      \
                SecurityGroupIngress:\n        - {IpProtocol: tcp, FromPort: 22, ToPort: 22, CidrIp: !Ref Admin}\n";
    let mut map = SourceMap::new();
    let file = map.add_text("template.yaml", text);
    let arguments = map.add_text("arguments", "Admin=10.0.0.0/8");
    let spanned = |from: u32, to: u32, arguments: FileId| {
        let span = portcullis::source::Span::new(arguments, from, to);
        Spanned::new(map.text(span).to_owned(), span)
    };
    let given = Given {
        parameters: vec![GivenValue {
            name: spanned(0, 5, arguments),
            value: spanned(6, 16, arguments),
        }],
    };
    let reading = CloudFormation.read_given(&[map.source(file)], &given);
    let text = model_text::groups_text(&reading.groups, &reading.members, &map);
    assert!(
        text.contains("from 10.0.0.0/8) `10.0.0.0/8`; => accept"),
        "{text}"
    );
    assert!(reading.notices.is_empty());
}

#[test]
fn other_files_are_not_templates() {
    for (name, text) in [
        (
            "pod.yaml",
            "apiVersion: v1\nkind: ConfigMap\ndata:\n  t: |\n    Resources:\n      X: {Type: AWS::EC2::Instance}\n",
        ),
        (
            "main.tf",
            "# AWS::EC2::SecurityGroup\nresource \"aws_security_group\" \"x\" {}\n",
        ),
        (
            "plan.json",
            "{\"resources\": [{\"type\": \"AWS::EC2::SecurityGroup\"}]}",
        ),
        ("empty.yaml", ""),
    ] {
        let mut map = SourceMap::new();
        let file = map.add_text(name, text);
        assert_eq!(CloudFormation.claims(map.source(file)), Claim::No, "{name}");
    }
}
