//! A document as its reader hands it on: headings, paragraphs and tables, in order.
//!
//! Nothing here knows what a port is. INVARIANT: every row of a grid has as many cells as the grid has columns; a cell
//! that spans several rows or columns stands at each place that it covers.

use crate::source::{Span, Spanned};

/// The most cells that the tables of one document may have, those that spans make included.
pub const MAX_CELLS: usize = 200_000;

/// What a document says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Document {
    /// Its parts, in order.
    pub blocks: Vec<Block>,
    /// Where it is not as its form wants it: what stands there is not to be trusted.
    pub problems: Vec<Problem>,
}

/// One part of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Block {
    /// A heading.
    Heading {
        /// 1 for the title, larger for those below it.
        level: u8,
        /// Its text.
        text: Spanned<String>,
    },
    /// A paragraph, or an item of a list, with its white space made single.
    Paragraph(Spanned<String>),
    /// A table.
    Table(Grid),
}

/// A table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grid {
    /// Its rows, headings first.
    pub rows: Vec<Vec<Cell>>,
    /// How many of the rows are headings.
    pub n_headings: usize,
    /// All of it.
    pub span: Span,
}

/// One cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// Its lines: items of a list and paragraphs are lines of their own. None if the cell is empty.
    pub lines: Vec<Spanned<String>>,
    /// The bytes between its borders.
    pub span: Span,
}

/// Something that is wrong with a document, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: String,
    /// The bytes that are wrong.
    pub span: Span,
}

impl Problem {
    /// A problem with the bytes of `span`.
    pub(super) fn new(span: Span, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            help: help.into(),
            span,
        }
    }
}

impl Cell {
    /// A cell of one line; of none if the text is blank.
    pub(super) fn line(text: &str, span: Span) -> Self {
        let text = squeezed(text);
        let lines = (!text.is_empty()).then(|| Spanned::new(text, span));
        Self {
            lines: lines.into_iter().collect(),
            span,
        }
    }

    /// A cell with nothing in it.
    pub(super) fn empty(span: Span) -> Self {
        Self {
            lines: Vec::new(),
            span,
        }
    }

    /// Its lines as one text, with spaces between them.
    #[must_use]
    pub fn text(&self) -> String {
        let lines: Vec<&str> = self.lines.iter().map(|line| line.value.as_str()).collect();
        lines.join(" ")
    }
}

impl Grid {
    /// A grid whose rows are made equally long by empty cells at their ends.
    pub(super) fn padded(mut rows: Vec<Vec<Cell>>, n_headings: usize, span: Span) -> Self {
        let width = rows.iter().map(Vec::len).max().unwrap_or(0);
        for row in &mut rows {
            let at = row.last().map_or(span, |last| last.span);
            let end = Span::new(at.file, at.end, at.end);
            row.resize_with(width, || Cell::empty(end));
        }
        Self {
            rows,
            n_headings,
            span,
        }
    }
}

/// The text with runs of white space made one space, none at its ends, and without the marks that pages put behind
/// headings to link to them.
pub(super) fn squeezed(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").trim_end_matches('¶').trim_end().to_owned()
}
