//! The ipset reader: fixtures by eye, read with the dumps that ask for their sets; errors by text; sets of any size.

#![cfg(test)]

#[path = "support/file.rs"]
mod file;
#[path = "support/golden.rs"]
mod golden;
#[path = "support/listing.rs"]
mod listing;
#[path = "support/model_text.rs"]
mod model_text;

use std::fmt::Write as _;
use std::time::Instant;

use portcullis::dialect::ipset::Ipset;
use portcullis::dialect::iptables::Iptables;
use portcullis::dialect::{Claim, Dialect};
use portcullis::finding::Finding;
use portcullis::model::{Compiler, HostFacts, Path, Ruleset};
use portcullis::packet::Space;
use portcullis::source::SourceMap;

/// What a dump and a file of sets say together, and what is said about both.
fn read(dump: &str, sets: &str) -> (SourceMap, Vec<Ruleset>, Vec<Finding>) {
    let mut map = SourceMap::new();
    let (dump, sets) = (map.add_text("host.rules", dump), map.add_text("ipset.save", sets));
    assert_eq!(Ipset.claims(map.source(sets)), Claim::Content);
    assert_eq!(Ipset.claims(map.source(dump)), Claim::No);
    let mut reading = Iptables.read(&[map.source(dump), map.source(sets)]);
    reading.notices.extend(Ipset.read(&[map.source(sets)]).notices);
    (map, reading.rulesets, reading.notices)
}

fn notices_text(map: &SourceMap, notices: &[Finding]) -> String {
    let line = |finding: &Finding| {
        let span = finding.primary.as_ref().unwrap().span;
        let file = map.file(span.file);
        let help = finding
            .help
            .as_ref()
            .map(|help| format!(" | {help}"))
            .unwrap_or_default();
        let (at, text) = (file.line_column(span.start), map.text(span));
        format!(
            "{}:{} `{text}` {}: {}{help}\n",
            file.name(),
            at.line,
            finding.code.id(),
            finding.message
        )
    };
    notices.iter().map(line).collect()
}

#[test]
fn each_fixture_means_what_its_model_says() {
    for path in listing::below("fixtures/ipset", "rules") {
        let sets = file::text(&path.replace("host.rules", "ipset.save"));
        let (map, rulesets, notices) = read(&file::text(&path), &sets);
        let models: Vec<_> = rulesets
            .iter()
            .map(|ruleset| model_text::model_text(ruleset, &map))
            .collect();
        let mut text = models.join("\n");
        if !notices.is_empty() {
            write!(text, "\nnotices\n{}", notices_text(&map, &notices)).unwrap();
        }
        golden::assert_golden(&path.replace("host.rules", "model.txt"), &text);
    }
}

#[test]
fn each_error_is_said_where_it_is() {
    for path in listing::below("fixtures/errors/ipset", "save") {
        let mut map = SourceMap::new();
        let file = map.add_text("ipset.save", file::text(&path));
        let notices = Ipset.read(&[map.source(file)]).notices;
        assert!(!notices.is_empty(), "{path}");
        golden::assert_golden(&path.replace(".save", ".txt"), &notices_text(&map, &notices));
    }
}

const DUMP: &str = "*filter\n:INPUT DROP [0:0]\n-A INPUT -m set --match-set big src,dst -j ACCEPT\nCOMMIT\n";

/// A million elements, of several kinds: each is one set of packets, and what is too much is unknown or over budget.
#[test]
fn a_set_of_a_million_elements_is_one_question() {
    let many = |kind: &str, element: &dyn Fn(u32) -> String| {
        let begin = format!("create big {kind}\n");
        (0..1_000_000u32).fold(begin, |mut text, at| {
            writeln!(text, "add big {}", element(at)).unwrap();
            text
        })
    };
    let ip = |at: u32| std::net::Ipv4Addr::from(at.wrapping_mul(2_654_435_761));
    let shapes: [(&str, &dyn Fn(u32) -> String); 5] = [
        ("hash:ip", &|at| ip(at).to_string()),
        ("hash:net", &|at| {
            format!("{}/30{}", ip(at), if at % 9 == 0 { " nomatch" } else { "" })
        }),
        ("hash:ip,port", &|at| format!("{},tcp:{}", ip(at), at % 50)),
        ("hash:ip,port,ip", &|at| {
            format!("{},udp:{},{}", ip(at), at % 65_536, ip(at ^ 7))
        }),
        ("hash:net,iface", &|at| format!("{}/28,eth{}", ip(at), at % 4)),
    ];
    for (kind, element) in shapes {
        let sets = many(kind, element);
        let begun = Instant::now();
        let (_, rulesets, notices) = read(DUMP, &sets);
        let read = begun.elapsed();
        let mut compiler = Compiler::new(&rulesets, HostFacts::default(), Space::default());
        let is_compiled = compiler.path(Path::Input).is_ok();
        println!(
            "{kind}: {read:.1?} to read, {:.1?} in all, compiled: {is_compiled}, {} notices",
            begun.elapsed(),
            notices.len()
        );
        assert!(begun.elapsed().as_secs() < 120, "{kind}");
    }
}

#[test]
fn hostile_files_are_read_in_bounded_time() {
    let many = |line: &str, count: usize| line.repeat(count);
    let files = [
        "create a hash:ip\n".to_owned() + &many("add a 1.2.3.4\ndel a 1.2.3.4\n", 300_000),
        (0..200_000u32).fold("create a hash:ip\n".to_owned(), |text, at| text + &format!("add a {}\n", std::net::Ipv4Addr::from(at + 1)))
            + &many("del a 9.9.9.9\n", 200_000),
        (0..50_000).fold(String::new(), |text, at| text + &format!("create a{at} hash:ip\n")) + &many("flush\n", 100_000),
        "create a hash:ip\n".to_owned() + &many("x ", 5_000_000),
        "create a hash:ip\n".to_owned() + &many("nonsense\n", 1_000_000),
        "create a hash:ip,port,net\n".to_owned() + &many("add a 0.0.0.0/1,tcp:0-65535,1.0.0.0/8 nomatch\n", 1000),
        "create a hash:net\n".to_owned() + &many("add a 1.0.0.1-254.255.255.254 nomatch\n", 100_000),
        "create a list:set\ncreate b list:set\nadd a b\nadd b a\nadd a a\n".to_owned(),
        "create a hash:ip\nadd a \u{1a}\nadd a \"\nadd\nadd a\ncreate\ncreate x\ncreate x hash:ip range\n\u{0}\n".to_owned(),
        "create a hash:ip,mark\nadd a 1.2.3.4,0xffffffff\nadd a 0.0.0.0/0,1\n".to_owned(),
    ];
    let dump = "*filter\n:INPUT DROP [0:0]\n-A INPUT -m set --match-set a src,dst,src -j ACCEPT\nCOMMIT\n";
    for sets in &files {
        let begun = Instant::now();
        let (_, rulesets, notices) = read(dump, sets);
        let shown: String = sets.chars().take(60).collect();
        println!(
            "{:.1?} for {} bytes: {shown:?}… ({} notices, {} rulesets)",
            begun.elapsed(),
            sets.len(),
            notices.len(),
            rulesets.len()
        );
        assert!(begun.elapsed().as_secs() < 60, "{shown}");
    }
}
