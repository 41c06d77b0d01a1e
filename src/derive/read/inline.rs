//! Text that comes in pieces, gathered to lines with the bytes that they cover.

use std::ops::Range;

use crate::derive::document::squeezed;
use crate::source::{Source, Span, Spanned};

/// Lines under construction.
pub(super) struct Lines<'a> {
    source: Source<'a>,
    done: Vec<Spanned<String>>,
    text: String,
    /// The bytes of the line that is being gathered.
    range: Option<Range<usize>>,
}

impl<'a> Lines<'a> {
    pub(super) fn new(source: Source<'a>) -> Self {
        Self {
            source,
            done: Vec::new(),
            text: String::new(),
            range: None,
        }
    }

    /// The span of bytes of the text. What lies behind its end is its end.
    pub(super) fn span(&self, start: usize, end: usize) -> Span {
        let limit = self.source.text.len();
        let at = |offset: usize| u32::try_from(offset.min(limit)).unwrap_or(u32::MAX);
        Span::new(self.source.file, at(start.min(end)), at(end))
    }

    /// Adds text that the bytes of `range` stand for.
    pub(super) fn push(&mut self, text: &str, range: Range<usize>) {
        self.text.push_str(text);
        if !text.trim().is_empty() {
            let start = self.range.as_ref().map_or(range.start, |known| known.start);
            self.range = Some(start..range.end);
        }
    }

    /// What follows is a new line.
    pub(super) fn end_line(&mut self) {
        let text = std::mem::take(&mut self.text);
        if let Some(range) = self.range.take() {
            let span = self.span(range.start, range.end);
            let words: Vec<&str> = text.split_whitespace().collect();
            self.done.push(Spanned::new(words.join(" "), span));
        }
    }

    /// The lines, with the marks that pages put behind headings.
    pub(super) fn take_raw(&mut self) -> Vec<Spanned<String>> {
        self.end_line();
        std::mem::take(&mut self.done)
    }

    /// The lines that say something.
    pub(super) fn take(&mut self) -> Vec<Spanned<String>> {
        let lines = self.take_raw().into_iter();
        let lines = lines.map(|line| line.map(|text| squeezed(&text)));
        lines.filter(|line| !line.value.is_empty()).collect()
    }
}

/// Elements of HTML that mark up text without being any.
const MARKUP: &[&str] = &[
    "a", "abbr", "b", "code", "del", "em", "i", "img", "ins", "kbd", "mark", "q", "s", "samp", "small",
    "span", "strong", "sub", "sup", "tt", "u", "var", "wbr",
];

/// Whether a tag ends a line.
pub(super) fn is_break(tag: &str) -> bool {
    ["br", "li", "p", "div", "ul", "ol"].contains(&element(tag).as_str())
}

/// Whether a tag only marks text up, or is a comment. `<tenant>` is not: that is a part of a host name.
pub(super) fn is_markup(tag: &str) -> bool {
    tag.starts_with("<!--") || MARKUP.contains(&element(tag).as_str())
}

fn element(tag: &str) -> String {
    let inside = tag.trim_start_matches(['<', '/']);
    let end = inside.find(|c: char| !c.is_ascii_alphanumeric());
    inside
        .get(..end.unwrap_or(inside.len()))
        .unwrap_or("")
        .to_ascii_lowercase()
}
