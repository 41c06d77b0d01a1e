//! Statements: libnftables-json(5), "STATEMENTS".

use super::expression::expr;
use super::node::{Node, Value};
use crate::dialect::nftables::ast::{
    Comparison, Expr, ExprKind, Kind, Nat, NatKind, Read, Rule, Statement, TableFamily, Unread, Verdict,
};
use crate::dialect::nftables::names::Key;
use crate::dialect::nftables::names::{Named, OBJECTS};
use crate::packet::Family;

/// One rule.
pub(super) fn rule<'a>(node: &Node<'a>) -> Rule<'a> {
    let mut rule = Rule {
        text: node.text,
        ..Rule::default()
    };
    for one in node.get("expr").map(Node::parts).unwrap_or_default() {
        match statement(one) {
            Ok(statement) => rule.statements.push(statement),
            Err(unread) => {
                rule.bad = Some(unread);
                break;
            }
        }
    }
    rule
}

fn statement<'a>(node: &Node<'a>) -> Read<'a, Statement<'a>> {
    Ok(Statement {
        text: node.text,
        kind: kind(node)?,
    })
}

fn not_read<'a>(node: &Node<'a>) -> Unread<'a> {
    Unread::new(node.text, "this statement is not understood")
}

/// A verdict, if it is one.
pub(super) fn verdict<'a>(node: &Node<'a>) -> Read<'a, Option<Verdict<'a>>> {
    let Some((name, inside)) = node.only() else {
        return Ok(None);
    };
    let target = || match inside.get("target") {
        Some(target) => expr(target),
        None => Err(not_read(node)),
    };
    Ok(Some(match name {
        "accept" => Verdict::Accept,
        "drop" => Verdict::Drop,
        "continue" => Verdict::Continue,
        "return" => Verdict::Return,
        "jump" => Verdict::Jump(target()?),
        "goto" => Verdict::Goto(target()?),
        _ => return Ok(None),
    }))
}

fn kind<'a>(node: &Node<'a>) -> Read<'a, Kind<'a>> {
    if let Some(verdict) = verdict(node)? {
        return Ok(Kind::Verdict(verdict));
    }
    let Some((name, inside)) = node.only() else {
        return match node.word() {
            Some("notrack") => Ok(Kind::Notrack),
            _ => Err(not_read(node)),
        };
    };
    if OBJECTS.contains(&name) && inside.get("map").is_some() {
        let then = Box::new(Statement {
            text: node.text,
            kind: of_name(node, (name, inside))?,
        });
        return Ok(Kind::Mapped {
            map: expr(inside)?,
            then,
        });
    }
    let kind = of_name(node, (name, inside))?;
    let object = match (name, &inside.value) {
        ("flow", _) => inside
            .get("flowtable")
            .and_then(Node::word)
            .map(|name| ("flowtable", name)),
        (_, &Value::String(object)) if OBJECTS.contains(&name) => Some((name, object)),
        _ => None,
    };
    let named = object.and_then(|(kind, name)| Named::new(kind, name.trim_start_matches('@')));
    let Some(named) = named else { return Ok(kind) };
    let then = Box::new(Statement {
        text: node.text,
        kind,
    });
    Ok(Kind::WithObject(named, then))
}

