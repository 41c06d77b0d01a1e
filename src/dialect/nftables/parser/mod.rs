//! Text of a ruleset to [`ast`](super::ast): commands and blocks, then the statements and expressions of rules.
//!
//! Parsers are nom functions over plain `&str`. INVARIANT: they recurse only into brackets, of which no text has more
//! inside each other than [`token::too_deep`] lets through, and every slice that is returned is a slice of the input.

mod address;
mod block;
mod chain;
mod command;
mod count;
mod expression;
mod lines;
mod object;
mod selector;
mod set;
mod statement;
mod token;
mod translation;
mod update;
mod verdict;

pub(super) use block::table_items;
pub(super) use chain::chain_items;
pub(super) use command::items;
pub(super) use selector::canonical;
pub(super) use token::too_deep;

use super::names::Key;

/// The selector that a text is, all of it.
pub(super) fn selector(text: &str) -> Option<Key> {
    let (rest, key) = selector::selector(text).ok()?;
    rest.trim().is_empty().then_some(key)
}
