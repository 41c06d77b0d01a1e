//! Addresses of both families, and who has them.

use super::view::odd_peers;
use crate::model::{Identities, Presence};
use crate::packet::{Family, Network, RangeSet};
use crate::site::ZoneNetworks;

/// Addresses of both families.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Addresses {
    v4: RangeSet,
    v6: RangeSet,
}

impl Addresses {
    /// The addresses of these networks.
    #[must_use]
    pub fn of(networks: impl IntoIterator<Item = Network>) -> Self {
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        for network in networks {
            match network.family {
                Family::V4 => v4.push((network.low, network.high)),
                Family::V6 => v6.push((network.low, network.high)),
            }
        }
        Self {
            v4: v4.into_iter().collect(),
            v6: v6.into_iter().collect(),
        }
    }

    /// Every address.
    #[must_use]
    pub fn all() -> Self {
        Self::of(Family::ALL.map(Network::all))
    }

    /// Every address that some peer can have.
    pub(super) fn of_peers() -> Self {
        let peers = |family: Family| odd_peers(family).complement(family.max());
        Self {
            v4: peers(Family::V4),
            v6: peers(Family::V6),
        }
    }

    /// `127.0.0.1` and `::1`.
    pub(super) fn loopback() -> Self {
        Self {
            v4: RangeSet::point(0x7f00_0001),
            v6: RangeSet::point(1),
        }
    }

    /// Those of one family.
    #[must_use]
    pub fn family(&self, family: Family) -> &RangeSet {
        match family {
            Family::V4 => &self.v4,
            Family::V6 => &self.v6,
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.v4.is_empty() && self.v6.is_empty()
    }

    /// Those in either.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        Self {
            v4: self.v4.union(&other.v4),
            v6: self.v6.union(&other.v6),
        }
    }

    /// Those of `self` that are not in `other`.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        Self {
            v4: self.v4.difference(&other.v4),
            v6: self.v6.difference(&other.v6),
        }
    }

    pub(super) fn of_zone(zone: &ZoneNetworks) -> Self {
        Self {
            v4: zone.networks(Family::V4).clone(),
            v6: zone.networks(Family::V6).clone(),
        }
    }
}

/// Hosts that rules tell from others by their identities, with the addresses that all of them may have, as far as those are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crowd {
    /// Their numbers among the identities of the run: [`Identities::UNKNOWN`], or some of the others.
    pub identities: RangeSet,
    /// Their addresses; none where they are not known.
    pub addresses: Addresses,
    /// Whether they are there. Those that may come to be may get through, but nothing is required for them.
    pub presence: Presence,
}

impl Crowd {
    /// Joins those of the same addresses: where there are thousands of workloads, each is asked about all others at once.
    pub(super) fn join(&self, crowds: &mut Vec<Self>) {
        let is_like = |other: &&mut Self| {
            other.addresses == self.addresses
                && other.presence == self.presence
                && other.is_told_apart() == self.is_told_apart()
        };
        match crowds.iter_mut().find(is_like) {
            Some(other) => other.identities = other.identities.union(&self.identities),
            None => crowds.push(self.clone()),
        }
    }

    /// Whether rules can tell them from somebody of whom only an address is known.
    pub(super) fn is_told_apart(&self) -> bool {
        !self.identities.contains(Identities::UNKNOWN.into())
    }
}
