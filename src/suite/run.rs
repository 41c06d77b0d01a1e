//! A literate case to what the pipeline finds in it. INVARIANT: the case's files lie in a folder of their own, so no
//! site file but its own is found.
//!
//! A case without a `portcullis.toml` is audited as `check --policy FILE … --role ROLE … --no-common` would: with all its
//! policies, every host in every role that they define, or in those that it names.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use super::case::{Case, File, Found, Ran};
use crate::check::{LoadError, Outcome, Past, Refusal, Request, Watch, check};
use crate::finding::{Code, Coverage, CoveredOpening, CoveredRow, Finding, Ground, Severity, Summary};
use crate::packet::DEFAULT_BUDGET;
use crate::policy::{ast, parse};
use crate::site::Arguments;
use crate::source::{SourceFile, SourceMap};

/// A folder that is gone when it is dropped.
pub(super) struct Folder {
    pub(super) path: PathBuf,
}

impl Folder {
    fn new() -> Result<Self, NotRun> {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("portcullis-case-{}-{number}", std::process::id()));
        let made = std::fs::create_dir_all(&path).and_then(|()| path.canonicalize());
        let path = made.map_err(|error| NotRun(format!("no folder for the files of the case: {error}")))?;
        Ok(Self { path })
    }

    pub(super) fn write(&self, name: &str, text: &str) -> Result<(), NotRun> {
        let path = self.path.join(name);
        let folder = path.parent().map_or(Ok(()), std::fs::create_dir_all);
        let written = folder.and_then(|()| std::fs::write(&path, text));
        written.map_err(|error| NotRun(format!("`{name}` cannot be written: {error}")))
    }

    /// Copies a file under its own name, and gives its path.
    fn copy(&self, from: &Path) -> Result<PathBuf, NotRun> {
        let path = self.path.join(from.file_name().unwrap_or_default());
        let copied = std::fs::copy(from, &path);
        copied.map_err(|error| {
            NotRun(format!(
                "{} cannot be read: {error}",
                crate::discover::shown(from)
            ))
        })?;
        Ok(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _removed = std::fs::remove_dir_all(&self.path);
    }
}

/// Why a case cannot run, one line a reason.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotRun(pub String);

/// What a run over the case's files finds. `policy` is the file that it stands beside: it is in force unless the case has a site
/// file, and lies beside that under its own name.
pub fn run(case: &Case, policy: Option<&Path>) -> Result<Ran, NotRun> {
    let folder = Folder::new()?;
    let beside = policy.map(|path| folder.copy(path)).transpose()?;
    for file in &case.files {
        folder.write(&file.name, &file.text)?;
    }
    let has_site = case.files.iter().any(|file| file.name == "portcullis.toml");
    let arguments = if has_site {
        Arguments::default()
    } else {
        audit(case, &folder, beside.as_deref())?
    };
    let mut request = Request {
        paths: vec![folder.path.clone()],
        dialect: None,
        arguments: with_options(arguments, &case.options)?,
        site: None,
        known: Past::default(),
        coverage: !case.covers.is_empty(),
        is_merged: true,
        skips_unknown: false,
        budget: case.budget.unwrap_or(DEFAULT_BUDGET),
        watch: Watch::default(),
    };
    let root = crate::discover::shown(&folder.path);
    let is_config = |file: &File| file.language != "ports" && file.name != "portcullis.toml";
    let mut ran = Ran::default();
    if case.files.iter().any(is_config) || case.questions.is_empty() {
        let outcome = checked(&request)?;
        // A case that names its roles is not about the others.
        let names_roles = case.options.iter().any(|(option, _)| option == "role");
        let is_left_out = |finding: &&Finding| {
            names_roles && finding.code == Code::UnboundRole && finding.severity == Severity::Note
        };
        let found = outcome.findings.iter().filter(|finding| !is_left_out(finding));
        let found = found.map(|finding| Found::of(finding, &outcome.sources, &root));
        let coverage = outcome.coverage.as_ref();
        let coverage = coverage.map(|coverage| lines(coverage, &outcome.sources, &root));
        ran.found = found.collect();
        ran.summary = summary(&outcome.summary);
        ran.coverage = coverage.unwrap_or_default();
    }
    request.coverage = false;
    for question in &case.questions {
        if has_site {
            let why = "packets are asked about without a site file: say zones by `zone: …`";
            return Err(NotRun(why.to_owned()));
        }
        ran.answers.extend(question.ask(&request, &folder)?);
    }
    Ok(ran)
}

/// The outcome of a check. What cannot be read is a finding and a failure: a case may expect it. Other failures are the case's own
/// mistakes.
pub(super) fn checked(request: &Request) -> Result<Outcome, NotRun> {
    match check(request) {
        Ok(outcome) if outcome.summary.failures.is_empty() || has_unread_text(&outcome.findings) => {
            Ok(outcome)
        }
        Ok(outcome) => Err(NotRun(outcome.summary.failures.join("\n"))),
        Err(refusal) => Err(NotRun(refused(&refusal))),
    }
}

