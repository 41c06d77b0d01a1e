//! The running Linux kernel as judge: rulesets are loaded in network namespaces of their own, packets sent through them,
//! and every definite answer of `trace --packets` must be what became of the packet. INVARIANT: nothing outside of the
//! namespaces is touched, and where the test cannot run it says so and passes, unless `PORTCULLIS_CI` is set.
//!
//! What makes no oracle: rules whose answer depends on earlier packets (`limit`, `recent`, `statistic`, …) and what the
//! kernel or its tools do not know; the first are unknown to us, the second are left out on both sides and counted.
#![cfg(test)]
#![cfg(target_os = "linux")]

mod answer;
mod blocks;
mod corners;
mod counters;
mod invented;
mod invented_match;
mod invented_nft;
mod invented_set;
mod judge;
mod listed;
mod loading;
mod machine;
mod markers;
mod namespace;
mod probe;
mod subject;
mod tally;
mod wire;

#[path = "../support/file.rs"]
mod file;
#[path = "../support/installed_firewalld.rs"]
mod installed_firewalld;
#[path = "../support/installed_ufw.rs"]
mod installed_ufw;
#[path = "../support/listing.rs"]
mod listing;
#[path = "../support/meaning.rs"]
mod meaning;
#[path = "../../benches/generate/mixed.rs"]
mod mixed;
#[path = "../support/program.rs"]
mod program;
#[path = "../../benches/generate/random.rs"]
mod random;
#[path = "../../benches/generate/ruleset.rs"]
mod ruleset;
#[path = "../support/say.rs"]
mod say;

use judge::{judge, judge_all};
use loading::Tool;
use portcullis::packet::Family;
use ruleset::{Shape, ruleset};
use subject::Subject;

/// Packets for each ruleset of this repository, for each that is part of a literate case, and for each of the corpus.
const N_PACKETS: usize = 1_200;
const N_PACKETS_OF_CASE: usize = 300;
const N_PACKETS_OF_CORPUS: usize = 800;

/// Configurations of ufw and of firewalld.
const N_OF_UFW: usize = 4;
const N_OF_FIREWALLD: u64 = 12;

/// Rulesets that are invented, and packets for each.
const N_INVENTED: u64 = 24;
const N_INVENTED_OF_NFT: u64 = 40;
const N_INVENTED_SETS: u64 = 24;
const N_PACKETS_OF_INVENTED: usize = 500;

#[test]
fn the_kernel_decides_as_we_say_of_the_fixtures() {
    if !machine::is_able() {
        return;
    }
    let mut subjects = Vec::new();
    for folder in ["fixtures/iptables", "fixtures/demo"] {
        for extension in ["rules", "v4", "v6"] {
            let files = listing::below(folder, extension);
            subjects.extend(
                files
                    .into_iter()
                    .map(|path| Subject::new(&path, file::text(&path))),
            );
        }
    }
    // The two filters that iptables fills do not take all rules alike.
    let tools: &[Tool] = if machine::has(Tool::IptablesLegacy) {
        &[Tool::Iptables, Tool::IptablesLegacy]
    } else {
        &[Tool::Iptables]
    };
    let by_tools = subjects
        .iter()
        .flat_map(|subject| tools.iter().map(|&tool| subject.clone().by(tool)));
    judge_all("fixtures", by_tools.collect(), N_PACKETS);
}

#[test]
fn the_kernel_decides_as_we_say_of_sets() {
    if !machine::is_able() {
        return;
    }
    let mut subjects = Vec::new();
    for path in listing::below("fixtures/ipset", "rules") {
        let sets = file::text(&path.replace("host.rules", "ipset.save"));
        let subject = Subject::new(&path, file::text(&path)).with_sets(sets);
        let tools = [Tool::Iptables, Tool::IptablesLegacy];
        let tools = tools
            .into_iter()
            .filter(|tool| *tool == Tool::Iptables || machine::has(*tool));
        subjects.extend(tools.map(|tool| subject.clone().by(tool)));
    }
    judge_all("sets", subjects, N_PACKETS);
}

#[test]
fn the_kernel_decides_as_we_say_of_invented_sets() {
    if !machine::is_able() {
        return;
    }
    let (first, last) = seeds(N_INVENTED_SETS);
    let subject = |seed| {
        let (sets, rules) = invented_set::ruleset(seed);
        Subject::new(&format!("sets invented by {seed}.rules"), rules).with_sets(sets)
    };
    judge_all(
        "invented sets",
        (first..=last).map(subject).collect(),
        N_PACKETS_OF_INVENTED,
    );
}

