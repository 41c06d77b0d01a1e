//! The meaning of rulesets: chains of rules to rulings.
//!
//! Each chain is compiled once, as a segment in which jumps stay sequences, so that RETURN, goto, marks and
//! translated destinations are exact, under unknowns too. INVARIANT: whatever cannot be decided leads to *both*
//! continuations; nothing is skipped.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::condition::{Cubes, Lowering};
use super::decider::{Decider, DoubtReason};
use super::edit::edited_fields;
use super::order::best_order;
use super::redirect::Redirects;
use super::{Action, ChainId, Families, Members, Rule, Ruleset};
use crate::packet::{
    Cause, Doubt, EditId, End, Field, Line, Outcome, OverBudget, Pin, RangeSet, Ruling, Space,
};
use crate::source::Span;

/// What the site knows of a host, as far as routing and translation need it.
#[derive(Debug, Clone, std::default::Default)]
pub struct HostFacts {
    /// The host's own addresses, per family; `None` if they are not known.
    pub addresses4: Option<RangeSet>,
    /// IPv6 likewise.
    pub addresses6: Option<RangeSet>,
    /// Whether a destination that is translated to addresses not known to be the host's own is taken to be another's.
    pub translates_to_others: bool,
    /// Who is in which group, where that is known.
    pub members: Arc<Members>,
}

/// Compiles the rulesets of one host into one space.
#[derive(Debug)]
pub struct Compiler<'m> {
    /// The space of the host.
    pub space: Space,
    pub(super) rulesets: &'m [Ruleset],
    pub(super) facts: HostFacts,
    /// First cause of each chain, by ruleset and chain.
    pub(super) chain_causes: Vec<Vec<u32>>,
    /// First cause of the base chains of each ruleset.
    pub(super) base_causes: Vec<u32>,
    pub(super) deciders: Vec<Decider>,
    pub(super) doubts: Vec<DoubtReason>,
    pub(super) doubt_numbers: BTreeMap<DoubtReason, Doubt>,
    pub(super) properties: BTreeMap<Arc<str>, (u16, Doubt)>,
    /// The chains compiled so far.
    chains: Vec<Vec<Option<Segment>>>,
    /// What the input hook does, once it was asked for.
    pub(super) last_input: Option<Pin>,
    /// Chains that some rule goes to and does not come back from.
    gone_to: BTreeSet<(usize, ChainId)>,
    /// Which chains redirect packets to where.
    pub(super) redirects: Redirects,
    /// The fields that some rule changes, apart from destinations.
    pub(super) edited: Vec<Field>,
}

/// A compiled chain.
#[derive(Debug, Clone, Copy)]
pub(super) struct Segment {
    /// As its rules decide.
    pub(super) plain: Pin,
    /// As a jump reads it: what returns from it falls through.
    jumped: Pin,
    /// As a goto does, if there is one: what falls through it returns.
    gone_to: Pin,
}

/// A chain's rules, cut where a segment of its own begins.
enum Element {
    Lines(Vec<Line>),
    Segment(Pin),
}

impl<'m> Compiler<'m> {
    /// Prepares to compile `rulesets`, all layers and families of one host.
    #[must_use]
    pub fn new(rulesets: &'m [Ruleset], facts: HostFacts, mut space: Space) -> Self {
        if let Some(order) = best_order(rulesets) {
            space.set_order(order);
        }
        let mut compiler = Self {
            space,
            rulesets,
            facts,
            chain_causes: Vec::new(),
            base_causes: Vec::new(),
            // Cause 0 is nobody: a placeholder that no outcome names.
            deciders: vec![Decider::Default {
                ruleset: usize::MAX,
                base: usize::MAX,
            }],
            doubts: Vec::new(),
            doubt_numbers: BTreeMap::new(),
            properties: BTreeMap::new(),
            chains: rulesets
                .iter()
                .map(|ruleset| vec![None; ruleset.chains.len()])
                .collect(),
            last_input: None,
            gone_to: gone_to(rulesets),
            redirects: Redirects::of(rulesets),
            edited: edited_fields(rulesets),
        };
        compiler.number_deciders();
        compiler
    }

    /// The segment of a chain, and of every chain it calls, callees first.
    pub(super) fn chain(&mut self, ruleset: usize, chain: ChainId) -> Result<Segment, OverBudget> {
        let mut path: Vec<(ChainId, Vec<ChainId>)> = Vec::new();
        let mut entered = vec![false; self.chains.get(ruleset).map_or(0, Vec::len)];
        path.push((chain, self.callees(ruleset, chain)));
        while let Some((current, pending)) = path.last_mut() {
            let current = *current;
            if let Some(mark) = entered.get_mut(current.0 as usize) {
                *mark = true;
            }
            match pending.pop() {
                Some(next) if self.segment(ruleset, next).is_none() => {
                    let is_cycle = entered.get(next.0 as usize).copied().unwrap_or(true);
                    if !is_cycle {
                        let callees = self.callees(ruleset, next);
                        path.push((next, callees));
                    }
                }
                Some(_) => {}
                None => {
                    self.compile_chain(ruleset, current)?;
                    path.pop();
                }
            }
        }
        match self.segment(ruleset, chain) {
            Some(segment) => Ok(segment),
            None => self.compile_chain(ruleset, chain),
        }
    }

