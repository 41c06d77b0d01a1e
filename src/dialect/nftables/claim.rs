//! Whether a file is a ruleset: by its first commands, and by its name where they do not speak against it.

use crate::dialect::{Claim, beginning};
use crate::source::Source;

/// How much of a file is looked at.
const MAX_LOOK: usize = 64 << 10;

/// Files that quote rulesets rather than being one.
const QUOTING: &[&str] = &[
    "md", "rst", "adoc", "html", "htm", "t", "py", "go", "rs", "c", "h", "js", "ts", "sh", "yaml", "yml",
    "j2",
];

/// Looks for a table block, a command, or nft's shebang; in JSON, for the key `nftables`.
pub(super) fn claim(source: Source<'_>) -> Claim {
    let file = source.name.rsplit('/').next().unwrap_or(source.name);
    let extension = file.rsplit_once('.').map_or("", |(_, extension)| extension);
    if QUOTING.contains(&extension) {
        return Claim::No;
    }
    let looked_at = beginning(source.text, MAX_LOOK);
    if is_json(looked_at) || begins_with_nft(looked_at) || said(looked_at).take(400).any(is_decisive) {
        return Claim::Content;
    }
    let is_named = extension == "nft" || file.starts_with("nftables");
    let could_be = said(looked_at).next().is_none_or(may_begin);
    if is_named && could_be {
        return Claim::Name;
    }
    Claim::No
}

/// Whether the text is what `nft -j list ruleset` prints.
pub(super) fn is_json(text: &str) -> bool {
    let is_blank = |char: char| char.is_ascii_whitespace();
    let Some(inside) = text.trim_start_matches(is_blank).strip_prefix('{') else {
        return false;
    };
    inside.trim_start_matches(is_blank).starts_with("\"nftables\"")
}

fn begins_with_nft(text: &str) -> bool {
    let first = text.lines().next().unwrap_or("");
    first.starts_with("#!") && first.split(['/', ' ']).any(|part| part == "nft")
}

fn said(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
}

const FAMILIES: &[&str] = &["ip", "ip6", "inet", "arp", "bridge", "netdev"];

/// `table inet filter {`, `add rule inet filter input …`, `flush ruleset`
fn is_decisive(line: &str) -> bool {
    let words: Vec<&str> = line.split_ascii_whitespace().take(4).collect();
    match words.as_slice() {
        ["flush", "ruleset", ..] => true,
        ["table", family, name, "{", ..] => FAMILIES.contains(family) && is_name(name),
        ["table", name, "{"] => is_name(name),
        ["table", family, name] => FAMILIES.contains(family) && is_name(name.trim_end_matches('{')),
        [
            "add" | "create" | "insert" | "delete" | "destroy" | "flush",
            "table" | "chain" | "rule" | "set" | "map" | "element",
            name,
            ..,
        ] => FAMILIES.contains(name) || is_name(name),
        _ => false,
    }
}

fn is_name(word: &str) -> bool {
    !word.is_empty()
        && word
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'))
}

/// Whether a file that is named for nft may begin with this line.
fn may_begin(line: &str) -> bool {
    let first = line.split([' ', '\t', '{']).next().unwrap_or("");
    [
        "table", "chain", "set", "map", "define", "include", "add", "create", "insert", "delete", "destroy",
        "flush", "ip", "ip6", "tcp", "udp", "iif", "iifname", "oif", "oifname", "ct", "meta", "counter",
        "rule",
    ]
    .contains(&first)
}
