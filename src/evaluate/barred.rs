//! Rules that decide packets in their own base chain, but get none of them, since base chains that the hook calls earlier drop
//! or translate them all.
//!
//! INVARIANT: only what surely never comes counts; what an earlier chain may let through, it lets through.

use std::collections::{BTreeMap, BTreeSet};

use super::shadow::MAX_NAMED;
use crate::finding::{Code, Finding, Label};
use crate::model::{Compiler, Decider, Rule, is_generated};
use crate::packet::{End, OverBudget, Pin, Ruling};

/// What base chains leave to those that are called later at the same hook.
#[derive(Default)]
pub(super) struct Left {
    /// The rules that get packets.
    met: BTreeSet<Decider>,
    /// What came before the base chains of the others.
    barred: BTreeMap<Decider, Pin>,
}

/// Who decides in a ruling; `None` where that is not known any more of some packets.
pub(super) fn deciders(compiler: &Compiler<'_>, ruling: Ruling) -> Option<BTreeSet<Decider>> {
    let mut found = BTreeSet::new();
    for set in compiler.space.terminals(ruling) {
        if set.is_truncated() {
            return None;
        }
        let causes = set.outcomes.iter().map(|outcome| outcome.cause);
        found.extend(causes.filter_map(|cause| compiler.decider(cause)));
    }
    Some(found)
}

impl Left {
    /// Takes note of a base chain, what its rules decide, and which of them do.
    pub(super) fn add(
        &mut self,
        compiler: &mut Compiler<'_>,
        (ruleset, base): (usize, usize),
        ruling: Pin,
        alive: &BTreeSet<Decider>,
    ) -> Result<(), OverBudget> {
        let Some(before) = compiler.called_before(ruleset, base)? else {
            self.met.extend(alive);
            return Ok(());
        };
        let both = [before, ruling].map(|pin| compiler.space.pinned(pin));
        let both = compiler.space.sequence_all(&both)?;
        match deciders(compiler, both) {
            Some(met) => {
                let barred = alive.difference(&met).map(|decider| (*decider, before));
                self.barred.extend(barred);
                self.met.extend(met);
            }
            None => self.met.extend(alive),
        }
        Ok(())
    }

    /// What there is to say of a rule that gets no packet from the base chains that are called before its own.
    pub(super) fn finding(
        &self,
        compiler: &mut Compiler<'_>,
        decider: Decider,
        rule: &Rule,
    ) -> Result<Option<Finding>, OverBudget> {
        let before = self.barred.get(&decider).filter(|_| !self.met.contains(&decider));
        let is_kept = compiler
            .chain_of(decider)
            .is_some_and(|chain| is_generated(&chain.path));
        let Some(&before) = before.filter(|_| !is_kept) else {
            return Ok(None);
        };
        let label = Label::new(rule.span, "no packet that it matches comes to its chain");
        let message =
            "this rule never decides anything: chains that the hook calls earlier leave it no packet";
        let mut finding = Finding::new(Code::ShadowedRule, message, Some(label));
        for place in droppers(compiler, rule, before)? {
            finding = finding.related(Label::new(place, "drops packets that it matches"));
        }
        Ok(Some(finding.help(
            "remove the rule, or give its chain a priority before that of the other",
        )))
    }
}

/// The places of those that drop most kinds of a rule's packets.
fn droppers(
    compiler: &mut Compiler<'_>,
    rule: &Rule,
    before: Pin,
) -> Result<Vec<crate::source::Span>, OverBudget> {
    let reach = compiler.reach(rule)?;
    let before = compiler.space.pinned(before);
    let mut by: BTreeMap<Decider, usize> = BTreeMap::new();
    for set in compiler.space.terminals_within(reach, before) {
        let drops = |end| matches!(end, End::Drop | End::Reject);
        let dropped = set.outcomes.iter().filter(|outcome| drops(outcome.end));
        for decider in dropped.filter_map(|outcome| compiler.decider(outcome.cause)) {
            *by.entry(decider).or_default() += 1;
        }
    }
    let mut by: Vec<_> = by.into_iter().collect();
    by.sort_by_key(|(decider, count)| (std::cmp::Reverse(*count), *decider));
    let places = by.into_iter().filter_map(|(decider, _)| match decider {
        Decider::Rule { .. } => Some(compiler.rule(decider)?.span),
        Decider::Default { .. } => Some(compiler.base(decider)?.default_span),
    });
    Ok(places.take(MAX_NAMED).collect())
}
