//! What a run shows for each row of the policies and each opening of the hosts: the auditor's side of the findings.
//!
//! INVARIANT: a row is *verified* only if every host that it was held against meets it, and it was held against one.

use std::collections::BTreeMap;

use super::{Certainty, Code};
use crate::source::Span;

/// Rows with what became of them, and openings with what they rest on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Coverage {
    /// The rows of the policies in force, in their order.
    pub rows: Vec<CoveredRow>,
    /// What hosts let through, by host, in the order of their rules.
    pub openings: Vec<CoveredOpening>,
    /// The hosts of each role, sorted.
    pub roles: BTreeMap<String, Vec<String>>,
}

/// One row and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CoveredRow {
    /// `policy/id`
    pub id: String,
    /// `require`, `allow` or `forbid`.
    pub kind: &'static str,
    /// Who opens the connection: zones, roles, names, `self`, `any`, `*`.
    pub from: Vec<String>,
    /// Who accepts it, likewise.
    pub to: Vec<String>,
    /// On what: `tcp/443 (https)`.
    pub services: Vec<String>,
    /// The published document and the row in it.
    pub document: String,
    /// What it is for.
    pub purpose: String,
    /// Who answers for it, if its policy says.
    pub owner: Option<String>,
    /// What it is a part of for others: controls of a compliance framework.
    pub tags: Vec<String>,
    /// The row in the policy's text.
    pub span: Span,
    /// What became of it.
    pub standing: Standing,
    /// What it was held against: each host once a direction.
    pub hosts: Vec<CoveredHost>,
    /// Its roles that nothing is bound to.
    pub unbound: Vec<String>,
    /// Why it is inactive, unchecked or undecided, and what to set.
    pub why: Option<String>,
    /// Openings that rest on it.
    pub n_openings: usize,
}

impl CoveredRow {
    /// The words of one of its connections: who opens it, who accepts it, on what.
    #[must_use]
    pub fn connection(&self, cell: &CoveredCell) -> (&str, &str, &str) {
        fn word(words: &[String], at: usize) -> &str {
            words.get(at).map_or("?", String::as_str)
        }
        (
            word(&self.from, cell.from),
            word(&self.to, cell.to),
            word(&self.services, cell.service),
        )
    }
}

/// What became of a row at one host.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct CoveredHost {
    /// Which host.
    pub name: String,
    /// `in` where it accepts, `out` where it connects.
    pub direction: &'static str,
    /// What became of the row there.
    pub standing: Standing,
    /// What became there of each connection that it speaks of.
    pub cells: Vec<CoveredCell>,
}

/// One connection that a row speaks of: places in its `from`, `to` and `services`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct CoveredCell {
    /// Who opens it.
    pub from: usize,
    /// Who accepts it.
    pub to: usize,
    /// On what.
    pub service: usize,
    /// What became of it.
    pub standing: Standing,
}

/// What became of a row. Ordered: of several hosts the last counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// Its condition does not hold, or it is lifted.
    Inactive,
    /// It allows, and asks for nothing.
    Permitted,
    /// It asks for nothing that the host could say something about.
    Unasked,
    /// What it requires gets through, what it forbids does not.
    Verified,
    /// Nobody was asked: nothing is bound to it, or the analysis was given up.
    Unchecked,
    /// It depends on something that is not known.
    Possibly,
    /// What it requires is blocked for some.
    Partly,
    /// What it requires is blocked, what it forbids is open.
    Broken,
}

impl Standing {
    /// The word for it, of a row of this kind.
    #[must_use]
    pub fn word(self, kind: &str) -> &'static str {
        let forbids = kind == "forbid";
        match self {
            Self::Inactive => "inactive",
            Self::Permitted => "permitted",
            Self::Unasked | Self::Unchecked => "unchecked",
            Self::Verified => "verified",
            Self::Possibly if forbids => "possibly-open",
            Self::Possibly => "possibly-missing",
            Self::Partly if forbids => "partly-open",
            Self::Partly => "partly-missing",
            Self::Broken if forbids => "open",
            Self::Broken => "missing",
        }
    }
}

