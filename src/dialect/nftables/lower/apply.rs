//! Commands, one after the other, to the tables that they leave.
//!
//! INVARIANT: what cannot be read is said, and what it may have done is unknown.

mod chain;
mod set;

use super::program::{Program, no_chain};
use super::scope::Scope;
use super::{Texts, items};
use crate::dialect::include;
use crate::dialect::nftables::ast::{Command, Item, Object, Rule, TableItem, TableName, Unread, Verb, Word};
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
            Object::Named(table, named) => {
                if let Some(table) = self.program.find(&table) {
                    match verb {
                        Verb::Delete | Verb::Destroy => drop(table.objects.remove(&named)),
                        _ => drop(table.objects.insert(named)),
                    }
                }
                Ok(())
            }
            Object::Nothing => Ok(()),
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
                TableItem::Flag(text) => {
                    if let Some(table) = self.program.tables.get_mut(at) {
                        table.flag = Some(text);
                    }
                    Ok(())
                }
                TableItem::Named(named) => {
                    if let Some(table) = self.program.tables.get_mut(at) {
                        table.objects.insert(named);
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
