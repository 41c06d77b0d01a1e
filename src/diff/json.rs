//! The `json` format of differences, version 1: `docs/diff.md`. Fields are added, never renamed or removed.

use std::io;

use serde::Serialize;

use super::{Diff, HostDiff, Line, Place, RowDiff, uncompared};
use crate::evaluate::{Direction, State as Fate};

#[derive(Serialize)]
struct DiffV1<'d> {
    version: u32,
    hosts: Vec<HostV1<'d>>,
    renamed: Vec<RenamedV1<'d>>,
    broken: Vec<RequirementV1<'d>>,
    mended: Vec<RequirementV1<'d>>,
    summary: SummaryV1<'d>,
}

#[derive(Serialize)]
struct HostV1<'d> {
    old: Option<&'d str>,
    new: Option<&'d str>,
    changes: Vec<ChangeV1<'d>>,
}

#[derive(Serialize)]
struct RenamedV1<'d> {
    old: &'d str,
    new: &'d str,
}

#[derive(Serialize)]
struct ChangeV1<'d> {
    packets: &'d [String],
    direction: &'static str,
    before: &'static str,
    after: &'static str,
    old: Option<PlaceV1<'d>>,
    new: Option<PlaceV1<'d>>,
}

#[derive(Serialize)]
struct PlaceV1<'d> {
    file: &'d str,
    line: usize,
    column: usize,
    message: &'d str,
}

#[derive(Serialize)]
struct RequirementV1<'d> {
    code: &'static str,
    certainty: &'static str,
    host: &'d str,
    rows: &'d [String],
    packets: &'d [String],
}

#[derive(Serialize)]
struct SummaryV1<'d> {
    hosts: usize,
    added: usize,
    taken_away: usize,
    possibly: usize,
    not_compared: Vec<&'d String>,
    failures: &'d [String],
}

pub(super) fn write(diff: &Diff, out: &mut dyn io::Write) -> io::Result<()> {
    let counts = diff.counts();
    let mirror = DiffV1 {
        version: 1,
        hosts: diff.hosts.iter().map(host).collect(),
        renamed: diff
            .renamed
            .iter()
            .map(|(old, new)| RenamedV1 { old, new })
            .collect(),
        broken: diff.broken.iter().map(requirement).collect(),
        mended: diff.mended.iter().map(requirement).collect(),
        summary: SummaryV1 {
            hosts: diff.n_hosts,
            added: counts.added,
            taken_away: counts.taken_away,
            possibly: counts.possibly,
            not_compared: uncompared(diff).collect(),
            failures: &diff.failures,
        },
    };
    serde_json::to_writer_pretty(&mut *out, &mirror)?;
    writeln!(out)
}

fn host(host: &HostDiff) -> HostV1<'_> {
    HostV1 {
        old: host.old.as_deref(),
        new: host.new.as_deref(),
        changes: host.changes.iter().map(change).collect(),
    }
}

fn change(line: &Line) -> ChangeV1<'_> {
    ChangeV1 {
        packets: &line.packets,
        direction: match line.direction {
            Direction::In => "in",
            Direction::Out => "out",
            Direction::Forward => "forward",
        },
        before: fate(line.before),
        after: fate(line.after),
        old: line.old.as_ref().map(place),
        new: line.new.as_ref().map(place),
    }
}

fn fate(state: Fate) -> &'static str {
    match state {
        Fate::Closed => "closed",
        Fate::Possibly => "possibly",
        Fate::Open => "open",
    }
}

fn place(place: &Place) -> PlaceV1<'_> {
    PlaceV1 {
        file: &place.file,
        line: place.line,
        column: place.column,
        message: &place.message,
    }
}

fn requirement(RowDiff { host, of }: &RowDiff) -> RequirementV1<'_> {
    RequirementV1 {
        code: of.code.id(),
        certainty: of.certainty.word(),
        host,
        rows: &of.rows,
        packets: &of.lines,
    }
}
