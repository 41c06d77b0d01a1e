//! What commands and blocks say of chains and their rules.
//!
//! INVARIANT: a rule that cannot be read stays in its chain, as one of which nothing is known.

use super::{Loader, no_table, unknown_rule};
use crate::dialect::nftables::ast::{ChainBlock, ChainItem, Rule, TableName, Unread, Verb};
use crate::dialect::nftables::lower::hooked::{base_line, policy_of};
use crate::dialect::nftables::lower::program::{Chain, no_chain};
use crate::dialect::nftables::parser;

impl<'a> Loader<'_, 'a> {
    pub(super) fn chain_command(
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

    pub(super) fn chain(&mut self, at: usize, block: ChainBlock<'a>) {
        let Some(table) = self.program.tables.get_mut(at) else {
            return;
        };
        let chain = table.declare(block.name);
        self.scope.open();
        self.chain_items(at, chain, block.items);
        self.scope.close();
    }

    pub(super) fn chain_items(&mut self, table: usize, chain: usize, items: Vec<ChainItem<'a>>) {
        for item in items {
            if let Err(unread) = self.chain_item(table, chain, item) {
                self.unread(&unread);
                if let Some(chain) = self.chain_at(table, chain) {
                    chain.rules.push_back(unknown_rule(unread.at));
                }
            }
        }
    }

    pub(super) fn chain_at(&mut self, table: usize, chain: usize) -> Option<&mut Chain<'a>> {
        self.program.tables.get_mut(table)?.chains.get_mut(chain)
    }

    pub(super) fn chain_item(
        &mut self,
        table: usize,
        chain: usize,
        item: ChainItem<'a>,
    ) -> Result<(), Unread<'a>> {
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
    pub(super) fn rule_read(&mut self, rule: &mut Rule<'a>) {
        self.scope.rule(rule);
        if let Some(unread) = &rule.bad {
            self.notices.push(self.texts.finding(unread));
        }
    }
}
