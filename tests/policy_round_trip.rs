//! Printing and reading are each other's inverse, on policies made at random; reading never panics on any text.
#![cfg(test)]

use portcullis::policy;
use portcullis::source::SourceMap;
use proptest::prelude::*;

fn name() -> impl Strategy<Value = String> {
    "[a-z][a-z0-9_]{0,3}(-[a-z0-9]{1,2})?"
        .prop_filter("reserved", |name| !policy::RESERVED.contains(&name.as_str()))
}

fn string() -> impl Strategy<Value = String> {
    "\"[ -!#-~é]{0,8}\""
}

/// Blanks, line breaks and comments that may stand between tokens.
fn gap() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(" ".to_owned()),
        Just("\n\n  ".to_owned()),
        Just("\t#a \"comment\" {\n".to_owned())
    ]
}

fn choice(item: BoxedStrategy<String>) -> impl Strategy<Value = String> {
    (prop::collection::vec(item, 1..4), any::<bool>())
        .prop_map(|(items, one_of)| items.join(if one_of { "|" } else { " , " }))
}

fn service() -> BoxedStrategy<String> {
    let port = 0u32..70_000;
    prop_oneof![
        Just("any".to_owned()),
        Just("?".to_owned()),
        Just("esp".to_owned()),
        name(),
        "(tcp|udp|sctp|dccp|udplite)(/\\?)?",
        ("(tcp|udp)", port.clone(), port.clone())
            .prop_map(|(protocol, low, high)| format!("{protocol}/{low}-{high}")),
        ("tcp|udp", port).prop_map(|(protocol, port)| format!("{protocol} / {port}")),
        "icmp(v6)?(/[0-9]{1,3}(/[0-9]{1,2})?)?",
        Just("icmp/echo-request".to_owned()),
        "proto/[0-9]{1,4}",
    ]
    .boxed()
}

fn peer() -> BoxedStrategy<String> {
    let fixed = prop_oneof![Just("self"), Just("any"), Just("*")].prop_map(ToOwned::to_owned);
    let qualified = (name(), name()).prop_map(|(policy, role)| format!("{policy}.{role}"));
    prop_oneof![fixed, name(), qualified, string()].boxed()
}

fn condition() -> impl Strategy<Value = String> {
    let version = "(not )?version (>=|<=|<|>|=) [0-9]{1,2}(\\.[0-9]{1,2}){0,2}";
    let test = prop_oneof![name(), name().prop_map(|name| format!("not {name}")), version].boxed();
    prop::collection::vec((test, "and|or"), 1..4).prop_map(|tests| {
        let words: Vec<String> = tests.into_iter().flat_map(|(test, word)| [test, word]).collect();
        format!("when {}", words[..words.len() - 1].join(" "))
    })
}

fn option(part: impl Strategy<Value = String> + 'static) -> BoxedStrategy<String> {
    prop::option::of(part).prop_map(Option::unwrap_or_default).boxed()
}

fn row() -> impl Strategy<Value = String> {
    let head = (
        "require|allow|forbid",
        option(name().prop_map(|id| format!("{id}:"))),
        choice(peer()),
        choice(peer()),
    );
    let tail = (
        option(condition()),
        option(string().prop_map(|owner| format!("owner {owner}"))),
        option(Just("expires 2027-13-01".to_owned())),
        option("severity (error|warning|note)".prop_map(|severity| severity)),
        option((string(), string()).prop_map(|(one, two)| format!("tags {one}, {two}"))),
        option(string()),
        option("row [0-9]{1,3}".prop_map(|place| place)),
    );
    (head, choice(service()), tail, gap()).prop_map(|((kind, id, from, to), services, tail, gap)| {
        let (when, owner, expires, severity, tags, purpose, place) = tail;
        [
            kind,
            id,
            from,
            "->".to_owned(),
            to,
            ":".to_owned(),
            services,
            when,
            owner,
            expires,
            severity,
            tags,
            purpose,
            place,
        ]
        .join(&gap)
    })
}

