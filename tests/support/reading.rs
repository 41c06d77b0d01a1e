//! A dialect held against its fixtures: models and errors in words beside the inputs. INVARIANT: what is expected lies in
//! `fixtures/NAME/CASE/model.txt` and `fixtures/errors/NAME/CASE.txt`, for every dialect alike.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use portcullis::dialect::{Claim, Dialect, Reading};
use portcullis::finding::Finding;
use portcullis::source::{SourceFile, SourceMap};

use super::golden::assert_golden;
use super::{file, listing, model_text};

/// Reads one text as if it lay in a file of that name.
pub(crate) fn read(dialect: &dyn Dialect, name: &str, text: &str) -> (SourceMap, Reading) {
    let mut map = SourceMap::new();
    let file = map.add_text(name, text);
    let reading = dialect.read(&[map.source(file)]);
    (map, reading)
}

/// `line:col..col code: message | help`
pub(crate) fn notice_text(map: &SourceMap, finding: &Finding) -> String {
    let span = finding.primary.as_ref().unwrap().span;
    let (start, end) = (
        map.file(span.file).line_column(span.start),
        map.file(span.file).line_column(span.end),
    );
    let (line, from, to, code) = (start.line, start.column, end.column, finding.code.id());
    let mut text = format!("{line}:{from}..{to} {code}: {}", finding.message);
    if let Some(help) = &finding.help {
        write!(text, " | {help}").unwrap();
    }
    text
}

/// A notice, and the line that it is about, or the beginning of it.
pub(crate) fn notice_and_line(map: &SourceMap, finding: &Finding) -> String {
    let span = finding.primary.as_ref().unwrap().span;
    let file = map.file(span.file);
    let line = file.line(file.line_column(span.start).line).unwrap();
    let line: String = line.chars().take(160).collect();
    format!("{}\n    {line}", notice_text(map, finding))
}

fn notices_text(map: &SourceMap, reading: &Reading) -> String {
    let notices = reading.notices.iter();
    notices.map(|finding| notice_text(map, finding) + "\n").collect()
}

/// The inputs of a dialect's fixtures, each in a folder with its model.
pub(crate) fn inputs(dialect: &dyn Dialect) -> Vec<String> {
    let root = format!("fixtures/{}", dialect.name());
    let mut inputs = Vec::new();
    for path in files_under(&file::place(&root)) {
        let inside = path
            .strip_prefix(file::place(""))
            .unwrap()
            .to_string_lossy()
            .replace('\\', "/");
        if !inside.ends_with("/model.txt") {
            inputs.push(inside);
        }
    }
    inputs
}

/// Each fixture is claimed by its content, and means what the model beside it says.
pub(crate) fn check_models(dialect: &dyn Dialect) {
    for input in inputs(dialect) {
        let (folder, name) = input.rsplit_once('/').unwrap();
        let mut map = SourceMap::new();
        let bytes = std::fs::read(file::place(&input)).unwrap();
        let file = map.add(SourceFile::from_bytes(name, bytes));
        assert_eq!(dialect.claims(map.source(file)), Claim::Content, "{input}");
        let reading = dialect.read(&[map.source(file)]);
        let models = reading.rulesets.iter();
        let models: Vec<_> = models
            .map(|ruleset| model_text::model_text(ruleset, &map))
            .collect();
        let mut text = models.join("\n");
        if !reading.notices.is_empty() {
            write!(text, "\nnotices\n{}", notices_text(&map, &reading)).unwrap();
        }
        assert_golden(&format!("{folder}/model.txt"), &text);
    }
}

/// Each text with a mistake is complained of as the file beside it says.
pub(crate) fn check_errors(dialect: &dyn Dialect, extension: &str) {
    let inputs = listing::below(&format!("fixtures/errors/{}", dialect.name()), extension);
    assert!(!inputs.is_empty());
    for input in inputs {
        let (map, reading) = read(dialect, &format!("input.{extension}"), &file::text(&input));
        assert!(!reading.notices.is_empty(), "{input}");
        let expected = input.strip_suffix(extension).unwrap();
        assert_golden(&format!("{expected}txt"), &notices_text(&map, &reading));
    }
}

/// Every file under a folder, sorted.
pub(crate) fn files_under(root: &Path) -> Vec<PathBuf> {
    let entries = walkdir::WalkDir::new(root).into_iter().filter_map(Result::ok);
    let files = entries.filter(|entry| entry.file_type().is_file());
    let mut files: Vec<_> = files.map(walkdir::DirEntry::into_path).collect();
    files.sort();
    files
}
