//! Tables written as directives: `list-table`, a list of lists, and `csv-table`.

use super::delimited;
use super::rst::{Line, Places, cell_of};
use crate::derive::document::{Cell, Grid, Problem};
use crate::source::Span;

/// Reads the table of a directive's lines; `None` if it is another directive.
pub(super) fn read(lines: &[Line<'_>], at: Places<'_>) -> Option<Result<Grid, Problem>> {
    let (first, rest) = lines.split_first()?;
    let is = |name: &str| first.text.trim().starts_with(name);
    let option = |line: &&Line<'_>| line.text.trim_start().starts_with(':') && !line.is_blank();
    let n_options = rest.iter().take_while(option).count();
    let (options, body) = rest.split_at(n_options);
    let n_headings = number(options, ":header-rows:");
    if is(".. list-table::") {
        return Some(list_table(first, body, n_headings, at));
    }
    is(".. csv-table::").then(|| csv_table(first, options, body, n_headings, at))
}

fn number(options: &[Line<'_>], name: &str) -> usize {
    let value = options
        .iter()
        .find_map(|line| line.text.trim().strip_prefix(name));
    value.and_then(|value| value.trim().parse().ok()).unwrap_or(0)
}

/// `* - a` begins a row, `  - b` a cell of it; what is indented more belongs to the cell.
fn list_table(
    first: &Line<'_>,
    body: &[Line<'_>],
    n_headings: usize,
    at: Places<'_>,
) -> Result<Grid, Problem> {
    let mut rows: Vec<Vec<Vec<(&str, Span)>>> = Vec::new();
    // Where the items of a row and the marks of its cells stand.
    let (mut row_at, mut cell_at) = (None, None);
    for line in body {
        let mut text = line.text;
        let mut indent = line.indent();
        let item = |text: &str, mark: &str| text.trim_start().starts_with(mark) || text.trim() == mark.trim();
        let is_row = item(text, "* ") && row_at.is_none_or(|row| row == indent);
        if is_row {
            row_at = Some(indent);
            rows.push(Vec::new());
            text = text.get(indent + 1..).unwrap_or("");
            indent += 1 + text.chars().take_while(|c| *c == ' ').count();
            cell_at = Some(indent);
        }
        let Some(row) = rows.last_mut() else {
            if line.is_blank() {
                continue;
            }
            return Err(broken(line, at));
        };
        let is_cell = item(text, "- ") && cell_at == Some(indent);
        let content = if is_cell {
            text.trim_start().get(1..).unwrap_or("")
        } else {
            text
        };
        let start = line.start + line.text.len() - content.trim_start().len();
        let part = (content, at.bytes(start, start + content.trim().len()));
        if is_cell {
            row.push(vec![part]);
        } else if let Some(cell) = row.last_mut() {
            cell.push(part);
        } else if !line.is_blank() {
            return Err(broken(line, at));
        }
    }
    let width = rows.first().map_or(0, Vec::len);
    if let Some(uneven) = rows.iter().find(|row| row.len() != width) {
        let span = uneven.iter().flatten().map(|text| text.1).reduce(Span::to);
        return Err(Problem::new(
            span.unwrap_or_else(|| at.lines(&[*first])),
            format!(
                "a row of the table has {} cells where the first has {width}",
                uneven.len()
            ),
            "each row of a `list-table` is a list of the same length",
        ));
    }
    let cell = |texts: &Vec<(&str, Span)>| -> Cell {
        let span = texts
            .iter()
            .filter(|text| !text.0.trim().is_empty())
            .map(|text| text.1)
            .reduce(Span::to);
        let empty = texts.first().map(|text| text.1);
        cell_of(texts, span.or(empty).unwrap_or_else(|| at.lines(&[*first])))
    };
    let rows = rows.iter().map(|row| row.iter().map(cell).collect()).collect();
    Ok(Grid::padded(rows, n_headings, at.lines(body)))
}

fn broken(line: &Line<'_>, at: Places<'_>) -> Problem {
    Problem::new(
        at.lines(&[*line]),
        "this is no row of a `list-table`",
        "rows are written `* - first cell`, and the other cells `  - next cell` below",
    )
}

fn csv_table(
    first: &Line<'_>,
    options: &[Line<'_>],
    body: &[Line<'_>],
    n_headings: usize,
    at: Places<'_>,
) -> Result<Grid, Problem> {
    let header = options
        .iter()
        .find(|line| line.text.trim().starts_with(":header:"));
    if options
        .iter()
        .any(|line| line.text.trim().starts_with(":file:") || line.text.trim().starts_with(":url:"))
    {
        return Err(Problem::new(
            at.lines(&[*first]),
            "the rows of the table stand in another file",
            "derive from that file",
        ));
    }
    let mut rows: Vec<Vec<Cell>> = Vec::new();
    let of_line = |line: &Line<'_>, text: &str| -> Vec<Cell> {
        let start = line.start + line.text.len() - text.len();
        delimited::record(text, ',')
            .into_iter()
            .map(|(value, from, to)| Cell::line(&value, at.bytes(start + from, start + to)))
            .collect()
    };
    let titles = header.and_then(|line| Some((line, line.text.split_once(":header:")?.1)));
    rows.extend(titles.map(|(line, text)| of_line(line, text)));
    let n_headings = n_headings + rows.len();
    for line in body.iter().filter(|line| !line.is_blank()) {
        rows.push(of_line(line, line.text));
    }
    Ok(Grid::padded(rows, n_headings, at.lines(body)))
}
