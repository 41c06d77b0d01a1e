//! Selectors: words that name what is asked of a packet.

use nom::Parser;
use nom::branch::alt;
use nom::combinator::opt;
use nom::sequence::preceded;

use super::token::{Parsed, between, has_symbol, keyword, number, peek_word, symbol, word, wrong};
use crate::dialect::nftables::names::{
    CT, CT_DIRECTED, Key, META, META_BARE, Other, Side, Type, field, is_header, lookup,
};
use crate::packet::Family;

/// A selector that is not modelled, by its words.
fn other<'a>(from: &'a str, rest: &'a str, kind: Type, keeps: bool) -> Key {
    Key::Other(Box::new(Other {
        name: canonical(between(from, rest)),
        kind,
        family: None,
        protocol: None,
        keeps,
        is_of_destination: false,
    }))
}

/// Ports by their place, and as nft prints them.
const PORTS_BY_PLACE: &[(&str, &str)] = &[("@th,0,16", "th sport"), ("@th,16,16", "th dport")];

/// The words with one blank between them.
pub(in crate::dialect::nftables) fn canonical(text: &str) -> String {
    let mut name = String::with_capacity(text.len());
    for part in text.split_ascii_whitespace() {
        if !name.is_empty() {
            name.push(' ');
        }
        let named = PORTS_BY_PLACE.iter().find(|(place, _)| *place == part);
        name.push_str(named.map_or(part, |(_, named)| named));
    }
    name
}

/// `selector ::= ("tcp" | "udp" | "sctp" | "dccp" | "th") blank ("sport" | "dport")`
///
/// What is asked of a packet.
pub(super) fn selector(input: &str) -> Parsed<'_, Key> {
    if has_symbol(input, "@") {
        return raw(input);
    }
    let (rest, first) = word(input)?;
    match first {
        "meta" => {
            let (rest, name) = word(rest)?;
            meta(input, rest, name)
        }
        "ct" => ct(input, rest),
        "fib" => fib(input, rest),
        "socket" => {
            let (rest, what) = word(rest)?;
            let kind = match what {
                "transparent" | "wildcard" => Type::Integer(1),
                _ => Type::Opaque,
            };
            let (rest, _) = opt(preceded(keyword("level"), number)).parse(rest)?;
            Ok((rest, other(input, rest, kind, true)))
        }
        "osf" => {
            let ttl = alt((keyword("loose"), keyword("skip")));
            let (rest, _) = opt(preceded(keyword("ttl"), ttl)).parse(rest)?;
            let (rest, _) = alt((keyword("name"), keyword("version"))).parse(rest)?;
            Ok((rest, other(input, rest, Type::Opaque, true)))
        }
        "ipsec" if matches!(peek_word(rest), "in" | "out") => ipsec(input, rest),
        "rt" => rt(input, rest),
        "numgen" => {
            let (rest, _) = alt((keyword("inc"), keyword("random"))).parse(rest)?;
            hashed(input, rest, false)
        }
        "symhash" => hashed(input, rest, true),
        "jhash" => {
            let (rest, _) = super::expression::left(rest)?;
            hashed(input, rest, true)
        }
        "exthdr" => {
            let (rest, _) = word(rest)?;
            let mut key = family_only(input, rest, Family::V6);
            if let Key::Other(other) = &mut key {
                other.kind = Type::Integer(1);
            }
            Ok((rest, key))
        }
        "gre" | "gretap" | "vxlan" | "geneve" => tunnelled(input, rest),
        "tunnel" => {
            let (rest, _) = word(rest)?;
            Ok((rest, other(input, rest, Type::Opaque, true)))
        }
        _ if is_header(first) => header(input, first, rest),
        _ if META_BARE.binary_search(&first).is_ok() => meta(input, rest, first),
        _ => wrong(input),
    }
}

fn meta<'a>(input: &'a str, rest: &'a str, name: &'a str) -> Parsed<'a, Key> {
    if let Some(key) = field("meta", name) {
        return Ok((rest, key));
    }
    let Some((kind, keeps)) = lookup(META, name) else {
        return wrong_name(name, "meta");
    };
    let mut key = other(input, rest, kind, keeps);
    if let Key::Other(other) = &mut key {
        other.name = format!("meta {name}");
    }
    Ok((rest, key))
}

fn wrong_name<'a, T>(name: &'a str, of: &str) -> Parsed<'a, T> {
    super::token::refuse(name, format!("`{of}` knows no `{name}`"))
}