    fn segment(&self, ruleset: usize, chain: ChainId) -> Option<Segment> {
        *self.chains.get(ruleset)?.get(chain.0 as usize)?
    }

    fn callees(&self, ruleset: usize, chain: ChainId) -> Vec<ChainId> {
        let rules = self
            .rulesets
            .get(ruleset)
            .and_then(|rules| rules.chains.get(chain.0 as usize));
        let targets = rules
            .into_iter()
            .flat_map(|chain| &chain.rules)
            .filter_map(|rule| match rule.action {
                Action::Jump(to) | Action::Goto(to) => Some(to),
                _ => None,
            });
        let mut callees: Vec<_> = targets.collect();
        callees.sort_unstable();
        callees.dedup();
        callees
    }

    fn compile_chain(&mut self, ruleset: usize, chain: ChainId) -> Result<Segment, OverBudget> {
        if let Some(done) = self.segment(ruleset, chain) {
            return Ok(done);
        }
        let mark = self.space.pin_mark();
        let plain = self.first_rules(ruleset, chain, usize::MAX)?;
        let jumped = self.ending(plain, End::Return, End::Fall)?;
        let is_gone_to = self.gone_to.contains(&(ruleset, chain));
        let gone_to = if is_gone_to {
            self.ending(plain, End::Fall, End::Return)?
        } else {
            plain
        };
        self.space.release(mark);
        let segment = Segment {
            plain: self.space.pin(plain),
            jumped: self.space.pin(jumped),
            gone_to: self.space.pin(gone_to),
        };
        let place = self
            .chains
            .get_mut(ruleset)
            .and_then(|chains| chains.get_mut(chain.0 as usize));
        if let Some(place) = place {
            *place = Some(segment);
        }
        Ok(segment)
    }

    /// What the first `n_rules` rules of a chain do, whose callees are compiled. Leaves rulings pinned.
    pub(super) fn first_rules(
        &mut self,
        ruleset: usize,
        chain: ChainId,
        n_rules: usize,
    ) -> Result<Ruling, OverBudget> {
        let mut segments: Vec<Pin> = Vec::new();
        for element in self.elements(ruleset, chain, n_rules)? {
            match element {
                Element::Segment(pin) => segments.push(pin),
                Element::Lines(lines) => {
                    let ruling = self.space.first_match(&lines)?;
                    segments.push(self.space.pin(ruling));
                }
            }
        }
        let rulings: Vec<_> = segments.iter().map(|&pin| self.space.pinned(pin)).collect();
        self.space.sequence_all(&rulings)
    }

    /// A ruling in which packets that end one way end the other.
    fn ending(&mut self, ruling: Ruling, from: End, to: End) -> Result<Ruling, OverBudget> {
        self.space.map_outcomes(ruling, &[from], &|outcome| Outcome {
            end: to,
            cause: Cause::NOBODY,
            ..outcome
        })
    }

    fn elements(
        &mut self,
        ruleset: usize,
        chain: ChainId,
        n_rules: usize,
    ) -> Result<Vec<Element>, OverBudget> {
        let Some(of) = self
            .rulesets
            .get(ruleset)
            .and_then(|rules| rules.chains.get(chain.0 as usize))
        else {
            return Ok(Vec::new());
        };
        let first = self
            .chain_causes
            .get(ruleset)
            .and_then(|causes| causes.get(chain.0 as usize))
            .copied();
        let mut elements = Vec::new();
        let mut lines = Vec::new();
        for (cause, rule) in (first.unwrap_or(0)..).map(Cause).zip(&of.rules).take(n_rules) {
            if rule.action == Action::Continue {
                continue;
            }
            let leaf = self.leaf(ruleset, rule, cause);
            if let Leaf::Verdict(outcomes, doubts) = &leaf
                && let Some(cubes) = Cubes::of(self, &rule.matches)
            {
                self.push_lines(&mut lines, cubes, outcomes, doubts);
                continue;
            }
            if !lines.is_empty() {
                elements.push(Element::Lines(std::mem::take(&mut lines)));
            }
            let segment = self.guarded(rule, leaf)?;
            elements.push(Element::Segment(self.space.pin(segment)));
        }
        if !lines.is_empty() {
            elements.push(Element::Lines(lines));
        }
        Ok(elements)
    }

