//! Comparisons to conditions on packets.
//!
//! INVARIANT: a condition is exact, or it has an [`Unknown`] in it.

use super::chains::Lowering;
use super::cube::{Cube, cubes};
use super::demand::is_of_connection;
use super::form;
use super::holds::{STATES, mark_bits};
use super::place::Place;
use super::scope::behind;
use super::value::{self, Effort, Refusal};
pub(super) use crate::dialect::condition::{any, never};
use crate::dialect::nftables::ast::{Comparison, Expr, ExprKind, Operator, Read, TableFamily, Unread};
use crate::dialect::nftables::names::{Key, Type};
use crate::dialect::nftables::parser::canonical;
use crate::model::{Condition, Match, Unknown};
use crate::packet::{Field, RangeSet, value as packet_value};

/// Values that stand beside each other without braces.
const MAX_VALUES: usize = 1000;

/// One side of a comparison: a selector and what is done to its bits, innermost first.
#[derive(Debug)]
pub(super) struct Operand<'e> {
    pub(super) key: &'e Key,
    pub(super) ops: Vec<(Operator, u128)>,
}

/// Values, and whether they are those that are meant or all others.
#[derive(Debug)]
pub(super) enum Values {
    Ranges(RangeSet),
    Cubes(Vec<Cube>),
}

pub(super) fn always() -> Condition {
    Condition::All(Vec::new())
}

pub(super) fn not(condition: Condition, negated: bool) -> Condition {
    if negated {
        Condition::Not(Box::new(condition))
    } else {
        condition
    }
}

pub(super) fn test(field: Field, set: RangeSet) -> Condition {
    if set.is_empty() {
        never()
    } else {
        Condition::Test(field, set)
    }
}

/// The selector behind operators with constants. `None`: something else is compared.
pub(super) fn operand<'e, 'a>(expr: &'e Expr<'a>) -> Option<Result<Operand<'e>, Refusal<'a>>> {
    let (mut expr, mut ops) = (behind(expr), Vec::new());
    while let ExprKind::Binary(op, both) = &expr.kind {
        ops.push((*op, &both.1));
        expr = behind(&both.0);
    }
    let ExprKind::Selector(key) = &expr.kind else {
        return None;
    };
    let constant = |(op, by): &(Operator, &Expr<'a>)| {
        let kind = match op {
            Operator::ShiftLeft | Operator::ShiftRight => Type::Integer(8),
            _ => key.kind(),
        };
        value::number(by, kind).map(|number| (*op, number))
    };
    let ops = ops.iter().rev().map(constant).collect::<Result<Vec<_>, _>>();
    Some(ops.map(|ops| Operand { key, ops }))
}

