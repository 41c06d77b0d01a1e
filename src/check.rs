//! The pipeline: discover, read, lower, bind, evaluate. Threads live here, and where one host's findings get their words.
//!
//! INVARIANT: the outcome is a function of the inputs. Work is done in parallel, but collected in the sorted order of the
//! inputs; nothing depends on which thread was first.

mod assemble;
mod behind;
mod companion;
mod compare;
mod context;
mod coverage;
mod endpoints;
mod exports;
mod found;
mod groups;
mod hosts;
mod judge;
mod known;
mod merge;
mod names;
mod owner;
mod policies;
mod sites;
mod unbound;
mod unread;
mod waiver;
mod watch;
mod workloads;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use rayon::prelude::*;

use crate::baseline::Entry;
use crate::dialect::{self, Dialect, Given, Reading};
use crate::discover::{self, Input};
use crate::finding::{Code, Coverage, Finding, Known, Label, Severity, Summary};
use crate::site::Arguments;
use crate::source::{FileId, SourceFile, SourceMap, Span};
use crate::suppress;

use assemble::{Assembled, Claimed};
pub use compare::{Compared, HostChanges, State, compare};
pub use found::{ClustersFound, HostsFound, clusters, hosts};
pub use known::Past;
pub use policies::{LoadError, Policies, load_policies};
pub use sites::SiteGroup;
use sites::{Origin, SiteTexts};
use unread::Unread;
pub use watch::{Stage, Watch, Watcher};

/// What a run is asked to do.
#[derive(Debug, Clone)]
pub struct Request {
    /// Files and folders; `-` is standard input.
    pub paths: Vec<PathBuf>,
    /// The dialect of every file, instead of finding out.
    pub dialect: Option<String>,
    /// What the command line says of the site.
    pub arguments: Arguments,
    /// The site file, instead of the one found upward from the inputs.
    pub site: Option<PathBuf>,
    /// Edges that one host's diagrams may have.
    pub budget: usize,
    /// Whether to say of each row and each opening what became of it.
    pub coverage: bool,
    /// Whether what is alike on several hosts or in several files is said once.
    pub is_merged: bool,
    /// What is done about findings that were there before.
    pub known: Past,
    /// Who looks on.
    pub watch: Watch,
}

/// What a run found.
#[derive(Debug)]
pub struct Outcome {
    /// All texts: inputs, site files, policies, the command line.
    pub sources: SourceMap,
    /// The findings, sorted.
    pub findings: Vec<Finding>,
    /// The findings that comments took back, sorted.
    pub known: Vec<Known>,
    /// Counts and notes.
    pub summary: Summary,
    /// What became of each row and each opening, if that was asked for.
    pub coverage: Option<Coverage>,
    /// From which severity on the site wants a run to fail.
    pub fail_on: Option<Severity>,
    /// The site file, if there was one.
    pub site: Option<FileId>,
    /// The findings as a baseline lists them, if that was asked for.
    pub entries: Vec<Entry>,
}

/// The run cannot start: a policy or site file is wrong, with the texts that the errors point into.
#[derive(Debug)]
pub struct Refusal {
    /// The texts.
    pub sources: SourceMap,
    /// What is wrong.
    pub errors: Vec<LoadError>,
}

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
    findings: Vec<Finding>,
    summary: Summary,
    unread: Vec<Unread>,
    site_texts: SiteTexts,
    ways: Ways,
}

/// Through which places values came, by the bytes that made them: see [`Reading::ways`].
type Ways = BTreeMap<Span, Vec<Label>>;

/// The texts of inputs, in parallel; `None` for what is no text of a config.
fn read_files(inputs: &[Input], watch: &Watch) -> Vec<Result<Option<SourceFile>, discover::ReadError>> {
    let read = |input: &Input| {
        watch.step(Stage::Files, &discover::shown(&input.path), || {
            discover::read(input)
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
    let files = read_files(&discovery.inputs, &request.watch);
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
    unread::named_but_unread(&mut unread, &mut summary);
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
        }
        for &file in &unit.files {
            findings.extend(undecodable(&sources, file));
            summary.n_files += 1;
        }
        summary.n_rules += reading.n_rules;
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

/// Adds to findings how the values came to where they decide.
fn show_ways(findings: &mut [Finding], ways: &Ways) {
    for finding in findings {
        let labels = finding.primary.as_ref().and_then(|label| ways.get(&label.span));
        for label in labels.into_iter().flatten() {
            if !finding.related.iter().any(|known| known.span == label.span) {
                finding.related.push(label.clone());
            }
        }
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

/// Checks the inputs against the policies of their sites.
pub fn check(request: &Request) -> Result<Outcome, Refusal> {
    let Inputs {
        mut sources,
        units,
        mut findings,
        mut summary,
        unread,
        mut site_texts,
        ways,
    } = read_inputs(request);
    let groups = match sites::group(&mut sources, units, request, &mut site_texts) {
        Ok(groups) => groups,
        Err(errors) => return Err(Refusal { sources, errors }),
    };
    let mut fail_on = None;
    let mut site = None;
    let mut left_out: Option<BTreeSet<Code>> = None;
    let n_groups = groups.len();
    let mut coverage = request.coverage.then(Coverage::default);
    let baselines = match request.known.baselines(&groups, &mut sources) {
        Ok(baselines) => baselines,
        Err(errors) => return Err(Refusal { sources, errors }),
    };
    for mut group in groups {
        unread::bound_but_unread(&group, &unread, &mut summary);
        fail_on = fail_on.min(group.fail_on()).or(group.fail_on());
        site = site.or(group.file);
        // What one of several sites asks for is reported.
        let not_here = group.site.selection.left_out();
        left_out = Some(match left_out {
            Some(left_out) => left_out.intersection(&not_here).copied().collect(),
            None => not_here,
        });
        let loaded = match load_policies(&mut sources, &mut group.site, group.folder.as_deref()) {
            Ok(loaded) => loaded,
            Err(errors) => return Err(Refusal { sources, errors }),
        };
        let evaluated = judge::check_group(group, &loaded, request, &mut findings, &mut summary);
        if let Some(coverage) = &mut coverage {
            coverage::add(coverage, &loaded, evaluated);
        }
    }
    let n_checked = summary.n_hosts + summary.n_without_hosts;
    if (n_groups == 0 || n_checked == 0) && summary.failures.is_empty() {
        summary
            .failures
            .push("no input that a dialect knows: nothing was checked".into());
    }
    show_ways(&mut findings, &ways);
    let left_out = left_out.unwrap_or_default();
    let mut not_asked: Vec<Code> = left_out.iter().copied().collect();
    if !request.arguments.redundant {
        not_asked.push(Code::RedundantRule);
    }
    let suppressed = suppress::apply(&sources, findings, request.arguments.today, &not_asked);
    let mut findings = suppressed.findings;
    let n_all = findings.len();
    findings.retain(|finding| !left_out.contains(&finding.code));
    summary.n_ignored = n_all - findings.len();
    summary.n_suppressed = suppressed.known.len();
    let entries = request.known.entries(&findings, &sources);
    let mut findings = baselines.take_back(&sources, findings, &not_asked, &mut summary);
    if request.is_merged {
        findings = merge::alike(&sources, findings);
    }
    summary.notes.sort();
    summary.notes.dedup();
    Ok(Outcome {
        sources,
        findings,
        known: suppressed.known,
        summary,
        coverage,
        fail_on,
        site,
        entries,
    })
}

impl SiteGroup {
    fn fail_on(&self) -> Option<Severity> {
        self.site.fail_on.as_ref().map(|severity| severity.value)
    }
}
