//! What policies say to no effect: selectors that nothing is in, rules that earlier tiers or rules leave nothing, policies that
//! are never asked.
//!
//! INVARIANT: of selectors it is said only where there is somebody to select, since a run may leave out parts of a cluster.

use super::cluster::{Cluster, Namespace, Pods};
use super::cover::{has_packets, has_subjects};
use super::policy::{Action, PodSet, Policy, Rule, Ties};
use super::reach::Direction;
use super::select::{looks_into, selects};
use super::selector::Selector;
use super::tier::EndOfTier;
use super::truth::Truth;
use crate::finding::{Code, Finding, Label, Severity};
use crate::source::Span;

/// Pairs of rules that are looked at, at the most.
const MAX_PAIRS: usize = 1_000_000;

/// All of it.
pub(super) fn judge(cluster: &Cluster, findings: &mut Vec<Finding>) {
    let all: Vec<(&Namespace, &Pods)> = cluster
        .pods
        .iter()
        .filter_map(|pods| Some((cluster.namespaces.get(&pods.namespace)?, pods)))
        .collect();
    for policy in &cluster.policies {
        findings.extend(nobody_selected(policy, cluster, &all));
        findings.extend(empty_peers(policy, &all));
        findings.extend(never_asked(policy, cluster));
    }
    for direction in [Direction::Ingress, Direction::Egress] {
        shadowed(cluster, direction, findings);
    }
}

/// Who a set takes where it looks: whether there is anybody, and whether one of them may be in it.
fn taken(set: &PodSet, own: &Namespace, all: &[(&Namespace, &Pods)]) -> (bool, bool) {
    let mut there = all
        .iter()
        .filter(|(namespace, _)| looks_into(&set.namespaces, namespace, own) != Truth::No)
        .peekable();
    let is_anybody = there.peek().is_some();
    let is_in = there.any(|(namespace, pods)| selects(set, namespace, pods, own) != Truth::No);
    (is_anybody, is_in)
}

fn nobody_selected(policy: &Policy, cluster: &Cluster, all: &[(&Namespace, &Pods)]) -> Option<Finding> {
    if let Some(selector) = policy.of_nodes() {
        return no_node_selected(policy, selector, cluster);
    }
    if policy.is_of_hosts_alone() || policy.hosts.is_some() && cluster.calico.has_hosts() {
        return None;
    }
    let own = Namespace::used(policy.namespace.as_deref().unwrap_or_default());
    let (true, false) = taken(&policy.subject, &own, all) else {
        return None;
    };
    let message = format!(
        "{} `{}` selects no workload of the run",
        policy.kind,
        policy.full_name()
    );
    let label = Label::new(policy.subject.pods.span, "nothing is in it");
    let finding = Finding::new(Code::SelectorMatchesNothing, message, Some(label));
    Some(finding.help("correct the labels, give the manifests of the workloads that are meant, or remove it"))
}

fn no_node_selected(policy: &Policy, selector: &Selector, cluster: &Cluster) -> Option<Finding> {
    let all = &cluster.nodes.all;
    let mut answers = all
        .iter()
        .map(|node| selector.selects(&node.seen.labels, &node.seen.open));
    if all.is_empty() || answers.any(|answer| answer != Truth::No) {
        return None;
    }
    let message = format!("{} `{}` selects no node of the run", policy.kind, policy.name);
    let label = Label::new(selector.span, "nothing is in it");
    let finding = Finding::new(Code::SelectorMatchesNothing, message, Some(label));
    Some(finding.help("correct the labels, give the Nodes that are meant, or remove it"))
}

fn empty_peers(policy: &Policy, all: &[(&Namespace, &Pods)]) -> Vec<Finding> {
    let own = Namespace::used(policy.namespace.as_deref().unwrap_or_default());
    let rules = [&policy.ingress, &policy.egress].into_iter().flatten();
    let peers = rules.flat_map(|rules| &rules.rules).flat_map(Rule::all_peers);
    let of_pods = peers.filter(|peer| peer.who.blocks().is_empty());
    let sets = of_pods.filter_map(|peer| Some((peer.span, peer.who.pods()?)));
    // One place may stand for several sets: it is empty if all of them are.
    let mut places: Vec<(Span, bool, bool)> = Vec::new();
    for (span, set) in sets {
        let (is_anybody, is_in) = taken(set, &own, all);
        match places.last_mut().filter(|place| place.0 == span) {
            Some(place) => (place.1, place.2) = (place.1 || is_anybody, place.2 || is_in),
            None => places.push((span, is_anybody, is_in)),
        }
    }
    let empty = places.into_iter().filter(|place| place.1 && !place.2);
    empty
        .map(|(span, ..)| {
            let message = format!(
                "a peer of {} `{}` is no workload of the run",
                policy.kind,
                policy.full_name()
            );
            let label = Label::new(span, "nothing is in it");
            let mut finding = Finding::new(Code::SelectorMatchesNothing, message, Some(label));
            finding.severity = Severity::Note;
            finding.help("correct the labels, or leave it if such pods are made later: it is about them then")
        })
        .collect()
}

