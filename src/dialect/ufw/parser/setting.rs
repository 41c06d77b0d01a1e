//! `ufw.conf` and `/etc/default/ufw`: assignments that the init script takes in as a shell does.
//!
//! INVARIANT: a line that is neither an assignment of a plain word nor a comment is refused: a shell might run anything.

use crate::dialect::ufw::ast::{Read, Unread};

/// One assignment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::dialect::ufw) struct Setting<'a> {
    pub(in crate::dialect::ufw) key: &'a str,
    /// Without its quotes.
    pub(in crate::dialect::ufw) value: &'a str,
}

/// The assignment of a line; `None` for a comment or nothing.
pub(in crate::dialect::ufw) fn setting(line: &str) -> Read<'_, Option<Setting<'_>>> {
    let text = line.trim();
    if text.is_empty() || text.starts_with('#') {
        return Ok(None);
    }
    let said = text.strip_prefix("export ").map_or(text, str::trim_start);
    let Some((key, rest)) = said.split_once('=').filter(|(key, _)| is_name(key)) else {
        return Err(Unread::new(text, "this is not a setting").help("settings are written `NAME=value`"));
    };
    let (value, behind) = if let Some(quote @ ('"' | '\'')) = rest.chars().next() {
        let inside = rest.get(1..).and_then(|inside| inside.split_once(quote));
        inside.ok_or_else(|| Unread::new(rest, "a quote is not closed"))?
    } else {
        rest.split_at(rest.find([' ', '\t', ';']).unwrap_or(rest.len()))
    };
    let is_end = behind.trim_start().is_empty()
        || behind.trim_start().starts_with('#') && behind != behind.trim_start();
    if !is_end {
        return Err(Unread::new(behind.trim_start(), "more than one value")
            .help("put quotes around a value with blanks"));
    }
    if value.contains(['$', '`', '\\']) {
        return Err(Unread::new(value, "a value that a shell would compute").help("write the value itself"));
    }
    Ok(Some(Setting { key, value }))
}

fn is_name(word: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    word.starts_with(|char: char| char.is_ascii_alphabetic() || char == '_') && word.bytes().all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_is_read_as_a_shell_reads_it() {
        for (line, expected) in [
            ("IPV6=yes", Some(("IPV6", "yes"))),
            (
                "DEFAULT_INPUT_POLICY=\"DROP\"",
                Some(("DEFAULT_INPUT_POLICY", "DROP")),
            ),
            ("  A='b c' # why", Some(("A", "b c"))),
            ("A=b # why", Some(("A", "b"))),
            ("A=", Some(("A", ""))),
            ("# A=b", None),
            ("", None),
        ] {
            let read = setting(line).map(|found| found.map(|found| (found.key, found.value)));
            assert_eq!(read, Ok(expected), "{line}");
        }
        for (line, wrong) in [
            ("if true", "if true"),
            ("A=b c", "c"),
            ("A=\"b", "\"b"),
            ("A=$B", "$B"),
            ("A-B=c", "A-B=c"),
        ] {
            assert_eq!(setting(line).unwrap_err().at, wrong, "{line}");
        }
    }
}
