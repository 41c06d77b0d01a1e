//! Declarations of sets and maps.

use nom::Parser;
use nom::branch::alt;
use nom::combinator::cut;
use nom::multi::many0;
use nom::sequence::preceded;

use super::count::{counter, gate, last_used};
use super::expression::names;
use super::lines::unended;
use super::statement::{elements, reason, selected};
use super::token::{
    Parsed, between, ends, has_symbol, is_end, keyword, number, peek_word, skip_statement, symbol, text,
    unexpected, word,
};
use crate::dialect::nftables::ast::{Expr, ExprKind, Intervals, KeyType, SetBlock, Unread};

/// `set-block ::= "{" (ends | blank)? "type" blank ("ipv4_addr" ends (set-flags ends)? ("elements" blank? "="
///     blank? "{" lines? (dotted-address (blank? "/" blank? prefix | blank? "-" blank? dotted-address)? |
///     /[A-Za-z_][A-Za-z0-9._-]*/ - /[_.-]+/) (lines? "," lines? (dotted-address (blank? "/" blank? prefix |
///     blank? "-" blank? dotted-address)? | /[A-Za-z_][A-Za-z0-9._-]*/ - /[_.-]+/))* (lines? ",")? lines? "}"
///     (ends | blank)?)? | "inet_service" ends (set-flags ends)? ("elements" blank? "=" blank? "{" lines?
///     (/0{1,}([0-7]{0,5}|1[0-7]{5})|([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])|ssh|https?|domain/
///     |
///     (/0{1,}([0-7]{0,5}|1[0-7]{5})|([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])/
///     blank? | /ssh|https?|domain/ blank) ("/" blank? /0{1,}(1?[0-7]|20)?|[1-9]|1[0-6]/ | "-" blank?
///     /0{1,}([0-7]{0,5}|1[0-7]{5})|([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])|ssh|https?|domain/))
///     (lines? "," lines?
///     (/0{1,}([0-7]{0,5}|1[0-7]{5})|([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])|ssh|https?|domain/
///     |
///     (/0{1,}([0-7]{0,5}|1[0-7]{5})|([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])/
///     blank? | /ssh|https?|domain/ blank) ("/" blank? /0{1,}(1?[0-7]|20)?|[1-9]|1[0-6]/ | "-" blank?
///     /0{1,}([0-7]{0,5}|1[0-7]{5})|([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])|ssh|https?|domain/)))*
///     (lines? ",")? lines? "}" (ends | blank)?)?) "}"`
///
/// `{ type ipv4_addr; flags interval; elements = { … } }` of a set or map.
pub(super) fn set_block<'a>(name: &'a str) -> impl FnMut(&'a str) -> Parsed<'a, SetBlock<'a>> {
    move |input| {
        let mut block = SetBlock {
            text: name,
            name,
            keys: Vec::new(),
            is_map: false,
            is_dynamic: false,
            has_timeout: false,
            intervals: Intervals::None,
            elements: None,
            bad: Vec::new(),
        };
        let (rest, _) = symbol("{").parse(input)?;
        let mut rest = ends(rest);
        while !rest.is_empty() && !has_symbol(rest, "}") {
            match line(rest, &mut block) {
                Ok((after, ())) if is_end(after) => {
                    let closes = matches!(peek_word(rest), "elements" | "auto-merge");
                    if has_symbol(after, "}") && !closes {
                        block.bad.push(unended(after));
                    }
                    rest = ends(after);
                }
                Ok((after, ())) => {
                    block.bad.push(unexpected(after));
                    rest = ends(skip_statement(after));
                }
                Err(error) => {
                    block.bad.push(reason(error, rest));
                    rest = ends(skip_statement(rest));
                }
            }
        }
        let (rest, _) = symbol("}").parse(rest)?;
        Ok((rest, block))
    }
}

fn line<'a>(input: &'a str, block: &mut SetBlock<'a>) -> Parsed<'a, ()> {
    let (rest, name) = word(input)?;
    let rest = match name {
        "type" => types(rest, block)?.0,
        "typeof" => types_of(rest, block)?.0,
        "flags" => {
            let (rest, flags) = names(rest)?;
            set_flags(&flags, block)?;
            rest
        }
        "timeout" => {
            block.has_timeout = true;
            word(rest)?.0
        }
        "gc-interval" => word(rest)?.0,
        "size" => {
            alt((number.map(|_| ()), super::expression::variable.map(|_| ())))
                .parse(rest)?
                .0
        }
        "policy" => alt((keyword("performance"), keyword("memory"))).parse(rest)?.0,
        "auto-merge" => {
            block.intervals = Intervals::Merged;
            rest
        }
        "comment" => text(rest)?.0,
        "counter" | "last" | "limit" | "quota" | "ct" => kept_with_elements(input)?.0,
        "elements" => {
            let (rest, found) = preceded(symbol("="), cut(elements)).parse(rest)?;
            block.elements = Some(found);
            rest
        }
        _ => return super::token::wrong(input),
    };
    Ok((rest, ()))
}

