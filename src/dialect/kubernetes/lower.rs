//! A cluster to hosts: for each workload the ruleset of the policies that select it.
//!
//! Each tier is a chain in which the first match decides and Pass returns; behind NetworkPolicies, if any selects the workload,
//! stands a drop. What no tier decides is accepted. INVARIANT: what a policy says points at its bytes; what Kubernetes adds of
//! itself (answers, the end of a tier) has an empty span.

use std::sync::Arc;

use super::cluster::{Cluster, Namespace, Pods};
use super::condition::unknown;
use super::identity::Identities;
use super::node::Nodes;
use super::policy::{Action as Verdict, Peer, Policy, Port, Rule as Written, Ties};
use super::reach::Direction;
use super::tier::EndOfTier;
use super::truth::Truth;
use crate::dialect::condition::any;
use crate::model::{
    Action, Base, Chain, ChainId, Condition, Families, Hook, Layer, Match, NamedSets, Rule, Ruleset, Unknown,
    Workload, loopback_interface,
};
use crate::packet::{Field, RangeSet, value};
use crate::source::Span;

/// Peers times ports of one rule that become rules of their own; past it, they are one.
const MAX_SPLIT: usize = 64;

/// The workloads of a cluster, each with the index of its class.
pub(super) fn workloads(cluster: &Cluster, identities: &Identities) -> Vec<Workload> {
    let mut found = Vec::new();
    for (identity, pods) in cluster.pods.iter().enumerate() {
        let Some(namespace) = cluster.namespaces.get(&pods.namespace) else {
            continue;
        };
        let lowering = Lowering::new((cluster, identities), namespace, pods, cluster.about(pods));
        found.push(Workload {
            name: pods.full_name(),
            kind: pods.kind,
            namespace: pods.namespace.clone(),
            labels: pods.labels.clone(),
            span: pods.span,
            identity,
            is_on_host_network: pods.is_on_host_network,
            ruleset: lowering.ruleset(),
        });
    }
    found
}

/// The lowering of one workload.
pub(super) struct Lowering<'c> {
    cluster: &'c Cluster,
    pub(super) identities: &'c Identities,
    pub(super) namespace: &'c Namespace,
    pub(super) pods: &'c Pods,
    /// The policies that select it, or may.
    about: Vec<(&'c Policy, Truth)>,
    chains: Vec<Chain>,
}

/// A policy that may select the workload.
#[derive(Clone, Copy)]
pub(super) struct Selected<'c> {
    pub(super) policy: &'c Policy,
    pub(super) is_sure: bool,
}

impl<'c> Lowering<'c> {
    /// The lowering of who is in a namespace, by the policies that are about it.
    pub(super) fn new(
        (cluster, identities): (&'c Cluster, &'c Identities),
        namespace: &'c Namespace,
        pods: &'c Pods,
        about: Vec<(&'c Policy, Truth)>,
    ) -> Self {
        Self {
            cluster,
            identities,
            namespace,
            pods,
            about,
            chains: Vec::new(),
        }
    }

    /// Whether Calico enforces what is lowered.
    pub(super) fn has_calico(&self) -> bool {
        self.cluster.calico.is_there
    }

    /// The nodes of the run.
    pub(super) fn nodes(&self) -> &'c Nodes {
        &self.cluster.nodes
    }

    /// Whether Cilium enforces what is lowered.
    pub(super) fn has_cilium(&self) -> bool {
        self.cluster.cilium.is_there
    }

    fn ruleset(mut self) -> Ruleset {
        let bases = [
            (Hook::Input, Direction::Ingress),
            (Hook::Output, Direction::Egress),
        ]
        .map(|(hook, direction)| self.base(hook, direction));
        Ruleset {
            layer: Layer::NetworkPolicy,
            families: Families::Both,
            chains: self.chains,
            bases: bases.into(),
            sets: NamedSets::default(),
        }
    }

    fn base(&mut self, hook: Hook, direction: Direction) -> Base {
        let mut rules = vec![to_itself(self.nowhere()), answers(self.nowhere())];
        rules.extend(self.foreign(direction));
        rules.extend(self.tiers(direction));
        let chain = self.chain(direction.word().to_owned(), self.pods.span, rules);
        Base::filter(hook, chain, self.pods.span)
    }

    /// The chains made so far.
    pub(super) fn into_chains(self) -> Vec<Chain> {
        self.chains
    }

