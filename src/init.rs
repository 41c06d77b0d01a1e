//! `portcullis init`: a folder of configs to a first site file, each line of it explained.
//!
//! What is proposed is read off names and texts: dialects by the files, hosts by how they lie in folders, roles by what folders are
//! called, the internal zone by the private networks that configs speak of. INVARIANT: the text is a site file that is read without an
//! error, and what is only guessed says so; nothing is bound to a role that no policy has.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::dialect;
use crate::discover;
use crate::packet::Network;
use crate::policy;
use crate::policy::ast::Statement;
use crate::source::SourceMap;

/// A first site file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// The text of `portcullis.toml`.
    pub text: String,
    /// How many configs were found.
    pub n_configs: usize,
    /// What could not be looked at.
    pub failures: Vec<String>,
}

/// How many networks are proposed for the internal zone.
const MAX_NETWORKS: usize = 4;

/// What there is in a folder.
#[derive(Default)]
struct Found {
    /// Files by dialect, as paths from the folder.
    files: BTreeMap<&'static str, Vec<String>>,
    /// Private networks that files speak of, and in how many files.
    networks: BTreeMap<String, usize>,
}

/// Looks at the configs below a folder.
#[must_use]
pub fn propose(folder: &Path) -> Proposal {
    let discovery = discover::discover(&[PathBuf::from(folder)]);
    let mut failures: Vec<String> = discovery.errors.iter().map(ToString::to_string).collect();
    let mut found = Found::default();
    for input in &discovery.inputs {
        let file = match discover::read(input) {
            Ok(Some(file)) => file,
            Ok(None) => continue,
            Err(error) => {
                failures.push(error.to_string());
                continue;
            }
        };
        let mut sources = SourceMap::new();
        let id = sources.add(file);
        let Some(dialect) = dialect::detect(sources.source(id)) else {
            continue;
        };
        let path = input.path.strip_prefix(folder).unwrap_or(&input.path);
        found
            .files
            .entry(dialect.name())
            .or_default()
            .push(discover::shown(path));
        for network in private_networks(sources.file(id).text()) {
            *found.networks.entry(network).or_default() += 1;
        }
    }
    Proposal {
        n_configs: found.files.values().map(Vec::len).sum(),
        text: found.text(),
        failures,
    }
}

/// The private networks (RFC 1918) that a text names, each once; hosts are none.
fn private_networks(text: &str) -> BTreeSet<String> {
    let is_part = |letter: char| letter.is_ascii_digit() || letter == '.' || letter == '/';
    let words = text
        .split(|letter| !is_part(letter))
        .filter(|word| word.contains('/'));
    let is_private = |word: &&str| {
        let parts: Vec<&str> = word.split(['.', '/']).collect();
        let number = |at: usize| parts.get(at).and_then(|part| part.parse::<u8>().ok());
        let is_inside = match (number(0), number(1)) {
            (Some(10), _) | (Some(192), Some(168)) => true,
            (Some(172), Some(second)) => (16..32).contains(&second),
            _ => false,
        };
        is_inside
            && number(4).is_some_and(|length| (8..=28).contains(&length))
            && word.parse::<Network>().is_ok()
    };
    words.filter(is_private).map(str::to_owned).collect()
}

/// A role of a shipped policy.
struct Role {
    policy: &'static str,
    name: String,
}

/// The roles of all shipped policies.
fn roles() -> Vec<Role> {
    let mut roles = Vec::new();
    for &policy in policy::BUILTIN {
        let mut sources = SourceMap::new();
        let file = sources.add_text(policy, policy::builtin(policy).unwrap_or_default());
        for tree in policy::parse(sources.source(file)).policies {
            for statement in tree.statements {
                if let Statement::Role { names, .. } = statement.value {
                    let name = |name: crate::source::Spanned<String>| Role {
                        policy,
                        name: name.value,
                    };
                    roles.extend(names.into_iter().map(name));
                }
            }
        }
    }
    roles
}

impl Found {
    fn text(&self) -> String {
        let patterns = self.patterns();
        let likely = likely_policies(&patterns);
        let mut text = String::from(
            "# Which tables the hosts are held against: names of shipped policies (`portcullis policy list`), or paths.\n",
        );
        let named = likely.iter().map(|policy| format!("`{policy}`"));
        let named = named.collect::<Vec<_>>().join(", ");
        // Writing to a string does not fail.
        let _written = match likely.as_slice() {
            [] => writeln!(text, "policies = []"),
            [policy] => writeln!(
                text,
                "# {named} has roles that are called as folders here are.\npolicies = [\"{policy}\"]"
            ),
            _ => writeln!(
                text,
                "# {named} have roles that are called as folders here are: choose.\npolicies = []"
            ),
        };
        self.write_zones(&mut text);
        for (pattern, n_files) in &patterns {
            write_binding(&mut text, pattern, *n_files, &likely);
        }
        self.write_others(&mut text);
        text
    }

    fn write_zones(&self, text: &mut String) {
        let mut networks: Vec<(&String, &usize)> = self.networks.iter().collect();
        networks.sort_by(|a, b| b.1.cmp(a.1).then_with(|| a.0.cmp(b.0)));
        let networks: Vec<String> = networks
            .into_iter()
            .take(MAX_NETWORKS)
            .map(|(network, _)| format!("\"{network}\""))
            .collect();
        text.push_str("\n# Who is meant by the zones of the tables. `external` is everybody on the internet who is in no other zone.\n[zones]\n");
        let _written = if networks.is_empty() {
            writeln!(
                text,
                "# internal = {{ networks = [\"10.0.0.0/8\"] }}   # where the hosts themselves are"
            )
        } else {
            writeln!(
                text,
                "# The private networks that the configs speak of most: keep those where the hosts themselves are.\ninternal = {{ networks = [{}] }}",
                networks.join(", ")
            )
        };
    }

