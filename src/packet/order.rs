//! The order of the fields in the diagrams of a space: the one place that knows it.
//!
//! What has few values comes first, single bits last, where they cost least. In between, services, sources and
//! destinations make up the size of a diagram, and which of them is best asked first depends on the rules: whoever
//! knows them chooses. INVARIANT: every field has one level, and every level one field.

use super::Field;

/// What rules mostly tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Axis {
    /// Ports and ICMP types.
    Services,
    /// Source addresses and identities.
    Sources,
    /// Destination addresses and identities.
    Destinations,
}

impl Axis {
    /// The fields of the axis, in their order.
    #[must_use]
    pub fn fields(self) -> &'static [Field] {
        match self {
            Self::Services => &[Field::Service, Field::SourcePort],
            Self::Sources => &[Field::SourceIdentity, Field::Source4, Field::Source6],
            Self::Destinations => &[
                Field::DestinationIdentity,
                Field::Destination4,
                Field::Destination6,
            ],
        }
    }
}

/// Fields with few values: before everything else.
const SMALL: [Field; 11] = [
    Field::Family,
    Field::DestinationClass,
    Field::SourceClass,
    Field::Protocol,
    Field::State,
    Field::TcpFlags,
    Field::Fragment,
    Field::StatusDnat,
    Field::StatusSnat,
    Field::InInterface,
    Field::OutInterface,
];

/// Fields of more than one bit.
const N_WIDE: usize = 19;
const MARKS: u16 = 19;
const PROPERTIES: u16 = MARKS + 32;

/// An order of all fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Order {
    fields: [Field; N_WIDE],
    /// By [`place`].
    levels: [u16; N_WIDE],
}

impl Default for Order {
    fn default() -> Self {
        Self::of([Axis::Services, Axis::Sources, Axis::Destinations])
    }
}

impl Order {
    /// The order with these axes one after the other. Each axis must be there.
    #[must_use]
    pub fn of(axes: [Axis; 3]) -> Self {
        let big = axes.into_iter().flat_map(Axis::fields);
        let mut order = Self {
            fields: [Field::Family; N_WIDE],
            levels: [0; N_WIDE],
        };
        for (level, &field) in (0..).zip(SMALL.iter().chain(big)).take(N_WIDE) {
            if let Some(slot) = order.fields.get_mut(usize::from(level)) {
                *slot = field;
            }
            if let Some(slot) = place(field).and_then(|place| order.levels.get_mut(place)) {
                *slot = level;
            }
        }
        order
    }

    /// The level at which diagrams ask a field.
    pub(super) fn level(&self, field: Field) -> u16 {
        match field {
            Field::Mark(bit) => MARKS + u16::from(bit.min(31)),
            Field::Property(index) => PROPERTIES.saturating_add(index),
            _ => place(field)
                .and_then(|place| self.levels.get(place))
                .copied()
                .unwrap_or(0),
        }
    }

    /// The field that is asked at a level.
    pub(super) fn field(&self, level: u16) -> Field {
        match self.fields.get(usize::from(level)) {
            Some(&field) => field,
            None if level < PROPERTIES => Field::Mark(u8::try_from(level - MARKS).unwrap_or(31)),
            None => Field::Property(level - PROPERTIES),
        }
    }
}

/// Where the level of a field of more than one bit is kept.
fn place(field: Field) -> Option<usize> {
    Some(match field {
        Field::Family => 0,
        Field::Protocol => 1,
        Field::State => 2,
        Field::TcpFlags => 3,
        Field::Fragment => 4,
        Field::StatusDnat => 5,
        Field::StatusSnat => 6,
        Field::InInterface => 7,
        Field::OutInterface => 8,
        Field::Service => 9,
        Field::SourcePort => 10,
        Field::DestinationIdentity => 11,
        Field::SourceIdentity => 12,
        Field::Destination4 => 13,
        Field::Destination6 => 14,
        Field::Source4 => 15,
        Field::Source6 => 16,
        Field::DestinationClass => 17,
        Field::SourceClass => 18,
        Field::Mark(_) | Field::Property(_) => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_and_fields_are_each_others_inverse() {
        use Axis::{Destinations, Services, Sources};
        for axes in [
            [Services, Sources, Destinations],
            [Services, Destinations, Sources],
            [Sources, Services, Destinations],
            [Sources, Destinations, Services],
            [Destinations, Services, Sources],
            [Destinations, Sources, Services],
        ] {
            let order = Order::of(axes);
            for level in 0..PROPERTIES + 5 {
                assert_eq!(order.level(order.field(level)), level);
            }
            let [first, second, third] = axes.map(|axis| order.level(axis.fields()[0]));
            assert!(first < second && second < third);
        }
    }
}
