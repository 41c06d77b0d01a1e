//! The site: which configs stand for which roles, what the zones are, and how the policies are set.
//!
//! Text (`portcullis.toml`, or the command line) becomes a [`Site`]; nothing here reads a config or a policy.
//! INVARIANT: every value keeps the bytes that wrote it, so that whoever finds out that a policy, role or
//! service does not exist can point at them.

mod arguments;
mod binding;
mod calico;
mod codes;
mod error;
mod hosts;
mod pattern;
mod read;
mod resource;
mod table;
mod terraform;
mod workload;
mod zone;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub use arguments::Arguments;
pub use binding::{Binder, Bound};
pub use calico::{Calico, Ports};
pub use error::{SiteError, SiteErrors};
pub use hosts::{HostFiles, Hosts};
pub use pattern::Pattern;
pub use read::read;
pub use resource::resource_matches;
pub use workload::Workloads;
pub use zone::{Origin, ZoneNetworks, Zones};

use crate::finding::{Selection, Severity};
use crate::packet::Network;
use crate::policy::ast::Date;
use crate::source::{Span, Spanned};

/// The name of a site file.
pub const FILE_NAME: &str = "portcullis.toml";

/// What a site file or the command line says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// Names of built-in policies, or paths of policy files (those with a `/` or ending in `.ports`), from the
    /// folder of the site file.
    pub policies: Vec<Spanned<String>>,
    /// Whether the built-in policy `common` is on.
    pub common: bool,
    /// Whether traffic that the hosts open themselves is judged as strictly as what they accept.
    pub closed_egress: Option<Spanned<bool>>,
    /// Whether rules are looked for that could go without a change: it costs about as much as all else.
    pub redundant: bool,
    /// The day of the run, for rows that expire. Without it none does.
    pub today: Option<Date>,
    /// From which severity on a finding fails the run.
    pub fail_on: Option<Spanned<Severity>>,
    /// The list of findings that are known, as a path from the folder of the site file.
    pub baseline: Option<Spanned<String>>,
    /// Which codes are reported.
    pub selection: Selection,
    /// The zones that are defined, in the order of the file.
    pub zones: Vec<Zone>,
    /// Addresses of host names that policies speak of.
    pub names: BTreeMap<String, Vec<Spanned<Network>>>,
    /// Settings of policies, by the policy's name.
    pub settings: BTreeMap<String, Settings>,
    /// Rows with `forbid` that are lifted, by row id; the text is the reason.
    pub lifted: BTreeMap<String, Value>,
    /// Values of parameters that templates leave open, by name.
    pub parameters: BTreeMap<String, Value>,
    /// What root modules of Terraform are given.
    pub terraform: Terraform,
    /// What Calico lets through whatever policies say.
    pub calico: Calico,
    /// Which configs stand for which roles.
    pub bindings: Vec<Binding>,
}

impl Default for Site {
    fn default() -> Self {
        Self {
            policies: Vec::new(),
            common: true,
            closed_egress: None,
            redundant: false,
            today: None,
            fail_on: None,
            baseline: None,
            selection: Selection::default(),
            zones: Vec::new(),
            names: BTreeMap::new(),
            settings: BTreeMap::new(),
            lifted: BTreeMap::new(),
            parameters: BTreeMap::new(),
            terraform: Terraform::default(),
            calico: Calico::default(),
            bindings: Vec::new(),
        }
    }
}

/// What root modules of Terraform are given, as `terraform plan` is with `-var`, `-var-file` and a workspace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Terraform {
    /// Values of variables by name, as text that is an expression where the variable is no string.
    pub variables: BTreeMap<String, Value>,
    /// Files of values, from the folder of each root module, in the order in which they take precedence.
    pub variable_files: Vec<Spanned<String>>,
    /// The name of the workspace.
    pub workspace: Option<Spanned<String>>,
}

/// A named set of peers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone {
    /// Its name, as policies call it.
    pub name: Spanned<String>,
    /// Its addresses. `None`: the zone's default, see [`Zones`].
    pub networks: Option<Vec<Spanned<Network>>>,
    /// The interfaces on which its packets arrive. Empty: any but `lo`.
    pub interfaces: Vec<Spanned<String>>,
    /// The whole definition.
    pub span: Span,
}

