//! Security groups of `OpenStack`: of the network service, and of the compute service before it.
//!
//! Terraform's `OpenStack` provider, `openstack_networking_secgroup_v2`: a new group lets everything out, in both families, unless
//! `delete_default_rules` is set; `openstack_networking_secgroup_rule_v2`: without a remote end it is about everybody, and ports of
//! 0 are none. INVARIANT: a rule is one permission.

use std::sync::Arc;

use super::draft::Drafts;
use super::{Declared, Object};
use crate::cloud::{self, Direction, Guard, Peer, Permission, everything, neutron, nova};
use crate::dialect::terraform::value::{Value, scalar_text};
use crate::model::Layer;

/// `openstack_networking_secgroup_v2`.
pub(super) fn group(drafts: &mut Drafts<'_>, declared: &Declared) {
    let key = start(drafts, declared);
    let delete = declared.values.get("delete_default_rules");
    match delete.map(|delete| (delete, scalar_text(delete))) {
        Some((_, Ok(text))) if &*text == "true" => {}
        Some((value, Err(_))) => {
            let doubt = drafts.doubt_about(value);
            drafts.lowering.depends(&doubt);
            let guard = Guard { doubt, holds: false };
            let mut rule = everything(declared.span);
            rule.matches.push(guard.to_match());
            drafts.add(&key, Direction::Egress, vec![rule]);
        }
        _ => drafts.add(&key, Direction::Egress, vec![everything(declared.span)]),
    }
}

fn start(drafts: &mut Drafts<'_>, declared: &Declared) -> Arc<str> {
    let key = drafts.key(&declared.address);
    let guards = drafts.guard(declared.doubt.as_ref());
    let draft = drafts.made(&key, &declared.address, Layer::SecurityGroup, declared.span);
    draft.guards = guards;
    if let Some(Ok(name)) = declared.values.get("name").map(scalar_text) {
        drafts.names.entry(name).or_insert_with(|| key.clone());
    }
    key
}

/// `openstack_compute_secgroup_v2`.
pub(super) fn compute_group(drafts: &mut Drafts<'_>, declared: &Declared) {
    let key = start(drafts, declared);
    drafts.add(&key, Direction::Egress, vec![everything(declared.span)]);
    let guards = drafts.guards_of(&key);
    for element in drafts.elements(declared.values.get("rule")) {
        drafts.n_rules += 1;
        let guards: Vec<Guard> = guards.iter().cloned().chain(element.guards).collect();
        let Some(object) = Object::of(&element.value) else {
            let doubt = drafts.doubt_about(&element.value);
            let permission = Permission {
                guards,
                ..Permission::open(&doubt)
            };
            let rules = nova::rules(&mut drafts.lowering, &permission);
            drafts.add(&key, Direction::Ingress, rules);
            continue;
        };
        let asked =
            ["ip_protocol", "from_port", "to_port", "cidr", "from_group_id"].map(|name| object.get(name));
        for way in drafts.ways(&asked) {
            let value = |at: usize| way.values.get(at).and_then(Option::as_ref);
            let [protocol, from_port, to_port, cidr] = [0, 1, 2, 3].map(|at| drafts.scalar(value(at)));
            let mut peers: Vec<Peer> = cidr
                .into_iter()
                .map(|cidr| Peer::Network { cidr, family: None })
                .collect();
            peers.extend(value(4).and_then(|group| remote_group(drafts, group)));
            let is_itself = object.get("self").map(scalar_text);
            if matches!(is_itself.as_ref().map(|text| text.as_deref()), Some(Ok("true"))) {
                peers.push(own(&key, element.value.origin.span));
            }
            if peers.is_empty() {
                peers.push(Peer::Everyone {
                    span: element.value.origin.span,
                    family: None,
                });
            }
            let permission = Permission {
                span: element.value.origin.span,
                protocol,
                from_port,
                to_port,
                peers,
                guards: guards.iter().cloned().chain(way.guards).collect(),
            };
            let rules = nova::rules(&mut drafts.lowering, &permission);
            drafts.add(&key, Direction::Ingress, rules);
        }
    }
}

fn own(key: &Arc<str>, span: crate::source::Span) -> Peer {
    let name = key.split_once(':').map_or(&**key, |(_, address)| address);
    let group = cloud::GroupName {
        key: key.clone(),
        name: name.into(),
    };
    Peer::Group { group, span }
}

fn remote_group(drafts: &mut Drafts<'_>, value: &Value) -> Option<Peer> {
    if matches!(scalar_text(value).as_deref(), Ok("")) || value.is_null() {
        return None;
    }
    Some(match drafts.named(value) {
        Ok(group) => Peer::Group {
            group,
            span: value.origin.span,
        },
        Err(doubt) => Peer::Unknown(doubt),
    })
}

/// What is left out: null, empty, and of ports 0.
fn is_absent(value: &Value, is_port: bool) -> bool {
    match scalar_text(value).as_deref() {
        Ok("") => true,
        Ok("0") => is_port,
        Ok(_) => false,
        Err(_) => value.is_null(),
    }
}

/// `openstack_networking_secgroup_rule_v2`.
pub(super) fn rule(drafts: &mut Drafts<'_>, declared: &Declared) {
    drafts.n_rules += 1;
    let values = &declared.values;
    for (key, guards) in super::aws::targets(drafts, declared, "security_group_id") {
        let names = [
            "direction",
            "ethertype",
            "protocol",
            "port_range_min",
            "port_range_max",
            "remote_ip_prefix",
            "remote_group_id",
            "remote_address_group_id",
        ];
        for way in drafts.ways(&names.map(|name| values.get(name))) {
            let value = |at: usize, is_port: bool| {
                let value = way.values.get(at).and_then(Option::as_ref);
                value.filter(|value| !is_absent(value, is_port))
            };
            let [direction, ethertype, protocol] = [0, 1, 2].map(|at| drafts.scalar(value(at, false)));
            let [from_port, to_port] = [3, 4].map(|at| drafts.scalar(value(at, true)));
            let cidr = drafts.scalar(value(5, false));
            let mut peers: Vec<Peer> = cidr
                .into_iter()
                .map(|cidr| Peer::Network { cidr, family: None })
                .collect();
            peers.extend(value(6, false).and_then(|group| remote_group(drafts, group)));
            peers.extend(value(7, false).map(|group| Peer::Unknown(drafts.doubt_about(group))));
            if peers.is_empty() {
                peers.push(Peer::Everyone {
                    span: declared.span,
                    family: None,
                });
            }
            let permission = Permission {
                span: declared.whole,
                protocol,
                from_port,
                to_port,
                peers,
                guards: guards.iter().cloned().chain(way.guards.clone()).collect(),
            };
            for (direction, more) in super::aws::directions(direction) {
                let mut permission = permission.clone();
                permission.guards.extend(more);
                let rules = neutron::rules(&mut drafts.lowering, direction, ethertype.as_ref(), &permission);
                drafts.add(&key, direction, rules);
            }
        }
    }
}
