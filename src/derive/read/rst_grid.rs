//! Grid tables: cells drawn with `+`, `-`, `=` and `|`.
//!
//! A cell is the rectangle that closes soonest from a corner, to the right and down, which is how Docutils finds them.
//! INVARIANT: the rectangles cover the table without overlap, or it is a problem.

use super::rst::{Line, Places, cell_of};
use crate::derive::document::{Cell, Grid, MAX_CELLS, Problem};

/// Whether a line is a border of a grid table: `+---+---+`.
pub(super) fn is_border(text: &str) -> bool {
    text.len() >= 3
        && text.starts_with("+-")
        && text.ends_with('+')
        && text.chars().all(|c| matches!(c, '+' | '-' | '='))
}

/// The characters of the table, line by line.
struct Drawing<'a> {
    lines: &'a [Line<'a>],
    marks: Vec<Vec<char>>,
    width: usize,
}

/// A cell's borders: its characters lie strictly between.
#[derive(Debug, Clone, Copy)]
struct Rectangle {
    top: usize,
    left: usize,
    bottom: usize,
    right: usize,
}

/// Reads the table of these lines.
pub(super) fn read(lines: &[Line<'_>], at: Places<'_>) -> Result<Grid, Problem> {
    let indent = lines.first().map_or(0, Line::indent);
    let mut marks: Vec<Vec<char>> = Vec::new();
    for line in lines {
        marks.push(line.text.trim_end().chars().skip(indent).collect());
    }
    let width = marks.first().map_or(0, Vec::len);
    let heading = marks.iter().skip(1).position(|line| {
        line.first() == Some(&'+') && line.contains(&'=') && line.iter().all(|c| matches!(c, '+' | '='))
    });
    let heading = heading.map(|at| at + 1);
    let drawing = Drawing { lines, marks, width };
    let broken = || {
        Problem::new(
            at.lines(lines.get(..1).unwrap_or(lines)),
            "the borders of the table do not close",
            "every cell of a grid table needs `+` at its corners: a line is cut off, or longer than the others",
        )
    };
    let rectangles = drawing.rectangles().ok_or_else(broken)?;
    let edges = |of: fn(&Rectangle) -> usize| {
        let mut edges: Vec<usize> = rectangles.iter().map(of).collect();
        edges.sort_unstable();
        edges.dedup();
        edges
    };
    let (rows, columns) = (edges(|cell| cell.top), edges(|cell| cell.left));
    if rows.len() * columns.len() > MAX_CELLS {
        return Err(super::too_many_cells(at.lines(lines)));
    }
    let cell_at = |top: usize, left: usize| -> Option<Cell> {
        let covers = |cell: &&Rectangle| {
            (cell.top..cell.bottom).contains(&top) && (cell.left..cell.right).contains(&left)
        };
        rectangles.iter().find(covers).map(|cell| drawing.cell(*cell, at))
    };
    let row =
        |top: &usize| -> Option<Vec<Cell>> { columns.iter().map(|left| cell_at(*top, *left)).collect() };
    let n_headings = heading.map_or(0, |line| rows.iter().filter(|top| **top < line).count());
    let rows: Option<Vec<Vec<Cell>>> = rows.iter().map(row).collect();
    Ok(Grid::padded(
        rows.ok_or_else(broken)?,
        n_headings,
        at.lines(lines),
    ))
}

impl Drawing<'_> {
    fn mark(&self, line: usize, column: usize) -> char {
        let line = self.marks.get(line);
        line.and_then(|line| line.get(column)).copied().unwrap_or(' ')
    }

    /// All cells, by following borders from corner to corner. `None` if they do not cover the drawing.
    fn rectangles(&self) -> Option<Vec<Rectangle>> {
        let height = self.marks.len();
        let mut done = vec![0; self.width];
        let mut corners = std::collections::BTreeSet::from([(0, 0)]);
        let mut cells = Vec::new();
        while let Some((top, left)) = corners.pop_first() {
            if top + 1 >= height || left + 1 >= self.width || done.get(left).is_none_or(|line| *line != top) {
                continue;
            }
            let cell = self.closing(top, left)?;
            for line in done.get_mut(left..cell.right)? {
                if *line != top {
                    return None;
                }
                *line = cell.bottom;
            }
            corners.extend([(top, cell.right), (cell.bottom, left)]);
            cells.push(cell);
        }
        let whole = self.width > 0 && done.get(..self.width - 1)?.iter().all(|line| *line + 1 == height);
        whole.then_some(cells)
    }

    /// The smallest cell from a corner.
    fn closing(&self, top: usize, left: usize) -> Option<Rectangle> {
        if self.mark(top, left) != '+' {
            return None;
        }
        let edge =
            (left + 1..self.width).take_while(|column| matches!(self.mark(top, *column), '+' | '-' | '='));
        let rights: Vec<usize> = edge.filter(|column| self.mark(top, *column) == '+').collect();
        let sides =
            (top + 1..self.marks.len()).take_while(|line| matches!(self.mark(*line, left), '+' | '|'));
        let bottoms: Vec<usize> = sides.filter(|line| self.mark(*line, left) == '+').collect();
        for &right in &rights {
            for &bottom in &bottoms {
                let side = (top..=bottom).all(|line| matches!(self.mark(line, right), '+' | '|'));
                let base = (left..=right).all(|column| matches!(self.mark(bottom, column), '+' | '-' | '='));
                let is_corner = self.mark(bottom, right) == '+';
                if side && base && is_corner {
                    return Some(Rectangle {
                        top,
                        left,
                        bottom,
                        right,
                    });
                }
            }
        }
        None
    }

    /// The text between the borders.
    fn cell(&self, cell: Rectangle, at: Places<'_>) -> Cell {
        let mut texts = Vec::new();
        for line in self.lines.get(cell.top + 1..cell.bottom).unwrap_or(&[]) {
            let from = byte_of(line, line_indent(self.lines) + cell.left + 1);
            let to = byte_of(line, line_indent(self.lines) + cell.right);
            let text = line.text.get(from..to).unwrap_or("");
            let skipped = text.len() - text.trim_start().len();
            let start = line.start + from + skipped;
            texts.push((text, at.bytes(start, start + text.trim().len())));
        }
        let first = texts.first().map(|text| text.1);
        let whole = texts
            .iter()
            .filter(|text| !text.0.trim().is_empty())
            .map(|text| text.1);
        let span = whole.reduce(crate::source::Span::to).or(first);
        let span = span.unwrap_or_else(|| at.lines(self.lines));
        cell_of(&texts, span)
    }
}

fn line_indent(lines: &[Line<'_>]) -> usize {
    lines.first().map_or(0, Line::indent)
}

/// The byte of a line at which its character of this number begins.
fn byte_of(line: &Line<'_>, character: usize) -> usize {
    line.text
        .char_indices()
        .nth(character)
        .map_or(line.text.len(), |(at, _)| at)
}
