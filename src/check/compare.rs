//! Two states of the same configs: their hosts in pairs, and what becomes other at each.

use std::collections::BTreeMap;
use std::path::Path;

use rayon::prelude::*;

use super::found::{HostFound, hosts_of};
use super::workloads::Whom;
use super::{Refusal, Request};
use crate::baseline::Names;
use crate::evaluate::{self, Changes, Told};
use crate::finding::Summary;
use crate::packet::{Family, OverBudget};
use crate::source::{SourceMap, Span};

/// What becomes other at a host.
#[derive(Debug)]
pub struct HostChanges {
    /// What it was called, if it was there.
    pub old: Option<String>,
    /// What it is called, if it is there.
    pub new: Option<String>,
    /// What becomes of which packets; or that it is not known.
    pub changes: Result<Changes, OverBudget>,
}

/// Two states, compared.
#[derive(Debug)]
pub struct Compared {
    /// The texts of the old and the new state.
    pub sources: [SourceMap; 2],
    /// What each run says.
    pub summaries: [Summary; 2],
    /// What was not compared, and why.
    pub uncompared: Uncompared,
    /// All hosts of both, in the order of the new state, those that are gone last.
    pub hosts: Vec<HostChanges>,
}

/// What no packets were compared of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Uncompared {
    /// What is there in one state alone, or otherwise: a change.
    pub changed: Vec<String>,
    /// What neither state is judged by.
    pub unread: Vec<String>,
}

/// One state of the configs.
#[derive(Debug, Clone, Copy)]
pub struct State<'a> {
    /// What is asked of it.
    pub request: &'a Request,
    /// The folder from which its files and hosts are named.
    pub root: &'a Path,
}

/// A host with what it is known by: its name, and the file that its filters are from.
struct Named {
    name: String,
    file: String,
    found: HostFound,
}

/// Compares the hosts of two states, by their openings. A state that is none has no hosts.
pub fn compare(old: Option<State<'_>>, new: Option<State<'_>>) -> Result<Compared, Refusal> {
    let budget = old.or(new).map_or(0, |state| state.request.budget);
    let (old_sources, old_hosts, old_summary) = found(old)?;
    let (new_sources, new_hosts, new_summary) = found(new)?;
    let pairs = pair(&old_hosts, &new_hosts, budget);
    let text = |sources: &'_ SourceMap, span: Span| sources.text(span).to_owned();
    let (old_text, new_text) = (
        |span: Span| text(&old_sources, span),
        |span: Span| text(&new_sources, span),
    );
    let hosts = pairs
        .par_iter()
        .map(|&(old, new)| {
            let old = old.and_then(|at| old_hosts.get(at));
            let new = new.and_then(|at| new_hosts.get(at));
            HostChanges {
                old: old.map(|named| named.name.clone()),
                new: new.map(|named| named.name.clone()),
                changes: evaluate::changes(
                    old.map(|named| told(named, &old_text)),
                    new.map(|named| told(named, &new_text)),
                    budget,
                ),
            }
        })
        .collect();
    let mut changed: Vec<String> = Vec::new();
    for &(old, new) in &pairs {
        let of = |at: Option<usize>, hosts: &[Named]| {
            at.and_then(|at| hosts.get(at).map(|named| named.found.host.families()))
        };
        if let (Some(was), Some(is)) = (of(old, &old_hosts), of(new, &new_hosts)) {
            let name = new
                .and_then(|at| new_hosts.get(at))
                .map_or("", |named| &named.name);
            changed.extend(in_one_state(name, &was, &is));
        }
    }
    let (mut unread, was) = (new_summary.unchecked.clone(), old_summary.unchecked.clone());
    unread.extend(was);
    unread.sort();
    unread.dedup();
    Ok(Compared {
        uncompared: Uncompared { changed, unread },
        hosts,
        summaries: [old_summary, new_summary],
        sources: [old_sources, new_sources],
    })
}

/// The families of a host that only one state has filters for.
fn in_one_state(name: &str, was: &[Family], is: &[Family]) -> Vec<String> {
    let mut said = Vec::new();
    for family in Family::ALL {
        let word = family.word();
        match (was.contains(&family), is.contains(&family)) {
            (true, false) if is.is_empty() => said.push(format!(
                "{word} of `{name}`: nothing filters it now, so everything gets through unless rules that were not read stop it"
            )),
            (true, false) => said.push(format!(
                "{word} of `{name}`: only the old state filters it, so what gets through now is not known"
            )),
            (false, true) => said.push(format!(
                "{word} of `{name}`: only the new state filters it, so what got through before is not known"
            )),
            _ => {}
        }
    }
    said
}

