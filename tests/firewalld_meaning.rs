//! firewalld's own tests: after the same commands the chains that it lists, and those that we lower to, let the same
//! packets to the same verdicts. INVARIANT: whatever is not compared is counted and has a reason.

#![cfg(test)]

#[path = "support/firewalld/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use portcullis::dialect::Dialect;
use portcullis::dialect::firewalld::Firewalld;
use portcullis::dialect::nftables::Nftables;
use portcullis::finding::Code;
use portcullis::model::{Families, Ruleset};
use portcullis::source::SourceMap;
use support::command::{apply, options};
use support::compare::{chain, difference};
use support::state::{Object, State};

fn corpus() -> Option<PathBuf> {
    let root = std::env::var_os("PORTCULLIS_CORPUS").map(|root| Path::new(&root).join("firewalld+firewalld"));
    let found = root.filter(|root| root.is_dir());
    if found.is_none() {
        eprintln!("skipped: PORTCULLIS_CORPUS names no folder with firewalld+firewalld");
    }
    found
}

fn lowered(state: &State) -> Vec<Ruleset> {
    let mut map = SourceMap::new();
    let files: Vec<_> = state
        .files()
        .iter()
        .map(|(name, text)| map.add_text(name, text))
        .collect();
    let unit: Vec<_> = files.iter().map(|file| map.source(*file)).collect();
    Firewalld.read(&unit).rulesets
}

/// The chain as a ruleset of its own, its words as nft has them, with the chains that it leads to and the sets it asks.
fn ruleset(name: &str, listed: &str, state: &State) -> String {
    let (_, rest) = listed
        .split_once(&format!("chain {name} {{"))
        .unwrap_or(("", listed));
    let rest = rest
        .trim_end()
        .trim_end_matches('}')
        .trim_end()
        .trim_end_matches('}');
    let mut rules = rest.to_owned();
    for (from, to) in [
        ("icmp type ", "icmp "),
        ("icmpv6 type ", "icmpv6 "),
        ("icmpv6 code ", "icmpv6-code "),
        ("icmp code ", "icmp-code "),
        ("icmp {", "icmp-set {"),
    ] {
        rules = rules.replace(from, to);
    }
    for (from, to) in [
        (" icmp ", " icmp type "),
        (" icmpv6 ", " icmpv6 type "),
        ("icmpv6-code ", "icmpv6 code "),
        ("icmp-code ", "icmp code "),
        ("mark set mark", "meta mark set meta mark"),
        (" mark set 0x", " meta mark set 0x"),
        ("[[", "["),
        ("with icmp type ", "with icmp "),
        ("with icmpv6 type ", "with icmpv6 "),
    ] {
        rules = rules.replace('\n', "\n ").replace(from, to);
    }
    // m4 has doubled the brackets of `[1234::4321]:4444`.
    let lines = rules.lines().map(|line| match line.rsplit_once("]:") {
        Some((before, port)) => format!("{before}]:{}\n", port.trim_end_matches(']')),
        None => format!("{line}\n"),
    });
    let rules: String = lines.collect();
    let hook = match name.split('_').take(2).collect::<Vec<_>>()[..] {
        ["nat", "PRE" | "PREROUTING"] => "type nat hook prerouting priority -90",
        ["nat", "OUT" | "OUTPUT"] => "type nat hook output priority -90",
        ["nat", ..] => "type nat hook postrouting priority 110",
        ["mangle", ..] => "type filter hook prerouting priority -140",
        ["filter", "OUT" | "OUTPUT"] => "type filter hook output priority 10",
        ["filter", "FWD" | "FORWARD"] => "type filter hook forward priority 10",
        _ => "type filter hook input priority 10",
    };
    let targets = rules.split_whitespace().collect::<Vec<_>>();
    let mut targets: Vec<_> = targets
        .windows(2)
        .filter(|pair| matches!(pair[0], "jump" | "goto"))
        .map(|pair| format!("chain {} {{ }}\n", pair[1]))
        .collect();
    targets.sort();
    targets.dedup();
    let sets: String = state
        .objects
        .iter()
        .filter(|((folder, name), _)| *folder == "ipsets" && rules.contains(&format!("@{name}")))
        .map(|((_, name), object)| set(name, object))
        .collect();
    format!(
        "table inet firewalld {{\n{sets}{}chain {name} {{\n{rules}\n}}\nchain hooked {{\n{hook}; jump {name}\n}}\n}}\n",
        targets.concat()
    )
}

