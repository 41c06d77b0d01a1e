//! Inputs to the sites that they belong to, and sites to what the evaluator knows of the world.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Request;
use super::inputs::Unit;
use super::policies::{LoadError, Policies};
use crate::dialect::{Given, GivenValue, Reading};
use crate::evaluate::{Addresses, World};
use crate::finding::Summary;
use crate::packet::{Network, RangeSet};
use crate::policy::Resolved;
use crate::site::{self, Arguments, Site, Zones};
use crate::source::{FileId, SourceFile, SourceMap, Spanned};

/// The inputs of one site.
pub struct SiteGroup {
    /// The site, with the command line laid over it.
    pub site: Site,
    /// Its file.
    pub file: Option<FileId>,
    /// The folder of its file, from which patterns and policy paths count.
    pub folder: Option<PathBuf>,
    /// Whether all that lies in its folder was given, and not only some of it.
    pub is_whole: bool,
    pub(super) units: Vec<Unit>,
}

/// The texts of sites, each read once: inputs may ask for values before they are grouped.
#[derive(Debug, Default)]
pub(super) struct SiteTexts {
    files: BTreeMap<PathBuf, FileId>,
    arguments: Option<FileId>,
}

impl SiteTexts {
    /// The site of a file, with the command line laid over it.
    fn site(
        &mut self,
        sources: &mut SourceMap,
        path: Option<&Path>,
        arguments: &Arguments,
    ) -> Result<(Site, Option<FileId>), Vec<LoadError>> {
        let of_line = *self
            .arguments
            .get_or_insert_with(|| sources.add(arguments.source_file()));
        let (mut read, mut file) = (Site::default(), None);
        if let Some(path) = path {
            let id = match self.files.get(path) {
                Some(&id) => id,
                None => read_text(sources, path)?,
            };
            self.files.insert(path.to_owned(), id);
            read = site::read(sources.source(id)).map_err(|errors| vec![LoadError::Site(errors)])?;
            file = Some(id);
        }
        let overlaid = arguments.overlay(read, sources.source(of_line));
        let site = overlaid.map_err(|errors| vec![LoadError::Site(errors)])?;
        Ok((site, file))
    }

    /// What the site of an input gives for values that files leave open. A site that is wrong gives none: that is said when
    /// the inputs are grouped.
    pub(super) fn given(&mut self, sources: &mut SourceMap, unit: &Path, of: &Origin<'_>) -> Given {
        let path = of.site.map(Path::to_owned).or_else(|| site::find(unit));
        let Ok((site, _)) = self.site(sources, path.as_deref(), of.arguments) else {
            return Given::default();
        };
        let value = |(name, value): (String, site::Value)| GivenValue {
            name: Spanned::new(name, value.key),
            value: value.text,
        };
        Given {
            parameters: site.parameters.into_iter().map(value).collect(),
            variables: site.terraform.variables.into_iter().map(value).collect(),
            variable_files: site.terraform.variable_files,
            workspace: site.terraform.workspace,
            exports: BTreeMap::new(),
            failsafes: [site.calico.failsafe_inbound, site.calico.failsafe_outbound],
        }
    }
}

/// Notes the parameters that are given and that no template of the run declares.
pub(super) fn unasked(given: &[Given], readings: &[Reading], summary: &mut Summary) {
    let declared = readings.iter().flat_map(|reading| &reading.parameters);
    let declared: BTreeSet<&str> = declared.map(String::as_str).collect();
    let names = given.iter().flat_map(|given| &given.parameters);
    let names: BTreeSet<&str> = names.map(|given| given.name.value.as_str()).collect();
    if declared.is_empty() {
        return;
    }
    // Pseudo parameters (`AWS::Region`) are declared by nobody.
    let unasked = names.difference(&declared).filter(|name| !name.contains("::"));
    let note = |name: &&str| format!("parameter `{name}` is given a value, but no template declares it");
    summary.notes.extend(unasked.map(note));
}