fn statement() -> impl Strategy<Value = String> {
    let names = || prop::collection::vec(name(), 1..3).prop_map(|names| names.join(","));
    let settings = prop_oneof![
        "version = [0-9]\\.[0-9]",
        name().prop_map(|name| format!("feature not {name}")),
        (name(), choice(service())).prop_map(|(name, services)| format!("{name}={services}")),
        (name(), string(), string()).prop_map(|(name, one, two)| format!("{name} = {one},{two}")),
    ];
    let settings = prop::collection::vec(settings, 0..4).prop_map(|settings| settings.join(" "));
    prop_oneof![
        4 => row(),
        1 => string().prop_map(|title| format!("source {title}")),
        1 => (names(), option(name().prop_map(|home| format!("in {home}")))).prop_map(|(names, home)| format!("role {names} {home}")),
        1 => names().prop_map(|names| format!("zone {names}")),
        1 => (name(), name()).prop_map(|(name, of)| format!("zone {name}={of}")),
        1 => (name(), option(string())).prop_map(|(name, meaning)| format!("feature {name} {meaning}")),
        1 => (name(), "(: (host|label))?", string(), option(string())).prop_map(|(name, kind, value, meaning)| format!("parameter {name}{kind}={value} {meaning}")),
        1 => (name(), choice(service()), "(configurable)?").prop_map(|(name, value, word)| format!("service {name} = {value} {word}")),
        1 => (name(), choice(service()), choice(service())).prop_map(|(name, value, range)| format!("service {name} = {value} configurable within {range}")),
        1 => Just("closed egress".to_owned()),
        1 => (name(), name(), string()).prop_map(|(policy, row, reason)| format!("lift {policy}/{row} {reason}")),
        1 => (name(), settings).prop_map(|(name, settings)| format!("use {name} {{ {settings} }}")),
    ]
}

fn file() -> impl Strategy<Value = String> {
    let statements = prop::collection::vec((statement(), gap()), 0..8);
    let policy = (name(), option(string()), statements).prop_map(|(name, title, statements)| {
        let body: String = statements
            .into_iter()
            .map(|(statement, gap)| statement + &gap)
            .collect();
        format!("policy {name} {title} {{ {body} }}")
    });
    prop::collection::vec((policy, gap()), 0..3)
        .prop_map(|policies| policies.into_iter().map(|(policy, gap)| policy + &gap).collect())
}

/// The tree as text, places apart.
fn tree(text: &str) -> String {
    let mut map = SourceMap::new();
    let file = map.add_text("x.ports", text);
    let parsed = policy::parse(map.source(file));
    assert_eq!(parsed.errors, [], "{text}");
    let tree = format!("{:?}", parsed.policies);
    let mut parts = tree.split("Span {");
    let first = parts.next().unwrap_or("").to_owned();
    parts.fold(first, |tree, part| {
        tree + part.split_once('}').map_or(part, |(_, rest)| rest)
    })
}

fn formatted(text: &str) -> String {
    let mut map = SourceMap::new();
    let file = map.add_text("x.ports", text);
    policy::format(map.source(file)).unwrap()
}

proptest! {
    #[test]
    fn a_printed_policy_reads_as_the_same_tree(text in file()) {
        let printed = formatted(&text);
        prop_assert_eq!(tree(&printed), tree(&text));
        prop_assert_eq!(formatted(&printed), printed.clone(), "printing is not stable");
        let comments = |text: &str| text.matches("#a \"comment\" {").count();
        prop_assert_eq!(comments(&printed), comments(&text), "a comment is lost");
    }

    #[test]
    fn any_text_is_read_without_panic_and_spans_lie_in_it(text in "[a-z\"{}#|,:>=?/0-9.é\n -]{0,60}", cut in 0usize..4000) {
        let shipped = policy::builtin("stacklight").unwrap();
        let cut = (0..=cut.min(shipped.len())).rev().find(|&at| shipped.is_char_boundary(at)).unwrap();
        for text in [text.clone(), format!("policy a {{ {text} }}"), format!("{}{text}{}", &shipped[..cut], &shipped[cut..])] {
            let mut map = SourceMap::new();
            let file = map.add_text("x.ports", text.as_str());
            let parsed = policy::parse(map.source(file));
            for error in &parsed.errors {
                prop_assert!(text.get(error.span.range()).is_some(), "{error:?}");
                let _ = error.diagnostic(&map);
            }
            let _ = policy::check(&parsed.policies);
        }
    }
}
