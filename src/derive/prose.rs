//! Pages without a table: the endpoints and ports that their sentences name.
//!
//! Who connects is hardly ever said in a way that can be read, so every requirement is marked for review. INVARIANT: every
//! host name and every port of the text is in a requirement or left with its sentence; where no port is named, nothing is required.

use super::cell::name;
use super::cell::peer::{self, Peer};
use super::document::Block;
use super::outline::Outline;
use super::requirement::{Ends, Entry, Note, Requirement};
use crate::source::Spanned;

/// The role of those who connect.
const CLIENT: &str = "client";
/// A longer purpose is cut.
const MAX_PURPOSE: usize = 100;

/// Adds what the paragraphs of a document name.
pub(super) fn add(outline: &mut Outline, blocks: &[&Block]) {
    let paragraphs: Vec<&Spanned<String>> = blocks
        .iter()
        .filter_map(|block| match block {
            Block::Paragraph(text) => Some(text),
            _ => None,
        })
        .collect();
    let stated: Vec<u16> = unique(paragraphs.iter().flat_map(|paragraph| ports(&paragraph.value)));
    let mut done: Vec<String> = Vec::new();
    let mut used: Vec<u16> = Vec::new();
    for paragraph in &paragraphs {
        for sentence in sentences(&paragraph.value) {
            let hosts = peer::hosts(sentence);
            for host in hosts
                .into_iter()
                .filter(|host| !done.contains(host))
                .collect::<Vec<_>>()
            {
                let Some((services, guess)) = services(sentence, &paragraph.value, &host, &stated) else {
                    outline.entries.push(Entry::Skipped(Note {
                        place: "prose".to_owned(),
                        message: format!("`{host}` is named, but no port"),
                        text: cut(sentence),
                        span: paragraph.span,
                    }));
                    done.push(host);
                    continue;
                };
                used.extend(services.iter().filter_map(|service| service.parse::<u16>().ok()));
                let requirement = requirement(outline, sentence, &host, (services, guess));
                outline.add((0, paragraph.span), requirement);
                done.push(host);
            }
        }
    }
    for paragraph in &paragraphs {
        let left: Vec<u16> = unique(
            ports(&paragraph.value)
                .into_iter()
                .filter(|port| !used.contains(port)),
        );
        for port in left {
            used.push(port);
            outline.entries.push(Entry::Left(Note {
                place: "prose".to_owned(),
                message: format!("port {port} is named, but not who connects to whom"),
                text: cut(&paragraph.value),
                span: paragraph.span,
            }));
        }
    }
}

fn requirement(
    outline: &mut Outline,
    sentence: &str,
    host: &str,
    (ports, guess): (Vec<String>, String),
) -> Requirement {
    let wish = name::kebab(&host.replace(['<', '>'], "")).unwrap_or_else(|| "endpoint".to_owned());
    let id = outline.free_id(&wish);
    let peers = peer::Peers {
        list: vec![Peer::Host(host.to_owned())],
        ..peer::Peers::default()
    };
    let to = outline.ends(peers, &id, "");
    let services: Vec<String> = ports.iter().map(|port| format!("tcp/{port}")).collect();
    Requirement {
        id: Some(id),
        optional: false,
        from: Ends {
            list: vec![Peer::Role(CLIENT.to_owned())],
            one_of: false,
        },
        to,
        services,
        one_of: false,
        features: Vec::new(),
        guards: Vec::new(),
        purpose: purpose(sentence),
        guesses: vec![format!(
            "named in prose: say who connects, and whether it must; {guess}"
        )],
    }
}

/// The ports of an endpoint, as text: those of its address, else of its sentence, else of the paragraph, else of the page.
/// A page that names no port is not about ports.
fn services(sentence: &str, paragraph: &str, host: &str, stated: &[u16]) -> Option<(Vec<String>, String)> {
    let lower = sentence.to_lowercase();
    let at = lower.find(host).unwrap_or(0);
    let (before, behind) = (
        lower.get(..at).unwrap_or(""),
        lower.get(at + host.len()..).unwrap_or(""),
    );
    let own = behind
        .strip_prefix(':')
        .map(|rest| rest.chars().take_while(char::is_ascii_digit).collect::<String>());
    if let Some(port) = own.and_then(|digits| digits.parse::<u16>().ok()) {
        return Some((
            vec![port.to_string()],
            "its port is that of its address".to_owned(),
        ));
    }
    let scheme = [("https://", "443"), ("http://", "80")]
        .into_iter()
        .find(|entry| before.ends_with(entry.0));
    if let Some((scheme, port)) = scheme {
        return Some((
            vec![port.to_owned()],
            format!("its port is taken to be that of `{scheme}`"),
        ));
    }
    let near = [ports(sentence), ports(paragraph), stated.to_vec()];
    let ports = near.into_iter().map(unique).find(|ports| !ports.is_empty())?;
    Some((
        ports.iter().map(ToString::to_string).collect(),
        "its port is taken to be the one named nearest".to_owned(),
    ))
}

/// The ports that a text names as such: `port 443`, `ports 80 and 443`, `tcp/8443`.
fn ports(text: &str) -> Vec<u16> {
    let lower = text.to_lowercase();
    let words: Vec<&str> = lower
        .split(|c: char| c.is_whitespace() || matches!(c, ',' | '(' | ')' | ';' | '/' | ':'))
        .map(|word| word.trim_matches(['.', '`', '"', '\'']))
        .filter(|word| !word.is_empty())
        .collect();
    let mut found = Vec::new();
    let mut open = false;
    for word in words {
        let number = word.parse::<u16>().ok().filter(|port| *port > 0);
        match number {
            Some(port) if open => found.push(port),
            _ if ["port", "ports", "tcp", "udp"].contains(&word) => open = true,
            _ if open && ["and", "or", "number"].contains(&word) => {}
            _ => open = false,
        }
    }
    found
}

fn unique(ports: impl IntoIterator<Item = u16>) -> Vec<u16> {
    let mut seen = Vec::new();
    for port in ports {
        if !seen.contains(&port) {
            seen.push(port);
        }
    }
    seen
}

fn sentences(text: &str) -> impl Iterator<Item = &str> {
    text.split(". ")
        .map(str::trim)
        .filter(|sentence| !sentence.is_empty())
}

/// What a sentence says of an endpoint: what stands behind a dash, else the sentence.
fn purpose(sentence: &str) -> String {
    let behind = sentence
        .split_once(" - ")
        .or(sentence.split_once(" – "))
        .map(|(_, behind)| behind);
    name::quotable(&cut(behind.unwrap_or(sentence).trim_end_matches('.')))
}

fn cut(text: &str) -> String {
    if text.chars().count() <= MAX_PURPOSE {
        return text.to_owned();
    }
    let cut: String = text.chars().take(MAX_PURPOSE).collect();
    let end = cut.rfind(' ').unwrap_or(cut.len());
    format!("{} …", cut.get(..end).unwrap_or(&cut))
}
