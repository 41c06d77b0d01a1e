//! A reader, recogniser and sentence generator for the grammars in `grammar/`: the second opinion on our parsers.
//! INVARIANT: shares no code with the parsers that it is held against.
//!
//! # Notation
//!
//! W3C EBNF: `name ::= expr`, alternatives `|`, sequence, `? * +`, groups, `'literal'`, `"literal"` (escapes `\n \t
//! \r \\ \" \'`), `#x41`, classes `[a-z]`, and `/regex/` tokens (see [`regex`]). Besides:
//!
//! - A literal or expression takes as much text as it can, always (maximal munch).
//! - `token - token`, `token - name`, `token - (token | name)`: a token that must not be one of these texts, where
//!   `name` is a production that lists terminals: `name ::= /[a-z]+/ - reserved`.
//! - A comment before the first production has the line `start: NAME`.
//! - It may have the line `skip: /regex/`: text that may stand between any two tokens, before and behind all. A
//!   production with the comment `/* ws: explicit */` skips nothing between its tokens, nor do those it is made of.
//! - It may have the line `word: /regex/`: a literal that is a word only stands for a whole one, so that `allow` is
//!   not found in `allowed`. (Inside a comment, an expression that ends in `*/` would end the comment: `{0,}/`.)

#[path = "../../../benches/generate/random.rs"]
pub(crate) mod random;

mod generate;
mod mutate;
mod read;
mod recognise;
mod regex;
mod token;
#[cfg(test)]
mod toy;

pub(crate) use generate::Generator;
pub(crate) use mutate::mutant;
pub(crate) use token::normalise;

use std::collections::{BTreeMap, BTreeSet};

use read::{Expr, Pattern, Rules, Terminal};
use recognise::Flat;

/// A grammar.
#[derive(Debug)]
pub(crate) struct Grammar {
    rules: Rules,
    flat: Flat,
}

impl Grammar {
    /// Reads the text of a grammar. An error names the line or production at fault.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let rules = Rules::read(text)?;
        let flat = Flat::new(&rules);
        Ok(Self { rules, flat })
    }

    /// Whether `text` is a sentence.
    pub(crate) fn accepts(&self, text: &str) -> bool {
        self.refusal(text).is_none()
    }

    /// If `text` is no sentence: the offset where the last token begins that could follow what is before it.
    pub(crate) fn refusal(&self, text: &str) -> Option<usize> {
        recognise::recognise(&self.rules, &self.flat, text).err()
    }

    /// Makes sentences; see [`Generator::sentence`] and [`Generator::unused`].
    pub(crate) fn generator(&self, seed: u64) -> Generator<'_> {
        Generator::new(self, seed)
    }

    /// Each production's `name ::= expr` by name, normalised.
    pub(crate) fn productions(&self) -> BTreeMap<&str, &str> {
        self.rules
            .productions
            .iter()
            .map(|rule| (rule.name.as_str(), rule.text.as_str()))
            .collect()
    }

    /// The literals that are whole words: keywords and names of options.
    pub(crate) fn words(&self) -> BTreeSet<&str> {
        let Some(word) = &self.rules.word else {
            return BTreeSet::new();
        };
        let literals = self.rules.terminals.iter().filter_map(literal);
        literals.filter(|text| word.matches(text)).collect()
    }

    /// The literals that a production is a list of.
    pub(crate) fn literals_of(&self, name: &str) -> BTreeSet<&str> {
        let production = self
            .rules
            .productions
            .iter()
            .find(|production| production.name == name);
        let parts = match production.map(|production| &production.expr) {
            Some(Expr::Alternatives(_, parts)) => parts.as_slice(),
            Some(one) => std::slice::from_ref(one),
            None => &[],
        };
        let terminals = parts.iter().filter_map(|part| match part {
            Expr::Terminal(id) => self.rules.terminals.get(*id),
            _ => None,
        });
        terminals.filter_map(literal).collect()
    }
}

fn literal(terminal: &Terminal) -> Option<&str> {
    match &terminal.pattern {
        Pattern::Literal(text) => Some(text),
        Pattern::Regex(_) => None,
    }
}
