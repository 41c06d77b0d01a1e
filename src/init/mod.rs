//! `portcullis init`: a folder of configs to a first site file, each line of it explained.
//!
//! The folder is read as `check` reads it, so what is proposed are names that are there: hosts by how their files lie in folders,
//! security groups by their addresses, workloads by their namespaces and labels, roles by what all these are called, the internal
//! zone by the private networks that configs speak of. INVARIANT: the text is a site file that is read without an error; what is only
//! guessed says so; nothing is bound to a role that no policy has, or by a name that is not there.

mod found;
mod pattern;
mod role;
mod write;

use std::path::Path;

use found::Found;

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

/// Looks at the configs below a folder.
#[must_use]
pub fn propose(folder: &Path) -> Proposal {
    let found = Found::below(folder);
    Proposal {
        n_configs: found.n_configs,
        text: write::text(&found),
        failures: found.failures,
    }
}
