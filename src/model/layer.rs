//! The groups of one host to the rulesets that stand before it: a union of its security groups, its network ACLs in order.
//!
//! INVARIANT: nothing that a host says to itself meets these layers, and answers pass where a layer keeps track of connections.

use std::sync::Arc;

use super::path::loopback_interface;
use super::{
    Action, Base, Chain, ChainId, Condition, Default, Families, Group, Hook, Layer, Match, NamedSets, Rule,
    Ruleset, Side, Unknown,
};
use crate::packet::{Field, RangeSet, value};
use crate::source::Span;

/// Where the layers stand: before everything on the host, and behind it.
const SECURITY_GROUPS: i32 = 10_000;
const NETWORK_ACLS: i32 = 20_000;

/// What stands before one host.
#[derive(Debug, Clone, Default)]
pub struct Before<'g> {
    /// Its security groups, and the network ACLs of which one stands before it.
    pub groups: Vec<&'g Group>,
    /// Why a layer may let through more, with the place that says so.
    pub others: Vec<(Layer, Unknown, Span)>,
    /// Why no network ACL of `groups` may stand before it, but one that lets everything through.
    pub or_open: Option<(Arc<str>, Span)>,
    /// Whether the security groups are asked for what was written in them, and not for what else may be there
    /// ([`Group::rest`]).
    pub as_written: bool,
}

impl Before<'_> {
    /// The rulesets of the layers.
    #[must_use]
    pub fn layers(&self) -> Vec<Ruleset> {
        let layers = [Layer::NetworkAcl, Layer::SecurityGroup].into_iter();
        layers.filter_map(|layer| self.layer(layer)).collect()
    }

    /// The ruleset of a layer; `None` if nothing of that kind stands before the host.
    fn layer(&self, layer: Layer) -> Option<Ruleset> {
        let groups: Vec<&Group> = self
            .groups
            .iter()
            .filter(|group| group.layer == layer)
            .copied()
            .collect();
        let others: Vec<_> = self.others.iter().filter(|(of, ..)| *of == layer).collect();
        let mut ruleset = Ruleset {
            layer,
            families: Families::Both,
            chains: Vec::new(),
            bases: Vec::new(),
            sets: NamedSets::default(),
        };
        for direction in &DIRECTIONS {
            let sides: Vec<_> = groups
                .iter()
                .filter_map(|group| Some((*group, (direction.side)(group)?)))
                .collect();
            let of_group = sides.first().map(|(_, side)| side.default_span);
            if let Some(default_span) = of_group.or_else(|| others.first().map(|(.., span)| *span)) {
                let mut rules = first_rules(layer, direction, nowhere(default_span));
                match layer {
                    Layer::NetworkAcl => self.one_of(&mut ruleset, direction, &sides, &mut rules),
                    _ => self.all_of(&mut ruleset, direction, &sides, &mut rules),
                }
                rules.extend(others.iter().map(|(_, unknown, span)| other(unknown, *span)));
                push_base(&mut ruleset, direction, rules, default_span);
            }
        }
        (!ruleset.bases.is_empty()).then_some(ruleset)
    }

    /// A host is in one subnet: which of several network ACLs stands before it is not known.
    fn one_of(
        &self,
        ruleset: &mut Ruleset,
        direction: &Direction,
        sides: &[(&Group, &Side)],
        rules: &mut Vec<Rule>,
    ) {
        let is_none_sure =
            self.or_open.is_some() || self.others.iter().any(|(layer, ..)| *layer == Layer::NetworkAcl);
        for (at, &(group, side)) in sides.iter().enumerate() {
            let chain = push_chain(ruleset, direction, group, self.rules_of(group, side));
            let is_open = is_none_sure || at + 1 < sides.len();
            let question = is_open.then(|| self.is_here(group));
            let mut rule = added(nowhere(side.default_span), question, Action::Goto(chain));
            for one in &mut rule.matches {
                one.span = self.or_open.as_ref().map_or(group.span, |(_, span)| *span);
            }
            rules.push(rule);
        }
        if let Some((_, span)) = &self.or_open {
            rules.push(added(nowhere(*span), None, Action::Accept));
        }
    }

    /// A security group adds to what the others let through.
    fn all_of(
        &self,
        ruleset: &mut Ruleset,
        direction: &Direction,
        sides: &[(&Group, &Side)],
        rules: &mut Vec<Rule>,
    ) {
        for &(group, side) in sides {
            let chain = push_chain(ruleset, direction, group, self.rules_of(group, side));
            rules.push(added(nowhere(side.default_span), None, Action::Jump(chain)));
        }
    }

    /// The rules of a group, with what may be in it besides: unless another unit has it as a whole.
    fn rules_of(&self, group: &Group, side: &Side) -> Vec<Rule> {
        let is_whole = |other: &&Group| other.key == group.key && other.rest.is_none();
        let rest = group.rest.as_ref();
        let Some(rest) = rest.filter(|_| !self.groups.iter().any(is_whole)) else {
            return side.rules.clone();
        };
        let mut rules = side.rules.clone();
        if group.layer == Layer::NetworkAcl {
            // In an order that is not known either.
            let mut drops = other(rest, group.span);
            drops.action = Action::Drop;
            rules.splice(..0, [other(rest, group.span), drops]);
        } else if !self.as_written {
            rules.push(other(rest, group.span));
        }
        rules
    }

    fn is_here(&self, acl: &Group) -> Condition {
        let why = format!("whether the host is behind `{}` is not known", acl.name);
        let because = self
            .or_open
            .as_ref()
            .map(|(because, _)| format!("{why}: {because}"));
        Condition::Unknown(Unknown {
            property: Some(format!("behind {}", acl.key).into()),
            why: because.unwrap_or(why).into(),
        })
    }
}

