//! Words and symbols. A line ends where no backslash says otherwise; comments reach to the end of their line.
//!
//! INVARIANT: whatever is returned is a slice of the input, and nothing here recurses.

use nom::error::{ErrorKind, ParseError};
use nom::{Err, IResult, Parser};

use super::address::{class_id, colon_address, dotted_address};
use crate::dialect::nftables::ast::{Unread, Word};

/// What a parser returns. A failure (`cut`) is a mistake for sure; an error, that something else may stand there.
pub(super) type Parsed<'a, T> = IResult<&'a str, T, Unread<'a>>;

impl<'a> ParseError<&'a str> for Unread<'a> {
    fn from_error_kind(input: &'a str, _: ErrorKind) -> Self {
        nothing_said(input)
    }

    fn append(_: &'a str, _: ErrorKind, other: Self) -> Self {
        other
    }
}

/// What stands at the input is not what should.
pub(super) fn unexpected(input: &str) -> Unread<'_> {
    let input = blank(input);
    let at = match any_token(input) {
        Some(token) => token,
        None => input.get(..0).unwrap_or(input),
    };
    let is_open = at.starts_with('"') && (at.len() < 2 || !at.ends_with('"'));
    let message = if is_open {
        "the quote is not closed".to_owned()
    } else if at.is_empty() {
        "the text ends in the middle of something".to_owned()
    } else if at == "\n" {
        "the line ends in the middle of something".to_owned()
    } else {
        format!("`{at}` is not expected here")
    };
    Unread::new(at, message)
}

/// Something else may stand here: said only once nothing else does, see [`said`], since most alternatives fail.
pub(super) fn wrong<T>(input: &str) -> Parsed<'_, T> {
    Err(Err::Error(nothing_said(input)))
}

fn nothing_said(input: &str) -> Unread<'_> {
    Unread {
        at: input,
        message: String::new(),
        help: None,
    }
}

/// What is wrong, in words.
pub(super) fn said(unread: Unread<'_>) -> Unread<'_> {
    if unread.message.is_empty() {
        unexpected(unread.at)
    } else {
        unread
    }
}

pub(super) fn refuse<T>(at: &str, message: impl Into<String>) -> Parsed<'_, T> {
    Err(Err::Failure(Unread::new(at, message)))
}

/// `blank ::= /([ \t]|\\\n)+/`
///
/// The input behind blanks, comments and continued lines.
pub(super) fn blank(input: &str) -> &str {
    let mut rest = input;
    loop {
        let n_blank = span(rest, |byte| matches!(byte, b' ' | b'\t' | b'\r'));
        rest = rest.get(n_blank..).unwrap_or("");
        if !matches!(rest.as_bytes().first(), Some(b'\\' | b'#')) {
            return rest;
        }
        if let Some(next) = rest.strip_prefix("\\\n") {
            rest = next;
        } else if let Some(next) = rest.strip_prefix("\\\r\n") {
            rest = next;
        } else if rest.starts_with('#') {
            rest = rest.get(rest.find('\n').unwrap_or(rest.len())..).unwrap_or("");
        } else {
            return rest;
        }
    }
}

/// `lines ::= /([ \t\n]|\\\n|#[^\n]*\n)+/`
///
/// The input behind blanks and ends of lines.
pub(super) fn lines(input: &str) -> &str {
    let mut rest = blank(input);
    while let Some(next) = rest.strip_prefix('\n') {
        rest = blank(next);
    }
    rest
}

/// `ends ::= /([ \t]|\\\n)*(;|(#[^\n]*)?\n)([ \t\n;]|\\\n|#[^\n]*\n)*/`
///
/// The input behind blanks, ends of lines and semicolons.
pub(super) fn ends(input: &str) -> &str {
    let mut rest = lines(input);
    while let Some(next) = rest.strip_prefix(';') {
        rest = lines(next);
    }
    rest
}

/// Whether a statement ends here: at the end of the line, of the block, or of the text.
pub(super) fn is_end(input: &str) -> bool {
    matches!(blank(input).as_bytes().first(), None | Some(b'\n' | b';' | b'}'))
}

/// A symbol, if no longer one stands there.
pub(super) fn symbol<'a>(which: &'static str) -> impl Parser<&'a str, Output = &'a str, Error = Unread<'a>> {
    move |input: &'a str| {
        let at = blank(input);
        match symbol_at(at) {
            Some(found) if found == which => Ok((at.get(found.len()..).unwrap_or(""), found)),
            _ => wrong(input),
        }
    }
}

