//! Tested pages as text, JSON and `JUnit`. The `json` form only ever gains fields: `docs/policy-test.md`.

use std::io;

use serde::Serialize;

use super::page::{Page, Tested};
use crate::report::junit::{self, Case, Problem, Suite};

/// How results are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For people: a line a page, and each failure with the line that it is about.
    Text,
    /// For programs.
    Json,
    /// For servers that run tests.
    Junit,
}

/// Writes what became of pages.
pub fn write(pages: &[Page], format: Format, out: &mut dyn io::Write) -> io::Result<()> {
    match format {
        Format::Text => write_text(pages, out),
        Format::Json => write_json(pages, out),
        Format::Junit => write_junit(pages, out),
    }
}

fn n_failed(page: &Page) -> usize {
    page.cases.iter().filter(|case| !case.has_passed()).count()
}

/// What is wrong with a case: the line of the page, and the message.
fn failures(case: &Tested) -> impl Iterator<Item = (usize, &str)> {
    let refusal = case.refusal.as_deref().map(|refusal| (case.line, refusal));
    let differences = case.differences.iter();
    differences
        .map(|difference| (difference.line, difference.message.as_str()))
        .chain(refusal)
}

fn write_text(pages: &[Page], out: &mut dyn io::Write) -> io::Result<()> {
    let (mut passed, mut failed) = (0, 0);
    for page in pages {
        let wrong = n_failed(page);
        let right = page.cases.len() - wrong;
        (passed, failed) = (passed + right, failed + wrong);
        for case in page.cases.iter().filter(|case| !case.has_passed()) {
            for (line, message) in failures(case) {
                writeln!(out, "{}:{line}: {}", page.name, case.title)?;
                for part in message.lines() {
                    writeln!(out, "  {part}")?;
                }
                write_excerpt(page, line, out)?;
            }
        }
        match wrong {
            0 => writeln!(out, "{}: {right} passed", page.name)?,
            _ => writeln!(out, "{}: {right} passed, {wrong} failed", page.name)?,
        }
    }
    let n_pages = if pages.len() == 1 { "page" } else { "pages" };
    writeln!(
        out,
        "{passed} passed, {failed} failed on {} {n_pages}",
        pages.len()
    )
}

/// A line of a page with what it is about underlined: what is expected in it, else all of it.
fn write_excerpt(page: &Page, line: usize, out: &mut dyn io::Write) -> io::Result<()> {
    let Some(text) = page.text.lines().nth(line.saturating_sub(1)) else {
        return Ok(());
    };
    let start = text.find("# expect:").or_else(|| text.find("# related:"));
    let start = start.unwrap_or(text.len() - text.trim_start().len());
    let before = text.get(..start).unwrap_or_default().chars().map(blank);
    let marks = "^".repeat(text.get(start..).unwrap_or_default().trim_end().chars().count());
    let margin = " ".repeat(line.to_string().len());
    writeln!(out, "  {margin} |\n  {line} | {}", text.trim_end())?;
    writeln!(out, "  {margin} | {}{marks}", before.collect::<String>())
}

/// What stands above an underline keeps its width.
fn blank(letter: char) -> char {
    if letter == '\t' { '\t' } else { ' ' }
}

#[derive(Serialize)]
struct ResultsV1<'a> {
    version: u32,
    pages: Vec<PageV1<'a>>,
    passed: usize,
    failed: usize,
}

#[derive(Serialize)]
struct PageV1<'a> {
    page: &'a str,
    policy: &'a str,
    cases: Vec<CaseV1<'a>>,
}

#[derive(Serialize)]
struct CaseV1<'a> {
    title: &'a str,
    line: usize,
    passed: bool,
    failures: Vec<FailureV1<'a>>,
}

#[derive(Serialize)]
struct FailureV1<'a> {
    line: usize,
    message: &'a str,
}

fn write_json(pages: &[Page], out: &mut dyn io::Write) -> io::Result<()> {
    let pages_v1 = pages.iter().map(|page| PageV1 {
        page: &page.name,
        policy: &page.policy,
        cases: page
            .cases
            .iter()
            .map(|tested| {
                let failures = failures(tested).map(|(line, message)| FailureV1 { line, message });
                CaseV1 {
                    title: &tested.title,
                    line: tested.line,
                    passed: tested.has_passed(),
                    failures: failures.collect(),
                }
            })
            .collect(),
    });
    let failed = pages.iter().map(n_failed).sum();
    let n_cases: usize = pages.iter().map(|page| page.cases.len()).sum();
    let results = ResultsV1 {
        version: 1,
        pages: pages_v1.collect(),
        passed: n_cases - failed,
        failed,
    };
    serde_json::to_writer_pretty(&mut *out, &results)?;
    writeln!(out)
}

/// The form that test servers read.
fn write_junit(pages: &[Page], out: &mut dyn io::Write) -> io::Result<()> {
    let problem = |page: &Page, (line, message): (usize, &str)| Problem {
        is_error: false,
        kind: None,
        message: message.to_owned(),
        text: format!("{}:{line}: {message}", page.name),
    };
    let case = |page: &Page, case: &Tested| Case {
        name: case.title.clone(),
        file: Some(page.name.clone()),
        line: Some(case.line),
        problems: failures(case).map(|failure| problem(page, failure)).collect(),
        said: None,
    };
    let suite = |page: &Page| Suite {
        name: page.name.clone(),
        cases: page.cases.iter().map(|tested| case(page, tested)).collect(),
    };
    let suites: Vec<Suite> = pages.iter().map(suite).collect();
    junit::write("portcullis policy test", &suites, out)
}
