//! The firewalld reader: fixtures by eye, errors by text, and firewalld's own tests if a corpus is named.

#![cfg(test)]

#[path = "support/model_text.rs"]
mod model_text;

use std::fmt::Write;
use std::path::{Path, PathBuf};

use portcullis::dialect::firewalld::Firewalld;
use portcullis::dialect::{Claim, Dialect, Reading};
use portcullis::finding::Finding;
use portcullis::source::SourceMap;

/// Reads files as one unit, those that firewalld came with first.
fn read(files: &[(String, String)]) -> (SourceMap, Reading) {
    let mut map = SourceMap::new();
    let (vendor, own): (Vec<_>, Vec<_>) = files.iter().partition(|(name, _)| name.contains("usr/lib/"));
    let files: Vec<_> = vendor
        .into_iter()
        .chain(own)
        .map(|(name, text)| map.add_text(name, text))
        .collect();
    let unit: Vec<_> = files.iter().map(|file| map.source(*file)).collect();
    let reading = Firewalld.read(&unit);
    (map, reading)
}

/// The files below a folder, named from there.
fn tree(root: &Path) -> Vec<(String, String)> {
    let mut files: Vec<_> = walkdir::WalkDir::new(root)
        .into_iter()
        .filter_map(Result::ok)
        .map(walkdir::DirEntry::into_path)
        .filter(|path| path.is_file() && path.extension().is_some_and(|found| found != "txt"))
        .map(|path| {
            let name = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
            (name, std::fs::read_to_string(&path).unwrap())
        })
        .collect();
    files.sort();
    files
}

/// `file:line:col..col code: message | help`
fn notice_text(map: &SourceMap, finding: &Finding) -> String {
    let span = finding.primary.as_ref().unwrap().span;
    let file = map.file(span.file);
    let (start, end) = (file.line_column(span.start), file.line_column(span.end));
    let (name, code) = (file.name(), finding.code.id());
    let mut text = format!(
        "{name}:{}:{}..{} {code}: {}",
        start.line, start.column, end.column, finding.message
    );
    if let Some(help) = &finding.help {
        write!(text, " | {help}").unwrap();
    }
    text
}

fn notices_text(map: &SourceMap, reading: &Reading) -> String {
    let notices = reading.notices.iter();
    notices.map(|finding| notice_text(map, finding) + "\n").collect()
}

/// Compares with a file; `UPDATE_EXPECT=1` writes it.
fn expect(path: &Path, actual: &str) {
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(path, actual).unwrap();
        return;
    }
    let expected = std::fs::read_to_string(path).unwrap_or_default();
    assert_eq!(
        expected,
        actual,
        "{} (UPDATE_EXPECT=1 rewrites it)",
        path.display()
    );
}

