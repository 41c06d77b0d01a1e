//! Units of input to hosts: by the site's bindings, or, where there are none, by the files themselves.

use std::collections::BTreeSet;
use std::path::{Component, Path};
use std::sync::Arc;

use super::behind::{Behind, Grouped};
use super::endpoints::{Endpoints, bindings_of};
use super::groups::unbound_group;
use super::inputs::Unit;
use super::policies::Policies;
use super::sites::SiteGroup;
use super::unbound::{idle_patterns, not_given, unbound_config, unbound_roles, unmeant_resources};
use super::unread;
use super::workloads::{Whom, Workloads};
use crate::evaluate::{Addresses, Crowd, Host, World};
use crate::finding::{Finding, Summary};
use crate::model::{Families, Identities, Presence, Ruleset, docker_bridges};
use crate::packet::{Network, RangeSet};
use crate::policy::Resolved;
use crate::site::{Binder, HostFiles, Hosts, Site};
use crate::source::Spanned;

/// The hosts of a site.
pub(super) struct BoundHosts {
    pub(super) hosts: Vec<Host>,
    /// Units that are no hosts, but define what hosts are put behind, if anything.
    pub(super) n_without_hosts: usize,
}

/// Binds the units of a site to hosts. Roles without a config and configs without a role are said out loud.
pub(super) fn bind(
    group: SiteGroup,
    policies: &Policies,
    world: &mut World,
    findings: &mut Vec<Finding>,
    summary: &mut Summary,
    whom: Whom,
) -> BoundHosts {
    let SiteGroup {
        site,
        folder,
        units,
        is_whole,
        ..
    } = group;
    let binder = Binder::new(&site);
    let from = folder.unwrap_or_default();
    let path_of = |unit: &Unit| binding_path(&binder, &from, unit);
    let all_paths = units.iter().flat_map(|unit| {
        let parts = unit.parts.iter().map(|path| Binder::path_from(&from, path));
        std::iter::once(path_of(unit)).chain(parts).collect::<Vec<_>>()
    });
    let all_paths: Vec<String> = all_paths.collect();
    let (units, of_groups): (Vec<Unit>, Vec<Unit>) = units.into_iter().partition(|unit| unit.makes_hosts);
    let paths: Vec<String> = units.iter().map(path_of).collect();
    let group_paths: Vec<String> = of_groups.iter().map(path_of).collect();
    let behind = Behind::of(&site, &binder, &of_groups, &group_paths);
    let mut identities = Identities::default();
    let workloads = Workloads::of(&site, &of_groups, &behind, &mut identities);
    workloads.unchecked(whom, summary);
    let mut binding = Binding {
        site: &site,
        policies,
        identities,
        world,
    };
    let grouped = Hosts::group(&binder, &paths, site.bindings.len());
    let mut endpoints = Endpoints::of(&of_groups);
    let mut hosts = binding.of_files(
        join_families(grouped.hosts, &units),
        units,
        (&behind, &mut endpoints),
        findings,
        summary,
    );
    for node in endpoints.alone(&site, summary) {
        let grouped = behind.of_bindings(&node.bindings);
        hosts.push(binding.behind(node.name, &node.bindings, node.rulesets, grouped.as_ref()));
    }
    endpoints.unbound(summary);
    let has_node = |at: usize| endpoints.has_binding(&site, at);
    let has_host = |at: usize| !grouped.unmatched.contains(&at) || workloads.has_binding(at) || has_node(at);
    for (bound, grouped) in behind.alone(has_host) {
        findings.extend(bound.is_none().then(|| unbound_group(grouped, &site)).flatten());
        hosts.push(binding.behind(grouped.name.clone(), bound.as_slice(), Vec::new(), Some(grouped)));
    }
    hosts.extend(binding.of_workloads(&workloads, &behind, whom));
    binding.world.bridges = docker_bridges(hosts.iter().flat_map(|host| &host.rulesets));
    binding.know(&behind, (&workloads, &endpoints), &mut hosts);
    let mut unmatched = grouped.unmatched;
    unmatched.retain(|&at| !behind.has_binding(at) && !workloads.has_binding(at) && !has_node(at));
    unmeant_resources(&site, &behind, &unmatched, findings);
    if is_whole {
        idle_patterns(&site, &all_paths, &unmatched, summary);
    } else {
        let elsewhere = not_given(&site, &from, &unmatched, summary);
        unmatched.retain(|at| !elsewhere.contains(at));
    }
    unbound_roles(&site, policies, &unmatched, findings);
    if site.bindings.is_empty() && policies.resolved.iter().all(|policy| policy.name == "common") {
        summary
            .notes
            .push("no policy but `common` is in force: name one with --policy or in portcullis.toml".into());
    }
    summary.unchecked.extend(behind.idle_acls());
    BoundHosts {
        hosts,
        n_without_hosts: of_groups.len(),
    }
}

