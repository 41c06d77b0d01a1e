//! What is recorded of EC2: security groups, network ACLs, and who is behind them.
//!
//! INVARIANT: a group is called by its id, which is the same in every recording of a cloud.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::columns::{place, text};
use super::record::Record;
use crate::cloud::ec2::{self, AclEntry};
use crate::cloud::{Direction, Doubt, GroupName, Lowering, Peer, Permission, Value};
use crate::dialect::Reading;
use crate::model::{Group, Layer, Member, Rule, Side};
use crate::packet::Family;
use crate::source::Span;
use crate::tree::Node;

/// The numbers of the entries that EC2 shows for its own default verdict, which is to deny (`NetworkAclEntry`).
const DEFAULT_ENTRIES: &[&str] = &["32767", "32768"];

/// Reads what a recording has of EC2.
pub(super) fn lower(record: &Record<'_>, lowering: &mut Lowering, reading: &mut Reading) {
    let mut ec2 = Ec2 {
        record,
        lowering,
        n_rules: 0,
    };
    reading.groups.extend(ec2.groups());
    let acls = record.acls.iter().filter_map(|acl| ec2.acl(*acl));
    let acls: Vec<Group> = acls.collect();
    reading.groups.extend(acls);
    reading.n_rules += ec2.n_rules;
    reading.members.extend(members(record));
}

struct Ec2<'a, 't> {
    record: &'a Record<'t>,
    lowering: &'a mut Lowering,
    n_rules: usize,
}

/// A group while its rules are collected.
struct Draft {
    name: String,
    span: Span,
    ingress: Vec<Rule>,
    egress: Vec<Rule>,
}

