//! Whether a file is a dump: by its first lines, and by its name where they do not speak against it.

use crate::dialect::{Claim, beginning};
use crate::source::Source;

/// How much of a file is looked at.
const MAX_LOOK: usize = 64 << 10;

/// Files that quote dumps rather than being one.
const QUOTING: &[&str] = &[
    "md", "rst", "adoc", "html", "htm", "t", "py", "go", "rs", "c", "h", "js", "ts", "java", "thy", "hs",
];

/// Looks for `*filter` followed by a chain or a rule; or for `iptables -S`'s `-P INPUT DROP`.
pub(super) fn claim(source: Source<'_>) -> Claim {
    let file = source.name.rsplit('/').next().unwrap_or(source.name);
    let extension = file.rsplit_once('.').map_or("", |(_, extension)| extension);
    if QUOTING.contains(&extension) {
        return Claim::No;
    }
    let looked_at = beginning(source.text, MAX_LOOK);
    let is_listed = looked_at.lines().map(str::trim).find(|line| !line.is_empty());
    if has_table(looked_at) || starts_with_policies(looked_at) || is_listed.is_some_and(is_listing) {
        return Claim::Content;
    }
    let named = file.starts_with("iptables")
        || file.starts_with("ip6tables")
        || matches!(file, "rules.v4" | "rules.v6");
    let has_rule = looked_at
        .lines()
        .any(|line| line.starts_with("-A ") || line.starts_with("*filter"));
    let is_empty = looked_at
        .lines()
        .all(|line| line.trim().is_empty() || line.starts_with('#'));
    if (named && (has_rule || is_empty)) || (extension == "rules" && has_rule) {
        return Claim::Name;
    }
    Claim::No
}

fn has_table(text: &str) -> bool {
    let mut said = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .peekable();
    while let Some(line) = said.next() {
        let is_table = matches!(line, "*filter" | "*nat" | "*mangle" | "*raw" | "*security");
        let is_dump = |next: &&str| {
            let chain = next
                .strip_prefix(':')
                .is_some_and(|rest| rest.split_ascii_whitespace().count() >= 2);
            let rule = ["-A ", "-I ", "-N ", "-P ", "-F", "-X"]
                .iter()
                .any(|verb| next.starts_with(verb));
            let counted = next.starts_with('[') && next.contains("] -A ");
            chain || rule || counted || *next == "COMMIT"
        };
        if is_table && said.peek().is_some_and(is_dump) {
            return true;
        }
    }
    false
}

/// `Chain INPUT (policy DROP 0 packets, 0 bytes)`, `Chain web (1 references)`: a line of what `iptables -L` prints for people.
pub(super) fn is_listing(line: &str) -> bool {
    let words: Vec<_> = line.split_ascii_whitespace().take(4).collect();
    matches!(
        words.as_slice(),
        ["Chain", _, "(policy", ..] | ["Chain", _, _, "references)"]
    )
}

/// `iptables -S` prints default verdicts first, then chains, then rules.
fn starts_with_policies(text: &str) -> bool {
    let first = text
        .lines()
        .map(str::trim)
        .find(|line| !line.is_empty() && !line.starts_with('#'));
    let words: Vec<_> = first.unwrap_or("").split_ascii_whitespace().collect();
    matches!(words.as_slice(), ["-P", chain, "ACCEPT" | "DROP", ..] if chain.bytes().all(|byte| byte.is_ascii_uppercase()))
}
