//! Lines for people, rows for tables.

use std::io::{self, Write};

use super::{Connections, party_kind, party_words, service_list};
use crate::dialect::kubernetes::Connection;

/// A paragraph a cluster: its connections, and behind them what pods that nobody has made yet would be let through.
pub(super) fn write(clusters: &[Connections], out: &mut dyn Write) -> io::Result<()> {
    for (at, cluster) in clusters.iter().enumerate() {
        if at > 0 {
            writeln!(out)?;
        }
        if clusters.len() > 1 {
            writeln!(out, "{}", cluster.name)?;
        }
        if cluster.between.is_empty() {
            writeln!(out, "nobody may open connections to anybody")?;
        }
        lines(&cluster.between, out)?;
        if !cluster.exposure.is_empty() {
            writeln!(out, "\nwith pods that are not there yet:")?;
            lines(&cluster.exposure, out)?;
        }
    }
    Ok(())
}

fn lines(connections: &[Connection], out: &mut dyn Write) -> io::Result<()> {
    for one in connections {
        let (from, to) = (party_words(&one.from), party_words(&one.to));
        let services = service_list(&one.services).join(", ");
        let doubt = if one.is_sure { "" } else { " (possibly)" };
        writeln!(out, "{from} -> {to}: {services}{doubt}")?;
    }
    Ok(())
}

/// RFC 4180, with a header; lines end as in the other formats.
pub(super) fn write_csv(clusters: &[Connections], out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "cluster,from,from_kind,to,to_kind,services,certainty,peers")?;
    for cluster in clusters {
        let all = [(&cluster.between, "there"), (&cluster.exposure, "possible")];
        for (one, peers) in all
            .into_iter()
            .flat_map(|(all, peers)| all.iter().map(move |one| (one, peers)))
        {
            let certainty = if one.is_sure { "surely" } else { "possibly" };
            let cells = [
                cluster.name.clone(),
                party_words(&one.from),
                party_kind(&one.from).to_owned(),
                party_words(&one.to),
                party_kind(&one.to).to_owned(),
                service_list(&one.services).join(" "),
                certainty.to_owned(),
                peers.to_owned(),
            ];
            writeln!(out, "{}", cells.map(|cell| quoted(&cell)).join(","))?;
        }
    }
    Ok(())
}

fn quoted(cell: &str) -> String {
    if cell.contains([',', '"', '\r', '\n']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_owned()
    }
}
