//! The nftables reader: fixtures by eye, errors by text, and nftables' own tests if a corpus is named.

#![cfg(test)]

#[path = "support/file.rs"]
mod file;
#[path = "support/golden.rs"]
mod golden;
#[path = "support/listing.rs"]
mod listing;
#[path = "support/model_text.rs"]
mod model_text;
#[path = "support/reading.rs"]
mod reading;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::{Path, PathBuf};

use portcullis::dialect::nftables::Nftables;
use portcullis::dialect::{Dialect, Reading};
use portcullis::finding::{Code, Finding};
use portcullis::model::{Action, ChainId, Condition};
use portcullis::packet::Field;
use portcullis::source::{SourceFile, SourceMap};
use reading::{notice_and_line, notice_text};

/// Reads one text as if it lay in a file of that name.
fn read(name: &str, text: &str) -> (SourceMap, Reading) {
    reading::read(&Nftables, name, text)
}

/// Reads the file at a place of the machine.
fn read_place(path: &Path) -> (SourceMap, Reading) {
    let mut map = SourceMap::new();
    let bytes = std::fs::read(path).unwrap();
    let file = map.add(SourceFile::from_bytes(path.to_string_lossy(), bytes));
    let reading = Nftables.read(&[map.source(file)]);
    (map, reading)
}

fn unread(reading: &Reading) -> Vec<&Finding> {
    let notices = reading.notices.iter();
    notices
        .filter(|notice| !matches!(notice.code, Code::UnsupportedMatch | Code::EmptySet))
        .collect()
}

/// The folder of a set of the corpus, if there is one.
fn corpus(set: &str) -> Option<PathBuf> {
    let Some(root) = std::env::var_os("PORTCULLIS_CORPUS") else {
        eprintln!("skipped: PORTCULLIS_CORPUS names no folder with {set}");
        return None;
    };
    let folder = Path::new(&root).join(set);
    if !folder.is_dir() {
        eprintln!("skipped: {} is not there", folder.display());
        return None;
    }
    Some(folder)
}

/// Every file under a folder with that extension.
fn files_under(root: &Path, extension: &str) -> Vec<PathBuf> {
    let mut files = reading::files_under(root);
    files.retain(|path| path.extension().is_some_and(|found| found == extension));
    files
}

#[test]
fn each_fixture_means_what_its_model_says() {
    reading::check_models(&Nftables);
}

#[test]
fn each_error_is_said_where_it_is() {
    reading::check_errors(&Nftables, "nft");
}

#[test]
fn every_span_lies_in_its_rule() {
    for input in reading::inputs(&Nftables) {
        let (map, reading) = read("input.nft", &file::text(&input));
        let chains = reading.rulesets.iter().flat_map(|ruleset| &ruleset.chains);
        for rule in chains.flat_map(|chain| &chain.rules) {
            let text = map.text(rule.span);
            assert!(!text.is_empty());
            for found in &rule.matches {
                assert!(!map.text(found.span).is_empty(), "{text}");
            }
        }
    }
}

#[test]
fn every_dump_of_nftables_own_tests_is_read() {
    let Some(root) = corpus("marten-seemann+nft") else {
        return;
    };
    let (mut n_files, mut n_clean, mut n_rules) = (0, 0, 0);
    for path in files_under(&root, "nft") {
        let (map, reading) = read_place(&path);
        n_files += 1;
        n_rules += reading.n_rules;
        let wrong = unread(&reading);
        n_clean += usize::from(wrong.is_empty());
        for finding in wrong {
            println!("{}: {}", path.display(), notice_and_line(&map, finding));
        }
    }
    println!("{n_files} dumps with {n_rules} rules, {n_clean} of them read without complaint");
    // The one that is not read without complaint includes files that are not beside it.
    assert!(n_files >= 281 && n_clean >= 280, "{n_clean} of {n_files}");
}

