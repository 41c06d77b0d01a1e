//! Marks and translations.

use super::content::Tuple;
use super::place::Place;
use super::rule::{Writer, push};
use super::scope::behind;
use super::value::{self, Effort, Refusal};
use crate::dialect::nftables::ast::{
    Comparison, Data, Expr, ExprKind, Nat, NatKind, Operator, Read, TableFamily, Unread,
};
use crate::dialect::nftables::names::{Key, Type};
use crate::model::{Action, Edit, Families, Match, Rule as ModelRule};
use crate::packet::{Family, RangeSet};
use crate::source::Span;

/// A word that is set as a mark is a number.
pub(super) fn check_mark<'a>(value: &Expr<'a>) -> Read<'a, ()> {
    if let (ExprKind::Word(_), Err(Refusal::Unread(unread))) =
        (&behind(value).kind, value::number(value, Type::Mark))
    {
        return Err(unread);
    }
    Ok(())
}

/// What the mark becomes.
pub(super) fn mark(value: &Expr<'_>) -> Edit {
    match bits(value) {
        Some((clear, flip)) => Edit::Mark { clear, flip },
        None => Edit::MarkUnknown { mask: u32::MAX },
    }
}

/// The mark as `(mark & !clear) ^ flip`, if it is that.
fn bits(value: &Expr<'_>) -> Option<(u32, u32)> {
    let expr = behind(value);
    if let Ok(number) = value::number(expr, Type::Mark) {
        return Some((u32::MAX, u32::try_from(number).ok()?));
    }
    match &expr.kind {
        ExprKind::Selector(Key::Mark) => Some((0, 0)),
        ExprKind::Binary(op, both) => {
            let (clear, flip) = bits(&both.0)?;
            let by = u32::try_from(value::number(&both.1, Type::Mark).ok()?).ok()?;
            match op {
                Operator::And => Some((clear | !by, flip & by)),
                Operator::Or => Some((clear | by, flip | by)),
                Operator::Xor => Some((clear, flip ^ by)),
                Operator::ShiftLeft | Operator::ShiftRight => None,
            }
        }
        _ => None,
    }
}

/// New addresses and ports.
#[derive(Debug, Default, Clone)]
struct Target {
    to: Option<RangeSet>,
    ports: Option<RangeSet>,
}

impl<'p, 'a> Writer<'_, 'p, 'a> {
    pub(super) fn translation(
        &mut self,
        place: &mut Place<'p, 'a>,
        nat: &'p Nat<'a>,
        span: Span,
        matches: &mut Vec<Match>,
        into: &mut Vec<ModelRule>,
    ) -> Read<'a, ()> {
        check_family(place, nat, span_text(nat))?;
        if nat.kind == NatKind::Source {
            let said = nat
                .address
                .as_ref()
                .filter(|of| !matches!(behind(of).kind, ExprKind::Map(_)));
            let said = said.map(|address| address_of(place, nat, address)).transpose()?;
            for value in nat.address.iter().chain(&nat.ports) {
                self.reads(place, value, matches)?;
            }
            if !said.as_ref().is_some_and(|(of, ..)| is_of_other(place, *of)) {
                let to = said.map(|(_, to, _)| to);
                let edit = Action::Edit(Edit::Snat { to });
                push(place, std::mem::take(matches), edit, span, into);
            }
            return Ok(());
        }
        let mapped = nat.address.as_ref().or(nat.ports.as_ref()).map(behind);
        if let Some(Expr {
            kind: ExprKind::Map(both),
            ..
        }) = mapped
        {
            return self.mapped_translation(place, nat, (&both.0, &both.1), span, matches, into);
        }
        let mut target = Target::default();
        let mut family = None;
        if let Some(address) = &nat.address {
            let (of, to, ports) = address_of(place, nat, address)?;
            (family, target) = (Some(of), Target { to: Some(to), ports });
        }
        if let Some(ports) = &nat.ports {
            target.ports = Some(one_or_all(ports, Type::Port)?);
        }
        push_translation(place, nat, family, target, span, matches, into);
        Ok(())
    }

    /// `dnat to tcp dport map { 80 : 10.0.0.1 }`
    fn mapped_translation(
        &mut self,
        place: &mut Place<'p, 'a>,
        nat: &'p Nat<'a>,
        (key, map): (&'p Expr<'a>, &'p Expr<'a>),
        span: Span,
        matches: &mut Vec<Match>,
        into: &mut Vec<ModelRule>,
    ) -> Read<'a, ()> {
        let found = self.looked_up(place, (key, map), matches);
        let (operands, content) = match found {
            Ok(found) => found,
            Err(Refusal::Unread(unread)) => return Err(unread),
            Err(Refusal::Unknown(_)) => return somewhere(place, nat, map, span, matches, into),
        };
        for tuple in &content.tuples {
            let (family, target) = mapped_target(place, nat, tuple, map)?;
            let question = (key, Comparison::Implicit, map);
            let condition = match self.lowering.tuple(place, &operands, &tuple.key, question) {
                Ok(condition) => condition,
                Err(Refusal::Unread(unread)) => return Err(unread),
                Err(Refusal::Unknown(_)) => return somewhere(place, nat, map, span, matches, into),
            };
            let mut matches = matches.clone();
            matches.push(Match {
                span: self.lowering.texts.span(tuple.text),
                condition,
            });
            push_translation(place, nat, family, target, span, &matches, into);
        }
        Ok(())
    }
}