/// Settings of one policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The policy's name where the settings begin.
    pub name: Span,
    /// The product's version.
    pub version: Option<Spanned<String>>,
    /// Features that are on.
    pub features: Vec<Spanned<String>>,
    /// Features that are off. One that is in neither list is not known.
    pub without: Vec<Spanned<String>>,
    /// Services and parameters by name, as text in the policy language (`tcp/4443`): resolving a policy
    /// tells them apart, and refuses those that it does not have.
    pub values: BTreeMap<String, Value>,
}

impl Settings {
    /// No settings, for the policy named at `name`.
    #[must_use]
    pub fn new(name: Span) -> Self {
        Self {
            name,
            version: None,
            features: Vec::new(),
            without: Vec::new(),
            values: BTreeMap::new(),
        }
    }
}

/// A value that a site chose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    /// The bytes of the key.
    pub key: Span,
    /// The text, and its bytes without the quotes.
    pub text: Spanned<String>,
}

/// Which configs stand for which roles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// The roles, `policy.role`; there is at least one.
    pub roles: Vec<Spanned<String>>,
    /// The zone its hosts lie in.
    pub zone: Option<Spanned<String>>,
    /// Patterns of paths, from the folder of the site file: see [`Pattern`].
    pub files: Vec<Spanned<String>>,
    /// Patterns of security groups and of what is behind them, as their units call them: see [`resource_matches`].
    pub resources: Vec<Spanned<String>>,
    /// Workloads of clusters, each a host.
    pub workloads: Option<Workloads>,
    /// Patterns of nodes of clusters, each a host: `*` stands for any characters.
    pub nodes: Vec<Spanned<String>>,
    /// Where its hosts are: as a destination, one of these addresses.
    pub addresses: Vec<Spanned<Network>>,
    /// The addresses that others see instead, when its traffic is masqueraded.
    pub seen_as: Vec<Spanned<Network>>,
    /// Whether its hosts are there to pass traffic on.
    pub router: bool,
    /// Every file that is checked is one of its hosts, wherever it lies: roles given on the command line.
    pub everything: bool,
    /// The whole binding.
    pub span: Span,
}

impl Binding {
    /// Whether it means a node of a cluster.
    #[must_use]
    pub fn means_node(&self, name: &str) -> bool {
        let mut patterns = self.nodes.iter();
        patterns.any(|pattern| resource::glob(pattern.value.as_bytes(), name.as_bytes()))
    }
}

/// The site file for `start` (a file or folder): in its folder or the nearest one above, no higher than the
/// repository's root, which is the first folder with a `.git`. Where `start` is relative, so is what is found at or
/// below the working directory.
#[must_use]
pub fn find(start: &Path) -> Option<PathBuf> {
    let found = find_upward(&std::path::absolute(start).ok()?)?;
    let below = std::env::current_dir()
        .ok()
        .filter(|_| start.is_relative())
        .and_then(|here| found.strip_prefix(here).map(Path::to_owned).ok());
    Some(below.unwrap_or(found))
}

fn find_upward(start: &Path) -> Option<PathBuf> {
    let folder = if start.is_dir() { start } else { start.parent()? };
    for folder in folder.ancestors() {
        let file = folder.join(FILE_NAME);
        if file.is_file() {
            return Some(file);
        }
        if folder.join(".git").exists() {
            return None;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_site_file_is_looked_for_up_to_the_repository_root() {
        let root = std::env::temp_dir().join(format!("portcullis-site-{}", std::process::id()));
        let deep = root.join("repository/hosts/m1");
        std::fs::create_dir_all(&deep).unwrap();
        std::fs::write(root.join(FILE_NAME), "").unwrap();
        assert_eq!(
            find(&deep),
            Some(root.join(FILE_NAME)),
            "no repository: the nearest"
        );
        std::fs::create_dir(root.join("repository/.git")).unwrap();
        assert_eq!(
            find(&deep),
            None,
            "the one outside the repository is another site's"
        );
        std::fs::write(root.join("repository/hosts").join(FILE_NAME), "").unwrap();
        let expected = root.join("repository/hosts").join(FILE_NAME);
        assert_eq!(find(&deep), Some(expected.clone()));
        assert_eq!(
            find(&deep.join("dump.rules")),
            Some(expected),
            "from a file's folder"
        );
        std::fs::remove_dir_all(root).unwrap();
    }
}
