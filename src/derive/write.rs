//! An outline as text of the policy language, in canonical form.
//!
//! INVARIANT: the text reads without an error; what is no requirement stands in it as a comment.

use super::cell::condition::Guard;
use super::cell::name::quotable;
use super::cell::peer::Peer;
use super::outline::Outline;
use super::requirement::{Definition, Ends, Entry, Note, Requirement};
use crate::policy;
use crate::source::SourceMap;

/// Names of roles that one line holds.
const NAMES_A_LINE: usize = 6;

/// The text of a policy, or what is wrong with it, which would be a mistake of ours.
pub(super) fn write(outline: &Outline, name: &str, title: &str) -> Result<String, String> {
    let mut text = Text::default();
    let title = quotable(title);
    text.line(&format!("policy {name} \"{title}\" {{"));
    text.line(&format!("source \"{title}\""));
    text.blank();
    for (keyword, names) in [("role", &outline.roles), ("zone", &outline.zones)] {
        for names in names.chunks(NAMES_A_LINE) {
            text.line(&format!("{keyword} {}", names.join(", ")));
        }
    }
    for kind in 0..3 {
        text.blank();
        for definition in outline
            .definitions
            .iter()
            .filter(|definition| order(definition) == kind)
        {
            text.line(&defined(definition));
        }
    }
    text.blank();
    for entry in &outline.entries {
        match entry {
            Entry::Section(heading) => {
                text.blank();
                text.line(&format!("section \"{}\"", quotable(heading)));
            }
            Entry::Row(number, requirement, _) => {
                for guess in &requirement.guesses {
                    text.comment(&format!("review: {guess}"));
                }
                text.line(&row(*number, requirement));
            }
            Entry::Left(note) => text.note("not derived", note),
            Entry::Skipped(note) => text.note("not read", note),
        }
    }
    text.line("}");
    canonical(&text.0)
}

#[derive(Default)]
struct Text(String);

impl Text {
    fn line(&mut self, line: &str) {
        self.0.push_str(line);
        self.0.push('\n');
    }

    fn blank(&mut self) {
        self.0.push('\n');
    }

    fn comment(&mut self, text: &str) {
        let words: Vec<&str> = text.split_whitespace().collect();
        self.line(&format!("# {}", words.join(" ")));
    }

    fn note(&mut self, what: &str, note: &Note) {
        self.comment(&format!("{what}: {}: {}", note.place, note.message));
        if !note.text.is_empty() {
            self.comment(&format!("  {}", note.text));
        }
    }
}

fn order(definition: &Definition) -> usize {
    match definition {
        Definition::Feature { .. } => 0,
        Definition::Parameter { .. } => 1,
        Definition::Service { .. } => 2,
    }
}

fn defined(definition: &Definition) -> String {
    match definition {
        Definition::Feature { name, meaning } => format!("feature {name} \"{meaning}\""),
        Definition::Parameter {
            name,
            default,
            meaning,
        } => {
            let default: Vec<String> = default.iter().map(|host| format!("\"{host}\"")).collect();
            let equals = if default.is_empty() { "" } else { "= " };
            format!("parameter {name} {equals}{} \"{meaning}\"", default.join(", "))
        }
        Definition::Service {
            name,
            value,
            configurable,
        } => {
            let configurable = if *configurable { "configurable" } else { "" };
            format!("service {name} = {value} {configurable}")
        }
    }
}

fn row(number: usize, row: &Requirement) -> String {
    let kind = if row.optional { "allow" } else { "require" };
    let id = row.id.as_ref().map_or(String::new(), |id| format!("{id}: "));
    let services = row.services.join(if row.one_of { " | " } else { ", " });
    let guard = |guard: &Guard| format!("version {} {}", guard.comparison, guard.version);
    let tests: Vec<String> = row
        .features
        .iter()
        .cloned()
        .chain(row.guards.iter().map(guard))
        .collect();
    let when = if tests.is_empty() {
        String::new()
    } else {
        format!("when {}", tests.join(" and "))
    };
    let purpose = if row.purpose.is_empty() {
        String::new()
    } else {
        format!("\"{}\"", row.purpose)
    };
    let place = if number == 0 {
        String::new()
    } else {
        format!("row {number}")
    };
    format!(
        "{kind} {id}{} -> {} : {services} {when} {purpose} {place}",
        ends(&row.from),
        ends(&row.to)
    )
}

fn ends(ends: &Ends) -> String {
    let text = |peer: &Peer| match peer {
        Peer::This => "self".to_owned(),
        Peer::Any => "any".to_owned(),
        Peer::Zone(name) | Peer::Role(name) => name.clone(),
        Peer::Host(host) => format!("\"{host}\""),
    };
    let list: Vec<String> = ends.list.iter().map(text).collect();
    list.join(if ends.one_of { " | " } else { ", " })
}

/// The canonical form of a text that must be a policy.
fn canonical(text: &str) -> Result<String, String> {
    let mut map = SourceMap::new();
    let file = map.add_text("derived.ports", text);
    let parsed = policy::parse(map.source(file));
    let errors = if parsed.errors.is_empty() {
        policy::check(&parsed.policies)
    } else {
        parsed.errors
    };
    match errors.first() {
        Some(error) => Err(format!(
            "{error}, in `{}`",
            map.file(file).line_around(error.span.start).trim()
        )),
        None => policy::format(map.source(file)).map_err(|_| "the text has no canonical form".to_owned()),
    }
}
