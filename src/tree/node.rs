//! Values of a tree: what a reader asks of them.
//!
//! INVARIANT: a [`Node`] is never an alias: what it answers is what the alias stands for, but for [`Node::alias_span`].

use super::typed::Typed;
use super::{Schema, Tree};
use crate::source::Span;

/// How a scalar is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Bare: `80`, `yes`, `text`. Only such a scalar can be anything but text.
    Plain,
    /// In single or double quotes.
    Quoted,
    /// A block of lines behind `|` or `>`.
    Block,
}

/// What a stored value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// A scalar whose text is `from..to` of the file's text.
    Verbatim(Style),
    /// A scalar whose text is `from..to` of the tree's unescaped texts.
    Unescaped(Style),
    /// Children `from..to`, keys and values by turns.
    Mapping,
    /// Children `from..to`.
    Sequence,
    /// Stands for the value `from`.
    Alias,
}

/// A stored value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Data {
    pub(super) shape: Shape,
    /// Which tag, from 1; 0 is none.
    pub(super) tag: u32,
    /// The bytes in the file.
    pub(super) start: u32,
    pub(super) end: u32,
    pub(super) from: u32,
    pub(super) to: u32,
}

impl Data {
    /// What is left of a value that never was: nothing.
    pub(super) const EMPTY: Self = Self {
        shape: Shape::Verbatim(Style::Plain),
        tag: 0,
        start: 0,
        end: 0,
        from: 0,
        to: 0,
    };
}

/// One value of a tree: a mapping, a sequence or a scalar.
#[derive(Clone, Copy)]
pub struct Node<'t> {
    tree: &'t Tree<'t>,
    /// The place in the parent: an alias, or the value itself.
    written: u32,
    id: u32,
}

/// A key and its value.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'t> {
    /// The key. Of a merged entry, the one that was merged in.
    pub key: Node<'t>,
    /// The value.
    pub value: Node<'t>,
}

impl<'t> Entry<'t> {
    /// The key as text; empty for one that is a collection.
    #[must_use]
    pub fn name(&self) -> &'t str {
        self.key.text().unwrap_or("")
    }

    /// From the key to the end of the value, as written: an alias is the value.
    #[must_use]
    pub fn span(&self) -> Span {
        self.key.span().to(self.value.written_span())
    }
}

impl<'t> Node<'t> {
    pub(super) fn new(tree: &'t Tree<'_>, written: u32) -> Self {
        let id = match tree.nodes.get(written as usize) {
            Some(data) if data.shape == Shape::Alias => data.from,
            _ => written,
        };
        Self { tree, written, id }
    }

    fn data(&self) -> Data {
        self.tree
            .nodes
            .get(self.id as usize)
            .copied()
            .unwrap_or(Data::EMPTY)
    }

