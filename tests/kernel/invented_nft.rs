//! Rulesets of nft that nobody would write: a seed to tables of all families with sets, maps, masks and several base chains
//! on a hook. INVARIANT: the same seed gives the same bytes, each rule has a line of its own, and user chains lead to later
//! ones only.

use std::fmt::Write as _;

use crate::invented_match::{Said, fits, matches};
use crate::random::Random;
use crate::ruleset::pick;

/// A ruleset of a seed.
pub(crate) fn ruleset(seed: u64) -> String {
    let mut random = Random::new(seed);
    let mut text = String::from("flush ruleset\ndefine admins = { 10.1.2.0/24, 192.0.2.7 }\n");
    text.push_str("define web = { 80, 443, 8080-8090 }\ndefine outside = { \"eth0\", \"ppp*\" }\n");
    let n_tables = 1 + random.below(3);
    for at in 0..n_tables {
        let family = pick(&["inet", "inet", "ip", "ip6"], &mut random);
        let is_filter = at == 0 || random.chance(1, 2);
        table(&mut text, &format!("t{at}"), family, is_filter, &mut random);
    }
    text
}

/// Chains of users, in each table.
const CHAINS: [&str; 3] = ["alpha", "beta", "gamma"];

const FILTER_HOOKS: &[&str] = &["input", "forward", "output"];
const EARLY_HOOKS: &[&str] = &["prerouting", "input", "forward", "output", "postrouting"];

/// Priorities, so few that some are equal.
const FILTER_PRIORITIES: &[&str] = &["filter", "filter", "filter - 5", "10", "security"];
const EARLY_PRIORITIES: &[&str] = &["mangle", "mangle", "-155", "filter - 1", "raw + 150"];

const V4_SETS: &str = "
  set hosts4 { type ipv4_addr; elements = { 10.1.2.3, 10.1.2.4, 192.0.2.7 }; }
  set nets4 { type ipv4_addr; flags interval; elements = { 10.0.0.0/9, 172.16.0.0-172.16.3.7, 192.0.2.128/25 }; }
  set merged4 { type ipv4_addr; flags interval; auto-merge; elements = { 10.1.0.0/16, 10.1.2.0/24, 10.2.0.0/16 }; }
  set pairs4 { type ipv4_addr . inet_service; flags interval; elements = { 10.1.0.0/16 . 22-80, 192.0.2.0/24 . 443, 10.1.2.3 . 0-1023 }; }
  map verdicts4 { type ipv4_addr : verdict; flags interval; elements = { 10.1.0.0/16 : accept, 192.0.2.0/25 : drop, 172.16.0.1 : goto gamma }; }
  map marks4 { type ipv4_addr : mark; elements = { 10.1.2.3 : 0x1, 192.0.2.7 : 0x14 }; }
";
const V6_SETS: &str = "
  set hosts6 { type ipv6_addr; elements = { fd00:1::3, 2001:db8::5 }; }
  set nets6 { type ipv6_addr; flags interval; elements = { fd00::/16, 2001:db8:1::-2001:db8:1:ffff::7 }; }
  map verdicts6 { type ipv6_addr . inet_proto : verdict; elements = { fd00:1::3 . tcp : accept, 2001:db8::5 . udp : drop }; }
