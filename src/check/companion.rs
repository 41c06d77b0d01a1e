//! Files that say what dumps ask for, such as the sets of ipset, to the units that are read with them.
//!
//! A companion goes with the dumps of its host: as a binding of the site file with `{host}` says, else with those of its
//! folder, where several companions are told apart by their names. INVARIANT: nothing here depends on the order of the disk.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::assemble::Assembled;
use crate::site::{self, Binder, Hosts};
use crate::source::{FileId, SourceFile, SourceMap};

/// Which companions each unit is read with, by the places of both; `given` is the site file of the command line.
pub(super) fn companions(units: &[Assembled], given: Option<&Path>) -> Vec<Vec<FileId>> {
    let mut found: Vec<Vec<FileId>> = vec![Vec::new(); units.len()];
    let is_companion = |at: &usize| units.get(*at).is_some_and(|unit| unit.dialect.is_companion());
    let (companions, others): (Vec<usize>, Vec<usize>) = (0..units.len()).partition(is_companion);
    if companions.is_empty() {
        return found;
    }
    let hosts = by_host(units, given);
    for &other in &others {
        let of_host = |at: &&usize| {
            hosts
                .get(other)
                .is_some_and(|host| host.is_some() && hosts.get(**at) == Some(host))
        };
        let mut with: Vec<usize> = companions.iter().filter(of_host).copied().collect();
        if with.is_empty() {
            let free = companions
                .iter()
                .filter(|at| hosts.get(**at).is_some_and(Option::is_none));
            with = in_folder(units, other, free.copied());
        }
        let files = with
            .into_iter()
            .filter_map(|at| units.get(at))
            .flat_map(|unit| &unit.files);
        if let Some(place) = found.get_mut(other) {
            place.extend(files);
        }
    }
    found
}

/// The site and the host of each unit, where a binding gives its name: `None` where none does.
fn by_host(units: &[Assembled], given: Option<&Path>) -> Vec<Option<(PathBuf, usize)>> {
    let mut by_site: BTreeMap<PathBuf, Vec<usize>> = BTreeMap::new();
    for (at, unit) in units.iter().enumerate() {
        let path = unit.paths.first().map_or(Path::new(""), PathBuf::as_path);
        let site = given.map(Path::to_owned).or_else(|| site::find(path));
        if let Some(site) = site {
            by_site.entry(site).or_default().push(at);
        }
    }
    let mut hosts = vec![None; units.len()];
    for (site, members) in by_site {
        let paths: Vec<&Path> = members
            .iter()
            .filter_map(|at| units.get(*at)?.paths.first().map(PathBuf::as_path))
            .collect();
        for (host, files) in groups(&site, &paths).into_iter().enumerate() {
            for file in files {
                if let Some(place) = members.get(file).and_then(|at| hosts.get_mut(*at)) {
                    *place = Some((site.clone(), host));
                }
            }
        }
    }
    hosts
}

/// The files of each host of several that a site file names. What is wrong with a site file is said where it is bound.
fn groups(site: &Path, paths: &[&Path]) -> Vec<Vec<usize>> {
    let Ok(bytes) = std::fs::read(site) else {
        return Vec::new();
    };
    let mut sources = SourceMap::new();
    let file = sources.add(SourceFile::from_bytes(crate::discover::shown(site), bytes));
    let Ok(read) = site::read(sources.source(file)) else {
        return Vec::new();
    };
    let folder = site.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let binder = Binder::new(&read);
    let paths: Vec<String> = paths.iter().map(|path| Binder::path_from(folder, path)).collect();
    let hosts = Hosts::group(&binder, &paths, read.bindings.len()).hosts;
    let several = hosts
        .into_iter()
        .map(|host| host.files)
        .filter(|files| files.len() > 1);
    several.collect()
}

/// The companions that lie in the folder of a unit: the only one, or those of its own name.
fn in_folder(units: &[Assembled], of: usize, companions: impl Iterator<Item = usize>) -> Vec<usize> {
    let path = |at: usize| {
        units
            .get(at)
            .and_then(|unit| unit.paths.first())
            .map(PathBuf::as_path)
    };
    let folder = path(of).map(Path::parent);
    let beside: Vec<usize> = companions
        .filter(|at| path(*at).map(Path::parent) == folder)
        .collect();
    if beside.len() < 2 {
        return beside;
    }
    let is_of_name = |at: &usize| path(*at).and_then(Path::file_stem) == path(of).and_then(Path::file_stem);
    beside.into_iter().filter(is_of_name).collect()
}
