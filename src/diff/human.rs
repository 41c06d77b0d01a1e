//! Differences as lines: `+` what is open now, `-` what no longer is, `?` what depends on something that is not known.

use std::io;

use super::{Diff, Line, Place, RowDiff, called, fate, requirement, summary, uncompared, way};
use crate::finding::Certainty;

pub(super) fn write(diff: &Diff, out: &mut dyn io::Write) -> io::Result<()> {
    for host in &diff.hosts {
        let (name, state) = called(host);
        let state = match state {
            "" => String::new(),
            state => format!(" ({state})"),
        };
        writeln!(out, "{name}{state}")?;
        if host.changes.is_empty() {
            writeln!(out, "  nothing is open to new connections from elsewhere")?;
        }
        for line in &host.changes {
            for packets in &line.packets {
                writeln!(
                    out,
                    "  {} {}{packets}{}",
                    sign(line),
                    way(line.direction),
                    remark(line)
                )?;
            }
        }
        writeln!(out)?;
    }
    for (title, entries) in [("breaks", &diff.broken), ("mends", &diff.mended)] {
        for RowDiff { host, of } in entries {
            let possibly = match of.certainty {
                Certainty::Surely => "",
                Certainty::Possibly => "possibly ",
            };
            writeln!(out, "{possibly}{title} {} on {host}", requirement(of))?;
        }
    }
    if !diff.broken.is_empty() || !diff.mended.is_empty() {
        writeln!(out)?;
    }
    for why in uncompared(diff) {
        writeln!(out, "not compared: {why}")?;
    }
    writeln!(out, "{}", summary(diff))
}

fn sign(line: &Line) -> char {
    match line.opens().filter(|_| line.is_sure()) {
        Some(true) => '+',
        Some(false) => '-',
        None => '?',
    }
}

/// What is not said by the sign, and the places that decide.
fn remark(line: &Line) -> String {
    let fates = if line.is_sure() {
        String::new()
    } else if line.before == line.after {
        " (possibly open for other reasons)".to_owned()
    } else {
        format!(" (was {}, is {})", fate(line.before), fate(line.after))
    };
    let place = |state: &str, place: &Option<Place>| {
        let place = place.as_ref();
        place.map(|place| format!("{state} {place} {}", place.message))
    };
    let places: Vec<String> = [place("was", &line.old), place("is", &line.new)]
        .into_iter()
        .flatten()
        .collect();
    if places.is_empty() {
        return fates;
    }
    format!("{fates}  # {}", places.join(", "))
}
