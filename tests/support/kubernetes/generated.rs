//! Clusters that nobody wrote: three roads to who may reach whom must agree on each. INVARIANT: a cluster is a function of the
//! values that proptest draws, so that a failing one is shrunk and shown.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Folder, connections, lowered};
use crate::compare;

/// Labels of pods and namespaces: few enough that selectors meet them.
pub(super) fn labels() -> impl Strategy<Value = Value> {
    let value = prop_oneof![Just(None), Just(Some("a")), Just(Some("b"))];
    (value.clone(), value).prop_map(|(app, tier)| {
        let mut labels = serde_json::Map::new();
        labels.extend(app.map(|app| ("app".to_owned(), json!(app))));
        labels.extend(tier.map(|tier| ("tier".to_owned(), json!(tier))));
        Value::Object(labels)
    })
}

fn selector() -> impl Strategy<Value = Value> {
    let key = prop_oneof![Just("app"), Just("tier")];
    let expression = (key, 0..4).prop_map(|(key, operator)| match operator {
        0 => json!({"key": key, "operator": "In", "values": ["a", "b"]}),
        1 => json!({"key": key, "operator": "NotIn", "values": ["a"]}),
        2 => json!({"key": key, "operator": "Exists"}),
        _ => json!({"key": key, "operator": "DoesNotExist"}),
    });
    prop_oneof![
        2 => Just(json!({})),
        3 => labels().prop_map(|labels| json!({"matchLabels": labels})),
        2 => expression.prop_map(|expression| json!({"matchExpressions": [expression]})),
    ]
}

fn peer() -> impl Strategy<Value = Value> {
    let block = prop_oneof![Just("10.0.0.0/8"), Just("0.0.0.0/0"), Just("8.8.8.0/24")];
    prop_oneof![
        3 => selector().prop_map(|pods| json!({"podSelector": pods})),
        2 => selector().prop_map(|namespaces| json!({"namespaceSelector": namespaces})),
        2 => (selector(), selector())
            .prop_map(|(namespaces, pods)| json!({"namespaceSelector": namespaces, "podSelector": pods})),
        1 => block.prop_map(|block| json!({"ipBlock": {"cidr": block}})),
        1 => Just(json!({"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.0.0.0/8"]}})),
    ]
}

fn port() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!({"port": 80})),
        Just(json!({"protocol": "UDP", "port": 53})),
        Just(json!({"protocol": "SCTP"})),
        Just(json!({"port": 8000, "endPort": 9000})),
        Just(json!({"port": "web"})),
        Just(json!({"protocol": "UDP", "port": "web"})),
    ]
}

/// Rules under the name that one direction has for its peers; a list that is not there is everything.
fn rules(peers: &'static str) -> impl Strategy<Value = Value> {
    let list =
        |items: Vec<Value>, key: &'static str| (!items.is_empty()).then(|| (key.to_owned(), json!(items)));
    let rule = (
        prop::collection::vec(peer(), 0..3),
        prop::collection::vec(port(), 0..3),
    )
        .prop_map(move |(of, ports)| {
            let entries = list(of, peers).into_iter().chain(list(ports, "ports"));
            Value::Object(entries.collect())
        });
    prop::collection::vec(rule, 0..3).prop_map(Value::Array)
}

pub(super) fn policy() -> impl Strategy<Value = Value> {
    let types = prop_oneof![
        Just(json!([])),
        Just(json!(["Ingress"])),
        Just(json!(["Egress"])),
        Just(json!(["Ingress", "Egress"]))
    ];
    (0..3, selector(), types, rules("from"), rules("to")).prop_map(
        |(namespace, pods, types, ingress, egress)| {
            json!({
                "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
                "metadata": {"namespace": format!("n{namespace}")},
                "spec": {"podSelector": pods, "policyTypes": types, "ingress": ingress, "egress": egress},
            })
        },
    )
}

