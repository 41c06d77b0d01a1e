//! What a run does about findings that were there before: takes them back, or lists them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::policies::LoadError;
use super::sites::{SiteGroup, read_text};
use crate::baseline::{self, Baseline, Entry, Names};
use crate::finding::{Code, Finding, Summary};
use crate::site::Site;
use crate::source::{SourceMap, Spanned};

/// What is done about findings that were there before.
#[derive(Debug, Clone, Default)]
pub enum Past {
    /// The baselines that sites name take back theirs.
    #[default]
    BySites,
    /// This file takes them back, instead.
    File(PathBuf),
    /// What was found in another run is taken back, instead.
    Before(Arc<Baseline>),
    /// Nothing is: all findings are listed, as they are named from this folder, or else from that of the baseline that a site
    /// names, or else from the working directory.
    Record(Option<PathBuf>),
}

/// The baselines of a run.
pub(super) struct Baselines(Vec<Arc<Baseline>>);

impl Past {
    /// The baselines that count, read.
    pub(super) fn baselines(
        &self,
        groups: &[SiteGroup],
        sources: &mut SourceMap,
    ) -> Result<Baselines, Vec<LoadError>> {
        let paths: Vec<PathBuf> = match self {
            Self::Record(_) => Vec::new(),
            Self::Before(baseline) => return Ok(Baselines(vec![baseline.clone()])),
            Self::File(path) => vec![path.clone()],
            Self::BySites => {
                let named = groups.iter().filter_map(of_site);
                let read = named.map(|(name, path)| {
                    if path.exists() {
                        return read(&path, sources);
                    }
                    Err(vec![LoadError::Unknown {
                        at: name.span,
                        message: format!("there is no baseline `{}`", name.value),
                        help: "write it: `portcullis baseline`; or take the line out".into(),
                    }])
                });
                return Ok(Baselines(read.collect::<Result<_, _>>()?));
            }
        };
        let read = paths.iter().map(|path| read(path, sources));
        Ok(Baselines(read.collect::<Result<_, _>>()?))
    }

    /// Whether what is found on a site is compared with another run, or will be.
    pub(super) fn compares(&self, site: &Site) -> bool {
        match self {
            Self::BySites => site.baseline.is_some(),
            Self::File(_) | Self::Before(_) | Self::Record(_) => true,
        }
    }

    /// The findings as a baseline lists them, where that is asked for.
    pub(super) fn entries(
        &self,
        findings: &[Finding],
        sources: &SourceMap,
        paths: &[PathBuf],
        by_site: Option<&Path>,
    ) -> Vec<Entry> {
        let Self::Record(folder) = self else {
            return Vec::new();
        };
        let folder = folder.as_deref().or_else(|| by_site?.parent());
        let mut names = Names::new(folder.unwrap_or(Path::new(""))).of_run(paths);
        let mut entries: Vec<Entry> = findings
            .iter()
            .flat_map(|finding| Entry::of(finding, sources, &mut names))
            .collect();
        baseline::tidy(&mut entries);
        entries
    }
}

impl Baselines {
    /// The findings that no baseline knows.
    pub(super) fn take_back(
        &self,
        sources: &SourceMap,
        findings: Vec<Finding>,
        not_asked: &[Code],
        summary: &mut Summary,
    ) -> Vec<Finding> {
        self.0.iter().fold(findings, |findings, known| {
            let compared = baseline::apply(sources, findings, known, not_asked);
            summary.n_known += compared.n_known;
            compared.findings
        })
    }
}

/// The baseline that a site names: the name as it stands there, and where that leads.
pub(super) fn of_site(group: &SiteGroup) -> Option<(&Spanned<String>, PathBuf)> {
    let name = group.site.baseline.as_ref()?;
    Some((name, group.folder.clone().unwrap_or_default().join(&name.value)))
}

fn read(path: &Path, sources: &mut SourceMap) -> Result<Arc<Baseline>, Vec<LoadError>> {
    let file = read_text(sources, path)?;
    let folder = path.parent().unwrap_or(Path::new("")).to_owned();
    let entries = baseline::read(sources.source(file)).map_err(|misread| {
        vec![LoadError::Unknown {
            at: misread.span,
            message: misread.message,
            help: misread.help,
        }]
    })?;
    Ok(Arc::new(Baseline { entries, folder }))
}
