//! Tokens of the policy language, and what is said when one is missing.
//!
//! INVARIANT: a token skips the white space and comments before it, never those behind it, so the rest of a
//! production begins right behind its last byte.

use nom::bytes::complete::{tag, take_while1};
use nom::error::ParseError;
use nom::{IResult, Parser as _};

use crate::policy::error::ErrorKind;

/// What every production gives.
pub(super) type Res<'a, T> = IResult<&'a str, T, Failure<'a>>;

/// Why a production does not match here.
#[derive(Debug)]
pub(super) struct Failure<'a> {
    /// The text from the first byte that does not fit; for a refusal by name, just the bytes it is about.
    pub(super) at: &'a str,
    /// What would fit.
    pub(super) expected: Vec<Expected>,
    /// The refusal by name, if it is one.
    pub(super) kind: Option<Box<ErrorKind>>,
}

/// Something that would fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expected {
    /// This token.
    Token(&'static str),
    /// Something of this description.
    Something(&'static str),
}

impl<'a> ParseError<&'a str> for Failure<'a> {
    fn from_error_kind(at: &'a str, _: nom::error::ErrorKind) -> Self {
        Self {
            at,
            expected: Vec::new(),
            kind: None,
        }
    }

    fn append(_: &'a str, _: nom::error::ErrorKind, other: Self) -> Self {
        other
    }

    /// The one that got further; of equals, both.
    fn or(mut self, other: Self) -> Self {
        match self.at.len().cmp(&other.at.len()) {
            std::cmp::Ordering::Less => self,
            std::cmp::Ordering::Greater => other,
            std::cmp::Ordering::Equal => {
                self.expected.extend(other.expected);
                self
            }
        }
    }
}

/// The words that are never names.
///
/// `reserved ::= "policy" | "source" | "section" | "role" | "in" | "zone" | "feature" | "parameter" | "service" | "configurable" | "within" | "require" | "allow" | "forbid" | "self" | "any" | "tcp" | "udp" | "sctp" | "dccp" | "udplite" | "icmp" | "icmpv6" | "proto" | "when" | "and" | "or" | "not" | "version" | "owner" | "expires" | "severity" | "tags" | "row" | "closed" | "lift" | "waive" | "use"`
pub const RESERVED: &[&str] = &[
    "policy",
    "source",
    "section",
    "role",
    "in",
    "zone",
    "feature",
    "parameter",
    "service",
    "configurable",
    "within",
    "require",
    "allow",
    "forbid",
    "self",
    "any",
    "tcp",
    "udp",
    "sctp",
    "dccp",
    "udplite",
    "icmp",
    "icmpv6",
    "proto",
    "when",
    "and",
    "or",
    "not",
    "version",
    "owner",
    "expires",
    "severity",
    "tags",
    "row",
    "closed",
    "lift",
    "waive",
    "use",
];

/// The words that begin a statement.
pub(super) const STATEMENTS: &[&str] = &[
    "source",
    "section",
    "role",
    "zone",
    "feature",
    "parameter",
    "service",
    "require",
    "allow",
    "forbid",
    "closed",
    "lift",
    "waive",
    "use",
];

/// The text behind white space and comments.
pub(super) fn trivia(mut input: &str) -> &str {
    loop {
        input = input.trim_start_matches([' ', '\t', '\r', '\n']);
        if !input.starts_with('#') {
            return input;
        }
        let line = input.find('\n').unwrap_or(input.len());
        input = input.get(line..).unwrap_or(input);
    }
}

/// A refusal by name, about the bytes of `part`.
pub(super) fn refuse<T>(part: &str, kind: ErrorKind) -> Res<'_, T> {
    Err(nom::Err::Failure(Failure {
        at: part,
        expected: Vec::new(),
        kind: Some(Box::new(kind)),
    }))
}

/// The plain failure: something else was expected at `input`.
pub(super) fn miss<T>(input: &str, expected: Expected) -> Res<'_, T> {
    Err(nom::Err::Error(Failure {
        at: trivia(input),
        expected: vec![expected],
        kind: None,
    }))
}

/// `token`, made of punctuation, and not the beginning of a longer one.
pub(super) fn symbol<'a>(token: &'static str) -> impl Fn(&'a str) -> Res<'a, &'a str> {
    move |input| {
        let start = trivia(input);
        let longer = match token {
            "-" => start.starts_with("->"),
            ">" | "<" => start.get(1..).is_some_and(|rest| rest.starts_with('=')),
            _ => false,
        };
        match tag::<_, _, Failure<'_>>(token).parse(start) {
            Ok(matched) if !longer => Ok(matched),
            _ => miss(input, Expected::Token(token)),
        }
    }
}

/// The keyword `word`, whole.
pub(super) fn keyword<'a>(expected: &'static str) -> impl Fn(&'a str) -> Res<'a, &'a str> {
    move |input| match word(input) {
        Some((rest, found)) if found == expected => Ok((rest, found)),
        _ => miss(input, Expected::Token(expected)),
    }
}

