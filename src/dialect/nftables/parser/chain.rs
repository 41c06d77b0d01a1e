//! Chains: their hook, their default verdict and their rules.

use nom::Parser;
use nom::combinator::{cut, opt};
use nom::sequence::preceded;

use super::command::{definition, include};
use super::expression::{names, variable};
use super::statement::{reason, rule};
use super::token::{
    Parsed, between, blank, ends, has_symbol, is_end, keyword, label, peek_word, skip_statement, symbol,
    text, unexpected, word,
};
use crate::dialect::nftables::ast::{ChainItem, Expr, ExprKind, HookLine, Unread};

/// All of a text as the lines of a chain: what a file says that is included there.
pub(in crate::dialect::nftables) fn chain_items(text: &str) -> Vec<ChainItem<'_>> {
    let (mut rest, mut items) = (text, Vec::new());
    loop {
        let (after, mut more) = lines_of(rest);
        items.append(&mut more);
        if ends(after).is_empty() {
            return items;
        }
        items.push(ChainItem::Bad(unexpected(after)));
        rest = blank(after).get(1..).unwrap_or("");
    }
}

/// `chain-block ::= "{" (ends | blank)? (chain-line (ends chain-line)* ends?)? blank? "}"`
///
/// `{ … }` of a chain.
pub(super) fn chain_block(input: &str) -> Parsed<'_, Vec<ChainItem<'_>>> {
    let (rest, _) = symbol("{").parse(input)?;
    let (rest, items) = lines_of(rest);
    let (rest, _) = symbol("}").parse(rest)?;
    Ok((rest, items))
}

fn lines_of(input: &str) -> (&str, Vec<ChainItem<'_>>) {
    let (mut rest, mut items) = (ends(input), Vec::new());
    while !rest.is_empty() && !has_symbol(rest, "}") {
        let (after, item) = chain_line(rest);
        items.push(item);
        if !is_end(after) {
            items.push(ChainItem::Bad(unexpected(after)));
            rest = ends(skip_statement(after));
            continue;
        }
        rest = ends(after);
    }
    (rest, items)
}

/// `chain-line ::= hook-line | policy | "comment" (blank? quoted | blank word) | rule`
///
/// What it says.
fn chain_line(input: &str) -> (&str, ChainItem<'_>) {
    let read = match peek_word(input) {
        "type" if !peek_word(blank(input).get(4..).unwrap_or("")).is_empty() => hook_line(input),
        "policy" => policy(input),
        "flags" => preceded(keyword("flags"), names)
            .map(|_| ChainItem::Nothing)
            .parse(input),
        "devices" | "device" => devices(input),
        "define" | "redefine" | "undefine" => definition.map(ChainItem::Definition).parse(input),
        "include" => include.map(ChainItem::Include).parse(input),
        "comment" => preceded(keyword("comment"), cut(label))
            .map(|_| ChainItem::Nothing)
            .parse(input),
        _ => {
            let (rest, rule) = rule(input);
            Ok((rest, ChainItem::Rule(rule)))
        }
    };
    match read {
        Ok((rest, item)) => (rest, item),
        Err(error) => (skip_statement(input), ChainItem::Bad(reason(error, input))),
    }
}

/// `hook-line ::= "type" blank ("filter" blank "hook" blank ("prerouting" | "input" | "forward" | "output" |
///     "postrouting") | "nat" blank "hook" blank ("prerouting" | "input" | "output" | "postrouting") |
///     "route" blank "hook" blank "output") blank "priority" priority`
///
/// `type filter hook input device "eth0" priority filter + 10`
fn hook_line(input: &str) -> Parsed<'_, ChainItem<'_>> {
    let (rest, kind) = preceded(keyword("type"), cut(word)).parse(input)?;
    let (rest, hook) = preceded(cut(keyword("hook")), cut(word)).parse(rest)?;
    let (rest, found) = opt(devices_of).parse(rest)?;
    let (rest, _) = cut(keyword("priority")).parse(rest)?;
    let (rest, priority, offset) = priority(rest)?;
    let text = between(input, rest);
    Ok((
        rest,
        ChainItem::Hook(HookLine {
            text,
            kind,
            hook,
            devices: found,
            priority,
            offset,
        }),
    ))
}

