//! Which comments a text has, and which parts of it are no code: strings over several lines.
//!
//! INVARIANT: where it is not sure that something is a comment, it is none, and takes nothing back.

use std::ops::Range;

use crate::source::Source;
use crate::tree::{Node, Schema, Tree};

/// What a text is written in, as far as comments go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    /// `<!-- … -->`.
    Xml,
    /// None.
    Json,
    /// `#`, `//`, `/* … */`.
    Hcl,
    /// `#`.
    Yaml,
    /// Rules of hosts: `#`, and the comments that rules carry.
    Rules,
}

/// Keys that begin a line in the templates and manifests that are read.
const KEYS_OF_YAML: &[&str] = &[
    "apiVersion:",
    "kind:",
    "Resources:",
    "AWSTemplateFormatVersion:",
    "heat_template_version:",
];

impl Language {
    pub(super) fn of(source: Source<'_>) -> Self {
        let is_named = |endings: &[&str]| endings.iter().any(|ending| source.name.ends_with(ending));
        let begins_yaml = |line: &str| KEYS_OF_YAML.iter().any(|key| line.starts_with(key));
        match source.text.trim_start().chars().next() {
            Some('<') => Self::Xml,
            Some('{' | '[') => Self::Json,
            _ if is_named(&[".tf", ".tofu", ".tfvars"]) => Self::Hcl,
            _ if is_named(&[".yaml", ".yml", ".template"]) || source.text.lines().any(begins_yaml) => {
                Self::Yaml
            }
            _ => Self::Rules,
        }
    }

    /// What begins comments, with what ends them on their line.
    pub(super) fn openers(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Xml => &[("<!--", "-->")],
            Self::Json => &[],
            Self::Hcl => &[("/*", "*/"), ("//", ""), ("#", "")],
            Self::Yaml | Self::Rules => &[("#", "")],
        }
    }

    /// The parts of a text that lie in scalars or heredocs.
    pub(super) fn strings(self, source: Source<'_>) -> Vec<Range<usize>> {
        match self {
            Self::Yaml => {
                let tree = Tree::yaml(source, Schema::Core);
                let mut found = Vec::new();
                for document in tree.documents() {
                    scalars(document, &mut found);
                }
                found
            }
            Self::Hcl => heredocs(source.text),
            Self::Xml | Self::Json | Self::Rules => Vec::new(),
        }
    }
}

/// Recursive over values, which trees do not nest deep ([`crate::tree::MAX_DEPTH`]).
fn scalars(node: Node<'_>, found: &mut Vec<Range<usize>>) {
    if node.is_scalar() {
        found.push(node.span().range());
    }
    for entry in node.entries() {
        scalars(entry.key, found);
        scalars(entry.value, found);
    }
    for item in node.items() {
        scalars(item, found);
    }
}

/// The lines of texts that `<<WORD` begins and a line with the word ends.
fn heredocs(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut open: Option<(usize, &str)> = None;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let end = at + line.len();
        match open {
            Some((start, word)) if line.trim() == word => {
                found.push(start..at);
                open = None;
            }
            Some(_) => {}
            None => {
                let word = line
                    .rsplit_once("<<")
                    .map(|(_, word)| word.trim_start_matches('-').trim());
                let is_word =
                    |word: &&str| !word.is_empty() && word.chars().all(|c| c.is_alphanumeric() || c == '_');
                open = word.filter(is_word).map(|word| (end, word));
            }
        }
        at = end;
    }
    found.extend(open.map(|(start, _)| start..text.len()));
    found
}

/// Whether the end of a text lies in quotes that it opens. A single quote opens only behind what is no part of a word.
pub(super) fn ends_in_quotes(text: &str) -> bool {
    let mut quote = None;
    let mut before = ' ';
    for c in text.chars() {
        match (quote, c) {
            (Some(open), c) if c == open && before != '\\' => quote = None,
            (None, '"') => quote = Some(c),
            (None, '\'') if !before.is_alphanumeric() => quote = Some(c),
            _ => {}
        }
        before = c;
    }
    quote.is_some()
}
