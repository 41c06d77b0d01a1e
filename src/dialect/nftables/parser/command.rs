//! Commands, one after the other: blocks, `add rule`, `flush ruleset`, `define`, `include`.

use nom::Parser;
use nom::branch::alt;
use nom::combinator::{cut, opt};
use nom::sequence::preceded;

use super::block::{braces, has_block, identifier, table_block};
use super::chain::chain_block;
use super::expression::{computed, nothing, set};
use super::set::set_block;
use super::statement::{reason, rule};
use super::token::{
    Parsed, between, blank, ends, has_symbol, is_end, keyword, number, peek_word, quoted, skip_statement,
    symbol, unexpected, word, wrong,
};
use crate::dialect::nftables::ast::{
    ChainBlock, Command, Definition, Intervals, Item, Object, Place, Rule, SetBlock, TableFamily, TableName,
    Verb, Word,
};
use crate::dialect::nftables::names::Named;

/// `items ::= /([ \t\n;]|\\\n|#[^\n]*\n)+/? (command (ends table)* ends?)?
///     /([ \t]|\\\n)+(#[^\n]*)?|#[^\n]*/?`
///
/// All of a text as commands.
pub(in crate::dialect::nftables) fn items(text: &str) -> Vec<Item<'_>> {
    let (mut rest, mut items) = (ends(text), Vec::new());
    while !rest.is_empty() {
        match item(rest) {
            Ok((after, item)) => {
                items.push(item);
                rest = after;
                if !is_end(rest) || has_symbol(rest, "}") {
                    items.push(Item::Bad(unexpected(rest)));
                    rest = skip_past(rest);
                }
            }
            Err(error) => {
                items.push(Item::Bad(reason(error, rest)));
                rest = skip_past(rest);
            }
        }
        rest = ends(rest);
    }
    items
}

/// Past the end of a statement, and past a brace that opens nothing.
fn skip_past(input: &str) -> &str {
    let rest = blank(skip_statement(input));
    rest.strip_prefix('}').unwrap_or(rest)
}

fn item(input: &str) -> Parsed<'_, Item<'_>> {
    match peek_word(input) {
        "define" | "redefine" | "undefine" => definition.map(Item::Definition).parse(input),
        "include" => include.map(Item::Include).parse(input),
        _ => command.map(Item::Command).parse(input),
    }
}

/// `include "PATH"`
pub(super) fn include(input: &str) -> Parsed<'_, Word<'_>> {
    let (rest, text) = preceded(keyword("include"), cut(quoted)).parse(input)?;
    Ok((rest, Word { text, quoted: true }))
}

/// `define NAME = VALUE`
pub(super) fn definition(input: &str) -> Parsed<'_, Definition<'_>> {
    let (rest, verb) = word(input)?;
    let (rest, name) = cut(word).parse(rest)?;
    if verb == "undefine" {
        return Ok((rest, Definition { name, value: None }));
    }
    let (rest, _) = cut(symbol("=")).parse(rest)?;
    let (rest, value) = cut(alt((nothing, set, super::expression::right, computed))).parse(rest)?;
    Ok((
        rest,
        Definition {
            name,
            value: Some(value),
        },
    ))
}

fn verb(input: &str) -> (&str, Option<Verb>) {
    let Some(verb) = Verb::of(peek_word(input)) else {
        return (input, None);
    };
    (word(input).map_or(input, |(rest, _)| rest), Some(verb))
}

const OBJECTS: &[&str] = &[
    "table",
    "chain",
    "rule",
    "set",
    "map",
    "element",
    "flowtable",
    "counter",
    "quota",
    "limit",
    "secmark",
    "synproxy",
    "ct",
    "ruleset",
    "meter",
];

/// What `reset` goes with (nft(8), "STATEFUL OBJECTS", "RULES", "SETS").
const RESET: &[&str] = &[
    "counter", "counters", "quota", "quotas", "rule", "rules", "set", "map", "element",
];

