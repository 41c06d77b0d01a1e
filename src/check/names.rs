//! What a site speaks of, held against the policies in force: roles, settings, lifted rows and zones.
//!
//! INVARIANT: what has no effect on a run is never passed over in silence: it is an error, or a note of the summary.

use std::collections::BTreeSet;

use super::policies::{LoadError, Policies};
use crate::policy::{self, Kind, Peer, ast};
use crate::site::{self, Settings, Site};
use crate::source::{SourceMap, Span};

/// Completes the site's roles, and finds what the site speaks of and no policy has.
pub(super) fn check(
    sources: &SourceMap,
    site: &mut Site,
    policies: &mut Policies,
    all: &[ast::Policy],
    errors: &mut Vec<LoadError>,
) {
    complete_roles(site, policies, errors);
    let mut names = Names {
        sources,
        site,
        policies,
        errors,
    };
    names.roles();
    names.settings(all);
    names.lifted();
    let mut notes = names.zones();
    notes.extend(names.host_names());
    policies.notes.extend(notes);
}

/// What is compared.
struct Names<'a> {
    sources: &'a SourceMap,
    site: &'a Site,
    policies: &'a Policies,
    errors: &'a mut Vec<LoadError>,
}

impl Names<'_> {
    fn refuse(&mut self, at: Span, message: String, help: String) {
        self.errors.push(LoadError::Unknown { at, message, help });
    }

    fn is_argument(&self, at: Span) -> bool {
        self.sources.file(at.file).is_virtual()
    }

    /// Whether the policies in force have to know what is said at `at`. What a site file says of policies that the
    /// command line has put others in the place of is left for another run.
    fn is_for_this_run(&self, at: Span) -> bool {
        let replaced = self.site.policies.iter().any(|name| self.is_argument(name.span));
        !replaced || self.is_argument(at)
    }

    /// Roles that no policy has.
    fn roles(&mut self) {
        let roles = roles_of(self.policies);
        for role in self.site.bindings.iter().flat_map(|binding| &binding.roles) {
            if roles.contains(&role.value.as_str()) {
                continue;
            }
            let is_bare = !role.value.contains('.');
            let known = |whole: &'_ str| -> String {
                let bare = whole.split_once('.').map_or(whole, |(_, name)| name);
                if is_bare { bare } else { whole }.to_owned()
            };
            let known: Vec<String> = roles.iter().map(|whole| known(whole)).collect();
            let help = match policy::nearest(&role.value, known.iter().map(String::as_str)) {
                Some(near) => format!("did you mean `{near}`?"),
                None if roles.is_empty() => "no policy in force has roles: name one under `policies`".into(),
                None => format!("the policies in force have {}", roles.join(", ")),
            };
            let message = format!("no policy in force has a role `{}`", role.value);
            self.refuse(role.span, message, help);
        }
    }

    /// Settings of policies that are not there, or not in force.
    fn settings(&mut self, all: &[ast::Policy]) {
        for (name, settings) in &self.site.settings {
            let in_force = self.policies.resolved.iter().any(|policy| policy.name == *name);
            let Some(at) = places(settings).find(|at| self.is_for_this_run(*at)) else {
                continue;
            };
            if in_force {
                continue;
            }
            let is_read = all.iter().any(|policy| policy.name.value == *name);
            if !is_read && crate::policy::builtin(name).is_none() {
                let message = format!("there is no policy `{name}` to set anything of");
                let help = "name the policy under `policies`, or take the settings out".to_owned();
                self.refuse(at, message, help);
                continue;
            }
            let user = self
                .policies
                .resolved
                .iter()
                .find(|policy| policy.rows.iter().any(|row| row.policy == *name));
            let help = match user {
                Some(user) => format!(
                    "`{}` uses it: write its settings there, `use {name} {{ … }}`",
                    user.name
                ),
                None => "name it under `policies` or with --policy, or take its settings out".to_owned(),
            };
            let message = format!("policy `{name}` is not in force, so nothing of it can be set");
            self.refuse(at, message, help);
        }
    }

    /// Lifted rows that no policy has.
    fn lifted(&mut self) {
        let rows = self.policies.resolved.iter().flat_map(|policy| &policy.rows);
        let forbids: Vec<&str> = rows
            .filter(|row| row.kind == Kind::Forbid)
            .map(|row| row.id.as_str())
            .collect();
        for (id, lifted) in &self.site.lifted {
            if forbids.contains(&id.as_str()) {
                continue;
            }
            let help = match near_row(id, &forbids) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "only rows that forbid can be lifted".into(),
            };
            let message = format!("no policy in force forbids anything as `{id}`");
            self.refuse(lifted.key, message, help);
        }
    }

    /// Zones that nothing names: errors where another name was surely meant, else notes for the summary.
    fn zones(&mut self) -> Vec<String> {
        let named = named_zones(self.site, self.policies);
        let has_networks = |name: &str| {
            let mut zones = self.site.zones.iter();
            zones.any(|zone| zone.name.value == name && zone.networks.is_some())
        };
        let missing: Vec<&str> = named.iter().copied().filter(|name| !has_networks(name)).collect();
        let mut notes = Vec::new();
        for site::Zone { name, .. } in &self.site.zones {
            if named.contains(name.value.as_str()) {
                continue;
            }
            let near = policy::nearest(&name.value, missing.iter().copied());
            match near.filter(|_| self.is_for_this_run(name.span)) {
                Some(near) => {
                    let message = format!("zone `{}` is named by no policy in force and no binding", name.value);
                    self.refuse(name.span, message, format!("did you mean `{near}`?"));
                }
                None => notes.push(format!(
                    "zone `{}` is named by nothing: all it does is to take its addresses out of the defaults of \
                     `internal` and `external`",
                    name.value
                )),
            }
        }
        notes
    }

    /// Host names with addresses that no row asks for, each with the one that was perhaps meant.
    fn host_names(&self) -> Vec<String> {
        let asked = named_hosts(self.policies);
        let unasked = self
            .site
            .names
            .keys()
            .filter(|name| !asked.contains(name.as_str()));
        let missing: Vec<&str> = asked
            .iter()
            .copied()
            .filter(|name| !self.site.names.contains_key(*name))
            .collect();
        let notes = unasked.map(|name| {
            let near = policy::nearest(name, missing.iter().copied());
            let hint = near.map_or_else(String::new, |near| format!(": did you mean `{near}`?"));
            format!(
                "the addresses of `{name}` count for nothing, since no policy in force speaks of it{hint}"
            )
        });
        notes.collect()
    }
}

