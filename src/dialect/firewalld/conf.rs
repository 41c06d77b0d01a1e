//! firewalld.conf(5): settings as `KEY=VALUE` lines.
//!
//! A setting that firewalld does not know, or a value that it does not take, it leaves out with a line in its log. INVARIANT:
//! each is said.

use super::ast::Conf;
use super::body::is_yes;
use crate::finding::{Code, Finding, Label};
use crate::source::{Locator, Source, Span, Spanned};

/// Settings that decide nothing about what passes, apart from those that are read below. `IPv6_rpfilter` is among them:
/// packets are taken to come by the way that answers to them go.
const SILENT: &[&str] = &[
    "AutomaticHelpers",
    "CleanupModulesOnExit",
    "CleanupOnExit",
    "FlushAllOnReload",
    "IPv6_rpfilter",
    "IndividualCalls",
    "Lockdown",
    "LogDenied",
    "MinimalMark",
    "NftablesCounters",
    "NftablesFlowtable",
    "NftablesTableOwner",
    "ReloadPolicy",
];

impl Default for Conf {
    /// "The default zone is public", `RFC3964_IPv4` is on, the backend is nftables.
    fn default() -> Self {
        Self {
            default_zone: None,
            is_iptables: false,
            has_rfc3964: true,
            strict_forward_ports: None,
            drifting: None,
        }
    }
}

/// Reads a file.
pub(super) fn read(source: Source<'_>, notices: &mut Vec<Finding>) -> Conf {
    let at = Locator::new(source);
    let mut conf = Conf::default();
    let mut seen: Vec<&str> = Vec::new();
    for line in source.text.lines().map(str::trim) {
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        let mut refuse = |part: &str, message: String| {
            let label = Label::new(at.span(part), "not understood");
            let finding = Finding::new(Code::UnreadText, message, Some(label));
            notices.push(finding.help("firewalld leaves this line out"));
        };
        let Some((key, value)) = line.split_once('=').filter(|(_, value)| !value.contains('=')) else {
            refuse(line, "this is no setting".to_owned());
            continue;
        };
        let (key, value) = (key.trim(), value.trim());
        if seen.contains(&key) {
            refuse(key, format!("`{key}` is set again"));
            continue;
        }
        if value.is_empty() {
            refuse(line, format!("`{key}` without a value"));
            continue;
        }
        let is_known = set(&mut conf, key, value, at.span(value));
        match is_known {
            Some(true) => seen.push(key),
            Some(false) => refuse(value, format!("`{value}` is no value of `{key}`")),
            None => refuse(key, format!("`{key}` is no setting of firewalld")),
        }
    }
    conf
}

/// Takes one setting: whether it has such a value; `None` if there is no such setting.
fn set(conf: &mut Conf, key: &str, value: &str, span: Span) -> Option<bool> {
    let is_switch = is_yes(value) || value.eq_ignore_ascii_case("no") || value.eq_ignore_ascii_case("false");
    let on = is_yes(value).then_some(span);
    match key {
        "DefaultZone" => conf.default_zone = Some(Spanned::new(value.to_owned(), span)),
        "FirewallBackend" => {
            conf.is_iptables = value.eq_ignore_ascii_case("iptables");
            return Some(conf.is_iptables || value.eq_ignore_ascii_case("nftables"));
        }
        "RFC3964_IPv4" => {
            conf.has_rfc3964 = on.is_some() || !is_switch;
            return Some(is_switch);
        }
        "StrictForwardPorts" => {
            conf.strict_forward_ports = on;
            return Some(is_switch);
        }
        "AllowZoneDrifting" => {
            conf.drifting = on;
            return Some(is_switch);
        }
        _ => return SILENT.contains(&key).then_some(true),
    }
    Some(true)
}
