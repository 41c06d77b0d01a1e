//! Which policies packets meet between two zones: firewalld.policies(5).
//!
//! Later versions of firewalld ask the policies of the two zones that a packet is in. Up to 2.3 each policy asks by itself
//! whether the packet comes from a source or interface of its zones, and goes to one: the same, but where zones overlap.
//! INVARIANT: where the two differ it is not known whether the policy is asked.

use super::Lowering;
use super::condition::{Side, any, is_interface, unknown};
use super::dispatch::Point;
use super::place::Place;
use crate::dialect::firewalld::ast::{Ends, Peer, Policy, Zone};
use crate::model::{Condition, Hook};
use crate::packet::Field;

/// A policy that packets may meet.
pub(super) struct Applied<'f> {
    pub(super) name: &'f str,
    pub(super) policy: &'f Policy,
    /// What must hold; empty if nothing.
    pub(super) conditions: Vec<Condition>,
}

/// How a packet at some point stands to one end of a policy.
enum Stands {
    /// It is there, in every version.
    There,
    /// It is not, in any.
    Elsewhere,
    /// Whether its zone is one of the policy's, and whether it comes from one of them by itself.
    Depends(bool, Condition),
}

impl<'f> Lowering<'f> {
    /// The policies from one point to another, in the order in which they are asked.
    pub(super) fn applied(&mut self, place: Place, from: Point<'_>, to: Point<'_>) -> Vec<Applied<'f>> {
        let folder = self.folder;
        let mut applied = Vec::new();
        for (name, policy) in folder.policies.iter().filter(|(_, policy)| !policy.is_disabled) {
            let ends = [
                self.stands(place, &policy.ingress, from, Side::Source),
                self.stands(place, &policy.egress, to, Side::Destination),
            ];
            if let Some(conditions) = conditions(ends) {
                applied.push(Applied {
                    name,
                    policy,
                    conditions,
                });
            }
        }
        applied.sort_by_key(|one| (one.policy.priority, one.name));
        applied
    }

    fn stands(&mut self, place: Place, ends: &Ends, point: Point<'_>, side: Side) -> Stands {
        let (zones, name) = match (ends, point) {
            (Ends::Host, Point::Host) | (Ends::Any, Point::Zone(_)) => return Stands::There,
            (Ends::Zones(zones), Point::Zone(name)) => (zones, name),
            _ => return Stands::Elsewhere,
        };
        let is_named = zones.iter().any(|zone| zone.value == name);
        let is_default = *name == self.default_zone;
        // By its own source or interface a packet came here.
        if is_named && !is_default {
            return Stands::There;
        }
        let folder = self.folder;
        let here = folder.zones.get(name);
        let mut ways = Vec::new();
        for other in zones.iter().filter_map(|zone| folder.zones.get(&zone.value)) {
            if is_named || here.is_some_and(|here| overlap(here, other)) {
                self.bindings_of(place, other, side, &mut ways);
            }
        }
        if !is_named && ways.is_empty() {
            return Stands::Elsewhere;
        }
        Stands::Depends(is_named, any(ways))
    }

    /// What each source and interface of a zone asks.
    fn bindings_of(&mut self, place: Place, zone: &Zone, side: Side, ways: &mut Vec<Condition>) {
        let is_routed = side == Side::Source || place.hook != Hook::Prerouting;
        let field = match side {
            Side::Source => Field::InInterface,
            Side::Destination => Field::OutInterface,
        };
        let interfaces = zone.interfaces.iter().filter(|_| is_routed);
        ways.extend(interfaces.map(|one| is_interface(&one.value, field)));
        for source in &zone.sources {
            if side == Side::Source || !matches!(source.value, Peer::Mac(_)) {
                ways.push(self.is_peer(&source.value, side, source.span));
            }
        }
    }
}

/// Whether a packet that was found to be of one zone may have a source or interface of the other: sources are asked before
/// interfaces, and a name of an interface is one.
fn overlap(here: &Zone, other: &Zone) -> bool {
    let is_plain = |zone: &Zone| {
        zone.ingress_priority == 0
            && zone.egress_priority == 0
            && zone.sources.is_empty()
            && zone.interfaces.iter().all(|one| !one.value.ends_with('+'))
    };
    !is_plain(here) || (!is_plain(other) && other.sources.is_empty())
}

/// What must hold for a policy to be asked; `None` if it is not.
fn conditions(ends: [Stands; 2]) -> Option<Vec<Condition>> {
    let mut is_named = true;
    let mut old = Vec::new();
    for end in ends {
        match end {
            Stands::There => {}
            Stands::Elsewhere => return None,
            Stands::Depends(named, condition) => {
                is_named &= named;
                old.push(condition);
            }
        }
    }
    if old.is_empty() {
        return Some(old);
    }
    let is_old = unknown(
        Some("policies by themselves".to_owned()),
        "whether a policy is asked of packets that its zones have sources or interfaces of, but that are in another zone, depends on the version of firewalld",
    );
    Some(if is_named {
        vec![Condition::Any(vec![
            Condition::Not(Box::new(is_old)),
            Condition::All(old),
        ])]
    } else {
        old.push(is_old);
        old
    })
}
