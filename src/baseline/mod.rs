//! "We knew": findings of a run against a list of those that were there before.
//!
//! A finding is known by its code, its file, its object (the host, the resource, the workload), its rows and the packets that it
//! is about, as numbers, not by its line or by words: moved, split and narrowed rules stay known. INVARIANT: a finding about a
//! packet that no entry speaks of is never taken back, and what is taken back is counted.

mod file;
mod known;
mod names;

use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::finding::{Certainty, Code, Finding, Label, Packets};
use crate::source::{SourceMap, Span};

pub use file::{DEFAULT_NAME, Misread, read, write};
use known::Known;
pub use names::Names;

/// A finding as baselines know it. Ordered as they are written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// Which finding this is, whatever its packets.
    pub key: Key,
    /// Its packets, line by line, as reports say them: for people.
    pub extent: Vec<String>,
    /// Its packets as numbers, by which it is known.
    pub packets: Option<Packets>,
    /// Where they are too many to write down: one number for all of them.
    pub region: Option<u64>,
    /// How many such findings there are: more than one only where no packets are concerned.
    pub count: usize,
}

/// What a finding is about, apart from packets.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// The file that decides, from the folder of the baseline. Empty for what is found in no file.
    pub file: String,
    /// The host that it holds for: by its file, the address of its resource, or the name of its workload. Empty where no host is
    /// concerned.
    pub object: String,
    /// The code.
    pub code: Code,
    /// Whether all behind it was known.
    pub certainty: Certainty,
    /// The ids of the rows that it is held against.
    pub rows: Vec<String>,
    /// Where no packets are concerned: what is said, and of which text.
    pub text: Option<String>,
}

impl Entry {
    /// The entry of a finding, for each host that it holds for; none if such findings are not taken back.
    pub fn of(finding: &Finding, sources: &SourceMap, names: &mut Names) -> Vec<Self> {
        if why_not(finding.code).is_some() {
            return Vec::new();
        }
        let file = finding
            .primary
            .as_ref()
            .map(|label| sources.file(label.span.file));
        let file = file.map_or(String::new(), |file| names.of(file.name()));
        let mut rows: Vec<String> = finding.rows.iter().map(|row| row.id.clone()).collect();
        rows.sort();
        let is_without_packets = finding.extent.is_empty();
        let text = is_without_packets.then(|| names.in_text(&text_of(finding, sources)));
        let none = [String::new()];
        let hosts = if finding.hosts.is_empty() {
            none.as_slice()
        } else {
            finding.hosts.as_slice()
        };
        hosts
            .iter()
            .map(|host| Self {
                key: Key {
                    file: file.clone(),
                    object: names.of(host),
                    code: finding.code,
                    certainty: finding.certainty,
                    rows: rows.clone(),
                    text: text.clone(),
                },
                extent: finding.extent.clone(),
                packets: finding.packets.clone(),
                region: finding.region,
                count: 1,
            })
            .collect()
    }
}

/// The longest line that is kept whole in an entry, in bytes.
const MAX_LINE: usize = 200;

/// What is said, and the line that it is said of, or the deciding bytes where the line is long.
fn text_of(finding: &Finding, sources: &SourceMap) -> String {
    let Some(label) = &finding.primary else {
        return finding.message.clone();
    };
    let line = sources.file(label.span.file).line_around(label.span.start);
    let of = if line.len() > MAX_LINE {
        sources.text(label.span)
    } else {
        line
    };
    let words: Vec<_> = of.split_whitespace().collect();
    let words: String = words.join(" ").chars().take(MAX_LINE).collect();
    format!("{}: {words}", finding.message)
}

/// Why findings of a code are not taken back by a baseline, if they are not.
#[must_use]
pub fn why_not(code: Code) -> Option<&'static str> {
    match code {
        Code::UnusedSuppression
        | Code::ExpiredSuppression
        | Code::InvalidSuppression
        | Code::UnusedWaiver
        | Code::ExpiredWaiver => Some("it is about what takes findings back"),
        Code::StaleBaseline => Some("it is about the baseline itself"),
        code if code.is_failure() => Some("what was not read is not known"),
        _ => None,
    }
}

