//! Rulesets of the shapes that decide how fast a firewall can be analysed. INVARIANT: a ruleset of `n_rules` has
//! exactly so many `-A` lines.

use std::fmt::Write as _;

use super::mixed::mixed;
use super::random::Random;

/// What the rules of a ruleset have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// About 50 ports, and networks that lie inside each other.
    FewServices,
    /// Single hosts from two pools, and services.
    HostPools,
    /// Sources and destinations drawn evenly from all /24 networks, and any port.
    Uniform,
    /// Wide networks and wide ranges of ports that all overlap, alternately accepted and dropped.
    Overlap,
    /// The same with arbitrary ranges of addresses, which nothing nests: harder than anything that people write.
    Ranges,
    /// What a host of a cluster really has: connection tracking, user chains, services, a ban list.
    Mixed,
}

impl Shape {
    /// Every shape.
    pub(crate) const ALL: [Self; 6] = [
        Self::FewServices,
        Self::HostPools,
        Self::Uniform,
        Self::Overlap,
        Self::Ranges,
        Self::Mixed,
    ];

    /// The word for it in benchmarks and on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::FewServices => "few-services",
            Self::HostPools => "host-pools",
            Self::Uniform => "uniform",
            Self::Overlap => "overlap",
            Self::Ranges => "ranges",
            Self::Mixed => "mixed",
        }
    }
}

/// The ports of services that rulesets and policies share.
pub(crate) const SERVICES: [u16; 50] = [
    22, 25, 53, 80, 111, 123, 143, 161, 179, 389, 443, 465, 514, 587, 636, 993, 995, 1433, 1521, 2049, 2375,
    2376, 2377, 2379, 2380, 3000, 3306, 3389, 4789, 5000, 5432, 5601, 5672, 6379, 6443, 6444, 7946, 8080,
    8443, 9090, 9091, 9093, 9100, 9200, 10_250, 10_255, 11_211, 12_376, 15_672, 27_017,
];

/// The text of a ruleset of one filter table with `n_rules` rules.
pub(crate) fn ruleset(shape: Shape, n_rules: usize, seed: u64) -> String {
    let mut random = Random::new(seed);
    if shape == Shape::Mixed {
        return mixed(n_rules, &mut random);
    }
    let mut text = String::with_capacity(64 + n_rules * 100);
    text.push_str("*filter\n:INPUT DROP [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [0:0]\n");
    match shape {
        Shape::FewServices => few_services(n_rules, &mut random, &mut text),
        Shape::HostPools => host_pools(n_rules, &mut random, &mut text),
        Shape::Uniform => uniform(n_rules, &mut random, &mut text),
        Shape::Overlap => overlap(n_rules, &mut random, &mut text),
        Shape::Ranges | Shape::Mixed => ranges(n_rules, &mut random, &mut text),
    }
    text.push_str("COMMIT\n");
    text
}

/// An IPv4 address in writing.
pub(crate) fn dotted(address: u32) -> std::net::Ipv4Addr {
    std::net::Ipv4Addr::from(address)
}

/// A member of a list; the type's default if it is empty.
pub(crate) fn pick<T: Copy + Default>(list: &[T], random: &mut Random) -> T {
    list.get(random.index(list.len())).copied().unwrap_or_default()
}

/// The address with all but its first `length` bits cleared.
fn network(address: u32, length: u32) -> u32 {
    address & u32::MAX.checked_shl(32 - length).unwrap_or(0)
}

fn protocol(random: &mut Random) -> &'static str {
    if random.chance(1, 5) { "udp" } else { "tcp" }
}