/// `command ::= "flush" blank "ruleset" | table`
///
/// What it says.
fn command(input: &str) -> Parsed<'_, Command<'_>> {
    let first = peek_word(input);
    if matches!(
        first,
        "list" | "get" | "reset" | "monitor" | "describe" | "export"
    ) {
        if first == "reset" && !RESET.contains(&peek_word(word(input)?.0)) {
            return wrong(word(input)?.0);
        }
        let rest = skip_statement(input);
        return Ok((
            rest,
            Command {
                text: between(input, rest),
                verb: Verb::Add,
                object: Object::Nothing,
            },
        ));
    }
    let (rest, verb) = verb(input);
    if peek_word(rest) == "ruleset" && verb != Some(Verb::Flush) {
        return wrong(rest);
    }
    let (rest, object) = if OBJECTS.contains(&peek_word(rest)) {
        let (after, kind) = word(rest)?;
        object(after, kind, verb.unwrap_or(Verb::Add))?
    } else if verb.is_some_and(|verb| matches!(verb, Verb::Add | Verb::Insert | Verb::Replace))
        || is_family(rest)
    {
        // "rule" may be left out: `add inet filter input accept`.
        rule_command(rest, verb.unwrap_or(Verb::Add))?
    } else {
        return wrong(rest);
    };
    Ok((
        rest,
        Command {
            text: between(input, rest),
            verb: verb.unwrap_or(Verb::Add),
            object,
        },
    ))
}

fn is_family(input: &str) -> bool {
    family(peek_word(input)).is_some()
}

fn family(word: &str) -> Option<TableFamily> {
    Some(match word {
        "ip" => TableFamily::Ip,
        "ip6" => TableFamily::Ip6,
        "inet" => TableFamily::Inet,
        "arp" => TableFamily::Arp,
        "bridge" => TableFamily::Bridge,
        "netdev" => TableFamily::Netdev,
        _ => return None,
    })
}

/// `table-name ::= ("inet" blank)? /([A-Za-z_]|\.[A-Za-z0-9\/_.-])[A-Za-z0-9\/_.-]*/ - ("ip" | "ip6" | "inet"
///     | "arp" | "bridge" | "netdev")`
///
/// `inet filter`; without a family it is `ip`.
fn table_name(input: &str) -> Parsed<'_, TableName<'_>> {
    let named = family(peek_word(input));
    let rest = if named.is_some() { word(input)?.0 } else { input };
    if family(peek_word(rest)).is_some() {
        return wrong(rest);
    }
    let (rest, name) = identifier(rest)?;
    Ok((
        rest,
        TableName {
            family: named.unwrap_or(TableFamily::Ip),
            name,
            text: between(input, rest),
        },
    ))
}

fn object<'a>(input: &'a str, kind: &'a str, verb: Verb) -> Parsed<'a, Object<'a>> {
    match kind {
        "ruleset" => {
            let of = family(peek_word(input));
            let rest = if of.is_some() { word(input)?.0 } else { input };
            Ok((rest, Object::Ruleset(of)))
        }
        "table" => table(input),
        "chain" => chain_command(input, verb),
        "rule" => rule_command(input, verb),
        "set" | "map" => set_command(input),
        "element" => element_command(input),
        "ct" => {
            let kind = alt((keyword("helper"), keyword("timeout"), keyword("expectation")));
            let (rest, kind) = cut(kind).parse(input)?;
            object_command(kind, rest)
        }
        kind => object_command(kind, input),
    }
}

/// `table ::= "table" blank table-name (blank? table-block)?`
///
/// A table by its name, with its lines if they follow.
fn table(input: &str) -> Parsed<'_, Object<'_>> {
    if let Ok((rest, _)) = handle(input) {
        return refuse_handle(input, rest);
    }
    let (rest, name) = cut(table_name).parse(input)?;
    if has_block(rest) {
        let (rest, items) = cut(table_block).parse(rest)?;
        return Ok((rest, Object::Table(name, items)));
    }
    Ok((rest, Object::Table(name, Vec::new())))
}

