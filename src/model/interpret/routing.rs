//! A packet that arrives, past the point where its destination may be translated. INVARIANT: a packet that is not
//! translated stays on the path that it was sent on.

use std::sync::Arc;

use super::super::decider::DoubtReason;
use super::super::path::{MARTIAN, Path, delivered_classes, loopback_addresses, loopback_interface};
use super::super::{Hook, Purpose};
use super::{Accepted, Answer, Interpreter, Packet, Verdict, split};
use crate::packet::{Family, Field, RangeSet, value};

impl Interpreter<'_> {
    /// What happens to a packet that begins on a path. Where its destination is translated on arriving, routing decides
    /// anew: it is delivered here, or sent on by an interface that is not known; both, if it is not known which.
    #[must_use]
    pub fn route(&self, path: Path, packet: Packet) -> Answer {
        if path == Path::Output || !self.translates_arriving() {
            return self.run(path, packet);
        }
        let mut answer = Answer::default();
        let (mut here, mut onward) = (Vec::new(), Vec::new());
        for (packet, by) in self.hooks(&[Hook::Prerouting], vec![(packet, None)], &mut answer) {
            let (translated, plain) = split(&packet, Field::StatusDnat, &RangeSet::point(1));
            let stays = if path == Path::Input {
                &mut here
            } else {
                &mut onward
            };
            stays.extend(plain.map(|packet| (packet, by)));
            if let Some(packet) = translated {
                let (delivered, sent_on) = self.sides(packet, &mut answer);
                let delivered = delivered.inspect(|packet| martian(packet, &mut answer));
                here.extend(delivered.map(|packet| (packet, by)));
                let somewhere = |packet: Packet| match path {
                    Path::Forward => packet,
                    _ => packet.with(Field::OutInterface, RangeSet::range(1, u128::MAX)),
                };
                onward.extend(sent_on.map(|packet| (somewhere(packet), by)));
            }
        }
        let nowhere = |(packet, by): Accepted| (packet.with(Field::OutInterface, RangeSet::point(0)), by);
        let here = here.into_iter().map(nowhere).collect();
        let mut accepted = self.hooks(&[Hook::Input], here, &mut answer);
        accepted.extend(self.hooks(&[Hook::Forward, Hook::Postrouting], onward, &mut answer));
        let accepted = accepted
            .into_iter()
            .map(|(_, by)| (Verdict::Accept, by.map(|by| by.1)));
        answer.verdicts.extend(accepted);
        answer
    }

    /// Whether some base chain translates before packets are routed.
    fn translates_arriving(&self) -> bool {
        let mut bases = self.rulesets.iter().flat_map(|ruleset| &ruleset.bases);
        bases.any(|base| base.hook == Hook::Prerouting && base.purpose == Purpose::Nat)
    }

    /// The parts of a translated packet that are delivered here and that are sent on.
    fn sides(&self, packet: Packet, answer: &mut Answer) -> (Option<Packet>, Option<Packet>) {
        let packet = match self.is_own(&packet) {
            Some(is_own) => {
                let class = if is_own { value::LOCAL } else { value::UNICAST };
                packet.with(Field::DestinationClass, RangeSet::point(class))
            }
            None => packet,
        };
        let (delivered, sent_on) = split(&packet, Field::DestinationClass, &delivered_classes());
        if delivered.is_some() && sent_on.is_some() {
            answer.doubts.insert(DoubtReason {
                span: None,
                why: Arc::from("whether the new destination is an address of this host is not known"),
            });
        }
        (delivered, sent_on)
    }

    /// Whether a translated packet is for this host, as far as its class leaves that open and its addresses tell.
    fn is_own(&self, packet: &Packet) -> Option<bool> {
        if packet.values(Field::DestinationClass).single().is_some() {
            return None;
        }
        let is_v6 = packet.values(Field::Family).single() == Some(value::V6);
        let (family, own) = if is_v6 {
            (Family::V6, &self.facts.addresses6)
        } else {
            (Family::V4, &self.facts.addresses4)
        };
        let loopback = loopback_addresses(family);
        let to = packet.values(family.destination());
        if to.is_subset(&loopback) {
            return Some(true);
        }
        let own = own.as_ref()?;
        if to.intersection(&own.union(&loopback)).is_empty() {
            return Some(false);
        }
        // The host has one of its addresses; only if they are one is it known which.
        (own.single().is_some() && to.single() == own.single()).then_some(true)
    }
}

/// A packet from elsewhere that was translated to loopback may be dropped as a martian; see `Compiler::martians`.
fn martian(packet: &Packet, answer: &mut Answer) {
    let may_be = |field: Field, values: &RangeSet| !packet.values(field).intersection(values).is_empty();
    let elsewhere = loopback_interface().complement(u128::MAX);
    if may_be(Field::Family, &RangeSet::point(value::V4))
        && may_be(Family::V4.destination(), &loopback_addresses(Family::V4))
        && may_be(Field::InInterface, &elsewhere)
    {
        answer.verdicts.insert((Verdict::Drop, None));
        let why = Arc::from(MARTIAN);
        answer.doubts.insert(DoubtReason { span: None, why });
    }
}
