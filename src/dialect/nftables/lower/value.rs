//! Expressions to numbers and ranges of them.

use std::net::IpAddr;

use super::scope::behind;
use crate::dialect::nftables::ast::{Expr, ExprKind, Operator, Unread, Word};
use crate::dialect::nftables::names::{Type, constant};
use crate::packet::{Family, address, value};

/// Why an expression has no value that is known.
#[derive(Debug)]
pub(super) enum Refusal<'a> {
    /// It is wrong.
    Unread(Unread<'a>),
    /// It is right, but what it is depends on the machine: a host's name, an interface's number.
    Unknown(&'static str),
}

impl<'a> From<Unread<'a>> for Refusal<'a> {
    fn from(unread: Unread<'a>) -> Self {
        Self::Unread(unread)
    }
}

/// How values are called in messages.
fn noun(kind: Type) -> &'static str {
    match kind {
        Type::Address(Family::V4) => "an IPv4 address",
        Type::Address(Family::V6) => "an IPv6 address",
        Type::Port => "a port",
        Type::Protocol => "a protocol",
        Type::TcpFlags => "a TCP flag",
        Type::IcmpKind(_) => "an ICMP type",
        Type::IcmpCode(_) => "an ICMP code",
        Type::Interface => "an interface",
        Type::NfProto => "a family: `ipv4` or `ipv6`",
        Type::Ethernet => "an Ethernet protocol",
        Type::Mark => "a mark",
        Type::CtState => "a connection state",
        Type::CtStatus => "a connection status",
        Type::CtDirection => "a direction: `original` or `reply`",
        Type::Class => "a type of address",
        Type::PacketClass => "a type of packet",
        Type::Dscp => "a DSCP",
        Type::Integer(_) => "a number that fits here",
        Type::Opaque => "a number",
    }
}

fn is_none(at: &str, kind: Type) -> Refusal<'_> {
    Unread::new(at, format!("`{at}` is not {}", noun(kind))).into()
}

/// A number in decimal, hexadecimal or, with a leading zero, octal, as nft's scanner reads it (`strtoull` with base 0).
pub(super) fn integer(text: &str) -> Option<u128> {
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(hex) if !hex.is_empty() && !hex.starts_with('+') => u128::from_str_radix(hex, 16).ok(),
        None if text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit()) => {
            u128::from_str_radix(text, 8).ok()
        }
        None if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().ok(),
        _ => None,
    }
}

/// The values of a word: one, but for interfaces that end in a star.
fn of_word(word: Word<'_>, kind: Type) -> Result<(u128, u128), Refusal<'_>> {
    let text = word.text;
    match kind {
        Type::Address(family) => return of_address(text, family).map(|one| (one, one)),
        Type::Interface => return of_interface(word),
        Type::Opaque => return Err(Refusal::Unknown("values of this kind are not modelled")),
        _ => {}
    }
    let number = match integer(text) {
        Some(number) => Some(number),
        None => constant(kind, text),
    };
    match number.filter(|number| *number <= kind.max()) {
        Some(number) => Ok((number, number)),
        None if kind == Type::Port && is_service_name(text) => {
            Err(Unread::new(text, format!("`{text}` is not a port"))
                .help("write its number")
                .into())
        }
        None => Err(is_none(text, kind)),
    }
}

fn is_service_name(text: &str) -> bool {
    text.starts_with(|char: char| char.is_ascii_alphabetic())
}

fn of_address(text: &str, family: Family) -> Result<u128, Refusal<'_>> {
    match text.parse::<IpAddr>() {
        Ok(found) => {
            let (of, number) = address::number(found);
            if of == family {
                Ok(number)
            } else {
                Err(is_none(text, Type::Address(family)))
            }
        }
        // One number for all four bytes, as inet_aton(3) has it.
        Err(_) if family == Family::V4 && integer(text).is_some() => integer(text)
            .filter(|number| *number <= Type::Address(family).max())
            .ok_or_else(|| is_none(text, Type::Address(family))),
        Err(_) if integer(text).is_none() && is_host_name(text) => {
            Err(Refusal::Unknown("the addresses behind a name are not known"))
        }
        Err(_) => Err(is_none(text, Type::Address(family))),
    }
}

fn is_host_name(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
        && text.starts_with(|char: char| char.is_ascii_alphabetic() || char == '_')
        && text.bytes().any(|byte| byte.is_ascii_alphanumeric())
}

