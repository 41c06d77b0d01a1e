//! Security groups of AWS, and rules that are resources of their own.
//!
//! Terraform's AWS provider, `aws_security_group`: it takes away the rule that lets everything out which AWS gives to a new group,
//! so a group without `egress` lets nothing out; `aws_default_security_group`: it takes away all rules that are not in it.
//! INVARIANT: rules of other resources add to a group; none replaces what the group says itself.

use std::sync::Arc;

use super::draft::Drafts;
use super::property::Element;
use super::{Declared, Object};
use crate::cloud::{self, Direction, Guard, Peer, Permission, ec2};
use crate::dialect::terraform::value::{Kind, Value, scalar_text};
use crate::model::Layer;
use crate::packet::Family;
use crate::source::Span;

/// `aws_security_group`, `aws_default_security_group`.
pub(super) fn group(drafts: &mut Drafts<'_>, declared: &Declared) {
    let key = drafts.key(&declared.address);
    let guards = drafts.guard(declared.doubt.as_ref());
    let draft = drafts.made(&key, &declared.address, Layer::SecurityGroup, declared.span);
    draft.guards.clone_from(&guards);
    default_of_vpc(drafts, declared, &key, "default_security_group_id");
    for attribute in ["id", "name"] {
        if let Some(Ok(name)) = declared.values.get(attribute).map(scalar_text) {
            drafts.names.entry(name).or_insert_with(|| key.clone());
        }
    }
    for (direction, name) in [(Direction::Ingress, "ingress"), (Direction::Egress, "egress")] {
        let Some(value) = declared.values.get(name) else {
            continue;
        };
        let span = value.origin.span;
        let draft = drafts.draft(&key, &declared.address, Layer::SecurityGroup, declared.span);
        draft.set_empty(direction, span);
        for element in drafts.elements(Some(value)) {
            let guards: Vec<Guard> = guards.iter().cloned().chain(element.guards.clone()).collect();
            inline(drafts, &key, direction, &element, guards);
        }
    }
}

/// Says that `aws_vpc.x.default_security_group_id` and its like mean this, where it is the default one of a VPC; which VPC that is.
pub(super) fn default_of_vpc(
    drafts: &mut Drafts<'_>,
    declared: &Declared,
    key: &Arc<str>,
    attribute: &str,
) -> Option<Arc<str>> {
    let named = ["vpc_id", "default_network_acl_id"];
    let named = named.iter().find_map(|name| declared.values.get(name))?;
    let Kind::Reference(reference) = &named.kind else {
        return None;
    };
    let vpc = reference.instance.address.clone();
    if !declared.kind.starts_with("aws_default_") {
        return None;
    }
    let what: Arc<str> = format!("{vpc}.{attribute}").into();
    drafts.defaults.insert(what, key.clone());
    Some(vpc)
}

/// One `ingress` or `egress` of a group.
fn inline(
    drafts: &mut Drafts<'_>,
    key: &Arc<str>,
    direction: Direction,
    element: &Element,
    guards: Vec<Guard>,
) {
    let span = element.value.origin.span;
    drafts.n_rules += 1;
    let Some(object) = Object::of(&element.value) else {
        let doubt = drafts.doubt_about(&element.value);
        unknown_rule(drafts, key, direction, &doubt, guards);
        return;
    };
    let peers = inline_peers(drafts, key, &object);
    let written = Written {
        span,
        service: ["protocol", "from_port", "to_port"].map(|name| object.get(name).cloned()),
        peers,
        guards,
    };
    permit(drafts, key, direction, &written);
}

/// A rule of which nothing is known.
fn unknown_rule(
    drafts: &mut Drafts<'_>,
    key: &Arc<str>,
    direction: Direction,
    doubt: &cloud::Doubt,
    guards: Vec<Guard>,
) {
    let permission = Permission {
        guards,
        ..Permission::open(doubt)
    };
    let rules = ec2::security_group_rules(&mut drafts.lowering, direction, &permission);
    drafts.add(key, direction, rules);
}

