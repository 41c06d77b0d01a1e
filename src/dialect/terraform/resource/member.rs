//! What a resource says of the groups that it is behind, and of the subnets that it lies in.
//!
//! Terraform's AWS provider, `aws_instance`, `aws_network_interface`, `aws_launch_template`, `aws_autoscaling_group`; its `OpenStack`
//! provider, `openstack_compute_instance_v2`. INVARIANT: a member is surely in a group only if it is surely there and surely names it.

use std::sync::Arc;

use super::Declared;
use super::attached::{Attached, Link, Takes, Whose};
use super::draft::Drafts;
use crate::cloud::ec2::Place;
use crate::dialect::terraform::value::{Kind, Value, scalar_text};
use crate::model::Unknown;

/// The attributes that name groups, at any depth of a body.
const GROUPS: &[&str] = &[
    "security_group_id",
    "security_group_ids",
    "security_group_names",
    "security_groups",
    "vpc_security_group_ids",
];

/// The attributes that name subnets, at any depth.
const SUBNETS: &[&str] = &["subnet_id", "subnet_ids", "subnets", "vpc_zone_identifier"];

/// Where the name of a group of subnets stands: `db_subnet_group_name`.
const SUBNET_GROUP: &str = "subnet_group_name";

/// The attributes that name what has an interface, or the interface.
const INTERFACES: &[&str] = &["network_interface_id", "port_id"];

/// Kinds that say by a block what they are launched from.
const LAUNCHED: &[&str] = &[
    "aws_autoscaling_group",
    "aws_batch_compute_environment",
    "aws_ec2_fleet",
    "aws_eks_node_group",
    "aws_instance",
    "aws_spot_fleet_request",
    "aws_spot_instance_request",
];

/// The blocks of those, and their attributes.
const LAUNCHES: [&str; 2] = ["launch_template", "launch_template_specification"];
const TEMPLATE_NAMES: [&str; 4] = ["id", "launch_template_id", "name", "launch_template_name"];

/// Kinds that others may name by the names that they have in the cloud.
const NAMED: &[&str] = &["aws_launch_template", "aws_launch_configuration"];

/// Kinds that attach an interface to an instance.
const INTERFACE_TO_INSTANCE: &[&str] = &[
    "aws_network_interface_attachment",
    "openstack_compute_interface_attach_v2",
];

/// How deep a body is looked into.
const MAX_DEPTH: usize = 8;

/// Whether resources of a kind may be behind groups: all but those that are groups or rules themselves.
pub(super) fn may_be_in_groups(kind: &str) -> bool {
    let is_group = ["security_group", "secgroup_rule", "network_acl"]
        .iter()
        .any(|word| kind.contains(word) && !is_attachment(kind));
    (kind.starts_with("aws_") || kind.starts_with("openstack_")) && !is_group
}

/// Whether a resource puts something that others declare behind groups.
fn is_attachment(kind: &str) -> bool {
    kind.ends_with("attachment") || kind.ends_with("associate_v2")
}

/// The attributes of a kind that are looked at, at any depth.
pub(super) fn wants(kind: &str, attribute: &str) -> bool {
    GROUPS.contains(&attribute)
        || SUBNETS.contains(&attribute)
        || INTERFACES.contains(&attribute)
        || attribute == "launch_configuration"
        || attribute.ends_with(SUBNET_GROUP)
        || match attribute {
            "id" | "launch_template_id" | "launch_template_name" => LAUNCHED.contains(&kind),
            "name" => LAUNCHED.contains(&kind) || NAMED.contains(&kind) || kind.ends_with("_subnet_group"),
            "instance" => kind == "aws_network_interface",
            "instance_id" => INTERFACE_TO_INSTANCE.contains(&kind),
            "port" => kind == "openstack_compute_instance_v2",
            _ => false,
        }
}

/// Any resource that may be behind groups.
pub(super) fn member(drafts: &mut Drafts<'_>, declared: &Declared) {
    let mut attached = Attached::new(&declared.address, &declared.kind, declared.span);
    if INTERFACE_TO_INSTANCE.contains(&&*declared.kind) {
        let named = |name: &str| declared.values.get(name).cloned();
        let interface = INTERFACES.iter().find_map(|name| named(name));
        if let (Some(interface), Some(instance)) = (interface, named("instance_id")) {
            belongs(drafts, &interface, &instance);
        }
        return;
    }
    let mut look = Look {
        drafts,
        declared,
        attached: &mut attached,
    };
    for (name, value) in &declared.values.values {
        look.at("", name, value, declared.doubt.is_none(), 0);
    }
    if is_attachment(&declared.kind) {
        if attached.groups.is_empty() && attached.others.is_none() {
            return;
        }
        let of = INTERFACES.iter().find_map(|name| declared.values.get(name));
        match of.map(|value| &value.kind) {
            Some(Kind::Reference(reference)) => {
                attached.address = reference.instance.address.clone();
                attached.kind = "".into();
                attached.names_groups = false;
            }
            Some(_) => {
                let why = format!(
                    "`{}` puts a group before something that is not known",
                    declared.address
                );
                drafts.anywhere.get_or_insert_with(|| why.into());
                return;
            }
            None => return,
        }
    }
    drafts.attached.push(attached);
}