/// What tables and chains a rule of nftables' own tests needs around it.
fn around(family: &str, hook: &str, rule: &str) -> String {
    let device = if matches!(hook, "ingress" | "egress") {
        " device \"lo\""
    } else {
        ""
    };
    format!(
        "table {family} t {{\n chain c {{\n  type filter hook {hook}{device} priority 0;\n  {rule}\n }}\n}}\n"
    )
}

/// What nft refuses and we take, with the reason.
const TAKEN: &[(&str, &str)] = &[
    (
        "ct expiration 1d-1h",
        "times are read in no form: which is the longer is not seen; it is unknown anyway",
    ),
    (
        "meta broute set 1",
        "refused by the kernel in all chains but those that bridges call first: it filters nothing",
    ),
    (
        "ether type ip vlan id 1",
        "what follows a header of the link is not modelled: it is unknown anyway",
    ),
    (
        "fib daddr . oif type local",
        "refused by the kernel in chains before routing: by which hook a chain is met is not looked at here",
    ),
    (
        "icmp code != 1 icmp type 2 icmp mtu 5",
        "only type 3 has an mtu, so the rule matches nothing, and that is what is said of it",
    ),
    (
        "snat ip to ip saddr map { 10.141.11.4 : 192.168.2.3 . 80 }",
        "source translation decides nothing here, so what its map holds is not looked at",
    ),
    (
        "snat ip to ip saddr . th dport map { 10.141.11.4 . 20 : 192.168.2.3 . 80 }",
        "source translation decides nothing here, so what its map holds is not looked at",
    ),
];

#[test]
fn every_rule_that_nft_accepts_is_read_and_every_other_refused() {
    let Some(root) = corpus("marten-seemann+nft") else {
        return;
    };
    let bytes = std::fs::read(root.join("expected/py_rules.json")).unwrap();
    let rules: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    let mut figures: BTreeMap<(String, bool), usize> = BTreeMap::new();
    let mut taken = BTreeSet::new();
    for case in rules.as_array().unwrap() {
        let text = |key: &str| case[key].as_str().unwrap().to_owned();
        let (file, rule) = (text("file"), text("rule"));
        let family = match file.split('/').nth(2).unwrap() {
            "any" => "inet",
            other => other,
        };
        let hook = if family == "netdev" { "ingress" } else { "input" };
        let (map, reading) = read("case.nft", &around(family, hook, &rule));
        let wrong: Vec<_> = reading
            .notices
            .iter()
            .filter(|it| {
                // Of rules that nft takes, the sets are declared elsewhere.
                let is_dangling = it.code == Code::DanglingReference && text("result") == "fail";
                it.code == Code::UnreadText || is_dangling
            })
            .collect();
        *figures.entry((text("result"), wrong.is_empty())).or_default() += 1;
        if text("result") == "ok" && !wrong.is_empty() {
            println!(
                "{file}:{} refused: {rule}\n    {}",
                case["line"],
                notice_text(&map, wrong[0])
            );
        }
        if text("result") == "fail" && wrong.is_empty() {
            taken.insert(rule);
        }
    }
    println!("(result of nft, read without complaint): {figures:?}");
    let figure = |result: &str, is_read| figures.get(&(result.to_owned(), is_read)).copied().unwrap_or(0);
    assert_eq!((figure("ok", true), figure("ok", false)), (995, 0));
    let listed: BTreeSet<String> = TAKEN.iter().map(|(rule, _)| (*rule).to_owned()).collect();
    assert_eq!(taken, listed, "refused by nft, taken by us");
}

