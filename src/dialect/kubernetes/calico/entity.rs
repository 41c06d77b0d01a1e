//! `source` and `destination` of a rule: who an end is, as questions that must all be answered as asked.
//!
//! Semantics: docs.tigera.io, "Network policy", `EntityRule`, Selectors and Understanding scopes; how the scope of selectors is put
//! together is libcalico-go's (`GetEntityRuleSelector`). INVARIANT: what could not be read is [`Question::Unread`].

use super::expression::{Expression, Scope};
use super::labels::{OF_SERVICE_ACCOUNT, SERVICE_ACCOUNT};
use super::{service, set};
use crate::dialect::kubernetes::cluster::Cluster;
use crate::dialect::kubernetes::notes::Notes;
use crate::dialect::kubernetes::policy::{Block, Endpoints, Namespaces, Peer, PodSet, Ports, Who};
use crate::dialect::kubernetes::selector::{Operator, Requirement, Selector, Terms};
use crate::packet::Family;
use crate::source::Span;
use crate::tree::Node;

const KEYS: &[&str] = &[
    "nets",
    "notNets",
    "selector",
    "notSelector",
    "namespaceSelector",
    "ports",
    "notPorts",
    "serviceAccounts",
    "services",
];

/// The longest name of a port (libcalico-go, validator/v3).
const MAX_NAME_BYTES: usize = 128;

/// One thing that is asked of an end.
#[derive(Debug)]
pub(super) enum Question {
    /// It is one of these, or it is none of them.
    Peers {
        peers: Vec<Peer>,
        is_negated: bool,
    },
    /// Its port is one of these, or it is none of them. Of which protocol, the rule says.
    Ports {
        ports: Vec<(Span, Ports)>,
        is_negated: bool,
    },
    /// It is a service: one of its pods, and if it is the destination, one of its ports.
    Service {
        peers: Vec<Peer>,
        ports: service::Targets,
    },
    /// It is of one of these families.
    Families(Vec<Family>),
    Unread,
}

/// What is asked, with the bytes that ask it.
pub(super) type Asked = (Span, Question);

/// Reads ends of the rules of one policy.
pub(super) struct Reader<'c> {
    pub(super) cluster: &'c Cluster,
    /// The namespace of the policy; `None`: it is of the cluster.
    pub(super) namespace: Option<&'c str>,
}

impl Reader<'_> {
    /// All that is asked of an end.
    pub(super) fn entity(&self, node: Node<'_>, notes: &mut Notes) -> Vec<Asked> {
        let mut asked = Vec::new();
        if node.is_null() {
            return asked;
        }
        if !notes.knows(node, KEYS, "an end of a rule of Calico") {
            asked.push((node.span(), Question::Unread));
            if !node.is_mapping() {
                return asked;
            }
        }
        asked.extend(self.selected(node, notes));
        asked.extend(self.not_selected(node, notes));
        asked.extend(networks(node, "nets", false, notes));
        asked.extend(networks(node, "notNets", true, notes));
        asked.extend(ports(node, "ports", false, notes));
        asked.extend(ports(node, "notPorts", true, notes));
        if let Some(services) = present(node, "services") {
            asked.push((
                services.span(),
                service::question(services, self.namespace, self.cluster, notes),
            ));
        }
        asked
    }

    /// `selector`, `namespaceSelector` and `serviceAccounts` together; within the namespace of the policy, if they do not look
    /// into others. A `notSelector` alone keeps a rule of a namespaced policy to its namespace too.
    fn selected(&self, node: Node<'_>, notes: &mut Notes) -> Option<Asked> {
        let (selector, accounts) = (present(node, "selector"), present(node, "serviceAccounts"));
        let namespaces = present(node, "namespaceSelector");
        let in_own = self.namespace.and(present(node, "notSelector"));
        let span = selector.or(namespaces).or(accounts).or(in_own)?.span();
        let mut terms = Vec::new();
        let mut is_read = true;
        if let Some(selector) = selector {
            match read_selector(selector, false, notes) {
                Some(found) => terms.push(found.terms("", Scope::Namespaced)),
                None => is_read = false,
            }
        }
        if let Some(accounts) = accounts {
            match service_accounts(accounts, notes) {
                Some(found) => terms.extend(found),
                None => is_read = false,
            }
        }
        let scope = match namespaces {
            None => Some(self.own_scope(span)),
            Some(namespaces) => read_selector(namespaces, true, notes).map(|found| {
                let asked = |scope| Expression::selector(vec![found.terms("", scope)], namespaces.span());
                (
                    Namespaces::Selected(asked(Scope::Namespaced)),
                    Some(asked(Scope::Global)),
                )
            }),
        };
        let (Some((namespaces, global)), true) = (scope, is_read) else {
            return Some((span, Question::Unread));
        };
        let pods = PodSet {
            namespaces,
            pods: Expression::selector(terms, span),
        };
        Some((span, self.endpoints(pods, global, span, false)))
    }

    /// "`notSelector: has(foo)` matches packets from/to anywhere, except traffic from/to endpoints and network sets that have
    /// the label": its scope is not narrowed, but the rule is, by what stands beside it.
    fn not_selected(&self, node: Node<'_>, notes: &mut Notes) -> Option<Asked> {
        let selector = present(node, "notSelector")?;
        let span = selector.span();
        let Some(found) = read_selector(selector, false, notes) else {
            return Some((span, Question::Unread));
        };
        let pods = PodSet {
            namespaces: Namespaces::Selected(Selector::everything(span)),
            pods: Expression::selector(vec![found.terms("", Scope::Namespaced)], span),
        };
        let global = Some(Selector::everything(span));
        Some((span, self.endpoints(pods, global, span, true)))
    }

    fn endpoints(&self, pods: PodSet, global: Option<Selector>, span: Span, is_negated: bool) -> Question {
        let mut endpoints = Endpoints {
            pods,
            global,
            blocks: Vec::new(),
        };
        endpoints.blocks = set::blocks(&endpoints, self.cluster);
        let who = Who::Endpoints(endpoints);
        Question::Peers {
            peers: vec![Peer { span, who }],
            is_negated,
        }
    }

    /// What selectors look at without a `namespaceSelector`: the namespace of the policy, or everything.
    fn own_scope(&self, span: Span) -> (Namespaces, Option<Selector>) {
        if let Some(own) = self.namespace {
            return (Namespaces::Own(own.to_owned()), None);
        }
        let all = Selector::everything(span);
        (Namespaces::Selected(all.clone()), Some(all))
    }
}

