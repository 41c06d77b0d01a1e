//! Comments that take findings back, written into the configs.
//!
//! Each is put on a line of its own above the primary place of its findings, or above what that place is part of; in JSON, which
//! has no comments, into the object. INVARIANT: a comment is added only where it will be read as one and is about its findings,
//! and adding it changes nothing else of the text.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::comment::{MARK, TUPLE};
use super::directive::{Directive, why_not};
use super::language::Language;
use super::{block, object};
use crate::finding::{Code, Finding};
use crate::source::{FileId, Source, SourceMap, Span};

/// How far above a place a comment may be put, in lines.
const MAX_LINES_UP: usize = 200;

/// A file with comments added.
#[derive(Debug, PartialEq, Eq)]
pub struct Edited {
    /// The file.
    pub file: FileId,
    /// Where each text is put, from 0, ascending.
    pub insertions: Vec<(usize, String)>,
}

/// A place for a comment.
pub(super) struct Slot {
    /// Where it is put.
    pub(super) at: usize,
    /// What stands between that place and the codes.
    pub(super) before: String,
    /// What stands behind the reason.
    pub(super) after: String,
    /// Whether the reason stands in a string of JSON.
    pub(super) is_in_json: bool,
}

impl Edited {
    /// The file's bytes with the comments in it.
    #[must_use]
    pub fn apply(&self, bytes: &[u8]) -> Vec<u8> {
        let mut edited = Vec::with_capacity(bytes.len());
        let mut done = 0;
        for (at, text) in &self.insertions {
            edited.extend_from_slice(bytes.get(done..*at).unwrap_or_default());
            edited.extend_from_slice(text.as_bytes());
            done = *at;
        }
        edited.extend_from_slice(bytes.get(done..).unwrap_or_default());
        edited
    }
}

/// Whether a text may stand behind the codes: options, then a reason, on one line.
///
/// # Errors
/// What is wrong with it, and what to write instead.
pub fn check_reason(reason: &str) -> Result<(), String> {
    if reason.contains(['\n', '\r']) || reason.contains("--") {
        return Err("a reason stands on one line and has no `--`, which ends comments of XML".to_owned());
    }
    let nowhere = Span::new(FileId(0), 0, 0);
    let read = Directive::read(&body(&[Code::ExcessOpening].into(), reason), nowhere, &|_| {
        nowhere
    });
    read.map(|_| ()).map_err(|finding| {
        let help = finding.help.map(|help| format!("; {help}"));
        finding.message + &help.unwrap_or_default()
    })
}

/// The comments that take back those of the findings that comments can take back, by files.
#[must_use]
pub fn additions<'f>(
    sources: &SourceMap,
    findings: impl Iterator<Item = &'f Finding>,
    reason: &str,
) -> Vec<Edited> {
    let mut by_file: BTreeMap<FileId, BTreeMap<usize, BTreeSet<Code>>> = BTreeMap::new();
    for finding in findings.filter(|finding| why_not(finding.code).is_none()) {
        if let Some(primary) = finding.primary.as_ref() {
            let places = by_file.entry(primary.span.file).or_default();
            places
                .entry(primary.span.start as usize)
                .or_default()
                .insert(finding.code);
        }
    }
    by_file
        .into_iter()
        .filter(|(file, _)| !sources.file(*file).is_virtual())
        .map(|(file, places)| in_file(sources.source(file), &places, reason))
        .filter(|edited| !edited.insertions.is_empty())
        .collect()
}

fn in_file(source: Source<'_>, places: &BTreeMap<usize, BTreeSet<Code>>, reason: &str) -> Edited {
    let language = Language::of(source);
    let slots: Vec<_> = if language == Language::Json {
        object::slots(source, places.keys().copied())
    } else {
        let strings = language.strings(source);
        let lines = Lines {
            text: source.text,
            language,
            strings: &strings,
        };
        places.keys().map(|place| lines.slot(*place)).collect()
    };
    let mut merged: BTreeMap<usize, (Slot, BTreeSet<Code>)> = BTreeMap::new();
    for (slot, codes) in slots.into_iter().zip(places.values()) {
        if let Some(slot) = slot {
            let entry = merged.entry(slot.at).or_insert((slot, BTreeSet::new()));
            entry.1.extend(codes);
        }
    }
    let insertions = merged
        .into_iter()
        .map(|(at, (slot, codes))| (at, slot.text(&codes, reason)));
    Edited {
        file: source.file,
        insertions: insertions.collect(),
    }
}

