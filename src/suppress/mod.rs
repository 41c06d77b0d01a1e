//! "We know": findings that a comment of a config takes back, and why.
//!
//! `portcullis: ignore[CODE, …] [until=DATE] [port=PORT] REASON` in a comment is about the line that it stands on; on a line of
//! its own, about what begins on the next one, the line or the block that it opens; as `ignore-file`, about the whole file. The
//! same without `portcullis: ignore`, as an annotation `portcullis/ignore` of Kubernetes or in the `Metadata` of a template, is
//! about the object that has it. INVARIANT: nothing is taken back uncounted, and a comment that cannot be read, has no reason, is
//! past its day or takes nothing back is a finding.

mod add;
mod block;
mod comment;
mod directive;
mod language;
mod object;
mod ports;
mod ufw;

use std::collections::BTreeMap;
use std::ops::Range;

use crate::finding::{Code, Finding, Known, Label};
use crate::policy::ast::Date;
use crate::source::{FileId, SourceMap, Span};

pub use add::{Edited, additions, check_reason};
use directive::Directive;

/// What is left of the findings of a run.
#[derive(Debug)]
pub struct Suppressed {
    /// Those that are not taken back, and those about comments.
    pub findings: Vec<Finding>,
    /// Those that were taken back, sorted.
    pub known: Vec<Known>,
}

/// A directive where it stands.
struct Placed {
    directive: Directive,
    /// The bytes that it is about.
    about: Range<usize>,
    /// Whether those are the call of a module: then values that came by it are meant too.
    is_call: bool,
    /// The codes that took something back.
    used: Vec<Code>,
}

/// Takes back what comments of the sources say. On `today` the day of an `until` is still good; without a day, nothing is past.
/// Codes that the run was not asked for are not missed.
#[must_use]
pub fn apply(
    sources: &SourceMap,
    findings: Vec<Finding>,
    today: Option<Date>,
    not_asked: &[Code],
) -> Suppressed {
    let mut said = Vec::new();
    let mut files: BTreeMap<FileId, OfFile> = BTreeMap::new();
    for id in sources.ids().filter(|id| !sources.file(*id).is_virtual()) {
        let source = sources.source(id);
        let mut found = comment::of_source(source, &mut said);
        found.extend(object::of_source(source, &mut said));
        if !found.is_empty() {
            files.insert(id, OfFile::new(found, source.text.len()));
        }
    }
    if files.is_empty() && said.is_empty() {
        return Suppressed {
            findings,
            known: Vec::new(),
        };
    }
    let mut left = Vec::new();
    let mut known = Vec::new();
    for finding in findings {
        match takes_back(&mut files, &finding, today) {
            Some((by, reason)) => known.push(Known { finding, by, reason }),
            None => left.push(finding),
        }
    }
    known.sort_by(|a, b| a.finding.sort_key().cmp(&b.finding.sort_key()));
    for one in files
        .values()
        .flat_map(|file| file.parts.iter().chain(&file.whole))
    {
        said.extend(one.judge(sources, today, not_asked));
    }
    left.extend(said);
    Suppressed {
        findings: left,
        known,
    }
}

/// The directive that takes a finding back, if one does, and its reason. All that do are noted as used, the first is named.
fn takes_back(
    files: &mut BTreeMap<FileId, OfFile>,
    finding: &Finding,
    today: Option<Date>,
) -> Option<(Label, String)> {
    let primary = finding.primary.as_ref()?;
    let mut taken = None;
    let related = finding.related.iter().map(|label| (label.span, false));
    for (span, is_primary) in std::iter::once((primary.span, true)).chain(related) {
        let Some(file) = files.get_mut(&span.file) else {
            continue;
        };
        for one in file.about(span.start as usize) {
            let is_meant = is_primary || one.is_call;
            if is_meant && !one.directive.is_past(today) && one.directive.names(finding) {
                taken.get_or_insert_with(|| {
                    let by = Label::new(one.directive.span, "takes it back");
                    (by, one.directive.reason.clone())
                });
                one.used.push(finding.code);
            }
        }
    }
    taken
}

