//! A probe for the interpreter, and in words. INVARIANT: nothing of it is lost in either.

use portcullis::model::Packet;
use portcullis::packet::{Family, Field, RangeSet, value};

use super::probe::Values;

/// The packet for the interpreter.
pub(crate) fn interpreted(values: &Values) -> Packet {
    values.iter().fold(Packet::new(), |packet, (&field, &value)| {
        packet.with(field, RangeSet::point(value))
    })
}

/// The packet in words, for failures.
pub(crate) fn words(values: &Values) -> String {
    let word = |(field, value): (&Field, &u128)| match field {
        Field::Source4 | Field::Destination4 => format!("{field:?}={}", Family::V4.address(*value)),
        Field::Source6 | Field::Destination6 => format!("{field:?}={}", Family::V6.address(*value)),
        Field::InInterface | Field::OutInterface => {
            format!(
                "{field:?}={}",
                value::interface_name(*value).unwrap_or_else(|| value.to_string())
            )
        }
        _ => format!("{field:?}={value}"),
    };
    values.iter().map(word).collect::<Vec<_>>().join(" ")
}
