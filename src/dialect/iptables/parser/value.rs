//! Values: ports, addresses, flags, states, marks.
//!
//! Each reader takes a whole argument and says of the smallest part of it why it cannot be read.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use nom::bytes::complete::take_till1;
use nom::character::complete::char;
use nom::combinator::{all_consuming, opt, rest};
use nom::{IResult, Parser};

use crate::dialect::iptables::ast::{Read, Unread};
use crate::dialect::iptables::names::{icmp_type, icmpv6_type, port_by_name};
use crate::packet::protocol::protocol_by_name;
use crate::packet::{Family, RangeSet, address, value};

/// At most so many ranges come of one mask with holes; beyond, the address is not modelled.
const MAX_MASK_RANGES: u32 = 256;

/// `number ::= /0[xX][0-9a-fA-F]+|[0-9]+/`
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

/// `protocol ::= number | /[a-zA-Z][a-zA-Z0-9.-]*/`
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

/// Ports of one argument.
pub(in crate::dialect::iptables) type Ports = RangeSet;

/// `port ::= number | service`
fn port(text: &str) -> Read<'_, u16> {
    let help = "a port is a number from 0 to 65535 or the name of a service";
    if let Some(number) = number(text) {
        return u16::try_from(number)
            .map_err(|_| Unread::new(text, format!("`{text}` is not a port")).help(help));
    }
    port_by_name(text).ok_or_else(|| {
        let unread = Unread::new(text, format!("`{text}` is not a port"));
        match text.split_once('-') {
            Some((low, high)) if number(low).is_some() => {
                unread.help(format!("write the range as `{low}:{high}`"))
            }
            _ => unread.help(help),
        }
    })
}

/// The parts of `a:b`, `:b`, `a:` and `a`: what is left of the colon, and what is right of it if there is one.
fn around(separator: char) -> impl FnMut(&str) -> IResult<&str, (Option<&str>, Option<&str>)> {
    move |input| {
        let side = take_till1(move |char| char == separator);
        all_consuming((opt(side), opt((char(separator), rest).map(|(_, right)| right)))).parse(input)
    }
}

/// `port-range ::= port | port? ":" port?`
///
/// May end before it starts: iptables took that for long, and no port is in it.
pub(in crate::dialect::iptables) fn port_range(text: &str) -> Read<'_, (u16, u16)> {
    let (low, high) = match around(':')(text) {
        Ok((_, (low, Some(high)))) => (low.unwrap_or(""), high),
        _ => return port(text).map(|port| (port, port)),
    };
    let low = if low.is_empty() { 0 } else { port(low)? };
    let high = if high.is_empty() { u16::MAX } else { port(high)? };
    Ok((low, high))
}

/// `port-list ::= port-range ( "," port-range )*`
///
/// "Up to 15 ports can be specified. A port range (port:port) counts as two ports": iptables-extensions(8), "multiport".
pub(in crate::dialect::iptables) fn port_list(text: &str) -> Read<'_, Ports> {
    let mut ranges = Vec::new();
    let mut slots = 0;
    for part in text.split(',') {
        slots += if part.contains(':') { 2 } else { 1 };
        if slots > 15 {
            return Err(Unread::new(text, "more than 15 ports")
                .help("a list has at most 15 ports, and a range counts as two"));
        }
        let (low, high) = port_range(part)?;
        if low > high {
            return Err(Unread::new(
                part,
                format!("the range `{part}` ends before it starts"),
            ));
        }
        ranges.push((u128::from(low), u128::from(high)));
    }
    Ok(RangeSet::from_ranges(ranges))
}

/// The addresses of one argument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::dialect::iptables) enum Address {
    /// These.
    Ranges(RangeSet),
    /// Known to a person, but not modelled: a host name, or a mask with too many holes.
    Unknown(String),
}

