//! Expressions: what is asked of packets, and the values it is compared with.
//!
//! On the right of a comparison a word is a value even where it names a header: `ip protocol tcp tcp dport 22`.

use nom::Parser;
use nom::branch::alt;
use nom::combinator::opt;
use nom::multi::many0;
use nom::sequence::{delimited, preceded};

use super::selector::selector;
use super::token::{
    Parsed, between, blank, has_symbol, keyword, lines, number, peek_word, symbol, text, unexpected, word,
    wrong,
};
use super::verdict::verdict;
use crate::dialect::nftables::ast::{Data, Element, Expr, ExprKind, Operator};

fn made<'a>(from: &'a str, rest: &'a str, kind: ExprKind<'a>) -> Expr<'a> {
    Expr {
        text: between(from, rest),
        kind,
    }
}

/// What stands on the left of a comparison: selectors, joined and masked.
pub(super) fn left(input: &str) -> Parsed<'_, Expr<'_>> {
    let (mut rest, first) = masked_selector(input)?;
    let mut parts = vec![first];
    while has_symbol(rest, ".") {
        let (after, part) = preceded(symbol("."), alt((masked_selector, primary))).parse(rest)?;
        parts.push(part);
        rest = after;
    }
    let one = joined(input, rest, parts);
    if peek_word(rest) == "map" {
        let (after, map) = preceded(keyword("map"), map_of).parse(rest)?;
        let kind = ExprKind::Map(Box::new((one, map)));
        return Ok((after, made(input, after, kind)));
    }
    Ok((rest, one))
}

fn joined<'a>(from: &'a str, rest: &'a str, mut parts: Vec<Expr<'a>>) -> Expr<'a> {
    if parts.len() == 1
        && let Some(only) = parts.pop()
    {
        return only;
    }
    made(from, rest, ExprKind::Concat(parts))
}

/// `{ … }`, `@NAME` or `$NAME`
pub(super) fn map_of(input: &str) -> Parsed<'_, Expr<'_>> {
    alt((set, set_name, variable)).parse(input)
}

/// A selector with what is done to its bits.
fn masked_selector(input: &str) -> Parsed<'_, Expr<'_>> {
    let (rest, value) = alt((delimited(symbol("("), left, symbol(")")), selector_expr)).parse(input)?;
    operated(input, rest, value, primary)
}

/// Operators that one value may be made with: what they make is as deep as they are many.
const MAX_OPERATORS: usize = 64;

/// Operators and what stands behind each: shifts bind closest, then `&`, `^`, `|`.
fn operated<'a>(
    from: &'a str,
    input: &'a str,
    first: Expr<'a>,
    operand: fn(&'a str) -> Parsed<'a, Expr<'a>>,
) -> Parsed<'a, Expr<'a>> {
    let mut rest = input;
    // Operands with the operator behind each, still to be joined.
    let mut open: Vec<(Expr<'a>, Operator)> = Vec::new();
    let mut last = first;
    let mut n_operators = 0;
    while let Ok((after, op)) = operator(rest) {
        n_operators += 1;
        if n_operators > MAX_OPERATORS {
            return wrong(rest);
        }
        let (after, right) = operand(after)?;
        rest = after;
        while let Some((left, before)) = open.pop_if(|(_, before)| binding(*before) >= binding(op)) {
            last = binary(from, left, before, last);
        }
        open.push((last, op));
        last = right;
    }
    while let Some((left, before)) = open.pop() {
        last = binary(from, left, before, last);
    }
    Ok((rest, last))
}

fn binding(op: Operator) -> u8 {
    match op {
        Operator::Or => 1,
        Operator::Xor => 2,
        Operator::And => 3,
        Operator::ShiftLeft | Operator::ShiftRight => 4,
    }
}

fn binary<'a>(from: &'a str, left: Expr<'a>, op: Operator, right: Expr<'a>) -> Expr<'a> {
    let start = (left.text.as_ptr() as usize).wrapping_sub(from.as_ptr() as usize);
    let end = (right.text.as_ptr() as usize).wrapping_sub(from.as_ptr() as usize) + right.text.len();
    Expr {
        text: from.get(start..end).unwrap_or(left.text),
        kind: ExprKind::Binary(op, Box::new((left, right))),
    }
}

fn selector_expr(input: &str) -> Parsed<'_, Expr<'_>> {
    let (rest, key) = selector(input)?;
    Ok((rest, made(input, rest, ExprKind::Selector(key))))
}

