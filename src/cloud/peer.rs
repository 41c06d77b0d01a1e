//! The other end of a permission: networks, groups, prefix lists, and those of whom it is not known who they are.
//!
//! INVARIANT: what a peer asks is asked of the end that its direction says, of one address family where an address is asked.

use std::net::IpAddr;
use std::sync::Arc;

use super::{Direction, Doubt, Lowering, Value};
use crate::model::{Condition, Match, Membership};
use crate::packet::{Family, Field, Network, RangeSet};
use crate::source::{Span, Spanned};

/// A group as a rule names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupName {
    /// As [`crate::model::Group::key`].
    pub key: Arc<str>,
    /// What users call it.
    pub name: Arc<str>,
}

/// Whom a permission is for.
#[derive(Debug, Clone)]
pub enum Peer {
    /// The addresses of a network.
    Network {
        /// In CIDR notation.
        cidr: Value<String>,
        /// The family that it must be of, where the property that it stands in says so.
        family: Option<Family>,
    },
    /// The members of a security group.
    Group {
        /// Which.
        group: GroupName,
        /// The bytes that name it.
        span: Span,
    },
    /// The networks of a prefix list.
    PrefixList {
        /// The bytes that name it.
        span: Span,
        /// Its entries, in CIDR notation.
        entries: Vec<Value<String>>,
        /// What it holds besides, if that is not known.
        more: Option<Doubt>,
    },
    /// Anybody.
    Everyone {
        /// The bytes that say so, or where nobody else is named.
        span: Span,
        /// Of this family alone.
        family: Option<Family>,
    },
    /// It is not known who.
    Unknown(Doubt),
}

/// How an API reads a network, or the words for why it does not.
pub(super) type ReadCidr = fn(&str) -> Result<Network, String>;

impl Peer {
    /// The peer as a match at the bytes that name it.
    pub(super) fn to_match(&self, lowering: &mut Lowering, direction: Direction, read: ReadCidr) -> Match {
        let (span, condition) = match self {
            Self::Network { cidr, family } => {
                (cidr.span(), network(lowering, direction, cidr, *family, read))
            }
            Self::Group { group, span } => (
                *span,
                Condition::Member(Membership {
                    end: direction.peer_identity(),
                    group: group.key.clone(),
                    name: group.name.clone(),
                }),
            ),
            Self::PrefixList { span, entries, more } => {
                let entries = entries.iter();
                let networks = entries.map(|cidr| network(lowering, direction, cidr, None, read));
                let mut parts: Vec<Condition> = networks.collect();
                parts.extend(more.iter().map(|doubt| unknown(lowering, direction, doubt)));
                (*span, Condition::Any(joined(parts)))
            }
            Self::Everyone { span, family } => (*span, family.map_or(Condition::All(Vec::new()), of_family)),
            Self::Unknown(doubt) => (doubt.span, unknown(lowering, direction, doubt)),
        };
        Match { span, condition }
    }
}

fn network(
    lowering: &mut Lowering,
    direction: Direction,
    cidr: &Value<String>,
    family: Option<Family>,
    read: ReadCidr,
) -> Condition {
    let known = match cidr {
        Value::Known(known) => known,
        Value::Unknown(doubt) => {
            let who = unknown(lowering, direction, doubt);
            return match family {
                Some(family) => Condition::All(vec![of_family(family), who]),
                None => who,
            };
        }
    };
    match read(known.value.trim()) {
        Ok(network) if family.is_none_or(|family| family == network.family) => addresses(direction, network),
        Ok(network) => {
            let doubt = wrong_family(lowering, known, network.family);
            unknown(lowering, direction, &doubt)
        }
        Err(why) => {
            let doubt = lowering.refuse(known, why, "write a network as `10.0.0.0/16`");
            unknown(lowering, direction, &doubt)
        }
    }
}

fn wrong_family(lowering: &mut Lowering, cidr: &Spanned<String>, found: Family) -> Doubt {
    let message = format!("`{}` is an {} network", cidr.value, found.word());
    lowering.refuse(
        cidr,
        message,
        "networks of the other family have a property of their own",
    )
}

/// The packets whose peer has an address of a network. All of a family is asked for by the family.
fn addresses(direction: Direction, network: Network) -> Condition {
    let of_family = of_family(network.family);
    if network == Network::all(network.family) {
        return of_family;
    }
    let field = direction.peer_address(network.family);
    let within = Condition::Test(field, RangeSet::range(network.low, network.high));
    Condition::All(vec![of_family, within])
}

pub(super) fn of_family(family: Family) -> Condition {
    Condition::Test(Field::Family, RangeSet::point(family.value()))
}

fn unknown(lowering: &mut Lowering, direction: Direction, doubt: &Doubt) -> Condition {
    lowering.depends(doubt);
    doubt.question(&format!("{} in", direction.peer_word()))
}

/// Networks of one family and end as one test.
fn joined(parts: Vec<Condition>) -> Vec<Condition> {
    let mut ranges: [Vec<(u128, u128)>; 2] = [Vec::new(), Vec::new()];
    let mut fields: [Option<(Condition, Field)>; 2] = [None, None];
    let mut others = Vec::new();
    for part in parts {
        let test = match &part {
            Condition::All(all) => match all.as_slice() {
                [family, Condition::Test(field, set)] => Some((family.clone(), *field, set.clone())),
                _ => None,
            },
            _ => None,
        };
        let Some((family, field, set)) = test else {
            others.push(part);
            continue;
        };
        let at = usize::from(matches!(field, Field::Source6 | Field::Destination6));
        if let (Some(ranges), Some(place)) = (ranges.get_mut(at), fields.get_mut(at)) {
            ranges.extend(set.ranges().iter().copied());
            *place = Some((family, field));
        }
    }
    let tests = fields.into_iter().zip(ranges).filter_map(|(field, ranges)| {
        let (family, field) = field?;
        let within = Condition::Test(field, RangeSet::from_ranges(ranges));
        Some(Condition::All(vec![family, within]))
    });
    tests.chain(others).collect()
}

/// Reads a network as EC2 does: a prefix length is needed, and the bits behind it do not matter, so `0.0.2.0/0` is everything
/// (API reference, `IpRange`: "AWS canonicalizes IPv4 and IPv6 CIDRs").
pub(super) fn with_prefix(text: &str) -> Result<Network, String> {
    let wrong = || format!("`{text}` is no network");
    let (address, prefix) = text.split_once('/').ok_or_else(wrong)?;
    let address: IpAddr = address.parse().map_err(|_| wrong())?;
    let is_number =
        !prefix.is_empty() && prefix.len() <= 3 && prefix.bytes().all(|byte| byte.is_ascii_digit());
    let prefix: u32 = prefix.parse().ok().filter(|_| is_number).ok_or_else(wrong)?;
    Network::cidr(address, prefix).ok_or_else(wrong)
}

/// Reads a network as Neutron does: an address without a prefix length is that address alone (netaddr's `IPNetwork`).
pub(super) fn or_address(text: &str) -> Result<Network, String> {
    match text.parse::<IpAddr>() {
        Ok(address) => {
            let bits = if address.is_ipv4() { 32 } else { 128 };
            Network::cidr(address, bits).ok_or_else(|| format!("`{text}` is no network"))
        }
        Err(_) => with_prefix(text),
    }
}
