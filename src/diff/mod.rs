//! What a change of configs opens, closes, breaks and mends: two states, compared host by host, for people and programs.
//!
//! INVARIANT: packets are compared, not texts, so what only moves, is renamed or is written otherwise is not said.

mod human;
mod json;
mod markdown;

use std::io;
use std::path::Path;

use crate::baseline::{Entry, Names};
use crate::check::{self, Compared, HostChanges, Past, Refusal, State, Uncompared};
use crate::evaluate::{Change, Direction, Requirement, State as Fate};
use crate::finding::{Certainty, Label};
use crate::source::SourceMap;

/// How changes are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A line a change.
    Human,
    /// An object: `docs/diff.md`.
    Json,
    /// Tables, for a comment on a pull request.
    Markdown,
}

/// The differences of two states.
#[derive(Debug)]
pub struct Diff {
    /// Hosts that are new, gone, or changed, in the order of the new state, those that are gone last.
    pub hosts: Vec<HostDiff>,
    /// Hosts that are called otherwise, and let through what they did: the old name and the new one.
    pub renamed: Vec<(String, String)>,
    /// What hosts no longer keep to of what rows ask.
    pub broken: Vec<RowDiff>,
    /// What they keep to now, and did not.
    pub mended: Vec<RowDiff>,
    /// What was not compared, and why.
    pub uncompared: Uncompared,
    /// How many hosts were compared.
    pub n_hosts: usize,
    /// What could not be done.
    pub failures: Vec<String>,
}

/// What becomes other at a host.
#[derive(Debug)]
pub struct HostDiff {
    /// What it was called, if it was there.
    pub old: Option<String>,
    /// What it is called, if it is there.
    pub new: Option<String>,
    /// What becomes of which packets.
    pub changes: Vec<Line>,
}

/// What becomes of some packets of rows at a host.
#[derive(Debug)]
pub struct RowDiff {
    /// What the host is called.
    pub host: String,
    /// Which packets, and what they are called where they are wrong.
    pub of: Requirement,
}

/// Packets whose fate changes.
#[derive(Debug)]
pub struct Line {
    /// The packets, a line for each product of fields.
    pub packets: Vec<String>,
    /// What became of them.
    pub before: Fate,
    /// What becomes of them.
    pub after: Fate,
    /// Which way they go.
    pub direction: Direction,
    /// What decided, in the old state.
    pub old: Option<Place>,
    /// What decides, in the new one.
    pub new: Option<Place>,
}

/// A place in a text of one state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file, from the folder of its state.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What is there: `opens it`, `drops what no rule accepts`.
    pub message: String,
}

impl Line {
    /// Whether more gets through than before; `None` where it is as open as it was, for other reasons.
    #[must_use]
    pub fn opens(&self) -> Option<bool> {
        (self.before != self.after).then_some(self.after > self.before)
    }

    /// Whether it is sure that they did not get through and do now, or the other way round.
    #[must_use]
    pub fn is_sure(&self) -> bool {
        self.before != Fate::Possibly && self.after != Fate::Possibly
    }
}

/// How many changes there are of each kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Openings that were surely closed and surely are none now.
    pub added: usize,
    /// The other way round.
    pub taken_away: usize,
    /// Changes that depend on something that is not known.
    pub possibly: usize,
}

impl Diff {
    /// Whether nothing changes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.hosts.iter().all(|host| host.changes.is_empty())
            && self.uncompared.changed.is_empty()
            && self.broken.is_empty()
            && self.mended.is_empty()
    }

    /// Counts the changes.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for line in self.hosts.iter().flat_map(|host| &host.changes) {
            match line.opens().filter(|_| line.is_sure()) {
                Some(true) => counts.added += 1,
                Some(false) => counts.taken_away += 1,
                None => counts.possibly += 1,
            }
        }
        counts
    }
}

/// Compares two states. One that is `None` has nothing in it.
pub fn diff(old: Option<State<'_>>, new: Option<State<'_>>) -> Result<Diff, Refusal> {
    let compared = check::compare(old, new)?;
    let judged = [judged(old)?, judged(new)?];
    let names = compared.hosts.iter();
    let names = names.filter_map(|host| Some((host.old.clone()?, host.new.clone()?)));
    let mut diff = Diff {
        hosts: Vec::new(),
        renamed: names.filter(|(old, new)| old != new).collect(),
        broken: Vec::new(),
        mended: Vec::new(),
        uncompared: compared.uncompared.clone(),
        n_hosts: compared.hosts.len(),
        failures: Vec::new(),
    };
    diff.renamed.sort();
    diff.add(compared, old, new, &judged);
    Ok(diff)
}

/// What `check` finds in a state: rows of which it finds nothing, since comments or waivers take it back, are not said to be broken
/// or mended either.
fn judged(state: Option<State<'_>>) -> Result<Vec<Entry>, Refusal> {
    let Some(State { request, root }) = state else {
        return Ok(Vec::new());
    };
    let mut request = request.clone();
    request.known = Past::Record(Some(root.to_owned()));
    Ok(check::check(&request)?.entries)
}