/// A rule before the ways in which its values may be combined.
struct Written {
    span: Span,
    /// Protocol, first and last port.
    service: [Option<Value>; 3],
    peers: Vec<(Peer, Vec<Guard>)>,
    guards: Vec<Guard>,
}

fn permit(drafts: &mut Drafts<'_>, key: &Arc<str>, direction: Direction, written: &Written) {
    let [protocol, from, to] = &written.service;
    for way in drafts.ways(&[protocol.as_ref(), from.as_ref(), to.as_ref()]) {
        let [protocol, from_port, to_port] =
            [0, 1, 2].map(|at| drafts.scalar(way.values.get(at).and_then(Option::as_ref)));
        let base: Vec<Guard> = written.guards.iter().cloned().chain(way.guards).collect();
        let permission = |peers, more: &[Guard]| Permission {
            span: written.span,
            protocol: protocol.clone(),
            from_port: from_port.clone(),
            to_port: to_port.clone(),
            peers,
            guards: base.iter().chain(more).cloned().collect(),
        };
        let (sure, guarded): (Vec<_>, Vec<_>) = written
            .peers
            .iter()
            .cloned()
            .partition(|(_, guards)| guards.is_empty());
        let sure = permission(sure.into_iter().map(|(peer, _)| peer).collect(), &[]);
        let guarded = guarded
            .into_iter()
            .map(|(peer, guards)| permission(vec![peer], &guards));
        for permission in std::iter::once(sure).chain(guarded) {
            let rules = ec2::security_group_rules(&mut drafts.lowering, direction, &permission);
            drafts.add(key, direction, rules);
        }
    }
}

/// The other ends of an inline rule and of `aws_security_group_rule`.
fn inline_peers(drafts: &mut Drafts<'_>, key: &Arc<str>, object: &Object) -> Vec<(Peer, Vec<Guard>)> {
    let mut peers = Vec::new();
    for (name, family) in [("cidr_blocks", Family::V4), ("ipv6_cidr_blocks", Family::V6)] {
        networks(drafts, object.get(name), family, &mut peers);
    }
    prefix_lists(drafts, object.get("prefix_list_ids"), &mut peers);
    for name in ["security_groups", "source_security_group_id"] {
        groups(drafts, object.get(name), &mut peers);
    }
    itself(drafts, key, object.get("self"), &mut peers);
    peers
}

fn networks(
    drafts: &mut Drafts<'_>,
    value: Option<&Value>,
    family: Family,
    peers: &mut Vec<(Peer, Vec<Guard>)>,
) {
    for element in drafts.elements(value) {
        if let Some(cidr) = drafts.scalar(Some(&element.value)) {
            let peer = Peer::Network {
                cidr,
                family: Some(family),
            };
            peers.push((peer, element.guards));
        }
    }
}

fn prefix_lists(drafts: &mut Drafts<'_>, value: Option<&Value>, peers: &mut Vec<(Peer, Vec<Guard>)>) {
    for element in drafts.elements(value) {
        let peer = super::prefix_list::peer(drafts, &element.value);
        peers.push((peer, element.guards));
    }
}

fn groups(drafts: &mut Drafts<'_>, value: Option<&Value>, peers: &mut Vec<(Peer, Vec<Guard>)>) {
    for element in drafts.elements(value) {
        let peer = match drafts.named(&element.value) {
            Ok(group) => Peer::Group {
                group,
                span: element.value.origin.span,
            },
            Err(doubt) => Peer::Unknown(doubt),
        };
        peers.push((peer, element.guards));
    }
}

/// `self = true`: the members of the group itself.
fn itself(
    drafts: &mut Drafts<'_>,
    key: &Arc<str>,
    value: Option<&Value>,
    peers: &mut Vec<(Peer, Vec<Guard>)>,
) {
    for element in drafts.elements(value) {
        let name: Arc<str> = key.split_once(':').map_or(&**key, |(_, address)| address).into();
        let group = cloud::GroupName {
            key: key.clone(),
            name,
        };
        let peer = Peer::Group {
            group,
            span: element.value.origin.span,
        };
        match scalar_text(&element.value).as_deref() {
            Ok("true" | "1") => peers.push((peer, element.guards)),
            Ok(_) => {}
            Err(_) => {
                let doubt = drafts.doubt_about(&element.value);
                let guard = Guard { doubt, holds: true };
                peers.push((peer, element.guards.into_iter().chain([guard]).collect()));
            }
        }
    }
}

