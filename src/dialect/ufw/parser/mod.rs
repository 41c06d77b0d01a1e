//! Readers: tuples here and in `value`, settings and other forms of rules by subject.
//!
//! INVARIANT: what a reader returns is complete or refused, with the smallest slice that is wrong.

pub(super) mod command;
pub(super) mod profile;
pub(super) mod setting;
pub(super) mod status;
mod value;

pub(super) use self::value::is_v6;

use nom::Parser;
use nom::bytes::complete::{tag, take_while};
use nom::combinator::rest;

use self::value::{Fields, application, fields, sensible, verdict};
use super::ast::{Direction, Read, Unread, UserRule};
use super::part::TUPLE;

/// `tuple ::= /### tuple ###[ \t]*/ (verdict space fields (space application space application)? (space side)? |
///     "route:" verdict space fields (space application space application)? (space (side | both-sides))?)
///     (space comment)? space?`
///
/// One line. A rule of an old release names neither direction nor applications.
pub(super) fn tuple(line: &str) -> Read<'_, UserRule<'_>> {
    let mut marked = (tag::<_, _, ()>(TUPLE), take_while(space), rest);
    let text = match marked.parse(line) {
        Ok((_, (_, _, text))) => text.trim_end_matches(space),
        Err(_) => return Err(Unread::new(line, "this is not a tuple")),
    };
    let words: Vec<&str> = text.split(space).filter(|word| !word.is_empty()).collect();
    let words = match words.split_last() {
        Some((last, words)) if comment(last)? => words,
        _ => &words,
    };
    let (&[action, ref named @ ..], Some(&last)) = (words, words.last()) else {
        return Err(Unread::new(text, "an empty tuple").help(FORM));
    };
    let (route, word) = match action.strip_prefix("route:") {
        Some(word) => (true, word),
        None => (false, action),
    };
    let (verdict, log) = verdict(word)?;
    let (five, more) = named
        .split_at_checked(5)
        .ok_or_else(|| Unread::new(last, "the tuple ends too early").help(FORM))?;
    let ends = match more {
        [] => None,
        [ends] => Some(*ends),
        [to, from] => applications(to, from).map(|()| None)?,
        [to, from, ends] => applications(to, from).map(|()| Some(*ends))?,
        [_, _, _, strange, ..] => {
            return Err(Unread::new(strange, "a tuple has nine words at most").help(FORM));
        }
    };
    let sides = match ends {
        None => Sides::of(Direction::In),
        Some(word) if route && word.contains('!') => both_sides(word)?,
        Some(word) => side(word)?,
    };
    let Fields { protocol, to, from } = fields(five)?;
    sensible(to.ports.as_ref())?;
    sensible(from.ports.as_ref())?;
    Ok(UserRule {
        text,
        action: word,
        verdict,
        log,
        route,
        direction: sides.direction,
        protocol,
        to,
        from,
        interface_in: sides.interface_in,
        interface_out: sides.interface_out,
    })
}

/// What a tuple consists of, for those who wrote one by hand.
const FORM: &str = "a tuple is `ACTION PROTOCOL PORT TO PORT FROM [APP APP] in|out[_INTERFACE]`";

/// `space ::= /[ \t]+/`
fn space(char: char) -> bool {
    matches!(char, ' ' | '\t')
}

/// `comment ::= /comment=([0-9a-fA-F]{2}){0,}/`
///
/// What `ufw … comment` was given, in hexadecimal. Whether there is one.
fn comment(word: &str) -> Read<'_, bool> {
    let Some(digits) = word.strip_prefix("comment=") else {
        return Ok(false);
    };
    let is_hex = digits.len() % 2 == 0 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_hex {
        return Ok(true);
    }
    Err(Unread::new(word, "the comment is not hexadecimal").help("`ufw` writes two digits for each byte"))
}

fn applications<'a>(to: &'a str, from: &'a str) -> Read<'a, ()> {
    application(to)?;
    application(from)
}

/// Where packets come in and go out.
struct Sides<'a> {
    direction: Direction,
    interface_in: Option<&'a str>,
    interface_out: Option<&'a str>,
}

impl Sides<'_> {
    fn of(direction: Direction) -> Self {
        Self {
            direction,
            interface_in: None,
            interface_out: None,
        }
    }
}

/// `side ::= /in|out/ | /(in|out)_/ interface`
fn side(word: &str) -> Read<'_, Sides<'_>> {
    let (direction, name) = match word.split_once('_') {
        Some((direction, name)) => (direction, Some(value::interface(name)?)),
        None => (word, None),
    };
    match direction {
        "in" => Ok(Sides {
            interface_in: name,
            ..Sides::of(Direction::In)
        }),
        "out" => Ok(Sides {
            interface_out: name,
            ..Sides::of(Direction::Out)
        }),
        _ => Err(Unread::new(word, format!("`{word}` is not a direction"))
            .help("write `in`, `out`, `in_eth0`, `out_eth0` or, of a routed rule, `in_eth0!out_eth1`")),
    }
}

/// `both-sides ::= "in_" interface "!out_" interface`
fn both_sides(word: &str) -> Read<'_, Sides<'_>> {
    let (from, to) = word.split_once('!').unwrap_or((word, ""));
    match (from.strip_prefix("in_"), to.strip_prefix("out_")) {
        (Some(from), Some(to)) => Ok(Sides {
            direction: Direction::In,
            interface_in: Some(value::interface(from)?),
            interface_out: Some(value::interface(to)?),
        }),
        _ => Err(Unread::new(word, format!("`{word}` is not a pair of interfaces"))
            .help("write `in_eth0!out_eth1`")),
    }
}
