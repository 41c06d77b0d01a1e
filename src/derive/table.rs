//! Rows of a table to requirements.
//!
//! INVARIANT: each row becomes requirements or is left with the cell that stands in the way; what is not said outright is
//! among the guesses.

use super::cell::condition::{self, Conditions};
use super::cell::name;
use super::cell::port::{self, Ports};
use super::column::{Column, direction};
use super::document::Cell;
use super::heading::Columns;
use super::outline::Outline;
use super::requirement::{Definition, Ends, Requirement};
use super::sides::Sides;
use crate::packet::protocol::has_ports;
use crate::source::Span;

/// What surrounds a row.
pub(super) struct Setting<'a> {
    pub(super) columns: &'a Columns,
    /// The heading that the table stands under.
    pub(super) section: Option<&'a str>,
    /// What the headings say of the direction, where no column does: `true` for inbound.
    pub(super) inbound: Option<bool>,
    /// Roles that the document's tables name.
    pub(super) known: &'a [String],
}

/// Why a row is no requirement: the heading of the cell, and what is wrong with it.
pub(super) struct Refusal {
    pub(super) column: String,
    pub(super) reason: String,
    pub(super) span: Span,
}

/// A row that is being read.
pub(super) struct Reader<'a> {
    pub(super) setting: &'a Setting<'a>,
    pub(super) row: &'a [Cell],
}

/// Adds what a row says to the outline.
pub(super) fn add(
    outline: &mut Outline,
    setting: &Setting<'_>,
    row: &[Cell],
    number: usize,
) -> Result<(), Refusal> {
    let reader = Reader { setting, row };
    let groups = reader.ports()?;
    let conditions = reader.conditions();
    let directions = reader.directions()?;
    let wish = reader.id();
    let Some(span) = row.iter().map(|cell| cell.span).reduce(Span::to) else {
        return Ok(());
    };
    let mut found = Vec::new();
    for inbound in directions {
        found.push((inbound, reader.sides(inbound)?));
    }
    for (inbound, sides) in found {
        for group in &groups {
            let wish = match (&group.guard, inbound) {
                (Some(guard), _) if guard.comparison == "<" => {
                    format!("{wish}-before-{}", guard.version.replace('.', "-"))
                }
                _ => wish.clone(),
            };
            let id = outline.free_id(&wish);
            let mut requirement = reader.requirement(outline, group, &conditions, (&sides, &id));
            // Between hosts of one kind, inbound and outbound say the same.
            if !inbound && requirement.from == requirement.to && outline.says(&requirement) {
                continue;
            }
            let guesses = [
                &sides.from.guesses,
                &sides.to.guesses,
                &group.guesses,
                &conditions.guesses,
            ];
            for guess in guesses.into_iter().flatten() {
                if !requirement.guesses.contains(guess) {
                    requirement.guesses.push(guess.clone());
                }
            }
            outline.add((number, span), requirement);
        }
    }
    Ok(())
}