fn of_interface(word: Word<'_>) -> Result<(u128, u128), Refusal<'_>> {
    let text = word.text;
    if !word.quoted && integer(text).is_some() {
        return Err(Refusal::Unknown("which interface has this number is not known"));
    }
    if let Some(plain) = text.strip_suffix("\\*") {
        let name = format!("{plain}*");
        let number = value::interface(&name);
        return Ok((number, number));
    }
    let (name, is_prefix) = match text.strip_suffix('*') {
        Some(name) => (name, true),
        None => (text, false),
    };
    if name.len() > value::MAX_INTERFACE_BYTES || (name.is_empty() && !is_prefix) {
        return Err(Unread::new(text, format!("`{text}` is no name of an interface"))
            .help("names have at most 15 characters")
            .into());
    }
    if is_prefix {
        return Ok(value::interface_prefix(name));
    }
    let number = value::interface(name);
    Ok((number, number))
}

/// The one number that an expression is: flags are joined, operators computed.
pub(super) fn number<'a>(expr: &Expr<'a>, kind: Type) -> Result<u128, Refusal<'a>> {
    let expr = behind(expr);
    match &expr.kind {
        ExprKind::Word(word) => match of_word(*word, kind)? {
            (low, high) if low == high => Ok(low),
            _ => Err(is_none(expr.text, kind)),
        },
        ExprKind::List(parts) if kind.is_flags() => parts
            .iter()
            .try_fold(0, |all, part| Ok(all | number(part, kind)?)),
        ExprKind::Binary(op, both) => {
            let left = number(&both.0, kind)?;
            let right = match op {
                Operator::ShiftLeft | Operator::ShiftRight => number(&both.1, Type::Integer(8))?,
                _ => number(&both.1, kind)?,
            };
            compute(*op, left, right, kind).ok_or_else(|| is_none(expr.text, kind))
        }
        _ => Err(is_none(expr.text, kind)),
    }
}

fn compute(op: Operator, left: u128, right: u128, kind: Type) -> Option<u128> {
    let by = u32::try_from(right).unwrap_or(u32::MAX);
    let result = match op {
        Operator::And => left & right,
        Operator::Or => left | right,
        Operator::Xor => left ^ right,
        Operator::ShiftLeft => left.checked_shl(by)?,
        Operator::ShiftRight => left.checked_shr(by)?,
    };
    Some(result & kind.max())
}

/// What reading values may cost, and what was wrong with some without keeping the others from being read.
#[derive(Debug)]
pub(super) struct Effort<'a> {
    /// How many more values may be read.
    pub(super) left: usize,
    /// Ranges in which nothing is.
    pub(super) reversed: Vec<Unread<'a>>,
}

impl Effort<'_> {
    pub(super) fn new(left: usize) -> Self {
        Self {
            left,
            reversed: Vec::new(),
        }
    }
}

/// Adds the values of an expression: a value, a range, a prefix, several, a set of them.
pub(super) fn ranges<'a>(
    expr: &Expr<'a>,
    kind: Type,
    effort: &mut Effort<'a>,
    into: &mut Vec<(u128, u128)>,
) -> Result<(), Refusal<'a>> {
    let expr = behind(expr);
    effort.left = effort
        .left
        .checked_sub(1)
        .ok_or_else(|| Unread::new(expr.text, "this has too many elements"))?;
    match &expr.kind {
        ExprKind::Word(word) => into.push(of_word(*word, kind)?),
        ExprKind::Wildcard => into.push((0, kind.max())),
        ExprKind::Range(both) => {
            let (low, high) = (end_of_range(&both.0, kind)?, end_of_range(&both.1, kind)?);
            if low > high {
                let message = format!("the range `{}` ends before it starts", expr.text);
                effort.reversed.push(Unread::new(expr.text, message));
            }
            into.push((low, high));
        }
        ExprKind::Prefix(value, length) => into.push(prefix(expr, value, length, kind)?),
        ExprKind::Set(elements) => {
            for element in elements {
                ranges(&element.key, kind, effort, into)?;
            }
        }
        ExprKind::List(parts) if !kind.is_flags() => {
            for part in parts {
                ranges(part, kind, effort, into)?;
            }
        }
        ExprKind::List(_) | ExprKind::Binary(..) => {
            let one = number(expr, kind)?;
            into.push((one, one));
        }
        ExprKind::Selector(_) | ExprKind::Map(_) => {
            return Err(Refusal::Unknown("what is computed here is not modelled"));
        }
        _ => return Err(is_none(expr.text, kind)),
    }
    Ok(())
}

/// Names of hosts have no order.
fn end_of_range<'a>(expr: &Expr<'a>, kind: Type) -> Result<u128, Refusal<'a>> {
    match (number(expr, kind), kind) {
        (Err(Refusal::Unknown(_)), Type::Address(_)) => Err(is_none(expr.text, kind)),
        (read, _) => read,
    }
}

/// `prefix ::= /0{1,}([0-3]?[0-7]|40)?|([1-9]|[12][0-9]|3[0-2])/`
///
/// `10.0.0.0/8`: the bits behind the prefix do not matter.
fn prefix<'a>(
    expr: &Expr<'a>,
    value: &Expr<'a>,
    length: &'a str,
    kind: Type,
) -> Result<(u128, u128), Refusal<'a>> {
    let first = end_of_range(value, kind)?;
    let has_prefixes = matches!(
        kind,
        Type::Address(_) | Type::Port | Type::Mark | Type::Integer(_) | Type::Ethernet
    );
    let bits = kind.bits().filter(|_| has_prefixes);
    let bits = bits.ok_or_else(|| is_none(expr.text, kind))?;
    let rest = integer(length)
        .and_then(|length| u32::try_from(length).ok())
        .and_then(|length| bits.checked_sub(length))
        .ok_or_else(|| {
            Unread::new(
                length,
                format!("`/{length}` is longer than the {bits} bits that there are"),
            )
        })?;
    let host = match rest {
        0 => 0,
        rest => u128::MAX >> (128 - rest),
    };
    Ok((first & !host, first | host))
}
