//! `NetworkPolicy` and `GlobalNetworkPolicy` of Calico.
//!
//! Semantics: docs.tigera.io, "Network policy" and "Global network policy". INVARIANT: a policy whose tier, order or subjects
//! could not be read is still asked, as one that may be about anybody.

use super::entity::{Reader, read_selector};
use super::expression::{Expression, Scope};
use super::labels::{OF_NAMESPACE, OF_SERVICE_ACCOUNT};
use super::tier::read_order;
use super::{Calico, set};
use crate::dialect::kubernetes::cluster::{Cluster, Foreign};
use crate::dialect::kubernetes::network_policy::named_directions;
use crate::dialect::kubernetes::notes::Notes;
use crate::dialect::kubernetes::object::Object;
use crate::dialect::kubernetes::policy::{Block, Hosts, Namespaces, PodSet, Policy, Rule, Stage, Ties, Who};
use crate::dialect::kubernetes::reach::Direction;
use crate::dialect::kubernetes::selector::{Selector, Terms};
use crate::dialect::kubernetes::tier::{Order, Tier};
use crate::source::Span;
use crate::tree::Node;

const KEYS: &[&str] = &[
    "tier",
    "order",
    "selector",
    "serviceAccountSelector",
    "types",
    "ingress",
    "egress",
    // How it is worked out, not what it lets through.
    "performanceHints",
];
/// Blocks of addresses that the selectors of a run may take, those of each policy counted.
const MAX_BLOCKS: usize = 2_000_000;
const GLOBAL_KEYS: &[&str] = &["namespaceSelector", "doNotTrack", "preDNAT", "applyOnForward"];

/// Reads one, and puts it to the others.
pub(super) fn read(object: Object<'_>, cluster: &mut Cluster, notes: &mut Notes) {
    let (name, span) = object.name();
    let is_global = super::is_global(object.kind);
    let Some(spec) = object.spec() else {
        notes.unread(span, format!("{} `{name}` has no `spec`", object.kind), None);
        cluster.foreign.push(Foreign::unread(namespace_of(object), span));
        return;
    };
    let keys = if is_global {
        [KEYS, GLOBAL_KEYS].concat()
    } else {
        KEYS.to_vec()
    };
    let mut is_read = notes.knows(spec, &keys, "the specification of a policy of Calico");
    let tier = match tier(spec, &cluster.calico, notes) {
        Ok(tier) => tier,
        Err(missing) => return in_no_tier(object, spec, missing, cluster, notes),
    };
    let get = |key| spec.get(key).filter(|value| !value.is_null());
    // "If the order is omitted ... the policy will be applied last."
    let order = get("order").map_or(Some(Order::LAST), |order| read_order(order, notes));
    is_read &= order.is_some();
    let subject = subject(object, spec, notes);
    let about = about(spec, notes);
    is_read &= subject.is_some() && about != About::Unread;
    // Workload endpoints get the policies of the normal kind alone (felix, calc, `tierInfoToProtoTierInfo`).
    let is_of_hosts_alone = matches!(about, About::At(stage) if stage != Stage::Normal);
    let hosts = is_global.then(|| hosts(spec, span, about));
    let (has_ingress, has_egress, are_types_read) = types(spec, notes);
    let namespace = namespace_of(object);
    let mut remarks = Vec::new();
    let reader = Reader {
        cluster,
        namespace: namespace.as_deref(),
    };
    let mut rules = |direction, is_filtered: bool| {
        is_filtered.then(|| reader.rules(spec, direction, (&mut *notes, &mut remarks)))
    };
    let ingress = rules(Direction::Ingress, has_ingress);
    let egress = rules(Direction::Egress, has_egress);
    cluster.calico.remark(remarks);
    let mut policy = Policy {
        kind: if is_global {
            "GlobalNetworkPolicy"
        } else {
            "Calico NetworkPolicy"
        },
        name: name.to_owned(),
        namespace,
        tier,
        order: order.unwrap_or(Order::LAST),
        ties: Ties::ByName,
        span,
        subject: match subject {
            Some(subject) if is_of_hosts_alone => PodSet {
                pods: Selector::nothing(subject.pods.span),
                ..subject
            },
            Some(subject) => subject,
            None => everything(span),
        },
        is_subject_unread: !(is_read && are_types_read),
        hosts: hosts.filter(|_| about != About::Unread),
        cilium: None,
        ingress,
        egress,
    };
    cluster.calico.bound(&mut policy, notes);
    cluster.policies.push(policy);
}

