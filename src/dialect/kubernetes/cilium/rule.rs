//! One rule of `ingress`, `ingressDeny`, `egress` or `egressDeny`.
//!
//! Semantics: "Layer 3 Policies", "Layer 4 Policies", "Deny Policies". INVARIANT: a list of peers that is empty means nobody, as the upgrade
//! notes of 1.15 have it; without any list, ports are open to anybody, and without ports either the rule says nothing.

use super::super::notes::Notes;
use super::super::policy::{Action, Peer, Port, Rule, Who as Peers};
use super::super::reach::Direction;
use super::later::Later;
use super::port::{self, Read};
use super::{Entity, Required, Who, address, label};
use crate::source::Span;
use crate::tree::Node;

/// What is read of a rule besides the rule.
#[derive(Default)]
pub(super) struct Besides {
    pub(super) requires: Vec<Required>,
    pub(super) has_layer7: bool,
    /// Whether Cilium would refuse the policy for it.
    pub(super) is_refused: bool,
}

/// Where rules stand.
#[derive(Clone, Copy)]
pub(super) struct Section<'n> {
    pub(super) direction: Direction,
    pub(super) is_deny: bool,
    /// The namespace of the policy.
    pub(super) own: Option<&'n str>,
}

/// Fields that say who the peers are, without `from` and `to`.
const PEERS: &[&str] = &["Endpoints", "CIDR", "CIDRSet", "Entities", "Nodes", "Groups"];
/// Those of egress besides.
const OF_EGRESS: &[&str] = &["toServices", "toFQDNs"];

