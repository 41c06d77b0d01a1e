//! The iptables reader: fixtures by eye, errors by text, and every dump of a corpus if one is named.

#![cfg(test)]

#[path = "support/model_text.rs"]
mod model_text;
#[path = "support/say.rs"]
mod say;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

use portcullis::dialect::iptables::Iptables;
use portcullis::dialect::{Claim, Dialect, Reading};
use portcullis::finding::{Code, Finding};
use portcullis::source::{FileId, SourceFile, SourceMap};

/// Reads one text as if it lay in a file of that name.
fn read(name: &str, text: &str) -> (SourceMap, Reading) {
    let mut map = SourceMap::new();
    let file = map.add_text(name, text);
    let reading = Iptables.read(&[map.source(file)]);
    (map, reading)
}

/// `line:col..col code: message | help`
fn notice_text(map: &SourceMap, finding: &Finding) -> String {
    let span = finding.primary.as_ref().unwrap().span;
    let (start, end) = (
        map.file(span.file).line_column(span.start),
        map.file(span.file).line_column(span.end),
    );
    let mut text = format!(
        "{}:{}..{} {}: {}",
        start.line,
        start.column,
        end.column,
        finding.code.id(),
        finding.message
    );
    if let Some(help) = &finding.help {
        write!(text, " | {help}").unwrap();
    }
    text
}

fn notices_text(map: &SourceMap, reading: &Reading) -> String {
    reading
        .notices
        .iter()
        .map(|finding| notice_text(map, finding) + "\n")
        .collect()
}

/// Compares with a file; `UPDATE_EXPECT=1` writes it.
fn expect(path: &Path, actual: &str) {
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(path, actual).unwrap();
        return;
    }
    let expected = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        expected == actual,
        "{} differs:\n--- expected\n{expected}\n--- actual\n{actual}",
        path.display()
    );
}

fn folder(path: &str) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let mut entries: Vec<_> = std::fs::read_dir(root)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    entries
}

#[test]
fn each_fixture_means_what_its_model_says() {
    for case in folder("fixtures/iptables") {
        let input = std::fs::read_dir(&case)
            .unwrap()
            .map(|entry| entry.unwrap().path());
        let input = input
            .filter(|path| path.file_name().unwrap() != "model.txt")
            .min()
            .unwrap();
        let mut map = SourceMap::new();
        let name = input.file_name().unwrap().to_string_lossy().into_owned();
        let file = map.add(SourceFile::from_bytes(name, std::fs::read(&input).unwrap()));
        assert_eq!(
            Iptables.claims(map.source(file)),
            Claim::Content,
            "{}",
            input.display()
        );
        let reading = Iptables.read(&[map.source(file)]);
        let models: Vec<_> = reading
            .rulesets
            .iter()
            .map(|ruleset| model_text::model_text(ruleset, &map))
            .collect();
        let mut text = models.join("\n");
        if !reading.notices.is_empty() {
            write!(text, "\nnotices\n{}", notices_text(&map, &reading)).unwrap();
        }
        expect(&case.join("model.txt"), &text);
    }
}

#[test]
fn each_error_is_said_where_it_is() {
    for input in folder("fixtures/errors/iptables")
        .iter()
        .filter(|path| path.extension().is_some_and(|it| it == "rules"))
    {
        let (map, reading) = read("input.rules", &std::fs::read_to_string(input).unwrap());
        assert!(!reading.notices.is_empty(), "{}", input.display());
        expect(&input.with_extension("txt"), &notices_text(&map, &reading));
    }
}

/// Every file under a folder.
fn files_under(root: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = walkdir::WalkDir::new(root)
        .into_iter()
        .filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_file())
        .map(walkdir::DirEntry::into_path)
        .collect();
    files.sort();
    files
}

