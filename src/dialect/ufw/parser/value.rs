//! The words of a rule: verdicts, protocols, ports, addresses, interfaces.
//!
//! What ufw takes for them is stricter than what iptables does. INVARIANT: a word that is taken can be handed to iptables.

use std::net::{IpAddr, Ipv4Addr};

use crate::dialect::iptables::port_by_name;
use crate::dialect::ufw::ast::{Log, Read, Said, Side, Unread, Verdict};

/// `verdict ::= /(allow|deny|reject|limit)(_log(-all)?)?/`
pub(super) fn verdict(word: &str) -> Read<'_, (Verdict, Log)> {
    let (name, log) = match word.split_once('_') {
        None => (word, Log::Nothing),
        Some((name, "log")) => (name, Log::New),
        Some((name, "log-all")) => (name, Log::All),
        Some((name, log)) => {
            let at = word.get(name.len() + 1..).unwrap_or(word);
            return Err(
                Unread::new(at, format!("`{log}` is not a way to log")).help("it is `log` or `log-all`")
            );
        }
    };
    let verdict = match name {
        "allow" => Verdict::Allow,
        "deny" => Verdict::Deny,
        "reject" => Verdict::Reject,
        "limit" => Verdict::Limit,
        _ => {
            return Err(Unread::new(name, format!("`{name}` is not a verdict"))
                .help("it is `allow`, `deny`, `reject` or `limit`"));
        }
    };
    Ok((verdict, log))
}

/// The five words behind the verdict.
pub(super) struct Fields<'a> {
    pub(super) protocol: Option<Said<'a>>,
    pub(super) to: Side<'a>,
    pub(super) from: Side<'a>,
}

/// `fields ::= /tcp|udp/ space ports space address space ports space address | "any" space port space address space
///     port space address | portless space "any" space address space "any" space address`
///
/// Protocol; port and address of the destination; port and address of the source.
pub(super) fn fields<'a>(words: &[&'a str]) -> Read<'a, Fields<'a>> {
    let &[protocol, to_port, to, from_port, from] = words else {
        return Err(Unread::new(
            words.first().unwrap_or(&""),
            "five words are needed here",
        ));
    };
    let read = match protocol {
        "tcp" | "udp" => ports,
        "any" => port,
        _ => {
            portless(protocol)?;
            no_port
        }
    };
    Ok(Fields {
        protocol: (protocol != "any").then(|| Said::plainly(protocol)),
        to: Side {
            ports: read(to_port)?,
            address: address(to)?,
        },
        from: Side {
            ports: read(from_port)?,
            address: address(from)?,
        },
    })
}

/// `portless ::= "ipv6" | "esp" | "ah" | "igmp" | "gre" | "vrrp"`
///
/// ufw(8): protocols that have no ports.
pub(super) fn portless(word: &str) -> Read<'_, &str> {
    if ["ipv6", "esp", "ah", "igmp", "gre", "vrrp"].contains(&word) {
        return Ok(word);
    }
    Err(Unread::new(word, format!("`{word}` is not a protocol of ufw"))
        .help("it is `any`, `tcp`, `udp`, `ah`, `esp`, `gre`, `ipv6`, `igmp` or `vrrp`"))
}

fn no_port(word: &str) -> Read<'_, Option<Said<'_>>> {
    if word == "any" {
        return Ok(None);
    }
    Err(Unread::new(word, "this protocol has no ports").help("write `any` for the port"))
}

/// `port ::= "any" | one-port`
///
/// Of a rule for TCP and UDP, which iptables cannot write with several.
fn port(word: &str) -> Read<'_, Option<Said<'_>>> {
    if word.contains([',', ':']) {
        return Err(Unread::new(word, "several ports without a protocol").help("name `tcp` or `udp`"));
    }
    ports(word)
}

/// `ports ::= "any" | port-range ("," port-range)*`
///
/// What they mean is asked by [`sensible`].
pub(super) fn ports(word: &str) -> Read<'_, Option<Said<'_>>> {
    if word == "any" {
        return Ok(None);
    }
    let mut numbers = Vec::new();
    for part in word.split(',') {
        let (low, high) = port_range(part)?;
        numbers.push(high.map_or(low.to_string(), |high| format!("{low}:{high}")));
    }
    Ok(Some(Said {
        word,
        text: numbers.join(",").into(),
    }))
}

/// Refuses ports that iptables would: more than 15, of which a range counts as two (iptables-extensions(8), "multiport"),
/// and ranges that end before they start. It is asked last, so that whatever else is wrong is said instead.
pub(super) fn sensible<'a>(ports: Option<&Said<'a>>) -> Read<'a, ()> {
    let Some(word) = ports.map(|ports| ports.word) else {
        return Ok(());
    };
    let mut count = 0;
    for part in word.split(',') {
        let (low, high) = port_range(part)?;
        count += 1 + usize::from(high.is_some());
        if high.is_some_and(|high| high < low) {
            let message = format!("the range `{part}` ends before it starts");
            return Err(Unread::new(part, message));
        }
    }
    if count > 15 {
        return Err(
            Unread::new(word, "more than 15 ports").help("a range counts as two; make two rules of it")
        );
    }
    Ok(())
}

