//! What `firewall-cmd --list-all` and `--list-all-zones` print: firewall-cmd(1).
//!
//! Each word of a list is read as the element of a zone's file that it stands for, so one reader knows what firewalld takes.
//! INVARIANT: what a listing does not show, members of ipsets and the ports of services that firewalld does not ship, is unknown.

use super::ast::{Folder, IpSet, Kind, Peer, Service, Zone};
use super::rich::to_xml;
use super::{xml, zone};
use crate::finding::{Code, Finding, Label};
use crate::source::{Locator, Source, Span, Spanned};

/// How many lines are looked through for a listing.
const MAX_LINES: usize = 40;

/// What stands in zones of every version of firewalld.
const EVERY: &[&str] = &["target:", "services:"];

/// Whether a text is a listing.
pub(super) fn is_listing(text: &str) -> bool {
    let lines = || text.lines().take(MAX_LINES);
    let has = |key: &&str| lines().any(|line| line.starts_with("  ") && line.trim().starts_with(key));
    EVERY.iter().all(has)
}

/// One listing while it is read.
struct Listing<'n, 'a> {
    at: Locator<'a>,
    zones: Vec<(&'a str, Zone)>,
    default: Option<Spanned<String>>,
    notices: &'n mut Vec<Finding>,
}

/// Puts what a listing says into a folder of what firewalld knows of itself.
pub(super) fn read(
    source: Source<'_>,
    folder: &mut Folder,
    notices: &mut Vec<Finding>,
    notes: &mut Vec<String>,
) {
    let mut listing = Listing {
        at: Locator::new(source),
        zones: Vec::new(),
        default: None,
        notices,
    };
    listing.lines(source.text);
    let (zones, default) = (listing.zones, listing.default);
    let default = match (default, zones.as_slice()) {
        (Some(default), _) => Some(default),
        (None, [(name, zone)]) => Some(Spanned::new((*name).to_owned(), zone.target_span)),
        _ => None,
    };
    if let [(name, _)] = zones.as_slice() {
        notes.push(format!(
            "only zone `{name}` is listed: no other is taken to be in use"
        ));
    } else if default.is_none() {
        notes.push("the default zone is taken to be `public`: the listing does not say".into());
    }
    notes.push("a listing of zones shows no policies: taken to be as firewalld ships them".into());
    for (name, mut zone) in zones {
        let is_default = default.as_ref().is_some_and(|default| default.value == name);
        zone.body.is_own = zone.is_bound() || is_default;
        name_what_is_not_shown(&zone, folder, notices);
        folder.zones.insert(name.to_owned(), zone);
    }
    folder.conf.default_zone = default.or(folder.conf.default_zone.take());
}

impl<'a> Listing<'_, 'a> {
    fn lines(&mut self, text: &'a str) {
        let lines: Vec<&str> = text.lines().collect();
        let mut key = "";
        for (at, line) in lines.iter().enumerate() {
            let next = lines.get(at + 1).map_or("", |line| line.trim());
            let is_head = !line.starts_with([' ', '\t']) && next.starts_with("target:");
            if is_head {
                self.head(line.trim());
                key = "";
            } else if line.trim().is_empty() || (self.zones.is_empty() && line.contains("firewall-cmd")) {
                key = "";
            } else if let Some((found, values)) = line.trim().split_once(':').filter(|_| is_key(line)) {
                key = found;
                self.values(key, values);
            } else {
                self.values(key, line);
            }
        }
    }

    /// `public (default, active)`
    fn head(&mut self, line: &'a str) {
        let (name, flags) = line.split_once(" (").unwrap_or((line, ""));
        let span = self.at.span(name);
        if flags.split([',', ')']).any(|flag| flag.trim() == "default") {
            self.default = Some(Spanned::new(name.to_owned(), span));
        }
        if let Some(zone) = self.part("<zone/>", span) {
            self.zones.push((name, zone));
        }
    }

    /// What one key says, or a line below it.
    fn values(&mut self, key: &str, values: &'a str) {
        let values = values.trim();
        let words = || values.split_ascii_whitespace();
        match key {
            "target" => self.target(values),
            "icmp-block-inversion" | "forward" | "masquerade" if values == "no" => {}
            "icmp-block-inversion" | "forward" | "masquerade" if values == "yes" => {
                self.add(values, &format!("<{key}/>"));
            }
            "ingress-priority" | "egress-priority" => self.priority(key, values),
            "interfaces" => words().for_each(|word| self.add(word, &element("interface", &[("name", word)]))),
            "sources" => words().for_each(|word| self.add(word, &source(word))),
            "services" => words().for_each(|word| self.add(word, &element("service", &[("name", word)]))),
            "ports" => words().for_each(|word| self.add(word, &port("port", word))),
            "source-ports" => words().for_each(|word| self.add(word, &port("source-port", word))),
            "protocols" => words().for_each(|word| self.add(word, &element("protocol", &[("value", word)]))),
            "icmp-blocks" => {
                words().for_each(|word| self.add(word, &element("icmp-block", &[("name", word)])));
            }
            "forward-ports" => words().for_each(|word| self.add(word, &forward_port(word))),
            "rich rules" | "summary" if values.is_empty() => {}
            "rich rules" => match to_xml(values) {
                Some(rule) => self.add(values, &rule),
                None => self.unread(values, "this is no rich rule"),
            },
            "summary" | "description" | "version" => {}
            _ if values.is_empty() => {}
            _ => self.unread(values, "this is no line of a zone"),
        }
    }