fn operator(input: &str) -> Parsed<'_, Operator> {
    if !matches!(
        blank(input).as_bytes().first(),
        Some(b'&' | b'|' | b'^' | b'<' | b'>' | b'a' | b'o' | b'x' | b'l' | b'r')
    ) {
        return wrong(input);
    }
    alt((
        symbol("&").map(|_| Operator::And),
        keyword("and").map(|_| Operator::And),
        symbol("|").map(|_| Operator::Or),
        keyword("or").map(|_| Operator::Or),
        symbol("^").map(|_| Operator::Xor),
        keyword("xor").map(|_| Operator::Xor),
        symbol("<<").map(|_| Operator::ShiftLeft),
        keyword("lshift").map(|_| Operator::ShiftLeft),
        symbol(">>").map(|_| Operator::ShiftRight),
        keyword("rshift").map(|_| Operator::ShiftRight),
    ))
    .parse(input)
}

/// What stands on the right of a comparison: a value, or several with commas between them.
pub(super) fn right(input: &str) -> Parsed<'_, Expr<'_>> {
    let (rest, first) = element_key(input)?;
    if has_symbol(rest, "/") {
        let (after, mask) = preceded(symbol("/"), mask).parse(rest)?;
        let kind = ExprKind::Masked(Box::new((first, mask)));
        return Ok((after, made(input, after, kind)));
    }
    if !has_symbol(rest, ",") {
        return Ok((rest, first));
    }
    let (rest, mut more) = many0(preceded(symbol(","), element_key)).parse(rest)?;
    more.insert(0, first);
    let values = made(input, rest, ExprKind::List(more));
    if has_symbol(rest, "/") {
        let (after, mask) = preceded(symbol("/"), mask).parse(rest)?;
        let kind = ExprKind::Masked(Box::new((values, mask)));
        return Ok((after, made(input, after, kind)));
    }
    Ok((rest, values))
}

/// What a mask has: nft wants several flags there, for one a comparison does.
fn mask(input: &str) -> Parsed<'_, Expr<'_>> {
    let (rest, mask) = list(input)?;
    match mask.kind {
        ExprKind::List(_) => Ok((rest, mask)),
        _ => super::token::refuse(mask.text, "a mask of one flag".to_owned()),
    }
}

fn list(input: &str) -> Parsed<'_, Expr<'_>> {
    let (rest, first) = element_key(input)?;
    let (rest, mut more) = many0(preceded(symbol(","), element_key)).parse(rest)?;
    if more.is_empty() {
        return Ok((rest, first));
    }
    more.insert(0, first);
    Ok((rest, made(input, rest, ExprKind::List(more))))
}

/// A value, with what it is joined to.
pub(super) fn element_key(input: &str) -> Parsed<'_, Expr<'_>> {
    let (mut rest, first) = value(input)?;
    let mut parts = vec![first];
    while has_symbol(rest, ".") {
        let (after, part) = preceded(symbol("."), value).parse(rest)?;
        parts.push(part);
        rest = after;
    }
    Ok((rest, joined(input, rest, parts)))
}

/// A value, a prefix, a range, or values with operators between them.
fn value(input: &str) -> Parsed<'_, Expr<'_>> {
    let (mut rest, mut one) = primary(input)?;
    if let Ok((after, length)) = preceded(symbol("/"), number).parse(rest)
        && !length.starts_with("0x")
    {
        rest = after;
        one = made(input, rest, ExprKind::Prefix(Box::new(one), length));
    }
    if has_symbol(rest, "-") {
        let (after, high) = preceded(symbol("-"), primary).parse(rest)?;
        let kind = ExprKind::Range(Box::new((one, high)));
        return Ok((after, made(input, after, kind)));
    }
    operated(input, rest, one, primary)
}

fn primary(input: &str) -> Parsed<'_, Expr<'_>> {
    let at = blank(input);
    match at.as_bytes().first() {
        Some(b'{') => set(input),
        Some(b'@') => set_name(input),
        Some(b'$') => variable(input),
        Some(b'(') => delimited(symbol("("), list, symbol(")")).parse(input),
        Some(b'[') => delimited(symbol("["), value, symbol("]")).parse(input),
        Some(b'*') => {
            let (rest, _) = symbol("*").parse(input)?;
            Ok((rest, made(input, rest, ExprKind::Wildcard)))
        }
        _ => {
            let (rest, word) = text(input)?;
            Ok((rest, made(input, rest, ExprKind::Word(word))))
        }
    }
}

fn set_name(input: &str) -> Parsed<'_, Expr<'_>> {
    let (rest, name) = preceded(symbol("@"), word).parse(input)?;
    Ok((rest, made(input, rest, ExprKind::SetName(name))))
}

pub(super) fn variable(input: &str) -> Parsed<'_, Expr<'_>> {
    let (rest, name) = preceded(symbol("$"), word).parse(input)?;
    Ok((rest, made(input, rest, ExprKind::Variable(name))))
}