/// The value of a key; an empty text or list is as none.
fn present<'t>(node: Node<'t>, key: &str) -> Option<Node<'t>> {
    let is_empty = |value: &Node<'_>| value.is_null() || value.text() == Some("");
    node.get(key).filter(|value| !is_empty(value))
}

/// A selector. `global()` is for namespaces alone (libcalico-go, validator/v3).
pub(super) fn read_selector(node: Node<'_>, is_of_namespaces: bool, notes: &mut Notes) -> Option<Expression> {
    let found = Expression::read(node, notes)?;
    if found.has_global() && !is_of_namespaces {
        let help = "`global()` stands in the `namespaceSelector` of a rule";
        notes.unread(node.span(), "`global()` cannot stand here", Some(help));
        return None;
    }
    Some(found)
}

/// By names, by labels, or by both at once.
fn service_accounts(node: Node<'_>, notes: &mut Notes) -> Option<Vec<Terms>> {
    if !notes.knows(node, &["names", "selector"], "`serviceAccounts`") {
        return None;
    }
    let mut terms = Vec::new();
    let names = notes.items(node.get("names"), "names of service accounts")?;
    if !names.is_empty() {
        let values: Option<Vec<String>> = names.iter().map(|name| name.text().map(str::to_owned)).collect();
        let Some(mut values) = values else {
            notes.unread(node.span(), "a name of a service account is no text", None);
            return None;
        };
        values.sort();
        values.dedup();
        let requirement = Requirement {
            key: SERVICE_ACCOUNT.to_owned(),
            operator: Operator::In,
            values,
        };
        terms.push(Terms {
            requirements: vec![requirement],
            choices: Vec::new(),
        });
    }
    if let Some(selector) = present(node, "selector") {
        let found = read_selector(selector, false, notes)?;
        terms.push(found.terms(OF_SERVICE_ACCOUNT, Scope::Namespaced));
    }
    Some(terms)
}

/// Blocks of addresses. A rule whose blocks are all of one family is for that family alone, negated ones too (felix, rules,
/// `FilterRuleToIPVersion`).
fn networks(node: Node<'_>, key: &str, is_negated: bool, notes: &mut Notes) -> Vec<Asked> {
    let Some(list) = node.get(key) else {
        return Vec::new();
    };
    let Some(items) = notes.items(Some(list), "networks") else {
        return vec![(list.span(), Question::Unread)];
    };
    if items.is_empty() {
        return Vec::new();
    }
    let mut families = Vec::new();
    let read = items.into_iter().map(|item| {
        let who = match set::read_network(item, notes) {
            None => Who::Unread,
            Some(network) => {
                families.push(network.family);
                Who::Block(Block::of(network))
            }
        };
        Peer {
            span: item.span(),
            who,
        }
    });
    let peers = read.collect();
    families.sort_unstable();
    families.dedup();
    let mut asked = vec![(list.span(), Question::Peers { peers, is_negated })];
    if is_negated && families.len() == 1 {
        asked.push((list.span(), Question::Families(families)));
    }
    asked
}

/// Ports: numbers, ranges `6040:6050`, names.
fn ports(node: Node<'_>, key: &str, is_negated: bool, notes: &mut Notes) -> Option<Asked> {
    let list = node.get(key)?;
    let Some(items) = notes.items(Some(list), "ports") else {
        return Some((list.span(), Question::Unread));
    };
    if items.is_empty() {
        return None;
    }
    let ports = items
        .into_iter()
        .map(|item| (item.span(), read_port(item, notes)));
    let ports = ports.collect();
    Some((list.span(), Question::Ports { ports, is_negated }))
}

fn read_port(node: Node<'_>, notes: &mut Notes) -> Ports {
    let text = node.text().filter(|_| node.is_scalar()).unwrap_or("");
    let number = |text: &str| {
        let is_number = !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit());
        is_number.then(|| text.parse::<u16>().ok())?
    };
    let is_of_name = |one: char| one.is_ascii_alphanumeric() || "_.-".contains(one);
    let named = || {
        let is_name = text.chars().all(is_of_name) && text.contains(|one: char| !one.is_ascii_digit());
        (is_name && text.len() <= MAX_NAME_BYTES).then(|| Ports::Named(text.to_owned()))
    };
    let found = match text.split_once(':') {
        Some((low, high)) => number(low)
            .zip(number(high))
            .filter(|(low, high)| low <= high)
            .map(|(low, high)| Ports::Range(low, high)),
        None => number(text).map(|port| Ports::Range(port, port)).or_else(named),
    };
    found.unwrap_or_else(|| {
        let message = format!("`{text}` is no port");
        let help = "ports are numbers, ranges like '6040:6050' or names";
        notes.unread(node.span(), message, Some(help));
        Ports::Unread
    })
}
