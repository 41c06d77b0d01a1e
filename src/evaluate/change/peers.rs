//! Who peers are in both states of a change: one number for whom each state knows by a number of its own.
//!
//! INVARIANT: each number here stands for one number in each state, so sets that are brought here keep their unions and differences.
//! Somebody whom one state does not know is there whom it takes for the same: a class in the same groups, of those that it has;
//! else one of whom only an address is known.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::super::peer::World;
use crate::model::{Identities, Identity, PodLabels};
use crate::packet::{Concrete, Field, RangeSet};

/// The peers of both states.
pub(super) struct Peers {
    /// Their classes by their numbers here.
    pub(super) identities: Arc<Identities>,
    /// Their numbers in the old and the new state, by their numbers here.
    pairs: Vec<[u32; 2]>,
}

impl Peers {
    pub(super) fn of(old: Option<&World>, new: Option<&World>) -> Self {
        let none = Identities::default();
        let known = |world: Option<&'_ World>| world.map(|world| world.identities.clone());
        let (old, new) = (known(old), known(new));
        let [old, new] = [&old, &new].map(|of| of.as_deref().unwrap_or(&none));
        let mut identities = Identities::default();
        let mut pairs = vec![[Identities::UNKNOWN; 2]];
        let by_name = by_name(old);
        let mut met = BTreeSet::new();
        for (number, class) in new.iter() {
            let same = by_name.get(class.name.as_str()).copied();
            let was = same.unwrap_or_else(|| nearest(class, old));
            met.extend(same);
            identities.add(class.clone());
            pairs.push([was, number]);
        }
        for (number, class) in old.iter().filter(|(number, _)| !met.contains(number)) {
            identities.add(class.clone());
            pairs.push([number, nearest(class, new)]);
        }
        Self {
            identities: Arc::new(identities),
            pairs,
        }
    }

    /// The numbers here of those who have these numbers in a state; `None` for fields that say nothing of who somebody is.
    pub(super) fn numbers(&self, field: Field, state: usize, there: &RangeSet) -> Option<RangeSet> {
        if !is_who(field) {
            return None;
        }
        let numbers = (0..).zip(&self.pairs);
        let meant = numbers.filter(|(_, pair)| {
            let number = pair.get(state).copied().unwrap_or_default();
            there.contains(number.into())
        });
        Some(meant.map(|(number, _)| (number, number)).collect())
    }

    /// The value that a packet from here has in a state.
    pub(super) fn value(&self, field: Field, state: usize, packet: &Concrete) -> u128 {
        let value = packet.value(field);
        if !is_who(field) {
            return value;
        }
        let pair = usize::try_from(value).ok().and_then(|at| self.pairs.get(at));
        pair.and_then(|pair| pair.get(state))
            .copied()
            .unwrap_or_default()
            .into()
    }
}

fn is_who(field: Field) -> bool {
    matches!(field, Field::SourceIdentity | Field::DestinationIdentity)
}

/// Classes by their names, but for names that several have.
fn by_name(identities: &Identities) -> BTreeMap<&str, u32> {
    let mut numbers: BTreeMap<&str, Option<u32>> = BTreeMap::new();
    for (number, class) in identities.iter() {
        let known = numbers.entry(&class.name);
        known.and_modify(|known| *known = None).or_insert(Some(number));
    }
    let sure = numbers.into_iter();
    sure.filter_map(|(name, number)| Some((name, number?))).collect()
}

/// Whom a state takes somebody for that it does not know by name.
fn nearest(class: &Identity, among: &Identities) -> u32 {
    if let Some(pods) = &class.pods {
        return nearest_pods(pods, among);
    }
    let there: BTreeSet<&str> = among
        .iter()
        .flat_map(|(_, class)| class.groups.iter().map(AsRef::as_ref))
        .collect();
    let groups = class.groups.iter().filter(|group| there.contains(group.as_ref()));
    let groups: Vec<Arc<str>> = groups.cloned().collect();
    let number = among.number(&groups, class.others.as_deref());
    number.unwrap_or(Identities::UNKNOWN)
}

/// Among which pods a state would have pods that may be made: those of their namespace that have the most of their labels, and no
/// others.
fn nearest_pods(pods: &PodLabels, among: &Identities) -> u32 {
    let like = among.iter().filter_map(|(number, class)| {
        let those = class.pods.as_ref()?;
        let is_here = those.namespace == pods.namespace;
        let is_anywhere = those.namespace.is_none();
        let mut labels = those.labels.iter();
        let has_all = labels.all(|(key, value)| pods.labels.get(key) == Some(value));
        let likeness = (is_here, those.labels.len());
        ((is_here || is_anywhere) && has_all).then_some((likeness, std::cmp::Reverse(number)))
    });
    like.max().map_or(Identities::UNKNOWN, |(_, number)| number.0)
}
