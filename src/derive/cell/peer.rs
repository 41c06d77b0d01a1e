//! Who connects and who is connected to: `External, internal`, `Self`, `Managers, workers`, `Cluster users`,
//! `Prometheus from the stacklight namespace`, `login.example.com and <tenant>.app.example.io`.
//!
//! INVARIANT: a text that is no name, network or host is refused; networks by their addresses are refused too, since a policy holds
//! for every site.

use super::name;

/// One end of a connection.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Peer {
    /// The same host.
    This,
    /// Anywhere.
    Any,
    /// A network.
    Zone(String),
    /// Hosts of a kind.
    Role(String),
    /// A host by its name, perhaps with parameters in angle brackets.
    Host(String),
}

/// What a cell says of one end.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Peers {
    /// Who.
    pub(crate) list: Vec<Peer>,
    /// Whether one of them will do.
    pub(crate) one_of: bool,
    /// Whether the site chooses: the hosts of the list are then what it may replace.
    pub(crate) open: bool,
    /// What was guessed.
    pub(crate) guesses: Vec<String>,
}

/// What a name is that is not known otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Otherwise {
    /// A zone: scopes and networks.
    Zone,
    /// A role: sources, consumers, destinations.
    Role,
}

const THIS: &[&str] = &[
    "self",
    "localhost",
    "loopback",
    "local",
    "local host",
    "same host",
    "same node",
    "itself",
    "the host itself",
    "host itself",
    "local only",
];
const ANY: &[&str] = &[
    "any",
    "all",
    "anywhere",
    "everywhere",
    "everyone",
    "*",
    "any host",
    "any source",
    "any ip",
    "any address",
    "0.0.0.0/0",
    "::/0",
    "any destination",
];
const EXTERNAL: &[&str] = &[
    "external",
    "internet",
    "public",
    "the internet",
    "outside",
    "wan",
    "public internet",
    "outside of the cluster",
    "external clients",
];
const INTERNAL: &[&str] = &[
    "internal",
    "private",
    "intranet",
    "same cluster",
    "within the cluster",
    "inside the cluster",
];

/// Phrases of cells that leave the choice to the site.
const OPEN: &[&str] = &[
    "depends on",
    "see the comment",
    "customizable",
    "configurable",
    "user-defined",
    "customer-specific",
    "site-specific",
    "as configured",
];

/// Whether a text leaves the choice to the site.
pub(crate) fn is_open(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    OPEN.iter().any(|phrase| lower.contains(phrase))
}

/// Whether a text names a network as such: `Cluster network`, `External network (LB service)`.
pub(crate) fn is_network(text: &str) -> bool {
    let bare = bare(text).to_ascii_lowercase();
    let words: Vec<&str> = bare.split_whitespace().collect();
    let ends = words
        .last()
        .is_some_and(|last| ["network", "networks", "subnet", "vlan", "internet"].contains(last));
    ends && words.len() <= 4
}

/// The host names in a text, in lower case, without schemes, ports and paths.
pub(crate) fn hosts(text: &str) -> Vec<String> {
    let words = text.split(|c: char| {
        c.is_whitespace() || matches!(c, ',' | ';' | '(' | ')' | '"' | '\'' | '`' | '[' | ']' | '|')
    });
    let mut found: Vec<String> = Vec::new();
    for host in words.filter_map(host) {
        if !found.contains(&host) {
            found.push(host);
        }
    }
    found
}

/// Endings of files, which look like host names.
const FILES: &[&str] = &[
    "yaml", "yml", "md", "txt", "conf", "json", "toml", "sh", "py", "html", "exe", "cfg", "ini", "rules",
    "service", "xml", "log", "js", "rst", "csv", "tf", "go", "sock", "tar", "gz", "zip", "rpm", "deb", "pem",
    "key", "crt",
];

