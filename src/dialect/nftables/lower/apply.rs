//! Commands, one after the other, to the tables that they leave.

use super::hooked::{base_line, policy_of};
use super::program::{Program, no_chain};
use super::scope::Scope;
use super::{Texts, items};
use crate::dialect::include;
use crate::dialect::nftables::ast::{
    ChainBlock, ChainItem, Command, Expr, Item, Object, Rule, SetBlock, TableItem, TableName, Unread, Verb,
    Word,
};
use crate::dialect::nftables::parser;
use crate::finding::Finding;
use crate::source::Source;

/// Files that may include each other: nft's own bound.
const MAX_DEPTH: usize = 16;

/// How much one ruleset may include, counted as often as it is included.
const MAX_BYTES: usize = 256 << 20;

/// Loads files.
pub(super) struct Loader<'t, 'a> {
    texts: Texts<'t, 'a>,
    program: Program<'a>,
    scope: Scope<'a>,
    notices: Vec<Finding>,
    /// The files that are being read, outermost first.
    open: Vec<Source<'a>>,
    n_bytes: usize,
}

impl<'t, 'a> Loader<'t, 'a> {
    pub(super) fn new(texts: Texts<'t, 'a>) -> Self {
        Self {
            texts,
            program: Program::default(),
            scope: Scope::default(),
            notices: Vec::new(),
            open: Vec::new(),
            n_bytes: 0,
        }
    }

    pub(super) fn finish(mut self) -> (Program<'a>, Vec<Finding>) {
        self.program.tables.iter_mut().for_each(super::filled::mark);
        (self.program, self.notices)
    }

    fn unread(&mut self, unread: &Unread<'a>) {
        self.notices.push(self.texts.finding(unread));
    }

    /// All commands of a file.
    pub(super) fn file(&mut self, source: Source<'a>) {
        self.open.push(source);
        for item in items(source) {
            self.item(item);
        }
        self.open.pop();
    }

    fn item(&mut self, item: Item<'a>) {
        let done = match item {
            Item::Definition(definition) => self.scope.define(definition),
            Item::Include(path) => self.include(path, Self::file),
            Item::Command(command) => self.command(command),
            Item::Bad(unread) => Err(unread),
        };
        if let Err(unread) = done {
            self.unread(&unread);
        }
    }

    /// Reads the files of a pattern, each with `read`.
    fn include(
        &mut self,
        path: Word<'a>,
        mut read: impl FnMut(&mut Self, Source<'a>),
    ) -> Result<(), Unread<'a>> {
        if self.open.len() > MAX_DEPTH {
            return Err(Unread::new(path.text, "files include each other too deep")
                .help("does this file include itself?"));
        }
        let including = self.open.last().map_or("", |source| source.name);
        let names = self.texts.sources.iter().map(|source| source.name);
        let found = include::among(including, path.text, names);
        if found.is_empty() && !include::is_pattern(path.text) {
            return Err(Unread::new(path.text, format!("`{}` was not found", path.text))
                .help("what it says is not known: check the ruleset where the file is, or a dump of `nft list ruleset`"));
        }
        for at in found {
            let Some(source) = self.texts.sources.get(at).copied() else {
                continue;
            };
            if self.open.iter().any(|open| open.file == source.file) {
                return Err(Unread::new(path.text, "this file includes itself"));
            }
            self.n_bytes += source.text.len();
            if self.n_bytes > MAX_BYTES {
                return Err(Unread::new(path.text, "too much is included"));
            }
            read(self, source);
        }
        Ok(())
    }

