//! Addresses, networks, ranges, and where translation leads.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{number, to_ports};
use crate::dialect::iptables::ast::{Read, Unread};
use crate::packet::{Family, RangeSet, address};

/// At most so many ranges come of one mask with holes; beyond, the address is not modelled.
const MAX_MASK_RANGES: u32 = 256;

/// The addresses of one argument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::dialect::iptables) enum Address {
    /// These.
    Ranges(RangeSet),
    /// Known to a person, but not modelled: a host name, or a mask with too many holes.
    Unknown(String),
}

/// `addresses ::= address ("," address)*`
pub(in crate::dialect::iptables) fn addresses(text: &str, family: Family) -> Read<'_, (Address, usize)> {
    let mut ranges = Vec::new();
    let mut unknown = None;
    let mut count = 0;
    for part in text.split(',') {
        count += 1;
        match address(part, family)? {
            Found::Block(low, high) => ranges.push((low, high)),
            Found::Holes(address, mask) if count <= 16 => {
                ranges.extend(with_holes(address, mask, family.bits()));
            }
            Found::Holes(..) => unknown = Some(format!("the mask of `{part}` has too many holes")),
            Found::Name => unknown = Some(format!("the addresses of `{part}` are not known")),
        }
    }
    let address = match unknown {
        Some(why) => Address::Unknown(why),
        None => Address::Ranges(RangeSet::from_ranges(ranges)),
    };
    Ok((address, count))
}

enum Found {
    Block(u128, u128),
    Holes(u128, u128),
    Name,
}

/// `address ::= (ip | /[0-9._][0-9._-]*[A-Za-z][A-Za-z0-9._-]*|[A-Za-z][A-Za-z0-9._-]*/) ("/"
///     /[0-9]|[12][0-9]|3[0-2]|0+([0-7]|[1-3][0-7]|40)|0[xX]0{0,}([0-9a-fA-F]|1[0-9a-fA-F]|20)|(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])(\.(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])){3}/)?`
fn address(text: &str, family: Family) -> Read<'_, Found> {
    let (base, mask) = match text.split_once('/') {
        Some((base, mask)) => (base, Some(mask)),
        None => (text, None),
    };
    let all = family.max();
    let mask = match mask {
        None => all,
        Some(mask) => netmask(mask, family)?,
    };
    let number = match ip(base) {
        Some((found, number)) if found == family => number,
        Some((found, _)) => {
            let message = format!(
                "`{base}` is an {} address in an {} dump",
                found.word(),
                family.word()
            );
            return Err(Unread::new(base, message));
        }
        None if is_host_name(base) => return Ok(Found::Name),
        None => {
            let message = format!("`{base}` is not an {} address", family.word());
            return Err(Unread::new(base, message));
        }
    };
    let host = all & !mask;
    if host & host.wrapping_add(1) == 0 {
        return Ok(Found::Block(number & mask, number & mask | host));
    }
    let low_bits = host.trailing_ones();
    if (host >> low_bits).count_ones() > MAX_MASK_RANGES.ilog2() {
        return Ok(Found::Name);
    }
    Ok(Found::Holes(number & mask, mask))
}

/// A prefix length or a dotted mask.
fn netmask(text: &str, family: Family) -> Read<'_, u128> {
    let bits = family.bits();
    // Octal behind a leading 0, as iptables takes it: `/032` is `/26`.
    if let Some(prefix) = number(text) {
        return match u32::try_from(prefix) {
            Ok(prefix) if prefix <= bits => {
                Ok(family.max() & !u128::MAX.checked_shr(128 - (bits - prefix)).unwrap_or(0))
            }
            _ => {
                let message = format!("the prefix length `{text}` is too large");
                Err(Unread::new(text, message)
                    .help(format!("{} prefixes are at most {bits} bits long", family.word())))
            }
        };
    }
    match whole_ip(text) {
        Some((found, mask)) if found == family => Ok(mask),
        _ => Err(Unread::new(
            text,
            format!("`{text}` is neither a prefix length nor a mask"),
        )),
    }
}

/// An address with all its parts.
fn whole_ip(text: &str) -> Option<(Family, u128)> {
    text.parse::<IpAddr>().ok().map(address::number)
}

