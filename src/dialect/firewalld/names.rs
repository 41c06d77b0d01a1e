//! What is read of firewalld's configuration, and how exactly.

use crate::dialect::{Construct, Support};

/// Elements of zones, policies and rules, and settings.
const CONSTRUCTS: &[(&str, Support)] = &[
    ("zone target", Support::Exact),
    ("zone ingress-priority, egress-priority", Support::Exact),
    ("zone interface", Support::Exact),
    ("zone source address", Support::Exact),
    ("zone source mac", Support::UnknownProperty),
    ("zone source ipset", Support::Exact),
    ("zone forward", Support::Exact),
    ("zone icmp-block-inversion", Support::Exact),
    ("policy target, priority, disable", Support::Exact),
    ("policy ingress-zone, egress-zone", Support::Exact),
    ("service", Support::Exact),
    ("service helper, module", Support::PassThrough),
    ("port", Support::Exact),
    ("source-port", Support::Exact),
    ("protocol", Support::Exact),
    ("icmp-block, icmp-type", Support::Exact),
    ("forward-port", Support::Exact),
    ("masquerade", Support::Exact),
    ("tcp-mss-clamp", Support::PassThrough),
    ("rule family, priority", Support::Exact),
    ("rule source, destination", Support::Exact),
    ("rule accept, reject, drop, mark", Support::Exact),
    ("rule log, nflog, audit", Support::PassThrough),
    ("rule limit", Support::UnknownEachTime),
    ("ipset hash:ip, hash:net", Support::Exact),
    (
        "ipset hash:ip,port, hash:net,port, hash:net,iface, hash:ip,mark",
        Support::Exact,
    ),
    ("ipset of other types", Support::UnknownProperty),
    ("direct chain, rule, passthrough", Support::Exact),
    ("DefaultZone", Support::Exact),
    ("FirewallBackend", Support::Exact),
    ("RFC3964_IPv4", Support::Exact),
    ("StrictForwardPorts", Support::UnknownProperty),
    ("AllowZoneDrifting", Support::UnknownProperty),
    ("IPv6_rpfilter", Support::PassThrough),
];

pub(super) fn constructs() -> Vec<Construct> {
    let construct = |&(name, support): &(&str, Support)| Construct {
        name: name.to_owned(),
        support,
    };
    CONSTRUCTS.iter().map(construct).collect()
}
