//! Inputs by shape, size and seed: rulesets as iptables-save prints them, a policy to check them against, Terraform, and clusters.
//! INVARIANT: the same shape, size and seed give the same bytes on every machine, so a measurement names its input.

mod cluster;
mod mixed;
mod policy;
mod random;
mod ruleset;
mod terraform;

pub(crate) use cluster::{calico_cluster, cilium_cluster, cluster};
pub(crate) use policy::policy;
pub(crate) use ruleset::{Shape, ruleset};
pub(crate) use terraform::{groups, repository, write};
