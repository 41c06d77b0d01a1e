//! Host endpoints of Calico with policies that nobody wrote, against what documents say of them. INVARIANT: whatever a ruleset says for
//! sure is what they mean, and it is sure of all but what the documents leave open.

use std::net::Ipv4Addr;
use std::sync::Arc;

use portcullis::model::{HostEndpoint, HostFacts, Identities, Interpreter, Packet, Path, Verdict};
use portcullis::packet::{Field, RangeSet, value};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::Folder;
use super::calico_hosts::{Meaning, Sent};
use super::lowered::groups_asked;

fn selector() -> impl Strategy<Value = &'static str> {
    prop_oneof![3 => Just("role == 'a'"), 2 => Just("all()"), 1 => Just("role != 'a'"), 1 => Just("!has(role)")]
}

fn labels() -> impl Strategy<Value = Value> {
    prop_oneof![3 => Just(json!({"role": "a"})), 1 => Just(json!({"role": "b"})), 1 => Just(json!({}))]
}

fn net() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        Just("10.0.0.0/8"),
        Just("10.1.0.0/16"),
        Just("192.168.0.0/16"),
        Just("0.0.0.0/0")
    ]
}

fn end(has_ports: bool) -> impl Strategy<Value = Value> {
    let who = prop_oneof![
        4 => Just(json!({})),
        2 => net().prop_map(|net| json!({"nets": [net]})),
        1 => net().prop_map(|net| json!({"notNets": [net]})),
        1 => selector().prop_map(|selector| json!({"selector": selector})),
    ];
    let ports = prop_oneof![3 => Just(Value::Null), 1 => Just(json!([80])), 1 => Just(json!(["22:90"])), 1 => Just(json!([53, 8080]))];
    (who, ports).prop_map(move |(mut who, ports)| {
        if has_ports && !ports.is_null() {
            who["ports"] = ports;
        }
        who
    })
}

fn rule() -> impl Strategy<Value = Value> {
    let action = prop_oneof![4 => Just("Allow"), 3 => Just("Deny"), 1 => Just("Pass"), 1 => Just("Log")];
    let with = (prop_oneof![Just("TCP"), Just("UDP")], end(true), end(true));
    let with = with.prop_map(|(protocol, source, destination)| {
        json!({"protocol": protocol, "source": source, "destination": destination})
    });
    let without = (end(false), end(false))
        .prop_map(|(source, destination)| json!({"source": source, "destination": destination}));
    (action, prop_oneof![3 => with, 1 => without]).prop_map(|(action, mut rule)| {
        rule["action"] = json!(action);
        rule
    })
}

fn host_policy() -> impl Strategy<Value = Value> {
    let types = prop_oneof![
        Just(json!(["Ingress"])),
        Just(json!(["Egress"])),
        Just(json!(["Ingress", "Egress"]))
    ];
    let stage = prop_oneof![4 => Just(""), 2 => Just("doNotTrack"), 2 => Just("preDNAT"), 2 => Just("applyOnForward")];
    let rules = || prop::collection::vec(rule(), 0..4);
    let place = (
        prop::option::of(0..3),
        prop_oneof![3 => Just("default"), 1 => Just("first")],
    );
    (selector(), types, stage, (rules(), rules()), place).prop_map(
        |(selector, types, stage, (ingress, egress), (order, tier))| {
            let mut spec = json!({
                "tier": tier, "selector": selector, "types": types, "ingress": ingress, "egress": egress,
            });
            if let Some(order) = order {
                spec["order"] = json!(order);
            }
            if !stage.is_empty() {
                spec["applyOnForward"] = json!(true);
                spec[stage] = json!(true);
            }
            // "PreDNAT: true does not allow egress rules."
            if stage == "preDNAT" {
                spec["types"] = json!(["Ingress"]);
                spec["egress"] = json!([]);
            }
            json!({
                "apiVersion": "projectcalico.org/v3", "kind": "GlobalNetworkPolicy", "metadata": {}, "spec": spec,
            })
        },
    )
}

fn failsafes() -> impl Strategy<Value = Value> {
    let one = (
        prop_oneof![Just("tcp"), Just("udp")],
        prop_oneof![Just(22), Just(53), Just(80)],
        prop::option::of(net()),
    );
    prop::collection::vec(one, 0..3).prop_map(|all| {
        let all = all.into_iter().map(|(protocol, port, net)| match net {
            Some(net) => json!({"protocol": protocol, "port": port, "net": net}),
            None => json!({"protocol": protocol, "port": port}),
        });
        all.collect()
    })
}