/// What hosts are made with.
struct Binding<'s> {
    site: &'s Site,
    policies: &'s Policies,
    identities: Identities,
    world: &'s mut World,
}

impl Binding<'_> {
    /// The hosts of files, with the groups that their bindings put them behind.
    fn of_files(
        &mut self,
        hosts: Vec<HostFiles>,
        units: Vec<Unit>,
        (behind, endpoints): (&Behind<'_>, &mut Endpoints<'_>),
        findings: &mut Vec<Finding>,
        summary: &mut Summary,
    ) -> Vec<Host> {
        let site = self.site;
        let mut units: Vec<Option<Unit>> = units.into_iter().map(Some).collect();
        let mut bound = Vec::new();
        for files in hosts {
            let taken = files.files.iter();
            let taken = taken.filter_map(|&file| units.get_mut(file).and_then(Option::take));
            let taken: Vec<Unit> = taken.collect();
            if taken.iter().all(|unit| unit.is_companion) {
                // What only says what others ask for is no host.
                continue;
            }
            let is_plain =
                files.bindings.is_empty() || site.bindings.iter().any(|binding| binding.everything);
            let name = if is_plain {
                taken.first().map_or(files.name.clone(), |unit| unit.name.clone())
            } else {
                files.name.clone()
            };
            let mut bindings = files.bindings;
            bindings.extend(bindings_of(site, &files.name));
            bindings.sort_unstable();
            bindings.dedup();
            if bindings.is_empty() && !site.bindings.is_empty() {
                findings.extend(taken.iter().map(unbound_config));
            }
            unread::said_twice(&name, &taken, summary);
            let rulesets = taken.into_iter().flat_map(|unit| unit.reading.rulesets);
            let rulesets = endpoints.before(&files.name, rulesets.collect());
            let grouped = behind.of_bindings(&bindings);
            bound.push(self.behind(name, &bindings, rulesets, grouped.as_ref()));
        }
        bound
    }

    /// The hosts of workloads, each behind its policies and the groups of its bindings.
    fn of_workloads(&mut self, workloads: &Workloads<'_>, behind: &Behind<'_>, whom: Whom) -> Vec<Host> {
        let mut hosts = Vec::new();
        for pods in &workloads.all {
            let mut rulesets = vec![pods.workload.ruleset.clone()];
            rulesets.extend(
                behind
                    .of_bindings(&pods.bindings)
                    .iter()
                    .flat_map(Grouped::layers),
            );
            let who = (Some(pods.identity), &pods.addresses);
            let host = self.host(pods.workload.name.clone(), &pods.bindings, rulesets, who);
            hosts.extend(pods.is_host(whom).then_some(host));
        }
        let site = self.site;
        for &(binding, identity) in &workloads.possible {
            let crowd = Crowd {
                identities: RangeSet::point(identity.into()),
                addresses: Addresses::default(),
                presence: Presence::Possible,
            };
            if let Some(binding) = site.bindings.get(binding) {
                self.meet(binding, &crowd);
            }
        }
        hosts
    }

    /// A host behind groups, if it is behind some.
    fn behind(
        &mut self,
        name: String,
        bindings: &[usize],
        mut rulesets: Vec<Ruleset>,
        grouped: Option<&Grouped<'_>>,
    ) -> Host {
        let identity = grouped.map(|grouped| grouped.identity(&mut self.identities));
        rulesets.extend(grouped.into_iter().flat_map(Grouped::layers));
        self.host(name, bindings, rulesets, (identity, &Addresses::default()))
    }

    /// A host, which is known to the world from here on, with its number and what is known of its addresses besides.
    fn host(
        &mut self,
        name: String,
        bindings: &[usize],
        rulesets: Vec<Ruleset>,
        (identity, addresses): (Option<u32>, &Addresses),
    ) -> Host {
        let bindings: Vec<_> = bindings
            .iter()
            .filter_map(|&at| self.site.bindings.get(at))
            .collect();
        for binding in &bindings {
            let at = binding.addresses.iter().chain(&binding.seen_as);
            let crowd = Crowd {
                identities: RangeSet::point(identity.unwrap_or(Identities::UNKNOWN).into()),
                addresses: Addresses::of(at.map(|network| network.value)).union(addresses),
                presence: Presence::Here,
            };
            self.meet(binding, &crowd);
        }
        let roles = bindings.iter().flat_map(|binding| &binding.roles);
        let mut roles: Vec<String> = roles.map(|role| role.value.clone()).collect();
        roles.sort();
        roles.dedup();
        let own = bindings.iter().flat_map(|binding| &binding.addresses);
        let own = own.map(|network: &Spanned<Network>| network.value);
        let is_mine = |policy: &&Resolved| policy.roles.iter().any(|role| roles.contains(&role.name));
        let is_closed_egress = self
            .site
            .closed_egress
            .as_ref()
            .is_some_and(|closed| closed.value)
            || {
                let mut mine = self.policies.resolved.iter().filter(is_mine);
                mine.any(|policy| policy.closed_egress)
            };
        let zone = |binding: &&crate::site::Binding| binding.zone.as_ref().map(|zone| zone.value.clone());
        Host {
            name,
            zone: bindings.iter().find_map(zone),
            addresses: Addresses::of(own).union(addresses),
            rulesets,
            is_closed: !roles.is_empty(),
            is_router: bindings.iter().any(|binding| binding.router),
            is_closed_egress: is_closed_egress && !roles.is_empty(),
            roles,
            identity,
            members: Arc::default(),
        }
    }

    fn meet(&mut self, binding: &crate::site::Binding, crowd: &Crowd) {
        self.world.meet(
            binding.roles.iter().map(|role| role.value.as_str()),
            binding.zone.as_ref().map(|zone| zone.value.as_str()),
            crowd,
        );
    }

    /// Tells the world and every host who there is.
    fn know(
        mut self,
        behind: &Behind<'_>,
        (workloads, endpoints): (&Workloads<'_>, &Endpoints<'_>),
        hosts: &mut [Host],
    ) {
        behind.all.identify(&mut self.identities);
        let asked = workloads
            .groups_asked()
            .into_iter()
            .chain(endpoints.groups_asked());
        let asked: BTreeSet<Arc<str>> = asked.collect();
        let members = Arc::new(self.identities.members(&asked));
        for host in hosts {
            host.members = members.clone();
        }
        self.world.identities = Arc::new(self.identities);
    }
}

