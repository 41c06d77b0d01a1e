//! `before.rules` and `after.rules` as ufw 0.36 ships them, for configurations that do not have theirs.
//!
//! INVARIANT: what they accept besides loopback and what is established is here in tables.

use std::fmt::Write;

use super::init::{prefix, table};
use crate::packet::Family;

/// ICMP that is taken in and passed on: unreachable, time exceeded, parameter problem, echo request.
const ICMP: &[u8] = &[3, 11, 12, 8];

/// ICMPv6 that is taken in and let out from any sender: RFC 4890, 4.4.1; echo replies are accepted before invalid packets go.
const ICMPV6: &[u8] = &[1, 2, 3, 4, 128];

/// ICMPv6 of the own link, whose hop limit says that it was not passed on: RFC 4890, 4.4.1.
const ICMPV6_LINK: &[u8] = &[133, 134, 135, 136, 141, 142, 148, 149];

/// ICMPv6 of link-local senders: listeners of groups.
const ICMPV6_LISTENER: &[u8] = &[130, 131, 132, 143];

/// ICMPv6 of link-local senders with a hop limit of one: routers of groups.
const ICMPV6_ROUTER: &[u8] = &[151, 152, 153];

/// ICMPv6 of mobile hosts: RFC 4890, 4.3.2.
const ICMPV6_MOBILE: &[u8] = &[144, 145, 146, 147];

/// Services of local networks whose broadcasts are not worth a line in the log.
const NOISE: &[(&str, u16)] = &[("udp", 137), ("udp", 138), ("tcp", 139), ("tcp", 445)];

/// What `before.rules` or `before6.rules` holds.
pub(super) fn before(family: Family) -> String {
    let ufw = prefix(family);
    let mut lines = String::new();
    for suffix in ["input", "output", "forward"] {
        let _ = writeln!(lines, ":{ufw}-before-{suffix} - [0:0]");
    }
    let mut rule = |suffix: &str, rule: &str| {
        let _ = writeln!(lines, "-A {ufw}-before-{suffix} {rule}");
    };
    rule("input", "-i lo -j ACCEPT");
    rule("output", "-o lo -j ACCEPT");
    for suffix in ["input", "output", "forward"] {
        if family == Family::V6 {
            rule(suffix, "-m rt --rt-type 0 -j DROP");
        }
        rule(suffix, "-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT");
    }
    if family == Family::V6 {
        rule("input", "-p icmpv6 --icmpv6-type 129 -j ACCEPT");
    }
    rule("input", "-m conntrack --ctstate INVALID -j DROP");
    match family {
        Family::V4 => before4(&mut rule),
        Family::V6 => before6(&mut rule),
    }
    if family == Family::V4 {
        lines = format!(":ufw-not-local - [0:0]\n{lines}{NOT_LOCAL}");
    }
    table(&lines)
}

/// Broadcasts and what is addressed to the host go on; the rest was not meant for it.
const NOT_LOCAL: &str = "\
-A ufw-not-local -m addrtype --dst-type LOCAL -j RETURN
-A ufw-not-local -m addrtype --dst-type MULTICAST -j RETURN
-A ufw-not-local -m addrtype --dst-type BROADCAST -j RETURN
-A ufw-not-local -j DROP
";

fn before4(rule: &mut impl FnMut(&str, &str)) {
    for suffix in ["input", "forward"] {
        for icmp in ICMP {
            rule(suffix, &format!("-p icmp --icmp-type {icmp} -j ACCEPT"));
        }
    }
    rule("input", "-p udp --sport 67 --dport 68 -j ACCEPT");
    rule("input", "-j ufw-not-local");
    rule("input", "-p udp -d 224.0.0.251 --dport 5353 -j ACCEPT");
    rule("input", "-p udp -d 239.255.255.250 --dport 1900 -j ACCEPT");
}

fn before6(rule: &mut impl FnMut(&str, &str)) {
    for suffix in ["input", "output"] {
        let mut icmp = |types: &[u8], with: &str| {
            for one in types {
                rule(suffix, &format!("-p icmpv6 --icmpv6-type {one} {with} -j ACCEPT"));
            }
        };
        icmp(ICMPV6, "");
        icmp(ICMPV6_LINK, "-m hl --hl-eq 255");
        icmp(ICMPV6_LISTENER, "-s fe80::/10");
        icmp(ICMPV6_ROUTER, "-s fe80::/10 -m hl --hl-eq 1");
    }
    rule("output", "-p icmpv6 --icmpv6-type 129 -j ACCEPT");
    for icmp in ICMPV6.iter().chain(&[129]) {
        rule("forward", &format!("-p icmpv6 --icmpv6-type {icmp} -j ACCEPT"));
    }
    for icmp in ICMPV6_MOBILE {
        rule("input", &format!("-p icmpv6 --icmpv6-type {icmp} -j ACCEPT"));
    }
    rule(
        "input",
        "-p udp -s fe80::/10 --sport 547 -d fe80::/10 --dport 546 -j ACCEPT",
    );
    rule("input", "-p udp -d ff02::fb --dport 5353 -j ACCEPT");
    rule("input", "-p udp -d ff02::f --dport 1900 -j ACCEPT");
}

/// What `after.rules` or `after6.rules` holds.
pub(super) fn after(family: Family) -> String {
    let ufw = prefix(family);
    let mut lines = String::new();
    for suffix in ["input", "output", "forward"] {
        let _ = writeln!(lines, ":{ufw}-after-{suffix} - [0:0]");
    }
    let dhcp: &[(&str, u16)] = match family {
        Family::V4 => &[("udp", 67), ("udp", 68)],
        Family::V6 => &[("udp", 546), ("udp", 547)],
    };
    for (protocol, port) in NOISE.iter().chain(dhcp) {
        let _ = writeln!(
            lines,
            "-A {ufw}-after-input -p {protocol} --dport {port} -j {ufw}-skip-to-policy-input"
        );
    }
    if family == Family::V4 {
        lines += "-A ufw-after-input -m addrtype --dst-type BROADCAST -j ufw-skip-to-policy-input\n";
    }
    table(&lines)
}