    fn children(&self) -> &'t [u32] {
        let data = self.data();
        self.tree
            .children
            .get(data.from as usize..data.to as usize)
            .unwrap_or(&[])
    }

    /// The bytes that say it, without tag and anchor. Of what is written with brackets or quotes, they are included; of
    /// other collections, from the first child to the end of the last; of a block scalar, its lines. Of an alias, the
    /// bytes that it stands for.
    #[must_use]
    pub fn span(&self) -> Span {
        let data = self.data();
        self.tree.span(data.start, data.end)
    }

    /// The alias (`*name`) that it is in its parent, if it is one.
    #[must_use]
    pub fn alias_span(&self) -> Option<Span> {
        (self.written != self.id).then(|| self.written_span())
    }

    fn written_span(&self) -> Span {
        let data = self.tree.nodes.get(self.written as usize);
        let data = data.copied().unwrap_or(Data::EMPTY);
        self.tree.span(data.start, data.end)
    }

    /// Whether both are the same place of the same tree.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        std::ptr::eq(self.tree, other.tree) && self.id == other.id
    }

    /// Its tag: `!Ref`, `!GetAtt`; those of YAML itself in short (`!!str`).
    #[must_use]
    pub fn tag(&self) -> Option<&'t str> {
        let index = (self.data().tag as usize).checked_sub(1)?;
        self.tree.tags.get(index).map(String::as_str)
    }

    /// Whether it has keys and values.
    #[must_use]
    pub fn is_mapping(&self) -> bool {
        self.data().shape == Shape::Mapping
    }

    /// Whether it has items.
    #[must_use]
    pub fn is_sequence(&self) -> bool {
        self.data().shape == Shape::Sequence
    }

    /// Whether it is neither a mapping nor a sequence.
    #[must_use]
    pub fn is_scalar(&self) -> bool {
        self.style().is_some()
    }

    /// How it is written, if it is a scalar.
    #[must_use]
    pub fn style(&self) -> Option<Style> {
        match self.data().shape {
            Shape::Verbatim(style) | Shape::Unescaped(style) => Some(style),
            _ => None,
        }
    }

    /// The value of a key of a mapping. Of a key that is there twice, the last; that was reported.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<Self> {
        self.entry(key).map(|entry| entry.value)
    }

    /// A key with its value.
    #[must_use]
    pub fn entry(&self, key: &str) -> Option<Entry<'t>> {
        self.entries().find(|entry| entry.key.text() == Some(key))
    }

    /// The entries of a mapping, as written, those of merge keys last; of anything else, none.
    pub fn entries(&self) -> impl Iterator<Item = Entry<'t>> + use<'t> {
        let tree = self.tree;
        let children = if self.is_mapping() { self.children() } else { &[] };
        children.chunks_exact(2).filter_map(move |pair| {
            let [key, value] = pair else { return None };
            Some(Entry {
                key: Node::new(tree, *key),
                value: Node::new(tree, *value),
            })
        })
    }

    /// The items of a sequence; of anything else, none.
    pub fn items(&self) -> impl Iterator<Item = Self> + use<'t> {
        let tree = self.tree;
        let children = if self.is_sequence() { self.children() } else { &[] };
        children.iter().map(move |&id| Node::new(tree, id))
    }

    /// How many entries or items.
    #[must_use]
    pub fn len(&self) -> usize {
        self.children().len() / if self.is_mapping() { 2 } else { 1 }
    }

    /// Whether it is a collection that holds nothing, or a scalar.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.is_scalar() || self.len() == 0
    }

    /// The text of a scalar, whatever its type: `80` and `"80"` alike.
    #[must_use]
    pub fn text(&self) -> Option<&'t str> {
        let data = self.data();
        let range = data.from as usize..data.to as usize;
        match data.shape {
            Shape::Verbatim(_) => self.tree.text.get(range),
            Shape::Unescaped(_) => self.tree.unescaped.get(range),
            _ => None,
        }
    }

    /// What it is to the tool that reads the file.
    #[must_use]
    pub fn typed(&self) -> Typed<'t> {
        self.typed_as(self.tree.schema)
    }

    /// What it is by another schema.
    #[must_use]
    pub fn typed_as(&self, schema: Schema) -> Typed<'t> {
        match (self.data().shape, self.text()) {
            (Shape::Mapping, _) => Typed::Mapping,
            (Shape::Verbatim(style) | Shape::Unescaped(style), Some(text)) => {
                schema.typed(text, style, self.tag())
            }
            _ => Typed::Sequence,
        }
    }

    /// Its text, if it is text and not a number or the like.
    #[must_use]
    pub fn as_str(&self) -> Option<&'t str> {
        match self.typed() {
            Typed::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Its value, if it is true or false.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        match self.typed() {
            Typed::Bool(value) => Some(value),
            _ => None,
        }
    }

    /// Its value, if it is a whole number. Text is none: see [`Node::number`].
    #[must_use]
    pub fn as_int(&self) -> Option<i64> {
        match self.typed() {
            Typed::Int(value) => Some(value),
            _ => None,
        }
    }

    /// A whole number, written as such or as decimal text: many tools take `80` and `"80"` for the same.
    #[must_use]
    pub fn number(&self) -> Option<i64> {
        match self.typed() {
            Typed::Int(value) => Some(value),
            Typed::Text(text) => text.trim().parse().ok(),
            _ => None,
        }
    }

    /// Whether it says nothing: `null`, `~`, or not written at all.
    #[must_use]
    pub fn is_null(&self) -> bool {
        self.typed() == Typed::Null
    }

    /// What it is, for people: "a mapping", "text".
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self.typed() {
            Typed::Null => "nothing",
            Typed::Bool(_) => "true or false",
            Typed::Int(_) | Typed::Float(_) => "a number",
            Typed::Text(_) => "text",
            Typed::Mapping => "a mapping",
            Typed::Sequence => "a list",
        }
    }
}

impl std::fmt::Debug for Node<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = f.debug_struct("Node");
        shown.field("kind", &self.kind()).field("span", &self.span());
        shown.finish()
    }
}