";
const SETS: &str = "
  set ports { type inet_service; flags interval; elements = { 22, 80-90, 60000-65535 }; }
  set states { type ct_state; elements = { new, established }; }
  set links { type ifname; elements = { \"eth0\", \"wg0\" }; }
  set empty { type inet_service; }
  map services { type inet_service : verdict; flags interval; elements = { 22 : jump gamma, 53-60 : drop, 80 : accept, 443 : return }; }
";

fn table(text: &mut String, name: &str, family: &'static str, is_filter: bool, random: &mut Random) {
    let _ = writeln!(text, "table {family} {name} {{{SETS}");
    text.push_str(if family == "ip6" { "" } else { V4_SETS });
    text.push_str(if family == "ip" { "" } else { V6_SETS });
    for at in (0..CHAINS.len()).rev() {
        let _ = writeln!(text, "  chain {} {{", CHAINS[at]);
        rules(
            text,
            &scope(family, is_filter, CHAINS[at]),
            &CHAINS[at + 1..],
            3,
            random,
        );
        text.push_str("  }\n");
    }
    let (hooks, priorities) = if is_filter {
        (FILTER_HOOKS, FILTER_PRIORITIES)
    } else {
        (EARLY_HOOKS, EARLY_PRIORITIES)
    };
    for hook in hooks {
        for at in 0..random.below(3).max(1) {
            let priority = pick(priorities, random);
            let policy = if is_filter {
                pick(&["accept", "drop"], random)
            } else {
                "accept"
            };
            let _ = writeln!(
                text,
                "  chain {hook}{at} {{\n    type filter hook {hook} priority {priority}; policy {policy};"
            );
            rules(text, &scope(family, is_filter, hook), &CHAINS, 8, random);
            text.push_str("  }\n");
        }
    }
    if !is_filter && random.chance(1, 2) {
        untracking(text, family, random);
    }
    if random.chance(1, 3) {
        translation(text, family, random);
    }
    text.push_str("}\n");
}

fn scope(family: &'static str, is_filter: bool, chain: &'static str) -> Said {
    Said {
        family,
        is_filter,
        chain,
    }
}

fn rules(text: &mut String, said: &Said, later: &[&str], most: u32, random: &mut Random) {
    for _ in 0..random.below(most + 1) {
        let asked = matches(said, random);
        let counted = pick(&["", "", " counter", " log prefix \"accept \""], random);
        let done = if !later.is_empty() && random.chance(1, 4) {
            let chain = later[random.index(later.len())];
            format!("{} {chain}", pick(&["jump", "jump", "goto"], random))
        } else if random.chance(1, 5) {
            format!(
                "{} {}",
                mark(said, random),
                pick(&["", "", "accept", "return"], random)
            )
        } else if random.chance(1, 6) {
            let map = verdict_map(said, later.contains(&"gamma"), random);
            if fits(&asked, map) { map } else { "accept" }.to_owned()
        } else if said.is_filter {
            // What says its family otherwise already takes no reject of both.
            let is_of_both = said.family == "inet" && asked.starts_with("tcp");
            let icmpx = ["reject", "reject with icmpx admin-prohibited"][usize::from(is_of_both)];
            let verdicts = [
                "accept", "accept", "drop", "drop", "return", "continue", "reject", icmpx,
            ];
            verdicts[random.index(verdicts.len())].to_owned()
        } else {
            pick(&["accept", "drop", "return", "continue"], random).to_owned()
        };
        let _ = writeln!(text, "    {asked}{counted} {done}");
    }
}

fn mark(said: &Said, random: &mut Random) -> &'static str {
    if said.family == "ip" && random.chance(1, 4) {
        return "meta mark set ip saddr map @marks4";
    }
    pick(
        &[
            "meta mark set 0x1",
            "meta mark set 0x14",
            "meta mark set meta mark | 0x8",
            "meta mark set meta mark & 0xf",
            "meta mark set meta mark ^ 0x1",
            "meta mark set meta mark & 0xffffff00 | 0x10",
            "ct mark set 0x7",
        ],
        random,
    )
}

fn verdict_map(said: &Said, has_gamma: bool, random: &mut Random) -> &'static str {
    let general = [
        "ct state vmap { new : accept, established : drop, invalid : continue }",
        "meta l4proto vmap { tcp : accept, udp : drop, 47 : return }",
        "iifname vmap { \"eth0\" : accept, \"wg*\" : drop }",
        "udp dport vmap { 53 : accept, 1024-2047 : drop }",
        "meta mark vmap { 0x1 : drop, 0x14 : accept }",
        "icmp type vmap { echo-request : accept, destination-unreachable : drop }",
        "icmpv6 type vmap { echo-request : accept, nd-neighbor-solicit : drop }",
    ];
    let gamma = ["tcp dport vmap @services", "th dport vmap @services"];
    let v4 = ["ip saddr vmap @verdicts4", "ip daddr vmap @verdicts4"];
    let v6 = ["ip6 saddr . meta l4proto vmap @verdicts6"];
    match random.below(4) {
        0 if has_gamma => pick(&gamma, random),
        1 if said.family != "ip6" && has_gamma => pick(&v4, random),
        2 if said.family != "ip" => pick(&v6, random),
        _ => pick(&general, random),
    }
}

fn untracking(text: &mut String, family: &'static str, random: &mut Random) {
    for hook in ["prerouting", "output"] {
        let _ = writeln!(
            text,
            "  chain raw_{hook} {{\n    type filter hook {hook} priority raw;"
        );
        for _ in 0..random.below(3) {
            let asked = matches(&scope(family, false, "raw"), random);
            let _ = writeln!(
                text,
                "    {asked} {}",
                pick(&["notrack", "notrack", "accept", "drop"], random)
            );
        }
        text.push_str("  }\n");
    }
}

fn translation(text: &mut String, family: &'static str, random: &mut Random) {
    let to = match family {
        "ip" => &[
            "dnat to 10.1.2.3:80",
            "redirect to :8080",
            "dnat to 10.1.2.3",
            "accept",
            "return",
        ],
        "ip6" => &[
            "dnat to [fd00:1::3]:80",
            "redirect to :8080",
            "dnat to fd00:1::3",
            "accept",
            "return",
        ],
        _ => &[
            "dnat ip to 10.1.2.3:80",
            "redirect to :8080",
            "dnat ip6 to [fd00:1::3]:80",
            "accept",
            "return",
        ],
    };
    text.push_str("  chain nat {\n    type nat hook prerouting priority dstnat;\n");
    for _ in 0..random.below(4) {
        let done = pick(to, random);
        let port = pick(&["22", "80", "8080-8090", "1024-65535"], random);
        let nfproto = match done.split_whitespace().nth(1) {
            Some("ip") => "meta nfproto ipv4 ",
            Some("ip6") => "meta nfproto ipv6 ",
            _ => "",
        };
        let by = pick(&["", "", "iifname \"eth0\" ", "iifname != \"wg0\" "], random);
        let _ = writeln!(text, "    {nfproto}{by}tcp dport {port} {done}");
    }
    text.push_str("  }\n");
}
