//! The meaning of rulesets, packet by packet: what `trace` shows, and the second opinion on the compiled diagrams.
//!
//! Deliberately naive: it walks the rules as a person would. A packet may leave fields open (each is a set of values);
//! where a rule tells the values apart, both ways are followed, each with its part. INVARIANT: it shares no code with the
//! compiler but the model itself.

mod open;
mod routing;
mod walk;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::compile::HostFacts;
use super::decider::{Decider, DoubtReason};
use super::hook::{ANNOUNCED, ERRORS};
use super::path::Path;
use super::{Base, Default, Families, Hook, Purpose, Ruleset};
use crate::packet::{Field, RangeSet, value};
use walk::{Flow, Walk};

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
/// Walks packets through the rulesets of one host.
#[derive(Debug, Clone, Copy)]
pub struct Interpreter<'m> {
    rulesets: &'m [Ruleset],
    facts: &'m HostFacts,
}

/// States of a connection's first packet, as ends of ranges.
const NEW: (u128, u128) = (value::NEW, value::NEW);
const RELATED: (u128, u128) = (value::RELATED, value::RELATED);

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
            let mut bases: Vec<(i32, [u32; 3], usize, usize)> = Vec::new();
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
            let (inside, outside) = applies(rules, base, packet, answer);
            on_way.extend(outside.into_iter().map(|packet| (packet, by)));
            if !inside.is_empty() {
                let mut walk = Walk {
                    interpreter: self,
                    ruleset,
                    hook: base.hook,
                    answer,
                };
                let flow = walk.chain(base.chain, inside, 0);
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
fn applies(rules: &Ruleset, base: &Base, packet: Packet, answer: &mut Answer) -> (Vec<Packet>, Vec<Packet>) {
    let mut outside = Vec::new();
    let mut keep = |packet: Packet, field, values: RangeSet| {
        let (meets, fails) = split(&packet, field, &values);
        outside.extend(fails);
        meets
    };
    let of_family = match rules.families {
        Families::Both => Some(packet),
        Families::V4 => keep(packet, Field::Family, RangeSet::point(value::V4)),
        Families::V6 => keep(packet, Field::Family, RangeSet::point(value::V6)),
    };
    let Some(translated) = base.untranslated() else {
        return (of_family.into_iter().collect(), outside);
    };
    let first = of_family
        .and_then(|packet| keep(packet, translated, RangeSet::point(0)))
        .and_then(|packet| keep(packet, Field::State, RangeSet::from_ranges([NEW, RELATED])));
    let Some(first) = first else {
        return (Vec::new(), outside);
    };
    let (new, related) = split(&first, Field::State, &RangeSet::point(value::NEW));
    let mut inside: Vec<_> = new.into_iter().collect();
    let mut announced: Vec<_> = related.into_iter().collect();
    for (family, protocol) in ERRORS {
        for packet in std::mem::take(&mut announced) {
            let (of, other) = split(&packet, Field::Family, &RangeSet::point(family.value()));
            announced.extend(other);
            let protocol = RangeSet::point(u128::from(protocol));
            let (errors, first) =
                of.map_or((None, None), |packet| split(&packet, Field::Protocol, &protocol));
            outside.extend(errors);
            announced.extend(first);
        }
    }
    if !announced.is_empty() {
        let why = Arc::from(ANNOUNCED);
        answer.doubts.insert(DoubtReason { span: None, why });
    }
    inside.extend(announced.iter().cloned());
    outside.extend(announced);
    (inside, outside)
}

/// The parts of a packet that pass and fail a test.
fn split(packet: &Packet, field: Field, values: &RangeSet) -> (Option<Packet>, Option<Packet>) {
    let may_be = packet.values(field);
    let (meets, fails) = (may_be.intersection(values), may_be.difference(values));
    let part = |values: RangeSet| (!values.is_empty()).then(|| packet.clone().with(field, values));
    (part(meets), part(fails))
}