/// `ct state`, `ct original saddr`, `ct original ip saddr`, `ct count` is a statement.
fn ct<'a>(input: &'a str, rest: &'a str) -> Parsed<'a, Key> {
    let (after, name) = word(rest)?;
    if let Some(key) = field("ct", name) {
        return Ok((after, key));
    }
    if name == "count" {
        return wrong(input);
    }
    if let Some((kind, keeps)) = lookup(CT, name) {
        return Ok((after, other(input, after, kind, keeps)));
    }
    if !matches!(name, "original" | "reply") {
        return wrong_name(name, "ct");
    }
    let (after, family) = opt(alt((keyword("ip"), keyword("ip6")))).parse(after)?;
    let (after, name) = word(after)?;
    let Some((kind, keeps)) = lookup(CT_DIRECTED, name) else {
        return wrong_name(name, "ct");
    };
    let mut key = other(input, after, kind, keeps);
    if let Key::Other(other) = &mut key {
        other.family = family.map(|family| if family == "ip" { Family::V4 } else { Family::V6 });
        if let (Some(family), "saddr" | "daddr") = (other.family, name) {
            other.kind = Type::Address(family);
        }
        other.is_of_destination = true;
    }
    Ok((after, key))
}

/// `fib daddr . iif type`
fn fib<'a>(input: &'a str, rest: &'a str) -> Parsed<'a, Key> {
    let (mut rest, first) = word(rest)?;
    let mut flags = vec![first];
    while has_symbol(rest, ".") {
        let (after, flag) = preceded(symbol("."), word).parse(rest)?;
        flags.push(flag);
        rest = after;
    }
    if let Some(flag) = flags
        .iter()
        .find(|flag| !matches!(**flag, "saddr" | "daddr" | "mark" | "iif" | "oif"))
    {
        return wrong_name(flag, "fib");
    }
    let ends = flags.iter().filter(|flag| matches!(**flag, "saddr" | "daddr"));
    if ends.count() != 1 {
        return super::token::refuse(between(input, rest), "`fib` looks up either `saddr` or `daddr`");
    }
    if flags.contains(&"iif") && flags.contains(&"oif") {
        return super::token::refuse(between(input, rest), "`fib` looks up by one interface alone");
    }
    let (rest, result) = word(rest)?;
    let (rest, result) = match result {
        "check" => (rest, "oif"),
        other => (rest, other),
    };
    let key = match (flags.as_slice(), result) {
        (["saddr"], "type") => Key::Class(Side::Source),
        (["daddr"], "type") => Key::Class(Side::Destination),
        (_, "type") => other(input, rest, Type::Class, true),
        (_, "oif" | "oifname") => other(input, rest, Type::Opaque, true),
        _ => return wrong_name(result, "fib"),
    };
    let reads_destination = flags.contains(&"daddr");
    Ok((rest, with_destination(key, reads_destination)))
}

fn with_destination(mut key: Key, is_of_destination: bool) -> Key {
    if let Key::Other(other) = &mut key {
        other.is_of_destination = is_of_destination;
    }
    key
}

fn family_only<'a>(input: &'a str, rest: &'a str, family: Family) -> Key {
    let mut key = other(input, rest, Type::Opaque, true);
    if let Key::Other(other) = &mut key {
        other.family = Some(family);
    }
    key
}

/// `ipsec in spnum 1 ip saddr`
fn ipsec<'a>(input: &'a str, rest: &'a str) -> Parsed<'a, Key> {
    let (rest, _) = word(rest)?;
    let (rest, _) = opt(preceded(keyword("spnum"), number)).parse(rest)?;
    let (rest, name) = word(rest)?;
    let rest = match name {
        "ip" | "ip6" => alt((keyword("saddr"), keyword("daddr"))).parse(rest)?.0,
        "spi" | "reqid" => rest,
        _ => return wrong_name(name, "ipsec"),
    };
    Ok((rest, other(input, rest, Type::Opaque, true)))
}

/// What routing knows, or the routing header of IPv6.
fn rt<'a>(input: &'a str, rest: &'a str) -> Parsed<'a, Key> {
    let (after, name) = word(rest)?;
    match name {
        "classid" | "mtu" | "ipsec" | "nexthop" => Ok((after, other(input, after, Type::Opaque, true))),
        "ip" | "ip6" => {
            let (after, _) = keyword("nexthop").parse(after)?;
            let family = if name == "ip" { Family::V4 } else { Family::V6 };
            let mut key = family_only(input, after, family);
            if let Key::Other(other) = &mut key {
                other.kind = Type::Address(family);
            }
            Ok((after, key))
        }
        _ => header(input, "rt", rest),
    }
}

/// `mod 10 offset 2 seed 0x1`
fn hashed<'a>(input: &'a str, rest: &'a str, keeps: bool) -> Parsed<'a, Key> {
    let (rest, _) = preceded(keyword("mod"), number).parse(rest)?;
    let (rest, _) = opt(preceded(keyword("seed"), number)).parse(rest)?;
    let (rest, _) = opt(preceded(keyword("offset"), number)).parse(rest)?;
    Ok((rest, other(input, rest, Type::Opaque, keeps)))
}

