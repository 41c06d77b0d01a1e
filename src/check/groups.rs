//! The groups of a run, and who is in which: what stands before whoever is attached to them, or bound by their names.
//!
//! INVARIANT: a group that no binding means is checked too, as a host of its own; a network ACL is not, since what it lets
//! through meets security groups that nobody named.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::behind::Grouped;
use super::inputs::Unit;
use crate::finding::{Code, Finding, Label};
use crate::model::{Acls, Group, Identities, Identity, Layer, Member, Presence, Unknown, group_keys};
use crate::site::{Binding, Site, resource_matches};
use crate::source::{Span, Spanned};

/// All groups of some units with what is attached to them.
pub(super) struct Groups<'u> {
    all: Vec<&'u Group>,
    /// Several units may each say a part of one group of a cloud.
    by_key: BTreeMap<&'u str, Vec<&'u Group>>,
    members: Vec<&'u Member>,
    /// The places of the members that are surely in a group.
    of_group: BTreeMap<&'u str, Vec<usize>>,
}

impl<'u> Groups<'u> {
    pub(super) fn of(units: impl Iterator<Item = &'u Unit> + Clone) -> Self {
        let groups: Vec<&Group> = units.clone().flat_map(|unit| &unit.reading.groups).collect();
        let members: Vec<&Member> = units.flat_map(|unit| &unit.reading.members).collect();
        let mut by_key: BTreeMap<&str, Vec<&Group>> = BTreeMap::new();
        for &group in &groups {
            by_key.entry(&group.key).or_default().push(group);
        }
        let mut of_group: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (at, member) in members.iter().enumerate() {
            for (key, _) in &member.groups {
                of_group.entry(key).or_default().push(at);
            }
        }
        Self {
            all: groups,
            by_key,
            members,
            of_group,
        }
    }

    /// Puts a host behind a group. Whether there is such a group.
    fn add(&self, grouped: &mut Grouped<'u>, key: &str) -> bool {
        let groups = self.by_key.get(key);
        for group in groups.into_iter().flatten() {
            grouped.add(group);
        }
        groups.is_some()
    }

