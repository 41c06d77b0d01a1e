//! A Kubernetes node with the sets that its network policies are made of, found through `PORTCULLIS_CORPUS`: which pod may
//! reach which, by the policies and by the rules. INVARIANT: what the policies say is said here by labels alone.
#![cfg(test)]

#[path = "support/say.rs"]
mod say;

use std::fmt::Write as _;
use std::net::Ipv4Addr;

use portcullis::dialect::Dialect;
use portcullis::dialect::iptables::Iptables;
use portcullis::finding::Code;
use portcullis::model::{HostFacts, Interpreter, Packet, Path, Verdict};
use portcullis::packet::{Field, RangeSet, value};
use portcullis::source::SourceMap;
use serde_json::Value;

/// A pod of the node's cache.
struct Pod {
    name: String,
    namespace: String,
    address: Ipv4Addr,
    labels: Value,
    ports: Value,
}

impl Pod {
    fn has(&self, key: &str, value: Option<&str>) -> bool {
        let found = self.labels[key].as_str();
        found.is_some() && (value.is_none() || found == value)
    }

    fn is(&self, namespace: &str, pods: &[&str]) -> bool {
        self.namespace == namespace && pods.iter().any(|pod| self.has("pod", Some(pod)))
    }
}

fn pods(cache: &Value) -> Vec<Pod> {
    let pods = cache["PodMap"].as_object().unwrap().values();
    let text = |pod: &Value, key: &str| pod[key].as_str().unwrap().to_owned();
    pods.map(|pod| Pod {
        name: text(pod, "Name"),
        namespace: text(pod, "Namespace"),
        address: text(pod, "PodIP").parse().unwrap(),
        labels: pod["Labels"].clone(),
        ports: pod["ContainerPorts"].clone(),
    })
    .collect()
}

/// The sets that the node has, as `ipset save` would print them.
fn sets(cache: &Value, pods: &[Pod]) -> String {
    let mut text = String::new();
    let mut lists = String::new();
    let by_name = cache["SetMap"].as_object().unwrap();
    let name_of = |label: &str| {
        by_name
            .iter()
            .find(|(_, of)| of.as_str() == Some(label))
            .map(|(name, _)| name)
    };
    for (name, label) in by_name {
        let label = label.as_str().unwrap();
        let (kind, rest) = label.split_once(['-', ':']).unwrap();
        let (key, wanted) = rest
            .split_once(':')
            .map_or((rest, None), |(key, wanted)| (key, Some(wanted)));
        let mut hash = |kind: &str, elements: Vec<String>| {
            let _ = writeln!(
                text,
                "create {name} {kind} family inet hashsize 1024 maxelem 4294967295"
            );
            for element in elements {
                let _ = writeln!(text, "add {name} {element}");
            }
        };
        let addresses = |is_it: &dyn Fn(&Pod) -> bool| {
            pods.iter()
                .filter(|pod| is_it(pod))
                .map(|pod| pod.address.to_string())
                .collect::<Vec<_>>()
        };
        match kind {
            "ns" => hash("hash:net", addresses(&|pod| pod.namespace == rest)),
            "podlabel" => hash("hash:net", addresses(&|pod| pod.has(key, wanted))),
            "nestedlabel" => {
                let values: Vec<&str> = wanted.unwrap().split(':').collect();
                hash(
                    "hash:net",
                    addresses(&|pod| values.iter().any(|value| pod.has(key, Some(value)))),
                );
            }
            "namedport" => {
                let of_pod = |pod: &Pod| {
                    let ports = pod.ports.as_array().into_iter().flatten();
                    let named = ports.filter(|port| port["name"].as_str() == Some(rest));
                    let element = |port: &Value| {
                        let protocol = port["protocol"].as_str().unwrap().to_lowercase();
                        format!("{},{protocol}:{}", pod.address, port["containerPort"])
                    };
                    named.map(element).collect::<Vec<_>>()
                };
                hash("hash:ip,port", pods.iter().flat_map(of_pod).collect());
            }
            "nslabel" => {
                let _ = writeln!(lists, "create {name} list:set size 8");
                for (namespace, about) in cache["NsMap"].as_object().unwrap() {
                    let found = about["LabelsMap"][key].as_str();
                    let is_meant =
                        rest == "all-namespaces" || found.is_some() && (wanted.is_none() || found == wanted);
                    let set = name_of(&format!("ns-{namespace}")).filter(|_| is_meant);
                    if let Some(set) = set {
                        writeln!(lists, "add {name} {set}").unwrap();
                    }
                }
            }
            other => panic!("{other} of {label}"),
        }
    }
    text + &lists
}

