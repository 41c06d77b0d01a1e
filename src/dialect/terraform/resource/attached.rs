//! What resources say of groups and subnets, by themselves and of each other, to members.
//!
//! An instance has the groups of its interfaces, of what it is launched from unless it names some itself, and those that attachments
//! give it. INVARIANT: the order of resources decides nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::draft::Drafts;
use crate::cloud::ec2::{self, Place};
use crate::cloud::{Direction, GroupName, Peer, Permission, Value, everything};
use crate::model::{Layer, Member, Unknown};
use crate::source::Span;

/// How far links are followed.
const MAX_LINKS: usize = 4;

/// Kinds that are in the default group of their VPC if they name none.
const IN_DEFAULT_GROUP: &[&str] = &[
    "aws_autoscaling_group",
    "aws_instance",
    "aws_network_interface",
    "aws_spot_instance_request",
];

/// What one resource says of one that may be behind groups: of itself, or of another.
#[derive(Debug, Clone)]
pub(super) struct Attached {
    /// Of whom.
    pub(super) address: Arc<str>,
    /// Its kind; empty where another resource says it.
    pub(super) kind: Arc<str>,
    pub(super) span: Span,
    /// What it is called in the cloud.
    pub(super) name: Option<Arc<str>>,
    /// The groups that it is surely in.
    pub(super) groups: BTreeMap<Arc<str>, Span>,
    /// Why it may be in others.
    pub(super) others: Option<Unknown>,
    /// Whether it names groups itself, known or not: then it is not in the default one, and what it is launched from does not count.
    pub(super) names_groups: bool,
    /// The subnets that it lies in.
    pub(super) places: Vec<Place>,
    pub(super) takes: Vec<Link>,
}

/// Something else that says more of it.
#[derive(Debug, Clone)]
pub(super) struct Link {
    pub(super) takes: Takes,
    pub(super) whose: Whose,
    pub(super) span: Span,
}

/// What is taken from there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Takes {
    /// All that an interface has.
    Interface,
    /// What a launch template has and its user leaves out.
    Template,
    /// The subnets of a group of subnets.
    Subnets,
}

/// Who says it.
#[derive(Debug, Clone)]
pub(super) enum Whose {
    Address(Arc<str>),
    /// By its name in the cloud.
    Name(Arc<str>),
    Unknown(Arc<str>),
}

impl Attached {
    pub(super) fn new(address: &Arc<str>, kind: &str, span: Span) -> Self {
        Self {
            address: address.clone(),
            kind: kind.into(),
            span,
            name: None,
            groups: BTreeMap::new(),
            others: None,
            names_groups: false,
            places: Vec::new(),
            takes: Vec::new(),
        }
    }

    /// Takes in what another resource says of the same.
    fn join(&mut self, other: Self) {
        if self.kind.is_empty() && !other.kind.is_empty() {
            (self.kind, self.span, self.name) = (other.kind, other.span, other.name);
        }
        self.names_groups |= other.names_groups;
        for (group, span) in other.groups {
            self.groups.entry(group).or_insert(span);
        }
        self.others = self.others.take().or(other.others);
        self.places.extend(other.places);
        self.takes.extend(other.takes);
    }
}

/// All that resources say, by whom they say it of.
struct All {
    order: Vec<Arc<str>>,
    by_address: BTreeMap<Arc<str>, Attached>,
    by_name: BTreeMap<Arc<str>, Arc<str>>,
}

impl All {
    fn of(said: Vec<Attached>) -> Self {
        let mut all = Self {
            order: Vec::new(),
            by_address: BTreeMap::new(),
            by_name: BTreeMap::new(),
        };
        for one in said {
            if let Some(name) = &one.name {
                all.by_name.insert(name.clone(), one.address.clone());
            }
            if let Some(known) = all.by_address.get_mut(&one.address) {
                known.join(one);
            } else {
                all.order.push(one.address.clone());
                all.by_address.insert(one.address.clone(), one);
            }
        }
        all
    }

    fn address<'a>(&'a self, whose: &'a Whose) -> Option<&'a Arc<str>> {
        match whose {
            Whose::Address(address) => Some(address),
            Whose::Name(name) => self.by_name.get(name),
            Whose::Unknown(_) => None,
        }
    }

    /// All that is said of one, with what it takes from others.
    fn whole(&self, of: &Attached, depth: usize) -> Attached {
        let mut whole = Attached {
            takes: Vec::new(),
            ..of.clone()
        };
        for link in of.takes.iter().filter(|_| depth < MAX_LINKS) {
            let found = self
                .address(&link.whose)
                .and_then(|address| self.by_address.get(address));
            let found = found.filter(|found| !found.kind.is_empty());
            let other = found.map_or_else(|| unknown_part(of, link), |found| self.whole(found, depth + 1));
            match link.takes {
                Takes::Interface => {
                    let names_groups = whole.names_groups || other.names_groups;
                    whole.join(other);
                    whole.names_groups = names_groups;
                }
                Takes::Template => {
                    if !of.names_groups {
                        whole.groups.extend(other.groups);
                        whole.others = whole.others.take().or(other.others);
                        whole.names_groups |= other.names_groups;
                    }
                    if of.places.is_empty() {
                        whole.places.extend(other.places);
                    }
                }
                Takes::Subnets => whole.places.extend(other.places),
            }
        }
        whole
    }

