//! Clusters with Cilium's policies that nobody wrote, against the documents' meaning of the same JSON. INVARIANT: whatever that
//! says for sure, the policies asked one by one and the rulesets made of them say too.

use std::net::IpAddr;

use portcullis::dialect::kubernetes::{End, Flow, Truth};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::cilium::{End as Meant, Objects};
use super::generated::{labels, policy};
use super::{Folder, connections, lowered, pod_set};

fn key() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        4 => Just("app"),
        2 => Just("k8s:tier"),
        1 => Just("any:app"),
        2 => Just("k8s:io.kubernetes.pod.namespace"),
        1 => Just("io.kubernetes.pod.namespace"),
        1 => Just("io.cilium.k8s.namespace.labels.tier"),
        1 => Just("io.cilium.k8s.policy.serviceaccount"),
        1 => Just("reserved:host"),
    ]
}

fn value() -> impl Strategy<Value = &'static str> {
    prop_oneof![3 => Just("a"), 2 => Just("b"), 1 => Just("n0"), 1 => Just("n1")]
}

/// A selector; of peers, reserved labels mean something else, so there are none.
fn selector(has_reserved: bool) -> impl Strategy<Value = Value> {
    let kept = move |key: &&'static str| has_reserved || !key.starts_with("reserved");
    let expression =
        (key().prop_filter("no label of a pod", kept), value(), 0..4).prop_map(|(key, value, operator)| {
            match operator {
                0 => json!({"key": key, "operator": "In", "values": [value, "b"]}),
                1 => json!({"key": key, "operator": "NotIn", "values": [value]}),
                2 if !key.starts_with("reserved") => json!({"key": key, "operator": "Exists"}),
                _ => json!({"key": key, "operator": "DoesNotExist"}),
            }
        });
    let equal = (
        key().prop_filter("no label of a pod", |key| !key.starts_with("reserved")),
        value(),
    )
        .prop_map(|(key, value)| json!({"matchLabels": {key: value}}));
    prop_oneof![
        2 => Just(json!({})),
        3 => equal,
        2 => expression.prop_map(|expression| json!({"matchExpressions": [expression]})),
    ]
}

fn peers(from: &'static str) -> impl Strategy<Value = Value> {
    let block = prop_oneof![Just("10.0.0.0/8"), Just("0.0.0.0/0"), Just("8.8.8.0/24")];
    let entity = prop_oneof![
        Just("world"),
        Just("cluster"),
        Just("all"),
        Just("host"),
        Just("none")
    ];
    let field = move |name: &str, value: Value| json!({format!("{from}{name}"): value});
    let endpoints = || prop::collection::vec(selector(false), 0..3);
    prop_oneof![
        2 => Just(json!({})),
        4 => endpoints().prop_map(move |all| field("Endpoints", json!(all))),
        2 => prop::collection::vec(entity, 0..3).prop_map(move |all| field("Entities", json!(all))),
        1 => prop::collection::vec(block, 0..2).prop_map(move |all| field("CIDR", json!(all))),
        1 => Just(field("CIDRSet", json!([{"cidr": "0.0.0.0/0", "except": ["10.0.0.0/8"]}]))),
        1 => (endpoints(), selector(false)).prop_map(move |(all, required)| {
            json!({format!("{from}Endpoints"): all, format!("{from}Requires"): [required]})
        }),
    ]
}

fn ports() -> impl Strategy<Value = Value> {
    let port = prop_oneof![
        Just(json!({"port": "80"})),
        Just(json!({"port": "80", "protocol": "TCP"})),
        Just(json!({"port": "53", "protocol": "UDP"})),
        Just(json!({"port": "0", "protocol": "SCTP"})),
        Just(json!({"port": "8000", "endPort": 9000, "protocol": "TCP"})),
        Just(json!({"port": "0", "protocol": "ANY"})),
        Just(json!({"port": "web"})),
        Just(json!({"port": "web", "protocol": "UDP"})),
    ];
    prop_oneof![
        3 => Just(json!({})),
        4 => prop::collection::vec(port, 0..3).prop_map(|ports| json!({"toPorts": [{"ports": ports}]})),
        1 => Just(json!({"icmps": [{"fields": [{"type": 8}, {"type": 128, "family": "IPv6"}]}]})),
    ]
}

fn rules(from: &'static str, is_deny: bool) -> impl Strategy<Value = Option<Value>> {
    let rule = (peers(from), ports()).prop_map(move |(mut rule, ports)| {
        if let (Value::Object(rule), Value::Object(ports)) = (&mut rule, ports) {
            rule.extend(ports);
            if is_deny {
                rule.remove(&format!("{from}Requires"));
            }
        }
        rule
    });
    prop_oneof![
        2 => Just(None),
        3 => prop::collection::vec(rule, 0..3).prop_map(|rules| Some(Value::Array(rules))),
    ]
}

fn spec() -> impl Strategy<Value = Value> {
    let default_deny = prop_oneof![
        5 => Just(None),
        1 => Just(Some(json!({"ingress": false}))),
        1 => Just(Some(json!({"ingress": true, "egress": false}))),
    ];
    (
        selector(true),
        default_deny,
        (rules("from", false), rules("from", true)),
        (rules("to", false), rules("to", true)),
    )
        .prop_map(|(subject, default_deny, ingress, egress)| {
            let mut spec = json!({"endpointSelector": subject});
            let fields = [
                ("enableDefaultDeny", default_deny),
                ("ingress", ingress.0),
                ("ingressDeny", ingress.1),
                ("egress", egress.0),
                ("egressDeny", egress.1),
            ];
            for (key, value) in fields {
                if let Some(value) = value {
                    spec[key] = value;
                }
            }
            // Cilium refuses default deny without rules.
            let has_rule = |key| spec[key].as_array().is_some_and(|rules| !rules.is_empty());
            if !["ingress", "ingressDeny", "egress", "egressDeny"]
                .into_iter()
                .any(has_rule)
            {
                spec.as_object_mut().unwrap().remove("enableDefaultDeny");
            }
            spec
        })
}

