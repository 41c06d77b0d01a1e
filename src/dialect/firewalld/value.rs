//! The values of attributes: ports, protocols, addresses, marks.
//!
//! INVARIANT: what firewalld refuses is `None`.

use crate::dialect::iptables::port_by_name;
use crate::packet::protocol::{number, protocol_by_name};
use crate::packet::{Network, RangeSet};

/// A protocol with ports: firewalld.zone(5), "port".
pub(super) fn transport(text: &str) -> Option<u8> {
    Some(match text {
        "tcp" => number::TCP,
        "udp" => number::UDP,
        "sctp" => number::SCTP,
        "dccp" => number::DCCP,
        _ => return None,
    })
}

/// Any protocol, by number or by its name in `/etc/protocols`.
pub(super) fn protocol(text: &str) -> Option<u8> {
    digits::<u8>(text).or_else(|| protocol_by_name(text))
}

/// A port or a range of them, `80` or `5000-5010`; a range of one port or none is refused.
pub(super) fn ports(text: &str) -> Option<RangeSet> {
    if let Some(port) = port(text) {
        return Some(RangeSet::point(port.into()));
    }
    let (low, high) = text.split_once('-')?;
    let (low, high) = (port(low)?, port(high)?);
    (low < high).then(|| RangeSet::range(low.into(), high.into()))
}

/// By number or by its name in `/etc/services`.
fn port(text: &str) -> Option<u16> {
    let text = text.trim();
    digits(text).or_else(|| port_by_name(text))
}

/// A decimal number without a sign.
fn digits<N: std::str::FromStr>(text: &str) -> Option<N> {
    text.bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| text.parse().ok())
        .flatten()
}

/// An address or a network, `10.0.0.0/8` or `10.0.0.0/255.0.0.0`.
pub(super) fn network(text: &str) -> Option<Network> {
    if text.contains('-') {
        return None;
    }
    text.parse().ok()
}

/// A MAC address in one spelling.
pub(super) fn mac(text: &str) -> Option<String> {
    let is_byte = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_hexdigit());
    let mac = text.len() == 17 && text.split(':').all(is_byte);
    mac.then(|| text.to_ascii_lowercase())
}

/// Which bits a mark clears and which it then flips, `0x10` or `0x10/0xff`: firewalld.richlanguage(5), "Action".
///
/// nftables is sent `mark set mark & MASK ^ VALUE`.
pub(super) fn mark(text: &str) -> Option<(u32, u32)> {
    match text.split_once('/') {
        Some((value, mask)) => Some((!mark_number(mask)?, mark_number(value)?)),
        None => Some((u32::MAX, mark_number(text)?)),
    }
}

fn mark_number(text: &str) -> Option<u32> {
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(hex) if !hex.starts_with('+') => u32::from_str_radix(hex, 16).ok(),
        Some(_) => None,
        None => digits(text),
    }
}

/// The priority of a zone, policy or rule: -32768 to 32767.
pub(super) fn priority(text: &str) -> Option<i32> {
    text.trim().parse::<i16>().ok().map(i32::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_numbers_names_or_ranges_of_two() {
        assert_eq!(ports("22"), Some(RangeSet::point(22)));
        assert_eq!(ports("ssh"), Some(RangeSet::point(22)));
        assert_eq!(ports("5000-5010"), Some(RangeSet::range(5000, 5010)));
        for refused in ["", "65536", "9-9", "9-8", "-1", "+1", "1:2", "nobody"] {
            assert_eq!(ports(refused), None, "{refused}");
        }
    }

    #[test]
    fn a_mark_with_a_mask_is_what_nft_is_sent() {
        assert_eq!(mark("0x6600/0xFF00"), Some((!0xff00, 0x6600)));
        assert_eq!(mark("1234"), Some((u32::MAX, 1234)));
        assert_eq!(mark("0x"), None);
    }
}
