//! The cells of the matrix: what became of one service between the hosts of one role and one peer, at both ends.
//!
//! INVARIANT: a cell's state is of its own packets; what other peers or other services of a row came to is not in it.

use std::collections::{BTreeMap, BTreeSet};

use super::state::{End, Group, State, Way};
use super::text::{anchor, escaped, list, place, prose};
use crate::finding::{
    Certainty, Code, Coverage, CoveredHost, CoveredOpening, CoveredRow, Ground, OpeningCell, Standing,
};
use crate::source::SourceMap;

/// How many rows, hosts and openings a cell names.
pub(super) const MAX_ITEMS: usize = 20;
/// The column of peers who are in no zone: pods, members of groups.
const OTHERS: &str = "others";

/// One cell: its two ends, and what stands behind them.
#[derive(Debug, Default)]
pub(super) struct Cell {
    /// At the hosts of the role.
    pub(super) own: End,
    /// At the hosts of the peer, as far as rows ask something of them.
    pub(super) other: End,
    /// What stands in it, once each.
    pub(super) items: Vec<String>,
}

/// A service, in the order of a port table: by protocol, then by number.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Line {
    protocol: String,
    number: Option<u32>,
    pub(super) service: String,
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

/// One table of the matrix: cells by service, then peer.
pub(super) struct Table<'c> {
    coverage: &'c Coverage,
    group: Group<'c>,
    hosts: &'c BTreeSet<&'c str>,
    pub(super) way: Way,
    pub(super) cells: BTreeMap<Line, BTreeMap<String, Cell>>,
}

