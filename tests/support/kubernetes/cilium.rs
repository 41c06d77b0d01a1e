//! What Cilium's documents say of a cluster, packet by packet, over the JSON itself: identities are sets of labels with a source, and
//! each rule is asked as it is written. INVARIANT: it shares no code with the reader; `None` is what the documents leave open.

use std::collections::BTreeSet;
use std::net::IpAddr;

use serde_json::Value;

use super::cilium_labels::{Label, NAMESPACE, in_scope, is_in, list, namespace_label, of_own, selects, text};

/// Who an end is.
#[derive(Debug, Clone)]
pub(crate) enum End {
    Pod(Pod),
    World(IpAddr),
}

/// A pod with its labels as Cilium has them, and its named ports.
#[derive(Debug, Clone)]
pub(crate) struct Pod {
    pub(crate) namespace: String,
    labels: BTreeSet<Label>,
    ports: Vec<(String, u8, u16)>,
}

/// The objects of a cluster.
pub(crate) struct Objects<'v> {
    items: Vec<&'v Value>,
    ports: Vec<(String, u8, u16)>,
}

const PROTOCOLS: [u8; 3] = [6, 17, 132];

fn or(answers: impl IntoIterator<Item = Option<bool>>) -> Option<bool> {
    let all: Vec<_> = answers.into_iter().collect();
    match all {
        _ if all.contains(&Some(true)) => Some(true),
        _ if all.contains(&None) => None,
        _ => Some(false),
    }
}

pub(crate) fn and(answers: impl IntoIterator<Item = Option<bool>>) -> Option<bool> {
    or(answers.into_iter().map(|answer| answer.map(|it| !it))).map(|it| !it)
}

impl<'v> Objects<'v> {
    pub(crate) fn new(cluster: &'v Value) -> Self {
        let items: Vec<&Value> = list(cluster, "items").collect();
        let mut objects = Self {
            items,
            ports: Vec::new(),
        };
        objects.ports = objects
            .pods()
            .into_iter()
            .flat_map(|(_, pod)| pod.ports)
            .collect();
        objects
    }

    fn of_kind(&self, kind: &str) -> impl Iterator<Item = &'v Value> {
        let kind = kind.to_owned();
        self.items
            .iter()
            .copied()
            .filter(move |item| item["kind"] == kind)
    }

    /// The pods by name, `namespace/name`.
    pub(crate) fn pods(&self) -> Vec<(String, Pod)> {
        let pods = self.of_kind("Pod").map(|item| {
            let (name, namespace) = (
                text(&item["metadata"]["name"]),
                text(&item["metadata"]["namespace"]),
            );
            (format!("{namespace}/{name}"), self.pod(item, namespace))
        });
        pods.collect()
    }

    fn pod(&self, item: &Value, namespace: String) -> Pod {
        let label = |key: &str, value: &str| ("k8s".to_owned(), key.to_owned(), value.to_owned());
        let mut labels = BTreeSet::from([label(NAMESPACE, &namespace)]);
        let own = item["metadata"]["labels"].as_object();
        labels.extend(
            own.into_iter()
                .flatten()
                .map(|(key, value)| label(key, &text(value))),
        );
        let account = item["spec"]["serviceAccountName"].as_str().unwrap_or("default");
        labels.insert(label("io.cilium.k8s.policy.serviceaccount", account));
        for of in self
            .of_kind("Namespace")
            .filter(|of| of["metadata"]["name"] == namespace)
        {
            for (key, value) in of["metadata"]["labels"].as_object().into_iter().flatten() {
                labels.insert(label(
                    &format!("io.cilium.k8s.namespace.labels.{key}"),
                    &text(value),
                ));
            }
        }
        let containers = list(&item["spec"], "containers").flat_map(|one| list(one, "ports"));
        let named = containers.filter(|port| port["name"].is_string());
        let ports = named.map(|port| {
            let protocol = if port["protocol"] == "UDP" { 17 } else { 6 };
            let number = port["containerPort"].as_u64().unwrap();
            (text(&port["name"]), protocol, u16::try_from(number).unwrap())
        });
        Pod {
            namespace,
            labels,
            ports: ports.collect(),
        }
    }

    fn is_node(&self, address: &IpAddr) -> bool {
        let of = |node: &Value| {
            let mut addresses = list(&node["status"], "addresses");
            addresses.any(|one| one["address"] == address.to_string())
        };
        self.of_kind("Node").any(of)
    }

    /// Whether a pod may open a connection to, or take one from, the other end.
    pub(crate) fn lets(
        &self,
        is_ingress: bool,
        own: &Pod,
        other: &End,
        protocol: u8,
        port: u16,
    ) -> Option<bool> {
        let mut asked = Asked {
            objects: self,
            is_ingress,
            own,
            other,
            protocol,
            port,
            required: Vec::new(),
            allowed: Vec::new(),
            denied: Vec::new(),
            isolated: Vec::new(),
        };
        asked.all();
        let denied = or(asked.denied);
        let is_open = or(asked.isolated).map(|isolated| !isolated);
        let allowed = or(asked.allowed.into_iter().chain([is_open]));
        let answer = and([denied.map(|denied| !denied), allowed]);
        // A node reaches its own pods, and which those are is not known.
        let is_node = matches!(other, End::World(address) if self.is_node(address));
        answer.filter(|answer| *answer || !is_node)
    }
}

