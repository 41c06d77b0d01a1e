//! Tables and chains of one dump while it is read.
//!
//! INVARIANT: a [`ChainId`] is an index of `states` and never moves until [`Chains::finish`].

mod finish;

use std::collections::VecDeque;

use rustc_hash::FxHashMap;

use super::table::TableKind;
use crate::dialect::reference::Uses;
use crate::model::{ChainId, Default as Verdict, Hook, Rule};
use crate::source::Span;

/// How many rules may be moved to make room for rules in the middle of chains, in one dump. Far more than any
/// dump needs; it keeps a hostile one from costing the square of its length.
const MAX_MOVES: usize = 1 << 28;

/// The names of all chains that hooks call.
const HOOKED: [&str; 5] = ["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"];

/// One table.
pub(super) struct Table<'a> {
    pub(super) kind: TableKind,
    /// The bytes that open it.
    pub(super) header: Span,
    by_name: FxHashMap<&'a str, ChainId>,
    /// The chains that hooks call: at most five.
    hooked: Vec<ChainId>,
    /// Default verdicts that an earlier table of the same name left behind.
    inherited: Vec<(Hook, Verdict, Span)>,
    /// A later table of the same name took its place.
    replaced: bool,
}

/// One chain.
pub(super) struct ChainState<'a> {
    pub(super) name: &'a str,
    table: usize,
    pub(super) hook: Option<Hook>,
    span: Span,
    default: Verdict,
    default_span: Span,
    /// The default verdict is an earlier table's, and no later one has said another.
    is_inherited: bool,
    rules: VecDeque<Rule>,
    /// It was declared, or rules were put in it.
    pub(super) exists: bool,
    references: Option<Uses>,
}

/// A reference to a chain that is not there.
pub(super) struct Dangling<'a> {
    pub(super) chain: &'a str,
    pub(super) table: TableKind,
    pub(super) uses: Uses,
}

/// All tables of one dump.
#[derive(Default)]
pub(super) struct Chains<'a> {
    pub(super) tables: Vec<Table<'a>>,
    states: Vec<ChainState<'a>>,
    /// For each kind of table the one that counts: the last.
    current: [Option<usize>; TableKind::ALL.len()],
    moves: usize,
    /// The header of the first table that is not known: one says as much as many.
    unread: Option<Span>,
}

impl<'a> Chains<'a> {
    /// Opens a table. Returns its index, and the header of an earlier one that it replaces: iptables-restore flushes
    /// a table when it meets its header (iptables-restore(8), "--noflush"). Default verdicts outlive that in
    /// iptables-legacy, but not in iptables-nft.
    pub(super) fn open(&mut self, kind: TableKind, header: Span) -> (usize, Option<Span>) {
        let earlier = self.find(kind);
        let inherited = self.hooked(earlier).iter().filter_map(|id| {
            let chain = self.state(*id)?;
            Some((chain.hook?, chain.default, chain.default_span))
        });
        let mut inherited: Vec<_> = inherited.collect();
        for left in earlier
            .and_then(|table| self.tables.get(table))
            .map_or(&[][..], |table| &table.inherited)
        {
            if inherited.iter().all(|(hook, ..)| *hook != left.0) {
                inherited.push(*left);
            }
        }
        let replaced = earlier.and_then(|table| self.tables.get_mut(table)).map(|table| {
            table.replaced = true;
            table.header
        });
        self.tables.push(Table {
            kind,
            header,
            by_name: FxHashMap::default(),
            hooked: Vec::new(),
            inherited,
            replaced: false,
        });
        let opened = self.tables.len() - 1;
        if let Some(current) = self.current.get_mut(kind as usize) {
            *current = Some(opened);
        }
        (opened, replaced)
    }

    /// Notes a table that could not be read: it may be any, so what the filter chains decide is not known.
    pub(super) fn add_unread_table(&mut self, header: Span) {
        self.unread.get_or_insert(header);
    }

    /// Whether there is no table, not even one that could not be read.
    pub(super) fn is_empty(&self) -> bool {
        self.tables.is_empty() && self.unread.is_none()
    }

    /// The table of that kind, if it is open or was.
    pub(super) fn find(&self, kind: TableKind) -> Option<usize> {
        self.current.get(kind as usize).copied().flatten()
    }

    /// The kind of a table.
    pub(super) fn kind(&self, table: usize) -> TableKind {
        self.tables
            .get(table)
            .map_or(TableKind::Filter, |table| table.kind)
    }

    /// The chain of a name in a table, known or not.
    pub(super) fn chain(&mut self, table: usize, name: &'a str, span: Span) -> ChainId {
        let next = ChainId(u32::try_from(self.states.len()).unwrap_or(u32::MAX));
        let Some(owner) = self.tables.get_mut(table) else {
            return next;
        };
        if let Some(known) = owner.by_name.get(name) {
            return *known;
        }
        owner.by_name.insert(name, next);
        let hook = owner.kind.hook(name);
        if hook.is_some() {
            owner.hooked.push(next);
        }
        let inherited = owner.inherited.iter().find(|(of, ..)| Some(*of) == hook);
        let (default, default_span) = inherited
            .map_or((Verdict::Accept, owner.header), |(_, default, span)| {
                (*default, *span)
            });
        let inherited_is_drop = default == Verdict::Drop;
        self.states.push(ChainState {
            name,
            table,
            hook,
            span,
            default,
            default_span,
            is_inherited: inherited_is_drop,
            rules: VecDeque::new(),
            exists: hook.is_some(),
            references: None,
        });
        next
    }

