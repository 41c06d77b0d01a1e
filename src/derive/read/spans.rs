//! Cells that span rows and columns, put at every place that they cover.

use crate::derive::document::{Cell, Grid, MAX_CELLS, Problem};
use crate::source::Span;

/// What a cell covers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spanning {
    /// Columns, one at least.
    pub(super) columns: usize,
    /// Rows; 0 for all that are left of its part of the table.
    pub(super) rows: usize,
    /// Whether it is a heading of its column or row.
    pub(super) is_heading: bool,
}

/// A cell that goes on in the rows below: its column, how many rows are left, and whether that ends with the part.
struct Hanging {
    column: usize,
    rows: usize,
    cell: Cell,
}

/// A table under construction.
#[derive(Default)]
pub(super) struct Spread {
    rows: Vec<Vec<Option<Cell>>>,
    /// Of each row, whether all of its cells are headings.
    headings: Vec<bool>,
    /// The row that is being gathered.
    row: Vec<Option<Cell>>,
    is_heading: bool,
    hanging: Vec<Hanging>,
    /// Those of the row that is being gathered.
    next: Vec<Hanging>,
    n_cells: usize,
    too_many: Option<Span>,
}

impl Spread {
    /// Adds a cell to the row, in its first free column.
    pub(super) fn add(&mut self, cell: &Cell, spanning: Spanning) {
        if self.row.is_empty() && self.next.is_empty() {
            self.begin_row();
        }
        let column = self
            .row
            .iter()
            .position(Option::is_none)
            .unwrap_or(self.row.len());
        self.is_heading &= spanning.is_heading;
        for at in column..column + spanning.columns {
            self.n_cells += 1;
            if self.n_cells > MAX_CELLS {
                self.too_many.get_or_insert(cell.span);
                return;
            }
            if self.row.len() <= at {
                self.row.resize(at + 1, None);
            }
            if let Some(place) = self.row.get_mut(at) {
                *place = Some(cell.clone());
            }
            if spanning.rows != 1 {
                self.next.push(Hanging {
                    column: at,
                    rows: if spanning.rows == 0 {
                        usize::MAX
                    } else {
                        spanning.rows - 1
                    },
                    cell: cell.clone(),
                });
            }
        }
    }

    fn begin_row(&mut self) {
        self.is_heading = true;
        for hanging in &mut self.hanging {
            hanging.rows = hanging.rows.saturating_sub(1);
            self.n_cells += 1;
            if self.row.len() <= hanging.column {
                self.row.resize(hanging.column + 1, None);
            }
            if let Some(place) = self.row.get_mut(hanging.column) {
                *place = Some(hanging.cell.clone());
            }
        }
        self.hanging.retain(|hanging| hanging.rows > 0);
        if self.n_cells > MAX_CELLS {
            self.too_many = self
                .too_many
                .or(self.hanging.first().map(|hanging| hanging.cell.span));
            self.hanging.clear();
        }
    }

    /// Ends the row, if it has any cell.
    pub(super) fn end_row(&mut self) {
        if self.row.is_empty() {
            return;
        }
        self.rows.push(std::mem::take(&mut self.row));
        self.headings.push(self.is_heading);
        self.hanging.append(&mut self.next);
    }

    /// Ends a part of the table: what hangs into the next one is cut off.
    pub(super) fn end_part(&mut self) {
        self.end_row();
        self.hanging.clear();
    }

    /// The table, if it has cells.
    pub(super) fn grid(mut self, span: Span) -> Result<Option<Grid>, Problem> {
        self.end_row();
        if let Some(at) = self.too_many {
            return Err(super::too_many_cells(at));
        }
        let n_headings = self.headings.iter().take_while(|heading| **heading).count();
        // A table all of whose cells are headings has one row of them.
        let n_headings = if n_headings == self.rows.len() {
            n_headings.min(1)
        } else {
            n_headings
        };
        let row = |row: Vec<Option<Cell>>| -> Vec<Cell> {
            let mut at = span;
            let cell = |cell: Option<Cell>| {
                let cell = cell.unwrap_or_else(|| Cell::empty(Span::new(at.file, at.end, at.end)));
                at = cell.span;
                cell
            };
            row.into_iter().map(cell).collect()
        };
        let rows: Vec<Vec<Cell>> = self.rows.into_iter().map(row).collect();
        Ok((!rows.is_empty()).then(|| Grid::padded(rows, n_headings, span)))
    }
}
