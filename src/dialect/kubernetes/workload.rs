//! Objects that make pods, to pods.
//!
//! INVARIANT: a workload is its pod template; pods that a workload of the run owns are not counted again.

use super::cluster::{ContainerPort, Pods};
use super::notes::Notes;
use super::object::Object;
use super::selector::{Labels, Seen};
use crate::packet::protocol::number;
use crate::tree::Node;

/// The kinds that make pods, with the way to their pod template.
const KINDS: &[(&str, &str, &[&str])] = &[
    ("", "Pod", &[]),
    ("", "ReplicationController", &["spec", "template"]),
    ("apps", "Deployment", &["spec", "template"]),
    ("apps", "StatefulSet", &["spec", "template"]),
    ("apps", "DaemonSet", &["spec", "template"]),
    ("apps", "ReplicaSet", &["spec", "template"]),
    ("batch", "Job", &["spec", "template"]),
    ("batch", "CronJob", &["spec", "jobTemplate", "spec", "template"]),
];

/// Groups in which workloads were before they were in `apps`.
const FORMER_GROUPS: &[&str] = &["extensions"];

/// The kinds, for `portcullis dialects`.
pub(super) fn kinds() -> impl Iterator<Item = &'static str> {
    KINDS.iter().map(|(_, kind, _)| *kind)
}

/// The pods of an object, if it is of a kind that makes some.
pub(super) fn read(object: Object<'_>, notes: &mut Notes) -> Option<Pods> {
    let group = object.group();
    let (_, kind, way) = KINDS.iter().find(|(of_group, kind, _)| {
        *kind == object.kind && (*of_group == group || FORMER_GROUPS.contains(&group))
    })?;
    let (name, span) = object.name();
    let template = way.iter().try_fold(object.node, |node, step| node.get(step));
    let Some(template) = template else {
        let message = format!("`{kind}` `{name}` has no pod template");
        notes.unread(span, message, None);
        return None;
    };
    let metadata = template.get("metadata");
    let mut pods = Pods {
        kind,
        name: name.to_owned(),
        namespace: object.namespace().to_owned(),
        labels: Labels::new(),
        is_unread: false,
        seen: Seen::default(),
        ports: Vec::new(),
        has_unknown_ports: false,
        is_on_host_network: false,
        service_account: Some("default".to_owned()),
        addresses: Vec::new(),
        owner: object.owner(),
        span,
    };
    if let Some(labels) = metadata.and_then(|metadata| metadata.get("labels")) {
        pods.is_unread = !notes.labels(labels, &mut pods.labels);
    }
    if let Some(spec) = template.get("spec") {
        read_spec(spec, &mut pods, notes);
    }
    // What a cluster itself says of a running pod.
    if let (Some(status), true) = (object.node.get("status"), *kind == "Pod") {
        pods.addresses = addresses(status);
    }
    Some(pods)
}

fn read_spec(spec: Node<'_>, pods: &mut Pods, notes: &mut Notes) {
    let is_on_host_network = spec.get("hostNetwork").and_then(|value| value.as_bool());
    pods.is_on_host_network = is_on_host_network == Some(true);
    // The older name is an alias that the API still gives.
    let accounts = ["serviceAccountName", "serviceAccount"].iter();
    let mut named = accounts.filter_map(|key| spec.get(key)?.text());
    if let Some(account) = named.find(|name| !name.is_empty()) {
        pods.service_account = Some(account.to_owned());
    }
    let containers = ["containers", "initContainers"]
        .iter()
        .filter_map(|key| spec.get(key));
    for container in containers.flat_map(|containers| containers.items()) {
        for port in container.get("ports").iter().flat_map(Node::items) {
            let Some(number) = port.get("containerPort") else {
                continue;
            };
            let Some(number) = notes.port(number) else {
                pods.has_unknown_ports = true;
                continue;
            };
            let word = port.get("protocol").and_then(|word| word.text());
            let Some(protocol) = protocol(word.unwrap_or("TCP")) else {
                pods.has_unknown_ports = true;
                notes.unread(port.span(), "no protocol of a port", Some("use TCP, UDP or SCTP"));
                continue;
            };
            pods.ports.push(ContainerPort {
                name: port.get("name").and_then(|name| name.text()).map(str::to_owned),
                protocol,
                number,
            });
        }
    }
}

/// The number of a protocol as the API writes it.
pub(super) fn protocol(word: &str) -> Option<u8> {
    match word {
        "TCP" => Some(number::TCP),
        "UDP" => Some(number::UDP),
        "SCTP" => Some(number::SCTP),
        _ => None,
    }
}

fn addresses(status: Node<'_>) -> Vec<std::net::IpAddr> {
    let listed = status.get("podIPs").into_iter().flat_map(|all| all.items());
    let listed = listed.filter_map(|one| one.get("ip"));
    let mut all: Vec<_> = listed
        .chain(status.get("podIP"))
        .filter_map(|address| address.text()?.parse().ok())
        .collect();
    all.sort_unstable();
    all.dedup();
    all
}