/// `addresses ::= address ( "," address )*`
pub(in crate::dialect::iptables) fn addresses(text: &str, family: Family) -> Read<'_, (Address, usize)> {
    let mut ranges = Vec::new();
    let mut unknown = None;
    let mut count = 0;
    for part in text.split(',') {
        count += 1;
        match network(part, family)? {
            Found::Block(low, high) => ranges.push((low, high)),
            Found::Holes(address, mask) if count <= 16 => {
                ranges.extend(with_holes(address, mask, family.bits()))
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

/// `address ::= ip ( "/" ( prefix | mask ) )?`
fn network(text: &str, family: Family) -> Read<'_, Found> {
    let (base, mask) = match text.split_once('/') {
        Some((base, mask)) => (base, Some(mask)),
        None => (text, None),
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
    let all = family.max();
    let mask = match mask {
        None => all,
        Some(mask) => netmask(mask, family)?,
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
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits {
        return match text.parse::<u32>() {
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
    match ip(text) {
        Some((found, mask)) if found == family => Ok(mask),
        _ => Err(Unread::new(
            text,
            format!("`{text}` is neither a prefix length nor a mask"),
        )),
    }
}

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
    text.bytes().any(|byte| byte.is_ascii_alphabetic()) && text.bytes().all(valid)
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

/// `address-range ::= ip ( "-" ip )?`
pub(in crate::dialect::iptables) fn range_of_addresses(text: &str, family: Family) -> Read<'_, (u128, u128)> {
    let (low, high) = match text.split_once('-') {
        Some((low, high)) => (one_address(low, family)?, one_address(high, family)?),
        None => {
            let one = one_address(text, family)?;
            (one, one)
        }
    };
    if low > high {
        return Err(Unread::new(
            text,
            format!("the range `{text}` ends before it starts"),
        ));
    }
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

/// `interface ::= /[^\s\/!]{1,15}/`
///
/// `None` stands for `+`: any.
pub(in crate::dialect::iptables) fn interface(text: &str) -> Read<'_, Option<(u128, u128)>> {
    if text == "+" {
        return Ok(None);
    }
    if text.is_empty() || text.len() > value::MAX_INTERFACE_BYTES {
        let message = format!("`{text}` is not the name of an interface");
        return Err(Unread::new(text, message).help("interface names are 1 to 15 bytes long"));
    }
    Ok(Some(match text.strip_suffix('+') {
        Some(prefix) => value::interface_prefix(prefix),
        None => (value::interface(text), value::interface(text)),
    }))
}

/// `mark ::= number ( "/" number )?`
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

/// `flags ::= "ALL" | "NONE" | flag ( "," flag )*`
pub(in crate::dialect::iptables) fn tcp_flags(text: &str) -> Read<'_, u8> {
    let mut bits = 0;
    for flag in text.split(',') {
        bits |= match flag.to_ascii_uppercase().as_str() {
            "FIN" => 1,
            "SYN" => 2,
            "RST" => 4,
            "PSH" => 8,
            "ACK" => 16,
            "URG" => 32,
            "ALL" => 63,
            "NONE" => 0,
            _ => match number(flag).and_then(|number| u8::try_from(number).ok()) {
                Some(number) => number,
                None => {
                    let message = format!("`{flag}` is not a TCP flag");
                    return Err(Unread::new(flag, message)
                        .help("the flags are FIN, SYN, RST, PSH, ACK, URG, ALL and NONE"));
                }
            },
        };
    }
    Ok(bits)
}

/// `icmp-types ::= number ( "/" number ( ":" number )? )? | /[a-zA-Z][a-zA-Z-]*/`
///
/// `None` stands for any. In IPv4, type 255 matches any type: the kernel's `icmp_type_code_match`.
pub(in crate::dialect::iptables) fn icmp_types(text: &str, family: Family) -> Read<'_, Option<RangeSet>> {
    let wrong = |part| {
        let message = format!(
            "`{part}` is not an {} type",
            if family == Family::V4 { "ICMP" } else { "ICMPv6" }
        );
        Unread::new(part, message).help("write a number, `type/code`, or a name such as `echo-request`")
    };
    let byte = |part| {
        number(part)
            .and_then(|number| u8::try_from(number).ok())
            .ok_or_else(|| wrong(part))
    };
    let (kind, codes) = match around('/')(text) {
        Ok((_, (Some("any"), None))) if family == Family::V4 => return Ok(None),
        Ok((_, (Some(kind), Some(code)))) => {
            let (low, high) = code.split_once(':').unwrap_or((code, code));
            (byte(kind)?, (byte(low)?, byte(high)?))
        }
        _ if text.starts_with(|char: char| char.is_ascii_digit()) => (byte(text)?, (0, 255)),
        _ => {
            let named = if family == Family::V4 {
                icmp_type(text)
            } else {
                icmpv6_type(text)
            };
            named.ok_or_else(|| wrong(text))?
        }
    };
    if kind == 255 && family == Family::V4 {
        return Ok(None);
    }
    let first = u128::from(kind) << 8;
    Ok(Some(RangeSet::range(
        first + u128::from(codes.0),
        first + u128::from(codes.1),
    )))
}

/// The states of one list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::dialect::iptables) struct States {
    /// Values of `Field::State`.
    pub(in crate::dialect::iptables) states: RangeSet,
    /// `SNAT` is in the list.
    pub(in crate::dialect::iptables) snat: bool,
    /// `DNAT` is in the list.
    pub(in crate::dialect::iptables) dnat: bool,
}

/// `states ::= state ( "," state )*`
pub(in crate::dialect::iptables) fn states(text: &str) -> Read<'_, States> {
    let (mut bits, mut snat, mut dnat) = (0u8, false, false);
    for part in text.split(',') {
        let bit = match part.to_ascii_uppercase().as_str() {
            "NEW" => value::NEW,
            "ESTABLISHED" => value::ESTABLISHED,
            "RELATED" => value::RELATED,
            "INVALID" => value::INVALID,
            "UNTRACKED" => value::UNTRACKED,
            "SNAT" => {
                snat = true;
                continue;
            }
            "DNAT" => {
                dnat = true;
                continue;
            }
            _ => {
                let message = format!("`{part}` is not a connection state");
                let help = "the states are NEW, ESTABLISHED, RELATED, INVALID, UNTRACKED, SNAT and DNAT";
                return Err(Unread::new(part, message).help(help));
            }
        };
        bits |= 1 << bit;
    }
    let states = (0..5u128)
        .filter(|state| bits >> state & 1 == 1)
        .map(|state| (state, state))
        .collect();
    Ok(States { states, snat, dnat })
}

/// Address classes of one list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::dialect::iptables) struct Classes {
    /// Classes that are wholly meant.
    pub(in crate::dialect::iptables) whole: RangeSet,
    /// Classes of which the list means a part.
    pub(in crate::dialect::iptables) part: RangeSet,
}

