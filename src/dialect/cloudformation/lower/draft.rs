//! Groups while their rules are collected.
//!
//! INVARIANT: of a group that the template does not define it is not known what else is in it.

use std::sync::Arc;

use super::Rewritten;
use crate::cloud::ec2::{self, AclEntry};
use crate::cloud::{Direction, Doubt, GroupName, Lowering, Permission, everything_unless};
use crate::model::{Action, Group, Layer, Match, Rule, Side, Unknown};
use crate::source::Span;

/// A security group or network ACL.
pub(super) struct Draft {
    pub(super) group: GroupName,
    pub(super) span: Span,
    pub(super) layer: Layer,
    /// What else may be in it, if the template does not define it.
    pub(super) others: Option<Doubt>,
    /// Whether another template defines it, and this one only adds rules.
    pub(super) is_part: bool,
    pub(super) permissions: Vec<(Direction, Permission)>,
    pub(super) entries: Vec<(Direction, AclEntry)>,
    /// Where the rules of a direction would stand, if there is a place for them.
    pub(super) ingress: Option<Span>,
    pub(super) egress: Option<Span>,
}

impl Draft {
    pub(super) fn new(group: GroupName, span: Span, layer: Layer) -> Self {
        Self {
            group,
            span,
            layer,
            others: None,
            is_part: false,
            permissions: Vec::new(),
            entries: Vec::new(),
            ingress: None,
            egress: None,
        }
    }

    /// The group, with what may happen to it when the template is deployed.
    pub(super) fn finish(mut self, lowering: &mut Lowering, rewritten: &Rewritten) -> Group {
        for (_, permission) in &mut self.permissions {
            permission.guards.extend(rewritten.keeps.iter().cloned());
        }
        for (_, entry) in &mut self.entries {
            entry.guards.extend(rewritten.keeps.iter().cloned());
        }
        let rewrites = &rewritten.adds;
        if let Some(doubt) = &self.others {
            lowering.depends(doubt);
        }
        let ingress = self.side(lowering, Direction::Ingress, rewrites);
        let egress = self.side(lowering, Direction::Egress, rewrites);
        Group {
            calls: Arc::default(),
            key: self.group.key,
            name: self.group.name.to_string(),
            layer: self.layer,
            span: self.span,
            ingress: Some(ingress),
            egress: Some(egress),
            rest: self.others.map(|doubt| Unknown {
                property: None,
                why: doubt.why,
            }),
        }
    }

    fn side(&self, lowering: &mut Lowering, direction: Direction, rewrites: &[Doubt]) -> Side {
        let place = match direction {
            Direction::Ingress => self.ingress,
            Direction::Egress => self.egress,
        };
        let rules = if self.layer == Layer::NetworkAcl {
            let of = self.entries.iter().filter(|(of, _)| *of == direction);
            let entries: Vec<_> = of.map(|(_, entry)| entry.clone()).collect();
            let mut rules: Vec<_> = rewrites.iter().map(|doubt| anything(lowering, doubt)).collect();
            rules.extend(ec2::network_acl_rules(lowering, direction, &entries));
            rules
        } else {
            let permissions = self.of_direction(direction);
            let others: Vec<_> = rewrites.iter().map(Permission::open).collect();
            let mut rules: Vec<Rule> = permissions
                .iter()
                .chain(&others)
                .flat_map(|permission| ec2::security_group_rules(lowering, direction, permission))
                .collect();
            if direction == Direction::Egress && !self.is_part {
                // `AWS::EC2::SecurityGroup`: "if you do not add egress rules, we add egress rules that allow all outbound IPv4
                // and IPv6 traffic".
                let written = permissions.iter().map(|permission| permission.guards.as_slice());
                rules.extend(everything_unless(lowering, self.span, written));
            }
            rules
        };
        Side {
            rules,
            default_span: place.unwrap_or(self.span),
        }
    }

    fn of_direction(&self, direction: Direction) -> Vec<Permission> {
        let of = self.permissions.iter().filter(|(of, _)| *of == direction);
        of.map(|(_, permission)| permission.clone()).collect()
    }
}

/// A rule of a network ACL of which nothing is known.
fn anything(lowering: &mut Lowering, doubt: &Doubt) -> Rule {
    lowering.depends(doubt);
    let condition = doubt.question("packet matches");
    Rule {
        span: doubt.span,
        matches: vec![Match {
            span: doubt.span,
            condition,
        }],
        action: Action::Unknown(Unknown {
            property: None,
            why: doubt.why.clone(),
        }),
        action_span: doubt.span,
    }
}
