//! Policies of Calico that nobody wrote, beside those of Kubernetes. INVARIANT: a cluster is a function of the values that
//! proptest draws; all that a rule can ask about is asked somewhere.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::generated::{hold, labels, policy};

/// Selectors over the labels of generated pods and sets, and over those that Calico adds.
fn selector() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        3 => Just("app == 'a'".to_owned()),
        2 => Just("tier != \"b\"".to_owned()),
        2 => Just("has(tier)".to_owned()),
        1 => Just("app in { 'a', 'b' }".to_owned()),
        1 => Just("tier not in {'a'}".to_owned()),
        1 => Just("app starts with 'a'".to_owned()),
        1 => Just("tier contains 'b'".to_owned()),
        1 => Just("app ends with 'b'".to_owned()),
        1 => Just("projectcalico.org/serviceaccount == 'default'".to_owned()),
        1 => Just("all()".to_owned()),
    ];
    leaf.prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a}) && {b}")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a} || ({b})")),
            inner.prop_map(|a| format!("!({a})")),
        ]
    })
}

fn namespace_selector() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("all()".to_owned()),
        Just("global()".to_owned()),
        Just("projectcalico.org/name == 'n0'".to_owned()),
        Just("app == 'a' || has(tier)".to_owned()),
        Just("app != 'a'".to_owned()),
    ]
}

/// A rule with what its protocol lets it ask.
fn rule() -> impl Strategy<Value = Value> {
    let action = prop_oneof![3 => Just("Allow"), 2 => Just("Deny"), 1 => Just("Pass"), 1 => Just("Log")];
    let protocol =
        prop_oneof![2 => Just(None), 3 => Just(Some("TCP")), 2 => Just(Some("UDP")), 1 => Just(Some("SCTP"))];
    let ports = prop_oneof![
        2 => Just(json!({})),
        2 => Just(json!({"ports": [80, "8000:9000"]})),
        1 => Just(json!({"ports": ["web"]})),
        1 => Just(json!({"notPorts": [53, "web"]})),
    ];
    (action, protocol, end(), end(), ports, any::<bool>()).prop_map(
        |(action, protocol, source, mut destination, ports, is_negated)| {
            let mut rule = json!({"action": action, "source": source});
            if let Some(protocol) = protocol {
                let key = if is_negated && ports == json!({}) {
                    "notProtocol"
                } else {
                    "protocol"
                };
                rule[key] = json!(protocol);
                destination
                    .as_object_mut()
                    .unwrap()
                    .extend(ports.as_object().unwrap().clone());
            }
            rule["destination"] = destination;
            rule
        },
    )
}

/// One end of a rule: nothing, labels, addresses, or both.
fn end() -> impl Strategy<Value = Value> {
    let nets = prop_oneof![
        Just("10.0.0.0/8"),
        Just("8.8.8.0/24"),
        Just("0.0.0.0/0"),
        Just("2001:db8::/32")
    ];
    prop_oneof![
        4 => Just(json!({})),
        3 => selector().prop_map(|selector| json!({"selector": selector})),
        1 => selector().prop_map(|selector| json!({"notSelector": selector})),
        2 => (selector(), namespace_selector())
            .prop_map(|(selector, namespaces)| json!({"selector": selector, "namespaceSelector": namespaces})),
        1 => namespace_selector().prop_map(|namespaces| json!({"namespaceSelector": namespaces})),
        1 => nets.clone().prop_map(|net| json!({"nets": [net]})),
        1 => nets.prop_map(|net| json!({"notNets": [net]})),
        1 => Just(json!({"serviceAccounts": {"names": ["default"]}})),
        1 => selector().prop_map(|selector| json!({"selector": selector, "notNets": ["8.8.8.0/24"]})),
    ]
}