    fn command(&mut self, command: Command<'a>) -> Result<(), Unread<'a>> {
        let Command { text, verb, object } = command;
        match object {
            Object::Ruleset(family) => {
                if verb == Verb::Flush {
                    self.program.flush(family);
                }
                Ok(())
            }
            Object::Table(name, items) => self.table(text, verb, name, items),
            Object::Chain(table, block) => self.chain_command(verb, table, block),
            Object::Renamed(table, old, new) => {
                let renamed = self
                    .program
                    .find(&table)
                    .is_some_and(|found| found.rename(old, new));
                if renamed {
                    Ok(())
                } else {
                    Err(no_chain(old, &table))
                }
            }
            Object::Rule {
                table,
                chain,
                place,
                mut rule,
            } => {
                if matches!(verb, Verb::Delete | Verb::Destroy | Verb::Replace) && place.is_none() {
                    return Err(Unread::new(text, "which rule this is about is not said"));
                }
                self.rule_read(&mut rule);
                let put = self.program.put(&table, chain, verb, place, rule);
                if put.is_err() {
                    self.unknown_rule(&table, chain, text);
                }
                put
            }
            Object::Set(table, block) => self.set_command(verb, table, block),
            Object::Element { table, set, elements } => self.element_command(verb, table, set, elements),
            Object::Other | Object::Nothing => Ok(()),
        }
    }

    /// Something happened to a chain that nobody knows.
    fn unknown_rule(&mut self, table: &TableName<'a>, chain: &str, text: &'a str) {
        if let Some(chain) = self.program.find(table).and_then(|found| found.chain_mut(chain)) {
            chain.rules.push_front(unknown_rule(text));
        }
    }

    fn table(
        &mut self,
        text: &'a str,
        verb: Verb,
        name: TableName<'a>,
        items: Vec<TableItem<'a>>,
    ) -> Result<(), Unread<'a>> {
        match verb {
            Verb::Delete if !self.program.remove(&name) => {
                // A table that is added and deleted first is how scripts begin.
                if self.program.is_flushed {
                    return Err(no_table(text, &name));
                }
            }
            Verb::Delete => {}
            Verb::Destroy => drop(self.program.remove(&name)),
            Verb::Flush => {
                if let Some(table) = self.program.find(&name) {
                    for chain in &mut table.chains {
                        chain.rules.clear();
                    }
                }
            }
            _ => {
                let at = self.program.table(name);
                self.scope.open();
                self.table_items(at, items);
                self.scope.close();
            }
        }
        Ok(())
    }

    fn table_items(&mut self, at: usize, items: Vec<TableItem<'a>>) {
        for item in items {
            let done = match item {
                TableItem::Chain(block) => {
                    self.chain(at, block);
                    Ok(())
                }
                TableItem::Set(block) => {
                    self.set(at, block);
                    Ok(())
                }
                TableItem::Dormant => {
                    if let Some(table) = self.program.tables.get_mut(at) {
                        table.is_dormant = true;
                    }
                    Ok(())
                }
                TableItem::Definition(definition) => self.scope.define(definition),
                TableItem::Include(path) => self.include(path, |loader, source| {
                    loader.open.push(source);
                    match parser::too_deep(source.text) {
                        Some(bracket) => loader.unread(&Unread::new(bracket, "brackets are nested too deep")),
                        None => loader.table_items(at, parser::table_items(source.text)),
                    }
                    loader.open.pop();
                }),
                TableItem::Comment(_) | TableItem::Nothing => Ok(()),
                TableItem::Bad(unread) => Err(unread),
            };
            if let Err(unread) = done {
                self.unread(&unread);
            }
        }
    }

