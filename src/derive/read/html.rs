//! HTML pages: headings, paragraphs and tables, whatever stands around them.
//!
//! The tokens are html5gum's; of the tree only what tables need is followed. HTML, 13.1.2.4: the end tags of `li`, `p`,
//! `tr`, `td`, `th` and of the parts of a table may be left out, so the next of their kind ends them. HTML, 4.9.11: a cell
//! spans up to 1000 columns, and up to 65534 rows, but never more than its part of the table has; `rowspan=0` is all of them.
//! INVARIANT: a table in a cell of another is text of that cell.

use html5gum::{DefaultEmitter, EndTag, StartTag, Token, Tokenizer};

use super::inline::Lines;
use super::spans::{Spanning, Spread};
use crate::derive::document::{Block, Cell, Document, squeezed};
use crate::source::{Source, Spanned};

/// Elements whose text nobody reads.
const SILENT: &[&str] = &[
    "script", "style", "template", "noscript", "nav", "footer", "head", "svg", "button", "select",
    "textarea", "iframe",
];

/// Elements that end the line before them and behind them.
const LINES: &[&str] = &[
    "p",
    "div",
    "br",
    "hr",
    "li",
    "ul",
    "ol",
    "dl",
    "dt",
    "dd",
    "pre",
    "blockquote",
    "section",
    "article",
    "main",
    "header",
    "aside",
    "figure",
    "figcaption",
    "table",
    "caption",
    "tr",
    "td",
    "th",
    "body",
    "html",
];

/// Reads a document.
pub(super) fn read(source: Source<'_>) -> Document {
    let mut reader = Reader {
        document: Document::default(),
        lines: Lines::new(source),
        silent: None,
        heading: None,
        table: None,
        depth: 0,
    };
    let mut emitter = DefaultEmitter::new_with_span();
    emitter.naively_switch_states(true);
    for token in Tokenizer::new_with_emitter(source.text, emitter) {
        let Ok(token) = token;
        match token {
            Token::StartTag(tag) => reader.start(&tag),
            Token::EndTag(tag) => reader.end(&tag),
            Token::String(text) if reader.silent.is_none() => {
                let range = text.span.start..text.span.end;
                reader.lines.push(&String::from_utf8_lossy(&text.value), range);
            }
            _ => {}
        }
    }
    reader.end_table();
    reader.end_text();
    reader.document
}

struct Reader<'a> {
    document: Document,
    lines: Lines<'a>,
    /// The silent element that is being read, and how many of its name are open.
    silent: Option<(String, usize)>,
    heading: Option<u8>,
    table: Option<Table>,
    /// How many tables are open within that one.
    depth: usize,
}

/// The table that is being read.
struct Table {
    start: usize,
    spread: Spread,
    /// The cell that is being read: where its text starts, and what it spans.
    cell: Option<(usize, Spanning)>,
}