    /// What stands before something that is attached to groups.
    fn of_member(&self, member: &'u Member) -> Grouped<'u> {
        let mut grouped = Grouped {
            name: member.name.clone(),
            is_host: true,
            ..Grouped::default()
        };
        for (key, span) in &member.groups {
            if !self.add(&mut grouped, key) {
                let unread = unread(Layer::SecurityGroup, key, *span);
                grouped.before.others.push(unread);
            }
        }
        let others = member.others.iter();
        grouped
            .before
            .others
            .extend(others.map(|unknown| (Layer::SecurityGroup, unknown.clone(), member.span)));
        self.add_acls(&mut grouped, member);
        grouped
    }

    fn add_acls(&self, grouped: &mut Grouped<'u>, member: &Member) {
        for (key, span) in &member.acls.one_of {
            if !self.add(grouped, key) {
                let unread = unread(Layer::NetworkAcl, key, *span);
                grouped.before.others.push(unread);
            }
        }
        if grouped.before.or_open.is_none() {
            grouped.before.or_open.clone_from(&member.acls.or_open);
        }
    }

    /// Puts a host of groups behind the network ACLs that the members of the groups are behind: it stands for any of them.
    fn behind_acls_of_members(&self, grouped: &mut Grouped<'u>) {
        let keys = grouped.keys();
        let members = keys.iter().filter_map(|key| self.of_group.get(&**key)).flatten();
        let members: BTreeSet<usize> = members.copied().collect();
        let members: Vec<&Member> = members
            .iter()
            .filter_map(|at| self.members.get(*at))
            .copied()
            .collect();
        for member in &members {
            self.add_acls(grouped, member);
        }
        let is_before_none = |member: &&&Member| member.acls == Acls::default();
        let free = members.iter().find(is_before_none);
        if let Some(free) = free.filter(|_| grouped.of_layer(Layer::NetworkAcl).next().is_some()) {
            let why = format!("none stands before `{}`", free.name);
            grouped.before.or_open.get_or_insert((why.into(), free.span));
        }
    }

    /// Whether a pattern of a binding means anything that was read.
    pub(super) fn has(&self, pattern: &str) -> bool {
        let is_meant = |name: &str| resource_matches(pattern, name);
        let mut groups = self.all.iter();
        groups.any(|group| group_words(group).any(is_meant))
            || self
                .members
                .iter()
                .any(|member| words(&member.name).any(is_meant))
    }

    /// What a binding names and nothing that was read is: it may let anything through.
    pub(super) fn unread(&self, binding: &Binding) -> Vec<(Layer, Unknown, Span)> {
        let missing = binding.resources.iter().filter(|named| !self.has(&named.value));
        let doubt = |named: &Spanned<String>| {
            let layer = if named.value.contains("acl") {
                Layer::NetworkAcl
            } else {
                Layer::SecurityGroup
            };
            unread(layer, &named.value, named.span)
        };
        missing.map(doubt).collect()
    }

    /// What is said of network ACLs that stand before no host.
    pub(super) fn idle_acls(&self, hosts: &[&Grouped<'u>]) -> Vec<String> {
        let used = hosts.iter().flat_map(|host| host.of_layer(Layer::NetworkAcl));
        let used: BTreeSet<&Arc<str>> = used.map(|acl| &acl.key).collect();
        let acls = self.all.iter().filter(|group| group.layer == Layer::NetworkAcl);
        let idle = acls.filter(|acl| !used.contains(&acl.key));
        idle.map(|acl| {
            format!("network ACL `{}` stands before no host that is bound: add it to the `resources` of a `[[bind]]`", acl.name)
        })
        .collect()
    }

    /// The hosts that a binding means by its `resources`: each thing that is attached to groups, else one host behind all groups
    /// that it names. Network ACLs, or subnets, that are named stand before them, whatever is known of where they lie.
    pub(super) fn bound(&self, binding: &Binding) -> Vec<Grouped<'u>> {
        let means = |name: &str| {
            let mut patterns = binding.resources.iter();
            patterns.any(|pattern| resource_matches(&pattern.value, name))
        };
        let of_member = |member: &&&'u Member| words(&member.name).any(means);
        let named = self.members.iter().filter(of_member);
        let (subnets, members): (Vec<&Member>, Vec<&Member>) = named
            .copied()
            .partition(|member| member.groups.is_empty() && member.others.is_none());
        // A module, all of which is meant, does not say which of its network ACLs stands before which of its hosts.
        let mut patterns = binding.resources.iter();
        let is_module = patterns.all(|pattern| is_module(&pattern.value));
        let mut acls = Grouped::default();
        let mut one = Grouped::default();
        for group in self.all.iter().filter(|group| group_words(group).any(means)) {
            match group.layer {
                Layer::NetworkAcl if is_module => {}
                Layer::NetworkAcl => acls.add(group),
                _ => one.add(group),
            }
        }
        for subnet in subnets.into_iter().filter(|_| !is_module) {
            self.add_acls(&mut acls, subnet);
        }
        let has_acls = !acls.before.groups.is_empty();
        if !members.is_empty() {
            let hosts = members.into_iter().map(|member| {
                let mut host = self.of_member(member);
                if has_acls {
                    host.before
                        .groups
                        .retain(|group| group.layer != Layer::NetworkAcl);
                    host.before.or_open = None;
                    host.add_all(&acls);
                }
                host
            });
            return hosts.collect();
        }
        if has_acls {
            one.add_all(&acls);
        } else {
            self.behind_acls_of_members(&mut one);
        }
        if let Some(first) = one.before.groups.first() {
            one.name.clone_from(&first.name);
            one.is_host = true;
            return vec![one];
        }
        Vec::new()
    }

    /// All hosts of a run that binds everything to the same roles: what is attached to groups, and the groups that nothing is
    /// attached to.
    pub(super) fn everything(&self) -> Vec<Grouped<'u>> {
        let members = self.members.iter();
        let members = members.filter(|member| !member.groups.is_empty() || member.others.is_some());
        let mut hosts: Vec<_> = members.map(|member| self.of_member(member)).collect();
        let attached = hosts.iter().flat_map(|host| &host.before.groups);
        let attached: BTreeSet<Arc<str>> = attached.map(|group| group.key.clone()).collect();
        hosts.extend(self.alone(&attached));
        hosts
    }

