//! A literate case to what the pipeline finds in it. INVARIANT: the case's files lie in a folder of their own, so no
//! site file but its own is found.
//!
//! A case without a `portcullis.toml` is audited as `check --policy FILE … --role ROLE … --no-common` would: with all its
//! policies, every host in every role that they define.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use portcullis::check::{Request, check};
use portcullis::finding::Summary;
use portcullis::finding::{Code, Finding};
use portcullis::packet::DEFAULT_BUDGET;
use portcullis::policy::{ast, parse};
use portcullis::site::Arguments;
use portcullis::source::SourceMap;

use super::case::{Case, Found};

/// A folder that is gone when it is dropped.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("portcullis-case-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder.canonicalize().unwrap())
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.0.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// What a run over the case's files finds, sorted as reports sort, and the lines of its summary; an error is what keeps
/// it from running.
pub(crate) fn run(case: &Case) -> Result<(Vec<Found>, Vec<String>), String> {
    let folder = Folder::new();
    for file in &case.files {
        folder.write(&file.name, &file.text);
    }
    let has_site = case.files.iter().any(|file| file.name == "portcullis.toml");
    let request = Request {
        paths: vec![folder.0.clone()],
        dialect: None,
        arguments: if has_site {
            Arguments::default()
        } else {
            audit(case, &folder.0)
        },
        site: None,
        budget: case.budget.unwrap_or(DEFAULT_BUDGET),
    };
    let root = portcullis::discover::shown(&folder.0);
    match check(&request) {
        // What cannot be read is a finding and a failure: a case may expect it. Other failures are the case's own mistakes.
        Ok(outcome) if outcome.summary.failures.is_empty() || has_unread_text(&outcome.findings) => {
            let found = outcome.findings.iter();
            let found = found.map(|finding| Found::of(finding, &outcome.sources, &root));
            Ok((found.collect(), summary(&outcome.summary)))
        }
        Ok(outcome) => Err(outcome.summary.failures.join("\n")),
        Err(refusal) => Err(format!("refused: {:?}", refusal.errors)),
    }
}

/// The lines of a summary, as the human report begins them.
fn summary(of: &Summary) -> Vec<String> {
    let unchecked = of.unchecked.iter().map(|line| format!("not checked: {line}"));
    let assumed = of.notes.iter().map(|line| format!("assumed: {line}"));
    unchecked.chain(assumed).collect()
}

fn has_unread_text(findings: &[Finding]) -> bool {
    findings.iter().any(|finding| finding.code == Code::UnreadText)
}

fn audit(case: &Case, folder: &Path) -> Arguments {
    let mut arguments = Arguments {
        no_common: true,
        ..Arguments::default()
    };
    let mut sources = SourceMap::new();
    for file in case.files.iter().filter(|file| file.language == "ports") {
        arguments
            .policies
            .push(folder.join(&file.name).to_string_lossy().into_owned());
        let id = sources.add_text(&*file.name, &*file.text);
        for policy in parse(sources.source(id)).policies {
            for statement in &policy.statements {
                if let ast::Statement::Role { names, .. } = &statement.value {
                    let full = |name: &str| format!("{}.{name}", policy.name.value);
                    arguments.roles.extend(names.iter().map(|name| full(&name.value)));
                }
            }
        }
    }
    arguments
}
