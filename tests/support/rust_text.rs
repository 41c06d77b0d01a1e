//! Rust source to its code alone: comments and the insides of literals become blanks. INVARIANT: lengths and line
//! breaks stay, so an offset in the result is one in the source.

/// Blanks out comments, strings, byte strings, raw strings and characters; keeps lifetimes.
pub(crate) fn code_only(source: &str) -> String {
    let mut code = String::with_capacity(source.len());
    let mut rest = source;
    let mut before = ' ';
    while let Some(c) = rest.chars().next() {
        let length = match c {
            '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => block_comment(rest),
            '"' => string(rest),
            '\'' => character(rest),
            'r' | 'b' | 'c' if !(before.is_alphanumeric() || before == '_') => prefixed(rest),
            _ => 0,
        };
        let (skipped, kept) = rest.split_at(length);
        code.extend(skipped.chars().flat_map(blanks));
        rest = kept;
        if length == 0 {
            code.push(c);
            before = c;
            rest = kept.get(c.len_utf8()..).unwrap_or("");
        } else {
            before = ' ';
        }
    }
    code
}

/// As many blanks as the character has bytes, or the line break that it is.
fn blanks(c: char) -> impl Iterator<Item = char> {
    std::iter::repeat_n(if c == '\n' { '\n' } else { ' ' }, c.len_utf8())
}

fn block_comment(text: &str) -> usize {
    let mut depth = 0usize;
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let step = if rest.starts_with("/*") {
            depth += 1;
            2
        } else if rest.starts_with("*/") {
            depth -= 1;
            2
        } else {
            rest.chars().next().map_or(1, char::len_utf8)
        };
        at += step;
        if depth == 0 {
            return at;
        }
    }
    text.len()
}

/// The length of a string that begins at its quote.
fn string(text: &str) -> usize {
    let mut chars = text.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => drop(chars.next()),
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// The length of a character literal; 0 for a lifetime.
fn character(text: &str) -> usize {
    let mut chars = text.char_indices().skip(1);
    match (chars.next(), chars.next()) {
        (Some((_, '\\')), _) => text
            .get(3..)
            .and_then(|rest| rest.find('\''))
            .map_or(0, |at| at + 4),
        (Some(_), Some((at, '\''))) => at + 1,
        _ => 0,
    }
}

/// The length of `r"…"`, `r#"…"#`, `b"…"`, `b'…'`, `br"…"`, `c"…"`; 0 for a plain word.
fn prefixed(text: &str) -> usize {
    let letters = text
        .bytes()
        .take_while(|byte| b"rbc".contains(byte))
        .count()
        .min(2);
    let (prefix, rest) = text.split_at(letters);
    if prefix.contains('r') {
        let n_hashes = rest.bytes().take_while(|byte| *byte == b'#').count();
        let Some(inside) = rest.get(n_hashes..).and_then(|rest| rest.strip_prefix('"')) else {
            return 0;
        };
        let end = format!("\"{}", "#".repeat(n_hashes));
        return inside
            .find(&end)
            .map_or(text.len(), |at| letters + n_hashes + 1 + at + end.len());
    }
    match rest.bytes().next() {
        Some(b'"') => letters + string(rest),
        Some(b'\'') if prefix == "b" => letters + character(rest),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(source: &str) -> String {
        let code = code_only(source);
        assert_eq!(code.len(), source.len());
        code.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn comments_and_literals_go_and_code_stays() {
        assert_eq!(words("a // crate::x\nb /* c /* d */ e */ f"), "a b f");
        assert_eq!(words(r#"a "x \" // y" b"#), "a b");
        assert_eq!(words(r##"a r#"x " y"# b r"\" c br#"z"# d b"q" e"##), "a b c d e");
        assert_eq!(
            words("fn f<'a>(x: &'a str, c: char) { c == '\"' || c == '\\'' || c == 'é' || b == b'\"' }"),
            "fn f<'a>(x: &'a str, c: char) { c == || c == || c == || b == }"
        );
        assert_eq!(
            words("for r in b.c { r#type; bar\"x\" }"),
            "for r in b.c { r#type; bar }"
        );
        assert_eq!(words("'\\u{1f600}' x '\\\\' y"), "x y");
    }
}
