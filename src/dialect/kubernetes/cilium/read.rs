//! Objects of Cilium, to policies.
//!
//! INVARIANT: a specification that Cilium would refuse leaves open whom it selects, so it is followed both ways.

use super::super::cluster::{Cluster, Foreign};
use super::super::network_policy;
use super::super::notes::Notes;
use super::super::object::Object;
use super::super::policy::{Hosts, Namespaces, PodSet, Policy, Rule, Rules, Stage, Ties};
use super::super::reach::Direction;
use super::super::selector::Selector;
use super::super::tier::{Order, Tier};
use super::rule::{Besides, Section};
use super::{CIDR_GROUP, CLUSTERWIDE, MAX_REQUIRED, NAMESPACED, Required, Traits, agent, label, later};
use crate::source::Span;
use crate::tree::Node;

/// Fields of a specification ("Rule Basics").
const FIELDS: &[&str] = &[
    "endpointSelector",
    "nodeSelector",
    "ingress",
    "ingressDeny",
    "egress",
    "egressDeny",
    "enableDefaultDeny",
    "labels",
    "description",
    "log",
];

/// Reads an object of one of the kinds, and puts its policies to the others.
pub(in super::super) fn read(object: Object<'_>, cluster: &mut Cluster, notes: &mut Notes) {
    match object.kind {
        CIDR_GROUP => return later::group(object, cluster, notes),
        agent::OF_NODES => return agent::read_node_config(object, cluster, notes),
        _ => {}
    }
    cluster.cilium.is_there = true;
    let (name, span) = object.name();
    let is_clusterwide = object.kind == CLUSTERWIDE;
    let reader = Reader {
        kind: if is_clusterwide { CLUSTERWIDE } else { NAMESPACED },
        name,
        span,
        own: (!is_clusterwide).then(|| object.namespace()),
    };
    let specs = object.node.get("specs").filter(|specs| !specs.is_null());
    let many = notes.items(specs, "specifications");
    let is_read = many.is_some();
    let specs: Vec<Node<'_>> = object
        .spec()
        .into_iter()
        .chain(many.unwrap_or_default())
        .collect();
    if specs.is_empty() || !is_read {
        let message = format!("{} `{name}` has no `spec` and no `specs`", reader.kind);
        notes.unread(span, message, None);
        cluster
            .foreign
            .push(Foreign::unread(reader.own.map(str::to_owned), span));
    }
    for spec in specs {
        reader.spec(spec, cluster, notes);
    }
}

struct Reader<'n> {
    kind: &'static str,
    name: &'n str,
    span: Span,
    own: Option<&'n str>,
}

/// One direction of a specification.
struct Side {
    rules: Option<Rules>,
    isolates: bool,
}

