//! Chains: their hook, their default verdict and their rules.

use nom::Parser;
use nom::combinator::{cut, opt};
use nom::sequence::preceded;

use super::command::{definition, include};
use super::expression::{names, variable};
use super::lines::{all_lines, lines_of, say_twice};
use super::statement::rule;
use super::token::{Parsed, between, blank, has_symbol, keyword, label, peek_word, symbol, text, word};
use crate::dialect::nftables::ast::{ChainItem, Expr, ExprKind, HookLine, Unread};

/// All of a text as the lines of a chain: what a file says that is included there.
pub(in crate::dialect::nftables) fn chain_items(text: &str) -> Vec<ChainItem<'_>> {
    all_lines(text, &chain_line, &ChainItem::Bad)
}

/// `chain-block ::= "{" (ends | blank)? (chain-line ends)* "}"`
///
/// `{ … }` of a chain.
pub(super) fn chain_block<'a>(input: &'a str) -> Parsed<'a, Vec<ChainItem<'a>>> {
    let (rest, _) = symbol("{").parse(input)?;
    let (rest, mut items) = lines_of(rest, &chain_line, &ChainItem::Bad);
    let (rest, _) = symbol("}").parse(rest)?;
    let comment = |item: &ChainItem<'a>| match item {
        ChainItem::Comment(text) => Some(*text),
        _ => None,
    };
    let policy = |item: &ChainItem<'a>| match item {
        ChainItem::Policy(policy) => Some(policy.text),
        _ => None,
    };
    say_twice(&mut items, comment, ChainItem::Bad);
    say_twice(&mut items, policy, ChainItem::Bad);
    Ok((rest, items))
}

/// `chain-line ::= hook-line | policy | "comment" (blank? quoted | blank word) | rule`
///
/// What it says.
fn chain_line(input: &str) -> Parsed<'_, ChainItem<'_>> {
    match peek_word(input) {
        "type" if !peek_word(blank(input).get(4..).unwrap_or("")).is_empty() => hook_line(input),
        "policy" => policy(input),
        "flags" => preceded(keyword("flags"), names)
            .map(|_| ChainItem::Nothing)
            .parse(input),
        "devices" | "device" => devices(input),
        "define" | "redefine" | "undefine" => definition.map(ChainItem::Definition).parse(input),
        "include" => include.map(ChainItem::Include).parse(input),
        "comment" => {
            let (rest, _) = preceded(keyword("comment"), cut(label)).parse(input)?;
            Ok((rest, ChainItem::Comment(between(input, rest))))
        }
        _ => {
            let (rest, rule) = rule(input);
            Ok((rest, ChainItem::Rule(rule)))
        }
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
///     /0{1,}([0-7]{0,10}|1[0-7]{10})|([1-9][0-9]{0,8}|1[0-9]{9}|20[0-9]{8}|21[0-3][0-9]{7}|214[0-6][0-9]{6}|2147[0-3][0-9]{5}|21474[0-7][0-9]{4}|214748[0-2][0-9]{3}|2147483[0-5][0-9]{2}|21474836[0-3][0-9]|214748364[0-7])/)?
///     | blank
///     /0{1,}([0-7]{0,10}|1[0-7]{10})|([1-9][0-9]{0,8}|1[0-9]{9}|20[0-9]{8}|21[0-3][0-9]{7}|214[0-6][0-9]{6}|2147[0-3][0-9]{5}|21474[0-7][0-9]{4}|214748[0-2][0-9]{3}|2147483[0-5][0-9]{2}|21474836[0-3][0-9]|214748364[0-7])/
///     | blank "-" blank?
///     /0{1,}([0-7]{0,10}|1[0-7]{10})|([1-9][0-9]{0,8}|1[0-9]{9}|20[0-9]{8}|21[0-3][0-9]{7}|214[0-6][0-9]{6}|2147[0-3][0-9]{5}|21474[0-7][0-9]{4}|214748[0-2][0-9]{3}|2147483[0-5][0-9]{2}|21474836[0-3][0-9]|214748364[0-7])/`
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
