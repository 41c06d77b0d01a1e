//! The chains of a ruleset, gone through from the back, so that behind each rule stands what would decide without it.
//!
//! INVARIANT: a rule that is redundant itself stands there as one that may be there or not, so that none is counted on.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::{FxHashMap, FxHashSet};

use super::compile::{Compiler, Leaf, narrow};
use super::redundant::{Redundant, is_verdict};
use super::{Action, ChainId, Decider, Default, Rule, is_generated};
use crate::packet::{Cause, EditId, End, Outcome, OutcomeSet, OverBudget, PacketSet, Ruling};
use crate::source::Span;

/// Calls followed into each other; what lies deeper is taken as it is.
const MAX_DEPTH: usize = 48;

/// One ruleset on its way to fewer rules. Rulings here name no causes, so that what ends alike is one.
pub(super) struct Reduction<'r, 'm> {
    pub(super) compiler: &'r mut Compiler<'m>,
    pub(super) ruleset: usize,
    pub(super) n_sites: Vec<usize>,
    pub(super) decided: FxHashMap<Decider, PacketSet>,
    pub(super) gone: &'r BTreeSet<Decider>,
    pub(super) spans: &'r FxHashSet<Span>,
    /// The chains on the way to the one at hand.
    pub(super) open: BTreeSet<ChainId>,
    /// Chains that are called from several places, done without what follows them.
    pub(super) whole: BTreeMap<ChainId, Ruling>,
    /// The packets that rules of a part of a chain may decide.
    pub(super) cares: FxHashMap<(ChainId, usize, usize), PacketSet>,
    pub(super) redundant: Vec<Redundant>,
}

/// What follows a place in a chain, for the packets that matter there.
#[derive(Clone, Copy)]
struct Behind {
    /// What decides packets that go on.
    next: Ruling,
    /// What decides packets that go back to the chain's caller.
    after: Ruling,
}

