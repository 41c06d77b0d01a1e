//! Rules: statements one after the other.

use nom::Parser;
use nom::branch::alt;
use nom::combinator::{cut, opt};
use nom::multi::many0;
use nom::sequence::preceded;

use super::count::{counter, gate, last_used, log};
use super::expression::{computed, left, map_of, names, right, set};
use super::object::{by_name, named, with_object};
use super::selector::selector;
use super::token::{
    Parsed, between, blank, has_symbol, is_end, keyword, label, number, peek_word, said, skip_statement,
    symbol, text, unexpected, word, wrong,
};
use super::translation::{masquerade, redirect, tproxy, translation};
use super::update::{meter, meter_of, old_set_update, set_update};
use super::verdict::verdict;
use crate::dialect::nftables::ast::{Comparison, Expr, ExprKind, Kind, Rule, Statement, Unread, Verdict};
use crate::dialect::nftables::names::{Key, Type, constant};
use crate::packet::Family;

/// `rule ::= (statement blank | (membership | log) blank?)* (statement (blank "comment" (blank? quoted |
///     blank word))? | (membership | log) (blank? "comment" (blank? quoted | blank word))? | (verdict |
///     reject) (blank "comment" (blank? quoted | blank word))?)`
///
/// One rule, to the end of its line. What cannot be read is in it.
pub(super) fn rule(input: &str) -> (&str, Rule<'_>) {
    let mut rule = Rule::default();
    let mut rest = input;
    while !is_end(rest) {
        if peek_word(rest) == "comment" && !rule.statements.is_empty() {
            // A comment is the last of a rule.
            match preceded(keyword("comment"), label).parse(rest) {
                Ok((after, _)) if is_end(after) => rest = after,
                Ok((after, _)) => rule.bad = Some(unexpected(after)),
                Err(error) => rule.bad = Some(reason(error, rest)),
            }
            break;
        }
        match statement(rest) {
            Ok((after, one)) if after.len() < rest.len() => {
                if rule.statements.last().is_some_and(is_terminal) {
                    let unread = Unread::new(one.text, "nothing gets past the verdict before this");
                    rule.bad = Some(unread.help("put it before the verdict, or take it out"));
                    rest = after;
                    break;
                }
                rule.statements.push(one);
                rest = after;
            }
            Ok(_) => {
                rule.bad = Some(unexpected(rest));
                break;
            }
            Err(error) => {
                rule.bad = Some(reason(error, rest));
                break;
            }
        }
    }
    if rule.bad.is_some() {
        rest = skip_statement(rest);
    }
    rule.text = between(input, rest);
    (rest, rule)
}

/// Whether a rule ends with this statement: nft refuses what stands behind it.
fn is_terminal(statement: &Statement<'_>) -> bool {
    match &statement.kind {
        Kind::Verdict(verdict) => !matches!(verdict, Verdict::Continue),
        Kind::Reject(..) | Kind::Nat(_) => true,
        Kind::Unknown(name) => matches!(*name, "queue" | "fwd"),
        _ => false,
    }
}

/// What an error says.
pub(super) fn reason<'a>(error: nom::Err<Unread<'a>>, input: &'a str) -> Unread<'a> {
    match error {
        nom::Err::Error(unread) | nom::Err::Failure(unread) => said(unread),
        nom::Err::Incomplete(_) => unexpected(input),
    }
}

/// `statement ::= "counter" (blank "packets" blank number blank "bytes" blank number)? | "log" (blank
///     "prefix" blank word)? | "notrack" | "continue" | gate | ("meta" blank)? "mark" blank "set" blank
///     /0{1,}([0-7]{0,10}|[1-3][0-7]{10})|([1-9][0-9]{0,8}|[1-3][0-9]{9}|4[01][0-9]{8}|42[0-8][0-9]{7}|429[0-3][0-9]{6}|4294[0-8][0-9]{5}|42949[0-5][0-9]{4}|429496[0-6][0-9]{3}|4294967[01][0-9]{2}|42949672[0-8][0-9]|429496729[0-5])|0x0{0,}[0-9a-fA-F]{1,8}/
///     | expression`
///
/// What it says.
fn statement(input: &str) -> Parsed<'_, Statement<'_>> {
    let (rest, kind) = kind(input)?;
    Ok((
        rest,
        Statement {
            text: between(input, rest),
            kind,
        },
    ))
}

