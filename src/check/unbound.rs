//! Configs without a role and roles without a config: said out loud, since a row that was not checked must not look like one
//! that passed.

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::path::Path;

use super::behind::Behind;
use super::inputs::Unit;
use super::policies::Policies;
use crate::discover::{self, Input};
use crate::finding::{Code, Finding, Label, Severity, Summary};
use crate::policy::{Peer, Resolved, Row};
use crate::site::{Binder, Binding, Pattern, Site};
use crate::source::Span;

pub(super) fn unbound_config(unit: &Unit) -> Finding {
    let at = Span::new(unit.file, 0, 0);
    Finding::new(
        Code::UnboundConfig,
        format!("no role is bound to {}", unit.name),
        Some(Label::new(at, "only what holds for every host was checked")),
    )
    .help("add a `[[bind]]` to portcullis.toml whose `files` match its path")
}

/// Whether a row has a role at one of its ends. Rows of features that are off are none.
fn names(row: &Row, role: &str) -> bool {
    let mut ends = row.to.items.iter().chain(&row.from.items);
    ends.any(|end| matches!(&end.value, Peer::Role { name, .. } if name == role))
}

/// Says of each resource of a binding that nothing read is one, where the binding has hosts all the same: a layer of theirs is
/// missing.
pub(super) fn unmeant_resources(
    site: &Site,
    behind: &Behind<'_>,
    unmatched: &[usize],
    findings: &mut Vec<Finding>,
) {
    let bindings = site.bindings.iter().enumerate();
    for (_, binding) in bindings.filter(|(at, _)| !unmatched.contains(at)) {
        for pattern in binding
            .resources
            .iter()
            .filter(|pattern| !behind.all.has(&pattern.value))
        {
            let label = Label::new(pattern.span, "nothing that was read is called so");
            let message = format!("what `{}` lets through was not checked", pattern.value);
            findings.push(
                Finding::new(Code::UnboundRole, message, Some(label))
                    .help("give the files that define it too, or correct the name"),
            );
        }
    }
}

/// Of the bindings without a config where only a part of a site was given, those whose configs may lie in the rest of it: their
/// files are there, or they mean what files define.
pub(super) fn not_given(
    site: &Site,
    folder: &Path,
    unmatched: &[usize],
    summary: &mut Summary,
) -> Vec<usize> {
    let on_disk: OnceCell<Vec<String>> = OnceCell::new();
    let on_disk = || {
        on_disk.get_or_init(|| {
            let found = discover::discover(&[folder.to_owned()]).inputs;
            let path = |input: &Input| Binder::path_from(folder, &input.path);
            found.iter().map(path).collect()
        })
    };
    let is_there = |binding: &Binding| {
        let mut patterns = binding
            .files
            .iter()
            .filter_map(|file| Pattern::parse(&file.value).ok());
        let has_files = patterns.any(|pattern| on_disk().iter().any(|path| pattern.host(path).is_some()));
        has_files || !binding.resources.is_empty() || binding.workloads.is_some()
    };
    let bindings = unmatched
        .iter()
        .filter_map(|&at| Some((at, site.bindings.get(at)?)));
    let elsewhere: Vec<_> = bindings.filter(|(_, binding)| is_there(binding)).collect();
    let roles = elsewhere.iter().flat_map(|(_, binding)| &binding.roles);
    let roles: BTreeSet<&str> = roles.map(|role| role.value.as_str()).collect();
    if !elsewhere.is_empty() {
        let roles = quoted(roles.into_iter());
        summary.unchecked.push(format!(
            "configs of {roles}: a part of the site was given, and they are in the rest"
        ));
    }
    elsewhere.into_iter().map(|(at, _)| at).collect()
}

/// Notes each pattern that matches nothing beside one of its binding that does.
pub(super) fn idle_patterns(site: &Site, paths: &[String], unmatched: &[usize], summary: &mut Summary) {
    let bindings = site.bindings.iter().enumerate();
    for (_, binding) in bindings.filter(|(at, _)| !unmatched.contains(at)) {
        for file in &binding.files {
            let is_idle = |pattern: Pattern| paths.iter().all(|path| pattern.host(path).is_none());
            if Pattern::parse(&file.value).is_ok_and(is_idle) {
                summary.notes.push(format!(
                    "pattern `{}` of the binding of {} matches no file that was read",
                    file.value,
                    quoted(binding.roles.iter().map(|role| role.value.as_str()))
                ));
            }
        }
    }
}

/// `a`, `b`
fn quoted<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ")
}

/// Roles of policies that the site asks for, to which no config is bound.
pub(super) fn unbound_roles(
    site: &Site,
    policies: &Policies,
    unmatched: &[usize],
    findings: &mut Vec<Finding>,
) {
    let has_files = |at: &usize| !unmatched.contains(at);
    let bound: Vec<&str> = site
        .bindings
        .iter()
        .enumerate()
        .filter(|(at, _)| has_files(at))
        .flat_map(|(_, binding)| binding.roles.iter().map(|role| role.value.as_str()))
        .collect();
    let asked = || policies.resolved.iter().zip(&policies.asked_at);
    // A role that comes by way of a `use` is said of the policy that it is of, if that is asked for too.
    let is_of_another = |policy: &Resolved, role: &str| {
        let owner = role.split_once('.').map_or("", |(owner, _)| owner);
        owner != policy.name && asked().any(|(other, at)| at.is_some() && other.name == owner)
    };
    let mut said: Vec<&str> = Vec::new();
    for (policy, at) in asked() {
        let Some(at) = *at else { continue };
        let missing: Vec<_> = policy
            .roles
            .iter()
            .map(|role| role.name.as_str())
            .filter(|role| !bound.contains(role) && !said.contains(role) && !is_of_another(policy, role))
            .filter(|role| policy.rows.iter().any(|row| names(row, role)))
            .collect();
        if missing.is_empty() {
            continue;
        }
        said.extend(&missing);
        let touches = |row: &&Row| missing.iter().any(|role| names(row, role));
        let n_rows = policy.rows.iter().filter(touches).count();
        let (noun, them) = if missing.len() == 1 {
            ("role", "it")
        } else {
            ("roles", "them")
        };
        let message = format!("no config is bound to {noun} {}", quoted(missing.iter().copied()));
        let label = Label::new(
            at,
            format!("{n_rows} rows that speak of {them} are not fully checked"),
        );
        let mut finding = Finding::new(Code::UnboundRole, message, Some(label))
            .help("bind their configs in portcullis.toml, or leave it: their rows stay unchecked");
        if site.bindings.iter().all(|binding| binding.everything) {
            // Roles given for one audit are not meant to be all.
            finding.severity = Severity::Note;
        }
        findings.push(finding);
    }
    for &at in unmatched {
        if let Some(binding) = site.bindings.get(at) {
            let roles = quoted(binding.roles.iter().map(|role| role.value.as_str()));
            let label = Label::new(
                binding.span,
                "no input matches its `files`, no resource its `resources`, no workload its `workloads`",
            );
            let message = format!("this binding of {roles} has no config");
            findings.push(
                Finding::new(Code::UnboundRole, message, Some(label))
                    .help("give the folder that holds them, or correct the patterns"),
            );
        }
    }
}
