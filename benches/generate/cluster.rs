//! A cluster to read and to check. INVARIANT: each policy selects one workload and names one peer, by labels of their own.

use std::fmt::Write as _;

/// As many workloads as policies, half of them of one namespace; each policy names a peer of its own.
pub(crate) fn cluster(n: usize) -> String {
    with_policies(n, |i, namespace, peer| {
        format!(
            "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: p{i}, namespace: {namespace}}}\n\
             spec: {{podSelector: {{matchLabels: {{app: w{i}}}}}, ingress: [{{from: [{{namespaceSelector: {{}}, podSelector: {{matchLabels: {{app: w{peer}}}}}}}], ports: [{{port: p}}]}}]}}\n"
        )
    })
}

/// The same with policies of Calico.
pub(crate) fn calico_cluster(n: usize) -> String {
    with_policies(n, |i, namespace, peer| {
        format!(
            "apiVersion: projectcalico.org/v3\nkind: NetworkPolicy\nmetadata: {{name: p{i}, namespace: {namespace}}}\n\
             spec: {{order: {i}, selector: \"app == 'w{i}'\", ingress: [{{action: Allow, protocol: TCP, source: {{namespaceSelector: all(), selector: \"app == 'w{peer}'\"}}, destination: {{ports: [p]}}}}]}}\n"
        )
    })
}

fn with_policies(n: usize, policy: impl Fn(usize, &str, usize) -> String) -> String {
    let mut text = String::new();
    for i in 0..n {
        let namespace = if i % 2 == 0 {
            "common".to_owned()
        } else {
            format!("own-{}", i % 50)
        };
        let peer = (i * 7) % n;
        let _ = write!(
            text,
            "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: w{i}, namespace: {namespace}}}\n\
             spec: {{template: {{metadata: {{labels: {{app: w{i}}}}}, spec: {{containers: [{{ports: [{{name: p, containerPort: 80}}]}}]}}}}}}\n---\n{}",
            policy(i, &namespace, peer)
        );
    }
    text
}
