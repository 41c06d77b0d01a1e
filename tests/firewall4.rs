//! Rulesets that `OpenWrt`'s firewall4 writes in its own tests: the nftables reader reads all of each.

#![cfg(test)]

use std::path::Path;

use portcullis::dialect::Dialect;
use portcullis::dialect::nftables::Nftables;
use portcullis::finding::{Code, Finding};
use portcullis::model::Hook;
use portcullis::source::SourceMap;

/// The rulesets that a test expects on standard output.
fn expected(test: &str) -> Vec<&str> {
    let parts = test.split("-- Expect stdout --\n").skip(1);
    parts
        .filter_map(|part| Some(part.split_once("\n-- End --")?.0))
        .collect()
}

#[test]
fn rulesets_of_firewall4_are_read() {
    let Some(root) = std::env::var_os("PORTCULLIS_CORPUS") else {
        eprintln!("skipped: PORTCULLIS_CORPUS names no folder with openwrt+firewall4");
        return;
    };
    let root = Path::new(&root).join("openwrt+firewall4/tests");
    let (mut n_rulesets, mut n_rules, mut unread) = (0, 0, Vec::new());
    let mut files: Vec<_> = walkdir::WalkDir::new(&root)
        .into_iter()
        .filter_map(Result::ok)
        .map(walkdir::DirEntry::into_path)
        .filter(|path| path.is_file())
        .collect();
    files.sort();
    for path in files {
        let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
        for ruleset in expected(&text)
            .into_iter()
            .filter(|text| text.contains("table inet fw4"))
        {
            let mut map = SourceMap::new();
            let file = map.add_text("fw4.nft", ruleset);
            let reading = Nftables.read(&[map.source(file)]);
            n_rulesets += 1;
            n_rules += reading.n_rules;
            let hooks = reading.rulesets.iter().flat_map(|ruleset| &ruleset.bases);
            let hooks: Vec<Hook> = hooks.map(|base| base.hook).collect();
            assert!(
                [Hook::Input, Hook::Forward, Hook::Output]
                    .iter()
                    .all(|hook| hooks.contains(hook)),
                "{}",
                path.display()
            );
            // What the router includes is not among the files.
            let is_bad = |notice: &&Finding| {
                notice.code == Code::UnreadText && !notice.message.ends_with("was not found")
            };
            let bad = reading.notices.iter().filter(is_bad);
            unread.extend(bad.map(|notice| {
                let place = notice.primary.as_ref().map(|label| map.place(label.span));
                format!(
                    "{} {}: {}",
                    path.display(),
                    place.unwrap_or_default(),
                    notice.message
                )
            }));
        }
    }
    for unread in &unread {
        println!("{unread}");
    }
    println!(
        "{n_rulesets} rulesets of firewall4 with {n_rules} rules, {} places are not read",
        unread.len()
    );
    assert!(n_rulesets >= 18 && unread.is_empty());
}
