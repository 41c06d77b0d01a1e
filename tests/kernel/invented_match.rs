//! What invented rules of nft ask. INVARIANT: each question is one that nft takes in the family of its table.

use crate::random::Random;
use crate::ruleset::pick;

/// Where a rule stands.
pub(crate) struct Said {
    pub(crate) family: &'static str,
    pub(crate) is_filter: bool,
    pub(crate) chain: &'static str,
}

const V4: &[&str] = &[
    "ip saddr 10.0.0.0/8",
    "ip saddr != 10.1.0.0/16",
    "ip saddr 10.1.2.3-10.1.2.200",
    "ip saddr & 255.255.255.15 == 10.1.2.3",
    "ip saddr & 0.0.0.255 < 0.0.0.100",
    "ip saddr { 10.1.0.0/16, 192.0.2.0/25, 172.16.0.1-172.16.0.9 }",
    "ip saddr != { 10.1.2.3, 10.1.2.4 }",
    "ip saddr @hosts4",
    "ip saddr != @nets4",
    "ip daddr @nets4",
    "ip daddr @merged4",
    "ip daddr != 192.0.2.0/24",
    "ip daddr 192.0.2.0/25",
    "ip saddr $admins",
    "ip daddr != $admins",
    "ip saddr . tcp dport @pairs4",
    "ip daddr . udp dport @pairs4",
    "ip saddr . tcp dport != @pairs4",
    "ip saddr . ip daddr { 10.1.0.0/16 . 192.0.2.0/24, 10.1.2.3 . 10.1.2.4 }",
    "ip saddr . ip daddr . meta l4proto { 10.1.0.0/16 . 192.0.2.0/24 . tcp }",
    "ip protocol { tcp, udp }",
    "ip protocol != icmp",
    "ip protocol 47",
    "ip version 4",
];

const V6: &[&str] = &[
    "ip6 saddr fd00::/8",
    "ip6 saddr != fd00:1::/32",
    "ip6 saddr & ffff:ffff:: == 2001:db8::",
    "ip6 saddr { fd00:1::/32, 2001:db8::5 }",
    "ip6 saddr @hosts6",
    "ip6 daddr @nets6",
    "ip6 daddr != @nets6",
    "ip6 daddr 2001:db8::/32",
    "ip6 nexthdr { tcp, udp }",
    "ip6 nexthdr != 58",
    "ip6 saddr . tcp dport { fd00:1::3 . 22, 2001:db8::/32 . 80-90 }",
];

const PORTS: &[&str] = &[
    "tcp dport 22",
    "tcp dport != 22",
    "tcp dport { 22, 80, 443 }",
    "tcp dport != { 22, 80 }",
    "tcp dport 1024-65535",
    "tcp dport != 1024-2047",
    "tcp dport >= 1024",
    "tcp dport < 1024",
    "tcp dport & 0xfffe == 80",
    "tcp dport & 1 != 0",
    "tcp dport $web",
    "tcp dport @ports",
    "tcp sport != @ports",
    "tcp dport @empty",
    "tcp sport 60000-65535",
    "udp dport { 53, 123, 1000-2000 }",
    "udp dport != @ports",
    "udp sport 53",
    "th dport 53",
    "th dport { 22, 53-60 }",
    "th sport != 1024-65535",
    "meta l4proto { tcp, udp } th dport 53",
    "meta l4proto . th dport { tcp . 22, udp . 53-60 }",
    "sctp dport 22-80",
    "tcp sport . tcp dport { 1024-65535 . 22, 0-1023 . 80 }",
    "@th,16,16 22",
];

const FLAGS: &[&str] = &[
    "tcp flags syn",
    "tcp flags & (fin | syn | rst | ack) == syn",
    "tcp flags & (fin | syn | rst | ack) != syn",
    "tcp flags != syn",
    "tcp flags == syn | ack",
    "tcp flags syn,ack",
    "tcp flags ! fin,rst",
    "tcp flags & (syn | fin) == (syn | fin)",
    "tcp flags { syn, syn | ack }",
    "tcp flags syn / syn,ack",
    "tcp flags & ack == 0",
    "tcp flags & (fin | psh | urg) == fin | psh | urg",
];

