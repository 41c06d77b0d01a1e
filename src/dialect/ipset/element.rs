//! Elements: what `10.0.0.0/8,tcp:80-90` says, part by part.
//!
//! INVARIANT: a part is a range of one number: addresses, protocol times 65,536 plus port, names of interfaces, marks.

use super::ast::{Change, Create, Read, Unread};
use super::names::Part;
use super::sets::Set;
use crate::dialect::iptables::{icmp_type, icmpv6_type, port_by_name};
use crate::packet::protocol::number::{ICMP, ICMPV6, SCTP, TCP, UDP, UDPLITE};
use crate::packet::protocol::protocol_by_name;
use crate::packet::{Family, Network, value};

/// Parts that an element may have.
pub(super) const MAX_PARTS: usize = 3;

/// One element, read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Member {
    /// One for each part; those of parts that it has not are 0.
    pub(super) parts: [(u128, u128); MAX_PARTS],
    /// It may be gone, or asks something of a packet that is not modelled.
    pub(super) is_unsure: bool,
    /// `nomatch`: an exception.
    pub(super) is_exception: bool,
}

/// All elements of a set. Each has been read once, and had no fault.
pub(super) fn members(set: &Set<'_>) -> Vec<Member> {
    let read = set.elements.iter().map(|change| member(&set.create, change));
    read.filter_map(Result::ok).collect()
}

/// `member ::= /[^ \t\n"]+/`
///
/// Reads an element of a set. A set of a list is no element of packets.
pub(super) fn member<'a>(set: &Create<'a>, change: &Change<'a>) -> Read<'a, Member> {
    let mut member = Member {
        parts: [(0, 0); MAX_PARTS],
        is_unsure: change.timeout.or(set.timeout).is_some_and(|seconds| seconds > 0),
        is_exception: change.nomatch,
    };
    if change.nomatch && !set.kind.has_networks() {
        let message = format!("`nomatch` is no option of an element of a `{}`", set.kind.name);
        return Err(Unread::new(change.element, message));
    }
    let mut written = change.element.split(',');
    for (at, part) in set.kind.parts.iter().enumerate() {
        let Some(text) = written.next() else {
            let may_lack = *part == Part::Mac && set.kind.is_bitmap();
            member.is_unsure |= may_lack;
            if may_lack {
                continue;
            }
            return Err(mismatch(set, change.element));
        };
        let range = range_of(set, *part, text, change.wildcard, &mut member)?;
        if let Some(place) = member.parts.get_mut(at) {
            *place = range;
        }
    }
    match written.next() {
        None => Ok(member),
        Some(_) => Err(mismatch(set, change.element)),
    }
}

fn mismatch<'a>(set: &Create<'_>, element: &'a str) -> Unread<'a> {
    let message = format!("`{element}` is no element of a `{}`", set.kind.name);
    Unread::new(element, message)
        .help("its parts are those that the name of the type lists, with `,` between")
}

fn range_of<'a>(
    set: &Create<'_>,
    part: Part,
    text: &'a str,
    is_wild: bool,
    member: &mut Member,
) -> Read<'a, (u128, u128)> {
    let family = set.family.unwrap_or(Family::V4);
    match part {
        Part::Ip | Part::Net => {
            let found = network(text, family)?;
            let is_one = found.low == found.high;
            let is_block = found.prefix().is_some() && !text.contains('-');
            if family == Family::V6 && !(is_one || part == Part::Net && is_block) {
                return Err(Unread::new(text, format!("`{text}` is not one IPv6 address")));
            }
            if part == Part::Net && found == Network::all(family) && !takes_all(set) {
                let help = "write its two halves, such as `0.0.0.0/1` and `128.0.0.0/1`";
                return Err(
                    Unread::new(text, format!("`{text}` cannot be in a `{}`", set.kind.name)).help(help),
                );
            }
            if let Some((low, high)) = set.range.filter(|_| set.kind.is_bitmap())
                && (found.low < low || found.high > high)
            {
                return Err(Unread::new(
                    text,
                    format!("`{text}` is outside of the range of its set"),
                ));
            }
            Ok(masked(set, part, found, member))
        }
        Part::Port if set.kind.is_bitmap() => {
            let (low, high) = port_range(text.rsplit(':').next().unwrap_or(text))?;
            match set.range {
                Some(range) if low < range.0 || high > range.1 => Err(Unread::new(
                    text,
                    format!("`{text}` is outside of the range of its set"),
                )),
                _ => Ok((low, high)),
            }
        }
        Part::Port => service(text, family),
        Part::Mac => {
            member.is_unsure = true;
            let bytes: Vec<_> = text.split(':').collect();
            let is_byte =
                |byte: &&str| byte.len() == 2 && byte.bytes().all(|digit| digit.is_ascii_hexdigit());
            if bytes.len() != 6 || !bytes.iter().all(is_byte) {
                return Err(Unread::new(text, format!("`{text}` is not a hardware address")));
            }
            Ok((0, 0))
        }
        Part::Interface => {
            // Its bucket is another, but for chance: whether it hides wider networks is not known.
            member.is_unsure |= text.starts_with("physdev:");
            interface(text, is_wild)
        }
        Part::Mark => mark(text).map(|mark| {
            let mark = u128::from(mark & set.mark_mask);
            (mark, mark)
        }),
        Part::Set => Ok((0, 0)),
    }
}

