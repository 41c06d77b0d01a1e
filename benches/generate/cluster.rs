//! A cluster to read and to check. INVARIANT: each policy selects one workload and names one peer, by labels of
//! their own.

use std::fmt::Write as _;

/// As many workloads as NetworkPolicies, half of them of one namespace; each policy names a peer of its own.
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

/// The same with policies of Cilium: of each namespace, and with denials and blocks besides.
pub(crate) fn cilium_cluster(n: usize) -> String {
    with_policies(n, |i, namespace, peer| {
        format!(
            "apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {{name: p{i}, namespace: {namespace}}}\n\
             spec: {{endpointSelector: {{matchLabels: {{app: w{i}}}}}, ingress: [{{fromEndpoints: [{{matchExpressions: [{{key: 'k8s:io.kubernetes.pod.namespace', operator: Exists}}], \
             matchLabels: {{'k8s:app': w{peer}}}}}], toPorts: [{{ports: [{{port: p}}]}}]}}, {{fromCIDR: [10.0.{}.0/24], toPorts: [{{ports: [{{port: '443', protocol: TCP}}]}}]}}], \
             ingressDeny: [{{fromEntities: [world-ipv6]}}]}}\n",
            i % 256
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
