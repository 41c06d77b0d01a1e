//! Configuration languages: text to [`model::Ruleset`](crate::model::Ruleset).
//!
//! A dialect never sees a policy. Reading never fails: what cannot be read becomes a notice, and an unknown in the model.

mod circle;
pub mod cloudformation;
mod condition;
pub mod firewalld;
pub mod heat;
pub(crate) mod include;
pub mod ipset;
pub mod iptables;
pub mod kubernetes;
pub mod nftables;
mod problem;
pub mod recorded;
mod reference;
pub mod terraform;
mod tracking;
pub mod ufw;
mod unmodelled;
mod unread;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::finding::{Finding, Label};
use crate::model::{Group, HostEndpoint, Identity, Member, Ruleset, Workload};
use crate::source::{Source, Span, Spanned};

/// How sure a dialect is that a file is its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Claim {
    /// Not its own.
    No,
    /// The name says so, the content does not speak against it.
    Name,
    /// The content says so.
    Content,
}

/// What a unit of input said.
#[derive(Debug, Default)]
pub struct Reading {
    /// One ruleset a layer and family.
    pub rulesets: Vec<Ruleset>,
    /// Filters that hosts are put behind, by bindings or by [`Reading::members`].
    pub groups: Vec<Group>,
    /// What the unit itself puts behind groups.
    pub members: Vec<Member>,
    /// The peers that the unit's filters can tell apart.
    pub identities: Vec<Identity>,
    /// Hosts of the unit that have names, labels and filters of their own, where a unit is more than one host.
    pub workloads: Vec<Workload>,
    /// What policies of a cluster let through to its nodes themselves.
    pub endpoints: Vec<HostEndpoint>,
    /// The cluster that workloads and policies are of.
    pub cluster: Option<kubernetes::Cluster>,
    /// What could not be read or is not modelled.
    pub notices: Vec<Finding>,
    /// How many lines or objects were rules.
    pub n_rules: usize,
    /// The names of the parameters that it declares: what else is given is nobody's.
    pub parameters: Vec<String>,
    /// Through which places a value came, by the bytes that made it: related labels for findings at those bytes.
    pub ways: BTreeMap<Span, Vec<Label>>,
    /// What was assumed of parts of the unit that are not there, for the summary.
    pub notes: Vec<String>,
    /// What filters packets and is not read, for the summary.
    pub unchecked: Vec<String>,
}

/// What the site and the command line say of values that files leave open.
#[derive(Debug, Clone, Default)]
pub struct Given {
    /// Parameters of templates, by their names; of several with one name, the last.
    pub parameters: Vec<GivenValue>,
    /// Variables of root modules, by their names; of several with one name, the last. They take precedence over files.
    pub variables: Vec<GivenValue>,
    /// Files of values of root modules, from the folder of each, in the order in which they take precedence.
    pub variable_files: Vec<Spanned<String>>,
    /// The name of the workspace of root modules.
    pub workspace: Option<Spanned<String>>,
    /// What templates of the run hand to others, by the name of the export: `None` where several do by one name.
    pub exports: BTreeMap<String, Option<Exported>>,
    /// Ports that stay open at host endpoints of Calico whatever policies say, on the way in and on the way out. `None`: as
    /// manifests have it.
    pub failsafes: [Option<Vec<GivenPorts>>; 2],
}

/// Protocol, lowest and highest port, and where that is said.
pub type GivenPorts = Spanned<(u8, u16, u16)>;

/// What a template hands to others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exported {
    /// A text, and where it was written.
    Text(Spanned<String>),
    /// A group, by its key in the run and by its name.
    Group(Arc<str>, Arc<str>),
}

/// One value from outside of the files.
#[derive(Debug, Clone)]
pub struct GivenValue {
    /// Whose it is.
    pub name: Spanned<String>,
    /// What it is, and where that is said.
    pub value: Spanned<String>,
}

impl Given {
    /// The value of a parameter.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&Spanned<String>> {
        let mut of_name = self.parameters.iter().rev();
        let found = of_name.find(|given| given.name.value == name);
        found.map(|given| &given.value)
    }
}

/// How far a construct of a dialect is modelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Support {
    /// Its meaning is exact.
    Exact,
    /// An unknown that a packet keeps: cancels against itself.
    UnknownProperty,
    /// An unknown that is answered afresh each time.
    UnknownEachTime,
    /// Passes packets on unchanged as far as filtering goes.
    PassThrough,
    /// Never holds: it asks for what packets are taken not to have, an extension header of IPv6.
    Absent,
}