/// Whether a symbol stands next.
pub(super) fn has_symbol(input: &str, which: &str) -> bool {
    symbol_at(blank(input)) == Some(which)
}

fn symbol_at(at: &str) -> Option<&str> {
    let (first, second) = match at.as_bytes() {
        [first, second, ..] => (*first, *second),
        [first] => (*first, b'\n'),
        [] => return None,
    };
    let is_double = match first {
        b'=' | b'!' => second == b'=',
        b'<' | b'>' => second == b'=' || second == first,
        _ => false,
    };
    if is_double {
        return at.get(..2);
    }
    let is_symbol = b"{}()[]<>=!&|^,;:./-+*@$\n".contains(&first);
    // A word can begin with two of them.
    let is_word = || matches!(first, b':' | b'.') && word_at(at).is_some();
    (is_symbol && !is_word()).then(|| at.get(..1)).flatten()
}

/// `word ::= /([A-Za-z_]|\.[A-Za-z0-9\/_.-])[A-Za-z0-9\/_.-]*/`
///
/// A word without quotes: a name, a number, an address.
pub(super) fn word(input: &str) -> Parsed<'_, &str> {
    let at = blank(input);
    match word_at(at) {
        Some(word) => Ok((at.get(word.len()..).unwrap_or(""), word)),
        None => wrong(input),
    }
}

/// The word that stands next, if one does.
pub(super) fn peek_word(input: &str) -> &str {
    word_at(blank(input)).unwrap_or("")
}

/// One word of a certain spelling.
pub(super) fn keyword<'a>(which: &'static str) -> impl Parser<&'a str, Output = &'a str, Error = Unread<'a>> {
    move |input: &'a str| match word(input) {
        Ok((rest, found)) if found == which => Ok((rest, found)),
        _ => wrong(input),
    }
}

/// `quoted ::= /"[^"]{0,12}"/`
///
/// A word in quotes, over several lines if need be.
pub(super) fn quoted(input: &str) -> Parsed<'_, &str> {
    let at = blank(input);
    let Some(inside) = at.strip_prefix('"') else {
        return wrong(input);
    };
    if let Some((text, rest)) = inside.split_once('"') {
        return Ok((rest, text));
    }
    let line = at.split('\n').next().unwrap_or(at);
    refuse(line, "the quote is not closed")
}

/// A word with or without quotes.
pub(super) fn text(input: &str) -> Parsed<'_, Word<'_>> {
    if blank(input).starts_with('"') {
        return quoted(input).map(|(rest, text)| (rest, Word { text, quoted: true }));
    }
    word(input).map(|(rest, text)| (rest, Word { text, quoted: false }))
}

/// What people write for people: in quotes, or one word that begins as names do.
pub(super) fn label(input: &str) -> Parsed<'_, Word<'_>> {
    match text(input)? {
        (rest, label)
            if label.quoted
                || label
                    .text
                    .starts_with(|char: char| char.is_alphabetic() || matches!(char, '_' | '.')) =>
        {
            Ok((rest, label))
        }
        _ => wrong(input),
    }
}

/// `number ::= /0x[0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*/`
///
/// A number in decimal, hexadecimal or, with a leading zero, octal.
pub(super) fn number(input: &str) -> Parsed<'_, &str> {
    match word(input) {
        Ok((rest, word)) if is_number(word) => Ok((rest, word)),
        _ => wrong(input),
    }
}

fn is_number(word: &str) -> bool {
    match word.strip_prefix("0x") {
        Some(hex) => !hex.is_empty() && hex.bytes().all(|byte| byte.is_ascii_hexdigit()),
        None if word.starts_with('0') => word.bytes().all(|byte| matches!(byte, b'0'..=b'7')),
        None => !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit()),
    }
}

/// The next token, whatever it is.
pub(super) fn any_token(at: &str) -> Option<&str> {
    if at.starts_with('"') {
        let inside = at.get(1..)?;
        // One that is never closed ends with its line, so that reading goes on behind it.
        let closed = inside.find('"').map(|end| end + 1);
        let end = closed.or_else(|| inside.find('\n')).unwrap_or(inside.len());
        return at.get(..=end).or(Some(at));
    }
    word_at(at)
        .or_else(|| symbol_at(at))
        .or_else(|| at.chars().next().and_then(|char| at.get(..char.len_utf8())))
}