impl Section<'_> {
    fn prefix(self) -> &'static str {
        match self.direction {
            Direction::Ingress => "from",
            Direction::Egress => "to",
        }
    }

    fn action(self) -> Action {
        if self.is_deny {
            Action::Deny
        } else {
            Action::Accept
        }
    }

    /// A rule of which nothing is known but what it does.
    pub(super) fn unread(self, node: Node<'_>) -> Rule {
        Rule {
            span: node.span(),
            action: self.action(),
            action_span: node.span(),
            peers: Some(vec![unread(node.span())]),
            ports: None,
            tests: Vec::new(),
        }
    }

    /// Reads a rule.
    pub(super) fn rule(self, node: Node<'_>, besides: &mut Besides, notes: &mut Notes) -> Rule {
        let of_peers = self.fields();
        let requires = format!("{}Requires", self.prefix());
        let mut keys: Vec<&str> = of_peers.iter().map(String::as_str).collect();
        keys.extend([requires.as_str(), "toPorts", "icmps"]);
        if !self.is_deny {
            keys.push("authentication");
        }
        // `- ` and nothing is the rule that says nothing.
        if !node.is_null() && !notes.knows(node, &keys, "a rule of this policy") {
            return self.unread(node);
        }
        let ports = self.ports(node, besides, notes);
        let mut peers = self.peers(node, &of_peers, besides, notes);
        if let Some(list) = node.entry(&requires).filter(|entry| !entry.value.is_empty()) {
            // 1.19 enforces both lists to be empty (SIGHUP, networking module 4.1.0, "Breaking Changes", on Cilium 1.19).
            let message = format!("whether `{requires}` is refused depends on the version of Cilium");
            let help = "ask for the labels in the selectors of the peers: Cilium refuses it from 1.19 on";
            notes.unsupported(list.key.span(), message, Some(help));
            besides.is_refused = true;
            self.requires(list.value, besides, notes);
            if peers.is_none() && ports.is_some() {
                let why = "to whom ports are open besides `fromRequires` or `toRequires` is not known";
                notes.unsupported(list.key.span(), why, Some("name the peers too"));
                peers = Some(vec![anybody(list.key.span(), why)]);
            }
        }
        // "ingress: - {}" puts endpoints into default deny, and lets nobody through.
        if peers.is_none() && ports.is_none() {
            peers = Some(Vec::new());
        }
        let (action, action_span) = self.authenticated(node, notes);
        Rule {
            span: node.span(),
            action,
            action_span,
            peers,
            ports,
            tests: Vec::new(),
        }
    }

    fn fields(self) -> Vec<String> {
        let named = PEERS.iter().map(|field| format!("{}{field}", self.prefix()));
        let mut found: Vec<String> = named.collect();
        if self.direction == Direction::Egress {
            // Names cannot be denied: EgressDenyRule has no `toFQDNs`.
            let of_egress = OF_EGRESS.iter().take(if self.is_deny { 1 } else { 2 });
            found.extend(of_egress.map(|field| (*field).to_owned()));
        }
        found
    }

    /// The peers of whichever list there is. "Combining [...] is not supported yet": two lists that say somebody are refused.
    fn peers(
        self,
        node: Node<'_>,
        fields: &[String],
        besides: &mut Besides,
        notes: &mut Notes,
    ) -> Option<Vec<Peer>> {
        let written = |field: &String| node.entry(field).filter(|entry| !entry.value.is_null());
        let lists: Vec<_> = fields.iter().filter_map(written).collect();
        let mut found = Vec::new();
        let mut is_nobody = false;
        for (at, list) in lists.iter().enumerate() {
            let Some(items) = notes.items(Some(list.value), "peers") else {
                besides.is_refused = true;
                found.push(unread(list.value.span()));
                continue;
            };
            is_nobody |= items.is_empty();
            if at > 0 && !found.is_empty() && !items.is_empty() {
                let message = format!("`{}` stands beside another list of peers", list.name());
                notes.unread(list.key.span(), message, Some("make it a rule of its own"));
                besides.is_refused = true;
            }
            for item in items {
                found.extend(self.whoever(list.name(), item, besides, notes));
            }
        }
        if is_nobody {
            found.clear();
        }
        (!lists.is_empty()).then_some(found)
    }

    /// Whoever an item of a list is.
    fn whoever(self, field: &str, item: Node<'_>, besides: &mut Besides, notes: &mut Notes) -> Vec<Peer> {
        let field = field.strip_prefix(self.prefix()).unwrap_or(field);
        let read = match field {
            "Endpoints" => {
                let span = item.span();
                let all = label::peers(item, self.own, notes).into_iter();
                return all.map(|who| Peer { span, who }).collect();
            }
            "CIDR" => address::cidr(item, notes),
            "CIDRSet" => address::cidr_rule(item, notes),
            "FQDNs" => address::name(item, notes),
            "Entities" => entity(item, notes),
            "Services" => Some(self.service(item, notes)),
            "Nodes" => {
                label::required(item, None, notes);
                let why = "nodes are not in manifests: which addresses they have is not known";
                notes.unsupported(item.span(), why, None);
                Some(peer(item.span(), Who::Nodes))
            }
            _ => {
                let why = "which addresses groups of a cloud have is not known";
                notes.unsupported(item.span(), why, None);
                Some(peer(item.span(), Who::Outside(why.to_owned())))
            }
        };
        vec![read.unwrap_or_else(|| {
            besides.is_refused = true;
            unread(item.span())
        })]
    }

    /// An item of `toServices`: by name, or by labels of Services.
    fn service(self, item: Node<'_>, notes: &mut Notes) -> Peer {
        let span = item.span();
        if !notes.knows(
            item,
            &["k8sService", "k8sServiceSelector"],
            "an item of `toServices`",
        ) {
            return unread(span);
        }
        let Some(named) = item.get("k8sService").filter(Node::is_mapping) else {
            let why = "which Services are meant is not known";
            notes.unsupported(span, why, Some("name each with `k8sService`"));
            return anybody(span, why);
        };
        let text = |key: &str| named.get(key).and_then(|value| value.text());
        let is_known = notes.knows(named, &["serviceName", "namespace"], "`k8sService`");
        match (text("serviceName"), text("namespace").or(self.own), is_known) {
            (Some(name), Some(namespace), true) => peer(
                named.get("serviceName").unwrap_or(named).span(),
                Who::Later(Later::Service(namespace.to_owned(), name.to_owned())),
            ),
            (_, _, false) => unread(span),
            _ => {
                notes.unread(span, "this item does not name a Service and its namespace", None);
                unread(span)
            }
        }
    }

    fn requires(self, list: Node<'_>, besides: &mut Besides, notes: &mut Notes) {
        let Some(items) = notes.items(Some(list), "selectors") else {
            besides.is_refused = true;
            return;
        };
        if self.is_deny {
            let message = "what is required of the peers of a deny rule is not modelled";
            notes.unsupported(list.span(), message, None);
            besides.is_refused = true;
            return;
        }
        for item in items {
            let sets = label::required(item, self.own, notes);
            besides.requires.push(Required {
                span: item.span(),
                sets,
            });
        }
    }

    /// "mode: required": the connection waits until both ends proved who they are ("Mutual Authentication").
    fn authenticated(self, node: Node<'_>, notes: &mut Notes) -> (Action, Span) {
        let authentication = node.get("authentication").filter(|value| !value.is_null());
        let Some(mode) = authentication.and_then(|value| value.get("mode")) else {
            return (self.action(), node.span());
        };
        if mode.text() == Some("disabled") {
            return (self.action(), node.span());
        }
        let message = "whether peers can prove who they are is not known";
        notes.unsupported(mode.span(), message, None);
        (Action::MayAccept, mode.span())
    }

    /// The ports of a rule; `None` if it has no list that says any.
    fn ports(self, node: Node<'_>, besides: &mut Besides, notes: &mut Notes) -> Option<Vec<Port>> {
        let mut read = Read::default();
        let of = |key: &str, notes: &mut Notes| notes.items(node.get(key), "ports");
        let (Some(ports), Some(icmps)) = (of("toPorts", notes), of("icmps", notes)) else {
            besides.is_refused = true;
            return Some(vec![port::unread(node)]);
        };
        if ports.is_empty() && icmps.is_empty() {
            return None;
        }
        if !ports.is_empty() && !icmps.is_empty() {
            // "The ICMPs block may only be present without ToPorts."
            let span = node.entry("icmps").map_or(node.span(), |entry| entry.key.span());
            notes.unread(
                span,
                "`icmps` stands beside `toPorts`",
                Some("make it a rule of its own"),
            );
            besides.is_refused = true;
        }
        for &item in &ports {
            read.port_rule(item, self, notes);
        }
        for item in icmps {
            read.icmp_rule(item, notes);
        }
        if let Some(list) = node
            .entry("toServices")
            .filter(|list| !list.value.is_empty() && !ports.is_empty())
        {
            // "Combining ToServices and ToPorts is not supported yet" (`EgressRule.sanitize`); some versions take both.
            let message = "whether `toServices` may stand beside `toPorts` depends on the version of Cilium";
            notes.unsupported(list.key.span(), message, Some("name the pods in `toEndpoints`"));
            besides.is_refused = true;
        }
        besides.has_layer7 |= read.has_layer7;
        besides.is_refused |= read.is_refused;
        Some(read.ports)
    }
}

fn entity(item: Node<'_>, notes: &mut Notes) -> Option<Peer> {
    let word = item.text().unwrap_or("");
    let found = Entity::of(word);
    if found.is_none() {
        let help = format!("entities are {}", Entity::names());
        notes.unread(item.span(), format!("`{word}` is no entity"), Some(&help));
    }
    Some(peer(item.span(), Who::Entity(found?)))
}

fn peer(span: Span, who: Who) -> Peer {
    Peer {
        span,
        who: Peers::Cilium(who),
    }
}

fn anybody(span: Span, why: &str) -> Peer {
    peer(span, Who::Anybody(why.to_owned()))
}

fn unread(span: Span) -> Peer {
    Peer {
        span,
        who: Peers::Unread,
    }
}
