//! reStructuredText: section titles, paragraphs, grid tables, simple tables and the directives `list-table` and
//! `csv-table`.
//!
//! As Docutils' specification has them ("Tables", "Sections"). Marks within text (`**`, backquotes, roles) are taken away.
//! INVARIANT: a table whose borders do not close is a problem at its first line, never a part of a table.

use super::inline::Lines;
use super::rst_grid;
use super::rst_list;
use super::rst_simple;
use crate::derive::document::{Block, Cell, Document, Grid, Problem, squeezed};
use crate::source::{Source, Span, Spanned};

/// One line of the text and where it begins.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line<'a> {
    pub(super) text: &'a str,
    pub(super) start: usize,
}

impl Line<'_> {
    pub(super) fn indent(&self) -> usize {
        self.text.chars().take_while(|c| *c == ' ').count()
    }

    pub(super) fn is_blank(&self) -> bool {
        self.text.trim().is_empty()
    }
}

/// What makes spans of the lines of a text.
#[derive(Clone, Copy)]
pub(super) struct Places<'a> {
    source: Source<'a>,
}

impl Places<'_> {
    /// The bytes from the first to the last of these lines.
    pub(super) fn lines(self, lines: &[Line<'_>]) -> Span {
        let start = lines.first().map_or(0, |line| line.start);
        let end = lines.last().map_or(start, |line| line.start + line.text.len());
        self.bytes(start, end)
    }

    pub(super) fn bytes(self, start: usize, end: usize) -> Span {
        Lines::new(self.source).span(start, end)
    }
}

/// Reads a document.
pub(super) fn read(source: Source<'_>) -> Document {
    let lines = lines_of(source.text);
    let at = Places { source };
    let mut document = Document::default();
    let mut styles: Vec<(char, bool)> = Vec::new();
    let mut rest = lines.as_slice();
    while let Some((first, after)) = rest.split_first() {
        if first.is_blank() {
            rest = after;
        } else if let Some((title, n_lines)) = title(rest) {
            let style = (first_mark(rest, n_lines), n_lines == 3);
            let place = styles.iter().position(|known| *known == style);
            let level = place.unwrap_or_else(|| {
                styles.push(style);
                styles.len() - 1
            });
            let text = Spanned::new(plain(title.text), at.lines(&[title]));
            document.blocks.push(Block::Heading {
                level: u8::try_from(level + 1).unwrap_or(u8::MAX),
                text,
            });
            rest = rest.get(n_lines..).unwrap_or(&[]);
        } else {
            let n_lines = block(rest, at, &mut document);
            rest = rest.get(n_lines.max(1)..).unwrap_or(&[]);
        }
    }
    document
}

/// Reads a table or a paragraph, and says how many lines it has.
fn block(rest: &[Line<'_>], at: Places<'_>, document: &mut Document) -> usize {
    let first = rest.first().map_or("", |line| line.text.trim());
    if rst_grid::is_border(first) {
        let n_lines = rest.iter().take_while(|line| !line.is_blank()).count();
        let table = rest.get(..n_lines).unwrap_or(rest);
        put(document, rst_grid::read(table, at));
        return n_lines;
    }
    if let Some(n_lines) = rst_simple::length(rest) {
        put(
            document,
            rst_simple::read(rest.get(..n_lines).unwrap_or(rest), at),
        );
        return n_lines;
    }
    if first.starts_with(".. ") {
        let n_lines = directive_length(rest);
        let lines = rest.get(..n_lines).unwrap_or(rest);
        if let Some(table) = rst_list::read(lines, at) {
            put(document, table);
            return n_lines;
        }
        // A table may stand in another directive; comments and the like say nothing.
        return if first.contains(".. table::") || first.contains(".. note::") {
            1
        } else {
            n_lines
        };
    }
    let n_lines = rest.iter().take_while(|line| !line.is_blank()).count();
    let lines = rest.get(..n_lines).unwrap_or(rest);
    let words: Vec<&str> = lines.iter().map(|line| line.text.trim()).collect();
    let text = plain(&words.join(" "));
    if !text.is_empty() {
        document
            .blocks
            .push(Block::Paragraph(Spanned::new(text, at.lines(lines))));
    }
    n_lines
}

fn put(document: &mut Document, table: Result<Grid, Problem>) {
    match table {
        Ok(grid) => document.blocks.push(Block::Table(grid)),
        Err(problem) => document.problems.push(problem),
    }
}

/// The lines of a directive: the first, and those behind it that are blank or indented more.
fn directive_length(rest: &[Line<'_>]) -> usize {
    let Some(first) = rest.first() else { return 0 };
    let belongs = |line: &&Line<'_>| line.is_blank() || line.indent() > first.indent();
    1 + rest.iter().skip(1).take_while(belongs).count()
}

/// A title with its line below, and perhaps above: the title and how many lines there are.
fn title<'a>(rest: &[Line<'a>]) -> Option<(Line<'a>, usize)> {
    let (first, second) = (rest.first()?, rest.get(1)?);
    let length = |line: &Line<'_>| line.text.trim_end().chars().count();
    if let (true, Some(third)) = (is_rule(first.text), rest.get(2)) {
        let fits = is_rule(third.text) && third.text.trim_end() == first.text.trim_end();
        return (fits && !second.is_blank() && length(second) <= length(first)).then_some((*second, 3));
    }
    let is_title = first.indent() == 0 && is_rule(second.text) && length(second) >= length(first);
    is_title.then_some((*first, 2))
}

