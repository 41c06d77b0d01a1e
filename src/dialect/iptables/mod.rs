//! `iptables-save` and `ip6tables-save` dumps.

use super::{Claim, Construct, Dialect, Reading};
use crate::source::Source;

/// The dialect.
#[derive(Debug)]
pub struct Iptables;

impl Dialect for Iptables {
    fn name(&self) -> &'static str {
        "iptables"
    }
    fn summary(&self) -> &'static str {
        "dumps of iptables-save and ip6tables-save"
    }
    fn claims(&self, _source: Source<'_>) -> Claim {
        Claim::No
    }
    fn read(&self, _unit: &[Source<'_>]) -> Reading {
        Reading::default()
    }
    fn constructs(&self) -> Vec<Construct> {
        Vec::new()
    }
}