/// The longest word here, reserved or not: letters, digits and `_`, with single hyphens between them.
pub(super) fn word(input: &str) -> Option<(&str, &str)> {
    let start = trivia(input);
    if !start.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
        return None;
    }
    let mut end = plain(start);
    while let Some(rest) = start.get(end..).and_then(|rest| rest.strip_prefix('-')) {
        match plain(rest) {
            0 => break,
            length => end += 1 + length,
        }
    }
    start.split_at_checked(end).map(|(word, rest)| (rest, word))
}

/// How many bytes at the start are letters, digits or `_`.
fn plain(text: &str) -> usize {
    text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .unwrap_or(text.len())
}

/// `name ::= /[A-Za-z_][A-Za-z0-9_]*(-[A-Za-z0-9_]+)*/ - reserved`
pub(super) fn name<'a>(what: &'static str) -> impl Fn(&'a str) -> Res<'a, &'a str> {
    move |input| match word(input) {
        Some((rest, name)) if !RESERVED.contains(&name) => Ok((rest, name)),
        _ => miss(input, Expected::Something(what)),
    }
}

/// `string ::= /"[^"\r\n]*"/`
pub(super) fn string(input: &str) -> Res<'_, &str> {
    let start = trivia(input);
    let Some(inside) = start.strip_prefix('"') else {
        return miss(input, Expected::Something("a string"));
    };
    let end = inside.find(['"', '\r', '\n']).unwrap_or(inside.len());
    match inside.get(end..) {
        Some(rest) if rest.starts_with('"') => start.split_at_checked(end + 2).map_or_else(
            || miss(input, Expected::Something("a string")),
            |(text, rest)| Ok((rest, text)),
        ),
        _ => refuse(start.get(..=end).unwrap_or(start), ErrorKind::UnclosedString {}),
    }
}

/// The most digits of a number: as many always fit 64 bits.
pub(super) const MAX_DIGITS: usize = 19;

/// `number ::= /[0-9]{1,19}/`
///
/// Longer ones are taken whole, for whoever reads the number to refuse.
pub(super) fn number(input: &str) -> Res<'_, &str> {
    digits(trivia(input)).or_else(|_| miss(input, Expected::Something("a number")))
}

fn digits(input: &str) -> Res<'_, &str> {
    take_while1(|c: char| c.is_ascii_digit()).parse(input)
}

/// `version ::= /[0-9]+(\.[0-9]+)*/`
pub(super) fn version(input: &str) -> Res<'_, &str> {
    let start = trivia(input);
    let Ok((mut rest, _)) = digits(start) else {
        return miss(input, Expected::Something("a version such as `23.3`"));
    };
    while let Some(Ok((after, _))) = rest.strip_prefix('.').map(digits) {
        rest = after;
    }
    Ok((rest, consumed(start, rest)))
}

/// `date ::= /[0-9]{4}-[0-9]{2}-[0-9]{2}/`
pub(super) fn date(input: &str) -> Res<'_, &str> {
    let start = trivia(input);
    let pattern = "dddd-dd-dd";
    let fits = |text: &&str| {
        text.len() == pattern.len()
            && (text.bytes().zip(pattern.bytes()))
                .all(|(c, p)| if p == b'd' { c.is_ascii_digit() } else { c == p })
    };
    match start.get(..pattern.len()).filter(fits) {
        Some(text) => Ok((start.get(pattern.len()..).unwrap_or(""), text)),
        None => miss(input, Expected::Something("a date such as `2027-01-31`")),
    }
}

/// What lies between the start of `from` and the start of `rest`.
pub(super) fn consumed<'a>(from: &'a str, rest: &str) -> &'a str {
    from.get(..from.len().saturating_sub(rest.len())).unwrap_or("")
}

/// The token at the start, to quote or to skip: at least one character, unless the text is at its end.
pub(super) fn any_token(input: &str) -> &str {
    let start = trivia(input);
    let length = if let Ok((_, text)) = string(start) {
        text.len()
    } else if start.starts_with('"') {
        start.find(['\r', '\n']).unwrap_or(start.len())
    } else if let Some((_, word)) = word(start) {
        word.len()
    } else if let Ok((_, text)) = version(start) {
        text.len()
    } else if ["->", "<-", ">=", "<=", "=="]
        .iter()
        .any(|symbol| start.starts_with(symbol))
    {
        2
    } else {
        start.chars().next().map_or(0, char::len_utf8)
    };
    start.get(..length).unwrap_or("")
}

/// The comments of a text, from `#` to the end of their lines, in order.
pub(in crate::policy) fn comments(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let start = rest.trim_start_matches([' ', '\t', '\r', '\n']);
        let length = if start.starts_with('#') {
            let comment = start.lines().next().unwrap_or(start);
            found.push(comment.trim_end());
            comment.len()
        } else {
            any_token(start).len()
        };
        rest = start.get(length..).unwrap_or("");
    }
    found
}
