//! The text that copying a web page gives: each cell of a table is a paragraph, and the column headings come anew with
//! each section.
//!
//! Nothing but the order of the paragraphs says which cell is which, so a table is only taken if every one of its rows is
//! sound: what stands under Direction is a direction, under Port a port, and so on. INVARIANT: a table with a cell too few,
//! too many or in the wrong place is a problem at the first cell that shows it, and none of its rows is given.

use crate::derive::column::{Column, Fit};
use crate::derive::document::{Block, Cell, Document, Grid, Problem, squeezed};
use crate::source::{Locator, Source, Span, Spanned};

/// Column headings that stand one after the other are a table's from this many on.
const LEAST_COLUMNS: usize = 3;
/// From this many on, they are a table's even if none is of ports: then that one is missing.
const SURE_COLUMNS: usize = 4;
/// A longer paragraph is no heading.
const MAX_HEADING: usize = 90;

/// Reads a document.
pub(super) fn read(source: Source<'_>) -> Document {
    let paragraphs = paragraphs(source);
    let mut document = Document::default();
    let mut rest = paragraphs.as_slice();
    let mut level = 1;
    while let Some((first, after)) = rest.split_first() {
        let n_columns = headings(rest);
        if n_columns == 0 && n_known(rest) >= SURE_COLUMNS {
            let message = "column headings without one of ports";
            let help = "a heading is missing, or in the wrong place: complete the text";
            document.problems.push(Problem::new(first.span, message, help));
            return document;
        }
        if n_columns == 0 {
            let next = after.first().map_or("", |next| next.value.as_str());
            let is_next_table = headings(after) > 0 && !is_sentence(&first.value);
            document
                .blocks
                .push(if is_next_table || is_title(&first.value, next, level) {
                    let text = first.clone();
                    let block = Block::Heading { level, text };
                    level = 2;
                    block
                } else {
                    Block::Paragraph(first.clone())
                });
            rest = after;
            continue;
        }
        rest = table(&mut document, rest, n_columns);
    }
    document
}

/// The paragraphs: lines between blank ones, or each line where no line is blank. Items of a list that follow each other are
/// one paragraph.
fn paragraphs(source: Source<'_>) -> Vec<Spanned<String>> {
    let at = Locator::new(source);
    let has_blank = source.text.trim().lines().any(|line| line.trim().is_empty());
    let mut paragraphs: Vec<Spanned<String>> = Vec::new();
    let mut open = false;
    for line in source.text.lines() {
        let text = squeezed(line);
        if text.is_empty() {
            open = false;
            continue;
        }
        let span = at.span(line.trim());
        match paragraphs.last_mut() {
            Some(last) if open || (is_item(&text) && is_item(&last.value)) => {
                last.value.push('\n');
                last.value.push_str(&text);
                last.span = last.span.to(span);
            }
            _ => paragraphs.push(Spanned::new(text, span)),
        }
        open = has_blank;
    }
    paragraphs
}

fn is_item(text: &str) -> bool {
    text.starts_with(['•', '◦', '▪', '‣'])
}

/// How many paragraphs at the start are column headings of a table: none if they are too few or have no port among them.
fn headings(paragraphs: &[Spanned<String>]) -> usize {
    let columns: Vec<Column> = (paragraphs.iter())
        .map_while(|paragraph| Column::of_heading(&paragraph.value))
        .collect();
    let has_port = columns.iter().any(|column| column.has_ports());
    if has_port && columns.len() >= LEAST_COLUMNS {
        columns.len()
    } else {
        0
    }
}

/// How many paragraphs at the start are column headings of any kind.
fn n_known(paragraphs: &[Spanned<String>]) -> usize {
    let known = paragraphs
        .iter()
        .take_while(|one| Column::of_heading(&one.value).is_some());
    known.count()
}

/// Whether a paragraph is the document's title: a short one at its beginning.
fn is_title(text: &str, next: &str, level: u8) -> bool {
    level == 1 && text.len() <= MAX_HEADING && !text.ends_with(['.', ':', ',']) && !next.is_empty()
}

/// A sentence is no heading.
fn is_sentence(text: &str) -> bool {
    text.ends_with('.')
}

