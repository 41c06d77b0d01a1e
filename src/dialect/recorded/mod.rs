//! Recorded answers of the APIs of clouds, as their command lines write them: `aws ec2 describe-security-groups`,
//! `openstack security group rule list -f json`, and what goes with them.
//!
//! All recorded files of a folder are one recording: prefix lists, members and rules lie beside the groups that they belong to
//! (`record`); they become groups and members by cloud (`aws`, `openstack`). INVARIANT: what is recorded is all there is: nothing
//! is added that an API would add to a new group.

mod aws;
mod claim;
mod columns;
mod member;
mod openstack;
mod record;

use super::{Claim, Construct, Dialect, Reading, Support, include, problem};
use crate::cloud::Lowering;
use crate::source::Source;
use crate::tree::Tree;
use record::Record;

/// The dialect.
#[derive(Debug)]
pub struct Recorded;

/// What is read, as people call it.
const KINDS: &[&str] = &[
    "aws ec2 describe-security-groups",
    "aws ec2 describe-security-group-rules",
    "aws ec2 describe-network-acls",
    "aws ec2 describe-prefix-lists",
    "aws ec2 get-managed-prefix-list-entries",
    "aws ec2 describe-instances",
    "aws ec2 describe-network-interfaces",
    "openstack security group list",
    "openstack security group show",
    "openstack security group rule list",
    "openstack security group rule show",
    "GET /v2.0/security-groups",
    "GET /v2.0/security-group-rules",
    "GET /v2.0/ports",
];

impl Dialect for Recorded {
    fn name(&self) -> &'static str {
        "recorded"
    }

    fn summary(&self) -> &'static str {
        "recorded answers of the APIs of AWS and OpenStack, as JSON: security groups and network ACLs"
    }

    fn claims(&self, source: Source<'_>) -> Claim {
        claim::claim(source)
    }

    fn includes(&self, source: Source<'_>) -> Vec<Vec<String>> {
        let folder = source.name.rsplit_once('/').map_or("", |(folder, _)| folder);
        let pattern = if folder.is_empty() {
            "*.json".to_owned()
        } else {
            include::normal(&format!("{folder}/*.json"))
        };
        vec![vec![pattern]]
    }

    fn takes(&self, part: Source<'_>) -> bool {
        claim::claim(part) != Claim::No
    }

    fn read(&self, unit: &[Source<'_>]) -> Reading {
        let mut reading = Reading::default();
        let trees: Vec<(&str, Tree<'_>)> = unit
            .iter()
            .map(|&source| (source.name, Tree::json(source)))
            .collect();
        let mut record = Record::default();
        for (name, tree) in &trees {
            reading.notices.extend(problem::unread(tree));
            for root in tree.documents() {
                record.gather(root, name);
            }
        }
        let mut lowering = Lowering::new();
        aws::lower(&record, &mut lowering, &mut reading);
        openstack::lower(&record, &mut lowering, &mut reading);
        reading.notices.extend(lowering.notices().cloned());
        reading.notices.extend(lowering.unknown_values(&|_| false));
        reading
    }

    fn makes_hosts(&self) -> bool {
        false
    }

    fn constructs(&self) -> Vec<Construct> {
        let exact = |name: &&str| Construct {
            name: (*name).to_owned(),
            support: Support::Exact,
        };
        let mut constructs: Vec<Construct> = KINDS.iter().map(exact).collect();
        let unknown = ["prefix lists without entries", "remote address groups"];
        constructs.extend(unknown.map(|name| Construct {
            name: name.to_owned(),
            support: Support::UnknownProperty,
        }));
        constructs
    }
}