/// In a table of both families a new address needs its family said, by the statement or by what the rule has asked.
fn check_family<'a>(place: &Place<'_, 'a>, nat: &Nat<'a>, at: &'a str) -> Read<'a, ()> {
    let is_asked = place
        .demanded
        .iter()
        .any(|(field, _)| *field == crate::packet::Field::Family);
    if place.table.name.family == TableFamily::Inet
        && nat.family.is_none()
        && nat.address.is_some()
        && !is_asked
    {
        return Err(Unread::new(at, "which family this address is of is not said")
            .help("write `ip` or `ip6` before `to`"));
    }
    Ok(())
}

fn span_text<'a>(nat: &Nat<'a>) -> &'a str {
    nat.address.as_ref().map_or("", |address| address.text)
}

/// Whether a new address is of the family whose packets are not at hand: such a rule does not concern those that are.
fn is_of_other(place: &Place<'_, '_>, family: Family) -> bool {
    matches!(
        (place.families, family),
        (Families::V4, Family::V6) | (Families::V6, Family::V4)
    )
}

fn push_translation(
    place: &Place<'_, '_>,
    nat: &Nat<'_>,
    family: Option<Family>,
    target: Target,
    span: Span,
    matches: &[Match],
    into: &mut Vec<ModelRule>,
) {
    if family.is_some_and(|family| is_of_other(place, family)) {
        return;
    }
    let edit = if nat.kind == NatKind::Redirect {
        Edit::Redirect { ports: target.ports }
    } else {
        Edit::Dnat {
            to: target.to,
            ports: target.ports,
        }
    };
    push(place, matches.to_vec(), Action::Edit(edit), span, into);
}

/// The family of a new address, its values, and the ports that are joined to it.
fn address_of<'a>(
    place: &Place<'_, 'a>,
    nat: &Nat<'a>,
    address: &Expr<'a>,
) -> Read<'a, (Family, RangeSet, Option<RangeSet>)> {
    let named = match (nat.family, place.table.name.family) {
        (Some(TableFamily::Ip), _) | (None, TableFamily::Ip) => Some(Family::V4),
        (Some(TableFamily::Ip6), _) | (None, TableFamily::Ip6) => Some(Family::V6),
        _ => None,
    };
    let whole = behind(address);
    let (of, ports) = match &whole.kind {
        ExprKind::Concat(parts) => match parts.as_slice() {
            [of, behind] => (of, Some(one_or_all(behind, Type::Port)?)),
            _ => return Err(Unread::new(whole.text, "an address and a port are joined here")),
        },
        _ => (whole, None),
    };
    let family = match named {
        Some(family) => family,
        None if one_or_all(of, Type::Address(Family::V4)).is_ok() => Family::V4,
        None => Family::V6,
    };
    Ok((family, one_or_all(of, Type::Address(family))?, ports))
}

fn mapped_target<'a>(
    place: &Place<'_, 'a>,
    nat: &Nat<'a>,
    tuple: &Tuple<'_, 'a>,
    map: &Expr<'a>,
) -> Read<'a, (Option<Family>, Target)> {
    let Some(Data::Value(value)) = tuple.data else {
        return Err(Unread::new(map.text, "a key without a value"));
    };
    if nat.address.is_none() {
        let ports = Some(one_or_all(value, Type::Port)?);
        return Ok((None, Target { to: None, ports }));
    }
    let (family, to, mut ports) = address_of(place, nat, value)?;
    if let Some(more) = &nat.ports {
        ports = Some(one_or_all(more, Type::Port)?);
    }
    Ok((Some(family), Target { to: Some(to), ports }))
}

/// The key is not modelled: any of the map's values may be chosen.
fn somewhere<'a>(
    place: &Place<'_, 'a>,
    nat: &Nat<'a>,
    map: &Expr<'a>,
    span: Span,
    matches: &[Match],
    into: &mut Vec<ModelRule>,
) -> Read<'a, ()> {
    let mut target = Target::default();
    let mut family = None;
    for element in super::program::elements_of(behind(map)) {
        let Some(Data::Value(value)) = element.data.as_deref() else {
            continue;
        };
        if nat.address.is_none() {
            add(&mut target.ports, &one_or_all(value, Type::Port)?);
            continue;
        }
        let (of, to, ports) = address_of(place, nat, value)?;
        family = Some(of);
        add(&mut target.to, &to);
        if let Some(ports) = ports {
            add(&mut target.ports, &ports);
        }
    }
    if nat.address.is_some() && target.to.is_none() {
        let of = if place.families == Families::V6 {
            Family::V6
        } else {
            Family::V4
        };
        target.to = Some(RangeSet::range(0, of.max()));
    }
    if nat.is_concatenated && target.ports.is_none() {
        target.ports = Some(RangeSet::range(0, 0xffff));
    }
    if let Some(ports) = &nat.ports
        && nat.address.is_some()
    {
        target.ports = Some(one_or_all(ports, Type::Port)?);
    }
    push_translation(place, nat, family, target, span, matches, into);
    Ok(())
}

fn add(to: &mut Option<RangeSet>, more: &RangeSet) {
    *to = Some(match to {
        Some(known) => known.union(more),
        None => more.clone(),
    });
}

/// The values of an expression; all there are, where they are not known.
fn one_or_all<'a>(expr: &Expr<'a>, kind: Type) -> Read<'a, RangeSet> {
    let mut ranges = Vec::new();
    let mut effort = Effort::new(1000);
    match value::ranges(expr, kind, &mut effort, &mut ranges) {
        Ok(()) => match effort.reversed.pop() {
            Some(unread) => Err(unread),
            None => Ok(RangeSet::from_ranges(ranges)),
        },
        Err(Refusal::Unknown(_)) => Ok(RangeSet::range(0, kind.max())),
        Err(Refusal::Unread(unread)) => Err(unread),
    }
}