fn first_mark(rest: &[Line<'_>], n_lines: usize) -> char {
    let rule = rest.get(n_lines - 1).map_or("", |line| line.text);
    rule.chars().next().unwrap_or('=')
}

/// Whether a line is nothing but one punctuation mark, three times at least.
fn is_rule(text: &str) -> bool {
    let text = text.trim_end();
    let mut marks = text.chars();
    let first = marks.next().filter(char::is_ascii_punctuation);
    first.is_some_and(|first| marks.all(|mark| mark == first)) && text.len() >= 3
}

fn lines_of(text: &str) -> Vec<Line<'_>> {
    let mut start = 0;
    let mut lines = Vec::new();
    for line in text.split_inclusive('\n') {
        let bare = line.trim_end_matches(['\r', '\n']);
        lines.push(Line { text: bare, start });
        start += line.len();
    }
    lines
}

/// A cell of lines that stand below each other: items of a list and paragraphs are lines of it.
pub(super) fn cell_of(lines: &[(&str, Span)], span: Span) -> Cell {
    let mut cell = Cell {
        lines: Vec::new(),
        span,
    };
    let mut open = false;
    for &(text, place) in lines {
        let item = text.trim_start();
        let is_item = ["* ", "- ", "+ ", "• ", "| "]
            .iter()
            .any(|mark| item.starts_with(mark));
        let words = plain(if is_item {
            item.get(1..).unwrap_or("")
        } else {
            item
        });
        match cell.lines.last_mut() {
            _ if words.is_empty() => {
                open &= is_item;
                continue;
            }
            Some(last) if open && !is_item => {
                last.value = format!("{} {words}", last.value);
                last.span = last.span.to(place);
            }
            _ => cell.lines.push(Spanned::new(words, place)),
        }
        open = true;
    }
    cell
}

/// Text without marks: `**strong**`, `` ``literal`` ``, `` :role:`text` ``, `` `text <target>`_ ``.
pub(super) fn plain(text: &str) -> String {
    let mut words = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('`') {
        let (before, quoted) = rest.split_at(at);
        words.push_str(without_role(before));
        let quoted = quoted.trim_start_matches('`');
        let Some(end) = quoted.find('`') else {
            rest = quoted;
            continue;
        };
        let inside = quoted.get(..end).unwrap_or("");
        // A target stands behind a space; a parameter such as `<tenant>.example.io` does not end the text.
        let shown = inside
            .strip_suffix('>')
            .and_then(|inside| inside.rsplit_once(" <"));
        words.push_str(shown.map_or(inside, |(shown, _)| shown));
        rest = quoted.get(end..).unwrap_or("").trim_start_matches('`');
        rest = rest.strip_prefix("__").or(rest.strip_prefix('_')).unwrap_or(rest);
    }
    words.push_str(rest);
    squeezed(&words.replace("**", "").replace("\\ ", ""))
}

/// Text before a backquote, without the role that it ends in.
fn without_role(before: &str) -> &str {
    let Some(inside) = before.strip_suffix(':') else {
        return before;
    };
    let Some(at) = inside.rfind(':') else {
        return before;
    };
    let role = inside.get(at + 1..).unwrap_or("");
    let is_role = !role.is_empty()
        && role
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-_.+".contains(c));
    if is_role {
        before.get(..at).unwrap_or("")
    } else {
        before
    }
}