const STATES: &[&str] = &[
    "ct state new",
    "ct state established,related",
    "ct state { established, related }",
    "ct state != invalid",
    "ct state != { new, untracked }",
    "ct state invalid",
    "ct state untracked",
    "ct state ! new,untracked",
    "ct state @states",
    "ct state new,established",
    "ct status dnat",
    "ct status & dnat != 0",
];

const LINKS: &[&str] = &[
    "iifname \"eth0\"",
    "iifname != \"eth0\"",
    "iifname \"eth*\"",
    "iifname { \"eth0\", \"wg0\" }",
    "iifname != { \"eth0\", \"lo\" }",
    "iifname $outside",
    "iifname @links",
    "oifname \"wg0\"",
    "oifname != \"eth*\"",
    "oifname { \"eth0\", \"wg0\" }",
    "iif \"lo\"",
    "iif != \"lo\"",
    "oif \"lo\"",
    "iifname . tcp dport { \"eth0\" . 22, \"wg0\" . 1000-2000 }",
    "iifname . oifname { \"eth0\" . \"wg0\" }",
];

const OTHERS: &[&str] = &[
    "meta l4proto tcp",
    "meta l4proto != { tcp, udp }",
    "meta l4proto { icmp, ipv6-icmp }",
    "meta l4proto 1-16",
    "meta mark 0x1",
    "meta mark != 0x1",
    "meta mark & 0xf == 0x4",
    "meta mark & 0x18 != 0",
    "meta mark { 0x1, 0x14 }",
    "meta mark 0x1-0x14",
    "meta protocol ip",
    "meta nfproto ipv6",
    "limit rate 5/minute",
];

const ICMP: &[&str] = &[
    "icmp type echo-request",
    "icmp type != echo-request",
    "icmp type { echo-reply, destination-unreachable, 9-12 }",
    "icmp type destination-unreachable icmp code 1",
    "icmp type . icmp code { 3 . 1, 8 . 0 }",
    "icmp code 0",
];

const ICMPV6: &[&str] = &[
    "icmpv6 type echo-request",
    "icmpv6 type != { 133-137 }",
    "icmpv6 type { nd-neighbor-solicit, nd-router-advert }",
    "icmpv6 code 1",
];

const FIBS: &[&str] = &[
    "fib daddr type local",
    "fib daddr type != local",
    "fib saddr type local",
    "fib daddr type unicast",
    "fib daddr type { local, multicast }",
];

/// None to three questions.
pub(crate) fn matches(said: &Said, random: &mut Random) -> String {
    let mut asked = Vec::new();
    let n_asked = 1 + random.below(3);
    for _ in 0..n_asked {
        let list = match random.below(16) {
            0..=3 => match said.family {
                "ip" => V4,
                "ip6" => V6,
                _ => [V4, V6][random.index(2)],
            },
            4..=6 => PORTS,
            7 => FLAGS,
            8 | 9 => STATES,
            10 | 11 => LINKS,
            12 | 13 => OTHERS,
            14 => match said.family {
                "ip" => ICMP,
                "ip6" => ICMPV6,
                _ => [ICMP, ICMPV6][random.index(2)],
            },
            // Of an address that routing has not seen yet, classes are another matter: see `corners`.
            _ if random.chance(1, 2) && said.chain != "raw" => FIBS,
            _ => continue,
        };
        let one = pick(list, random);
        if fits(&asked.join(" "), one) {
            asked.push(one);
        }
    }
    asked.join(" ")
}

/// Whether two questions can be asked of one packet: nft refuses what is about two protocols.
pub(crate) fn fits(asked: &str, other: &str) -> bool {
    [
        &["tcp", "udp", "sctp", "icmp", "icmpv6"][..],
        &["ip", "ip6", "icmp", "icmpv6"],
    ]
    .iter()
    .all(|layer| {
        let of = |text: &str| {
            let about = |name: &&&str| text.split(' ').any(|word| word == **name);
            layer.iter().filter(about).copied().collect::<Vec<_>>()
        };
        let (ours, theirs) = (of(asked), of(other));
        ours.is_empty() || theirs.is_empty() || ours == theirs
    })
}