/// The host names that some row speaks of.
fn named_hosts(policies: &Policies) -> BTreeSet<&str> {
    let rows = policies.resolved.iter().flat_map(|policy| &policy.rows);
    let ends = rows.flat_map(|row| row.from.items.iter().chain(&row.to.items));
    let names = ends.filter_map(|end| match &end.value {
        Peer::Name(name) => Some(name.as_str()),
        _ => None,
    });
    names.collect()
}

/// The zones that something in force speaks of.
fn named_zones<'a>(site: &'a Site, policies: &'a Policies) -> BTreeSet<&'a str> {
    let mut named = BTreeSet::from(["internal", "external"]);
    let bindings = site.bindings.iter();
    named.extend(bindings.filter_map(|binding| Some(binding.zone.as_ref()?.value.as_str())));
    for policy in &policies.resolved {
        for zone in &policy.zones {
            named.insert(&zone.name);
            named.extend(zone.alias.as_deref());
        }
        for row in &policy.rows {
            let ends = row.from.items.iter().chain(&row.to.items);
            named.extend(ends.filter_map(|end| match &end.value {
                Peer::Zone(zone) => Some(zone.as_str()),
                Peer::Role { home, .. } => home.as_deref(),
                _ => None,
            }));
        }
    }
    named
}

/// Every place where something of the settings is said.
fn places(settings: &Settings) -> impl Iterator<Item = Span> {
    let lists = settings.features.iter().chain(&settings.without);
    let said = settings.version.iter().chain(lists).map(|said| said.span);
    let values = settings.values.values().map(|value| value.key);
    std::iter::once(settings.name).chain(said).chain(values)
}

/// The row id that was perhaps meant: near in its policy and near in its name, each by its own length.
fn near_row<'a>(id: &str, rows: &[&'a str]) -> Option<&'a str> {
    let (policy, name) = id.split_once('/')?;
    let is_near = |row: &&str| {
        row.split_once('/').is_some_and(|(other, its_name)| {
            policy::nearest(policy, [other]).is_some() && policy::nearest(name, [its_name]).is_some()
        })
    };
    policy::nearest(id, rows.iter().copied().filter(is_near))
}

fn roles_of(policies: &Policies) -> Vec<&str> {
    let roles = policies.resolved.iter().flat_map(|policy| &policy.roles);
    roles.map(|role| role.name.as_str()).collect()
}

/// Puts the policy before a role that goes without: the only one that has such a role.
fn complete_roles(site: &mut Site, policies: &Policies, errors: &mut Vec<LoadError>) {
    let roles = roles_of(policies);
    for role in site.bindings.iter_mut().flat_map(|binding| &mut binding.roles) {
        if role.value.contains('.') {
            continue;
        }
        let is_it = |whole: &&&str| whole.split_once('.').is_some_and(|(_, name)| name == role.value);
        match roles.iter().filter(is_it).collect::<Vec<_>>().as_slice() {
            [] => {}
            [whole] => role.value = (**whole).to_owned(),
            several => {
                let several: Vec<_> = several.iter().map(|whole| format!("`{whole}`")).collect();
                errors.push(LoadError::Unknown {
                    at: role.span,
                    message: format!("several policies in force have a role `{}`", role.value),
                    help: format!("write {}", several.join(" or ")),
                });
            }
        }
    }
}