    /// Patterns of the files of hosts, with how many files each has.
    fn patterns(&self) -> Vec<(String, usize)> {
        let hosts = ["iptables", "nftables"];
        let files = hosts
            .iter()
            .filter_map(|dialect| self.files.get(dialect))
            .flatten();
        let mut folders: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for file in files {
            let (folder, name) = file.rsplit_once('/').unwrap_or(("", file));
            folders.entry(folder).or_default().push(name);
        }
        let mut patterns: BTreeMap<String, usize> = BTreeMap::new();
        for (folder, names) in &folders {
            // Folders beside each other with files of the same names are hosts; else each file is one.
            let (above, _) = folder.rsplit_once('/').unwrap_or(("", folder));
            let is_sibling = |other: &str| {
                let (beside, _) = other.rsplit_once('/').unwrap_or(("", other));
                beside == above && other != *folder
            };
            let is_alike = folders
                .iter()
                .any(|(other, theirs)| is_sibling(other) && names.iter().any(|name| theirs.contains(name)));
            let before = |folder: &str| {
                if folder.is_empty() {
                    String::new()
                } else {
                    format!("{folder}/")
                }
            };
            let pattern = if is_alike && !folder.is_empty() {
                format!("{}{{host}}/*", before(above))
            } else {
                let ending = names
                    .first()
                    .and_then(|name| name.rsplit_once('.'))
                    .map_or("", |it| it.1);
                match ending {
                    "" => format!("{}{{host}}", before(folder)),
                    ending => format!("{}{{host}}.{ending}", before(folder)),
                }
            };
            *patterns.entry(pattern).or_default() += names.len();
        }
        patterns.into_iter().collect()
    }

    /// What is bound otherwise than by files.
    fn write_others(&self, text: &mut String) {
        let has = |dialects: &[&str]| dialects.iter().any(|dialect| self.files.contains_key(dialect));
        if has(&["terraform", "cloudformation", "heat", "recorded"]) {
            text.push_str("\n# There are security groups here. A binding's `resources` say before which hosts they stand; unbound ones are held against\n# the rows that count for every host.\n# [[bind]]\n# roles     = [\"POLICY.ROLE\"]\n# resources = [\"aws_security_group.NAME\"]\n");
        }
        if has(&["kubernetes"]) {
            text.push_str("\n# There are manifests here. A binding's `workloads` give roles to pods.\n# [[bind]]\n# roles     = [\"POLICY.ROLE\"]\n# workloads = { namespace = \"NAMESPACE\", labels = { app = \"NAME\" } }\n");
        }
        if has(&["ufw", "firewalld"]) {
            text.push_str("\n# There are folders of ufw or firewalld here: bind any file of theirs, `files = [\"hosts/{host}/etc/ufw/*\"]`.\n");
        }
    }
}

/// The role that a pattern's folder is called as: `managers/{host}/*` as `manager`.
fn role_of<'r>(pattern: &str, roles: &'r [Role]) -> impl Iterator<Item = &'r Role> {
    let folder = pattern.split("{host}").next().unwrap_or("").trim_end_matches('/');
    let folder = folder.rsplit('/').next().unwrap_or("").to_ascii_lowercase();
    roles.iter().filter(move |role| {
        !folder.is_empty() && (folder == role.name || folder.strip_suffix('s') == Some(role.name.as_str()))
    })
}

/// The shipped policies whose roles most folders are called as.
fn likely_policies(patterns: &[(String, usize)]) -> Vec<&'static str> {
    let roles = roles();
    let mut counts: BTreeMap<&'static str, BTreeSet<&str>> = BTreeMap::new();
    for (pattern, _) in patterns {
        for role in role_of(pattern, &roles) {
            counts.entry(role.policy).or_default().insert(pattern);
        }
    }
    let best = counts.values().map(BTreeSet::len).max();
    counts.retain(|_, patterns| Some(patterns.len()) == best);
    counts.into_keys().collect()
}

/// A binding. It is a comment unless one policy alone is likely.
fn write_binding(text: &mut String, pattern: &str, n_files: usize, likely: &[&str]) {
    let roles = roles();
    let roles = role_of(pattern, &roles).filter(|role| likely.contains(&role.policy));
    let roles: Vec<String> = roles
        .map(|role| format!("{}.{}", role.policy, role.name))
        .collect();
    let lie = if n_files == 1 { "file lies" } else { "files lie" };
    let (mark, role, why) = match roles.as_slice() {
        [] => (
            "# ",
            "POLICY.ROLE",
            "Say which role they have, and take the marks of comments away.".to_owned(),
        ),
        [role] => (
            "",
            role.as_str(),
            format!("The folder is called as the role `{role}` is."),
        ),
        [role, others @ ..] => {
            let why = format!(
                "The folder is called as `{role}` is, and {}: choose.",
                others.join(", ")
            );
            ("# ", role.as_str(), why)
        }
    };
    // Writing to a string does not fail.
    let _written = write!(
        text,
        "\n# {n_files} {lie} there; those with one {{host}} are one host. {why}\n{mark}[[bind]]\n{mark}roles = [\"{role}\"]\n{mark}zone  = \"internal\"\n{mark}files = [\"{pattern}\"]\n"
    );
}
