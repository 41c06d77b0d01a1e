//! `CloudFormation` templates, in YAML and JSON: security groups, network ACLs, and what they are put in front of.
//!
//! A template becomes its sections (`template`); expressions become values as far as they are known before deployment (`scope`,
//! `lookup`, `text`, `condition`), and resources become groups and members (`lower`). INVARIANT: the two languages of one template
//! give the same groups.

mod claim;
pub(super) mod condition;
mod export;
pub(super) mod intrinsic;
pub(super) mod list;
mod lookup;
mod lower;
mod names;
pub(super) mod refer;
pub(super) mod scope;
pub(super) mod template;
mod text;
pub(super) mod value;

use super::{Claim, Construct, Dialect, Exported, Given, Reading, problem};
use crate::source::Source;
use crate::tree::{Schema, Tree};
use template::Template;

/// The dialect.
#[derive(Debug)]
pub struct CloudFormation;

impl Dialect for CloudFormation {
    fn name(&self) -> &'static str {
        "cloudformation"
    }

    fn summary(&self) -> &'static str {
        "templates of AWS CloudFormation: security groups and network ACLs"
    }

    fn claims(&self, source: Source<'_>) -> Claim {
        claim::claim(source)
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
                let template = Template::new(root, source.name, given);
                lower::lower(&template, &mut reading);
            }
        }
        reading
    }

    fn exports(&self, unit: &[Source<'_>], given: &Given) -> Vec<(String, Exported)> {
        let mut exports = Vec::new();
        for &source in unit.iter().filter(|source| source.text.contains("Export")) {
            let tree = Tree::read(source, Schema::Yaml11);
            for root in tree.documents() {
                exports.extend(export::of(root, &Template::new(root, source.name, given)));
            }
        }
        exports
    }

    fn makes_hosts(&self) -> bool {
        false
    }

    fn constructs(&self) -> Vec<Construct> {
        names::constructs()
    }
}
