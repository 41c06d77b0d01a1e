//! What is recorded of EC2: security groups, network ACLs, and who is behind them.
//!
//! INVARIANT: a group is called by its id, which is the same in every recording of a cloud.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::columns::{place, text};
use super::member::members;
use super::record::Record;
use crate::cloud::ec2::{self, AclEntry};
use crate::cloud::{Direction, Doubt, GroupName, Lowering, Peer, Permission, Value};
use crate::dialect::Reading;
use crate::finding::{Code, Finding, Label};
use crate::model::{Group, Layer, Rule, Side};
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
    for (token, of) in &record.more {
        let label = Label::new(place(token), "more pages follow");
        let message = format!("this recording of `{of}` is not whole");
        let finding = Finding::new(Code::UnknownValue, message, Some(label));
        reading
            .notices
            .push(finding.help("record all pages: what the others have may be open or closed"));
    }
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
        self.more_rules(&mut drafts, &order);
        let group = |key: Arc<str>| {
            let draft = drafts.remove(&key)?;
            let side = |rules| {
                Some(Side {
                    rules,
                    default_span: draft.span,
                })
            };
            Some(Group {
                calls: Arc::default(),
                key,
                name: draft.name,
                layer: Layer::SecurityGroup,
                span: draft.span,
                ingress: side(draft.ingress),
                egress: side(draft.egress),
                rest: None,
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

    /// Rules on pages that were not recorded, in the groups whose rules were recorded one by one.
    fn more_rules(&mut self, drafts: &mut BTreeMap<Arc<str>, Draft>, order: &[Arc<str>]) {
        let Some(doubt) = more(self.record, "SecurityGroupRules", "rules") else {
            return;
        };
        let is_whole = |key: &Arc<str>| {
            let mut groups = self.record.groups.iter();
            groups.any(|group| group.get("GroupId").and_then(|id| id.text()) == Some(&**key))
        };
        let partial: Vec<&Arc<str>> = order.iter().filter(|key| !is_whole(key)).collect();
        for key in partial {
            if let Some(draft) = drafts.get_mut(key) {
                let open = Permission::open(&doubt);
                let [ingress, egress] = [Direction::Ingress, Direction::Egress]
                    .map(|direction| ec2::security_group_rules(self.lowering, direction, &open));
                draft.ingress.extend(ingress);
                draft.egress.extend(egress);
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
        let unrecorded = || Doubt {
            key: id.value.as_str().into(),
            why: format!("what prefix list `{}` holds was not recorded", id.value).into(),
            span: id.span,
        };
        let more = match recorded {
            None => Some(unrecorded()),
            Some(_) => more(self.record, "Entries", "entries")
                .or_else(|| more(self.record, "PrefixLists", "entries")),
        };
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
            calls: Arc::default(),
            key: id.value.as_str().into(),
            name: id.value,
            layer: Layer::NetworkAcl,
            span: id.span,
            ingress,
            egress,
            rest: None,
        })
    }
}

/// Why there may be more of something, where the pages of it were not all recorded.
fn more(record: &Record<'_>, of: &str, what: &str) -> Option<Doubt> {
    let (token, _) = record.more.iter().find(|(_, key)| *key == of)?;
    let span = place(token);
    Some(Doubt {
        key: format!("{what} behind {}:{}", span.file.index(), span.start).into(),
        why: format!("more {what} are on pages that were not recorded").into(),
        span,
    })
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