impl Reader<'_> {
    fn full_name(&self) -> String {
        match self.own {
            Some(own) => format!("{own}/{}", self.name),
            None => self.name.to_owned(),
        }
    }

    fn spec(&self, spec: Node<'_>, cluster: &mut Cluster, notes: &mut Notes) {
        let mut besides = [Besides::default(), Besides::default()];
        let [in_ingress, in_egress] = &mut besides;
        let mut is_refused = !notes.knows(spec, FIELDS, "the specification of this policy");
        let default_deny = DefaultDeny::read(spec, notes);
        let ingress = self.side(spec, Direction::Ingress, default_deny.ingress, in_ingress, notes);
        let egress = self.side(spec, Direction::Egress, default_deny.egress, in_egress, notes);
        is_refused |= default_deny.is_refused | lacks_rules(spec, [&ingress, &egress], notes);
        is_refused |= besides.iter().any(|besides| besides.is_refused);
        if besides.iter().any(|besides| besides.has_layer7) {
            cluster.cilium.layer7.insert(self.full_name());
        }
        let (subject, of_nodes, is_selector_refused) = match self.subject(spec, notes) {
            Subject::Pods(subject) => (subject, None, false),
            Subject::Nodes(key, selector) => {
                cluster.cilium.of_nodes.push(key);
                (self.nobody(spec), Some(selector), false)
            }
            Subject::NoPods => return,
            Subject::Refused => (self.everything(spec), None, true),
        };
        let [of_ingress, of_egress] = besides;
        let requires = [of_ingress.requires, of_egress.requires].map(|all| bounded(all, cluster, notes));
        cluster.policies.push(Policy {
            kind: self.kind,
            name: self.name.to_owned(),
            namespace: self.own.map(str::to_owned),
            tier: Tier::default_tier(),
            order: Order::of(network_policy::ORDER),
            ties: Ties::Union,
            span: self.span,
            subject,
            is_subject_unread: is_refused || is_selector_refused,
            hosts: of_nodes.map(|selector| Hosts {
                selector,
                on_forward: false,
                stage: Stage::Normal,
            }),
            ingress: ingress.rules,
            egress: egress.rules,
            cilium: Some(Traits {
                isolates: [ingress.isolates, egress.isolates],
                requires,
            }),
        });
    }

    /// "`EndpointSelector` and `NodeSelector` cannot be both empty and are mutually exclusive"; the latter "can only be used in
    /// `CiliumClusterwideNetworkPolicies`" ("Rule Basics").
    fn subject(&self, spec: Node<'_>, notes: &mut Notes) -> Subject {
        let entry = |key| spec.entry(key).filter(|entry| !entry.value.is_null());
        match (entry("endpointSelector"), entry("nodeSelector")) {
            (Some(entry), None) => {
                if let Some(subject) = label::subject(entry.value, self.own, notes) {
                    Subject::Pods(subject)
                } else {
                    let message = "these endpoints are no pods: what gets through to them is not judged";
                    notes.unsupported(entry.value.span(), message, None);
                    Subject::NoPods
                }
            }
            (None, Some(entry)) if self.own.is_none() => {
                Subject::Nodes(entry.key.span(), label::nodes(entry.value, notes))
            }
            (None, Some(entry)) => {
                let help = "make it a CiliumClusterwideNetworkPolicy";
                notes.unread(
                    entry.key.span(),
                    "a policy of a namespace selects no nodes",
                    Some(help),
                );
                Subject::Refused
            }
            (Some(_), Some(second)) => {
                let message = "`nodeSelector` stands beside `endpointSelector`";
                notes.unread(second.key.span(), message, Some("make two policies of it"));
                Subject::Refused
            }
            (None, None) => {
                notes.unread(
                    spec.span(),
                    "this policy selects nothing",
                    Some("give an `endpointSelector`"),
                );
                Subject::Refused
            }
        }
    }

    /// No pods: "they apply only to the host namespace, including host-networking pods" ("Host Policies").
    fn nobody(&self, spec: Node<'_>) -> PodSet {
        PodSet {
            pods: Selector::nothing(spec.span()),
            ..self.everything(spec)
        }
    }

    fn everything(&self, spec: Node<'_>) -> PodSet {
        let everything = || Selector::everything(spec.span());
        let namespaces = match self.own {
            Some(own) => Namespaces::Own(own.to_owned()),
            None => Namespaces::Selected(everything()),
        };
        PodSet {
            namespaces,
            pods: everything(),
        }
    }

    /// "If any rule selects an endpoint and the rule has an ingress section, the endpoint goes into default deny-mode for ingress"
    /// ("Endpoint default policy"): an empty list is no section; `enableDefaultDeny` says otherwise either way.
    fn side(
        &self,
        spec: Node<'_>,
        direction: Direction,
        asked: Option<(bool, Span)>,
        besides: &mut Besides,
        notes: &mut Notes,
    ) -> Side {
        let (key, deny_key) = match direction {
            Direction::Ingress => ("ingress", "ingressDeny"),
            Direction::Egress => ("egress", "egressDeny"),
        };
        let mut rules: Vec<Rule> = Vec::new();
        let mut place = None;
        for (section, is_deny) in [(key, false), (deny_key, true)] {
            let Some(entry) = spec.entry(section).filter(|entry| !entry.value.is_null()) else {
                continue;
            };
            let section = Section {
                direction,
                is_deny,
                own: self.own,
            };
            match notes.items(Some(entry.value), "rules") {
                Some(list) => {
                    let list = list.into_iter();
                    rules.extend(list.map(|rule| section.rule(rule, besides, notes)));
                }
                None => rules.push(section.unread(entry.value)),
            }
            place = place.or((!rules.is_empty()).then(|| entry.key.span()));
        }
        let isolates = asked.map_or(!rules.is_empty(), |(isolates, _)| isolates);
        let place = place.or(asked.filter(|(isolates, _)| *isolates).map(|(_, span)| span));
        Side {
            rules: place.map(|span| Rules { rules, span }),
            isolates,
        }
    }
}