/// `counter quota 500 bytes`
fn kept_with_elements(input: &str) -> Parsed<'_, ()> {
    let mut rest = input;
    while !is_end(rest) {
        rest = match peek_word(rest) {
            "counter" => counter(rest)?.0,
            "last" => last_used(rest)?.0,
            _ => gate(rest)?.0,
        };
    }
    Ok((rest, ()))
}

/// `set-flags ::= "flags" blank ("interval" | "constant") (blank? "," blank? ("interval" | "constant"))*`
///
/// What it says.
fn set_flags<'a>(flags: &Expr<'a>, block: &mut SetBlock<'a>) -> Result<(), nom::Err<Unread<'a>>> {
    let mut bad = None;
    let mut one = |flag: &Expr<'a>| match &flag.kind {
        ExprKind::Word(word) => match word.text {
            "dynamic" => block.is_dynamic = true,
            "timeout" => block.has_timeout = true,
            "interval" => block.intervals = block.intervals.max(Intervals::Apart),
            "constant" => {}
            _ => bad = Some(flag.text),
        },
        _ => bad = Some(flag.text),
    };
    match &flags.kind {
        ExprKind::List(flags) => flags.iter().for_each(&mut one),
        _ => one(flags),
    }
    match bad {
        Some(at) => Err(nom::Err::Failure(Unread::new(
            at,
            format!("`{at}` is no flag of a set"),
        ))),
        None => Ok(()),
    }
}

/// `type ipv4_addr . inet_service : verdict`
fn types<'a>(input: &'a str, block: &mut SetBlock<'a>) -> Parsed<'a, ()> {
    let (rest, first) = cut(word).parse(input)?;
    let (rest, more) = many0(preceded(symbol("."), word)).parse(rest)?;
    block.keys = std::iter::once(first).chain(more).map(KeyType::Named).collect();
    if !has_symbol(rest, ":") {
        return Ok((rest, ()));
    }
    block.is_map = true;
    let (rest, _) = preceded(symbol(":"), word).parse(rest)?;
    let (rest, _) = many0(preceded(symbol("."), word)).parse(rest)?;
    Ok((rest, ()))
}

/// `typeof ip saddr . tcp dport : verdict`
fn types_of<'a>(input: &'a str, block: &mut SetBlock<'a>) -> Parsed<'a, ()> {
    let (rest, first) = key_of(input)?;
    let (mut rest, more) = many0(preceded(symbol("."), key_of)).parse(rest)?;
    block.keys = std::iter::once(first).chain(more).map(KeyType::Of).collect();
    if has_symbol(rest, ":") {
        let (after, _) = symbol(":").parse(rest)?;
        block.is_map = true;
        rest = data_of(after)?.0;
        rest = many0(preceded(symbol("."), data_of)).parse(rest)?.0;
    }
    Ok((rest, ()))
}

/// `verdict`, `interval ip daddr`, a selector
fn data_of(input: &str) -> Parsed<'_, ()> {
    match peek_word(input) {
        "interval" => data_of(word(input)?.0),
        "verdict" | "counter" | "quota" | "limit" | "synproxy" => Ok((word(input)?.0, ())),
        _ => key_of(input).map(|(rest, _)| (rest, ())),
    }
}

fn key_of(input: &str) -> Parsed<'_, Expr<'_>> {
    let (rest, key) = selected(input)?;
    let (rest, ()) = mask(rest)?;
    let text = between(input, rest);
    let kind = ExprKind::Selector(key);
    Ok((rest, Expr { text, kind }))
}

/// `typeof ip saddr & 255.255.255.0`: the mask changes no type.
fn mask(input: &str) -> Parsed<'_, ()> {
    if has_symbol(input, "&") || peek_word(input) == "and" {
        let rest = if has_symbol(input, "&") {
            symbol("&").parse(input)?.0
        } else {
            word(input)?.0
        };
        return word(rest).map(|(rest, _)| (rest, ()));
    }
    Ok((input, ()))
}
