//! Dumps held against what `iptables-restore-translate` makes of them in nft's words: both let the same packets through, chain
//! by chain. Dumps of which it cannot say some rule in nft's words are left out and counted. Where the tool is not there the
//! test says so, unless `PORTCULLIS_CI` is set.
#![cfg(test)]

#[path = "support/file.rs"]
mod file;
#[path = "support/listing.rs"]
mod listing;
#[path = "support/meaning.rs"]
mod meaning;
#[path = "support/say.rs"]
mod say;

use std::collections::BTreeSet;
use std::io::Write as _;
use std::process::{Command, Stdio};

use meaning::Meaning;
use portcullis::dialect::iptables::Iptables;
use portcullis::dialect::nftables::Nftables;
use portcullis::dialect::{Claim, Dialect};
use portcullis::model::Families;
use portcullis::source::{SourceFile, SourceMap};

/// Dumps whose meanings differ, with the reason.
const REASONS: &[(&str, &str)] = &[
    ("fixtures/demo/managers/m1/rules.v4", LOST),
    ("fixtures/demo/managers/m2/rules.v4", LOST),
    ("fixtures/demo/workers/w1/rules.v4", LOST),
    ("fixtures/demo/workers/w2/rules.v4", LOST),
    ("fixtures/demo/workers/w3/rules.v4", LOST),
    (
        "fixtures/iptables/a-table-that-comes-again/input.rules",
        "each table is translated by itself: the later one does not take the place of the earlier",
    ),
    ("fixtures/iptables/connection-states/input.rules", LOST),
];

/// What iptables 1.8.9 says in nft's words of connections that are translated.
const LOST: &str = "a list of states with SNAT or DNAT in it loses its `!` on the way, and `-p tcp -m tcp` before a translation is lost";

/// What the tool makes of a dump; `None` where it refuses it.
fn translated(text: &str, family: Families) -> Option<String> {
    let program = if family == Families::V6 {
        "ip6tables-restore-translate"
    } else {
        "iptables-restore-translate"
    };
    let path = std::env::temp_dir().join(format!("portcullis-translated-{}", std::process::id()));
    let mut dump = std::fs::File::create(&path).unwrap();
    dump.write_all(text.as_bytes()).unwrap();
    let done = Command::new(program)
        .arg("-f")
        .arg(&path)
        .stderr(Stdio::null())
        .output()
        .unwrap();
    let _gone = std::fs::remove_file(&path);
    done.status
        .success()
        .then(|| String::from_utf8_lossy(&done.stdout).into_owned())
}

fn is_there() -> bool {
    let found = Command::new("iptables-restore-translate")
        .arg("-V")
        .output()
        .is_ok();
    assert!(
        found || std::env::var_os("PORTCULLIS_CI").is_none(),
        "PORTCULLIS_CI is set, and `iptables-restore-translate` is not installed"
    );
    if !found {
        say::say("skipped: `iptables-restore-translate` is not installed");
    }
    found
}

/// The dumps of this repository and of a corpus, with their names.
fn dumps() -> Vec<(String, String)> {
    let fixtures = ["rules", "v4", "v6"]
        .map(|extension| listing::below("fixtures", extension))
        .concat();
    let fixtures = fixtures
        .into_iter()
        .filter(|path| !path.starts_with("fixtures/errors"));
    let mut dumps: Vec<_> = fixtures.map(|path| (path.clone(), file::text(&path))).collect();
    if let Some(root) = std::env::var_os("PORTCULLIS_CORPUS") {
        for entry in walkdir::WalkDir::new(root)
            .sort_by_file_name()
            .into_iter()
            .filter_map(Result::ok)
        {
            let is_small = entry.metadata().is_ok_and(|about| about.len() < 1 << 20);
            let Some(bytes) = std::fs::read(entry.path()).ok().filter(|_| is_small) else {
                continue;
            };
            let text = SourceFile::from_bytes("dump", bytes).text().to_owned();
            dumps.push((entry.path().to_string_lossy().into_owned(), text));
        }
    }
    dumps
}

fn is_dump(text: &str) -> bool {
    let mut map = SourceMap::new();
    let file = map.add_text("host.rules", text);
    Iptables.claims(map.source(file)) == Claim::Content
}

/// The meanings of chains that the tool writes out, by table and name.
fn of_chains(meaning: &Meaning) -> Vec<(String, bool, String)> {
    let shown = meaning.iter().map(|((path, accepts), bounds)| {
        let name = path.rsplit(' ').next().unwrap_or(path).to_owned();
        (name, *accepts, format!("{bounds:?}"))
    });
    shown.collect()
}

#[test]
fn a_dump_and_its_translation_let_the_same_packets_through() {
    if !is_there() {
        return;
    }
    let (mut n_equal, mut n_partly, mut n_refused, mut n_chains) = (0, 0, 0, 0);
    let mut differing = BTreeSet::new();
    for (name, text) in dumps() {
        if !is_dump(&text) {
            continue;
        }
        let (one, is_read) = meaning::read(&Iptables, &text);
        let (Some(family), true) = (
            one.first().map(|ruleset| ruleset.families),
            is_read && one.len() == 1,
        ) else {
            continue;
        };
        let Some(script) = translated(&text, family) else {
            n_refused += 1;
            continue;
        };
        if script.lines().any(|line| line.starts_with("# -")) {
            n_partly += 1;
            continue;
        }
        let (two, is_translation_read) = meaning::read(&Nftables, &script);
        if !is_translation_read {
            println!("{name}: the translation is no ruleset that nft takes");
            n_refused += 1;
            continue;
        }
        let two = two
            .into_iter()
            .filter(|ruleset| ruleset.families == family)
            .collect();
        let [one, two] = meaning::meanings(one, two, false);
        let (one, two) = (of_chains(&one), of_chains(&two));
        // Of tables that the dump does not have, the translation has none.
        let wrong: Vec<_> = two.iter().filter(|chain| !one.contains(chain)).collect();
        n_chains += two.len() / 2;
        if wrong.is_empty() {
            n_equal += 1;
        } else {
            let short = name.rsplit("corpus/").next().unwrap_or(&name).to_owned();
            println!(
                "{short}: {:?}",
                wrong.iter().map(|chain| (&chain.0, chain.1)).collect::<Vec<_>>()
            );
            differing.insert(short);
        }
    }
    println!(
        "{n_equal} dumps and their translations agree, {} differ ({n_chains} chains); {n_partly} are translated in part, {n_refused} refused",
        differing.len()
    );
    let has_corpus = std::env::var_os("PORTCULLIS_CORPUS").is_some();
    let listed: BTreeSet<String> = REASONS
        .iter()
        .filter(|(name, _)| has_corpus || name.starts_with("fixtures"))
        .map(|(name, _)| (*name).to_owned())
        .collect();
    assert_eq!(differing, listed);
    assert!(n_equal > 5);
}