/// `vxlan vni`, `vxlan ip saddr`
fn tunnelled<'a>(input: &'a str, rest: &'a str) -> Parsed<'a, Key> {
    let (after, name) = word(rest)?;
    let rest = if is_header(name) {
        let is_of_link = matches!(name, "ether" | "vlan" | "arp");
        if is_of_link && peek_word(input) == "gre" {
            return super::token::refuse(name, "`gre` carries packets of IP, `gretap` those of a link");
        }
        selector(rest)?.0
    } else if matches!(name, "vni" | "flags" | "version" | "protocol" | "type") {
        after
    } else {
        return wrong(rest);
    };
    Ok((rest, other(input, rest, Type::Opaque, true)))
}

fn header<'a>(input: &'a str, name: &'a str, rest: &'a str) -> Parsed<'a, Key> {
    match (name, peek_word(rest)) {
        ("tcp" | "ip" | "dccp", "option") | ("sctp", "chunk") => {
            return options(input, word(rest)?.0, name);
        }
        _ => {}
    }
    let (rest, of) = word(rest)?;
    if matches!(name, "rt0" | "rt2" | "srh") && has_symbol(rest, "[") {
        let (rest, _) = symbol("[").parse(rest)?;
        let (rest, _) = number(rest)?;
        let (rest, _) = symbol("]").parse(rest)?;
        return Ok((rest, family_only(input, rest, Family::V6)));
    }
    match field(name, of) {
        Some(key) => Ok((rest, key)),
        None => wrong_name(of, name),
    }
}

/// Parts of an option or chunk.
const OPTION_FIELDS: &[&str] = &[
    "addr",
    "bdata",
    "count",
    "cum-tsn-ack",
    "duplicate-tsn",
    "a-rwnd",
    "flags",
    "init-tag",
    "initial-tsn",
    "kind",
    "left",
    "length",
    "lowest-tsn",
    "new-cum-tsn",
    "num-gap-ack-blocks",
    "num-dup-tsns",
    "num-inbound-streams",
    "num-outbound-streams",
    "ppid",
    "ptr",
    "right",
    "seqno",
    "size",
    "ssn",
    "stream",
    "subtype",
    "tsecr",
    "tsn",
    "tsval",
    "type",
    "value",
];

/// `tcp option maxseg size`, `tcp option @255,8,8`, `sctp chunk data flags`
fn options<'a>(input: &'a str, rest: &'a str, header: &str) -> Parsed<'a, Key> {
    let (rest, _) = if has_symbol(rest, "@") {
        let (rest, _) = symbol("@").parse(rest)?;
        let (rest, of) = word(rest)?;
        (numbers(rest)?.0, of)
    } else {
        word(rest)?
    };
    let rest = if OPTION_FIELDS.contains(&peek_word(rest)) {
        word(rest)?.0
    } else {
        rest
    };
    let mut key = other(input, rest, Type::Opaque, true);
    if let Key::Other(other) = &mut key {
        match header {
            "ip" => other.family = Some(Family::V4),
            "tcp" => other.protocol = Some(crate::packet::protocol::number::TCP),
            "sctp" => other.protocol = Some(crate::packet::protocol::number::SCTP),
            _ => other.protocol = Some(crate::packet::protocol::number::DCCP),
        }
    }
    Ok((rest, key))
}

fn numbers(input: &str) -> Parsed<'_, (&str, &str)> {
    let (rest, offset) = preceded(symbol(","), number).parse(input)?;
    let (rest, length) = preceded(symbol(","), number).parse(rest)?;
    Ok((rest, (offset, length)))
}

/// `@th,16,16`: bits of a header by their place.
fn raw(input: &str) -> Parsed<'_, Key> {
    let (rest, base) = preceded(symbol("@"), word).parse(input)?;
    if !matches!(base, "ll" | "nh" | "th" | "ih") {
        return wrong(input);
    }
    let (rest, (offset, length)) = numbers(rest)?;
    let bits = length.parse::<u8>().ok();
    if bits == Some(0) {
        return super::token::refuse(between(input, rest), "nothing is read of no bits");
    }
    let kind = match bits {
        Some(bits @ 1..=127) => Type::Integer(bits),
        _ => Type::Opaque,
    };
    let key = match (base, offset, length) {
        ("th", "0", "16") => Key::TransportPort(Side::Source),
        ("th", "16", "16") => Key::TransportPort(Side::Destination),
        _ => with_destination(other(input, rest, kind, true), true),
    };
    Ok((rest, key))
}
