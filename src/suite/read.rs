//! Markdown to literate cases: `docs/policy-test.md`. INVARIANT: what looks like a part of a case and is none is refused.
//!
//! Each heading begins a case of its own; headings without files are prose. A fenced block is a file:
//!
//! - its name stands on a line before it, "`hosts/edge.rules`:", else it comes from the block's language (see
//!   [`DEFAULT_NAMES`]); blocks of `text` or `console` are illustrations;
//! - `# expect: CODE ["text"] [possibly] [SEVERITY]` at the end of a line expects a finding whose primary span begins in
//!   that line, with `text` in its message, its primary label, its extent or its help; several may follow each other. The
//!   comment is taken off before the file is read, so it may stand in any language and changes no line number;
//! - `# related: "text"` likewise expects that a related label of some finding begins in that line, with `text` in it. Other
//!   related labels need no expectation.
//!
//! In the prose, each on a line of its own:
//!
//! - `expect: CODE ["text"] [possibly] [SEVERITY]` expects a finding that lies in none of the case's files;
//! - `quiet: CODE` says that the case is there to show what `CODE` is not about;
//! - `says: TEXT` expects a line of the summary with that text;
//! - `covers: LINE` expects a line of the coverage, which is then made; all its lines must be expected, in any order:
//!   `row ROW STATE HOST…`, `opening PLACE STATE ROW…`, `total …`; where a row is not the same for all of its connections at a host,
//!   `connection ROW in HOST FROM -> TO : SERVICE STATE` for each of them;
//! - `role: …`, `zone: …`, `name: …`, `set: …`, `feature: …`, `without: …`, `product-version: …`, `today: …` are these options of `check`;
//! - `budget: N` gives the analysis of a host that many edges.
//!
//! A block of `packets` asks the policy itself: see [`Question`].

use super::case::{Case, Expectation, File};
use super::question::Question;
use crate::finding::{Certainty, Code, Severity};

/// Languages of blocks that are files without being named, and the names they get.
const DEFAULT_NAMES: &[(&str, &str)] = &[
    ("ports", "policy.ports"),
    ("iptables", "host.rules"),
    ("ip6tables", "host.rules6"),
    ("ipset", "ipset.save"),
    ("nft", "host.nft"),
    ("toml", "portcullis.toml"),
    ("cloudformation", "template.yaml"),
    ("terraform", "main.tf"),
];
const ILLUSTRATIONS: &[&str] = &["text", "console"];

/// Options of `check` that a case may have, each on a line of its own.
const OPTIONS: &[&str] = &[
    "role",
    "zone",
    "name",
    "set",
    "feature",
    "without",
    "product-version",
    "today",
];

/// A page that is no page of cases.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Misread {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub message: String,
}

/// Reads a Markdown file of cases. Errors name the line.
pub fn read(markdown: &str) -> Result<Vec<Case>, Misread> {
    let mut reader = Reader::default();
    for (number, line) in (1..).zip(markdown.lines()) {
        let misread = |message| Misread {
            line: number,
            message,
        };
        reader.line(number, line).map_err(misread)?;
    }
    if let Some(block) = &reader.block {
        return Err(Misread {
            line: block.line,
            message: "a block is not closed".to_owned(),
        });
    }
    reader.end_case();
    for case in &reader.cases {
        let is_expected = |code: &&Code| case.expected.iter().any(|one| one.code == **code);
        if let Some(code) = case.quiet.iter().find(is_expected) {
            return Err(Misread {
                line: case.line,
                message: format!("`{}` is both quiet and expected", code.id()),
            });
        }
    }
    Ok(reader.cases)
}

#[derive(Default)]
struct Reader {
    cases: Vec<Case>,
    case: Case,
    /// The name on the last line that was not blank.
    name: Option<String>,
    block: Option<Block>,
}

struct Block {
    /// The line it begins in.
    line: usize,
    fence: String,
    holds: Holds,
}

/// What a block is.
enum Holds {
    File(File),
    Questions,
    /// Nothing that counts.
    Illustration,
}

impl Reader {
    fn line(&mut self, number: usize, line: &str) -> Result<(), String> {
        if self.block.is_some() {
            return self.line_of_block(number, line);
        }
        if line.starts_with("```") {
            return self.begin_block(number, line);
        }
        if ["```", "~~~"]
            .iter()
            .any(|fence| line.trim_start().starts_with(fence))
        {
            return Err("a block begins with ``` at the beginning of its line".to_owned());
        }
        if line.trim().is_empty() {
            return Ok(());
        }
        self.name = named(line);
        if line.starts_with('#') {
            self.end_case();
            line.trim_start_matches('#')
                .trim()
                .clone_into(&mut self.case.title);
            self.case.line = number;
        } else if let Some(text) = line.strip_prefix("expect:") {
            self.case.expected.push(expectation(number, text)?);
        } else if let Some(text) = line.strip_prefix("quiet:") {
            self.case.quiet.push(code(text.trim())?);
        } else if let Some(text) = line.strip_prefix("says:") {
            self.case.says.push(text.trim().to_owned());
        } else if let Some(text) = line.strip_prefix("covers:") {
            self.case.covers.push(text.trim().to_owned());
        } else if let Some(text) = line.strip_prefix("budget:") {
            let budget = text
                .trim()
                .parse()
                .map_err(|_| format!("`{text}` is no number"))?;
            self.case.budget = Some(budget);
        } else if let Some((option, value)) = line.split_once(": ").filter(|(key, _)| OPTIONS.contains(key)) {
            let value = value.trim().trim_matches('`');
            self.case.options.push((option.to_owned(), value.to_owned()));
        }
        Ok(())
    }

