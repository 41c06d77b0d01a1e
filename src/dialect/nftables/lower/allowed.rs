//! What nft only takes behind something else that a rule says: tunnels, next hops, answers, proxies.
//!
//! INVARIANT: what nft takes is not refused here.

use super::place::Place;
use crate::dialect::nftables::ast::{Expr, Read, Statement, TableFamily, Unread};
use crate::dialect::nftables::names::Key;
use crate::packet::protocol::number::{TCP, UDP};
use crate::packet::{Family, Field};

/// Refuses selectors that nft only takes behind others.
pub(super) fn check_place<'a>(place: &Place<'_, 'a>, part: &Expr<'a>, key: &Key) -> Read<'a, ()> {
    let Key::Other(other) = key else { return Ok(()) };
    let over_udp = ["vxlan ", "geneve "]
        .iter()
        .any(|tunnel| other.name.starts_with(tunnel));
    if over_udp && place.named(Field::Protocol) != Some(UDP.into()) {
        return Err(
            Unread::new(part.text, "this tunnel is one of UDP").help("say its port first: `udp dport 4789`")
        );
    }
    let is_nexthop = other.name == "rt nexthop";
    if is_nexthop && place.table.name.family == TableFamily::Inet && place.named(Field::Family).is_none() {
        return Err(
            Unread::new(part.text, "of which family this address is is not said")
                .help("write `rt ip nexthop` or `rt ip6 nexthop`"),
        );
    }
    Ok(())
}

/// A table of one family answers with the ICMP of that family.
pub(super) fn check_reject<'a>(
    place: &Place<'_, 'a>,
    family: Option<Family>,
    is_reset: bool,
    statement: &Statement<'a>,
) -> Read<'a, ()> {
    if is_reset
        && place
            .named(Field::Protocol)
            .is_some_and(|protocol| protocol != TCP.into())
    {
        return Err(Unread::new(statement.text, "only TCP is answered by a reset"));
    }
    if let (Some(family), Some(other)) = (family, place.named(Field::Family))
        && family.value() != other
    {
        return Err(Unread::new(
            statement.text,
            "this answer is of another family than what stands before it",
        ));
    }
    let clashes = matches!(
        (place.table.name.family, family),
        (TableFamily::Ip, Some(Family::V6)) | (TableFamily::Ip6, Some(Family::V4))
    );
    if clashes {
        let message = "this answer is of the other family";
        return Err(Unread::new(statement.text, message).help("write the ICMP of the table's family"));
    }
    let is_of_one = matches!(place.table.name.family, TableFamily::Ip | TableFamily::Ip6);
    if is_of_one && statement.text.contains("icmpx") {
        let message = "`icmpx` is of both families, and its table of one";
        return Err(Unread::new(statement.text, message).help("write the ICMP of the table's family"));
    }
    Ok(())
}

/// What nft wants to know before it takes a transparent proxy: the protocol, and in a table of both families the family.
pub(super) fn check_proxy<'a>(place: &Place<'_, 'a>, statement: &Statement<'a>) -> Read<'a, ()> {
    if !place.tells_protocol {
        return Err(Unread::new(statement.text, "a proxy wants to know the protocol")
            .help("say it first: `meta l4proto tcp`"));
    }
    let has_address = !statement.text.contains("to :");
    let said = statement.text.split_ascii_whitespace().nth(1);
    let told = place.named(Field::Family);
    let of = match said {
        Some("ip") => Some(Family::V4),
        Some("ip6") => Some(Family::V6),
        _ => None,
    };
    match (of, told) {
        (Some(of), Some(told)) if of.value() != told => Err(Unread::new(
            statement.text,
            "this proxy is of another family than what stands before it",
        )),
        (None, None) if place.table.name.family == TableFamily::Inet && has_address => {
            Err(Unread::new(statement.text, "a proxy wants to know the family")
                .help("write `tproxy ip to` or `tproxy ip6 to`"))
        }
        _ => Ok(()),
    }
}
