//! What ufw's init script does around the files of rules: chains, jumps and default verdicts, as texts for iptables-restore.
//!
//! ufw-framework(8), "BOOT INITIALIZATION" and "RULES FILES": primary chains first, then what follows from the policies, then `before.rules`,
//! `after.rules` and `user.rules`, and the default verdicts last. INVARIANT: a text is placed at what it follows from: a policy's at
//! its setting.

use std::fmt::Write;

use super::settings::{Settings, Value};
use crate::packet::Family;
use crate::source::{Locator, Source, Span};

/// One text of the sequence.
#[derive(Debug, Clone)]
pub(super) enum Text<'a> {
    /// A file of rules.
    File(Source<'a>),
    /// What follows from something that stands elsewhere.
    Made(String, Span),
}

impl Text<'_> {
    pub(super) fn locator(&self) -> Locator<'_> {
        match self {
            Self::File(source) => Locator::new(*source),
            Self::Made(text, span) => Locator::pinned(text, *span),
        }
    }
}

/// The chains of a family begin with this.
pub(super) fn prefix(family: Family) -> &'static str {
    match family {
        Family::V4 => "ufw",
        Family::V6 => "ufw6",
    }
}

/// A filter table with these lines.
pub(super) fn table(lines: &str) -> String {
    format!("*filter\n{lines}COMMIT\n")
}

/// The chains that the built-in ones go through, in their order, and what follows from the policies.
pub(super) fn primary<'a>(family: Family, settings: &Settings<'_>, origin: Span) -> Vec<Text<'a>> {
    let ufw = prefix(family);
    let mut chains = String::new();
    let mut jumps = String::new();
    for (suffix, hook, _) in settings.policies() {
        for chain in [
            "before-logging",
            "before",
            "after",
            "after-logging",
            "reject",
            "track",
        ] {
            // Writing to a string does not fail.
            let _ = writeln!(chains, ":{ufw}-{chain}-{suffix} - [0:0]");
            let _ = writeln!(jumps, "-A {hook} -j {ufw}-{chain}-{suffix}");
        }
    }
    let _ = writeln!(
        chains,
        ":{ufw}-logging-deny - [0:0]\n:{ufw}-logging-allow - [0:0]"
    );
    let mut texts = vec![Text::Made(table(&(chains + &jumps)), origin)];
    for (suffix, _, policy) in settings.policies() {
        texts.push(Text::Made(table(&of_policy(ufw, suffix, policy)), policy.span));
    }
    texts
}

/// Stands for a policy that is none: nothing that iptables takes, so that whatever it may do is followed.
const UNREADABLE: &str = "!";

/// The rules that follow from a policy: rejections, connections that are tracked for the sake of their replies, and where
/// `after.rules` sends packets that are not worth a line in the log.
fn of_policy(ufw: &str, suffix: &str, policy: Value<'_>) -> String {
    let word = policy.verdict().unwrap_or(UNREADABLE);
    let mut lines =
        format!(":{ufw}-skip-to-policy-{suffix} - [0:0]\n-A {ufw}-skip-to-policy-{suffix} -j {word}\n");
    match word {
        "REJECT" => {
            let _ = writeln!(lines, "-A {ufw}-reject-{suffix} -j REJECT");
        }
        "ACCEPT" => {
            for protocol in ["tcp", "udp"] {
                let _ = writeln!(
                    lines,
                    "-A {ufw}-track-{suffix} -p {protocol} -m conntrack --ctstate NEW -j ACCEPT"
                );
            }
        }
        _ => {}
    }
    lines
}

/// The default verdicts. A policy of rejecting drops what its own rule has not rejected.
pub(super) fn policies<'a>(settings: &Settings<'_>) -> Vec<Text<'a>> {
    let policies = settings.policies().into_iter();
    let texts = policies.map(|(_, hook, policy)| {
        let word = match policy.verdict() {
            Some("REJECT") => "DROP",
            word => word.unwrap_or(UNREADABLE),
        };
        Text::Made(table(&format!(":{hook} {word} [0:0]\n")), policy.span)
    });
    texts.collect()
}

/// The user's chains, which `user.rules` then fills.
pub(super) fn user_chains<'a>(family: Family, origin: Span) -> Text<'a> {
    let ufw = prefix(family);
    let names = [
        "input",
        "output",
        "forward",
        "logging-input",
        "logging-output",
        "logging-forward",
        "limit",
        "limit-accept",
    ];
    let chains = names.map(|name| format!(":{ufw}-user-{name} - [0:0]\n"));
    Text::Made(table(&chains.concat()), origin)
}

/// The jumps to the user's chains, behind all of `before.rules`.
pub(super) fn user_jumps<'a>(family: Family, origin: Span) -> Text<'a> {
    let ufw = prefix(family);
    let jump = |suffix| format!("-A {ufw}-before-{suffix} -j {ufw}-user-{suffix}\n");
    Text::Made(table(&["input", "output", "forward"].map(jump).concat()), origin)
}

/// What is loaded for IPv6 where ufw leaves it alone: only the host itself is heard.
pub(super) fn loopback_only<'a>(at: Span) -> Text<'a> {
    let defaults = ["INPUT", "FORWARD", "OUTPUT"].map(|hook| format!(":{hook} DROP [0:0]\n"));
    let lines = defaults.concat() + "-A INPUT -i lo -j ACCEPT\n-A OUTPUT -o lo -j ACCEPT\n";
    Text::Made(table(&lines), at)
}

/// What filters a host on which ufw is off: nothing.
pub(super) fn off<'a>(at: Span) -> Text<'a> {
    let defaults = ["INPUT", "FORWARD", "OUTPUT"].map(|hook| format!(":{hook} ACCEPT [0:0]\n"));
    Text::Made(table(&defaults.concat()), at)
}