    /// Interfaces that are those of an instance of the unit: no members of their own.
    fn taken(&self) -> BTreeSet<&Arc<str>> {
        let owners = self.by_address.values().filter(|one| !one.kind.is_empty());
        let links = owners.flat_map(|one| &one.takes);
        let interfaces = links.filter(|link| link.takes == Takes::Interface);
        interfaces.filter_map(|link| self.address(&link.whose)).collect()
    }

    /// The subnets of those who are launched from something: where what they are launched from comes to lie.
    fn places_of_users(&self, address: &Arc<str>) -> Vec<Place> {
        let is_launched = |one: &&Attached| {
            let mut templates = one.takes.iter().filter(|link| link.takes == Takes::Template);
            templates.any(|link| self.address(&link.whose) == Some(address))
        };
        let users = self.by_address.values().filter(is_launched);
        users.flat_map(|user| user.places.iter().cloned()).collect()
    }
}

/// What is taken from something that is not in the unit.
fn unknown_part(of: &Attached, link: &Link) -> Attached {
    let why: Arc<str> = match &link.whose {
        Whose::Unknown(why) => why.clone(),
        Whose::Address(name) | Whose::Name(name) => format!("what `{name}` says is not known").into(),
    };
    let mut unknown = Attached::new(&of.address, "", link.span);
    unknown.names_groups = true;
    unknown.others = Some(Unknown {
        property: None,
        why: why.clone(),
    });
    unknown.places.push(Place::Unknown(why, link.span));
    unknown
}

/// What a unit puts behind groups and network ACLs.
pub(super) fn members(drafts: &mut Drafts<'_>) -> Vec<Member> {
    let all = All::of(std::mem::take(&mut drafts.attached));
    let taken = all.taken();
    let mut members = Vec::new();
    for address in all.order.iter().filter(|address| !taken.contains(address)) {
        let Some(of) = all.by_address.get(address) else {
            continue;
        };
        let mut whole = all.whole(of, 0);
        if whole.places.is_empty() {
            whole.places = all.places_of_users(address);
        }
        let may_have_default = IN_DEFAULT_GROUP.contains(&&*whole.kind);
        if may_have_default && !whole.names_groups {
            in_default_group(drafts, &mut whole);
        }
        if let Some(why) = drafts.anywhere.clone().filter(|_| may_have_default) {
            whole.others.get_or_insert(Unknown { property: None, why });
        }
        if whole.groups.is_empty() && whole.others.is_none() {
            continue;
        }
        members.push(Member {
            name: address.to_string(),
            span: whole.span,
            groups: whole.groups.into_iter().collect(),
            others: whole.others,
            acls: drafts.subnets.acls_of(&whole.places, whole.span),
        });
    }
    members.extend(drafts.subnets.members());
    members
}

/// Puts something that names no group into the default one of its VPC.
fn in_default_group(drafts: &mut Drafts<'_>, whole: &mut Attached) {
    let vpc = |place: &Place| match place {
        Place::Subnet(subnet, _) => drafts.subnets.vpc_of(subnet).map(str::to_owned),
        _ => None,
    };
    let vpcs: BTreeSet<Option<String>> = whole.places.iter().map(vpc).collect();
    let only = vpcs.into_iter().collect::<Vec<_>>();
    let known = match only.as_slice() {
        [Some(vpc)] => default_group(drafts, vpc, whole.span),
        _ => None,
    };
    if let Some(group) = known {
        whole.groups.insert(group, whole.span);
    } else {
        let why = "no group is named: it is in the default group of its VPC".into();
        whole.others.get_or_insert(Unknown { property: None, why });
    }
}

/// The default group of a VPC: the one that the unit takes over, else, of a VPC that it makes, as AWS makes it. Amazon VPC, "Default
/// security groups": it lets in its own members, and everything out.
fn default_group(drafts: &mut Drafts<'_>, vpc: &str, span: Span) -> Option<Arc<str>> {
    let what: Arc<str> = format!("{vpc}.default_security_group_id").into();
    if let Some(key) = drafts.defaults.get(&what) {
        return Some(key.clone());
    }
    if !vpc.contains("aws_vpc.") || vpc.contains("data.aws_vpc.") {
        return None;
    }
    let key = drafts.key(&what);
    drafts.made(&key, &what, Layer::SecurityGroup, span);
    drafts.defaults.insert(what.clone(), key.clone());
    let group = GroupName {
        key: key.clone(),
        name: what,
    };
    let permission = Permission {
        span,
        protocol: Some(Value::new("-1".to_owned(), span)),
        from_port: None,
        to_port: None,
        peers: vec![Peer::Group { group, span }],
        guards: Vec::new(),
    };
    let rules = ec2::security_group_rules(&mut drafts.lowering, Direction::Ingress, &permission);
    drafts.add(&key, Direction::Ingress, rules);
    drafts.add(&key, Direction::Egress, vec![everything(span)]);
    Some(key)
}
