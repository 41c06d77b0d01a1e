//! A literate case: input files, and what must come of them.
//!
//! INVARIANT: every finding must be expected and every expectation met, so a case says what a finding is *not*, too.

use super::question::Question;
use crate::finding::{Certainty, Code, Finding, Label, Severity};
use crate::source::SourceMap;

/// One case.
#[derive(Debug, Default)]
pub struct Case {
    /// Its heading.
    pub title: String,
    /// Line of the heading in the Markdown.
    pub line: usize,
    /// Its files in order.
    pub files: Vec<File>,
    /// What must be found, and nothing else.
    pub expected: Vec<Expectation>,
    /// Labels that findings must have besides.
    pub related: Vec<Related>,
    /// Codes that it shows not to fire.
    pub quiet: Vec<Code>,
    /// What the summary must say.
    pub says: Vec<String>,
    /// The lines of the coverage; where there are none, none is made.
    pub covers: Vec<String>,
    /// Options of `check` that it is read with, by name: `zone`, `internal=10.0.0.0/8`.
    pub options: Vec<(String, String)>,
    /// What is asked of the policy packet by packet.
    pub questions: Vec<Question>,
    /// Edges for the analysis of a host, if not as many as usual.
    pub budget: Option<usize>,
}

/// An input file of a case.
#[derive(Debug, PartialEq, Eq)]
pub struct File {
    /// Below the folder of the case.
    pub name: String,
    /// The language of its block.
    pub language: String,
    /// Its text without expectations.
    pub text: String,
    /// The line of the Markdown that its first line is.
    pub line: usize,
}

/// A finding that must be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expectation {
    /// The line of the Markdown that it stands in.
    pub line: usize,
    /// File name and line, from 1.
    pub place: Option<(String, usize)>,
    /// Which.
    pub code: Code,
    /// In its message, its primary label, its extent or its help.
    pub text: Option<String>,
    /// How sure.
    pub certainty: Certainty,
    /// How bad, if that matters.
    pub severity: Option<Severity>,
}

/// A related label, by its file, line from 1, and words.
pub type Related = (String, usize, String);

/// What a case needs to know of a finding.
#[derive(Debug, Clone)]
pub struct Found {
    place: Option<(String, usize)>,
    code: Code,
    pub(super) certainty: Certainty,
    severity: Severity,
    message: String,
    /// Message, label, extent and help, a line each.
    text: String,
    related: Vec<Related>,
}

/// Something that is not as a case has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The line of the Markdown that it is about.
    pub line: usize,
    /// What is wrong, one line.
    pub message: String,
}

/// What a run over a case gave.
#[derive(Debug, Clone, Default)]
pub struct Ran {
    /// Findings, sorted as reports sort.
    pub found: Vec<Found>,
    /// Lines of the summary, as the human report begins them.
    pub summary: Vec<String>,
    /// Lines of the coverage, if the case asks for it.
    pub coverage: Vec<String>,
    /// Questions that were answered otherwise.
    pub answers: Vec<Difference>,
}

impl Found {
    /// Reduces a finding. Files are named as below the folder `root`, as the source map shows it;
    /// what lies in others, such as shipped policies, lies nowhere.
    #[must_use]
    pub fn of(finding: &Finding, sources: &SourceMap, root: &str) -> Self {
        let place_of = |label: &Label| {
            let file = sources.file(label.span.file);
            let name = file.name().strip_prefix(root)?.trim_start_matches('/');
            Some((name.to_owned(), file.line_column(label.span.start).line))
        };
        let place = finding.primary.as_ref().and_then(place_of);
        let related = finding.related.iter().filter_map(|label| {
            let (name, line) = place_of(label)?;
            Some((name, line, label.message.clone()))
        });
        let mut text = vec![finding.message.clone()];
        text.extend(finding.primary.iter().map(|label| label.message.clone()));
        text.extend(finding.extent.iter().cloned());
        text.extend(finding.help.clone());
        Self {
            place,
            code: finding.code,
            certainty: finding.certainty,
            severity: finding.severity,
            message: finding.message.clone(),
            text: text.join("\n"),
            related: related.collect(),
        }
    }
}

impl Case {
    /// Everything that is not as the case has it, by line.
    #[must_use]
    pub fn differences(&self, ran: &Ran) -> Vec<Difference> {
        let mut wrong = ran.answers.clone();
        let mut differ = |line, message| wrong.push(Difference { line, message });
        for says in &self.says {
            if !ran.summary.iter().any(|line| line.contains(says.as_str())) {
                let message = format!("the summary does not say \"{says}\", only {:?}", ran.summary);
                differ(self.line, message);
            }
        }
        let (mut asked, mut made) = (self.covers.clone(), ran.coverage.clone());
        asked.sort();
        made.sort();
        if asked != made {
            differ(self.line, format!("the coverage is\n{}", ran.coverage.join("\n")));
        }
        let related: Vec<&Related> = ran.found.iter().flat_map(|found| &found.related).collect();
        for (name, line, text) in &self.related {
            let is_there = |label: &&Related| label.0 == *name && label.1 == *line && label.2.contains(text);
            if !related.iter().copied().any(|label| is_there(&label)) {
                let message = format!("{name}:{line}: no related label \"{text}\"");
                differ(self.line_of(Some(&(name.clone(), *line))), message);
            }
        }
        let mut left: Vec<&Found> = ran.found.iter().collect();
        let mut expected: Vec<&Expectation> = self.expected.iter().collect();
        expected.sort_by_key(|expectation| expectation.text.is_none());
        for expectation in expected {
            match left.iter().position(|found| expectation.is_met_by(found)) {
                Some(at) => drop(left.remove(at)),
                None => differ(expectation.line, format!("{}: not found", expectation.shown())),
            }
        }
        for found in left {
            differ(
                self.line_of(found.place.as_ref()),
                format!("{}: not expected", found.shown()),
            );
        }
        wrong.sort_by_key(|difference| difference.line);
        wrong
    }

    /// The line of the Markdown that a line of one of its files stands in.
    fn line_of(&self, place: Option<&(String, usize)>) -> usize {
        let file = place.and_then(|(name, line)| {
            let file = self.files.iter().find(|file| file.name == *name)?;
            Some(file.line + line.saturating_sub(1))
        });
        file.unwrap_or(self.line)
    }
}

impl Expectation {
    fn is_met_by(&self, found: &Found) -> bool {
        self.place == found.place
            && self.code == found.code
            && self.certainty == found.certainty
            && self.severity.is_none_or(|severity| severity == found.severity)
            && self
                .text
                .as_ref()
                .is_none_or(|text| found.text.contains(text.as_str()))
    }

    pub(super) fn shown(&self) -> String {
        let text = self
            .text
            .as_ref()
            .map_or(String::new(), |text| format!(" {text:?}"));
        format!(
            "{} {} {}{text}",
            shown_place(self.place.as_ref()),
            self.certainty.word(),
            self.code.id()
        )
    }
}

impl Found {
    fn shown(&self) -> String {
        let place = shown_place(self.place.as_ref());
        format!(
            "{place} {} {} \"{}\" {}",
            self.certainty.word(),
            self.code.id(),
            self.message,
            self.severity.word()
        )
    }
}

fn shown_place(place: Option<&(String, usize)>) -> String {
    place.map_or("nowhere".to_owned(), |(file, line)| format!("{file}:{line}"))
}