/// The groups that a rule is put into, each with what that depends on. One that names none has one of its own.
pub(super) fn targets(
    drafts: &mut Drafts<'_>,
    declared: &Declared,
    attribute: &str,
) -> Vec<(Arc<str>, Vec<Guard>)> {
    let presence = drafts.guard(declared.doubt.as_ref());
    let Some(value) = declared.values.get(attribute) else {
        let name: Arc<str> = format!("the group of `{}`", declared.address).into();
        let key = drafts.key(&name);
        drafts.made(&key, &name, Layer::SecurityGroup, declared.span);
        drafts.in_nothing(declared, "group", attribute);
        return vec![(key, presence)];
    };
    let mut targets = Vec::new();
    let elements = drafts.elements(Some(value));
    if elements.is_empty() {
        drafts.in_nothing(declared, "group", attribute);
    }
    for element in elements {
        let key = drafts.target(&element.value, Layer::SecurityGroup);
        targets.push((key, presence.iter().cloned().chain(element.guards).collect()));
    }
    targets
}

/// `aws_security_group_rule`.
pub(super) fn rule(drafts: &mut Drafts<'_>, declared: &Declared) {
    drafts.n_rules += 1;
    for (key, guards) in targets(drafts, declared, "security_group_id") {
        let peers = inline_peers(drafts, &key, &declared.values);
        for way in drafts.ways(&[declared.values.get("type")]) {
            let guards: Vec<Guard> = guards.iter().cloned().chain(way.guards).collect();
            let direction = drafts.scalar(way.values.first().and_then(Option::as_ref));
            for (direction, more) in directions(direction) {
                let written = Written {
                    span: declared.whole,
                    service: ["protocol", "from_port", "to_port"]
                        .map(|name| declared.values.get(name).cloned()),
                    peers: peers.clone(),
                    guards: guards.iter().cloned().chain(more).collect(),
                };
                permit(drafts, &key, direction, &written);
            }
        }
    }
}

/// The directions that a word means; of one that is not known, either.
pub(super) fn directions(word: Option<cloud::Value<String>>) -> Vec<(Direction, Option<Guard>)> {
    match word {
        Some(cloud::Value::Known(word)) if word.value == "egress" => vec![(Direction::Egress, None)],
        Some(cloud::Value::Unknown(doubt)) => {
            let guard = |holds| {
                Some(Guard {
                    doubt: doubt.clone(),
                    holds,
                })
            };
            vec![
                (Direction::Ingress, guard(true)),
                (Direction::Egress, guard(false)),
            ]
        }
        _ => vec![(Direction::Ingress, None)],
    }
}

/// `aws_vpc_security_group_ingress_rule`.
pub(super) fn ingress_rule(drafts: &mut Drafts<'_>, declared: &Declared) {
    single(drafts, declared, Direction::Ingress);
}

/// `aws_vpc_security_group_egress_rule`.
pub(super) fn egress_rule(drafts: &mut Drafts<'_>, declared: &Declared) {
    single(drafts, declared, Direction::Egress);
}

/// A rule with one peer.
fn single(drafts: &mut Drafts<'_>, declared: &Declared, direction: Direction) {
    drafts.n_rules += 1;
    let values = &declared.values;
    for (key, guards) in targets(drafts, declared, "security_group_id") {
        let mut peers = Vec::new();
        networks(drafts, values.get("cidr_ipv4"), Family::V4, &mut peers);
        networks(drafts, values.get("cidr_ipv6"), Family::V6, &mut peers);
        prefix_lists(drafts, values.get("prefix_list_id"), &mut peers);
        groups(drafts, values.get("referenced_security_group_id"), &mut peers);
        let written = Written {
            span: declared.whole,
            service: ["ip_protocol", "from_port", "to_port"].map(|name| values.get(name).cloned()),
            peers,
            guards,
        };
        permit(drafts, &key, direction, &written);
    }
}