impl<'c> Table<'c> {
    pub(super) fn of(
        sources: &SourceMap,
        coverage: &'c Coverage,
        (group, hosts): (Group<'c>, &'c BTreeSet<&'c str>),
        way: Way,
    ) -> Self {
        let mut table = Self {
            coverage,
            group,
            hosts,
            way,
            cells: BTreeMap::new(),
        };
        for row in &coverage.rows {
            table.add_row(row);
        }
        let is_ours = |opening: &&CoveredOpening| {
            opening.direction == way.word() && hosts.contains(opening.host.as_str())
        };
        for opening in coverage.openings.iter().filter(is_ours) {
            table.add_opening(sources, opening);
        }
        table
    }

    /// Which ends of a row the hosts of the table are.
    fn near(&self, row: &CoveredRow) -> Vec<usize> {
        let (near, _) = self.way.ends(row);
        let is_near = |end: &str| match end {
            // One that allows or forbids to all hosts, as most of `common` do, stands in a cell only where something rests on it,
            // or breaks it.
            "*" if !self.group.is_of_all() => false,
            "*" => match row.kind {
                "allow" => self.rests_on(row).next().is_some(),
                "forbid" => self.is_held(row, |standing| standing > Standing::Verified),
                _ => self.is_held(row, |_| true),
            },
            // What hosts of a zone may do is many rows; what they do is a few.
            _ if self.group.name() != Some(end) => false,
            _ => {
                !matches!(self.group, Group::Zone(_))
                    || row.kind != "allow"
                    || self.rests_on(row).next().is_some()
            }
        };
        let near = near.iter().enumerate().filter(|(_, end)| is_near(end));
        near.map(|(at, _)| at).collect()
    }

    /// Whether a row was held against a host of the table, with such a result.
    fn is_held(&self, row: &CoveredRow, is_such: impl Fn(Standing) -> bool) -> bool {
        let mut ours = row.hosts.iter().filter(|host| self.is_ours(host));
        ours.any(|host| is_such(host.standing))
    }

    fn is_ours(&self, host: &CoveredHost) -> bool {
        host.direction == self.way.word() && self.hosts.contains(host.name.as_str())
    }

    /// The places of the near and the far end of a connection.
    fn places(&self, from: usize, to: usize) -> (usize, usize) {
        match self.way {
            Way::In => (to, from),
            Way::Out => (from, to),
        }
    }

    /// What openings of the table's hosts rest on a row, connection by connection.
    fn rests_on(&self, row: &'c CoveredRow) -> impl Iterator<Item = &'c OpeningCell> {
        let (way, hosts) = (self.way.word(), self.hosts);
        let ours = self.coverage.openings.iter();
        let ours = ours.filter(move |it| it.direction == way && hosts.contains(it.host.as_str()));
        let cells = ours.flat_map(|opening| &opening.cells);
        cells.filter(|cell| cell.row.as_deref() == Some(row.id.as_str()))
    }

    fn add_row(&mut self, row: &'c CoveredRow) {
        let near = self.near(row);
        if near.is_empty() {
            return;
        }
        let (_, peers) = self.way.ends(row);
        let open: BTreeSet<(&str, &str)> = match row.kind {
            "allow" => self
                .rests_on(row)
                .filter_map(|cell| Some((cell.peer.as_deref()?, cell.service.as_str())))
                .collect(),
            _ => BTreeSet::new(),
        };
        for (far, peer) in peers.iter().enumerate() {
            for (service, word) in row.services.iter().enumerate() {
                let (mut own, mut other, mut said) = (End::default(), End::default(), Vec::new());
                for host in &row.hosts {
                    let is_own = self.is_ours(host);
                    if !is_own && host.direction != self.way.other().word() {
                        continue;
                    }
                    let cells = host.cells.iter().filter(|cell| {
                        let (at, of) = self.places(cell.from, cell.to);
                        near.contains(&at) && (of, cell.service) == (far, service)
                    });
                    if let Some(standing) = cells.map(|cell| cell.standing).max() {
                        let end = if is_own { &mut own } else { &mut other };
                        end.add(State::of(row.kind, standing), &host.name);
                        said.push(format!(
                            "{} ({}): {}",
                            escaped(&host.name),
                            host.direction,
                            standing.word(row.kind)
                        ));
                    }
                }
                if own.worst().is_none() {
                    own.add(
                        self.of_nobody(row, open.contains(&(peer.as_str(), word.as_str()))),
                        "",
                    );
                }
                if row.kind == "require" && row.unbound.contains(peer) {
                    other.add(State::Unchecked, "");
                    said.push(format!("no config for {}", escaped(peer)));
                }
                let item = item(row, &said);
                self.cell(word, peer).take(own, other, item);
            }
        }
    }

    /// What a row comes to where no host was asked.
    fn of_nobody(&self, row: &CoveredRow, is_open: bool) -> State {
        match (row.kind, row.standing) {
            (_, Standing::Inactive) => State::Inactive,
            ("allow", _) if is_open => State::Open,
            ("allow", _) if !self.hosts.is_empty() => State::Allowed,
            _ => State::Unchecked,
        }
    }

    fn add_opening(&mut self, sources: &SourceMap, opening: &'c CoveredOpening) {
        let at = opening.span.map(|span| place(sources, span)).unwrap_or_default();
        let packets: Vec<String> = opening.packets.iter().map(|line| prose(line)).collect();
        let packets = list(&packets, MAX_ITEMS);
        let item = format!("opening at {}: {at}{packets}", escaped(&opening.host));
        let state = match opening.ground {
            Ground::Unjustified(Code::ForbiddenOpening, _) => State::Forbidden,
            Ground::Unjustified(_, Certainty::Surely) => State::Excess,
            Ground::Unjustified(_, Certainty::Possibly) => State::Perhaps,
            Ground::Justified | Ground::Unjudged => State::Open,
        };
        for cell in &opening.cells {
            let peer = cell.peer.as_deref().unwrap_or(OTHERS);
            if cell.row.is_none() && matches!(self.group, Group::Role(_)) {
                let cell = self.cell(&cell.service, peer);
                cell.own.add(state, &opening.host);
                cell.items.push(item.clone());
            } else if cell.row.is_some()
                && let Some(cell) = self.known_cell(&cell.service, peer)
            {
                // In the cells of the rows that it rests on, which say what it is there for.
                cell.items.push(item.clone());
            }
        }
    }

    fn cell(&mut self, service: &str, peer: &str) -> &mut Cell {
        let line = self.cells.entry(Line::of(service)).or_default();
        line.entry(peer.to_owned()).or_default()
    }

    fn known_cell(&mut self, service: &str, peer: &str) -> Option<&mut Cell> {
        self.cells.get_mut(&Line::of(service))?.get_mut(peer)
    }
}

impl Cell {
    fn take(&mut self, own: End, other: End, item: String) {
        self.own.join(own);
        self.other.join(other);
        self.items.push(item);
    }

    /// The worse of its two ends.
    pub(super) fn worst(&self) -> State {
        let ends = self.own.worst().into_iter().chain(self.other.worst());
        ends.max().unwrap_or(State::Open)
    }
}

/// A row as a cell names it.
fn item(row: &CoveredRow, said: &[String]) -> String {
    let mut item = format!(
        "row <a href=\"#{}\"><code>{}</code></a> {} {}",
        anchor("row", &row.id),
        escaped(&row.id),
        row.kind,
        prose(&row.purpose)
    );
    if !said.is_empty() {
        item.push_str(&list(said, MAX_ITEMS));
    }
    item
}
