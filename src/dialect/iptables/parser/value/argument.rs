//! Arguments of options that are not modelled: whether iptables would take them.

use super::{mark, number, protocol};
use crate::dialect::iptables::ast::{Read, Unread};
use crate::dialect::iptables::names::Argument;
use crate::dialect::iptables::parser::addresses;
use crate::packet::Family;

/// Fails where an argument has not the form that iptables takes.
pub(in crate::dialect::iptables) fn argument(text: &str, form: Argument, family: Family) -> Read<'_, ()> {
    let wrong = |what: &str| Unread::new(text, format!("`{text}` is not {what}"));
    let is_right = match form {
        Argument::Number(low, high) => {
            let found = number(text).filter(|found| (low..=high).contains(found));
            return found
                .map(|_| ())
                .ok_or_else(|| wrong(&format!("a number from {low} to {high}")));
        }
        Argument::Range(most) => return range(text, most),
        Argument::Word(words) => {
            let is_one = words.iter().any(|word| word.eq_ignore_ascii_case(text));
            return is_one
                .then_some(())
                .ok_or_else(|| wrong("a word that goes here").help(one_of(words)));
        }
        Argument::Words(words) => {
            let is_one = |part: &&str| words.iter().any(|word| word.eq_ignore_ascii_case(part));
            let unknown = text.split(',').find(|part| !is_one(part));
            return unknown.map_or(Ok(()), |part| {
                Err(Unread::new(part, format!("`{part}` is not a word that goes here")).help(one_of(words)))
            });
        }
        Argument::RangeOrNames(most)
            if text.split(':').all(|end| end.is_empty() || number(end).is_some()) =>
        {
            return range(text, most);
        }
        Argument::MaskedOrWord(words) => {
            if words.iter().any(|word| word.eq_ignore_ascii_case(text)) {
                return Ok(());
            }
            return mark(text).map(|_| ());
        }
        Argument::NumbersOrWords(low, high, words) => {
            let is_one = |part: &&str| {
                words.contains(part) || number(part).is_some_and(|number| (low..=high).contains(&number))
            };
            let unknown = text.split(',').find(|part| !is_one(part));
            return unknown.map_or(Ok(()), |part| {
                let message = format!("`{part}` is neither a number from {low} to {high} nor a name");
                Err(Unread::new(part, message).help(one_of(words)))
            });
        }
        Argument::Masked => return mark(text).map(|_| ()),
        Argument::Address => return addresses(text, family).map(|_| ()),
        Argument::Rate => rate(text),
        Argument::HardwareAddress => {
            // Whoever gives a dump away may have put `XX` in the place of bytes: the test is unknown either way.
            let is_byte = |part: &str| {
                part == "XX" || (1..=2).contains(&part.len()) && u8::from_str_radix(part, 16).is_ok()
            };
            text.split(':').count() == 6 && text.split(':').all(is_byte)
        }
        Argument::Protocol => protocol(text).is_some_and(|number| number != 0),
        Argument::TimeOfDay => is_time(text),
        Argument::Probability => text
            .parse::<f64>()
            .is_ok_and(|share| (0.0..=1.0).contains(&share)),
        Argument::Text(most) => text.len() <= most,
        Argument::Any | Argument::RangeOrNames(_) => true,
    };
    let what = match form {
        Argument::Rate => "a rate such as `3/minute`",
        Argument::HardwareAddress => "a hardware address",
        Argument::Protocol => "a protocol",
        Argument::TimeOfDay => "a time of day",
        Argument::Probability => "a number from 0 to 1",
        _ => "short enough",
    };
    is_right.then_some(()).ok_or_else(|| wrong(what))
}

fn one_of(words: &[&str]) -> String {
    let words: Vec<_> = words.iter().map(|word| format!("`{word}`")).collect();
    format!("write one of {}", words.join(", "))
}

fn range(text: &str, most: u64) -> Read<'_, ()> {
    let wrong = || {
        Unread::new(
            text,
            format!("`{text}` is not a number up to {most}, or a range of them"),
        )
    };
    let end = |text: &str, open| match text {
        "" => Some(open),
        _ => number(text).filter(|found| *found <= most),
    };
    let (low, high) = match text.split_once(':') {
        Some((low, high)) => (end(low, 0), end(high, most)),
        None => (end(text, most + 1), end(text, 0)),
    };
    match low.zip(high) {
        Some((low, high)) if low <= high => Ok(()),
        Some((low, _)) if low <= most => Err(Unread::new(
            text,
            format!("the range `{text}` ends before it starts"),
        )
        .help("iptables refuses such a range")),
        _ => Err(wrong()),
    }
}

/// `rate ::=
///     /0{0,}[1-9][0-9]{0,8}([km]?b)?(\/(s(e(c(o(n(d)?)?)?)?)?|m(i(n(u(t(e)?)?)?)?)?|h(o(u(r)?)?)?|d(a(y)?)?))?/`
///
/// Of a unit a beginning is enough; bytes go by `kb` and the like.
fn rate(text: &str) -> bool {
    let (count, unit) = match text.split_once('/') {
        Some((count, unit)) => (count, unit),
        None => (text, "second"),
    };
    let digits = count.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let units = ["second", "minute", "hour", "day"];
    let is_unit = !unit.is_empty()
        && units
            .iter()
            .any(|known| known.starts_with(&unit.to_ascii_lowercase()));
    let scale = count.get(digits.len()..).unwrap_or("");
    digits.parse::<u32>().is_ok_and(|rate| rate > 0) && is_unit && matches!(scale, "" | "b" | "kb" | "mb")
}

fn is_time(text: &str) -> bool {
    let most = [23, 59, 59];
    let parts: Vec<_> = text.split(':').collect();
    let is_part =
        |(part, most): (&&str, u8)| part.len() <= 2 && part.parse::<u8>().is_ok_and(|number| number <= most);
    (2..=3).contains(&parts.len()) && parts.iter().zip(most).all(is_part)
}
