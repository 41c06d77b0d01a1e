//! Expressions: libnftables-json(5), "EXPRESSIONS".

use super::node::{Node, Value};
use crate::dialect::nftables::ast::{Data, Element, Expr, ExprKind, Operator, Read, Unread, Word};
use crate::dialect::nftables::names::{Key, Other, Type};
use crate::dialect::nftables::parser;

fn not_read<'a>(node: &Node<'a>) -> Unread<'a> {
    Unread::new(node.text, "this expression is not understood")
}

/// A value or what is asked of packets.
pub(super) fn expr<'a>(node: &Node<'a>) -> Read<'a, Expr<'a>> {
    let kind = match &node.value {
        Value::Plain => word(node.text, false),
        Value::String(text) => of_string(text),
        Value::Array(parts) => match parts.as_slice() {
            [only] => return expr(only),
            _ => ExprKind::List(exprs(parts)?),
        },
        Value::Object(_) => object(node)?,
    };
    Ok(Expr {
        text: node.text,
        kind,
    })
}

fn word(text: &str, quoted: bool) -> ExprKind<'_> {
    ExprKind::Word(Word { text, quoted })
}

fn of_string(text: &str) -> ExprKind<'_> {
    match text.strip_prefix('@') {
        Some(name) => ExprKind::SetName(name),
        None if text == "*" => ExprKind::Wildcard,
        None => word(text, true),
    }
}

fn exprs<'a>(nodes: &[Node<'a>]) -> Read<'a, Vec<Expr<'a>>> {
    nodes.iter().map(expr).collect()
}

fn object<'a>(node: &Node<'a>) -> Read<'a, ExprKind<'a>> {
    let (name, inside) = node.only().ok_or_else(|| not_read(node))?;
    let missing = |of: &Node<'a>| Unread::new(of.text, "something is missing here");
    let part = |of: &Node<'a>, key: &str| expr(of.get(key).ok_or_else(|| missing(of))?);
    Ok(match name {
        "concat" => ExprKind::Concat(exprs(inside.parts())?),
        "set" => ExprKind::Set(elements(inside)?),
        "map" => ExprKind::Map(Box::new((part(inside, "key")?, part(inside, "data")?))),
        "prefix" => {
            let length = inside
                .get("len")
                .and_then(Node::word)
                .ok_or_else(|| missing(inside))?;
            ExprKind::Prefix(Box::new(part(inside, "addr")?), length)
        }
        "range" => match inside.parts() {
            [low, high] => ExprKind::Range(Box::new((expr(low)?, expr(high)?))),
            _ => return Err(missing(inside)),
        },
        "elem" => return expr(inside.get("val").ok_or_else(|| missing(inside))?).map(|one| one.kind),
        "&" => operated(Operator::And, inside)?,
        "|" => operated(Operator::Or, inside)?,
        "^" => operated(Operator::Xor, inside)?,
        "<<" => operated(Operator::ShiftLeft, inside)?,
        ">>" => operated(Operator::ShiftRight, inside)?,
        _ => ExprKind::Selector(selector(name, inside)),
    })
}

/// `{"&": [a, b, c]}`
fn operated<'a>(op: Operator, node: &Node<'a>) -> Read<'a, ExprKind<'a>> {
    let mut parts = node.parts().iter();
    let mut one = expr(parts.next().ok_or_else(|| not_read(node))?)?;
    for part in parts {
        let kind = ExprKind::Binary(op, Box::new((one, expr(part)?)));
        one = Expr {
            text: node.text,
            kind,
        };
    }
    Ok(one.kind)
}

/// The elements of a set or map.
pub(super) fn elements<'a>(node: &Node<'a>) -> Read<'a, Vec<Element<'a>>> {
    node.parts().iter().map(element).collect()
}

/// A key, or a key and its data.
fn element<'a>(node: &Node<'a>) -> Read<'a, Element<'a>> {
    let (key, data) = match &node.value {
        Value::Array(both) => match both.as_slice() {
            [key, data] => (key, Some(data)),
            _ => return Err(not_read(node)),
        },
        _ => (node, None),
    };
    let options = key.get("elem");
    let has = |names: &[&str]| {
        names
            .iter()
            .any(|name| options.is_some_and(|options| options.get(name).is_some()))
    };
    let data = data.map(of_data).transpose()?.map(Box::new);
    Ok(Element {
        key: expr(key)?,
        expires: has(&["timeout", "expires"]),
        gated: has(&["limit", "quota", "ct count"]),
        data,
    })
}

fn of_data<'a>(node: &Node<'a>) -> Read<'a, Data<'a>> {
    match super::statement::verdict(node)? {
        Some(verdict) => Ok(Data::Verdict(node.text, verdict)),
        None => expr(node).map(Data::Value),
    }
}

/// A selector by the words that the text form has for it.
fn selector(name: &str, inside: &Node<'_>) -> Key {
    let words = words(name, inside);
    let known = parser::selector(&words);
    known.unwrap_or_else(|| {
        Key::Other(Box::new(Other {
            name: words,
            kind: Type::Opaque,
            family: None,
            protocol: None,
            keeps: true,
            is_of_destination: true,
        }))
    })
}

fn words(name: &str, inside: &Node<'_>) -> String {
    let get = |key: &str| inside.get(key).and_then(Node::word).unwrap_or("");
    let mut words: Vec<String> = Vec::new();
    match name {
        "payload" if inside.get("base").is_some() => {
            return format!("@{},{},{}", get("base"), get("offset"), get("len"));
        }
        "payload" => words.extend([get("tunnel").into(), get("protocol").into(), get("field").into()]),
        "exthdr" if inside.get("field").is_none() => words.extend(["exthdr".into(), get("name").into()]),
        "exthdr" if inside.get("offset").is_some() && get("name").starts_with("rt") => {
            words.push(format!("{} {}[{}]", get("name"), get("field"), get("offset")));
        }
        "exthdr" => words.extend([get("name").into(), get("field").into()]),
        "tcp option" | "ip option" | "sctp chunk" | "dccp option" if inside.get("base").is_some() => {
            words.push(format!(
                "{name} @{},{},{}",
                get("base"),
                get("offset"),
                get("len")
            ));
        }
        "tcp option" | "ip option" | "sctp chunk" => {
            words.extend([name.into(), get("name").into(), get("field").into()]);
        }
        "dccp option" => words.extend([name.into(), get("type").into()]),
        "ct" => words.extend([
            "ct".into(),
            get("dir").into(),
            get("family").into(),
            get("key").into(),
        ]),
        "rt" => words.extend(["rt".into(), get("family").into(), get("key").into()]),
        "fib" => {
            let flags: Vec<&str> = inside
                .get("flags")
                .map(Node::parts)
                .unwrap_or_default()
                .iter()
                .filter_map(Node::word)
                .collect();
            words.extend(["fib".into(), flags.join(" . "), get("result").into()]);
        }
        "numgen" => {
            words.extend([
                "numgen".into(),
                get("mode").into(),
                "mod".into(),
                get("mod").into(),
            ]);
            if !get("offset").is_empty() && get("offset") != "0" {
                words.extend(["offset".into(), get("offset").into()]);
            }
        }
        "ipsec" => {
            words.extend(["ipsec".into(), get("dir").into()]);
            if !get("spnum").is_empty() && get("spnum") != "0" {
                words.extend(["spnum".into(), get("spnum").into()]);
            }
            words.extend([get("family").into(), get("key").into()]);
        }
        _ => words.extend([name.into(), get("key").into()]),
    }
    words.retain(|word| !word.is_empty());
    words.join(" ")
}
