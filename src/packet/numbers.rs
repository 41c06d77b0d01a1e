//! Products of field values as text that another run reads back: numbers and addresses, no words of a site.
//!
//! `family=4 protocol=6 service=22-23 from=10.0.0.0-10.255.255.255`: tests joined by blanks, ranges by commas; `any` is every
//! packet. Who somebody is has another number in each run, and stands here by a number made of its name, in hexadecimal.
//! INVARIANT: what is written is read back as the same product; these texts lie in baselines, so no name here changes.

use std::net::IpAddr;
use std::str::FromStr;

use super::address::Family;
use super::{Field, RangeSet, Region};

/// The fields that an opening may ask about, by their names here.
const NAMES: &[(&str, Field)] = &[
    ("family", Field::Family),
    ("protocol", Field::Protocol),
    ("service", Field::Service),
    ("source-port", Field::SourcePort),
    ("in", Field::InInterface),
    ("out", Field::OutInterface),
    ("from", Field::Source4),
    ("from6", Field::Source6),
    ("to", Field::Destination4),
    ("to6", Field::Destination6),
    ("from-whom", Field::SourceIdentity),
    ("to-whom", Field::DestinationIdentity),
];

/// A product as it is read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product {
    /// What fields may be.
    pub tests: Vec<(Field, RangeSet)>,
    /// Who may be at an end, by the numbers of their names.
    pub who: Vec<(Field, Vec<u64>)>,
}

/// A text is no product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is no product of packets")]
pub struct NoProduct;

fn is_who(field: Field) -> bool {
    matches!(field, Field::SourceIdentity | Field::DestinationIdentity)
}

/// The family whose addresses a field has.
fn family_of(field: Field) -> Option<Family> {
    let of = |family: &Family| family.source() == field || family.destination() == field;
    Family::ALL.into_iter().find(of)
}

impl Region {
    /// The region as text, with the numbers of names of those whose numbers a set has; `None` where it asks what cannot be
    /// written.
    #[must_use]
    pub fn to_numbers(&self, names: &dyn Fn(&RangeSet) -> Vec<u64>) -> Option<String> {
        let mut tests = Vec::new();
        for (field, values) in &self.tests {
            let (name, _) = NAMES.iter().find(|(_, known)| known == field)?;
            let values: Vec<String> = if is_who(*field) {
                names(values).iter().map(|name| format!("{name:x}")).collect()
            } else {
                let ranges = values.ranges().iter();
                ranges.map(|&(low, high)| range(*field, low, high)).collect()
            };
            tests.push(format!("{name}={}", values.join(",")));
        }
        if tests.is_empty() {
            return Some("any".to_owned());
        }
        Some(tests.join(" "))
    }
}

fn range(field: Field, low: u128, high: u128) -> String {
    let one = |value: u128| match (family_of(field), field) {
        (Some(family), _) => family.address(value).to_string(),
        (None, Field::Family) if value == Family::V4.value() => "4".to_owned(),
        (None, Field::Family) => "6".to_owned(),
        (None, _) => value.to_string(),
    };
    if low == high {
        one(low)
    } else {
        format!("{}-{}", one(low), one(high))
    }
}

impl FromStr for Product {
    type Err = NoProduct;

    fn from_str(text: &str) -> Result<Self, NoProduct> {
        let mut product = Self {
            tests: Vec::new(),
            who: Vec::new(),
        };
        if text == "any" {
            return Ok(product);
        }
        for test in text.split(' ') {
            let (name, values) = test.split_once('=').ok_or(NoProduct)?;
            let (_, field) = NAMES.iter().find(|(known, _)| *known == name).ok_or(NoProduct)?;
            let values = values.split(',').filter(|value| !value.is_empty());
            if is_who(*field) {
                let numbers = values.map(|value| u64::from_str_radix(value, 16));
                let numbers = numbers.collect::<Result<_, _>>().map_err(|_| NoProduct)?;
                product.who.push((*field, numbers));
            } else {
                let ranges = values.map(|value| read_range(*field, value));
                let ranges = ranges.collect::<Option<Vec<_>>>().ok_or(NoProduct)?;
                product.tests.push((*field, RangeSet::from_ranges(ranges)));
            }
        }
        Ok(product)
    }
}

fn read_range(field: Field, text: &str) -> Option<(u128, u128)> {
    let one = |text: &str| {
        let value = match (family_of(field), field) {
            (Some(family), _) => match (text.parse().ok()?, family) {
                (IpAddr::V4(address), Family::V4) => u128::from(u32::from(address)),
                (IpAddr::V6(address), Family::V6) => u128::from(address),
                _ => return None,
            },
            (None, Field::Family) => match text {
                "4" => Family::V4.value(),
                "6" => Family::V6.value(),
                _ => return None,
            },
            (None, _) => text.parse().ok()?,
        };
        (value <= field.maximum()).then_some(value)
    };
    let (low, high) = text.split_once('-').unwrap_or((text, text));
    let (low, high) = (one(low)?, one(high)?);
    (low <= high).then_some((low, high))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let tests = vec![
            (Field::Family, RangeSet::point(Family::V6.value())),
            (Field::Protocol, RangeSet::point(6)),
            (Field::InInterface, RangeSet::range(1, u128::MAX)),
            (Field::Service, RangeSet::from_ranges([(22, 23), (443, 443)])),
            (Field::SourceIdentity, RangeSet::from_ranges([(0, 1)])),
            (Field::Source6, RangeSet::range(1, 255)),
        ];
        let region = Region { tests: tests.clone() };
        let text = region.to_numbers(&|_| vec![10, 11]).unwrap();
        assert_eq!(
            text,
            "family=6 protocol=6 in=1-340282366920938463463374607431768211455 service=22-23,443 from-whom=a,b from6=::1-::ff"
        );
        let read: Product = text.parse().unwrap();
        let all_but_who: Vec<_> = tests.into_iter().filter(|(field, _)| !is_who(*field)).collect();
        assert_eq!(read.tests, all_but_who);
        assert_eq!(read.who, [(Field::SourceIdentity, vec![10, 11])]);
        assert_eq!(
            "any".parse(),
            Ok(Product {
                tests: vec![],
                who: vec![]
            })
        );
    }

    #[test]
    fn what_is_no_product_is_refused() {
        for text in [
            "",
            "tcp/22",
            "service=22-",
            "service=65536",
            "service=9-8",
            "from=::1",
            "family=5",
            "from-whom=x",
        ] {
            assert_eq!(text.parse::<Product>(), Err(NoProduct), "{text}");
        }
    }
}
