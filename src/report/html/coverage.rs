//! The rows and the openings one by one: what each row came to, what each opening rests on.

use std::collections::BTreeSet;
use std::io;

use super::text::{anchor, escaped, list, place, prose};
use super::{MAX_SHOWN, write_rest};
use crate::finding::{Coverage, CoveredHost, CoveredOpening, CoveredRow, Ground, Standing};
use crate::source::SourceMap;

/// How many hosts, packets and rows a cell names.
const MAX_ITEMS: usize = 12;

pub(super) fn write(sources: &SourceMap, coverage: &Coverage, out: &mut dyn io::Write) -> io::Result<()> {
    writeln!(
        out,
        "<section id=\"rows\">\n<h2>Rows</h2>\n<table>\n<thead><tr><th scope=\"col\">Row</th><th scope=\"col\">What</th><th scope=\"col\">State</th><th scope=\"col\">Hosts</th><th scope=\"col\">Source</th></tr></thead>\n<tbody>"
    )?;
    for row in coverage.rows.iter().take(MAX_SHOWN) {
        write_row(row, out)?;
    }
    writeln!(out, "</tbody></table>")?;
    write_rest(coverage.rows.len(), "rows", out)?;
    writeln!(
        out,
        "</section>\n<section id=\"openings\">\n<h2>Openings</h2>\n<table>\n<thead><tr><th scope=\"col\">Host</th><th scope=\"col\">Packets</th><th scope=\"col\">Rests on</th><th scope=\"col\">Rule</th></tr></thead>\n<tbody>"
    )?;
    for opening in coverage.openings.iter().take(MAX_SHOWN) {
        write_opening(sources, opening, out)?;
    }
    writeln!(out, "</tbody></table>")?;
    write_rest(coverage.openings.len(), "openings", out)?;
    writeln!(out, "</section>")
}

fn write_row(row: &CoveredRow, out: &mut dyn io::Write) -> io::Result<()> {
    let word = row.standing.word(row.kind);
    let why = row.why.as_ref().map(|why| format!(": {}", prose(why)));
    let hosts: Vec<String> = row
        .hosts
        .iter()
        .map(|host| {
            let word = host.standing.word(row.kind);
            let parts = parts(row, host);
            let parts = if parts.is_empty() {
                parts
            } else {
                format!(": {parts}")
            };
            format!("{} ({}) {word}{parts}", escaped(&host.name), host.direction)
        })
        .chain(
            row.unbound
                .iter()
                .map(|role| format!("no config for {}", escaped(role))),
        )
        .collect();
    let owner = row.owner.iter().map(|owner| format!("owner {}", escaped(owner)));
    let source = std::iter::once(escaped(&row.document)).chain(owner);
    let source: Vec<String> = source.chain(row.tags.iter().map(|tag| escaped(tag))).collect();
    writeln!(
        out,
        "<tr id=\"{}\"><th scope=\"row\"><code>{}</code></th><td>{} {} → {} : {}<br>{}</td><td><span class=\"mark {}\">{word}</span>{}</td><td>{}</td><td>{}</td></tr>",
        anchor("row", &row.id),
        escaped(&row.id),
        row.kind,
        escaped(&row.from.join(", ")),
        escaped(&row.to.join(", ")),
        escaped(&row.services.join(", ")),
        prose(&row.purpose),
        super::matrix::class(row.standing),
        why.unwrap_or_default(),
        if hosts.is_empty() {
            String::new()
        } else {
            list(&hosts, MAX_ITEMS)
        },
        source.join("; ")
    )
}

/// What became of a row's connections at a host, where it is not the same of all.
fn parts(row: &CoveredRow, host: &CoveredHost) -> String {
    let standings: BTreeSet<Standing> = host.cells.iter().map(|cell| cell.standing).collect();
    if standings.len() < 2 {
        return String::new();
    }
    let mut parts: Vec<String> = Vec::new();
    for cell in host
        .cells
        .iter()
        .filter(|cell| cell.standing > Standing::Verified)
    {
        let (from, to, service) = row.connection(cell);
        let word = cell.standing.word(row.kind);
        parts.push(escaped(&format!("{from} → {to} : {service} {word}")));
    }
    let n_more = parts.len().saturating_sub(MAX_ITEMS);
    parts.truncate(MAX_ITEMS);
    if n_more > 0 {
        parts.push(format!("and {n_more} more"));
    }
    parts.join("; ")
}

fn write_opening(sources: &SourceMap, opening: &CoveredOpening, out: &mut dyn io::Write) -> io::Result<()> {
    let packets: Vec<String> = opening.packets.iter().map(|line| prose(line)).collect();
    let mut grounds: Vec<String> = opening
        .rows
        .iter()
        .map(|id| {
            format!(
                "<a href=\"#{}\"><code>{}</code></a>",
                anchor("row", id),
                escaped(id)
            )
        })
        .collect();
    match opening.ground {
        Ground::Justified => {}
        Ground::Unjustified(code, _) => grounds.insert(
            0,
            format!(
                "<span class=\"mark excess\">{}</span> <code>{}</code>",
                opening.ground.word(),
                code.id()
            ),
        ),
        Ground::Unjudged => grounds.push(opening.ground.word().to_owned()),
    }
    writeln!(
        out,
        "<tr><th scope=\"row\">{} ({})</th><td>{}</td><td>{}</td><td>{}</td></tr>",
        escaped(&opening.host),
        opening.direction,
        list(&packets, MAX_ITEMS),
        if grounds.is_empty() {
            String::new()
        } else {
            list(&grounds, MAX_ITEMS)
        },
        opening.span.map(|span| place(sources, span)).unwrap_or_default()
    )
}
