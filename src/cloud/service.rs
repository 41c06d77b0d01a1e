//! The service of a permission: a protocol, and the ports or the type and code that stand in the fields for ports.
//!
//! INVARIANT: the fields for ports are read in the light of the protocol, as the API does; while that is not known, neither is
//! what they mean.

use super::{Doubt, Lowering, Value};
use crate::model::{Condition, Match};
use crate::packet::{Field, RangeSet, protocol};
use crate::source::{Span, Spanned};

/// A protocol as an API understands it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    /// All of them.
    Any,
    /// One.
    One(u8),
}

/// What the two fields for ports say, once the protocol is known.
pub(super) type Ports<'p> = (Option<&'p Value<String>>, Option<&'p Value<String>>);

/// The matches of a service. `read_protocol` reads the name of a protocol; `read_ports` says which values of
/// [`Field::Service`] are meant, `None` if all are.
pub(super) fn matches(
    lowering: &mut Lowering,
    protocol: Option<&Value<String>>,
    ports: Ports<'_>,
    read_protocol: impl FnOnce(&mut Lowering, &Spanned<String>) -> Result<Protocol, Doubt>,
    read_ports: impl FnOnce(&mut Lowering, Protocol) -> Option<Condition>,
) -> Vec<Match> {
    let (span, protocol) = match protocol {
        None => {
            let place = ports.0.or(ports.1).map(Value::span);
            let condition = read_ports(lowering, Protocol::Any);
            let service = place.and_then(|place| of_ports(ports, condition, place));
            return service.into_iter().collect();
        }
        Some(Value::Known(known)) => (known.span, read_protocol(lowering, known)),
        Some(Value::Unknown(doubt)) => (doubt.span, Err(doubt.clone())),
    };
    let protocol = match protocol {
        Ok(protocol) => protocol,
        Err(doubt) => {
            lowering.depends(&doubt);
            let asks = format!("service {} of", [ports.0, ports.1].map(said).join("-"));
            let condition = doubt.question(&asks);
            return vec![Match { span, condition }];
        }
    };
    let condition = match protocol {
        Protocol::Any => Condition::All(Vec::new()),
        Protocol::One(number) => Condition::Test(Field::Protocol, RangeSet::point(number.into())),
    };
    let service = of_ports(ports, read_ports(lowering, protocol), span);
    std::iter::once(Match { span, condition })
        .chain(service)
        .collect()
}

/// The condition on ports at the bytes that say it: one of the fields if they say the same, else both where they stand
/// together.
fn of_ports(ports: Ports<'_>, condition: Option<Condition>, place: Span) -> Option<Match> {
    /// Further apart than two properties of one permission stand, the second is a value from elsewhere.
    const NEAR: u32 = 80;
    let condition = condition?;
    let (first, last) = match ports {
        (Some(first), Some(last)) => (first, last),
        (Some(only), None) | (None, Some(only)) => (only, only),
        (None, None) => {
            return Some(Match {
                span: place,
                condition,
            });
        }
    };
    let (from, to) = (first.span(), last.span());
    let is_near = from.file == to.file && from.end.abs_diff(to.start).min(to.end.abs_diff(from.start)) < NEAR;
    let is_same = first.known().is_some() && first.known() == last.known();
    let span = if is_near && !is_same { from.to(to) } else { from };
    Some(Match { span, condition })
}

/// A field for ports as a part of a question's name.
fn said(port: Option<&Value<String>>) -> String {
    match port {
        None => String::new(),
        Some(Value::Known(known)) => known.value.clone(),
        Some(Value::Unknown(doubt)) => doubt.key.to_string(),
    }
}

/// Values of [`Field::Service`] from one to another.
pub(super) fn between(low: u32, high: u32) -> Condition {
    Condition::Test(Field::Service, RangeSet::range(low.into(), high.into()))
}

/// A type of ICMP with a code, or with all of them.
pub(super) fn icmp(kind: u8, code: Option<u8>) -> Condition {
    let all = u32::from(kind) << 8;
    match code {
        Some(code) => between(all | u32::from(code), all | u32::from(code)),
        None => between(all, all | 0xff),
    }
}

/// Ports of which at least one end is not known: a question named for both.
pub(super) fn open_ports(lowering: &mut Lowering, ports: Ports<'_>) -> Option<Condition> {
    let open = [ports.0, ports.1]
        .into_iter()
        .flatten()
        .find_map(|port| match port {
            Value::Unknown(doubt) => Some(doubt.clone()),
            Value::Known(_) => None,
        })?;
    for port in [ports.0, ports.1].into_iter().flatten() {
        if let Value::Unknown(doubt) = port {
            lowering.depends(doubt);
        }
    }
    Some(in_doubt(ports, &open))
}

/// A question about ports that depends on `doubt`, and is named for both fields.
pub(super) fn in_doubt(ports: Ports<'_>, doubt: &Doubt) -> Condition {
    doubt.question(&format!("ports {} by", [ports.0, ports.1].map(said).join("-")))
}

/// A field that has the value of a number in `low..=high`; `None` if it is not there, or open.
pub(super) fn number(
    lowering: &mut Lowering,
    field: Option<&Value<String>>,
    (low, high): (i64, i64),
    what: &str,
) -> Result<Option<i64>, Doubt> {
    let Some(Value::Known(known)) = field else {
        return Ok(None);
    };
    match known.value.trim().parse::<i64>() {
        Ok(number) if (low..=high).contains(&number) => Ok(Some(number)),
        _ => {
            let message = format!("`{}` is no {what}", known.value);
            Err(lowering.refuse(known, message, &format!("it is a number from {low} to {high}")))
        }
    }
}

/// The number of a protocol that is written as one, in decimal.
pub(super) fn protocol_number(text: &str) -> Option<u8> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_number)
}

/// The number of a protocol by a name that everybody knows.
pub(super) fn protocol_by_name(text: &str) -> Option<u8> {
    protocol::protocol_by_name(text)
}
