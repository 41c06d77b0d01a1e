//! Which files are manifests.
//!
//! INVARIANT: by content alone, since a manifest may be called anything; objects that say nothing about who may talk to whom
//! (a Kustomization, the values of a chart) claim nothing.

use super::super::{Claim, beginning};
use super::{calico, cilium, foreign, read, workload};
use crate::source::Source;

/// How much of a file is looked at.
const MAX_LOOKED_AT: usize = 1 << 18;
/// How much of JSON is looked at for the first keys of an object.
const MAX_HEAD: usize = 1 << 10;

/// Whether a file has an object that matters.
pub(super) fn claim(source: Source<'_>) -> Claim {
    let text = beginning(source.text, MAX_LOOKED_AT);
    let is_json = text.trim_start().starts_with('{');
    let has_object = if is_json {
        let head = beginning(text, MAX_HEAD);
        let is_object = ["\"apiVersion\"", "\"kind\"", "\"items\""]
            .iter()
            .any(|key| head.contains(key));
        is_object && text.contains("\"apiVersion\"") && json_kinds(text).any(|kind| matters(kind, text))
    } else {
        text.contains("apiVersion:") && yaml_kinds(text).any(|kind| matters(kind, text))
    };
    if has_object { Claim::Content } else { Claim::No }
}

fn matters(kind: &str, text: &str) -> bool {
    let kind = kind
        .strip_suffix("List")
        .filter(|kind| !kind.is_empty())
        .unwrap_or(kind);
    kind == "List"
        || workload::kinds().any(|known| known == kind)
        || read::matters(kind)
        || calico::matters(kind, text)
        || cilium::matters(kind, text)
        || foreign::matters(kind, text)
}

/// The values of `kind:` of objects: at the beginning of a line, or as an item of a list.
fn yaml_kinds(text: &str) -> impl Iterator<Item = &str> {
    let lines = text.lines().map(|line| line.trim_start_matches([' ', '-']));
    lines.filter_map(|line| {
        let value = line.strip_prefix("kind:")?;
        let value = value.split_once('#').map_or(value, |(value, _)| value);
        Some(value.trim().trim_matches(['"', '\'']))
    })
}

fn json_kinds(text: &str) -> impl Iterator<Item = &str> {
    text.split("\"kind\"").skip(1).filter_map(|rest| {
        let value = rest.trim_start().strip_prefix(':')?.trim_start();
        value.strip_prefix('"')?.split_once('"').map(|(value, _)| value)
    })
}