fn kind(input: &str) -> Parsed<'_, Kind<'_>> {
    let pass = |(rest, ())| (rest, Kind::Pass);
    match peek_word(input) {
        "accept" | "drop" | "continue" | "return" | "jump" | "goto" => {
            verdict.map(Kind::Verdict).parse(input)
        }
        "counter" | "limit" | "quota" | "synproxy" if peek_word(word(input)?.0) == "name" => by_name(input),
        "counter" => counter(input).map(pass),
        "log" => log(input).map(pass),
        "last" => last_used(input).map(pass),
        "limit" | "quota" => gate(input).map(|(rest, name)| (rest, Kind::Limit(name))),
        "reject" => reject(input),
        "queue" => queue(input),
        "dnat" | "snat" => translation(input).map(|(rest, nat)| (rest, Kind::Nat(nat))),
        "masquerade" => masquerade(input).map(|(rest, nat)| (rest, Kind::Nat(nat))),
        "redirect" => redirect(input).map(|(rest, nat)| (rest, Kind::Nat(nat))),
        "tproxy" => tproxy(input).map(|(rest, ())| (rest, Kind::Unknown("tproxy"))),
        "notrack" => Ok((word(input)?.0, Kind::Notrack)),
        "flow" => flow(input),
        "dup" => forward(input).map(pass),
        "fwd" => forward(input).map(|(rest, ())| (rest, Kind::Unknown("fwd"))),
        "add" | "update" | "delete" => set_update(input),
        "set" => old_set_update(input),
        "meter" => meter(input),
        "synproxy" => synproxy(input),
        "xt" => xt(input),
        "reset" => {
            let (rest, _) = preceded(keyword("reset"), left).parse(input)?;
            Ok((rest, Kind::Pass))
        }
        "ct" => alt((connection, expression)).parse(input),
        _ => expression(input),
    }
}

/// `expression ::= "ip" blank ("saddr" | "daddr") (blank? ("==" | "!=") blank? | blank) (dotted-address
///     (blank? "/" blank? prefix | blank? "-" blank? dotted-address)? | /[A-Za-z_][A-Za-z0-9._-]*/ -
///     /[_.-]+/) | selector (blank? ("==" | "!=") blank? | blank)
///     (/0{1,}([0-7]{0,5}|1[0-7]{5})|([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])|ssh|https?|domain/
///     | (/0{1,}([0-7]{0,5}|1[0-7]{5})|([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])/ blank? |
///     /ssh|https?|domain/ blank) ("/" blank? /0{1,}(1?[0-7]|20)?|[1-9]|1[0-6]/ | "-" blank?
///     /0{1,}([0-7]{0,5}|1[0-7]{5})|([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])|ssh|https?|domain/))
///     | selector blank? ("<" | "<=" | ">" | ">=") blank?
///     /0{1,}([0-7]{0,5}|1[0-7]{5})|([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])|ssh|https?|domain/
///     | "meta" blank "l4proto" (blank? ("==" | "!=") blank? | blank)
///     /tcp|udp|icmp|icmpv6|sctp|dccp|udplite|ip|0{1,}([0-7]{0,2}|[1-3][0-7]{2})|(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9][0-9]?)/ | "meta"
///     blank "nfproto" (blank? ("==" | "!=") blank? | blank) ("ipv4" | "ipv6") | ("meta" blank)? "mark"
///     (blank? ("==" | "!=") blank? | blank)
///     /0{1,}([0-7]{0,10}|[1-3][0-7]{10})|([1-9][0-9]{0,8}|[1-3][0-9]{9}|4[01][0-9]{8}|42[0-8][0-9]{7}|429[0-3][0-9]{6}|4294[0-8][0-9]{5}|42949[0-5][0-9]{4}|429496[0-6][0-9]{3}|4294967[01][0-9]{2}|42949672[0-8][0-9]|429496729[0-5])|0x0{0,}[0-9a-fA-F]{1,8}/
///     (blank? "/" blank? prefix | blank? "-" blank?
///     /0{1,}([0-7]{0,10}|[1-3][0-7]{10})|([1-9][0-9]{0,8}|[1-3][0-9]{9}|4[01][0-9]{8}|42[0-8][0-9]{7}|429[0-3][0-9]{6}|4294[0-8][0-9]{5}|42949[0-5][0-9]{4}|429496[0-6][0-9]{3}|4294967[01][0-9]{2}|42949672[0-8][0-9]|429496729[0-5])|0x0{0,}[0-9a-fA-F]{1,8}/)?
///     | "icmp" blank "type" (blank? ("==" | "!=") blank? | blank)
///     /echo-reply|echo-request|destination-unreachable|redirect|time-exceeded|0{1,}([0-7]{0,2}|[1-3][0-7]{2})|(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9][0-9]?)/
///     | "ct" blank "state" (blank? ("==" | "!=" | "!") blank? | blank)
///     (/new|established|related|invalid|untracked/ (blank? "," blank?
///     /new|established|related|invalid|untracked/)* (blank "/" blank?
///     /new|established|related|invalid|untracked/ (blank? "," blank?
///     /new|established|related|invalid|untracked/)+)?) | "tcp" blank "flags" (blank? ("==" | "!=" | "!")
///     blank? | blank) (/fin|syn|rst|psh|ack|urg|ecn|cwr/ (blank? "," blank?
///     /fin|syn|rst|psh|ack|urg|ecn|cwr/)* (blank "/" blank? /fin|syn|rst|psh|ack|urg|ecn|cwr/ (blank? ","
///     blank? /fin|syn|rst|psh|ack|urg|ecn|cwr/)+)?)`
///
/// A comparison, a verdict map, or the change of what is named.
fn expression(input: &str) -> Parsed<'_, Kind<'_>> {
    if let ("priority", rest) = (peek_word(input), input)
        && let Ok((rest, _)) = preceded(keyword("priority"), keyword("set")).parse(rest)
    {
        return Ok((computed(rest)?.0, Kind::Pass));
    }
    let (rest, left) = left(input)?;
    match peek_word(rest) {
        "vmap" => {
            let (rest, map) = preceded(keyword("vmap"), cut(map_of)).parse(rest)?;
            return Ok((rest, Kind::VerdictMap { key: left, map }));
        }
        "set" => return change(word(rest)?.0, left),
        _ => {}
    }
    let (rest, op) = comparison(rest)?;
    let (rest, right) = cut(right).parse(rest)?;
    Ok((rest, Kind::Match { left, op, right }))
}

