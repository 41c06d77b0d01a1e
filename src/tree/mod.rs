//! YAML and JSON to trees in which every key and value keeps its bytes.
//!
//! Reading never fails: what cannot be read becomes a [`Problem`], and the documents before and behind it are there. Aliases
//! and merge keys (`<<`) are resolved, so that a reader sees what the text means; comments are gone. What a plain scalar
//! *is* (`80`, `yes`, `0777`) depends on the tool that reads the file, so it is asked for, not stored: see [`Schema`].
//! INVARIANT: a span is bytes of the text as it lies on disk, in both languages alike; a value that is not written (`key:`
//! and nothing) has the place of its key.

mod build;
mod extent;
mod json;
mod merge;
mod node;
mod place;
mod tab;
mod template;
mod typed;
mod yaml;

pub use node::{Entry, Node, Style};
pub use typed::{Schema, Typed};

use crate::source::{FileId, Source, Span};

/// How deep values may lie in each other, aliases followed.
pub const MAX_DEPTH: u32 = 200;
/// How many values a text may have, each key and each value counted.
pub const MAX_VALUES: usize = 20_000_000;
/// How many values aliases and merge keys of one text may stand for in all.
pub const MAX_EXPANSION: u64 = 1_000_000;
/// After how many problems the rest of a text is left.
const MAX_PROBLEMS: usize = 100;

/// Something that could not be read, in words for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The bytes that are wrong.
    pub span: Span,
    /// The fact.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
}

/// The documents of one text.
#[derive(Debug)]
pub struct Tree<'a> {
    file: FileId,
    text: &'a str,
    schema: Schema,
    nodes: Vec<node::Data>,
    /// The children of mappings (key, value, key, value) and sequences.
    children: Vec<u32>,
    /// Texts of scalars that are not in the file as they are: quoted with escapes, folded over lines.
    unescaped: String,
    /// Tags as users write them, each once.
    tags: Vec<String>,
    documents: Vec<u32>,
    problems: Vec<Problem>,
}

impl<'a> Tree<'a> {
    fn new(source: Source<'a>, schema: Schema) -> Self {
        Self {
            file: source.file,
            text: source.text,
            schema,
            nodes: Vec::new(),
            children: Vec::new(),
            unescaped: String::new(),
            tags: Vec::new(),
            documents: Vec::new(),
            problems: Vec::new(),
        }
    }

    /// Reads JSON: one value, or several behind each other as programs write them in streams (RFC 8259).
    #[must_use]
    pub fn json(source: Source<'a>) -> Self {
        json::read(source)
    }

    /// Reads YAML 1.2 of any number of documents, typed by `schema`.
    #[must_use]
    pub fn yaml(source: Source<'a>, schema: Schema) -> Self {
        let tree = yaml::read(source, schema);
        // A byte-order mark is three blanks by now, which indent the first line and no other.
        let unmarked = source.text.strip_prefix("   ");
        if let (false, Some(rest)) = (tree.problems.is_empty(), unmarked) {
            let again = yaml::read_from(source, rest, schema);
            if again.problems.len() < tree.problems.len() {
                return again;
            }
        }
        tree
    }

    /// Reads a text that may be either: JSON if it is that, else YAML.
    #[must_use]
    pub fn read(source: Source<'a>, schema: Schema) -> Self {
        let text = source.text.trim_start();
        if text.starts_with(['{', '[']) && !text.starts_with("{{") && !text.starts_with("{%") {
            let tree = Self::json(source);
            let is_named_so = source
                .name
                .rsplit_once('.')
                .is_some_and(|(_, ending)| ending == "json");
            if tree.problems.is_empty() || is_named_so {
                return tree;
            }
        }
        Self::yaml(source, schema)
    }

    /// The root of each document that says anything, in order.
    pub fn documents(&self) -> impl Iterator<Item = Node<'_>> {
        self.documents.iter().map(|&id| Node::new(self, id))
    }

    /// What could not be read, in the order of the text.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    fn span(&self, start: u32, end: u32) -> Span {
        Span::new(self.file, start, end.max(start))
    }
}

#[cfg(test)]
mod tests;