fn set(name: &str, object: &Object) -> String {
    let is_v6 = object.elements.iter().any(|element| element.contains("inet6"));
    let mut kind = if is_v6 { "ipv6_addr" } else { "ipv4_addr" }.to_owned();
    if object.attributes["type"].ends_with(",iface") {
        kind += " . ifname";
    }
    if object.attributes["type"].ends_with(",mark") {
        kind += " . mark";
    }
    let has_ports = object.attributes["type"].ends_with(",port");
    if has_ports {
        kind += " . inet_proto . inet_service";
    }
    let entries = object
        .elements
        .iter()
        .filter_map(|element| element.strip_prefix("<entry>")?.strip_suffix("</entry>"));
    let entries = entries.map(|entry| match entry.split_once(',') {
        Some((address, port)) if has_ports => {
            let (protocol, port) = port.split_once(':').unwrap_or(("tcp", port));
            format!("{address} . {protocol} . {port}")
        }
        _ => entry.replace(',', " . "),
    });
    let entries = entries.collect::<Vec<_>>().join(", ");
    let elements = if entries.is_empty() {
        String::new()
    } else {
        format!("elements = {{ {entries} }}")
    };
    format!("set {name} {{ type {kind}; flags interval; {elements} }}\n")
}

/// Lists that the corpus has in another order than m4 puts them in.
const MACROS: &[&str] = &[
    "src/tests/cli/firewall-cmd.at:1361",
    "src/tests/regression/gh366.at:5",
];

/// Chains that are not compared, with the reason.
fn left_out(place: &str, name: &str, listed: &str) -> Option<&'static str> {
    let reasons = [
        (
            MACROS.contains(&place),
            "it is the text of a macro, or the commands before it are",
        ),
        (
            name == "filter_PREROUTING",
            "packets are taken to come by the way answers go",
        ),
        (listed.contains('$'), "the text has parameters of a macro in it"),
        (
            listed.contains("fib saddr"),
            "packets are taken to come by the way answers go",
        ),
        (
            name.ends_with("_dnat"),
            "StrictForwardPorts asks for the original port, which is not modelled",
        ),
    ];
    reasons.into_iter().find(|(is_it, _)| *is_it).map(|(_, why)| why)
}

/// Everything that differs in one test file, and what was compared.
#[derive(Default)]
struct Tally {
    n_compared: usize,
    differences: Vec<String>,
    left_out: BTreeMap<String, usize>,
}

fn compare(source: &str, step: &serde_json::Value, runtime: &State, tally: &mut Tally) {
    let argument = |at: usize| step["args"][at].as_str().unwrap_or("");
    let (name, listed) = (argument(1), argument(3));
    let place = format!("{source}:{}", step["line"]);
    if let Some(why) = left_out(&place, name, listed) {
        *tally.left_out.entry(why.to_owned()).or_default() += 1;
        return;
    }
    let mut runtime = runtime.clone();
    // The `sed` that switches it on is not among the steps.
    if listed.contains("dnat jump") {
        runtime.settings.insert("StrictForwardPorts".into(), "yes".into());
    }
    let text = ruleset(name, listed, &runtime);
    let mut map = SourceMap::new();
    let file = map.add_text("listed.nft", &text);
    let theirs = Nftables.read(&[map.source(file)]);
    let unread = theirs
        .notices
        .iter()
        .find(|notice| notice.code == Code::UnreadText);
    let place = format!("{place} {name}");
    if let Some(unread) = unread {
        tally
            .differences
            .push(format!("{place}: {}\n{text}", unread.message));
        return;
    }
    let ours = lowered(&runtime);
    tally.n_compared += 1;
    let families: &[Families] = if name.starts_with("nat_") {
        &[Families::V4, Families::V6]
    } else {
        &[Families::Both]
    };
    for &families in families {
        let Some(theirs) = chain(&theirs.rulesets, families, name) else {
            continue;
        };
        let ours = chain(&ours, families, name);
        let is_there = ours.is_some();
        if let Some(difference) = difference(ours, theirs, families) {
            if !is_there && !is_in_use(name, &runtime) {
                let why = "nothing leads to the chain: its zone is not in use";
                *tally.left_out.entry(why.to_owned()).or_default() += 1;
                tally.n_compared -= 1;
                return;
            }
            tally
                .differences
                .push(format!("{place} {families:?}: {difference}"));
            return;
        }
    }
}

