//! Suppressions in YAML and JSON that are no comments: the annotation `portcullis/ignore` of an object of Kubernetes, and the same
//! key in the `Metadata` of a resource or template. Several stand on a line each.

use super::add::Slot;
use super::comment::MARK;
use super::language::Language;
use super::{Placed, invalid};
use crate::finding::Finding;
use crate::source::Source;
use crate::tree::{Entry, Node, Schema, Tree};

/// The key: in Kubernetes, a prefix and a name.
const KEY: &str = "portcullis/ignore";

/// The suppressions in the objects of a text. What is wrong with one is said.
pub(super) fn of_source(source: Source<'_>, said: &mut Vec<Finding>) -> Vec<Placed> {
    let mut found = Vec::new();
    if source.text.contains(KEY) || (Language::of(source) == Language::Json && source.text.contains(MARK)) {
        let tree = Tree::read(source, Schema::Core);
        for document in tree.documents() {
            walk(&mut vec![("", document)], said, &mut found);
        }
    }
    found
}

/// Recursive over values, which trees do not nest deep ([`crate::tree::MAX_DEPTH`]).
fn walk<'t>(way: &mut Vec<(&'t str, Node<'t>)>, said: &mut Vec<Finding>, found: &mut Vec<Placed>) {
    let Some(&(_, node)) = way.last() else { return };
    for entry in node.entries() {
        if entry.name() == KEY {
            read(way, entry.value, said, found);
        } else if let Some(text) = comment(way, &entry) {
            found.extend(Placed::read(text, entry.value.span(), node.span().range(), said));
        } else {
            way.push((entry.name(), entry.value));
            walk(way, said, found);
            way.pop();
        }
    }
    for item in node.items() {
        way.push(("", item));
        walk(way, said, found);
        way.pop();
    }
}

/// The suppression in a comment of an object: of a rule as `nft -j` lists it, or under the key `//`, which Terraform passes over
/// (Terraform, "JSON Configuration Syntax", "Comment Properties").
fn comment<'t>(way: &[(&'t str, Node<'t>)], entry: &Entry<'t>) -> Option<&'t str> {
    let is_of_rule = || way.last().is_some_and(|one| one.0 == "rule");
    let is_comment = entry.name() == "//" || (entry.name() == "comment" && is_of_rule());
    let text = entry.value.text().filter(|_| is_comment)?;
    text.trim_start().strip_prefix(MARK)
}

fn read<'t>(way: &[(&'t str, Node<'t>)], value: Node<'t>, said: &mut Vec<Finding>, found: &mut Vec<Placed>) {
    let up = |by: usize| way.len().checked_sub(by).and_then(|at| way.get(at));
    let is_named = |by: usize, name: &str| up(by).is_some_and(|one| one.0 == name);
    let owner = if is_named(1, "annotations") && is_named(2, "metadata") {
        up(3)
    } else if is_named(1, "Metadata") {
        up(2)
    } else {
        None
    };
    let (Some((_, owner)), Some(text)) = (owner, value.text()) else {
        let message = format!("`{KEY}` is not a text in annotations or `Metadata` here");
        let help =
            "write it below `metadata.annotations` (Kubernetes) or `Metadata` (CloudFormation), as a text";
        said.push(*invalid(value.span(), message, "not looked for here", help));
        return;
    };
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        found.extend(Placed::read(line, value.span(), owner.span().range(), said));
    }
}

/// For each place of a text in JSON, where a suppression of the object it lies in is put: of an object of Kubernetes, or of a
/// resource of a template. `None` where there is no such object.
pub(super) fn slots(source: Source<'_>, places: impl Iterator<Item = usize>) -> Vec<Option<Slot>> {
    let tree = Tree::read(source, Schema::Core);
    let mut owners = Vec::new();
    for document in tree.documents() {
        owners_in(document, &mut owners);
    }
    let slot = |place: usize| {
        let around = owners
            .iter()
            .filter(|owner| owner.node.span().range().contains(&place));
        let nearest = around.min_by_key(|owner| owner.node.span().range().len())?;
        Some(nearest.slot(source))
    };
    places.map(slot).collect()
}

/// An object that has a place for suppressions.
struct Owner<'t> {
    node: Node<'t>,
    /// The mappings down to that place, and the one that it is in, if it is there.
    way: &'static [&'static str],
}

/// Recursive over values, which trees do not nest deep ([`crate::tree::MAX_DEPTH`]).
fn owners_in<'t>(node: Node<'t>, found: &mut Vec<Owner<'t>>) {
    let has = |key: &str| node.get(key).is_some();
    if has("apiVersion") && has("kind") && node.get("metadata").is_some_and(|metadata| metadata.is_mapping())
    {
        let way = &["metadata", "annotations"];
        found.push(Owner { node, way });
    }
    let resources = node.get("Resources").filter(|_| !has("kind"));
    for resource in resources.iter().flat_map(Node::entries) {
        if resource.value.get("Type").is_some() {
            let way = &["Metadata"];
            found.push(Owner {
                node: resource.value,
                way,
            });
        }
    }
    for below in node.entries().map(|entry| entry.value).chain(node.items()) {
        owners_in(below, found);
    }
}

impl Owner<'_> {
    /// In the text that is there, before the first entry of the mapping that would hold it, or in new mappings.
    fn slot(&self, source: Source<'_>) -> Slot {
        let mut node = self.node;
        let mut left = self.way;
        while let Some((key, rest)) = left.split_first() {
            let Some(inner) = node.get(key).filter(Node::is_mapping) else {
                break;
            };
            (node, left) = (inner, rest);
        }
        let written = node
            .get(KEY)
            .filter(|_| left.is_empty())
            .map(|value| value.span().range());
        if let Some(value) = written {
            return Slot {
                at: value.start + 1,
                before: String::new(),
                after: "\\n".to_owned(),
                is_in_json: true,
            };
        }
        let open: Vec<_> = left.iter().map(|key| format!("\"{key}\": {{")).collect();
        let open = open.concat();
        let close = "}".repeat(left.len());
        let start = node.span().range().start + 1;
        let first = node.entries().next().map(|entry| entry.key.span().range().start);
        let gap = first.and_then(|first| source.text.get(start..first));
        let gap = gap.map_or(String::new(), |gap| match gap {
            "" => ", ".to_owned(),
            gap => format!(",{gap}"),
        });
        Slot {
            at: first.unwrap_or(start),
            before: format!("{open}\"{KEY}\": \""),
            after: format!("\"{close}{gap}"),
            is_in_json: true,
        }
    }
}
