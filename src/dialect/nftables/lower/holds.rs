//! What a selector reads, and a set of values, to a condition on packets.
//!
//! INVARIANT: a condition is exact, or it has an [`Unknown`] in it.

use super::chains::Lowering;
use super::condition::{always, never, not, test};
use super::cube::Cube;
use super::place::{Place, When};
use crate::dialect::nftables::ast::{Comparison, Expr};
use crate::dialect::nftables::names::Key;
use crate::dialect::nftables::parser::canonical;
use crate::model::{Condition, Unknown};
use crate::packet::protocol::number as known;
use crate::packet::{Field, RangeSet, value as packet_value};

/// Types of ICMPv6 that are never tracked.
const NEVER_TRACKED: [(u128, u128); 2] = [(130, 137), (143, 143)];

/// The header of mobility is a protocol's.
const MOBILITY: u128 = 135;

impl<'p, 'a> Lowering<'p, 'a> {
    /// Whether what a selector reads is one of the values.
    pub(super) fn holds(
        &mut self,
        place: &Place<'p, 'a>,
        key: &Key,
        set: &RangeSet,
        question: (&Expr<'a>, Comparison, &Expr<'a>),
    ) -> Condition {
        use crate::dialect::nftables::names::Side::{Destination, Source};
        match key {
            Key::Address(family, Source) => test(family.source(), set.clone()),
            Key::Address(family, Destination) => test(family.destination(), set.clone()),
            Key::Port(_, Source) => test(Field::SourcePort, set.clone()),
            Key::Port(_, Destination) => test(Field::Service, set.clone()),
            Key::TransportPort(side) => {
                let field = if *side == Source {
                    Field::SourcePort
                } else {
                    Field::Service
                };
                self.transport_port(place, field, set, question)
            }
            Key::L4Protocol | Key::Protocol(_) => test(Field::Protocol, set.clone()),
            Key::TcpFlags => test(Field::TcpFlags, set.clone()),
            Key::IcmpType(_) => test(Field::Service, icmp_types(set)),
            Key::IcmpCode(_) => test(Field::Service, icmp_codes(set)),
            Key::Interface(Source) => test(Field::InInterface, set.clone()),
            Key::Interface(Destination) => self.leaves_by(place, set),
            Key::NfProto => families(set.contains(2), set.contains(10)),
            Key::EtherType => families(set.contains(0x0800), set.contains(0x86dd)),
            Key::CtState => self.state(place, set),
            Key::CtDirection => self.direction(set),
            Key::Class(side) => {
                let field = if *side == Source {
                    Field::SourceClass
                } else {
                    Field::DestinationClass
                };
                self.class(field, set)
            }
            Key::Mark | Key::CtStatus => always(),
            Key::Other(other) if other.is_of_extension_header() => {
                if set.contains(0) {
                    always()
                } else {
                    Condition::never_met()
                }
            }
            Key::Other(other) if other.name == "exthdr mh" => {
                let mobility = Condition::Test(Field::Protocol, RangeSet::point(MOBILITY));
                not(mobility, !set.contains(1))
            }
            Key::Other(other) => {
                let span = self.texts.span(question.0.text);
                let why = self.unknowns.count(&other.name, span, false);
                let (property, _) = self.question(&other.name, question.1, question.2);
                let is_kept = other.keeps && !(other.is_of_destination && self.program_translates);
                let property = is_kept.then(|| self.unknowns.text(&property));
                let inverse = matches!(question.1, Comparison::LessOrEqual | Comparison::GreaterOrEqual);
                not(Condition::Unknown(Unknown { property, why }), inverse)
            }
        }
    }

