//! nftables: what people write, what `nft list ruleset` prints, and what `nft -j list ruleset` prints.
//!
//! Text and JSON become one tree (`ast`, by `parser` and `json`), which becomes rulesets (`lower`); what the words mean is
//! in `names`. INVARIANT: reading never fails, and nothing here decides what a ruleset lets through.

mod ast;
mod claim;
mod json;
mod lower;
mod names;
mod parser;

use super::{Claim, Construct, Dialect, Reading};
use crate::source::Source;

/// The dialect.
#[derive(Debug)]
pub struct Nftables;

impl Dialect for Nftables {
    fn name(&self) -> &'static str {
        "nftables"
    }

    fn summary(&self) -> &'static str {
        "rulesets of nft, as text and as JSON, with the files that they include"
    }

    fn claims(&self, source: Source<'_>) -> Claim {
        claim::claim(source)
    }

    /// `include "PATH"`, wherever it stands.
    fn includes(&self, source: Source<'_>) -> Vec<Vec<String>> {
        let paths = source.text.lines().filter_map(|line| {
            let path = line
                .trim_start()
                .strip_prefix("include")?
                .trim_start()
                .strip_prefix('"')?;
            path.split_once('"').map(|(path, _)| path)
        });
        paths
            .map(|path| super::include::candidates(source.name, path))
            .collect()
    }

    /// The first file of the unit is the ruleset; the others are what it includes.
    fn read(&self, unit: &[Source<'_>]) -> Reading {
        lower::read(unit)
    }

    fn constructs(&self) -> Vec<Construct> {
        names::constructs()
    }
}
