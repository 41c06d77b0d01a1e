//! Network ACLs of AWS: entries in the order of their numbers, and the subnets behind them.
//!
//! Terraform's AWS provider, `aws_network_acl`, `aws_network_acl_rule`, `aws_default_network_acl`.

use std::sync::Arc;

use super::draft::Drafts;
use super::{Declared, Object};
use crate::cloud::ec2::AclEntry;
use crate::cloud::{self, Direction, Guard, Peer};
use crate::dialect::terraform::value::{Kind, Value, scalar_text};
use crate::model::Layer;
use crate::packet::Family;
use crate::source::Span;

/// What the attributes of an entry are called in a resource: action, number, then those of all.
type Names = [&'static str; 2];

const INLINE: Names = ["action", "rule_no"];
const SEPARATE: Names = ["rule_action", "rule_number"];

/// `aws_network_acl`, `aws_default_network_acl`.
pub(super) fn acl(drafts: &mut Drafts<'_>, declared: &Declared) {
    let key = drafts.key(&declared.address);
    let guards = drafts.guard(declared.doubt.as_ref());
    drafts.made(&key, &declared.address, Layer::NetworkAcl, declared.span);
    drafts.subnets.acl(&key, declared.span);
    if let Some(vpc) = super::aws::default_of_vpc(drafts, declared, &key, "default_network_acl_id") {
        drafts.subnets.default_of(vpc.to_string(), &key, declared.span);
    }
    for (direction, name) in [(Direction::Ingress, "ingress"), (Direction::Egress, "egress")] {
        let Some(value) = declared.values.get(name) else {
            continue;
        };
        let span = value.origin.span;
        let draft = drafts.draft(&key, &declared.address, Layer::NetworkAcl, declared.span);
        draft.set_empty(direction, span);
        for element in drafts.elements(Some(value)) {
            let guards: Vec<Guard> = guards.iter().cloned().chain(element.guards).collect();
            let span = element.value.origin.span;
            match Object::of(&element.value) {
                Some(object) => entry(drafts, (&key, direction), &object, INLINE, span, &guards),
                None => unknown_entry(drafts, (&key, direction), &element.value, guards),
            }
        }
    }
    for element in drafts.elements(declared.values.get("subnet_ids")) {
        let all: Vec<Guard> = guards.iter().cloned().chain(element.guards).collect();
        behind(drafts, &key, &element.value, &all);
    }
}

/// `aws_subnet`.
pub(super) fn subnet(drafts: &mut Drafts<'_>, declared: &Declared) {
    let vpc = match declared.values.get("vpc_id") {
        Some(Value {
            kind: Kind::Reference(reference),
            ..
        }) => reference.instance.address.to_string(),
        Some(value) => match scalar_text(value) {
            Ok(text) => text.to_string(),
            Err(_) => return,
        },
        None => return,
    };
    drafts.subnets.place(declared.address.to_string(), vpc);
}

/// `aws_network_acl_rule`.
pub(super) fn rule(drafts: &mut Drafts<'_>, declared: &Declared) {
    let presence = drafts.guard(declared.doubt.as_ref());
    let acls = drafts.elements(declared.values.get("network_acl_id"));
    if acls.is_empty() {
        drafts.in_nothing(declared, "network ACL", "network_acl_id");
    }
    for element in acls {
        let key = drafts.target(&element.value, Layer::NetworkAcl);
        let guards: Vec<Guard> = presence.iter().cloned().chain(element.guards).collect();
        let egress = declared.values.get("egress");
        match egress.map(scalar_text) {
            None => {
                let place = (&key, Direction::Ingress);
                entry(drafts, place, &declared.values, SEPARATE, declared.whole, &guards);
            }
            Some(Ok(text)) => {
                let direction = if &*text == "true" {
                    Direction::Egress
                } else {
                    Direction::Ingress
                };
                let place = (&key, direction);
                entry(drafts, place, &declared.values, SEPARATE, declared.whole, &guards);
            }
            Some(Err(_)) => {
                let doubt = egress.map(|egress| drafts.doubt_about(egress));
                for (direction, holds) in [(Direction::Egress, true), (Direction::Ingress, false)] {
                    let guard = doubt.clone().map(|doubt| Guard { doubt, holds });
                    let guards: Vec<Guard> = guards.iter().cloned().chain(guard).collect();
                    let place = (&key, direction);
                    entry(drafts, place, &declared.values, SEPARATE, declared.whole, &guards);
                }
            }
        }
    }
}

/// `aws_network_acl_association`.
pub(super) fn association(drafts: &mut Drafts<'_>, declared: &Declared) {
    let presence = drafts.guard(declared.doubt.as_ref());
    for element in drafts.elements(declared.values.get("network_acl_id")) {
        let key = drafts.target(&element.value, Layer::NetworkAcl);
        for subnet in drafts.elements(declared.values.get("subnet_id")) {
            let guards = presence.iter().chain(&element.guards).cloned();
            let guards: Vec<Guard> = guards.chain(subnet.guards).collect();
            behind(drafts, &key, &subnet.value, &guards);
        }
    }
}

/// Puts a subnet behind a network ACL.
fn behind(drafts: &mut Drafts<'_>, key: &Arc<str>, subnet: &Value, guards: &[Guard]) {
    let place = drafts.place(subnet);
    let doubt = guards.first().map(|guard| guard.doubt.why.clone());
    drafts.subnets.associate(key, place, doubt);
}

fn entry(
    drafts: &mut Drafts<'_>,
    place: (&Arc<str>, Direction),
    object: &Object,
    names: Names,
    span: Span,
    guards: &[Guard],
) {
    drafts.n_rules += 1;
    let [action, number] = names;
    let scalars = [
        number,
        "protocol",
        action,
        "from_port",
        "to_port",
        "icmp_type",
        "icmp_code",
    ];
    let values = scalars.map(|name| object.get(name).cloned());
    let mut networks: Vec<(&Value, Family)> = Vec::new();
    for (name, family) in [("cidr_block", Family::V4), ("ipv6_cidr_block", Family::V6)] {
        networks.extend(object.get(name).map(|value| (value, family)));
    }
    let asked: Vec<Option<&Value>> = values
        .iter()
        .map(Option::as_ref)
        .chain(networks.iter().map(|(value, _)| Some(*value)))
        .collect();
    for way in drafts.ways(&asked) {
        let mut scalar = |at: usize| drafts.scalar(way.values.get(at).and_then(Option::as_ref));
        let (number, protocol, action) = (scalar(0), scalar(1), scalar(2));
        let ports = (scalar(3), scalar(4));
        let icmp = (scalar(5), scalar(6));
        let mut peers = Vec::new();
        for (at, (_, family)) in networks.iter().enumerate() {
            if let Some(cidr) = scalar(scalars.len() + at).filter(|cidr| !is_blank(cidr)) {
                peers.push(Peer::Network {
                    cidr,
                    family: Some(*family),
                });
            }
        }
        let entry = AclEntry {
            span,
            number,
            protocol,
            action,
            peers,
            ports,
            icmp,
            guards: guards.iter().cloned().chain(way.guards).collect(),
        };
        push(drafts, place, entry);
    }
}

fn is_blank(value: &cloud::Value<String>) -> bool {
    value.known().is_some_and(|text| text.trim().is_empty())
}

/// An entry of which nothing is known.
fn unknown_entry(drafts: &mut Drafts<'_>, place: (&Arc<str>, Direction), value: &Value, guards: Vec<Guard>) {
    drafts.n_rules += 1;
    let doubt = drafts.doubt_about(value);
    let entry = AclEntry {
        guards,
        ..AclEntry::open(&doubt)
    };
    push(drafts, place, entry);
}

fn push(drafts: &mut Drafts<'_>, (key, direction): (&Arc<str>, Direction), entry: AclEntry) {
    let span = entry.span;
    let draft = drafts.draft(key, key, Layer::NetworkAcl, span);
    if let Some(entries) = draft.entries(direction) {
        entries.push(entry);
    }
}