/// The word at the start of the input, which begins with no blank.
fn word_at(at: &str) -> Option<&str> {
    let first = *at.as_bytes().first()?;
    // What has colons begins with one, or with digits and one.
    let n_digits = span(at, |byte| byte.is_ascii_hexdigit());
    if at.as_bytes().get(n_digits) == Some(&b':')
        && let Some(with_colons) = colon_address(at).or_else(|| class_id(at))
    {
        return Some(with_colons);
    }
    if first.is_ascii_digit() {
        return dotted_address(at).or_else(|| at.get(..span(at, |byte| byte.is_ascii_alphanumeric())));
    }
    let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'_' | b'.');
    let is_first = first.is_ascii_alphabetic()
        || first == b'_'
        || (first == b'.' && at.as_bytes().get(1).is_some_and(|&byte| is_inner(byte)));
    if !is_first {
        return None;
    }
    let end = span(at, is_inner);
    let star = match at.as_bytes().get(end..)? {
        [b'*', ..] => 1,
        [b'\\', b'*', ..] => 2,
        _ => 0,
    };
    at.get(..end + star)
}

pub(super) fn span(text: &str, is_in: impl Fn(u8) -> bool) -> usize {
    text.bytes().take_while(|&byte| is_in(byte)).count()
}

/// Brackets that may stand inside each other.
const MAX_DEPTH: usize = 48;

/// The bracket that is one too deep, if there is one: parsers may recurse below it.
pub(in crate::dialect::nftables) fn too_deep(text: &str) -> Option<&str> {
    let (mut depth, mut is_quoted, mut is_comment) = (0usize, false, false);
    let last_quote = text.rfind('"');
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'\n' => is_comment = false,
            _ if is_comment => {}
            // The last one opens nothing: what is never closed ends with its line.
            b'"' => is_quoted = !is_quoted && Some(at) != last_quote,
            _ if is_quoted => {}
            b'#' => is_comment = true,
            b'{' | b'(' => {
                depth += 1;
                if depth > MAX_DEPTH {
                    return text.get(at..=at);
                }
            }
            b'}' | b')' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    None
}

/// What is left of a statement that could not be read: the input at its end.
pub(super) fn skip_statement(input: &str) -> &str {
    let (mut depth, mut rest) = (0usize, input);
    loop {
        rest = blank(rest);
        let Some(token) = any_token(rest) else { return rest };
        match token {
            "{" => depth += 1,
            "}" | "\n" | ";" if depth == 0 => return rest,
            "}" => depth -= 1,
            _ => {}
        }
        rest = rest.get(token.len()..).unwrap_or("");
    }
}

/// The slice from the start of `from`, less blanks, to the start of `rest`, less blanks.
pub(super) fn between<'a>(from: &'a str, rest: &'a str) -> &'a str {
    let from = blank(from);
    from.get(..from.len().saturating_sub(rest.len()))
        .unwrap_or("")
        .trim_end()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> Vec<&str> {
        let (mut rest, mut found) = (blank(text), Vec::new());
        while let Some(token) = any_token(rest) {
            found.push(token);
            rest = blank(&rest[token.len()..]);
        }
        found
    }

    #[test]
    fn addresses_names_and_symbols_are_told_apart() {
        assert_eq!(
            tokens("ip saddr 10.0.0.0/8 . fe80::1-fe80::ff,eth0.1 eth* 1h30m"),
            [
                "ip", "saddr", "10.0.0.0", "/", "8", ".", "fe80::1", "-", "fe80::ff", ",", "eth0.1", "eth*",
                "1h30m"
            ]
        );
        assert_eq!(
            tokens("{22:accept} 10.0.0.1:80 [::1]:80 a==b <<= \"x y\" 00:11:22:33:44:55 # c\n$x"),
            [
                "{",
                "22",
                ":",
                "accept",
                "}",
                "10.0.0.1",
                ":",
                "80",
                "[",
                "::1",
                "]",
                ":",
                "80",
                "a",
                "==",
                "b",
                "<<",
                "=",
                "\"x y\"",
                "00:11:22:33:44:55",
                "\n",
                "$",
                "x"
            ]
        );
    }
}
