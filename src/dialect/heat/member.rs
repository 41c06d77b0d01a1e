//! What a template puts behind groups: ports and servers, and templates of others that groups are handed to.
//!
//! INVARIANT: a server is in the groups of its ports; where none is named, in the default group of its project.

use std::sync::Arc;

use super::group::Lower;
use super::names;
use crate::dialect::cloudformation::list::{Item, items};
use crate::dialect::cloudformation::scope::Scope;
use crate::dialect::cloudformation::template::Resource;
use crate::dialect::cloudformation::value::Evaluated;
use crate::model::{Acls, Member, Unknown};
use crate::source::Span;
use crate::tree::Node;

/// What is found of one member.
#[derive(Default)]
struct Found {
    groups: Vec<(Arc<str>, Span)>,
    others: Option<Arc<str>>,
}

/// How deep properties of other templates are searched.
const MAX_DEPTH: u32 = 30;

impl<'t> Lower<'_, 't> {
    pub(super) fn members(&self) -> Vec<Member> {
        let resources = self.template.resources.iter();
        let members = resources.filter_map(|resource| self.member(resource));
        members.collect()
    }

    fn member(&self, resource: &Resource<'t>) -> Option<Member> {
        self.presence(resource)?;
        let mut found = Found::default();
        match resource.kind {
            names::PORT => self.named(resource.property("security_groups"), &mut found),
            names::SERVER => self.server(resource, &mut found),
            names::GROUP | names::RULE => return None,
            kind if names::is_nested(kind) => {
                self.handed_on(resource.properties?, 0, &mut found);
                if found.groups.is_empty() {
                    return None;
                }
            }
            _ => return None,
        }
        if found.groups.is_empty() && found.others.is_none() {
            found.others = Some("no group is named: it is in the default group of its project".into());
        }
        Some(Member {
            name: resource.id.to_owned(),
            span: resource.id_span,
            groups: found.groups,
            others: found.others.map(|why| Unknown { property: None, why }),
            acls: Acls::default(),
        })
    }

    /// `OS::Nova::Server`: its groups are those of the ports that it makes, or of the ports that it is given.
    fn server(&self, resource: &Resource<'t>, found: &mut Found) {
        self.named(resource.property("security_groups"), found);
        let Some(networks) = resource.property("networks") else {
            return;
        };
        let scope = Scope::new(self.template, self.notes, &[]);
        for (_, item) in items(self.template, self.notes, networks, &[]) {
            let Item::Map(network) = item else { continue };
            let Evaluated::Resource(port) = scope.property(network, "port") else {
                continue;
            };
            if let Some(port) = self.template.resource_of(&port.id) {
                self.named(port.property("security_groups"), found);
            }
        }
    }

    /// The groups of a list.
    fn named(&self, list: Option<Node<'t>>, found: &mut Found) {
        let Some(list) = list else { return };
        for (guards, item) in items(self.template, self.notes, list, &[]) {
            let value = match item {
                Item::Value(value) => value,
                Item::Unknown(doubt) => Evaluated::Unknown(doubt),
                Item::Map(_) => continue,
            };
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

    /// Groups that another template is given, under a name that says what for.
    fn handed_on(&self, node: Node<'t>, depth: u32, found: &mut Found) {
        if depth > MAX_DEPTH {
            return;
        }
        for entry in node.entries() {
            let name = entry.name();
            if name.contains("secgroup") || name.contains("security_group") {
                self.named(Some(entry.value), found);
            } else {
                self.handed_on(entry.value, depth + 1, found);
            }
        }
    }
}
