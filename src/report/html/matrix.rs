//! The matrix: of each role, which peers may use which of its services and what it uses of theirs, as the rows ask and as it is.
//!
//! Two tables a role, one a way, and so of zones whose hosts a row means; a line a service, a column a peer. INVARIANT: a cell says
//! what it comes to in words, not by colour alone; what no row speaks of and no zone holds has a column of its own; a role that no
//! host has is there, unchecked.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use super::super::Report;
use super::cell::{Cell, MAX_ITEMS, Table};
use super::state::{Group, State, Way};
use super::text::{anchor, escaped, list};
use crate::finding::{Coverage, Standing};

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

pub(super) fn write(report: &Report<'_>, coverage: &Coverage, out: &mut dyn io::Write) -> io::Result<()> {
    writeln!(
        out,
        "<section id=\"matrix\">\n<h2>Roles and peers</h2>\n<p>Who may open connections to the hosts of each role, and to whom they do, as the rows ask and as it is. A cell is about one service and one peer, and opens to its rows and rules. Where the peer's end does not let it through, or was not checked, that is said behind it.</p>"
    )?;
    for (group, hosts) in groups(coverage) {
        let tables = [Way::In, Way::Out].map(|way| Table::of(report.sources, coverage, (group, &hosts), way));
        if tables.iter().all(|table| table.cells.is_empty()) {
            continue;
        }
        let name = group.title();
        writeln!(
            out,
            "<h3 id=\"{}\">{}</h3>\n<p>{}</p>",
            anchor("role", &name),
            escaped(&name),
            escaped(&names(&hosts))
        )?;
        for table in tables.iter().filter(|table| !table.cells.is_empty()) {
            write_table(&name, table, out)?;
        }
    }
    writeln!(out, "</section>")
}

/// The roles with their hosts, those that no host has among them; the zones whose hosts rows mean; hosts without a role.
fn groups(coverage: &Coverage) -> BTreeMap<Group<'_>, BTreeSet<&str>> {
    let mut groups: BTreeMap<Group<'_>, BTreeSet<&str>> = BTreeMap::new();
    for (role, hosts) in &coverage.roles {
        groups.insert(Group::Role(role), hosts.iter().map(String::as_str).collect());
    }
    for role in coverage.rows.iter().flat_map(|row| &row.unbound) {
        groups.entry(Group::Role(role)).or_default();
    }
    let with_role: BTreeSet<&str> = groups.values().flatten().copied().collect();
    for row in &coverage.rows {
        for host in &row.hosts {
            let name = host.name.as_str();
            if !with_role.contains(name) {
                groups.entry(Group::Others).or_default().insert(name);
            }
            for cell in &host.cells {
                let (from, to, _) = row.connection(cell);
                let end = if host.direction == "out" { from } else { to };
                if end != "*" && !groups.contains_key(&Group::Role(end)) {
                    groups.entry(Group::Zone(end)).or_default().insert(name);
                }
            }
        }
    }
    groups
}

/// The first hosts of a group, and how many more there are.
fn names(hosts: &BTreeSet<&str>) -> String {
    if hosts.is_empty() {
        return "No config is bound to it: nothing was checked at its end.".to_owned();
    }
    let names: Vec<&str> = hosts.iter().take(MAX_ITEMS).copied().collect();
    match hosts.len().saturating_sub(MAX_ITEMS) {
        0 => names.join(", "),
        more => format!("{} and {more} more", names.join(", ")),
    }
}

fn write_table(name: &str, table: &Table<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    let (title, before) = match table.way {
        Way::In => ("to", "from"),
        Way::Out => ("from", "to"),
    };
    let peers: BTreeSet<&str> = table
        .cells
        .values()
        .flat_map(BTreeMap::keys)
        .map(String::as_str)
        .collect();
    write!(
        out,
        "<table class=\"matrix\">\n<caption>Connections {title} <b>{}</b></caption>\n<thead><tr><th scope=\"col\">Service</th>",
        escaped(name)
    )?;
    for peer in &peers {
        write!(out, "<th scope=\"col\">{before} {}</th>", escaped(peer))?;
    }
    writeln!(out, "</tr></thead>\n<tbody>")?;
    for (line, cells) in &table.cells {
        write!(out, "<tr><th scope=\"row\">{}</th>", escaped(&line.service))?;
        for peer in &peers {
            match cells.get(*peer) {
                Some(cell) => write_cell(cell, table.way, out)?,
                None => write!(out, "<td></td>")?,
            }
        }
        writeln!(out, "</tr>")?;
    }
    writeln!(out, "</tbody></table>")
}

fn write_cell(cell: &Cell, way: Way, out: &mut dyn io::Write) -> io::Result<()> {
    let mut words = cell.own.words();
    if words.is_empty() {
        words.push("open".to_owned());
    }
    if cell.other.worst() > Some(State::Required) {
        let end = match way {
            Way::In => "sender",
            Way::Out => "receiver",
        };
        words.push(format!("<i>{end}:</i> {}", cell.other.words().join(", ")));
    }
    let (_, class) = cell.worst().words();
    let mut items = cell.items.clone();
    let mut seen = BTreeSet::new();
    items.retain(|item| seen.insert(item.clone()));
    write!(
        out,
        "<td class=\"{class}\"><details><summary>{}</summary>{}</details></td>",
        words.join("; "),
        list(&items, MAX_ITEMS)
    )
}
