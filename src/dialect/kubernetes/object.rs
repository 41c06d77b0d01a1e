//! Documents to objects: lists taken apart, kinds told.
//!
//! INVARIANT: an object is told by its group and kind; the version of its API matters only where kinds changed with it.

use super::notes::Notes;
use crate::source::Span;
use crate::tree::{Node, Tree};

/// One object of the API.
#[derive(Debug, Clone, Copy)]
pub(super) struct Object<'t> {
    /// `networking.k8s.io/v1`.
    pub(super) api: &'t str,
    pub(super) kind: &'t str,
    pub(super) node: Node<'t>,
    metadata: Option<Node<'t>>,
}

/// How many lists may lie in each other.
const MAX_LISTS: usize = 8;

impl<'t> Object<'t> {
    /// The objects of the documents of a text.
    pub(super) fn all(tree: &'t Tree<'_>, notes: &mut Notes) -> Vec<Self> {
        let mut found = Vec::new();
        for root in tree.documents() {
            Self::of(root, ("", ""), 0, &mut found, notes);
        }
        found
    }

    /// What a list is one of is its items' kind, where they do not say it: `PodList`.
    fn of(
        node: Node<'t>,
        of_list: (&'t str, &'t str),
        depth: usize,
        found: &mut Vec<Self>,
        notes: &mut Notes,
    ) {
        let text = |key| node.get(key).and_then(|value| value.text());
        let api = text("apiVersion").unwrap_or(of_list.0);
        let kind = text("kind").unwrap_or(of_list.1);
        let items = node.get("items").filter(Node::is_sequence);
        match (kind.strip_suffix("List"), items) {
            (Some(_), Some(_)) if depth >= MAX_LISTS => {
                notes.unread(
                    node.span(),
                    format!("more than {MAX_LISTS} lists lie in each other"),
                    None,
                );
            }
            (Some(item_kind), Some(items)) => {
                for item in items.items() {
                    Self::of(item, (api, item_kind), depth + 1, found, notes);
                }
            }
            _ if kind.is_empty() => {}
            _ => found.push(Self {
                api,
                kind,
                node,
                metadata: node.get("metadata"),
            }),
        }
    }

    /// The group of its API: `networking.k8s.io`; empty for the core.
    pub(super) fn group(&self) -> &'t str {
        self.api.split_once('/').map_or("", |(group, _)| group)
    }

    /// Its name, and where it stands; of one without a name (`generateName`), the kind.
    pub(super) fn name(&self) -> (&'t str, Span) {
        let named = |key| self.metadata.and_then(|metadata| metadata.get(key));
        let name = named("name").or_else(|| named("generateName"));
        match name.and_then(|name| Some((name.text()?, name.span()))) {
            Some(found) => found,
            None => (self.kind, self.node.get("kind").unwrap_or(self.node).span()),
        }
    }

    /// The namespace that it is in; without one, `default` (what `kubectl` takes if its context says nothing else).
    pub(super) fn namespace(&self) -> &'t str {
        self.written_namespace().unwrap_or("default")
    }

    /// The namespace that it says it is in.
    pub(super) fn written_namespace(&self) -> Option<&'t str> {
        let namespace = self.metadata.and_then(|metadata| metadata.get("namespace"));
        let namespace = namespace.and_then(|namespace| namespace.text());
        namespace.filter(|name| !name.is_empty())
    }

    pub(super) fn labels(&self) -> Option<Node<'t>> {
        self.metadata?.get("labels")
    }

    /// The kind and name of the controller that made it.
    pub(super) fn owner(&self) -> Option<(String, String)> {
        let owners = self.metadata?.get("ownerReferences")?;
        let is_controller =
            |owner: &Node<'_>| owner.get("controller").and_then(|is| is.as_bool()) == Some(true);
        let owner = owners
            .items()
            .find(is_controller)
            .or_else(|| owners.items().next())?;
        let text = |key| owner.get(key).and_then(|value| value.text()).map(str::to_owned);
        Some((text("kind")?, text("name")?))
    }

    pub(super) fn spec(&self) -> Option<Node<'t>> {
        self.node.get("spec")
    }
}