#[test]
fn every_dump_of_the_corpus_is_read() {
    let Some(root) = std::env::var_os("PORTCULLIS_CORPUS") else {
        say::say("skipped: PORTCULLIS_CORPUS names no folder of dumps");
        return;
    };
    let (mut n_files, mut n_rules, mut n_bytes, mut unread) = (0, 0, 0, 0);
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    let mut elapsed = std::time::Duration::ZERO;
    for path in files_under(Path::new(&root)) {
        let Ok(bytes) = std::fs::read(&path) else { continue };
        let mut map = SourceMap::new();
        let file: FileId = map.add(SourceFile::from_bytes(path.to_string_lossy().into_owned(), bytes));
        if Iptables.claims(map.source(file)) != Claim::Content {
            continue;
        }
        let start = Instant::now();
        let reading = Iptables.read(&[map.source(file)]);
        elapsed += start.elapsed();
        n_files += 1;
        n_rules += reading.n_rules;
        n_bytes += map.file(file).text().len();
        for finding in &reading.notices {
            let label = finding.primary.as_ref().unwrap();
            assert_eq!(label.span.file, file);
            if finding.code == Code::UnsupportedMatch {
                *kinds.entry(map.text(label.span).to_owned()).or_default() += 1;
                continue;
            }
            unread += 1;
            let at = map.file(file).line_column(label.span.start);
            let line: String = map.file(file).line(at.line).unwrap().chars().take(160).collect();
            println!("{}: {}\n    {line}", path.display(), notice_text(&map, finding));
        }
    }
    println!(
        "{n_files} files, {n_bytes} bytes, {n_rules} rules in {elapsed:?}; {unread} notices other than unsupported-match"
    );
    println!("files with each unsupported kind: {kinds:?}");
}

/// iptables' own tests of its extensions: `{"table", "chains", "rule", "result": "OK" or "FAIL"}`.
#[test]
fn every_rule_that_iptables_accepts_is_read() {
    let Some(root) = std::env::var_os("PORTCULLIS_CORPUS") else {
        say::say("skipped: PORTCULLIS_CORPUS names no folder with extension_rules.json");
        return;
    };
    let lists = files_under(Path::new(&root))
        .into_iter()
        .filter(|path| path.ends_with("expected/extension_rules.json"));
    for list in lists {
        let cases: serde_json::Value = serde_json::from_slice(&std::fs::read(list).unwrap()).unwrap();
        let mut figures: BTreeMap<(String, bool), usize> = BTreeMap::new();
        for case in cases.as_array().unwrap() {
            let text = |key: &str| case[key].as_str().unwrap().to_owned();
            let file = text("file");
            if ["libebt_", "libarpt_"].iter().any(|other| file.contains(other)) {
                continue;
            }
            let chain = case["chains"][0].as_str().unwrap_or("FORWARD").to_owned();
            let family = if file.contains("libip6t_") {
                "ip6tables"
            } else {
                "iptables"
            };
            let rule = text("rule");
            let dump = format!(
                "# Generated by {family}-save\n*{}\n:{chain} ACCEPT [0:0]\n-A {chain} {rule}\nCOMMIT\n",
                text("table")
            );
            let (map, reading) = read("case", &dump);
            let unread: Vec<_> = reading
                .notices
                .iter()
                .filter(|it| it.code != Code::UnsupportedMatch)
                .collect();
            *figures.entry((text("result"), unread.is_empty())).or_default() += 1;
            if text("result") == "OK" && !unread.is_empty() {
                println!(
                    "{file}:{} {rule}\n    {}",
                    case["line"],
                    notice_text(&map, unread[0])
                );
            }
        }
        println!("(result of iptables, read without complaint): {figures:?}");
    }
}

const HEAD: &str = "*filter\n:INPUT DROP [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [0:0]\n";