#[test]
fn the_kernel_decides_as_we_say_of_the_cases() {
    if !machine::is_able() {
        return;
    }
    let subjects = blocks::dumps()
        .into_iter()
        .map(|(name, text)| Subject::new(&name, text));
    judge_all("cases", subjects.collect(), N_PACKETS_OF_CASE);
}

#[test]
fn the_kernel_decides_as_we_say_of_the_fixtures_of_nft() {
    if !machine::is_able() {
        return;
    }
    let files = ["nft", "conf", "json"].map(|extension| listing::below("fixtures/nftables", extension));
    let subjects = files
        .concat()
        .into_iter()
        .map(|path| Subject::new(&path, file::text(&path)))
        .collect();
    judge_all("fixtures of nft", subjects, N_PACKETS);
}

#[test]
fn the_kernel_decides_as_we_say_of_invented_rulesets_of_nft() {
    if !machine::is_able() {
        return;
    }
    let (first, last) = seeds(N_INVENTED_OF_NFT);
    let subject = |seed| Subject::new(&format!("invented by {seed}.nft"), invented_nft::ruleset(seed));
    judge_all(
        "invented in nft",
        (first..=last).chain(ONCE_WRONG_OF_NFT).map(subject).collect(),
        N_PACKETS_OF_INVENTED,
    );
}

/// `nft list ruleset`, as text and as JSON, of what was loaded.
#[test]
fn what_nft_lists_means_what_was_loaded() {
    if !machine::is_able() {
        return;
    }
    let (first, last) = seeds(N_INVENTED_OF_NFT);
    let invented =
        (first..=last).map(|seed| (format!("invented by {seed}.nft"), invented_nft::ruleset(seed)));
    let files = ["nft", "conf"].map(|extension| listing::below("fixtures/nftables", extension));
    let files = files
        .concat()
        .into_iter()
        .map(|path| (path.clone(), file::text(&path)));
    let subjects = files
        .chain(invented)
        .map(|(name, text)| Subject::new(&name, text));
    let listed = listed::compare(subjects.collect());
    say::say(&format!(
        "kernel: {} lists of nft mean what was loaded, {} rulesets left out",
        listed.n_equal, listed.n_left_out
    ));
    assert!(listed.differing.is_empty(), "{}", listed.differing.join("\n"));
    assert!(listed.n_equal > listed.n_left_out);
}

/// Seeds of rulesets of which an answer was once wrong.
const ONCE_WRONG_OF_NFT: [u64; 1] = [3384];

/// The first and last seed: `PORTCULLIS_SEEDS=1000-1999` asks about more than each run has the time for.
fn seeds(n_usual: u64) -> (u64, u64) {
    let asked = std::env::var("PORTCULLIS_SEEDS").unwrap_or_default();
    let ends = asked
        .split_once('-')
        .and_then(|(first, last)| Some((first.parse().ok()?, last.parse().ok()?)));
    ends.unwrap_or((1, n_usual))
}

#[test]
fn the_kernel_decides_as_we_say_of_generated_rulesets() {
    if !machine::is_able() {
        return;
    }
    let mut subjects = Vec::new();
    for shape in Shape::ALL {
        for (seed, n_rules) in [(11, 12), (12, 60), (13, 250)] {
            let name = format!("{} of {n_rules}, seed {seed}", shape.name());
            subjects.push(Subject::new(&name, ruleset(shape, n_rules, seed)));
        }
    }
    judge_all("generated", subjects, N_PACKETS);
}

#[test]
fn the_kernel_decides_as_we_say_of_invented_rulesets() {
    if !machine::is_able() {
        return;
    }
    let (first, last) = seeds(N_INVENTED);
    let subject = |seed| Subject::new(&format!("invented by {seed}"), invented::ruleset(seed));
    judge_all(
        "invented",
        (first..=last).map(subject).collect(),
        N_PACKETS_OF_INVENTED,
    );
}

#[test]
fn the_kernel_decides_as_we_say_of_the_corpus() {
    if !machine::is_able() {
        return;
    }
    let Some(root) = std::env::var_os("PORTCULLIS_CORPUS") else {
        say::say("skipped: kernel: PORTCULLIS_CORPUS is not set");
        return;
    };
    judge_all("corpus", subject::dumps(root.as_ref()), N_PACKETS_OF_CORPUS);
}

