//! Hyperlinks of terminals (OSC 8): codes lead to their explanation, places to their files.
//!
//! INVARIANT: what is visible stays as it is; a text that a user wrote is never a part of an address but percent-encoded.

use super::plain::plain;
use super::uri;
use crate::finding::Finding;
use crate::source::SourceMap;

/// Where hyperlinks lead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Links {
    /// The folder of the run, as an absolute path.
    pub root: String,
    /// The address of the book, if it is published.
    pub explanations: Option<&'static str>,
}

/// A rendered finding with its code and its places made links.
pub(super) fn linked(text: &str, finding: &Finding, sources: &SourceMap, links: &Links) -> String {
    let mut shown = text.to_owned();
    let id = finding.code.id();
    if let Some(book) = links.explanations {
        let address = format!("{}/codes.html#{id}", book.trim_end_matches('/'));
        shown = shown.replacen(&format!("[{id}]"), &format!("[{}]", link(&address, id)), 1);
    }
    let labels = finding.primary.iter().chain(&finding.related);
    let mut places: Vec<(String, String)> = labels
        .map(|label| sources.file(label.span.file))
        .filter(|file| !file.is_virtual())
        .map(|file| (plain(file.name()).into_owned(), address(file.name(), &links.root)))
        .collect();
    places.sort_unstable();
    places.dedup();
    for (name, address) in places {
        shown = with_places(&shown, &name, &link(&address, &name));
    }
    shown
}

/// The text with a name linked wherever an excerpt begins with it.
fn with_places(text: &str, name: &str, linked: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(name) {
        let (before, behind) = rest.split_at(at);
        let behind = behind.strip_prefix(name).unwrap_or_default();
        shown.push_str(before);
        let is_place = behind.starts_with(':') && begins_excerpt(&shown);
        shown.push_str(if is_place { linked } else { name });
        rest = behind;
    }
    shown + rest
}

/// Whether an excerpt begins behind a text, as codespan-reporting writes it: `┌─ NAME:LINE:COLUMN`, the line in a colour of its own.
fn begins_excerpt(before: &str) -> bool {
    let mut before = before.strip_suffix(' ').unwrap_or(before);
    let is_style = |style: &str| {
        style
            .chars()
            .all(|letter| letter.is_ascii_digit() || letter == ';')
    };
    while let Some((text, style)) = before.rsplit_once("\u{1b}[") {
        if !style.strip_suffix('m').is_some_and(is_style) {
            break;
        }
        before = text;
    }
    before.ends_with('─')
}

/// The address of a file.
fn address(name: &str, root: &str) -> String {
    let name = name.strip_prefix("./").unwrap_or(name);
    let path = if name.starts_with('/') {
        name.to_owned()
    } else {
        format!("{}/{name}", root.trim_end_matches('/'))
    };
    uri::of_path(&path, None).0
}

/// The escape sequence: gist.github.com/egmontkob/eb114294efbcd5adb1944c9f3cb5feda.
fn link(address: &str, text: &str) -> String {
    format!("\u{1b}]8;;{address}\u{1b}\\{text}\u{1b}]8;;\u{1b}\\")
}