#[test]
fn every_span_lies_in_its_rule() {
    for case in folder("fixtures/iptables") {
        for input in std::fs::read_dir(case)
            .unwrap()
            .map(|entry| entry.unwrap().path())
        {
            let (map, reading) = read("input.rules", &std::fs::read_to_string(&input).unwrap());
            let chains = reading.rulesets.iter().flat_map(|ruleset| &ruleset.chains);
            for rule in chains.flat_map(|chain| &chain.rules) {
                assert!(rule.span.contains(rule.action_span) && !map.text(rule.span).contains('\n'));
                assert!(rule.matches.iter().all(|found| rule.span.contains(found.span)));
                assert!(rule.matches.iter().all(|found| !map.text(found.span).is_empty()));
            }
        }
    }
}

#[test]
fn hostile_dumps_are_read_in_linear_time() {
    let many = |part: &str, count: usize| part.repeat(count);
    let dumps = [
        format!("{HEAD}-A INPUT -m comment --comment \"{}\" -j DROP\nCOMMIT\n", many("x ", 5_000_000)),
        format!("{HEAD}-A INPUT {} -j DROP\nCOMMIT\n", many("-m set ", 1_000_000)),
        format!("{HEAD}-A INPUT {} -j DROP\nCOMMIT\n", many("-s 10.0.0.1 ", 500_000)),
        format!("{HEAD}-A INPUT -s {}10.0.0.1 -j DROP\nCOMMIT\n", many("10.0.0.0/255.0.255.1,", 300_000)),
        format!("{HEAD}{}COMMIT\n", many("-I INPUT -j DROP\n", 300_000)),
        format!("{HEAD}{}COMMIT\n", many("-I INPUT 1 -j DROP\n-I INPUT 2 -j DROP\n", 100_000)),
        format!("{HEAD}{}COMMIT\n", many("-A INPUT -j DROP\n", 1000) + &many("-D INPUT -j ACCEPT\n", 100_000)),
        format!("{HEAD}{}COMMIT\n", many("\"", 3_000_001)),
        many("*filter\n:INPUT DROP [0:0]\n", 20_000),
        many("*filter\n", 500_000),
        (0..50_000).fold(HEAD.to_owned(), |text, at| text + &format!(":c{at} - [0:0]\n")) + &many("-F\n", 100_000),
        (0..100_000).fold(HEAD.to_owned(), |text, at| text + &format!(":c{at} - [0:0]\n-A INPUT -j c{at}\n-A c{at} -j d{at}\n")),
        (0..100_000).fold(HEAD.to_owned(), |text, at| text + &format!("-A INPUT -m m{at} --o{at} x -j DROP\n")),
        "\0\u{1a}*filter\u{1a}\n:\u{1a}\n-A \u{1a} -s \u{e4}\n".to_owned(),
        "*filter\n:\n-A\n-A \n-A INPUT -\n-A INPUT --\n-A INPUT --=\n-A INPUT -\u{e4}\n[\n[1:\n-I INPUT 99999999999999999999 -j DROP\n".to_owned(),
    ];
    for dump in &dumps {
        let start = Instant::now();
        let (_, reading) = read("hostile.rules", dump);
        let shown: String = dump.chars().skip(HEAD.len()).take(30).collect();
        println!(
            "{:?} for {} bytes: {shown}… ({} notices)",
            start.elapsed(),
            dump.len(),
            reading.notices.len()
        );
        assert!(start.elapsed().as_secs() < 60, "{shown}");
    }
}

/// Prints how fast it is; a debug build says little.
#[test]
fn many_rules_are_read() {
    let mut dump = HEAD.to_owned();
    for at in 0..200_000 {
        writeln!(
            dump,
            "-A INPUT -s 10.{}.{}.0/24 -p tcp -m tcp --dport {} -m conntrack --ctstate NEW -j ACCEPT",
            at >> 8 & 255,
            at & 255,
            at % 65536
        )
        .unwrap();
    }
    dump.push_str("COMMIT\n");
    let mut map = SourceMap::new();
    let file = map.add_text("many.rules", dump);
    let start = Instant::now();
    let reading = Iptables.read(&[map.source(file)]);
    println!("{} rules in {:?}", reading.n_rules, start.elapsed());
    assert_eq!((reading.n_rules, reading.notices.len()), (200_000, 0));
}