/// Name, class, and its bit among the parts of the class.
const CLASSES: &[(&str, u128, u8)] = &[
    ("UNSPEC", value::UNSPECIFIED, 1),
    ("UNICAST", value::UNICAST, 1),
    ("LOCAL", value::LOCAL, 1),
    ("BROADCAST", value::BROADCAST, 1),
    ("ANYCAST", value::ANYCAST, 1),
    ("MULTICAST", value::MULTICAST, 1),
    ("BLACKHOLE", value::REFUSED, 1),
    ("UNREACHABLE", value::REFUSED, 2),
    ("PROHIBIT", value::REFUSED, 4),
    ("THROW", value::OTHER_CLASS, 1),
    ("NAT", value::OTHER_CLASS, 2),
    ("XRESOLVE", value::OTHER_CLASS, 4),
];

/// `class-list ::= class ( "," class )*`
pub(in crate::dialect::iptables) fn class_list(text: &str) -> Read<'_, Classes> {
    let mut parts = [0u8; 8];
    for name in text.split(',') {
        let Some((_, class, bit)) = CLASSES.iter().find(|entry| entry.0.eq_ignore_ascii_case(name)) else {
            let message = format!("`{name}` is not an address type");
            return Err(Unread::new(name, message)
                .help("the types are LOCAL, UNICAST, BROADCAST, MULTICAST and the like"));
        };
        if let Some(part) = parts
            .iter_mut()
            .zip(0..)
            .find(|(_, at)| at == class)
            .map(|(part, _)| part)
        {
            *part |= bit;
        }
    }
    let all_of = |class| {
        CLASSES
            .iter()
            .filter(|entry| entry.1 == class)
            .map(|entry| entry.2)
            .sum::<u8>()
    };
    let with = |whole: bool| -> RangeSet {
        let chosen = parts
            .iter()
            .zip(0u128..)
            .filter(|(part, class)| **part != 0 && (**part == all_of(*class)) == whole);
        chosen.map(|(_, class)| (class, class)).collect()
    };
    Ok(Classes {
        whole: with(true),
        part: with(false),
    })
}

/// Where translation leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::dialect::iptables) struct NatAddress {
    /// New address, one of these.
    pub(in crate::dialect::iptables) to: Option<RangeSet>,
    /// New port, one of these.
    pub(in crate::dialect::iptables) ports: Option<RangeSet>,
}

/// `nat-address ::= address-range? ( ":" to-ports )?`
///
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
            let (low, high) = range_of_addresses(addresses, family)?;
            Some(RangeSet::range(low, high))
        }
    };
    let ports = ports.map(to_ports).transpose()?;
    Ok(NatAddress { to, ports })
}

/// `to-ports ::= port ( "-" port ( "/" port )? )?`
pub(in crate::dialect::iptables) fn to_ports(text: &str) -> Read<'_, RangeSet> {
    let ports = text.split_once('/').map_or(text, |(ports, _base)| ports);
    // A name may have a dash in it: `ftp-data`.
    if let Ok(port) = port(ports) {
        return Ok(RangeSet::point(u128::from(port)));
    }
    let (low, high) = match around('-')(ports) {
        Ok((_, (Some(low), Some(high)))) => (port(low)?, port(high)?),
        _ => {
            let port = port(ports)?;
            (port, port)
        }
    };
    if low > high {
        return Err(Unread::new(
            ports,
            format!("the range `{ports}` ends before it starts"),
        ));
    }
    Ok(RangeSet::range(u128::from(low), u128::from(high)))
}