impl<'t> Ec2<'_, 't> {
    fn groups(&mut self) -> Vec<Group> {
        let mut drafts: BTreeMap<Arc<str>, Draft> = BTreeMap::new();
        let mut order: Vec<Arc<str>> = Vec::new();
        for group in &self.record.groups {
            let Some(Value::Known(id)) = text(group.get("GroupId").or_else(|| group.get("GroupName"))) else {
                continue;
            };
            let key: Arc<str> = id.value.as_str().into();
            if drafts.contains_key(&key) {
                continue;
            }
            let name = group
                .get("GroupName")
                .and_then(|name| name.text())
                .filter(|name| *name != id.value);
            let name = name.map_or_else(|| id.value.clone(), |name| format!("{} ({name})", id.value));
            let ingress = self.permissions(group.get("IpPermissions"), Direction::Ingress);
            let egress = self.permissions(group.get("IpPermissionsEgress"), Direction::Egress);
            order.push(key.clone());
            drafts.insert(
                key,
                Draft {
                    name,
                    span: id.span,
                    ingress,
                    egress,
                },
            );
        }
        self.rules(&mut drafts, &mut order);
        let group = |key: Arc<str>| {
            let draft = drafts.remove(&key)?;
            let side = |rules| {
                Some(Side {
                    rules,
                    default_span: draft.span,
                })
            };
            Some(Group {
                key,
                name: draft.name,
                layer: Layer::SecurityGroup,
                span: draft.span,
                ingress: side(draft.ingress),
                egress: side(draft.egress),
            })
        };
        order.into_iter().filter_map(group).collect()
    }

    /// `IpPermission`: one service, and lists of those who may use it.
    fn permissions(&mut self, list: Option<Node<'t>>, direction: Direction) -> Vec<Rule> {
        let mut rules = Vec::new();
        for permission in list.into_iter().flat_map(|list| list.items()) {
            let of = |list: &str| permission.get(list).into_iter().flat_map(|list| list.items());
            let mut peers = Vec::new();
            for (list, key, family) in [
                ("IpRanges", "CidrIp", Family::V4),
                ("Ipv6Ranges", "CidrIpv6", Family::V6),
            ] {
                peers.extend(of(list).filter_map(|range| network(range.get(key), family)));
            }
            peers.extend(of("UserIdGroupPairs").filter_map(|pair| {
                // A rule for a group behind a peering that is gone lets nobody in.
                let is_gone = pair.get("PeeringStatus").and_then(|status| status.text()) == Some("deleted");
                group_peer(pair.get("GroupId").filter(|_| !is_gone))
            }));
            peers.extend(of("PrefixListIds").filter_map(|list| self.prefix_list(list.get("PrefixListId"))));
            rules.extend(self.permission(permission, peers, direction));
        }
        rules
    }

    fn permission(&mut self, node: Node<'t>, peers: Vec<Peer>, direction: Direction) -> Vec<Rule> {
        self.n_rules += 1;
        let permission = Permission {
            span: node.span(),
            protocol: text(node.get("IpProtocol")),
            from_port: text(node.get("FromPort")),
            to_port: text(node.get("ToPort")),
            peers,
            guards: Vec::new(),
        };
        ec2::security_group_rules(self.lowering, direction, &permission)
    }

    /// `SecurityGroupRule`: one rule, which names its group.
    fn rules(&mut self, drafts: &mut BTreeMap<Arc<str>, Draft>, order: &mut Vec<Arc<str>>) {
        let recorded: Vec<Arc<str>> = order.clone();
        for rule in &self.record.rules {
            let Some(Value::Known(id)) = text(rule.get("GroupId")) else {
                continue;
            };
            let key: Arc<str> = id.value.as_str().into();
            // What was recorded of the group itself has all its rules.
            if recorded.contains(&key) {
                continue;
            }
            let is_egress = rule.get("IsEgress").and_then(|egress| egress.as_bool()) == Some(true);
            let direction = if is_egress {
                Direction::Egress
            } else {
                Direction::Ingress
            };
            let referenced = rule
                .get("ReferencedGroupInfo")
                .and_then(|group| group.get("GroupId"));
            let peers = [
                network(rule.get("CidrIpv4"), Family::V4),
                network(rule.get("CidrIpv6"), Family::V6),
                group_peer(referenced),
                self.prefix_list(rule.get("PrefixListId")),
            ];
            let rules = self.permission(*rule, peers.into_iter().flatten().collect(), direction);
            let draft = drafts.entry(key.clone()).or_insert_with(|| {
                order.push(key);
                Draft {
                    name: id.value.clone(),
                    span: id.span,
                    ingress: Vec::new(),
                    egress: Vec::new(),
                }
            });
            match direction {
                Direction::Ingress => draft.ingress.extend(rules),
                Direction::Egress => draft.egress.extend(rules),
            }
        }
    }

    /// A prefix list by its id: what it holds is known if its entries were recorded too.
    fn prefix_list(&self, id: Option<Node<'t>>) -> Option<Peer> {
        let Some(Value::Known(id)) = text(id) else {
            return None;
        };
        let entry = |entry: &Node<'t>| text(entry.get("Cidr").or(Some(*entry)));
        let recorded = self.record.lists.get(&id.value);
        let entries = recorded.map_or_else(Vec::new, |entries| entries.iter().filter_map(entry).collect());
        let more = recorded.is_none().then(|| Doubt {
            key: id.value.as_str().into(),
            why: format!("what prefix list `{}` holds was not recorded", id.value).into(),
            span: id.span,
        });
        Some(Peer::PrefixList {
            span: id.span,
            entries,
            more,
        })
    }

    fn acl(&mut self, acl: Node<'t>) -> Option<Group> {
        let Some(Value::Known(id)) = text(acl.get("NetworkAclId")) else {
            return None;
        };
        let mut sides = [(Direction::Ingress, Vec::new()), (Direction::Egress, Vec::new())];
        for entry in acl.get("Entries")?.items() {
            let is_egress = entry.get("Egress").and_then(|egress| egress.as_bool()) == Some(true);
            let number = text(entry.get("RuleNumber"));
            let is_default = number
                .as_ref()
                .and_then(Value::known)
                .is_some_and(|number| DEFAULT_ENTRIES.contains(&number.as_str()));
            if !is_default {
                self.n_rules += 1;
                let [ingress, egress] = &mut sides;
                let side = if is_egress { egress } else { ingress };
                side.1.push(acl_entry(entry, number));
            }
        }
        let [ingress, egress] = sides.map(|(direction, entries)| {
            Some(Side {
                rules: ec2::network_acl_rules(self.lowering, direction, &entries),
                default_span: id.span,
            })
        });
        Some(Group {
            key: id.value.as_str().into(),
            name: id.value,
            layer: Layer::NetworkAcl,
            span: id.span,
            ingress,
            egress,
        })
    }
}

fn network(cidr: Option<Node<'_>>, family: Family) -> Option<Peer> {
    let cidr = text(cidr)?;
    Some(Peer::Network {
        cidr,
        family: Some(family),
    })
}