impl<'p, 'a> Lowering<'p, 'a> {
    /// The conditions of `LEFT OP RIGHT`.
    pub(super) fn comparison(
        &mut self,
        place: &mut Place<'p, 'a>,
        left: &'p Expr<'a>,
        op: Comparison,
        right: &'p Expr<'a>,
        into: &mut Vec<Match>,
    ) -> Read<'a, ()> {
        let span = self.texts.span(right.text);
        let asked = match self.compared(place, left, op, right, into) {
            Ok(condition) => condition,
            Err(Refusal::Unread(unread)) => return Err(unread),
            Err(Refusal::Unknown(why)) => self.unknown_comparison(left, op, right, why),
        };
        into.push(Match {
            span,
            condition: asked,
        });
        Ok(())
    }

    /// A comparison of which only the words are known.
    fn unknown_comparison(
        &mut self,
        left: &Expr<'a>,
        op: Comparison,
        right: &Expr<'a>,
        why: &'static str,
    ) -> Condition {
        let (name, why) = match &behind(left).kind {
            // It is demanded already, and never there.
            ExprKind::Selector(Key::Other(other)) if other.is_of_extension_header() => return always(),
            ExprKind::Selector(Key::Other(other)) => {
                (other.name.clone(), format!("`{}` is not modelled", other.name))
            }
            _ => (canonical(left.text), why.to_owned()),
        };
        self.unknowns.note(&name, self.texts.span(left.text), false);
        let is_kept = keeps(left, self.program_translates);
        let (property, negated) = self.question(&name, op, right);
        let why = self.unknowns.text(&why);
        let property = is_kept.then(|| self.unknowns.text(&property));
        not(Condition::Unknown(Unknown { property, why }), negated)
    }

    /// A name for the question, the same wherever it is asked, and whether it is asked the other way round.
    pub(super) fn question(&self, name: &str, op: Comparison, right: &Expr<'a>) -> (String, bool) {
        const LONGEST: usize = 200;
        let values = if right.text.len() > LONGEST {
            format!("what stands at {}", self.texts.span(right.text).start)
        } else {
            canonical(right.text)
        };
        let (word, negated) = match op {
            Comparison::Implicit | Comparison::Equal => ("", false),
            Comparison::NotEqual => ("", true),
            Comparison::Less => ("< ", false),
            Comparison::GreaterOrEqual => ("< ", true),
            Comparison::Greater => ("> ", false),
            Comparison::LessOrEqual => ("> ", true),
            Comparison::NoneOf => ("! ", false),
        };
        (format!("{name} {word}{values}"), negated)
    }

    fn compared(
        &mut self,
        place: &mut Place<'p, 'a>,
        left: &'p Expr<'a>,
        op: Comparison,
        right: &'p Expr<'a>,
        into: &mut Vec<Match>,
    ) -> Result<Condition, Refusal<'a>> {
        let parts: Vec<&Expr<'a>> = match &left.kind {
            ExprKind::Concat(parts) => parts.iter().collect(),
            _ => vec![left],
        };
        let mut operands = Vec::with_capacity(parts.len());
        for part in &parts {
            let operand =
                operand(part).ok_or(Refusal::Unknown("what is computed here is not modelled"))??;
            self.demand(place, part, operand.key, into)?;
            if parts.len() == 1 {
                form::check(place.table.name.family, &operand, right)?;
            } else {
                check_family(part, operand.key)?;
            }
            operands.push(operand);
        }
        place.tells_protocol |= op != Comparison::NotEqual && operands.iter().any(tells_protocol);
        for operand in &operands {
            place.reads_mark |= *operand.key == Key::Mark;
            place.reads_state |= *operand.key == Key::CtState || is_of_connection(operand.key);
        }
        let is_membership = matches!(
            behind(right).kind,
            ExprKind::Set(_) | ExprKind::SetName(_) | ExprKind::Concat(_)
        );
        let negated = op == Comparison::NotEqual;
        if operands.len() > 1 || is_membership {
            if !matches!(
                op,
                Comparison::Implicit | Comparison::Equal | Comparison::NotEqual
            ) {
                return Err(Unread::new(right.text, "a set is only compared by `==` and `!=`").into());
            }
            let condition = self.membership(place, left, &operands, right, negated)?;
            return Ok(not(condition, negated));
        }
        let Some(operand) = operands.first() else {
            return Ok(always());
        };
        let mut effort = Effort::new(MAX_VALUES);
        let (values, is_complement) = single(operand, op, right, &mut effort)?;
        effort.reversed.iter().for_each(|unread| self.unread(unread));
        if !is_complement && operand.ops.is_empty() {
            narrow(place, operand.key, &values);
            place
                .told
                .extend(told(place.table.name.family, operand.key, &values));
        }
        let condition = self.among(place, operand, values, (left, op, right))?;
        Ok(not(condition, is_complement))
    }

    /// Whether what a selector reads, its bits changed, is one of the values.
    pub(super) fn among(
        &mut self,
        place: &Place<'p, 'a>,
        operand: &Operand<'_>,
        values: Values,
        question: (&Expr<'a>, Comparison, &Expr<'a>),
    ) -> Result<Condition, Refusal<'a>> {
        let kind = operand.key.kind();
        let (bits, max) = (matches!(kind, Type::Mark | Type::CtStatus), kind.max());
        let mut found = match values {
            Values::Ranges(set) if operand.ops.is_empty() && !bits => {
                return Ok(self.holds(place, operand.key, &set, question));
            }
            Values::Ranges(set) => cubes(&set, max),
            Values::Cubes(cubes) => cubes,
        };
        for (op, constant) in operand.ops.iter().rev() {
            found = found
                .into_iter()
                .filter_map(|cube| cube.before(*op, *constant, max))
                .collect();
        }
        match operand.key {
            Key::Mark => Ok(any(found.into_iter().map(mark_bits).collect())),
            Key::CtStatus => Ok(any(found
                .into_iter()
                .map(|cube| self.status_bits(cube))
                .collect())),
            Key::CtState => {
                let is_in = |bit: u128| found.iter().any(|cube| bit & cube.care == cube.value);
                let states = STATES.iter().filter(|(_, bit)| is_in(*bit));
                let set = RangeSet::from_ranges(states.map(|(_, bit)| (*bit, *bit)));
                Ok(self.state(place, &set))
            }
            Key::Other(other) if other.name == "ip frag-off" => match found.as_slice() {
                // The low 13 bits are the fragment's place: only the first is at 0.
                [cube] if (cube.care, cube.value) == (0x1fff, 0) => {
                    Ok(Condition::Test(Field::Fragment, RangeSet::point(0)))
                }
                _ => Ok(self.holds(place, operand.key, &RangeSet::empty(), question)),
            },
            key => {
                let mut ranges = Vec::new();
                for cube in found {
                    ranges.extend(
                        cube.ranges(max)
                            .ok_or(Refusal::Unknown("the mask has too many holes"))?,
                    );
                }
                Ok(self.holds(place, key, &RangeSet::from_ranges(ranges), question))
            }
        }
    }
}

/// Whether a comparison with it tells the protocol of a packet.
fn tells_protocol(operand: &Operand<'_>) -> bool {
    match operand.key {
        Key::L4Protocol | Key::Protocol(_) => true,
        Key::Other(other) => other.name.starts_with("ct ") && other.name.ends_with("protocol"),
        _ => false,
    }
}

