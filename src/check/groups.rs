//! Groups to hosts: which security groups and network ACLs stand before which host, and who is in which group.
//!
//! INVARIANT: a group that no binding means is checked too, as a host of its own; a network ACL is not, since what it lets
//! through meets security groups that nobody named.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Unit;
use crate::finding::{Code, Finding, Label};
use crate::model::{
    Group, Identities, Identity, Layer, Member, Presence, Ruleset, Unknown, group_keys, layers,
};
use crate::site::{Binder, Binding, Site, resource_matches};
use crate::source::Span;

/// The groups of one host.
#[derive(Default)]
pub(super) struct Grouped<'u> {
    /// What it is called, where it is not a host of files.
    pub(super) name: String,
    groups: Vec<&'u Group>,
    others: Vec<(Unknown, Span)>,
}

impl<'u> Grouped<'u> {
    fn add(&mut self, group: &'u Group) {
        if self.groups.iter().all(|known| known.key != group.key) {
            self.groups.push(group);
        }
    }

    /// The rulesets that stand before the host.
    pub(super) fn layers(&self) -> Vec<Ruleset> {
        layers(&self.groups, &self.others)
    }

    /// The groups that its packets come from.
    pub(super) fn keys(&self) -> Vec<Arc<str>> {
        let of = self
            .groups
            .iter()
            .filter(|group| group.layer != Layer::NetworkAcl);
        let mut keys: Vec<_> = of.map(|group| group.key.clone()).collect();
        keys.sort_unstable();
        keys
    }

    /// Its number among the identities of the run.
    pub(super) fn identity(&self, identities: &mut Identities) -> u32 {
        let names = self.groups.iter().map(|group| format!("`{}`", group.name));
        let names: Vec<_> = names.collect();
        class(identities, self.keys(), &names.join(" and "), Presence::Here)
    }
}

/// Which bindings put hosts behind which groups.
pub(super) struct Behind<'u> {
    /// Binding by binding.
    bound: Vec<(usize, Grouped<'u>)>,
    /// Bindings of everything: a group of theirs stands before no host of files.
    everything: Vec<usize>,
    unbound: Vec<Grouped<'u>>,
    pub(super) all: Groups<'u>,
}

impl<'u> Behind<'u> {
    /// The groups of `units`, which are bound by `paths`. A binding whose `files` match some of them means those only.
    pub(super) fn of(site: &Site, binder: &Binder, units: &'u [Unit], paths: &[String]) -> Self {
        let all = Groups::of(units.iter());
        let mut bound = Vec::new();
        for (at, binding) in site.bindings.iter().enumerate() {
            if binding.everything {
                bound.extend(all.everything().into_iter().map(|grouped| (at, grouped)));
                continue;
            }
            let is_named = |path: &String| binder.bind(path).iter().any(|one| one.binding == at);
            let named = units.iter().zip(paths).filter(|(_, path)| is_named(path));
            let named: Vec<&Unit> = named.map(|(unit, _)| unit).collect();
            let found = if named.is_empty() {
                all.bound(binding)
            } else {
                Groups::of(named.into_iter()).bound(binding)
            };
            bound.extend(found.into_iter().map(|grouped| (at, grouped)));
        }
        let unbound = all.unbound(&bound.iter().map(|(_, grouped)| grouped).collect::<Vec<_>>());
        let bindings = site.bindings.iter().enumerate();
        let everything = bindings.filter(|(_, binding)| binding.everything);
        Self {
            everything: everything.map(|(at, _)| at).collect(),
            bound,
            unbound,
            all,
        }
    }

    /// Whether a binding puts some host behind a group.
    pub(super) fn has_binding(&self, at: usize) -> bool {
        self.bound.iter().any(|(binding, _)| *binding == at)
    }

    /// What is said of network ACLs that stand before no host.
    pub(super) fn idle_acls(&self) -> Vec<String> {
        let hosts = self.bound.iter().map(|(_, grouped)| grouped);
        self.all.idle_acls(&hosts.collect::<Vec<_>>())
    }

