//! Managed prefix lists of AWS: `aws_ec2_managed_prefix_list` and its entries.

use super::draft::{Drafts, List};
use super::{Declared, Object};
use crate::cloud::Peer;
use crate::dialect::terraform::value::{Kind, Reason, Value, Why};

/// `aws_ec2_managed_prefix_list`.
pub(super) fn list(drafts: &mut Drafts<'_>, declared: &Declared) {
    let mut list = List::default();
    for element in drafts.elements(declared.values.get("entry")) {
        let cidr = Object::of(&element.value);
        let cidr = cidr.as_ref().and_then(|entry| entry.get("cidr"));
        add(
            drafts,
            &mut list,
            cidr.unwrap_or(&element.value),
            element.guards.is_empty(),
        );
    }
    let known = drafts.lists.entry(declared.address.clone()).or_default();
    known.entries.extend(list.entries);
    known.more = known.more.take().or(list.more);
}

/// `aws_ec2_managed_prefix_list_entry`.
pub(super) fn entry(drafts: &mut Drafts<'_>, declared: &Declared) {
    let Some(cidr) = declared.values.get("cidr") else {
        return;
    };
    for element in drafts.elements(declared.values.get("prefix_list_id")) {
        let Kind::Reference(reference) = &element.value.kind else {
            continue;
        };
        let address = reference.instance.address.clone();
        let mut list = drafts.lists.remove(&address).unwrap_or_default();
        let is_sure = element.guards.is_empty() && declared.doubt.is_none();
        add(drafts, &mut list, cidr, is_sure);
        drafts.lists.insert(address, list);
    }
}

fn add(drafts: &mut Drafts<'_>, list: &mut List, cidr: &Value, is_sure: bool) {
    match drafts.scalar(Some(cidr)) {
        Some(value) if is_sure => list.entries.push(value),
        Some(_) => {
            let doubt = drafts.doubt_about(cidr);
            list.more.get_or_insert(doubt);
        }
        None => {}
    }
}

/// The networks of the list that a value names.
pub(super) fn peer(drafts: &mut Drafts<'_>, value: &Value) -> Peer {
    if let Kind::Reference(reference) = &value.kind
        && let Some(list) = drafts.lists.get(&reference.instance.address)
    {
        let (entries, more) = (list.entries.clone(), list.more.clone());
        drafts.keep_way(value);
        return Peer::PrefixList {
            span: value.origin.span,
            entries,
            more,
        };
    }
    if let Kind::String(id) = &value.kind {
        drafts.keep_way(value);
        let text = format!("what prefix list `{id}` holds is not known");
        let span = value.origin.span;
        let why = Why::new(span, Reason::Data, text);
        return Peer::PrefixList {
            span,
            entries: Vec::new(),
            more: Some(drafts.doubt_of(&why, id.clone())),
        };
    }
    Peer::Unknown(drafts.doubt_about(value))
}