impl<'m> Reduction<'_, 'm> {
    fn rules(&self, chain: ChainId) -> &'m [Rule] {
        let ruleset = self.compiler.rulesets.get(self.ruleset);
        let chain = ruleset.and_then(|ruleset| ruleset.chains.get(chain.0 as usize));
        chain.map_or(&[], |chain| &chain.rules)
    }

    pub(super) fn bases(&mut self) -> Result<(), OverBudget> {
        let Some(ruleset) = self.compiler.rulesets.get(self.ruleset) else {
            return Ok(());
        };
        for base in &ruleset.bases {
            let is_only = self.n_sites.get(base.chain.0 as usize) == Some(&1);
            if is_only {
                let end = match base.default {
                    Default::Accept => End::Accept,
                    Default::Drop => End::Drop,
                };
                let default = self.compiler.space.always(&[outcome(end)], &[]);
                self.chain(base.chain, default)?;
            } else {
                self.called_from_several(base.chain)?;
            }
        }
        Ok(())
    }

    /// A decision that is none: it is no rule's.
    fn undecided(&mut self) -> Ruling {
        let either = [outcome(End::Accept), outcome(End::Drop)];
        self.compiler.space.always(&either, &[])
    }

    /// Goes through a chain that `after` follows. Gives what is left of it.
    fn chain(&mut self, chain: ChainId, after: Ruling) -> Result<Ruling, OverBudget> {
        let n_rules = self.rules(chain).len();
        self.open.insert(chain);
        let behind = Behind { next: after, after };
        let ruling = if n_rules == 0 {
            self.compiler.space.pass()
        } else {
            self.part(chain, (0, n_rules), behind)?
        };
        self.open.remove(&chain);
        Ok(ruling)
    }

    fn called_from_several(&mut self, chain: ChainId) -> Result<Ruling, OverBudget> {
        if let Some(&done) = self.whole.get(&chain) {
            return Ok(done);
        }
        let undecided = self.undecided();
        let ruling = self.chain(chain, undecided)?;
        self.whole.insert(chain, ruling);
        Ok(ruling)
    }

    /// Goes through some rules of a chain, those further back first. Recursive as deep as the logarithm of their number.
    fn part(
        &mut self,
        chain: ChainId,
        (first, end): (usize, usize),
        behind: Behind,
    ) -> Result<Ruling, OverBudget> {
        if end - first == 1 {
            return self.rule(chain, first, behind);
        }
        let middle = first.midpoint(end);
        let later = self.part(chain, (middle, end), behind)?;
        let care = self.care(chain, (first, middle), 0)?;
        let next = self.behind(later, behind, care)?;
        let earlier = self.part(chain, (first, middle), Behind { next, ..behind })?;
        self.compiler.space.sequence(earlier, later)
    }

    /// What decides the packets that come to a segment: it, and what is behind it.
    fn behind(&mut self, segment: Ruling, behind: Behind, care: PacketSet) -> Result<Ruling, OverBudget> {
        let undecided = self.undecided();
        let segment = self.compiler.space.choose(care, segment, undecided)?;
        let ruling = self.compiler.space.sequence(segment, behind.next)?;
        // Nothing falls out of what is next: what does now has returned.
        let returned = self.ending(ruling, End::Return)?;
        self.compiler.space.sequence(returned, behind.after)
    }

    /// A ruling whose packets of one end fall through.
    fn ending(&mut self, ruling: Ruling, from: End) -> Result<Ruling, OverBudget> {
        self.compiler
            .space
            .map_outcomes(ruling, &[from], &|outcome| Outcome {
                end: End::Fall,
                ..outcome
            })
    }

    /// The packets that some rule of a part may decide, or of the chains that are called from there alone.
    fn care(
        &mut self,
        chain: ChainId,
        (first, end): (usize, usize),
        depth: usize,
    ) -> Result<PacketSet, OverBudget> {
        if first >= end {
            return Ok(PacketSet::empty());
        }
        if let Some(&known) = self.cares.get(&(chain, first, end)) {
            return Ok(known);
        }
        let care = if end - first == 1 {
            self.care_of_rule(chain, first, depth)?
        } else {
            let middle = first.midpoint(end);
            let earlier = self.care(chain, (first, middle), depth)?;
            let later = self.care(chain, (middle, end), depth)?;
            self.compiler.space.union(earlier, later)?
        };
        self.cares.insert((chain, first, end), care);
        Ok(care)
    }

    fn care_of_rule(&mut self, chain: ChainId, at: usize, depth: usize) -> Result<PacketSet, OverBudget> {
        let action = self.rules(chain).get(at).map(|rule| &rule.action);
        match action {
            Some(Action::Accept | Action::Drop | Action::Reject) => {
                let decided = self.decided.get(&self.decider(chain, at)).copied();
                Ok(decided.unwrap_or(PacketSet::empty()))
            }
            Some(Action::Jump(to) | Action::Goto(to)) if depth < MAX_DEPTH && self.is_inline(*to) => {
                let n_rules = self.rules(*to).len();
                self.care(*to, (0, n_rules), depth + 1)
            }
            _ => Ok(PacketSet::empty()),
        }
    }

    fn decider(&self, chain: ChainId, rule: usize) -> Decider {
        let ruleset = self.ruleset;
        Decider::Rule { ruleset, chain, rule }
    }

    /// Whether what follows the only call of a chain follows the chain.
    fn is_inline(&self, chain: ChainId) -> bool {
        self.n_sites.get(chain.0 as usize) == Some(&1)
    }

    /// What is left of one rule.
    fn rule(&mut self, chain: ChainId, at: usize, behind: Behind) -> Result<Ruling, OverBudget> {
        let pass = self.compiler.space.pass();
        let Some(rule) = self.rules(chain).get(at) else {
            return Ok(pass);
        };
        let end = match &rule.action {
            Action::Continue => return Ok(pass),
            Action::Accept => End::Accept,
            Action::Drop => End::Drop,
            Action::Reject => End::Reject,
            Action::Return => End::Return,
            Action::Jump(to) => return self.call(rule, *to, behind.next, false),
            Action::Goto(to) => return self.call(rule, *to, behind.after, true),
            Action::Edit(_) | Action::Unknown(_) => return self.as_it_is(rule),
        };
        let decider = self.decider(chain, at);
        let mut outcomes = vec![outcome(end)];
        if is_verdict(end) && (self.gone.contains(&decider) || self.is_redundant(rule, decider, end, behind))
        {
            outcomes.push(outcome(End::Fall));
        }
        self.compiler.guarded(rule, Leaf::Verdict(outcomes, Vec::new()))
    }

    /// Whether what is behind a rule decides all its packets as it does. Notes it if so.
    fn is_redundant(&mut self, rule: &Rule, decider: Decider, end: End, behind: Behind) -> bool {
        let Some(&packets) = self.decided.get(&decider) else {
            return false;
        };
        if self.spans.contains(&rule.span) || self.is_generated(decider) {
            return false;
        }
        let is_same = |set: &&OutcomeSet| set.outcomes == [outcome(end)] && !set.is_truncated();
        let found = self.compiler.space.terminals_within(packets, behind.next);
        let is_redundant = found.iter().all(is_same);
        if is_redundant {
            self.redundant.push(Redundant {
                rule: decider,
                packets,
            });
        }
        is_redundant
    }

    fn is_generated(&self, decider: Decider) -> bool {
        let Decider::Rule { chain, .. } = decider else {
            return false;
        };
        let ruleset = self.compiler.rulesets.get(self.ruleset);
        let chain = ruleset.and_then(|ruleset| ruleset.chains.get(chain.0 as usize));
        chain.is_some_and(|chain| is_generated(&chain.path))
    }

    /// A call of a chain, and what is left of that.
    fn call(&mut self, rule: &Rule, to: ChainId, after: Ruling, is_goto: bool) -> Result<Ruling, OverBudget> {
        if self.open.contains(&to) || self.open.len() > MAX_DEPTH {
            return self.as_it_is(rule);
        }
        let inside = if self.is_inline(to) {
            self.chain(to, after)?
        } else {
            self.called_from_several(to)?
        };
        let inside = if is_goto {
            let outcome = |outcome: Outcome| Outcome {
                end: End::Return,
                ..outcome
            };
            self.compiler.space.map_outcomes(inside, &[End::Fall], &outcome)?
        } else {
            self.ending(inside, End::Return)?
        };
        let pin = self.compiler.space.pin(inside);
        self.compiler.guarded(rule, Leaf::Segment(pin))
    }

    /// A rule as the compiler reads it, but for the causes.
    fn as_it_is(&mut self, rule: &Rule) -> Result<Ruling, OverBudget> {
        let nobody = Cause(narrow(self.compiler.deciders.len()));
        let leaf = self.compiler.leaf(self.ruleset, rule, nobody);
        let ruling = self.compiler.guarded(rule, leaf)?;
        let ends = [End::Accept, End::Drop, End::Reject, End::Fall, End::Return];
        self.compiler
            .space
            .map_outcomes(ruling, &ends, &|outcome| Outcome {
                cause: Cause::NOBODY,
                ..outcome
            })
    }
}

/// An end that nobody is named for.
fn outcome(end: End) -> Outcome {
    Outcome {
        end,
        cause: Cause::NOBODY,
        edit: EditId::NONE,
    }
}
