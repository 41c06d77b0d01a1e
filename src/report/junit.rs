//! The `junit` format, and the one writer of it: what servers that run tests read (github.com/testmoapp/junitxml says what
//! they have in common), and no more than the schema of Jenkins takes, which refuses others (jenkinsci/xunit-plugin,
//! `junit-10.xsd`): a test has no attributes for its file and line, so its text begins with them.
//!
//! Of a check, a file with findings is a suite and a finding a test: failed from the severity on that fails the run. The run
//! itself is a test too, so that there is always one, and what could not be read is its error.

use std::io;

use super::concise::headline;
use super::place::{self, Place};
use super::{Report, plain::short};
use crate::finding::Finding;

/// Tests that belong together: the cases of a page, the findings of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Suite {
    /// What they belong to.
    pub name: String,
    /// The tests.
    pub cases: Vec<Case>,
}

/// One test.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Case {
    /// What was tested.
    pub name: String,
    /// Where.
    pub file: Option<String>,
    /// On which line of the file, from 1.
    pub line: Option<usize>,
    /// What is wrong.
    pub problems: Vec<Problem>,
    /// What there is to say of a test that has passed.
    pub said: Option<String>,
}

impl Case {
    /// Where it was tested, as a line of its own.
    fn place(&self) -> String {
        match (&self.file, self.line) {
            (Some(file), Some(line)) => format!("{file}:{line}\n"),
            (Some(file), None) => format!("{file}\n"),
            (None, _) => String::new(),
        }
    }
}

/// Why a test has not passed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Whether it could not be run, rather than ran and failed.
    pub is_error: bool,
    /// Which kind, for those who group by it.
    pub kind: Option<&'static str>,
    /// In a line.
    pub message: String,
    /// In full.
    pub text: String,
}

/// Writes suites under a name.
pub fn write(name: &str, suites: &[Suite], out: &mut dyn io::Write) -> io::Result<()> {
    let all = || suites.iter().flat_map(|suite| &suite.cases);
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    writeln!(out, "<testsuites name=\"{}\" {}>", escaped(name), counted(all()))?;
    for suite in suites {
        let name = escaped(&suite.name);
        writeln!(
            out,
            "  <testsuite name=\"{name}\" {}>",
            counted(suite.cases.iter())
        )?;
        for case in &suite.cases {
            write_case(&name, case, out)?;
        }
        writeln!(out, "  </testsuite>")?;
    }
    writeln!(out, "</testsuites>")
}

fn counted<'c>(cases: impl Iterator<Item = &'c Case> + Clone) -> String {
    let has_error = |case: &&Case| case.problems.iter().any(|problem| problem.is_error);
    let errors = cases.clone().filter(has_error).count();
    let failures = cases.clone().filter(|case| !case.problems.is_empty()).count() - errors;
    format!(
        "tests=\"{}\" failures=\"{failures}\" errors=\"{errors}\"",
        cases.count()
    )
}

fn write_case(suite: &str, case: &Case, out: &mut dyn io::Write) -> io::Result<()> {
    write!(
        out,
        "    <testcase name=\"{}\" classname=\"{suite}\"",
        escaped(&case.name)
    )?;
    if case.problems.is_empty() && case.said.is_none() {
        return writeln!(out, "/>");
    }
    writeln!(out, ">")?;
    let place = case.place();
    for problem in &case.problems {
        let element = if problem.is_error { "error" } else { "failure" };
        let kind = problem.kind.map(|kind| format!(" type=\"{}\"", escaped(kind)));
        writeln!(
            out,
            "      <{element} message=\"{}\"{}>{}</{element}>",
            escaped(&problem.message),
            kind.unwrap_or_default(),
            escaped(&format!("{place}{}", problem.text))
        )?;
    }
    if let Some(said) = &case.said {
        writeln!(
            out,
            "      <system-out>{}</system-out>",
            escaped(&format!("{place}{said}"))
        )?;
    }
    writeln!(out, "    </testcase>")
}

/// A text as XML has it, in attributes too (XML 1.0, sections 2.2 and 2.4).
fn escaped(text: &str) -> String {
    let mut shown = String::new();
    for letter in text.chars() {
        match letter {
            '<' => shown.push_str("&lt;"),
            '>' => shown.push_str("&gt;"),
            '&' => shown.push_str("&amp;"),
            '"' => shown.push_str("&quot;"),
            '\n' => shown.push_str("&#10;"),
            '\t' => shown.push(' '),
            letter if letter.is_control() || matches!(letter, '\u{fffe}' | '\u{ffff}') => {
                shown.push('\u{fffd}');
            }
            letter => shown.push(letter),
        }
    }
    shown
}

/// The findings of a check.
pub(super) fn write_report(report: &Report<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    let failures = report.summary.failures.iter().map(|failure| Problem {
        is_error: true,
        kind: None,
        message: failure.clone(),
        text: failure.clone(),
    });
    let mut suites = vec![Suite {
        name: "portcullis".to_owned(),
        cases: vec![Case {
            name: "everything was read".to_owned(),
            problems: failures.collect(),
            ..Case::default()
        }],
    }];
    for finding in report.sorted() {
        let file = Place::of(report, finding).file();
        let file = file.map(|file| place::path(report.sources, file));
        let name = file.as_deref().unwrap_or("no file").to_owned();
        // Findings are sorted by file, but for those that are shown at another than their own.
        let case = case(report, finding, file);
        match suites.iter_mut().rfind(|suite| suite.name == name) {
            Some(suite) => suite.cases.push(case),
            None => suites.push(Suite {
                name,
                cases: vec![case],
            }),
        }
    }
    write("portcullis", &suites, out)
}

fn case(report: &Report<'_>, finding: &Finding, file: Option<String>) -> Case {
    let line = match Place::of(report, finding) {
        Place::At(label) => Some(
            report
                .sources
                .file(label.span.file)
                .line_column(label.span.start)
                .line,
        ),
        Place::Whole(_) | Place::Nowhere => None,
    };
    let message = short(&headline(finding)).into_owned();
    let text = in_full(&message, finding);
    let is_failed = finding.severity >= report.fail_on || finding.code.is_failure();
    let problem = is_failed.then(|| Problem {
        is_error: finding.code.is_failure(),
        kind: Some(finding.severity.word()),
        message: message.clone(),
        text: text.clone(),
    });
    Case {
        name: format!("{}: {message}", finding.code.id()),
        file,
        line,
        said: problem.is_none().then_some(text),
        problems: problem.into_iter().collect(),
    }
}

fn in_full(message: &str, finding: &Finding) -> String {
    let rows = finding
        .rows
        .iter()
        .map(|row| format!("row {}: {}", row.id, row.document));
    let packets = finding
        .extent
        .iter()
        .take(super::human::MAX_PACKETS)
        .map(|line| format!("packets: {line}"));
    let hosts = (!finding.hosts.is_empty()).then(|| format!("hosts: {}", finding.hosts.join(", ")));
    let witness = finding
        .witness
        .iter()
        .map(|witness| format!("witness: {witness}"));
    let help = finding.help.iter().map(|help| format!("help: {help}"));
    let lines: Vec<String> = std::iter::once(format!("{}: {message}", finding.severity.word()))
        .chain(rows)
        .chain(packets)
        .chain(hosts)
        .chain(witness)
        .chain(help)
        .collect();
    lines.join("\n")
}
