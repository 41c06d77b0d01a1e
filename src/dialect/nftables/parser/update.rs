//! Statements that add the packet's key to a set, or take it out.

use nom::Parser;
use nom::branch::alt;
use nom::combinator::opt;
use nom::sequence::preceded;

use super::count::{counter, gate, last_used};
use super::expression::computed;
use super::token::{Parsed, has_symbol, keyword, number, peek_word, symbol, text, word};
use super::verdict::verdict;
use crate::dialect::nftables::ast::{Expr, Kind};

/// `add @seen { ip saddr timeout 1h limit rate 10/second }`
pub(super) fn set_update(input: &str) -> Parsed<'_, Kind<'_>> {
    let (rest, _) = word(input)?;
    let (rest, of) = preceded(symbol("@"), word).parse(rest)?;
    let (rest, (key, gated)) = update_block(rest)?;
    Ok((rest, Kind::Update { set: of, key, gated }))
}

/// What is put into a set, and whether a limit goes with it.
fn update_block(input: &str) -> Parsed<'_, (Expr<'_>, bool)> {
    let (rest, _) = symbol("{").parse(input)?;
    let (rest, key) = computed(rest)?;
    let (rest, mut gated) = update_options(rest)?;
    let mut rest = rest;
    if has_symbol(rest, ":") {
        let (after, _) = symbol(":").parse(rest)?;
        rest = match verdict(after) {
            Ok((after, _)) => after,
            Err(_) => computed(after)?.0,
        };
        let (after, more) = update_options(rest)?;
        rest = after;
        gated |= more;
    }
    let (rest, _) = symbol("}").parse(rest)?;
    Ok((rest, (key, gated)))
}

fn update_options(input: &str) -> Parsed<'_, bool> {
    let (mut rest, mut gated) = (input, false);
    loop {
        rest = match peek_word(rest) {
            "timeout" | "expires" => word(word(rest)?.0)?.0,
            "counter" => counter(rest)?.0,
            "last" => last_used(rest)?.0,
            "comment" => text(word(rest)?.0)?.0,
            "limit" | "quota" | "ct" => {
                gated = true;
                gate(rest)?.0
            }
            _ => return Ok((rest, gated)),
        };
    }
}

/// `set add ip saddr @seen`
pub(super) fn old_set_update(input: &str) -> Parsed<'_, Kind<'_>> {
    let (rest, _) = preceded(
        keyword("set"),
        alt((keyword("add"), keyword("update"), keyword("delete"))),
    )
    .parse(input)?;
    let (rest, key) = computed(rest)?;
    let (rest, gated) = update_options(rest)?;
    let (rest, of) = preceded(symbol("@"), word).parse(rest)?;
    Ok((rest, Kind::Update { set: of, key, gated }))
}

/// `meter NAME size 10 { ip saddr limit rate 10/second }`
pub(super) fn meter(input: &str) -> Parsed<'_, Kind<'_>> {
    meter_of(word(input)?.0)
}

pub(super) fn meter_of(input: &str) -> Parsed<'_, Kind<'_>> {
    let rest = if has_symbol(input, "{") {
        input
    } else {
        word(input)?.0
    };
    let (rest, _) = opt(preceded(keyword("size"), number)).parse(rest)?;
    let (rest, (_, gated)) = update_block(rest)?;
    let kind = if gated { Kind::Limit("meter") } else { Kind::Pass };
    Ok((rest, kind))
}
