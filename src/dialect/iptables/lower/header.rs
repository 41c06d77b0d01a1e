//! `-m ipv6header`: which extension headers a packet of IPv6 has, to a condition on its protocol.
//!
//! INVARIANT: packets are taken to have no extension headers but those that are their protocol: ESP, AH, and none at all.

use super::Lowering;
use super::condition::test;
use crate::dialect::iptables::ast::{Read, Rule, Term, Unread};
use crate::dialect::iptables::parser;
use crate::model::{Condition, Unknown};
use crate::packet::{Field, RangeSet};

/// A header by its names in iptables-extensions(8), "ipv6header", and by its number.
struct Header {
    names: &'static [&'static str],
    number: u8,
}

const AH: u8 = 51;
const ESP: u8 = 50;
const NONE: u8 = 59;
/// What is said for "some protocol of the layer above".
const UPPER: u8 = 255;

const HEADERS: &[Header] = &[
    Header {
        names: &["hop", "hop-by-hop"],
        number: 0,
    },
    Header {
        names: &["route"],
        number: 43,
    },
    Header {
        names: &["frag"],
        number: 44,
    },
    Header {
        names: &["esp"],
        number: ESP,
    },
    Header {
        names: &["auth"],
        number: AH,
    },
    Header {
        names: &["none"],
        number: NONE,
    },
    Header {
        names: &["dst"],
        number: 60,
    },
    Header {
        names: &["prot", "protocol"],
        number: UPPER,
    },
];

impl<'a> Lowering<'a> {
    /// `--header`: with `--soft` all that are named are there (negated: none of them), without it just those.
    pub(super) fn headers(
        &mut self,
        rule: &Rule<'a>,
        term: &Term<'a>,
        text: &'a str,
    ) -> Read<'a, Option<Condition>> {
        let wanted = text.split(',').map(header).collect::<Read<'a, Vec<u8>>>()?;
        let mut others = rule.terms.iter().filter(|other| other.owner == term.owner);
        let is_soft = others.any(|other| other.entry.is_some_and(|entry| entry.name == "soft"));
        let holds = |of: u8| {
            if is_soft {
                wanted.iter().all(|one| (*one == of) != term.negated)
            } else {
                wanted.iter().all(|one| *one == of) != term.negated
            }
        };
        let point = |of: u8| RangeSet::point(u128::from(of));
        let of_their_own = [ESP, AH, NONE].map(|of| (u128::from(of), u128::from(of)));
        let mut protocols = RangeSet::empty();
        if holds(UPPER) {
            protocols = RangeSet::from_ranges(of_their_own).complement(Field::Protocol.maximum());
        }
        for of in [ESP, NONE] {
            if holds(of) {
                protocols = protocols.union(&point(of));
            }
        }
        // What stands behind an authentication header is another header, and is not known.
        let asked = format!("ipv6header soft {is_soft} not {} {text}", term.negated);
        let property = self.unknowns.text(&asked);
        let why = self
            .unknowns
            .text("what follows an authentication header is not known");
        let unknown = Condition::Unknown(Unknown {
            property: Some(property),
            why,
        });
        let may_hold = Condition::All(vec![test(Field::Protocol, point(AH), false), unknown]);
        if protocols.is_empty() {
            return Ok(Some(may_hold));
        }
        let holds = test(Field::Protocol, protocols, false);
        Ok(Some(Condition::Any(vec![holds, may_hold])))
    }
}

/// The number of a header.
fn header(name: &str) -> Read<'_, u8> {
    let known = HEADERS.iter().find(|header| header.names.contains(&name));
    let number = known
        .map(|header| header.number)
        .or_else(|| parser::protocol(name));
    let is_one = |number: &u8| HEADERS.iter().any(|header| header.number == *number);
    number.filter(is_one).ok_or_else(|| {
        Unread::new(name, format!("`{name}` is not a header of IPv6"))
            .help("they are `hop`, `dst`, `route`, `frag`, `auth`, `esp`, `none` and `prot`")
    })
}