    /// `th dport` reads the bytes where ports are, whatever the protocol.
    fn transport_port(
        &mut self,
        place: &Place<'p, 'a>,
        field: Field,
        set: &RangeSet,
        question: (&Expr<'a>, Comparison, &Expr<'a>),
    ) -> Condition {
        let with_ports = RangeSet::from_ranges(
            crate::dialect::nftables::names::WITH_PORTS
                .map(|protocol| (u128::from(protocol), u128::from(protocol))),
        );
        let is_port = test(field, set.clone());
        if place.protocols.is_subset(&with_ports) {
            return is_port;
        }
        let name = canonical(question.0.text);
        let (property, _) = self.question(&name, question.1, question.2);
        let why = self
            .unknowns
            .text("this protocol has no ports: other bytes of its header are compared");
        let property = Some(self.unknowns.text(&property));
        let others = with_ports.complement(255);
        Condition::Any(vec![
            Condition::All(vec![Condition::Test(Field::Protocol, with_ports), is_port]),
            Condition::All(vec![
                Condition::Test(Field::Protocol, others),
                Condition::Unknown(Unknown { property, why }),
            ]),
        ])
    }

    /// Before connections are tracked, every packet is invalid, or untracked by a rule.
    pub(super) fn state(&mut self, place: &Place<'p, 'a>, set: &RangeSet) -> Condition {
        let states = STATES.iter().filter(|(_, bit)| set.contains(*bit));
        let tracked = test(
            Field::State,
            RangeSet::from_ranges(states.map(|(state, _)| (*state, *state))),
        );
        let before = match (set.contains(1), set.contains(64)) {
            (true, true) => always(),
            (false, false) => never(),
            (is_invalid, _) => not(self.untracked_by_rule(), is_invalid),
        };
        let why = "the chain is called before and after connections are tracked";
        self.met(place.met.tracking, tracked, before, why)
    }

    /// Whether a rule has said already that a packet is not to be tracked. The kernel never tracks neighbour discovery and
    /// multicast listeners (`nf_conntrack_proto_icmpv6.c`), so of these it is not known.
    fn untracked_by_rule(&mut self) -> Condition {
        let why = self
            .unknowns
            .text("whether a rule exempts these packets from connection tracking is not known: they are never tracked");
        let by_itself = Condition::All(vec![
            Condition::Test(Field::Protocol, RangeSet::point(known::ICMPV6.into())),
            Condition::Test(Field::Service, icmp_types(&RangeSet::from_ranges(NEVER_TRACKED))),
            Condition::Unknown(Unknown { property: None, why }),
        ]);
        Condition::All(vec![
            Condition::Test(Field::State, RangeSet::point(packet_value::UNTRACKED)),
            not(by_itself, true),
        ])
    }

    /// By which interface a packet leaves: before it is routed, by one without a name.
    fn leaves_by(&mut self, place: &Place<'p, 'a>, set: &RangeSet) -> Condition {
        let unrouted = if set.contains(0) { always() } else { never() };
        let why = "the chain is called before and after packets are routed";
        self.met(
            place.met.routing,
            test(Field::OutInterface, set.clone()),
            unrouted,
            why,
        )
    }

    /// What holds of packets, whether they are met after something happened to them or before.
    fn met(&mut self, when: When, after: Condition, before: Condition, why: &str) -> Condition {
        match when {
            When::After => after,
            When::Before => before,
            When::Either => {
                let why = self.unknowns.text(why);
                let unknown = Condition::Unknown(Unknown { property: None, why });
                Condition::Any(vec![
                    Condition::All(vec![after.clone(), before.clone()]),
                    Condition::All(vec![Condition::Any(vec![after, before]), unknown]),
                ])
            }
        }
    }

    /// A new connection's packets are in its original direction.
    fn direction(&mut self, set: &RangeSet) -> Condition {
        match (set.contains(0), set.contains(1)) {
            (true, true) => always(),
            (false, false) => never(),
            (original, _) => {
                let is_new = Condition::Test(Field::State, RangeSet::point(packet_value::NEW));
                let why = self
                    .unknowns
                    .text("the direction in a connection is not modelled");
                let property = Some(self.unknowns.text("ct direction original"));
                let is_original = Condition::Unknown(Unknown { property, why });
                not(Condition::Any(vec![is_new, is_original]), !original)
            }
        }
    }

