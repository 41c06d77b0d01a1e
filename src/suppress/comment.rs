//! Suppressions in comments, and in those that a rule carries with it (`--comment "…"` of iptables, `comment "…"` of nftables).

use super::directive::Directive;
use super::language::{Language, ends_in_quotes};
use super::{Placed, block, invalid};
use crate::finding::Finding;
use crate::source::{Source, Span};

/// What a suppression begins with.
pub(super) const MARK: &str = "portcullis: ignore";
/// What begins the comments that ufw keeps its rules in (`user.rules`).
pub(super) const TUPLE: &str = "### tuple ###";

/// Where a comment stands.
enum Kind {
    /// With nothing before it on its line.
    OwnLine,
    /// Behind something.
    Trailing,
    /// Carried by a rule.
    OfRule,
}

/// The suppressions in the comments of a text. What is wrong with one is said.
pub(super) fn of_source(source: Source<'_>, said: &mut Vec<Finding>) -> Vec<Placed> {
    let mut found = Vec::new();
    if !source.text.contains(MARK) {
        return found;
    }
    let language = Language::of(source);
    let strings = language.strings(source);
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
        let is_text = strings.iter().any(|string| string.contains(&at));
        let Some((kind, text)) = comment(language, before, rest.trim_end()).filter(|_| !is_text) else {
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
        if is_of_file && matches!(kind, Kind::OfRule) {
            let message = "a rule's own comment is about a whole file".to_owned();
            let help = "write it as a comment of the file: `# portcullis: ignore-file[…] REASON`";
            said.push(*invalid(whole, message, "not here", help));
            continue;
        }
        match Directive::read(body, whole, &|part| span(offset + part.start, offset + part.end)) {
            Ok(directive) => {
                let about = match kind {
                    _ if is_of_file => 0..source.text.len(),
                    Kind::OwnLine => block::behind(source.text, line_end),
                    Kind::Trailing => line_start..line_end,
                    Kind::OfRule => block::around(source.text, line_start, at, line_end),
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
fn comment<'t>(language: Language, before: &str, text: &'t str) -> Option<(Kind, &'t str)> {
    let before = before.trim_end();
    for (opener, closer) in language.openers() {
        let Some(code) = before.strip_suffix(opener) else {
            continue;
        };
        if language != Language::Xml && ends_in_quotes(code) {
            return None;
        }
        let text = match text.find(closer) {
            Some(end) if !closer.is_empty() => text.get(..end).unwrap_or(text),
            _ => text,
        };
        // Several signs are one: `## portcullis: …`.
        let is_alone = code.trim_end_matches(opener).trim().is_empty();
        return Some((if is_alone { Kind::OwnLine } else { Kind::Trailing }, text));
    }
    let quote = before
        .chars()
        .next_back()
        .filter(|last| matches!(last, '"' | '\''))?;
    let code = before.strip_suffix(quote)?;
    let text = text.split(quote).next().unwrap_or(text);
    let is_of_rule =
        language == Language::Rules && code.trim_end().ends_with("comment") && !ends_in_quotes(code);
    is_of_rule.then_some((Kind::OfRule, text))
}

/// Whether a line holds nothing but a comment. What ufw writes its rules into is none.
pub(super) fn is_only_comment(line: &str) -> bool {
    let line = line.trim_start();
    let begins = ["#", "//", "/*", "<!--"]
        .iter()
        .any(|opener| line.starts_with(opener));
    begins && !line.starts_with(TUPLE)
}

fn narrow(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(u32::MAX)
}
