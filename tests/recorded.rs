//! The reader of recorded answers: each folder of fixtures is one recording, and means what its model says.

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

use std::collections::BTreeMap;

use portcullis::dialect::cloudformation::CloudFormation;
use portcullis::dialect::recorded::Recorded;
use portcullis::dialect::{Claim, Dialect, Reading};
use portcullis::source::SourceMap;

fn read(files: &[(&str, String)]) -> (SourceMap, Reading) {
    let mut map = SourceMap::new();
    let ids: Vec<_> = files
        .iter()
        .map(|(name, text)| map.add_text(*name, text.as_str()))
        .collect();
    let unit: Vec<_> = ids.iter().map(|id| map.source(*id)).collect();
    for source in &unit {
        assert_eq!(Recorded.claims(*source), Claim::Content, "{}", source.name);
        assert_eq!(CloudFormation.claims(*source), Claim::No, "{}", source.name);
    }
    let reading = Recorded.read(&unit);
    (map, reading)
}

#[test]
fn each_recording_means_what_its_model_says() {
    let mut folders: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for path in listing::below("fixtures/recorded", "json") {
        let folder = path.rsplit_once('/').unwrap().0.to_owned();
        folders.entry(folder).or_default().push(path);
    }
    for (folder, paths) in folders {
        let files: Vec<_> = paths
            .iter()
            .map(|path| (path.as_str(), file::text(path)))
            .collect();
        let (map, reading) = read(&files);
        let groups = model_text::groups_text(&reading.groups, &reading.members, &map);
        let said = notices::text(&map, &reading.notices);
        golden::assert_golden(&format!("{folder}/model.txt"), &format!("{groups}{said}"));
    }
}

#[test]
fn a_file_of_a_recording_names_the_others() {
    let mut map = SourceMap::new();
    let file = map.add_text("cloud/2024/groups.json", "{\"SecurityGroups\": []}");
    assert_eq!(Recorded.includes(map.source(file)), [["cloud/2024/*.json"]]);
    let template = "{\"AWSTemplateFormatVersion\": \"2010-09-09\", \"Resources\": {\"SecurityGroups\": {\"Type\": \"AWS::X\"}}}";
    let other = map.add_text("cloud/2024/stack.json", template);
    assert!(!Recorded.takes(map.source(other)));
}

/// Whatever a query cut out of an answer means what the answer means.
#[test]
fn parts_of_answers_are_recognised() {
    let whole = file::text("fixtures/recorded/aws/groups.json");
    let list = whole.trim().trim_start_matches('{').trim_end_matches('}').trim();
    let list = list.trim_start_matches("\"SecurityGroups\":");
    let whole = read(&[("groups.json", whole.clone())]).1;
    let part = read(&[("groups.json", list.to_owned())]).1;
    let shape = |reading: &Reading| model_text::shape(&reading.groups, &reading.members);
    assert_eq!(shape(&whole), shape(&part));
    assert!(!whole.groups.is_empty());
}

#[test]
fn hostile_answers_are_read_in_bounded_time() {
    let many =
        |count: usize, item: &dyn Fn(usize) -> String| (0..count).map(item).collect::<Vec<_>>().join(",");
    let permission = |at: usize| {
        format!(
            "{{\"IpProtocol\": \"tcp\", \"FromPort\": {}, \"ToPort\": 99999, \"IpRanges\": [{{\"CidrIp\": \"x\"}}]}}",
            at % 70_000
        )
    };
    let deep = |depth: usize| {
        let (open, close) = ("[".repeat(depth), "]".repeat(depth));
        format!("{{\"IpPermissions\": 1, \"SecurityGroups\": {open}{close}}}")
    };
    let cases = [
        format!("{{\"SecurityGroups\": [{{\"GroupId\": \"sg-1\", \"IpPermissions\": [{}]}}]}}", many(20_000, &permission)),
        format!("{{\"SecurityGroups\": [{}]}}", many(20_000, &|at| format!("{{\"GroupId\": \"sg-{}\", \"IpPermissions\": []}}", at / 2))),
        format!("{{\"SecurityGroupRules\": [{}]}}", many(20_000, &|at| format!("{{\"GroupId\": \"sg-{at}\", \"IsEgress\": 7, \"IpProtocol\": null}}"))),
        deep(100_000),
        "{\"SecurityGroups\": 7, \"IpPermissions\": {}}".to_owned(),
        "{\"NetworkAcls\": [{\"NetworkAclId\": 7, \"Entries\": [1, null, {}, {\"RuleNumber\": -1}]}]}".to_owned(),
        "{\"security_groups\": [{\"id\": [], \"security_group_rules\": {}}], \"security_group_rules\": [null, {\"direction\": 1}]}".to_owned(),
        "[{\"IP Protocol\": 1, \"IP Range\": [], \"Port Range\": \":::\"}]".to_owned(),
        "{\"SecurityGroups\": [{\"IpPermissions\": [".to_owned(),
    ];
    for text in cases {
        let begun = std::time::Instant::now();
        let shown: String = text.chars().take(60).collect();
        let read = move || {
            let reading = read(&[("answer.json", text)]).1;
            (reading.groups.len(), reading.notices.len())
        };
        let thread = std::thread::Builder::new()
            .stack_size(512 * 1024)
            .spawn(read)
            .unwrap();
        let (n_groups, n_notices) = thread.join().unwrap();
        println!(
            "{:.1?} {shown:?}…: {n_groups} groups, {n_notices} notices",
            begun.elapsed()
        );
        assert!(begun.elapsed().as_secs() < 60, "{shown}");
    }
}
