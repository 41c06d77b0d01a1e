//! Notices of the reader, and the questions that end in one.
//!
//! INVARIANT: whatever is not understood is said here, and the caller follows both possibilities.

use super::selector::Labels;
use crate::finding::{Code, Finding, Label};
use crate::source::Span;
use crate::tree::{Node, Problem, Typed};

/// What could not be read or is not modelled.
#[derive(Debug, Default)]
pub(super) struct Notes {
    pub(super) findings: Vec<Finding>,
}

impl Notes {
    pub(super) fn unread(&mut self, span: Span, message: impl Into<String>, help: Option<&str>) {
        let label = Label::new(span, "not understood");
        let mut finding = Finding::new(Code::UnreadText, message, Some(label));
        finding.help = help.map(str::to_owned);
        self.findings.push(finding);
    }

    /// Something whose meaning is not modelled.
    pub(super) fn unsupported(&mut self, span: Span, message: impl Into<String>, help: Option<&str>) {
        let label = Label::new(span, "followed both ways");
        let mut finding = Finding::new(Code::UnsupportedMatch, message, Some(label));
        finding.help = help.map(str::to_owned);
        self.findings.push(finding);
    }

    pub(super) fn problem(&mut self, problem: &Problem) {
        self.unread(problem.span, problem.message.clone(), problem.help.as_deref());
    }

    /// Whether a mapping has no keys but these: a key that the API does not know is dropped or refused, and was meant.
    pub(super) fn knows(&mut self, node: Node<'_>, keys: &[&str], what: &str) -> bool {
        if !node.is_mapping() {
            self.unread(
                node.span(),
                format!("expected {what}, found {}", node.kind()),
                None,
            );
            return false;
        }
        let mut is_known = true;
        for entry in node.entries().filter(|entry| !keys.contains(&entry.name())) {
            let message = format!("`{}` is no field of {what}", entry.name());
            let help = format!("its fields are {}", keys.join(", "));
            self.unread(entry.key.span(), message, Some(&help));
            is_known = false;
        }
        is_known
    }

    /// The items of a list; of one that is not there, none. `None`: it is no list.
    pub(super) fn items<'t>(&mut self, list: Option<Node<'t>>, what: &str) -> Option<Vec<Node<'t>>> {
        match list.filter(|list| !list.is_null()) {
            None => Some(Vec::new()),
            Some(list) if list.is_sequence() => Some(list.items().collect()),
            Some(other) => {
                let message = format!("expected a list of {what}, found {}", other.kind());
                self.unread(other.span(), message, None);
                None
            }
        }
    }

    /// Labels, or what else has text as its values; whether all could be read.
    pub(super) fn labels(&mut self, node: Node<'_>, into: &mut Labels) -> bool {
        if !node.is_mapping() && !node.is_null() {
            self.unread(
                node.span(),
                format!("expected labels, found {}", node.kind()),
                None,
            );
            return false;
        }
        let mut are_read = true;
        for entry in node.entries() {
            match self.label_text(entry.value) {
                Some(value) => {
                    into.insert(entry.name().to_owned(), value.to_owned());
                }
                None => are_read = false,
            }
        }
        are_read
    }

    /// The value of a label. Kubernetes takes text alone: `yes` or `1` without quotes are something else to it.
    pub(super) fn label_text<'t>(&mut self, node: Node<'t>) -> Option<&'t str> {
        match node.typed() {
            Typed::Text(text) if !text.contains("{{") => Some(text),
            Typed::Null => Some(""),
            _ => {
                let text = node.text().unwrap_or("");
                let message = format!("`{text}` is {} and no label to Kubernetes", node.kind());
                let help = format!("quote it: `\"{text}\"`");
                self.unread(node.span(), message, Some(&help));
                None
            }
        }
    }

    /// A port number.
    pub(super) fn port(&mut self, node: Node<'_>) -> Option<u16> {
        let port = node.as_int().and_then(|port| u16::try_from(port).ok());
        if port.is_none_or(|port| port == 0) {
            let message = format!("`{}` is no port", node.text().unwrap_or(node.kind()));
            self.unread(node.span(), message, Some("ports are numbers from 1 to 65535"));
            return None;
        }
        port
    }
}
