//! Services: names that lead to ports of pods.
//!
//! Policies are asked about the pod and its own port, not about the Service (API reference, "Service v1 core": `targetPort`).
//! INVARIANT: a Service without a selector leads nowhere that manifests say.

use super::cluster::{Cluster, Pods};
use super::notes::Notes;
use super::object::Object;
use super::policy::Ports;
use super::selector::Labels;
use super::workload::protocol;
use crate::packet::protocol::number;
use crate::tree::{Node, Typed};

/// A Service.
#[derive(Debug, Clone)]
pub(super) struct Service {
    name: String,
    namespace: String,
    /// Labels of the pods behind it; none if something else says which they are.
    selector: Labels,
    ports: Vec<ServicePort>,
}

/// A port of a Service.
#[derive(Debug, Clone)]
struct ServicePort {
    protocol: u8,
    number: u16,
    target: Target,
}

/// The port of pods behind it.
#[derive(Debug, Clone)]
enum Target {
    Number(u16),
    Named(String),
}

/// What a connection to a Service becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backend {
    /// The workload, by its place in [`Cluster::workloads`].
    pub workload: usize,
    /// IP protocol number.
    pub protocol: u8,
    /// The port that the connection was opened to.
    pub port: u16,
    /// The port of the pod that it comes to.
    pub target: u16,
}

/// Reads one.
pub(super) fn read(object: Object<'_>, notes: &mut Notes) -> Service {
    let (name, _) = object.name();
    let spec = object.spec();
    let mut selector = Labels::new();
    if let Some(labels) = spec.and_then(|spec| spec.get("selector")) {
        notes.labels(labels, &mut selector);
    }
    let ports = spec.and_then(|spec| spec.get("ports"));
    let ports = ports
        .iter()
        .flat_map(Node::items)
        .filter_map(|port| read_port(port, notes));
    Service {
        name: name.to_owned(),
        namespace: object.namespace().to_owned(),
        ports: ports.collect(),
        selector,
    }
}

/// A port: TCP without a word, and to the same port of pods without a target.
fn read_port(node: Node<'_>, notes: &mut Notes) -> Option<ServicePort> {
    let number = notes.port(node.get("port")?)?;
    let word = node.get("protocol").and_then(|word| word.text());
    let protocol = word.map_or(Some(number::TCP), protocol)?;
    let target = node.get("targetPort").filter(|target| !target.is_null());
    let target = match target.map(|target| (target, target.typed())) {
        None => Target::Number(number),
        Some((_, Typed::Text(name))) => Target::Named(name.to_owned()),
        Some((target, _)) => Target::Number(notes.port(target)?),
    };
    Some(ServicePort {
        protocol,
        number,
        target,
    })
}

impl Cluster {
    /// Where connections to a Service of a namespace come to.
    #[must_use]
    pub fn behind(&self, namespace: &str, name: &str) -> Vec<Backend> {
        let is_it = |service: &&Service| service.namespace == namespace && service.name == name;
        let mut found = Vec::new();
        for service in self.services.iter().filter(is_it) {
            let pods = self.pods.iter().enumerate();
            for (workload, pods) in pods.filter(|(_, pods)| service.selects(pods)) {
                for port in &service.ports {
                    found.extend(port.targets(pods).into_iter().map(|target| Backend {
                        workload,
                        protocol: port.protocol,
                        port: port.number,
                        target,
                    }));
                }
            }
        }
        found
    }
}

impl Cluster {
    /// The labels by which a Service selects pods, if it is there; none if something else says which they are.
    pub(super) fn selected_by_service(&self, namespace: &str, name: &str) -> Option<&Labels> {
        let is_it = |service: &&Service| service.namespace == namespace && service.name == name;
        self.services.iter().find(is_it).map(|service| &service.selector)
    }
}

impl Service {
    /// The labels of the pods behind it, and their ports, if it is that Service and says which they are.
    pub(super) fn backing(&self, namespace: &str, name: &str) -> Option<(&Labels, Vec<(u8, Ports)>)> {
        let is_it = self.namespace == namespace && self.name == name && !self.selector.is_empty();
        let ports = self.ports.iter().map(|port| {
            let target = match &port.target {
                Target::Number(number) => Ports::Range(*number, *number),
                Target::Named(name) => Ports::Named(name.clone()),
            };
            (port.protocol, target)
        });
        is_it.then(|| (&self.selector, ports.collect()))
    }

    fn selects(&self, pods: &Pods) -> bool {
        let has = |(key, value): (&String, &String)| pods.labels.get(key) == Some(value);
        !self.selector.is_empty() && pods.namespace == self.namespace && self.selector.iter().all(has)
    }
}

impl ServicePort {
    fn targets(&self, pods: &Pods) -> Vec<u16> {
        match &self.target {
            Target::Number(number) => vec![*number],
            Target::Named(name) => {
                let named = pods
                    .ports
                    .iter()
                    .filter(|port| port.name.as_deref() == Some(name) && port.protocol == self.protocol);
                named.map(|port| port.number).collect()
            }
        }
    }
}
