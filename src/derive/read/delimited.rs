//! CSV and TSV: one table, no headings around it.
//!
//! Records are read as RFC 4180 has them; a bare line is a record of one field and a heading of what follows. INVARIANT:
//! the bytes of a field are those between its separators, quotes included.

use super::inline::Lines;
use crate::derive::document::{Block, Cell, Document, Grid, MAX_CELLS, Problem, squeezed};
use crate::source::{Source, Span, Spanned};

/// Reads a table whose fields `delimiter` separates.
pub(super) fn read(source: Source<'_>, delimiter: u8) -> Document {
    let lines = Lines::new(source);
    let mut document = Document::default();
    let text = source.text.strip_prefix('\u{feff}').unwrap_or(source.text);
    let skipped = source.text.len() - text.len();
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .from_reader(text.as_bytes());
    let mut rows: Vec<Vec<Cell>> = Vec::new();
    let mut n_cells = 0;
    let mut record = csv::StringRecord::new();
    loop {
        let start = offset(&reader) + skipped;
        match reader.read_record(&mut record) {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => {
                let span = lines.span(start, start);
                let message = format!("the record cannot be read: {error}");
                document
                    .problems
                    .push(Problem::new(span, message, "save the table as UTF-8"));
                break;
            }
        }
        let end = offset(&reader) + skipped;
        let raw = source.text.get(start..end).unwrap_or("");
        let places = fields(raw, char::from(delimiter));
        let whole = lines.span(start, start + raw.trim_end_matches(['\r', '\n']).len());
        n_cells += record.len();
        if n_cells > MAX_CELLS {
            document.problems.push(super::too_many_cells(whole));
            break;
        }
        if let Some(open) = unclosed(raw) {
            let span = lines.span(start + open, start + open + 1);
            let message = "the quote is not closed";
            let help = "end the field with `\"`; write `\"\"` for a quote within it";
            document.problems.push(Problem::new(span, message, help));
        }
        let cell = |(at, text): (usize, &str)| {
            let place = places.get(at).filter(|_| places.len() == record.len());
            let span = place.map_or(whole, |&(from, to)| lines.span(start + from, start + to));
            cell(text, span)
        };
        let row: Vec<Cell> = record.iter().enumerate().map(cell).collect();
        if row.iter().any(|cell| !cell.lines.is_empty()) {
            rows.push(row);
        }
    }
    document.blocks = blocks(rows);
    document
}

fn offset(reader: &csv::Reader<&[u8]>) -> usize {
    usize::try_from(reader.position().byte()).unwrap_or(usize::MAX)
}

/// A field: its line breaks end lines.
fn cell(text: &str, span: Span) -> Cell {
    let lines = text.lines().map(squeezed).filter(|line| !line.is_empty());
    Cell {
        lines: lines.map(|line| Spanned::new(line, span)).collect(),
        span,
    }
}

/// Records of one field head the records that follow them.
fn blocks(rows: Vec<Vec<Cell>>) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut table: Vec<Vec<Cell>> = Vec::new();
    let filled = |row: &[Cell]| row.iter().filter(|cell| !cell.lines.is_empty()).count();
    let widest = rows.iter().map(|row| filled(row)).max().unwrap_or(0);
    for row in rows {
        let heading = row.first().filter(|_| filled(&row) == 1 && widest > 2);
        match heading.and_then(|cell| cell.lines.first()) {
            Some(text) => {
                end_table(&mut blocks, &mut table);
                let text = text.clone();
                blocks.push(Block::Heading { level: 2, text });
            }
            None => table.push(row),
        }
    }
    end_table(&mut blocks, &mut table);
    blocks
}

fn end_table(blocks: &mut Vec<Block>, table: &mut Vec<Vec<Cell>>) {
    let cells = || table.iter().flatten();
    let (Some(first), Some(last)) = (cells().next(), cells().last()) else {
        return;
    };
    let span = first.span.to(last.span);
    blocks.push(Block::Table(Grid::padded(std::mem::take(table), 0, span)));
}

/// The ranges of the fields of a record, its line end left out.
fn fields(raw: &str, delimiter: char) -> Vec<(usize, usize)> {
    let skipped = raw.len() - raw.trim_start_matches(['\r', '\n']).len();
    let line = raw.trim_end_matches(['\r', '\n']);
    let mut fields = Vec::new();
    let (mut start, mut quoted) = (skipped, false);
    for (at, c) in line.char_indices().skip_while(|(at, _)| *at < skipped) {
        if c == '"' {
            quoted = !quoted;
        } else if c == delimiter && !quoted {
            fields.push((start, at));
            start = at + c.len_utf8();
        }
    }
    fields.push((start, line.len().max(start)));
    fields
}

/// Where a quote opens that the record does not close: then the rest of the file is one field.
fn unclosed(raw: &str) -> Option<usize> {
    let is_odd = raw.matches('"').count() % 2 == 1;
    raw.rfind('"').filter(|_| is_odd)
}

/// The fields of one line: what each says, and its bytes in the line.
pub(super) fn record(line: &str, delimiter: char) -> Vec<(String, usize, usize)> {
    let field = |(from, to): (usize, usize)| {
        let raw = line.get(from..to).unwrap_or("").trim();
        let inside = raw.strip_prefix('"').and_then(|raw| raw.strip_suffix('"'));
        let value = inside.map_or_else(|| raw.to_owned(), |inside| inside.replace("\"\"", "\""));
        (value, from, to)
    };
    fields(line, delimiter).into_iter().map(field).collect()
}
