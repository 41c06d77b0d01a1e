//! The `json` format of connections, version 1. Fields are added, never renamed or removed.

use std::io::{self, Write};

use serde::Serialize;

use super::{Connections, party_kind, party_words, service_list};
use crate::dialect::kubernetes::{Connection, Party};

#[derive(Serialize)]
struct ConnectionsV1<'a> {
    version: u8,
    clusters: Vec<ClusterV1<'a>>,
}

#[derive(Serialize)]
struct ClusterV1<'a> {
    cluster: &'a str,
    connections: Vec<ConnectionV1>,
    exposure: Vec<ConnectionV1>,
}

#[derive(Serialize)]
struct ConnectionV1 {
    from: PartyV1,
    to: PartyV1,
    services: Vec<String>,
    certainty: &'static str,
}

#[derive(Serialize)]
struct PartyV1 {
    kind: &'static str,
    name: String,
}

impl From<&Party> for PartyV1 {
    fn from(party: &Party) -> Self {
        Self {
            kind: party_kind(party),
            name: party_words(party),
        }
    }
}

impl From<&Connection> for ConnectionV1 {
    fn from(one: &Connection) -> Self {
        Self {
            from: (&one.from).into(),
            to: (&one.to).into(),
            services: service_list(&one.services),
            certainty: if one.is_sure { "surely" } else { "possibly" },
        }
    }
}

pub(super) fn write(clusters: &[Connections], out: &mut dyn Write) -> io::Result<()> {
    let clusters = clusters.iter().map(|cluster| ClusterV1 {
        cluster: &cluster.name,
        connections: cluster.between.iter().map(ConnectionV1::from).collect(),
        exposure: cluster.exposure.iter().map(ConnectionV1::from).collect(),
    });
    let all = ConnectionsV1 {
        version: 1,
        clusters: clusters.collect(),
    };
    serde_json::to_writer_pretty(&mut *out, &all)?;
    writeln!(out)
}