    /// Translations are modelled, the other bits of a connection's status are not.
    pub(super) fn status_bits(&mut self, cube: Cube) -> Condition {
        let mut parts = Vec::new();
        for (bit, field) in [(16, Field::StatusSnat), (32, Field::StatusDnat)] {
            if cube.care & bit != 0 {
                parts.push(Condition::Test(
                    field,
                    RangeSet::point(u128::from(cube.value & bit != 0)),
                ));
            }
        }
        let care = cube.care & !TRANSLATED;
        if care != 0 {
            let name = self.unknowns.text(&format!(
                "ct status & {care:#x} == {:#x}",
                cube.value & !TRANSLATED
            ));
            let why = self
                .unknowns
                .text("this bit of a connection's status is not modelled");
            parts.push(Condition::Unknown(Unknown {
                property: Some(name),
                why,
            }));
        }
        Condition::All(parts)
    }

    /// What the routing table says of an address.
    fn class(&mut self, field: Field, set: &RangeSet) -> Condition {
        let known = CLASSES.iter().filter(|(_, fib)| set.contains(*fib));
        let mut classes: Vec<(u128, u128)> = known.map(|(class, _)| (*class, *class)).collect();
        let refused = (6..=8).filter(|fib| set.contains(*fib)).count();
        if refused == 3 {
            classes.push((packet_value::REFUSED, packet_value::REFUSED));
        }
        let whole = test(field, RangeSet::from_ranges(classes));
        if !(1..3).contains(&refused) {
            return whole;
        }
        let why = self
            .unknowns
            .text("kinds of routes that refuse are not told apart");
        let part = Condition::All(vec![
            Condition::Test(field, RangeSet::point(packet_value::REFUSED)),
            Condition::Unknown(Unknown { property: None, why }),
        ]);
        Condition::Any(vec![whole, part])
    }
}

/// The bits of `ct status` that are modelled: source and destination translated.
const TRANSLATED: u128 = 0x30;

/// States and their bits in `ct state`.
pub(super) const STATES: [(u128, u128); 5] = [
    (packet_value::INVALID, 1),
    (packet_value::ESTABLISHED, 2),
    (packet_value::RELATED, 4),
    (packet_value::NEW, 8),
    (packet_value::UNTRACKED, 64),
];

/// Classes of addresses and their numbers in `fib`.
const CLASSES: [(u128, u128); 7] = [
    (packet_value::UNSPECIFIED, 0),
    (packet_value::UNICAST, 1),
    (packet_value::LOCAL, 2),
    (packet_value::BROADCAST, 3),
    (packet_value::ANYCAST, 4),
    (packet_value::MULTICAST, 5),
    (packet_value::OTHER_CLASS, 10),
];

fn families(v4: bool, v6: bool) -> Condition {
    match (v4, v6) {
        (true, true) => always(),
        (false, false) => never(),
        (true, false) => Condition::Test(Field::Family, RangeSet::point(packet_value::V4)),
        (false, true) => Condition::Test(Field::Family, RangeSet::point(packet_value::V6)),
    }
}

/// Types of ICMP as values of [`Field::Service`].
pub(super) fn icmp_types(set: &RangeSet) -> RangeSet {
    set.ranges()
        .iter()
        .map(|(low, high)| (low * 256, high.min(&255) * 256 + 255))
        .collect()
}

/// Codes of ICMP, under any type.
fn icmp_codes(set: &RangeSet) -> RangeSet {
    let of_type = |kind: u128| {
        set.ranges()
            .iter()
            .map(move |(low, high)| (kind * 256 + low, kind * 256 + high.min(&255)))
    };
    (0..256).flat_map(of_type).collect()
}

pub(super) fn mark_bits(cube: Cube) -> Condition {
    let bits = (0..32u8).filter(|bit| cube.care >> bit & 1 == 1);
    let parts: Vec<_> = bits
        .map(|bit| Condition::Test(Field::Mark(bit), RangeSet::point(cube.value >> bit & 1)))
        .collect();
    Condition::All(parts)
}