    fn push_lines(&mut self, lines: &mut Vec<Line>, cubes: Cubes, outcomes: &[Outcome], doubts: &[Doubt]) {
        let (mut outcomes, mut doubts) = (outcomes.to_vec(), doubts.to_vec());
        if !cubes.doubts.is_empty() {
            outcomes.push(FALLS);
            doubts.extend(cubes.doubts);
        }
        let leaf = self.space.always(&outcomes, &doubts);
        lines.extend(cubes.products.into_iter().map(|tests| Line { tests, leaf }));
    }

    /// What a rule does where it matches, as a segment that falls through elsewhere.
    pub(super) fn guarded(&mut self, rule: &Rule, leaf: Leaf) -> Result<Ruling, OverBudget> {
        let matched = Lowering::new(self).matches(&rule.matches)?;
        let inside = match leaf {
            Leaf::Verdict(outcomes, doubts) => self.space.always(&outcomes, &doubts),
            Leaf::Segment(pin) => self.space.pinned(pin),
        };
        let pass = self.space.pass();
        let surely = self.space.choose(matched.bounds.surely, inside, pass)?;
        if matched.bounds.surely == matched.bounds.possibly {
            return Ok(surely);
        }
        let mut either = inside;
        for &doubt in &matched.doubts {
            either = self.space.merge(either, pass, Some(doubt))?;
        }
        let in_doubt = self
            .space
            .difference(matched.bounds.possibly, matched.bounds.surely)?;
        self.space.choose(in_doubt, either, surely)
    }

    pub(super) fn leaf(&mut self, ruleset: usize, rule: &Rule, cause: Cause) -> Leaf {
        self.space.set_rank(cause, 3);
        let verdict = |end| {
            Leaf::Verdict(
                vec![Outcome {
                    end,
                    cause,
                    edit: EditId::NONE,
                }],
                Vec::new(),
            )
        };
        match &rule.action {
            Action::Accept => verdict(End::Accept),
            Action::Drop => verdict(End::Drop),
            Action::Reject => verdict(End::Reject),
            Action::Continue => Leaf::Verdict(vec![FALLS], Vec::new()),
            Action::Return => Leaf::Verdict(vec![RETURNS], Vec::new()),
            Action::Jump(to) => match self.segment(ruleset, *to) {
                Some(segment) => Leaf::Segment(segment.jumped),
                None => self.unknown_leaf(cause, rule.action_span, &Arc::from("the jump leads in a circle")),
            },
            Action::Goto(to) => match self.segment(ruleset, *to) {
                Some(segment) => Leaf::Segment(segment.gone_to),
                None => self.unknown_leaf(cause, rule.action_span, &Arc::from("the goto leads in a circle")),
            },
            Action::Unknown(unknown) => self.unknown_leaf(cause, rule.action_span, &unknown.why),
            Action::Edit(edit) => {
                let families = self
                    .rulesets
                    .get(ruleset)
                    .map_or(Families::Both, |rules| rules.families);
                let outcome = self.edit_outcome(edit, families, rule.action_span, cause);
                let segment = self.space.always(&[outcome], &[]);
                Leaf::Segment(self.space.pin(segment))
            }
        }
    }

    /// A verdict that is not known: accept, drop, continue or return.
    fn unknown_leaf(&mut self, cause: Cause, span: Span, why: &Arc<str>) -> Leaf {
        let doubt = self.doubt(Some(span), why);
        let accepts = Outcome {
            end: End::Accept,
            cause,
            edit: EditId::NONE,
        };
        let drops = Outcome {
            end: End::Drop,
            ..accepts
        };
        Leaf::Verdict(vec![accepts, drops, FALLS, RETURNS], vec![doubt])
    }
}

/// What a rule does where it matches.
pub(super) enum Leaf {
    Verdict(Vec<Outcome>, Vec<Doubt>),
    Segment(Pin),
}

const FALLS: Outcome = Outcome {
    end: End::Fall,
    cause: Cause::NOBODY,
    edit: EditId::NONE,
};
const RETURNS: Outcome = Outcome {
    end: End::Return,
    cause: Cause::NOBODY,
    edit: EditId::NONE,
};

fn gone_to(rulesets: &[Ruleset]) -> BTreeSet<(usize, ChainId)> {
    let rules = rulesets
        .iter()
        .enumerate()
        .flat_map(|(at, ruleset)| ruleset.chains.iter().map(move |chain| (at, chain)))
        .flat_map(|(at, chain)| chain.rules.iter().map(move |rule| (at, rule)));
    rules
        .filter_map(|(at, rule)| match rule.action {
            Action::Goto(to) => Some((at, to)),
            _ => None,
        })
        .collect()
}

pub(super) fn narrow(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
