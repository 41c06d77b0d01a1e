//! What `nft -j list ruleset` prints, and the commands that `nft -j -f` takes: libnftables-json(5).
//!
//! JSON becomes the same tree that text does. INVARIANT: an object that is not understood is said, never skipped.

mod expression;
mod node;
mod statement;

use self::expression::{elements, expr};
use self::node::{Node, Value};
use self::statement::{is_null, rule};
use super::ast::{
    ChainBlock, ChainItem, Command, Expr, ExprKind, HookLine, Intervals, Item, KeyType, Object, Place, Read,
    SetBlock, TableFamily, TableItem, TableName, Unread, Verb, Word,
};
use super::names::{Named, OBJECTS};

/// All of a text as commands.
pub(super) fn items(text: &str) -> Vec<Item<'_>> {
    let read = node::parse(text).and_then(|node| match node.get("nftables") {
        Some(Node {
            value: Value::Array(objects),
            ..
        }) => Ok(objects
            .iter()
            .map(|object| item(object).unwrap_or_else(Item::Bad))
            .collect()),
        _ => Err(Unread::new(
            node.text.get(..1).unwrap_or(""),
            "`nftables` is not a list here",
        )),
    });
    read.unwrap_or_else(|unread| vec![Item::Bad(unread)])
}

fn item<'a>(node: &Node<'a>) -> Read<'a, Item<'a>> {
    let not_read = || Unread::new(node.text, "this object is not understood");
    let (name, inside) = node.only().ok_or_else(not_read)?;
    if ["metainfo", "list", "reset"].contains(&name) {
        return Ok(command(node, Verb::Add, Object::Nothing));
    }
    let Some(verb) = Verb::of(name) else {
        return Ok(command(node, Verb::Add, object(node, name, inside, Verb::Add)?));
    };
    let (name, inside) = inside.only().ok_or_else(not_read)?;
    Ok(command(node, verb, object(node, name, inside, verb)?))
}

fn command<'a>(node: &Node<'a>, verb: Verb, object: Object<'a>) -> Item<'a> {
    Item::Command(Command {
        text: node.text,
        verb,
        object,
    })
}

fn word<'a>(node: &Node<'a>, key: &str) -> Read<'a, &'a str> {
    let found = node.get(key).and_then(Node::word);
    found.ok_or_else(|| Unread::new(node.text, format!("`{key}` is missing here")))
}

fn family<'a>(node: &Node<'a>) -> Read<'a, TableFamily> {
    Ok(match word(node, "family")? {
        "ip" => TableFamily::Ip,
        "ip6" => TableFamily::Ip6,
        "inet" => TableFamily::Inet,
        "arp" => TableFamily::Arp,
        "bridge" => TableFamily::Bridge,
        "netdev" => TableFamily::Netdev,
        other => return Err(Unread::new(other, format!("`{other}` is no family"))),
    })
}

fn table<'a>(node: &Node<'a>, key: &str) -> Read<'a, TableName<'a>> {
    let name = word(node, key)?;
    Ok(TableName {
        family: family(node)?,
        name,
        text: name,
    })
}

fn object<'a>(node: &Node<'a>, name: &str, inside: &Node<'a>, verb: Verb) -> Read<'a, Object<'a>> {
    Ok(match name {
        "ruleset" if is_null(inside) => Object::Ruleset(None),
        "ruleset" => Object::Ruleset(inside.get("family").map(|_| family(inside)).transpose()?),
        "table" => {
            let flags = inside.get("flags").map(Node::parts).unwrap_or_default();
            Object::Table(table(inside, "name")?, flags.iter().map(flag).collect())
        }
        "chain" if verb == Verb::Rename => Object::Renamed(
            table(inside, "table")?,
            word(inside, "name")?,
            word(inside, "newname")?,
        ),
        "chain" => Object::Chain(table(inside, "table")?, chain(inside)?),
        "rule" => Object::Rule {
            table: table(inside, "table")?,
            chain: word(inside, "chain")?,
            place: place(inside, verb),
            rule: rule(inside),
        },
        "set" | "map" => Object::Set(table(inside, "table")?, set(inside)?),
        "element" => Object::Element {
            table: table(inside, "table")?,
            set: word(inside, "name")?,
            elements: of_elements(inside.get("elem").unwrap_or(inside))?,
        },
        "meter" => Object::Nothing,
        _ if OBJECTS.contains(&name) => {
            let named = Named::new(name, word(inside, "name")?);
            named
                .map(|named| table(inside, "table").map(|table| Object::Named(table, named)))
                .transpose()?
                .unwrap_or(Object::Nothing)
        }
        _ => return Err(Unread::new(node.text, format!("`{name}` is not understood"))),
    })
}

