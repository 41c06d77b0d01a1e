//! The way of packets through the chains of one base chain: what each rule does to them, both ways where that is not known.
//!
//! INVARIANT: past a bound of ways or of jumps the walk gives up, and says so.

use std::sync::Arc;

use super::super::decider::{Decider, DoubtReason};
use super::super::{Action, ChainId, Condition, Edit, Hook, Rule, Unknown, redirect};
use super::{Answer, Interpreter, MAX_WAYS, Packet, Step, Verdict, open, split};
use crate::packet::{Family, Field, RangeSet, value};

/// Nested jumps before giving up; the kernel's own limit is 16 for nftables and the number of chains for iptables.
const MAX_DEPTH: usize = 256;

/// How packets leave a chain.
#[derive(std::default::Default)]
pub(super) struct Flow {
    pub(super) decided: Vec<(Verdict, Decider, Packet)>,
    pub(super) fell: Vec<Packet>,
    pub(super) returned: Vec<Packet>,
}

/// One walk through the chains of one base chain.
pub(super) struct Walk<'w, 'm> {
    pub(super) interpreter: &'w Interpreter<'m>,
    pub(super) ruleset: usize,
    pub(super) hook: Hook,
    pub(super) answer: &'w mut Answer,
}

impl Walk<'_, '_> {
    pub(super) fn chain(&mut self, chain: ChainId, mut ways: Vec<Packet>, depth: usize) -> Flow {
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
                    Edit::Dnat { .. } | Edit::Redirect { .. } | Edit::Snat { .. } => {
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
            Edit::Snat { to } => {
                let is_v6 = packet.values(Field::Family).single() == Some(value::V6);
                let of = if is_v6 { Family::V6 } else { Family::V4 };
                let packet = match to {
                    Some(to) => packet.with(of.source(), to.clone()),
                    None => Family::ALL.into_iter().fold(packet, |packet, family| {
                        packet.with(family.source(), RangeSet::range(0, family.max()))
                    }),
                };
                packet
                    .with(Field::StatusSnat, RangeSet::point(1))
                    .with(Field::SourceClass, RangeSet::range(value::UNICAST, value::LOCAL))
                    .with(Field::SourcePort, RangeSet::range(0, 0xffff))
            }
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