    fn line_of_block(&mut self, number: usize, line: &str) -> Result<(), String> {
        let Some(block) = &mut self.block else {
            return Ok(());
        };
        if line.trim_end() == block.fence {
            if let Some(Block {
                holds: Holds::File(file),
                ..
            }) = self.block.take()
            {
                self.case.files.push(file);
            }
            return Ok(());
        }
        match &mut block.holds {
            Holds::Illustration => {}
            Holds::Questions => self.case.questions.extend(Question::parse(number, line)?),
            Holds::File(file) => {
                let (line, related) = split_related(line)?;
                let (text, expectations) = split_expectations(number, line)?;
                file.text.push_str(text);
                file.text.push('\n');
                let line = file.text.matches('\n').count();
                let place = Some((file.name.clone(), line));
                let placed = expectations.into_iter().map(|one| Expectation {
                    place: place.clone(),
                    ..one
                });
                self.case.expected.extend(placed);
                let related = related.into_iter().map(|text| (file.name.clone(), line, text));
                self.case.related.extend(related);
            }
        }
        Ok(())
    }

    fn begin_block(&mut self, number: usize, line: &str) -> Result<(), String> {
        let language = line.trim_start_matches('`').trim();
        let fence = line.chars().take_while(|c| *c == '`').collect();
        let default = DEFAULT_NAMES
            .iter()
            .find(|(known, _)| *known == language)
            .map(|(_, name)| *name);
        let name = match (self.name.take(), default) {
            (Some(name), _) => Some(name),
            (None, Some(name)) => Some(name.to_owned()),
            (None, None) => None,
        };
        let holds = match name {
            Some(name) => {
                if self.case.files.iter().any(|file| file.name == name) {
                    return Err(format!("the case has two files `{name}`"));
                }
                let is_step = |part: &str| part.is_empty() || part == "..";
                if name.split(['/', '\\']).any(is_step) {
                    return Err(format!("`{name}` is not below the folder of the case"));
                }
                Holds::File(File {
                    name,
                    language: language.to_owned(),
                    text: String::new(),
                    line: number + 1,
                })
            }
            None if language == "packets" => Holds::Questions,
            None if ILLUSTRATIONS.contains(&language) => Holds::Illustration,
            None => {
                return Err(format!(
                    "a block of `{language}` needs a line with its file's name before it"
                ));
            }
        };
        self.block = Some(Block {
            line: number,
            fence,
            holds,
        });
        Ok(())
    }

    fn end_case(&mut self) {
        let case = std::mem::take(&mut self.case);
        let has_some = !case.files.is_empty() || !case.questions.is_empty();
        if has_some || !case.expected.is_empty() || !case.quiet.is_empty() {
            self.cases.push(case);
        }
    }
}

/// The name in a line "`name`:".
fn named(line: &str) -> Option<String> {
    let name = line.trim().strip_prefix('`')?.strip_suffix("`:")?;
    (!name.is_empty() && !name.contains('`')).then(|| name.to_owned())
}

const MARK: &str = "# expect:";

const RELATED_MARK: &str = "# related:";

/// A line of a file without the related labels that are expected in it, and their words. They stand behind all else.
fn split_related(line: &str) -> Result<(&str, Vec<String>), String> {
    let Some((text, marked)) = line.split_once(RELATED_MARK) else {
        return Ok((line, Vec::new()));
    };
    let words = marked.split(RELATED_MARK).map(|words| {
        let quoted = words
            .trim()
            .strip_prefix('"')
            .and_then(|words| words.strip_suffix('"'));
        quoted
            .map(str::to_owned)
            .ok_or("words of a related label stand in quotation marks")
    });
    Ok((text.trim_end(), words.collect::<Result<_, _>>()?))
}

/// A line of a file without its expectations, and they.
fn split_expectations(number: usize, line: &str) -> Result<(&str, Vec<Expectation>), String> {
    let mut parts = line.split(MARK);
    let text = parts.next().unwrap_or("");
    let expectations: Vec<_> = parts
        .map(|part| expectation(number, part))
        .collect::<Result<_, _>>()?;
    Ok((
        if expectations.is_empty() {
            line
        } else {
            text.trim_end()
        },
        expectations,
    ))
}

/// `CODE ["text"] [possibly] [SEVERITY]`
fn expectation(line: usize, text: &str) -> Result<Expectation, String> {
    let text = text.trim();
    let (id, rest) = text.split_once(' ').unwrap_or((text, ""));
    let code = code(id)?;
    let (quoted, rest) = match rest.trim().strip_prefix('"') {
        Some(quoted) => {
            let (quoted, rest) = quoted.split_once('"').ok_or("a text is not closed")?;
            (Some(quoted.to_owned()), rest.trim())
        }
        None => (None, rest.trim()),
    };
    let mut certainty = Certainty::Surely;
    let mut severity = None;
    for word in rest.split_whitespace() {
        match word {
            "possibly" => certainty = Certainty::Possibly,
            "error" => severity = Some(Severity::Error),
            "warning" => severity = Some(Severity::Warning),
            "note" => severity = Some(Severity::Note),
            other => return Err(format!("`{other}` is not part of an expectation")),
        }
    }
    Ok(Expectation {
        line,
        place: None,
        code,
        text: quoted,
        certainty,
        severity,
    })
}

fn code(id: &str) -> Result<Code, String> {
    Code::by_id(id).ok_or_else(|| format!("`{id}` is no code"))
}

#[cfg(test)]
mod tests;
