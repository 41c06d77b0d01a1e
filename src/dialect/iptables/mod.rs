//! `iptables-save` and `ip6tables-save` dumps.
//!
//! Text becomes lines (`ast`, by `parser`), lines become a ruleset for each family (`lower`); what the words mean is
//! in `names`. INVARIANT: reading never fails, and nothing here decides what a ruleset lets through.

mod ast;
mod claim;
mod family;
mod lower;
mod names;
mod parser;

pub(super) use lower::restore;
pub(super) use names::{icmp_type, icmpv6_type, port_by_name};

use std::rc::Rc;

use super::ipset::{Ipset, Sets};
use super::tracking::doubt_untracked;
use super::{Claim, Construct, Dialect, Reading};
use crate::packet::Family;
use crate::source::Source;

/// Reads commands of one family, without the program that runs them: `-t filter -A INPUT -j ACCEPT`.
pub(super) fn read_commands(source: Source<'_>, family: Family, into: &mut Reading) {
    lower::dump(source, family, None, into);
}

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

    fn claims(&self, source: Source<'_>) -> Claim {
        claim::claim(source)
    }

    /// Each file of the unit becomes a ruleset for each family that it has tables of; files of sets say what is in the sets
    /// that rules ask for.
    fn read(&self, unit: &[Source<'_>]) -> Reading {
        let mut reading = Reading::default();
        let mut first_lines = Vec::new();
        let (sets, dumps) = parts(unit);
        for source in &dumps {
            lower::dump(*source, family::detect(*source), sets.clone(), &mut reading);
            first_lines.resize(reading.rulesets.len(), lower::first_line(*source));
        }
        doubt_untracked(&mut reading.rulesets);
        lower::add_absent_filters(&mut reading.rulesets, &first_lines);
        reading
    }

    fn constructs(&self) -> Vec<Construct> {
        names::constructs()
    }
}

/// The sets and the dumps of a unit.
fn parts<'a>(unit: &[Source<'a>]) -> (Option<Rc<Sets<'a>>>, Vec<Source<'a>>) {
    let is_of_sets = |source: &Source<'_>| Ipset.claims(*source) == Claim::Content;
    let (of_sets, dumps): (Vec<_>, Vec<_>) = unit.iter().copied().partition(is_of_sets);
    let sets = of_sets.into_iter().map(Sets::read).reduce(|mut all, sets| {
        all.join(sets);
        all
    });
    (sets.map(Rc::new), dumps)
}
