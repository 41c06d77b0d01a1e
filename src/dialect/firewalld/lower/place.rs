//! Where rules stand: tables and hooks of the nftables backend.

use crate::model::{Hook, Purpose};

/// A kind of base chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Table {
    Filter,
    Nat,
    Mangle,
}

/// A base chain of firewalld, and the chains that lead from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) table: Table,
    pub(super) hook: Hook,
}

/// How far firewalld's chains are behind the usual ones.
const BEHIND: i32 = 10;

impl Place {
    pub(super) const fn new(table: Table, hook: Hook) -> Self {
        Self { table, hook }
    }

    /// Where packets to the host, through it and from it are decided.
    pub(super) const INPUT: Self = Self::new(Table::Filter, Hook::Input);
    pub(super) const FORWARD: Self = Self::new(Table::Filter, Hook::Forward);
    pub(super) const OUTPUT: Self = Self::new(Table::Filter, Hook::Output);

    pub(super) fn table_name(self) -> &'static str {
        match self.table {
            Table::Filter => "filter",
            Table::Nat => "nat",
            Table::Mangle => "mangle",
        }
    }

    /// The name of the base chain: `filter_INPUT`.
    pub(super) fn base_name(self) -> String {
        format!("{}_{}", self.table_name(), self.hook.word().to_ascii_uppercase())
    }

    /// What the names of the chains behind it begin with: `filter_IN`.
    pub(super) fn prefix(self) -> String {
        let hook = match self.hook {
            Hook::Prerouting => "PRE",
            Hook::Input => "IN",
            Hook::Forward => "FWD",
            Hook::Output => "OUT",
            Hook::Postrouting => "POST",
        };
        format!("{}_{hook}", self.table_name())
    }

    /// netfilter's own priority; firewalld's chains are 10 behind it, so that what iptables drops stays dropped.
    pub(super) fn priority(self) -> i32 {
        match self.table {
            Table::Filter => BEHIND,
            Table::Mangle => BEHIND - 150,
            Table::Nat => self.hook.translation_priority(),
        }
    }

    /// NAT chains are called together: among those, too, firewalld's come behind others.
    pub(super) fn order(self) -> [u32; 3] {
        match self.table {
            Table::Nat => [0, BEHIND.unsigned_abs(), 0],
            Table::Filter | Table::Mangle => [0; 3],
        }
    }

    pub(super) fn purpose(self) -> Purpose {
        match self.table {
            Table::Filter => Purpose::Filter,
            Table::Nat => Purpose::Nat,
            Table::Mangle => Purpose::Prepare,
        }
    }
}
