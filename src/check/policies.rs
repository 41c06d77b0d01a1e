//! The policies of a site: found, read, resolved; every mistake with its place.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::Path;

use super::names;
use super::sites::read_text;
use crate::finding::{Certainty, Finding, Severity};
use crate::policy::{self, Kind, PolicyError, Resolved, Row, Settings, Truth, Value, ast};
use crate::site::{self, Site, SiteErrors};
use crate::source::{FileId, SourceFile, SourceMap, Span, Spanned};

/// Why a run cannot start.
#[derive(Debug)]
pub enum LoadError {
    /// The site file or the command line is wrong.
    Site(SiteErrors),
    /// A policy is wrong.
    Policy(Box<PolicyError>),
    /// A policy that the site names is not there.
    UnknownPolicy {
        /// Where the site names it.
        at: Span,
        /// What it is called there.
        name: String,
        /// What to do about it.
        help: String,
    },
    /// The site speaks of something that its policies do not have.
    Unknown {
        /// Where.
        at: Span,
        /// What is wrong.
        message: String,
        /// What to do about it.
        help: String,
    },
    /// A file cannot be read.
    Unreadable {
        /// Which.
        name: String,
        /// Why.
        why: String,
    },
}

/// The policies in force on a site.
#[derive(Debug, Default)]
pub struct Policies {
    /// In the order of the site's list, `common` last.
    pub resolved: Vec<Resolved>,
    /// Where the site asks for each; `None` for `common`.
    pub asked_at: Vec<Option<Span>>,
    /// What the site says to no effect, for the summary.
    pub notes: Vec<String>,
}

impl Policies {
    /// All rows in force, without the prohibitions that the site lifts. A row that two policies take over with the
    /// same settings is one row.
    #[must_use]
    pub fn rows(&self, site: &Site) -> Vec<Row> {
        let rows = self.resolved.iter().flat_map(|policy| &policy.rows);
        let lifted = |row: &Row| {
            let mut by_policy = self.resolved.iter().flat_map(|policy| &policy.lifted);
            site.lifted.contains_key(&row.id) || by_policy.any(|lifted| lifted.id == row.id)
        };
        let is_lifted = |row: &Row| row.kind == Kind::Forbid && lifted(row);
        let mut kept: Vec<Row> = Vec::new();
        let mut by_id: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for row in rows.filter(|row| !is_lifted(row)) {
            let same = by_id.entry(&row.id).or_default();
            let twin = same
                .iter()
                .copied()
                .find(|&at| kept.get(at).is_some_and(|known| is_same(known, row)));
            match twin.and_then(|at| kept.get_mut(at)) {
                // In force for one of them is in force.
                Some(twin) if row.active == Truth::Yes => twin.active = Truth::Yes,
                Some(_) => {}
                None => {
                    same.push(kept.len());
                    kept.push(row.clone());
                }
            }
        }
        kept
    }

    /// Makes a finding as mild as the rows that it is held against say: as the gravest of them.
    pub(super) fn moderate(&self, finding: &mut Finding) {
        let said = |id: &str| {
            let mut remarks = self.resolved.iter().filter_map(|policy| policy.remarks.get(id));
            Some(match remarks.find_map(|remark| remark.severity)? {
                ast::RowSeverity::Note => Severity::Note,
                ast::RowSeverity::Warning => Severity::Warning,
                ast::RowSeverity::Error => Severity::Error,
            })
        };
        let all = finding
            .rows
            .iter()
            .map(|row| said(&row.id).unwrap_or(Severity::Error));
        let Some(most) = all.max() else { return };
        let most = match finding.certainty {
            Certainty::Surely => most,
            Certainty::Possibly => most.lower(),
        };
        finding.severity = finding.severity.min(most);
    }
}