/// A policy of a tier that no manifest has: what it does to those that it is about is not known.
fn in_no_tier(object: Object<'_>, spec: Node<'_>, why: String, cluster: &mut Cluster, notes: &mut Notes) {
    let subject = subject(object, spec, notes);
    let (has_ingress, has_egress, _) = types(spec, notes);
    let ways = [(Direction::Ingress, has_ingress), (Direction::Egress, has_egress)];
    cluster.foreign.push(Foreign {
        subject,
        ways: ways.into_iter().filter(|way| way.1).map(|way| way.0).collect(),
        why,
        ..Foreign::unread(namespace_of(object), object.name().1)
    });
}

fn namespace_of(object: Object<'_>) -> Option<String> {
    (!super::is_global(object.kind)).then(|| object.namespace().to_owned())
}

fn everything(span: Span) -> PodSet {
    PodSet {
        namespaces: Namespaces::Selected(Selector::everything(span)),
        pods: Selector::everything(span),
    }
}

/// Its tier, the default one without a word. Of one that no manifest has, it is not known when it is asked.
fn tier(spec: Node<'_>, calico: &Calico, notes: &mut Notes) -> Result<Tier, String> {
    let name = spec
        .get("tier")
        .filter(|name| !name.is_null() && name.text() != Some(""));
    let text = name.map_or(Some(Tier::DEFAULT), |name| name.text()).unwrap_or("");
    let known = calico.tiers.get(text).cloned();
    let found = known.or_else(|| (text == Tier::DEFAULT).then(Tier::default_tier));
    found.ok_or_else(|| {
        let message =
            format!("tier `{text}` is not in the manifests: when its policies are asked is not known");
        let span = name.map_or(spec.span(), |name| name.span());
        notes.unsupported(span, message.as_str(), Some("give the manifest of the Tier too"));
        message
    })
}

/// Which endpoints it is about: by their labels, those of their namespace, and those of their service account.
fn subject(object: Object<'_>, spec: Node<'_>, notes: &mut Notes) -> Option<PodSet> {
    let span = spec
        .get("selector")
        .map_or(object.name().1, |selector| selector.span());
    let mut terms: Vec<Terms> = Vec::new();
    for (key, prefix) in [("selector", ""), ("serviceAccountSelector", OF_SERVICE_ACCOUNT)] {
        if let Some(selector) = spec.get(key).filter(|selector| !selector.is_null()) {
            let found = read_selector(selector, false, notes)?;
            terms.push(found.terms(prefix, Scope::Namespaced));
        }
    }
    let namespaces = if super::is_global(object.kind) {
        let selector = spec
            .get("namespaceSelector")
            .filter(|selector| !selector.is_null());
        let of_namespaces = match selector {
            None => Selector::everything(span),
            Some(selector) => {
                let found = read_selector(selector, true, notes)?;
                Expression::selector(vec![found.terms("", Scope::Namespaced)], selector.span())
            }
        };
        Namespaces::Selected(of_namespaces)
    } else {
        Namespaces::Own(object.namespace().to_owned())
    };
    Some(PodSet {
        namespaces,
        pods: Expression::selector(terms, span),
    })
}

