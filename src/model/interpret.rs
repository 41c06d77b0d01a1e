//! The meaning of rulesets, packet by packet: what `trace` shows, and the second opinion on the compiled diagrams.
//!
//! Deliberately naive: it walks the rules as a person would. A packet may leave fields open (each is a set of values);
//! where a rule tells the values apart, both ways are followed, each with its part. INVARIANT: it shares no code with the
//! compiler but the model itself.

mod open;
mod routing;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::compile::HostFacts;
use super::decider::{Decider, DoubtReason};
use super::path::Path;
use super::redirect;
use super::{
    Action, Base, ChainId, Condition, Default, Edit, Families, Hook, Purpose, Rule, Ruleset, Unknown,
};
use crate::packet::{Family, Field, RangeSet, value};

/// What becomes of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// It gets through.
    Accept,
    /// It is dropped in silence.
    Drop,
    /// It is dropped with an answer.
    Reject,
}

/// A rule that a packet met on its way, and matched or may have matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Step {
    /// Which rule, or which default verdict.
    pub decider: Decider,
    /// Whether it surely matched.
    pub surely: bool,
}

/// The answer for one packet.
#[derive(Debug, Clone, std::default::Default)]
pub struct Answer {
    /// Everything that may happen, each with who decides. More than one verdict: unknown.
    pub verdicts: BTreeSet<(Verdict, Option<Decider>)>,
    /// The rules on its way, in order.
    pub steps: Vec<Step>,
    /// What is not known.
    pub doubts: BTreeSet<DoubtReason>,
    /// The ways multiplied past the bound and were given up: anything may happen.
    pub gave_up: bool,
}

impl Answer {
    /// The rules on its way, each once, where the packet first met it: sure only if it was each time.
    #[must_use]
    pub fn way(&self) -> Vec<Step> {
        let mut places: BTreeMap<Decider, usize> = BTreeMap::new();
        let mut way: Vec<Step> = Vec::new();
        for step in &self.steps {
            let at = *places.entry(step.decider).or_insert(way.len());
            match way.get_mut(at) {
                Some(met) => met.surely &= step.surely,
                None => way.push(*step),
            }
        }
        way
    }

    /// The verdict, if there is just one.
    #[must_use]
    pub fn verdict(&self) -> Option<Verdict> {
        if self.gave_up {
            return None;
        }
        let mut kinds: Vec<_> = self.verdicts.iter().map(|verdict| verdict.0).collect();
        kinds.dedup();
        match kinds.as_slice() {
            [one] => Some(*one),
            _ => None,
        }
    }
}

/// A packet: the values that each field may have. A field that is missing may have any.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, std::default::Default)]
pub struct Packet {
    fields: BTreeMap<Field, RangeSet>,
    properties: BTreeMap<Arc<str>, bool>,
}

impl Packet {
    /// A packet of which nothing is known.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The packet with a field set.
    #[must_use]
    pub fn with(mut self, field: Field, values: RangeSet) -> Self {
        self.fields.insert(field, values);
        self
    }

    /// What a field may be.
    #[must_use]
    pub fn values(&self, field: Field) -> RangeSet {
        self.fields
            .get(&field)
            .cloned()
            .unwrap_or_else(|| RangeSet::range(0, field.maximum()))
    }
}

/// Ways followed at once before giving up: more would take minutes through thousands of rules.
const MAX_WAYS: usize = 512;
/// Nested jumps before giving up; the kernel's own limit is 16 for nftables and the number of chains for iptables.
const MAX_DEPTH: usize = 256;

/// Walks packets through the rulesets of one host.
#[derive(Debug, Clone, Copy)]
pub struct Interpreter<'m> {
    rulesets: &'m [Ruleset],
    facts: &'m HostFacts,
}

/// How packets leave a chain.
#[derive(Default)]
struct Flow {
    decided: Vec<(Verdict, Decider, Packet)>,
    fell: Vec<Packet>,
    returned: Vec<Packet>,
}

/// A packet between base chains, with who accepted it and how weighty that is.
type Accepted = (Packet, Option<(u8, Decider)>);

impl<'m> Interpreter<'m> {
    /// An interpreter of `rulesets`, all layers and families of one host.
    #[must_use]
    pub fn new(rulesets: &'m [Ruleset], facts: &'m HostFacts) -> Self {
        Self { rulesets, facts }
    }

