//! Texts of users on a page.

use std::fmt::Write as _;

use super::super::plain::{plain, short};
use crate::source::{SourceMap, Span};

/// A text of a few lines at most, letter by letter.
pub(super) fn escaped(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in short(text).chars() {
        match letter {
            '<' => shown.push_str("&lt;"),
            '>' => shown.push_str("&gt;"),
            '&' => shown.push_str("&amp;"),
            '"' => shown.push_str("&quot;"),
            '\'' => shown.push_str("&#39;"),
            _ => shown.push(letter),
        }
    }
    shown
}

/// The same, with what stands in backticks as code.
pub(super) fn prose(text: &str) -> String {
    let mut shown = String::new();
    for (at, part) in escaped(text).split('`').enumerate() {
        match at {
            0 => {}
            odd if odd % 2 == 1 => shown.push_str("<code>"),
            _ => shown.push_str("</code>"),
        }
        shown.push_str(part);
    }
    if text.matches('`').count() % 2 == 1 {
        shown.push_str("</code>");
    }
    shown
}

/// A place with its line: `m1/v4.rules:3:8  :INPUT DROP`.
pub(super) fn place(sources: &SourceMap, span: Span) -> String {
    let file = sources.file(span.file);
    let line = file.line(file.line_column(span.start).line).unwrap_or("").trim();
    let place = plain(&sources.place(span)).into_owned();
    format!(
        "<span class=\"place\">{}</span> <code class=\"line\">{}</code>",
        escaped(&place),
        escaped(line)
    )
}

/// An anchor: letters, digits and what a row's id has beside them.
pub(super) fn anchor(kind: &str, id: &str) -> String {
    let mut anchor = format!("{kind}-");
    for letter in id.chars() {
        if letter.is_ascii_alphanumeric() || "-./".contains(letter) {
            anchor.push(letter);
        } else {
            // Writing to a string does not fail.
            let _written = write!(anchor, "_{:x}", u32::from(letter));
        }
    }
    anchor
}

/// A list of at most so many items, and how many more there are.
pub(super) fn list(items: &[String], most: usize) -> String {
    let mut shown = String::from("<ul>");
    for item in items.iter().take(most) {
        let _written = write!(shown, "<li>{item}</li>");
    }
    if let Some(more) = items.len().checked_sub(most).filter(|&more| more > 0) {
        let _written = write!(shown, "<li>and {more} more</li>");
    }
    shown.push_str("</ul>");
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_is_markup() {
        assert_eq!(escaped("<b a='1'>&\""), "&lt;b a=&#39;1&#39;&gt;&amp;&quot;");
        assert_eq!(prose("a `b` and `c"), "a <code>b</code> and <code>c</code>");
        assert_eq!(anchor("row", "mke/a b\">"), "row-mke/a_20b_22_3e");
    }
}
