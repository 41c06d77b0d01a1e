//! Suppressions in comments, and in those that a rule carries with it (`--comment "…"` of iptables, `comment "…"` of nftables).

use super::directive::Directive;
use super::language::{Language, ends_in_quotes};
use super::{Placed, block, invalid, ufw};
use crate::finding::Finding;
use crate::source::{Source, Span};

/// What a suppression begins with, as it is written by the program.
pub(super) const MARK: &str = "portcullis: ignore";
const IGNORE: &str = "ignore";
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
    let mut found = ufw::of_source(source, said);
    let marks = marks(source.text);
    if marks.is_empty() {
        return found;
    }
    let language = Language::of(source);
    let strings = language.strings(source);
    for (at, length) in marks {
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
        let spread = || Spread::of(language, source.text, at);
        let (kind, text, line_start, line_end) = match comment(language, before, rest.trim_end()) {
            _ if is_text => continue,
            Some((kind, text)) => (kind, text, line_start, line_end),
            None => match spread() {
                Some(spread) => (spread.kind, spread.text, spread.start, spread.end),
                None => continue,
            },
        };
        let span = |start: usize, end: usize| Span::new(source.file, narrow(at + start), narrow(at + end));
        let body = text.get(length..).unwrap_or("");
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

/// A comment over several lines, of which the suppression is one.
struct Spread<'t> {
    kind: Kind,
    /// The line of the suppression, from it on.
    text: &'t str,
    /// The start of the line that opens the comment.
    start: usize,
    /// The end of the line that closes it.
    end: usize,
}

impl<'t> Spread<'t> {
    /// The comment whose first words, on a line behind its opener, are at `at`.
    fn of(language: Language, text: &'t str, at: usize) -> Option<Self> {
        let before = text.get(..at)?.trim_end();
        let mut openers = language.openers().iter().filter(|(_, closer)| !closer.is_empty());
        let (code, closer) =
            openers.find_map(|(opener, closer)| Some((before.strip_suffix(opener)?, closer)))?;
        let start = code.rfind('\n').map_or(0, |end| end + 1);
        let line = code.get(start..)?;
        if language != Language::Xml && ends_in_quotes(line) {
            return None;
        }
        let rest = text.get(at..)?;
        let close = rest.find(closer)?;
        let said = rest.get(..close)?;
        let end = rest
            .get(close..)?
            .find('\n')
            .map_or(text.len(), |by| at + close + by);
        Some(Self {
            kind: if line.trim().is_empty() {
                Kind::OwnLine
            } else {
                Kind::Trailing
            },
            text: said.lines().next()?.trim_end(),
            start,
            end,
        })
    }
}

/// Where suppressions begin, and how long the words are that begin them: `portcullis: ignore`, with or without the space, and
/// however it is capitalised.
fn marks(text: &str) -> Vec<(usize, usize)> {
    let found = text.match_indices("ortcullis:");
    let mark = |(at, word): (usize, &str)| {
        let start = at.checked_sub(1)?;
        let is_name = matches!(text.as_bytes().get(start), Some(b'p' | b'P'));
        let rest = text.get(at + word.len()..)?;
        let verb = rest.trim_start_matches([' ', '\t']);
        let is_verb = verb
            .get(..IGNORE.len())
            .is_some_and(|verb| verb.eq_ignore_ascii_case(IGNORE));
        let length = 1 + word.len() + (rest.len() - verb.len()) + IGNORE.len();
        (is_name && is_verb).then_some((start, length))
    };
    found.filter_map(mark).collect()
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
