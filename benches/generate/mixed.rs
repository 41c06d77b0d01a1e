//! A ruleset as a cluster's host has it: a skeleton that everyone writes, chains for services, a ban list. INVARIANT:
//! established connections pass first and what no rule wants is dropped.

use std::fmt::Write as _;

use super::random::Random;
use super::ruleset::{SERVICES, dotted, pick};

/// Rules that stand before the services, whatever the size.
const SKELETON: [&str; 9] = [
    "-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
    "-A INPUT -m conntrack --ctstate INVALID -j DROP",
    "-A INPUT -i lo -j ACCEPT",
    "-A INPUT -p icmp -m icmp --icmp-type 8 -m limit --limit 10/sec -j ACCEPT",
    "-A INPUT -p icmp -m icmp --icmp-type 3 -j ACCEPT",
    "-A INPUT -j BANNED",
    "-A INPUT -i eth0 -j FROM-OUTSIDE",
    "-A INPUT -i eth1 -j FROM-CLUSTER",
    "-A INPUT -m limit --limit 5/min -j LOG --log-prefix \"dropped: \"",
];

/// The text of such a ruleset. Below the size of the skeleton it is the beginning of it.
pub(crate) fn mixed(n_rules: usize, random: &mut Random) -> String {
    let mut text = String::with_capacity(256 + n_rules * 90);
    text.push_str("*filter\n:INPUT DROP [1042:61234]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [90210:7654321]\n");
    text.push_str(":BANNED - [0:0]\n:FROM-CLUSTER - [0:0]\n:FROM-OUTSIDE - [0:0]\n");
    for rule in SKELETON.iter().take(n_rules) {
        let _ = writeln!(text, "{rule}");
    }
    let n_left = n_rules.saturating_sub(SKELETON.len());
    let n_banned = n_left / 3;
    let n_outside = n_left / 6;
    for _ in 0..n_banned {
        banned(random, &mut text);
    }
    for _ in 0..n_left - n_banned - n_outside {
        from_cluster(random, &mut text);
    }
    for _ in 0..n_outside {
        from_outside(random, &mut text);
    }
    text.push_str("COMMIT\n");
    text
}

/// A host or network of the outside, or one that is let off.
fn banned(random: &mut Random, text: &mut String) {
    let address = (1 + random.below(126)) << 24 | random.below(1 << 24);
    if address >> 24 == 10 || random.chance(1, 50) {
        let _ = writeln!(text, "-A BANNED -s {}/32 -j RETURN", dotted(address));
    } else if random.chance(1, 4) {
        let _ = writeln!(text, "-A BANNED -s {}/24 -j DROP", dotted(address & 0xffff_ff00));
    } else {
        let _ = writeln!(
            text,
            "-A BANNED -s {}/32 -j REJECT --reject-with icmp-port-unreachable",
            dotted(address)
        );
    }
}

/// A service for one of the cluster's networks or hosts.
fn from_cluster(random: &mut Random, text: &mut String) {
    let network = 0x0a14_0000 | random.below(64) << 10;
    let (port, other) = (pick(&SERVICES, random), pick(&SERVICES, random));
    let source = match random.below(3) {
        0 => "10.20.0.0/16".to_owned(),
        1 => format!("{}/22", dotted(network)),
        _ => format!("{}/32", dotted(network | random.below(1 << 10))),
    };
    let _ = match random.below(5) {
        0 => writeln!(
            text,
            "-A FROM-CLUSTER -s {source} -p udp -m udp --dport {port} -j ACCEPT"
        ),
        1 => writeln!(
            text,
            "-A FROM-CLUSTER -s {source} -p tcp -m multiport --dports {port},{other},9100:9110 -m comment --comment \"node exporters\" -j ACCEPT"
        ),
        2 => writeln!(
            text,
            "-A FROM-CLUSTER ! -s {source} -p tcp -m tcp --dport {port} -j REJECT --reject-with tcp-reset"
        ),
        _ => writeln!(
            text,
            "-A FROM-CLUSTER -s {source} -p tcp -m tcp --dport {port} --tcp-flags FIN,SYN,RST,ACK SYN -m conntrack --ctstate NEW -j ACCEPT"
        ),
    };
}

/// A service for everybody or for a customer's network.
fn from_outside(random: &mut Random, text: &mut String) {
    let port = pick(&SERVICES, random);
    let _ = match random.below(4) {
        0 => writeln!(text, "-A FROM-OUTSIDE -p tcp -m tcp --dport {port} -j ACCEPT"),
        1 => writeln!(
            text,
            "-A FROM-OUTSIDE -p tcp -m tcp --sport 1024:65535 --dport {port} -m state --state NEW -j ACCEPT"
        ),
        _ => {
            let network = (128 + random.below(64)) << 24 | random.below(1 << 16) << 8;
            writeln!(
                text,
                "-A FROM-OUTSIDE -s {}/24 -p tcp -m tcp --dport {port} -j ACCEPT",
                dotted(network)
            )
        }
    };
}