/// A ruleset without its places: chains with their rules, names of unknown properties left out.
fn shape(reading: &Reading) -> Vec<String> {
    fn bare(condition: &Condition) -> String {
        let all = |parts: &[Condition]| parts.iter().map(bare).collect::<Vec<_>>().join(", ");
        match condition {
            Condition::Test(field, set) => format!("{field:?} {set:?}"),
            Condition::All(parts) => format!("all({})", all(parts)),
            Condition::Any(parts) => format!("any({})", all(parts)),
            Condition::Not(part) => format!("not({})", bare(part)),
            Condition::Member(member) => format!("{member:?}"),
            Condition::Unknown(unknown) => format!("unknown {}", unknown.property.is_some()),
        }
    }
    let mut shapes = Vec::new();
    for ruleset in &reading.rulesets {
        let path = |id: ChainId| ruleset.chains[id.0 as usize].path.clone();
        for base in &ruleset.bases {
            shapes.push(format!(
                "{:?} {:?} {} {:?} {} {:?}",
                ruleset.families,
                base.hook,
                base.priority,
                base.purpose,
                path(base.chain),
                base.default
            ));
        }
        for chain in &ruleset.chains {
            for (at, rule) in chain.rules.iter().enumerate() {
                let matches: Vec<_> = rule.matches.iter().map(|found| bare(&found.condition)).collect();
                let action = match &rule.action {
                    Action::Jump(to) => format!("jump {}", path(*to)),
                    Action::Goto(to) => format!("goto {}", path(*to)),
                    Action::Unknown(_) => "unknown".to_owned(),
                    action => format!("{action:?}"),
                };
                let families = ruleset.families;
                shapes.push(format!(
                    "{families:?} {} {at}: {} => {action}",
                    chain.path,
                    matches.join("; ")
                ));
            }
        }
    }
    shapes.sort();
    shapes
}

#[test]
fn text_and_json_of_one_ruleset_mean_the_same() {
    let Some(root) = corpus("marten-seemann+nft") else {
        return;
    };
    let (mut n_pairs, mut n_equal) = (0, 0);
    for json in files_under(&root, "json-nft") {
        let text = json.with_extension("nft");
        if !text.is_file() {
            continue;
        }
        let ((text_map, of_text), (json_map, of_json)) = (read_place(&text), read_place(&json));
        n_pairs += 1;
        for (map, reading) in [(&text_map, &of_text), (&json_map, &of_json)] {
            for finding in unread(reading) {
                println!("{}: {}", json.display(), notice_text(map, finding));
            }
        }
        let (a, b) = (shape(&of_text), shape(&of_json));
        n_equal += usize::from(a == b);
        if a != b {
            println!("{} differs", json.display());
            for line in a.iter().filter(|line| !b.contains(line)).take(3) {
                println!("    text: {line}");
            }
            for line in b.iter().filter(|line| !a.contains(line)).take(3) {
                println!("    json: {line}");
            }
        }
    }
    println!("{n_pairs} pairs of text and JSON, {n_equal} of them equal");
    // In one the text says `"lo"` where the JSON says `iif`.
    assert!(n_pairs >= 216 && n_equal >= 215, "{n_equal} of {n_pairs}");
}

/// The rulesets that the generator of `OpenWrt` is expected to print.
#[test]
fn every_ruleset_of_openwrts_generator_is_read() {
    let Some(root) = corpus("openwrt+firewall4") else {
        return;
    };
    let (mut n_rulesets, mut n_clean, mut n_rules) = (0, 0, 0);
    let files = walkdir::WalkDir::new(root.join("tests")).sort_by_file_name();
    let files = files
        .into_iter()
        .filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_file());
    for entry in files {
        let text = std::fs::read_to_string(entry.path()).unwrap_or_default();
        let expected = text
            .split("-- Expect stdout --\n")
            .nth(1)
            .and_then(|rest| rest.split("-- End --").next());
        let Some(expected) = expected.filter(|expected| expected.contains("table inet fw4")) else {
            continue;
        };
        let (map, reading) = read("fw4.nft", expected);
        n_rulesets += 1;
        n_rules += reading.n_rules;
        let wrong: Vec<_> = unread(&reading)
            .into_iter()
            .map(|finding| notice_text(&map, finding))
            .collect();
        n_clean += usize::from(wrong.is_empty());
        for text in wrong {
            println!("{}: {text}", entry.path().display());
        }
    }
    println!(
        "{n_rulesets} rulesets of firewall4 with {n_rules} rules, {n_clean} of them read without complaint"
    );
    // One includes files that are not there.
    assert!(n_rulesets >= 18 && n_clean >= 17, "{n_clean} of {n_rulesets}");
}

