//! Roles of policies, and which of them something is called as.

use std::collections::{BTreeMap, BTreeSet};

use crate::policy::{self, ast::Statement};
use crate::source::{SourceFile, SourceMap, Spanned};

/// A role of a policy.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Role {
    pub(super) policy: String,
    pub(super) name: String,
}

/// The roles that there are.
#[derive(Debug, Default)]
pub(super) struct Roles {
    /// Policies of the repository, as paths, that a site can name together.
    pub(super) own_files: Vec<String>,
    /// Those that it cannot, and why.
    pub(super) left_out: Vec<(String, &'static str)>,
    own: Vec<Role>,
    shipped: Vec<Role>,
}

/// Roles that so many policies have say nothing without the name of the policy: `server`, `client`.
const COMMON: usize = 3;

impl Roles {
    /// The roles of shipped policies, and of those with these paths and texts.
    pub(super) fn of(files: Vec<(String, String)>) -> Self {
        let mut roles = Self::default();
        for &name in policy::BUILTIN {
            let trees = parsed(name, policy::builtin(name).unwrap_or_default());
            roles.shipped.extend(trees.iter().flatten().flat_map(of_tree));
        }
        let mut names: BTreeSet<String> = policy::BUILTIN.iter().map(|&name| name.to_owned()).collect();
        for (path, text) in files {
            let Some(trees) = parsed(&path, &text) else {
                roles
                    .left_out
                    .push((path, "it has errors: `portcullis policy check` says which"));
                continue;
            };
            let own: Vec<String> = trees.iter().map(|tree| tree.name.value.clone()).collect();
            if own.iter().any(|name| names.contains(name)) {
                roles.left_out.push((path, "another policy has the same name"));
                continue;
            }
            names.extend(own);
            roles.own.extend(trees.iter().flat_map(of_tree));
            roles.own_files.push(path);
        }
        roles
    }

    /// The roles that something is called as: those of the repository's own policies, if there are any, else shipped ones.
    pub(super) fn called(&self, name: &str) -> Vec<&Role> {
        let words = words(name);
        let own: Vec<&Role> = self.own.iter().filter(|role| is_in(&role.name, &words)).collect();
        if !own.is_empty() {
            return own;
        }
        let mut n_policies: BTreeMap<&str, usize> = BTreeMap::new();
        for role in &self.shipped {
            *n_policies.entry(&role.name).or_default() += 1;
        }
        let is_telling = |role: &&Role| {
            let is_common = n_policies.get(role.name.as_str()).is_some_and(|&n| n >= COMMON);
            let names_policy = is_in(&role.policy, &words);
            let is_whole = words.len() == self::words(&role.name).len();
            is_in(&role.name, &words) && (!is_common || names_policy || is_whole)
        };
        self.shipped.iter().filter(is_telling).collect()
    }

    /// The shipped policies whose roles most of some things are called as.
    pub(super) fn likely<'n>(&self, names: impl Iterator<Item = &'n str>) -> Vec<String> {
        let mut counts: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
        for name in names {
            for role in self.called(name) {
                counts.entry(role.policy.clone()).or_default().insert(name);
            }
        }
        counts.retain(|policy, _| !self.own.iter().any(|role| role.policy == *policy));
        let best = counts.values().map(BTreeSet::len).max();
        counts.retain(|_, names| Some(names.len()) == best);
        counts.into_keys().collect()
    }

    /// The roles that something is called as, of the repository's own policies and of the likely ones.
    pub(super) fn guess(&self, name: &str, likely: &[String]) -> Vec<String> {
        let called = self.called(name).into_iter();
        let guessed = called.filter(|role| likely.contains(&role.policy) || self.own.contains(role));
        guessed
            .map(|role| format!("{}.{}", role.policy, role.name))
            .collect()
    }

    /// A role to stand where nothing is known: the first one of the repository's own policies.
    pub(super) fn example(&self) -> String {
        let first = self.own.first();
        first.map_or_else(
            || "POLICY.ROLE".to_owned(),
            |role| format!("{}.{}", role.policy, role.name),
        )
    }
}

/// The policies of a text, if it has no error.
fn parsed(name: &str, text: &str) -> Option<Vec<policy::ast::Policy>> {
    let mut sources = SourceMap::new();
    let file = sources.add(SourceFile::virtual_text(name, text));
    let parsed = policy::parse(sources.source(file));
    parsed.errors.is_empty().then_some(parsed.policies)
}

fn of_tree(tree: &policy::ast::Policy) -> Vec<Role> {
    let mut roles = Vec::new();
    for statement in &tree.statements {
        if let Statement::Role { names, .. } = &statement.value {
            let role = |name: &Spanned<String>| Role {
                policy: tree.name.value.clone(),
                name: name.value.clone(),
            };
            roles.extend(names.iter().map(role));
        }
    }
    roles
}

/// The words of a name, without the numbers at their ends: `swarm_manager-01` is `swarm`, `manager`.
fn words(name: &str) -> Vec<String> {
    let name = name.to_ascii_lowercase();
    let words = name.split(|letter: char| !letter.is_ascii_alphanumeric());
    let words = words.map(|word| word.trim_end_matches(|letter: char| letter.is_ascii_digit()));
    words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// Whether a role, or several of it, is among the words of a name.
fn is_in(role: &str, name: &[String]) -> bool {
    let role = words(role);
    let is_same =
        |(own, word): (&String, &String)| own == word || word.strip_suffix('s') == Some(own.as_str());
    !role.is_empty()
        && name
            .windows(role.len())
            .any(|part| role.iter().zip(part).all(is_same))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_roles_by_whole_words() {
        let is_called = |name: &str, role: &str| is_in(role, &words(name));
        assert!(is_called("manager1", "manager") && is_called("swarm_manager-01", "manager"));
        assert!(is_called("control-planes", "control-plane") && !is_called("control-tower", "control-plane"));
        assert!(!is_called("webserver", "server") && !is_called("managed", "manager"));
    }
}