    /// The chain of a name, if it exists.
    pub(super) fn existing(&self, table: usize, name: &str) -> Option<ChainId> {
        let id = *self.tables.get(table)?.by_name.get(name)?;
        self.state(id).filter(|chain| chain.exists).map(|_| id)
    }

    /// What is known of a chain.
    pub(super) fn state(&self, id: ChainId) -> Option<&ChainState<'a>> {
        self.states.get(id.0 as usize)
    }

    fn state_mut(&mut self, id: ChainId) -> Option<&mut ChainState<'a>> {
        self.states.get_mut(id.0 as usize)
    }

    /// Declares a chain. Returns whether it was not there before.
    pub(super) fn declare(&mut self, id: ChainId, span: Span) -> bool {
        self.state_mut(id).is_some_and(|chain| {
            let is_new = !chain.exists;
            chain.exists = true;
            chain.span = span;
            is_new
        })
    }

    /// Whether no hook calls a chain.
    pub(super) fn is_users(&self, id: ChainId) -> bool {
        self.state(id).is_some_and(|chain| chain.hook.is_none())
    }

    /// Takes a chain for declared if it is not. Returns whether it was not.
    pub(super) fn declare_if_missing(&mut self, id: ChainId, span: Span) -> bool {
        let missing = self.state(id).is_some_and(|chain| !chain.exists);
        missing && self.declare(id, span)
    }

    /// Sets the default verdict of a chain.
    pub(super) fn set_default(&mut self, id: ChainId, default: Verdict, span: Span) {
        if let Some(chain) = self.state_mut(id) {
            chain.default = default;
            chain.default_span = span;
            chain.is_inherited = false;
        }
    }

    /// Notes that a rule leads to a chain.
    pub(super) fn refer(&mut self, id: ChainId, span: Span) {
        if let Some(chain) = self.state_mut(id) {
            chain.references.get_or_insert(Uses::new(span)).count += 1;
        }
    }

    /// Puts a rule at the end.
    pub(super) fn append(&mut self, id: ChainId, rule: Rule) {
        if let Some(chain) = self.state_mut(id) {
            chain.rules.push_back(rule);
        }
    }

    /// Puts a rule before the one that is at `index` now. Gives it back if there is no such place.
    pub(super) fn insert(&mut self, id: ChainId, index: usize, rule: Rule) -> Result<(), Rule> {
        match self.room(id, index) {
            Some(chain) if index <= chain.rules.len() => {
                chain.rules.insert(index, rule);
                Ok(())
            }
            _ => Err(rule),
        }
    }

    /// Takes out the rule at `index`.
    pub(super) fn remove(&mut self, id: ChainId, index: usize) -> Option<Rule> {
        self.room(id, index)?.rules.remove(index)
    }

    /// The chain, if there are moves left to change it at `index`.
    fn room(&mut self, id: ChainId, index: usize) -> Option<&mut ChainState<'a>> {
        let chain = self.states.get_mut(id.0 as usize)?;
        self.moves += index.min(chain.rules.len().saturating_sub(index));
        (self.moves <= MAX_MOVES).then_some(chain)
    }

    /// The index of the first rule of which `is_it` holds.
    pub(super) fn position(&mut self, id: ChainId, is_it: impl Fn(&Rule) -> bool) -> Option<usize> {
        let chain = self.states.get(id.0 as usize)?;
        self.moves += 16 * chain.rules.len();
        if self.moves > MAX_MOVES {
            return None;
        }
        chain.rules.iter().position(is_it)
    }

    /// Empties a chain.
    pub(super) fn flush(&mut self, id: ChainId) {
        if let Some(chain) = self.state_mut(id) {
            chain.rules.clear();
        }
    }

    /// Deletes a user's chain.
    pub(super) fn delete(&mut self, id: ChainId) {
        if let Some(chain) = self.state_mut(id).filter(|chain| chain.hook.is_none()) {
            chain.exists = false;
            chain.rules.clear();
        }
    }

    /// All chains of a table; `None` if so much has been changed that no more is.
    pub(super) fn of_table(&mut self, table: usize) -> Option<Vec<ChainId>> {
        self.moves += self.states.len();
        let ids = (0u32..)
            .zip(&self.states)
            .filter(|(_, chain)| chain.table == table);
        (self.moves <= MAX_MOVES).then(|| ids.map(|(id, _)| ChainId(id)).collect())
    }

    /// The chains of a table that hooks call.
    pub(super) fn hooked(&self, table: Option<usize>) -> &[ChainId] {
        table
            .and_then(|table| self.tables.get(table))
            .map_or(&[], |table| &table.hooked)
    }

    /// Has a table have all chains that hooks call, named or not.
    pub(super) fn add_hooks(&mut self, table: usize, span: Span) {
        let kind = self.kind(table);
        for name in HOOKED {
            if kind.hook(name).is_some() {
                self.chain(table, name, span);
            }
        }
    }

    /// References to chains that are not there.
    pub(super) fn dangling(&self) -> impl Iterator<Item = Dangling<'a>> + '_ {
        let missing = self
            .states
            .iter()
            .filter(|chain| !chain.exists && self.is_current(chain));
        missing.filter_map(|chain| {
            Some(Dangling {
                chain: chain.name,
                table: self.kind(chain.table),
                uses: chain.references?,
            })
        })
    }

    fn is_current(&self, chain: &ChainState<'_>) -> bool {
        self.tables.get(chain.table).is_some_and(|table| !table.replaced)
    }
}