/// Reads one table, and gives what follows it.
fn table<'p>(
    document: &mut Document,
    paragraphs: &'p [Spanned<String>],
    n_columns: usize,
) -> &'p [Spanned<String>] {
    let (head, rest) = paragraphs.split_at(n_columns);
    let next_table = (0..rest.len()).find(|&at| headings(rest.get(at..).unwrap_or(&[])) > 0);
    // The paragraph before the next column headings is the heading of their section.
    let n_body = next_table.map_or(rest.len(), |at| at.saturating_sub(1));
    let (mut body, mut rest) = rest.split_at(n_body);
    if let (Some(_), Some(heading)) = (
        next_table,
        rest.first().filter(|heading| is_sentence(&heading.value)),
    ) {
        let message = "the heading of the next table is out of step: this is no heading";
        let help = "a cell before it is missing, or one too many: complete the text";
        document.problems.push(Problem::new(heading.span, message, help));
    }
    let columns: Vec<Column> = head
        .iter()
        .filter_map(|one| Column::of_heading(&one.value))
        .collect();
    if next_table.is_none() {
        // Behind the last table there may be text: it begins where a row would, with what is no row.
        let n_rows = sound_rows(body, &columns);
        let left = body.len() - n_rows * n_columns;
        let is_text = left > 0 && left < n_columns && n_rows > 0 && body_ends(body, n_rows * n_columns);
        if is_text {
            (body, rest) = body.split_at(n_rows * n_columns);
        }
    }
    match grid(head, body, &columns) {
        Ok(grid) => document.blocks.push(Block::Table(grid)),
        Err(problem) => document.problems.push(problem),
    }
    rest
}

/// Whether what follows the last whole row is the page's end and no cut row: a closing phrase such as "See also".
fn body_ends(body: &[Spanned<String>], from: usize) -> bool {
    let closing = [
        "see also",
        "next",
        "previous",
        "last updated",
        "related",
        "feedback",
        "©",
        "copyright",
    ];
    body.get(from).is_some_and(|first| {
        let text = first.value.to_lowercase();
        closing.iter().any(|phrase| text.starts_with(phrase))
    })
}

fn sound_rows(body: &[Spanned<String>], columns: &[Column]) -> usize {
    let sound = |row: &&[Spanned<String>]| row.len() == columns.len() && misfit(row, columns).is_none();
    body.chunks(columns.len().max(1)).take_while(sound).count()
}

/// The first cell of a row that cannot be what its heading says, and why.
fn misfit<'r>(row: &'r [Spanned<String>], columns: &[Column]) -> Option<(&'r Spanned<String>, Column)> {
    let cells = row.iter().zip(columns);
    let mut wrong = cells.filter(|(cell, column)| column.fit(&cell.value) == Fit::No);
    wrong.next().map(|(cell, column)| (cell, *column))
}

fn grid(head: &[Spanned<String>], body: &[Spanned<String>], columns: &[Column]) -> Result<Grid, Problem> {
    let width = columns.len();
    for (at, row) in body.chunks(width).enumerate() {
        if let Some((cell, column)) = misfit(row, columns) {
            return Err(Problem::new(
                cell.span,
                format!(
                    "row {} of the table is out of step: this is no {}",
                    at + 1,
                    column.what()
                ),
                "a cell before it is missing, or one too many: complete the text, or leave the section out with `--select`",
            ));
        }
        if let (true, Some(last)) = (row.len() < width, row.last()) {
            return Err(Problem::new(
                last.span,
                format!("row {} of the table has {} of {width} cells", at + 1, row.len()),
                "the text is cut off, or a cell is missing: complete it, or leave the section out with `--select`",
            ));
        }
    }
    inconsistent(body, columns).map_or(Ok(()), Err)?;
    let heads = head.iter().map(|one| one.span).reduce(Span::to);
    let whole = head.iter().chain(body).map(|one| one.span).reduce(Span::to);
    let (Some(heads), Some(whole)) = (heads, whole) else {
        return Ok(Grid::padded(
            Vec::new(),
            0,
            Span::new(crate::source::FileId(0), 0, 0),
        ));
    };
    if body.is_empty() {
        let help = "the text is cut off: complete it, or leave the section out with `--select`";
        return Err(Problem::new(heads, "column headings without a row", help));
    }
    let rows = head.chunks(width).chain(body.chunks(width));
    let rows = rows.map(|row| row.iter().map(cell).collect()).collect();
    Ok(Grid::padded(rows, 1, whole))
}

/// A name that a row gives to itself and others give to whom they speak with, or a name twice: then cells changed places.
fn inconsistent(body: &[Spanned<String>], columns: &[Column]) -> Option<Problem> {
    let at = columns.iter().position(|column| column.names_the_row())?;
    let names = body.chunks(columns.len()).filter_map(|row| row.get(at));
    let mut seen: Vec<&Spanned<String>> = Vec::new();
    for name in names {
        let elsewhere = (body.chunks(columns.len()))
            .flat_map(|row| row.iter().enumerate())
            .any(|(column, cell)| column != at && cell.value == name.value);
        if elsewhere {
            return Some(Problem::new(
                name.span,
                format!("`{}` stands in another column too", name.value),
                "cells have changed places: put them in the order of the headings",
            ));
        }
        seen.push(name);
    }
    None
}

/// A cell whose items and lines are lines.
fn cell(paragraph: &Spanned<String>) -> Cell {
    let lines = paragraph.value.lines().map(|line| {
        let text = line.trim_start_matches(['•', '◦', '▪', '‣', ' ']);
        Spanned::new(text.to_owned(), paragraph.span)
    });
    Cell {
        lines: lines.filter(|line| !line.value.is_empty()).collect(),
        span: paragraph.span,
    }
}
