//! What stands before hosts, by the bindings of the site: security groups and network ACLs, known or not.
//!
//! INVARIANT: what a binding names and nothing that was read is may let anything through.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::groups::{Groups, class};
use super::inputs::Unit;
use crate::model::{Before, Group, Identities, Layer, Presence, Ruleset};
use crate::site::{Binder, Site};

/// What stands before one host.
#[derive(Default, Clone)]
pub(super) struct Grouped<'u> {
    /// What it is called, where it is not a host of files.
    pub(super) name: String,
    pub(super) before: Before<'u>,
    /// Whether it is a host even if it has no files.
    pub(super) is_host: bool,
}

impl<'u> Grouped<'u> {
    pub(super) fn add(&mut self, group: &'u Group) {
        let groups = &mut self.before.groups;
        if !groups.iter().any(|known| std::ptr::eq(*known, group)) {
            groups.push(group);
        }
    }

    pub(super) fn add_all(&mut self, other: &Self) {
        for group in &other.before.groups {
            self.add(group);
        }
        self.before.others.extend(other.before.others.iter().cloned());
        self.before.or_open = self.before.or_open.take().or(other.before.or_open.clone());
    }

    /// The rulesets that stand before the host.
    pub(super) fn layers(&self) -> Vec<Ruleset> {
        self.before.layers()
    }

    pub(super) fn of_layer(&self, layer: Layer) -> impl Iterator<Item = &'u Group> + '_ {
        let groups = self.before.groups.iter().copied();
        groups.filter(move |group| group.layer == layer)
    }

    /// Why it may be in more security groups than it has.
    pub(super) fn others(&self) -> Option<Arc<str>> {
        let mut others = self.before.others.iter();
        others.find_map(|(layer, unknown, _)| (*layer == Layer::SecurityGroup).then(|| unknown.why.clone()))
    }

    /// The groups that its packets come from.
    pub(super) fn keys(&self) -> Vec<Arc<str>> {
        let of = self.of_layer(Layer::SecurityGroup);
        let mut keys: Vec<_> = of.map(|group| group.key.clone()).collect();
        keys.sort_unstable();
        keys.dedup();
        keys
    }

    /// Its number among the identities of the run.
    pub(super) fn identity(&self, identities: &mut Identities) -> u32 {
        let names = self.of_layer(Layer::SecurityGroup);
        let names: Vec<_> = names.map(|group| format!("`{}`", group.name)).collect();
        class(
            identities,
            self.keys(),
            &names.join(" and "),
            (Presence::Here, self.others()),
        )
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
            let mut found = if named.is_empty() {
                all.bound(binding)
            } else {
                Groups::of(named.into_iter()).bound(binding)
            };
            let unread = all.unread(binding);
            if found.is_empty() && !unread.is_empty() {
                found.push(Grouped::default());
            }
            for grouped in &mut found {
                grouped.before.others.extend(unread.iter().cloned());
            }
            bound.extend(found.into_iter().map(|grouped| (at, grouped)));
        }
        let bound_groups: Vec<&Grouped<'_>> = bound.iter().map(|(_, grouped)| grouped).collect();
        let mut unbound = all.unbound(&bound_groups);
        // What was only read to know what stands before others is not judged by itself.
        let of_context = units.iter().filter(|unit| unit.is_context);
        let of_context: BTreeSet<&str> = of_context
            .flat_map(|unit| &unit.reading.groups)
            .map(|group| &*group.key)
            .collect();
        let is_context = |grouped: &Grouped<'_>| {
            let groups = &grouped.before.groups;
            !groups.is_empty() && groups.iter().all(|group| of_context.contains(&*group.key))
        };
        unbound.retain(|grouped| !is_context(grouped));
        for (_, grouped) in &mut bound {
            grouped.is_host &= !is_context(grouped);
        }
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
        let mut bound = self.bound.iter();
        bound.any(|(binding, grouped)| *binding == at && grouped.is_host)
    }

    /// What is said of network ACLs that stand before no host.
    pub(super) fn idle_acls(&self) -> Vec<String> {
        let bound = self.bound.iter().map(|(_, grouped)| grouped);
        let hosts: Vec<_> = bound.chain(&self.unbound).collect();
        self.all.idle_acls(&hosts)
    }

    /// The groups before a host of files that has these bindings.
    pub(super) fn of_bindings(&self, bindings: &[usize]) -> Option<Grouped<'u>> {
        let mut all = Grouped::default();
        let is_meant = |at: &usize| bindings.contains(at) && !self.everything.contains(at);
        for (_, grouped) in self.bound.iter().filter(|(at, _)| is_meant(at)) {
            all.add_all(grouped);
        }
        let is_any = !all.before.groups.is_empty() || !all.before.others.is_empty();
        is_any.then_some(all)
    }

    /// The hosts that have no files, each with its binding if it has one: where a binding has hosts of files, they are those.
    pub(super) fn alone(
        &self,
        has_files: impl Fn(usize) -> bool,
    ) -> impl Iterator<Item = (Option<usize>, &Grouped<'u>)> {
        let is_alone = move |at: usize| self.everything.contains(&at) || !has_files(at);
        let bound = self
            .bound
            .iter()
            .filter(move |(at, grouped)| grouped.is_host && is_alone(*at));
        let bound = bound.map(|(at, grouped)| (Some(*at), grouped));
        bound.chain(self.unbound.iter().map(|grouped| (None, grouped)))
    }
}
