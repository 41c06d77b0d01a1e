//! Lists whose items are there or not: `Fn::If` around items and around whole lists.
//!
//! INVARIANT: items of opposite branches have opposite guards.

use super::super::intrinsic::{self, Function};
use super::super::scope::Scope;
use super::super::value::Evaluated;
use super::Lower;
use crate::cloud::{Doubt, Guard};
use crate::tree::Node;

/// How deep lists and branches may lie in each other.
const MAX_DEPTH: u32 = 50;

/// What an item of a list is.
pub(super) enum Item<'t> {
    /// Keys and values.
    Map(Node<'t>),
    /// A single value.
    Value(Evaluated<'t>),
    /// Nobody knows what, or how many.
    Unknown(Doubt),
}

impl<'t> Lower<'_, 't> {
    /// The items of a list, each with what it depends on whether it is there. What is no list is a list of one.
    pub(super) fn items(&self, node: Node<'t>, guards: &[Guard]) -> Vec<(Vec<Guard>, Item<'t>)> {
        let mut found = Vec::new();
        self.flatten(node, guards, 0, &mut found);
        found
    }

    fn flatten(&self, node: Node<'t>, guards: &[Guard], depth: u32, found: &mut Vec<(Vec<Guard>, Item<'t>)>) {
        let scope = Scope::new(self.template, self.notes, guards);
        if depth > MAX_DEPTH {
            let doubt = scope.too_much(node.span());
            found.push((guards.to_vec(), Item::Unknown(doubt)));
            return;
        }
        match intrinsic::call(node) {
            Some(call) if call.function == Function::If => {
                let parts: Vec<_> = call.argument.items().collect();
                if let [condition, then, otherwise] = parts.as_slice() {
                    for (guard, holds) in scope.ways_of(*condition) {
                        let branch = if holds { *then } else { *otherwise };
                        let guards: Vec<_> = guards.iter().cloned().chain(guard).collect();
                        self.flatten(branch, &guards, depth + 1, found);
                    }
                    return;
                }
                push(scope.value(node), guards, found);
            }
            None if node.is_sequence() => {
                for item in node.items() {
                    self.flatten(item, guards, depth + 1, found);
                }
            }
            _ => push(scope.value(node), guards, found),
        }
    }
}

fn push<'t>(value: Evaluated<'t>, guards: &[Guard], found: &mut Vec<(Vec<Guard>, Item<'t>)>) {
    let item = match value {
        Evaluated::Nothing => return,
        Evaluated::List(list) => {
            for value in list {
                push(value, guards, found);
            }
            return;
        }
        Evaluated::Map(node) => Item::Map(node),
        Evaluated::Unknown(doubt) => Item::Unknown(doubt),
        value => Item::Value(value),
    };
    found.push((guards.to_vec(), item));
}
