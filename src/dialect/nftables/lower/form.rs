//! What values of selectors must look like that are not modelled: what nft refuses is no rule of which anything may be known.
//!
//! nft(8), "DATA TYPES" and the sections of the expressions. INVARIANT: nothing here says what a value means.

use super::condition::Operand;
use super::scope::behind;
use crate::dialect::nftables::ast::{Expr, ExprKind, Read, TableFamily, Unread};
use crate::dialect::nftables::lower::value::integer;
use crate::dialect::nftables::names::{Key, Other};

const DAYS: &[&str] = &[
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];

/// What the kernel tells of connections: nft(8), "CT EXPRESSIONS".
const EVENTS: &[&str] = &[
    "assured",
    "destroy",
    "helper",
    "label",
    "mark",
    "new",
    "protoinfo",
    "related",
    "reply",
    "secmark",
    "seqadj",
];

/// The longest name of a helper or an operating system.
const LONGEST: usize = 15;

/// Whether a value fits, and what it should be.
type Form = (fn(&str) -> bool, &'static str);

/// Refuses values that nft takes for none of a selector.
pub(super) fn check<'a>(family: TableFamily, operand: &Operand<'_>, right: &Expr<'a>) -> Read<'a, ()> {
    match operand.key {
        Key::Other(other) => match form(family, other) {
            Some(form) => each_word(right, form),
            None => Ok(()),
        },
        _ => Ok(()),
    }
}

/// Refuses names of events that there are not.
pub(super) fn check_events<'a>(events: &Expr<'a>) -> Read<'a, ()> {
    each_word(events, (is_event, "an event of a connection"))
}

fn form(family: TableFamily, other: &Other) -> Option<Form> {
    Some(match other.name.as_str() {
        "rt nexthop" if family == TableFamily::Ip => (is_v4, "an IPv4 address"),
        "rt nexthop" if family == TableFamily::Ip6 => (is_v6, "an IPv6 address"),
        "meta day" => (is_day, "a day of the week"),
        "meta hour" => (is_hour, "a time of day"),
        "meta time" => (is_time, "a point in time"),
        "ct label" => (is_label, "a label: they have numbers up to 127"),
        "ct helper" => (is_name, "the name of a helper"),
        name if name.starts_with("osf ") => (is_name, "the name of a system"),
        _ => return None,
    })
}

fn is_event(text: &str) -> bool {
    EVENTS.contains(&text) || integer(text).is_some()
}

fn is_v4(text: &str) -> bool {
    text.parse::<std::net::Ipv6Addr>().is_err()
}

fn is_v6(text: &str) -> bool {
    text.parse::<std::net::Ipv4Addr>().is_err()
}

fn is_day(text: &str) -> bool {
    DAYS.contains(&text) || integer(text).is_some_and(|day| day <= 6)
}

/// `23:59`, `23:59:59`, or seconds.
fn is_hour(text: &str) -> bool {
    let parts: Vec<Option<u8>> = text.split(':').map(|part| part.parse().ok()).collect();
    match parts.as_slice() {
        [_] => integer(text).is_some(),
        [Some(0..=23), Some(0..=59)] | [Some(0..=23), Some(0..=59), Some(0..=59)] => true,
        _ => false,
    }
}

/// `2020-06-06 17:00`, `2020-06-06`, or seconds since 1970.
fn is_time(text: &str) -> bool {
    let (date, hour) = text.split_once(' ').unwrap_or((text, "0:00"));
    let parts: Vec<Option<u16>> = date.split('-').map(|part| part.parse().ok()).collect();
    let is_date = matches!(parts.as_slice(), [Some(_), Some(1..=12), Some(1..=31)]);
    integer(text).is_some() || (is_date && hour.contains(':') && is_hour(hour))
}

fn is_label(text: &str) -> bool {
    integer(text).is_none_or(|label| label <= 127)
}

fn is_name(text: &str) -> bool {
    (1..=LONGEST).contains(&text.len())
}

/// Recursive over what the parser lets stand inside each other.
fn each_word<'a>(expr: &Expr<'a>, form: Form) -> Read<'a, ()> {
    let expr = behind(expr);
    let both = |both: &(Expr<'a>, Expr<'a>)| {
        each_word(&both.0, form)?;
        each_word(&both.1, form)
    };
    match &expr.kind {
        ExprKind::Word(word) if !(form.0)(word.text) => {
            let message = format!("`{}` is not {}", word.text, form.1);
            Err(Unread::new(expr.text, message))
        }
        ExprKind::Set(elements) => elements
            .iter()
            .try_for_each(|element| each_word(&element.key, form)),
        ExprKind::List(parts) => parts.iter().try_for_each(|part| each_word(part, form)),
        ExprKind::Range(ends) | ExprKind::Binary(_, ends) => both(ends),
        _ => Ok(()),
    }
}
