//! Statements that count, log and limit.

use nom::Parser;
use nom::branch::alt;
use nom::combinator::opt;
use nom::multi::many0;
use nom::sequence::preceded;

use super::token::{Parsed, between, keyword, number, peek_word, refuse, symbol, text, word, wrong};

/// `counter`, `counter packets 1 bytes 2`, `counter name "x"`
pub(super) fn counter(input: &str) -> Parsed<'_, ()> {
    let (rest, _) = keyword("counter").parse(input)?;
    match peek_word(rest) {
        "packets" => counted(rest, "packets", "bytes"),
        "bytes" => counted(rest, "bytes", "packets"),
        "name" => named(rest),
        _ => Ok((rest, ())),
    }
}

fn counted<'a>(input: &'a str, first: &'static str, second: &'static str) -> Parsed<'a, ()> {
    let (rest, _) = preceded(keyword(first), number).parse(input)?;
    let (rest, _) = preceded(keyword(second), number).parse(rest)?;
    Ok((rest, ()))
}

/// `name "x"`, `name tcp dport map { … }`
fn named(input: &str) -> Parsed<'_, ()> {
    let (rest, _) = preceded(keyword("name"), text).parse(input)?;
    Ok((rest, ()))
}

/// `last`, `last used 3s`, `last used never`
pub(super) fn last_used(input: &str) -> Parsed<'_, ()> {
    let (rest, _) = keyword("last").parse(input)?;
    let (rest, _) = opt(preceded(keyword("used"), word)).parse(rest)?;
    Ok((rest, ()))
}

/// `log ::= "log" blank "prefix" blank? quoted`
///
/// What it says.
pub(super) fn log(input: &str) -> Parsed<'_, ()> {
    let (mut rest, _) = keyword("log").parse(input)?;
    let mut seen: Vec<&str> = Vec::new();
    loop {
        let next = peek_word(rest);
        if seen.contains(&next) && next != "flags" {
            return wrong(rest);
        }
        seen.push(next);
        rest = match next {
            "prefix" => {
                alt((super::expression::variable.map(|_| ()), text.map(|_| ())))
                    .parse(word(rest)?.0)?
                    .0
            }
            "group" | "snaplen" | "queue-threshold" => number(word(rest)?.0)?.0,
            "level" => word(word(rest)?.0)?.0,
            "flags" => log_flags(word(rest)?.0)?.0,
            _ => return Ok((rest, ())),
        };
    }
}

/// `tcp sequence,options`, `ip options`, `skuid`, `ether`, `all`
fn log_flags(input: &str) -> Parsed<'_, ()> {
    let (rest, name) = word(input)?;
    match name {
        "tcp" => {
            let part = || alt((keyword("sequence"), keyword("options")));
            let (rest, _) = part().parse(rest)?;
            let (rest, _) = many0(preceded(symbol(","), part())).parse(rest)?;
            Ok((rest, ()))
        }
        "ip" => keyword("options").map(|_| ()).parse(rest),
        "skuid" | "ether" | "all" => Ok((rest, ())),
        _ => wrong(input),
    }
}

/// `gate ::= "limit" blank "rate" blank ("over" blank)? number blank? "/" blank? ("second" | "minute" |
///     "hour") (blank "burst" blank number blank "packets")?`
///
/// `limit rate 10/second burst 5 packets`, `quota over 1 mbytes`, `ct count over 5`: the name of the limit.
pub(super) fn gate(input: &str) -> Parsed<'_, &'static str> {
    let (rest, name) = word(input)?;
    match name {
        "limit" if peek_word(rest) == "name" => named(rest).map(|(rest, ())| (rest, "limit")),
        "limit" => {
            let (rest, _) = keyword("rate").parse(rest)?;
            let (rest, _) = opt(alt((keyword("over"), keyword("until")))).parse(rest)?;
            let (after, ()) = rate(rest)?;
            let of_bytes = between(rest, after).contains("bytes");
            let Ok((behind, _)) = keyword("burst").parse(after) else {
                return Ok((after, "limit"));
            };
            let (rest, ()) = quantity(behind)?;
            if between(behind, rest).contains("bytes") != of_bytes {
                return refuse(
                    between(behind, rest),
                    "the burst is counted otherwise than the rate",
                );
            }
            Ok((rest, "limit"))
        }
        "quota" if peek_word(rest) == "name" => named(rest).map(|(rest, ())| (rest, "quota")),
        "quota" => {
            let (rest, _) = opt(alt((keyword("over"), keyword("until")))).parse(rest)?;
            let (rest, ()) = quantity(rest)?;
            let (rest, _) = opt(preceded(keyword("used"), quantity)).parse(rest)?;
            Ok((rest, "quota"))
        }
        "ct" => {
            let (rest, _) = keyword("count").parse(rest)?;
            let (rest, _) = opt(keyword("over")).parse(rest)?;
            let (rest, _) = number(rest)?;
            Ok((rest, "ct count"))
        }
        _ => wrong(input),
    }
}

const UNITS: &[&str] = &["bytes", "kbytes", "mbytes", "packets"];
const TIMES: &[&str] = &["second", "minute", "hour", "day", "week"];

/// `10/second`, `10 kbytes/second`
fn rate(input: &str) -> Parsed<'_, ()> {
    let (rest, _) = number(input)?;
    if let Some((unit, time)) = peek_word(rest).split_once('/')
        && UNITS.contains(&unit)
        && TIMES.contains(&time)
    {
        return Ok((word(rest)?.0, ()));
    }
    let rest = if UNITS.contains(&peek_word(rest)) {
        word(rest)?.0
    } else {
        rest
    };
    let (rest, _) = symbol("/").parse(rest)?;
    if TIMES.contains(&peek_word(rest)) {
        return Ok((word(rest)?.0, ()));
    }
    wrong(rest)
}

/// `10 mbytes`
fn quantity(input: &str) -> Parsed<'_, ()> {
    let (rest, _) = number(input)?;
    if UNITS.contains(&peek_word(rest)) {
        return Ok((word(rest)?.0, ()));
    }
    wrong(rest)
}