impl Reader<'_> {
    fn start(&mut self, tag: &StartTag<usize>) {
        let name = String::from_utf8_lossy(&tag.name).into_owned();
        let name = name.as_str();
        if let Some((silent, depth)) = &mut self.silent {
            *depth += usize::from(*silent == name && !tag.self_closing);
            return;
        }
        if SILENT.contains(&name) && !tag.self_closing {
            self.silent = Some((name.to_owned(), 1));
            return;
        }
        let inside = self.table.as_ref().is_some_and(|table| table.cell.is_some());
        match name {
            "table" if self.table.is_some() => {
                self.depth += 1;
                self.lines.end_line();
            }
            "table" => {
                self.end_text();
                self.table = Some(Table {
                    start: tag.span.start,
                    spread: Spread::default(),
                    cell: None,
                });
            }
            "tr" | "thead" | "tbody" | "tfoot" if self.table.is_some() && self.depth == 0 => {
                self.end_cell(tag.span.start);
                self.end_row(name);
            }
            "td" | "th" if self.table.is_some() && self.depth == 0 => {
                self.end_cell(tag.span.start);
                let spanning = spanning(tag, name == "th");
                if let Some(table) = &mut self.table {
                    table.cell = Some((tag.span.end, spanning));
                }
            }
            _ if inside => self.end_line_of(name),
            _ => self.start_text(name),
        }
    }

    /// Ends the line of a cell at an element that stands on lines of its own.
    fn end_line_of(&mut self, name: &str) {
        if LINES.contains(&name) {
            self.lines.end_line();
        }
    }

    fn start_text(&mut self, name: &str) {
        if let Some(level) = heading_level(name) {
            self.end_text();
            self.heading = Some(level);
        } else if LINES.contains(&name) && name != "br" {
            self.end_text();
        } else if name == "br" {
            self.lines.push(" ", 0..0);
        }
    }

    fn end(&mut self, tag: &EndTag<usize>) {
        let name = String::from_utf8_lossy(&tag.name).into_owned();
        let name = name.as_str();
        if let Some((silent, depth)) = &mut self.silent {
            if *silent == name {
                *depth -= 1;
                if *depth == 0 {
                    self.silent = None;
                }
            }
            return;
        }
        let at = tag.span.start;
        match name {
            "table" if self.depth > 0 => {
                self.depth -= 1;
                self.lines.end_line();
            }
            "table" => self.end_table_at(tag.span.end, at),
            "td" | "th" if self.depth == 0 => self.end_cell(at),
            "tr" | "thead" | "tbody" | "tfoot" if self.table.is_some() && self.depth == 0 => {
                self.end_cell(at);
                self.end_row(name);
            }
            "caption" if self.table.is_some() && self.depth == 0 => self.end_text(),
            _ if self.table.as_ref().is_some_and(|table| table.cell.is_some()) => self.end_line_of(name),
            _ if heading_level(name).is_some() || LINES.contains(&name) => self.end_text(),
            _ => {}
        }
    }

    fn end_cell(&mut self, at: usize) {
        let Some((start, spanning)) = self.table.as_mut().and_then(|table| table.cell.take()) else {
            // What stands between cells is no cell's: it is a caption, or white space.
            self.end_text();
            return;
        };
        let lines = self.lines.take();
        let span = self.lines.span(start, at);
        if let Some(table) = &mut self.table {
            table.spread.add(&Cell { lines, span }, spanning);
        }
    }

    fn end_row(&mut self, part: &str) {
        if let Some(table) = &mut self.table {
            if part == "tr" {
                table.spread.end_row();
            } else {
                table.spread.end_part();
            }
        }
    }

    fn end_table(&mut self) {
        if self.table.is_some() {
            let end = usize::MAX;
            self.depth = 0;
            self.end_table_at(end, end);
        }
    }

    fn end_table_at(&mut self, end: usize, text_end: usize) {
        self.end_cell(text_end);
        let Some(table) = self.table.take() else { return };
        let span = self.lines.span(table.start, end);
        match table.spread.grid(span) {
            Ok(Some(grid)) => self.document.blocks.push(Block::Table(grid)),
            Ok(None) => {}
            Err(problem) => self.document.problems.push(problem),
        }
    }

    fn end_text(&mut self) {
        let level = self.heading.take();
        let lines = self.lines.take();
        let (Some(first), Some(last)) = (lines.first(), lines.last()) else {
            return;
        };
        let span = first.span.to(last.span);
        let text: Vec<&str> = lines.iter().map(|line| line.value.as_str()).collect();
        let text = Spanned::new(squeezed(&text.join(" ")), span);
        self.document.blocks.push(match level {
            Some(level) => Block::Heading { level, text },
            None => Block::Paragraph(text),
        });
    }
}

fn heading_level(name: &str) -> Option<u8> {
    let level = name.strip_prefix('h')?.parse().ok()?;
    (1..=6).contains(&level).then_some(level)
}

fn spanning(tag: &StartTag<usize>, is_heading: bool) -> Spanning {
    let number = |name: &[u8]| -> Option<usize> {
        let value = &tag
            .attributes
            .iter()
            .find(|entry| entry.0.as_slice() == name)?
            .1
            .value;
        let text = String::from_utf8_lossy(value);
        let digits = text.trim().bytes().take_while(u8::is_ascii_digit).count();
        text.trim().get(..digits)?.parse().ok()
    };
    Spanning {
        columns: number(b"colspan").unwrap_or(1).clamp(1, 1000),
        rows: number(b"rowspan").unwrap_or(1).min(65_534),
        is_heading,
    }
}
