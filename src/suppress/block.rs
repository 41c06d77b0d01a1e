//! What a comment on a line of its own is about: the next line that is no comment, and the block that it opens.
//!
//! Blocks are told by what all languages here have in common: brackets that the line leaves open, an XML element that it does not
//! close, and in YAML what is indented deeper. INVARIANT: where none of these is sure to end, the block ends with the text.

use std::ops::Range;

use super::comment::{TUPLE, is_only_comment};

/// The bytes that a comment that ends at `end` is about; empty if nothing follows it.
pub(super) fn behind(text: &str, end: usize) -> Range<usize> {
    let mut lines = lines_from(text, end);
    let Some(head) = lines.find(|line| {
        let line = text.get(line.clone()).unwrap_or("");
        !line.trim().is_empty() && !is_only_comment(line)
    }) else {
        return text.len()..text.len();
    };
    let first = text.get(head.clone()).unwrap_or("");
    let end = if first.trim_start().starts_with(TUPLE) {
        // The lines under a tuple are the rules that it stands for.
        let rules = lines.take_while(|line| text.get(line.clone()).is_some_and(|line| line.starts_with('-')));
        rules.last().map_or(head.end, |line| line.end)
    } else if let Some(name) = open_element(first) {
        let close = format!("</{name}>");
        let rest = text.get(head.end..).unwrap_or("");
        rest.find(&close)
            .map_or(text.len(), |at| head.end + at + close.len())
    } else {
        let mut depth = balance(first);
        let mut end = head.end;
        if depth > 0 || first.trim_end().ends_with('\\') {
            let mut is_continued = first.trim_end().ends_with('\\');
            for line in lines {
                if depth <= 0 && !is_continued {
                    break;
                }
                let of = text.get(line.clone()).unwrap_or("");
                depth += balance(of);
                is_continued = of.trim_end().ends_with('\\');
                end = line.end;
            }
            end
        } else {
            if opens_in_yaml(first) {
                end = indented_end(text, first, lines, end);
            }
            end
        }
    };
    head.start..end
}

/// The bytes that a comment above the line that starts at `start` is about, or would be.
pub(super) fn starting(text: &str, start: usize) -> Range<usize> {
    if let Some(end) = start.checked_sub(1) {
        return behind(text, end);
    }
    let about = behind(&format!("\n{text}"), 0);
    about.start.saturating_sub(1)..about.end.saturating_sub(1)
}

/// The rule that carries a comment at `at`, in the line from `start` to `end`: between semicolons, with the lines before it whose
/// brackets it closes.
pub(super) fn around(text: &str, start: usize, at: usize, end: usize) -> Range<usize> {
    let line = text.get(start..at).unwrap_or("");
    let is_outside = |by: &usize| !super::language::ends_in_quotes(line.get(..*by).unwrap_or(""));
    let before = line.rmatch_indices(';').map(|(by, _)| by).find(is_outside);
    let mut first = before.map_or(start, |by| start + by + 1);
    let mut depth = balance(text.get(first..at).unwrap_or(""));
    while depth < 0 && first > 0 {
        let above = text.get(..first - 1).unwrap_or("");
        let above_start = above.rfind('\n').map_or(0, |by| by + 1);
        depth += balance(text.get(above_start..first - 1).unwrap_or(""));
        first = above_start;
    }
    let last = text
        .get(at..end)
        .and_then(|rest| rest.find(';'))
        .map_or(end, |by| at + by);
    first..last
}

/// The lines that begin behind the one that ends at `end`, without their breaks.
fn lines_from(text: &str, end: usize) -> impl Iterator<Item = Range<usize>> + '_ {
    let mut at = end;
    std::iter::from_fn(move || {
        let start = text.get(at..)?.find('\n').map(|by| at + by + 1)?;
        let length = text.get(start..)?.find('\n');
        at = length.map_or(text.len(), |length| start + length);
        Some(start..at)
    })
}

/// The name of an element that a line opens and does not close.
fn open_element(line: &str) -> Option<&str> {
    let inside = line.trim_start().strip_prefix('<')?;
    let name = inside
        .split(|c: char| !(c.is_alphanumeric() || matches!(c, '-' | '_' | ':')))
        .next()?;
    let is_closed = line.trim_end().ends_with("/>") || line.contains(&format!("</{name}>"));
    (!name.is_empty() && !is_closed).then_some(name)
}

/// Brackets that a line opens, less those that it closes, outside of quotes and of comments behind it.
fn balance(line: &str) -> i32 {
    let mut depth = 0;
    let mut quote = None;
    let mut before = ' ';
    for c in line.chars() {
        match (quote, c) {
            (Some(open), c) if c == open && before != '\\' => quote = None,
            (None, '"') => quote = Some(c),
            (None, '#') if before.is_whitespace() => break,
            (None, '/') if before == '/' => break,
            (None, '{' | '[' | '(') => depth += 1,
            (None, '}' | ']' | ')') => depth -= 1,
            _ => {}
        }
        before = c;
    }
    depth
}

/// Whether deeper lines of YAML belong to this one: a key without a value, or an item of a list.
fn opens_in_yaml(line: &str) -> bool {
    line.trim_end().ends_with(':') || line.trim_start().starts_with("- ")
}

fn indented_end(text: &str, head: &str, lines: impl Iterator<Item = Range<usize>>, mut end: usize) -> usize {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let own = indent(head);
    let is_item = head.trim_start().starts_with("- ");
    for line in lines {
        let of = text.get(line.clone()).unwrap_or("");
        let is_item_of_key = !is_item && indent(of) == own && of.trim_start().starts_with("- ");
        if !of.trim().is_empty() && indent(of) <= own && !is_item_of_key {
            break;
        }
        if !of.trim().is_empty() {
            end = line.end;
        }
    }
    end
}

#[cfg(test)]
mod tests {
    use super::behind;

    fn about(text: &str) -> &str {
        let end = text.find('\n').unwrap();
        &text[behind(text, end)]
    }

    #[test]
    fn a_line_is_itself_or_the_block_that_it_opens() {
        assert_eq!(
            about("#\n\n  # more\n-A INPUT -j ACCEPT\n-A INPUT -j DROP\n"),
            "-A INPUT -j ACCEPT"
        );
        assert_eq!(
            about("#\na {\n  b = \"}\" # }\n}\nc\n"),
            "a {\n  b = \"}\" # }\n}"
        );
        assert_eq!(about("#\na = [\n  1,\n]\nb\n"), "a = [\n  1,\n]");
        assert_eq!(
            about("#\n<rule>\n  <a/>\n</rule>\n<b/>\n"),
            "<rule>\n  <a/>\n</rule>"
        );
        assert_eq!(about("#\n<port port=\"1\"/>\n<b/>\n"), "<port port=\"1\"/>");
        assert_eq!(about("#\n  - a: 1\n    b: 2\n\n  - c\n"), "  - a: 1\n    b: 2");
        assert_eq!(about("#\nports:\n- a\n- b\nc: 1\n"), "ports:\n- a\n- b");
        assert_eq!(
            about("#\ntcp dport \\\n  80 accept\nb\n"),
            "tcp dport \\\n  80 accept"
        );
    }

    #[test]
    fn nothing_behind_it_is_nothing() {
        assert_eq!(about("#\n"), "");
        assert_eq!(about("#\n\n# only\n"), "");
        assert_eq!(about("#\na {\n"), "a {\n".trim_end_matches('x'));
    }
}
