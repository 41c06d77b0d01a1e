//! The groups of one host to the rulesets that stand before it: a union of its security groups, its network ACLs in order.
//!
//! INVARIANT: nothing that a host says to itself meets these layers, and answers pass where a layer keeps track of connections.

use super::path::loopback_interface;
use super::{
    Action, Base, Chain, ChainId, Condition, Default, Families, Group, Hook, Layer, Match, Purpose, Rule,
    Ruleset, Side, Unknown,
};
use crate::packet::{Field, RangeSet, value};
use crate::source::Span;

/// Where the layers stand: before everything on the host, and behind it.
const SECURITY_GROUPS: i32 = 10_000;
const NETWORK_ACLS: i32 = 20_000;

/// The rulesets of a host that is in these groups; `others` is why it may be in more security groups, with the place that says so.
#[must_use]
pub fn layers(groups: &[&Group], others: &[(Unknown, Span)]) -> Vec<Ruleset> {
    let of = |layer: Layer| {
        let of = groups.iter().filter(move |group| group.layer == layer);
        of.copied().collect::<Vec<_>>()
    };
    let (acls, security_groups) = (of(Layer::NetworkAcl), of(Layer::SecurityGroup));
    let mut layers = Vec::new();
    if !acls.is_empty() {
        layers.push(layer(Layer::NetworkAcl, &acls, &[]));
    }
    if !security_groups.is_empty() {
        layers.push(layer(Layer::SecurityGroup, &security_groups, others));
    }
    layers
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

fn layer(layer: Layer, groups: &[&Group], others: &[(Unknown, Span)]) -> Ruleset {
    let mut ruleset = Ruleset {
        layer,
        families: Families::Both,
        chains: Vec::new(),
        bases: Vec::new(),
    };
    for direction in &DIRECTIONS {
        let sides: Vec<_> = groups
            .iter()
            .filter_map(|group| Some((*group, (direction.side)(group)?)))
            .collect();
        if let Some((_, first)) = sides.first() {
            let default_span = first.default_span;
            let rules = base_rules(&mut ruleset, direction, &sides, others);
            push_base(&mut ruleset, direction, rules, default_span);
        }
    }
    ruleset
}

fn base_rules(
    ruleset: &mut Ruleset,
    direction: &Direction,
    sides: &[(&Group, &Side)],
    others: &[(Unknown, Span)],
) -> Vec<Rule> {
    let mut rules = Vec::new();
    for (at, &(group, side)) in sides.iter().enumerate() {
        let place = nowhere(side.default_span);
        if rules.is_empty() {
            let lo = Condition::Test(direction.interface, loopback_interface());
            rules.push(added(place, Some(lo), Action::Accept));
            if ruleset.layer != Layer::NetworkAcl {
                let answers = RangeSet::from_ranges([(value::ESTABLISHED, value::RELATED)]);
                let answers = Condition::Test(Field::State, answers);
                rules.push(added(place, Some(answers), Action::Accept));
            }
        }
        let chain = ChainId(u32::try_from(ruleset.chains.len()).unwrap_or(u32::MAX));
        ruleset.chains.push(Chain {
            path: format!("{}/{}", direction.word, group.name),
            span: group.span,
            rules: side.rules.clone(),
        });
        let is_last = at + 1 == sides.len();
        rules.push(match ruleset.layer {
            // A host is in one subnet: which of several is not known.
            Layer::NetworkAcl if !is_last => added(place, Some(is_here(group)), Action::Goto(chain)),
            Layer::NetworkAcl => added(place, None, Action::Goto(chain)),
            _ => added(place, None, Action::Jump(chain)),
        });
    }
    for (unknown, span) in others {
        let place = nowhere(*span);
        let mut rule = added(place, Some(Condition::Unknown(unknown.clone())), Action::Accept);
        rule.action_span = *span;
        for one in &mut rule.matches {
            one.span = *span;
        }
        rules.push(rule);
    }
    rules
}

fn is_here(group: &Group) -> Condition {
    Condition::Unknown(Unknown {
        property: Some(format!("behind {}", group.key).into()),
        why: format!("whether the host is behind `{}` is not known", group.name).into(),
    })
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
    });
    ruleset.bases.push(Base {
        hook: direction.hook,
        priority: direction.sign * distance,
        order: 0,
        purpose: Purpose::Filter,
        chain,
        default: Default::Drop,
        default_span,
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
