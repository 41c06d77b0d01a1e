//! Completeness: every finding code is documented, fires in a case and is quiet in a case; every dialect is whole.
#![cfg(test)]

#[path = "support/file.rs"]
mod file;
#[path = "support/listing.rs"]
mod listing;

use std::collections::{BTreeMap, BTreeSet};

use portcullis::dialect;
use portcullis::finding::Code;
use portcullis::suite;

/// Dialects whose syntax is somebody else's have no grammar.
const WITHOUT_GRAMMAR: &[&str] = &[
    "cloudformation",
    "firewalld",
    "heat",
    "kubernetes",
    "recorded",
    "terraform",
];

#[test]
fn ids_are_unique_and_in_kebab_case() {
    let ids: BTreeSet<&str> = Code::ALL.iter().map(|code| code.id()).collect();
    assert_eq!(ids.len(), Code::ALL.len());
    for id in ids {
        let is_word = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase());
        assert!(id.split('-').all(is_word), "{id}");
        assert_eq!(Code::by_id(id).map(Code::id), Some(id));
    }
}

#[test]
fn every_code_is_explained_in_two_paragraphs_or_more() {
    let is_short = |code: &&Code| {
        let lines: Vec<&str> = code.explain().lines().map(str::trim).collect();
        lines
            .split(|line| line.is_empty())
            .filter(|paragraph| !paragraph.is_empty())
            .count()
            < 2
    };
    let short: Vec<&str> = Code::ALL.iter().filter(is_short).map(|code| code.id()).collect();
    assert!(short.is_empty(), "explained too briefly: {}", short.join(", "));
}

#[test]
fn every_code_fires_in_a_case_and_is_quiet_in_one() {
    let mut fires = BTreeSet::new();
    let mut quiet = BTreeSet::new();
    for path in listing::below("fixtures/cases", "md") {
        let cases = suite::read(&file::text(&path)).unwrap_or_else(|error| panic!("{path}: {error}"));
        for case in cases {
            fires.extend(case.expected.iter().map(|expectation| expectation.code));
            quiet.extend(case.quiet);
        }
    }
    let missing = |seen: &BTreeSet<Code>| {
        let missing = Code::ALL.iter().filter(|code| !seen.contains(code));
        missing.map(|code| code.id()).collect::<Vec<_>>().join(", ")
    };
    let (fires, quiet) = (missing(&fires), missing(&quiet));
    assert!(
        fires.is_empty() && quiet.is_empty(),
        "no case expects: {fires}\nno case is quiet about: {quiet}"
    );
}

#[test]
fn every_dialect_is_whole() {
    let listed: BTreeSet<&str> = dialect::ALL.iter().map(|dialect| dialect.name()).collect();
    assert_eq!(listed.len(), dialect::ALL.len(), "two dialects share a name");
    let folders: BTreeSet<String> = std::fs::read_dir(file::place("src/dialect"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
        .collect();
    assert!(
        folders.iter().map(String::as_str).eq(listed.iter().copied()),
        "{folders:?} are not {listed:?}"
    );
    for name in listed {
        let fixtures = file::place(&format!("fixtures/{name}"));
        assert!(
            fixtures.is_dir() && fixtures.read_dir().unwrap().next().is_some(),
            "fixtures/{name} is empty"
        );
        let has_grammar = file::place(&format!("grammar/{name}.ebnf")).is_file();
        assert_eq!(
            has_grammar,
            !WITHOUT_GRAMMAR.contains(&name),
            "grammar/{name}.ebnf"
        );
    }
}

#[test]
fn constructs_of_a_dialect_are_listed_once() {
    for dialect in dialect::ALL {
        let mut seen = BTreeMap::new();
        for construct in dialect.constructs() {
            let before = seen.insert(construct.name.clone(), construct.support);
            assert!(
                before.is_none(),
                "{} lists `{}` twice",
                dialect.name(),
                construct.name
            );
        }
    }
}
