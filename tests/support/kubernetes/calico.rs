//! The selector language of Calico: what its documents say of examples, and texts that nobody wrote in good faith. INVARIANT:
//! pods that a selector takes are those that a policy without rules then isolates.

use portcullis::dialect::kubernetes::{End, Truth};
use portcullis::finding::{Code, Finding};
use serde_json::{Value, json};

use super::{Folder, flow, pod_set};

/// Which of some pods a selector takes, and what was said of it.
fn taken(selector: &str, pods: &[Value]) -> (Vec<bool>, Vec<Finding>) {
    let pods = pods.iter().enumerate().map(|(at, labels)| {
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": format!("p{at}"), "labels": labels}})
    });
    let policy = json!({
        "apiVersion": "projectcalico.org/v3", "kind": "GlobalNetworkPolicy",
        "metadata": {"name": "all"}, "spec": {"selector": selector},
    });
    let pods: Vec<Value> = pods.collect();
    let n_pods = pods.len();
    let items: Vec<Value> = pods.into_iter().chain([policy]).collect();
    let mut folder = Folder::empty();
    let text = json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string();
    folder.add("all.json", text.into_bytes());
    let (cluster, findings) = folder.cluster();
    let outside = End::Outside("192.0.2.1".parse().unwrap());
    let is_taken = |at: usize| {
        let pods = pod_set(&cluster, &format!("default/p{at}"));
        cluster.may_reach(outside, pods, flow("tcp", 80)) == Truth::No
    };
    ((0..n_pods).map(is_taken).collect(), findings)
}

/// docs.tigera.io, "Network policy", Selectors: each line of its table, and its example of what binds how.
#[test]
fn selectors_take_what_their_documents_say() {
    let pods = [
        json!({}),
        json!({"k": "v"}),
        json!({"k": "v1"}),
        json!({"k": "mass", "my-label": "production"}),
        json!({"my-label": "production", "role": "business"}),
        json!({"my-label": "test", "role": "frontend"}),
    ];
    for (selector, expected) in [
        ("", "111111"),
        ("all()", "111111"),
        ("!all()", "000000"),
        ("k == 'v'", "010000"),
        ("k != 'v'", "101111"),
        ("has(k)", "011100"),
        ("!has(k)", "100011"),
        ("k in { 'v1', 'v2' }", "001000"),
        ("k not in { 'v1', 'v2' }", "110111"),
        ("k in {}", "000000"),
        ("k contains 's'", "000100"),
        ("k starts with 'v'", "011000"),
        ("k ends with 's'", "000100"),
        ("(k == 'v')", "010000"),
        ("! k starts with 'v'", "100111"),
        ("!!has( k )", "011100"),
        ("k==\"v\"&&!has(role)", "010000"),
        ("has(k) && has(role) || k == 'v'", "010000"),
        ("has(k) && (has(role) || k == 'v')", "010000"),
        ("!(has(k) || has(role))", "100000"),
        ("!(has(k) && has(my-label))", "111011"),
        (
            "! has(my-label) || my-label starts with 'prod' && role in {'frontend','business'}",
            "111010",
        ),
        ("projectcalico.org/namespace == 'default'", "111111"),
        ("projectcalico.org/orchestrator != 'k8s'", "000000"),
    ] {
        let (taken, findings) = taken(selector, &pods);
        let word: String = taken.iter().map(|is| if *is { '1' } else { '0' }).collect();
        let unread = findings.iter().find(|finding| finding.code == Code::UnreadText);
        assert!(unread.is_none(), "{selector}: {unread:?}");
        assert_eq!(word, expected, "{selector}");
    }
}

/// Texts of hostile size and depth are refused in words, and soon; what is only long is read.
#[test]
fn hostile_selectors_are_bounded() {
    let many = |part: &str, joint: &str, n: usize| vec![part; n].join(joint);
    let begun = std::time::Instant::now();
    for (selector, refused) in [
        ("(".repeat(10_000), Some("lie too deep in each other")),
        (
            format!("{}has(a){}", "(".repeat(65), ")".repeat(65)),
            Some("lie too deep in each other"),
        ),
        (many("has(a)", "&&", 10_000), Some("more than 65536 bytes")),
        (
            format!("has({})", "a".repeat(513)),
            Some("key of this label is too long"),
        ),
        (format!("{}has(a){}", "(".repeat(60), ")".repeat(60)), None),
        (format!("{}has(a)", "!".repeat(50_000)), None),
        (many("has(a)", "||", 5_000), None),
        (many("(has(a)||has(b))", "&&", 3_000), None),
        (many("(a=='b'||!(c=='d'&&e!='f'))", "&&", 2_000), None),
    ] {
        let (_, findings) = taken(&selector, &[json!({"a": "b"})]);
        let mut unread = findings.iter().filter(|finding| finding.code == Code::UnreadText);
        let said = unread.next().map(|finding| finding.message.as_str());
        match refused {
            Some(words) => assert!(said.is_some_and(|said| said.contains(words)), "{said:?}"),
            None => assert_eq!(said, None),
        }
    }
    assert!(begun.elapsed().as_secs() < 20, "{:?}", begun.elapsed());
}
