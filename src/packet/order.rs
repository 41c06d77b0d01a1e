//! The order of the fields in the diagrams: the one place that knows it.
//!
//! Few distinct values first, the many addresses last, single bits at the bottom where they cost least.

use super::Field;

/// Fields in the order of the levels, down to the single bits.
const ORDER: [Field; 19] = [
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
    Field::Service,
    Field::SourcePort,
    Field::DestinationIdentity,
    Field::SourceIdentity,
    Field::Source4,
    Field::Source6,
    Field::Destination4,
    Field::Destination6,
];

const MARKS: u16 = 19;
const PROPERTIES: u16 = MARKS + 32;

impl Field {
    /// The level at which diagrams ask this field.
    pub(super) fn level(self) -> u16 {
        match self {
            Self::Family => 0,
            Self::DestinationClass => 1,
            Self::SourceClass => 2,
            Self::Protocol => 3,
            Self::State => 4,
            Self::TcpFlags => 5,
            Self::Fragment => 6,
            Self::StatusDnat => 7,
            Self::StatusSnat => 8,
            Self::InInterface => 9,
            Self::OutInterface => 10,
            Self::Service => 11,
            Self::SourcePort => 12,
            Self::DestinationIdentity => 13,
            Self::SourceIdentity => 14,
            Self::Source4 => 15,
            Self::Source6 => 16,
            Self::Destination4 => 17,
            Self::Destination6 => 18,
            Self::Mark(bit) => MARKS + u16::from(bit.min(31)),
            Self::Property(index) => PROPERTIES.saturating_add(index),
        }
    }

    /// The field that is asked at a level.
    pub(super) fn at_level(level: u16) -> Self {
        match ORDER.get(usize::from(level)) {
            Some(&field) => field,
            None if level < PROPERTIES => Self::Mark(u8::try_from(level - MARKS).unwrap_or(31)),
            None => Self::Property(level - PROPERTIES),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_and_fields_are_each_others_inverse() {
        for level in 0..PROPERTIES + 5 {
            assert_eq!(Field::at_level(level).level(), level);
        }
        assert_eq!(ORDER.len(), usize::from(MARKS));
    }
}
