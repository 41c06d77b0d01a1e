//! Tables, chains and sets as commands leave them.
//!
//! INVARIANT: whatever could not be read has left a rule of which nothing is known in its chain.

use std::collections::VecDeque;

use rustc_hash::{FxHashMap, FxHashSet};

use super::hooked::BaseLine;
use super::scope::behind;
use crate::dialect::nftables::ast::{
    Element, Expr, ExprKind, Intervals, KeyType, Place, Rule, SetBlock, TableFamily, TableName, Unread, Verb,
};
use crate::dialect::nftables::names::Named;
use crate::model::Default as Verdict;

/// All tables.
#[derive(Debug, Default)]
pub(super) struct Program<'a> {
    pub(super) tables: Vec<Table<'a>>,
    by_name: FxHashMap<(TableFamily, &'a str), usize>,
    /// Whether everything was flushed at some point: then what the file says is all there is.
    pub(super) is_flushed: bool,
    /// How many chains were hooked.
    pub(super) n_hooked: u32,
    /// Rules that may be moved to make room for others, in one run.
    moves: usize,
}

/// A bound on the work of inserting in the middle of chains.
const MAX_MOVES: usize = 1 << 28;

/// One table.
#[derive(Debug)]
pub(super) struct Table<'a> {
    pub(super) name: TableName<'a>,
    pub(super) is_dormant: bool,
    /// A flag that may be `dormant`.
    pub(super) flag: Option<&'a str>,
    pub(super) chains: Vec<Chain<'a>>,
    chain_by_name: FxHashMap<&'a str, usize>,
    /// What chains were called before: rules that led to them still do.
    former: FxHashMap<&'a str, usize>,
    pub(super) sets: FxHashMap<&'a str, Set<'a>>,
    /// What else rules use by names.
    pub(super) objects: FxHashSet<Named<'a>>,
    pub(super) exists: bool,
}

/// One chain.
#[derive(Debug)]
pub(super) struct Chain<'a> {
    pub(super) name: &'a str,
    /// What declares it.
    pub(super) text: &'a str,
    pub(super) base: Option<BaseLine<'a>>,
    pub(super) policy: Option<(Verdict, &'a str)>,
    pub(super) rules: VecDeque<Rule<'a>>,
    pub(super) exists: bool,
}

/// One set or map.
#[derive(Debug, Default)]
pub(super) struct Set<'a> {
    pub(super) text: &'a str,
    pub(super) keys: Vec<KeyType<'a>>,
    pub(super) is_map: bool,
    pub(super) is_dynamic: bool,
    pub(super) has_timeout: bool,
    pub(super) intervals: Intervals,
    /// Elements in order, with those that were deleted.
    pub(super) changes: Vec<(bool, Expr<'a>)>,
}

impl<'a> Program<'a> {
    /// The table of a name.
    pub(super) fn find(&mut self, name: &TableName<'a>) -> Option<&mut Table<'a>> {
        let at = *self.by_name.get(&(name.family, name.name))?;
        self.tables.get_mut(at).filter(|table| table.exists)
    }

    /// The table of a name, made if it is not there.
    pub(super) fn table(&mut self, name: TableName<'a>) -> usize {
        let key = (name.family, name.name);
        if let Some(&at) = self.by_name.get(&key)
            && self.tables.get(at).is_some_and(|table| table.exists)
        {
            return at;
        }
        self.by_name.insert(key, self.tables.len());
        self.tables.push(Table {
            name,
            is_dormant: false,
            flag: None,
            chains: Vec::new(),
            chain_by_name: FxHashMap::default(),
            former: FxHashMap::default(),
            sets: FxHashMap::default(),
            objects: FxHashSet::default(),
            exists: true,
        });
        self.tables.len() - 1
    }

    /// Removes all tables, or those of a family.
    pub(super) fn flush(&mut self, family: Option<TableFamily>) {
        for table in &mut self.tables {
            if family.is_none_or(|family| table.name.family == family) {
                table.exists = false;
                table.chains.clear();
                table.sets.clear();
                table.objects.clear();
            }
        }
        self.is_flushed |= family.is_none();
    }

    /// Removes one table; whether it was there.
    pub(super) fn remove(&mut self, name: &TableName<'a>) -> bool {
        self.find(name)
            .map(|table| {
                table.exists = false;
                table.chains.clear();
                table.sets.clear();
                table.objects.clear();
            })
            .is_some()
    }

    /// Puts a rule where a command wants it. Says what is wrong with the place.
    pub(super) fn put(
        &mut self,
        table: &TableName<'a>,
        chain: &'a str,
        verb: Verb,
        place: Option<Place<'a>>,
        rule: Rule<'a>,
    ) -> Result<(), Unread<'a>> {
        let moves = &mut self.moves;
        let at = self.by_name.get(&(table.family, table.name)).copied();
        let Some(found) = at
            .and_then(|at| self.tables.get_mut(at))
            .filter(|table| table.exists)
            .and_then(|table| table.chain_mut(chain))
        else {
            return Err(no_chain(chain, table));
        };
        let length = found.rules.len();
        let index = match place {
            Some(Place::Handle(handle)) => {
                return Err(
                    Unread::new(handle, "which rule has this handle, only the kernel knows")
                        .help("give its index, or flush the chain first"),
                );
            }
            Some(Place::Index(index)) if matches!(verb, Verb::Delete | Verb::Destroy | Verb::Replace) => {
                return Err(Unread::new(
                    index,
                    "nft deletes and replaces rules by their handles alone",
                ));
            }
            Some(Place::Index(index)) => {
                let number = index.parse::<usize>().ok().filter(|number| *number < length);
                let number =
                    number.ok_or_else(|| Unread::new(index, format!("the chain has {length} rules")))?;
                number + usize::from(verb == Verb::Add)
            }
            None if verb == Verb::Insert => 0,
            None => length,
        };
        *moves += index.min(length - index);
        if *moves > MAX_MOVES {
            return Err(Unread::new(
                chain,
                "too many rules are inserted in the middle of chains",
            ));
        }
        found.rules.insert(index, rule);
        Ok(())
    }
}