    fn target(&mut self, word: &'a str) {
        let span = self.at.span(word);
        let part = self.part(&with_attribute("target", word), span);
        if let (Some(part), Some((_, zone))) = (part, self.zones.last_mut()) {
            (zone.target, zone.target_span) = (part.target, span);
            zone.body.unread.extend(part.body.unread);
        }
    }

    fn priority(&mut self, key: &str, word: &'a str) {
        let span = self.at.span(word);
        let part = self.part(&with_attribute(key, word), span);
        if let (Some(part), Some((_, zone))) = (part, self.zones.last_mut()) {
            zone.ingress_priority += part.ingress_priority;
            zone.egress_priority += part.egress_priority;
            zone.body.unread.extend(part.body.unread);
        }
    }

    /// Adds an element to the zone at hand; all of it is at `word`.
    fn add(&mut self, word: &'a str, element: &str) {
        let part = self.part(&format!("<zone>{element}</zone>"), self.at.span(word));
        match (part, self.zones.last_mut()) {
            (Some(part), Some((_, zone))) => zone.combine(part),
            _ => self.unread(word, "this is no line of a zone"),
        }
    }

    fn part(&mut self, text: &str, span: Span) -> Option<Zone> {
        let (document, mut reader) = xml::parse_built_in(text, span, self.notices)?;
        Some(zone::read(&mut reader, document.root_element(), true))
    }

    fn unread(&mut self, at: &'a str, message: &str) {
        let span = self.at.span(at);
        let finding = Finding::new(
            Code::UnreadText,
            message,
            Some(Label::new(span, "not understood")),
        );
        self.notices.push(
            finding.help("give what `firewall-cmd --list-all-zones` prints, or the folder `/etc/firewalld`"),
        );
        if let Some((_, zone)) = self.zones.last_mut() {
            zone.body.unread.push(span);
        }
    }
}

/// Whether a line begins with a key: two blanks, and letters up to a colon.
fn is_key(line: &str) -> bool {
    let key = line.strip_prefix("  ").and_then(|rest| rest.split_once(':'));
    key.is_some_and(|(key, _)| {
        !key.is_empty()
            && key
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || matches!(byte, b'-' | b' '))
    })
}

fn with_attribute(name: &str, value: &str) -> String {
    element("zone", &[(name, value)])
}

/// An element with attributes.
fn element(name: &str, attributes: &[(&str, &str)]) -> String {
    let attributes = attributes
        .iter()
        .map(|(name, value)| format!(" {name}=\"{}\"", escaped(value)));
    format!("<{name}{}/>", attributes.collect::<String>())
}

/// A value as it stands in an attribute.
pub(super) fn escaped(value: &str) -> String {
    value
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('"', "&quot;")
}

/// `10.0.0.0/8`, `ipset:banned`, `00:11:22:33:44:55`
fn source(word: &str) -> String {
    match word.strip_prefix("ipset:") {
        Some(name) => element("source", &[("ipset", name)]),
        None if super::value::mac(word).is_some() => element("source", &[("mac", word)]),
        None => element("source", &[("address", word)]),
    }
}

/// `80/tcp`
fn port(name: &str, word: &str) -> String {
    let (port, protocol) = word.split_once('/').unwrap_or((word, ""));
    element(name, &[("port", port), ("protocol", protocol)])
}

/// `port=80:proto=tcp:toport=8080:toaddr=10.0.0.1`
fn forward_port(word: &str) -> String {
    let mut attributes = Vec::new();
    let mut rest = word;
    while !rest.is_empty() {
        let (name, value) = rest.split_once('=').unwrap_or((rest, ""));
        // An address of IPv6 has colons of its own, and stands last.
        let (value, after) = match value.split_once(':') {
            Some(parts) if name != "toaddr" => parts,
            _ => (value, ""),
        };
        let name = match name {
            "proto" => "protocol",
            "toport" => "to-port",
            "toaddr" => "to-addr",
            other => other,
        };
        let is_name = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
        if is_name && !name.is_empty() && attributes.iter().all(|(known, _)| *known != name) {
            attributes.push((name, value));
        }
        rest = after;
    }
    element("forward-port", &attributes)
}

/// Has sets and services that a zone speaks of, and nobody shows, be there and unknown.
fn name_what_is_not_shown(zone: &Zone, folder: &mut Folder, notices: &mut Vec<Finding>) {
    let mut not_shown = |what: String, at: Span| {
        let finding = Finding::new(
            Code::UnsupportedMatch,
            what,
            Some(Label::new(at, "may hold or not")),
        );
        notices.push(finding.help("give the folder `/etc/firewalld` to have it known"));
    };
    let sets = zone.sources.iter().map(|source| &source.value);
    let ends = zone
        .body
        .rules
        .iter()
        .flat_map(|rule| [&rule.source, &rule.destination]);
    for peer in sets.chain(ends.flatten().map(|end| &end.peer)) {
        if let Peer::Set(name) = peer
            && !folder.sets.contains_key(name)
        {
            let set = IpSet {
                kind: "hash:net".into(),
                doubt: Some("a listing does not show the members of ipsets"),
                ..IpSet::default()
            };
            folder.sets.insert(name.clone(), set);
        }
    }
    let of_rules = zone.body.rules.iter().filter_map(|rule| rule.element.as_ref());
    for element in zone.body.elements.iter().chain(of_rules) {
        if let Kind::Service(name) = &element.kind
            && !folder.services.contains_key(name)
        {
            not_shown(
                format!("the ports of service `{name}` are not shown"),
                element.value,
            );
            let unknown = Service {
                unread: Some(element.value),
                ..Service::default()
            };
            folder.services.insert(name.clone(), unknown);
        }
    }
}