/// What the policies of the namespaces `y` and `kube-system` let through, as the comments of the rules have them.
fn is_allowed(from: &Pod, to: &Pod, protocol: u8, port: u16) -> bool {
    let web = protocol == 6 && port == 80;
    let comes_in = if to.namespace == "kube-system" {
        false
    } else if to.is("y", &["a"]) {
        web && (from.is("x", &["b", "c"]) || from.is("y", &["b", "c"]))
    } else {
        true
    };
    let goes_out = if from.is("y", &["a"]) {
        port == 53 || web && (to.is("y", &["a", "b"]) || to.is("z", &["a", "b"]))
    } else {
        true
    };
    comes_in && goes_out
}

#[test]
fn pods_reach_each_other_as_their_policies_say() {
    let Some(root) = std::env::var_os("PORTCULLIS_CORPUS") else {
        say::say("skipped: PORTCULLIS_CORPUS names no folder with Azure+azure-container-networking");
        return;
    };
    let folder =
        std::path::Path::new(&root).join("Azure+azure-container-networking/npm/pkg/dataplane/testdata");
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    let cache: Value = serde_json::from_str(&read("npmcachev2.json")).unwrap();
    let pods = pods(&cache);
    let sets = sets(&cache, &pods);
    let mut map = SourceMap::new();
    let files = [
        map.add_text("iptables.rules", read("iptablesave-v2")),
        map.add_text("ipset.save", sets.clone()),
    ];
    let reading = Iptables.read(&files.map(|file| map.source(file)));
    let other = |notice: &&portcullis::finding::Finding| notice.code != Code::UnsupportedMatch;
    let notices: Vec<_> = reading
        .notices
        .iter()
        .filter(other)
        .map(|notice| &notice.message)
        .collect();
    assert!(notices.is_empty(), "{notices:?}");
    assert!(
        !reading
            .notices
            .iter()
            .any(|notice| notice.message.contains("-m set"))
    );
    let facts = HostFacts::default();
    let interpreter = Interpreter::new(&reading.rulesets, &facts);
    let (mut n_asked, mut n_open, mut wrong) = (0, 0, Vec::new());
    for from in &pods {
        for to in pods.iter().filter(|to| to.address != from.address) {
            for (protocol, port) in [(6, 80), (6, 81), (6, 53), (17, 53), (17, 80), (6, 443)] {
                let number = |address: Ipv4Addr| RangeSet::point(u128::from(u32::from(address)));
                let mut packet = Packet::new()
                    .with(Field::Family, RangeSet::point(value::V4))
                    .with(Field::State, RangeSet::point(value::NEW))
                    .with(Field::Protocol, RangeSet::point(protocol))
                    .with(Field::Service, RangeSet::point(port))
                    .with(Field::Source4, number(from.address))
                    .with(Field::Destination4, number(to.address))
                    .with(Field::StatusDnat, RangeSet::point(0));
                for bit in 0..32 {
                    packet = packet.with(Field::Mark(bit), RangeSet::point(0));
                }
                let verdict = interpreter.run(Path::Forward, packet).verdict();
                let protocol = u8::try_from(protocol).unwrap();
                let port = u16::try_from(port).unwrap();
                let expected = if is_allowed(from, to, protocol, port) {
                    Verdict::Accept
                } else {
                    Verdict::Drop
                };
                n_asked += 1;
                n_open += usize::from(expected == Verdict::Accept);
                if verdict != Some(expected) {
                    wrong.push(format!(
                        "{} -> {} {protocol}/{port}: {verdict:?}",
                        from.name, to.name
                    ));
                }
            }
        }
    }
    println!(
        "{} pods, {} lines of sets: {n_asked} ways asked, {n_open} open, {} wrong",
        pods.len(),
        sets.lines().count(),
        wrong.len()
    );
    assert!(wrong.is_empty() && n_asked > 1000, "{}", wrong.join("\n"));
}