    /// The groups that no bound host has, each a host of its own.
    pub(super) fn unbound(&self, bound: &[&Grouped<'u>]) -> Vec<Grouped<'u>> {
        let groups = bound.iter().flat_map(|host| &host.before.groups);
        let keys: BTreeSet<Arc<str>> = groups.map(|group| group.key.clone()).collect();
        let mut alone = self.alone(&keys);
        for grouped in &mut alone {
            grouped.before.as_written = true;
        }
        alone
    }

    fn alone(&self, taken: &BTreeSet<Arc<str>>) -> Vec<Grouped<'u>> {
        let keys = self.by_key.iter().filter(|(key, _)| !taken.contains(**key));
        let mut alone: Vec<Grouped<'u>> = Vec::new();
        for (_, groups) in keys {
            let mut grouped = Grouped {
                is_host: true,
                ..Grouped::default()
            };
            for group in groups.iter().filter(|group| group.layer != Layer::NetworkAcl) {
                grouped.add(group);
            }
            if let Some(first) = grouped.before.groups.first() {
                grouped.name.clone_from(&first.name);
                self.behind_acls_of_members(&mut grouped);
                alone.push(grouped);
            }
        }
        alone
    }

    /// The classes of peers that are not bound: what units attach to groups, and whoever else may be in one.
    pub(super) fn identify(&self, identities: &mut Identities) {
        for member in &self.members {
            let mut grouped = self.of_member(member);
            grouped.before.others.clear();
            if !grouped.keys().is_empty() {
                grouped.identity(identities);
            }
        }
        for group in self.all.iter().filter(|group| group.layer != Layer::NetworkAcl) {
            let name = format!("`{}`", group.name);
            class(
                identities,
                vec![group.key.clone()],
                &name,
                (Presence::Possible, None),
            );
        }
        for (key, name) in group_keys(&self.all) {
            class(
                identities,
                vec![key],
                &format!("`{name}`"),
                (Presence::Possible, None),
            );
        }
    }
}

/// A filter that is named and was not read: it may let anything through.
fn unread(layer: Layer, name: &str, span: Span) -> (Layer, Unknown, Span) {
    let unknown = Unknown {
        property: Some(format!("open by {name}").into()),
        why: format!("what `{name}` lets through was not read").into(),
    };
    (layer, unknown, span)
}

/// Whether a pattern means a module, or everything.
fn is_module(pattern: &str) -> bool {
    pattern == "*" || pattern.starts_with("module.") && !pattern.contains(".aws_")
}

/// The words by which a group is called.
fn group_words(group: &Group) -> impl Iterator<Item = &str> {
    std::iter::once(&*group.key).chain(words(&group.name))
}

/// The words of a name: `sg-0a1b (web)` of a recording is called so, and `sg-0a1b`, and `web`.
fn words(whole: &str) -> impl Iterator<Item = &str> {
    let (id, name) = whole.split_once(" (").unwrap_or((whole, ""));
    let words = [whole, id, name.trim_end_matches(')')].into_iter();
    words.filter(|word| !word.is_empty())
}

/// The number of the class of peers that are in these groups and no others, or, for a reason, perhaps in any.
pub(super) fn class(
    identities: &mut Identities,
    groups: Vec<Arc<str>>,
    names: &str,
    (presence, others): (Presence, Option<Arc<str>>),
) -> u32 {
    let known = identities.number(&groups, others.as_deref());
    if let Some(number) = known {
        return number;
    }
    let name = match (names, &others) {
        ("", Some(_)) => "members of groups that are not known".to_owned(),
        (names, Some(_)) => format!("members of {names} and perhaps more"),
        (names, None) => format!("members of {names}"),
    };
    identities.add(Identity {
        name,
        span: None,
        groups,
        others,
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
    let group = grouped.before.groups.first()?;
    let label = Label::new(group.span, "only what holds for every host was checked");
    let message = format!("no role is bound to security group `{}`", group.name);
    Some(
        Finding::new(Code::UnboundConfig, message, Some(label))
            .help("add it to the `resources` of a `[[bind]]` in portcullis.toml"),
    )
}