/// Whether a packet gives the same answer to what is asked wherever it is asked.
pub(super) fn keeps(expr: &Expr<'_>, translates: bool) -> bool {
    use crate::dialect::nftables::names::Side;
    let expr = behind(expr);
    match &expr.kind {
        ExprKind::Selector(key) => match key {
            Key::Other(other) => other.keeps && !(translates && other.is_of_destination),
            Key::Mark | Key::CtState | Key::CtStatus | Key::Interface(Side::Destination) => false,
            Key::Address(_, Side::Destination)
            | Key::Port(_, Side::Destination)
            | Key::TransportPort(Side::Destination)
            | Key::Class(_) => !translates,
            _ => true,
        },
        ExprKind::Concat(parts) => parts.iter().all(|part| keeps(part, translates)),
        ExprKind::Binary(_, both) | ExprKind::Map(both) => keeps(&both.0, translates),
        _ => false,
    }
}

/// What a comparison of one selector with one value asks, and whether it asks for the others.
fn single<'a>(
    operand: &Operand<'_>,
    op: Comparison,
    right: &Expr<'a>,
    effort: &mut Effort<'a>,
) -> Result<(Values, bool), Refusal<'a>> {
    let kind = operand.key.kind();
    let right = behind(right);
    let some_of = |mask: u128| Values::Cubes(vec![Cube { care: mask, value: 0 }]);
    if let ExprKind::Masked(both) = &right.kind {
        let (value, mask) = (value::number(&both.0, kind)?, value::number(&both.1, kind)?);
        if value & !mask != 0 {
            return Ok((Values::Ranges(RangeSet::empty()), op == Comparison::NotEqual));
        }
        let values = Values::Cubes(vec![Cube { care: mask, value }]);
        return Ok((values, op == Comparison::NotEqual));
    }
    let is_flag_test = op == Comparison::Implicit && kind.is_flags();
    if op == Comparison::NoneOf && kind.bits().is_some() && !kind.is_flags() {
        return Err(Unread::new(right.text, "`!` alone goes with flags only")
            .help("write `!=`")
            .into());
    }
    if is_flag_test || op == Comparison::NoneOf {
        return Ok((some_of(value::number(right, kind)?), is_flag_test));
    }
    if matches!(right.kind, ExprKind::List(_)) && !kind.is_flags() {
        return Err(Unread::new(right.text, "several values need braces")
            .help(format!("write `{{ {} }}`", right.text))
            .into());
    }
    if matches!(
        op,
        Comparison::Implicit | Comparison::Equal | Comparison::NotEqual
    ) {
        let mut ranges = Vec::new();
        value::ranges(right, kind, effort, &mut ranges)?;
        return Ok((
            Values::Ranges(RangeSet::from_ranges(ranges)),
            op == Comparison::NotEqual,
        ));
    }
    let number = value::number(right, kind)?;
    let below = match number {
        0 => RangeSet::empty(),
        number => RangeSet::range(0, number - 1),
    };
    let upto = RangeSet::range(0, number);
    let max = kind.max();
    let set = match op {
        Comparison::Less => below,
        Comparison::LessOrEqual => upto,
        Comparison::Greater => upto.complement(max),
        _ => below.complement(max),
    };
    Ok((Values::Ranges(set), false))
}

/// The family or protocol that a comparison names.
fn told(family: TableFamily, key: &Key, values: &Values) -> Option<(Field, u128)> {
    let Values::Ranges(set) = values else { return None };
    match (key, set.single()?) {
        (Key::NfProto, 2) => Some((Field::Family, packet_value::V4)),
        (Key::NfProto, 10) => Some((Field::Family, packet_value::V6)),
        // Packets of the link may carry what their type does not say.
        (Key::EtherType, 0x0800) if family != TableFamily::Inet => Some((Field::Family, packet_value::V4)),
        (Key::EtherType, 0x86dd) if family != TableFamily::Inet => Some((Field::Family, packet_value::V6)),
        (Key::L4Protocol | Key::Protocol(_), number) => Some((Field::Protocol, number)),
        _ => None,
    }
}

/// Refuses an address of a connection without the family that its length depends on, as a part of a key.
pub(super) fn check_family<'a>(part: &Expr<'a>, key: &Key) -> Read<'a, ()> {
    let is_bare = matches!(key, Key::Other(other) if other.family.is_none()
        && other.name.starts_with("ct ") && other.name.ends_with("addr"));
    if is_bare {
        return Err(
            Unread::new(part.text, "of which family this address is is not said")
                .help("write `ct original ip saddr`"),
        );
    }
    Ok(())
}

/// Takes note of the protocols that a comparison lets through.
pub(super) fn narrow(place: &mut Place<'_, '_>, key: &Key, values: &Values) {
    if let (Key::NfProto | Key::EtherType, Values::Ranges(set)) = (key, values)
        && let Some(number) = set.single()
    {
        match number {
            2 | 0x0800 => place.demanded.push((Field::Family, packet_value::V4)),
            10 | 0x86dd => place.demanded.push((Field::Family, packet_value::V6)),
            _ => {}
        }
    }
    if let (Key::L4Protocol | Key::Protocol(_), Values::Ranges(set)) = (key, values) {
        place.protocols = place.protocols.intersection(set);
    }
}