pub(super) fn no_chain<'a>(chain: &'a str, table: &TableName<'a>) -> Unread<'a> {
    Unread::new(
        chain,
        format!("there is no chain `{chain}` in table `{}`", table.name),
    )
    .help("declare it before its rules")
}

impl<'a> Table<'a> {
    pub(super) fn chain_index(&self, name: &str) -> Option<usize> {
        let at = *self.chain_by_name.get(name)?;
        self.chains.get(at).filter(|chain| chain.exists).map(|_| at)
    }

    /// The chain that a rule leads to.
    pub(super) fn target_index(&self, name: &str) -> Option<usize> {
        self.chain_index(name).or_else(|| {
            let at = *self.former.get(name)?;
            self.chains.get(at).filter(|chain| chain.exists).map(|_| at)
        })
    }

    pub(super) fn chain_mut(&mut self, name: &str) -> Option<&mut Chain<'a>> {
        let at = self.chain_index(name)?;
        self.chains.get_mut(at)
    }

    /// Declares a chain, or finds it.
    pub(super) fn declare(&mut self, name: &'a str) -> usize {
        if let Some(at) = self.chain_index(name) {
            return at;
        }
        self.chain_by_name.insert(name, self.chains.len());
        self.chains.push(Chain {
            name,
            text: name,
            base: None,
            policy: None,
            rules: VecDeque::new(),
            exists: true,
        });
        self.chains.len() - 1
    }

    /// Renames a chain; whether it is there.
    pub(super) fn rename(&mut self, old: &'a str, new: &'a str) -> bool {
        let Some(at) = self.chain_index(old) else {
            return false;
        };
        self.chain_by_name.remove(old);
        self.former.insert(old, at);
        self.chain_by_name.insert(new, at);
        if let Some(chain) = self.chains.get_mut(at) {
            chain.name = new;
        }
        true
    }

    /// Declares a set, or adds to it.
    pub(super) fn declare_set(&mut self, block: SetBlock<'a>) -> Result<(), Unread<'a>> {
        let types = |keys: &[KeyType<'a>]| -> Vec<&'a str> {
            let text = |key: &KeyType<'a>| match key {
                KeyType::Named(name) => *name,
                KeyType::Of(expr) => expr.text,
            };
            keys.iter().map(text).collect()
        };
        let known = self
            .sets
            .get(block.name)
            .map(|set| types(&set.keys))
            .unwrap_or_default();
        let new = types(&block.keys);
        if !known.is_empty() && !new.is_empty() && known != new {
            let message = format!("set `{}` is declared again as something else", block.name);
            return Err(Unread::new(block.name, message));
        }
        let set = self.sets.entry(block.name).or_default();
        set.text = block.text;
        if !block.keys.is_empty() {
            set.keys = block.keys;
        }
        set.is_map |= block.is_map;
        set.is_dynamic |= block.is_dynamic;
        set.has_timeout |= block.has_timeout;
        set.intervals = set.intervals.max(block.intervals);
        set.changes
            .extend(block.elements.map(|elements| (true, elements)));
        Ok(())
    }
}

/// The elements of an expression that is a set.
pub(super) fn elements_of<'e, 'a>(expr: &'e Expr<'a>) -> &'e [Element<'a>] {
    match &behind(expr).kind {
        ExprKind::Set(elements) => elements,
        _ => &[],
    }
}