/// What keeps a check from running, with its places.
fn refused(refusal: &Refusal) -> String {
    let said = refusal.errors.iter().map(|error| match error {
        LoadError::Site(errors) => errors.to_string(),
        LoadError::Policy(error) => format!("{}: {}", refusal.sources.place(error.span), error.kind),
        LoadError::UnknownPolicy { at, name, help } => {
            format!(
                "{}: there is no policy `{name}`: {help}",
                refusal.sources.place(*at)
            )
        }
        LoadError::Unknown { at, message, help } => {
            format!("{}: {message}: {help}", refusal.sources.place(*at))
        }
        LoadError::Unreadable { name, why } => format!("{name} cannot be read: {why}"),
    });
    said.collect::<Vec<_>>().join("\n")
}

/// The lines of a summary, as the human report begins them.
fn summary(of: &Summary) -> Vec<String> {
    let unchecked = of.unchecked.iter().map(|line| format!("not checked: {line}"));
    let assumed = of.notes.iter().map(|line| format!("assumed: {line}"));
    unchecked.chain(assumed).collect()
}

/// A coverage as a case has it: `row ROW STATE HOST…`, `opening HOST:LINE STATE ROW…`, `total …`; and of rows that are not the same
/// for all peers, ends and services at a host, `connection ROW in HOST FROM -> TO : SERVICE STATE`.
fn lines(of: &Coverage, sources: &SourceMap, root: &str) -> Vec<String> {
    let short = |name: &str| {
        let short = name.strip_prefix(root).unwrap_or(name);
        short.trim_start_matches('/').to_owned()
    };
    let row = |row: &CoveredRow| {
        let mut words = vec![format!("row {} {}", row.id, row.standing.word(row.kind))];
        words.extend(row.hosts.iter().map(|host| {
            let (name, word) = (short(&host.name), host.standing.word(row.kind));
            if host.standing == row.standing {
                format!("{} {name}", host.direction)
            } else {
                format!("{} {name} {word}", host.direction)
            }
        }));
        if !row.unbound.is_empty() {
            words.push(format!("without {}", row.unbound.join(" ")));
        }
        words.extend(row.why.clone());
        words.join(", ")
    };
    let opening = |opening: &CoveredOpening| {
        let place = opening.span.map(|span| {
            let file = sources.file(span.file);
            format!("{}:{}", short(file.name()), file.line_column(span.start).line)
        });
        let code = match opening.ground {
            Ground::Unjustified(code, _) => Some(code.id().to_owned()),
            Ground::Justified | Ground::Unjudged => None,
        };
        let words = [
            Some(format!("opening {}", place.unwrap_or_default())),
            Some(opening.ground.word().to_owned()),
            code,
        ];
        let words: Vec<String> = words.into_iter().flatten().chain(opening.rows.clone()).collect();
        words.join(" ")
    };
    let mut lines: Vec<String> = of.rows.iter().map(row).collect();
    for (row, host) in of
        .rows
        .iter()
        .flat_map(|row| row.hosts.iter().map(move |host| (row, host)))
    {
        let differ = host.cells.iter().any(|cell| cell.standing != host.standing);
        lines.extend(host.cells.iter().filter(|_| differ).map(|cell| {
            let (from, to, service) = row.connection(cell);
            let (id, word) = (&row.id, cell.standing.word(row.kind));
            let (direction, name) = (host.direction, short(&host.name));
            format!("connection {id} {direction} {name} {from} -> {to} : {service} {word}")
        }));
    }
    lines.extend(of.openings.iter().map(opening));
    lines.push(format!("total {}", of.counts()));
    lines
}

fn has_unread_text(findings: &[Finding]) -> bool {
    findings.iter().any(|finding| finding.code == Code::UnreadText)
}

/// The arguments of an audit with the policies of a case.
fn audit(case: &Case, folder: &Folder, beside: Option<&Path>) -> Result<Arguments, NotRun> {
    let mut arguments = Arguments {
        no_common: true,
        ..Arguments::default()
    };
    let own = case.files.iter().filter(|file| file.language == "ports");
    let own = own.map(|file| folder.path.join(&file.name));
    let mut sources = SourceMap::new();
    for path in beside.map(Path::to_owned).into_iter().chain(own) {
        let text = std::fs::read(&path);
        let text = text.map_err(|error| NotRun(format!("{} cannot be read: {error}", path.display())))?;
        let name = path.to_string_lossy().into_owned();
        let id = sources.add(SourceFile::from_bytes(name.clone(), text));
        arguments.policies.push(name);
        for policy in parse(sources.source(id)).policies {
            for statement in &policy.statements {
                if let ast::Statement::Role { names, .. } = &statement.value {
                    let full = |name: &str| format!("{}.{name}", policy.name.value);
                    arguments.roles.extend(names.iter().map(|name| full(&name.value)));
                }
            }
        }
    }
    Ok(arguments)
}

/// Arguments with the options that a case names. Roles that it names are all.
fn with_options(mut arguments: Arguments, options: &[(String, String)]) -> Result<Arguments, NotRun> {
    if options.iter().any(|(option, _)| option == "role") {
        arguments.roles.clear();
    }
    for (option, value) in options {
        if option == "today" {
            let day = ast::Date::of_text(value);
            arguments.today = Some(day.ok_or_else(|| NotRun(format!("`{value}` is not a date")))?);
            continue;
        }
        let into = match option.as_str() {
            "role" => &mut arguments.roles,
            "zone" => &mut arguments.zones,
            "name" => &mut arguments.names,
            "set" => &mut arguments.set,
            "feature" => &mut arguments.features,
            "without" => &mut arguments.without,
            _ => &mut arguments.versions,
        };
        into.push(value.clone());
    }
    Ok(arguments)
}