    /// The groups before a host of files that has these bindings.
    pub(super) fn of_bindings(&self, bindings: &[usize]) -> Option<Grouped<'u>> {
        let mut all = Grouped::default();
        let is_meant = |at: &usize| bindings.contains(at) && !self.everything.contains(at);
        for (_, grouped) in self.bound.iter().filter(|(at, _)| is_meant(at)) {
            for group in &grouped.groups {
                all.add(group);
            }
            all.others.extend(grouped.others.iter().cloned());
        }
        (!all.groups.is_empty()).then_some(all)
    }

    /// The hosts that have no files, each with its binding if it has one: where a binding has hosts of files, they are those.
    pub(super) fn alone(
        &self,
        has_files: impl Fn(usize) -> bool,
    ) -> impl Iterator<Item = (Option<usize>, &Grouped<'u>)> {
        let is_alone = move |at: usize| self.everything.contains(&at) || !has_files(at);
        let bound = self.bound.iter().filter(move |(at, _)| is_alone(*at));
        let bound = bound.map(|(at, grouped)| (Some(*at), grouped));
        bound.chain(self.unbound.iter().map(|grouped| (None, grouped)))
    }
}

/// All groups of some units with what is attached to them.
pub(super) struct Groups<'u> {
    groups: Vec<&'u Group>,
    members: Vec<&'u Member>,
}

impl<'u> Groups<'u> {
    fn of(units: impl Iterator<Item = &'u Unit> + Clone) -> Self {
        Self {
            groups: units.clone().flat_map(|unit| &unit.reading.groups).collect(),
            members: units.flat_map(|unit| &unit.reading.members).collect(),
        }
    }