/// What stands behind the mark: `[CODE, …] REASON`.
fn body(codes: &BTreeSet<Code>, reason: &str) -> String {
    let ids: Vec<_> = codes.iter().map(|code| code.id()).collect();
    format!("[{}] {}", ids.join(", "), reason.trim())
}

impl Slot {
    fn text(&self, codes: &BTreeSet<Code>, reason: &str) -> String {
        let body = body(codes, reason);
        if !self.is_in_json {
            return format!("{}{body}{}", self.before, self.after);
        }
        let quoted = serde_json::Value::String(body).to_string();
        let inside = quoted.get(1..quoted.len() - 1).unwrap_or("");
        format!("{}{inside}{}", self.before, self.after)
    }
}

/// A text in which comments stand on lines of their own.
struct Lines<'t> {
    text: &'t str,
    language: Language,
    /// The parts that lie in scalars or heredocs.
    strings: &'t [Range<usize>],
}

impl Lines<'_> {
    /// The nearest line above a place, or the one it is in, above which a comment is about the place.
    fn slot(&self, place: usize) -> Option<Slot> {
        let mut start = self.line_start(place);
        for _ in 0..MAX_LINES_UP {
            if self.may_stand(start) && block::starting(self.text, start).contains(&place) {
                return Some(self.above(start));
            }
            start = self.line_start(start.checked_sub(1)?);
        }
        None
    }

    fn line_start(&self, place: usize) -> usize {
        let before = self.text.get(..place).unwrap_or("");
        before.rfind('\n').map_or(0, |end| end + 1)
    }

    /// Whether a line of its own that is put before this one is a comment.
    fn may_stand(&self, start: usize) -> bool {
        let before = self.text.get(..start).unwrap_or("");
        let is_in_string = self
            .strings
            .iter()
            .any(|string| string.start < start && start < string.end);
        let above = before.lines().next_back().unwrap_or("");
        let is_inside = match self.language {
            Language::Xml => {
                is_in_tag(before) || self.text.get(start..).is_some_and(|text| text.starts_with("<?"))
            }
            Language::Hcl => ends_within(before, "/*", "*/"),
            // What ufw writes below a tuple belongs to it.
            Language::Rules => {
                above.trim_end().ends_with('\\') || above.starts_with(TUPLE) || self.is_under_tuple(start)
            }
            Language::Yaml | Language::Json => false,
        };
        !is_in_string && !is_inside
    }

    /// Whether the line is one of the rules that stand for a tuple of ufw.
    fn is_under_tuple(&self, start: usize) -> bool {
        let is_rule = |line: &str| line.starts_with('-');
        let before = self.text.get(..start).unwrap_or("");
        let head = before.lines().rev().find(|line| !is_rule(line));
        self.text.get(start..).is_some_and(is_rule) && head.is_some_and(|head| head.starts_with(TUPLE))
    }

    fn above(&self, start: usize) -> Slot {
        let line = self.text.get(start..).unwrap_or("");
        let line = line.split('\n').next().unwrap_or("");
        let line_break = if line.ends_with('\r') { "\r\n" } else { "\n" };
        // A byte-order mark, which is read as spaces, stays where it is.
        let indent = line.get(..line.len() - line.trim_start().len()).unwrap_or("");
        let (opener, closer) = match self.language {
            Language::Xml => ("<!--", " -->"),
            _ => ("#", ""),
        };
        Slot {
            at: start,
            before: format!("{indent}{opener} {MARK}"),
            after: format!("{closer}{line_break}"),
            is_in_json: false,
        }
    }
}

/// Whether a text ends within a tag or a comment of XML.
fn is_in_tag(text: &str) -> bool {
    ends_within(text, "<!--", "-->") || ends_within(text, "<", ">")
}

/// Whether the last of what opens is not closed.
fn ends_within(text: &str, open: &str, close: &str) -> bool {
    let last = text.rfind(open);
    last.is_some_and(|at| !text.get(at..).is_some_and(|rest| rest.contains(close)))
}