/// Loopback meets no layer; answers pass where the layer keeps track of connections.
fn first_rules(layer: Layer, direction: &Direction, place: Span) -> Vec<Rule> {
    let lo = Condition::Test(direction.interface, loopback_interface());
    let mut rules = vec![added(place, Some(lo), Action::Accept)];
    if layer != Layer::NetworkAcl {
        let answers = RangeSet::from_ranges([(value::ESTABLISHED, value::RELATED)]);
        let answers = Condition::Test(Field::State, answers);
        rules.push(added(place, Some(answers), Action::Accept));
    }
    rules
}

/// What differs between the two directions of a layer.
struct Direction {
    hook: Hook,
    interface: Field,
    word: &'static str,
    /// On the way in, the outermost layer is first; on the way out, last.
    sign: i32,
    side: fn(&Group) -> Option<&Side>,
}

const DIRECTIONS: [Direction; 2] = [
    Direction {
        hook: Hook::Prerouting,
        interface: Field::InInterface,
        word: "ingress",
        sign: -1,
        side: |group| group.ingress.as_ref(),
    },
    Direction {
        hook: Hook::Output,
        interface: Field::OutInterface,
        word: "egress",
        sign: 1,
        side: |group| group.egress.as_ref(),
    },
];

fn push_chain(ruleset: &mut Ruleset, direction: &Direction, group: &Group, rules: Vec<Rule>) -> ChainId {
    let chain = ChainId(u32::try_from(ruleset.chains.len()).unwrap_or(u32::MAX));
    ruleset.chains.push(Chain {
        path: format!("{}/{}", direction.word, group.name),
        span: group.span,
        rules,
        calls: group.calls.clone(),
    });
    chain
}

/// A rule of which nothing is known.
fn other(unknown: &Unknown, span: Span) -> Rule {
    let condition = Condition::Unknown(unknown.clone());
    let mut rule = added(nowhere(span), Some(condition), Action::Accept);
    rule.action_span = span;
    for one in &mut rule.matches {
        one.span = span;
    }
    rule
}

fn push_base(ruleset: &mut Ruleset, direction: &Direction, rules: Vec<Rule>, default_span: Span) {
    let distance = match ruleset.layer {
        Layer::NetworkAcl => NETWORK_ACLS,
        _ => SECURITY_GROUPS,
    };
    let chain = ChainId(u32::try_from(ruleset.chains.len()).unwrap_or(u32::MAX));
    ruleset.chains.push(Chain {
        path: direction.word.to_owned(),
        span: default_span,
        rules,
        calls: Arc::default(),
    });
    ruleset.bases.push(Base {
        priority: direction.sign * distance,
        default: Default::Drop,
        ..Base::filter(direction.hook, chain, default_span)
    });
}

/// The place of a rule that nobody wrote.
fn nowhere(span: Span) -> Span {
    Span::new(span.file, span.start, span.start)
}

fn added(place: Span, condition: Option<Condition>, action: Action) -> Rule {
    let matches = condition.map(|condition| Match {
        span: place,
        condition,
    });
    Rule {
        span: place,
        matches: matches.into_iter().collect(),
        action,
        action_span: place,
    }
}
