//! Peers that another object of the run says: groups of blocks, and Services. And what the pods of the run need to be asked.
//!
//! INVARIANT: after [`finish`] no peer is a [`Who::Later`]; an object that is not in the run leaves a peer of whom nothing is known.

use std::collections::BTreeMap;

use super::super::cluster::Cluster;
use super::super::notes::Notes;
use super::super::object::Object;
use super::super::policy::{Namespaces, Peer, PodSet, Policy, Rules, Who as Peers};
use super::super::selector::{Labels, Operator, Requirement, Selector, Terms};
use super::super::truth::Truth;
use super::label::SERVICE_ACCOUNT;
use super::{CidrGroup, MAX_BLOCKS, Network, Who, address, label};
use crate::dialect::reference::{self, Uses};
use crate::source::Span;

/// What another object says.
#[derive(Debug, Clone)]
pub(in super::super) enum Later {
    /// The blocks of a `CiliumCIDRGroup`, without some.
    Group(String, Vec<Network>),
    /// Those of all groups with some labels (`cidrGroupSelector`).
    GroupsWith(Selector, Vec<Network>),
    /// The pods behind a Service, by namespace and name (`toServices`).
    Service(String, String),
}

/// Reads a `CiliumCIDRGroup`.
pub(super) fn group(object: Object<'_>, cluster: &mut Cluster, notes: &mut Notes) {
    let (name, span) = object.name();
    let mut labels = Labels::new();
    if let Some(node) = object.labels() {
        notes.labels(node, &mut labels);
    }
    let blocks = object.spec().and_then(|spec| spec.get("externalCIDRs"));
    let Some(blocks) = notes.items(blocks, "blocks") else {
        cluster.cilium.groups.insert(
            name.to_owned(),
            CidrGroup {
                labels,
                blocks: vec![(None, span)],
            },
        );
        return;
    };
    let blocks = blocks
        .into_iter()
        .map(|node| (address::network(node, notes), node.span()));
    let group = CidrGroup {
        labels,
        blocks: blocks.collect(),
    };
    cluster.cilium.groups.insert(name.to_owned(), group);
}

/// Says of each peer that another object says who it is, and of pods their service accounts, where a policy asks for those.
pub(in super::super) fn finish(cluster: &mut Cluster, notes: &mut Notes) {
    let mut policies = std::mem::take(&mut cluster.policies);
    if cluster.cilium.is_there {
        policies.iter_mut().for_each(as_cilium_has_labels);
    }
    let mut missing: BTreeMap<String, (Span, usize)> = BTreeMap::new();
    let mut n_blocks = 0;
    for policy in policies.iter_mut().filter(|policy| policy.cilium.is_some()) {
        for rules in [&mut policy.ingress, &mut policy.egress].into_iter().flatten() {
            resolve_all(rules, cluster, &mut missing, &mut n_blocks, notes);
        }
    }
    if cluster.cilium.is_there && policies.iter().any(asks_for_accounts) {
        for pods in &mut cluster.pods {
            let account = pods.service_account.clone().unwrap_or_default();
            pods.labels.insert(SERVICE_ACCOUNT.to_owned(), account);
        }
    }
    for (what, (first, count)) in missing {
        notes
            .findings
            .push(reference::dangling(&what, Uses { first, count }));
    }
    if cluster.cilium.is_there && cluster.cilium.agent.idle().is_some() {
        policies.clear();
    }
    cluster.policies = policies;
}

/// NetworkPolicies are enforced by the labels that Cilium gives pods, that of their cluster among them.
fn as_cilium_has_labels(policy: &mut Policy) {
    label::without_cluster(&mut policy.subject.pods);
    let rules = [&mut policy.ingress, &mut policy.egress].into_iter().flatten();
    let peers = rules
        .flat_map(|rules| &mut rules.rules)
        .flat_map(|rule| rule.peers.iter_mut().flatten());
    for peer in peers {
        if let Peers::Pods(set) = &mut peer.who {
            label::without_cluster(&mut set.pods);
        }
    }
}

fn asks_for_accounts(policy: &Policy) -> bool {
    let asks = |set: &PodSet| {
        let mut asked = set.pods.terms.requirements.iter();
        asked.any(|one| one.key == SERVICE_ACCOUNT)
    };
    let rules = [&policy.ingress, &policy.egress].into_iter().flatten();
    let mut peers = rules
        .flat_map(|rules| &rules.rules)
        .flat_map(|rule| rule.peers.iter().flatten());
    let mut required = policy.cilium.iter().flat_map(super::Traits::all_required);
    asks(&policy.subject)
        || required.any(asks)
        || peers.any(|peer| matches!(&peer.who, Peers::Pods(set) if asks(set)))
}

