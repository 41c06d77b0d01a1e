//! A rule as ufw writes it for iptables-restore.
//!
//! ufw(8), "RULE SYNTAX" and "RATE LIMITING". INVARIANT: one line is one rule of one of the three chains of the user; what is
//! only logged is left out.

use super::init::prefix;
use crate::dialect::ufw::ast::{Direction, Side, UserRule, Verdict};
use crate::packet::Family;

/// The lines of a rule.
pub(super) fn lines(rule: &UserRule<'_>, family: Family) -> Vec<String> {
    let protocols = match &rule.protocol {
        Some(said) => vec![Some(said.text.as_ref())],
        None if rule.has_ports() => vec![Some("tcp"), Some("udp")],
        None => vec![None],
    };
    let lines = protocols
        .into_iter()
        .map(|protocol| of_protocol(rule, protocol, family));
    lines.collect::<Vec<_>>().concat()
}

fn of_protocol(rule: &UserRule<'_>, protocol: Option<&str>, family: Family) -> Vec<String> {
    let ufw = prefix(family);
    let matches = format!("-A {ufw}-user-{}{}", chain(rule), matches(rule, protocol));
    match rule.verdict {
        Verdict::Allow => vec![format!("{matches} -j ACCEPT\n")],
        Verdict::Deny => vec![format!("{matches} -j DROP\n")],
        Verdict::Reject if protocol == Some("tcp") => {
            vec![format!("{matches} -j REJECT --reject-with tcp-reset\n")]
        }
        Verdict::Reject => vec![format!("{matches} -j REJECT\n")],
        Verdict::Limit => vec![
            format!("{matches} -m conntrack --ctstate NEW -m recent --set\n"),
            format!(
                "{matches} -m conntrack --ctstate NEW -m recent --update --seconds 30 --hitcount 6 -j {ufw}-user-limit\n"
            ),
            format!("{matches} -j {ufw}-user-limit-accept\n"),
        ],
    }
}

fn chain(rule: &UserRule<'_>) -> &'static str {
    match (rule.route, rule.direction) {
        (true, _) => "forward",
        (false, Direction::In) => "input",
        (false, Direction::Out) => "output",
    }
}

fn matches(rule: &UserRule<'_>, protocol: Option<&str>) -> String {
    let mut text = String::new();
    let mut add = |option: &str, value: Option<&str>| {
        for part in value.map(|value| [option, value]).into_iter().flatten() {
            text.push(' ');
            text.push_str(part);
        }
    };
    add("-i", rule.interface_in);
    add("-o", rule.interface_out);
    add("-p", protocol);
    let ports = |side: &Side<'_>| side.ports.as_ref().map(|ports| ports.text.to_string());
    let (to, from) = (ports(&rule.to), ports(&rule.from));
    let are_many = [&to, &from]
        .into_iter()
        .flatten()
        .any(|ports| ports.contains([',', ':']));
    for (ports, many, one) in [
        (&to, "-m multiport --dports", "--dport"),
        (&from, "-m multiport --sports", "--sport"),
    ] {
        add(if are_many { many } else { one }, ports.as_deref());
    }
    add("-d", rule.to.address);
    add("-s", rule.from.address);
    text
}

/// The lines of a rule that is only shown: what a limit does stands in them, since the chains for it have no place of their own
/// that says which rule it was.
pub(super) fn lines_alone(rule: &UserRule<'_>, family: Family) -> String {
    let ufw = prefix(family);
    lines(rule, family)
        .concat()
        .replace(&format!("-j {ufw}-user-limit-accept\n"), "-j ACCEPT\n")
        .replace(&format!("-j {ufw}-user-limit\n"), "-j REJECT\n")
}

/// The packets that a limit stops, and those that it lets through.
pub(super) fn limits(family: Family) -> String {
    let ufw = prefix(family);
    format!("-A {ufw}-user-limit -j REJECT\n-A {ufw}-user-limit-accept -j ACCEPT\n")
}