/// `ip ::= /(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])(\.(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])){0,3}/`
///
/// An address; `10.1` is the network 10.1.0.0 as iptables completes it.
fn ip(text: &str) -> Option<(Family, u128)> {
    let first = text.as_bytes().first()?;
    if first.is_ascii_digit() && !text.contains(':') {
        if let Ok(v4) = text.parse::<Ipv4Addr>() {
            return Some(address::number(IpAddr::V4(v4)));
        }
        let n_parts = text.split('.').count();
        let padding = [".0.0.0", ".0.0", ".0"].get(n_parts.checked_sub(1)?)?;
        let v4 = format!("{text}{padding}").parse::<Ipv4Addr>().ok()?;
        return Some(address::number(IpAddr::V4(v4)));
    }
    text.parse::<Ipv6Addr>()
        .ok()
        .map(|v6| address::number(IpAddr::V6(v6)))
}

fn is_host_name(text: &str) -> bool {
    let valid = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    let has_letter = text.bytes().any(|byte| byte.is_ascii_alphabetic());
    has_letter && !text.starts_with('-') && text.bytes().all(valid)
}

/// All addresses that a mask with holes lets through: one range for each value of the holes.
fn with_holes(address: u128, mask: u128, bits: u32) -> impl Iterator<Item = (u128, u128)> {
    let host = !mask;
    let tail = u128::MAX.checked_shr(128 - (mask.trailing_zeros())).unwrap_or(0);
    let holes: Vec<u32> = (mask.trailing_zeros()..bits)
        .filter(move |bit| host >> bit & 1 == 1)
        .collect();
    (0u32..1 << holes.len().min(31)).map(move |choice| {
        let set = |(at, bit): (usize, &u32)| u128::from(choice >> at & 1) << bit;
        let low = address | holes.iter().enumerate().map(set).sum::<u128>();
        (low, low | tail)
    })
}

/// `address-range ::= ip ("-" ip)?`
///
/// May end before it starts: no address is in it.
pub(in crate::dialect::iptables) fn address_range(text: &str, family: Family) -> Read<'_, (u128, u128)> {
    let (low, high) = text.split_once('-').unwrap_or((text, text));
    let (low, high) = (one_address(low, family)?, one_address(high, family)?);
    Ok((low, high))
}

fn one_address(text: &str, family: Family) -> Read<'_, u128> {
    match ip(text) {
        Some((found, number)) if found == family => Ok(number),
        _ => Err(Unread::new(
            text,
            format!("`{text}` is not an {} address", family.word()),
        )),
    }
}

/// Where translation leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::dialect::iptables) struct NatAddress {
    /// New address, one of these.
    pub(in crate::dialect::iptables) to: Option<RangeSet>,
    /// New port, one of these.
    pub(in crate::dialect::iptables) ports: Option<RangeSet>,
}

/// IPv6 addresses stand in brackets if a port follows: iptables-extensions(8), "DNAT".
pub(in crate::dialect::iptables) fn nat_address(text: &str, family: Family) -> Read<'_, NatAddress> {
    let (addresses, ports) = match (
        family,
        text.strip_prefix('[').and_then(|rest| rest.split_once(']')),
    ) {
        (Family::V6, Some((addresses, after))) => match after.strip_prefix(':') {
            Some(ports) => (addresses, Some(ports)),
            None if after.is_empty() => (addresses, None),
            None => {
                return Err(
                    Unread::new(after, format!("unexpected `{after}`")).help("a port follows as `:port`")
                );
            }
        },
        (Family::V6, None) => (text, None),
        (Family::V4, _) => match text.split_once(':') {
            Some((addresses, ports)) => (addresses, Some(ports)),
            None => (text, None),
        },
    };
    let to = match addresses {
        "" => None,
        addresses => {
            let (low, high) = address_range(addresses, family)?;
            if low > high {
                let message = format!("the range `{addresses}` ends before it starts");
                return Err(Unread::new(addresses, message));
            }
            Some(RangeSet::range(low, high))
        }
    };
    let ports = ports.map(to_ports).transpose()?;
    if to.is_none() && ports.is_none() {
        return Err(Unread::new(text, "neither an address nor a port"));
    }
    Ok(NatAddress { to, ports })
}