/// `port-range ::= one-port | number ":" number`
fn port_range(word: &str) -> Read<'_, (u16, Option<u16>)> {
    let Some((low, high)) = word.split_once(':') else {
        return Ok((one_port(word)?, None));
    };
    match (number(low), number(high)) {
        (Some(low), Some(high)) => Ok((low, Some(high))),
        (None, _) => Err(no_such_port(low)),
        (_, None) => Err(no_such_port(high)),
    }
}

/// `one-port ::= number | /ssh|https?|domain/`
///
/// The names are those of services.
fn one_port(word: &str) -> Read<'_, u16> {
    let is_name = word.starts_with(|char: char| char.is_ascii_alphabetic());
    let named = is_name.then(|| port_by_name(word)).flatten();
    number(word).or(named).ok_or_else(|| no_such_port(word))
}

fn no_such_port(word: &str) -> Unread<'_> {
    Unread::new(word, format!("`{word}` is not a port")).help("a port is a number from 1 to 65535")
}

/// `number ::= /[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]/`
fn number(word: &str) -> Option<u16> {
    let is_plain = word.starts_with(|char: char| matches!(char, '1'..='9'));
    word.parse().ok().filter(|_| is_plain)
}

/// `address ::= "any" | ip ("/" (/[0-9]|[12][0-9]|3[0-2]/ | ip))?`
///
/// Of IPv6 as RFC 4291 writes it, with a prefix length. `None` is any. The family is the file's, which the caller knows.
pub(super) fn address(word: &str) -> Read<'_, Option<&str>> {
    if matches!(word, "any" | "0.0.0.0/0" | "::/0") {
        return Ok(None);
    }
    let (base, mask) = match word.split_once('/') {
        Some((base, mask)) => (base, Some(mask)),
        None => (word, None),
    };
    let bits = match ip(base) {
        Some(IpAddr::V4(_)) => 32,
        Some(IpAddr::V6(_)) => 128,
        None => {
            return Err(Unread::new(base, format!("`{base}` is not an address"))
                .help("write an address, a network, or `any`"));
        }
    };
    let is_prefix = |mask: &str| {
        let is_plain = mask == "0" || mask.starts_with(|char: char| matches!(char, '1'..='9'));
        is_plain && mask.parse::<u32>().is_ok_and(|prefix| prefix <= bits)
    };
    let is_mask = |mask: &str| bits == 32 && mask.parse::<Ipv4Addr>().is_ok();
    match mask {
        Some(mask) if !is_prefix(mask) && !is_mask(mask) => Err(Unread::new(
            mask,
            format!("`{mask}` is neither a prefix length nor a mask"),
        )),
        _ => Ok(Some(word)),
    }
}

/// `ip ::= /(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])(\.(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])){3}/`
fn ip(word: &str) -> Option<IpAddr> {
    word.parse().ok()
}

/// Whether an address is of IPv6.
pub(in crate::dialect::ufw) fn is_v6(address: &str) -> bool {
    address.contains(':')
}

/// `application ::= /-|[A-Za-z0-9]([A-Za-z0-9_.+-]|%20){0,}/`
///
/// The name of a profile, with `%20` for blanks; the ports stand in the tuple.
pub(super) fn application(word: &str) -> Read<'_, ()> {
    let plain = word.replace("%20", "_");
    let is_name = word.starts_with(|char: char| char.is_ascii_alphanumeric())
        && plain
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_.+-".contains(&byte));
    if word == "-" || is_name {
        return Ok(());
    }
    Err(
        Unread::new(word, format!("`{word}` is not the name of an application"))
            .help("write `%20` for a blank, and `-` for none"),
    )
}

/// `interface ::=
///     /[A-Za-z0-9_+,=%@-][A-Za-z0-9_.+,=%@-]{0,14}|\.[A-Za-z0-9_+,=%@-][A-Za-z0-9_.+,=%@-]{0,13}|\.\.[A-Za-z0-9_+,=%@-][A-Za-z0-9_.+,=%@-]{0,12}/`
pub(super) fn interface(word: &str) -> Read<'_, &str> {
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.+,=%@".contains(&byte);
    let dots = word.len() - word.trim_start_matches('.').len();
    let is_dots = dots == word.len() || dots > 2;
    if word.len() <= 15 && !is_dots && word.bytes().all(is_name) {
        return Ok(word);
    }
    Err(
        Unread::new(word, format!("`{word}` is not the name of an interface"))
            .help("names are at most 15 letters, digits and signs long, without `!` and `:`"),
    )
}
