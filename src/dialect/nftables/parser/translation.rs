//! `dnat`, `snat`, `masquerade`, `redirect`, `tproxy`.

use nom::Parser;
use nom::branch::alt;
use nom::combinator::opt;
use nom::multi::many0;
use nom::sequence::preceded;

use super::expression::computed;
use super::token::{Parsed, has_symbol, is_end, keyword, peek_word, symbol, word};
use crate::dialect::nftables::ast::{Expr, Nat, NatKind, TableFamily};

fn family(input: &str) -> Parsed<'_, Option<TableFamily>> {
    opt(alt((
        keyword("ip").map(|_| TableFamily::Ip),
        keyword("ip6").map(|_| TableFamily::Ip6),
    )))
    .parse(input)
}

/// `dnat ip addr . port to ip saddr map { … }`, `snat to 10.0.0.1:1-100 random`
pub(super) fn translation(input: &str) -> Parsed<'_, Nat<'_>> {
    let (rest, which) = word(input)?;
    let kind = if which == "dnat" {
        NatKind::Destination
    } else {
        NatKind::Source
    };
    let (rest, of) = family(rest)?;
    let (rest, is_concatenated) = opt((keyword("addr"), symbol("."), keyword("port")))
        .map(|found| found.is_some())
        .parse(rest)?;
    let (rest, _) = opt(alt((keyword("interval"), keyword("prefix")))).parse(rest)?;
    let (rest, _) = opt(keyword("to")).parse(rest)?;
    let (rest, address, ports) = place(rest)?;
    let (rest, ()) = flags(rest)?;
    Ok((
        rest,
        Nat {
            kind,
            family: of,
            address,
            ports,
            is_concatenated,
        },
    ))
}

type Place<'a> = (&'a str, Option<Expr<'a>>, Option<Expr<'a>>);

/// An address, `:` and ports; either may be left out.
fn place(input: &str) -> Result<Place<'_>, nom::Err<crate::dialect::nftables::ast::Unread<'_>>> {
    if has_symbol(input, ":") {
        let (rest, ports) = preceded(symbol(":"), computed).parse(input)?;
        return Ok((rest, None, Some(ports)));
    }
    let (rest, address) = computed(input)?;
    let (rest, ports) = opt(preceded(symbol(":"), computed)).parse(rest)?;
    Ok((rest, Some(address), ports))
}

/// `random,persistent`
fn flags(input: &str) -> Parsed<'_, ()> {
    let flag = || {
        alt((
            keyword("random"),
            keyword("fully-random"),
            keyword("persistent"),
            keyword("netmap"),
        ))
    };
    let (rest, found) = opt(flag()).parse(input)?;
    if found.is_none() {
        return Ok((rest, ()));
    }
    many0(preceded(opt(symbol(",")), flag())).map(|_| ()).parse(rest)
}

fn to_ports(input: &str) -> Parsed<'_, Option<Expr<'_>>> {
    if peek_word(input) != "to" && !has_symbol(input, ":") {
        return Ok((input, None));
    }
    let (rest, _) = opt(keyword("to")).parse(input)?;
    let (rest, _) = opt(symbol(":")).parse(rest)?;
    computed.map(Some).parse(rest)
}

/// `masquerade to :1024-2048 random`
pub(super) fn masquerade(input: &str) -> Parsed<'_, Nat<'_>> {
    port_translation(input, NatKind::Source)
}

/// `redirect to :8080`
pub(super) fn redirect(input: &str) -> Parsed<'_, Nat<'_>> {
    port_translation(input, NatKind::Redirect)
}

fn port_translation(input: &str, kind: NatKind) -> Parsed<'_, Nat<'_>> {
    let (rest, _) = word(input)?;
    let (rest, ports) = to_ports(rest)?;
    let (rest, ()) = flags(rest)?;
    Ok((
        rest,
        Nat {
            kind,
            family: None,
            address: None,
            ports,
            is_concatenated: false,
        },
    ))
}

/// `tproxy ip to 127.0.0.1:50080`
pub(super) fn tproxy(input: &str) -> Parsed<'_, ()> {
    let (rest, _) = word(input)?;
    let (rest, _) = family(rest)?;
    let (rest, _) = keyword("to").parse(rest)?;
    if is_end(rest) {
        return super::token::wrong(rest);
    }
    let (rest, ..) = place(rest)?;
    Ok((rest, ()))
}