/// Which host endpoints a policy of the cluster is about: they are in no namespace, and run under no service account. What could
/// not be read may be about any.
fn hosts(spec: Node<'_>, span: Span, about: About) -> Hosts {
    // What is wrong with them is said where they are read for pods.
    let mut unsaid = Notes::default();
    let mut terms: Vec<Terms> = Vec::new();
    let mut is_unread = false;
    // Only of namespaces and service accounts does `all()` leave out what has none.
    let selectors = [
        ("selector", "", Scope::Namespaced),
        ("serviceAccountSelector", OF_SERVICE_ACCOUNT, Scope::Global),
        ("namespaceSelector", OF_NAMESPACE, Scope::Global),
    ];
    for (key, prefix, scope) in selectors {
        let Some(node) = spec.get(key).filter(|selector| !selector.is_null()) else {
            continue;
        };
        match read_selector(node, key == "namespaceSelector", &mut unsaid) {
            Some(found) => terms.push(found.terms(prefix, scope)),
            None => is_unread = true,
        }
    }
    let on_forward = spec.get("applyOnForward").filter(|value| !value.is_null());
    let mut selector = Expression::selector(terms, span);
    selector.is_unread |= is_unread;
    Hosts {
        selector,
        // What is no truth value may be either: then forwarded traffic is followed both ways too.
        on_forward: on_forward.is_some_and(|value| value.as_bool() != Some(false)),
        stage: match about {
            About::At(stage) => stage,
            About::Unread => Stage::Normal,
        },
    }
}

/// When host endpoints ask a policy, if that could be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum About {
    At(Stage),
    Unread,
}

/// "The `doNotTrack` and `preDNAT` and `applyOnForward` fields are meaningful only when applying policy to a host endpoint."
fn about(spec: Node<'_>, notes: &mut Notes) -> About {
    let mut about = About::At(Stage::Normal);
    for (key, stage) in [
        ("doNotTrack", Stage::Untracked),
        ("preDNAT", Stage::BeforeTranslation),
    ] {
        let Some(entry) = spec.entry(key).filter(|entry| !entry.value.is_null()) else {
            continue;
        };
        match (entry.value.as_bool(), about) {
            (Some(false), _) => {}
            (Some(true), About::At(Stage::Normal)) => about = About::At(stage),
            (Some(true), _) => {
                let message = "a policy cannot be both `doNotTrack` and `preDNAT`";
                notes.unread(entry.key.span(), message, Some("make two policies of it"));
                about = About::Unread;
            }
            (None, _) => {
                notes.unread(entry.value.span(), format!("`{key}` is true or false"), None);
                about = About::Unread;
            }
        }
    }
    about
}

/// Which directions it filters, and whether that could be read. Without `types`, those that it has rules for, and ingress if it
/// has none.
fn types(spec: Node<'_>, notes: &mut Notes) -> (bool, bool, bool) {
    let Some(types) = notes.items(spec.get("types"), "policy types") else {
        return (true, true, false);
    };
    if types.is_empty() {
        let has = |key| spec.get(key).is_some_and(|rules| !rules.is_empty());
        let (has_ingress, has_egress) = (has("ingress"), has("egress"));
        return (has_ingress || !has_egress, has_egress, true);
    }
    named_directions(&types, notes)
}

impl Calico {
    /// Keeps the addresses that selectors of all policies take within bounds: past them, a selector may take any.
    fn bound(&mut self, policy: &mut Policy, notes: &mut Notes) {
        let rules = policy.ingress.iter_mut().chain(policy.egress.iter_mut());
        for who in rules.flat_map(|rules| &mut rules.rules).flat_map(Rule::all_who) {
            let Who::Endpoints(endpoints) = who else { continue };
            self.n_blocks += endpoints.blocks.len();
            if self.n_blocks > MAX_BLOCKS {
                let span = endpoints.pods.pods.span;
                let message = format!("selectors take more than {MAX_BLOCKS} blocks of addresses");
                notes.unread(span, message, Some("split the run"));
                let anywhere = set::anywhere().into_iter();
                endpoints.blocks = anywhere
                    .map(|(network, answer)| (Block::of(network), answer))
                    .collect();
            }
        }
    }

    /// Says something of the cluster once.
    pub(super) fn remark(&mut self, remarks: Vec<String>) {
        for remark in remarks {
            if !self.remarks.contains(&remark) {
                self.remarks.push(remark);
            }
        }
    }
}