#[test]
fn hostile_rulesets_are_read_in_bounded_time() {
    let many = |part: &str, count: usize| part.repeat(count);
    let head = "table ip t {\n chain c {\n  type filter hook input priority 0; policy drop;\n";
    let doubled = (1..60).fold("define a0 = { 1, 2 }\n".to_owned(), |text, at| {
        text + &format!("define a{at} = {{ $a{}, $a{} }}\n", at - 1, at - 1)
    });
    let texts = [
        many("{", 3_000_000),
        many("(", 3_000_000),
        format!("{head}{}", many("tcp dport 22 ", 800_000)),
        format!("{head} accept comment \"{}\"\n }}\n}}\n", many("x ", 5_000_000)),
        format!(
            "{head} tcp dport {{ {} }} accept\n }}\n}}\n",
            many("22, ", 300_000)
        ),
        format!(
            "{head} ip saddr . tcp dport {{ {} }} accept\n }}\n}}\n",
            many("10.0.0.1 . 22, ", 100_000)
        ),
        format!("{head}{}", many("\"", 3_000_001)),
        format!(
            "{head} meta mark {} 1 accept\n }}\n}}\n",
            many("& 1 | 2 ", 200_000)
        ),
        format!("{doubled}{head} tcp dport $a59 accept\n }}\n}}\n"),
        format!("{head} }} }}\n{}", many("insert rule ip t c accept\n", 100_000)),
        format!(
            "{head} }} }}\n{}",
            many("add rule ip t c index 0 accept\n", 50_000)
        ),
        format!(
            "table ip t {{\n{}}}\n",
            (0..100_000).fold(String::new(), |text, at| text
                + &format!("chain c{at} {{ jump c{}; }}\n", at + 1))
        ),
        many("include \"input.nft\"\n", 100_000),
        format!("{{\"nftables\": {}", many("[", 3_000_000)),
        format!("{{\"nftables\": [{}]}}", many("{\"rule\": {}},", 100_000)),
        many("#!\u{1a}\u{e4}\\\n;}{", 100_000),
    ];
    for text in &texts {
        let start = std::time::Instant::now();
        let (_, reading) = read("input.nft", text);
        let shown: String = text.chars().take(40).collect();
        let elapsed = start.elapsed();
        println!(
            "{elapsed:?} for {} bytes: {shown}… ({} notices)",
            text.len(),
            reading.notices.len()
        );
        assert!(elapsed.as_secs() < 60, "{shown}");
    }
}

#[test]
fn a_ruleset_may_end_anywhere() {
    for path in ["sets-and-definitions/input.nft", "as-json/ruleset.json"] {
        let text = file::text(&format!("fixtures/nftables/{path}"));
        for end in (0..text.len()).filter(|end| text.is_char_boundary(*end)) {
            let _either = read("input.nft", &text[..end]);
        }
    }
}

/// A set of a million elements is one question; which of them a packet is in by is found by its value.
#[test]
fn a_set_of_a_million_elements_is_one_question() {
    let address = |at: u32| std::net::Ipv4Addr::from(0x0a00_0000 + 2 * at);
    let mut text = "table ip t {\n set big {\n  type ipv4_addr\n  elements = { 192.0.2.1".to_owned();
    for at in 0..1_000_000 {
        write!(text, ", {}", address(at)).unwrap();
    }
    text += " }\n }\n chain c {\n  type filter hook input priority 0; policy drop;\n  ip saddr @big accept\n }\n}\n";
    let begun = std::time::Instant::now();
    let (map, reading) = read("big.nft", &text);
    println!("{:.1?}", begun.elapsed());
    assert!(reading.notices.is_empty());
    let [ruleset] = reading.rulesets.as_slice() else {
        panic!("{} rulesets", reading.rulesets.len());
    };
    let matches = &ruleset.chains[0].rules[0].matches;
    let sizes = matches.iter().map(|one| match &one.condition {
        Condition::Test(Field::Source4, values) => values.ranges().len(),
        other => panic!("{other:?}"),
    });
    assert_eq!(sizes.collect::<Vec<_>>(), [1_000_001]);
    for at in [0, 1, 777_777, 999_999] {
        let value = u128::from(u32::from(address(at)));
        let of = |field| (field == Field::Source4).then_some(value);
        let (name, element) = ruleset.sets.element(matches[0].span, &|_| true, &of).unwrap();
        assert_eq!(
            (name, map.text(element)),
            ("@big", address(at).to_string().as_str())
        );
    }
}