    /// Goes on with other policies.
    pub(super) fn with(&mut self, about: Vec<(&'c Policy, Truth)>) {
        self.about = about;
    }

    /// Has rules of chains from the given one on do otherwise: each may become several.
    pub(super) fn rewrite(&mut self, from: usize, rewritten: impl Fn(&Rule) -> Vec<Rule>) {
        for chain in self.chains.iter_mut().skip(from) {
            chain.rules = chain.rules.iter().flat_map(&rewritten).collect();
        }
    }

    /// How many chains there are so far.
    pub(super) fn n_chains(&self) -> usize {
        self.chains.len()
    }

    /// A jump for each tier, in their order.
    pub(super) fn tiers(&mut self, direction: Direction) -> Vec<Rule> {
        self.tiers_with(direction, true)
    }

    /// The same, where what no policy of a tier decides goes on.
    pub(super) fn tiers_without_end(&mut self, direction: Direction) -> Vec<Rule> {
        self.tiers_with(direction, false)
    }

    fn tiers_with(&mut self, direction: Direction, have_end: bool) -> Vec<Rule> {
        let mut rules = Vec::new();
        let about = self.selected(direction);
        for selected in about.chunk_by(|a, b| a.policy.tier == b.policy.tier) {
            let Some(tier) = selected.first().map(|one| &one.policy.tier) else {
                continue;
            };
            let is_union = selected.iter().all(|one| one.policy.ties == Ties::Union);
            let lowered = if is_union {
                let (denying, accepting) = self.union(selected, direction);
                vec![("denials".to_owned(), denying), (tier.words(), accepting)]
            } else {
                let mut lowered = self.in_order(selected, direction);
                if have_end && tier.end == EndOfTier::Deny {
                    lowered.extend(self.end(selected, direction));
                }
                vec![(tier.words(), lowered)]
            };
            let span = selected.first().map_or(self.pods.span, |one| one.policy.span);
            // A chain with nothing in it would be found to be in nobody's way.
            for (word, lowered) in lowered.into_iter().filter(|(_, lowered)| !lowered.is_empty()) {
                let chain = self.chain(format!("{} {word}", direction.word()), span, lowered);
                rules.push(self.of_itself(Vec::new(), Action::Jump(chain)));
            }
        }
        rules
    }

    pub(super) fn chain(&mut self, path: String, span: Span, rules: Vec<Rule>) -> ChainId {
        self.chains.push(Chain {
            path,
            span,
            rules,
            calls: Arc::default(),
        });
        ChainId(u32::try_from(self.chains.len() - 1).unwrap_or(u32::MAX))
    }

    /// The place of what nobody wrote.
    pub(super) fn nowhere(&self) -> Span {
        let at = self.pods.span;
        Span::new(at.file, at.start, at.start)
    }

    fn of_itself(&self, matches: Vec<Match>, action: Action) -> Rule {
        Rule {
            span: self.nowhere(),
            matches,
            action,
            action_span: self.nowhere(),
        }
    }

    /// What objects do that filter too and are not read: anything.
    fn foreign(&self, direction: Direction) -> Vec<Rule> {
        let here = self.cluster.foreign_to(self.namespace, self.pods, direction);
        here.map(|one| Rule {
            span: one.span,
            matches: Vec::new(),
            action: Action::Unknown(Unknown {
                property: None,
                why: one.why.as_str().into(),
            }),
            action_span: one.span,
        })
        .collect()
    }

    /// All policies that select the workload, or may.
    pub(super) fn all_selected(&self) -> impl Iterator<Item = Selected<'c>> {
        self.about.iter().map(|(policy, answer)| Selected {
            policy,
            is_sure: *answer == Truth::Yes,
        })
    }

