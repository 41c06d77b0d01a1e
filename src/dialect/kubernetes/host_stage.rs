//! What host endpoints ask of packets at other times than usual: before connections are tracked, before destinations are translated,
//! and of what is passed on.
//!
//! Semantics: docs.tigera.io, "Pre-DNAT policy", "Apply on forwarded traffic" and "Summary of host endpoint policies"; felix, rules,
//! `HostEndpointToRawChains` and `HostEndpointToMangleChains`. What policies of these stages accept carries a mark from then on, which the
//! chains of the filter table accept; what none of them decides goes on. INVARIANT: who accepts a packet early is asked again where it
//! is let through, so that a finding shows the rule.

use super::calico::Interface;
use super::host::{Endpoint, interface, invalid};
use super::lower::{Lowering, answers, let_through};
use super::policy::{Policy, Stage};
use super::reach::Direction;
use super::truth::Truth;
use crate::model::{Action, Base, Condition, Default, Edit, Hook, Match, Rule};
use crate::packet::{Field, RangeSet, value};

/// The bit of the mark that Felix sets on what is accepted: the lowest of `IptablesMarkMask`, by default.
const ACCEPTED: u8 = 16;
/// Before what stands in iptables' tables.
const BEFORE_RAW: i32 = -301;
const BEFORE_MANGLE: i32 = -151;
const BEFORE_FILTER: i32 = -1;
/// What the interfaces of workloads begin with (`InterfacePrefix`, by default).
const OF_WORKLOADS: &str = "cali";

impl<'c> Endpoint<'c> {
    /// Policies with `doNotTrack`, which know no connections: what they accept is not tracked, so answers need rules too.
    pub(super) fn untracked(&self, lowering: &mut Lowering<'c>) -> Vec<Base> {
        let policies = self.at(Stage::Untracked);
        if policies.is_empty() || self.written.interface == Interface::All {
            return Vec::new();
        }
        let ways = [
            (Hook::Prerouting, Direction::Ingress, Direction::Egress),
            (Hook::Output, Direction::Egress, Direction::Ingress),
        ];
        let base = |(hook, direction, other): (Hook, Direction, Direction)| {
            let mut rules = self.of_others(direction);
            rules.extend(self.failsafes(direction));
            // "We need to whitelist response traffic. Otherwise, it could fall through to some doNotTrack policy."
            let answered = self.cluster.calico.failsafes(&self.written.node, other);
            let answered = answered.iter();
            rules.extend(answered.map(|one| self.failsafe(one, direction, Field::SourcePort)));
            let from = lowering.n_chains();
            lowering.with(policies.clone());
            rules.extend(lowering.tiers_without_end(direction));
            lowering.rewrite(from, |rule| marked(rule, &[mark(), Edit::Untrack]));
            let name = format!("untracked {}", direction.word());
            let chain = lowering.chain(name, self.written.span, rules);
            self.hooked(hook, BEFORE_RAW, chain, Default::Accept)
        };
        ways.map(base).into()
    }

    /// Policies with `preDNAT`: "apply to traffic arriving at a host endpoint, before any DNAT".
    pub(super) fn before_translation(&self, lowering: &mut Lowering<'c>) -> Option<Base> {
        let policies = self.at(Stage::BeforeTranslation);
        if policies.is_empty() {
            return None;
        }
        let place = self.nowhere();
        let mut rules = self.of_others(Direction::Ingress);
        rules.push(let_through(place, is_accepted()));
        rules.extend([answers(place), invalid(place)]);
        rules.extend(self.failsafes(Direction::Ingress));
        let from = lowering.n_chains();
        lowering.with(policies);
        rules.extend(lowering.tiers_without_end(Direction::Ingress));
        lowering.rewrite(from, |rule| marked(rule, &[mark()]));
        let chain = lowering.chain("pre-DNAT ingress".to_owned(), self.written.span, rules);
        Some(self.hooked(Hook::Prerouting, BEFORE_MANGLE, chain, Default::Accept))
    }

    /// Lets through what a policy of an earlier stage accepted, by the rule that did.
    pub(super) fn accepted_before(&self, lowering: &mut Lowering<'c>, direction: Direction) -> Vec<Rule> {
        let is_everywhere = self.written.interface == Interface::All;
        let mut stages: Vec<Vec<(&Policy, Truth)>> = Vec::new();
        stages.extend((!is_everywhere).then(|| self.at(Stage::Untracked)));
        stages.extend((direction == Direction::Ingress).then(|| self.at(Stage::BeforeTranslation)));
        stages.retain(|policies| !policies.is_empty());
        if stages.is_empty() {
            return Vec::new();
        }
        let mut rules = Vec::new();
        let from = lowering.n_chains();
        for policies in stages {
            lowering.with(policies);
            for mut jump in lowering.tiers_without_end(direction) {
                jump.matches.insert(
                    0,
                    Match {
                        span: self.nowhere(),
                        condition: is_accepted(),
                    },
                );
                rules.push(jump);
            }
        }
        // What was denied is gone; that a translated packet would be now makes no difference.
        let is_accept = |rule: &Rule| rule.action == Action::Accept;
        lowering.rewrite(from, |rule| {
            is_accept(rule).then(|| rule.clone()).into_iter().collect()
        });
        rules.push(let_through(self.nowhere(), is_accepted()));
        rules
    }

    /// "Forwarded traffic is allowed by default if no policies apply to the endpoint and direction."
    pub(super) fn forwarded(&self, lowering: &mut Lowering<'c>) -> Vec<Base> {
        let mut policies = self.at(Stage::Normal);
        policies.retain(|(policy, _)| policy.hosts.as_ref().is_some_and(|hosts| hosts.on_forward));
        let mut bases = Vec::new();
        for direction in [Direction::Ingress, Direction::Egress] {
            if !policies
                .iter()
                .any(|(policy, _)| direction.rules(policy).is_some())
            {
                continue;
            }
            let mut rules = self.of_others(direction);
            let workloads = RangeSet::from_ranges([value::interface_prefix(OF_WORKLOADS)]);
            let of_workloads = Condition::Test(interface(direction), workloads);
            rules.push(let_through(self.nowhere(), of_workloads));
            if direction == Direction::Ingress {
                rules.extend(self.accepted_before(lowering, direction));
            }
            rules.extend([answers(self.nowhere()), invalid(self.nowhere())]);
            lowering.with(policies.clone());
            rules.extend(lowering.tiers(direction));
            let name = format!("forward {}", direction.word());
            let chain = lowering.chain(name, self.written.span, rules);
            bases.push(self.hooked(Hook::Forward, BEFORE_FILTER, chain, Default::Accept));
        }
        bases
    }
}

fn mark() -> Edit {
    let bit = 1 << ACCEPTED;
    Edit::Mark {
        clear: bit,
        flip: bit,
    }
}

fn is_accepted() -> Condition {
    Condition::Test(Field::Mark(ACCEPTED), RangeSet::point(1))
}

/// A rule that accepts, as one for each change that it makes first: what it asks for holds afterwards too.
fn marked(rule: &Rule, edits: &[Edit]) -> Vec<Rule> {
    if rule.action != Action::Accept {
        return vec![rule.clone()];
    }
    let edited = edits.iter().map(|edit| Rule {
        action: Action::Edit(edit.clone()),
        ..rule.clone()
    });
    edited.chain([rule.clone()]).collect()
}
