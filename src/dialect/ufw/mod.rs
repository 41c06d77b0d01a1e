//! ufw: the files of `/etc/ufw`, and what `ufw status` and `ufw show added` print.
//!
//! The files become the texts that ufw's init script hands to iptables-restore, one after another, and those become rulesets by
//! the reader of dumps (`lower`); what ufw itself says of a rule, its tuple, is what findings point at (`ast`, by `parser`).
//! INVARIANT: what is let through is what the kernel would load, whatever tuples say.

mod ast;
mod lower;
mod names;
mod parser;
mod part;

use super::{Claim, Construct, Dialect, Reading, Tree};
use crate::source::Source;

/// The dialect.
#[derive(Debug)]
pub struct Ufw;

impl Dialect for Ufw {
    fn name(&self) -> &'static str {
        "ufw"
    }

    fn summary(&self) -> &'static str {
        "the files of /etc/ufw with /etc/default/ufw, and the output of `ufw status` and `ufw show added`"
    }

    fn claims(&self, source: Source<'_>) -> Claim {
        part::claim(source)
    }

    fn tree(&self, source: Source<'_>) -> Option<Tree> {
        part::tree(source)
    }

    /// What a command printed names applications, whose profiles may lie beside it.
    fn includes(&self, source: Source<'_>) -> Vec<Vec<String>> {
        match part::part(source) {
            Some(part::Part::Status | part::Part::Added) => {
                let beside = ["applications.d/*", "etc/ufw/applications.d/*"];
                let paths = beside
                    .iter()
                    .flat_map(|path| super::include::candidates(source.name, path));
                vec![paths.collect()]
            }
            _ => Vec::new(),
        }
    }

    fn read(&self, unit: &[Source<'_>]) -> Reading {
        lower::read(unit)
    }

    fn constructs(&self) -> Vec<Construct> {
        names::constructs()
    }
}
