//! Published tables of ports to policies.
//!
//! A document is read as headings, paragraphs and tables ([`document`]), the columns of each table are found, its rows become
//! requirements, and those are written in the policy language. INVARIANT: every row of a table of ports is a statement with
//! its place, or a comment with the reason; a table that is out of step gives no row at all.

mod cell;
pub mod column;
pub mod document;
mod heading;
mod outline;
mod prose;
mod read;
mod requirement;
mod sides;
mod table;
mod walk;
mod write;

pub use read::{Form, read};
pub use requirement::Note;

use cell::name;
use document::{Block, Document, Problem};
use outline::Outline;
use requirement::Entry;

use crate::policy::MAX_ROWS;
use crate::source::{Source, Span};

/// The largest document that is read, in bytes.
pub const MAX_BYTES: usize = 16 << 20;

/// What is asked of a document.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The policy's name, instead of the file's.
    pub name: Option<String>,
    /// Only what stands under the headings that contain this, in any case.
    pub select: Option<String>,
}

/// What a document came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Derivation {
    /// The policy, in canonical form. Empty if there are problems.
    pub text: String,
    /// Rows of tables of ports, and endpoints that prose names.
    pub n_rows: usize,
    /// Of those, the ones that became requirements.
    pub n_derived: usize,
    /// Requirements in which something is guessed.
    pub guessed: Vec<Note>,
    /// Rows that became none.
    pub left: Vec<Note>,
    /// Tables and columns that are not read, since they say nothing of ports.
    pub skipped: Vec<Note>,
    /// What is wrong with the document.
    pub problems: Vec<Problem>,
}

/// Derives a policy from a document.
#[must_use]
pub fn derive(source: Source<'_>, options: &Options) -> Derivation {
    let whole = Span::new(source.file, 0, 0);
    let refused = |problem: Problem| Derivation {
        problems: vec![problem],
        ..Derivation::default()
    };
    let Some(form) = Form::of(source) else {
        let message = format!("`{}` is no document that tables are read from", source.name);
        let help = "read are Markdown, HTML, CSV, TSV, reStructuredText and the text of a copied page";
        return refused(Problem::new(whole, message, help));
    };
    // A byte that is not UTF-8 stands as this: a row with it would say something else.
    if let Some(at) = source.text.find('\u{1a}').and_then(|at| u32::try_from(at).ok()) {
        let message = "this byte is no text";
        let span = Span::new(source.file, at, at + 1);
        return refused(Problem::new(
            span,
            message,
            "convert the document to UTF-8, or take the byte out",
        ));
    }
    let mut document = read(source, form);
    let title = title(&document, source.name);
    if let Some(heading) = &options.select
        && let Err(problem) = select(&mut document, heading, whole)
    {
        return refused(problem);
    }
    let mut derivation = Derivation::default();
    derivation.problems.append(&mut document.problems);
    let mut outline = walk::outline(&document);
    outline.settle();
    if derivation.problems.is_empty() && outline.is_empty() {
        let message = "no table here has a column of ports, and no sentence names an endpoint or a port";
        let help = "a table of ports has headings such as Hosts, Port, Scope, Purpose";
        derivation.problems.push(Problem::new(whole, message, help));
    }
    count(&outline, &mut derivation);
    if derivation.n_derived > MAX_ROWS {
        let message = format!("the document has more than {MAX_ROWS} rows");
        derivation.problems.push(Problem::new(
            whole,
            message,
            "derive from its sections with `--select`",
        ));
    }
    if derivation.problems.is_empty() {
        let name = options.name.as_deref().unwrap_or_else(|| stem(source.name));
        let name = name::kebab(name).unwrap_or_else(|| "derived".to_owned());
        match write::write(&outline, &name, &title) {
            Ok(text) => derivation.text = text,
            Err(reason) => {
                let message = format!("what the document says cannot be written: {reason}");
                derivation.problems.push(Problem::new(
                    whole,
                    message,
                    "this is a mistake of the program: report it",
                ));
            }
        }
    }
    derivation
}

/// The first heading, else the first paragraph if it is short, else the name of the file.
fn title(document: &Document, name: &str) -> String {
    let heading = document.blocks.iter().find_map(|block| match block {
        Block::Heading { text, .. } => Some(text.value.clone()),
        _ => None,
    });
    let paragraph = || match document.blocks.first() {
        Some(Block::Paragraph(text)) if text.value.len() <= 80 && !text.value.ends_with('.') => {
            Some(text.value.clone())
        }
        _ => None,
    };
    heading
        .or_else(paragraph)
        .unwrap_or_else(|| stem(name).to_owned())
}

fn stem(name: &str) -> &str {
    let file = name.rsplit(['/', '\\']).next().unwrap_or(name);
    file.rsplit_once('.').map_or(file, |(stem, _)| stem)
}

/// Leaves only what stands under the headings that are asked for.
fn select(document: &mut Document, wanted: &str, whole: Span) -> Result<(), Problem> {
    let wanted = wanted.to_lowercase();
    let mut kept = Vec::new();
    let mut spans: Vec<Span> = Vec::new();
    let mut headings = Vec::new();
    let mut open: Option<u8> = None;
    let mut last = None;
    for block in document.blocks.drain(..) {
        if let Block::Heading { level, text } = &block {
            headings.push(format!("`{}`", text.value));
            let is_wanted = text.value.to_lowercase().contains(&wanted);
            match open {
                Some(above) if *level > above => {}
                _ => open = is_wanted.then_some(*level),
            }
        }
        let span = match &block {
            Block::Heading { text, .. } | Block::Paragraph(text) => text.span,
            Block::Table(grid) => grid.span,
        };
        if open.is_some() {
            spans.push(last.map_or(span, |_: Span| span));
            kept.push(block);
        }
        last = Some(span);
    }
    document.blocks = kept;
    let (Some(first), Some(end)) = (spans.first(), spans.last()) else {
        let message = format!("no heading contains `{wanted}`");
        return Err(Problem::new(
            whole,
            message,
            format!("the headings are {}", headings.join(", ")),
        ));
    };
    let chosen = first.to(*end);
    document.problems.retain(|problem| chosen.contains(problem.span));
    Ok(())
}

fn count(outline: &Outline, derivation: &mut Derivation) {
    let mut place = String::new();
    let mut seen: Option<(usize, Span)> = None;
    for entry in &outline.entries {
        match entry {
            Entry::Section(heading) => place = format!("{heading}, "),
            Entry::Row(number, requirement, span) => {
                if *number == 0 || seen != Some((*number, *span)) {
                    derivation.n_rows += 1;
                    derivation.n_derived += 1;
                }
                seen = Some((*number, *span));
                let at = if *number == 0 {
                    "prose".to_owned()
                } else {
                    format!("{place}row {number}")
                };
                derivation
                    .guessed
                    .extend(requirement.guesses.iter().map(|guess| Note {
                        place: at.clone(),
                        message: guess.clone(),
                        text: requirement.id.clone().unwrap_or_default(),
                        span: *span,
                    }));
            }
            Entry::Left(note) => {
                derivation.n_rows += 1;
                derivation.left.push(note.clone());
            }
            Entry::Skipped(note) => derivation.skipped.push(note.clone()),
        }
    }
}

impl Outline {
    fn is_empty(&self) -> bool {
        !self
            .entries
            .iter()
            .any(|entry| matches!(entry, Entry::Row(..) | Entry::Left(_)))
    }
}
