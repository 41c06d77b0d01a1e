//! Pages of tests: found beside their policies, each case run.

use std::path::{Path, PathBuf};

use super::case::Difference;
use super::{read, run};
use crate::discover::{self, shown};

/// The ending of pages that test the policy beside them, and that of policies.
const ENDING: &str = ".test.md";
const POLICY: &str = ".ports";

/// A page whose cases have run.
#[derive(Debug, Clone)]
pub struct Page {
    /// Its path, as given or found.
    pub name: String,
    /// The policy that it stands beside.
    pub policy: String,
    /// Its text.
    pub text: String,
    /// Its cases, in order.
    pub cases: Vec<Tested>,
}

/// A case that has run.
#[derive(Debug, Clone)]
pub struct Tested {
    /// Its heading.
    pub title: String,
    /// The line of the heading.
    pub line: usize,
    /// What is not as it should be; empty if it passed.
    pub differences: Vec<Difference>,
    /// Why it could not run.
    pub refusal: Option<String>,
}

/// Why something cannot be tested, one line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Untested(String);

impl Tested {
    /// Whether all was as it should be.
    #[must_use]
    pub fn has_passed(&self) -> bool {
        self.differences.is_empty() && self.refusal.is_none()
    }
}

/// The pages of tests that are named, that stand beside a policy that is named, or that lie below a folder; sorted, each once.
pub fn find(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Vec<Untested>> {
    let (mut pages, mut errors) = (Vec::new(), Vec::new());
    for path in paths {
        let name = shown(path);
        if path.is_dir() {
            let found = discover::discover(std::slice::from_ref(path));
            errors.extend(found.errors.iter().map(|error| Untested(error.to_string())));
            let inputs = found.inputs.into_iter().map(|input| input.path);
            pages.extend(inputs.filter(|path| shown(path).ends_with(ENDING)));
        } else if let Some(stem) = name.strip_suffix(POLICY) {
            let page = PathBuf::from(format!("{stem}{ENDING}"));
            if page.is_file() {
                pages.push(page);
            } else {
                errors.push(Untested(format!(
                    "{name} has no tests: there is no {}",
                    shown(&page)
                )));
            }
        } else if name.ends_with(ENDING) {
            pages.push(path.clone());
        } else {
            errors.push(Untested(format!(
                "{name} is no folder, no policy (`NAME{POLICY}`) and no page of tests (`NAME{ENDING}`)"
            )));
        }
    }
    pages.sort();
    pages.dedup();
    if pages.is_empty() && errors.is_empty() {
        errors.push(Untested(format!(
            "no tests: tests of `NAME{POLICY}` stand beside it, in `NAME{ENDING}`"
        )));
    }
    if errors.is_empty() { Ok(pages) } else { Err(errors) }
}

/// Runs the cases of a page whose titles contain a text.
pub fn test(page: &Path, only: Option<&str>) -> Result<Page, Untested> {
    let name = shown(page);
    let policy = name.strip_suffix(ENDING).map(|stem| format!("{stem}{POLICY}"));
    let policy = policy.unwrap_or_default();
    if !Path::new(&policy).is_file() {
        return Err(Untested(format!("{name} tests no policy: there is no {policy}")));
    }
    let text = std::fs::read_to_string(page);
    let text = text.map_err(|error| Untested(format!("{name} cannot be read: {error}")))?;
    let cases = read(&text);
    let mut cases = cases.map_err(|error| Untested(format!("{name}:{}: {error}", error.line)))?;
    if cases.is_empty() {
        return Err(Untested(format!(
            "{name} has no case: a case is a heading and a block below it"
        )));
    }
    cases.retain(|case| only.is_none_or(|only| case.title.contains(only)));
    let tested = cases.iter().map(|case| {
        let (differences, refusal) = match run(case, Some(Path::new(&policy))) {
            Ok(ran) => (case.differences(&ran), None),
            Err(refusal) => (Vec::new(), Some(refusal.to_string())),
        };
        Tested {
            title: case.title.clone(),
            line: case.line,
            differences,
            refusal,
        }
    });
    Ok(Page {
        cases: tested.collect(),
        name,
        policy,
        text,
    })
}
