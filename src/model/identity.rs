//! Who the ends of packets are apart from their addresses, as far as a run can tell them apart.
//!
//! A unit says which classes of peers it knows ([`Identity`]) and which groups each is in; a run puts the classes of all units
//! behind each other and numbers them ([`Identities`]). INVARIANT: number 0 is in no group: the peers that no unit knows.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use super::{Members, Ruleset};
use crate::packet::RangeSet;
use crate::source::Span;

/// A class of peers that no group and no selector tells apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// For people: ``pods of `shop/web` ``, ``any other pod of namespace `shop` ``.
    pub name: String,
    /// The bytes that define it; `None` for peers that are not there yet, or not in the cluster.
    pub span: Option<Span>,
    /// The groups that it is in, by [`super::Group::key`], sorted. Selectors of peers are groups too, with keys of their own.
    pub groups: Vec<Arc<str>>,
    /// Why it may be in others too, if it may.
    pub others: Option<Arc<str>>,
    /// Its addresses, where they are known; none if not.
    pub addresses: Vec<IpAddr>,
    /// Whether there is such a peer.
    pub presence: Presence,
    /// What bindings know it by, if it is pods that may be made.
    pub pods: Option<PodLabels>,
}

/// Pods that may be made, as bindings know them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodLabels {
    /// Their namespace; `None`: one that is not there.
    pub namespace: Option<String>,
    /// Their labels.
    pub labels: BTreeMap<String, String>,
}

/// Whether a unit has a peer, or only says what one would be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Presence {
    /// The unit has it: an instance, a workload.
    Here,
    /// It may be made any time: any other pod, any other namespace.
    Possible,
}

/// The classes of a run, numbered: values of [`Field::SourceIdentity`](crate::packet::Field::SourceIdentity) and
/// [`Field::DestinationIdentity`](crate::packet::Field::DestinationIdentity).
#[derive(Debug, Clone, Default)]
pub struct Identities {
    /// Number 1 is the first.
    classes: Vec<Identity>,
    /// The numbers of classes by their groups.
    numbers: BTreeMap<Vec<Arc<str>>, Vec<u32>>,
}

impl Identities {
    /// The peers that no unit knows: those with an address and nothing else.
    pub const UNKNOWN: u32 = 0;

    /// Takes one class more, and says its number.
    pub fn add(&mut self, class: Identity) -> u32 {
        let number = u32::try_from(self.classes.len() + 1).unwrap_or(u32::MAX);
        self.numbers.entry(class.groups.clone()).or_default().push(number);
        self.classes.push(class);
        number
    }

    /// The number of the first class that is in these groups, and for the same reason perhaps in others.
    #[must_use]
    pub fn number(&self, groups: &[Arc<str>], others: Option<&str>) -> Option<u32> {
        let mut numbers = self.numbers.get(groups)?.iter().copied();
        numbers.find(|&number| {
            let class = self.get(number);
            class.is_some_and(|class| class.others.as_deref() == others)
        })
    }

    /// The class of a number; `None` for [`Identities::UNKNOWN`] and numbers that nobody has.
    #[must_use]
    pub fn get(&self, number: u32) -> Option<&Identity> {
        self.classes.get((number as usize).checked_sub(1)?)
    }

    /// All classes with their numbers.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &Identity)> {
        (1..).zip(&self.classes)
    }

    /// Who is in which group. A group of the units that nobody is in has nobody.
    #[must_use]
    pub fn members<'a>(&self, groups: impl IntoIterator<Item = &'a Arc<str>>) -> Members {
        let mut numbers: BTreeMap<Arc<str>, Vec<(u128, u128)>> = BTreeMap::new();
        for group in groups {
            numbers.entry(group.clone()).or_default();
        }
        for (number, class) in self.iter() {
            for group in &class.groups {
                let number = u128::from(number);
                numbers.entry(group.clone()).or_default().push((number, number));
            }
        }
        let sure = numbers.into_iter();
        let sure = sure.map(|(group, numbers)| (group, RangeSet::from_ranges(numbers)));
        let doubtful = || self.iter().filter(|(_, class)| class.others.is_some());
        let why = doubtful().find_map(|(_, class)| class.others.clone());
        Members {
            sure: sure.collect(),
            doubtful: RangeSet::from_ranges(doubtful().map(|(number, _)| (number.into(), number.into()))),
            why: why.unwrap_or_default(),
        }
    }
}

/// A workload of a cluster: a host of its own, whose layer is made of the policies that select it.
#[derive(Debug, Clone)]
pub struct Workload {
    /// What users call it: `stacklight/prometheus`.
    pub name: String,
    /// What made its pods: `StatefulSet`.
    pub kind: &'static str,
    /// Its namespace.
    pub namespace: String,
    /// The labels of its pods.
    pub labels: BTreeMap<String, String>,
    /// The bytes of its name.
    pub span: Span,
    /// The class of its pods, as an index into the identities of the unit.
    pub identity: usize,
    /// Whether its pods use the network of their node: then policies need not apply to them.
    pub is_on_host_network: bool,
    /// What policies let through to its pods ([`super::Hook::Input`]) and from them ([`super::Hook::Output`]).
    pub ruleset: Ruleset,
}