    /// What happens to a packet on a path, whatever routing would say.
    #[must_use]
    pub fn run(&self, path: Path, packet: Packet) -> Answer {
        let none = RangeSet::point(0);
        let packet = match path {
            Path::Input => packet.with(Field::OutInterface, none),
            Path::Output => packet.with(Field::InInterface, none),
            Path::Forward => packet,
        };
        let mut answer = Answer::default();
        let on_way = self.hooks(path.hooks(), vec![(packet, None)], &mut answer);
        let accepted = on_way
            .into_iter()
            .map(|(_, by)| (Verdict::Accept, by.map(|by| by.1)));
        answer.verdicts.extend(accepted);
        answer
    }

    /// What hooks let pass, one after the other.
    fn hooks(&self, hooks: &[Hook], mut on_way: Vec<Accepted>, answer: &mut Answer) -> Vec<Accepted> {
        for &hook in hooks {
            let mut bases: Vec<(i32, u32, usize, usize)> = Vec::new();
            for (at, ruleset) in self.rulesets.iter().enumerate() {
                let called = ruleset
                    .bases
                    .iter()
                    .enumerate()
                    .filter(|(_, base)| base.hook == hook);
                bases.extend(called.map(|(base, of)| (of.priority, of.order, at, base)));
            }
            bases.sort_unstable();
            for (.., ruleset, base) in bases {
                on_way = self.base(ruleset, base, on_way, answer);
            }
        }
        on_way
    }

    fn base(&self, ruleset: usize, at: usize, arriving: Vec<Accepted>, answer: &mut Answer) -> Vec<Accepted> {
        let Some((rules, base)) = self
            .rulesets
            .get(ruleset)
            .and_then(|rules| Some((rules, rules.bases.get(at)?)))
        else {
            return arriving;
        };
        let mut on_way = Vec::new();
        for (packet, by) in arriving {
            if answer.gave_up {
                break;
            }
            let (inside, outside) = applies(rules, base, packet);
            on_way.extend(outside.into_iter().map(|packet| (packet, by)));
            if let Some(packet) = inside {
                let mut walk = Walk {
                    interpreter: self,
                    ruleset,
                    hook: base.hook,
                    answer,
                };
                let flow = walk.chain(base.chain, vec![packet], 0);
                on_way.extend(leave(
                    base,
                    Decider::Default { ruleset, base: at },
                    flow,
                    by,
                    answer,
                ));
            }
        }
        on_way.sort();
        on_way.dedup();
        if on_way.len() > MAX_WAYS {
            answer.gave_up = true;
            on_way.truncate(1);
        }
        on_way
    }
}

/// Packets that a base chain lets pass; the verdicts about the others go into the answer.
fn leave(
    base: &Base,
    default: Decider,
    flow: Flow,
    by: Option<(u8, Decider)>,
    answer: &mut Answer,
) -> Vec<Accepted> {
    let mut on_way = Vec::new();
    let is_filter = base.purpose == Purpose::Filter;
    let mut accept = |packet, rank, decider| {
        let now = is_filter.then_some((rank, decider));
        let by = match (by, now) {
            (Some(before), Some(now)) if now.0 >= before.0 => Some(now),
            (Some(before), _) => Some(before),
            (None, now) => now,
        };
        on_way.push((packet, by));
    };
    for packet in flow.fell.into_iter().chain(flow.returned) {
        match base.default {
            Default::Accept => accept(packet, 2, default),
            Default::Drop => {
                answer.verdicts.insert((Verdict::Drop, Some(default)));
            }
        }
        let step = Step {
            decider: default,
            surely: true,
        };
        if is_filter && answer.steps.last() != Some(&step) {
            answer.steps.push(step);
        }
    }
    for (verdict, decider, packet) in flow.decided {
        match verdict {
            Verdict::Accept => accept(packet, 3, decider),
            Verdict::Drop | Verdict::Reject => {
                answer.verdicts.insert((verdict, Some(decider)));
            }
        }
    }
    on_way
}

/// The parts of a packet that a base chain sees and does not see.
fn applies(rules: &Ruleset, base: &Base, packet: Packet) -> (Option<Packet>, Vec<Packet>) {
    let mut outside = Vec::new();
    let mut inside = Some(packet);
    let mut keep = |inside: &mut Option<Packet>, field, values: RangeSet| {
        if let Some(packet) = inside.take() {
            let (meets, fails) = split(&packet, field, &values);
            outside.extend(fails);
            *inside = meets;
        }
    };
    match rules.families {
        Families::Both => {}
        Families::V4 => keep(&mut inside, Field::Family, RangeSet::point(value::V4)),
        Families::V6 => keep(&mut inside, Field::Family, RangeSet::point(value::V6)),
    }
    if base.purpose == Purpose::Nat {
        keep(&mut inside, Field::State, RangeSet::point(value::NEW));
        if base.translates_destinations() {
            keep(&mut inside, Field::StatusDnat, RangeSet::point(0));
        }
    }
    (inside, outside)
}