/// `meta mark set VALUE`
fn change<'a>(input: &'a str, left: Expr<'a>) -> Parsed<'a, Kind<'a>> {
    let (rest, value) = cut(computed).parse(input)?;
    if matches!(value.kind, ExprKind::Set(_)) {
        return super::token::refuse(value.text, "one value is set, not one of several");
    }
    let (rest, _) = many0(preceded(symbol(","), computed)).parse(rest)?;
    match left.kind {
        ExprKind::Selector(Key::Mark) => Ok((rest, Kind::SetMark(value))),
        ExprKind::Selector(Key::Other(other)) if other.is_of_tunnel() => {
            super::token::refuse(left.text, "what a tunnel carries cannot be changed")
        }
        ExprKind::Selector(key) => {
            let name = match (&key, &value.kind) {
                (Key::Other(other), ExprKind::Word(word)) if other.name == "meta secmark" => Some(word.text),
                _ => None,
            };
            let kind = Kind::Change(key, value);
            let named = match name {
                Some(name) => with_object(between(input, rest), "secmark", name, kind),
                None => kind,
            };
            Ok((rest, named))
        }
        _ => super::token::refuse(left.text, "this cannot be changed"),
    }
}

fn comparison(input: &str) -> Parsed<'_, Comparison> {
    if !matches!(
        blank(input).as_bytes().first(),
        Some(b'=' | b'!' | b'<' | b'>' | b'e' | b'n' | b'l' | b'g')
    ) {
        return Ok((input, Comparison::Implicit));
    }
    let of = |found: Comparison| move |_| found;
    opt(alt((
        alt((symbol("=="), keyword("eq"))).map(of(Comparison::Equal)),
        alt((symbol("!="), keyword("ne"))).map(of(Comparison::NotEqual)),
        alt((symbol("<="), keyword("le"))).map(of(Comparison::LessOrEqual)),
        alt((symbol(">="), keyword("ge"))).map(of(Comparison::GreaterOrEqual)),
        alt((symbol("<"), keyword("lt"))).map(of(Comparison::Less)),
        alt((symbol(">"), keyword("gt"))).map(of(Comparison::Greater)),
        symbol("!").map(of(Comparison::NoneOf)),
    )))
    .map(|op| op.unwrap_or(Comparison::Implicit))
    .parse(input)
}

