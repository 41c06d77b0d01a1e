//! Graphs for Graphviz and Mermaid: a node an end, an arrow a connection, broken where it is not sure.
//!
//! INVARIANT: names never reach a graph but between quotes, with what would end them replaced.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::{Connections, party_words, service_list};
use crate::dialect::kubernetes::{Connection, Party};

/// An arrow, with the numbers of its ends.
struct Arrow {
    from: usize,
    to: usize,
    words: String,
    is_sure: bool,
}

/// All ends by name, numbered in the order of their names, and the arrows between them.
fn graph(clusters: &[Connections]) -> (Vec<(String, bool)>, Vec<Arrow>) {
    let all = || {
        clusters.iter().flat_map(|cluster| {
            let prefix = if clusters.len() > 1 {
                format!("{}: ", cluster.name)
            } else {
                String::new()
            };
            let connections = cluster.between.iter().chain(&cluster.exposure);
            connections.map(move |one| (prefix.clone(), one))
        })
    };
    let mut numbers: BTreeMap<String, (usize, bool)> = BTreeMap::new();
    let name = |prefix: &str, party: &Party| format!("{prefix}{}", party_words(party));
    for (prefix, one) in all() {
        for party in [&one.from, &one.to] {
            let is_workload = matches!(party, Party::Workload(..));
            numbers.insert(name(&prefix, party), (0, is_workload));
        }
    }
    for (number, place) in numbers.values_mut().enumerate() {
        place.0 = number;
    }
    let number = |prefix: &str, party: &Party| numbers.get(&name(prefix, party)).map_or(0, |place| place.0);
    let arrow = |(prefix, one): (String, &Connection)| Arrow {
        from: number(&prefix, &one.from),
        to: number(&prefix, &one.to),
        words: service_list(&one.services).join(", "),
        is_sure: one.is_sure,
    };
    let arrows = all().map(arrow).collect();
    let nodes = numbers
        .into_iter()
        .map(|(name, (_, is_workload))| (name, is_workload));
    (nodes.collect(), arrows)
}

/// Graphviz, "The DOT Language": in quoted strings only `"` and `\` are special.
pub(super) fn dot(clusters: &[Connections], out: &mut dyn Write) -> io::Result<()> {
    let (nodes, arrows) = graph(clusters);
    let quoted = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
    writeln!(out, "digraph connections {{")?;
    for (number, (name, is_workload)) in nodes.iter().enumerate() {
        let shape = if *is_workload { "box" } else { "ellipse" };
        writeln!(out, "  n{number} [label={}, shape={shape}]", quoted(name))?;
    }
    for arrow in arrows {
        let style = if arrow.is_sure { "" } else { ", style=dashed" };
        let label = quoted(&arrow.words);
        writeln!(out, "  n{} -> n{} [label={label}{style}]", arrow.from, arrow.to)?;
    }
    writeln!(out, "}}")
}

/// Mermaid, "Flowcharts": labels between quotes, in which characters that mean something are entity codes.
pub(super) fn mermaid(clusters: &[Connections], out: &mut dyn Write) -> io::Result<()> {
    let (nodes, arrows) = graph(clusters);
    let quoted = |text: &str| {
        let text = text.replace('&', "#amp;").replace('"', "#quot;");
        format!("\"{}\"", text.replace('<', "#lt;").replace('>', "#gt;"))
    };
    writeln!(out, "flowchart LR")?;
    for (number, (name, is_workload)) in nodes.iter().enumerate() {
        let (open, close) = if *is_workload { ("[", "]") } else { ("(", ")") };
        writeln!(out, "  n{number}{open}{}{close}", quoted(name))?;
    }
    for arrow in arrows {
        let line = if arrow.is_sure { "-->" } else { "-.->" };
        let label = quoted(&arrow.words);
        writeln!(out, "  n{} {line}|{label}| n{}", arrow.from, arrow.to)?;
    }
    Ok(())
}
