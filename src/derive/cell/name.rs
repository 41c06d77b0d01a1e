//! Words of a table as names of the policy language.

use crate::policy::RESERVED;

/// Words that say nothing in a name.
const FILLERS: &[&str] = &[
    "the", "a", "an", "of", "for", "and", "to", "by", "in", "on", "with", "from", "is", "are", "used", "any",
    "that", "its",
];

/// A text as a name: lower case, hyphens between its words. `None` if it has no letter or digit.
#[must_use]
pub(crate) fn kebab(text: &str) -> Option<String> {
    let mut name = String::new();
    for c in text.chars() {
        if c.is_ascii_alphanumeric() {
            name.push(c.to_ascii_lowercase());
        } else if c != '\'' && c != '’' && !name.ends_with('-') {
            name.push('-');
        }
    }
    let name = name.trim_matches('-');
    let begins = name.chars().next()?;
    if RESERVED.contains(&name) {
        return Some(format!("{name}-it"));
    }
    Some(if begins.is_ascii_digit() {
        format!("n{name}")
    } else {
        name.to_owned()
    })
}

/// The first few telling words of a text as a name, up to its first comma, full stop or parenthesis.
#[must_use]
pub(crate) fn short(text: &str, most: usize) -> Option<String> {
    let end = text
        .find([',', '.', ';', '(', ':'])
        .filter(|end| *end > 2)
        .unwrap_or(text.len());
    let words = text.get(..end).unwrap_or(text).split_whitespace();
    let telling: Vec<&str> = words
        .filter(|word| !FILLERS.contains(&word.to_ascii_lowercase().as_str()))
        .take(most)
        .collect();
    kebab(&telling.join(" ")).or_else(|| kebab(text))
}

/// The name of a kind of host: `Managers` is `manager`, `Worker nodes` are `worker`.
#[must_use]
pub(crate) fn role(text: &str) -> Option<String> {
    let text = text.replace("(s)", "s");
    let mut words: Vec<String> = text
        .split(|c: char| !(c.is_alphanumeric() || "-_.".contains(c)))
        .map(|word| word.trim_matches(['.', '-']))
        .filter(|word| {
            !word.is_empty() && !["the", "all", "every", "each"].contains(&word.to_ascii_lowercase().as_str())
        })
        .map(singular)
        .collect();
    let generic = ["node", "host", "server", "machine", "vm"];
    // One of them only: `RKE2 server nodes` are others than `RKE2 nodes`.
    let is_generic = |last: &String| generic.contains(&last.to_ascii_lowercase().as_str());
    if words.len() > 1 && words.last().is_some_and(is_generic) {
        words.pop();
    }
    kebab(&words.join(" "))
}

/// One of several, where the ending leaves no doubt.
fn singular(word: &str) -> String {
    let lower = word.to_ascii_lowercase();
    let plural = ["ers", "ors", "des", "sts", "nts", "nes", "vms", "ays", "ents"];
    match lower.strip_suffix("ies") {
        Some(stem) if stem.len() > 2 => format!("{stem}y"),
        _ if plural.iter().any(|ending| lower.ends_with(ending))
            && lower.len() > 3
            && lower != "kubernetes" =>
        {
            word.get(..word.len() - 1).unwrap_or(word).to_owned()
        }
        _ => word.to_owned(),
    }
}

/// A text as the inside of a string: on one line, and without double quotes.
#[must_use]
pub(crate) fn quotable(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").replace('"', "'")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_become_names() {
        assert_eq!(kebab("Node / Exporter (v2)").as_deref(), Some("node-exporter-v2"));
        assert_eq!(kebab("5G core").as_deref(), Some("n5g-core"));
        assert_eq!(kebab("Any").as_deref(), Some("any-it"));
        assert_eq!(kebab("…"), None);
        assert_eq!(
            short("Overlay networking for the pods, VXLAN", 3).as_deref(),
            Some("overlay-networking-pods")
        );
    }

    #[test]
    fn kinds_of_hosts_are_named_in_the_singular() {
        for (text, name) in [
            ("Managers", "manager"),
            ("worker nodes", "worker"),
            ("All nodes", "node"),
            ("Control plane nodes", "control-plane"),
            ("Prometheus", "prometheus"),
            ("Kubernetes", "kubernetes"),
            ("Registries", "registry"),
            ("etcd hosts", "etcd"),
            ("RKE2 server nodes", "rke2-server"),
            ("All RKE2 nodes", "rke2"),
            ("Worker node(s)", "worker"),
        ] {
            assert_eq!(role(text).as_deref(), Some(name), "{text}");
        }
    }
}
