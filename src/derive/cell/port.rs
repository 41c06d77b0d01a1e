//! Port cells: `TCP 443 (configurable)`, `TCP, UDP 7946`, `443/TCP/HTTPS`, `9093/443/TCP`, `30000–32767`, `TCP/SMTP`.
//!
//! INVARIANT: every word of the cell counts, or the cell is refused: nothing is passed over in silence.

use super::condition::{Guard, guard};
use super::services::Services;
use super::token::{Kind, Token, tokens};

/// The services that a cell names, of which one version's are in force at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ports {
    /// As the policy language writes them, each once.
    pub(crate) services: Vec<String>,
    /// Whether one of them will do.
    pub(crate) one_of: bool,
    /// Whether a site may choose others.
    pub(crate) configurable: bool,
    /// The version that they hold for.
    pub(crate) guard: Option<Guard>,
    /// What was guessed, each a sentence.
    pub(crate) guesses: Vec<String>,
}

impl Ports {
    /// Whether the table leaves a port or protocol open.
    pub(crate) fn is_open(&self) -> bool {
        self.services.iter().any(|service| service.contains('?'))
    }
}

/// Reads the lines of a cell. `protocols` are those that another column gives; ports without one are taken for TCP, as a guess.
pub(crate) fn read(lines: &[&str], protocols: &[u8]) -> Result<Vec<Ports>, String> {
    let mut groups: Vec<Ports> = Vec::new();
    for line in lines.iter().flat_map(|line| guarded_parts(line)) {
        let group = read_line(&line, protocols)?;
        match groups.iter_mut().find(|known| known.guard == group.guard) {
            Some(known) => merge(known, group),
            None => groups.push(group),
        }
    }
    if groups.is_empty() {
        return Err("there is no port".to_owned());
    }
    Ok(groups)
}

/// Protocols of a column of their own: `TCP`, `TCP/UDP`, `TCP and UDP`.
pub(crate) fn protocols(text: &str) -> Option<Vec<u8>> {
    let bare = without_notes(text).0;
    let found: Vec<Token> = tokens(&bare);
    let protocol = |token: &Token| match token.kind {
        Kind::Protocol(protocol) => Some(vec![protocol]),
        Kind::Named(named) => {
            let mut protocols: Vec<u8> = named.iter().map(|entry| entry.0).collect();
            protocols.dedup();
            Some(protocols)
        }
        _ => None,
    };
    let protocols: Option<Vec<Vec<u8>>> = found.iter().map(protocol).collect();
    let mut protocols = protocols?.concat();
    // `TCP (HTTPS)`, `TCP/HTTP`: the service says no more than its protocol does.
    let mut seen = Vec::new();
    protocols.retain(|protocol| {
        !seen.contains(protocol) && {
            seen.push(*protocol);
            true
        }
    });
    (!protocols.is_empty()).then_some(protocols)
}

/// `9100 since 23.3, 9099 before` in its parts, where more than one has a version.
fn guarded_parts(line: &str) -> Vec<String> {
    let parts: Vec<&str> = line.split([',', ';']).collect();
    let n_guarded = parts.iter().filter(|part| guard(part).is_some()).count();
    if n_guarded > 1 {
        parts.into_iter().map(str::to_owned).collect()
    } else {
        vec![line.to_owned()]
    }
}

fn merge(known: &mut Ports, other: Ports) {
    let new = other
        .services
        .into_iter()
        .filter(|service| !known.services.contains(service));
    let new: Vec<String> = new.collect();
    known.services.extend(new);
    known.one_of |= other.one_of;
    known.configurable |= other.configurable;
    known.guesses.extend(other.guesses);
}

/// One line: notes in parentheses and versions taken off, the rest in words.
fn read_line(line: &str, protocols: &[u8]) -> Result<Ports, String> {
    let mut guesses = Vec::new();
    let (guard, line) = match guard(line) {
        Some((guard, rest)) => (Some(guard), rest),
        None => (None, line.to_owned()),
    };
    let (bare, notes) = without_notes(&line);
    let mut configurable = false;
    for note in &notes {
        let lower = note.to_lowercase();
        configurable |= lower.contains("configurable") || lower.contains("customi");
        let is_known = tokens(note)
            .iter()
            .all(|token| !matches!(token.kind, Kind::Word(_)));
        if !is_known && !lower.contains("configurable") && !lower.contains("default") {
            guesses.push(format!("`({note})` in the port cell is not read"));
        }
    }
    let mut words = tokens(&bare);
    // `Customizable, see the comment`: whatever follows, the port is the site's.
    let opens = |token: &Token| token.kind == Kind::Open;
    if let Some(at) = words.iter().position(opens) {
        configurable = true;
        if let Some(unread) = words.iter().take(at).find_map(unread) {
            return Err(unread);
        }
        let has_ports = words
            .iter()
            .any(|word| matches!(word.kind, Kind::Ports(..) | Kind::Protocol(_)));
        words.truncate(at);
        if !has_ports {
            return Ok(open(guard, guesses));
        }
    }
    if let Some(unread) = words.iter().find_map(unread) {
        return Err(unread);
    }
    let mut services = Services::new(protocols);
    services.take(&words)?;
    guesses.extend(services.guesses);
    Ok(Ports {
        services: services.list,
        one_of: services.one_of,
        configurable,
        guard,
        guesses,
    })
}

