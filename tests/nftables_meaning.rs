//! Pairs of rulesets that nftables' own tests say are one: they let the same packets through, whatever their words.
#![cfg(test)]

#[path = "support/meaning.rs"]
mod meaning;

use std::path::{Path, PathBuf};

use meaning::meanings;
use portcullis::dialect::nftables::Nftables;
use portcullis::model::Ruleset;

/// The rulesets of a text, and whether all of it was read.
fn read(text: &str) -> (Vec<Ruleset>, bool) {
    meaning::read(&Nftables, text)
}

/// The folder of nftables' own tests, if there is one.
fn corpus() -> Option<PathBuf> {
    let root = std::env::var_os("PORTCULLIS_CORPUS").map(|root| Path::new(&root).join("marten-seemann+nft"));
    let found = root.filter(|root| root.is_dir());
    if found.is_none() {
        eprintln!("skipped: PORTCULLIS_CORPUS names no folder with marten-seemann+nft");
    }
    found
}

fn cases(root: &Path, name: &str) -> Vec<serde_json::Value> {
    let bytes = std::fs::read(root.join("expected").join(name)).unwrap();
    let cases: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    cases.as_array().unwrap().clone()
}

/// A rule in a chain of the family that its file is of.
fn around(file: &str, rule: &str) -> String {
    let family = match file.split('/').nth(2).unwrap() {
        "any" => "inet",
        other => other,
    };
    format!("table {family} t {{\n chain c {{\n  {rule}\n }}\n}}\n")
}

/// Of some fields nft writes out the question for the type of ICMP.
#[test]
fn what_nft_prints_of_a_rule_lets_the_same_packets_through() {
    let Some(root) = corpus() else { return };
    let (mut n_pairs, mut n_equal) = (0, 0);
    for case in cases(&root, "py_rules.json") {
        let (Some(file), Some(rule), Some(printed)) = (
            case["file"].as_str(),
            case["rule"].as_str(),
            case["normalised"].as_str(),
        ) else {
            continue;
        };
        let ((one, _), (two, _)) = (read(&around(file, rule)), read(&around(file, printed)));
        let [one, two] = meanings(one, two, true);
        n_pairs += 1;
        n_equal += usize::from(one == two);
        if one != two {
            println!("{file}:{}: {rule} | {printed}", case["line"]);
        }
    }
    println!("{n_pairs} rules that nft prints otherwise, {n_equal} of them let the same packets through");
    assert!(n_pairs >= 262 && n_equal >= n_pairs, "{n_equal} of {n_pairs}");
}

#[test]
fn what_nft_optimises_lets_the_same_packets_through() {
    let Some(root) = corpus() else { return };
    let (mut n_pairs, mut n_equal) = (0, 0);
    for case in cases(&root, "shell_testcases.json") {
        let (Some(dump), true) = (case["dump_nft"].as_str(), case["optimize"] == true) else {
            continue;
        };
        let texts = case["rulesets"].as_array().unwrap().iter();
        let texts: Vec<&str> = texts.filter_map(|one| one["text"].as_str()).collect();
        let dump = std::fs::read_to_string(root.join(dump)).unwrap();
        let ((one, is_read), (two, _)) = (read(&texts.join("\n")), read(&dump));
        // Some texts are cut short in the corpus.
        if !is_read || two.is_empty() {
            println!("{}: not all of it is there", case["script"]);
            continue;
        }
        let [one, two] = meanings(one, two, false);
        n_pairs += 1;
        n_equal += usize::from(one == two);
        for (key, meaning) in one
            .iter()
            .filter(|(key, meaning)| two.get(*key) != Some(*meaning))
        {
            println!("{}: {key:?} {meaning:?} {:?}", case["script"], two.get(key));
        }
    }
    println!("{n_pairs} rulesets that nft optimises, {n_equal} of them let the same packets through");
    assert!(n_pairs >= 6 && n_equal >= n_pairs, "{n_equal} of {n_pairs}");
}