/// The files of a folder tree that only mean something together, by where they lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tree {
    /// The folder that the unit is called by, `hosts/a/etc/ufw`: empty if it is the one that the run began in.
    pub root: String,
    /// Patterns of paths from there, in the order in which the files are read; `..` leads out of the root, and `*` stays
    /// within one name.
    pub parts: &'static [&'static str],
}

impl Tree {
    /// The tree of which a file of that name is a part: the one of `parts` that matches the longest end of the name says
    /// where its root is. `home` is where the root lies on a system, for parts that are outside of the root: with the home
    /// `etc/ufw`, `h/etc/default/ufw` is the part `../default/ufw` of the tree at `h/etc/ufw`.
    #[must_use]
    pub fn around(name: &str, home: &str, parts: &'static [&'static str]) -> Option<Self> {
        // A longer end is surer: `lib/wall/main` is no `main`.
        let mut longest_first: Vec<&str> = parts.to_vec();
        longest_first
            .sort_by_key(|part| std::cmp::Reverse(part.trim_start_matches("../").matches('/').count()));
        longest_first.into_iter().find_map(|part| {
            let inside = part.trim_start_matches("../");
            let n_up = (part.len() - inside.len()) / "../".len();
            let above = include::above(name, inside)?;
            let homes: Vec<&str> = home.split('/').collect();
            let rest = homes.get(homes.len().checked_sub(n_up)?..)?;
            let root = match (above, rest.join("/")) {
                (above, rest) if rest.is_empty() => above.to_owned(),
                ("", rest) => rest,
                ("/", rest) => format!("/{rest}"),
                (above, rest) => format!("{above}/{rest}"),
            };
            Some(Self { root, parts })
        })
    }

    /// The patterns of its files as they may lie on disk.
    pub fn patterns(&self) -> impl Iterator<Item = String> + '_ {
        let place = |part: &&str| match self.root.as_str() {
            "" => (*part).to_owned(),
            root => include::normal(&format!("{root}/{part}")),
        };
        self.parts.iter().map(place)
    }
}

/// One construct for `portcullis dialects`, from the same table that the reader uses.
#[derive(Debug, Clone)]
pub struct Construct {
    /// As users write it: `-m multiport`.
    pub name: String,
    /// How far it is modelled.
    pub support: Support,
}

