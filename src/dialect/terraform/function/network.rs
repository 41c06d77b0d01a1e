//! Functions of addresses: `cidrsubnet` and its family.
//!
//! Terraform, "IP Network Functions". INVARIANT: host bits of a prefix are cleared first, as Terraform does.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::Function;
use super::arguments::Arguments;
use crate::dialect::terraform::value::{Item, ListKind, Outcome, Value, fault};

pub(super) const TABLE: &[(&str, Function)] = &[
    ("cidrcontains", |call| {
        let outer = prefix(&call.text(0)?)?;
        let inner = call.text(1)?;
        let inner = if inner.contains('/') {
            prefix(&inner)?
        } else {
            prefix(&format!("{inner}/{}", outer.width))?
        };
        let contains = inner.width == outer.width
            && inner.length >= outer.length
            && masked(inner.bits, outer) == outer.bits;
        Ok(call.bool(contains))
    }),
    ("cidrhost", cidrhost),
    ("cidrnetmask", |call| {
        let prefix = prefix(&call.text(0)?)?;
        if prefix.width != 32 {
            return fault("only IPv4 has netmasks");
        }
        Ok(call.string(address(mask(prefix), 32)))
    }),
    ("cidrsubnet", |call| {
        let prefix = prefix(&call.text(0)?)?;
        let (new_bits, number) = (call.whole(1)?, call.whole(2)?);
        let Some(length) = u32::try_from(new_bits)
            .ok()
            .and_then(|bits| prefix.length.checked_add(bits))
            .filter(|length| *length <= prefix.width)
        else {
            return fault("there are not so many bits left in the prefix");
        };
        let n_subnets = 1_i128
            .checked_shl(length - prefix.length)
            .filter(|_| length - prefix.length < 127);
        let number = if number < 0 {
            n_subnets.map_or(number, |n_subnets| n_subnets + number)
        } else {
            number
        };
        let fits = number >= 0 && n_subnets.is_none_or(|n_subnets| number < n_subnets);
        let Some(number) = u128::try_from(number).ok().filter(|_| fits) else {
            return fault("there are not so many subnets in the prefix");
        };
        let shifted = number.checked_shl(prefix.width - length).unwrap_or(0);
        Ok(call.string(format!(
            "{}/{length}",
            address(prefix.bits | shifted, prefix.width)
        )))
    }),
    ("cidrsubnets", cidrsubnets),
];

/// An address with a length; `bits` are its low `width` bits, those behind the length cleared.
#[derive(Clone, Copy)]
struct Prefix {
    bits: u128,
    length: u32,
    width: u32,
}

fn mask(prefix: Prefix) -> u128 {
    let all = u128::MAX.checked_shr(128 - prefix.width).unwrap_or(0);
    let host = all.checked_shr(prefix.length + 128 - 128).unwrap_or(0);
    if prefix.length == 0 { 0 } else { all & !host }
}

fn masked(bits: u128, by: Prefix) -> u128 {
    bits & mask(by)
}

fn prefix(text: &str) -> Outcome<Prefix> {
    let parsed = text.split_once('/').and_then(|(address, length)| {
        let is_digits = length.bytes().all(|byte| byte.is_ascii_digit());
        let length: u32 = length.parse().ok().filter(|_| is_digits)?;
        let (bits, width) = match address.parse::<IpAddr>().ok()? {
            IpAddr::V4(address) => (u128::from(u32::from(address)), 32),
            IpAddr::V6(address) => (u128::from(address), 128),
        };
        (length <= width).then_some(Prefix { bits, length, width })
    });
    match parsed {
        Some(prefix) => Ok(Prefix {
            bits: masked(prefix.bits, prefix),
            ..prefix
        }),
        None => fault(format!("`{text}` is no prefix in CIDR notation")),
    }
}

fn address(bits: u128, width: u32) -> String {
    match (width, u32::try_from(bits)) {
        (32, Ok(bits)) => Ipv4Addr::from(bits).to_string(),
        _ => Ipv6Addr::from(bits).to_string(),
    }
}

/// A negative number counts from the end of the prefix.
fn cidrhost(call: &Arguments<'_, '_>) -> Outcome<Value> {
    let prefix = prefix(&call.text(0)?)?;
    let number = call.whole(1)?;
    let host_bits = prefix.width - prefix.length;
    let largest = if host_bits == 0 {
        0
    } else {
        u128::MAX.checked_shr(128 - host_bits).unwrap_or(0)
    };
    let host = match u128::try_from(number) {
        Ok(number) => Some(number),
        Err(_) => largest.checked_sub(number.unsigned_abs() - 1),
    };
    match host.filter(|host| *host <= largest) {
        Some(host) => Ok(call.string(address(prefix.bits | host, prefix.width))),
        None => fault("the prefix has not so many addresses"),
    }
}

/// Subnets one behind the other, each aligned to its own size.
fn cidrsubnets(call: &Arguments<'_, '_>) -> Outcome<Value> {
    let whole = prefix(&call.text(0)?)?;
    let mut items = Vec::new();
    let mut next: u128 = 0;
    let end = 1_u128.checked_shl(whole.width - whole.length);
    for at in 1..call.len() {
        let bits = u32::try_from(call.whole(at)?).ok().filter(|bits| *bits > 0);
        let length = bits
            .and_then(|bits| whole.length.checked_add(bits))
            .filter(|length| *length <= whole.width);
        let Some(length) = length else {
            return fault("there are not so many bits left in the prefix");
        };
        let size = 1_u128.checked_shl(whole.width - length).unwrap_or(u128::MAX);
        let start = next.div_ceil(size).saturating_mul(size);
        next = start.saturating_add(size);
        if end.is_some_and(|end| next > end) {
            return fault("there is no room left in the prefix");
        }
        let text = format!("{}/{length}", address(whole.bits | start, whole.width));
        items.push(Item::sure(call.string(text)));
    }
    Ok(call.list_of(ListKind::List, items))
}
