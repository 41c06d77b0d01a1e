//! The inputs of a run: found, read, put together to units and understood, in parallel.

use std::collections::BTreeMap;
use std::path::PathBuf;

use rayon::prelude::*;

use super::assemble::{self, Assembled, Claimed};
use super::sites::{self, Origin, SiteTexts};
use super::unread::{self, Unread};
use super::watch::{Stage, Watch};
use super::{Request, companion, context, exports};
use crate::dialect::{self, Dialect, Given, Reading};
use crate::discover::{self, Input};
use crate::finding::{Code, Finding, Label, Summary};
use crate::source::{FileId, SourceFile, SourceMap, Span};

/// One input that a dialect has read.
pub(crate) struct Unit {
    /// The name of its file, or the folder of its tree.
    pub(crate) name: String,
    /// The file that was given or found.
    pub(crate) path: PathBuf,
    /// The other files that it is made of.
    pub(crate) parts: Vec<PathBuf>,
    pub(crate) file: FileId,
    /// Whether it is only read with others: see [`Dialect::is_companion`].
    pub(crate) is_companion: bool,
    /// Whether it is a host: see [`Dialect::makes_hosts`].
    pub(crate) makes_hosts: bool,
    /// Whether it only says what stands before the hosts that were given: nothing is found in it.
    pub(crate) is_context: bool,
    pub(crate) reading: Reading,
}

impl Unit {
    /// `None` for a unit of no files, which is never assembled.
    fn new(assembled: Assembled, reading: Reading) -> Option<Self> {
        let is_companion = assembled.dialect.is_companion();
        let makes_hosts = assembled.dialect.makes_hosts();
        let mut paths = assembled.paths.into_iter();
        Some(Self {
            is_companion,
            makes_hosts,
            is_context: assembled.is_context,
            name: assembled.name,
            path: paths.next()?,
            parts: paths.collect(),
            file: *assembled.files.first()?,
            reading,
        })
    }
}

/// All inputs of a run, read.
pub struct Inputs {
    /// The texts read so far.
    pub sources: SourceMap,
    pub(crate) units: Vec<Unit>,
    pub(super) findings: Vec<Finding>,
    pub(crate) summary: Summary,
    pub(super) unread: Vec<Unread>,
    pub(super) site_texts: SiteTexts,
    pub(super) ways: Ways,
}

/// Through which places values came, by the bytes that made them: see [`Reading::ways`].
pub(super) type Ways = BTreeMap<Span, Vec<Label>>;

/// The texts of inputs, in parallel; `None` for what is no text of a config.
fn read_files(
    inputs: &[Input],
    skips_unknown: bool,
    watch: &Watch,
) -> Vec<Result<Option<SourceFile>, discover::ReadError>> {
    let read = |input: &Input| {
        watch.step(Stage::Files, &discover::shown(&input.path), || {
            // What was found is let be where it is no text.
            let explicit = input.explicit && !skips_unknown;
            discover::read(&Input {
                explicit,
                ..input.clone()
            })
        })
    };
    watch.stage(Stage::Files, inputs.len(), || {
        inputs.par_iter().map(read).collect()
    })
}

/// What dialects make of units, each with its companions and what it is given, in parallel.
fn read_units(
    sources: &SourceMap,
    (units, companions, given): (&[Assembled], &[Vec<FileId>], &[Given]),
    watch: &Watch,
) -> Vec<Reading> {
    let read = |((unit, companions), given): ((&Assembled, &Vec<FileId>), &Given)| {
        let files = unit.files.iter().chain(companions);
        let files: Vec<_> = files.map(|file| sources.source(*file)).collect();
        watch.step(Stage::Configs, &unit.name, || {
            unit.dialect.read_given(&files, given)
        })
    };
    watch.stage(Stage::Configs, units.len(), || {
        let all = units.par_iter().zip(companions).zip(given);
        all.map(read).collect()
    })
}