/// Says that an instance has an interface.
fn belongs(drafts: &mut Drafts<'_>, interface: &Value, instance: &Value) {
    let whose = drafts.whose(interface);
    let Kind::Reference(reference) = &instance.kind else {
        return;
    };
    let mut attached = Attached::new(&reference.instance.address, "", instance.origin.span);
    attached.takes.push(Link {
        takes: Takes::Interface,
        whose,
        span: interface.origin.span,
    });
    drafts.attached.push(attached);
}

struct Look<'l, 'u> {
    drafts: &'l mut Drafts<'u>,
    declared: &'l Declared,
    attached: &'l mut Attached,
}

impl Look<'_, '_> {
    /// Looks at an attribute, or a block, of `block`.
    fn at(&mut self, block: &str, name: &str, value: &Value, is_sure: bool, depth: usize) {
        if GROUPS.contains(&name) {
            return self.groups(value, is_sure);
        }
        if SUBNETS.contains(&name) {
            for element in self.drafts.elements(Some(value)) {
                let place = self.drafts.place(&element.value);
                self.attached.places.push(place);
            }
            return;
        }
        let kind = &*self.declared.kind;
        let is_interface = INTERFACES.contains(&name) && block.ends_with("interface")
            || (block, name) == ("network", "port");
        if is_interface {
            return self.link(Takes::Interface, value);
        }
        if LAUNCHES.contains(&block) && TEMPLATE_NAMES.contains(&name) || name == "launch_configuration" {
            return self.link(Takes::Template, value);
        }
        if name.ends_with(SUBNET_GROUP) && !value.is_null() {
            return self.link(Takes::Subnets, value);
        }
        if (kind, block, name) == ("aws_network_interface", "attachment", "instance") {
            let reference = |address: &Arc<str>| Whose::Address(address.clone());
            let mut attached = match &value.kind {
                Kind::Reference(of) => Attached::new(&of.instance.address, "", value.origin.span),
                _ => return,
            };
            attached.takes.push(Link {
                takes: Takes::Interface,
                whose: reference(&self.declared.address),
                span: value.origin.span,
            });
            self.drafts.attached.push(attached);
            return;
        }
        if (block, name) == ("", "name") {
            self.attached.name = scalar_text(value).ok();
            return;
        }
        match &value.kind {
            Kind::List(list) if depth < MAX_DEPTH => {
                for item in &list.items {
                    self.at(
                        block,
                        name,
                        &item.value,
                        is_sure && item.doubt.is_none(),
                        depth + 1,
                    );
                }
            }
            Kind::Map(map) if depth < MAX_DEPTH => {
                for (inner, item) in &map.entries {
                    self.at(
                        name,
                        inner,
                        &item.value,
                        is_sure && item.doubt.is_none(),
                        depth + 1,
                    );
                }
            }
            _ => {}
        }
    }

    fn link(&mut self, takes: Takes, value: &Value) {
        for element in self.drafts.elements(Some(value)) {
            let whose = self.drafts.whose(&element.value);
            let span = element.value.origin.span;
            self.attached.takes.push(Link { takes, whose, span });
        }
    }

    fn groups(&mut self, value: &Value, is_sure: bool) {
        for element in self.drafts.elements(Some(value)) {
            self.attached.names_groups = true;
            let why = match self.drafts.named(&element.value) {
                Ok(group) if is_sure && element.guards.is_empty() => {
                    self.attached.groups.insert(group.key, element.value.origin.span);
                    continue;
                }
                Ok(group) => {
                    let guard = element.guards.first().map(|guard| guard.doubt.why.clone());
                    guard.unwrap_or_else(|| format!("it may be in `{}`", group.name).into())
                }
                Err(doubt) => doubt.why,
            };
            let unknown = Unknown { property: None, why };
            self.attached.others.get_or_insert(unknown);
        }
    }
}

impl Drafts<'_> {
    /// The subnet that a value names.
    pub(super) fn place(&mut self, value: &Value) -> Place {
        let span = value.origin.span;
        match &value.kind {
            Kind::Reference(reference) => {
                let address = reference.instance.address.to_string();
                if reference.instance.is_data {
                    Place::LookedUp(address, self.doubt_about(value).why, span)
                } else {
                    Place::Subnet(address, span)
                }
            }
            _ => match scalar_text(value) {
                Ok(text) => Place::Subnet(text.to_string(), span),
                Err(_) => Place::Unknown(self.doubt_about(value).why, span),
            },
        }
    }

    /// What a value names that others declare.
    fn whose(&mut self, value: &Value) -> Whose {
        match &value.kind {
            Kind::Reference(reference) => Whose::Address(reference.instance.address.clone()),
            _ => match scalar_text(value) {
                Ok(text) => Whose::Name(text),
                Err(_) => Whose::Unknown(self.doubt_about(value).why),
            },
        }
    }
}
