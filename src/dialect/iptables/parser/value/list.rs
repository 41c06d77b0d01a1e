//! Flags, ICMP types, connection states, address types.

use super::{around, number};
use crate::dialect::iptables::ast::{Read, Unread};
use crate::dialect::iptables::names::{icmp_type, icmpv6_type};
use crate::packet::{Family, RangeSet, value};

/// `tcp-flags ::= /FIN|SYN|RST|PSH|ACK|URG|ALL|NONE/ ("," /FIN|SYN|RST|PSH|ACK|URG|ALL|NONE/)*`
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
            _ => number(flag)
                .and_then(|number| u8::try_from(number).ok())
                .ok_or_else(|| {
                    Unread::new(flag, format!("`{flag}` is not a TCP flag"))
                        .help("the flags are FIN, SYN, RST, PSH, ACK, URG, ALL and NONE")
                })?,
        };
    }
    Ok(bits)
}

/// `icmp-types ::= byte ("/" byte (":" byte)?)? | /any|echo-request?|destination-unreachable?/`
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
    let byte = |part| byte(part).ok_or_else(|| wrong(part));
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

/// `byte ::= /25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9][0-9]?|0+([0-7]{0,2}|[1-3][0-7]{2})/`
fn byte(text: &str) -> Option<u8> {
    number(text).and_then(|number| u8::try_from(number).ok())
}

/// The states of one list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::dialect::iptables) struct States {
    /// Values of `Field::State`.
    pub(in crate::dialect::iptables) conntrack: RangeSet,
    /// `SNAT` is in the list.
    pub(in crate::dialect::iptables) snat: bool,
    /// `DNAT` is in the list.
    pub(in crate::dialect::iptables) dnat: bool,
}

/// `states ::= /NEW|ESTABLISHED|RELATED|INVALID|UNTRACKED|SNAT|DNAT/ (","
///     /NEW|ESTABLISHED|RELATED|INVALID|UNTRACKED|SNAT|DNAT/)*`
///
/// `is_plain`: of `-m state`, which does not know the last two.
pub(in crate::dialect::iptables) fn states(text: &str, is_plain: bool) -> Read<'_, States> {
    let (mut bits, mut snat, mut dnat) = (0u8, false, false);
    for part in text.split(',') {
        let bit = match part.to_ascii_uppercase().as_str() {
            "NEW" => value::NEW,
            "ESTABLISHED" => value::ESTABLISHED,
            "RELATED" => value::RELATED,
            "INVALID" => value::INVALID,
            "UNTRACKED" => value::UNTRACKED,
            "SNAT" | "DNAT" if is_plain => {
                let message = format!("`{part}` is not a state that `-m state` knows");
                return Err(Unread::new(part, message).help("ask for it with `-m conntrack --ctstate`"));
            }
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
    Ok(States {
        conntrack: states,
        snat,
        dnat,
    })
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

/// `class-list ::= /UNICAST|LOCAL|BROADCAST|MULTICAST/ ("," /UNICAST|LOCAL|BROADCAST|MULTICAST/)*`
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
