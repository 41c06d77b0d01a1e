//! What the ends of a cell of the matrix come to, in words; whose cells they are, and which way they go.
//!
//! INVARIANT: of several results the worst is shown; one that was not asked for everywhere does not read like one that was.

use std::collections::{BTreeMap, BTreeSet};

use super::text::escaped;
use crate::finding::{CoveredRow, Standing};

/// What one end of a cell comes to, better ones first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum State {
    Inactive,
    Allowed,
    Kept,
    Spare,
    Open,
    Required,
    InPart,
    Unchecked,
    Perhaps,
    Partly,
    Missing,
    Excess,
    Forbidden,
}

impl State {
    /// The words for it, and the class.
    pub(super) fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Inactive => ("not in force", "unchecked"),
            Self::Allowed => ("allowed", "kept"),
            Self::Kept => ("forbidden, closed", "kept"),
            Self::Spare => ("closed, another way is open", "kept"),
            Self::Open => ("allowed, open", "open"),
            Self::Required => ("required, open", "ok"),
            Self::InPart => ("required, open where it was checked", "perhaps"),
            Self::Unchecked => ("unchecked", "unchecked"),
            Self::Perhaps => ("possibly wrong", "perhaps"),
            Self::Partly => ("partly missing", "perhaps"),
            Self::Missing => ("missing", "missing"),
            Self::Excess => ("excess", "excess"),
            Self::Forbidden => ("forbidden, open", "excess"),
        }
    }

    /// Whether there is something to be done, or to be known yet.
    fn is_wrong(self) -> bool {
        self >= Self::Perhaps
    }

    /// Of a row that requires or forbids something, at one host.
    pub(super) fn of(kind: &str, standing: Standing) -> Self {
        match (kind, standing) {
            (_, Standing::Inactive) => Self::Inactive,
            ("forbid", Standing::Verified) => Self::Kept,
            ("forbid", Standing::Broken | Standing::Partly) => Self::Forbidden,
            (_, Standing::Permitted) => Self::Spare,
            (_, Standing::Verified) => Self::Required,
            (_, Standing::Possibly) => Self::Perhaps,
            (_, Standing::Partly) => Self::Partly,
            (_, Standing::Broken) => Self::Missing,
            (_, Standing::Unasked | Standing::Unchecked) => Self::Unchecked,
        }
    }
}

/// Whose connections a table is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Group<'c> {
    /// Hosts of a role.
    Role(&'c str),
    /// Hosts that a row means by the zone in which they are.
    Zone(&'c str),
    /// Hosts that have no role.
    Others,
}

impl<'c> Group<'c> {
    pub(super) fn name(self) -> Option<&'c str> {
        match self {
            Self::Role(name) | Self::Zone(name) => Some(name),
            Self::Others => None,
        }
    }

    /// Whether rows about all hosts count for it: a zone's have a role, or none.
    pub(super) fn is_of_all(self) -> bool {
        !matches!(self, Self::Zone(_))
    }

    /// What it is called on the page.
    pub(super) fn title(self) -> String {
        match self {
            Self::Role(name) => name.to_owned(),
            Self::Zone(name) => format!("hosts in {name}"),
            Self::Others => "hosts without a role".to_owned(),
        }
    }
}

/// Which way the connections of a table go, seen from the hosts of its role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    In,
    Out,
}

impl Way {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::In => "in",
            Self::Out => "out",
        }
    }

    pub(super) fn other(self) -> Self {
        match self {
            Self::In => Self::Out,
            Self::Out => Self::In,
        }
    }

    /// The ends of a row: the hosts of the table, and the peer.
    pub(super) fn ends(self, row: &CoveredRow) -> (&[String], &[String]) {
        match self {
            Self::In => (&row.to, &row.from),
            Self::Out => (&row.from, &row.to),
        }
    }
}

/// States of hosts at one end: what it comes to, and at how many of them.
#[derive(Debug, Default)]
pub(super) struct End(BTreeMap<State, BTreeSet<String>>);

impl End {
    pub(super) fn add(&mut self, state: State, host: &str) {
        self.0.entry(state).or_default().insert(host.to_owned());
    }

    pub(super) fn join(&mut self, other: Self) {
        for (state, hosts) in other.0 {
            self.0.entry(state).or_default().extend(hosts);
        }
    }

    /// The worst of what it comes to; what is open at some hosts and was not asked at others is not simply either.
    pub(super) fn worst(&self) -> Option<State> {
        let worst = self.0.keys().last().copied()?;
        let is_in_part = worst == State::Unchecked && self.0.contains_key(&State::Required);
        Some(if is_in_part { State::InPart } else { worst })
    }

    /// Everything that is wrong, or what it comes to if nothing is: each with the hosts, unless it is all of them.
    pub(super) fn words(&self) -> Vec<String> {
        let Some(worst) = self.worst() else {
            return Vec::new();
        };
        let wrong: Vec<State> = self
            .0
            .keys()
            .copied()
            .filter(|state| state.is_wrong())
            .rev()
            .collect();
        let shown = if wrong.is_empty() { vec![worst] } else { wrong };
        let all: BTreeSet<&String> = self
            .0
            .values()
            .flatten()
            .filter(|host| !host.is_empty())
            .collect();
        let word = |state: State| {
            let hosts = self
                .0
                .get(&state)
                .filter(|hosts| state.is_wrong() && hosts.len() < all.len());
            let at = match hosts.map(|hosts| (hosts.len(), hosts.first())) {
                Some((1, Some(host))) => format!(" at {}", escaped(host)),
                Some((n, _)) if n > 1 => format!(" at {n} of {} hosts", all.len()),
                _ => String::new(),
            };
            format!("{}{at}", state.words().0)
        };
        shown.into_iter().map(word).collect()
    }
}