/// `reject ::= "reject" (blank "with" blank ("tcp" blank "reset" | ("icmpx" | "icmp" | "icmpv6") blank ("type"
///     blank)? ("port-unreachable" | "admin-prohibited")))?`
///
/// `reject with icmp type host-unreachable`
fn reject(input: &str) -> Parsed<'_, Kind<'_>> {
    let (rest, _) = keyword("reject").parse(input)?;
    if peek_word(rest) != "with" {
        return Ok((rest, Kind::Reject(None, false)));
    }
    let (rest, with) = word(word(rest)?.0)?;
    let family = match with {
        "tcp" => return Ok((cut(keyword("reset")).parse(rest)?.0, Kind::Reject(None, true))),
        "icmp" => Some(Family::V4),
        "icmpv6" => Some(Family::V6),
        "icmpx" => None,
        _ => return super::token::refuse(with, format!("`{with}` is no way to reject")),
    };
    let (rest, _) = opt(keyword("type")).parse(rest)?;
    if has_symbol(rest, "$") {
        return Ok((super::expression::variable(rest)?.0, Kind::Reject(family, false)));
    }
    let (rest, code) = word(rest)?;
    let is_known = match family {
        Some(family) => constant(Type::IcmpCode(family), code).is_some(),
        None => [
            "port-unreachable",
            "admin-prohibited",
            "no-route",
            "host-unreachable",
        ]
        .contains(&code),
    };
    if !is_known
        && !code
            .parse::<u8>()
            .is_ok_and(|_| code.starts_with(|char: char| char.is_ascii_digit()))
    {
        return super::token::refuse(code, format!("`{with}` has no code `{code}`"));
    }
    Ok((rest, Kind::Reject(family, false)))
}

/// `queue flags bypass to 0-3`, `queue num 1 bypass`
fn queue(input: &str) -> Parsed<'_, Kind<'_>> {
    let (mut rest, _) = keyword("queue").parse(input)?;
    loop {
        rest = match peek_word(rest) {
            "flags" => names(word(rest)?.0)?.0,
            "num" | "to" => computed(word(rest)?.0)?.0,
            "bypass" | "fanout" => {
                let (rest, _) = word(rest)?;
                opt(preceded(symbol(","), word)).parse(rest)?.0
            }
            _ => return Ok((rest, Kind::Unknown("queue"))),
        };
    }
}

/// `flow add @ft`, `flow offload @ft`
fn flow(input: &str) -> Parsed<'_, Kind<'_>> {
    let (rest, _) = keyword("flow").parse(input)?;
    if peek_word(rest) == "table" {
        return meter_of(word(rest)?.0);
    }
    let (rest, _) = alt((keyword("add"), keyword("offload"))).parse(rest)?;
    let (rest, name) = preceded(symbol("@"), word).parse(rest)?;
    let flow = with_object(between(input, rest), "flowtable", name, Kind::Pass);
    Ok((rest, flow))
}

/// `dup to 10.0.0.1 device "eth0"`
fn forward(input: &str) -> Parsed<'_, ()> {
    let (rest, _) = word(input)?;
    let (rest, _) = opt(alt((keyword("ip"), keyword("ip6")))).parse(rest)?;
    let (rest, _) = preceded(keyword("to"), computed).parse(rest)?;
    let (rest, _) = opt(preceded(keyword("device"), computed)).parse(rest)?;
    Ok((rest, ()))
}

/// `synproxy mss 1460 wscale 7 timestamp sack-perm`
fn synproxy(input: &str) -> Parsed<'_, Kind<'_>> {
    let (mut rest, _) = keyword("synproxy").parse(input)?;
    loop {
        rest = match peek_word(rest) {
            "mss" | "wscale" => number(word(rest)?.0)?.0,
            "timestamp" | "sack-perm" => word(rest)?.0,
            _ => return Ok((rest, Kind::Unknown("synproxy"))),
        };
    }
}

/// `xt match "limit"`: what iptables-nft wrote and nft cannot print.
fn xt(input: &str) -> Parsed<'_, Kind<'_>> {
    let (rest, _) = keyword("xt").parse(input)?;
    let (rest, what) = alt((keyword("match"), keyword("target"), keyword("watcher"))).parse(rest)?;
    let (rest, _) = text(rest)?;
    let kind = match what {
        "match" => Kind::Limit("xt match"),
        "target" => Kind::Unknown("xt target"),
        _ => Kind::Pass,
    };
    Ok((rest, kind))
}

/// `ct count over 5`, `ct helper set "ftp"`
fn connection(input: &str) -> Parsed<'_, Kind<'_>> {
    let (rest, _) = keyword("ct").parse(input)?;
    match peek_word(rest) {
        "count" => gate(input).map(|(rest, name)| (rest, Kind::Limit(name))),
        "helper" | "timeout" | "expectation" => {
            let (after, what) = word(rest)?;
            let (after, _) = keyword("set").parse(after)?;
            named(input, after, what, Kind::Pass)
        }
        _ => wrong(input),
    }
}

/// A selector alone, as `typeof` takes it.
pub(super) fn selected(input: &str) -> Parsed<'_, Key> {
    selector(blank(input))
}

/// A set in braces, or one value: what `elements =` takes.
pub(super) fn elements(input: &str) -> Parsed<'_, Expr<'_>> {
    alt((set, super::expression::variable)).parse(input)
}