/// A word as a host name: labels with dots between them, the last of letters alone, parameters in angle brackets.
fn host(word: &str) -> Option<String> {
    let word = word.split_once("://").map_or(word, |(_, rest)| rest);
    let word = word.split(['/', '?', '#']).next()?;
    let word = word.trim_end_matches(['.', ':', '!', '>']);
    let word = match word.rsplit_once(':') {
        Some((host, port)) if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => word,
    };
    let host = word.to_ascii_lowercase();
    let labels: Vec<&str> = host.split('.').collect();
    let (last, before) = labels.split_last()?;
    let is_top =
        last.len() >= 2 && last.bytes().all(|byte| byte.is_ascii_lowercase()) && !FILES.contains(last);
    let is_label = |(at, label): (usize, &&str)| {
        let inside = label.strip_prefix('<').and_then(|label| label.strip_suffix('>'));
        let is_named = |label: &str| label.bytes().any(|byte| byte.is_ascii_alphanumeric());
        let fits = |label: &str| {
            let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
            (1..=63).contains(&label.len()) && label.bytes().all(is_letter)
        };
        match inside {
            Some(parameter) => fits(parameter) && is_named(parameter),
            None => {
                (at == 0 && *label == "*")
                    || (fits(label) && !label.starts_with('-') && !label.ends_with('-'))
            }
        }
    };
    let is_host =
        is_top && !before.is_empty() && host.len() <= 200 && before.iter().enumerate().all(is_label);
    is_host.then_some(host)
}

/// A text without what stands in parentheses.
fn bare(text: &str) -> String {
    let mut bare = String::new();
    let mut depth = 0u32;
    for c in text.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ if depth == 0 => bare.push(c),
            _ => {}
        }
    }
    bare.trim().to_owned()
}

/// Reads a cell. `known` are names of roles that the document has anyway.
pub(crate) fn read(text: &str, otherwise: Otherwise, known: &[String]) -> Result<Peers, String> {
    let mut peers = Peers::default();
    let hosts = hosts(text);
    if is_open(text) || !hosts.is_empty() {
        peers.open = is_open(text);
        peers.list = hosts.into_iter().map(Peer::Host).collect();
        return Ok(peers);
    }
    let bare = bare(text);
    let (parts, one_of) = parts(&bare);
    peers.one_of = one_of;
    for part in parts {
        let peer = one(part, otherwise, known, &mut peers.guesses)?;
        if !peers.list.contains(&peer) {
            peers.list.push(peer);
        }
    }
    if peers.list.is_empty() {
        return Err("it names nobody".to_owned());
    }
    Ok(peers)
}

/// The names of a list, and whether one of them will do.
fn parts(text: &str) -> (Vec<&str>, bool) {
    let one_of = text.contains(" or ") && !text.contains(',') && !text.contains(" and ");
    let mut parts = vec![text];
    for separator in [",", ";", "\n", "/", " and ", " or ", " & ", " + "] {
        // A network such as 10.0.0.0/8 has a slash of its own.
        if separator == "/" && text.bytes().any(|byte| byte.is_ascii_digit()) {
            continue;
        }
        parts = parts.into_iter().flat_map(|part| part.split(separator)).collect();
    }
    let parts = parts.into_iter().map(str::trim).filter(|part| !part.is_empty());
    (parts.collect(), one_of)
}

/// The names of a list.
pub(crate) fn parts_of(text: &str) -> Vec<&str> {
    parts(text).0
}

