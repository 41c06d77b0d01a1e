//! Openings by translation: packets that come to the host and are sent on to another address or port.
//!
//! INVARIANT: a set of packets speaks of them as they came to the host; a rule behind a translation matches them as they
//! are then.

use super::host::Filters;
use crate::finding::Label;
use crate::model::{Action, Decider, Edit, Families, Rule};
use crate::packet::{Cause, EditId, Field, OverBudget, PacketSet, RangeSet, Ruling};

/// Translating rules named of an opening.
const MAX_NAMED: usize = 3;

impl Filters<'_> {
    /// The changes of destination or port with which a rule accepts packets of a set.
    pub(super) fn translations(&self, among: PacketSet, ruling: Ruling, cause: Cause) -> Vec<EditId> {
        let space = &self.compiler.space;
        let sets = space.terminals_within(among, ruling);
        let outcomes = sets.into_iter().flat_map(|set| &set.outcomes);
        let translates = |edit: &EditId| {
            let mut assignments = space.assignments(*edit).iter();
            assignments.any(|(field, _)| {
                matches!(
                    field,
                    Field::Destination4 | Field::Destination6 | Field::DestinationClass | Field::Service
                )
            })
        };
        let mut edits: Vec<_> = outcomes
            .filter(|outcome| outcome.cause == cause)
            .map(|outcome| outcome.edit)
            .filter(translates)
            .collect();
        edits.sort_unstable();
        edits.dedup();
        edits
    }

    /// The rules that translate packets of `region` on their way to the rule that opens.
    pub(super) fn translators(
        &mut self,
        region: PacketSet,
        ruling: Ruling,
        cause: Cause,
        opener: Decider,
    ) -> Result<Vec<Label>, OverBudget> {
        let mut labels = Vec::new();
        if self.translations(region, ruling, cause).is_empty() {
            return Ok(labels);
        }
        let compiler = &mut self.compiler;
        let taken = match compiler.rule(opener) {
            Some(rule) => Some(compiler.reach(rule)?),
            None => None,
        };
        for (_, decider) in compiler.rule_causes().collect::<Vec<_>>() {
            let Some((rule, to)) = compiler.rule(decider).and_then(translation) else {
                continue;
            };
            let mut reach = compiler.reach(rule)?;
            reach = compiler.space.intersection(reach, region)?;
            if reach.is_empty() || labels.len() == MAX_NAMED {
                continue;
            }
            if let (Some(to), Some(taken), Decider::Rule { ruleset, .. }) = (to, taken, decider) {
                let families = compiler.rulesets().get(ruleset).map(|ruleset| ruleset.families);
                let field = match families {
                    Some(Families::V6) => Field::Destination6,
                    _ => Field::Destination4,
                };
                let arriving = compiler.space.test(field, to)?;
                if compiler.space.intersection(taken, arriving)?.is_empty() {
                    continue;
                }
            }
            labels.push(Label::new(rule.action_span, "sends them there"));
        }
        Ok(labels)
    }
}

/// The new destination that a rule gives; nothing inside if it keeps the address.
fn translation(rule: &Rule) -> Option<(&Rule, Option<&RangeSet>)> {
    match &rule.action {
        Action::Edit(Edit::Dnat { to, .. }) => Some((rule, to.as_ref())),
        Action::Edit(Edit::Redirect { .. }) => Some((rule, None)),
        _ => None,
    }
}