/// One configuration language that portcullis can read.
pub trait Dialect: Sync {
    /// The name used in `--dialect`, `fixtures/` and `grammar/`.
    fn name(&self) -> &'static str;
    /// One line for `portcullis dialects`.
    fn summary(&self) -> &'static str;
    /// Whether a file is in this language: content first, name second.
    fn claims(&self, source: Source<'_>) -> Claim;
    /// The files that a file names as parts of it: for each place that names some, the patterns of paths that it may mean,
    /// the likeliest first. By default, none.
    fn includes(&self, _source: Source<'_>) -> Vec<Vec<String>> {
        Vec::new()
    }
    /// Whether a file that lies where [`Dialect::includes`] says is a part of the unit, for patterns that other files may lie
    /// under too. By default, whatever lies there is.
    fn takes(&self, _part: Source<'_>) -> bool {
        true
    }
    /// The files of the folder tree that a file is a part of, if it is one: they are one unit, whichever of them was given.
    /// The unit has those that exist, and `tree` is asked of the first that a run meets. By default, a file stands alone.
    fn tree(&self, _source: Source<'_>) -> Option<Tree> {
        None
    }
    /// Whether a file lies in a tree and says nothing of what it is made of: several such files are read with one unit of it. By
    /// default, no file does.
    fn is_beside(&self, _source: Source<'_>) -> bool {
        false
    }
    /// Reads and lowers one unit: the files that only mean something together. Of a tree, they come in the order of its
    /// parts; otherwise the one that includes the others is first.
    fn read(&self, unit: &[Source<'_>]) -> Reading;
    /// Reads a unit with values that come from elsewhere. By default, none is asked for.
    fn read_given(&self, unit: &[Source<'_>], _given: &Given) -> Reading {
        self.read(unit)
    }
    /// What a unit hands to others of the run, by name. By default, nothing.
    fn exports(&self, _unit: &[Source<'_>], _given: &Given) -> Vec<(String, Exported)> {
        Vec::new()
    }
    /// The names of files that may include others of this language, as patterns: where a file is given by itself, the unit that it
    /// is a part of is looked for among them. By default, none is.
    fn owners(&self) -> &'static [&'static str] {
        &[]
    }
    /// The files that belong to a unit besides, by what is given for it: patterns of paths. `root` is the folder of its tree. By
    /// default, none.
    fn given_files(&self, _root: &str, _given: &Given) -> Vec<String> {
        Vec::new()
    }
    /// Whether its files filter nothing by themselves, but say what those of other dialects ask for: they are read again
    /// with each dump of their host, behind its own files.
    fn is_companion(&self) -> bool {
        false
    }
    /// Whether a unit is a host. If not, it defines what hosts are put behind: [`Reading::groups`].
    fn makes_hosts(&self) -> bool {
        true
    }
    /// Whether all its files of one site are one unit, wherever they lie: none of them says what another one means without it.
    fn reads_all_together(&self) -> bool {
        false
    }
    /// What it can read, and how exactly.
    fn constructs(&self) -> Vec<Construct>;
}

/// Every dialect; of two that may claim the same file, the one for the narrower kind first.
pub static ALL: &[&dyn Dialect] = &[
    &firewalld::Firewalld,
    &ufw::Ufw,
    &ipset::Ipset,
    &terraform::Terraform,
    &iptables::Iptables,
    &nftables::Nftables,
    &cloudformation::CloudFormation,
    &heat::Heat,
    &recorded::Recorded,
    &kubernetes::Kubernetes,
];

/// So many bytes of a text at the most, whole characters: what is looked at to find out whose it is.
fn beginning(text: &str, most: usize) -> &str {
    let end = (0..=most.min(text.len()))
        .rev()
        .find(|&end| text.is_char_boundary(end))
        .unwrap_or(0);
    text.get(..end).unwrap_or("")
}

/// The dialect of a name.
#[must_use]
pub fn by_name(name: &str) -> Option<&'static dyn Dialect> {
    ALL.iter().copied().find(|dialect| dialect.name() == name)
}

/// The dialect that is surest of a file; of equals, the first in [`ALL`].
#[must_use]
pub fn detect(source: Source<'_>) -> Option<&'static dyn Dialect> {
    let claims = ALL
        .iter()
        .copied()
        .map(|dialect| (dialect.claims(source), dialect));
    let mut best: Option<(Claim, &'static dyn Dialect)> = None;
    for (claim, dialect) in claims.filter(|(claim, _)| *claim != Claim::No) {
        if best.as_ref().is_none_or(|(surest, _)| claim > *surest) {
            best = Some((claim, dialect));
        }
    }
    best.map(|(_, dialect)| dialect)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_knows_the_root_of_its_tree() {
        const PARTS: &[&str] = &["main", "apps.d/*", "../default/wall", "../../lib/wall/main"];
        let root = |name| Tree::around(name, "etc/wall", PARTS).map(|tree| tree.root);
        for (name, expected) in [
            ("h/etc/wall/main", "h/etc/wall"),
            ("h/etc/wall/apps.d/web", "h/etc/wall"),
            ("h/etc/default/wall", "h/etc/wall"),
            ("h/lib/wall/main", "h/etc/wall"),
            ("/etc/wall/main", "/etc/wall"),
            ("/etc/default/wall", "/etc/wall"),
            ("/lib/wall/main", "/etc/wall"),
            ("/main", "/"),
            ("main", ""),
            ("default/wall", "wall"),
            ("lib/wall/main", "etc/wall"),
        ] {
            assert_eq!(root(name).as_deref(), Some(expected), "{name}");
        }
        assert_eq!(root("h/etc/wall/apps.d/.web"), None);
        assert_eq!(root("h/etc/wall/other"), None);
    }

    #[test]
    fn the_parts_of_a_tree_lie_around_its_root() {
        let patterns = |name| {
            let tree = Tree::around(name, "etc/wall", &["main", "../default/wall"]);
            tree.map_or_else(Vec::new, |tree| tree.patterns().collect())
        };
        assert_eq!(patterns("etc/wall/main"), ["etc/wall/main", "etc/default/wall"]);
        assert_eq!(patterns("main"), ["main", "../default/wall"]);
        assert_eq!(patterns("/main"), ["/main", "/../default/wall"]);
        assert_eq!(patterns("../wall/main"), ["../wall/main", "../default/wall"]);
    }
}
