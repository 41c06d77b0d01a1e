//! The canonical text of a file of policies: one statement a line, columns aligned, comments and blank lines kept.
//!
//! Statements that follow each other without a blank line are a block, and share their columns. INVARIANT:
//! formatting the result changes nothing, and the result reads as the same tree.

use super::ast::{Policy, Row, Statement};
use super::error::PolicyError;
use super::parser::{comments, parse};
use super::print;
use crate::source::{Locator, Source, Span, Spanned};

/// A cell that is wider than this does not widen its column for the others.
const MAX_COLUMN: usize = 60;

/// Formats a file. A file with syntax errors is not touched.
pub fn format(source: Source<'_>) -> Result<String, Vec<PolicyError>> {
    let parsed = parse(source);
    if !parsed.errors.is_empty() {
        return Err(parsed.errors);
    }
    let at = Locator::new(source);
    let mut writer = Writer {
        text: source.text,
        comments: comments(source.text)
            .into_iter()
            .map(|comment| (at.span(comment), comment))
            .collect(),
        next_comment: 0,
        lines: Vec::new(),
        end: None,
    };
    for policy in &parsed.policies {
        writer.policy(policy);
    }
    writer.comments_before(u32::MAX, "");
    Ok(render(&writer.lines))
}

/// One line of the result: cells that may be aligned with those of its neighbours, and a comment.
#[derive(Debug, Default)]
struct Line {
    indent: &'static str,
    /// Lines of one shape in a block share their columns.
    shape: Shape,
    cells: Vec<String>,
    comment: Option<String>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// Ends a block.
    Blank,
    /// Aligned with nothing, and ends no block.
    #[default]
    Comment,
    Plain,
    Service,
    Described,
    Row,
}

struct Writer<'a> {
    text: &'a str,
    comments: Vec<(Span, &'a str)>,
    next_comment: usize,
    lines: Vec<Line>,
    /// Where in the text the last thing written ends; `None` right after an opening brace and at the start.
    end: Option<u32>,
}

impl<'a> Writer<'a> {
    fn policy(&mut self, policy: &Policy) {
        self.comments_before(policy.span.start, "");
        self.blank_line(policy.span.start, true);
        let title = policy
            .title
            .as_ref()
            .map_or(String::new(), |title| format!(" {}", print::quoted(&title.value)));
        self.push(
            "",
            Shape::Plain,
            vec![format!("policy {}{title} {{", policy.name.value)],
        );
        // A comment in the head moves behind its brace, or below it.
        self.trailing_comment(policy.brace.end, policy.span.end);
        self.end = None;
        for statement in &policy.statements {
            self.statement(statement, policy.span.end);
        }
        self.comments_before(policy.span.end, "  ");
        self.push("", Shape::Plain, vec!["}".to_owned()]);
        self.end = Some(policy.span.end);
        self.trailing_comment(policy.span.end, u32::MAX);
    }

    fn statement(&mut self, statement: &Spanned<Statement>, limit: u32) {
        self.comments_before(statement.span.start, "  ");
        self.blank_line(statement.span.start, false);
        // Comments inside a statement stand above it.
        self.end = None;
        self.comments_before(statement.span.end, "  ");
        match &statement.value {
            Statement::Use { policy, settings } if settings.len() > 1 => {
                self.push("  ", Shape::Plain, vec![format!("use {} {{", policy.value)]);
                for setting in settings {
                    self.push("    ", Shape::Plain, vec![print::setting(&setting.value)]);
                }
                self.push("  ", Shape::Plain, vec!["}".to_owned()]);
            }
            statement => {
                let (shape, cells) = cells(statement);
                self.push("  ", shape, cells);
            }
        }
        self.end = Some(statement.span.end);
        self.trailing_comment(statement.span.end, limit);
    }

    fn push(&mut self, indent: &'static str, shape: Shape, cells: Vec<String>) {
        self.lines.push(Line {
            indent,
            shape,
            cells,
            comment: None,
        });
    }

    /// Writes the comments that start before `limit`, each on its line.
    fn comments_before(&mut self, limit: u32, indent: &'static str) {
        while let Some((span, text)) = self.comment_before(limit) {
            self.blank_line(span.start, false);
            self.push(indent, Shape::Comment, vec![text.to_owned()]);
            self.end = Some(span.end);
        }
    }

    /// Takes the next comment if it starts before `limit`.
    fn comment_before(&mut self, limit: u32) -> Option<(Span, &'a str)> {
        let next = *self.comments.get(self.next_comment)?;
        (next.0.start < limit).then(|| {
            self.next_comment += 1;
            next
        })
    }

    /// Puts the comment that follows `end` on the same line behind what was just written. `limit` is the end of
    /// what is around it.
    fn trailing_comment(&mut self, end: u32, limit: u32) {
        let Some(&(span, text)) = self.comments.get(self.next_comment) else {
            return;
        };
        let between = self.text.get(end as usize..span.start as usize);
        if span.start < limit && between.is_some_and(|between| between.trim_matches([' ', '\t']).is_empty()) {
            self.next_comment += 1;
            self.end = Some(span.end);
            if let Some(line) = self.lines.last_mut() {
                line.comment = Some(text.to_owned());
            }
        }
    }

    /// Keeps one blank line if there were any before `start`; where `always`, writes one unless nothing stands above
    /// or a comment does.
    fn blank_line(&mut self, start: u32, always: bool) {
        let Some(end) = self.end else { return };
        let between = self.text.get(end as usize..start as usize).unwrap_or("");
        let after_comment = matches!(self.lines.last(), Some(line) if line.shape == Shape::Comment);
        if between.matches('\n').count() > 1 || (always && !after_comment) {
            self.push("", Shape::Blank, Vec::new());
        }
    }
}

