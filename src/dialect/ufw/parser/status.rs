//! What `ufw status` prints: `verbose`, `numbered` or plain.
//!
//! ufw(8), "STATUS". A row of a plain table names applications where a verbose one names ports. INVARIANT: a row that is
//! taken is understood in whole; headings are passed over by name.

use super::profile::service;
use super::value::{address, interface, is_v6, portless};
use crate::dialect::ufw::ast::{Direction, Log, Read, Said, Side, Unread, UserRule, Verdict};
use crate::dialect::ufw::part::is_prompt;

/// One row, with the names of applications whose ports it does not tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::dialect::ufw) struct Listed<'a> {
    pub(in crate::dialect::ufw) rule: UserRule<'a>,
    pub(in crate::dialect::ufw) to_application: Option<&'a str>,
    pub(in crate::dialect::ufw) from_application: Option<&'a str>,
    /// `None`: it is for both families.
    pub(in crate::dialect::ufw) is_v6: Option<bool>,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::dialect::ufw) enum Line<'a> {
    /// Nothing that filters.
    Heading,
    /// `Status: inactive`
    Inactive(&'a str),
    /// `Default: …`: incoming, outgoing, routed; old releases do not say what is routed.
    Defaults([Option<&'a str>; 3]),
    Rule(Box<Listed<'a>>),
}

/// Reads one line.
pub(in crate::dialect::ufw) fn line(line: &str) -> Read<'_, Line<'_>> {
    let text = line.trim();
    let is_ruler = text.bytes().all(|byte| matches!(byte, b'-' | b' '));
    let is_heading = ["Logging: ", "New profiles: ", "WARN: ", "Firewall "]
        .iter()
        .any(|start| text.starts_with(start));
    let words: Vec<&str> = text.split_whitespace().collect();
    if is_prompt(text) || is_ruler || is_heading || words == ["To", "Action", "From"] {
        return Ok(Line::Heading);
    }
    match text.strip_prefix("Status: ") {
        Some("active") => return Ok(Line::Heading),
        Some("inactive") => return Ok(Line::Inactive(text)),
        _ => {}
    }
    if let Some(policies) = text.strip_prefix("Default: ") {
        return defaults(policies).map(Line::Defaults);
    }
    row(text).map(|row| Line::Rule(Box::new(row)))
}

/// `deny (incoming), allow (outgoing), disabled (routed)`
fn defaults(text: &str) -> Read<'_, [Option<&str>; 3]> {
    let word = |of: &str| {
        let mut parts = text.split(", ");
        parts.find_map(|part| part.strip_suffix(of)?.strip_suffix(' '))
    };
    let words = ["(incoming)", "(outgoing)", "(routed)"].map(word);
    if let [Some(_), Some(_), _] = words {
        return Ok(words);
    }
    Err(Unread::new(text, "these are not default policies")
        .help("`ufw status verbose` prints `deny (incoming), allow (outgoing), disabled (routed)`"))
}

/// The verdicts as tables write them.
const VERDICTS: &[(&str, Verdict)] = &[
    ("ALLOW", Verdict::Allow),
    ("DENY", Verdict::Deny),
    ("REJECT", Verdict::Reject),
    ("LIMIT", Verdict::Limit),
];

/// `[ 1] 22/tcp    ALLOW IN    Anywhere   (log)  # comment`
fn row(text: &str) -> Read<'_, Listed<'_>> {
    let said = text.split(" # ").next().unwrap_or(text).trim_end();
    let said = match said.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((number, rest)) if number.trim().bytes().all(|byte| byte.is_ascii_digit()) => rest.trim_start(),
        _ => said,
    };
    let Some((to, action, verdict, rest)) = action(said) else {
        return Err(Unread::new(said, "this is not a row of `ufw status`")
            .help("a row is `TO  ACTION  FROM`, with `ALLOW`, `DENY`, `REJECT` or `LIMIT`"));
    };
    let (way, rest) = match rest.split_once(char::is_whitespace) {
        Some((way @ ("IN" | "OUT" | "FWD"), rest)) => (way, rest.trim_start()),
        _ => ("IN", rest.trim_start()),
    };
    let (from, log) = attributes(rest);
    let (to, from) = (cell(to)?, cell(from)?);
    if let (Some(a), Some(b)) = (&to.protocol, &from.protocol)
        && a.text != b.text
    {
        return Err(Unread::new(b.word, "two protocols in one row"));
    }
    let route = way == "FWD";
    let (interface_in, interface_out) = if route {
        (from.interface, to.interface)
    } else {
        (to.interface, from.interface)
    };
    Ok(Listed {
        rule: UserRule {
            text: said,
            action,
            verdict,
            log,
            route,
            direction: if way == "OUT" {
                Direction::Out
            } else {
                Direction::In
            },
            protocol: to.protocol.or(from.protocol),
            to: to.side,
            from: from.side,
            interface_in,
            interface_out,
        },
        to_application: to.application,
        from_application: from.application,
        is_v6: Some(to.is_v6 || from.is_v6),
    })
}

/// The first word that is a verdict: what stands before it, the word, and what stands behind.
fn action(text: &str) -> Option<(&str, &str, Verdict, &str)> {
    let found = VERDICTS.iter().filter_map(|(word, verdict)| {
        let at = text.find(&format!(" {word} "))?;
        let rest = text.get(at + word.len() + 2..)?;
        Some((
            text.get(..at)?.trim_end(),
            text.get(at + 1..=at + word.len())?,
            *verdict,
            rest.trim_start(),
        ))
    });
    found.min_by_key(|(before, ..)| before.len())
}

/// Takes what is said of logging and direction off the last column.
fn attributes(text: &str) -> (&str, Log) {
    let inside = text
        .trim_end()
        .strip_suffix(')')
        .and_then(|rest| rest.rsplit_once('('));
    let Some((before, words)) = inside else {
        return (text, Log::Nothing);
    };
    let words: Vec<&str> = words.split(", ").collect();
    if !words
        .iter()
        .all(|word| matches!(*word, "log" | "log-all" | "out"))
    {
        return (text, Log::Nothing);
    }
    let log = match (words.contains(&"log"), words.contains(&"log-all")) {
        (_, true) => Log::All,
        (true, false) => Log::New,
        _ => Log::Nothing,
    };
    (before.trim_end(), log)
}

/// One end of a row.
struct Cell<'a> {
    side: Side<'a>,
    protocol: Option<Said<'a>>,
    application: Option<&'a str>,
    interface: Option<&'a str>,
    is_v6: bool,
}

