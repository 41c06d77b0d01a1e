//! Lists whose items are there or not: `Fn::If` around items and around whole lists.
//!
//! INVARIANT: items of opposite branches have opposite guards.

use super::intrinsic::Function;
use super::scope::{Notes, Scope};
use super::template::Template;
use super::value::Evaluated;
use crate::cloud::{Doubt, Guard};
use crate::tree::Node;

/// How deep lists and branches may lie in each other.
const MAX_DEPTH: u32 = 50;

/// What an item of a list is.
pub(in crate::dialect) enum Item<'t> {
    /// Keys and values.
    Map(Node<'t>),
    /// A single value.
    Value(Evaluated<'t>),
    /// Nobody knows what, or how many.
    Unknown(Doubt),
}

/// The items of a list, each with what it depends on whether it is there. What is no list is a list of one.
pub(in crate::dialect) fn items<'t>(
    template: &Template<'t>,
    notes: &Notes,
    node: Node<'t>,
    guards: &[Guard],
) -> Vec<(Vec<Guard>, Item<'t>)> {
    let mut found = Vec::new();
    let flatten = Flatten { template, notes };
    flatten.node(node, guards, 0, &mut found);
    found
}

struct Flatten<'a, 't> {
    template: &'a Template<'t>,
    notes: &'a Notes,
}

impl<'t> Flatten<'_, 't> {
    fn node(&self, node: Node<'t>, guards: &[Guard], depth: u32, found: &mut Vec<(Vec<Guard>, Item<'t>)>) {
        let scope = Scope::new(self.template, self.notes, guards);
        if depth > MAX_DEPTH {
            let doubt = scope.too_much(node.span());
            found.push((guards.to_vec(), Item::Unknown(doubt)));
            return;
        }
        match self.template.language.call(node) {
            Some(call) if call.function == Function::If => {
                let parts: Vec<_> = call.argument.items().collect();
                if let [condition, then, otherwise] = parts.as_slice() {
                    for (guard, holds) in scope.ways_of(*condition) {
                        let branch = if holds { *then } else { *otherwise };
                        let guards: Vec<_> = guards.iter().cloned().chain(guard).collect();
                        self.node(branch, &guards, depth + 1, found);
                    }
                    return;
                }
                push(scope.value(node), guards, found);
            }
            None if node.is_sequence() => {
                for item in node.items() {
                    self.node(item, guards, depth + 1, found);
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