/// What is required, up to a bound for the whole run; past it, one selector of which nothing is known.
fn bounded(mut all: Vec<Required>, cluster: &mut Cluster, notes: &mut Notes) -> Vec<Required> {
    let left = MAX_REQUIRED.saturating_sub(cluster.cilium.n_required);
    cluster.cilium.n_required += all.len();
    if let Some(beyond) = all.get(left) {
        let message =
            format!("more than {MAX_REQUIRED} selectors of `fromRequires` and `toRequires` in one run");
        notes.unread(beyond.span, message, Some("Cilium has deprecated them"));
        let mut unknown = beyond.clone();
        for set in &mut unknown.sets {
            set.pods.terms.requirements.clear();
            set.pods.is_unread = true;
        }
        all.truncate(left);
        all.push(unknown);
    }
    all
}

/// Who a policy is about.
enum Subject {
    Pods(PodSet),
    /// The nodes with some labels, and the place that says that it is about nodes.
    Nodes(Span, Selector),
    /// Endpoints of the agent.
    NoPods,
    /// Cilium would refuse it.
    Refused,
}

/// Whether a policy without rules is one that Cilium refuses, and is said to be: one that is to put endpoints into default deny.
///
/// A "rule must have at least one of" `ingress`, `ingressDeny`, `egress`, `egressDeny` (pkg/policy/api, `Rule.Validate`): empty lists are
/// none.
/// Without `enableDefaultDeny` such a policy does nothing, refused or not.
fn lacks_rules(spec: Node<'_>, sides: [&Side; 2], notes: &mut Notes) -> bool {
    let Some(entry) = spec
        .entry("enableDefaultDeny")
        .filter(|entry| !entry.value.is_null())
    else {
        return false;
    };
    let has_rules = |side: &Side| side.rules.as_ref().is_some_and(|rules| !rules.rules.is_empty());
    if sides.into_iter().any(has_rules) {
        return false;
    }
    let message = "`enableDefaultDeny` stands in a policy without rules, which Cilium refuses";
    let help = "give it a rule: `ingress: [{}]` lets nobody in";
    notes.unread(entry.key.span(), message, Some(help));
    true
}

/// What `enableDefaultDeny` says of each direction, and where.
#[derive(Default)]
struct DefaultDeny {
    ingress: Option<(bool, Span)>,
    egress: Option<(bool, Span)>,
    is_refused: bool,
}

impl DefaultDeny {
    fn read(spec: Node<'_>, notes: &mut Notes) -> Self {
        let mut found = Self::default();
        let Some(node) = spec.get("enableDefaultDeny").filter(|node| !node.is_null()) else {
            return found;
        };
        if !notes.knows(node, &["ingress", "egress"], "`enableDefaultDeny`") {
            found.is_refused = true;
            return found;
        }
        for (key, asked) in [("ingress", &mut found.ingress), ("egress", &mut found.egress)] {
            let Some(value) = node.get(key).filter(|value| !value.is_null()) else {
                continue;
            };
            if let Some(isolates) = value.as_bool() {
                *asked = Some((isolates, value.span()));
            } else {
                notes.unread(value.span(), "write true or false", None);
                found.is_refused = true;
            }
        }
        found
    }
}
