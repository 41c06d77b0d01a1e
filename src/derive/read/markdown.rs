//! Markdown: `CommonMark` with pipe tables.
//!
//! What stands between fences is an example, and left out. A line that ends in `¶` is a heading: that is how headings of a page come that was copied as Markdown. INVARIANT: text
//! behind the last cell of a row is not dropped, as renderers do, but said.

use std::ops::Range;

use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use super::inline::{Lines, is_break, is_markup};
use crate::derive::document::{Block, Cell, Document, Grid, MAX_CELLS, Problem, squeezed};
use crate::source::{Source, Span, Spanned};

/// Reads a document.
pub(super) fn read(source: Source<'_>) -> Document {
    let mut reader = Reader {
        source,
        document: Document::default(),
        lines: Lines::new(source),
        level: None,
        table: None,
        n_cells: 0,
        is_code: false,
        is_example: false,
    };
    for (start, part) in parts(source.text) {
        let events = Parser::new_ext(part, Options::ENABLE_TABLES | Options::ENABLE_HEADING_ATTRIBUTES)
            .into_offset_iter();
        for (event, range) in events {
            reader.event(&event, range.start + start..range.end + start);
        }
        reader.end_text();
    }
    reader.document
}

/// The text in parts that are read by themselves, with their offsets. GFM ends a table at a blank line only; in copied pages
/// text and further tables follow without one. So a table also ends at a line without a bar, and before the headings of the
/// next.
fn parts(text: &str) -> Vec<(usize, &str)> {
    let mut cuts = vec![0];
    let (mut in_table, mut in_fence) = (false, false);
    let mut start = 0;
    let mut lines = text.split_inclusive('\n').peekable();
    while let Some(line) = lines.next() {
        let bare = line.trim();
        let next_is_rule = lines.peek().is_some_and(|next| super::is_pipe_rule(next.trim()));
        if bare.starts_with("```") || bare.starts_with("~~~") {
            in_fence = !in_fence;
        }
        if bare.is_empty() || in_fence {
            in_table = false;
        } else if in_table && (!bare.contains('|') || next_is_rule) {
            cuts.push(start);
            in_table = false;
        }
        in_table |= super::is_pipe_rule(bare) && !in_fence;
        start += line.len();
    }
    cuts.push(text.len());
    let part = |ends: &[usize]| match *ends {
        [from, to] => text.get(from..to).map(|part| (from, part)),
        _ => None,
    };
    cuts.windows(2).filter_map(part).collect()
}

struct Reader<'a> {
    source: Source<'a>,
    document: Document,
    /// The text of the heading, paragraph or cell that is being read.
    lines: Lines<'a>,
    level: Option<u8>,
    table: Option<Table>,
    n_cells: usize,
    is_code: bool,
    /// Within fences: what stands there is somebody's program or config, and states nothing.
    is_example: bool,
}

struct Table {
    rows: Vec<Vec<Cell>>,
    n_headings: usize,
    span: Span,
}