    /// The policies that may select the workload and filter the direction, in their order.
    fn selected(&self, direction: Direction) -> Vec<Selected<'c>> {
        self.all_selected()
            .filter(|one| direction.rules(one.policy).is_some())
            .collect()
    }

    /// The policies of a tier, one after the other. Of those of one place, which is asked first need not be known.
    fn in_order(&self, selected: &[Selected<'_>], direction: Direction) -> Vec<Rule> {
        let mut rules = Vec::new();
        for level in selected.chunk_by(|a, b| a.policy.is_level_with(b.policy)) {
            let policies: Vec<&Policy> = level.iter().map(|one| one.policy).collect();
            if Policy::is_order_open(&policies) {
                for one in level {
                    let first = unknown(
                        format!("{} is asked first", one.policy.full_name()),
                        format!(
                            "policies of one priority: whether `{}` is asked first is not known",
                            one.policy.full_name()
                        ),
                    );
                    let first = Match {
                        span: one.policy.span,
                        condition: first,
                    };
                    for mut rule in self.rules(*one, direction) {
                        rule.matches.insert(0, first.clone());
                        rules.push(rule);
                    }
                }
            }
            rules.extend(level.iter().flat_map(|one| self.rules(*one, direction)));
        }
        rules
    }

    pub(super) fn rules(&self, one: Selected<'_>, direction: Direction) -> Vec<Rule> {
        let written = direction.rules(one.policy).map_or(&[][..], |rules| &rules.rules);
        let mut rules: Vec<Rule> = written
            .iter()
            .flat_map(|rule| self.rule(rule, direction))
            .collect();
        if !one.is_sure {
            let subject = one.policy.subject.pods.span;
            for rule in &mut rules {
                rule.matches.insert(
                    0,
                    Match {
                        span: subject,
                        condition: self.is_selected(&one),
                    },
                );
            }
        }
        rules
    }

    /// A rule, as one for each peer and port: each of them is a token that may decide.
    fn rule(&self, rule: &Written, direction: Direction) -> Vec<Rule> {
        let action = match rule.action {
            Verdict::Accept | Verdict::MayAccept => Action::Accept,
            Verdict::Deny => Action::Drop,
            Verdict::Pass => Action::Return,
            Verdict::Log => Action::Continue,
            Verdict::Unread => Action::Unknown(Unknown {
                property: None,
                why: "this action could not be read".into(),
            }),
        };
        let peers = matches_of(rule.peers.as_deref(), |peer: &Peer| self.peer(peer, direction));
        let peers = self.required(rule, peers, direction);
        let ports = matches_of(rule.ports.as_deref(), |port: &Port| self.port(port, direction));
        let tests: Vec<Match> = rule.tests.iter().map(|test| self.test(test, direction)).collect();
        let may_apply = (rule.action == Verdict::MayAccept).then(|| doubtful(rule));
        // Where no word of its own denies, who or what is denied does.
        let denies = rule.action == Verdict::Deny && rule.action_span == rule.span;
        let one = |matches: Vec<Match>| Rule {
            action_span: matches
                .first()
                .filter(|_| denies)
                .map_or(rule.action_span, |first| first.span),
            span: rule.span,
            matches: may_apply
                .iter()
                .cloned()
                .chain(matches)
                .chain(tests.iter().cloned())
                .collect(),
            action: action.clone(),
        };
        if peers.len() * ports.len() > MAX_SPLIT {
            return vec![one(joined(peers, rule.span)
                .into_iter()
                .chain(joined(ports, rule.span))
                .collect())];
        }
        let pairs = peers
            .iter()
            .flat_map(|peer| ports.iter().map(move |port| (peer, port)));
        pairs
            .map(|(peer, port)| one(peer.iter().chain(port).cloned().collect()))
            .collect()
    }
}

impl Direction {
    /// How policies call it.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Ingress => "ingress",
            Self::Egress => "egress",
        }
    }
}

/// One alternative for each part; for no list at all, the one that asks nothing.
fn matches_of<T>(parts: Option<&[T]>, lower: impl Fn(&T) -> Match) -> Vec<Option<Match>> {
    match parts {
        Some(parts) => parts.iter().map(|part| Some(lower(part))).collect(),
        None => vec![None],
    }
}

/// Whether a rule applies that accepts if something holds that no manifest says.
fn doubtful(rule: &Written) -> Match {
    let why = "what this rule asks for besides is in no manifest";
    Match {
        span: rule.action_span,
        condition: unknown(format!("rule at {:?}", rule.action_span), why),
    }
}

/// All alternatives in one question.
fn joined(parts: Vec<Option<Match>>, span: Span) -> Option<Match> {
    let parts: Option<Vec<Condition>> = parts
        .into_iter()
        .map(|part| part.map(|part| part.condition))
        .collect();
    let condition = any(parts?);
    Some(Match { span, condition })
}

/// Answers are let through whatever policies say.
pub(super) fn answers(span: Span) -> Rule {
    let answers = RangeSet::range(value::ESTABLISHED, value::RELATED);
    let_through(span, Condition::Test(Field::State, answers))
}

/// "A Pod cannot block access to itself" (Kubernetes, "Network Policies").
fn to_itself(span: Span) -> Rule {
    let by = [Field::InInterface, Field::OutInterface];
    let_through(
        span,
        any(by.map(|by| Condition::Test(by, loopback_interface())).into()),
    )
}

pub(super) fn let_through(span: Span, condition: Condition) -> Rule {
    Rule {
        span,
        matches: vec![Match { span, condition }],
        action: Action::Accept,
        action_span: span,
    }
}
