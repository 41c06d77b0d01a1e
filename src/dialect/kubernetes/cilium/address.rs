//! Blocks of addresses and names: `fromCIDR`, `fromCIDRSet`, `toFQDNs`, and the blocks of a `CiliumCIDRGroup`.
//!
//! Semantics: "Layer 3 Policies", "IP/CIDR based" and "DNS based". INVARIANT: an item that could not be read is somebody outside of the
//! cluster of whom nothing is known.

use super::super::notes::Notes;
use super::super::policy::{Peer, Who as Peers};
use super::super::selector::Selector;
use super::later::Later;
use super::{Network, Who};
use crate::source::Span;
use crate::tree::Node;

/// A block, or one address.
pub(super) fn network(node: Node<'_>, notes: &mut Notes) -> Option<Network> {
    let text = node.text().unwrap_or("");
    let (address, prefix) = match text.split_once('/') {
        Some((address, prefix)) => (address, Some(prefix)),
        None => (text, None),
    };
    let parsed = address.parse().ok().and_then(|address: std::net::IpAddr| {
        let whole = if address.is_ipv4() { 32 } else { 128 };
        let is_number = |prefix: &str| prefix.bytes().all(|digit| digit.is_ascii_digit());
        let prefix = match prefix {
            Some(prefix) if is_number(prefix) => prefix.parse().ok()?,
            Some(_) => return None,
            None => whole,
        };
        Network::cidr(address, prefix)
    });
    if parsed.is_none() {
        let message = format!("`{text}` is no block of addresses");
        notes.unread(node.span(), message, Some("write it like `10.0.0.0/8`"));
    }
    parsed
}

/// A block with its prefix: "only allow notation <IP address>/<prefix>" (pkg/policy/api, `CIDRRule.Validate`).
fn block(node: Node<'_>, notes: &mut Notes) -> Option<Network> {
    let found = network(node, notes)?;
    if node.text().is_some_and(|text| !text.contains('/')) {
        let message = "a block of a CIDR set has a prefix";
        notes.unread(
            node.span(),
            message,
            Some("write a single address like `192.0.2.1/32`"),
        );
        return None;
    }
    Some(found)
}

/// An item of `fromCIDR` or `toCIDR`; `None` if Cilium would refuse it.
pub(super) fn cidr(node: Node<'_>, notes: &mut Notes) -> Option<Peer> {
    let network = network(node, notes)?;
    Some(addresses(node.span(), network, Vec::new()))
}

/// An item of `fromCIDRSet` or `toCIDRSet`: a block or groups of blocks, less some; `None` if Cilium would refuse it.
pub(super) fn cidr_rule(node: Node<'_>, notes: &mut Notes) -> Option<Peer> {
    let keys = ["cidr", "except", "cidrGroupRef", "cidrGroupSelector"];
    if !notes.knows(node, &keys, "an item of a CIDR set") {
        return None;
    }
    let except = except(node, notes)?;
    let entry = |key| node.get(key).filter(|value| !value.is_null());
    match (entry("cidr"), entry("cidrGroupRef"), entry("cidrGroupSelector")) {
        (Some(cidr), None, None) => {
            let network = block(cidr, notes)?;
            // "The list of except CIDRs must be contained within the CIDR prefix" (API reference, CIDRRule).
            if let Some((_, span)) = except.iter().find(|(part, _)| !network.contains(part)) {
                notes.unread(*span, "what is excepted is no part of the block", None);
                return None;
            }
            let except = except.into_iter().map(|(part, _)| part).collect();
            Some(addresses(cidr.span(), network, except))
        }
        (None, Some(name), None) => {
            let Some(text) = name.text().filter(|text| !text.is_empty()) else {
                notes.unread(name.span(), "not the name of a CiliumCIDRGroup", None);
                return None;
            };
            let name_of = text.to_owned();
            Some(later(name.span(), Later::Group(name_of, parts(except))))
        }
        (None, None, Some(selector)) => {
            let selector = Selector::of(selector, notes);
            Some(later(selector.span, Later::GroupsWith(selector, parts(except))))
        }
        _ => {
            let help = "give one of `cidr`, `cidrGroupRef` and `cidrGroupSelector`";
            notes.unread(
                node.span(),
                "this item does not say whose addresses are meant",
                Some(help),
            );
            None
        }
    }
}

/// An item of `toFQDNs`: whatever addresses a name, or the names of a pattern, were looked up to have.
pub(super) fn name(node: Node<'_>, notes: &mut Notes) -> Option<Peer> {
    if !notes.knows(node, &["matchName", "matchPattern"], "an item of `toFQDNs`") {
        return None;
    }
    let found = ["matchName", "matchPattern"].map(|key| node.get(key));
    let names: Vec<Node<'_>> = found.into_iter().flatten().collect();
    let texts: Vec<String> = names
        .iter()
        .filter_map(Node::text)
        .filter(|text| !text.is_empty())
        .map(str::to_lowercase)
        .collect();
    let (Some(first), false) = (names.first(), texts.is_empty()) else {
        let help = "give `matchName` or `matchPattern`";
        notes.unread(node.span(), "this item names nobody", Some(help));
        return None;
    };
    Some(Peer {
        span: first.span(),
        who: Peers::Names(texts),
    })
}

fn except(node: Node<'_>, notes: &mut Notes) -> Option<Vec<(Network, Span)>> {
    let items = notes.items(node.get("except"), "blocks")?;
    let parts = items
        .into_iter()
        .map(|item| Some((block(item, notes)?, item.span())));
    parts.collect()
}

fn parts(except: Vec<(Network, Span)>) -> Vec<Network> {
    except.into_iter().map(|(part, _)| part).collect()
}

fn later(span: Span, later: Later) -> Peer {
    Peer {
        span,
        who: Peers::Cilium(Who::Later(later)),
    }
}

pub(super) fn addresses(span: Span, network: Network, except: Vec<Network>) -> Peer {
    Peer {
        span,
        who: Peers::Cilium(Who::Addresses { network, except }),
    }
}
