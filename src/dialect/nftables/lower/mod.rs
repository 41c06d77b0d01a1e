//! Lowering of a ruleset to [`model::Ruleset`](crate::model::Ruleset): commands first, one after the other, then the chains
//! that they leave.
//!
//! INVARIANT: what cannot be read becomes a finding, and, where its chain is known, a rule of which nothing is known.

mod action;
mod allowed;
mod apply;
mod base;
mod chains;
mod computed;
mod condition;
mod content;
mod cube;
mod demand;
mod filled;
mod form;
mod group;
mod holds;
mod hooked;
mod map;
mod membership;
mod place;
mod program;
mod rule;
mod scope;
mod unknown;
mod value;

use super::ast::{Item, Unread};
use super::{claim, json, parser};
use crate::dialect::Reading;
use crate::finding::{Code, Finding, Label};
use crate::source::{Locator, Source, Span};

use self::apply::Loader;
use self::chains::Lowering;

/// The texts of a unit: where a slice of any of them lies.
#[derive(Debug, Clone, Copy)]
pub(super) struct Texts<'t, 'a> {
    sources: &'t [Source<'a>],
}

impl Texts<'_, '_> {
    /// The span of a slice of one of the texts.
    fn span(&self, part: &str) -> Span {
        let start = part.as_ptr() as usize;
        let holds = |source: &&Source<'_>| {
            let from = source.text.as_ptr() as usize;
            from <= start && start + part.len() <= from + source.text.len()
        };
        match self.sources.iter().find(holds).or(self.sources.first()) {
            Some(source) => Locator::new(*source).span(part),
            None => Span::new(crate::source::FileId(0), 0, 0),
        }
    }

    fn finding(&self, unread: &Unread<'_>) -> Finding {
        let label = Label::new(self.span(unread.at), "not understood");
        let mut finding = Finding::new(Code::UnreadText, unread.message.as_str(), Some(label));
        finding.help.clone_from(&unread.help);
        finding
    }
}

/// Reads and lowers a unit: its first file, with the others as what it includes.
pub(super) fn read(unit: &[Source<'_>]) -> Reading {
    let mut reading = Reading::default();
    let Some(main) = unit.first() else {
        return reading;
    };
    let texts = Texts { sources: unit };
    let mut loader = Loader::new(texts);
    loader.file(*main);
    let (program, notices) = loader.finish();
    reading.notices = notices;
    Lowering::new(&program, texts).finish(&mut reading);
    reading
}

/// The commands of a file, in whichever form it is.
fn items(source: Source<'_>) -> Vec<Item<'_>> {
    if claim::is_json(source.text) {
        return json::items(source.text);
    }
    match parser::too_deep(source.text) {
        Some(bracket) => vec![Item::Bad(
            Unread::new(bracket, "brackets are nested too deep").help("nothing of this file was read"),
        )],
        None => parser::items(source.text),
    }
}