fn cells(statement: &Statement) -> (Shape, Vec<String>) {
    let one = |text: String| (Shape::Plain, vec![text]);
    match statement {
        Statement::Source(title) => one(format!("source {}", print::quoted(&title.value))),
        Statement::Section(title) => one(format!("section {}", print::quoted(&title.value))),
        Statement::Role { names, home } => {
            let home = home
                .as_ref()
                .map_or(String::new(), |home| format!(" in {}", home.value));
            one(format!("role {}{home}", print::names(names)))
        }
        Statement::Zone(names) => one(format!("zone {}", print::names(names))),
        Statement::ZoneAlias { name, of } => one(format!("zone {} = {}", name.value, of.value)),
        Statement::Feature { name, meaning } => {
            described(format!("feature {}", name.value), &[], meaning.as_ref())
        }
        Statement::Parameter {
            name,
            kind,
            default,
            meaning,
        } => {
            let kind = kind.as_ref();
            let kind = kind.map(|kind| format!(": {}", print::parameter_kind(kind.value)));
            let head = format!("parameter {}{}", name.value, kind.unwrap_or_default());
            described(head, default, meaning.as_ref())
        }
        Statement::Service {
            name,
            value,
            configurable,
            within,
        } => {
            let cells = vec![
                format!("service {}", name.value),
                format!("= {}", print::services(value)),
                print::configurable(*configurable, within.as_ref()),
            ];
            (Shape::Service, cells)
        }
        Statement::Row(row) => (Shape::Row, row_cells(row)),
        Statement::ClosedEgress => one("closed egress".to_owned()),
        Statement::Lift { policy, row, reason } => {
            let row = format!("lift {}/{}", policy.value, row.value);
            (
                Shape::Described,
                vec![row, String::new(), print::quoted(&reason.value)],
            )
        }
        Statement::Waive(waiver) => {
            let row = format!("waive {}", print::waived(waiver));
            (Shape::Described, vec![row, String::new(), print::excuse(waiver)])
        }
        Statement::Use { policy, settings } => match settings.first() {
            Some(setting) => one(format!(
                "use {} {{ {} }}",
                policy.value,
                print::setting(&setting.value)
            )),
            None => one(format!("use {}", policy.value)),
        },
    }
}

fn described(
    head: String,
    default: &[Spanned<String>],
    meaning: Option<&Spanned<String>>,
) -> (Shape, Vec<String>) {
    let default = if default.is_empty() {
        String::new()
    } else {
        format!("= {}", print::strings(default))
    };
    let meaning = meaning.map_or(String::new(), |meaning| print::quoted(&meaning.value));
    (Shape::Described, vec![head, default, meaning])
}

fn row_cells(row: &Row) -> Vec<String> {
    let mut guards: Vec<String> = row.when.iter().map(print::condition).collect();
    guards.extend(
        row.owner
            .iter()
            .map(|owner| format!("owner {}", print::quoted(&owner.value))),
    );
    guards.extend(
        row.expires
            .iter()
            .map(|day| format!("expires {}", print::date(day.value))),
    );
    guards.extend(
        row.severity
            .iter()
            .map(|severity| format!("severity {}", print::severity(severity.value))),
    );
    if !row.tags.is_empty() {
        guards.push(format!("tags {}", print::strings(&row.tags)));
    }
    vec![
        print::kind(row.kind.value).to_owned(),
        row.id
            .as_ref()
            .map_or(String::new(), |id| format!("{}:", id.value)),
        print::peers(&row.from),
        format!("-> {}", print::peers(&row.to)),
        format!(": {}", print::services(&row.services)),
        guards.join(" "),
        row.purpose
            .as_ref()
            .map_or(String::new(), |purpose| print::quoted(&purpose.value)),
        row.place
            .as_ref()
            .map_or(String::new(), |place| format!("row {}", place.value)),
    ]
}

/// Aligns the columns of each block and writes it all.
fn render(lines: &[Line]) -> String {
    let mut text = String::new();
    for block in lines.chunk_by(|_, next| next.shape != Shape::Blank) {
        for line in block {
            let widths = widths(block, line.shape);
            let written = write_line(line, &widths);
            text.push_str(&written);
            text.push('\n');
        }
    }
    text
}

fn widths(block: &[Line], shape: Shape) -> Vec<usize> {
    let mut widths = Vec::new();
    if matches!(shape, Shape::Service | Shape::Described | Shape::Row) {
        for line in block.iter().filter(|line| line.shape == shape) {
            widths.resize(widths.len().max(line.cells.len()), 0);
            for (width, cell) in widths.iter_mut().zip(&line.cells) {
                let length = cell.chars().count();
                *width = (*width).max(if length > MAX_COLUMN { 0 } else { length });
            }
        }
    }
    widths
}

fn write_line(line: &Line, widths: &[usize]) -> String {
    let mut text = line.indent.to_owned();
    let mut padding = 0;
    for (at, cell) in line.cells.iter().enumerate() {
        let width = widths.get(at).copied().unwrap_or(0);
        if !cell.is_empty() {
            text.extend(std::iter::repeat_n(' ', padding));
            text.push_str(cell);
            padding = 0;
        }
        let length = cell.chars().count();
        if width.max(length) > 0 {
            padding += width.saturating_sub(length) + usize::from(at + 1 < line.cells.len());
        }
    }
    if let Some(comment) = &line.comment {
        text.push_str("  ");
        text.push_str(comment);
    }
    text
}
