//! Resources to groups and members, by [`crate::cloud`].
//!
//! INVARIANT: here it is said which attribute of which resource is which property; what that lets through is said in `cloud`.

mod acl;
mod attached;
mod aws;
mod body;
mod draft;
mod member;
mod openstack;
mod prefix_list;
mod property;
mod unread;

pub(super) use body::{Object, object};
pub(super) use draft::Drafts;
pub(super) use unread::Unread;

use std::sync::Arc;

use super::value::Doubt;
use crate::source::Span;

/// A resource with the values of its attributes: from a configuration, or from a plan.
#[derive(Debug, Clone)]
pub(super) struct Declared {
    /// `module.net.aws_security_group.web["a"]`.
    pub(super) address: Arc<str>,
    pub(super) kind: Arc<str>,
    /// The bytes that name it.
    pub(super) span: Span,
    /// All of it.
    pub(super) whole: Span,
    /// Where the modules are called that it lies in, outermost first.
    pub(super) calls: Arc<[Span]>,
    /// Why it may not be there.
    pub(super) doubt: Option<Doubt>,
    pub(super) values: Object,
}

/// What is done with resources of a kind.
type Read = fn(&mut Drafts<'_>, &Declared);

/// The kinds that say who is behind a prefix list.
const LISTS: &[(&str, Read)] = &[
    ("aws_ec2_managed_prefix_list", prefix_list::list),
    ("aws_ec2_managed_prefix_list_entry", prefix_list::entry),
];

/// The kinds that make groups. They come before those that put rules into them.
const GROUPS: &[(&str, Read)] = &[
    ("aws_default_network_acl", acl::acl),
    ("aws_default_security_group", aws::group),
    ("aws_network_acl", acl::acl),
    ("aws_security_group", aws::group),
    ("openstack_compute_secgroup_v2", openstack::compute_group),
    ("openstack_networking_secgroup_v2", openstack::group),
];

/// The kinds that fill groups made by others.
const PARTS: &[(&str, Read)] = &[
    ("aws_network_acl_association", acl::association),
    ("aws_network_acl_rule", acl::rule),
    ("aws_security_group_rule", aws::rule),
    ("aws_subnet", acl::subnet),
    ("aws_vpc_security_group_egress_rule", aws::egress_rule),
    ("aws_vpc_security_group_ingress_rule", aws::ingress_rule),
    ("openstack_networking_secgroup_rule_v2", openstack::rule),
];

/// The kinds that are read, for `portcullis dialects`.
pub(super) fn kinds() -> impl Iterator<Item = &'static str> {
    LISTS.iter().chain(GROUPS).chain(PARTS).map(|(kind, _)| *kind)
}

/// In which turn a kind is read: `None` for those that have nothing to do with groups.
pub(super) fn turn(kind: &str) -> Option<u8> {
    let is_in = |table: &[(&str, Read)]| table.iter().any(|(known, _)| *known == kind);
    if is_in(LISTS) {
        Some(0)
    } else if is_in(GROUPS) {
        Some(1)
    } else if is_in(PARTS) {
        Some(2)
    } else if member::may_be_in_groups(kind) {
        Some(3)
    } else {
        None
    }
}

/// The attributes that are looked at, at any depth.
pub(super) fn wants(kind: &str, attribute: &str) -> bool {
    match turn(kind) {
        Some(3) => member::wants(kind, attribute),
        Some(_) if kind == "aws_subnet" => attribute == "vpc_id",
        Some(_) => !matches!(
            attribute,
            "tags"
                | "tags_all"
                | "description"
                | "timeouts"
                | "count"
                | "for_each"
                | "provider"
                | "depends_on"
        ),
        None => false,
    }
}

/// Reads one resource.
pub(super) fn read(drafts: &mut Drafts<'_>, declared: &Declared) {
    let mut known = LISTS.iter().chain(GROUPS).chain(PARTS);
    match known.find(|(kind, _)| *kind == &*declared.kind) {
        Some((_, read)) => read(drafts, declared),
        None => member::member(drafts, declared),
    }
}