fn calico_policy() -> impl Strategy<Value = Value> {
    let types = prop_oneof![
        Just(json!([])),
        Just(json!(["Ingress"])),
        Just(json!(["Egress"])),
        Just(json!(["Ingress", "Egress"]))
    ];
    let rules = || prop::collection::vec(rule(), 0..3);
    let place = (
        prop::option::of(0..3),
        prop_oneof![3 => Just("default"), 1 => Just("early"), 1 => Just("late")],
    );
    let scope = prop_oneof![(0..3).prop_map(Some), Just(None)];
    (
        scope,
        selector(),
        prop::option::of(namespace_selector()),
        types,
        (rules(), rules()),
        place,
    )
        .prop_map(
            |(namespace, selector, namespaces, types, (ingress, egress), (order, tier))| {
                let mut spec = json!({
                    "tier": tier, "selector": selector, "types": types, "ingress": ingress, "egress": egress,
                });
                if let Some(order) = order {
                    spec["order"] = json!(500 * order);
                }
                if let Some(namespace) = namespace {
                    return json!({
                        "apiVersion": "projectcalico.org/v3", "kind": "NetworkPolicy",
                        "metadata": {"namespace": format!("n{namespace}")}, "spec": spec,
                    });
                }
                if let Some(namespaces) = namespaces {
                    spec["namespaceSelector"] = json!(namespaces);
                }
                json!({
                    "apiVersion": "projectcalico.org/v3", "kind": "GlobalNetworkPolicy",
                    "metadata": {}, "spec": spec,
                })
            },
        )
}

/// Labelled addresses: of a namespace, or of none.
fn set() -> impl Strategy<Value = Value> {
    let nets = prop_oneof![Just("8.8.8.0/24"), Just("10.1.0.0/16"), Just("192.168.0.0/16")];
    (labels(), nets, any::<bool>()).prop_map(|(labels, net, is_global)| {
        let kind = if is_global {
            "GlobalNetworkSet"
        } else {
            "NetworkSet"
        };
        json!({
            "apiVersion": "projectcalico.org/v3", "kind": kind,
            "metadata": {"namespace": "n0", "labels": labels}, "spec": {"nets": [net]},
        })
    })
}

/// A cluster of three namespaces, of which the last is not declared, with pods in and outside of a pool.
fn cluster() -> impl Strategy<Value = String> {
    let pods = (0..3, labels(), any::<bool>()).prop_map(|(namespace, labels, is_told)| {
        let status = if is_told {
            json!({"podIP": "10.1.2.4"})
        } else {
            json!({})
        };
        json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {"namespace": format!("n{namespace}"), "labels": labels}, "status": status,
            "spec": {"containers": [{"ports": [{"name": "web", "containerPort": 8080}]}]},
        })
    });
    let tiers = prop_oneof![Just("Deny"), Just("Pass")];
    (
        (labels(), labels()),
        prop::collection::vec(pods, 1..4),
        prop::collection::vec(policy(), 0..3),
        prop::collection::vec(calico_policy(), 1..5),
        prop::collection::vec(set(), 0..3),
        (tiers.clone(), tiers, any::<bool>()),
    )
        .prop_map(|((first, second), pods, policies, calico, sets, (early, late, has_pool))| {
            let namespace = |name: &str, labels: Value| {
                json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}})
            };
            let tier = |name: &str, order: i32, end: &str| {
                json!({
                    "apiVersion": "projectcalico.org/v3", "kind": "Tier", "metadata": {"name": name},
                    "spec": {"order": order, "defaultAction": end},
                })
            };
            let mut items = vec![
                namespace("n0", first),
                namespace("n1", second),
                tier("early", 10, early),
                tier("late", 2_000_000, late),
            ];
            if has_pool {
                items.push(json!({
                    "apiVersion": "projectcalico.org/v3", "kind": "IPPool", "metadata": {"name": "pods"},
                    "spec": {"cidr": "10.1.0.0/16"},
                }));
            }
            let objects = pods.into_iter().chain(policies).chain(calico).chain(sets);
            for (at, mut object) in objects.enumerate() {
                object["metadata"]["name"] = json!(format!("o{at}"));
                items.push(object);
            }
            json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string()
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn three_roads_lead_to_one_answer_with_calico(text in cluster()) {
        hold(&text);
    }
}