/// Loads and resolves the policies of a site, and says of each role that it binds whose it is. Paths in the site file count
/// from its `folder`, those on the command line from where the command runs.
pub fn load_policies(
    sources: &mut SourceMap,
    site: &mut Site,
    folder: Option<&Path>,
) -> Result<Policies, Vec<LoadError>> {
    let mut wanted: VecDeque<(FileId, Option<Span>, bool)> = VecDeque::new();
    let mut errors = Vec::new();
    for name in &site.policies {
        match locate(sources, name, folder) {
            Ok(file) => wanted.push_back((file, Some(name.span), true)),
            Err(error) => errors.push(error),
        }
    }
    if site.common && site.policies.iter().all(|name| name.value != COMMON) {
        wanted.extend(shipped(sources, COMMON).map(|file| (file, None, true)));
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    let mut parsed: Vec<(ast::Policy, Option<Span>, bool)> = Vec::new();
    while let Some((file, at, in_force)) = wanted.pop_front() {
        let result = policy::parse(sources.source(file));
        let found = result.errors.into_iter();
        errors.extend(found.map(|error| LoadError::Policy(Box::new(error))));
        parsed.extend(result.policies.into_iter().map(|policy| (policy, at, in_force)));
        if wanted.is_empty() {
            // What those that are read speak of, and nobody has written.
            let missing = missing(&parsed);
            wanted.extend(
                missing
                    .into_iter()
                    .filter_map(|name| Some((shipped(sources, &name)?, None, false))),
            );
        }
    }
    let all: Vec<ast::Policy> = parsed.iter().map(|(policy, ..)| policy.clone()).collect();
    let clashes = policy::check(&all);
    errors.extend(
        clashes
            .into_iter()
            .map(|error| LoadError::Policy(Box::new(error))),
    );
    if !errors.is_empty() {
        return Err(errors);
    }
    let mut policies = Policies::default();
    for (policy, at, _) in parsed.iter().filter(|(.., in_force)| *in_force) {
        let settings = site
            .settings
            .get(&policy.name.value)
            .map(settings)
            .unwrap_or_default();
        let settings = Settings {
            today: site.today,
            ..settings
        };
        match policy::resolve(policy, &settings, &all) {
            Ok(resolved) => {
                policies.notes.extend(resolved.expired.iter().map(|expired| {
                    let (id, day) = (&expired.id, expired.day);
                    format!("row `{id}` expired after {day}, and is not in force")
                }));
                policies.resolved.push(resolved);
                policies.asked_at.push(*at);
            }
            Err(found) => {
                errors.extend(found.into_iter().map(|error| LoadError::Policy(Box::new(error))));
            }
        }
    }
    if errors.is_empty() {
        names::check(sources, site, &mut policies, &all, &mut errors);
    }
    if errors.is_empty() {
        Ok(policies)
    } else {
        Err(errors)
    }
}

/// The policy that is in force unless a site says otherwise.
const COMMON: &str = "common";

/// The text of a shipped policy, as a file of the run.
fn shipped(sources: &mut SourceMap, name: &str) -> Option<FileId> {
    let text = policy::builtin(name)?;
    Some(sources.add(SourceFile::virtual_text(builtin_name(name), text)))
}

/// The shipped policies that others speak of and that were not read. A site's own policy comes before one of its name that ships.
fn missing(parsed: &[(ast::Policy, Option<Span>, bool)]) -> BTreeSet<String> {
    let statements = parsed.iter().flat_map(|(policy, ..)| &policy.statements);
    let spoken_of = statements.filter_map(|statement| match &statement.value {
        ast::Statement::Use { policy, .. } | ast::Statement::Lift { policy, .. } => Some(&policy.value),
        ast::Statement::Waive(waiver) => Some(&waiver.policy.value),
        _ => None,
    });
    let is_read = |name: &&String| parsed.iter().any(|(policy, ..)| policy.name.value == **name);
    let is_shipped = |name: &&String| policy::builtin(name).is_some();
    spoken_of
        .filter(|name| !is_read(name) && is_shipped(name))
        .cloned()
        .collect()
}

/// Whether two rows of one id ask for the same, whether in force or not.
fn is_same(a: &Row, b: &Row) -> bool {
    a.span == b.span && a.from == b.from && a.to == b.to && a.services == b.services
}

/// The name under which a shipped policy is shown.
fn builtin_name(name: &str) -> String {
    format!("policies/{name}.ports")
}

fn locate(
    sources: &mut SourceMap,
    name: &Spanned<String>,
    folder: Option<&Path>,
) -> Result<FileId, LoadError> {
    if let Some(file) = shipped(sources, &name.value) {
        return Ok(file);
    }
    let is_path = name.value.contains('/') || Path::new(&name.value).extension().is_some();
    if !is_path {
        let help = match policy::nearest(&name.value, policy::BUILTIN.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!(
                "shipped are {}; a file is written with its path",
                policy::BUILTIN.join(", ")
            ),
        };
        return Err(LoadError::UnknownPolicy {
            at: name.span,
            name: name.value.clone(),
            help,
        });
    }
    let is_argument = sources.file(name.span.file).is_virtual();
    let folder = folder.filter(|_| !is_argument).unwrap_or(Path::new(""));
    let path = folder.join(&name.value);
    read_text(sources, &path).map_err(|_| LoadError::UnknownPolicy {
        at: name.span,
        name: name.value.clone(),
        help: format!("there is no readable file {}", crate::discover::shown(&path)),
    })
}

fn settings(of: &site::Settings) -> Settings {
    let off = |name: &Spanned<String>| Spanned::new(format!("not {}", name.value), name.span);
    let value = |(name, value): (&String, &site::Value)| {
        let texts = value
            .text
            .value
            .split(',')
            .map(|text| Spanned::new(text.trim().into(), value.text.span));
        Value {
            name: Spanned::new(name.clone(), value.key),
            texts: texts.collect(),
        }
    };
    Settings {
        version: of.version.clone(),
        features: of
            .features
            .iter()
            .cloned()
            .chain(of.without.iter().map(off))
            .collect(),
        values: of.values.iter().map(value).collect(),
        today: None,
    }
}
