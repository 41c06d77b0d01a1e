//! Values: numbers, protocols and marks here, the rest by subject.
//!
//! Each reader takes a whole argument and says of the smallest part of it why it cannot be read.

mod address;
mod argument;
mod list;
mod port;

use nom::bytes::complete::take_till1;
use nom::character::complete::char;
use nom::combinator::{all_consuming, opt, rest};
use nom::{IResult, Parser};

pub(in crate::dialect::iptables) use address::{Address, address_range, addresses, nat_address};
pub(in crate::dialect::iptables) use argument::argument;
pub(in crate::dialect::iptables) use list::{States, class_list, icmp_types, states, tcp_flags};
pub(in crate::dialect::iptables) use port::{decimal_range, port_list, port_range, to_ports};

use crate::dialect::iptables::ast::{Read, Unread};
use crate::packet::protocol::protocol_by_name;
use crate::packet::value;

/// The parts of `a:b`, `:b`, `a:` and `a`: what is left of the colon, and what is right of it if there is one.
pub(super) fn around(separator: char) -> impl FnMut(&str) -> IResult<&str, (Option<&str>, Option<&str>)> {
    move |input| {
        let side = take_till1(move |char| char == separator);
        all_consuming((opt(side), opt((char(separator), rest).map(|(_, right)| right)))).parse(input)
    }
}

/// `number ::=
///     /[1-9][0-9]{0,8}|[1-3][0-9]{9}|4[01][0-9]{8}|42[0-8][0-9]{7}|429[0-3][0-9]{6}|4294[0-8][0-9]{5}|42949[0-5][0-9]{4}|429496[0-6][0-9]{3}|4294967[01][0-9]{2}|42949672[0-8][0-9]|429496729[0-5]|0+([0-7]{0,10}|[1-3][0-7]{10})|0[xX]0{0,}[0-9a-fA-F]{1,8}/`
///
/// Decimal, `0x` hexadecimal, or octal behind a leading 0, as strtoul(3) with base 0 reads it.
pub(in crate::dialect::iptables) fn number(text: &str) -> Option<u64> {
    let (digits, radix) = match text.as_bytes() {
        [b'0', b'x' | b'X', ..] => (text.get(2..)?, 16),
        [b'0', _, ..] => (text.get(1..)?, 8),
        _ => (text, 10),
    };
    if digits.starts_with('+') {
        return None;
    }
    u64::from_str_radix(digits, radix).ok()
}

/// `protocol ::=
///     /tcp|udp|icmp|sctp|esp|gre|vrrp|all|25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9][0-9]?|0+([0-7]{0,2}|[1-3][0-7]{2})/`
///
/// 0 is every protocol: iptables(8), "-p".
pub(in crate::dialect::iptables) fn protocol(text: &str) -> Option<u8> {
    match text {
        "tcp" => Some(6),
        "udp" => Some(17),
        _ if text.eq_ignore_ascii_case("all") => Some(0),
        _ => match number(text) {
            Some(number) => u8::try_from(number).ok(),
            None => protocol_by_name(text),
        },
    }
}

/// `mark ::= number ("/" number)?`
///
/// Value and mask, both of 32 bits.
pub(in crate::dialect::iptables) fn mark(text: &str) -> Read<'_, (u32, u32)> {
    let part = |text| {
        let found = number(text).and_then(|number| u32::try_from(number).ok());
        found.ok_or_else(|| {
            Unread::new(text, format!("`{text}` is not a mark")).help("marks are numbers of 32 bits")
        })
    };
    match around('/')(text) {
        Ok((_, (Some(value), Some(mask)))) => Ok((part(value)?, part(mask)?)),
        _ => Ok((part(text)?, u32::MAX)),
    }
}

/// `interface ::= /[^!"'\/ \t\n]{1,15}/`
///
/// `None` stands for `+`: any.
pub(in crate::dialect::iptables) fn interface(text: &str) -> Read<'_, Option<(u128, u128)>> {
    if text == "+" {
        return Ok(None);
    }
    if text.is_empty() || text.len() > value::MAX_INTERFACE_BYTES || text.contains(['/', '!', '"', '\'']) {
        let message = format!("`{text}` is not the name of an interface");
        return Err(Unread::new(text, message)
            .help("interface names are 1 to 15 bytes long, without quotes, `/` and `!`"));
    }
    Ok(Some(match text.strip_suffix('+') {
        Some(prefix) => value::interface_prefix(prefix),
        None => (value::interface(text), value::interface(text)),
    }))
}