fn one(
    text: &str,
    otherwise: Otherwise,
    known: &[String],
    guesses: &mut Vec<String>,
) -> Result<Peer, String> {
    let lower = text.trim_matches(['.', '`', '*', ' ']).to_ascii_lowercase();
    let lower = if lower.is_empty() {
        text.trim().to_owned()
    } else {
        lower
    };
    let is = |words: &[&str]| words.contains(&lower.as_str());
    if is(THIS) || lower.starts_with("127.") || lower == "::1" {
        return Ok(Peer::This);
    } else if is(ANY) {
        return Ok(Peer::Any);
    } else if is(EXTERNAL) {
        return Ok(Peer::Zone("external".to_owned()));
    } else if is(INTERNAL) {
        return Ok(Peer::Zone("internal".to_owned()));
    } else if lower.parse::<std::net::IpAddr>().is_ok() {
        return Ok(Peer::Host(lower));
    } else if is_address(&lower) {
        return Err(format!(
            "`{text}` is an address: name a zone, and give its networks in `portcullis.toml`"
        ));
    }
    if is_network(&lower) || (otherwise == Otherwise::Zone && lower.split_whitespace().count() <= 4) {
        let stem = lower
            .trim_end_matches("networks")
            .trim_end_matches("network")
            .trim();
        let name = name::kebab(if stem.is_empty() { &lower } else { stem });
        let name = name.ok_or_else(|| format!("`{text}` is no name"))?;
        return Ok(Peer::Zone(name));
    }
    let head = [
        " from ",
        " in ",
        " on ",
        " of ",
        " running ",
        " within ",
        " that ",
        " for ",
    ]
    .iter();
    let head = head
        .filter_map(|word| lower.find(word))
        .min()
        .map_or(lower.as_str(), |end| lower.get(..end).unwrap_or(&lower));
    let name = name::role(head).ok_or_else(|| format!("`{text}` is no name"))?;
    if known.contains(&name) {
        return Ok(Peer::Role(name));
    }
    if head.split_whitespace().count() > 4 {
        return Err(format!("`{text}` is neither a name nor a network"));
    }
    guesses.push(format!("`{text}` is taken for the role `{name}`"));
    Ok(Peer::Role(name))
}

fn is_address(text: &str) -> bool {
    let address = text.split('/').next().unwrap_or("");
    address.parse::<std::net::IpAddr>().is_ok()
        || address
            .split('-')
            .all(|part| part.parse::<std::net::IpAddr>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str, otherwise: Otherwise) -> String {
        let known = vec!["prometheus".to_owned(), "worker".to_owned()];
        match read(text, otherwise, &known) {
            Ok(peers) => {
                let list: Vec<String> = peers.list.iter().map(|peer| format!("{peer:?}")).collect();
                let open = if peers.open { " open" } else { "" };
                let guessed = if peers.guesses.is_empty() { "" } else { " guessed" };
                format!(
                    "{}{open}{guessed}",
                    list.join(if peers.one_of { " | " } else { ", " })
                )
            }
            Err(reason) => reason,
        }
    }

    #[test]
    fn ends_are_read_as_people_write_them() {
        use Otherwise::{Role, Zone};
        for (text, otherwise, wanted) in [
            (
                "External, internal",
                Zone,
                r#"Zone("external"), Zone("internal")"#,
            ),
            ("Self", Zone, "This"),
            ("Cluster network", Zone, r#"Zone("cluster")"#),
            ("External network (LB service)", Zone, r#"Zone("external")"#),
            ("Workers", Role, r#"Role("worker")"#),
            ("All", Role, "Any"),
            (
                "Prometheus from the stacklight namespace",
                Role,
                r#"Role("prometheus")"#,
            ),
            ("Cluster users", Role, r#"Role("cluster-user") guessed"#),
            (
                "a.example.com and <tenant>.app.example.io",
                Role,
                r#"Host("a.example.com"), Host("<tenant>.app.example.io")"#,
            ),
            ("Depends on the configuration, see the comment.", Role, " open"),
            ("https://Quay.io:8443/v2/.", Role, r#"Host("quay.io")"#),
            (
                "10.0.0.0/8",
                Zone,
                "`10.0.0.0/8` is an address: name a zone, and give its networks in `portcullis.toml`",
            ),
            ("*.Docker.io", Role, r#"Host("*.docker.io")"#),
            ("169.254.169.254", Role, r#"Host("169.254.169.254")"#),
            (
                "Workers or Prometheus",
                Role,
                r#"Role("worker") | Role("prometheus")"#,
            ),
        ] {
            assert_eq!(said(text, otherwise), wanted, "{text}");
        }
    }

    #[test]
    fn files_versions_and_abbreviations_are_no_hosts() {
        assert!(hosts("see values.yaml, e.g. version 1.2.3 of Node.js, i.e. v2.0").is_empty());
    }
}
