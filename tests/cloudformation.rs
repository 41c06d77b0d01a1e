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
        ..Given::default()
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

/// Less than any thread of the program has: what recurses with its input overflows it.
const STACK: usize = 512 * 1024;

const GROUP: &str =
    "Resources:\n  G:\n    Type: AWS::EC2::SecurityGroup\n    Properties:\n      SecurityGroupIngress:\n";

fn rule(cidr: &str) -> String {
    format!("        - {{IpProtocol: tcp, FromPort: 1, ToPort: 1, CidrIp: {cidr}}}\n")
}

#[test]
fn hostile_templates_are_read_in_bounded_time() {
    let many = |count: usize, line: &dyn Fn(usize) -> String| (0..count).map(line).collect::<String>();
    // Each text is three times the last.
    let doubled = (0..40).fold("x".to_owned(), |text, _| {
        format!("{{\"Fn::Sub\": [\"${{a}}${{a}}${{a}}\", {{\"a\": {text}}}]}}")
    });
    let nested = |depth: usize| {
        (0..depth).fold("10.0.0.0/8".to_owned(), |text, at| {
            format!("!If [C{at}, {text}, 0.0.0.0/0]")
        })
    };
    let open = |count: usize| {
        let parameters = many(count, &|at| format!("  P{at}: {{Type: String}}\n"));
        let conditions = many(count, &|at| format!("  C{at}: !Equals [!Ref P{at}, a]\n"));
        format!("Parameters:\n{parameters}Conditions:\n{conditions}")
    };
    let cases = [
        ("texts that triple", format!("{GROUP}{}", rule(&doubled))),
        (
            "conditions in each other",
            format!("{}{GROUP}{}", open(60), rule(&nested(60))),
        ),
        (
            "rules with conditions of their own",
            format!(
                "{}{GROUP}{}",
                open(2000),
                many(2000, &|at| format!(
                    "        - !If [C{at}, {{IpProtocol: tcp, FromPort: 1, ToPort: 1, CidrIp: 10.0.0.0/8}}, !Ref AWS::NoValue]\n"
                ))
            ),
        ),
        (
            "a circle of conditions",
            format!("Conditions:\n  A: !Not [!Condition B]\n  B: !Not [!Condition A]\n{GROUP}{}", rule("!If [A, 0.0.0.0/0, 10.0.0.0/8]")),
        ),
        (
            "conditions that lead to two each",
            format!(
                "Conditions:\n{}  C60: !Equals [a, b]\n{GROUP}{}",
                many(60, &|at| format!("  C{at}: !And [!Condition C{0}, !Condition C{0}]\n", at + 1)),
                rule("!If [C0, 0.0.0.0/0, 10.0.0.0/8]")
            ),
        ),
        ("a network of itself", "Resources:\n  V: {Type: AWS::EC2::VPC, Properties: {CidrBlock: !GetAtt V.CidrBlock}}\n  G:\n    Type: AWS::EC2::SecurityGroup\n    Properties: {SecurityGroupIngress: [{IpProtocol: -1, CidrIp: !GetAtt V.CidrBlock}]}\n".to_owned()),
        ("too many subnets", format!("{GROUP}{}", rule("!Select [1, !Cidr [10.0.0.0/8, 99999999999, 200]]"))),
        ("many rules", format!("{GROUP}{}", many(20_000, &|at| rule(&format!("10.{}.{}.0/24", at % 250, at / 250))))),
        ("many groups", format!("Resources:\n{}", many(5_000, &|at| format!(
            "  G{at}:\n    Type: AWS::EC2::SecurityGroup\n    Properties: {{SecurityGroupIngress: [{{IpProtocol: tcp, FromPort: 1, ToPort: 1, SourceSecurityGroupId: !Ref G{}}}]}}\n", at / 2
        )))),
        ("wrong forms", format!("{GROUP}        - !Sub [1, 2, 3]\n        - [[[]]]\n        - 7\n        - !If [x]\n        - {{IpProtocol: [], FromPort: {{}}, CidrIp: [a, b]}}\n        - !Join [!Ref X, !Ref Y]\n        - !GetAtt []\n        - !FindInMap [a]\n        - !Cidr []\n        - !Select [z, z]\n        - !Split ['', '']\n")),
        ("no mapping", "Resources: [AWS::EC2::SecurityGroup]\nParameters: 7\n".to_owned()),
    ];
    for (what, text) in cases {
        let begun = std::time::Instant::now();
        let (n_groups, n_notices) = std::thread::Builder::new()
            .stack_size(STACK)
            .spawn(move || {
                let (_, reading) = read("template.yaml", &text);
                (reading.groups.len(), reading.notices.len())
            })
            .unwrap()
            .join()
            .unwrap();
        println!(
            "{:.1?} {what}: {n_groups} groups, {n_notices} notices",
            begun.elapsed()
        );
        assert!(begun.elapsed().as_secs() < 60, "{what}");
    }
}