/// Whether the kernel takes the network of all addresses: only where a prefix length of 0 is no end mark to it.
fn takes_all(set: &Create<'_>) -> bool {
    matches!(
        set.kind.name,
        "hash:net,iface" | "hash:net,net" | "hash:net,port,net"
    )
}

/// All addresses that are `found` under the set's mask.
fn masked(set: &Create<'_>, part: Part, found: Network, member: &mut Member) -> (u128, u128) {
    let Some(mask) = set.mask else {
        return (found.low, found.high);
    };
    let rest = found.family.max() & !mask;
    if part == Part::Net || rest & rest.wrapping_add(1) != 0 {
        // The kernel compares what is left of both under the mask: not modelled.
        member.is_unsure = true;
        return (0, found.family.max());
    }
    (found.low & mask, found.high | rest)
}

/// An address, a network, or a range of addresses.
pub(super) fn network(text: &str, family: Family) -> Read<'_, Network> {
    let wrong = || {
        Unread::new(
            text,
            format!("`{text}` is not an {} address or network", family.word()),
        )
    };
    let network: Network = text.parse().map_err(|_| wrong())?;
    (network.family == family).then_some(network).ok_or_else(wrong)
}

/// A port or a range of ports.
pub(super) fn port_range(text: &str) -> Read<'_, (u128, u128)> {
    if let Some(port) = port(text) {
        return Ok((port, port));
    }
    let ends = text
        .split_once('-')
        .and_then(|(low, high)| Some((port(low)?, port(high)?)));
    ends.filter(|(low, high)| low <= high)
        .ok_or_else(|| Unread::new(text, format!("`{text}` is not a port or a range of ports")))
}

fn port(text: &str) -> Option<u128> {
    match text.parse::<u16>() {
        Ok(port) if !text.starts_with('+') => Some(u128::from(port)),
        _ => port_by_name(text).map(u128::from),
    }
}

/// `[PROTOCOL:]PORT`: tcp where no protocol is written, type and code of ICMP, 0 for protocols without ports (ipset(8),
/// "hash:ip,port").
fn service(text: &str, family: Family) -> Read<'_, (u128, u128)> {
    let (protocol, rest) = match text.split_once(':') {
        Some((name, rest)) => {
            let number = match name.parse::<u8>() {
                Ok(number) => Some(number),
                Err(_) => protocol_by_name(name),
            };
            let protocol = number
                .filter(|protocol| *protocol != 0)
                .ok_or_else(|| Unread::new(name, format!("`{name}` is not a protocol")))?;
            (protocol, rest)
        }
        None => (TCP, text),
    };
    let (low, high) = match protocol {
        TCP | UDP | SCTP | UDPLITE => port_range(rest)?,
        ICMP | ICMPV6 => {
            let kind = icmp(rest, protocol)
                .filter(|_| (protocol == ICMP) == (family == Family::V4))
                .ok_or_else(|| Unread::new(rest, format!("`{rest}` is not an ICMP type")))?;
            (kind, kind)
        }
        _ if rest == "0" => (0, 0),
        _ => {
            return Err(Unread::new(rest, "this protocol has no ports").help("write `0` for its port"));
        }
    };
    let protocol = u128::from(protocol) << 16;
    Ok((protocol | low, protocol | high))
}

/// Type and code, or a name that stands for both.
fn icmp(text: &str, protocol: u8) -> Option<u128> {
    if let Some((kind, code)) = text.split_once('/') {
        let (kind, code): (u8, u8) = (kind.parse().ok()?, code.parse().ok()?);
        return Some(u128::from(kind) << 8 | u128::from(code));
    }
    let named = if protocol == ICMP {
        icmp_type(text)
    } else {
        icmpv6_type(text)
    };
    let (kind, (code, _)) = named?;
    Some(u128::from(kind) << 8 | u128::from(code))
}

/// An interface by its name. One that a bridge knows (`physdev:`) is never what a rule of iptables asks about: it is a range
/// with nothing in it.
fn interface(text: &str, is_wild: bool) -> Read<'_, (u128, u128)> {
    let name = text.strip_prefix("physdev:").unwrap_or(text);
    if name.is_empty() || name.len() > value::MAX_INTERFACE_BYTES {
        return Err(Unread::new(
            text,
            format!("`{text}` is not the name of an interface"),
        ));
    }
    Ok(match (name.len() < text.len(), is_wild) {
        (true, _) => (1, 0),
        (false, true) => value::interface_prefix(name),
        (false, false) => (value::interface(name), value::interface(name)),
    })
}

fn mark(text: &str) -> Read<'_, u32> {
    let read = match text.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    };
    read.filter(|_| !text.contains('+'))
        .ok_or_else(|| Unread::new(text, format!("`{text}` is not a mark")))
}
