//! Templates of Heat: security groups of Neutron, and what they are put in front of.
//!
//! Expressions are evaluated as those of `CloudFormation` are, which Heat took over under other names. INVARIANT: what Heat adds
//! of itself (directions, ethertypes, protocols, default egress) is added here.

mod group;
mod member;
mod names;
mod rule;

use super::cloudformation::scope::Notes;
use super::cloudformation::template::Template;
use super::reference::{Uses, dangling};
use super::{Claim, Construct, Dialect, Given, Reading, problem};
use crate::source::Source;
use crate::tree::{Schema, Tree};
use group::Lower;

/// The dialect.
#[derive(Debug)]
pub struct Heat;

impl Dialect for Heat {
    fn name(&self) -> &'static str {
        "heat"
    }

    fn summary(&self) -> &'static str {
        "templates of OpenStack Heat: security groups"
    }

    fn claims(&self, source: Source<'_>) -> Claim {
        let is_version = |line: &str| {
            let line = line.trim_start_matches(['{', ' ', '\t', '"', '\'']);
            line.starts_with("heat_template_version")
        };
        // The version stands in the first column, or in the first object of JSON.
        let is_json = source.text.trim_start().starts_with('{');
        let mut lines = source
            .text
            .lines()
            .filter(|line| is_json || !line.starts_with(' '));
        if lines.any(is_version) {
            Claim::Content
        } else {
            Claim::No
        }
    }

    fn read(&self, unit: &[Source<'_>]) -> Reading {
        self.read_given(unit, &Given::default())
    }

    fn read_given(&self, unit: &[Source<'_>], given: &Given) -> Reading {
        let mut reading = Reading::default();
        for &source in unit {
            let tree = Tree::read(source, Schema::Yaml11);
            reading.notices.extend(problem::unread(&tree));
            for root in tree.documents() {
                let template = Template::heat(root, source.name, given);
                lower(&template, &mut reading);
            }
        }
        reading
    }

    fn makes_hosts(&self) -> bool {
        false
    }

    fn constructs(&self) -> Vec<Construct> {
        names::constructs()
    }
}

/// Reads the groups of a template and what it puts behind them.
fn lower(template: &Template<'_>, reading: &mut Reading) {
    let notes = Notes::default();
    reading
        .parameters
        .extend(template.parameters.keys().map(|name| (*name).to_owned()));
    let mut lower = Lower::new(template, &notes);
    lower.resources();
    reading.members.extend(lower.members());
    reading.n_rules += lower.n_rules();
    let (groups, lowering) = lower.finish();
    reading.groups.extend(groups);
    let missing = notes.dangling.into_inner();
    let is_said = |span| missing.values().any(|spans| spans.contains(&span));
    reading.notices.extend(lowering.notices().cloned());
    reading.notices.extend(lowering.unknown_values(&is_said));
    for (what, spans) in missing {
        if let Some(&first) = spans.first() {
            let mut uses = Uses::new(first);
            uses.count = spans.len();
            reading.notices.push(dangling(&what, uses));
        }
    }
}