fn resolve_all(
    rules: &mut Rules,
    cluster: &Cluster,
    missing: &mut BTreeMap<String, (Span, usize)>,
    n_blocks: &mut usize,
    notes: &mut Notes,
) {
    for peers in rules.rules.iter_mut().filter_map(|rule| rule.peers.as_mut()) {
        let is_later = |peer: &Peer| matches!(peer.who, Peers::Cilium(Who::Later(_)));
        if !peers.iter().any(is_later) {
            continue;
        }
        let mut found = Vec::new();
        for peer in std::mem::take(peers) {
            match &peer.who {
                Peers::Cilium(Who::Later(later)) => {
                    if *n_blocks > MAX_BLOCKS {
                        let why = format!("more than {MAX_BLOCKS} blocks of groups in one run");
                        if *n_blocks < usize::MAX {
                            notes.unread(peer.span, &why, None);
                            *n_blocks = usize::MAX;
                        }
                        found.push(outside(peer.span, why));
                        continue;
                    }
                    let all = resolve(later, peer.span, cluster, missing, notes);
                    *n_blocks += all.len();
                    found.extend(all);
                }
                _ => found.push(peer),
            }
        }
        *peers = found;
    }
}

fn resolve(
    later: &Later,
    span: Span,
    cluster: &Cluster,
    missing: &mut BTreeMap<String, (Span, usize)>,
    notes: &mut Notes,
) -> Vec<Peer> {
    let mut miss = |what: String| {
        missing.entry(what).or_insert((span, 0)).1 += 1;
    };
    match later {
        Later::Group(name, except) => {
            if let Some(group) = cluster.cilium.groups.get(name) {
                blocks(group, except, span)
            } else {
                miss(format!("no CiliumCIDRGroup of the run is called `{name}`"));
                vec![outside(span, format!("which blocks `{name}` has is not known"))]
            }
        }
        Later::GroupsWith(selector, except) => {
            let groups = cluster.cilium.groups.values();
            let selected = groups.map(|group| (group, selector.selects(&group.labels, &[])));
            let mut found = Vec::new();
            for (group, answer) in selected {
                match answer {
                    Truth::Yes => found.extend(blocks(group, except, span)),
                    Truth::Maybe => found.push(outside(span, "whose blocks are meant is not known".into())),
                    Truth::No => {}
                }
            }
            found
        }
        Later::Service(namespace, name) => match cluster.selected_by_service(namespace, name) {
            Some(labels) if !labels.is_empty() => {
                let why = format!(
                    "whether the pods behind Service `{namespace}/{name}` are meant depends on the version of Cilium"
                );
                notes.unsupported(span, why, Some("name them in `toEndpoints`"));
                vec![Peer {
                    span,
                    who: Peers::Pods(behind(namespace, labels, span)),
                }]
            }
            // "The IPs in the service's EndpointSlices are converted to CIDR selectors."
            Some(_) => vec![outside(
                span,
                format!("which addresses are behind Service `{namespace}/{name}` is not known"),
            )],
            None => {
                miss(format!("no Service of the run is called `{namespace}/{name}`"));
                let why = format!("who is behind Service `{namespace}/{name}` is not known");
                vec![Peer {
                    span,
                    who: Peers::Cilium(Who::Anybody(why)),
                }]
            }
        },
    }
}

/// "This feature uses the discovered services' label selector as an endpoint selector within the policy" (layer 3, "Services based"):
/// to older agents such rules "only apply to services without selectors" (pkg/k8s, `rule_translate.go`).
fn behind(namespace: &str, labels: &Labels, span: Span) -> PodSet {
    let requirements = labels.iter().map(|(key, value)| Requirement {
        key: key.clone(),
        operator: Operator::In,
        values: vec![value.clone()],
    });
    PodSet {
        namespaces: Namespaces::Own(namespace.to_owned()),
        pods: Selector {
            terms: Terms {
                requirements: requirements.collect(),
                ..Terms::default()
            },
            is_unread: true,
            span,
        },
    }
}

/// The blocks of a group, where the policy names it, less what is excepted of each.
fn blocks(group: &CidrGroup, except: &[Network], span: Span) -> Vec<Peer> {
    let blocks = group.blocks.iter().map(|(network, _)| match network {
        Some(network) => address::addresses(span, *network, except.to_vec()),
        None => outside(span, "a block of this group could not be read".to_owned()),
    });
    blocks.collect()
}

fn outside(span: Span, why: String) -> Peer {
    Peer {
        span,
        who: Peers::Cilium(Who::Outside(why)),
    }
}
