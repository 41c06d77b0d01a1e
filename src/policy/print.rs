//! Parts of the tree as canonical text. INVARIANT: reading the text of a part gives the part again.

use super::ast::{
    Comparison, Condition, Date, Fact, IcmpType, ParameterKind, Peer, Ports, RowSeverity, Service, Setting,
    Test, Version, Waiver,
};
use super::row::{Choice, Kind};
use crate::packet::protocol::protocol_name;
use crate::source::Spanned;

/// `require`
pub(super) fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Require => "require",
        Kind::Allow => "allow",
        Kind::Forbid => "forbid",
    }
}

/// `tcp/443, udp/53` or `tcp/80 | tcp/443`
pub(super) fn services(choice: &Choice<Service>) -> String {
    list(choice, service)
}

/// `external, "quay.io"`
pub(super) fn peers(choice: &Choice<Peer>) -> String {
    list(choice, peer)
}

fn list<T>(choice: &Choice<T>, item: impl Fn(&T) -> String) -> String {
    let separator = if choice.one_of { " | " } else { ", " };
    let items: Vec<String> = choice.items.iter().map(|one| item(&one.value)).collect();
    items.join(separator)
}

/// `"text"`
pub(super) fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}

/// `a, b`
pub(super) fn names(names: &[Spanned<String>]) -> String {
    let names: Vec<&str> = names.iter().map(|name| name.value.as_str()).collect();
    names.join(", ")
}

/// `mke.manager`
pub(super) fn peer(peer: &Peer) -> String {
    match peer {
        Peer::This => "self".to_owned(),
        Peer::Any => "any".to_owned(),
        Peer::Every => "*".to_owned(),
        Peer::Host(host) => quoted(host),
        Peer::Name(name) => name.clone(),
        Peer::Qualified { policy, role } => format!("{policy}.{role}"),
    }
}

/// `tcp/443`
pub(super) fn service(service: &Service) -> String {
    let protocol_text = |protocol: u8| protocol_name(protocol).unwrap_or("proto");
    match service {
        Service::Any => "any".to_owned(),
        Service::Open => "?".to_owned(),
        Service::Ports { protocol, ports } => {
            let protocol = protocol_text(*protocol);
            match ports {
                None => protocol.to_owned(),
                Some(Ports::Open) => format!("{protocol}/?"),
                Some(Ports::One(port)) => format!("{protocol}/{port}"),
                Some(Ports::Range(low, high)) => format!("{protocol}/{low}-{high}"),
            }
        }
        Service::Icmp { protocol, kind } => {
            let protocol = protocol_text(*protocol);
            match kind {
                None => protocol.to_owned(),
                Some(IcmpType::Name(name)) => format!("{protocol}/{name}"),
                Some(IcmpType::Number { kind, code: None }) => format!("{protocol}/{kind}"),
                Some(IcmpType::Number {
                    kind,
                    code: Some(code),
                }) => format!("{protocol}/{kind}/{code}"),
            }
        }
        Service::Protocol(number) => format!("proto/{number}"),
        Service::Name(name) => name.clone(),
    }
}

/// `when a and not b or version >= 23.3`
pub(super) fn condition(condition: &Condition) -> String {
    let alternatives: Vec<String> = condition.any_of.iter().map(|tests| conjunction(tests)).collect();
    format!("when {}", alternatives.join(" or "))
}

fn conjunction(tests: &[Spanned<Test>]) -> String {
    let tests: Vec<String> = tests.iter().map(|one| test(&one.value)).collect();
    tests.join(" and ")
}

fn test(test: &Test) -> String {
    let not = if test.negated { "not " } else { "" };
    match &test.fact {
        Fact::Feature(name) => format!("{not}{name}"),
        Fact::Version(comparison, than) => {
            let comparison = match comparison {
                Comparison::AtLeast => ">=",
                Comparison::AtMost => "<=",
                Comparison::Above => ">",
                Comparison::Below => "<",
                Comparison::Same => "=",
            };
            format!("{not}version {comparison} {}", version(than))
        }
    }
}

/// `23.3`
pub(super) fn version(version: &Version) -> String {
    let parts: Vec<String> = version.0.iter().map(ToString::to_string).collect();
    parts.join(".")
}

/// `2027-01-31`
pub(super) fn date(date: Date) -> String {
    date.to_string()
}

/// `mke/tcp-2376 on manager`
pub(super) fn waived(waiver: &Waiver) -> String {
    let row = format!("{}/{}", waiver.policy.value, waiver.row.value);
    if waiver.roles.is_empty() {
        return row;
    }
    let roles: Vec<&str> = waiver.roles.iter().map(|role| role.value.as_str()).collect();
    format!("{row} on {}", roles.join(", "))
}

/// `"no swarm here" until 2027-01-31`
pub(super) fn excuse(waiver: &Waiver) -> String {
    let reason = quoted(&waiver.reason.value);
    match &waiver.until {
        Some(until) => format!("{reason} until {}", date(until.value)),
        None => reason,
    }
}

/// `warning`
pub(super) fn severity(severity: RowSeverity) -> &'static str {
    match severity {
        RowSeverity::Note => "note",
        RowSeverity::Warning => "warning",
        RowSeverity::Error => "error",
    }
}

/// `"a", "b"`
pub(super) fn strings(texts: &[Spanned<String>]) -> String {
    let texts: Vec<String> = texts.iter().map(|text| quoted(&text.value)).collect();
    texts.join(", ")
}

/// `label`
pub(super) fn parameter_kind(kind: ParameterKind) -> &'static str {
    match kind {
        ParameterKind::Host => "host",
        ParameterKind::Label => "label",
    }
}

/// `configurable within tcp/1024-65535`; nothing of a service that is fixed.
pub(super) fn configurable(configurable: bool, within: Option<&Choice<Service>>) -> String {
    match (configurable, within) {
        (false, _) => String::new(),
        (true, None) => "configurable".to_owned(),
        (true, Some(within)) => format!("configurable within {}", services(within)),
    }
}

/// `ui = tcp/4443`
pub(super) fn setting(setting: &Setting) -> String {
    match setting {
        Setting::Version(to) => format!("version = {}", version(&to.value)),
        Setting::Features(switches) => {
            let switch = |on: bool, name: &str| {
                if on {
                    name.to_owned()
                } else {
                    format!("not {name}")
                }
            };
            let switches: Vec<String> = switches
                .iter()
                .map(|one| switch(one.value.on, &one.value.name))
                .collect();
            format!("feature {}", switches.join(", "))
        }
        Setting::Parameter(name, values) => {
            format!("{} = {}", name.value, strings(values))
        }
        Setting::Service(name, choice) => format!("{} = {}", name.value, services(choice)),
    }
}
