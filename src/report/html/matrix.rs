//! The matrix: of each role, which peers may use which of its services, as the rows ask and as it is.
//!
//! One table a role, a line a service, a column a peer. INVARIANT: a cell shows the worst of what its rows and openings come to,
//! in a word and not by colour alone; what no row speaks of and no zone holds has a column of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use super::super::Report;
use super::text::{anchor, escaped, list, place, prose};
use crate::finding::{Certainty, Code, Coverage, CoveredHost, CoveredOpening, CoveredRow, Ground, Standing};
use crate::source::SourceMap;

/// How many rows, hosts and openings a cell names.
const MAX_ITEMS: usize = 20;
/// The column of peers who are in no zone: pods, members of groups.
const OTHERS: &str = "others";

/// What a cell comes to, better ones first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    Inactive,
    Allowed,
    Kept,
    Open,
    Required,
    Unchecked,
    Perhaps,
    Partly,
    Missing,
    Excess,
    Forbidden,
}

impl State {
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Inactive => ("not in force", "unchecked"),
            Self::Allowed => ("allowed", "kept"),
            Self::Kept => ("forbidden, closed", "kept"),
            Self::Open => ("allowed, open", "open"),
            Self::Required => ("required, open", "ok"),
            Self::Unchecked => ("unchecked", "unchecked"),
            Self::Perhaps => ("possibly wrong", "perhaps"),
            Self::Partly => ("partly missing", "perhaps"),
            Self::Missing => ("missing", "missing"),
            Self::Excess => ("excess", "excess"),
            Self::Forbidden => ("forbidden, open", "excess"),
        }
    }
}

/// The class of what a row came to.
pub(super) fn class(standing: Standing) -> &'static str {
    match standing {
        Standing::Verified => "ok",
        Standing::Permitted => "open",
        Standing::Inactive | Standing::Unasked | Standing::Unchecked => "unchecked",
        Standing::Possibly | Standing::Partly => "perhaps",
        Standing::Broken => "missing",
    }
}

#[derive(Default)]
struct Cell {
    states: BTreeSet<State>,
    /// What stands in it, once each.
    items: Vec<String>,
}

/// Cells by service, then peer.
type Table = BTreeMap<Line, BTreeMap<String, Cell>>;

/// A service, in the order of a port table: by protocol, then by number.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Line {
    protocol: String,
    number: Option<u32>,
    service: String,
}

impl Line {
    fn of(service: &str) -> Self {
        let (protocol, rest) = service.split_once('/').unwrap_or((service, ""));
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        Self {
            protocol: protocol.to_owned(),
            number: digits.parse().ok(),
            service: service.to_owned(),
        }
    }
}

pub(super) fn write(report: &Report<'_>, coverage: &Coverage, out: &mut dyn io::Write) -> io::Result<()> {
    writeln!(
        out,
        "<section id=\"matrix\">\n<h2>Roles and peers</h2>\n<p>Who may open connections to the hosts of each role, as the rows ask and as it is. A cell opens to its rows and rules.</p>"
    )?;
    let zones = coverage.openings.iter().flat_map(|opening| &opening.zones);
    let zones: BTreeSet<&str> = zones.map(String::as_str).collect();
    for (role, hosts) in &coverage.roles {
        let hosts: BTreeSet<&str> = hosts.iter().map(String::as_str).collect();
        let mut table = Table::new();
        for row in coverage.rows.iter().filter(|row| speaks_of(row, role)) {
            add_row(&mut table, row, &hosts, coverage);
        }
        let ours =
            |opening: &&CoveredOpening| opening.direction == "in" && hosts.contains(opening.host.as_str());
        for opening in coverage.openings.iter().filter(ours) {
            add_opening(&mut table, (report.sources, coverage, &zones), opening, role);
        }
        write_table(role, &hosts, &table, out)?;
    }
    writeln!(out, "</section>")
}

/// Whether a row is about what hosts of a role accept. One that allows or forbids to the hosts of all roles, as most of `common` do,
/// stands in a cell only where something rests on it, or breaks it.
fn speaks_of(row: &CoveredRow, role: &str) -> bool {
    let is_to = row.to.iter().any(|to| to == role);
    let is_to_all = row.to.iter().any(|to| to == "*");
    let says_something = match row.kind {
        "allow" => row.n_openings > 0,
        "forbid" => row.standing > Standing::Verified,
        _ => true,
    };
    is_to || (is_to_all && says_something)
}

