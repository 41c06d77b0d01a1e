//! What is put behind groups: instances, interfaces, launch templates, load balancers, databases.
//!
//! INVARIANT: a member is surely in a group only if it is surely there and surely names it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Declared;
use super::draft::Drafts;
use crate::dialect::terraform::value::{Item, Kind, Value};
use crate::model::Unknown;
use crate::source::Span;

/// The attributes that name groups, at any depth of a body.
pub(super) const ATTRIBUTES: &[&str] = &[
    "network_interface_id",
    "port_id",
    "security_group_id",
    "security_group_ids",
    "security_group_names",
    "security_groups",
    "vpc_security_group_ids",
];

/// The attributes that name what is put behind a group by a resource of its own.
const ATTACHED: &[&str] = &["network_interface_id", "port_id"];

/// Whether resources of a kind may be behind groups: all but those that are groups or rules themselves.
pub(super) fn may_be_in_groups(kind: &str) -> bool {
    let is_group = ["security_group", "secgroup_rule", "network_acl"]
        .iter()
        .any(|word| kind.contains(word) && !kind.ends_with("attachment") && !kind.ends_with("associate_v2"));
    (kind.starts_with("aws_") || kind.starts_with("openstack_")) && !is_group
}

/// The groups that are named anywhere in a resource.
#[derive(Default)]
struct Named {
    groups: BTreeMap<Arc<str>, Span>,
    others: Option<Unknown>,
    attached: Option<String>,
}

/// Any resource that names groups.
pub(super) fn member(drafts: &mut Drafts<'_>, declared: &Declared) {
    let mut named = Named::default();
    for (name, value) in &declared.values.values {
        look(drafts, name, value, declared.doubt.is_none(), &mut named, 0);
    }
    let name = named.attached.as_deref().unwrap_or(&declared.address);
    drafts.join(
        name,
        declared.span,
        named.groups.into_iter().collect(),
        named.others,
    );
}

fn look(drafts: &mut Drafts<'_>, name: &str, value: &Value, is_sure: bool, named: &mut Named, depth: usize) {
    if ATTACHED.contains(&name) {
        if let Kind::Reference(reference) = &value.kind {
            named.attached = Some(reference.instance.address.to_string());
        }
        return;
    }
    if ATTRIBUTES.contains(&name) {
        for element in drafts.elements(Some(value)) {
            match drafts.named(&element.value) {
                Ok(group) if is_sure && element.guards.is_empty() => {
                    named.groups.insert(group.key, element.value.origin.span);
                }
                Ok(group) => {
                    let guard = element.guards.first().map(|guard| guard.doubt.why.clone());
                    let why = guard.unwrap_or_else(|| format!("it may be in `{}`", group.name).into());
                    named.others.get_or_insert(Unknown { property: None, why });
                }
                Err(doubt) => {
                    named.others.get_or_insert(Unknown {
                        property: None,
                        why: doubt.why,
                    });
                }
            }
        }
        return;
    }
    let items: Vec<&Item> = match &value.kind {
        Kind::List(list) => list.items.iter().collect(),
        Kind::Map(map) => {
            for (name, item) in map.entries.iter().filter(|_| depth < 8) {
                look(
                    drafts,
                    name,
                    &item.value,
                    is_sure && item.doubt.is_none(),
                    named,
                    depth + 1,
                );
            }
            return;
        }
        _ => return,
    };
    for item in items.into_iter().filter(|_| depth < 8) {
        look(
            drafts,
            name,
            &item.value,
            is_sure && item.doubt.is_none(),
            named,
            depth + 1,
        );
    }
}
