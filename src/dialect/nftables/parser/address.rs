//! Words that are addresses, which other words would be cut at: of IPv4, IPv6 and Ethernet, and classes of traffic.

use std::net::Ipv6Addr;

use super::token::span;

/// An IPv6 address, or the address of an Ethernet card.
pub(super) fn colon_address(at: &str) -> Option<&str> {
    const LONGEST: usize = 45;
    let bytes = at.bytes().take(LONGEST);
    let length = bytes
        .take_while(|byte| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.'))
        .count();
    let mut run = at.get(..length)?;
    if run.bytes().filter(|&byte| byte == b':').count() < 2 {
        return None;
    }
    loop {
        if run.parse::<Ipv6Addr>().is_ok() || is_ethernet(run) {
            return Some(run);
        }
        let end = run.rfind([':', '.'])?;
        run = run.get(..end)?;
    }
}

/// `1:2`: a class of traffic, where something follows that no verdict begins with.
pub(super) fn class_id(at: &str) -> Option<&str> {
    let digits = |text: &str| span(text, |byte| byte.is_ascii_hexdigit());
    let major = digits(at);
    let rest = at.get(major..)?.strip_prefix(':')?;
    let minor = digits(rest);
    let is_end = matches!(
        rest.as_bytes().get(minor),
        Some(b' ' | b'\t' | b'\n' | b'-' | b'}' | b',')
    );
    let fits = |length: usize| (1..=4).contains(&length);
    (fits(major) && fits(minor) && is_end).then(|| at.get(..=major + minor))?
}

fn is_ethernet(run: &str) -> bool {
    let is_byte =
        |part: &str| matches!(part.len(), 1 | 2) && part.bytes().all(|byte| byte.is_ascii_hexdigit());
    run.split(':').count() == 6 && run.split(':').all(is_byte)
}

/// `dotted-address ::=
///     /(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])(\.(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])){3}/`
///
/// An IPv4 address, or what is meant to be one.
pub(super) fn dotted_address(at: &str) -> Option<&str> {
    let end = span(at, |byte| byte.is_ascii_digit() || byte == b'.');
    let run = at.get(..end)?.trim_end_matches('.');
    if !run.contains('.') {
        return None;
    }
    let rest = at.get(run.len()..)?;
    at.get(..run.len() + span(rest, |byte| byte.is_ascii_alphanumeric() || byte == b'_'))
}
