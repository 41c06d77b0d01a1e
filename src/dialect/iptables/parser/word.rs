//! Words: what white space separates, quotes hold together and backslashes escape within quotes.
//!
//! iptables-restore's own splitting knows double quotes alone, anywhere in a word; single quotes are read too where
//! they enclose a whole word, since rules are pasted from shell scripts.

use nom::IResult;
use nom::error::{Error, ErrorKind};

use crate::dialect::iptables::ast::{Read, Unread, Word};

/// `word ::= /'[^'\n]*'/ | /([^' \t\n"]|"([^"\\\n]|\\[^\n])*")([^ \t\n"]|"([^"\\\n]|\\[^\n])*")*/`
///
/// Fails at the end of the input and where a quote is not closed. A single quote at the beginning closes at the end of the word
/// or not at all: iptables would take it for a part of the word, a shell for the beginning of a longer one.
pub(super) fn word(input: &str) -> IResult<&str, &str> {
    let failed = || nom::Err::Error(Error::new(input, ErrorKind::NonEmpty));
    let end = match input.strip_prefix('\'') {
        Some(quoted) => {
            let closing = quoted.find('\'').map(|at| at + 2);
            closing.filter(|end| ends_word(input, *end))
        }
        None => end_of_word(input),
    };
    let end = end.ok_or_else(failed)?;
    if end == 0 {
        return Err(failed());
    }
    Ok((input.get(end..).unwrap_or(""), input.get(..end).unwrap_or("")))
}

/// Whether a word that ends at `at` is followed by white space or nothing.
fn ends_word(input: &str, at: usize) -> bool {
    input.as_bytes().get(at).is_none_or(u8::is_ascii_whitespace)
}

/// Where the first word ends; `None` if a quote is not closed.
fn end_of_word(input: &str) -> Option<usize> {
    let (mut quoted, mut escaped) = (false, false);
    for (at, byte) in input.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'"' => quoted = !quoted,
            b'\\' if quoted => escaped = true,
            b' ' | b'\t' | b'\n' | b'\r' | b'\x0b' | b'\x0c' if !quoted => return Some(at),
            _ => {}
        }
    }
    (!quoted).then_some(input.len())
}

/// `bare ::= /[^-!#' \t\n"][^ \t\n"]*|"[^-!#' \t\n"\\][^ \t\n"\\]*"/`
///
/// A name or an option without the double quotes around it. One that has other quotes is given back as it is: no name
/// and no option has any.
pub(in crate::dialect::iptables) fn bare(word: &str) -> &str {
    let inner = word.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let is_plain = |inner: &&str| !inner.is_empty() && !inner.contains(['"', '\\', ' ', '\t']);
    inner.filter(is_plain).unwrap_or(word)
}

/// `space ::= /[ \t]+/`
///
/// White space skipped.
pub(super) fn space(input: &str) -> &str {
    input.trim_start_matches([' ', '\t', '\n', '\r', '\x0b', '\x0c'])
}

/// The next word and what follows; `None` at the end.
pub(in crate::dialect::iptables) fn next_word(input: &str) -> Read<'_, Option<(Word<'_>, &str)>> {
    let input = space(input);
    if input.is_empty() {
        return Ok(None);
    }
    match word(input) {
        Ok((rest, word)) => Ok(Some((Word(word), rest))),
        Err(_) => Err(Unread::new(input, "this quote is not closed")
            .help("close it where the word ends; inside quotes, `\\\"` stands for one")),
    }
}

/// The words of a text whose quotes are closed.
pub(in crate::dialect::iptables) fn words(mut input: &str) -> impl Iterator<Item = Word<'_>> {
    std::iter::from_fn(move || {
        let (word, rest) = next_word(input).ok()??;
        input = rest;
        Some(word)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_hold_a_word_together() {
        let text = r#"a "b c" d"e f"g 'h i' it's "j\"k""#;
        let raw: Vec<_> = words(text).map(|word| word.0).collect();
        assert_eq!(raw, ["a", "\"b c\"", "d\"e f\"g", "'h i'", "it's", r#""j\"k""#]);
        let said: Vec<_> = words(text).map(|word| word.text().into_owned()).collect();
        assert_eq!(said, ["a", "b c", "de fg", "h i", "it's", "j\"k"]);
    }

    #[test]
    fn a_name_is_read_without_the_quotes_around_it() {
        let words = [r#""X""#, "X", r#"I"N""#, r#""""#, r#"""#, r#""a b""#, "'X'"];
        assert_eq!(
            words.map(bare),
            ["X", "X", r#"I"N""#, r#""""#, r#"""#, r#""a b""#, "'X'"]
        );
    }

    #[test]
    fn an_open_quote_is_no_word() {
        for open in ["  \"a b", "'a b", "'a'b c", "'"] {
            assert!(next_word(open).is_err(), "{open}");
        }
        assert_eq!(next_word(" \t"), Ok(None));
    }
}