fn devices_of(input: &str) -> Parsed<'_, Expr<'_>> {
    match peek_word(input) {
        "device" | "devices" => {
            let (rest, _) = word(input)?;
            let (rest, _) = opt(symbol("=")).parse(rest)?;
            value(rest)
        }
        _ => super::token::wrong(input),
    }
}

fn devices(input: &str) -> Parsed<'_, ChainItem<'_>> {
    devices_of(input).map(|(rest, _)| (rest, ChainItem::Nothing))
}

/// One value or a set of them.
fn value(input: &str) -> Parsed<'_, Expr<'_>> {
    if has_symbol(input, "{") {
        return super::expression::set(input);
    }
    atom(input)
}

fn atom(input: &str) -> Parsed<'_, Expr<'_>> {
    if has_symbol(input, "$") {
        return variable(input);
    }
    let (rest, word) = text(input)?;
    let text = between(input, rest);
    let kind = ExprKind::Word(word);
    Ok((rest, Expr { text, kind }))
}

type Priority<'a> = (&'a str, Expr<'a>, Option<(bool, &'a str)>);

/// `priority ::= blank "filter" ((blank? "+" | blank "-") blank?
///     /0{0,}([0-9]{1,9}|1[0-9]{9}|20[0-9]{8}|21[0-3][0-9]{7}|214[0-6][0-9]{6}|2147[0-3][0-9]{5}|21474[0-7][0-9]{4}|214748[0-2][0-9]{3}|2147483[0-5][0-9]{2}|21474836[0-3][0-9]|214748364[0-7])/)?
///     | blank
///     /0{0,}([0-9]{1,9}|1[0-9]{9}|20[0-9]{8}|21[0-3][0-9]{7}|214[0-6][0-9]{6}|2147[0-3][0-9]{5}|21474[0-7][0-9]{4}|214748[0-2][0-9]{3}|2147483[0-5][0-9]{2}|21474836[0-3][0-9]|214748364[0-7])/
///     (blank? ("+" | "-") blank?
///     /0{0,}([0-9]{1,9}|1[0-9]{9}|20[0-9]{8}|21[0-3][0-9]{7}|214[0-6][0-9]{6}|2147[0-3][0-9]{5}|21474[0-7][0-9]{4}|214748[0-2][0-9]{3}|2147483[0-5][0-9]{2}|21474836[0-3][0-9]|214748364[0-7])/)?
///     | blank "-" blank?
///     /0{0,}([0-9]{1,9}|1[0-9]{9}|20[0-9]{8}|21[0-3][0-9]{7}|214[0-6][0-9]{6}|2147[0-3][0-9]{5}|21474[0-7][0-9]{4}|214748[0-2][0-9]{3}|2147483[0-5][0-9]{2}|21474836[0-3][0-9]|214748364[0-7])/`
///
/// `-150`, `filter`, `filter + 10`, `$prio`
fn priority(input: &str) -> Result<Priority<'_>, nom::Err<Unread<'_>>> {
    if has_symbol(input, "-") {
        let (rest, _) = symbol("-").parse(input)?;
        let (after, number) = cut(super::token::number).parse(rest)?;
        let text = between(input, after);
        let kind = ExprKind::Word(crate::dialect::nftables::ast::Word {
            text: number,
            quoted: false,
        });
        // A negative number is zero less that number.
        return Ok((after, Expr { text, kind }, Some((true, ""))));
    }
    let (rest, base) = cut(atom).parse(input)?;
    for (sign, is_minus) in [("+", false), ("-", true)] {
        if has_symbol(rest, sign) {
            let (rest, _) = symbol(sign).parse(rest)?;
            let (rest, number) = cut(super::token::number).parse(rest)?;
            return Ok((rest, base, Some((is_minus, number))));
        }
    }
    Ok((rest, base, None))
}

/// `policy ::= "policy" blank ("accept" | "drop")`
///
/// `policy drop`
fn policy(input: &str) -> Parsed<'_, ChainItem<'_>> {
    preceded(keyword("policy"), cut(atom))
        .map(ChainItem::Policy)
        .parse(input)
}