fn told<'a>(named: &'a Named, text: &'a (dyn Fn(Span) -> String + Sync)) -> Told<'a> {
    Told {
        host: &named.found.host,
        world: &named.found.world,
        rows: &named.found.rows,
        text,
    }
}

/// The hosts of a state, as they are called from its folder.
fn found(state: Option<State<'_>>) -> Result<(SourceMap, Vec<Named>, Summary), Refusal> {
    let Some(State { request, root }) = state else {
        return Ok((SourceMap::new(), Vec::new(), Summary::default()));
    };
    let (sources, hosts, mut summary) = hosts_of(request, Whom::Everybody)?;
    if hosts.is_empty() && summary.n_without_hosts == 0 && summary.failures.is_empty() {
        let paths: Vec<_> = request
            .paths
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        let failure = format!("{}: no input that a dialect knows", paths.join(", "));
        summary.failures.push(failure);
    }
    for what in &mut summary.unchecked {
        *what = without_folder(root, what);
    }
    let mut names = Names::new(root).of_run(&request.paths);
    let hosts = hosts.into_iter().map(|found| {
        let mut bases = found.host.rulesets.iter().flat_map(|ruleset| &ruleset.bases);
        let file = bases
            .next()
            .map(|base| sources.file(base.default_span.file).name());
        Named {
            name: names.of(&found.host.name),
            file: names.of(file.unwrap_or_default()),
            found,
        }
    });
    let hosts = hosts.collect();
    Ok((sources, hosts, summary))
}

/// A line of a summary without the folder of its state before it.
fn without_folder(root: &Path, line: &str) -> String {
    let folder = root.display().to_string();
    let rest = line.strip_prefix(folder.as_str());
    let rest = rest.and_then(|rest| rest.strip_prefix(['/', ':']));
    rest.map_or(line, str::trim_start).to_owned()
}

/// Places of hosts in the lists of both states.
type Pair = (Option<usize>, Option<usize>);

/// Which hosts of two states are the same: by name and file; by name; by the last part of a name that is a path; by what is open at
/// them. INVARIANT: each host is in one pair.
fn pair(old: &[Named], new: &[Named], budget: usize) -> Vec<Pair> {
    let mut partners = Partners {
        of_new: vec![None; new.len()],
        of_old: vec![None; old.len()],
    };
    partners.meet(old, new, |named| Some((named.name.clone(), named.file.clone())));
    partners.meet(old, new, |named| Some((named.name.clone(), String::new())));
    let last = |named: &Named| {
        named
            .name
            .rsplit_once('/')
            .map_or(named.name.clone(), |(_, last)| last.into())
    };
    partners.meet(old, new, |named| (named.name == named.file).then(|| last(named)));
    let is_left = |partners: &[Option<usize>]| partners.iter().any(Option::is_none);
    if is_left(&partners.of_new) && is_left(&partners.of_old) {
        // A host without a name in common that opens the same was renamed.
        let number =
            |named: &Named| evaluate::fingerprint(&named.found.host, &named.found.world, budget).ok();
        partners.meet(old, new, number);
    }
    if let ([_], [_]) = (old, new) {
        partners.meet(old, new, |_| Some(()));
    }
    let kept = partners
        .of_new
        .iter()
        .enumerate()
        .map(|(at, old)| (*old, Some(at)));
    let gone = partners
        .of_old
        .iter()
        .enumerate()
        .filter(|(_, new)| new.is_none());
    kept.chain(gone.map(|(at, _)| (Some(at), None))).collect()
}

/// The partners found so far.
struct Partners {
    of_new: Vec<Option<usize>>,
    of_old: Vec<Option<usize>>,
}

impl Partners {
    /// Pairs those without a partner that have the same key, if it is theirs alone; the first of each where it is not.
    fn meet<K: Ord>(&mut self, old: &[Named], new: &[Named], key: impl Fn(&Named) -> Option<K>) {
        let mut waiting: BTreeMap<K, Vec<usize>> = BTreeMap::new();
        for (at, named) in old.iter().enumerate() {
            if self.of_old.get(at).is_some_and(Option::is_none)
                && let Some(key) = key(named)
            {
                waiting.entry(key).or_default().push(at);
            }
        }
        for (at, named) in new.iter().enumerate() {
            let Some(partner) = self.of_new.get_mut(at).filter(|partner| partner.is_none()) else {
                continue;
            };
            let same = key(named).and_then(|key| waiting.get_mut(&key));
            let Some(first) = same.filter(|same| !same.is_empty()).map(|same| same.remove(0)) else {
                continue;
            };
            *partner = Some(first);
            if let Some(back) = self.of_old.get_mut(first) {
                *back = Some(at);
            }
        }
    }
}