fn add_row(table: &mut Table, row: &CoveredRow, hosts: &BTreeSet<&str>, coverage: &Coverage) {
    let is_ours = |host: &&CoveredHost| host.direction == "in" && hosts.contains(host.name.as_str());
    let held: Vec<_> = row.hosts.iter().filter(is_ours).collect();
    let worst = held.iter().map(|host| host.standing).max();
    let is_open = || {
        let mut openings = coverage.openings.iter();
        openings.any(|opening| hosts.contains(opening.host.as_str()) && opening.rows.contains(&row.id))
    };
    let state = match (row.kind, worst.unwrap_or(row.standing)) {
        (_, Standing::Inactive) => State::Inactive,
        ("allow", _) if is_open() => State::Open,
        ("allow", _) => State::Allowed,
        ("forbid", Standing::Verified) => State::Kept,
        ("forbid", Standing::Broken | Standing::Partly) => State::Forbidden,
        (_, Standing::Verified) => State::Required,
        (_, Standing::Possibly) => State::Perhaps,
        (_, Standing::Partly) => State::Partly,
        (_, Standing::Broken) => State::Missing,
        (_, Standing::Permitted | Standing::Unasked | Standing::Unchecked) => State::Unchecked,
    };
    let id = &row.id;
    let mut item = format!(
        "row <a href=\"#{}\"><code>{}</code></a> {} {}",
        anchor("row", id),
        escaped(id),
        row.kind,
        prose(&row.purpose)
    );
    let hosts: Vec<String> = held
        .iter()
        .map(|host| format!("{}: {}", escaped(&host.name), host.standing.word(row.kind)))
        .collect();
    if !hosts.is_empty() {
        item.push_str(&list(&hosts, MAX_ITEMS));
    }
    for service in &row.services {
        for peer in &row.from {
            cell(table, service, peer).add(state, &item);
        }
    }
}

fn add_opening(
    table: &mut Table,
    (sources, coverage, zones): (&SourceMap, &Coverage, &BTreeSet<&str>),
    opening: &CoveredOpening,
    role: &str,
) {
    let at = opening.span.map(|span| place(sources, span)).unwrap_or_default();
    let packets = list(
        &opening.packets.iter().map(|line| prose(line)).collect::<Vec<_>>(),
        MAX_ITEMS,
    );
    let item = format!("opening at {}: {at}{packets}", escaped(&opening.host));
    // Who is no zone (a role, a name, anybody) may be in one.
    let is_from = |peer: &str| {
        opening.zones.is_empty() || !zones.contains(peer) || opening.zones.iter().any(|zone| zone == peer)
    };
    // In the cells of the rows that it rests on, which say what it is there for.
    let rows = coverage.rows.iter().filter(|row| opening.rows.contains(&row.id));
    for row in rows.filter(|row| speaks_of(row, role)) {
        for service in &row.services {
            for peer in row.from.iter().filter(|peer| is_from(peer)) {
                cell(table, service, peer).items.push(item.clone());
            }
        }
    }
    let state = match opening.ground {
        Ground::Unjustified(Code::ForbiddenOpening, _) => State::Forbidden,
        Ground::Unjustified(_, Certainty::Surely) => State::Excess,
        Ground::Unjustified(_, Certainty::Possibly) => State::Perhaps,
        Ground::Justified | Ground::Unjudged => return,
    };
    let others = [OTHERS.to_owned()];
    let peers = if opening.excess_zones.is_empty() {
        &others[..]
    } else {
        opening.excess_zones.as_slice()
    };
    for service in &opening.excess_services {
        for peer in peers {
            cell(table, service, peer).add(state, &item);
        }
    }
}

fn cell<'t>(table: &'t mut Table, service: &str, peer: &str) -> &'t mut Cell {
    let line = table.entry(Line::of(service)).or_default();
    line.entry(peer.to_owned()).or_default()
}

impl Cell {
    fn add(&mut self, state: State, item: &str) {
        self.states.insert(state);
        self.items.push(item.to_owned());
    }
}

fn write_table(role: &str, hosts: &BTreeSet<&str>, table: &Table, out: &mut dyn io::Write) -> io::Result<()> {
    let names: Vec<&str> = hosts.iter().take(MAX_ITEMS).copied().collect();
    let more = hosts.len().saturating_sub(MAX_ITEMS);
    let and_more = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    writeln!(
        out,
        "<table class=\"matrix\">\n<caption><b>{}</b>: {}{and_more}</caption>",
        escaped(role),
        escaped(&names.join(", "))
    )?;
    let peers: BTreeSet<&str> = table
        .values()
        .flat_map(BTreeMap::keys)
        .map(String::as_str)
        .collect();
    write!(out, "<thead><tr><th scope=\"col\">Service</th>")?;
    for peer in &peers {
        write!(out, "<th scope=\"col\">from {}</th>", escaped(peer))?;
    }
    writeln!(out, "</tr></thead>\n<tbody>")?;
    for (service, line) in table {
        write!(out, "<tr><th scope=\"row\">{}</th>", escaped(&service.service))?;
        for peer in &peers {
            match line.get(*peer) {
                Some(cell) => write_cell(cell, out)?,
                None => write!(out, "<td></td>")?,
            }
        }
        writeln!(out, "</tr>")?;
    }
    writeln!(out, "</tbody></table>")
}

fn write_cell(cell: &Cell, out: &mut dyn io::Write) -> io::Result<()> {
    let (word, class) = cell.states.last().map_or(("open", "open"), |state| state.words());
    let mut items = cell.items.clone();
    let mut seen = BTreeSet::new();
    items.retain(|item| seen.insert(item.clone()));
    write!(
        out,
        "<td class=\"{class}\"><details><summary>{word}</summary>{}</details></td>",
        list(&items, MAX_ITEMS)
    )
}