/// Prints how fast it is; a debug build says little.
#[test]
fn many_rules_are_read() {
    let mut text =
        "table inet t {\n chain c {\n  type filter hook input priority 0; policy drop;\n".to_owned();
    for at in 0..200_000 {
        let (high, low, port) = (at >> 8 & 255, at & 255, at % 65536);
        writeln!(
            text,
            "  ip saddr 10.{high}.{low}.0/24 tcp dport {port} ct state new counter accept"
        )
        .unwrap();
    }
    text.push_str(" }\n}\n");
    let start = std::time::Instant::now();
    let (_, reading) = read("many.nft", &text);
    println!("{} rules in {:?}", reading.n_rules, start.elapsed());
    assert_eq!((reading.n_rules, reading.notices.len()), (200_000, 0));
}

/// nftables' own tests say how nft prints each rule again: whatever the words, the conditions are the same.
#[test]
fn a_rule_means_what_nft_prints_of_it() {
    let Some(root) = corpus("marten-seemann+nft") else {
        return;
    };
    let bytes = std::fs::read(root.join("expected/py_rules.json")).unwrap();
    let rules: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    let (mut n_pairs, mut n_equal) = (0, 0);
    for case in rules.as_array().unwrap() {
        let (Some(file), Some(rule), Some(printed)) = (
            case["file"].as_str(),
            case["rule"].as_str(),
            case["normalised"].as_str(),
        ) else {
            continue;
        };
        let family = file
            .split('/')
            .nth(2)
            .map_or("inet", |family| if family == "any" { "inet" } else { family });
        let hook = if family == "netdev" { "ingress" } else { "input" };
        let (_, one) = read("case.nft", &around(family, hook, rule));
        let (_, two) = read("case.nft", &around(family, hook, printed));
        n_pairs += 1;
        n_equal += usize::from(shape(&one) == shape(&two));
        if shape(&one) != shape(&two) {
            println!("{file}:{}: {rule} | {printed}", case["line"]);
        }
    }
    println!("{n_pairs} rules that nft prints otherwise, {n_equal} of them with the same conditions");
    // The others ask the same in other places: see `nftables_meaning`.
    assert!(n_pairs >= 262 && n_equal >= 222, "{n_equal} of {n_pairs}");
}

/// What is not read is cut short in the corpus, has variables of the shell in it, or speaks of tables that another text has
/// loaded before: nft refuses each of these texts by itself.
#[test]
fn every_ruleset_of_nftables_own_scripts_is_read() {
    let Some(root) = corpus("marten-seemann+nft") else {
        return;
    };
    let bytes = std::fs::read(root.join("expected/shell_testcases.json")).unwrap();
    let cases: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    let (mut n_read, mut unread) = (0, BTreeSet::new());
    for case in cases.as_array().unwrap() {
        let script = case["script"]
            .as_str()
            .unwrap()
            .trim_start_matches("tests/shell/testcases/");
        for (at, one) in case["rulesets"].as_array().unwrap().iter().enumerate() {
            let (map, reading) = read("case.nft", one["text"].as_str().unwrap());
            let wrong = reading.notices.iter().find(|it| it.code == Code::UnreadText);
            match wrong {
                None => n_read += 1,
                Some(notice) => {
                    println!("{script} {at}: {}", notice_text(&map, notice));
                    unread.insert(format!("{script} {at}"));
                }
            }
        }
    }
    println!("{n_read} rulesets of scripts read, {} not", unread.len());
    assert_eq!((n_read, unread.len()), (179, 75));
}
