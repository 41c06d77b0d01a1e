//! Suppressions in comments: of lines (`#`, `//`), of blocks (`/* */`, `<!-- -->`), and those that a rule carries with it
//! (`--comment "…"` of iptables, `comment "…"` of nftables).

use super::directive::Directive;
use super::{Placed, block};
use crate::finding::Finding;
use crate::source::{Source, Span};

/// What a suppression begins with.
const MARK: &str = "portcullis: ignore";

/// What begins comments, with what ends them on their line.
const OPENERS: &[(&str, &str)] = &[("<!--", "-->"), ("/*", "*/"), ("//", ""), ("#", "")];

/// Where a comment stands.
enum Kind {
    /// With nothing before it on its line.
    OwnLine,
    /// Behind something, or in it.
    Trailing,
}

/// The suppressions in the comments of a text. What is wrong with one is said.
pub(super) fn of_source(source: Source<'_>, said: &mut Vec<Finding>) -> Vec<Placed> {
    let mut found = Vec::new();
    for (at, _) in source.text.match_indices(MARK) {
        let line_start = source
            .text
            .get(..at)
            .and_then(|before| before.rfind('\n'))
            .map_or(0, |end| end + 1);
        let before = source.text.get(line_start..at).unwrap_or("");
        let line_end = source
            .text
            .get(at..)
            .and_then(|rest| rest.find('\n'))
            .map_or(source.text.len(), |end| at + end);
        let rest = source.text.get(at..line_end).unwrap_or("");
        let Some((kind, text)) = comment(before, rest.trim_end()) else {
            continue;
        };
        let span = |start: usize, end: usize| Span::new(source.file, narrow(at + start), narrow(at + end));
        let body = text.get(MARK.len()..).unwrap_or("");
        let (is_of_file, body) = match body.strip_prefix("-file") {
            Some(body) => (true, body),
            None => (false, body),
        };
        let offset = text.len() - body.len();
        let whole = span(0, text.trim_end().len());
        match Directive::read(body, whole, &|part| span(offset + part.start, offset + part.end)) {
            Ok(directive) => {
                let about = match kind {
                    _ if is_of_file => 0..source.text.len(),
                    Kind::OwnLine => block::behind(source.text, line_end),
                    Kind::Trailing => line_start..line_end,
                };
                let of = source.text.get(about.clone()).unwrap_or("");
                found.push(Placed {
                    is_call: !is_of_file && of.trim_start().starts_with("module "),
                    directive,
                    about,
                    used: Vec::new(),
                });
            }
            Err(finding) => said.push(*finding),
        }
    }
    found
}

/// Where the comment stands that begins between `before` and `text`, and the text up to its end; `None` if there is none.
fn comment<'t>(before: &str, text: &'t str) -> Option<(Kind, &'t str)> {
    let before = before.trim_end();
    for (opener, closer) in OPENERS {
        if let Some(code) = before.strip_suffix(opener) {
            let text = match text.find(closer) {
                Some(end) if !closer.is_empty() => text.get(..end).unwrap_or(text),
                _ => text,
            };
            // Several signs are one: `## portcullis: …`.
            let is_alone = code.trim_end_matches(opener).trim().is_empty();
            return Some((if is_alone { Kind::OwnLine } else { Kind::Trailing }, text));
        }
    }
    let quote = before
        .chars()
        .next_back()
        .filter(|last| matches!(last, '"' | '\''))?;
    let code = before.strip_suffix(quote)?;
    let text = text.split(quote).next().unwrap_or(text);
    code.trim_end()
        .ends_with("comment")
        .then_some((Kind::Trailing, text))
}

/// Whether a line holds nothing but a comment.
pub(super) fn is_only_comment(line: &str) -> bool {
    OPENERS
        .iter()
        .any(|(opener, _)| line.trim_start().starts_with(opener))
}

fn narrow(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(u32::MAX)
}
