//! A policy brought up to date with a new edition of its document, its edits kept.
//!
//! Nothing of the policy is taken away: new rows are added, rows that are gone or changed in the document get a comment for
//! whoever reviews the result, and the numbers of rows follow the document. INVARIANT: a row of the policy asks for the same
//! before and after.

use std::collections::BTreeMap;

use super::ast::{self, Fact, Peer, Service, Statement};
use super::diff::pairs;
use super::facts::{Stated, rows};
use super::format::format;
use super::print;
use crate::source::{Source, SourceMap};

/// What of a row an edition of a document can change.
const FIELDS: &[&str] = &["kind", "from", "to", "services", "condition"];

/// A change of the text: the bytes from the one offset to the other become something else.
type Edit = (usize, usize, String);

/// The text of `policy`, which is `source`'s only one, with what `new` has besides. `old` is what the edition before came to,
/// which tells what the vendor changed from what was edited since; without it, rows that differ are taken for edited ones.
/// `None` if the result is no policy, which only names that clash can bring about.
#[must_use]
pub fn update(
    source: Source<'_>,
    policy: &ast::Policy,
    old: Option<&ast::Policy>,
    new: (&ast::Policy, Source<'_>),
) -> Option<String> {
    let mine = rows(policy);
    let base = rows(old.unwrap_or(policy));
    let theirs = rows(new.0);
    let of_mine: BTreeMap<usize, usize> = if old.is_some() {
        pairs(&base, &mine).into_iter().collect()
    } else {
        (0..mine.len()).map(|at| (at, at)).collect()
    };
    let of_base = pairs(&base, &theirs);
    let mut edits: Vec<Edit> = Vec::new();
    for (at, row) in base.iter().enumerate() {
        let Some(mine) = of_mine.get(&at).and_then(|at| mine.get(*at)) else {
            continue;
        };
        let theirs = of_base
            .iter()
            .find(|pair| pair.0 == at)
            .and_then(|pair| theirs.get(pair.1));
        match theirs {
            None if mine.row.place.is_some() => edits.push(comment(
                mine,
                "gone from the document: remove the row if it is not needed",
            )),
            None => {}
            Some(theirs) => edits.extend(changed(mine, row, theirs, old.is_some())),
        }
    }
    let added: Vec<&Stated<'_>> = (theirs.iter().enumerate())
        .filter(|(at, _)| !of_base.iter().any(|pair| pair.1 == *at))
        .map(|(_, row)| row)
        .collect();
    edits.extend(additions(policy, &mine, &added, new));
    let text = applied(source.text, edits);
    let mut map = SourceMap::new();
    let file = map.add_text(source.name, text);
    format(map.source(file)).ok()
}

fn comment(row: &Stated<'_>, text: &str) -> Edit {
    let at = row.span.range().start;
    (at, at, format!("# {text}\n  "))
}

/// What a new edition says differently of a row: its place follows, all else is for review.
fn changed(mine: &Stated<'_>, old: &Stated<'_>, new: &Stated<'_>, is_sure: bool) -> Vec<Edit> {
    let mut edits = Vec::new();
    if let (Some(place), Some(number)) = (&mine.row.place, new.place.1)
        && place.value != number
    {
        // The span is the number's, or that of `row N`.
        edits.push((
            place.span.range().start,
            place.span.range().end,
            number.to_string(),
        ));
    }
    for field in FIELDS.iter().filter(|_| is_sure) {
        if old.field(field) != new.field(field) {
            let said = |text: &str| {
                if text.is_empty() {
                    "nothing".to_owned()
                } else {
                    format!("`{text}`")
                }
            };
            let text = format!(
                "changed in the document: {field}: {} is now {}",
                said(old.field(field)),
                said(new.field(field))
            );
            edits.push(comment(mine, &text));
        }
    }
    edits
}

/// The new rows with the names that they need, each behind the last row of its section.
fn additions(
    policy: &ast::Policy,
    mine: &[Stated<'_>],
    added: &[&Stated<'_>],
    (new, source): (&ast::Policy, Source<'_>),
) -> Vec<Edit> {
    let mut edits = Vec::new();
    let last = policy
        .statements
        .last()
        .map_or(policy.brace.range().end, |last| last.span.range().end);
    let mut needed: Vec<String> = Vec::new();
    let mut section: Option<&str> = None;
    for row in added {
        for statement in definitions_for(row.row, new) {
            if !needed.contains(&statement) && !is_defined(policy, &statement) {
                needed.push(statement);
            }
        }
        let text = statement_text(row, mine, source);
        let home = mine.iter().rev().find(|known| known.place.0 == row.place.0);
        if let Some(home) = home {
            let at = home.span.range().end;
            edits.push((at, at, format!("\n  # new in the document: review\n  {text}")));
            continue;
        }
        let is_open = section == Some(row.place.0.as_str()) || row.place.0.is_empty();
        let heading = if is_open {
            String::new()
        } else {
            format!("\n\n  section {}", print::quoted(&row.place.0))
        };
        section = Some(&row.place.0);
        edits.push((
            last,
            last,
            format!("{heading}\n  # new in the document: review\n  {text}"),
        ));
    }
    let brace = policy.brace.range().end;
    if !needed.is_empty() {
        edits.push((brace, brace, format!("\n  {}\n", needed.join("\n  "))));
    }
    edits
}

/// A row as it is written, under an id that the policy has not yet.
fn statement_text(row: &Stated<'_>, mine: &[Stated<'_>], source: Source<'_>) -> String {
    let text = source.text.get(row.span.range()).unwrap_or("");
    let is_taken = mine.iter().any(|known| known.id == row.id);
    match &row.row.id {
        Some(id) if is_taken => {
            let at = id.span.range().end.saturating_sub(row.span.range().start);
            let (before, behind) = text.split_at_checked(at).unwrap_or((text, ""));
            format!("{before}-new{behind}")
        }
        _ => text.to_owned(),
    }
}

/// The statements that define the names of a row.
fn definitions_for(row: &ast::Row, policy: &ast::Policy) -> Vec<String> {
    let mut names: Vec<(&str, String)> = Vec::new();
    for peer in row.from.items.iter().chain(&row.to.items) {
        match &peer.value {
            Peer::Name(name) => names.push(("peer", name.clone())),
            Peer::Host(host) => {
                let inside = host.split(['<', '>']).enumerate().filter(|(at, _)| at % 2 == 1);
                names.extend(inside.map(|(_, name)| ("parameter", name.to_owned())));
            }
            _ => {}
        }
    }
    for service in &row.services.items {
        if let Service::Name(name) = &service.value {
            names.push(("service", name.clone()));
        }
    }
    for test in row.when.iter().flat_map(|when| when.any_of.iter().flatten()) {
        if let Fact::Feature(name) = &test.value.fact {
            names.push(("feature", name.clone()));
        }
    }
    let of = |wanted: &(&str, String)| {
        policy
            .statements
            .iter()
            .find_map(|one| defining(&one.value, wanted))
    };
    names.iter().filter_map(of).collect()
}

/// A statement that defines just this name, if this one defines it.
fn defining(statement: &Statement, (kind, wanted): &(&str, String)) -> Option<String> {
    let has = |names: &[crate::source::Spanned<String>]| names.iter().any(|name| name.value == *wanted);
    let meant = |meaning: &Option<crate::source::Spanned<String>>| {
        meaning.as_ref().map_or(String::new(), |meaning| {
            format!(" {}", print::quoted(&meaning.value))
        })
    };
    match statement {
        Statement::Role { names, .. } if *kind == "peer" && has(names) => Some(format!("role {wanted}")),
        Statement::Zone(names) if *kind == "peer" && has(names) => Some(format!("zone {wanted}")),
        Statement::Feature { name, meaning } if *kind == "feature" && name.value == *wanted => {
            Some(format!("feature {wanted}{}", meant(meaning)))
        }
        Statement::Parameter {
            name,
            kind: of,
            default,
            meaning,
        } if *kind == "parameter" && name.value == *wanted => {
            let of = of
                .as_ref()
                .map(|of| format!(": {}", print::parameter_kind(of.value)));
            let default = if default.is_empty() {
                String::new()
            } else {
                format!(" = {}", print::strings(default))
            };
            let of = of.unwrap_or_default();
            Some(format!("parameter {wanted}{of}{default}{}", meant(meaning)))
        }
        Statement::Service {
            name,
            value,
            configurable,
            within,
        } if *kind == "service" && name.value == *wanted => {
            let configurable = print::configurable(*configurable, within.as_ref());
            let text = format!("service {wanted} = {} {configurable}", print::services(value));
            Some(text.trim_end().to_owned())
        }
        _ => None,
    }
}

/// Whether the policy defines the name that a statement defines.
fn is_defined(policy: &ast::Policy, statement: &str) -> bool {
    let mut words = statement.split_whitespace();
    let (keyword, name) = (
        words.next().unwrap_or(""),
        words.next().unwrap_or("").trim_end_matches(':'),
    );
    let kind = if keyword == "role" || keyword == "zone" {
        "peer"
    } else {
        keyword
    };
    let wanted = (kind, name.to_owned());
    let is_alias = |statement: &Statement| matches!(statement, Statement::ZoneAlias { name: alias, .. } if alias.value == name);
    policy
        .statements
        .iter()
        .any(|one| defining(&one.value, &wanted).is_some() || (kind == "peer" && is_alias(&one.value)))
}

/// The text with all edits made; those at one place in their order.
fn applied(text: &str, mut edits: Vec<Edit>) -> String {
    edits.sort_by_key(|edit| edit.0);
    let mut result = String::new();
    let mut at = 0;
    for (from, to, new) in edits {
        result.push_str(text.get(at..from).unwrap_or(""));
        result.push_str(&new);
        at = to.max(at);
    }
    result.push_str(text.get(at..).unwrap_or(""));
    result
}
