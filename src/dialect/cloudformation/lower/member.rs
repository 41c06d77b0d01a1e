//! What a template puts behind groups: instances, load balancers, databases, functions, and subnets.
//!
//! INVARIANT: a resource is a member of what stands in its properties where groups are named; of a launch template, also what
//! stands there.

use std::sync::Arc;

use super::super::list::Item;
use super::super::names;
use super::super::scope::Scope;
use super::super::template::Resource;
use super::super::value::Evaluated;
use super::Lower;
use super::acl::place;
use crate::cloud::ec2::{Place, Subnets};
use crate::model::{Member, Unknown};
use crate::source::Span;
use crate::tree::Node;

/// How deep properties are searched.
const MAX_DEPTH: u32 = 30;

/// Resources that are in the default group of their network if they name none.
const IN_DEFAULT_GROUP: &[&str] = &["AWS::EC2::Instance", "AWS::EC2::NetworkInterface"];

/// Properties that say in which subnets a resource is.
const SUBNETS: &[&str] = &[
    "SubnetId",
    "SubnetIds",
    "Subnets",
    "SubnetIDs",
    "VPCZoneIdentifier",
];

/// What is found of one member.
#[derive(Default)]
struct Found {
    groups: Vec<(Arc<str>, Span)>,
    others: Option<Arc<str>>,
    places: Vec<Place>,
}

impl<'t> Lower<'_, 't> {
    pub(super) fn members(&self) -> Vec<Member> {
        let subnets = self.subnets();
        let resources = self.template.resources.iter();
        let members = resources.filter_map(|resource| self.member(resource, &subnets));
        members.chain(subnets.members()).collect()
    }

    fn member(&self, resource: &Resource<'t>, subnets: &Subnets) -> Option<Member> {
        let is_other = names::is_filter(resource.kind)
            || resource.kind.starts_with("AWS::CloudFormation::")
            || resource.kind.starts_with("Custom::");
        if is_other || self.presence(resource).is_none() {
            return None;
        }
        let mut found = Found::default();
        if let Some(properties) = resource.properties {
            self.search(properties, 0, &mut found);
        }
        if found.groups.is_empty() && found.others.is_none() {
            if !IN_DEFAULT_GROUP.contains(&resource.kind) {
                return None;
            }
            found.others = Some("no group is named: it is in the default group of its network".into());
        }
        let acls = subnets.acls_of(&found.places, resource.id_span);
        Some(Member {
            name: resource.id.to_owned(),
            span: resource.id_span,
            groups: found.groups,
            others: found.others.map(|why| Unknown { property: None, why }),
            acls,
        })
    }

    fn search(&self, node: Node<'t>, depth: u32, found: &mut Found) {
        if depth > MAX_DEPTH {
            return;
        }
        for item in node.items() {
            self.search(item, depth + 1, found);
        }
        for entry in node.entries() {
            let key = entry.name();
            if names::attaches(key) {
                self.attached(key, entry.value, found);
            } else if SUBNETS.contains(&key) {
                self.in_subnets(entry.value, found);
            } else if key == "LaunchTemplate" {
                let named = entry.value.get("LaunchTemplateId");
                if let Some(named) = named.or_else(|| entry.value.get("LaunchTemplateName")) {
                    self.launched_from(named, depth, found);
                }
            } else if key == "LaunchConfigurationName" || key.ends_with("SubnetGroupName") {
                self.launched_from(entry.value, depth, found);
            } else {
                self.search(entry.value, depth + 1, found);
            }
        }
    }

    /// The groups that a property names.
    fn attached(&self, key: &str, value: Node<'t>, found: &mut Found) {
        let scope = Scope::new(self.template, self.notes, &[]);
        for (guards, item) in self.items(value, &[]) {
            let value = match item {
                Item::Map(node) => scope.property(node, "GroupId"),
                Item::Value(value) => value,
                Item::Unknown(doubt) => Evaluated::Unknown(doubt),
            };
            let is_doubtful =
                key == "Groups" || matches!(&value, Evaluated::Resource(of) if of.attribute.is_none());
            if is_doubtful && !self.is_group(&value) {
                continue;
            }
            let Some(referred) = self.referred(&value) else {
                continue;
            };
            if let Some(guard) = guards.first() {
                found.others.get_or_insert_with(|| guard.doubt.why.clone());
            } else if !found.groups.iter().any(|(key, _)| *key == referred.group.key) {
                found.groups.push((referred.group.key, referred.span));
            }
        }
    }

    fn is_group(&self, value: &Evaluated<'t>) -> bool {
        match value {
            Evaluated::Resource(reference) => {
                let resource = self.template.resource_of(&reference.id);
                resource.is_some_and(|resource| resource.kind == names::GROUP)
            }
            Evaluated::Text(text) => text.value.starts_with("sg-"),
            _ => false,
        }
    }

    fn in_subnets(&self, node: Node<'t>, found: &mut Found) {
        for (_, item) in self.items(node, &[]) {
            let place = match item {
                Item::Value(value) => place(&value, node.span()),
                Item::Unknown(doubt) => Some(Place::Unknown(doubt.why, doubt.span)),
                Item::Map(_) => None,
            };
            found.places.extend(place);
        }
    }

    /// The groups of the launch template or configuration that instances are made from.
    fn launched_from(&self, value: Node<'t>, depth: u32, found: &mut Found) {
        let scope = Scope::new(self.template, self.notes, &[]);
        if let Evaluated::Resource(reference) = scope.value(value)
            && let Some(template) = self.template.resource_of(&reference.id)
            && let Some(properties) = template.properties
        {
            self.search(properties, depth + 1, found);
        }
    }
}