/// Finds and reads the inputs: in parallel, in sorted order.
#[must_use]
pub fn read_inputs(request: &Request) -> Inputs {
    let forced = request.dialect.as_deref().and_then(dialect::by_name);
    let (paths, site) = (&request.paths, request.site.as_deref());
    let discovery = discover::discover(paths);
    let mut summary = Summary::default();
    summary
        .failures
        .extend(discovery.errors.iter().map(ToString::to_string));
    let files = read_files(&discovery.inputs, request.skips_unknown, &request.watch);
    let mut sources = SourceMap::new();
    let mut claimed: Vec<Claimed> = Vec::new();
    let mut unread = Vec::new();
    for (input, file) in discovery.inputs.into_iter().zip(files) {
        match file {
            Err(error) => summary.failures.push(error.to_string()),
            Ok(None) => unread.push(Unread {
                input,
                is_binary: true,
            }),
            Ok(Some(file)) => {
                let rest = add(&mut sources, &mut claimed, (input, file), forced);
                unread.extend(rest);
            }
        }
    }
    let context = context::of_groups(&claimed, site, &request.arguments.roles);
    let claimed = (claimed, context);
    let mut assembled = assemble::assemble(&mut sources, claimed, site, &mut unread, &mut summary);
    if !request.skips_unknown {
        unread::named_but_unread(&mut unread, &mut summary);
    }
    unread::binary_configs(&unread, &mut summary);
    let companions = companion::companions(&assembled, site);
    unread::unasked_companions(&assembled, &companions, &mut summary);
    let mut site_texts = SiteTexts::default();
    let origin = Origin {
        site,
        arguments: &request.arguments,
    };
    let mut given: Vec<Given> = assembled
        .iter()
        .map(|unit| match unit.paths.first() {
            Some(path) => site_texts.given(&mut sources, path, &origin),
            None => Given::default(),
        })
        .collect();
    assemble::add_given(&mut sources, &mut assembled, &given, &mut summary);
    exports::share(&sources, &assembled, &mut given);
    let units = (assembled.as_slice(), companions.as_slice(), given.as_slice());
    let readings = read_units(&sources, units, &request.watch);
    sites::unasked(&given, &readings, &mut summary);
    let mut findings = Vec::new();
    let mut units = Vec::new();
    let mut ways: Ways = BTreeMap::new();
    for (unit, mut reading) in assembled.into_iter().zip(readings) {
        if unit.is_context {
            reading.ways.clear();
            reading.notices.clear();
            reading.notes.clear();
            reading.unchecked.clear();
        }
        for &file in &unit.files {
            findings.extend(undecodable(&sources, file));
            summary.n_files += 1;
        }
        summary.n_rules += reading.n_rules;
        let unchecked = reading.unchecked.drain(..);
        summary
            .unchecked
            .extend(unchecked.map(|what| format!("{}: {what}", unit.name)));
        let notes = reading.notes.drain(..);
        summary
            .notes
            .extend(notes.map(|note| format!("{}: {note}", unit.name)));
        let unknown = reading
            .notices
            .iter()
            .filter(|notice| notice.code == Code::UnsupportedMatch)
            .count();
        summary.n_unknown += unknown;
        for (span, labels) in std::mem::take(&mut reading.ways) {
            ways.entry(span).or_default().extend(labels);
        }
        let is_empty = |file: &FileId| is_blank(sources.file(*file).text());
        if reading.rulesets.is_empty() && unit.files.iter().all(is_empty) {
            summary
                .failures
                .push(format!("{}: there is nothing in it", unit.name));
        }
        findings.append(&mut reading.notices);
        units.extend(Unit::new(unit, reading));
    }
    Inputs {
        sources,
        units,
        findings,
        summary,
        unread,
        site_texts,
        ways,
    }
}

/// Whether a text says nothing: what a failed `iptables-save >` leaves behind.
fn is_blank(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim);
    lines.all(|line| line.is_empty() || line.starts_with('#'))
}

/// Keeps a file that some dialect claims; gives back one that none does.
fn add(
    sources: &mut SourceMap,
    claimed: &mut Vec<Claimed>,
    (input, file): (Input, SourceFile),
    forced: Option<&'static dyn Dialect>,
) -> Option<Unread> {
    let found = dialect::detect(file.source(sources.next_id()));
    // Whatever the dumps are said to be, what goes with them is what it is.
    let companion = found.filter(|dialect| dialect.is_companion());
    let Some(dialect) = companion.or(forced).or(found) else {
        return Some(Unread {
            input,
            is_binary: false,
        });
    };
    let file = sources.add(file);
    claimed.push((input, file, dialect));
    None
}

/// One finding for each run of bytes that is not UTF-8.
fn undecodable(sources: &SourceMap, file: FileId) -> Vec<Finding> {
    let bad = sources.file(file).undecodable();
    let finding = |part: &crate::source::Undecodable| {
        let label = Label::new(Span::new(file, part.start, part.end), "not UTF-8");
        Finding::new(Code::UnreadText, "these bytes are not UTF-8 text", Some(label))
            .help("convert the file, or take the bytes out")
    };
    bad.iter().map(finding).collect()
}
