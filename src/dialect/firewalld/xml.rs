//! XML with places: elements and attributes of a document, and what firewalld refuses in it.
//!
//! firewalld refuses a file with an element or attribute that it does not know, or without one that it needs (its log:
//! `PARSE_ERROR`). INVARIANT: each refusal is a finding.

use roxmltree::{Document, Node, ParsingOptions};

use crate::finding::{Code, Finding, Label};
use crate::source::{Source, Span, Spanned};

/// Elements and texts of one file.
const MAX_NODES: u32 = 2_000_000;

/// Elements of one kind of file, with the attributes that they must and may have.
pub(super) type Schema = &'static [(&'static str, &'static [&'static str], &'static [&'static str])];

/// A document that is being read.
pub(super) struct Reader<'n> {
    /// Where everything is that lies in no file.
    anchor: Option<Span>,
    /// The file, and how many bytes come before the document.
    start: Span,
    pub(super) notices: &'n mut Vec<Finding>,
}

/// Parses a file. `Err`: it is no XML, which is said.
pub(super) fn parse<'a, 'n>(
    source: Source<'a>,
    notices: &'n mut Vec<Finding>,
) -> Result<(Document<'a>, Reader<'n>), Span> {
    // A byte-order mark has been made blanks, and nothing may stand before `<?xml`.
    let text = source.text.strip_prefix("   ").unwrap_or(source.text);
    let skipped = u32::try_from(source.text.len() - text.len()).unwrap_or(0);
    let start = Span::new(source.file, skipped, skipped);
    match Document::parse_with_options(text, options()) {
        Ok(document) => Ok((
            document,
            Reader {
                anchor: None,
                start,
                notices,
            },
        )),
        Err(error) => {
            let at = place(source, text, error.pos());
            let message = format!(
                "this is no XML that firewalld reads: {}",
                lower_case(&error.to_string())
            );
            let label = Label::new(at, "not understood");
            let finding = Finding::new(Code::UnreadText, message, Some(label));
            notices.push(finding.help("firewalld leaves the whole file out"));
            Err(at)
        }
    }
}

/// Parses what firewalld knows of itself; all of it is at `anchor`.
pub(super) fn parse_built_in<'a, 'n>(
    text: &'a str,
    anchor: Span,
    notices: &'n mut Vec<Finding>,
) -> Option<(Document<'a>, Reader<'n>)> {
    let document = Document::parse_with_options(text, options()).ok()?;
    let reader = Reader {
        anchor: Some(anchor),
        start: anchor,
        notices,
    };
    Some((document, reader))
}

fn options<'a>() -> ParsingOptions<'a> {
    ParsingOptions {
        allow_dtd: false,
        nodes_limit: MAX_NODES,
        ..ParsingOptions::default()
    }
}

/// The line that an error is in.
fn place(source: Source<'_>, text: &str, position: roxmltree::TextPos) -> Span {
    let row = usize::try_from(position.row).unwrap_or(1).saturating_sub(1);
    let line = text.lines().nth(row).unwrap_or("");
    crate::source::Locator::new(source).span(if line.is_empty() {
        text.get(..0).unwrap_or("")
    } else {
        line.trim()
    })
}

/// The message of the XML parser as part of a sentence, without its place.
fn lower_case(message: &str) -> String {
    let without = message
        .rsplit_once(" at ")
        .map_or(message, |(message, _)| message);
    let mut chars = without.chars();
    let first = chars.next().map(|first| first.to_ascii_lowercase());
    first
        .into_iter()
        .chain(chars)
        .map(|char| if char == '\'' { '`' } else { char })
        .collect()
}

impl Reader<'_> {
    fn range(&self, range: &std::ops::Range<usize>) -> Span {
        let narrow = |offset: usize| u32::try_from(offset).unwrap_or(u32::MAX - self.start.start);
        let (start, end) = (narrow(range.start), narrow(range.end));
        Span::new(self.start.file, self.start.start + start, self.start.start + end)
    }

    /// All of an element.
    pub(super) fn span(&self, node: Node<'_, '_>) -> Span {
        self.anchor.unwrap_or_else(|| self.range(&node.range()))
    }

    /// The beginning of an element up to its first child.
    pub(super) fn head(&self, node: Node<'_, '_>) -> Span {
        if let Some(anchor) = self.anchor {
            return anchor;
        }
        let whole = node.range();
        let end = node.first_child().map_or(whole.end, |child| child.range().start);
        self.range(&(whole.start..end))
    }

    /// The text in an element without the blanks around it.
    pub(super) fn text(&self, node: Node<'_, '_>) -> Spanned<String> {
        let Some(child) = node.first_child().filter(Node::is_text) else {
            return Spanned::new(String::new(), self.head(node));
        };
        let mut range = child.range();
        let raw = node
            .document()
            .input_text()
            .get(range.clone())
            .unwrap_or_default();
        range.start += raw.len() - raw.trim_start().len();
        range.end = range.start + raw.trim().len();
        let text = child.text().unwrap_or_default().trim().to_owned();
        Spanned::new(text, self.range(&range))
    }

    /// An attribute and the bytes of its value.
    pub(super) fn attribute(&self, node: Node<'_, '_>, name: &str) -> Option<Spanned<String>> {
        let attribute = node.attributes().find(|attribute| attribute.name() == name)?;
        let span = self
            .anchor
            .unwrap_or_else(|| self.range(&attribute.range_value()));
        Some(Spanned::new(attribute.value().to_owned(), span))
    }

    /// Says that a part cannot be read.
    pub(super) fn refuse(&mut self, at: Span, message: impl Into<String>, help: &str) {
        let label = Label::new(at, "not understood");
        self.notices
            .push(Finding::new(Code::UnreadText, message, Some(label)).help(help));
    }

    /// What an attribute's value means; if it means nothing, it is said what it is not.
    pub(super) fn known<T>(
        &mut self,
        said: &Spanned<String>,
        found: Option<T>,
        what: &str,
        help: &str,
    ) -> Option<T> {
        if found.is_none() {
            self.refuse(said.span, format!("`{}` is not {what}", said.value), help);
        }
        found
    }

    /// Whether the schema knows an element with its attributes; what it does not know is said.
    pub(super) fn check(&mut self, node: Node<'_, '_>, schema: Schema) -> bool {
        let name = node.tag_name().name();
        let help = "firewalld refuses a file with this in it";
        let Some((_, required, optional)) = schema.iter().find(|(known, ..)| *known == name) else {
            let head = self.head(node);
            self.refuse(head, format!("unexpected element `{name}`"), help);
            return false;
        };
        let mut is_known = true;
        for attribute in node.attributes() {
            let known = attribute.name();
            if !required.contains(&known) && !optional.contains(&known) {
                let at = self.range(&attribute.range());
                self.refuse(at, format!("`{name}` has no attribute `{known}`"), help);
                is_known = false;
            }
        }
        for missing in required
            .iter()
            .filter(|required| node.attribute(**required).is_none())
        {
            let head = self.head(node);
            self.refuse(head, format!("`{name}` without its attribute `{missing}`"), help);
            is_known = false;
        }
        is_known
    }
}

/// The elements in an element.
pub(super) fn children<'a, 'i>(node: Node<'a, 'i>) -> impl Iterator<Item = Node<'a, 'i>> {
    node.children().filter(Node::is_element)
}
