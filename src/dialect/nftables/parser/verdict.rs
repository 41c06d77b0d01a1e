//! Verdicts: where a rule or an element of a map sends packets.

use nom::Parser;
use nom::branch::alt;

use super::chain::chain_block;
use super::expression::variable;
use super::token::{Parsed, between, has_symbol, word, wrong};
use crate::dialect::nftables::ast::{Expr, ExprKind, Verdict, Word};

/// `verdict ::= "accept" | "drop" | "return" | ("jump" | "goto") blank word | "masquerade"`
///
/// `accept`, `jump CHAIN`, `jump { … }` and their like.
pub(super) fn verdict(input: &str) -> Parsed<'_, Verdict<'_>> {
    let (rest, name) = word(input)?;
    let verdict = match name {
        "accept" => Verdict::Accept,
        "drop" => Verdict::Drop,
        "continue" => Verdict::Continue,
        "return" => Verdict::Return,
        "jump" | "goto" => return target(rest, name == "goto"),
        _ => return wrong(input),
    };
    Ok((rest, verdict))
}

fn target(input: &str, is_goto: bool) -> Parsed<'_, Verdict<'_>> {
    if has_symbol(input, "{") {
        let (rest, items) = chain_block(input)?;
        return Ok((rest, Verdict::Block(is_goto, items)));
    }
    let (rest, chain) = alt((variable, name)).parse(input)?;
    let verdict = if is_goto {
        Verdict::Goto(chain)
    } else {
        Verdict::Jump(chain)
    };
    Ok((rest, verdict))
}

fn name(input: &str) -> Parsed<'_, Expr<'_>> {
    let (rest, name) = super::block::identifier(input)?;
    let text = between(input, rest);
    let kind = ExprKind::Word(Word {
        text: name,
        quoted: false,
    });
    Ok((rest, Expr { text, kind }))
}