/// The directives of one file.
struct OfFile {
    /// Those that are about all of it.
    whole: Vec<Placed>,
    /// The others, by where what they are about begins.
    parts: Vec<Placed>,
    /// How far they and those before them reach.
    reach: Vec<usize>,
}

impl OfFile {
    fn new(found: Vec<Placed>, length: usize) -> Self {
        let (whole, mut parts): (Vec<Placed>, Vec<Placed>) =
            found.into_iter().partition(|one| one.about == (0..length));
        parts.sort_by_key(|one| one.about.start);
        let mut furthest = 0;
        let reach = parts.iter().map(|one| {
            furthest = one.about.end.max(furthest);
            furthest
        });
        Self {
            reach: reach.collect(),
            whole,
            parts,
        }
    }

    /// Those that are about a place. Few are looked at, unless many blocks lie in each other.
    fn about(&mut self, place: usize) -> impl Iterator<Item = &mut Placed> {
        let end = self.parts.partition_point(|one| one.about.start <= place);
        let until = self.reach.get(..end).unwrap_or(&[]);
        let n_near = until.iter().rev().take_while(|reach| **reach > place).count();
        let near = self.parts.get_mut(end - n_near..end).unwrap_or(&mut []);
        let near = near.iter_mut().filter(move |one| one.about.contains(&place));
        self.whole.iter_mut().chain(near)
    }
}

impl Placed {
    /// Reads `[CODE, …] … REASON`, of which all of `span` is underlined. What is wrong with it is said.
    fn read(text: &str, span: Span, about: Range<usize>, said: &mut Vec<Finding>) -> Option<Self> {
        match Directive::read(text, span, &|_| span) {
            Ok(directive) => Some(Self {
                directive,
                about,
                is_call: false,
                used: Vec::new(),
            }),
            Err(finding) => {
                said.push(*finding);
                None
            }
        }
    }

    /// What there is to say of a directive after the findings.
    fn judge(&self, sources: &SourceMap, today: Option<Date>, not_asked: &[Code]) -> Option<Finding> {
        if self.directive.is_past(today) {
            let until = self.directive.until?;
            let label = Label::new(self.directive.span, "takes nothing back any more");
            let message = format!("a suppression was good until {until}");
            let finding = Finding::new(Code::ExpiredSuppression, message, Some(label));
            return Some(finding.help("mend what it was for and remove it, or give it a new day"));
        }
        let unused = self.directive.codes.iter();
        let unused = unused.filter(|code| !self.used.contains(code) && !not_asked.contains(code));
        let unused: Vec<_> = unused.map(|code| format!("`{}`", code.id())).collect();
        let last = unused.last()?;
        let message = match unused.len() {
            1 => format!("no finding of code {last} is taken back here"),
            _ => format!("no finding of codes {} is taken back here", unused.join(", ")),
        };
        let label = Label::new(self.directive.span, "of no use");
        let mut finding = Finding::new(Code::UnusedSuppression, message, Some(label));
        finding.related.extend(self.head(sources));
        Some(finding.help(
            "put it at what the finding underlines, or remove it, so that it hides nothing that comes later",
        ))
    }

    /// The first line of what it is about, where that is not the line of the comment.
    fn head(&self, sources: &SourceMap) -> Option<Label> {
        let text = sources.file(self.directive.span.file).text();
        let about = text.get(self.about.clone())?;
        let line = about.trim_start();
        let start = self.about.start + (about.len() - line.len());
        let end = start + line.lines().next()?.trim_end().len();
        let narrow = |offset: usize| u32::try_from(offset).unwrap_or(u32::MAX);
        let span = Span::new(self.directive.span.file, narrow(start), narrow(end));
        let is_elsewhere = start > self.directive.span.end as usize;
        is_elsewhere.then(|| Label::new(span, "it is about what begins here"))
    }
}

/// A directive that cannot be followed.
fn invalid(span: Span, message: String, label: &str, help: impl Into<String>) -> Box<Finding> {
    let finding = Finding::new(Code::InvalidSuppression, message, Some(Label::new(span, label)));
    Box::new(finding.help(help))
}