/// Peers and subjects of the tiers of the cluster: namespaces, or pods in them.
fn tier_peer() -> impl Strategy<Value = Value> {
    prop_oneof![
        selector().prop_map(|namespaces| json!({"namespaces": namespaces})),
        (selector(), selector()).prop_map(
            |(namespaces, pods)| json!({"pods": {"namespaceSelector": namespaces, "podSelector": pods}})
        ),
    ]
}

fn tier_rules(peers: &'static str, may_pass: bool) -> impl Strategy<Value = Value> {
    let action = if may_pass {
        prop_oneof![Just("Allow"), Just("Deny"), Just("Pass")].boxed()
    } else {
        prop_oneof![Just("Allow"), Just("Deny")].boxed()
    };
    let port = prop_oneof![
        Just(json!({"portNumber": {"protocol": "TCP", "port": 80}})),
        Just(json!({"portRange": {"protocol": "TCP", "start": 1, "end": 8080}})),
        Just(json!({"namedPort": "web"})),
    ];
    let rule =
        (action, tier_peer(), prop::collection::vec(port, 0..2)).prop_map(move |(action, peer, ports)| {
            let mut rule = json!({"action": action, peers: [peer]});
            if !ports.is_empty() {
                rule["ports"] = json!(ports);
            }
            rule
        });
    prop::collection::vec(rule, 0..3).prop_map(Value::Array)
}

fn tier(kind: &'static str) -> impl Strategy<Value = Value> {
    let is_admin = kind == "AdminNetworkPolicy";
    let rules = (tier_rules("from", is_admin), tier_rules("to", is_admin));
    (tier_peer(), rules).prop_map(move |(subject, (ingress, egress))| {
        json!({
            "apiVersion": "policy.networking.k8s.io/v1alpha1", "kind": kind,
            "metadata": {}, "spec": {"subject": subject, "ingress": ingress, "egress": egress},
        })
    })
}

/// A cluster of three namespaces, of which the last is not declared, as a list of objects.
fn cluster() -> impl Strategy<Value = String> {
    let pods = (0..3, labels(), any::<bool>()).prop_map(|(namespace, labels, is_named)| {
        let ports = if is_named {
            json!([{"name": "web", "containerPort": 8080}, {"name": "web", "protocol": "UDP", "containerPort": 53}])
        } else {
            json!([{"containerPort": 80}])
        };
        json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {"namespace": format!("n{namespace}"), "labels": labels},
            "spec": {"containers": [{"ports": ports}]},
        })
    });
    (
        (labels(), labels()),
        prop::collection::vec(pods, 1..5),
        prop::collection::vec(policy(), 0..4),
        prop::collection::vec(tier("AdminNetworkPolicy"), 0..3),
        prop::option::of(tier("BaselineAdminNetworkPolicy")),
    )
        .prop_map(|((first, second), pods, policies, admin, baseline)| {
            let namespace = |name: &str, labels: Value| {
                json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}})
            };
            let mut items = vec![namespace("n0", first), namespace("n1", second)];
            for (at, mut object) in pods.into_iter().chain(policies).chain(admin).chain(baseline).enumerate() {
                object["metadata"]["name"] = json!(format!("o{at}"));
                if object["kind"] == "AdminNetworkPolicy" {
                    object["spec"]["priority"] = json!(at);
                }
                if object["kind"] == "BaselineAdminNetworkPolicy" {
                    object["metadata"]["name"] = json!("default");
                }
                items.push(object);
            }
            json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string()
        })
}

/// Holds rulesets against the policies asked one by one, then lists of who reaches whom against those.
pub(super) fn hold(text: &str) {
    let mut folder = Folder::empty();
    folder.add("all.json", text.as_bytes().to_vec());
    let (cluster, findings) = folder.cluster();
    let unread = findings.iter().find(|finding| finding.code.is_failure());
    assert!(unread.is_none(), "{unread:?} in {text}");
    let reading = folder.reading();
    compare(&cluster, &lowered::Hosts::new(&reading), text);
    connections::hold(&cluster, text);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn three_roads_lead_to_one_answer(text in cluster()) {
        hold(&text);
    }
}