fn group_peer(id: Option<Node<'_>>) -> Option<Peer> {
    let id = text(id)?;
    let span = id.span();
    let id: Arc<str> = id.known()?.as_str().into();
    Some(Peer::Group {
        group: GroupName {
            key: id.clone(),
            name: id,
        },
        span,
    })
}

fn acl_entry(entry: Node<'_>, number: Option<Value<String>>) -> AclEntry {
    let within = |outer: &str, inner: &str| text(entry.get(outer).and_then(|node| node.get(inner)));
    let peers = [
        network(entry.get("CidrBlock"), Family::V4),
        network(entry.get("Ipv6CidrBlock"), Family::V6),
    ];
    AclEntry {
        span: entry.span(),
        number,
        protocol: text(entry.get("Protocol")),
        action: text(entry.get("RuleAction")),
        peers: peers.into_iter().flatten().collect(),
        ports: (within("PortRange", "From"), within("PortRange", "To")),
        icmp: (within("IcmpTypeCode", "Type"), within("IcmpTypeCode", "Code")),
        guards: Vec::new(),
    }
}

/// Instances, interfaces that belong to none of them, and subnets that ACLs are in front of.
fn members(record: &Record<'_>) -> Vec<Member> {
    let of_subnets = acls_of_subnets(record);
    let acls = |node: &Node<'_>| {
        let subnet = node.get("SubnetId").and_then(|subnet| subnet.text());
        subnet.and_then(|subnet| of_subnets.get(subnet).cloned())
    };
    let mut members = Vec::new();
    let mut instances = Vec::new();
    for instance in &record.instances {
        instances.extend(instance.get("InstanceId").and_then(|id| id.text()));
        let interfaces = instance.get("NetworkInterfaces");
        let interfaces = interfaces.into_iter().flat_map(|list| list.items());
        let mut groups = groups_in(instance.get("SecurityGroups"));
        groups.extend(interfaces.flat_map(|interface| groups_in(interface.get("Groups"))));
        groups.extend(acls(instance));
        members.extend(member(instance, "InstanceId", groups));
    }
    for interface in &record.interfaces {
        let attached = interface.get("Attachment").and_then(|to| to.get("InstanceId"));
        let is_recorded = attached
            .and_then(|id| id.text())
            .is_some_and(|id| instances.contains(&id));
        if !is_recorded {
            let mut groups = groups_in(interface.get("Groups"));
            groups.extend(acls(interface));
            members.extend(member(interface, "NetworkInterfaceId", groups));
        }
    }
    for (subnet, (acl, span)) in &of_subnets {
        members.push(Member {
            name: (*subnet).to_owned(),
            span: *span,
            groups: vec![(acl.clone(), *span)],
            others: None,
        });
    }
    members
}

fn groups_in(list: Option<Node<'_>>) -> Vec<(Arc<str>, Span)> {
    let items = list.into_iter().flat_map(|list| list.items());
    let ids = items.filter_map(|group| group.get("GroupId"));
    ids.filter_map(|id| Some((id.text()?.into(), place(&id))))
        .collect()
}

/// A member, called by its id and the name that its tags give it.
fn member(node: &Node<'_>, id: &str, mut groups: Vec<(Arc<str>, Span)>) -> Option<Member> {
    let id = node.get(id)?;
    groups.sort();
    groups.dedup_by(|one, other| one.0 == other.0);
    let tags = ["Tags", "TagSet"].into_iter().find_map(|tags| node.get(tags));
    let name = tags.into_iter().flat_map(|tags| tags.items()).find_map(|tag| {
        let is_name = tag.get("Key")?.text()? == "Name";
        tag.get("Value")?
            .text()
            .filter(|name| is_name && !name.is_empty())
    });
    let name = match name {
        Some(name) => format!("{} ({name})", id.text()?),
        None => id.text()?.to_owned(),
    };
    Some(Member {
        name,
        span: place(&id),
        groups,
        others: None,
    })
}

fn acls_of_subnets<'t>(record: &Record<'t>) -> BTreeMap<&'t str, (Arc<str>, Span)> {
    let mut found = BTreeMap::new();
    for acl in &record.acls {
        let id = acl.get("NetworkAclId").and_then(|id| id.text()).unwrap_or("");
        let associations = acl.get("Associations");
        for association in associations.into_iter().flat_map(|list| list.items()) {
            if let Some(subnet) = association.get("SubnetId")
                && let Some(name) = subnet.text()
            {
                found.insert(name, (id.into(), place(&subnet)));
            }
        }
    }
    found
}