/// Policies without rules in a tier that passes what is left, and those to which an earlier tier leaves nobody.
fn never_asked(policy: &Policy, cluster: &Cluster) -> Option<Finding> {
    if policy.tier.end == EndOfTier::Deny {
        return None;
    }
    let has_rules = |direction: Direction| {
        direction
            .rules(policy)
            .is_some_and(|rules| !rules.rules.is_empty())
    };
    let ways: Vec<Direction> = [Direction::Ingress, Direction::Egress]
        .into_iter()
        .filter(|direction| has_rules(*direction))
        .collect();
    let why = if ways.is_empty() {
        "it has no rules"
    } else {
        let all = cluster.pods.iter().map(|pods| cluster.about(pods));
        let mut subjects = all
            .filter(|about| about.iter().any(|(one, _)| std::ptr::eq(*one, policy)))
            .peekable();
        subjects.peek()?;
        let is_isolated =
            subjects.all(|about| ways.iter().all(|way| is_decided_before(policy, &about, *way)));
        if !is_isolated {
            return None;
        }
        "NetworkPolicies decide for every workload that it is about"
    };
    let message = format!("{} `{}` changes nothing: {why}", policy.kind, policy.name);
    let label = Label::new(policy.span, "without effect");
    let finding = Finding::new(Code::PolicyWithoutEffect, message, Some(label));
    Some(finding.help("remove it, or say what it is to let through or deny"))
}

/// Whether a tier before that of a policy surely decides all packets of some pods.
fn is_decided_before(policy: &Policy, about: &[(&Policy, Truth)], direction: Direction) -> bool {
    let earlier = about.iter().filter(|(one, _)| one.tier < policy.tier);
    let denying = earlier.filter(|(one, _)| one.tier.end == EndOfTier::Deny);
    let asked: Vec<_> = denying
        .filter_map(|(one, answer)| Some((*answer, direction.rules(one)?)))
        .collect();
    let passes = |rule: &Rule| matches!(rule.action, Action::Pass | Action::Unread);
    let is_passed = asked.iter().any(|(_, rules)| rules.rules.iter().any(passes));
    !is_passed && asked.iter().any(|(answer, _)| *answer == Truth::Yes)
}

/// A rule where it stands, in the order in which tiers ask.
struct Asked<'c> {
    policy: &'c Policy,
    rule: &'c Rule,
}

/// Rules that an earlier one leaves no packet.
fn shadowed(cluster: &Cluster, direction: Direction, findings: &mut Vec<Finding>) {
    let rules: Vec<Asked<'_>> = cluster
        .policies
        .iter()
        .filter_map(|policy| Some((policy, direction.rules(policy)?)))
        .flat_map(|(policy, rules)| rules.rules.iter().map(move |rule| Asked { policy, rule }))
        .collect();
    let first_pass = rules
        .iter()
        .position(|one| matches!(one.rule.action, Action::Pass | Action::Unread))
        .unwrap_or(rules.len());
    let tiered = |one: &Asked<'_>| one.policy.ties != Ties::Union || one.rule.action == Action::Deny;
    let takers: Vec<usize> = (0..rules.len())
        .filter(|at| rules.get(*at).is_some_and(tiered))
        .collect();
    let mut n_pairs = 0;
    for (at, later) in rules.iter().enumerate() {
        // A rule that is about nobody puts pods into default deny: it is there for that.
        let is_empty = |list: usize| list == 0;
        if later.rule.peers.as_ref().map(Vec::len).is_some_and(is_empty)
            || later.rule.ports.as_ref().map(Vec::len).is_some_and(is_empty)
        {
            continue;
        }
        let is_union = later.policy.ties == Ties::Union;
        let earlier = takers.iter().filter(|taker| **taker < at || is_union);
        let taker = earlier
            .take_while(|_| {
                n_pairs += 1;
                n_pairs <= MAX_PAIRS
            })
            .find_map(|&taker| {
                let earlier = rules.get(taker)?;
                let is_before = is_before(earlier, later, taker < first_pass);
                let is_taken = is_before
                    && !matches!(earlier.rule.action, Action::Unread | Action::Log)
                    && has_subjects(earlier.policy, later.policy, cluster)
                    && has_packets(earlier.rule, later.rule, cluster);
                is_taken.then_some(earlier)
            });
        if let Some(taker) = taker {
            let label = Label::new(later.rule.span, "decides nothing");
            let related = Label::new(
                taker.rule.span,
                format!("`{}` takes all of it", taker.policy.full_name()),
            );
            let message = "this rule never decides anything: an earlier one takes all its packets";
            let finding = Finding::new(Code::ShadowedRule, message, Some(label)).related(related);
            findings.push(finding.help("remove it, or give it a place or a tier before the other"));
        }
    }
}

/// Whether a rule is surely asked first, and ends the matter for the other.
fn is_before(earlier: &Asked<'_>, later: &Asked<'_>, nothing_passes: bool) -> bool {
    let (one, other) = (earlier.policy, later.policy);
    if one.tier == other.tier {
        if one.ties == Ties::Union && other.ties == Ties::Union {
            // "Deny policies take precedence over allow policies", wherever they stand (Cilium).
            return earlier.rule.action == Action::Deny && later.rule.action != Action::Deny;
        }
        let is_by_name = one.kind == other.kind && one.ties == Ties::ByName;
        return std::ptr::eq(one, other) || one.order < other.order || is_by_name;
    }
    // What is passed on before leaves the tier.
    one.tier < other.tier && nothing_passes && earlier.rule.action != Action::Pass
}