/// What one rule of a host lets through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CoveredOpening {
    /// The host.
    pub host: String,
    /// `in`, `out`, or `forward` of what it passes on.
    pub direction: &'static str,
    /// The rule or default verdict that decides.
    pub span: Option<Span>,
    /// Whether it is open for sure.
    pub certainty: Certainty,
    /// Its packets, one line a product of fields, largest first.
    pub packets: Vec<String>,
    /// The zones that some of their peers lie in. Of peers who are told apart by who they are, none.
    pub zones: Vec<String>,
    /// The rows that allow some of them.
    pub rows: Vec<String>,
    /// Who gets what through it.
    pub cells: Vec<OpeningCell>,
    /// What it is.
    pub ground: Ground,
}

/// Some packets of an opening: a connection of a row, or what no row allows.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct OpeningCell {
    /// A peer of the row, or the zone of those whom no row allows; none where these are told apart by who they are.
    pub peer: Option<String>,
    /// `tcp/443 (https)`
    pub service: String,
    /// The row that allows it, or that forbids it.
    pub row: Option<String>,
}

/// Whether an opening has a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ground {
    /// Rows allow all of it.
    Justified,
    /// Some of it is a finding with this code.
    Unjustified(Code, Certainty),
    /// The host has no role, so that nothing need allow it.
    Unjudged,
}

impl Ground {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Justified => "justified",
            Self::Unjustified(_, Certainty::Surely) => "unjustified",
            Self::Unjustified(_, Certainty::Possibly) => "possibly",
            Self::Unjudged => "unjudged",
        }
    }
}

/// The numbers of a coverage.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CoverageCounts {
    /// Rows that require something and are in force, or perhaps.
    pub required: usize,
    /// Those of them that are verified.
    pub verified: usize,
    /// Those of them that are verified, while some role of theirs has no config.
    pub in_part: usize,
    /// Those of them that nobody was asked about.
    pub unchecked: usize,
    /// Rows that forbid something and are in force, or perhaps.
    pub forbidden: usize,
    /// Those of them that are kept wherever they were asked about.
    pub kept: usize,
    /// Hosts that some row was held against.
    pub hosts: usize,
    /// Openings of hosts with a role.
    pub openings: usize,
    /// Those of them that rows allow.
    pub justified: usize,
    /// Openings of hosts without a role.
    pub unjudged: usize,
}

impl Coverage {
    /// Counts rows and openings.
    #[must_use]
    pub fn counts(&self) -> CoverageCounts {
        let mut counts = CoverageCounts::default();
        let mut hosts: Vec<&str> = Vec::new();
        for row in self.rows.iter().filter(|row| row.standing != Standing::Inactive) {
            hosts.extend(row.hosts.iter().map(|host| host.name.as_str()));
            let is_verified = row.standing == Standing::Verified;
            match row.kind {
                "require" => {
                    counts.required += 1;
                    counts.verified += usize::from(is_verified);
                    counts.in_part += usize::from(is_verified && !row.unbound.is_empty());
                    counts.unchecked +=
                        usize::from(matches!(row.standing, Standing::Unchecked | Standing::Unasked));
                }
                "forbid" => {
                    counts.forbidden += 1;
                    counts.kept += usize::from(is_verified);
                }
                _ => {}
            }
        }
        hosts.sort_unstable();
        hosts.dedup();
        counts.hosts = hosts.len();
        for opening in &self.openings {
            let is_judged = opening.ground != Ground::Unjudged;
            counts.openings += usize::from(is_judged);
            counts.justified += usize::from(opening.ground == Ground::Justified);
            counts.unjudged += usize::from(!is_judged);
        }
        counts
    }
}

impl std::fmt::Display for CoverageCounts {
    /// "23 of 25 rows verified on 6 hosts, 2 unchecked; 41 of 44 openings justified"
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let many = |n: usize| if n == 1 { "" } else { "s" };
        write!(
            f,
            "{} of {} row{} verified on {} host{}",
            self.verified,
            self.required,
            many(self.required),
            self.hosts,
            many(self.hosts)
        )?;
        if self.in_part > 0 {
            write!(f, ", {} of them not for every role", self.in_part)?;
        }
        if self.unchecked > 0 {
            write!(f, ", {} unchecked", self.unchecked)?;
        }
        if self.forbidden > 0 {
            let (kept, all) = (self.kept, self.forbidden);
            write!(f, "; {kept} of {all} prohibition{} kept", many(all))?;
        }
        let (justified, all) = (self.justified, self.openings);
        write!(f, "; {justified} of {all} opening{} justified", many(all))?;
        if self.unjudged > 0 {
            write!(f, ", {} of hosts without a role", self.unjudged)?;
        }
        Ok(())
    }
}