impl Reader<'_> {
    pub(super) fn refusal(&self, cell: Option<&Cell>, column: Column, reason: String) -> Refusal {
        let titles = self
            .setting
            .columns
            .kinds
            .iter()
            .zip(&self.setting.columns.titles);
        let title = titles
            .into_iter()
            .find(|entry| *entry.0 == column)
            .map_or("", |entry| entry.1.as_str());
        let first = cell.or(self.row.first()).map(|cell| cell.span);
        Refusal {
            column: title.to_owned(),
            reason,
            span: first.unwrap_or_else(|| Span::new(crate::source::FileId(0), 0, 0)),
        }
    }

    pub(super) fn cell(&self, column: Column) -> Option<&Cell> {
        self.setting.columns.cell(self.row, column)
    }

    pub(super) fn text(&self, column: Column) -> String {
        self.cell(column).map(Cell::text).unwrap_or_default()
    }

    /// The services of all columns of ports.
    fn ports(&self) -> Result<Vec<Ports>, Refusal> {
        let mut protocols = Vec::new();
        if let Some(cell) = self.cell(Column::Protocol) {
            let text = cell.text();
            let any = ["any", "all", "-", "n/a", "*"].contains(&text.to_ascii_lowercase().as_str());
            match port::protocols(&text) {
                Some(found) => protocols = found,
                None if any => {}
                None => {
                    let reason = format!("`{text}` is no protocol");
                    return Err(self.refusal(Some(cell), Column::Protocol, reason));
                }
            }
        }
        let mut groups: Vec<Ports> = Vec::new();
        let mut last = None;
        for (cell, title) in self.setting.columns.cells(self.row, Column::Port) {
            last = Some(cell);
            if cell.lines.is_empty() {
                continue;
            }
            let title = title.to_ascii_lowercase();
            let of_title: &[u8] = match (title.starts_with("tcp port"), title.starts_with("udp port")) {
                (true, _) => &[6],
                (_, true) => &[17],
                _ => &protocols,
            };
            let lines: Vec<&str> = cell.lines.iter().map(|line| line.value.as_str()).collect();
            match port::read(&lines, of_title) {
                Ok(read) => groups.extend(read),
                Err(reason) => return Err(self.refusal(Some(cell), Column::Port, reason)),
            }
        }
        if groups.is_empty() {
            let portless: Vec<u8> = protocols.iter().copied().filter(|one| !has_ports(*one)).collect();
            let read = port::read(&["all"], &portless);
            return match read {
                Ok(read) if !portless.is_empty() => Ok(read),
                _ => Err(self.refusal(last, Column::Port, "there is no port".to_owned())),
            };
        }
        Ok(groups)
    }

    fn conditions(&self) -> Conditions {
        let comments = self.text(Column::Comments);
        let mut conditions = condition::read(&comments);
        if !self.setting.columns.has(Column::Purpose) {
            return conditions;
        }
        // Purposes hold conditions too, but what they say is the purpose.
        let more = condition::read(&self.text(Column::Purpose));
        conditions.features.extend(more.features);
        conditions.guards.extend(more.guards);
        conditions.optional |= more.optional;
        conditions.guesses.extend(more.guesses);
        conditions
    }

    fn directions(&self) -> Result<Vec<bool>, Refusal> {
        if let Some(cell) = self.cell(Column::Direction) {
            let read = direction(&cell.text());
            return read.ok_or_else(|| {
                let reason = format!("`{}` is no direction", cell.text());
                self.refusal(Some(cell), Column::Direction, reason)
            });
        }
        let columns = self.setting.columns;
        let only_destination =
            columns.has(Column::Destination) && !columns.has(Column::Source) && !columns.has(Column::Scope);
        Ok(vec![self.setting.inbound.unwrap_or(!only_destination)])
    }

    /// What the row's id is made of.
    fn id(&self) -> String {
        let named = |column| self.cell(column).and_then(|cell| name::short(&cell.text(), 4));
        let columns = [
            Column::Component,
            Column::Purpose,
            Column::Hosts,
            Column::Destination,
        ];
        let wish = columns.into_iter().find_map(named);
        wish.unwrap_or_else(|| "entry".to_owned())
    }

    fn requirement(
        &self,
        outline: &mut Outline,
        ports: &Ports,
        conditions: &Conditions,
        (sides, id): (&Sides, &str),
    ) -> Requirement {
        let meaning = name::quotable(&sides.meaning);
        let from: Ends = outline.ends(sides.from.clone(), id, &meaning);
        let to = outline.ends(sides.to.clone(), id, &meaning);
        let (services, one_of) = outline.services(ports, id);
        for (feature, sentence) in &conditions.features {
            let (name, meaning) = (feature.clone(), name::quotable(sentence));
            outline.define(Definition::Feature { name, meaning });
        }
        let mut features: Vec<String> = conditions.features.iter().map(|entry| entry.0.clone()).collect();
        features.dedup();
        Requirement {
            id: Some(id.to_owned()),
            optional: conditions.optional,
            from,
            to,
            services,
            one_of,
            features,
            guards: ports.guard.iter().chain(&conditions.guards).cloned().collect(),
            purpose: self.purpose(conditions),
            guesses: Vec::new(),
        }
    }

    fn purpose(&self, conditions: &Conditions) -> String {
        let purpose = self.text(Column::Purpose);
        if !purpose.is_empty() {
            return name::quotable(&purpose);
        }
        let rest = conditions.rest.join(". ");
        let component = self.text(Column::Component);
        name::quotable(if rest.is_empty() { &component } else { &rest })
    }
}