/// `192.168.0.1 80,443/tcp (Nginx Full) on eth0`, `Anywhere (v6)`, `Nginx Full (v6)`, `10.0.0.0/8/udp`
fn cell(text: &str) -> Read<'_, Cell<'_>> {
    let mut rest = text.trim();
    let mut cell = Cell {
        side: Side::default(),
        protocol: None,
        application: None,
        interface: None,
        is_v6: false,
    };
    if let Some((before, name)) = rest.rsplit_once(" on ") {
        cell.interface = Some(interface(name)?);
        rest = before.trim_end();
    }
    if let Some(before) = rest.strip_suffix("(v6)") {
        cell.is_v6 = true;
        rest = before.trim_end();
    }
    // A verbose row names the application behind its ports.
    if let Some((before, name)) = rest.strip_suffix(')').and_then(|rest| rest.split_once(" (")) {
        cell.is_v6 |= name.ends_with("(v6)");
        rest = before.trim_end();
    }
    let (first, more) = match rest.split_once(' ') {
        Some((first, more)) => (first, more.trim_start()),
        None => (rest, ""),
    };
    let (place, protocol) = split_protocol(first);
    if place == "Anywhere" {
        cell.protocol = protocol.map(Said::plainly);
        rest = more;
    } else if let Ok(address) = address(place) {
        cell.side.address = address;
        cell.is_v6 |= is_v6(place);
        cell.protocol = protocol.map(Said::plainly);
        rest = more;
    }
    if rest.is_empty() {
        return if text.trim().is_empty() {
            Err(Unread::new(text, "an end of the row is empty"))
        } else {
            Ok(cell)
        };
    }
    if rest.starts_with(|char: char| char.is_ascii_digit()) && !rest.contains(' ') {
        let service = service(rest)?;
        cell.side.ports = service.ports;
        cell.protocol = service.protocol;
    } else {
        cell.application = Some(rest);
    }
    Ok(cell)
}

/// `Anywhere/udp`, `10.0.0.0/8/tcp`
fn split_protocol(word: &str) -> (&str, Option<&str>) {
    match word.rsplit_once('/') {
        Some((place, protocol)) if matches!(protocol, "tcp" | "udp") || portless(protocol).is_ok() => {
            (place, Some(protocol))
        }
        _ => (word, None),
    }
}