/// The path by which a unit is bound: that of the file that was given, or of the first part that a binding matches.
fn binding_path(binder: &Binder, from: &Path, unit: &Unit) -> String {
    let paths = std::iter::once(&unit.path).chain(&unit.parts);
    let mut paths = paths.map(|path| Binder::path_from(from, path));
    let bound = paths.find(|path| binder.names(path).is_some());
    bound.unwrap_or_else(|| Binder::path_from(from, &unit.path))
}

/// Joins what no binding tells apart but is plainly one host: the IPv4 and the IPv6 dump of one folder whose names
/// differ in the family alone (`rules.v4` and `rules.v6`, `iptables-save` and `ip6tables-save`).
fn join_families(hosts: Vec<HostFiles>, units: &[Unit]) -> Vec<HostFiles> {
    let mut joined: Vec<HostFiles> = Vec::new();
    for host in hosts {
        let unit = |host: &HostFiles| match host.files.as_slice() {
            [only] => units.get(*only),
            _ => None,
        };
        let twin = joined.iter_mut().find(|other| {
            other.bindings == host.bindings
                && unit(other).zip(unit(&host)).is_some_and(|(a, b)| are_twins(a, b))
        });
        match twin {
            Some(twin) => twin.files.extend(host.files),
            None => joined.push(host),
        }
    }
    joined
}

fn are_twins(a: &Unit, b: &Unit) -> bool {
    let families = |unit: &Unit| unit.reading.rulesets.first().map(|ruleset| ruleset.families);
    let differ = matches!(
        (families(a), families(b)),
        (Some(Families::V4), Some(Families::V6)) | (Some(Families::V6), Some(Families::V4))
    );
    differ && a.path.parent() == b.path.parent() && stem(&a.path) == stem(&b.path)
}

/// A file's name without what tells the family.
fn stem(path: &Path) -> String {
    let name = match path.components().next_back() {
        Some(Component::Normal(name)) => name.to_string_lossy().to_lowercase(),
        _ => String::new(),
    };
    name.replace("ip6tables", "iptables")
        .replace("ip4tables", "iptables")
        .replace(['4', '6'], "")
}
