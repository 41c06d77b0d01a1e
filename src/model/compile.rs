//! The meaning of rulesets: chains of rules to rulings.
//!
//! Each chain is compiled once, as a segment in which jumps stay sequences, so that RETURN, goto, marks and
//! translated destinations are exact, under unknowns too. INVARIANT: whatever cannot be decided leads to *both*
//! continuations; nothing is skipped.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::condition::{Cubes, Lowering};
use super::{Action, Base, ChainId, Default, Edit, Families, Hook, Purpose, Rule, Ruleset, Unknown};
use crate::packet::{
    Assignment, Cause, Doubt, EditId, End, Family, Field, Line, MAX_PROPERTIES, Outcome, OverBudget,
    PacketSet, Pin, RangeSet, Ruling, Space, value,
};
use crate::source::Span;

/// Who decides about a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Decider {
    /// Rule `rule` of chain `chain` of ruleset `ruleset`.
    Rule {
        /// Index of the ruleset among those compiled together.
        ruleset: usize,
        /// The chain.
        chain: ChainId,
        /// Index of the rule in its chain.
        rule: usize,
    },
    /// The default verdict of a base chain.
    Default {
        /// Index of the ruleset.
        ruleset: usize,
        /// Index of the base chain in [`Ruleset::bases`].
        base: usize,
    },
}

/// Something that is not known, for people.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DoubtReason {
    /// The bytes that leave it open, if any do.
    pub span: Option<Span>,
    /// What is not known.
    pub why: Arc<str>,
}

/// What the site knows of a host, as far as routing and translation need it.
#[derive(Debug, Clone, std::default::Default)]
pub struct HostFacts {
    /// The host's own addresses, per family; `None` if they are not known.
    pub addresses4: Option<RangeSet>,
    /// IPv6 likewise.
    pub addresses6: Option<RangeSet>,
    /// Whether a destination that is translated to addresses not known to be the host's own is taken to be another's.
    pub translates_to_others: bool,
}

/// Compiles the rulesets of one host into one space.
#[derive(Debug)]
pub struct Compiler<'m> {
    /// The space of the host.
    pub space: Space,
    rulesets: &'m [Ruleset],
    facts: HostFacts,
    /// First cause of each chain, by ruleset and chain.
    chain_causes: Vec<Vec<u32>>,
    base_causes: Vec<u32>,
    deciders: Vec<Decider>,
    doubts: Vec<DoubtReason>,
    doubt_numbers: BTreeMap<DoubtReason, Doubt>,
    properties: BTreeMap<Arc<str>, (u16, Doubt)>,
    /// Compiled chains: as a jump reads them, and as a goto does.
    chains: Vec<Vec<Option<Segment>>>,
    /// The fields that some rule changes, apart from destinations.
    edited: Vec<Field>,
}

