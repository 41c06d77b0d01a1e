//! Peers of a row: names looked up, parameters filled in.

use super::{Context, names::Names};
use crate::policy::ast;
use crate::policy::error::ErrorKind;
use crate::policy::near::did_you_mean;
use crate::policy::row::{Choice, Peer};
use crate::source::{Span, Spanned};

/// The most names that the values of a host's parameters may make.
const MAX_HOSTS: usize = 1000;

/// One side of a row. A parameter with several values makes several peers of one.
pub(super) fn resolve(context: &mut Context<'_>, written: &Choice<ast::Peer>) -> Choice<Peer> {
    let mut items = Vec::with_capacity(written.items.len());
    for item in &written.items {
        let peers = match &item.value {
            ast::Peer::This => vec![Peer::This],
            ast::Peer::Any => vec![Peer::Any],
            ast::Peer::Every => vec![Peer::Every],
            ast::Peer::Host(host) => self::host(context, host, item.span),
            ast::Peer::Name(name) => named(context, name, item.span).into_iter().collect(),
            ast::Peer::Qualified { policy, role } => {
                qualified(context, policy, role, item.span).into_iter().collect()
            }
        };
        items.extend(peers.into_iter().map(|peer| Spanned::new(peer, item.span)));
    }
    Choice {
        items,
        one_of: written.one_of,
    }
}

fn named(context: &mut Context<'_>, name: &str, span: Span) -> Option<Peer> {
    if let Some(home) = context.names.roles.get(name) {
        return Some(role(context.policy, name, *home));
    }
    if context.names.zones.contains_key(name) {
        return Some(Peer::Zone(name.to_owned()));
    }
    context.refuse(context.names.unknown_peer(name), span);
    None
}

fn role(policy: &str, name: &str, home: Option<&Spanned<String>>) -> Peer {
    Peer::Role {
        name: format!("{policy}.{name}"),
        home: home.map(|home| home.value.clone()),
    }
}

/// A role of another policy, or of this one by its full name.
fn qualified(context: &mut Context<'_>, policy: &str, name: &str, span: Span) -> Option<Peer> {
    if policy == context.policy && context.names.roles.contains_key(name) {
        return named(context, name, span);
    }
    let Some(other) = context.others.iter().find(|other| other.name.value == policy) else {
        context.refuse(context.unknown_policy(policy), span);
        return None;
    };
    let names = Names::of(other, &mut Vec::new());
    if let Some(home) = names.roles.get(name) {
        return Some(role(policy, name, *home));
    }
    let otherwise = format!("define it in `{policy}`: `role {name}`");
    let hint = did_you_mean(name, names.roles.keys().copied(), otherwise);
    let (policy, role) = (policy.to_owned(), name.to_owned());
    context.refuse(ErrorKind::UnknownRole { policy, role, hint }, span);
    None
}

/// A host name with its parameters filled in: one name for each combination of their values.
fn host(context: &mut Context<'_>, pattern: &str, span: Span) -> Vec<Peer> {
    let parts = match parts(pattern) {
        Ok(parts) => parts,
        Err(kind) => {
            context.refuse(kind, span);
            return Vec::new();
        }
    };
    let mut hosts = vec![String::new()];
    let mut blame = span;
    let mut unset = None;
    for part in parts {
        match part {
            Part::Text(text) => hosts.iter_mut().for_each(|host| host.push_str(text)),
            Part::Parameter(name) if !context.names.parameters.contains_key(name) => {
                context.refuse(context.names.unknown_parameter(name), span);
                return Vec::new();
            }
            Part::Parameter(name) => match context.values_of(name) {
                Some(values) => {
                    blame = values.first().map_or(blame, |value| value.span);
                    let values = || values.iter().map(|value| value.value.trim());
                    hosts = hosts
                        .iter()
                        .flat_map(|host| values().map(move |value| format!("{host}{value}")))
                        .take(MAX_HOSTS)
                        .collect();
                }
                None => unset = Some(name),
            },
        }
    }
    if let Some(name) = unset {
        let policy = context.policy;
        let how = context.facts.how_to_set(policy, name, "\"…\"");
        return vec![Peer::Unset(format!("`{policy}` does not know `{name}`: {how}"))];
    }
    let bad = hosts.iter().find(|host| !is_host(host));
    if let Some(bad) = bad {
        // A value that is none of its parameter's type has been refused where it stands.
        if context.errors.iter().all(|known| known.span != blame) {
            let host = bad.clone();
            context.refuse(ErrorKind::NotAHost { host }, blame);
        }
        return Vec::new();
    }
    hosts
        .into_iter()
        .map(|host| Peer::Name(host.to_ascii_lowercase()))
        .collect()
}

enum Part<'a> {
    Text(&'a str),
    Parameter(&'a str),
}

/// Splits `a<b>c` at its angle brackets.
fn parts(pattern: &str) -> Result<Vec<Part<'_>>, ErrorKind> {
    let unclosed = || ErrorKind::UnclosedParameter {
        host: pattern.to_owned(),
    };
    let mut parts = Vec::new();
    let mut rest = pattern;
    while let Some((text, after)) = rest.split_once('<') {
        let (name, behind) = after.split_once('>').ok_or_else(unclosed)?;
        if text.contains('>') || name.contains('<') {
            return Err(unclosed());
        }
        parts.extend([Part::Text(text), Part::Parameter(name)]);
        rest = behind;
    }
    if rest.contains('>') {
        return Err(unclosed());
    }
    parts.push(Part::Text(rest));
    Ok(parts)
}

/// Whether the text can be a host's name or address: `*.` may stand for its first label.
pub(super) fn is_host(text: &str) -> bool {
    let name = text.strip_prefix("*.").unwrap_or(text);
    let is_address = text.parse::<std::net::IpAddr>().is_ok();
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    is_address || (name.len() <= 253 && name.trim_end_matches('.').split('.').all(label))
}

#[cfg(test)]
mod tests {
    use super::is_host;

    #[test]
    fn host_names_have_labels_and_no_scheme() {
        for good in [
            "quay.io",
            "*.example.com",
            "a_b.example",
            "10.0.0.1",
            "2001:db8::1",
            "example.com.",
        ] {
            assert!(is_host(good), "{good}");
        }
        for bad in ["", "https://quay.io", "quay.io:443", "a..b", "-a.b", "a b"] {
            assert!(!is_host(bad), "{bad}");
        }
    }
}
