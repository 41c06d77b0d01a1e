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