/// The parts of a packet that pass and fail a test.
fn split(packet: &Packet, field: Field, values: &RangeSet) -> (Option<Packet>, Option<Packet>) {
    let may_be = packet.values(field);
    let (meets, fails) = (may_be.intersection(values), may_be.difference(values));
    let part = |values: RangeSet| (!values.is_empty()).then(|| packet.clone().with(field, values));
    (part(meets), part(fails))
}

/// One walk through the chains of one base chain.
struct Walk<'w, 'm> {
    interpreter: &'w Interpreter<'m>,
    ruleset: usize,
    hook: Hook,
    answer: &'w mut Answer,
}

impl Walk<'_, '_> {
    fn chain(&mut self, chain: ChainId, mut ways: Vec<Packet>, depth: usize) -> Flow {
        let mut flow = Flow::default();
        let ruleset = self.interpreter.rulesets.get(self.ruleset);
        let Some(of) = ruleset.and_then(|rules| rules.chains.get(chain.0 as usize)) else {
            return flow;
        };
        if depth > MAX_DEPTH {
            self.answer.gave_up = true;
            return flow;
        }
        for (at, rule) in of.rules.iter().enumerate() {
            if ways.is_empty() || self.answer.gave_up {
                break;
            }
            let mut next = Vec::new();
            let decider = Decider::Rule {
                ruleset: self.ruleset,
                chain,
                rule: at,
            };
            for packet in ways {
                let (matched, unmatched) = self.rule_matches(rule, packet);
                if !matched.is_empty() {
                    self.answer.steps.push(Step {
                        decider,
                        surely: unmatched.is_empty(),
                    });
                }
                next.extend(unmatched);
                for packet in matched {
                    self.act(rule, decider, packet, depth, &mut flow, &mut next);
                }
            }
            if next.len() > 1 {
                next.sort();
                next.dedup();
            }
            if next.len() > MAX_WAYS {
                self.answer.gave_up = true;
                next.truncate(1);
            }
            ways = next;
        }
        flow.fell.extend(ways);
        flow
    }

    fn act(
        &mut self,
        rule: &Rule,
        decider: Decider,
        packet: Packet,
        depth: usize,
        flow: &mut Flow,
        next: &mut Vec<Packet>,
    ) {
        match &rule.action {
            Action::Accept => flow.decided.push((Verdict::Accept, decider, packet)),
            Action::Drop => flow.decided.push((Verdict::Drop, decider, packet)),
            Action::Reject => flow.decided.push((Verdict::Reject, decider, packet)),
            Action::Return => flow.returned.push(packet),
            Action::Continue => next.push(packet),
            Action::Jump(to) => {
                let inner = self.chain(*to, vec![packet], depth + 1);
                flow.decided.extend(inner.decided);
                next.extend(inner.fell);
                next.extend(inner.returned);
            }
            Action::Goto(to) => {
                let inner = self.chain(*to, vec![packet], depth + 1);
                flow.decided.extend(inner.decided);
                flow.returned.extend(inner.fell);
                flow.returned.extend(inner.returned);
            }
            Action::Unknown(unknown) => {
                self.doubt(unknown, rule.action_span);
                flow.decided.push((Verdict::Accept, decider, packet.clone()));
                flow.decided.push((Verdict::Drop, decider, packet.clone()));
                flow.returned.push(packet.clone());
                next.push(packet);
            }
            Action::Edit(edit) => {
                let edited = self.edit(edit, packet);
                match edit {
                    Edit::Mark { .. } | Edit::MarkUnknown { .. } | Edit::Untrack => next.push(edited),
                    Edit::Dnat { .. } | Edit::Redirect { .. } | Edit::Snat => {
                        flow.decided.push((Verdict::Accept, decider, edited));
                    }
                }
            }
        }
    }