/// `handle 5`
fn handle(input: &str) -> Parsed<'_, &str> {
    let (rest, family) = opt(word).parse(input)?;
    let rest = if family.is_some_and(|word| super::command::family(word).is_some()) {
        rest
    } else {
        input
    };
    preceded(keyword("handle"), number).parse(rest)
}

fn refuse_handle<'a, T>(input: &'a str, rest: &'a str) -> Parsed<'a, T> {
    Err(nom::Err::Failure(
        crate::dialect::nftables::ast::Unread::new(
            between(input, rest),
            "which one this is, only the kernel knows",
        )
        .help("give its name, or flush the ruleset first"),
    ))
}

fn chain_command(input: &str, verb: Verb) -> Parsed<'_, Object<'_>> {
    let (rest, table) = cut(table_name).parse(input)?;
    if let Ok((after, _)) = preceded(keyword("handle"), number).parse(rest) {
        return refuse_handle(rest, after);
    }
    let (rest, name) = cut(identifier).parse(rest)?;
    if verb == Verb::Rename {
        let (rest, to) = cut(identifier).parse(rest)?;
        return Ok((rest, Object::Renamed(table, name, to)));
    }
    if has_block(rest) {
        let (rest, items) = cut(chain_block).parse(rest)?;
        return Ok((rest, Object::Chain(table, ChainBlock { name, items })));
    }
    let items = Vec::new();
    Ok((rest, Object::Chain(table, ChainBlock { name, items })))
}

fn rule_command(input: &str, verb: Verb) -> Parsed<'_, Object<'_>> {
    let (rest, table) = cut(table_name).parse(input)?;
    let (rest, chain) = cut(identifier).parse(rest)?;
    let (rest, place) = opt(place).parse(rest)?;
    let (rest, rule) = if matches!(verb, Verb::Delete | Verb::Destroy) {
        (rest, Rule::default())
    } else {
        rule(rest)
    };
    Ok((
        rest,
        Object::Rule {
            table,
            chain,
            place,
            rule,
        },
    ))
}

fn place(input: &str) -> Parsed<'_, Place<'_>> {
    let (rest, kind) = word(input)?;
    match kind {
        "handle" | "position" => number.map(Place::Handle).parse(rest),
        "index" => number.map(Place::Index).parse(rest),
        _ => wrong(input),
    }
}

fn set_command(input: &str) -> Parsed<'_, Object<'_>> {
    let (rest, table) = cut(table_name).parse(input)?;
    if let Ok((after, _)) = preceded(keyword("handle"), number).parse(rest) {
        return refuse_handle(rest, after);
    }
    let (rest, name) = cut(identifier).parse(rest)?;
    if has_block(rest) {
        let (rest, block) = cut(set_block(name)).parse(rest)?;
        return Ok((rest, Object::Set(table, block)));
    }
    Ok((rest, Object::Set(table, empty_set(name))))
}

fn empty_set(name: &str) -> SetBlock<'_> {
    SetBlock {
        text: name,
        name,
        keys: Vec::new(),
        is_map: false,
        is_dynamic: false,
        has_timeout: false,
        intervals: Intervals::None,
        elements: None,
        bad: Vec::new(),
    }
}

fn element_command(input: &str) -> Parsed<'_, Object<'_>> {
    let (rest, table) = cut(table_name).parse(input)?;
    let (rest, set) = cut(identifier).parse(rest)?;
    let (rest, elements) = cut(super::statement::elements).parse(rest)?;
    Ok((rest, Object::Element { table, set, elements }))
}

/// Objects that decide nothing by themselves.
fn object_command<'a>(kind: &str, input: &'a str) -> Parsed<'a, Object<'a>> {
    let (rest, table) = cut(table_name).parse(input)?;
    let (rest, name) = cut(identifier).parse(rest)?;
    let rest = if has_block(rest) {
        cut(braces).parse(rest)?.0
    } else {
        skip_statement(rest)
    };
    let object = Named::new(kind, name).map_or(Object::Nothing, |named| Object::Named(table, named));
    Ok((rest, object))
}
