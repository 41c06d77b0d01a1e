//! JSON text (RFC 8259) to a tree: one pass over the bytes, no recursion.
//!
//! INVARIANT: what is accepted is JSON and nothing more; a text of several values is a stream of documents.

use super::build::{Builder, Built, Place};
use super::node::Style;
use super::{Problem, Schema, Tree};
use crate::source::Source;

/// Reads a whole text.
pub(super) fn read(source: Source<'_>) -> Tree<'_> {
    let mut reader = Reader {
        text: source.text,
        at: 0,
        open: Vec::new(),
        is_fresh: false,
        builder: Builder::new(source, Schema::Json),
    };
    if let Err(problem) = reader.run() {
        reader.builder.give_up(problem);
    }
    reader.builder.finish()
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    /// For each collection that is not closed: whether it is a mapping, and where it begins.
    open: Vec<(bool, usize)>,
    /// Whether an opening bracket was the last that was read.
    is_fresh: bool,
    builder: Builder<'a>,
}

impl Reader<'_> {
    fn run(&mut self) -> Built {
        loop {
            self.skip_blanks();
            if self.at >= self.text.len() {
                return Ok(());
            }
            self.document()?;
            self.builder.end_document();
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// Takes a byte if it comes next, behind blanks.
    fn takes(&mut self, byte: u8) -> bool {
        self.skip_blanks();
        let is_next = self.peek() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    /// One value with all that is in it.
    fn document(&mut self) -> Built {
        self.value()?;
        while let Some(&(is_mapping, start)) = self.open.last() {
            let closing = if is_mapping { b'}' } else { b']' };
            if self.takes(closing) {
                self.is_fresh = false;
                self.open.pop();
                self.builder.close(self.at)?;
                continue;
            }
            if !self.is_fresh && !self.takes(b',') {
                let expected = format!("expected `,` or `{}`", char::from(closing));
                return Err(self.unexpected(&expected, start));
            }
            if is_mapping {
                self.key(start)?;
            }
            self.value()?;
        }
        Ok(())
    }

    fn key(&mut self, start: usize) -> Built {
        self.skip_blanks();
        if self.peek() != Some(b'"') {
            return Err(self.unexpected("expected a key in double quotes", start));
        }
        self.string()?;
        if !self.takes(b':') {
            return Err(self.unexpected("expected `:`", start));
        }
        Ok(())
    }

    /// A scalar, or the opening bracket of a collection.
    fn value(&mut self) -> Built {
        self.skip_blanks();
        self.is_fresh = false;
        match self.peek() {
            Some(b'"') => self.string(),
            Some(b'{') => self.bracket(true),
            Some(b'[') => self.bracket(false),
            _ => self.bare(),
        }
    }

    fn bracket(&mut self, is_mapping: bool) -> Built {
        let start = self.at;
        self.at += 1;
        self.open.push((is_mapping, start));
        self.is_fresh = true;
        let place = Place {
            start,
            end: self.at,
            ..Place::default()
        };
        self.builder.open(place, is_mapping, true)
    }

    /// A number, `true`, `false` or `null`.
    fn bare(&mut self) -> Built {
        let start = self.at;
        let rest = self.text.get(start..).unwrap_or("");
        let is_of_it = |one: &u8| one.is_ascii_alphanumeric() || matches!(one, b'+' | b'-' | b'.' | b'_');
        let length = rest.bytes().take_while(|one| is_of_it(one)).count();
        let word = rest.get(..length).unwrap_or("");
        if !matches!(word, "true" | "false" | "null") && !is_number(word) {
            let open = self.open.last().map_or(start, |(_, open)| *open);
            return Err(self.unexpected("expected a value", open));
        }
        self.at += length;
        let place = Place {
            start,
            end: self.at,
            ..Place::default()
        };
        self.builder.verbatim(place, Style::Plain, start, self.at)
    }

    /// A string in double quotes.
    fn string(&mut self) -> Built {
        let start = self.at;
        let bytes = self.text.as_bytes();
        let mut at = start + 1;
        let mut is_escaped = false;
        loop {
            match bytes.get(at) {
                Some(b'"') => break,
                Some(b'\\') => {
                    is_escaped = true;
                    at += 2;
                }
                Some(0x20..) => at += 1,
                _ => {
                    let end = at.min(bytes.len());
                    return Err(self
                        .builder
                        .problem(start, end, "this string does not end on its line"));
                }
            }
        }
        self.at = at + 1;
        let place = Place {
            start,
            end: self.at,
            ..Place::default()
        };
        if !is_escaped {
            return self.builder.verbatim(place, Style::Quoted, start + 1, at);
        }
        let text = self.unescape(start + 1, at)?;
        self.builder.unescaped(place, Style::Quoted, &text)
    }

    fn unescape(&self, start: usize, end: usize) -> Result<String, Problem> {
        let mut rest = self.text.get(start..end).unwrap_or("");
        let mut text = String::with_capacity(rest.len());
        while let Some(backslash) = rest.find('\\') {
            text.push_str(rest.get(..backslash).unwrap_or(""));
            let escape = rest.get(backslash..).unwrap_or("");
            let Some((character, length)) = character(escape) else {
                let at = end - escape.len();
                let bytes: usize = escape.chars().take(2).map(char::len_utf8).sum();
                return Err(self.builder.problem(at, at + bytes, "no escape of JSON"));
            };
            text.push(character);
            rest = escape.get(length..).unwrap_or("");
        }
        text.push_str(rest);
        Ok(text)
    }

    /// A problem at the next word, or at the collection that the text leaves open.
    fn unexpected(&self, expected: &str, start: usize) -> Problem {
        let rest = self.text.get(self.at..).unwrap_or("");
        let Some(first) = rest.chars().next() else {
            let message = format!("{expected}, but the text ends");
            return self
                .builder
                .problem(start, self.text.len().min(start + 1), message);
        };
        let is_of_word = |one: char| one.is_alphanumeric() || "+-._".contains(one);
        let word = rest.find(|one: char| !is_of_word(one)).unwrap_or(rest.len());
        let end = self.at + word.max(first.len_utf8());
        let problem = self.builder.problem(self.at, end, expected);
        let help = match first {
            '/' | '#' => Some("JSON has no comments"),
            '}' | ']' => Some("remove the `,` before it"),
            '\'' => Some("JSON takes double quotes"),
            _ => None,
        };
        Problem {
            help: help.map(str::to_owned),
            ..problem
        }
    }
}

/// The character of the escape that a text begins with, and how many bytes it takes.
fn character(escape: &str) -> Option<(char, usize)> {
    let simple = match escape.as_bytes().get(1)? {
        b'"' => '"',
        b'\\' => '\\',
        b'/' => '/',
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => return unicode(escape),
        _ => return None,
    };
    Some((simple, 2))
}

/// `\u0041`, or two of them for a character beyond; half a pair is U+FFFD, as Go and Python's own readers take it.
fn unicode(escape: &str) -> Option<(char, usize)> {
    let unit = |at: usize| {
        let digits = escape.get(at..at + 6)?.strip_prefix("\\u")?;
        let are_digits = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        are_digits.then(|| u32::from_str_radix(digits, 16).ok())?
    };
    let first = unit(0)?;
    if let Some(character) = char::from_u32(first) {
        return Some((character, 6));
    }
    let pair = unit(6).filter(|second| first < 0xDC00 && (0xDC00..0xE000).contains(second));
    match pair.map(|second| 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00)) {
        Some(joined) => char::from_u32(joined).map(|character| (character, 12)),
        None => Some((char::REPLACEMENT_CHARACTER, 6)),
    }
}

/// Whether a word is a number of JSON.
fn is_number(word: &str) -> bool {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let rest = word.strip_prefix('-').unwrap_or(word);
    let whole = digits(rest);
    if whole == 0 || (whole > 1 && rest.starts_with('0')) {
        return false;
    }
    let mut rest = rest.get(whole..).unwrap_or("");
    if let Some(fraction) = rest.strip_prefix('.') {
        let n_digits = digits(fraction);
        if n_digits == 0 {
            return false;
        }
        rest = fraction.get(n_digits..).unwrap_or("");
    }
    if let Some(exponent) = rest.strip_prefix(['e', 'E']) {
        let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        let n_digits = digits(exponent);
        return n_digits > 0 && n_digits == exponent.len();
    }
    rest.is_empty()
}
