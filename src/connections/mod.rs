//! Who may open connections to whom in clusters, written for people and for programs.
//!
//! INVARIANT: every format says the same lines in the same order; only `text` and the graphs leave out what goes without saying.

mod graph;
mod json;
mod text;

use std::io::{self, Write};

use crate::dialect::kubernetes::{Cluster, Connection, PROTOCOLS, Party, Services};
use crate::packet::address::describe;
use crate::packet::protocol::protocol_name;
use crate::packet::{RangeSet, service_words};

/// How to write connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A line a connection, for people.
    Text,
    /// An object a cluster.
    Json,
    /// A row a connection.
    Csv,
    /// A graph for Graphviz.
    Dot,
    /// A graph for Markdown.
    Mermaid,
}

/// The connections of one cluster.
#[derive(Debug)]
pub struct Connections {
    name: String,
    /// Between workloads, and with addresses outside.
    between: Vec<Connection>,
    /// With pods that nobody has made yet.
    exposure: Vec<Connection>,
}

impl Connections {
    /// What a cluster lets through; `name` is what the unit is called.
    #[must_use]
    pub fn of(name: String, cluster: &Cluster) -> Self {
        Self {
            name,
            between: cluster.connections(),
            exposure: cluster.exposure(),
        }
    }
}

/// Writes the connections of clusters.
pub fn write(clusters: &[Connections], format: Format, out: &mut dyn Write) -> io::Result<()> {
    match format {
        Format::Text => text::write(clusters, out),
        Format::Json => json::write(clusters, out),
        Format::Csv => text::write_csv(clusters, out),
        Format::Dot => graph::dot(clusters, out),
        Format::Mermaid => graph::mermaid(clusters, out),
    }
}

/// `shop/web`, `10.0.0.0/8`, `any other pod of namespace shop`.
fn party_words(party: &Party) -> String {
    match party {
        Party::Workload(name, _) => name.clone(),
        Party::Pods(words) => words.replace('`', ""),
        Party::Outside(family, addresses) if addresses.is_full((*family).max()) => {
            format!("any {} address outside", family.word())
        }
        Party::Outside(family, addresses) => describe(*family, addresses).join(", "),
    }
}

/// What a party is, for programs.
fn party_kind(party: &Party) -> &'static str {
    match party {
        Party::Workload(_, kind) => kind,
        Party::Pods(_) => "pods",
        Party::Outside(..) => "addresses",
    }
}

/// `tcp/8080`, a word a range; `tcp` where it is every port, and one word where it is every port of all protocols.
fn service_list(services: &Services) -> Vec<String> {
    let is_full = |ports: &RangeSet| ports.is_full(u128::from(u16::MAX));
    if services.0.iter().all(is_full) {
        return vec!["everything".to_owned()];
    }
    let each = PROTOCOLS.into_iter().zip(&services.0);
    let words = each.flat_map(|(protocol, ports)| {
        if ports.is_empty() {
            Vec::new()
        } else if is_full(ports) {
            protocol_name(protocol).map(str::to_owned).into_iter().collect()
        } else {
            service_words(protocol, ports)
        }
    });
    words.collect()
}