/// What `ufw status` prints, with what ufw has put into the kernel: one family at a time.
#[test]
fn the_kernel_decides_as_we_say_of_what_ufw_shows() {
    if !machine::is_able() {
        return;
    }
    let mut subjects = Vec::new();
    for seed in 10..10 + N_OF_UFW {
        let Some(ufw) = installed_ufw::Installed::new(&seed.to_string()) else {
            return;
        };
        let loaded = ufw.run(&installed_ufw::commands(seed));
        for (family, dump) in Family::ALL.into_iter().zip(&loaded.dumps) {
            let name = format!("ufw, configuration {seed}, {}.txt", family.word());
            let subject = Subject::new(&name, loaded.status.clone()).of(family);
            subjects.push(subject.in_words(dump));
        }
    }
    judge_all("ufw", subjects, N_PACKETS);
}

/// Folders of firewalld's, with the rules that firewalld itself loads for them.
#[test]
fn the_kernel_decides_as_we_say_of_firewalld() {
    if !machine::is_able() || !installed_firewalld::is_able() {
        return;
    }
    let (first, last) = seeds(N_OF_FIREWALLD);
    let subject = |seed: u64| {
        let files = installed_firewalld::files(usize::try_from(seed).unwrap());
        let loaded = installed_firewalld::ruleset(&seed.to_string(), &files);
        let below = |(name, text): (String, String)| (format!("host-{seed}/etc/firewalld/{name}"), text);
        let files: Vec<_> = files.into_iter().map(below).collect();
        Subject::of_files(&files, Tool::Nft, &loaded)
    };
    judge_all(
        "firewalld",
        (first..=last).map(subject).collect(),
        N_PACKETS_OF_INVENTED,
    );
}

/// Both ways into the kernel and both of its filters decide alike, so the harness is not wrong in one of them.
#[test]
fn every_tool_gives_the_same_verdicts() {
    if !machine::is_able() {
        return;
    }
    let subject = Subject::new("two services", SERVICES.to_owned());
    let by_default = judge(&subject, N_PACKETS).unwrap();
    assert_eq!(by_default.mistakes, Vec::<String>::new());
    for tool in [Tool::IptablesLegacy, Tool::Nft] {
        if !machine::has(tool) {
            continue;
        }
        let text = if tool == Tool::Nft {
            SERVICES_IN_NFT
        } else {
            SERVICES
        };
        let verdict = judge(&subject.clone().by(tool).in_words(text), N_PACKETS).unwrap();
        assert_eq!(verdict.mistakes, Vec::<String>::new(), "{tool:?}");
        assert_eq!(verdict.tally.accepted, by_default.tally.accepted, "{tool:?}");
    }
}

/// What is compared would be seen if it differed: a port, a default verdict, and the rule that decides.
#[test]
fn a_wrong_answer_is_found() {
    if !machine::is_able() {
        return;
    }
    for (ours, theirs) in [
        ("--dport 22 -j ACCEPT", "--dport 23 -j ACCEPT"),
        (":FORWARD DROP", ":FORWARD ACCEPT"),
        ("RELATED,ESTABLISHED", "ESTABLISHED"),
        (
            "--dport 25 -j REJECT --reject-with tcp-reset",
            "--dport 25 -j ACCEPT",
        ),
    ] {
        assert!(SERVICES.contains(ours), "{ours}");
        let subject = Subject::new("two services", SERVICES.to_owned());
        let judgement = judge(&subject.in_words(&SERVICES.replace(ours, theirs)), N_PACKETS).unwrap();
        assert!(!judgement.mistakes.is_empty(), "{ours}");
    }
}

const SERVICES: &str = "*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
:services - [0:0]
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -i lo -j ACCEPT
-A INPUT -p tcp -j services
-A INPUT -s 192.0.2.0/25 -p udp -m udp --dport 53 -j ACCEPT
-A FORWARD -i eth0 -o eth1 -p tcp -m tcp --dport 1024:2047 -j ACCEPT
-A OUTPUT -d 198.51.100.0/24 -j DROP
-A services -p tcp -m tcp --dport 22 -j ACCEPT
-A services -p tcp -m tcp --dport 25 -j REJECT --reject-with tcp-reset
COMMIT
";

const SERVICES_IN_NFT: &str = "flush ruleset
table ip filter {
  chain services {
    tcp dport 22 accept
    tcp dport 25 reject with tcp reset
  }
  chain input {
    type filter hook input priority 0; policy drop;
    ct state established,related accept
    iifname lo accept
    meta l4proto tcp jump services
    ip saddr 192.0.2.0/25 udp dport 53 accept
  }
  chain forward {
    type filter hook forward priority 0; policy drop;
    iifname eth0 oifname eth1 tcp dport 1024-2047 accept
  }
  chain output {
    type filter hook output priority 0; policy accept;
    ip daddr 198.51.100.0/24 drop
  }
}
";