/// `{ a, b : accept }`: at least one element; a comma may stand behind the last.
pub(super) fn set(input: &str) -> Parsed<'_, Expr<'_>> {
    let (mut rest, _) = symbol("{").parse(input)?;
    let mut elements = Vec::new();
    loop {
        rest = lines(rest);
        if !elements.is_empty()
            && let Ok((after, _)) = symbol("}").parse(rest)
        {
            return Ok((after, made(input, after, ExprKind::Set(elements))));
        }
        let (after, one) = element(rest)?;
        elements.push(one);
        rest = lines(after);
        match symbol(",").parse(rest) {
            Ok((after, _)) => rest = after,
            Err(_) if has_symbol(rest, "}") => {}
            Err(_) => return Err(nom::Err::Failure(unexpected(rest))),
        }
    }
}

/// `{ }`: a definition may stand for nothing.
pub(super) fn nothing(input: &str) -> Parsed<'_, Expr<'_>> {
    let (rest, _) = symbol("{").parse(input)?;
    let (rest, _) = symbol("}").parse(lines(rest))?;
    Ok((rest, made(input, rest, ExprKind::Set(Vec::new()))))
}

/// A key with its options, and with its data in a map.
fn element(input: &str) -> Parsed<'_, Element<'_>> {
    let (rest, key) = element_key(input)?;
    let mut element = Element {
        key,
        expires: false,
        gated: false,
        data: None,
    };
    let mut rest = element_options(rest, &mut element)?.0;
    if has_symbol(rest, ":") {
        let (after, _) = symbol(":").parse(rest)?;
        let from = lines(after);
        let (after, data) = if let (after, Some(verdict)) = opt(verdict).parse(from)? {
            (after, Data::Verdict(between(from, after), verdict))
        } else {
            let (after, value) = element_key(from)?;
            (after, Data::Value(value))
        };
        element.data = Some(Box::new(data));
        rest = element_options(after, &mut element)?.0;
    }
    Ok((rest, element))
}

/// `timeout 1h expires 30m counter packets 1 bytes 2 comment "x" limit rate 1/second`
fn element_options<'a>(input: &'a str, element: &mut Element<'a>) -> Parsed<'a, ()> {
    let mut rest = input;
    loop {
        let next = peek_word(rest);
        rest = match next {
            "timeout" | "expires" => {
                element.expires = true;
                let (after, _) = word(word(rest)?.0)?;
                after
            }
            "comment" => text(word(rest)?.0)?.0,
            "counter" => super::count::counter(rest)?.0,
            "last" => super::count::last_used(rest)?.0,
            "limit" | "quota" | "ct" => {
                element.gated = true;
                super::count::gate(rest)?.0
            }
            _ => return Ok((rest, ())),
        };
    }
}

/// A value of a statement that may also be computed from the packet: `meta mark set ct mark and 0xff or 0x10`.
pub(super) fn computed(input: &str) -> Parsed<'_, Expr<'_>> {
    let (mut rest, mut one) = operand(input)?;
    let mut n_operators = 0;
    loop {
        n_operators += 1;
        if n_operators > MAX_OPERATORS {
            return wrong(rest);
        }
        if has_symbol(rest, ".") {
            let (after, part) = preceded(symbol("."), operand).parse(rest)?;
            let parts = match one.kind {
                ExprKind::Concat(mut parts) => {
                    parts.push(part);
                    parts
                }
                _ => vec![one, part],
            };
            one = made(input, after, ExprKind::Concat(parts));
            rest = after;
        } else if operator(rest).is_ok() {
            (rest, one) = operated(input, rest, one, operand)?;
        } else if peek_word(rest) == "map" {
            let (after, map) = preceded(keyword("map"), map_of).parse(rest)?;
            one = made(input, after, ExprKind::Map(Box::new((one, map))));
            rest = after;
        } else if has_symbol(rest, "-") {
            let (after, high) = preceded(symbol("-"), primary).parse(rest)?;
            one = made(input, after, ExprKind::Range(Box::new((one, high))));
            rest = after;
        } else if let Ok((after, length)) = preceded(symbol("/"), number).parse(rest) {
            one = made(input, after, ExprKind::Prefix(Box::new(one), length));
            rest = after;
        } else {
            return Ok((rest, one));
        }
    }
}

fn operand(input: &str) -> Parsed<'_, Expr<'_>> {
    if has_symbol(input, "(") {
        return delimited(symbol("("), computed, symbol(")")).parse(input);
    }
    alt((selector_expr, primary)).parse(input)
}

/// A list of names in braces or alone: devices, flags.
pub(super) fn names(input: &str) -> Parsed<'_, Expr<'_>> {
    if is_nothing(input) {
        return wrong(input);
    }
    list(input)
}

fn is_nothing(input: &str) -> bool {
    super::token::is_end(input)
}