fn few_services(n_rules: usize, random: &mut Random, text: &mut String) {
    let mut networks = vec![(10 << 24, 8)];
    while networks.len() < n_rules / 20 + 20 {
        let (outer, length) = pick(&networks, random);
        let inner = if length < 32 { length + 4 } else { 32 };
        let below = random.below(u32::MAX) & !u32::MAX.checked_shl(32 - length).unwrap_or(0);
        networks.push((network(outer | below, inner), inner));
    }
    let hosts: Vec<u32> = (0..30).map(|_| (10 << 24) | random.below(1 << 24)).collect();
    for _ in 0..n_rules {
        let (source, length) = pick(&networks, random);
        let protocol = protocol(random);
        let port = pick(&SERVICES, random);
        let verdict = if random.chance(3, 20) { "DROP" } else { "ACCEPT" };
        let _ = write!(text, "-A INPUT -s {}/{length} ", dotted(source));
        if random.chance(1, 3) {
            let _ = write!(text, "-d {}/32 ", dotted(pick(&hosts, random)));
        }
        let _ = writeln!(text, "-p {protocol} -m {protocol} --dport {port} -j {verdict}");
    }
}

fn host_pools(n_rules: usize, random: &mut Random, text: &mut String) {
    let size = (n_rules / 50).max(200);
    let mut pool = |base: u32| -> Vec<u32> { (0..size).map(|_| base | random.below(1 << 16)).collect() };
    let sources = pool(0x0a14_0000);
    let destinations = pool(0x0a1e_0000);
    for _ in 0..n_rules {
        let (source, destination) = (
            dotted(pick(&sources, random)),
            dotted(pick(&destinations, random)),
        );
        let protocol = protocol(random);
        let port = pick(&SERVICES, random);
        let _ = writeln!(
            text,
            "-A INPUT -s {source}/32 -d {destination}/32 -p {protocol} -m {protocol} --dport {port} -j ACCEPT"
        );
    }
}

fn uniform(n_rules: usize, random: &mut Random, text: &mut String) {
    for _ in 0..n_rules {
        let (source, destination) = (random.below(u32::MAX), random.below(u32::MAX));
        let (source, destination) = (dotted(network(source, 24)), dotted(network(destination, 24)));
        let protocol = protocol(random);
        let port = 1 + random.below(65_535);
        let verdict = if random.chance(1, 4) { "DROP" } else { "ACCEPT" };
        let _ = writeln!(
            text,
            "-A INPUT -s {source}/24 -d {destination}/24 -p {protocol} -m {protocol} --dport {port} -j {verdict}"
        );
    }
}

/// A range below `limit` with any two ends: a third of it wide on average.
fn wide(limit: u32, random: &mut Random) -> (u32, u32) {
    let (one, other) = (random.below(limit), random.below(limit));
    (one.min(other), one.max(other))
}

/// A network of up to 16 bits.
fn wide_network(random: &mut Random) -> String {
    let length = random.below(17);
    format!("{}/{length}", dotted(network(random.below(u32::MAX), length)))
}

fn overlap(n_rules: usize, random: &mut Random, text: &mut String) {
    for rule in 0..n_rules {
        let (source, destination) = (wide_network(random), wide_network(random));
        let (port, port_end) = wide(65_535, random);
        let verdict = if rule % 2 == 0 { "ACCEPT" } else { "DROP" };
        let _ = writeln!(
            text,
            "-A INPUT -s {source} -d {destination} -p tcp -m tcp --dport {port}:{port_end} -j {verdict}"
        );
    }
}

fn ranges(n_rules: usize, random: &mut Random, text: &mut String) {
    for rule in 0..n_rules {
        let (source, source_end) = wide(u32::MAX, random);
        let (destination, destination_end) = wide(u32::MAX, random);
        let (port, port_end) = wide(65_535, random);
        let verdict = if rule % 2 == 0 { "ACCEPT" } else { "DROP" };
        let _ = writeln!(
            text,
            "-A INPUT -p tcp -m iprange --src-range {}-{} --dst-range {}-{} -m tcp --dport {port}:{port_end} -j {verdict}",
            dotted(source),
            dotted(source_end),
            dotted(destination),
            dotted(destination_end),
        );
    }
}
