//! A folder to the rulesets that firewalld's nftables backend loads: one table of both families, one of each for translation.
//!
//! The layout is that of `nft list table inet firewalld` (firewalld 2.5); chains without rules are left out. INVARIANT: each
//! rule points at the element that says it; what firewalld adds of itself is written nowhere, and has an empty span.

mod applied;
mod base;
mod chains;
mod condition;
mod content;
mod direct;
mod dispatch;
mod place;
mod set;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use self::chains::{Chains, jumps};
use self::condition::Side;
use self::place::{Place, Table};
use super::ast::{Folder, Zone};
use crate::dialect::Reading;
use crate::finding::{Code, Finding, Label};
use crate::model::{AskedSet, Condition, Families, Hook, NamedSets};
use crate::packet::Family;
use crate::source::{Source, Span};

/// Zones that packets may meet: there is a chain for each two of them.
const MAX_ZONES: usize = 128;

/// What has been lowered so far.
pub(super) struct Lowering<'f> {
    folder: &'f Folder,
    default_zone: String,
    /// What says the default zone.
    default_span: Span,
    /// What is not modelled: where first, and how often.
    unsupported: BTreeMap<String, (Span, usize)>,
    dangling: BTreeSet<(String, Span)>,
    members: BTreeMap<(String, Side), Members>,
    /// The ipsets that rules ask, by the place of the match.
    listed: Vec<(Span, Arc<AskedSet>)>,
    notices: Vec<Finding>,
}

/// Whether one end of a packet is in an ipset, and the same entry by entry as far as one can be pointed at.
type Members = (Condition, Option<Arc<AskedSet>>);

/// Lowers a folder.
pub(super) fn lower(folder: &Folder, unit: &[Source<'_>], into: &mut Reading) {
    let mut lowering = Lowering::new(folder);
    lowering.check_names();
    let mut directs = direct::read(&folder.directs, unit, into);
    let mut both = Chains::new(Families::Both, lowering.default_span);
    for place in [Place::INPUT, Place::FORWARD, Place::OUTPUT] {
        let dispatch = if lowering.active().len() > MAX_ZONES {
            lowering.too_many_zones()
        } else {
            lowering.dispatch(&mut both, place, None)
        };
        let direct = lowering.graft(&mut both, place, &mut directs);
        lowering.filter(&mut both, place, direct, dispatch);
    }
    for hook in [Hook::Prerouting, Hook::Output] {
        lowering.hook(&mut both, Place::new(Table::Mangle, hook), None);
    }
    into.rulesets.extend(both.finish());
    for (family, families) in [(Family::V4, Families::V4), (Family::V6, Families::V6)] {
        let mut chains = Chains::new(families, lowering.default_span);
        for hook in [Hook::Prerouting, Hook::Output, Hook::Postrouting] {
            lowering.hook(&mut chains, Place::new(Table::Nat, hook), Some(family));
        }
        into.rulesets.extend(chains.finish());
    }
    into.rulesets
        .extend(directs.into_iter().filter(|ruleset| !ruleset.bases.is_empty()));
    lowering.finish(into);
}

impl<'f> Lowering<'f> {
    fn new(folder: &'f Folder) -> Self {
        let said = folder.conf.default_zone.as_ref();
        let default_zone = said.map_or("public", |zone| zone.value.as_str());
        let exists = |name: &&str| folder.zones.contains_key(*name);
        // "Default zone is not valid. Using …"
        let usable = [default_zone, "public", "external", "block"]
            .into_iter()
            .find(exists);
        Self {
            folder,
            default_zone: usable.unwrap_or(default_zone).to_owned(),
            default_span: said.map_or(folder.start, |zone| zone.span),
            unsupported: BTreeMap::new(),
            dangling: BTreeSet::new(),
            members: BTreeMap::new(),
            listed: Vec::new(),
            notices: Vec::new(),
        }
    }

    fn is_default(&self, zone: &Zone) -> bool {
        let default = self.folder.zones.get(&self.default_zone);
        default.is_some_and(|default| std::ptr::eq(default, zone))
    }

    /// A base chain that is there only where something leads on from it.
    fn hook(&mut self, chains: &mut Chains, place: Place, family: Option<Family>) {
        if self.active().len() > MAX_ZONES {
            return;
        }
        let rules = self.dispatch(chains, place, family);
        if let Some(dispatch) = chains.add(&format!("{}_dispatch", place.base_name()), rules) {
            chains.hook(place, jumps(self.default_span, [Some(dispatch)]));
        }
    }

    /// Zones that are named and are not there, and zones that no packet is in.
    fn check_names(&mut self) {
        let folder = self.folder;
        let help = "firewalld takes `public`, or `external` or `block` where that is not there";
        if let Some(zone) = &folder.conf.default_zone
            && !folder.zones.contains_key(&zone.value)
        {
            self.dangling("zone", &zone.value, zone.span, help);
        }
        let help = "firewalld refuses a configuration that names it; correct the name, or remove the policy";
        for policy in folder.policies.values() {
            for ends in [&policy.ingress, &policy.egress] {
                let super::ast::Ends::Zones(zones) = ends else {
                    continue;
                };
                for zone in zones
                    .iter()
                    .filter(|zone| !folder.zones.contains_key(&zone.value))
                {
                    self.dangling("zone", &zone.value, zone.span, help);
                }
            }
        }
        for (name, zone) in &folder.zones {
            let is_used = zone.is_bound() || *name == self.default_zone;
            let says_something = !zone.body.elements.is_empty() || !zone.body.rules.is_empty();
            if zone.body.is_own && !is_used && says_something {
                let message = format!("no file says which packets are in zone `{name}`");
                let label = Label::new(zone.target_span, "taken to be out of use");
                let finding = Finding::new(Code::UnsupportedMatch, message, Some(label));
                self.notices.push(finding.help(
                    "where NetworkManager puts interfaces in it, name them here with `<interface name=\"…\"/>`",
                ));
            }
        }
    }

    fn too_many_zones(&mut self) -> Vec<crate::model::Rule> {
        let message = format!("more than {MAX_ZONES} zones are in use");
        let label = Label::new(self.folder.start, "what they let through is not known");
        let finding = Finding::new(Code::UnreadText, message, Some(label));
        if !self.notices.iter().any(|known| known.message == finding.message) {
            self.notices.push(finding);
        }
        vec![content::anything(self.folder.start)]
    }

    fn finish(self, into: &mut Reading) {
        into.n_rules += self
            .folder
            .zones
            .values()
            .map(|zone| &zone.body)
            .chain(self.folder.policies.values().map(|policy| &policy.body))
            .filter(|body| body.is_own)
            .map(|body| body.elements.len() + body.rules.len())
            .sum::<usize>();
        let sets = NamedSets::new(self.listed);
        for ruleset in into.rulesets.iter_mut().filter(|ruleset| ruleset.sets.is_empty()) {
            ruleset.sets = sets.clone();
        }
        into.notices.extend(self.notices);
        let mut unsupported: Vec<_> = self.unsupported.into_iter().collect();
        unsupported.sort_by_key(|(_, (first, _))| *first);
        for (name, (first, _)) in unsupported {
            let message = format!("`{name}` is not modelled");
            let label = Label::new(first, "may hold or not");
            let finding = Finding::new(Code::UnsupportedMatch, message, Some(label));
            into.notices.push(finding.help("all that it may do was followed"));
        }
    }
}