/// Whether packets may meet the zones that a chain is named for: `filter_FWD_internal_to_public`.
fn is_in_use(name: &str, state: &State) -> bool {
    let Some((from, to)) = name.split_once("_to_") else {
        return true;
    };
    let from = from.splitn(3, '_').nth(2).unwrap_or(from);
    [from, to].iter().all(|zone| {
        let object = state.objects.get(&("zones", (*zone).to_owned()));
        object.is_none_or(|object| {
            let mut elements = object.elements.iter();
            let binds =
                |element: &String| element.starts_with("<interface") || element.starts_with("<source");
            elements.any(binds) || *zone == state.default_zone()
        })
    })
}

#[test]
fn chains_are_what_firewalld_lists_after_the_same_commands() {
    let Some(root) = corpus() else { return };
    let bytes = std::fs::read(root.join("expected/at_steps.json")).unwrap();
    let files: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    let shipped = State::shipped(&root.join("config"));
    let mut tally = Tally::default();
    let mut not_understood: BTreeMap<String, usize> = BTreeMap::new();
    for file in files.as_array().unwrap() {
        let source = file["source"].as_str().unwrap();
        let (mut permanent, mut runtime) = (shipped.clone(), shipped.clone());
        for step in file["steps"].as_array().unwrap() {
            let argument = |at: usize| step["args"][at].as_str().unwrap_or("");
            match step["op"].as_str().unwrap() {
                "FWD_START_TEST" => (permanent, runtime) = (shipped.clone(), shipped.clone()),
                "AT_DATA" => {
                    data(&mut permanent, argument(0), argument(1));
                    // The restart that follows is not among the steps.
                    if argument(0).starts_with("./services/") {
                        data(&mut runtime, argument(0), argument(1));
                    }
                }
                "FWD_RELOAD" if matches!(argument(0), "" | "0") => runtime = permanent.clone(),
                "FWD_CHECK" if matches!(argument(1), "" | "0") => {
                    let options = options(argument(0));
                    let has = |name: &str| options.iter().any(|(known, _)| known == name);
                    if has("--runtime-to-permanent") {
                        permanent = runtime.clone();
                    }
                    if has("--reload") || has("--complete-reload") || has("--set-log-denied") {
                        runtime = permanent.clone();
                    }
                    let both = has("--set-default-zone");
                    let state = if has("--permanent") {
                        &mut permanent
                    } else {
                        &mut runtime
                    };
                    if let Err(why) = apply(state, &options) {
                        *not_understood.entry(why).or_default() += 1;
                    }
                    if both {
                        let _ = apply(&mut permanent, &options);
                    }
                }
                "NFT_LIST_RULES" if matches!(argument(2), "" | "0") => {
                    compare(source, step, &runtime, &mut tally);
                }
                _ => {}
            }
        }
    }
    for difference in &tally.differences {
        println!("{difference}");
    }
    let n_differ = tally.differences.len();
    println!(
        "{} chains that firewalld lists are compared, {n_differ} of them differ; left out: {:?}; commands not understood: {:?}",
        tally.n_compared, tally.left_out, not_understood
    );
    assert!(tally.n_compared >= 600 && n_differ == 0);
}

fn data(state: &mut State, path: &str, text: &str) {
    let mut parts = path.trim_start_matches("./").splitn(2, '/');
    let (Some(folder), Some(name)) = (parts.next(), parts.next()) else {
        return;
    };
    let kind = support::state::KINDS.iter().find(|(known, _)| *known == folder);
    if let (Some((folder, _)), Some(object)) = (kind, Object::parse(text)) {
        let name = name.trim_end_matches(".xml").to_owned();
        state.objects.insert((folder, name), object);
    }
}
