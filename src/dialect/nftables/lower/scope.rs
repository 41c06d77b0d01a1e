//! Definitions: what `$NAME` stands for where it is written.
//!
//! nft(8), "SYMBOLIC VARIABLES". INVARIANT: a value is shared, not copied, so that definitions of definitions stay small.

use std::cell::Cell;
use std::rc::Rc;

use rustc_hash::FxHashMap;

use crate::dialect::nftables::ast::{
    ChainItem, Data, Definition, Element, Expr, ExprKind, Kind, Read, Rule, Statement, Unread, Verdict,
};

/// The definitions in force, those of inner blocks last.
#[derive(Debug)]
pub(super) struct Scope<'a> {
    blocks: Vec<FxHashMap<&'a str, Defined<'a>>>,
    /// How deep the definitions are that have been asked for since this was last set to 0.
    deepest: Cell<usize>,
}

/// A value, and how many definitions are inside each other in it.
type Defined<'a> = (Rc<Expr<'a>>, usize);

/// Definitions of definitions, up to which values are followed.
const MAX_DEPTH: usize = 64;

impl Default for Scope<'_> {
    fn default() -> Self {
        Self {
            blocks: vec![FxHashMap::default()],
            deepest: Cell::new(0),
        }
    }
}

impl<'a> Scope<'a> {
    /// Opens a block.
    pub(super) fn open(&mut self) {
        self.blocks.push(FxHashMap::default());
    }

    /// Closes the innermost block.
    pub(super) fn close(&mut self) {
        self.blocks.pop();
    }

    /// Takes a definition into force.
    pub(super) fn define(&mut self, definition: Definition<'a>) -> Read<'a, ()> {
        let Some(mut value) = definition.value else {
            let known = self
                .blocks
                .iter_mut()
                .rev()
                .any(|block| block.remove(definition.name).is_some());
            return if known {
                Ok(())
            } else {
                Err(undefined(definition.name))
            };
        };
        self.deepest.set(0);
        self.expr(&mut value)?;
        let depth = self.deepest.get() + 1;
        if depth > MAX_DEPTH {
            return Err(Unread::new(definition.name, "definitions are nested too deep"));
        }
        if let Some(block) = self.blocks.last_mut() {
            block.insert(definition.name, (Rc::new(value), depth));
        }
        Ok(())
    }

    fn find(&self, name: &str) -> Option<Rc<Expr<'a>>> {
        let found = self.blocks.iter().rev().find_map(|block| block.get(name))?;
        self.deepest.set(self.deepest.get().max(found.1));
        Some(Rc::clone(&found.0))
    }

    /// Puts values in the place of variables.
    pub(super) fn expr(&self, expr: &mut Expr<'a>) -> Read<'a, ()> {
        match &mut expr.kind {
            ExprKind::Variable(name) => {
                let value = self.find(name).ok_or_else(|| undefined(name))?;
                expr.kind = ExprKind::Shared(value);
                Ok(())
            }
            ExprKind::Set(elements) => elements.iter_mut().try_for_each(|element| self.element(element)),
            ExprKind::List(parts) | ExprKind::Concat(parts) => {
                parts.iter_mut().try_for_each(|part| self.expr(part))
            }
            ExprKind::Range(both)
            | ExprKind::Binary(_, both)
            | ExprKind::Map(both)
            | ExprKind::Masked(both) => {
                self.expr(&mut both.0)?;
                self.expr(&mut both.1)
            }
            ExprKind::Prefix(value, _) => self.expr(value),
            ExprKind::Word(_)
            | ExprKind::Shared(_)
            | ExprKind::SetName(_)
            | ExprKind::Selector(_)
            | ExprKind::Wildcard => Ok(()),
        }
    }

    fn element(&self, element: &mut Element<'a>) -> Read<'a, ()> {
        self.expr(&mut element.key)?;
        match element.data.as_deref_mut() {
            Some(Data::Value(value)) => self.expr(value),
            Some(Data::Verdict(_, verdict)) => self.verdict(verdict),
            None => Ok(()),
        }
    }

    fn verdict(&self, verdict: &mut Verdict<'a>) -> Read<'a, ()> {
        match verdict {
            Verdict::Jump(chain) | Verdict::Goto(chain) => self.expr(chain),
            Verdict::Block(_, items) => {
                for item in items {
                    if let ChainItem::Rule(rule) = item {
                        self.rule(rule);
                    }
                }
                Ok(())
            }
            Verdict::Accept | Verdict::Drop | Verdict::Continue | Verdict::Return => Ok(()),
        }
    }

    /// Puts values in the place of a rule's variables. A variable that is not defined makes the rule one that could not be
    /// read.
    pub(super) fn rule(&self, rule: &mut Rule<'a>) {
        for at in 0..rule.statements.len() {
            let Some(statement) = rule.statements.get_mut(at) else {
                return;
            };
            if let Err(unread) = self.statement(statement) {
                rule.statements.truncate(at);
                rule.bad.get_or_insert(unread);
                return;
            }
        }
    }

    fn statement(&self, statement: &mut Statement<'a>) -> Read<'a, ()> {
        match &mut statement.kind {
            Kind::Match { left, right, .. } => {
                self.expr(left)?;
                self.expr(right)
            }
            Kind::Verdict(verdict) => self.verdict(verdict),
            Kind::VerdictMap { key, map } => {
                self.expr(key)?;
                self.expr(map)
            }
            Kind::SetMark(value)
            | Kind::Change(_, value)
            | Kind::Update { key: value, .. }
            | Kind::Mapped { map: value, .. } => self.expr(value),
            Kind::Nat(nat) => nat
                .address
                .iter_mut()
                .chain(&mut nat.ports)
                .try_for_each(|value| self.expr(value)),
            _ => Ok(()),
        }
    }
}

fn undefined(name: &str) -> Unread<'_> {
    Unread::new(name, format!("`${name}` is not defined"))
        .help(format!("write `define {name} = …` before it"))
}

/// The expression behind variables.
pub(super) fn behind<'e, 'a>(expr: &'e Expr<'a>) -> &'e Expr<'a> {
    let mut expr = expr;
    while let ExprKind::Shared(value) = &expr.kind {
        expr = value;
    }
    expr
}
