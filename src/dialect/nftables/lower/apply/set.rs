//! What commands and blocks say of sets, maps and their elements.
//!
//! INVARIANT: a set is declared before its elements are.

use super::{Loader, no_set, no_table};
use crate::dialect::nftables::ast::{Expr, SetBlock, TableName, Unread, Verb};

impl<'a> Loader<'_, 'a> {
    pub(super) fn set(&mut self, at: usize, mut block: SetBlock<'a>) {
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

    pub(super) fn set_command(
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

    pub(super) fn element_command(
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
