//! Differences as Markdown, to be posted as a comment on a pull request.
//!
//! INVARIANT: whatever a text holds, it stays in its cell: nothing of it is markup.

use std::io;

use super::{Diff, HostDiff, Line, RowDiff, called, fate, requirement, summary, uncompared, way};
use crate::finding::Certainty;
use crate::report::cell;

/// Rows of the table before the rest is only counted: a comment has at most 65,536 characters.
const MAX_ROWS: usize = 100;

pub(super) fn write(diff: &Diff, out: &mut dyn io::Write) -> io::Result<()> {
    writeln!(out, "### Openings\n\n{}\n", summary(diff))?;
    let rows: Vec<String> = diff.hosts.iter().flat_map(rows).collect();
    if !rows.is_empty() {
        writeln!(out, "| | Host | Packets | Before | Now |")?;
        writeln!(out, "|{}", " --- |".repeat(5))?;
        for row in rows.iter().take(MAX_ROWS) {
            writeln!(out, "{row}")?;
        }
        match rows.len().checked_sub(MAX_ROWS).filter(|more| *more > 0) {
            Some(more) => writeln!(out, "\nand {more} more\n")?,
            None => writeln!(out)?,
        }
    }
    for (title, entries) in [("Breaks", &diff.broken), ("Mends", &diff.mended)] {
        if entries.is_empty() {
            continue;
        }
        writeln!(out, "**{title}**\n")?;
        for RowDiff { host, of } in entries.iter().take(MAX_ROWS) {
            let possibly = match of.certainty {
                Certainty::Surely => "",
                Certainty::Possibly => "possibly ",
            };
            writeln!(out, "- {possibly}{} on {}", cell(&requirement(of)), cell(host))?;
        }
        match entries.len().checked_sub(MAX_ROWS).filter(|more| *more > 0) {
            Some(more) => writeln!(out, "- and {more} more\n")?,
            None => writeln!(out)?,
        }
    }
    for why in uncompared(diff) {
        writeln!(out, "- not compared: {}", cell(why))?;
    }
    for failure in &diff.failures {
        writeln!(out, "- **failed**: {}", cell(failure))?;
    }
    Ok(())
}

fn rows(host: &HostDiff) -> Vec<String> {
    let (name, state) = called(host);
    let name = match state {
        "" => cell(name),
        state => format!("{} ({state})", cell(name)),
    };
    if host.changes.is_empty() {
        return vec![format!("| | {name} | nothing is open | | |")];
    }
    let row = |line: &Line| {
        let packets: Vec<String> = line.packets.iter().map(|packets| cell(packets)).collect();
        let sign = match line.opens().filter(|_| line.is_sure()) {
            Some(true) => "added",
            Some(false) => "taken away",
            None => "possibly",
        };
        let place = |place: &Option<super::Place>| {
            let place = place.as_ref();
            place.map_or(String::new(), |place| format!(", {}", cell(&place.to_string())))
        };
        format!(
            "| {sign} | {name} | {}{} | {}{} | {}{} |",
            way(line.direction),
            packets.join("<br>"),
            fate(line.before),
            place(&line.old),
            fate(line.after),
            place(&line.new),
        )
    };
    host.changes.iter().map(row).collect()
}
