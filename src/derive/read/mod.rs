//! Readers of documents: text in one of five forms to headings, paragraphs and tables. INVARIANT: reading never fails; what
//! is broken is a problem with its place.

mod delimited;
mod flat;
mod html;
mod inline;
mod markdown;
mod rst;
mod rst_grid;
mod rst_list;
mod rst_simple;
mod spans;

use super::document::{Document, MAX_CELLS, Problem};
use crate::source::{Source, Span};

/// How a document is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Markdown with pipe tables.
    Markdown,
    /// An HTML page.
    Html,
    /// Values between commas, or semicolons.
    Csv,
    /// Values between tabs.
    Tsv,
    /// reStructuredText.
    Rst,
    /// The text of a copied page, each cell a paragraph.
    Flattened,
}

impl Form {
    /// Every form.
    pub const ALL: [Self; 6] = [
        Self::Markdown,
        Self::Html,
        Self::Csv,
        Self::Tsv,
        Self::Rst,
        Self::Flattened,
    ];

    /// What the form is called.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Markdown => "markdown",
            Self::Html => "html",
            Self::Csv => "csv",
            Self::Tsv => "tsv",
            Self::Rst => "rst",
            Self::Flattened => "text",
        }
    }

    /// The form of a document: as its name ends, else as its text looks. `None` for files that are no documents.
    #[must_use]
    pub fn of(source: Source<'_>) -> Option<Self> {
        let name = source.name.to_ascii_lowercase();
        let (_, ending) = name.rsplit_once('.').unwrap_or(("", ""));
        Some(match ending {
            "md" | "markdown" | "mdx" => Self::Markdown,
            "html" | "htm" | "xhtml" => Self::Html,
            "csv" => Self::Csv,
            "tsv" | "tab" => Self::Tsv,
            "rst" | "rest" => Self::Rst,
            "txt" | "text" | "" => Self::of_text(source),
            _ if name.contains('/') && !name.contains('.') => Self::of_text(source),
            _ => return None,
        })
    }

    /// The form that a text looks like: pages and tables show themselves, all other text is prose.
    fn of_text(source: Source<'_>) -> Self {
        let start = source
            .text
            .trim_start()
            .get(..64)
            .unwrap_or(source.text.trim_start());
        let start = start.to_ascii_lowercase();
        let line_is = |is: fn(&str) -> bool| source.text.lines().any(|line| is(line.trim()));
        if start.starts_with("<!doctype html") || start.starts_with("<html") || start.starts_with("<table") {
            Self::Html
        } else if line_is(is_pipe_rule) {
            Self::Markdown
        } else if line_is(rst_grid::is_border) || line_is(|line| line.starts_with(".. list-table::")) {
            Self::Rst
        } else if source
            .text
            .lines()
            .take(2)
            .all(|line| line.matches('\t').count() >= 2)
        {
            Self::Tsv
        } else {
            Self::Flattened
        }
    }
}

/// Reads a document of a known form.
#[must_use]
pub fn read(source: Source<'_>, form: Form) -> Document {
    match form {
        Form::Markdown => markdown::read(source),
        Form::Html => html::read(source),
        Form::Csv => delimited::read(source, separator(source.text)),
        Form::Tsv => delimited::read(source, b'\t'),
        Form::Rst => rst::read(source),
        Form::Flattened => flat::read(source),
    }
}

/// The line below the headings of a pipe table.
fn is_pipe_rule(line: &str) -> bool {
    line.contains('|') && line.contains("---") && line.chars().all(|c| matches!(c, '|' | '-' | ':' | ' '))
}

/// What separates values: spreadsheets of some languages write semicolons.
fn separator(text: &str) -> u8 {
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or("");
    if first.matches(';').count() > first.matches(',').count() {
        b';'
    } else {
        b','
    }
}

fn too_many_cells(at: Span) -> Problem {
    let message = format!("the tables have more than {MAX_CELLS} cells");
    Problem::new(
        at,
        message,
        "no published table of ports is as large: derive from a part of the document",
    )
}
