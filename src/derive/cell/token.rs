//! The words of a port cell: numbers, ranges, protocols, names of services, and what stands between them.

use crate::packet::protocol::protocol_by_name;

/// One word, and what separates it from the one before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) before: Separator,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    /// A port, or the first and last of a range.
    Ports(u64, u64),
    /// A protocol by its number.
    Protocol(u8),
    /// A service that has registered ports of its own: protocol and port of each, any of which it may be.
    Named(&'static [(u8, u16)]),
    /// `any`, `all`
    All,
    /// `configurable`, `custom`: the site's choice.
    Open,
    /// Something else.
    Word(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Separator {
    /// Nothing, a space, a colon.
    None,
    Comma,
    Slash,
    Or,
}

const TCP: u8 = 6;
const UDP: u8 = 17;

/// Services that tables name instead of their ports, with the ports that IANA's registry of service names gives them.
const NAMED: &[(&str, &[(u8, u16)])] = &[
    ("ssh", &[(TCP, 22)]),
    ("sftp", &[(TCP, 22)]),
    ("smtp", &[(TCP, 25)]),
    ("dns", &[(UDP, 53), (TCP, 53)]),
    ("http", &[(TCP, 80)]),
    ("https", &[(TCP, 443)]),
    ("http(s)", &[(TCP, 80), (TCP, 443)]),
    ("ntp", &[(UDP, 123)]),
    ("snmp", &[(UDP, 161)]),
    ("bgp", &[(TCP, 179)]),
    ("ldap", &[(TCP, 389)]),
    ("ldaps", &[(TCP, 636)]),
    ("ldap(s)", &[(TCP, 389), (TCP, 636)]),
    ("smtps", &[(TCP, 465)]),
    ("imap", &[(TCP, 143)]),
    ("imaps", &[(TCP, 993)]),
    ("rdp", &[(TCP, 3389)]),
    ("nfs", &[(TCP, 2049)]),
    ("amqp", &[(TCP, 5672)]),
    ("amqps", &[(TCP, 5671)]),
    ("vxlan", &[(UDP, 4789)]),
    ("geneve", &[(UDP, 6081)]),
];

/// Words that say nothing beside a port.
const SILENT: &[&str] = &[
    "port",
    "ports",
    "port(s)",
    "default",
    "range",
    "number",
    "numbers",
    "protocol",
    "the",
    "on",
    "default:",
    "via",
    "over",
    "listening",
];
const OPEN: &[&str] = &[
    "configurable",
    "customizable",
    "customisable",
    "custom",
    "variable",
    "varies",
    "dynamic",
    "depends",
    "user-defined",
    "arbitrary",
    "random",
    "ephemeral",
];
const ALL: &[&str] = &["any", "all", "*", "every"];

/// The words of a text, in order. Names of protocols without numbers, such as `https`, are services.
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let text = text
        .replace(['–', '—', '−', '‑'], "-")
        .replace(['`', '\u{a0}'], " ")
        .replace(" - ", "-");
    let mut tokens: Vec<Token> = Vec::new();
    let mut before = Separator::None;
    let mut word = String::new();
    let mut depth = 0u32;
    for c in text.chars().chain([' ']) {
        depth = match c {
            '(' => depth + 1,
            ')' => depth.saturating_sub(1),
            _ => depth,
        };
        let separator = match c {
            ',' | ';' | '&' | '\n' => Separator::Comma,
            '/' | '|' | '\\' | '+' => Separator::Slash,
            ' ' | '\t' | ':' => Separator::None,
            _ => {
                word.push(c);
                continue;
            }
        };
        end_word(&mut word, &mut before, &mut tokens);
        if separator != Separator::None && before == Separator::None {
            before = separator;
        }
    }
    tokens
}

fn end_word(word: &mut String, before: &mut Separator, tokens: &mut Vec<Token>) {
    let taken = std::mem::take(word);
    let lower = taken.to_ascii_lowercase();
    match lower.trim_end_matches('.') {
        "" => {}
        "and" => *before = Separator::Comma,
        "or" => *before = Separator::Or,
        "to" | "through" => range_to(tokens),
        silent if SILENT.contains(&silent) => {}
        text => {
            let kind = kind(text, &taken);
            let kind = closed_range(tokens, kind);
            tokens.push(Token {
                kind,
                before: std::mem::replace(before, Separator::None),
            });
        }
    }
}

/// `30000 to`: the range is still open.
fn range_to(tokens: &mut [Token]) {
    if let Some(Token {
        kind: Kind::Ports(_, high),
        ..
    }) = tokens.last_mut()
    {
        *high = OPEN_RANGE;
    }
}

/// The end of a range that is still open.
const OPEN_RANGE: u64 = u64::MAX;

/// Closes the open range before a port.
fn closed_range(tokens: &mut Vec<Token>, kind: Kind) -> Kind {
    match (tokens.last(), &kind) {
        (
            Some(Token {
                kind: Kind::Ports(low, OPEN_RANGE),
                ..
            }),
            Kind::Ports(high, end),
        ) if high == end => {
            let kind = Kind::Ports(*low, *high);
            tokens.pop();
            kind
        }
        _ => kind,
    }
}

fn kind(text: &str, taken: &str) -> Kind {
    if let Some(kind) = ports(text) {
        return kind;
    }
    if let Some((_, named)) = NAMED.iter().find(|entry| entry.0 == text) {
        return Kind::Named(named);
    }
    let bare = text.trim_matches(['(', ')', '[', ']']);
    match protocol_by_name(bare) {
        Some(protocol) if bare != "ip" => return Kind::Protocol(protocol),
        _ => {}
    }
    if ALL.contains(&bare) {
        Kind::All
    } else if OPEN.contains(&bare) {
        Kind::Open
    } else {
        Kind::Word(taken.to_owned())
    }
}

/// `443`, `30000-32767`, `tcp443`, `443tcp`
fn ports(text: &str) -> Option<Kind> {
    let number = |text: &str| -> Option<u64> {
        let digits = !text.is_empty() && text.len() <= 9 && text.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| text.parse().ok())?
    };
    match text.split_once('-') {
        Some((low, high)) => Some(Kind::Ports(number(low)?, number(high)?)),
        None => number(text).map(|port| Kind::Ports(port, port)),
    }
}