#[derive(Debug, Clone, Copy)]
struct Segment {
    plain: Pin,
    jumped: Pin,
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
    pub fn new(rulesets: &'m [Ruleset], facts: HostFacts, space: Space) -> Self {
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
            edited: edited_fields(rulesets),
        };
        compiler.number_deciders();
        compiler
    }

    fn number_deciders(&mut self) {
        for (ruleset, rules) in self.rulesets.iter().enumerate() {
            let mut firsts = Vec::with_capacity(rules.chains.len());
            for (chain, of) in (0u32..).zip(&rules.chains) {
                firsts.push(narrow(self.deciders.len()));
                let decider = |rule| Decider::Rule {
                    ruleset,
                    chain: ChainId(chain),
                    rule,
                };
                self.deciders.extend((0..of.rules.len()).map(decider));
            }
            self.chain_causes.push(firsts);
            self.base_causes.push(narrow(self.deciders.len()));
            self.deciders
                .extend((0..rules.bases.len()).map(|base| Decider::Default { ruleset, base }));
        }
    }

    /// Who a cause is. `None` for nobody.
    #[must_use]
    pub fn decider(&self, cause: Cause) -> Option<Decider> {
        if cause == Cause::NOBODY {
            None
        } else {
            self.deciders.get(cause.0 as usize).copied()
        }
    }

    /// All causes that are rules, with their deciders.
    pub fn rule_causes(&self) -> impl Iterator<Item = (Cause, Decider)> + '_ {
        let rules = (0u32..).zip(&self.deciders).skip(1);
        rules
            .filter(|(_, decider)| matches!(decider, Decider::Rule { .. }))
            .map(|(at, d)| (Cause(at), *d))
    }

    /// The rule behind a decider.
    #[must_use]
    pub fn rule(&self, decider: Decider) -> Option<&'m Rule> {
        let Decider::Rule { ruleset, chain, rule } = decider else {
            return None;
        };
        self.rulesets
            .get(ruleset)?
            .chains
            .get(chain.0 as usize)?
            .rules
            .get(rule)
    }

    /// The packets that may match a rule: all whose fate it can decide.
    pub fn reach(&mut self, rule: &Rule) -> Result<PacketSet, OverBudget> {
        Ok(Lowering::new(self).matches(&rule.matches)?.bounds.possibly)
    }

    /// The packets that match a rule, whatever is not known.
    pub fn surely_matches(&mut self, rule: &Rule) -> Result<PacketSet, OverBudget> {
        Ok(Lowering::new(self).matches(&rule.matches)?.bounds.surely)
    }

    /// Whether some rule changes a field that is not about the destination.
    #[must_use]
    pub fn changes(&self, field: Field) -> bool {
        self.edited.contains(&field)
    }

    /// The base chain behind a decider that is a default verdict.
    #[must_use]
    pub fn base(&self, decider: Decider) -> Option<&'m Base> {
        let Decider::Default { ruleset, base } = decider else {
            return None;
        };
        self.rulesets.get(ruleset)?.bases.get(base)
    }

    /// The rulesets that are compiled.
    #[must_use]
    pub fn rulesets(&self) -> &'m [Ruleset] {
        self.rulesets
    }

    /// What a doubt is about.
    #[must_use]
    pub fn reason(&self, doubt: Doubt) -> Option<&DoubtReason> {
        self.doubts.get(doubt.0 as usize)
    }

    /// Numbers a doubt.
    pub fn doubt(&mut self, span: Option<Span>, why: &Arc<str>) -> Doubt {
        let reason = DoubtReason {
            span,
            why: Arc::clone(why),
        };
        if let Some(&known) = self.doubt_numbers.get(&reason) {
            return known;
        }
        let doubt = Doubt(narrow(self.doubts.len()));
        self.doubts.push(reason.clone());
        self.doubt_numbers.insert(reason, doubt);
        doubt
    }

    /// The field of an unknown property, and the doubt about it. `None` if there are too many: then it is as if it were
    /// answered afresh each time, which only widens what is possible.
    pub(super) fn property(&mut self, unknown: &Unknown, span: Span) -> Option<Field> {
        let key = unknown.property.as_ref()?;
        if let Some(&(number, _)) = self.properties.get(key) {
            return Some(Field::Property(number));
        }
        let number = u16::try_from(self.properties.len())
            .ok()
            .filter(|&number| number < MAX_PROPERTIES)?;
        let doubt = self.doubt(Some(span), &unknown.why);
        self.properties.insert(Arc::clone(key), (number, doubt));
        Some(Field::Property(number))
    }

    /// Every property in use with its doubt, for [`Space::assume`] at the end.
    #[must_use]
    pub fn properties(&self) -> Vec<(Field, Doubt)> {
        self.properties
            .values()
            .map(|&(number, doubt)| (Field::Property(number), doubt))
            .collect()
    }

    /// The base chains of a hook, in the order of their priorities, as `(ruleset, base)`.
    fn bases(&self, hook: Hook) -> Vec<(usize, usize)> {
        let mut bases: Vec<(i32, usize, usize)> = Vec::new();
        for (ruleset, rules) in self.rulesets.iter().enumerate() {
            let called = rules
                .bases
                .iter()
                .enumerate()
                .filter(|(_, base)| base.hook == hook);
            bases.extend(called.map(|(at, base)| (base.priority, ruleset, at)));
        }
        bases.sort_unstable();
        bases
            .into_iter()
            .map(|(_, ruleset, base)| (ruleset, base))
            .collect()
    }

    /// Compiles the chains of these hooks, which then stay pinned for good: whoever pins and releases rulings of
    /// their own calls this first.
    pub(super) fn prepare(&mut self, hooks: &[Hook]) -> Result<(), OverBudget> {
        for &hook in hooks {
            for (ruleset, base) in self.bases(hook) {
                if let Some(chain) = self.base_at(ruleset, base).map(|base| base.chain) {
                    self.chain(ruleset, chain)?;
                }
            }
        }
        Ok(())
    }

    /// What the base chains of a hook do, in the order of their priorities. What they all accept falls through, with
    /// the accepting rule as its cause.
    pub(super) fn hook(&mut self, hook: Hook) -> Result<Ruling, OverBudget> {
        self.prepare(&[hook])?;
        let mark = self.space.pin_mark();
        let mut segments = Vec::new();
        for (ruleset, base) in self.bases(hook) {
            if let Some(ruling) = self.base_chain(ruleset, base)? {
                segments.push(self.space.pin(ruling));
            }
        }
        let rulings: Vec<_> = segments.iter().map(|&pin| self.space.pinned(pin)).collect();
        let ruling = self.space.sequence_all(&rulings)?;
        self.space.release(mark);
        Ok(ruling)
    }

    fn base_at(&self, ruleset: usize, at: usize) -> Option<&'m Base> {
        self.rulesets.get(ruleset)?.bases.get(at)
    }

    /// One base chain as a step of its hook; `None` if it passes everything and is not a filter.
    fn base_chain(&mut self, ruleset: usize, at: usize) -> Result<Option<Ruling>, OverBudget> {
        let Some(rules) = self.rulesets.get(ruleset) else {
            return Ok(None);
        };
        let Some(base) = rules.bases.get(at) else {
            return Ok(None);
        };
        let is_empty = rules
            .chains
            .get(base.chain.0 as usize)
            .is_none_or(|chain| chain.rules.is_empty());
        if is_empty && base.purpose != Purpose::Filter && base.default == Default::Accept {
            return Ok(None);
        }
        let decided = self.decided(ruleset, at)?;
        let is_filter = base.purpose == Purpose::Filter;
        let passed = self
            .space
            .map_outcomes(decided, &mut |outcome| match outcome.end {
                End::Accept if is_filter => Outcome {
                    end: End::Fall,
                    ..outcome
                },
                End::Accept => Outcome {
                    end: End::Fall,
                    cause: Cause::NOBODY,
                    ..outcome
                },
                _ => outcome,
            })?;
        let mut applies = match rules.families {
            Families::Both => PacketSet::all(),
            Families::V4 => self
                .space
                .test(Field::Family, &RangeSet::point(Family::V4.value()))?,
            Families::V6 => self
                .space
                .test(Field::Family, &RangeSet::point(Family::V6.value()))?,
        };
        if base.purpose == Purpose::Nat {
            let new = self.space.test(Field::State, &RangeSet::point(value::NEW))?;
            applies = self.space.intersection(applies, new)?;
        }
        let pass = self.space.pass();
        self.space.choose(applies, passed, pass).map(Some)
    }

    /// What a base chain decides about every packet, its default verdict included. Later base chains of the hook
    /// are not in it.
    pub fn decided(&mut self, ruleset: usize, at: usize) -> Result<Ruling, OverBudget> {
        let Some(base) = self.base_at(ruleset, at) else {
            return Ok(self.space.pass());
        };
        let segment = self.chain(ruleset, base.chain)?;
        let cause = Cause(self.base_causes.get(ruleset).copied().unwrap_or(0) + narrow(at));
        self.space.set_rank(cause, 2);
        let end = match base.default {
            Default::Accept => End::Accept,
            Default::Drop => End::Drop,
        };
        let plain = self.space.pinned(segment.plain);
        self.space.map_outcomes(plain, &mut |outcome| match outcome.end {
            End::Fall | End::Return => Outcome {
                end,
                cause,
                edit: outcome.edit,
            },
            _ => outcome,
        })
    }

    /// The segment of a chain, and of every chain it calls, callees first.
    fn chain(&mut self, ruleset: usize, chain: ChainId) -> Result<Segment, OverBudget> {
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
        let mut segments: Vec<Pin> = Vec::new();
        for element in self.elements(ruleset, chain)? {
            match element {
                Element::Segment(pin) => segments.push(pin),
                Element::Lines(lines) => {
                    let ruling = self.space.first_match(&lines)?;
                    segments.push(self.space.pin(ruling));
                }
            }
        }
        let rulings: Vec<_> = segments.iter().map(|&pin| self.space.pinned(pin)).collect();
        let plain = self.space.sequence_all(&rulings)?;
        let plain = self.space.pin(plain);
        let to_fall = |outcome: Outcome| match outcome.end {
            End::Return => Outcome {
                end: End::Fall,
                cause: Cause::NOBODY,
                ..outcome
            },
            _ => outcome,
        };
        let to_return = |outcome: Outcome| match outcome.end {
            End::Fall => Outcome {
                end: End::Return,
                cause: Cause::NOBODY,
                ..outcome
            },
            _ => outcome,
        };
        let jumped = self
            .space
            .map_outcomes(self.space.pinned(plain), &mut { to_fall })?;
        let gone_to = self
            .space
            .map_outcomes(self.space.pinned(plain), &mut { to_return })?;
        let plain = self.space.pinned(plain);
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

    fn elements(&mut self, ruleset: usize, chain: ChainId) -> Result<Vec<Element>, OverBudget> {
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
        for (cause, rule) in (first.unwrap_or(0)..).map(Cause).zip(&of.rules) {
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
    fn guarded(&mut self, rule: &Rule, leaf: Leaf) -> Result<Ruling, OverBudget> {
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

    fn leaf(&mut self, ruleset: usize, rule: &Rule, cause: Cause) -> Leaf {
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

    fn edit_outcome(&mut self, edit: &Edit, families: Families, span: Span, cause: Cause) -> Outcome {
        let (assignments, end) = match edit {
            Edit::Mark { clear, flip } => (mark_assignments(*clear, *flip), End::Fall),
            Edit::MarkUnknown { mask } => {
                let doubt = self.doubt(Some(span), &Arc::from("the mark that is restored is not known"));
                let bits = (0..32).filter(|bit| mask >> bit & 1 == 1);
                let unknown = Assignment::OneOf(RangeSet::range(0, 1), Some(doubt));
                (
                    bits.map(|bit| (Field::Mark(bit), unknown.clone())).collect(),
                    End::Fall,
                )
            }
            Edit::Untrack => (
                vec![(Field::State, one(RangeSet::point(value::UNTRACKED)))],
                End::Fall,
            ),
            Edit::Dnat { to, ports } => (
                self.translation(to.as_ref(), ports.as_ref(), families, span),
                End::Accept,
            ),
            Edit::Redirect { ports } => (self.redirection(ports.as_ref(), families, span), End::Accept),
            Edit::Snat => (vec![(Field::StatusSnat, one(RangeSet::point(1)))], End::Accept),
        };
        let cause = if end == End::Fall { Cause::NOBODY } else { cause };
        Outcome {
            end,
            cause,
            edit: self.space.edit(assignments),
        }
    }

    /// Destination translation: new address and port, and what routing will say of the new address.
    fn translation(
        &mut self,
        to: Option<&RangeSet>,
        ports: Option<&RangeSet>,
        families: Families,
        span: Span,
    ) -> Vec<(Field, Assignment)> {
        let mut assignments = vec![(Field::StatusDnat, one(RangeSet::point(1)))];
        if let Some(ports) = ports {
            let doubt = self.doubt(Some(span), &Arc::from("one of several ports is chosen"));
            assignments.push((Field::Service, Assignment::OneOf(ports.clone(), Some(doubt))));
        }
        if let Some(to) = to {
            let family = if families == Families::V6 {
                Family::V6
            } else {
                Family::V4
            };
            let doubt = self.doubt(Some(span), &Arc::from("one of several addresses is chosen"));
            assignments.push((family.destination(), Assignment::OneOf(to.clone(), Some(doubt))));
            let class = self.class_of(family, to);
            let why = Arc::from("whether the new destination is an address of this host is not known");
            let doubt = self.doubt(Some(span), &why);
            assignments.push((Field::DestinationClass, Assignment::OneOf(class, Some(doubt))));
        }
        assignments
    }

    /// What the routing table may say of addresses: this host's own, or another's.
    fn class_of(&self, family: Family, addresses: &RangeSet) -> RangeSet {
        let loopback = match family {
            Family::V4 => RangeSet::range(0x7f00_0000, 0x7fff_ffff),
            Family::V6 => RangeSet::point(1),
        };
        if addresses.is_subset(&loopback) {
            return RangeSet::point(value::LOCAL);
        }
        let either = RangeSet::range(value::UNICAST, value::LOCAL);
        let known = match family {
            Family::V4 => &self.facts.addresses4,
            Family::V6 => &self.facts.addresses6,
        };
        match known {
            Some(own) if addresses.intersection(&own.union(&loopback)).is_empty() => {
                RangeSet::point(value::UNICAST)
            }
            // The host has one of these addresses; only if they are one is it known to be this one.
            Some(own) if own.single().is_some() && addresses.single() == own.single() => {
                RangeSet::point(value::LOCAL)
            }
            None if self.facts.translates_to_others => RangeSet::point(value::UNICAST),
            _ => either,
        }
    }

    fn redirection(
        &mut self,
        ports: Option<&RangeSet>,
        families: Families,
        span: Span,
    ) -> Vec<(Field, Assignment)> {
        let mut assignments = vec![
            (Field::StatusDnat, one(RangeSet::point(1))),
            (Field::DestinationClass, one(RangeSet::point(value::LOCAL))),
        ];
        if let Some(ports) = ports {
            let doubt = self.doubt(Some(span), &Arc::from("one of several ports is chosen"));
            assignments.push((Field::Service, Assignment::OneOf(ports.clone(), Some(doubt))));
        }
        let why = Arc::from("which of the host's addresses it is redirected to is not known");
        let doubt = self.doubt(Some(span), &why);
        for family in Family::ALL {
            let (applies, own) = match family {
                Family::V4 => (families != Families::V6, &self.facts.addresses4),
                Family::V6 => (families != Families::V4, &self.facts.addresses6),
            };
            if applies {
                let own = own.clone().unwrap_or_else(|| RangeSet::range(0, family.max()));
                assignments.push((family.destination(), Assignment::OneOf(own, Some(doubt))));
            }
        }
        assignments
    }
}

/// What a rule does where it matches.
enum Leaf {
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

fn one(values: RangeSet) -> Assignment {
    Assignment::OneOf(values, None)
}

/// The fields that some rule changes, apart from what translation changes of destinations.
fn edited_fields(rulesets: &[Ruleset]) -> Vec<Field> {
    let rules = rulesets
        .iter()
        .flat_map(|ruleset| &ruleset.chains)
        .flat_map(|chain| &chain.rules);
    let mut fields = BTreeSet::new();
    for rule in rules {
        if let Action::Edit(edit) = &rule.action {
            fields.extend(changes(edit));
        }
    }
    fields.into_iter().collect()
}

/// The fields that an edit may change, apart from destinations.
fn changes(edit: &Edit) -> Vec<Field> {
    let marks = |mask: u32| {
        (0..32)
            .filter(move |bit| mask >> bit & 1 == 1)
            .map(Field::Mark)
            .collect()
    };
    match edit {
        Edit::Mark { clear, flip } => marks(clear | flip),
        Edit::MarkUnknown { mask } => marks(*mask),
        Edit::Untrack => vec![Field::State],
        Edit::Snat => vec![Field::StatusSnat],
        Edit::Dnat { .. } | Edit::Redirect { .. } => vec![Field::StatusDnat],
    }
}

/// `(mark & !clear) ^ flip`, bit by bit.
fn mark_assignments(clear: u32, flip: u32) -> Vec<(Field, Assignment)> {
    let bit_of = |bit: u8| match (clear >> bit & 1, flip >> bit & 1) {
        (1, set) => Some((Field::Mark(bit), one(RangeSet::point(u128::from(set))))),
        (_, 1) => Some((Field::Mark(bit), Assignment::Flip)),
        _ => None,
    };
    (0..32).filter_map(bit_of).collect()
}

fn narrow(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
