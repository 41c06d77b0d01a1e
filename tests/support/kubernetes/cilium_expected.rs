//! What Cilium's connectivity tests expect, by their names. INVARIANT: an expectation is the corpus's own, as a question and an answer;
//! what is not sure here is said beside it.

use portcullis::dialect::kubernetes::Truth;

/// Who asks whom, and what comes of it: yes, no or possibly.
pub(crate) type Probe = (&'static str, &'static str, &'static str, Truth);

/// A test by its name, the manifests that it applies, and what it expects.
pub(crate) struct Test {
    pub(crate) name: &'static str,
    pub(crate) manifests: &'static [&'static str],
    pub(crate) probes: &'static [Probe],
}

const YES: Truth = Truth::Yes;
const NO: Truth = Truth::No;
const MAYBE: Truth = Truth::Maybe;

const OUT: &str = "allow-all-egress";
const IN: &str = "allow-all-ingress";
/// Two addresses outside, of which tests let one through.
const ONE: &str = "1.1.1.1";
const OTHER: &str = "1.0.0.1";

const fn test(name: &'static str, manifests: &'static [&'static str], probes: &'static [Probe]) -> Test {
    Test {
        name,
        manifests,
        probes,
    }
}

const CLIENTS_TO_ECHO: &[Probe] = &[
    ("client", "echo-same-node", "tcp/8080", YES),
    ("client2", "echo-same-node", "tcp/8080", YES),
    ("client2", "echo-other-node", "tcp/8080", YES),
];
const FROM_CLIENT2: &[Probe] = &[
    ("client2", "client", "icmp/8", YES),
    ("client", "client2", "icmp/8", NO),
    ("client", "echo-same-node", "tcp/8080", YES),
];
const ECHO_FROM_CLIENT2: &[Probe] = &[
    ("client2", "echo-same-node", "tcp/8080", YES),
    ("client", "echo-same-node", "tcp/8080", NO),
    (ONE, "echo-other-node", "tcp/8080", NO),
];
const TO_ONE: &[Probe] = &[
    ("client", ONE, "tcp/443", YES),
    ("client", OTHER, "tcp/443", NO),
    ("client", "echo-same-node", "tcp/8080", NO),
];

pub(crate) const TESTS: &[Test] = &[
    test(
        "all-entities-deny",
        &["deny-all-entities"],
        &[
            ("client", "echo-same-node", "tcp/8080", NO),
            ("client", ONE, "tcp/443", NO),
        ],
    ),
    test(
        "all-ingress-deny-from-outside",
        &["deny-all-ingress"],
        &[
            (ONE, "echo-same-node", "tcp/8080", NO),
            ("client", ONE, "tcp/443", YES),
        ],
    ),
    test("client-egress", &["client-egress-to-echo"], CLIENTS_TO_ECHO),
    test(
        "client-egress-knp",
        &["client-egress-to-echo-knp"],
        CLIENTS_TO_ECHO,
    ),
    test(
        "client-egress-expression",
        &["client-egress-to-echo-expression"],
        CLIENTS_TO_ECHO,
    ),
    // The names of clusters are in no manifest, so who is allowed by one is unsure; who is not allowed is sure.
    test(
        "client-egress-l7",
        &["client-egress-only-dns", "client-egress-l7-http-named-port"],
        &[
            ("client", "echo-same-node", "tcp/8080", NO),
            ("client", ONE, "tcp/80", NO),
        ],
    ),
    test(
        "client-egress-l7-named-port",
        &["client-egress-only-dns", "client-egress-l7-http-named-port"],
        &[("client", "echo-same-node", "tcp/8080", NO)],
    ),
    test(
        "client-egress-to-cidr-deny-default",
        &["client-egress-to-cidr-external-deny"],
        &[("client", ONE, "tcp/443", NO), ("client", OTHER, "tcp/443", NO)],
    ),
    test(
        "client-egress-to-echo-deny",
        &[OUT, IN, "client-egress-to-echo-deny"],
        &[
            ("client", "echo-same-node", "tcp/8080", NO),
            ("client", "client2", "icmp/8", YES),
        ],
    ),
    test(
        "client-egress-to-echo-service-account",
        &["client-egress-to-echo-service-account"],
        &[
            ("client", "echo-same-node", "tcp/8080", YES),
            ("client", "echo-other-node", "tcp/8080", NO),
        ],
    ),
    test(
        "client-egress-to-echo-service-account-deny",
        &[OUT, IN, "client-egress-to-echo-service-account-deny"],
        &[
            ("client", "echo-same-node", "tcp/8080", NO),
            ("client", "echo-other-node", "tcp/8080", YES),
        ],
    ),
    test(
        "client-ingress-from-other-client-icmp-deny",
        &[OUT, IN, "echo-ingress-icmp-deny"],
        &[
            ("client2", "client", "icmp/8", NO),
            ("client", "client2", "icmp/8", YES),
            ("client2", "echo-same-node", "tcp/8080", YES),
        ],
    ),
    test(
        "client-ingress-icmp",
        &["echo-ingress-icmp"],
        &[
            ("client2", "client", "icmp/8", YES),
            ("client", "client2", "icmp/8", NO),
        ],
    ),
    test(
        "client-ingress-knp",
        &["client-ingress-from-client2-knp"],
        FROM_CLIENT2,
    ),
    test(
        "client-with-service-account-egress-to-echo",
        &["client-with-service-account-egress-to-echo"],
        &[("client", "echo-same-node", "tcp/8080", YES)],
    ),
    test(
        "client-with-service-account-egress-to-echo-deny",
        &[OUT, IN, "client-with-service-account-egress-to-echo-deny"],
        &[
            ("client", "echo-same-node", "tcp/8080", NO),
            ("client2", "echo-same-node", "tcp/8080", YES),
        ],
    ),
    test(
        "cluster-entity",
        &["allow-cluster-entity"],
        &[
            ("client", "echo-same-node", "tcp/8080", YES),
            ("client", "echo-other-node", "tcp/8080", YES),
        ],
    ),
    // Whether peers prove who they are is in no manifest.
    test(
        "echo-ingress-auth-always-fail",
        &["echo-ingress-auth-fail"],
        &[("client", "echo-same-node", "tcp/8080", MAYBE)],
    ),
    test(
        "echo-ingress-mutual-auth-spiffe",
        &["echo-ingress-mutual-authentication"],
        &[("client", "echo-same-node", "tcp/8080", MAYBE)],
    ),
    test(
        "echo-ingress-from-other-client-deny",
        &[OUT, IN, "echo-ingress-from-other-client-deny"],
        &[
            ("client2", "echo-same-node", "tcp/8080", NO),
            ("client", "echo-same-node", "tcp/8080", YES),
            ("client2", "client", "icmp/8", YES),
        ],
    ),
    test(
        "echo-ingress-from-outside",
        &["echo-ingress-from-other-client"],
        ECHO_FROM_CLIENT2,
    ),
    test(
        "echo-ingress-knp",
        &["echo-ingress-from-other-client-knp"],
        ECHO_FROM_CLIENT2,
    ),
    // What it asks of requests comes after the connection.
    test(
        "echo-ingress-l7",
        &["echo-ingress-l7-http"],
        &[
            ("client2", "echo-same-node", "tcp/8080", YES),
            ("client", "echo-same-node", "tcp/8080", NO),
        ],
    ),
    test(
        "echo-ingress-l7-named-port",
        &["echo-ingress-l7-http-named-port"],
        &[
            ("client2", "echo-same-node", "tcp/8080", YES),
            ("client", "echo-same-node", "tcp/8080", NO),
        ],
    ),
    test(
        "to-cidr-external-knp",
        &["client-egress-to-cidr-external-knp"],
        TO_ONE,
    ),
    test(
        "to-entities-world",
        &["client-egress-to-entities-world"],
        &[("client", ONE, "tcp/80", YES), ("client", ONE, "tcp/443", NO)],
    ),
    test(
        "to-fqdns",
        &["client-egress-to-fqdns"],
        &[("client", ONE, "tcp/80", MAYBE), ("client", ONE, "tcp/443", NO)],
    ),
];

/// Expectations that are not about what is judged here.
pub(crate) const NOT_ASKED: &[(&str, &str)] = &[
    (
        "client-egress-l7-method",
        "methods of HTTP (layer 7), asked with `client-egress-l7`",
    ),
    ("cluster-entity-multi-cluster", "pods of another cluster"),
    (
        "egress-gateway",
        "which address packets leave with, not whether they do",
    ),
    ("from-cidr-host-netns", "pods in the network of their node"),
    ("host-firewall", "policies of nodes"),
    ("echo-ingress-l7-via-hostport", "a port of the node"),
    ("outside-to-ingress-service", "Cilium's own proxy for ingress"),
    ("pod-to-ingress-service", "Cilium's own proxy for ingress"),
    ("pod-to-controlplane-host", "addresses of nodes"),
    ("pod-to-k8s", "addresses of nodes"),
    ("pod-to-pod-with-l7-policy-encryption", "encryption of packets"),
];

/// One policy in both APIs.
pub(crate) const PAIRS: &[&str] = &[
    "client-egress-to-echo",
    "client-egress-to-echo-expression",
    "client-ingress-from-client2",
    "echo-ingress-from-other-client",
    "client-egress-to-cidr-external",
];
/// Pairs of the corpus that differ in what they say: with the place.
pub(crate) const NOT_A_PAIR: &[(&str, &str)] = &[
    (
        "client-egress-to-echo",
        "the NetworkPolicy names no types, so it isolates ingress too, and opens udp/53 to everybody, not to the world",
    ),
    (
        "client-egress-to-cidr-external",
        "the NetworkPolicy names no types, so it isolates ingress too, and has no block of IPv6",
    ),
];
