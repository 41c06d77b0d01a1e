//! Filters that others are put behind: security groups, network ACLs, NetworkPolicies, as a unit of input defines them.
//!
//! A group is no host: which hosts are behind it is said by what the unit attaches to it ([`Member`]) and by the bindings of
//! the site. INVARIANT: [`Group::key`] is the same wherever the same group is meant in a run, and different for different ones.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Condition, Layer, Rule, Unknown};
use crate::packet::{Field, RangeSet};
use crate::source::Span;

/// One security group, network ACL or NetworkPolicy.
#[derive(Debug, Clone)]
pub struct Group {
    /// What it is called in the whole run. Groups of a cloud have its id (`sg-0a1b`); those of code the place of the unit and
    /// their address, since two root modules may have the same address.
    pub key: Arc<str>,
    /// What users call it: `module.net.aws_security_group.web["a"]`, `sg-0a1b (web)`, a logical id.
    pub name: String,
    /// What kind of filter.
    pub layer: Layer,
    /// The bytes that name it where it is defined.
    pub span: Span,
    /// What its members receive. `None`: it does not filter that.
    pub ingress: Option<Side>,
    /// What its members send.
    pub egress: Option<Side>,
    /// Where the modules are called that it comes from, outermost first: the bytes that name each.
    pub calls: Arc<[Span]>,
    /// Why there may be more in it than this, if the unit adds rules to a group that it does not define.
    pub rest: Option<Unknown>,
}

/// One direction of a group.
#[derive(Debug, Clone)]
pub struct Side {
    /// First match decides; what none decides is dropped. Of a [`Layer::SecurityGroup`] all rules accept, and a packet passes
    /// that any group of its host accepts. Rules are about first packets of connections: where the layer keeps track of
    /// them, answers are let through by whoever makes rulesets of groups.
    pub rules: Vec<Rule>,
    /// The bytes to point at where no rule lets a packet through: the group, or the empty list of its rules.
    pub default_span: Span,
}

/// Something that groups filter: an instance, a network interface, a launch template; or a subnet, which only has network ACLs.
#[derive(Debug, Clone)]
pub struct Member {
    /// What users call it: `aws_instance.web[0]`.
    pub name: String,
    /// The bytes that name it.
    pub span: Span,
    /// The security groups that it surely is in, by [`Group::key`], each with the bytes that say so.
    pub groups: Vec<(Arc<str>, Span)>,
    /// Why it may be in others too, if it may.
    pub others: Option<Unknown>,
    /// The network ACLs before it.
    pub acls: Acls,
}

/// The network ACLs that stand before something. Exactly one does: of several, it is not known which.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Acls {
    /// By [`Group::key`], each with the bytes that say so. None: nothing that was read stands before it.
    pub one_of: Vec<(Arc<str>, Span)>,
    /// Why it may be none of these but one that lets everything through, with the place that says so.
    pub or_open: Option<(Arc<str>, Span)>,
}

/// A question about an end of a packet: whether it is a member of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// Which end: [`Field::SourceIdentity`] or [`Field::DestinationIdentity`].
    pub end: Field,
    /// The group, by [`Group::key`].
    pub group: Arc<str>,
    /// What users call the group.
    pub name: Arc<str>,
}

/// Which identities are members of which groups.
#[derive(Debug, Clone, Default)]
pub struct Members {
    /// Those that surely are, by [`Group::key`]: groups without an entry may have any.
    pub sure: BTreeMap<Arc<str>, RangeSet>,
    /// Those that may be in any group.
    pub doubtful: RangeSet,
    /// Why they may be.
    pub why: Arc<str>,
}

impl Membership {
    /// The question as a test of an identity, if it is known who is in the group; else as a property of the packet.
    #[must_use]
    pub fn resolve(&self, members: &Members) -> Condition {
        let end = if self.end == Field::SourceIdentity {
            "source"
        } else {
            "destination"
        };
        let property = Some(format!("{end} in {}", self.group).into());
        let Some(sure) = members.sure.get(&self.group) else {
            let why = format!("who is in group `{}` is not known", self.name).into();
            return Condition::Unknown(Unknown { property, why });
        };
        let test = |identities: &RangeSet| Condition::Test(self.end, identities.clone());
        let perhaps = members.doubtful.difference(sure);
        if perhaps.is_empty() {
            return test(sure);
        }
        let why = members.why.clone();
        let perhaps = vec![test(&perhaps), Condition::Unknown(Unknown { property, why })];
        Condition::Any(vec![test(sure), Condition::All(perhaps)])
    }
}

/// The groups that rules of groups ask about, by key, with the names that they use.
#[must_use]
pub fn group_keys(groups: &[&Group]) -> BTreeMap<Arc<str>, Arc<str>> {
    let sides = groups.iter().flat_map(|group| [&group.ingress, &group.egress]);
    keys_asked(sides.flatten().flat_map(|side| &side.rules))
}

/// The groups that rules ask about, by key, with the names that they use.
#[must_use]
pub fn keys_asked<'r>(rules: impl Iterator<Item = &'r Rule>) -> BTreeMap<Arc<str>, Arc<str>> {
    let mut keys = BTreeMap::new();
    for one in rules.flat_map(|rule| &rule.matches) {
        note_keys(&one.condition, &mut keys);
    }
    keys
}

/// Recursive over conditions, which readers do not nest deep.
fn note_keys(condition: &Condition, keys: &mut BTreeMap<Arc<str>, Arc<str>>) {
    match condition {
        Condition::Member(member) => {
            let place = keys.entry(member.group.clone());
            place.or_insert_with(|| member.name.clone());
        }
        Condition::All(parts) | Condition::Any(parts) => {
            for part in parts {
                note_keys(part, keys);
            }
        }
        Condition::Not(part) => note_keys(part, keys),
        Condition::Test(..) | Condition::Unknown(_) => {}
    }
}
