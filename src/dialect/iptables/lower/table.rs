//! Tables of iptables: which hooks call which chains, in which order.
//!
//! Priorities are the kernel's `NF_IP_PRI_*`; which table has which chains is iptables(8), "TABLES".

use crate::model::{Hook, Purpose};

/// A table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TableKind {
    Filter,
    Nat,
    Mangle,
    Raw,
    Security,
}

impl TableKind {
    pub(super) const ALL: [Self; 5] = [Self::Filter, Self::Nat, Self::Mangle, Self::Raw, Self::Security];

    pub(super) fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|table| table.name() == name)
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Filter => "filter",
            Self::Nat => "nat",
            Self::Mangle => "mangle",
            Self::Raw => "raw",
            Self::Security => "security",
        }
    }

    /// `hook ::= "PREROUTING" | "INPUT" | "FORWARD" | "OUTPUT" | "POSTROUTING"`
    ///
    /// The hook that calls a chain of this name in this table; `None` for users' own chains.
    pub(super) fn hook(self, chain: &str) -> Option<Hook> {
        let hook = hook(chain)?;
        let has_it = match self {
            Self::Filter | Self::Security => matches!(hook, Hook::Input | Hook::Forward | Hook::Output),
            Self::Nat => hook != Hook::Forward,
            Self::Mangle => true,
            Self::Raw => matches!(hook, Hook::Prerouting | Hook::Output),
        };
        has_it.then_some(hook)
    }

    pub(super) fn priority(self, hook: Hook) -> i32 {
        match self {
            Self::Raw => -300,
            Self::Mangle => -150,
            Self::Nat => hook.translation_priority(),
            Self::Filter => 0,
            Self::Security => 50,
        }
    }

    pub(super) fn purpose(self) -> Purpose {
        match self {
            Self::Filter | Self::Security => Purpose::Filter,
            Self::Raw | Self::Mangle => Purpose::Prepare,
            Self::Nat => Purpose::Nat,
        }
    }

    /// Whether no packet has been tracked when it meets the table: connection tracking has priority -200.
    pub(super) fn is_before_tracking(self) -> bool {
        self == Self::Raw
    }

    /// Whether destinations are translated before every chain of the table: then a packet has one destination in it.
    pub(super) fn is_behind_translation(self) -> bool {
        matches!(self, Self::Filter | Self::Security)
    }
}

/// Hooks by the names of the chains that they call.
pub(super) fn hook(chain: &str) -> Option<Hook> {
    Some(match chain {
        "PREROUTING" => Hook::Prerouting,
        "INPUT" => Hook::Input,
        "FORWARD" => Hook::Forward,
        "OUTPUT" => Hook::Output,
        "POSTROUTING" => Hook::Postrouting,
        _ => return None,
    })
}
