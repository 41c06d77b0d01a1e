//! Who is behind what is recorded of EC2: instances, interfaces, subnets.
//!
//! INVARIANT: an instance is in the groups of all its interfaces, which are no members of their own.

use std::sync::Arc;

use super::columns::place;
use super::record::Record;
use crate::cloud::ec2::{Place, Subnets};
use crate::model::Member;
use crate::source::Span;
use crate::tree::Node;

/// Instances, interfaces that belong to none of them, and subnets that ACLs are in front of.
pub(super) fn members(record: &Record<'_>) -> Vec<Member> {
    let subnets = subnets(record);
    let place = |node: &Node<'_>| {
        let subnet = node.get("SubnetId")?;
        let (name, at) = (subnet.text()?, place(&subnet));
        let why = format!("no network ACL before `{name}` was recorded");
        Some(Place::LookedUp(name.to_owned(), why.into(), at))
    };
    let mut members = Vec::new();
    let mut instances = Vec::new();
    for instance in &record.instances {
        instances.extend(instance.get("InstanceId").and_then(|id| id.text()));
        let interfaces = instance.get("NetworkInterfaces");
        let interfaces: Vec<_> = interfaces.into_iter().flat_map(|list| list.items()).collect();
        let mut groups = groups_in(instance.get("SecurityGroups"));
        groups.extend(
            interfaces
                .iter()
                .flat_map(|interface| groups_in(interface.get("Groups"))),
        );
        let mut places: Vec<Place> = interfaces.iter().filter_map(place).collect();
        if places.is_empty() {
            places.extend(place(instance));
        }
        members.extend(member(instance, "InstanceId", groups, (&subnets, &places)));
    }
    for interface in &record.interfaces {
        let attached = interface.get("Attachment").and_then(|to| to.get("InstanceId"));
        let is_recorded = attached
            .and_then(|id| id.text())
            .is_some_and(|id| instances.contains(&id));
        if !is_recorded {
            let groups = groups_in(interface.get("Groups"));
            let places: Vec<Place> = place(interface).into_iter().collect();
            members.extend(member(
                interface,
                "NetworkInterfaceId",
                groups,
                (&subnets, &places),
            ));
        }
    }
    members.extend(subnets.members());
    members
}

fn groups_in(list: Option<Node<'_>>) -> Vec<(Arc<str>, Span)> {
    let items = list.into_iter().flat_map(|list| list.items());
    let ids = items.filter_map(|group| group.get("GroupId"));
    ids.filter_map(|id| Some((id.text()?.into(), place(&id))))
        .collect()
}

/// A member, called by its id and the name that its tags give it.
fn member(
    node: &Node<'_>,
    id: &str,
    mut groups: Vec<(Arc<str>, Span)>,
    (subnets, places): (&Subnets, &[Place]),
) -> Option<Member> {
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
        acls: subnets.acls_of(places, place(&id)),
    })
}

fn subnets(record: &Record<'_>) -> Subnets {
    let mut subnets = Subnets::default();
    for acl in &record.acls {
        let Some(id) = acl.get("NetworkAclId") else {
            continue;
        };
        let key: Arc<str> = id.text().unwrap_or("").into();
        subnets.acl(&key, place(&id));
        let associations = acl.get("Associations");
        for association in associations.into_iter().flat_map(|list| list.items()) {
            if let Some(subnet) = association.get("SubnetId")
                && let Some(name) = subnet.text()
            {
                subnets.associate(&key, Place::Subnet(name.to_owned(), place(&subnet)), None);
            }
        }
    }
    subnets
}
