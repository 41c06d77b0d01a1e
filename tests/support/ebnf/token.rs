//! The notation's own tokens: text of a grammar to tokens with their bytes. INVARIANT: two rule texts with equal
//! tokens are equal rules, whatever their blanks and comments; see [`normalise`].

use std::ops::Range;

/// What a token is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A nonterminal.
    Name,
    /// `::=`
    Define,
    /// One of `| ? * + ( ) -`.
    Sign(char),
    /// `'x'`, `"x"` or `#x41`: the text it stands for.
    Literal(String),
    /// `/x/`, or a class `[x]` with its brackets: the expression.
    Regex(String),
    /// What stands inside `/* */`, trimmed.
    Comment(String),
}

/// A token and its bytes.
#[derive(Debug, Clone)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) bytes: Range<usize>,
}

/// Splits a grammar into its tokens, comments included.
pub(crate) fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let blank = rest.len() - rest.trim_start().len();
        if blank > 0 {
            at += blank;
            continue;
        }
        let line = || text.get(..at).map_or(0, |before| before.matches('\n').count()) + 1;
        let (kind, length) = token(rest).map_err(|error| format!("line {}: {error}", line()))?;
        found.push(Token {
            kind,
            bytes: at..at + length,
        });
        at += length;
    }
    Ok(found)
}

/// One space between tokens, comments left out.
pub(crate) fn normalise(text: &str) -> Result<String, String> {
    let words: Vec<&str> = tokens(text)?
        .into_iter()
        .filter(|token| !matches!(token.kind, Kind::Comment(_)))
        .map(|token| text.get(token.bytes).unwrap_or(""))
        .collect();
    Ok(words.join(" "))
}

fn token(rest: &str) -> Result<(Kind, usize), String> {
    if let Some(inside) = rest.strip_prefix("/*") {
        let end = inside.find("*/").ok_or("a comment is not closed")?;
        let comment = inside.get(..end).unwrap_or("").trim().to_owned();
        return Ok((Kind::Comment(comment), end + 4));
    }
    if rest.starts_with("::=") {
        return Ok((Kind::Define, 3));
    }
    if let Some(hex) = rest.strip_prefix("#x") {
        let digits = hex.chars().take_while(char::is_ascii_hexdigit).count();
        let code = hex
            .get(..digits)
            .and_then(|hex| u32::from_str_radix(hex, 16).ok());
        let c = code
            .and_then(char::from_u32)
            .ok_or("`#x` wants the hexadecimal number of a character")?;
        return Ok((Kind::Literal(c.to_string()), 2 + digits));
    }
    match rest.chars().next() {
        Some(c @ ('|' | '?' | '*' | '+' | '(' | ')' | '-')) => Ok((Kind::Sign(c), 1)),
        Some(quote @ ('"' | '\'')) => literal(rest, quote),
        Some('/') => {
            let end = end_of_regex(rest, '/')?;
            Ok((Kind::Regex(rest.get(1..end).unwrap_or("").to_owned()), end + 1))
        }
        Some('[') => {
            let end = end_of_regex(rest, ']')?;
            Ok((Kind::Regex(rest.get(..=end).unwrap_or("").to_owned()), end + 1))
        }
        Some(c) if c.is_ascii_alphabetic() || c == '_' => {
            let is_name = |c: &char| c.is_ascii_alphanumeric() || *c == '_' || *c == '-';
            Ok((Kind::Name, rest.chars().take_while(is_name).count()))
        }
        Some(c) => Err(format!("`{c}` begins nothing that the notation has")),
        None => Err("the text ends too early".to_owned()),
    }
}

/// A quoted text; `\n`, `\t`, `\r`, `\\` and escaped quotes are the only escapes.
fn literal(rest: &str, quote: char) -> Result<(Kind, usize), String> {
    let mut text = String::new();
    let mut chars = rest.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            '\n' => break,
            '\\' => match chars.next() {
                Some((_, 'n')) => text.push('\n'),
                Some((_, 't')) => text.push('\t'),
                Some((_, 'r')) => text.push('\r'),
                Some((_, c @ ('\\' | '"' | '\''))) => text.push(c),
                _ => return Err("a backslash that means itself is written `\\\\`".to_owned()),
            },
            c if c == quote && text.is_empty() => return Err("a literal is empty".to_owned()),
            c if c == quote => return Ok((Kind::Literal(text), at + 1)),
            c => text.push(c),
        }
    }
    Err("a literal is not closed on its line".to_owned())
}

/// The offset of the `end` that is neither escaped nor, for a slash, inside a class.
fn end_of_regex(rest: &str, end: char) -> Result<usize, String> {
    let mut in_class = false;
    let mut chars = rest.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => {
                chars.next();
            }
            '\n' => break,
            '[' if end == '/' => in_class = true,
            ']' if in_class => in_class = false,
            c if c == end && !in_class => return Ok(at),
            _ => {}
        }
    }
    Err(format!("an expression is not closed by `{end}` on its line"))
}