impl Reader<'_> {
    fn span(&self, range: &Range<usize>) -> Span {
        self.lines.span(range.start, range.end)
    }

    fn event(&mut self, event: &Event<'_>, range: Range<usize>) {
        match event {
            Event::Start(tag) => self.start(tag, &range),
            Event::End(tag) => self.end(*tag, &range),
            Event::Text(text) if self.is_code => {
                for line in text.lines() {
                    self.lines.push(line, range.clone());
                    self.lines.end_line();
                }
            }
            Event::InlineHtml(tag) if is_break(tag) => self.lines.end_line(),
            Event::InlineHtml(tag) if is_markup(tag) => {}
            Event::Text(text) | Event::Code(text) | Event::InlineHtml(text) | Event::Html(text) => {
                self.lines.push(text, range);
            }
            Event::SoftBreak if self.table.is_none() => self.lines.end_line(),
            Event::SoftBreak => self.lines.push(" ", range),
            Event::HardBreak => self.lines.end_line(),
            _ => {}
        }
    }

    fn start(&mut self, tag: &Tag<'_>, range: &Range<usize>) {
        match tag {
            Tag::Heading { level, .. } => {
                self.end_text();
                self.level = Some(level_of(*level));
            }
            Tag::Table(_) => {
                self.end_text();
                self.table = Some(Table {
                    rows: Vec::new(),
                    n_headings: 0,
                    span: self.span(range),
                });
            }
            Tag::TableHead | Tag::TableRow => {
                if let Some(table) = &mut self.table {
                    table.rows.push(Vec::new());
                }
            }
            Tag::CodeBlock(kind) => {
                self.end_text();
                self.is_code = true;
                self.is_example = matches!(kind, CodeBlockKind::Fenced(_));
            }
            Tag::Paragraph | Tag::Item | Tag::List(_) | Tag::BlockQuote(_) | Tag::HtmlBlock => {
                self.end_text();
            }
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd, range: &Range<usize>) {
        match tag {
            TagEnd::TableCell => self.end_cell(range),
            TagEnd::TableHead => {
                if let Some(table) = &mut self.table {
                    table.n_headings = 1;
                }
                self.check_row_end(range);
            }
            TagEnd::TableRow => self.check_row_end(range),
            TagEnd::Table => {
                if let Some(table) = self.table.take() {
                    let grid = Grid::padded(table.rows, table.n_headings, table.span);
                    self.document.blocks.push(Block::Table(grid));
                }
            }
            TagEnd::CodeBlock => {
                if self.is_example {
                    let _example = self.lines.take_raw();
                }
                self.end_text();
                self.is_code = false;
                self.is_example = false;
            }
            TagEnd::Heading(_) | TagEnd::Paragraph | TagEnd::Item | TagEnd::HtmlBlock => self.end_text(),
            _ => {}
        }
    }

    fn end_cell(&mut self, range: &Range<usize>) {
        let lines = self.lines.take();
        let span = self.span(range);
        let Some(row) = self.table.as_mut().and_then(|table| table.rows.last_mut()) else {
            return;
        };
        self.n_cells += 1;
        match self.n_cells.cmp(&MAX_CELLS) {
            std::cmp::Ordering::Less => row.push(Cell { lines, span }),
            std::cmp::Ordering::Equal => self.document.problems.push(super::too_many_cells(span)),
            std::cmp::Ordering::Greater => {}
        }
    }

    /// A row that goes on behind its last heading: renderers leave that out.
    fn check_row_end(&mut self, range: &Range<usize>) {
        let row = self.table.as_ref().and_then(|table| table.rows.last());
        let Some(last) = row.and_then(|row| row.last()) else {
            return;
        };
        let from = last.span.range().end;
        let rest = self.source.text.get(from..range.end).unwrap_or("");
        let more = rest.trim().trim_start_matches('|').trim_end_matches('|').trim();
        if !more.is_empty() {
            let at = from + rest.find(more).unwrap_or(0);
            let span = self.lines.span(at, at + more.len());
            self.document.problems.push(Problem::new(
                span,
                "the row has more cells than the table has headings",
                "give the cell a heading, or write `\\|` for a bar within a cell",
            ));
        }
    }

    /// Ends the paragraph or heading that is being read. Lines that end in `¶` become headings.
    fn end_text(&mut self) {
        let level = self.level.take();
        if self.table.is_some() {
            return;
        }
        let lines = self.lines.take_raw();
        if let (Some(level), Some(text)) = (level, joined(&lines)) {
            self.document.blocks.push(Block::Heading { level, text });
            return;
        }
        let is_heading = |line: &Spanned<String>| line.value.trim_end().ends_with('¶');
        for part in lines.chunk_by(|one, next| !is_heading(one) && !is_heading(next)) {
            let heading = part.first().is_some_and(is_heading);
            let Some(text) = joined(part) else { continue };
            self.document.blocks.push(if heading {
                Block::Heading { level: 1, text }
            } else {
                Block::Paragraph(text)
            });
        }
    }
}

fn joined(lines: &[Spanned<String>]) -> Option<Spanned<String>> {
    let (first, last) = (lines.first()?, lines.last()?);
    let text: Vec<&str> = lines.iter().map(|line| line.value.as_str()).collect();
    let text = squeezed(&text.join(" "));
    (!text.is_empty()).then(|| Spanned::new(text, first.span.to(last.span)))
}

fn level_of(level: HeadingLevel) -> u8 {
    match level {
        HeadingLevel::H1 => 1,
        HeadingLevel::H2 => 2,
        HeadingLevel::H3 => 3,
        HeadingLevel::H4 => 4,
        HeadingLevel::H5 => 5,
        HeadingLevel::H6 => 6,
    }
}