/// Where sites come from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Origin<'r> {
    /// The site file, instead of the one found upward from the inputs.
    pub(crate) site: Option<&'r Path>,
    /// What the command line says.
    pub(crate) arguments: &'r Arguments,
}

/// Groups inputs by the site file found upward from each.
pub(super) fn group(
    sources: &mut SourceMap,
    units: Vec<Unit>,
    request: &Request,
    texts: &mut SiteTexts,
) -> Result<Vec<SiteGroup>, Vec<LoadError>> {
    let mut by_site: BTreeMap<Option<PathBuf>, Vec<Unit>> = BTreeMap::new();
    for unit in units {
        let found = request.site.clone().or_else(|| site::find(&unit.path));
        by_site.entry(found).or_default().push(unit);
    }
    let mut groups = Vec::new();
    for (path, units) in by_site {
        let (site, file) = texts.site(sources, path.as_deref(), &request.arguments)?;
        let folder = path.as_deref().and_then(Path::parent).map(|folder| {
            // The parent of a bare name is the empty path, which is here.
            if folder.as_os_str().is_empty() {
                PathBuf::from(".")
            } else {
                folder.to_owned()
            }
        });
        groups.push(SiteGroup {
            site,
            file,
            is_whole: folder
                .as_deref()
                .is_none_or(|folder| is_whole(&request.paths, folder)),
            folder,
            units,
        });
    }
    Ok(groups)
}

/// Whether a folder lies in one of those that were given.
fn is_whole(given: &[PathBuf], folder: &Path) -> bool {
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let folder = real(folder);
    given.iter().any(|path| folder.starts_with(real(path)))
}

pub(super) fn read_text(sources: &mut SourceMap, path: &Path) -> Result<FileId, Vec<LoadError>> {
    let name = crate::discover::shown(path);
    match std::fs::read(path) {
        Ok(bytes) => Ok(sources.add(SourceFile::from_bytes(name, bytes))),
        Err(error) => Err(vec![LoadError::Unreadable {
            name,
            why: error.to_string(),
        }]),
    }
}

fn addresses(networks: &[Spanned<Network>]) -> Addresses {
    Addresses::of(networks.iter().map(|network| network.value))
}

/// What the site and its policies say of zones, members and names.
pub(super) fn world(site: &Site, policies: &Policies) -> World {
    let is_common = |policy: &&Resolved| policy.name == "common";
    let named = policies.resolved.iter().filter(|policy| !is_common(policy));
    let has_internal = named
        .flat_map(|policy| &policy.zones)
        .any(|zone| zone.name == "internal");
    let mut world = World {
        zones: Zones::resolve(site, has_internal),
        aliases: BTreeMap::new(),
        role_members: BTreeMap::new(),
        role_zones: BTreeMap::new(),
        zone_members: BTreeMap::new(),
        role_crowds: BTreeMap::new(),
        zone_crowds: BTreeMap::new(),
        identities: Arc::default(),
        bridges: RangeSet::empty(),
        names: site
            .names
            .iter()
            .map(|(name, networks)| (name.clone(), addresses(networks)))
            .collect(),
        redundant: site.redundant,
        coverage: false,
        compared: false,
    };
    for zone in policies.resolved.iter().flat_map(|policy| &policy.zones) {
        if let Some(alias) = &zone.alias {
            world.aliases.insert(zone.name.clone(), alias.clone());
        }
    }
    for binding in &site.bindings {
        let members = addresses(&binding.addresses).union(&addresses(&binding.seen_as));
        if let Some(zone) = &binding.zone {
            let place = world.zone_members.entry(zone.value.clone()).or_default();
            *place = place.union(&members);
        }
        for role in &binding.roles {
            let place = world.role_members.entry(role.value.clone()).or_default();
            *place = place.union(&members);
            if let Some(zone) = &binding.zone {
                world.role_zones.insert(role.value.clone(), zone.value.clone());
            }
        }
    }
    world
}
