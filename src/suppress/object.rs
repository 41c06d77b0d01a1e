//! Suppressions in YAML and JSON that are no comments: the annotation `portcullis/ignore` of an object of Kubernetes, and the same
//! key in the `Metadata` of a resource or template. Several stand on a line each.

use super::directive::Directive;
use super::{Placed, invalid};
use crate::finding::Finding;
use crate::source::Source;
use crate::tree::{Node, Schema, Tree};

/// The key: in Kubernetes, a prefix and a name.
const KEY: &str = "portcullis/ignore";

/// The suppressions in the objects of a text. What is wrong with one is said.
pub(super) fn of_source(source: Source<'_>, said: &mut Vec<Finding>) -> Vec<Placed> {
    let mut found = Vec::new();
    if source.text.contains(KEY) {
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
        match Directive::read(line, value.span(), &|_| value.span()) {
            Ok(directive) => found.push(Placed {
                directive,
                about: owner.span().range(),
                is_call: false,
                used: Vec::new(),
            }),
            Err(finding) => said.push(*finding),
        }
    }
}
