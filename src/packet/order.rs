//! The order of the fields in the diagrams: the one place that knows it.
//!
//! Few distinct values first, the many addresses last, single bits at the bottom where they cost least.

use super::Field;

/// Fields in the order of the levels, down to the single bits.
const ORDER: [Field; 19] = [
    Field::Family,
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
    Field::Destination4,
    Field::Destination6,
    Field::Source4,
    Field::Source6,
    Field::DestinationClass,
    Field::SourceClass,
];

const MARKS: u16 = 19;
const PROPERTIES: u16 = MARKS + 32;

impl Field {
    /// The level at which diagrams ask this field.
    pub(super) fn level(self) -> u16 {
        match self {
            Self::Family => 0,
            Self::Protocol => 1,
            Self::State => 2,
            Self::TcpFlags => 3,
            Self::Fragment => 4,
            Self::StatusDnat => 5,
            Self::StatusSnat => 6,
            Self::InInterface => 7,
            Self::OutInterface => 8,
            Self::Service => 9,
            Self::SourcePort => 10,
            Self::DestinationIdentity => 11,
            Self::SourceIdentity => 12,
            Self::Destination4 => 13,
            Self::Destination6 => 14,
            Self::Source4 => 15,
            Self::Source6 => 16,
            Self::DestinationClass => 17,
            Self::SourceClass => 18,
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
