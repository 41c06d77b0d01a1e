//! Commands that add a rule, as `ufw show added` prints them.
//!
//! ufw(8), "RULE SYNTAX". INVARIANT: a command that is taken is understood in whole.

use super::profile::service;
use super::status::Listed;
use super::value::{address, interface, is_v6, portless, ports, sensible, verdict};
use crate::dialect::ufw::ast::{Direction, Log, Read, Said, Side, Unread, UserRule};

/// Reads one command: `ufw route allow in on eth0 to 10.0.0.1 port 80 proto tcp`.
pub(in crate::dialect::ufw) fn command(text: &str) -> Read<'_, Listed<'_>> {
    let text = text.trim();
    let words = words(text)?;
    let mut rest = words.iter().copied().peekable();
    if rest.next() != Some("ufw") {
        return Err(Unread::new(text, "this is not a command of ufw"));
    }
    let route = rest.next_if(|word| *word == "route" || *word == "rule") == Some("route");
    let Some(action) = rest.next() else {
        return Err(Unread::new(text, "the command ends too early"));
    };
    let (verdict, _) = verdict(action)?;
    let mut listed = Listed {
        rule: UserRule {
            text,
            action,
            verdict,
            log: Log::Nothing,
            route,
            direction: Direction::In,
            protocol: None,
            to: Side::default(),
            from: Side::default(),
            interface_in: None,
            interface_out: None,
        },
        to_application: None,
        from_application: None,
        is_v6: None,
    };
    let mut is_source = false;
    while let Some(word) = rest.next() {
        let mut next = || {
            rest.next()
                .ok_or_else(|| Unread::new(word, format!("nothing follows `{word}`")))
        };
        match word {
            "in" | "out" => way(&mut listed.rule, word, &mut rest)?,
            "log" => listed.rule.log = Log::New,
            "log-all" => listed.rule.log = Log::All,
            "comment" => {
                next()?;
            }
            "proto" => listed.rule.protocol = protocol(next()?)?,
            "from" | "to" => {
                is_source = word == "from";
                let word = next()?;
                let place = address(word)?;
                if place.is_some() {
                    listed.is_v6 = Some(is_v6(word));
                }
                side(&mut listed.rule, is_source).address = place;
            }
            "port" => side(&mut listed.rule, is_source).ports = numbers(next()?)?,
            "app" => *application(&mut listed, is_source) = Some(next()?),
            _ if is_simple(&listed) => simple(&mut listed, word)?,
            _ => return Err(Unread::new(word, format!("`{word}` is not a part of a rule"))),
        }
    }
    Ok(listed)
}

/// Whether a port or an application may stand alone: nothing else has been said of the ends.
fn is_simple(listed: &Listed<'_>) -> bool {
    let rule = &listed.rule;
    let ends = [&rule.to, &rule.from];
    let is_said = ends
        .iter()
        .any(|side| side.address.is_some() || side.ports.is_some());
    !is_said && listed.to_application.is_none() && rule.protocol.is_none()
}

fn side<'r, 'a>(rule: &'r mut UserRule<'a>, is_source: bool) -> &'r mut Side<'a> {
    if is_source { &mut rule.from } else { &mut rule.to }
}

fn application<'l, 'a>(listed: &'l mut Listed<'a>, is_source: bool) -> &'l mut Option<&'a str> {
    if is_source {
        &mut listed.from_application
    } else {
        &mut listed.to_application
    }
}

/// `in`, `out`, `in on eth0`
fn way<'a>(
    rule: &mut UserRule<'a>,
    word: &'a str,
    rest: &mut std::iter::Peekable<impl Iterator<Item = &'a str>>,
) -> Read<'a, ()> {
    let name = match rest.next_if_eq(&"on") {
        Some(on) => Some(interface(rest.next().unwrap_or(on))?),
        None => None,
    };
    if word == "in" {
        rule.interface_in = name;
    } else {
        rule.direction = if rule.route { Direction::In } else { Direction::Out };
        rule.interface_out = name;
    }
    Ok(())
}

fn protocol(word: &str) -> Read<'_, Option<Said<'_>>> {
    match word {
        "any" => Ok(None),
        "tcp" | "udp" => Ok(Some(Said::plainly(word))),
        _ => Ok(Some(Said::plainly(portless(word)?))),
    }
}

/// Ports, or `any`. A name says a protocol too, which no listing leaves out.
fn numbers(word: &str) -> Read<'_, Option<Said<'_>>> {
    if word != "any" && word.contains(|char: char| char.is_ascii_alphabetic()) {
        return Err(
            Unread::new(word, "a service by its name").help("write its number, as `ufw show added` does")
        );
    }
    let ports = ports(word)?;
    sensible(ports.as_ref())?;
    Ok(ports)
}

/// `22`, `80,443/tcp`, `OpenSSH`
fn simple<'a>(listed: &mut Listed<'a>, word: &'a str) -> Read<'a, ()> {
    if word.starts_with(|char: char| char.is_ascii_digit()) {
        let service = service(word)?;
        listed.rule.to.ports = service.ports;
        listed.rule.protocol = service.protocol;
    } else {
        listed.to_application = Some(word);
    }
    Ok(())
}

/// The words of a command; one with blanks stands in quotes.
fn words(text: &str) -> Read<'_, Vec<&str>> {
    let mut words = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (word, behind) = match first {
            ' ' | '\t' => ("", rest.trim_start()),
            quote @ ('\'' | '"') => {
                let inside = rest.get(1..).and_then(|inside| inside.split_once(quote));
                inside.ok_or_else(|| Unread::new(rest, "a quote is not closed"))?
            }
            _ => rest.split_at(rest.find([' ', '\t']).unwrap_or(rest.len())),
        };
        if !matches!(first, ' ' | '\t') {
            words.push(word);
        }
        rest = behind;
    }
    Ok(words)
}
