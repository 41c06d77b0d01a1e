//! The walk over a document: its tables in order, each under its heading; its prose if it has no table of ports.

use super::cell::{name, peer};
use super::column::Column;
use super::document::{Block, Cell, Document, Grid};
use super::heading::Columns;
use super::outline::Outline;
use super::prose;
use super::requirement::{Entry, Note};
use super::table::{self, Refusal, Setting};

/// What a document comes to.
pub(super) fn outline(document: &Document) -> Outline {
    let mut outline = Outline::default();
    let tables = || {
        document.blocks.iter().filter_map(|block| match block {
            Block::Table(grid) => Some(grid),
            _ => None,
        })
    };
    let known = known_roles(tables());
    let mut walk = Walk {
        outline: &mut outline,
        known,
        headings: Vec::new(),
        section: None,
        n_rows: 0,
        table_first: true,
    };
    let mut has_table = false;
    for block in &document.blocks {
        match block {
            Block::Heading { level, text } => walk.heading(*level, &text.value),
            Block::Paragraph(_) => {}
            Block::Table(grid) => has_table |= walk.table(grid),
        }
    }
    if !has_table {
        let blocks: Vec<&Block> = document.blocks.iter().collect();
        prose::add(&mut outline, &blocks);
    }
    outline
}

/// The names that the tables of ports give to their hosts and components.
fn known_roles<'a>(grids: impl Iterator<Item = &'a Grid>) -> Vec<String> {
    let mut known: Vec<String> = Vec::new();
    for grid in grids {
        let Some(columns) = Columns::of(grid) else {
            continue;
        };
        for row in grid.rows.iter().skip(columns.n_headings) {
            let hosts = columns
                .cell(row, Column::Hosts)
                .map(Cell::text)
                .unwrap_or_default();
            known.extend(peer::parts_of(&hosts).into_iter().filter_map(name::role));
            let component = columns.cell(row, Column::Component).map(Cell::text);
            known.extend(component.and_then(|text| name::short(&text, 4)));
        }
    }
    known.sort();
    known.dedup();
    known
}

/// The walk over a document's tables.
struct Walk<'a> {
    outline: &'a mut Outline,
    known: Vec<String>,
    /// The headings that are open, each with its level.
    headings: Vec<(u8, String)>,
    /// The heading that was written last.
    section: Option<String>,
    /// Rows under it so far.
    n_rows: usize,
    table_first: bool,
}

impl Walk<'_> {
    fn heading(&mut self, level: u8, text: &str) {
        self.headings.retain(|open| open.0 < level);
        self.headings.push((level, text.to_owned()));
    }

    /// Adds the rows of a table. Says whether it is one of ports.
    fn table(&mut self, grid: &Grid) -> bool {
        let Some(columns) = Columns::of(grid) else {
            self.skip(grid);
            return false;
        };
        // The document's own title is its source; headings below it are sections.
        let below = self.headings.iter().skip(1).next_back();
        let section = below.map(|open| open.1.clone());
        if self.section != section || self.table_first {
            self.n_rows = 0;
            self.table_first = false;
            if let Some(section) = &section {
                self.outline.entries.push(Entry::Section(section.clone()));
            }
            self.section.clone_from(&section);
        }
        self.unread_columns(grid, &columns);
        let mut section = section;
        for row in grid.rows.iter().skip(columns.n_headings) {
            if let Some(heading) = heading_of_all(row) {
                self.outline.entries.push(Entry::Section(heading.clone()));
                self.section = Some(heading.clone());
                section = Some(heading);
                self.n_rows = 0;
                continue;
            }
            if row.iter().all(|cell| cell.lines.is_empty()) {
                continue;
            }
            self.n_rows += 1;
            let setting = Setting {
                columns: &columns,
                section: section
                    .as_deref()
                    .or(self.headings.last().map(|open| open.1.as_str())),
                inbound: inbound(&self.headings, section.as_deref()),
                known: &self.known,
            };
            if let Err(refusal) = table::add(self.outline, &setting, row, self.n_rows) {
                let note = self.left(row, refusal);
                self.outline.entries.push(Entry::Left(note));
            }
        }
        true
    }

    fn left(&self, row: &[Cell], refusal: Refusal) -> Note {
        let section = self
            .section
            .as_ref()
            .map_or(String::new(), |section| format!("{section}, "));
        let column = if refusal.column.is_empty() {
            String::new()
        } else {
            format!(", column {}", refusal.column)
        };
        let texts: Vec<String> = row.iter().map(Cell::text).collect();
        Note {
            place: format!("{section}row {}{column}", self.n_rows),
            message: refusal.reason,
            text: texts.join(" | "),
            span: refusal.span,
        }
    }

    fn skip(&mut self, grid: &Grid) {
        let titles: Vec<String> = grid
            .rows
            .first()
            .map_or(Vec::new(), |row| row.iter().map(Cell::text).collect());
        let n_rows = grid.rows.len().saturating_sub(grid.n_headings.max(1));
        self.outline.entries.push(Entry::Skipped(Note {
            place: format!("the table {}", titles.join(" | ")),
            message: format!("no column is of ports; rows in it: {n_rows}"),
            text: String::new(),
            span: grid.span,
        }));
    }

    fn unread_columns(&mut self, grid: &Grid, columns: &Columns) {
        let title = |at: &usize| columns.titles.get(*at).cloned().unwrap_or_default();
        let notes = columns
            .unknown
            .iter()
            .map(|at| (at, "nothing tells what it is about".to_owned()));
        let guessed = columns.guessed.iter().map(|at| {
            let kind = columns.kinds.get(*at).map_or("", |kind| kind.what());
            (
                at,
                format!("by its contents, it is taken for one of each row's {kind}"),
            )
        });
        for (at, message) in notes.chain(guessed) {
            let note = Note {
                place: format!("the column {}", title(at)),
                message,
                text: String::new(),
                span: grid.span,
            };
            self.outline.entries.push(Entry::Skipped(note));
        }
    }
}

/// The text of a row that is one cell.
fn heading_of_all(row: &[Cell]) -> Option<String> {
    let first = row
        .first()
        .filter(|first| row.len() > 1 && !first.lines.is_empty())?;
    row.iter().all(|cell| cell == first).then(|| first.text())
}

/// What headings say of the direction: the innermost that says anything.
fn inbound(headings: &[(u8, String)], section: Option<&str>) -> Option<bool> {
    let texts = section
        .into_iter()
        .chain(headings.iter().rev().map(|open| open.1.as_str()));
    texts.map(str::to_lowercase).find_map(|text| {
        let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
        match (
            says(&["inbound", "ingress", "incoming"]),
            says(&["outbound", "egress", "outgoing"]),
        ) {
            (true, false) => Some(true),
            (false, true) => Some(false),
            _ => None,
        }
    })
}