fn of_name<'a>(node: &Node<'a>, (name, inside): (&'a str, &Node<'a>)) -> Read<'a, Kind<'a>> {
    let part = |key: &str| expr(inside.get(key).ok_or_else(|| not_read(node))?);
    Ok(match name {
        "match" => Kind::Match {
            left: part("left")?,
            op: comparison(inside)?,
            right: part("right")?,
        },
        "vmap" => Kind::VerdictMap {
            key: part("key")?,
            map: part("data")?,
        },
        "counter" | "log" | "last" | "flow" | "dup" | "ct helper" | "ct timeout" | "ct expectation"
        | "secmark" | "reset" | "tcp option reset" => Kind::Pass,
        "limit" => Kind::Limit("limit"),
        "quota" => Kind::Limit("quota"),
        "ct count" => Kind::Limit("ct count"),
        "meter" => Kind::Limit("meter"),
        "mangle" => change(inside, part("key")?, part("value")?)?,
        "dnat" => Kind::Nat(nat(NatKind::Destination, inside)?),
        "snat" | "masquerade" => Kind::Nat(nat(NatKind::Source, inside)?),
        "redirect" => Kind::Nat(nat(NatKind::Redirect, inside)?),
        "notrack" => Kind::Notrack,
        "queue" => Kind::Unknown("queue"),
        "tproxy" => Kind::Unknown("tproxy"),
        "synproxy" => Kind::Unknown("synproxy"),
        "fwd" => Kind::Unknown("fwd"),
        "xt" => match inside.get("type").and_then(Node::word) {
            Some("match") => Kind::Limit("xt match"),
            Some("target") => Kind::Unknown("xt target"),
            _ => Kind::Pass,
        },
        "reject" => match inside.get("type").and_then(Node::word) {
            Some("icmp") => Kind::Reject(Some(Family::V4), false),
            Some("icmpv6") => Kind::Reject(Some(Family::V6), false),
            answer => Kind::Reject(None, answer == Some("tcp reset")),
        },
        "set" | "map" => update(node, inside)?,
        _ => return Err(not_read(node)),
    })
}

fn comparison<'a>(node: &Node<'a>) -> Read<'a, Comparison> {
    let op = node.get("op");
    Ok(match op.and_then(Node::word) {
        None | Some("in") => Comparison::Implicit,
        Some("==") => Comparison::Equal,
        Some("!=") => Comparison::NotEqual,
        Some("<") => Comparison::Less,
        Some("<=") => Comparison::LessOrEqual,
        Some(">") => Comparison::Greater,
        Some(">=") => Comparison::GreaterOrEqual,
        Some("!") => Comparison::NoneOf,
        Some(_) => return Err(not_read(op.unwrap_or(node))),
    })
}

fn change<'a>(node: &Node<'a>, key: Expr<'a>, value: Expr<'a>) -> Read<'a, Kind<'a>> {
    match key.kind {
        ExprKind::Selector(Key::Mark) => Ok(Kind::SetMark(value)),
        ExprKind::Selector(key) => Ok(Kind::Change(key, value)),
        _ => Err(not_read(node)),
    }
}

/// `{"op": "add", "elem": …, "set": "@name", "stmt": […]}`
fn update<'a>(node: &Node<'a>, inside: &Node<'a>) -> Read<'a, Kind<'a>> {
    let name = inside
        .get("set")
        .or_else(|| inside.get("map"))
        .and_then(Node::word);
    let set = name.ok_or_else(|| not_read(node))?.trim_start_matches('@');
    let statements = inside.get("stmt").map(Node::parts).unwrap_or_default();
    let is_gate = |one: &Node<'_>| {
        one.only()
            .is_some_and(|(name, _)| matches!(name, "limit" | "quota" | "ct count"))
    };
    Ok(Kind::Update {
        set,
        key: expr(inside.get("elem").ok_or_else(|| not_read(node))?)?,
        gated: statements.iter().any(is_gate),
    })
}

fn nat<'a>(kind: NatKind, node: &Node<'a>) -> Read<'a, Nat<'a>> {
    let part = |key: &str| node.get(key).map(expr).transpose();
    let family = match node.get("family").and_then(Node::word) {
        Some("ip") => Some(TableFamily::Ip),
        Some("ip6") => Some(TableFamily::Ip6),
        _ => None,
    };
    let flags = node.get("type_flags").map(Node::parts).unwrap_or_default();
    Ok(Nat {
        kind,
        family,
        address: part("addr")?,
        ports: part("port")?,
        is_concatenated: flags.iter().any(|flag| flag.word() == Some("concat")),
    })
}

/// Whether a node is nothing.
pub(super) fn is_null(node: &Node<'_>) -> bool {
    matches!(node.value, Value::Plain) && node.text == "null"
}
