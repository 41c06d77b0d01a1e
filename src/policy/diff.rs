//! Two policies compared by what they ask for, not by their text.
//!
//! Rows are matched by what stays when others change: id and services, place and services, id, place, at last services and
//! both sides. INVARIANT: no difference is said of two policies that ask for the same in the same words and places.

use std::fmt;

use super::ast;
use super::facts::{Stated, definitions, rows};

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Something that only the second policy has: a definition or a row.
    New(String),
    /// Something that only the first policy has.
    Gone(String),
    /// Something that both have and that says another thing.
    Changed {
        /// What it is: "row `bgp` (row 1)", "role `node`".
        what: String,
        /// The part of it that differs.
        part: &'static str,
        /// What the first policy says; empty if nothing.
        from: String,
        /// What the second says.
        to: String,
    },
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let said = |text: &str| {
            if text.is_empty() {
                "nothing".to_owned()
            } else {
                format!("`{text}`")
            }
        };
        match self {
            Self::New(what) => write!(f, "new: {what}"),
            Self::Gone(what) => write!(f, "gone: {what}"),
            Self::Changed { what, part, from, to } => {
                write!(f, "{what}: {part}: {} is now {}", said(from), said(to))
            }
        }
    }
}

/// What is different in `b`. Definitions come first, then rows in the order of `b`, then what is gone.
#[must_use]
pub fn diff(a: &ast::Policy, b: &ast::Policy) -> Vec<Change> {
    let mut changes = of_definitions(a, b);
    let (old, new) = (rows(a), rows(b));
    let pairs = pairs(&old, &new);
    for (at, row) in new.iter().enumerate() {
        match pairs
            .iter()
            .find(|pair| pair.1 == at)
            .and_then(|pair| old.get(pair.0))
        {
            Some(before) => of_rows(before, row, &mut changes),
            None => changes.push(Change::New(described(row))),
        }
    }
    let is_gone = |at: &usize| !pairs.iter().any(|pair| pair.0 == *at);
    let gone = (0..old.len()).filter(is_gone).filter_map(|at| old.get(at));
    changes.extend(gone.map(|row| Change::Gone(described(row))));
    changes
}

fn of_definitions(a: &ast::Policy, b: &ast::Policy) -> Vec<Change> {
    let (old, new) = (definitions(a), definitions(b));
    let mut changes = Vec::new();
    let name = |kind: &str, name: &str| {
        if name.is_empty() {
            kind.to_owned()
        } else {
            format!("{kind} `{name}`")
        }
    };
    for (kind, of, says) in &new {
        match old.iter().find(|known| known.0 == *kind && known.1 == *of) {
            None => changes.push(Change::New(name(kind, of))),
            Some(known) if known.2 != *says => changes.push(Change::Changed {
                what: name(kind, of),
                part: "text",
                from: known.2.clone(),
                to: says.clone(),
            }),
            Some(_) => {}
        }
    }
    let is_gone =
        |known: &&(&str, String, String)| !new.iter().any(|one| one.0 == known.0 && one.1 == known.1);
    changes.extend(
        old.iter()
            .filter(is_gone)
            .map(|known| Change::Gone(name(known.0, &known.1))),
    );
    changes
}

fn of_rows(before: &Stated<'_>, row: &Stated<'_>, changes: &mut Vec<Change>) {
    let place = row.place_text();
    let place = if place.is_empty() {
        place
    } else {
        format!(" ({place})")
    };
    let what = format!("row `{}`{place}", row.id);
    let mut change = |part, from: &str, to: &str| {
        if from != to {
            let (what, from, to) = (what.clone(), from.to_owned(), to.to_owned());
            changes.push(Change::Changed { what, part, from, to });
        }
    };
    change("id", &before.id, &row.id);
    change("place", &before.place_text(), &row.place_text());
    for (part, to) in &row.fields {
        change(part, before.field(part), to);
    }
}

fn described(row: &Stated<'_>) -> String {
    let place = row.place_text();
    let place = if place.is_empty() {
        place
    } else {
        format!(" ({place})")
    };
    let condition = row.field("condition");
    let condition = if condition.is_empty() {
        String::new()
    } else {
        format!(" {condition}")
    };
    format!(
        "row `{}`{place}: {} {} -> {} : {}{condition}",
        row.id,
        row.field("kind"),
        row.field("from"),
        row.field("to"),
        row.field("services"),
    )
}

/// Whether two rows are the same one, before and after.
type Same<'a> = &'a dyn Fn(&Stated<'_>, &Stated<'_>) -> bool;

/// Which row of the first is which of the second, by their numbers.
pub(super) fn pairs(old: &[Stated<'_>], new: &[Stated<'_>]) -> Vec<(usize, usize)> {
    let same_services = |a: &Stated<'_>, b: &Stated<'_>| {
        let bare = |row: &Stated<'_>| row.field("services").replace(" configurable", "");
        bare(a) == bare(b)
    };
    let same_place = |a: &Stated<'_>, b: &Stated<'_>| a.place == b.place && a.place.1.is_some();
    let same_sides =
        |a: &Stated<'_>, b: &Stated<'_>| a.field("from") == b.field("from") && a.field("to") == b.field("to");
    let same_purpose = |a: &Stated<'_>, b: &Stated<'_>| {
        !a.field("purpose").is_empty() && a.field("purpose") == b.field("purpose")
    };
    let rules: [Same<'_>; 5] = [
        &|a, b| a.id == b.id && same_services(a, b),
        &|a, b| same_place(a, b) && same_services(a, b),
        &|a, b| a.id == b.id,
        &|a, b| same_services(a, b) && same_sides(a, b),
        // Another row may have taken the place: something else must have stayed.
        &|a, b| same_place(a, b) && (same_sides(a, b) || same_purpose(a, b)),
    ];
    let mut pairs: Vec<(usize, usize)> = Vec::new();
    for same in rules {
        for (at, row) in new.iter().enumerate() {
            if pairs.iter().any(|pair| pair.1 == at) {
                continue;
            }
            let free = |known: &usize| !pairs.iter().any(|pair| pair.0 == *known);
            let found = (0..old.len())
                .filter(free)
                .find(|&known| old.get(known).is_some_and(|known| same(known, row)));
            pairs.extend(found.map(|known| (known, at)));
        }
    }
    pairs
}
