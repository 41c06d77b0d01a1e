//! Openings by translation: packets that come to the host and are sent on to another address or port.
//!
//! INVARIANT: a set of packets speaks of them as they came to the host; a rule behind a translation matches them as they
//! are then.

use std::collections::{BTreeMap, BTreeSet};

use super::filters::Filters;
use crate::finding::Label;
use crate::model::{Action, Compiler, Decider, Edit, Families, Rule, Ruleset};
use crate::packet::{Assignment, Cause, EditId, Family, Field, OverBudget, PacketSet, RangeSet, Ruling};
use crate::source::Span;

/// Translating rules named of an opening.
const MAX_NAMED: usize = 3;

/// The rules of a host that translate destinations, by where to; those that only change the port are under `None`.
#[derive(Debug, Default)]
pub(super) struct Translators(BTreeMap<Option<RangeSet>, Vec<Translator>>);

/// One such rule.
#[derive(Debug, Clone, Copy)]
struct Translator {
    /// Its target.
    span: Span,
    /// The field of the new address.
    field: Field,
    /// The packets that may match it.
    reach: PacketSet,
}

impl Translators {
    pub(super) fn of(compiler: &mut Compiler<'_>) -> Result<Self, OverBudget> {
        let mut translators = Self::default();
        for (_, decider) in compiler.rule_causes().collect::<Vec<_>>() {
            let Some((rule, to)) = compiler.rule(decider).and_then(translation) else {
                continue;
            };
            let Decider::Rule { ruleset, .. } = decider else {
                continue;
            };
            let families = compiler.rulesets().get(ruleset).map(|ruleset| ruleset.families);
            let translator = Translator {
                span: rule.action_span,
                field: match families {
                    Some(Families::V6) => Field::Destination6,
                    _ => Field::Destination4,
                },
                reach: compiler.reach(rule)?,
            };
            translators.0.entry(to.cloned()).or_default().push(translator);
        }
        Ok(translators)
    }
}

impl Filters<'_> {
    /// Packets that come to the host's address and are sent on to another: an opening of its own, no transit.
    pub(super) fn published(&mut self, ruling: Ruling) -> Result<PacketSet, OverBudget> {
        if self.translators.0.is_empty() {
            return Ok(PacketSet::empty());
        }
        let among = self.own_destinations()?;
        self.translated(among, ruling)
    }

    /// Packets that come to an address which the host may have.
    fn own_destinations(&mut self) -> Result<PacketSet, OverBudget> {
        let own = self.own().clone();
        let mut sets = Vec::new();
        for family in Family::ALL {
            sets.push(self.compiler.space.product(&[
                (Field::Family, RangeSet::point(family.value())),
                (family.destination(), own.among(family).clone()),
            ])?);
        }
        self.compiler.space.union_all(&sets)
    }

    /// The packets of a set that may be sent to another destination than they came to.
    fn translated(&mut self, among: PacketSet, ruling: Ruling) -> Result<PacketSet, OverBudget> {
        let translating = self.edits_within(among, ruling);
        self.compiler.space.packets_within(among, ruling, &|set| {
            let mut outcomes = set.outcomes.iter();
            outcomes.any(|outcome| translating.contains(&outcome.edit))
        })
    }

    /// The changes of destination or port that packets of a set may meet.
    pub(super) fn edits_within(&self, among: PacketSet, ruling: Ruling) -> BTreeSet<EditId> {
        let sets = self.compiler.space.terminals_within(among, ruling);
        let edits = sets.into_iter().flat_map(|set| &set.outcomes);
        let edits = edits.map(|outcome| outcome.edit);
        edits.filter(|&edit| self.translates(edit)).collect()
    }

    /// Whether a change is one of destination or port.
    pub(super) fn translates(&self, edit: EditId) -> bool {
        let mut assignments = self.compiler.space.assignments(edit).iter();
        assignments.any(|(field, _)| {
            matches!(
                field,
                Field::Destination4 | Field::Destination6 | Field::DestinationClass | Field::Service
            )
        })
    }

    /// The changes of destination or port with which a rule accepts packets of a set.
    pub(super) fn translations(&self, among: PacketSet, ruling: Ruling, cause: Cause) -> Vec<EditId> {
        if self.translators.0.is_empty() {
            return Vec::new();
        }
        let space = &self.compiler.space;
        let sets = space.terminals_within(among, ruling);
        let outcomes = sets.into_iter().flat_map(|set| &set.outcomes);
        let mut edits: Vec<_> = outcomes
            .filter(|outcome| outcome.cause == cause)
            .map(|outcome| outcome.edit)
            .filter(|&edit| self.translates(edit))
            .collect();
        edits.sort_unstable();
        edits.dedup();
        edits
    }

    /// The rules that translate packets of `region` on their way to the rule that decides.
    pub(super) fn translators(
        &mut self,
        region: PacketSet,
        edits: &[EditId],
        decider: Option<Decider>,
    ) -> Result<Vec<Label>, OverBudget> {
        if self.translators.0.is_empty() {
            return Ok(Vec::new());
        }
        let mut spans = Vec::new();
        for to in self.targets(edits) {
            let Some(translators) = self.translators.0.get(&to) else {
                continue;
            };
            for translator in translators {
                if self.compiler.space.is_disjoint(translator.reach, region) {
                    continue;
                }
                let rule = decider.and_then(|decider| self.compiler.rule(decider));
                if let (Some(to), Some(rule)) = (&to, rule) {
                    let taken = self.compiler.reach(rule)?;
                    let space = &mut self.compiler.space;
                    let arriving = space.test(translator.field, to)?;
                    if space.is_disjoint(taken, arriving) {
                        continue;
                    }
                }
                spans.push(translator.span);
            }
        }
        spans.sort_unstable();
        let label = |span| Label::new(span, "sends them there");
        Ok(spans.into_iter().take(MAX_NAMED).map(label).collect())
    }

    /// Where changes send packets: the new addresses, and `None` for the rules that only change the port.
    fn targets(&self, edits: &[EditId]) -> Vec<Option<RangeSet>> {
        let assignments = edits
            .iter()
            .flat_map(|&edit| self.compiler.space.assignments(edit));
        let addresses = assignments.filter_map(|(field, assignment)| match (field, assignment) {
            (Field::Destination4 | Field::Destination6, Assignment::OneOf(to, _)) => Some(Some(to.clone())),
            _ => None,
        });
        let mut targets: Vec<_> = addresses.collect();
        if !edits.is_empty() {
            targets.push(None);
        }
        targets.sort();
        targets.dedup();
        targets
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

/// Whether some rule sends packets to another host than they came to.
pub(super) fn translates(rulesets: &[Ruleset]) -> bool {
    let chains = rulesets.iter().flat_map(|ruleset| &ruleset.chains);
    let mut rules = chains.flat_map(|chain| &chain.rules);
    rules.any(|rule| matches!(rule.action, Action::Edit(Edit::Dnat { to: Some(_), .. })))
}
