//! Chains of a dump to its ruleset: which of them stay, and what tables do that could not be read.
//!
//! INVARIANT: a chain that a hook calls is there whether the dump names it or not, and filters by its default verdict.

use std::sync::Arc;

use super::Chains;
use crate::dialect::iptables::lower::command::unread_rule;
use crate::dialect::iptables::lower::table::TableKind;
use crate::model::{Action, Base, Chain, ChainId, Families, Layer, NamedSets, Rule, Ruleset, Unknown};
use crate::source::Span;

impl Chains<'_> {
    /// The ruleset. `unknown` is what a rule does that leads to a chain which is not there.
    pub(in crate::dialect::iptables::lower) fn finish(
        mut self,
        families: Families,
        unknown: impl Fn(&str) -> Action,
    ) -> Ruleset {
        self.doubt_unread_table();
        for table in 0..self.tables.len() {
            self.add_filter_hooks(table);
        }
        let kept = self.kept();
        let names: Vec<&str> = self.states.iter().map(|chain| chain.name).collect();
        let settle = |action: &mut Action| {
            if let Action::Jump(to) | Action::Goto(to) = action {
                match kept.get(to.0 as usize) {
                    Some(Some(id)) => *to = *id,
                    _ => *action = unknown(names.get(to.0 as usize).unwrap_or(&"")),
                }
            }
        };
        let mut ruleset = Ruleset {
            layer: Layer::HostFirewall,
            families,
            chains: Vec::with_capacity(self.states.len()),
            bases: Vec::new(),
            sets: NamedSets::default(),
        };
        let all_stay = kept.iter().all(Option::is_some);
        for (chain, id) in self.states.into_iter().zip(&kept) {
            let (Some(id), Some(table)) = (id, self.tables.get(chain.table)) else {
                continue;
            };
            if let Some(hook) = chain.hook {
                ruleset.bases.push(Base {
                    hook,
                    priority: table.kind.priority(hook),
                    order: [0; 3],
                    purpose: table.kind.purpose(),
                    chain: *id,
                    default: chain.default,
                    default_span: chain.default_span,
                });
            }
            let inherits = chain.is_inherited.then_some(chain.default_span);
            let mut rules = Vec::from(chain.rules);
            if let Some(span) = inherits {
                doubt_default(&mut rules, span);
            }
            if !all_stay {
                for rule in &mut rules {
                    settle(&mut rule.action);
                }
            }
            ruleset.chains.push(Chain {
                calls: Arc::default(),
                path: format!("{}/{}", table.kind.name(), chain.name),
                span: chain.span,
                rules,
            });
        }
        ruleset
    }

    /// Has the filter chains begin with what a table that could not be read may do.
    fn doubt_unread_table(&mut self) {
        let Some(header) = self.unread else {
            return;
        };
        let table = match self.find(TableKind::Filter) {
            Some(table) => table,
            None => self.open(TableKind::Filter, header).0,
        };
        self.add_filter_hooks(table);
        for id in self.hooked(Some(table)).to_vec() {
            if let Some(chain) = self.state_mut(id) {
                chain.rules.push_front(unread_rule(header));
            }
        }
    }

    /// A filter table has its three chains whether it names them or not: their default verdict is accept.
    fn add_filter_hooks(&mut self, table: usize) {
        let Some((kind, header)) = self.tables.get(table).map(|table| (table.kind, table.header)) else {
            return;
        };
        if kind == TableKind::Filter {
            for name in ["INPUT", "FORWARD", "OUTPUT"] {
                self.chain(table, name, header);
            }
        }
    }

    /// For each chain the id it has in the ruleset; `None` for chains that are not there and tables that were replaced.
    fn kept(&self) -> Vec<Option<ChainId>> {
        let mut next = 0u32;
        let ids = self.states.iter().map(|chain| {
            let stays = chain.exists && self.is_current(chain);
            let id = ChainId(next);
            next += u32::from(stays);
            stays.then_some(id)
        });
        ids.collect()
    }
}

/// Has a chain end in what is not known, by returning too: whether the default verdict is the one at `span`.
fn doubt_default(rules: &mut Vec<Rule>, span: Span) {
    let why = "whether a default verdict outlives its table depends on the tool that loads the dump";
    let doubt = Action::Unknown(Unknown {
        property: None,
        why: Arc::from(why),
    });
    for rule in rules.iter_mut().filter(|rule| rule.action == Action::Return) {
        rule.action = doubt.clone();
    }
    rules.push(Rule {
        span,
        matches: Vec::new(),
        action: doubt,
        action_span: span,
    });
}