/// What becomes of rows at a host, as far as `check` finds it too: only those rows, and no surer.
fn confirmed(host: &str, mut of: Requirement, found: &[Entry]) -> Option<RowDiff> {
    let found = found.iter();
    let here = found.filter(|entry| entry.key.object == host && entry.key.code == of.code);
    let here: Vec<&Entry> = here.collect();
    of.rows
        .retain(|row| here.iter().any(|entry| entry.key.rows.contains(row)));
    let names_some = |entry: &&&Entry| of.rows.iter().any(|row| entry.key.rows.contains(row));
    let is_sure = here
        .iter()
        .filter(names_some)
        .any(|entry| entry.key.certainty == Certainty::Surely);
    if !is_sure {
        of.certainty = Certainty::Possibly;
    }
    let host = host.to_owned();
    (!of.rows.is_empty()).then_some(RowDiff { host, of })
}

impl Diff {
    fn add(
        &mut self,
        compared: Compared,
        old: Option<State<'_>>,
        new: Option<State<'_>>,
        judged: &[Vec<Entry>; 2],
    ) {
        let Compared {
            sources,
            summaries,
            hosts,
            uncompared: _,
        } = compared;
        for summary in &summaries {
            let said = summary.failures.iter().chain(&summary.dangling);
            self.failures.extend(said.cloned());
        }
        let [mut old_names, mut new_names] = [old, new].map(|state| {
            let names = state.map(|state| Names::new(state.root).of_run(&state.request.paths));
            names.unwrap_or_else(|| Names::new(Path::new("")))
        });
        for HostChanges { old, new, changes } in hosts {
            let changes = match changes {
                Ok(changes) => changes,
                Err(over) => {
                    let name = new.or(old).unwrap_or_default();
                    self.failures.push(format!("{name}: {over}"));
                    continue;
                }
            };
            let rows = changes.requirements;
            let shown = new.as_ref().or(old.as_ref()).cloned().unwrap_or_default();
            for (of, list, name, found) in [
                (rows.broken, &mut self.broken, &new, &judged[1]),
                (rows.mended, &mut self.mended, &old, &judged[0]),
            ] {
                let name = name.as_deref().unwrap_or_default();
                let confirmed = of.into_iter().filter_map(|one| confirmed(name, one, found));
                list.extend(confirmed.map(|one| RowDiff {
                    host: shown.clone(),
                    ..one
                }));
            }
            let lines = changes.openings.into_iter().map(|change: Change| Line {
                packets: change.lines,
                before: change.before,
                after: change.after,
                direction: change.direction,
                old: change.old.map(|label| place(&sources[0], &mut old_names, label)),
                new: change.new.map(|label| place(&sources[1], &mut new_names, label)),
            });
            let host = HostDiff {
                changes: lines.collect(),
                old,
                new,
            };
            if !host.changes.is_empty() || host.old.is_none() || host.new.is_none() {
                self.hosts.push(host);
            }
        }
        let Uncompared { changed, unread } = &mut self.uncompared;
        for failure in self.failures.iter_mut().chain(changed).chain(&mut *unread) {
            *failure = new_names.in_text(&old_names.in_text(failure));
        }
        unread.sort();
        unread.dedup();
        self.failures.sort();
        self.failures.dedup();
    }
}

fn place(sources: &SourceMap, names: &mut Names, label: Label) -> Place {
    let file = sources.file(label.span.file);
    let at = file.line_column(label.span.start);
    Place {
        file: names.of(file.name()),
        line: at.line,
        column: at.column,
        message: label.message,
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// Writes the differences.
pub fn write(diff: &Diff, format: Format, out: &mut dyn io::Write) -> io::Result<()> {
    match format {
        Format::Human => human::write(diff, out),
        Format::Json => json::write(diff, out),
        Format::Markdown => markdown::write(diff, out),
    }
}

/// What was not compared, changes first.
fn uncompared(diff: &Diff) -> impl Iterator<Item = &String> {
    diff.uncompared.changed.iter().chain(&diff.uncompared.unread)
}

/// What a host is called now, or was; and whether it is there in both states.
fn called(host: &HostDiff) -> (&str, &'static str) {
    match (&host.old, &host.new) {
        (Some(_), Some(new)) => (new, ""),
        (None, Some(new)) => (new, "new"),
        (Some(old), None) => (old, "gone"),
        (None, None) => ("", ""),
    }
}

/// The word before packets that do not come in.
fn way(direction: Direction) -> &'static str {
    match direction {
        Direction::In => "",
        Direction::Out => "calls ",
        Direction::Forward => "passes on ",
    }
}

/// How sure it is that packets got through, or do.
fn fate(state: Fate) -> &'static str {
    match state {
        Fate::Closed => "closed",
        Fate::Possibly => "possibly open",
        Fate::Open => "open",
    }
}

/// `2 openings added, 1 taken away, 1 possibly changed; 1 requirement broken, 0 mended; 4 hosts compared`
fn summary(diff: &Diff) -> String {
    let counts = diff.counts();
    let added = if counts.added == 1 { "opening" } else { "openings" };
    let broken = match diff.broken.len() {
        1 => "requirement",
        _ => "requirements",
    };
    let hosts = if diff.n_hosts == 1 { "host" } else { "hosts" };
    format!(
        "{} {added} added, {} taken away, {} possibly changed; {} {broken} broken, {} mended; {} {hosts} compared",
        counts.added,
        counts.taken_away,
        counts.possibly,
        diff.broken.len(),
        diff.mended.len(),
        diff.n_hosts
    )
}

/// What is broken or mended: the rows, and the packets.
fn requirement(of: &Requirement) -> String {
    let rows: Vec<String> = of.rows.iter().map(|row| format!("`{row}`")).collect();
    format!("{} of {}: {}", of.code.id(), rows.join(", "), of.lines.join("; "))
}