/// What is wrong with a word that says nothing of ports.
fn unread(token: &Token) -> Option<String> {
    match &token.kind {
        Kind::Word(word) => Some(format!("`{word}` is neither a port nor a protocol")),
        _ => None,
    }
}

fn open(guard: Option<Guard>, guesses: Vec<String>) -> Ports {
    Ports {
        services: vec!["?".to_owned()],
        one_of: false,
        configurable: true,
        guard,
        guesses,
    }
}

/// A text without what stands in parentheses, and that. `http(s)` and `port(s)` are words.
fn without_notes(text: &str) -> (String, Vec<String>) {
    let mut bare = String::new();
    let mut notes = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('(') {
        let (before, inside) = rest.split_at(at);
        let end = inside.find(')').unwrap_or(inside.len());
        let note = inside.get(1..end).unwrap_or("").trim();
        bare.push_str(before);
        if note.eq_ignore_ascii_case("s") {
            bare.push_str("(s)");
        } else {
            notes.push(note.to_owned());
            bare.push(' ');
        }
        rest = inside.get(end + 1..).unwrap_or("");
    }
    bare.push_str(rest);
    (bare, notes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Services, and in brackets what else was said: `|` for one of them, `c` configurable, `v` a version, `g` a guess.
    fn said(text: &str) -> String {
        let lines: Vec<&str> = text.lines().collect();
        let group = |group: &Ports| {
            let separator = if group.one_of { " | " } else { ", " };
            let flags = [
                (group.configurable, 'c'),
                (group.guard.is_some(), 'v'),
                (!group.guesses.is_empty(), 'g'),
            ];
            let flags: String = flags.iter().filter(|flag| flag.0).map(|flag| flag.1).collect();
            format!("{} [{flags}]", group.services.join(separator))
        };
        match read(&lines, &[]) {
            Ok(groups) => groups.iter().map(group).collect::<Vec<_>>().join("; "),
            Err(reason) => reason,
        }
    }

    #[test]
    fn ports_are_read_as_people_write_them() {
        for (text, wanted) in [
            ("TCP 443 (configurable)", "tcp/443 [c]"),
            ("TCP, UDP 7946", "tcp/7946, udp/7946 []"),
            ("443/TCP/HTTPS", "tcp/443 []"),
            ("9093/443/TCP", "tcp/9093 | tcp/443 [g]"),
            ("TCP/SMTP", "tcp/25 [g]"),
            ("TCP/HTTP(S)", "tcp/80 | tcp/443 [g]"),
            ("TCP", "tcp/? []"),
            (
                "TCP or UDP (protocol and port are configurable)",
                "tcp/? | udp/? [c]",
            ),
            ("Customizable, see the comment", "? [c]"),
            ("30000-32767", "tcp/30000-32767 [g]"),
            ("UDP 2379–2380", "udp/2379-2380 []"),
            ("30000 to 32767/tcp", "tcp/30000-32767 []"),
            (
                "19100/TCP Since 23.3\n9100/TCP Before 23.3",
                "tcp/19100 [v]; tcp/9100 [v]",
            ),
            ("80/tcp, 53/udp", "tcp/80, udp/53 []"),
            ("80, 443 TCP", "tcp/80, tcp/443 []"),
            ("TCP/UDP 53", "tcp/53, udp/53 []"),
            ("53 TCP/UDP", "tcp/53, udp/53 []"),
            ("TCP 8080 or 8443", "tcp/8080 | tcp/8443 []"),
            ("TCP: 22", "tcp/22 []"),
            ("ICMP", "icmp []"),
            ("ESP", "proto/50 []"),
            ("4789/UDP (VXLAN)", "udp/4789 []"),
            ("8472/udp (flannel overlay)", "udp/8472 [g]"),
            ("any", "any [g]"),
        ] {
            assert_eq!(said(text), wanted, "{text}");
        }
    }

    #[test]
    fn what_is_no_port_is_refused() {
        for (text, wanted) in [
            ("", "there is no port"),
            ("N/A", "`N` is neither a port nor a protocol"),
            ("TCP 70000", "port 70000 does not exist"),
            ("TCP 443-80", "the range 443-80 ends before it begins"),
            ("see below", "`see` is neither a port nor a protocol"),
            ("ICMP 8", "icmp has no ports"),
            ("TCP 4430 (yes) maybe", "`maybe` is neither a port nor a protocol"),
        ] {
            assert_eq!(said(text), wanted, "{text}");
        }
    }

    #[test]
    fn a_column_of_protocols_counts_for_ports_without_one() {
        let ports = read(&["6443"], &[6, 17]).unwrap();
        assert_eq!(ports[0].services, ["tcp/6443", "udp/6443"]);
        assert!(ports[0].guesses.is_empty());
        assert_eq!(protocols("TCP/UDP"), Some(vec![6, 17]));
        assert_eq!(protocols("TCP (HTTPS)"), Some(vec![6]));
        assert_eq!(protocols("Cluster users"), None);
    }
}