/// A flag of a table. Where there is just one, nft 1.0.6 prints some other text in its place.
fn flag<'a>(node: &Node<'a>) -> TableItem<'a> {
    match node.word() {
        Some("dormant") => TableItem::Dormant,
        Some("owner" | "persist") => TableItem::Nothing,
        _ => TableItem::Flag(node.text),
    }
}

/// Listed rules carry their handles; only commands mean a place by them.
fn place<'a>(node: &Node<'a>, verb: Verb) -> Option<Place<'a>> {
    let index = node.get("index").and_then(Node::word).map(Place::Index);
    let is_about = matches!(verb, Verb::Delete | Verb::Destroy | Verb::Replace);
    let handle = node.get("handle").filter(|_| is_about);
    index.or_else(|| handle.and_then(Node::word).map(Place::Handle))
}

fn chain<'a>(node: &Node<'a>) -> Read<'a, ChainBlock<'a>> {
    let mut items = Vec::new();
    if node.get("hook").is_some() {
        let priority = node
            .get("prio")
            .ok_or_else(|| Unread::new(node.text, "`prio` is missing here"))?;
        items.push(ChainItem::Hook(HookLine {
            text: node.text,
            kind: word(node, "type")?,
            hook: word(node, "hook")?,
            devices: node.get("dev").map(devices),
            priority: expr(priority)?,
            offset: None,
        }));
    }
    if let Some(policy) = node.get("policy") {
        items.push(ChainItem::Policy(expr(policy)?));
    }
    Ok(ChainBlock {
        name: word(node, "name")?,
        items,
    })
}

fn devices<'a>(node: &Node<'a>) -> Expr<'a> {
    let element = |part: &Node<'a>| super::ast::Element {
        key: Expr {
            text: part.text,
            kind: ExprKind::Word(Word {
                text: part.word().unwrap_or(""),
                quoted: true,
            }),
        },
        expires: false,
        gated: false,
        data: None,
    };
    Expr {
        text: node.text,
        kind: ExprKind::Set(node.parts().iter().map(element).collect()),
    }
}

fn of_elements<'a>(node: &Node<'a>) -> Read<'a, Expr<'a>> {
    Ok(Expr {
        text: node.text,
        kind: ExprKind::Set(elements(node)?),
    })
}

fn set<'a>(node: &Node<'a>) -> Read<'a, SetBlock<'a>> {
    let flags = node.get("flags").map(Node::parts).unwrap_or_default();
    let has = |name: &str| flags.iter().any(|flag| flag.word() == Some(name));
    Ok(SetBlock {
        text: node.text,
        name: word(node, "name")?,
        keys: node.get("type").map(keys).transpose()?.unwrap_or_default(),
        is_map: node.get("map").is_some(),
        is_dynamic: has("dynamic"),
        has_timeout: has("timeout"),
        intervals: match (has("interval"), node.get("auto-merge").is_some()) {
            (_, true) => Intervals::Merged,
            (true, false) => Intervals::Apart,
            (false, false) => Intervals::None,
        },
        elements: node.get("elem").map(of_elements).transpose()?,
        bad: Vec::new(),
    })
}

/// `"ipv4_addr"`, `["ipv4_addr", "inet_service"]`, `{"typeof": …}`
fn keys<'a>(node: &Node<'a>) -> Read<'a, Vec<KeyType<'a>>> {
    if let Some(of) = node.get("typeof") {
        let parts = of.get("concat").map_or(std::slice::from_ref(of), Node::parts);
        return parts.iter().map(|part| expr(part).map(KeyType::Of)).collect();
    }
    let named = |part: &Node<'a>| {
        let name = part
            .word()
            .ok_or_else(|| Unread::new(part.text, "this is no type"))?;
        Ok(KeyType::Named(name))
    };
    node.parts().iter().map(named).collect()
}