    fn edit(&self, edit: &Edit, packet: Packet) -> Packet {
        match edit {
            Edit::Mark { clear, flip } => (0..32u8).fold(packet, |packet, bit| {
                let (clear, flip) = (clear >> bit & 1 == 1, flip >> bit & 1 == 1);
                let old = packet.values(Field::Mark(bit));
                let kept = if clear { RangeSet::point(0) } else { old };
                let bits = kept.ranges().iter().flat_map(|&(low, high)| low..=high);
                let new = bits
                    .map(|bit| bit ^ u128::from(flip))
                    .map(|bit| (bit, bit))
                    .collect();
                packet.with(Field::Mark(bit), new)
            }),
            Edit::MarkUnknown { mask } => (0..32u8)
                .filter(|bit| mask >> bit & 1 == 1)
                .fold(packet, |packet, bit| {
                    packet.with(Field::Mark(bit), RangeSet::range(0, 1))
                }),
            Edit::Untrack => packet.with(Field::State, RangeSet::point(value::UNTRACKED)),
            Edit::Snat => packet.with(Field::StatusSnat, RangeSet::point(1)),
            Edit::Dnat { to, ports } => {
                let mut packet = packet.with(Field::StatusDnat, RangeSet::point(1));
                if let Some(to) = to {
                    let is_v6 = packet.values(Field::Family).single() == Some(value::V6);
                    let family = if is_v6 { Family::V6 } else { Family::V4 };
                    packet = packet.with(family.destination(), to.clone()).with(
                        Field::DestinationClass,
                        RangeSet::range(value::UNICAST, value::LOCAL),
                    );
                }
                with_ports(packet, ports.as_ref())
            }
            Edit::Redirect { ports } => {
                let to = |family| redirect::targets(self.hook, self.interpreter.facts, family);
                let packet = packet
                    .with(Field::StatusDnat, RangeSet::point(1))
                    .with(Field::DestinationClass, RangeSet::point(value::LOCAL))
                    .with(Field::Destination4, to(Family::V4))
                    .with(Field::Destination6, to(Family::V6));
                with_ports(packet, ports.as_ref())
            }
        }
    }

    /// The parts of a packet that match a rule and that do not; both, where it is not known.
    fn rule_matches(&mut self, rule: &Rule, packet: Packet) -> (Vec<Packet>, Vec<Packet>) {
        let (mut matched, mut unmatched) = (vec![packet], Vec::new());
        for one in &rule.matches {
            let mut still = Vec::new();
            for packet in matched {
                let (meets, fails) = self.condition(&one.condition, one.span, packet);
                still.extend(meets);
                unmatched.extend(fails);
            }
            matched = still;
        }
        (matched, unmatched)
    }

    fn condition(
        &mut self,
        condition: &Condition,
        span: crate::source::Span,
        packet: Packet,
    ) -> (Vec<Packet>, Vec<Packet>) {
        match condition {
            Condition::Test(field, values) => {
                let (meets, fails) = split(&packet, *field, values);
                if meets.is_some() && fails.is_some() {
                    self.doubt_because(open::why(*field), span);
                }
                (meets.into_iter().collect(), fails.into_iter().collect())
            }
            Condition::Not(inner) => {
                let (meets, fails) = self.condition(inner, span, packet);
                (fails, meets)
            }
            Condition::All(all) => {
                let (mut meets, mut fails) = (vec![packet], Vec::new());
                for condition in all {
                    for packet in std::mem::take(&mut meets) {
                        let (yes, no) = self.condition(condition, span, packet);
                        meets.extend(yes);
                        fails.extend(no);
                    }
                }
                (meets, fails)
            }
            Condition::Any(any) => {
                let (mut meets, mut fails) = (Vec::new(), vec![packet]);
                for condition in any {
                    for packet in std::mem::take(&mut fails) {
                        let (yes, no) = self.condition(condition, span, packet);
                        meets.extend(yes);
                        fails.extend(no);
                    }
                }
                (meets, fails)
            }
            Condition::Member(member) => {
                let resolved = member.resolve(&self.interpreter.facts.members);
                self.condition(&resolved, span, packet)
            }
            Condition::Unknown(unknown) => self.unknown(unknown, span, packet),
        }
    }

    fn unknown(
        &mut self,
        unknown: &Unknown,
        span: crate::source::Span,
        packet: Packet,
    ) -> (Vec<Packet>, Vec<Packet>) {
        self.doubt(unknown, span);
        let Some(property) = &unknown.property else {
            return (vec![packet.clone()], vec![packet]);
        };
        match packet.properties.get(property) {
            Some(true) => (vec![packet], Vec::new()),
            Some(false) => (Vec::new(), vec![packet]),
            None => {
                let (mut yes, mut no) = (packet.clone(), packet);
                yes.properties.insert(Arc::clone(property), true);
                no.properties.insert(Arc::clone(property), false);
                (vec![yes], vec![no])
            }
        }
    }

    fn doubt(&mut self, unknown: &Unknown, span: crate::source::Span) {
        self.doubt_because(Arc::clone(&unknown.why), span);
    }

    fn doubt_because(&mut self, why: Arc<str>, span: crate::source::Span) {
        self.answer.doubts.insert(DoubtReason {
            span: Some(span),
            why,
        });
    }
}

fn with_ports(packet: Packet, ports: Option<&RangeSet>) -> Packet {
    match ports {
        Some(ports) => packet.with(Field::Service, ports.clone()),
        None => packet,
    }
}
