//! Ports, ranges and lists of them.

use super::{around, number};
use crate::dialect::iptables::ast::{Read, Unread};
use crate::dialect::iptables::names::port_by_name;
use crate::packet::RangeSet;

/// `port ::=
///     /[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]|0+([0-7]{0,5}|1[0-7]{5})|0[xX]0{0,}[0-9a-fA-F]{1,4}|ssh|https?|domain/`
fn port(text: &str) -> Read<'_, u16> {
    port_of(number(text), text)
}

/// `decimal-port ::=
///     /0{0,}([0-9]{1,4}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])|ssh|https?|domain/`
///
/// A leading 0 says nothing.
fn decimal_port(text: &str) -> Read<'_, u16> {
    port_of(text.parse().ok().filter(|_| !text.starts_with('+')), text)
}

/// A port that is this number, or has a name.
fn port_of(number_of_it: Option<u64>, text: &str) -> Read<'_, u16> {
    let help = "a port is a number from 0 to 65535 or the name of a service";
    if let Some(number) = number_of_it {
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

/// `port-range ::= port | port? ":" port?`
///
/// May end before it starts: iptables took that for long, and no port is in it.
pub(in crate::dialect::iptables) fn port_range(text: &str) -> Read<'_, (u16, u16)> {
    range_of(text, port)
}

/// `decimal-range ::= decimal-port | decimal-port? ":" decimal-port?`
///
/// The ports of UDP and DCCP, whose numbers are never octal.
pub(in crate::dialect::iptables) fn decimal_range(text: &str) -> Read<'_, (u16, u16)> {
    range_of(text, decimal_port)
}

fn range_of<'a>(text: &'a str, port: impl Fn(&'a str) -> Read<'a, u16>) -> Read<'a, (u16, u16)> {
    let (low, high) = match around(':')(text) {
        Ok((_, (low, Some(high)))) => (low.unwrap_or(""), high),
        _ => return port(text).map(|port| (port, port)),
    };
    let low = if low.is_empty() { 0 } else { port(low)? };
    let high = if high.is_empty() { u16::MAX } else { port(high)? };
    Ok((low, high))
}

/// `port-list ::= port-range ("," port-range)*`
///
/// Returns the first range that ends before it starts beside the ports.
/// "Up to 15 ports can be specified. A port range (port:port) counts as two ports": iptables-extensions(8), "multiport".
pub(in crate::dialect::iptables) fn port_list(text: &str) -> Read<'_, (RangeSet, Option<&str>)> {
    let mut ranges = Vec::new();
    let mut empty = None;
    let mut slots = 0;
    for part in text.split(',') {
        slots += if part.contains(':') { 2 } else { 1 };
        if slots > 15 {
            return Err(Unread::new(text, "more than 15 ports")
                .help("a list has at most 15 ports, and a range counts as two"));
        }
        let (low, high) = port_range(part)?;
        if low > high {
            empty.get_or_insert(part);
        }
        ranges.push((u128::from(low), u128::from(high)));
    }
    Ok((RangeSet::from_ranges(ranges), empty))
}

pub(in crate::dialect::iptables) fn to_ports(text: &str) -> Read<'_, RangeSet> {
    let (ports, base) = match text.split_once('/') {
        Some((ports, base)) => (ports, Some(base)),
        None => (text, None),
    };
    // "A base port […] 1 to 65535": iptables-extensions(8), "DNAT".
    if let Some(base) = base.filter(|base| !matches!(port(base), Ok(1..))) {
        return Err(Unread::new(base, format!("`{base}` is not a port to count from")));
    }
    // A name may have a dash in it: `ftp-data`.
    if let Ok(port) = port(ports) {
        return Ok(RangeSet::point(u128::from(port)));
    }
    let Ok((_, (Some(low), Some(high)))) = around('-')(ports) else {
        return port(ports).map(|port| RangeSet::point(u128::from(port)));
    };
    if let Some(name) = [low, high].into_iter().find(|end| number(end).is_none()) {
        return Err(Unread::new(name, format!("`{name}` is not a number"))
            .help("the ends of a range have no names here"));
    }
    let (low, high) = (port(low)?, port(high)?);
    if low > high {
        return Err(Unread::new(
            ports,
            format!("the range `{ports}` ends before it starts"),
        ));
    }
    Ok(RangeSet::range(u128::from(low), u128::from(high)))
}
