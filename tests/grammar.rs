//! The grammars in `grammar/` held against the parsers in `src/`.
#![cfg(test)]

#[path = "support/ebnf/mod.rs"]
mod ebnf;