/// Sorts entries, and says each once: packets are known however many rules are about them, other findings as often as they are there.
pub fn tidy(entries: &mut Vec<Entry>) {
    entries.sort();
    entries.dedup_by(|again, first| {
        let is_same = *again
            == Entry {
                count: again.count,
                ..first.clone()
            };
        if is_same && first.key.text.is_some() {
            first.count += again.count;
        }
        is_same
    });
}

impl FromIterator<Entry> for Baseline {
    /// A list that stands in no file.
    fn from_iter<I: IntoIterator<Item = Entry>>(entries: I) -> Self {
        Self {
            entries: entries.into_iter().map(|entry| (entry, None)).collect(),
            folder: PathBuf::new(),
        }
    }
}

/// A list of findings that are known.
#[derive(Debug, Clone, Default)]
pub struct Baseline {
    /// Entries, each with its place in the file that lists it, if one does.
    pub entries: Vec<(Entry, Option<Span>)>,
    /// The folder from which its files are named.
    pub folder: PathBuf,
}

/// What is left of the findings of a run.
#[derive(Debug)]
pub struct Compared {
    /// Those that are new, and those about entries that meet nothing.
    pub findings: Vec<Finding>,
    /// How many were known.
    pub n_known: usize,
}

/// Takes back the findings that a baseline lists, and says which of its entries meet nothing any more, of the files that the run
/// read and of those that are gone. Codes that the run was not asked for are not missed.
#[must_use]
pub fn apply(
    sources: &SourceMap,
    findings: Vec<Finding>,
    baseline: &Baseline,
    not_asked: &[Code],
) -> Compared {
    let mut names = Names::new(&baseline.folder);
    let mut known = Known::of(baseline);
    let n_before = findings.len();
    let mut left: Vec<Finding> = findings
        .into_iter()
        .filter(|finding| {
            let entries = Entry::of(finding, sources, &mut names);
            let met = entries.iter().filter(|entry| known.meets(entry)).count();
            entries.is_empty() || met < entries.len()
        })
        .collect();
    let n_known = n_before - left.len();
    let read: BTreeSet<String> = sources
        .ids()
        .map(|id| sources.file(id))
        .filter(|file| !file.is_virtual())
        .map(|file| names.of(file.name()))
        .collect();
    let is_here = |file: &str| read.contains(file) || !baseline.folder.join(file).exists();
    let is_whole = baseline.entries.iter().all(|(entry, _)| is_here(&entry.key.file));
    let unmet = known.unmet().into_iter();
    for (entry, span) in unmet.filter_map(|at| baseline.entries.get(at)) {
        let was_looked_at = if entry.key.file.is_empty() {
            is_whole
        } else {
            is_here(&entry.key.file)
        };
        if let Some(span) = span.filter(|_| was_looked_at && !not_asked.contains(&entry.key.code)) {
            left.push(stale(entry, span));
        }
    }
    Compared {
        findings: left,
        n_known,
    }
}

/// An entry that meets nothing.
fn stale(entry: &Entry, span: Span) -> Finding {
    let of = match (entry.key.object.as_str(), entry.key.file.as_str()) {
        ("", "") => String::new(),
        ("", name) | (name, _) => format!(" of `{name}`"),
    };
    let id = entry.key.code.id();
    let message = match entry.count {
        1 => format!("no finding `{id}`{of} is as this entry says"),
        n => format!("fewer than {n} findings `{id}`{of} are as this entry says"),
    };
    let finding = Finding::new(
        Code::StaleBaseline,
        message,
        Some(Label::new(span, "meets nothing")),
    );
    finding.help("write the baseline again, or take the entry out")
}
