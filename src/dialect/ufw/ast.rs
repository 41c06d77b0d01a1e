//! What a user says to ufw, from wherever it is read: a tuple, a line of `ufw status`, a command.
//!
//! INVARIANT: every word is a slice of the text that was read, so that its span is known.

use std::borrow::Cow;

pub(super) use crate::dialect::unread::{Read, Unread};

/// What a rule does: ufw(8), "RULE SYNTAX".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Allow,
    Deny,
    Reject,
    /// Allows until a sender has opened six connections in thirty seconds.
    Limit,
}

/// What is logged of the packets of a rule. It decides nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Log {
    Nothing,
    /// New connections.
    New,
    All,
}

/// Which packets of the host a rule is about; those that it passes on are [`UserRule::route`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    In,
    Out,
}

/// A value and the word that says it, which may be a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Said<'a> {
    pub(super) word: &'a str,
    pub(super) text: Cow<'a, str>,
}

impl<'a> Said<'a> {
    /// A word that means itself.
    pub(super) fn plainly(word: &'a str) -> Self {
        Self {
            word,
            text: Cow::Borrowed(word),
        }
    }
}

/// One end of a rule's packets; `None` is any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Side<'a> {
    pub(super) address: Option<&'a str>,
    /// Ports and ranges with commas between, as iptables writes them.
    pub(super) ports: Option<Said<'a>>,
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct UserRule<'a> {
    /// All of it.
    pub(super) text: &'a str,
    /// The word of the verdict.
    pub(super) action: &'a str,
    pub(super) verdict: Verdict,
    pub(super) log: Log,
    /// Whether it is about packets that the host passes on.
    pub(super) route: bool,
    pub(super) direction: Direction,
    /// `None`: any; with ports, TCP and UDP.
    pub(super) protocol: Option<Said<'a>>,
    pub(super) to: Side<'a>,
    pub(super) from: Side<'a>,
    pub(super) interface_in: Option<&'a str>,
    pub(super) interface_out: Option<&'a str>,
}

impl UserRule<'_> {
    /// Whether it names a port.
    pub(super) fn has_ports(&self) -> bool {
        self.to.ports.is_some() || self.from.ports.is_some()
    }
}