    fn chain_command(
        &mut self,
        verb: Verb,
        name: TableName<'a>,
        block: ChainBlock<'a>,
    ) -> Result<(), Unread<'a>> {
        match verb {
            Verb::Flush | Verb::Delete | Verb::Destroy => {
                let found = self
                    .program
                    .find(&name)
                    .and_then(|table| table.chain_mut(block.name));
                match found {
                    Some(chain) => {
                        chain.rules.clear();
                        chain.exists = verb == Verb::Flush;
                        Ok(())
                    }
                    None if verb == Verb::Destroy => Ok(()),
                    None => Err(no_chain(block.name, &name)),
                }
            }
            _ => {
                if self.program.find(&name).is_none() {
                    return Err(no_table(name.text, &name));
                }
                let at = self.program.table(name);
                self.chain(at, block);
                Ok(())
            }
        }
    }

    fn chain(&mut self, at: usize, block: ChainBlock<'a>) {
        let Some(table) = self.program.tables.get_mut(at) else {
            return;
        };
        let chain = table.declare(block.name);
        self.scope.open();
        self.chain_items(at, chain, block.items);
        self.scope.close();
    }

    fn chain_items(&mut self, table: usize, chain: usize, items: Vec<ChainItem<'a>>) {
        for item in items {
            if let Err(unread) = self.chain_item(table, chain, item) {
                self.unread(&unread);
                if let Some(chain) = self.chain_at(table, chain) {
                    chain.rules.push_back(unknown_rule(unread.at));
                }
            }
        }
    }

    fn chain_at(&mut self, table: usize, chain: usize) -> Option<&mut super::program::Chain<'a>> {
        self.program.tables.get_mut(table)?.chains.get_mut(chain)
    }

    fn chain_item(&mut self, table: usize, chain: usize, item: ChainItem<'a>) -> Result<(), Unread<'a>> {
        match item {
            ChainItem::Hook(line) => {
                let Some(family) = self.program.tables.get(table).map(|table| table.name.family) else {
                    return Ok(());
                };
                let before = self.chain_at(table, chain).and_then(|chain| chain.base.as_ref());
                let before = before.map(|base| base.serial);
                let serial = before.unwrap_or(self.program.n_hooked);
                let base = base_line(line, family, &self.scope, serial)?;
                self.program.n_hooked = self.program.n_hooked.max(serial.saturating_add(1));
                if let Some(chain) = self.chain_at(table, chain) {
                    chain.base = Some(base);
                }
            }
            ChainItem::Policy(mut policy) => {
                self.scope.expr(&mut policy)?;
                let policy = policy_of(&policy)?;
                if let Some(chain) = self.chain_at(table, chain) {
                    chain.policy = Some(policy);
                }
            }
            ChainItem::Rule(mut rule) => {
                self.rule_read(&mut rule);
                if let Some(chain) = self.chain_at(table, chain) {
                    chain.rules.push_back(rule);
                }
            }
            ChainItem::Definition(definition) => self.scope.define(definition)?,
            ChainItem::Include(path) => self.include(path, |loader, source| {
                loader.open.push(source);
                match parser::too_deep(source.text) {
                    Some(bracket) => loader.unread(&Unread::new(bracket, "brackets are nested too deep")),
                    None => loader.chain_items(table, chain, parser::chain_items(source.text)),
                }
                loader.open.pop();
            })?,
            ChainItem::Comment(_) | ChainItem::Nothing => {}
            ChainItem::Bad(unread) => return Err(unread),
        }
        Ok(())
    }

    /// Says what of a rule could not be read, once its variables are in place.
    fn rule_read(&mut self, rule: &mut Rule<'a>) {
        self.scope.rule(rule);
        if let Some(unread) = &rule.bad {
            self.notices.push(self.texts.finding(unread));
        }
    }

    fn set(&mut self, at: usize, mut block: SetBlock<'a>) {
        for unread in std::mem::take(&mut block.bad) {
            self.unread(&unread);
            // Its members are then not known.
            block.is_dynamic = true;
        }
        if let Some(elements) = &mut block.elements
            && let Err(unread) = self.scope.expr(elements)
        {
            self.unread(&unread);
            block.is_dynamic = true;
            block.elements = None;
        }
        let declared = self
            .program
            .tables
            .get_mut(at)
            .map(|table| table.declare_set(block));
        if let Some(Err(unread)) = declared {
            self.unread(&unread);
        }
    }

    fn set_command(
        &mut self,
        verb: Verb,
        name: TableName<'a>,
        block: SetBlock<'a>,
    ) -> Result<(), Unread<'a>> {
        let Some(table) = self.program.find(&name) else {
            return Err(no_table(name.text, &name));
        };
        match verb {
            Verb::Delete | Verb::Destroy => {
                if table.sets.remove(block.name).is_none() && verb == Verb::Delete {
                    return Err(no_set(block.name));
                }
            }
            Verb::Flush => match table.sets.get_mut(block.name) {
                Some(set) => set.changes.clear(),
                None => return Err(no_set(block.name)),
            },
            _ => {
                let at = self.program.table(name);
                self.set(at, block);
            }
        }
        Ok(())
    }

    fn element_command(
        &mut self,
        verb: Verb,
        name: TableName<'a>,
        set: &'a str,
        mut elements: Expr<'a>,
    ) -> Result<(), Unread<'a>> {
        self.scope.expr(&mut elements)?;
        let Some(table) = self.program.find(&name) else {
            return Err(no_table(name.text, &name));
        };
        let Some(set) = table.sets.get_mut(set) else {
            return Err(no_set(set));
        };
        let is_added = !matches!(verb, Verb::Delete | Verb::Destroy);
        set.changes.push((is_added, elements));
        Ok(())
    }
}

fn unknown_rule(text: &str) -> Rule<'_> {
    Rule {
        text,
        statements: Vec::new(),
        bad: Some(Unread::new(text, "not understood")),
    }
}

fn no_table<'a>(at: &'a str, name: &TableName<'a>) -> Unread<'a> {
    Unread::new(at, format!("there is no table `{}`", name.text)).help("add it first")
}

fn no_set(name: &str) -> Unread<'_> {
    Unread::new(name, format!("there is no set `{name}`")).help("declare it before its elements")
}