fn objects() -> impl Strategy<Value = Vec<Value>> {
    let endpoint = (
        labels(),
        prop_oneof![2 => Just("eth0"), 1 => Just("*")],
        any::<bool>(),
    );
    let sets = prop::collection::vec((labels(), net()), 0..2);
    (
        endpoint,
        prop::collection::vec(host_policy(), 0..6),
        sets,
        (failsafes(), failsafes()),
        prop_oneof![Just("Deny"), Just("Pass")],
    )
        .prop_map(|((labels, interface, has_profile), policies, sets, (inbound, outbound), first)| {
            let of = |kind: &str, name: &str, spec: Value| {
                json!({
                    "apiVersion": "projectcalico.org/v3", "kind": kind, "metadata": {"name": name}, "spec": spec,
                })
            };
            let profiles = if has_profile { json!(["projectcalico-default-allow"]) } else { json!([]) };
            let mut endpoint = of("HostEndpoint", "m1", json!({
                "node": "m1", "interfaceName": interface, "expectedIPs": ["10.1.0.1"], "profiles": profiles,
            }));
            endpoint["metadata"]["labels"] = labels;
            let mut items = vec![
                endpoint,
                of("Tier", "first", json!({"order": 1, "defaultAction": first})),
                of("Tier", "default", json!({"order": 1_000_000, "defaultAction": "Deny"})),
                of("IPPool", "pods", json!({"cidr": "10.244.0.0/16", "ipipMode": "Never"})),
                of("FelixConfiguration", "default", json!({
                    "failsafeInboundHostPorts": inbound, "failsafeOutboundHostPorts": outbound,
                })),
            ];
            for (at, (labels, net)) in sets.into_iter().enumerate() {
                let mut set = of("GlobalNetworkSet", &format!("s{at}"), json!({"nets": [net]}));
                set["metadata"]["labels"] = labels;
                items.push(set);
            }
            for (at, mut policy) in policies.into_iter().enumerate() {
                policy["metadata"]["name"] = json!(format!("p{at}"));
                items.push(policy);
            }
            items
        })
}

/// What the ruleset of an endpoint does with a packet, if that is sure.
fn ruled(endpoint: &HostEndpoint, facts: &HostFacts, sent: &Sent) -> Option<bool> {
    let point = |value: u128| RangeSet::point(value);
    let mut packet = Packet::new()
        .with(Field::Family, point(value::V4))
        .with(Field::State, point(sent.state))
        .with(Field::Protocol, point(u128::from(sent.protocol)))
        .with(Field::SourcePort, point(u128::from(sent.source_port)))
        .with(Field::Service, point(u128::from(sent.port)))
        .with(Field::Source4, point(u128::from(u32::from(sent.source))))
        .with(
            Field::Destination4,
            point(u128::from(u32::from(sent.destination))),
        )
        .with(Field::SourceIdentity, point(0))
        .with(Field::DestinationIdentity, point(0));
    for bit in 0..32 {
        packet = packet.with(Field::Mark(bit), point(0));
    }
    if sent.path != Path::Output {
        packet = packet.with(Field::InInterface, point(value::interface(sent.interface)));
    }
    if sent.path != Path::Input {
        packet = packet.with(Field::OutInterface, point(value::interface(sent.out)));
    }
    let rulesets = std::slice::from_ref(&endpoint.ruleset);
    let answer = Interpreter::new(rulesets, facts).run(sent.path, packet);
    answer.verdict().map(|verdict| verdict == Verdict::Accept)
}

/// Packets at the corners of what is generated.
fn packets() -> Vec<Sent> {
    let mut all = Vec::new();
    let (near, far, own) = (
        Ipv4Addr::new(10, 1, 2, 3),
        Ipv4Addr::new(192, 168, 0, 9),
        Ipv4Addr::new(10, 1, 0, 1),
    );
    let others = [near, far, Ipv4Addr::new(8, 8, 8, 8)];
    for path in [Path::Input, Path::Output, Path::Forward] {
        for (protocol, source_port, port) in [
            (6, 40_000, 80),
            (6, 22, 8080),
            (17, 40_000, 53),
            (17, 53, 9_999),
            (6, 80, 22),
        ] {
            for state in [value::NEW, value::ESTABLISHED, value::INVALID] {
                for other in others {
                    for (interface, out) in [("eth0", "eth1"), ("eth1", "eth0"), ("eth0", "cali1")] {
                        let (source, destination) = match path {
                            Path::Input => (other, own),
                            Path::Output => (own, other),
                            Path::Forward => (other, near),
                        };
                        all.push(Sent {
                            path,
                            state,
                            protocol,
                            source,
                            source_port,
                            destination,
                            port,
                            interface,
                            out,
                        });
                    }
                }
            }
        }
    }
    // Workloads' interfaces are no host endpoint's, whatever is sent by them; what a node says to its own pods is theirs to filter.
    all.retain(|sent| sent.out != "cali1" || sent.path == Path::Forward);
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn host_endpoints_do_what_their_documents_say(items in objects()) {
        let mut folder = Folder::empty();
        let text = json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string();
        folder.add("all.json", text.into_bytes());
        let reading = folder.reading();
        let endpoint = &reading.endpoints[0];
        let facts = HostFacts {
            members: Arc::new(Identities::default().members(&groups_asked([&endpoint.ruleset]))),
            ..HostFacts::default()
        };
        let meaning = Meaning { items: &items, endpoint: &items[0] };
        let is_everywhere = items[0]["spec"]["interfaceName"] == "*";
        let has_untracked = |way| !meaning.tiers("untracked", way).is_empty();
        let is_open = is_everywhere && [true, false].into_iter().any(has_untracked);
        let mut n_sure = 0;
        for sent in packets() {
            // Of an endpoint of all interfaces those of workloads are no part, here as well as in what is asked.
            if is_everywhere && sent.out == "cali1" {
                continue;
            }
            let ruled = ruled(endpoint, &facts, &sent);
            n_sure += usize::from(ruled.is_some());
            if let Some(ruled) = ruled {
                prop_assert_eq!(ruled, meaning.lets(&sent), "{:?}", sent);
            } else {
                prop_assert!(is_open, "{sent:?} is not known");
            }
        }
        prop_assert!(n_sure > 0);
    }
}
