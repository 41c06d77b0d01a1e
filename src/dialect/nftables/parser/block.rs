//! Tables: chains, sets and objects.

use nom::Parser;
use nom::branch::alt;
use nom::combinator::cut;
use nom::sequence::delimited;

use super::chain::chain_block;
use super::command::{definition, include};
use super::expression::names;
use super::lines::{all_lines, lines_of, say_twice};
use super::set::set_block;
use super::token::{Parsed, any_token, between, blank, has_symbol, keyword, label, symbol, word, wrong};
use crate::dialect::nftables::ast::{ChainBlock, Expr, ExprKind, TableItem};
use crate::dialect::nftables::names::Named;

/// All of a text as the lines of a table: what a file says that is included there.
pub(in crate::dialect::nftables) fn table_items(text: &str) -> Vec<TableItem<'_>> {
    all_lines(text, &table_line, &TableItem::Bad)
}

/// `table-block ::= "{" (ends | blank)? (table-line ends)* "}"`
///
/// `{ … }` of a table.
pub(super) fn table_block<'a>(input: &'a str) -> Parsed<'a, Vec<TableItem<'a>>> {
    let lines = |input| Ok(lines_of(input, &table_line, &TableItem::Bad));
    let (rest, mut items) = delimited(symbol("{"), lines, symbol("}")).parse(input)?;
    let comment = |item: &TableItem<'a>| match item {
        TableItem::Comment(text) => Some(*text),
        _ => None,
    };
    say_twice(&mut items, comment, TableItem::Bad);
    Ok((rest, items))
}

/// `table-line ::= "chain" blank chain | "set" blank word blank? set-block | "comment" (blank? quoted | blank
///     word)`
///
/// What it says.
fn table_line(input: &str) -> Parsed<'_, TableItem<'_>> {
    let (rest, name) = word(input)?;
    match name {
        "chain" => cut(chain).map(TableItem::Chain).parse(rest),
        "set" | "map" => {
            let (rest, named) = cut(identifier).parse(rest)?;
            cut(set_block(named)).map(TableItem::Set).parse(rest)
        }
        "flags" => {
            let (rest, flags) = names(rest)?;
            if let Some(at) = unknown_flag(&flags) {
                return super::token::refuse(at, "this is no flag of a table");
            }
            let item = if is_dormant(&flags) {
                TableItem::Dormant
            } else {
                TableItem::Nothing
            };
            Ok((rest, item))
        }
        "comment" => {
            let (rest, _) = cut(label).parse(rest)?;
            Ok((rest, TableItem::Comment(between(input, rest))))
        }
        "define" | "redefine" | "undefine" => definition.map(TableItem::Definition).parse(input),
        "include" => include.map(TableItem::Include).parse(input),
        "flowtable" | "counter" | "quota" | "limit" | "secmark" | "synproxy" | "tunnel" => {
            object_block(name, rest)
        }
        "ct" => {
            let kind = alt((keyword("helper"), keyword("timeout"), keyword("expectation")));
            let (rest, kind) = cut(kind).parse(rest)?;
            object_block(kind, rest)
        }
        _ => wrong(input),
    }
}

/// `counter web { … }`, behind its first word.
fn object_block<'a>(kind: &str, input: &'a str) -> Parsed<'a, TableItem<'a>> {
    let (rest, name) = cut(identifier).parse(input)?;
    let item = Named::new(kind, name).map_or(TableItem::Nothing, TableItem::Named);
    Ok((cut(braces).parse(rest)?.0, item))
}

pub(super) fn is_dormant(flags: &Expr<'_>) -> bool {
    let is_it = |flag: &Expr<'_>| matches!(&flag.kind, ExprKind::Word(word) if word.text == "dormant");
    match &flags.kind {
        ExprKind::List(flags) => flags.iter().any(is_it),
        _ => is_it(flags),
    }
}

/// The first flag that tables do not have (nft(8), "Tables").
fn unknown_flag<'a>(flags: &Expr<'a>) -> Option<&'a str> {
    let is_unknown = |flag: &&Expr<'a>| !matches!(&flag.kind, ExprKind::Word(word) if matches!(word.text, "dormant" | "owner" | "persist"));
    let one = std::slice::from_ref(flags);
    let all = match &flags.kind {
        ExprKind::List(flags) => flags.as_slice(),
        _ => one,
    };
    all.iter().find(is_unknown).map(|flag| flag.text)
}

/// A name of a table, chain, set or object.
pub(super) fn identifier(input: &str) -> Parsed<'_, &str> {
    match word(input)? {
        (_, name) if name.starts_with(|char: char| char.is_ascii_digit()) => wrong(input),
        read => Ok(read),
    }
}

/// `chain ::= word blank? chain-block`
///
/// What it says.
fn chain(input: &str) -> Parsed<'_, ChainBlock<'_>> {
    let (rest, name) = identifier(input)?;
    let (rest, items) = chain_block(rest)?;
    Ok((rest, ChainBlock { name, items }))
}

/// What stands in braces and decides nothing: the insides of objects.
pub(super) fn braces(input: &str) -> Parsed<'_, ()> {
    let (mut rest, _) = symbol("{").parse(input)?;
    let mut depth = 1usize;
    loop {
        rest = blank(rest);
        let Some(token) = any_token(rest) else {
            return wrong(rest);
        };
        rest = rest.get(token.len()..).unwrap_or("");
        match token {
            "{" => depth += 1,
            "}" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Ok((rest, ()));
        }
    }
}

/// Whether a block follows.
pub(super) fn has_block(input: &str) -> bool {
    has_symbol(input, "{")
}
