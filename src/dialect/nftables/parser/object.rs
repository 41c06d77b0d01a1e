//! Objects of a table that rules use by their names: counters, quotas, limits, helpers.
//!
//! nft(8), "STATEFUL OBJECTS". INVARIANT: where a map says which object, packets without a key in it go no further in the rule.

use nom::Parser;

use super::expression::left;
use super::token::{Parsed, between, keyword, text, word, wrong};
use crate::dialect::nftables::ast::{Expr, ExprKind, Kind, Statement};
use crate::dialect::nftables::names::Named;

/// `counter name "web"`, `limit name ip saddr map @limits`
pub(super) fn by_name(input: &str) -> Parsed<'_, Kind<'_>> {
    let (rest, what) = word(input)?;
    let (rest, _) = keyword("name").parse(rest)?;
    let kind = match what {
        "counter" => Kind::Pass,
        "limit" => Kind::Limit("limit"),
        "quota" => Kind::Limit("quota"),
        "synproxy" => Kind::Unknown("synproxy"),
        _ => return wrong(input),
    };
    named(input, rest, what, kind)
}

/// What a name stands for, or a map of names.
pub(super) fn named<'a>(whole: &'a str, rest: &'a str, what: &str, kind: Kind<'a>) -> Parsed<'a, Kind<'a>> {
    if let Some((rest, map)) = mapped(rest) {
        let text = between(whole, rest);
        let then = Box::new(Statement { text, kind });
        return Ok((rest, Kind::Mapped { map, then }));
    }
    let (rest, name) = text(rest)?;
    Ok((rest, with_object(between(whole, rest), what, name.text, kind)))
}

/// A statement that uses an object by its name.
pub(super) fn with_object<'a>(whole: &'a str, what: &str, name: &'a str, kind: Kind<'a>) -> Kind<'a> {
    match Named::new(what, name).filter(|_| !name.starts_with('$')) {
        Some(named) => Kind::WithObject(named, Box::new(Statement { text: whole, kind })),
        None => kind,
    }
}

/// `tcp dport map { 80 : "web" }`
fn mapped(input: &str) -> Option<(&str, Expr<'_>)> {
    let read = left(input).ok();
    read.filter(|(_, expr)| matches!(expr.kind, ExprKind::Map(_)))
}
