//! What commands look at that report no findings: hosts and clusters, one at a time.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::sites;
use super::workloads::Whom;
use super::{Inputs, Refusal, Request, load_policies, read_inputs, unread};
use crate::dialect::kubernetes::Cluster;
use crate::evaluate::{Host, World};
use crate::finding::{Code, Finding, Summary};
use crate::policy::Row;
use crate::source::SourceMap;

/// Texts, hosts with the world of each, and what went wrong.
pub type HostsFound = (SourceMap, Vec<(Host, World)>, Summary);

/// The hosts of a run, for the commands that look at one at a time.
pub fn hosts(request: &Request) -> Result<HostsFound, Refusal> {
    let (sources, hosts, summary) = hosts_of(request, Whom::Bound)?;
    let hosts = hosts.into_iter().map(|found| (found.host, found.world));
    Ok((sources, hosts.collect(), summary))
}

/// A host with the rows in force on its site.
pub(super) struct HostFound {
    pub(super) host: Host,
    pub(super) world: World,
    pub(super) rows: Arc<[Row]>,
}

/// The hosts of a run, with those workloads.
pub(super) fn hosts_of(
    request: &Request,
    whom: Whom,
) -> Result<(SourceMap, Vec<HostFound>, Summary), Refusal> {
    let Inputs {
        mut sources,
        units,
        mut findings,
        mut summary,
        unread,
        mut site_texts,
        ways: _,
    } = read_inputs(request);
    let groups = match sites::group(&mut sources, units, request, &mut site_texts) {
        Ok(groups) => groups,
        Err(errors) => return Err(Refusal { sources, errors }),
    };
    let mut hosts = Vec::new();
    for mut group in groups {
        unread::bound_but_unread(&group, &unread, &mut summary);
        let policies = match load_policies(&mut sources, &mut group.site, group.folder.as_deref()) {
            Ok(loaded) => loaded,
            Err(errors) => return Err(Refusal { sources, errors }),
        };
        let mut world = sites::world(&group.site, &policies);
        let rows: Arc<[Row]> = policies.rows(&group.site).into();
        let bound = super::hosts::bind(group, &policies, &mut world, &mut findings, &mut summary, whom);
        summary.n_without_hosts += bound.n_without_hosts;
        hosts.extend(bound.hosts.into_iter().map(|host| HostFound {
            host,
            world: world.clone(),
            rows: rows.clone(),
        }));
    }
    note_unread(&sources, &findings, &mut summary);
    Ok((sources, hosts, summary))
}

/// Texts, clusters with their names, and what went wrong.
pub type ClustersFound = (SourceMap, Vec<(String, Cluster)>, Summary);

/// The clusters of a run, for the command that asks who may reach whom.
#[must_use]
pub fn clusters(request: &Request) -> ClustersFound {
    let mut inputs = read_inputs(request);
    note_unread(&inputs.sources, &inputs.findings, &mut inputs.summary);
    note_open(&inputs.sources, &inputs.findings, &mut inputs.summary);
    let units = inputs.units.into_iter();
    let clusters = units.filter_map(|unit| Some((unit.name, unit.reading.cluster?)));
    (inputs.sources, clusters.collect(), inputs.summary)
}

/// Keeps of findings, for commands that report none, what means that something was not read.
fn note_unread(sources: &SourceMap, findings: &[Finding], summary: &mut Summary) {
    for finding in findings {
        let list = match finding.code {
            Code::UnreadText => &mut summary.failures,
            Code::DanglingReference => &mut summary.dangling,
            _ => continue,
        };
        list.push(said(sources, finding));
    }
}

/// Keeps of findings what is not modelled, once: why answers are possible only.
fn note_open(sources: &SourceMap, findings: &[Finding], summary: &mut Summary) {
    let mut messages = BTreeSet::new();
    let open = findings.iter().filter(|one| one.code == Code::UnsupportedMatch);
    let first = open.filter(|one| messages.insert(one.message.as_str()));
    summary.open = first.map(|one| said(sources, one)).collect();
}

fn said(sources: &SourceMap, finding: &Finding) -> String {
    let place = finding.primary.as_ref().map(|label| sources.place(label.span));
    format!("{}: {}", place.unwrap_or_default(), finding.message)
}
