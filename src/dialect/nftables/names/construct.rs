//! The tables as a list for `portcullis dialects`.

use super::selector::{HEADERS, modelled};
use super::{CT, META, is_extension_header};
use crate::dialect::{Construct, Support};

/// Statements, and how far each is modelled.
const STATEMENTS: &[(&str, Support)] = &[
    ("accept", Support::Exact),
    ("drop", Support::Exact),
    ("reject", Support::Exact),
    ("continue", Support::Exact),
    ("return", Support::Exact),
    ("jump", Support::Exact),
    ("goto", Support::Exact),
    ("vmap", Support::Exact),
    ("dnat", Support::Exact),
    ("snat", Support::Exact),
    ("masquerade", Support::Exact),
    ("redirect", Support::Exact),
    ("notrack", Support::Exact),
    ("meta mark set", Support::Exact),
    ("counter", Support::PassThrough),
    ("log", Support::PassThrough),
    ("ct mark set", Support::PassThrough),
    ("ct helper set", Support::PassThrough),
    ("flow add", Support::PassThrough),
    ("dup", Support::PassThrough),
    ("add @set", Support::PassThrough),
    ("update @set", Support::PassThrough),
    ("limit", Support::UnknownEachTime),
    ("quota", Support::UnknownEachTime),
    ("ct count", Support::UnknownEachTime),
    ("meter", Support::UnknownEachTime),
    ("numgen", Support::UnknownEachTime),
    ("jhash", Support::UnknownProperty),
    ("symhash", Support::UnknownProperty),
    ("queue", Support::UnknownEachTime),
    ("synproxy", Support::UnknownEachTime),
    ("tproxy", Support::UnknownEachTime),
    ("fwd", Support::UnknownEachTime),
    ("fib daddr type", Support::Exact),
    ("fib saddr type", Support::Exact),
    ("fib", Support::UnknownProperty),
    ("socket", Support::UnknownProperty),
    ("rt classid", Support::UnknownProperty),
    ("ipsec", Support::UnknownProperty),
    ("osf", Support::UnknownProperty),
    ("exthdr", Support::Absent),
    ("tcp option", Support::UnknownProperty),
    ("ip option", Support::UnknownProperty),
    ("@th", Support::UnknownProperty),
];

/// Every selector and statement, and how far it is modelled.
pub(in crate::dialect::nftables) fn constructs() -> Vec<Construct> {
    let exact = |header: &str, field: &str, keeps: bool| match modelled(header, field) {
        Some(_) => Support::Exact,
        None if is_extension_header(header, field) => Support::Absent,
        None if keeps => Support::UnknownProperty,
        None => Support::UnknownEachTime,
    };
    let statements = STATEMENTS.iter().map(|(name, support)| Construct {
        name: (*name).to_owned(),
        support: *support,
    });
    let headers = HEADERS.iter().flat_map(|header| {
        header.fields.iter().map(move |field| Construct {
            name: format!("{} {}", header.name, field.0),
            support: exact(header.name, field.0, true),
        })
    });
    let known = [("meta", META), ("ct", CT)].into_iter();
    let known = known.flat_map(|(word, table)| {
        table.iter().map(move |(name, _, keeps)| Construct {
            name: format!("{word} {name}"),
            support: exact(word, name, *keeps),
        })
    });
    statements.chain(headers).chain(known).collect()
}
