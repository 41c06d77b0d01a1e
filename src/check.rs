//! The pipeline: discover, read, lower, bind, evaluate. Threads live in this folder: inputs are read in parallel (`inputs.rs`),
//! and hosts judged (`judge.rs`).
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
mod inputs;
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

use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::baseline::Entry;
use crate::finding::{Code, Coverage, Finding, Known, Severity, Summary};
use crate::site::Arguments;
use crate::source::{FileId, SourceMap};
use crate::suppress;

pub use compare::{Compared, HostChanges, State, Uncompared, compare};
pub use found::{ClustersFound, HostsFound, clusters, hosts};
pub use inputs::{Inputs, read_inputs};
pub use known::Past;
pub use policies::{LoadError, Policies, load_policies};
pub use sites::SiteGroup;
pub use watch::{Stage, Watch, Watcher};

use inputs::Ways;

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
    /// Whether given files that no dialect knows are passed over, as those found in folders are.
    pub skips_unknown: bool,
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
    /// Where the first site that names a baseline has it.
    pub baseline: Option<PathBuf>,
}

/// The run cannot start: a policy or site file is wrong, with the texts that the errors point into.
#[derive(Debug)]
pub struct Refusal {
    /// The texts.
    pub sources: SourceMap,
    /// What is wrong.
    pub errors: Vec<LoadError>,
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
    let baseline = groups.iter().find_map(known::of_site);
    let baseline = baseline.map(|(_, path)| PathBuf::from(crate::discover::shown(&path)));
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
        let said = "no input that a dialect knows: nothing was checked".to_owned();
        if request.skips_unknown {
            summary.unchecked.push(said);
        } else {
            summary.failures.push(said);
        }
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
    let entries = request
        .known
        .entries(&findings, &sources, &request.paths, baseline.as_deref());
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
        baseline,
    })
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

impl SiteGroup {
    fn fail_on(&self) -> Option<Severity> {
        self.site.fail_on.as_ref().map(|severity| severity.value)
    }
}