fn cilium_policy() -> impl Strategy<Value = Value> {
    let namespace = prop_oneof![2 => Just(None), 1 => Just(Some("n0")), 1 => Just(Some("n1"))];
    (namespace, prop::collection::vec(spec(), 1..3)).prop_map(|(namespace, specs)| {
        let api = "cilium.io/v2";
        match namespace {
            Some(namespace) => json!({"apiVersion": api, "kind": "CiliumNetworkPolicy",
                "metadata": {"namespace": namespace}, "specs": specs}),
            None => json!({"apiVersion": api, "kind": "CiliumClusterwideNetworkPolicy",
                "metadata": {}, "spec": specs[0]}),
        }
    })
}

fn cluster() -> impl Strategy<Value = Value> {
    let pods = (0..2, labels(), 0..3).prop_map(|(namespace, labels, kind)| {
        let ports = match kind {
            0 => json!([{"name": "web", "containerPort": 8080}, {"name": "web", "protocol": "UDP", "containerPort": 53}]),
            1 => json!([{"name": "web", "containerPort": 80}]),
            _ => json!([{"containerPort": 80}]),
        };
        let mut spec = json!({"containers": [{"ports": ports}]});
        if kind == 1 {
            spec["serviceAccountName"] = json!("a");
        }
        json!({"apiVersion": "v1", "kind": "Pod",
            "metadata": {"namespace": format!("n{namespace}"), "labels": labels}, "spec": spec})
    });
    (
        (labels(), labels()),
        prop::collection::vec(pods, 1..4),
        prop::collection::vec(cilium_policy(), 1..4),
        prop::collection::vec(policy(), 0..2),
    )
        .prop_map(|((first, second), pods, cilium, policies)| {
            let namespace = |name: &str, labels: Value| {
                json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}})
            };
            let mut items = vec![namespace("n0", first), namespace("n1", second)];
            if cilium.len() > 2 {
                items.push(json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "m0"},
                    "status": {"addresses": [{"type": "InternalIP", "address": "10.1.2.3"}]}}));
            }
            for (at, mut object) in pods.into_iter().chain(cilium).chain(policies).enumerate() {
                object["metadata"]["name"] = json!(format!("o{at}"));
                items.push(object);
            }
            json!({"apiVersion": "v1", "kind": "List", "items": items})
        })
}

/// What is asked: ports at which rules begin, end and are named, and an ICMP message.
const FLOWS: [(u8, u16); 9] = [
    (6, 80),
    (6, 8080),
    (6, 443),
    (17, 53),
    (17, 80),
    (132, 80),
    (132, 9000),
    (1, 8 << 8),
    (58, 128 << 8),
];
const OUTSIDE: [&str; 3] = ["8.8.8.8", "10.1.2.3", "192.0.2.1"];

fn truth(answer: Option<bool>) -> Truth {
    answer.map_or(Truth::Maybe, Truth::of)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn policies_of_cilium_mean_what_its_documents_say(list in cluster()) {
        let mut folder = Folder::empty();
        folder.add("all.json", list.to_string().into_bytes());
        let (cluster, findings) = folder.cluster();
        let unread = findings.iter().find(|finding| finding.code.is_failure());
        prop_assert!(unread.is_none(), "{unread:?} in {list}");
        let reading = folder.reading();
        let hosts = lowered::Hosts::new(&reading);
        let objects = Objects::new(&list);
        let pods = objects.pods();
        let check = |from: End, to: End, flow: Flow, meant: Option<bool>, made: Truth, words: &str| {
            let plain = cluster.may_reach(from, to, flow);
            prop_assert_eq!(plain, truth(meant), "{} {:?}: asked one by one, in {}", words, flow, list);
            let is_contradiction = plain.and(made) == Truth::No && plain.or(made) == Truth::Yes;
            prop_assert!(!is_contradiction, "{} {:?}: {:?}, lowered {:?} in {}", words, flow, plain, made, list);
            let is_widened = plain != Truth::Maybe && made == Truth::Maybe;
            prop_assert!(!is_widened, "{} {:?}: {:?} became unsure in {}", words, flow, plain, list);
            Ok(())
        };
        for (name, pod) in &pods {
            let here @ End::Workload(at) = pod_set(&cluster, name) else { unreachable!() };
            for (protocol, port) in FLOWS {
                let flow = Flow { protocol, port };
                for (other_name, other) in &pods {
                    let there @ End::Workload(other_at) = pod_set(&cluster, other_name) else { unreachable!() };
                    let out = objects.lets(false, pod, &Meant::Pod(other.clone()), protocol, port);
                    let into = objects.lets(true, other, &Meant::Pod(pod.clone()), protocol, port);
                    let meant = super::cilium::and([out, into]);
                    let made = hosts.may_reach(at, other_at, flow);
                    check(here, there, flow, meant, made, &format!("{name} -> {other_name}"))?;
                }
                for address in OUTSIDE {
                    let address: IpAddr = address.parse().unwrap();
                    for is_ingress in [true, false] {
                        let meant = objects.lets(is_ingress, pod, &Meant::World(address), protocol, port);
                        let made = hosts.outside(at, address, is_ingress, flow);
                        let outside = End::Outside(address);
                        let (from, to) = if is_ingress { (outside, here) } else { (here, outside) };
                        check(from, to, flow, meant, made, &format!("{name} and {address}, in {is_ingress}"))?;
                    }
                }
            }
        }
        connections::hold(&cluster, &list.to_string());
    }
}