/// Whether a specification has something in `fromRequires` or `toRequires`.
fn requires(spec: &Value) -> bool {
    let rules = ["ingress", "egress"].map(|key| list(spec, key));
    let mut rules = rules.into_iter().flatten();
    rules.any(|rule| {
        let fields = ["fromRequires", "toRequires"].map(|key| list(rule, key));
        fields.into_iter().flatten().next().is_some()
    })
}

/// One packet at one end, and what the rules said so far.
struct Asked<'a> {
    objects: &'a Objects<'a>,
    is_ingress: bool,
    own: &'a Pod,
    other: &'a End,
    protocol: u8,
    port: u16,
    /// Selectors of `fromRequires` with the namespaces of their policies.
    required: Vec<(&'a Value, String)>,
    allowed: Vec<Option<bool>>,
    denied: Vec<Option<bool>>,
    isolated: Vec<Option<bool>>,
}

impl Asked<'_> {
    fn all(&mut self) {
        let mut specs: Vec<(&Value, String)> = Vec::new();
        for kind in ["CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy"] {
            for item in self.objects.of_kind(kind) {
                let own = item["metadata"]["namespace"].as_str().unwrap_or_default();
                let all = list(item, "specs").chain(item.get("spec"));
                specs.extend(all.map(|spec| (spec, own.to_owned())));
            }
        }
        specs.retain(|(spec, own)| {
            let is_here = own.is_empty() || *own == self.own.namespace;
            is_here && selects(&of_own(&spec["endpointSelector"], own), &self.own.labels)
        });
        let (key, deny, from) = if self.is_ingress {
            ("ingress", "ingressDeny", "from")
        } else {
            ("egress", "egressDeny", "to")
        };
        let field = format!("{from}Requires");
        for (spec, own) in &specs {
            for rule in list(spec, key) {
                let asked = list(rule, &field).map(|one| (one, own.clone()));
                self.required.extend(asked);
            }
        }
        for (spec, own) in &specs {
            let has_rules = list(spec, key).chain(list(spec, deny)).next().is_some();
            let asked = spec["enableDefaultDeny"][key].as_bool();
            // Agents from 1.19 on refuse a policy that requires something of peers.
            let may_be_refused = requires(spec);
            let if_taken = |answer: Option<bool>| answer.filter(|it| !it || !may_be_refused);
            self.isolated.push(if_taken(Some(asked.unwrap_or(has_rules))));
            for rule in list(spec, key) {
                let answer = if_taken(self.rule(rule, from, own, false));
                self.allowed.push(answer);
            }
            for rule in list(spec, deny) {
                let answer = if_taken(self.rule(rule, from, own, true));
                self.denied.push(answer);
            }
        }
        self.network_policies();
    }

    fn rule(&self, rule: &Value, from: &str, own: &str, is_deny: bool) -> Option<bool> {
        let field = |name: &str| rule.get(format!("{from}{name}"));
        let lists = ["Endpoints", "Entities", "CIDR", "CIDRSet"].map(|name| (name, field(name)));
        let has_ports = ["toPorts", "icmps"]
            .iter()
            .any(|key| list(rule, key).next().is_some());
        let meets = if is_deny { Some(true) } else { self.meets() };
        let is_endpoints = field("Endpoints").is_some();
        let is_peer = if lists.iter().all(|(_, list)| list.is_none()) {
            let is_unclear = rule.get(format!("{from}Requires")).is_some() && has_ports;
            if is_unclear { None } else { Some(has_ports) }
        } else {
            let items = lists.iter().flat_map(|(name, list)| {
                let items = list.and_then(Value::as_array).into_iter().flatten();
                items.map(|item| self.peer(name, item, own))
            });
            or(items.collect::<Vec<_>>())
        };
        // What is no pod is selected by labels only where agents differ, and then so is what is required of it.
        let is_pod = matches!(self.other, End::Pod(_));
        let meets = if is_endpoints && is_pod || meets == Some(true) {
            meets
        } else {
            None
        };
        and([is_peer, meets, self.ports(rule)])
    }

    /// Whether the other end has what `fromRequires` asks.
    fn meets(&self) -> Option<bool> {
        let asked = self.required.iter().map(|(selector, own)| match self.other {
            End::Pod(pod) => in_scope(selector, own, &pod.labels),
            End::World(_) => Some(false),
        });
        // Of a policy that is refused nothing is required.
        and(asked.map(|it| it.filter(|it| *it)).collect::<Vec<_>>())
    }

    fn peer(&self, name: &str, item: &Value, own: &str) -> Option<bool> {
        match (name, self.other) {
            ("Endpoints", End::Pod(pod)) => in_scope(item, own, &pod.labels),
            ("Endpoints", End::World(_)) => {
                let world = ("reserved".to_owned(), "world".to_owned(), String::new());
                in_scope(item, own, &BTreeSet::from([world]))
            }
            ("Entities", other) => match (item.as_str().unwrap(), other) {
                ("all", _) | ("cluster", End::Pod(_)) => Some(true),
                ("world" | "host", End::Pod(_)) | ("none", _) => Some(false),
                ("world", End::World(address)) => Some(!self.objects.is_node(address)),
                ("cluster", End::World(address)) if self.objects.is_node(address) => Some(true),
                (_, End::World(_)) => None,
                (entity, _) => panic!("no {entity}"),
            },
            // "CIDR rules do not apply to [...] an IP address belonging to a node in the cluster."
            ("CIDR" | "CIDRSet", End::World(address)) if self.objects.is_node(address) => Some(false),
            ("CIDR", End::World(address)) => Some(is_in(item.as_str().unwrap(), *address)),
            ("CIDRSet", End::World(address)) => {
                let is_out = list(item, "except").any(|part| is_in(part.as_str().unwrap(), *address));
                Some(is_in(item["cidr"].as_str().unwrap(), *address) && !is_out)
            }
            _ => Some(false),
        }
    }

    fn ports(&self, rule: &Value) -> Option<bool> {
        let mut lists = ["toPorts", "icmps"]
            .iter()
            .flat_map(|key| list(rule, key))
            .peekable();
        if lists.peek().is_none() {
            return Some(true);
        }
        let mut found = Vec::new();
        for one in lists {
            found.extend(list(one, "ports").map(|port| self.is_port(port)));
            found.extend(list(one, "fields").map(|field| {
                let protocol = if field["family"] == "IPv6" { 58 } else { 1 };
                let kind = u16::try_from(field["type"].as_u64().unwrap()).unwrap();
                Some(self.protocol == protocol && self.port >> 8 == kind)
            }));
        }
        or(found)
    }

    fn is_port(&self, port: &Value) -> Option<bool> {
        let is_protocol = match port["protocol"].as_str().unwrap_or("ANY") {
            "TCP" => self.protocol == 6,
            "UDP" => self.protocol == 17,
            "SCTP" => self.protocol == 132,
            _ => PROTOCOLS.contains(&self.protocol),
        };
        if !is_protocol {
            return Some(false);
        }
        let word = port["port"].as_str().unwrap();
        match word.parse::<u64>() {
            Ok(0) => Some(true),
            Ok(low) => Some((low..=port["endPort"].as_u64().unwrap_or(low)).contains(&self.port.into())),
            Err(_) => self.is_named(word),
        }
    }

    /// On the way in, the pod's own name; on the way out whatever one number all pods give the name.
    fn is_named(&self, name: &str) -> Option<bool> {
        let is_it = |port: &&(String, u8, u16)| port.0 == name && port.1 == self.protocol;
        let calls_so = |pod: &Pod| pod.ports.iter().filter(is_it).any(|port| port.2 == self.port);
        if self.is_ingress {
            return Some(calls_so(self.own));
        }
        let numbers: BTreeSet<u16> = self
            .objects
            .ports
            .iter()
            .filter(is_it)
            .map(|port| port.2)
            .collect();
        let is_called = matches!(self.other, End::Pod(pod) if calls_so(pod));
        match numbers.contains(&self.port) {
            false => Some(false),
            true if numbers.len() == 1 && is_called => Some(true),
            true => None,
        }
    }

    /// The NetworkPolicies beside them, of which blocks are not about pods.
    fn network_policies(&mut self) {
        let (key, from, word) = if self.is_ingress {
            ("ingress", "from", "Ingress")
        } else {
            ("egress", "to", "Egress")
        };
        for item in self.objects.of_kind("NetworkPolicy") {
            let namespace = text(&item["metadata"]["namespace"]);
            let spec = &item["spec"];
            let types: Vec<&str> = list(spec, "policyTypes").filter_map(Value::as_str).collect();
            let is_of_direction = match types.as_slice() {
                [] => self.is_ingress || list(spec, key).next().is_some(),
                types => types.contains(&word),
            };
            let is_subject =
                namespace == self.own.namespace && selects(&spec["podSelector"], &self.own.labels);
            if !is_of_direction || !is_subject {
                continue;
            }
            self.isolated.push(Some(true));
            for rule in list(spec, key) {
                let mut peers = list(rule, from)
                    .map(|peer| self.is_policy_peer(peer, &namespace))
                    .peekable();
                let is_peer = peers.peek().is_none() || peers.any(|it| it);
                let mut ports = list(rule, "ports")
                    .map(|port| self.is_policy_port(port))
                    .peekable();
                let is_port = ports.peek().is_none() || ports.any(|it| it);
                let of_pods = list(rule, from).any(|peer| peer.get("ipBlock").is_none());
                let answer = and([Some(is_peer && is_port), self.met(of_pods)]);
                self.allowed.push(answer);
            }
        }
    }

    /// What is required is asked of pods that are selected by labels; of other peers, who knows.
    fn met(&self, of_pods: bool) -> Option<bool> {
        let is_pod = matches!(self.other, End::Pod(_));
        self.meets().filter(|meets| *meets || of_pods && is_pod)
    }

    fn is_policy_peer(&self, peer: &Value, own: &str) -> bool {
        match self.other {
            End::World(address) => peer.get("ipBlock").is_some_and(|block| {
                let is_out = list(block, "except").any(|part| is_in(part.as_str().unwrap(), *address));
                is_in(block["cidr"].as_str().unwrap(), *address) && !is_out && !self.objects.is_node(address)
            }),
            End::Pod(pod) => {
                let pods = peer
                    .get("podSelector")
                    .is_none_or(|pods| selects(pods, &pod.labels));
                let of_namespace: BTreeSet<Label> = pod.labels.iter().filter_map(namespace_label).collect();
                let namespaces = match peer.get("namespaceSelector") {
                    Some(namespaces) => selects(namespaces, &of_namespace),
                    None => pod.namespace == own,
                };
                peer.get("ipBlock").is_none() && pods && namespaces
            }
        }
    }

    fn is_policy_port(&self, port: &Value) -> bool {
        let protocol = match port["protocol"].as_str() {
            Some("UDP") => 17,
            Some("SCTP") => 132,
            _ => 6,
        };
        if protocol != self.protocol {
            return false;
        }
        let named = |pod: &Pod, name: &str| {
            let mut ports = pod.ports.iter();
            ports.any(|port| port.0 == name && port.1 == protocol && port.2 == self.port)
        };
        match (&port["port"], self.other) {
            (Value::Null, _) => true,
            (Value::String(name), _) if self.is_ingress => named(self.own, name),
            (Value::String(name), End::Pod(pod)) => named(pod, name),
            (Value::String(_), End::World(_)) => false,
            (low, _) => {
                let low = low.as_u64().unwrap();
                (low..=port["endPort"].as_u64().unwrap_or(low)).contains(&self.port.into())
            }
        }
    }
}