fn place(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

#[test]
fn fixtures_are_lowered_as_expected() {
    let mut n_fixtures = 0;
    for entry in std::fs::read_dir(place("fixtures/firewalld")).unwrap() {
        let folder = entry.unwrap().path();
        let (map, reading) = read(&tree(&folder));
        let rulesets = reading.rulesets.iter();
        let mut text = rulesets
            .map(|ruleset| model_text::model_text(ruleset, &map))
            .collect::<Vec<_>>()
            .join("\n");
        write!(text, "\nnotices\n{}", notices_text(&map, &reading)).unwrap();
        expect(&folder.join("model.txt"), &text);
        n_fixtures += 1;
    }
    assert!(n_fixtures >= 2);
}

#[test]
fn what_cannot_be_read_is_said_at_its_place() {
    let folder = place("fixtures/errors/firewalld");
    let (map, reading) = read(&tree(&folder));
    expect(&folder.join("notices.txt"), &notices_text(&map, &reading));
}

#[test]
fn a_file_is_claimed_by_its_root_element_and_its_place() {
    let claim = |name: &str, text: &str| {
        let mut map = SourceMap::new();
        let file = map.add_text(name, text);
        Firewalld.claims(map.source(file))
    };
    let declaration = "<?xml version=\"1.0\"?>\n<!-- ours -->\n";
    for (name, text, expected) in [
        ("etc/firewalld/zones/a.xml", "<zone/>", Claim::Content),
        ("a.xml", "<zone><service name=\"ssh\"/></zone>", Claim::Content),
        (
            "etc/firewalld/firewalld.conf",
            "DefaultZone=drop\n",
            Claim::Content,
        ),
        ("etc/firewalld/services/a.xml", "<service/>", Claim::Name),
        ("karaf/services/a.xml", "<service/>", Claim::No),
        ("a.xml", "<project/>", Claim::No),
        ("zones/a.xml", "example.org. IN SOA", Claim::No),
    ] {
        assert_eq!(claim(name, text), expected, "{name} {text}");
        if expected == Claim::Content && text.starts_with('<') {
            assert_eq!(claim(name, &format!("{declaration}{text}")), expected);
        }
    }
}

/// Reads files on a stack smaller than any thread of the program has.
fn survive(files: Vec<(String, String)>) -> usize {
    let reading = move || {
        let (_, reading) = read(&files);
        reading.notices.len()
    };
    let thread = std::thread::Builder::new().stack_size(512 * 1024);
    thread.spawn(reading).unwrap().join().unwrap()
}

fn zone(text: impl Into<String>) -> Vec<(String, String)> {
    vec![("etc/firewalld/zones/public.xml".to_owned(), text.into())]
}

#[test]
fn a_zone_may_end_anywhere() {
    let whole = "<?xml version=\"1.0\"?><zone target=\"DROP\"><!-- é --><source address=\"10.0.0.0/8\"/><rule family=\"ipv4\"><source address=\"10.0.0.0/8\"/><service name=\"ssh\"/><accept><limit value=\"1/m\"/></accept></rule></zone>";
    for (end, _) in whole.char_indices().skip(1) {
        assert!(survive(zone(&whole[..end])) > 0, "{end}");
    }
    assert_eq!(survive(zone(whole)), 1, "a limit is not modelled");
}

#[test]
fn direct_rules_may_end_anywhere() {
    let whole = "<direct><rule priority=\"0\" table=\"filter\" ipv=\"ipv4\" chain=\"INPUT\">-p tcp -m comment --comment &quot;é &lt;&quot; --dport 80 -j DROP</rule><passthrough ipv=\"ipv6\">\n-A INPUT -j DROP\n</passthrough></direct>";
    let direct = |text: &str| vec![("etc/firewalld/direct.xml".to_owned(), text.to_owned())];
    for (end, _) in whole.char_indices().skip(1) {
        assert!(survive(direct(&whole[..end])) > 0, "{end}");
    }
    assert_eq!(survive(direct(whole)), 0);
    survive(direct(
        "<direct><rule priority=\"x\" table=\"\" ipv=\"ipv4\" chain=\"\"></rule></direct>",
    ));
    survive(direct(
        "<direct><passthrough ipv=\"ipv4\"/><chain ipv=\"ipv4\" table=\"f\" chain=\"\u{1a}\"/></direct>",
    ));
}

#[test]
fn what_is_made_to_hurt_is_read_or_refused() {
    let deep = format!("{}{}", "<zone>".repeat(100_000), "</zone>".repeat(100_000));
    assert!(survive(zone(deep)) > 0);
    let bomb = "<!DOCTYPE zone [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;\">]><zone><short>&b;</short></zone>";
    assert_eq!(survive(zone(bomb)), 1, "no DTD");
    let long = format!("<zone><service name=\"{}\"/></zone>", "x".repeat(10_000_000));
    assert!(survive(zone(long)) > 0);
    let wide = format!(
        "<zone>{}</zone>",
        "<port port=\"1\" protocol=\"tcp\"/>".repeat(100_000)
    );
    assert_eq!(survive(zone(wide)), 0);
    let chain = (0..20_000).map(|at| {
        let text = format!("<service><include service=\"s{}\"/></service>", at + 1);
        (format!("etc/firewalld/services/s{at}.xml"), text)
    });
    let chain = chain.chain(zone("<zone><service name=\"s0\"/></zone>"));
    assert!(survive(chain.collect()) > 0, "too many are included");
    let zones = (0..500).map(|at| {
        let text = format!("<zone><interface name=\"e{at}\"/></zone>");
        (format!("etc/firewalld/zones/z{at}.xml"), text)
    });
    assert!(survive(zones.collect()) > 0, "too many zones");
}

#[test]
fn a_large_ipset_is_read_in_bounded_time() {
    let entries: String = (0..150_000u32).fold(String::new(), |mut text, at| {
        write!(
            text,
            "<entry>10.{}.{}.{}</entry>",
            at >> 16,
            at >> 8 & 255,
            at & 255
        )
        .unwrap();
        text
    });
    let mut files = zone("<zone><rule family=\"ipv4\"><source ipset=\"big\"/><drop/></rule></zone>");
    files.push((
        "etc/firewalld/ipsets/big.xml".to_owned(),
        format!("<ipset type=\"hash:ip\">{entries}</ipset>"),
    ));
    assert_eq!(survive(files), 0);
}