    fn by_key(&self, key: &Arc<str>) -> Option<&'u Group> {
        self.groups.iter().find(|group| group.key == *key).copied()
    }

    /// The groups of something that is attached to them.
    fn of_member(&self, member: &'u Member) -> Grouped<'u> {
        let mut grouped = Grouped {
            name: member.name.clone(),
            ..Grouped::default()
        };
        for (key, _) in &member.groups {
            if let Some(group) = self.by_key(key) {
                grouped.add(group);
            }
        }
        let others = member.others.iter();
        grouped
            .others
            .extend(others.map(|unknown| (unknown.clone(), member.span)));
        grouped
    }

    /// Whether a pattern of a binding means anything that was read.
    pub(super) fn has(&self, pattern: &str) -> bool {
        let is_meant = |name: &str| resource_matches(pattern, name);
        let is_named =
            |group: &&Group| is_meant(&group.name) || is_meant(&group.key) || names(group).any(is_meant);
        self.groups.iter().any(is_named) || self.members.iter().any(|member| is_meant(&member.name))
    }

    /// What is said of network ACLs that stand before no host.
    pub(super) fn idle_acls(&self, hosts: &[&Grouped<'u>]) -> Vec<String> {
        let is_used = |acl: &Group| {
            let mut groups = hosts.iter().flat_map(|host| &host.groups);
            groups.any(|group| group.key == acl.key)
        };
        let acls = self
            .groups
            .iter()
            .filter(|group| group.layer == Layer::NetworkAcl);
        let idle = acls.filter(|acl| !is_used(acl));
        idle.map(|acl| {
            format!("network ACL `{}` stands before no host that is bound: add it to the `resources` of a `[[bind]]`", acl.name)
        })
        .collect()
    }

    /// The hosts that a binding means by its `resources`: each thing that is attached to groups, else one host behind all groups
    /// that it names.
    fn bound(&self, binding: &Binding) -> Vec<Grouped<'u>> {
        let means = |name: &str| {
            let patterns = binding.resources.iter();
            patterns
                .map(|pattern| pattern.value.as_str())
                .any(|pattern| resource_matches(pattern, name))
        };
        let names = |group: &Group| means(&group.name) || means(&group.key) || names(group).any(means);
        let members: Vec<_> = self.members.iter().filter(|member| means(&member.name)).collect();
        if !members.is_empty() {
            let acls = self
                .groups
                .iter()
                .filter(|group| group.layer == Layer::NetworkAcl);
            let acls: Vec<_> = acls.filter(|group| names(group)).collect();
            let hosts = members.into_iter().map(|member| {
                let mut host = self.of_member(member);
                for acl in &acls {
                    host.add(acl);
                }
                host
            });
            return hosts.filter(|grouped| !grouped.groups.is_empty()).collect();
        }
        let mut one = Grouped::default();
        for group in self.groups.iter().filter(|group| names(group)) {
            one.add(group);
        }
        if let Some(first) = one.groups.first() {
            one.name.clone_from(&first.name);
        }
        let is_any = !one.groups.is_empty();
        is_any.then_some(one).into_iter().collect()
    }

    /// All hosts of a run that binds everything to the same roles: what is attached to groups, and the groups that nothing is
    /// attached to.
    fn everything(&self) -> Vec<Grouped<'u>> {
        let members = self.members.iter().map(|member| self.of_member(member));
        let mut hosts: Vec<_> = members.filter(|grouped| !grouped.groups.is_empty()).collect();
        let attached: BTreeSet<&Arc<str>> = hosts
            .iter()
            .flat_map(|host| &host.groups)
            .map(|group| &group.key)
            .collect();
        let alone = self.alone(&|group| attached.contains(&group.key));
        hosts.extend(alone);
        hosts
    }

    /// The groups that no bound host has, each a host of its own.
    fn unbound(&self, bound: &[&Grouped<'u>]) -> Vec<Grouped<'u>> {
        let keys: BTreeSet<&Arc<str>> = bound
            .iter()
            .flat_map(|host| &host.groups)
            .map(|group| &group.key)
            .collect();
        self.alone(&|group| keys.contains(&group.key))
    }

    fn alone(&self, is_taken: &dyn Fn(&Group) -> bool) -> Vec<Grouped<'u>> {
        let of = self.groups.iter();
        let of = of.filter(|group| group.layer != Layer::NetworkAcl && !is_taken(group));
        of.map(|group| Grouped {
            name: group.name.clone(),
            groups: vec![group],
            others: Vec::new(),
        })
        .collect()
    }

    /// The classes of peers that are not bound: what units attach to groups, and whoever else may be in one.
    pub(super) fn identify(&self, identities: &mut Identities) {
        for member in &self.members {
            let grouped = self.of_member(member);
            if !grouped.groups.is_empty() {
                grouped.identity(identities);
            }
        }
        for group in self
            .groups
            .iter()
            .filter(|group| group.layer != Layer::NetworkAcl)
        {
            let name = format!("`{}`", group.name);
            class(identities, vec![group.key.clone()], &name, Presence::Possible);
        }
        for (key, name) in group_keys(&self.groups) {
            class(identities, vec![key], &format!("`{name}`"), Presence::Possible);
        }
    }
}

/// The words by which a group of a recording is called: `sg-0a1b (web)` is both.
fn names(group: &Group) -> impl Iterator<Item = &str> {
    let (id, name) = group.name.split_once(" (").unwrap_or((&group.name, ""));
    [id, name.trim_end_matches(')')]
        .into_iter()
        .filter(|word| !word.is_empty())
}

/// The number of the class of peers that are in these groups and no others.
fn class(identities: &mut Identities, groups: Vec<Arc<str>>, names: &str, presence: Presence) -> u32 {
    let known = identities.iter().find(|(_, class)| class.groups == groups);
    if let Some((number, _)) = known {
        return number;
    }
    identities.add(Identity {
        name: format!("members of {names}"),
        span: None,
        groups,
        addresses: Vec::new(),
        presence,
        pods: None,
    })
}

/// What is said of a group that no binding means, where there are bindings.
pub(super) fn unbound_group(grouped: &Grouped<'_>, site: &Site) -> Option<Finding> {
    if site.bindings.is_empty() || site.bindings.iter().any(|binding| binding.everything) {
        return None;
    }
    let group = grouped.groups.first()?;
    let label = Label::new(group.span, "only what holds for every host was checked");
    let message = format!("no role is bound to security group `{}`", group.name);
    Some(
        Finding::new(Code::UnboundConfig, message, Some(label))
            .help("add it to the `resources` of a `[[bind]]` in portcullis.toml"),
    )
}
