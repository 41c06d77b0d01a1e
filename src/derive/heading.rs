//! The columns of a grid: found by headings, and where those do not say it by contents.

use super::cell::port;
use super::column::Column;
use super::document::{Cell, Grid};

/// What a grid's columns are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Columns {
    /// Of each column.
    pub(super) kinds: Vec<Column>,
    /// The heading of each, for messages.
    pub(super) titles: Vec<String>,
    /// Rows that are headings.
    pub(super) n_headings: usize,
    /// The columns that were found by their contents.
    pub(super) guessed: Vec<usize>,
    /// The columns whose heading is not known.
    pub(super) unknown: Vec<usize>,
}

/// Rows among which headings are looked for where a form does not mark them.
const HEADING_ROWS: usize = 3;

impl Columns {
    /// The columns of a grid. `None` if none is of ports.
    pub(super) fn of(grid: &Grid) -> Option<Self> {
        let n_headings = if grid.n_headings > 0 {
            grid.n_headings
        } else {
            heading_row(grid)? + 1
        };
        let (heads, body) = grid.rows.split_at(n_headings.min(grid.rows.len()));
        let width = grid.rows.first().map_or(0, Vec::len);
        let mut columns = Self {
            kinds: Vec::new(),
            titles: Vec::new(),
            n_headings,
            guessed: Vec::new(),
            unknown: Vec::new(),
        };
        for at in 0..width {
            let titles: Vec<String> = heads
                .iter()
                .filter_map(|row| row.get(at))
                .map(Cell::text)
                .collect();
            let known = titles.iter().rev().find_map(|title| Column::of_heading(title));
            let title = titles.iter().rev().find(|title| !title.is_empty());
            columns.titles.push(title.cloned().unwrap_or_default());
            let found = known.or_else(|| by_contents(body, at));
            if found.is_none() {
                columns.unknown.push(at);
            } else if known.is_none() {
                columns.guessed.push(at);
            }
            columns.kinds.push(found.unwrap_or(Column::Other));
        }
        columns.kinds.contains(&Column::Port).then_some(columns)
    }

    /// The cells of a row in columns of this kind, with their headings.
    pub(super) fn cells<'r>(
        &'r self,
        row: &'r [Cell],
        kind: Column,
    ) -> impl Iterator<Item = (&'r Cell, &'r str)> {
        let columns = self.kinds.iter().zip(&self.titles).zip(row);
        columns
            .filter(move |((known, _), _)| **known == kind)
            .map(|((_, title), cell)| (cell, title.as_str()))
    }

    /// The first cell of this kind that says something.
    pub(super) fn cell<'r>(&'r self, row: &'r [Cell], kind: Column) -> Option<&'r Cell> {
        self.cells(row, kind)
            .map(|found| found.0)
            .find(|cell| !cell.lines.is_empty())
    }

    pub(super) fn has(&self, kind: Column) -> bool {
        self.kinds.contains(&kind)
    }
}

/// The row that has the most known headings, a port among them.
fn heading_row(grid: &Grid) -> Option<usize> {
    let score = |row: &[Cell]| {
        let known: Vec<Column> = row
            .iter()
            .filter_map(|cell| Column::of_heading(&cell.text()))
            .collect();
        if known.contains(&Column::Port) && known.len() > 1 {
            known.len()
        } else {
            0
        }
    };
    let rows = grid.rows.iter().take(HEADING_ROWS).enumerate();
    let scored = rows.map(|(at, row)| (score(row), std::cmp::Reverse(at)));
    scored.max().filter(|best| best.0 > 0).map(|best| best.1.0)
}

/// What nearly all cells of a column are: ports or protocols.
fn by_contents(body: &[Vec<Cell>], at: usize) -> Option<Column> {
    let cells: Vec<&Cell> = body
        .iter()
        .filter_map(|row| row.get(at))
        .filter(|cell| !cell.lines.is_empty())
        .collect();
    let most = |is: &dyn Fn(&Cell) -> bool| {
        let n = cells.iter().filter(|cell| is(cell)).count();
        cells.len() > 1 && n * 5 >= cells.len() * 4
    };
    let is_port = |cell: &Cell| {
        let lines: Vec<&str> = cell.lines.iter().map(|line| line.value.as_str()).collect();
        let names_one = cell.text().to_ascii_lowercase().contains("tcp")
            || cell.text().to_ascii_lowercase().contains("udp");
        let has_digit = cell.text().bytes().any(|byte| byte.is_ascii_digit());
        names_one && has_digit && port::read(&lines, &[]).is_ok()
    };
    if most(&|cell| port::protocols(&cell.text()).is_some()) {
        Some(Column::Protocol)
    } else if most(&is_port) {
        Some(Column::Port)
    } else {
        None
    }
}
