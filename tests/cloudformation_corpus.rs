//! Real templates, and what other linters expect of theirs, found through `PORTCULLIS_CORPUS`: without it, each test says that
//! it skipped. INVARIANT: what is excepted is named here with its reason.
#![cfg(test)]

#[path = "support/corpus/root.rs"]
mod corpus;
#[path = "support/model_text.rs"]
mod model_text;
#[path = "support/say.rs"]
mod say;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use portcullis::dialect::cloudformation::CloudFormation;
use portcullis::dialect::{Claim, Dialect, Reading};
use portcullis::source::SourceMap;

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
