//! Real dumps and the results that others got from them, found through `PORTCULLIS_CORPUS`: without it, each test says
//! that it skipped. INVARIANT: a definite answer never contradicts a proved one; what is excepted is named here with
//! its reason.
#![cfg(test)]

#[path = "support/corpus/mod.rs"]
mod corpus;
#[path = "../benches/generate/random.rs"]
mod random;
#[path = "support/say.rs"]
mod say;

use std::collections::BTreeSet;
use std::path::PathBuf;

use corpus::matrix::Matrix;
use corpus::packet;
use corpus::probe::Corners;
use corpus::{Assumption, Dump, closure, filter, opening};
use portcullis::model::{Compiler, Decider, Hook, HostFacts, Interpreter, Path, Verdict};
use portcullis::packet::{End, MAX_PROPERTIES, OutcomeSet, Space};
use random::Random;

const SEMANTICS: &str = "diekmann+Iptables_Semantics";

/// Walks packets of the corners and of nowhere through each dump, both ways.
#[test]
fn compiled_and_interpreted_dumps_decide_alike() {
    let Some(root) = corpus::root() else { return };
    let (mut n_packets, mut n_dumps, mut n_definite) = (0, 0, 0);
    for dump in corpus::dumps(&root) {
        let begun = std::time::Instant::now();
        let (packets, definite) = agree(&dump);
        println!(
            "{}: {packets} packets, {definite} definite, {:.1?}",
            dump.path.display(),
            begun.elapsed()
        );
        n_packets += packets;
        n_definite += definite;
        n_dumps += usize::from(packets > 0);
    }
    println!("{n_packets} packets through {n_dumps} dumps decided alike, {n_definite} definitely");
    assert!(n_packets > 10_000);
}

fn agree(dump: &Dump) -> (usize, usize) {
    let rulesets = &dump.reading.rulesets;
    let facts = HostFacts::default();
    let n_rules: usize = rulesets
        .iter()
        .flat_map(|ruleset| &ruleset.chains)
        .map(|chain| chain.rules.len())
        .sum();
    let n_packets = (40_000 / n_rules.max(1)).clamp(20, 300);
    let interpreter = Interpreter::new(rulesets, &facts);
    let mut compiler = Compiler::new(rulesets, facts.clone(), Space::default());
    let corners = Corners::of(rulesets);
    let mut random = Random::new(1);
    let (mut n_compared, mut n_definite) = (0, 0);
    for path in [Path::Input, Path::Forward, Path::Output] {
        let ruling = compiler.path(path).unwrap();
        // Past the bound, a property is asked afresh each time, which only widens.
        let is_exact = compiler.n_properties() < usize::from(MAX_PROPERTIES);
        let ruling = compiler.assume_properties(ruling).unwrap();
        for _ in 0..n_packets {
            let values = corners.packet(&mut random);
            let of = |field| values.get(&field).copied().unwrap_or(0);
            let outcomes = compiler.space.outcomes_of(ruling, &of);
            let decided: BTreeSet<(Verdict, Option<Decider>)> = outcomes
                .outcomes
                .iter()
                .map(|outcome| (verdict(outcome.end), compiler.decider(outcome.cause)))
                .collect();
            let answer = interpreter.run(path, packet::interpreted(&values));
            if answer.gave_up {
                continue;
            }
            n_compared += 1;
            n_definite += usize::from(answer.verdict().is_some());
            let alike = if is_exact && !outcomes.is_truncated() {
                decided == answer.verdicts
            } else {
                let kinds: BTreeSet<_> = decided.iter().map(|verdict| verdict.0).collect();
                answer.verdicts.iter().all(|verdict| kinds.contains(&verdict.0))
            };
            assert!(
                alike,
                "{}, {path:?}: {}\ncompiled {}\ninterpreted {}",
                dump.path.display(),
                packet::words(&values),
                deciders(dump, &compiler, &decided),
                deciders(dump, &compiler, &answer.verdicts)
            );
        }
    }
    (n_compared, n_definite)
}

fn verdict(end: End) -> Verdict {
    match end {
        End::Accept => Verdict::Accept,
        End::Drop => Verdict::Drop,
        End::Reject => Verdict::Reject,
        other => panic!("{other:?} at the end of a path"),
    }
}

fn deciders(dump: &Dump, compiler: &Compiler<'_>, of: &BTreeSet<(Verdict, Option<Decider>)>) -> String {
    let place = |(verdict, decider): &(Verdict, Option<Decider>)| {
        let rule = decider.and_then(|decider| compiler.rule(decider));
        match rule {
            Some(rule) => format!("{verdict:?} by {}", dump.sources.text(rule.span)),
            None => format!("{verdict:?} by {decider:?}"),
        }
    };
    of.iter().map(place).collect::<Vec<_>>().join("; ")
}

/// Machine-checked: from where to where a connection to one port can be opened.
#[test]
fn pairs_outside_of_a_service_matrix_are_surely_closed() {
    let Some(root) = corpus::root() else { return };
    let folder = root.join(SEMANTICS);
    let text = std::fs::read_to_string(folder.join("expected/service_matrices.json")).unwrap();
    let mut mistakes = Vec::new();
    for matrix in Matrix::all(&text) {
        assert!(matrix.is_partition(), "{}", matrix.name());
        let Some(dump) = matrix.dump(&folder) else {
            say::say(&format!(
                "skipped: {}: its ruleset is not in the corpus",
                matrix.name()
            ));
            continue;
        };
        let outcome = matrix.check(&dump);
        println!(
            "{}: {} pairs closed, {} open",
            matrix.name(),
            outcome.closed,
            outcome.open
        );
        mistakes.extend(
            outcome
                .mistakes
                .into_iter()
                .map(|mistake| format!("{}: {mistake}", matrix.name())),
        );
    }
    assert!(mistakes.is_empty(), "{}", mistakes.join("\n"));
}

/// Machine-checked: what a chain accepts at least and at most.
#[test]
fn acceptance_lies_between_the_closures() {
    let Some(root) = corpus::root() else { return };
    let folder = root
        .join(SEMANTICS)
        .join("thy/Iptables_Semantics/Examples/IPPartEval");
    let mut mistakes = Vec::new();
    for (dump, list, hook) in CLOSURES {
        let dump = Dump::read(&folder.join(dump));
        let (mut compiler, ruling) = filter(&dump.reading.rulesets, *hook);
        let space = &mut compiler.space;
        let packets = opening(space, &assumed(&root, list));
        let chain = if *hook == Hook::Input { "INPUT" } else { "FORWARD" };
        let accepted = |which: &str, space: &mut Space| {
            let path: PathBuf = folder.join(format!("{list}.{which}"));
            closure::accepted(space, &std::fs::read_to_string(&path).unwrap(), chain)
        };
        let lower = accepted("lower", space);
        let upper = accepted("upper", space);
        let surely = space
            .packets_within(packets, ruling, &OutcomeSet::surely_accepts)
            .unwrap();
        let possibly = space
            .packets_within(packets, ruling, &OutcomeSet::possibly_accepts)
            .unwrap();
        let at_least = space.intersection(packets, lower).unwrap();
        let lost = space.difference(at_least, surely).unwrap();
        let gained = space.difference(possibly, upper).unwrap();
        println!(
            "{list}: lower {} surely, possibly {} upper",
            lost.is_empty(),
            gained.is_empty()
        );
        for (set, what) in [
            (lost, "accepted by the lower closure, not surely by us"),
            (gained, "possibly accepted by us, not by the upper closure"),
        ] {
            if let Some(witness) = space.witness(set) {
                mistakes.push(format!("{list}: {what}: {witness:?}"));
            }
        }
    }
    assert!(mistakes.is_empty(), "{}", mistakes.join("\n"));
}

/// Dump, its lists, and the chain that they are of.
const CLOSURES: &[(&str, &str, Hook)] = &[
    (
        "TUM_Net/iptables_20.10.2013",
        "TUM_Net/iptables_20.10.2013.Ln.FWD",
        Hook::Forward,
    ),
    (
        "TUM_Net/iptables_25.07.2014",
        "TUM_Net/iptables_25.07.2014.Ln.FWD",
        Hook::Forward,
    ),
    (
        "TUM_Net/iptables-save-2015-05-15_15-23-41",
        "TUM_Net/iptables-save-2015-05-15_15-23-41.Ln.FWD",
        Hook::Forward,
    ),
    (
        "TUM_Net/iptables-save-2015-09-03_15-56-50",
        "TUM_Net/iptables-save-2015-09-03_15-56-50.Ln.FWD",
        Hook::Forward,
    ),
    (
        "sargon/iptables-save.txt",
        "sargon/iptables-save.txt.Ln.INP",
        Hook::Input,
    ),
    (
        "config_random_srv/iptables-save",
        "config_random_srv/iptables.INP.Ln",
        Hook::Input,
    ),
    (
        "configs_sqrl_shorewall/2014_sep_iptables-saveakachan",
        "configs_sqrl_shorewall/2014_sep_iptables-saveakachan.Ln.FWD",
        Hook::Forward,
    ),
    (
        "configs_sqrl_shorewall/2015_aug_iptables-save-spoofing-protection",
        "configs_sqrl_shorewall/2015_aug_iptables-save-spoofing-protection.Ln.INP",
        Hook::Input,
    ),
    (
        "configs_sqrl_shorewall/2015_aug_iptables-save-spoofing-protection",
        "configs_sqrl_shorewall/2015_aug_iptables-save-spoofing-protection.Ln.FWD",
        Hook::Forward,
    ),
    (
        "gopherproxy.meulie.net/iptables-save",
        "gopherproxy.meulie.net/iptables-save.Ln.INP",
        Hook::Input,
    ),
    (
        "config_home_user/typical_home_user_iptables-save",
        "config_home_user/typical_home_user.Ln.FWD",
        Hook::Forward,
    ),
    (
        "configs_synology_diskstation_ds414/iptables-save_jun_2015_legacyifacerules",
        "configs_synology_diskstation_ds414/iptables-save_jun_2015_legacyifacerules.Ln.INP",
        Hook::Input,
    ),
    (
        "rlworkman.net/iptables-save",
        "rlworkman.net/iptables-save.Ln.INP",
        Hook::Input,
    ),
];

/// Which addresses the authors took to be behind which interface.
fn assumed(root: &std::path::Path, list: &str) -> Assumption {
    let assigned = match list {
        // The one list of its site for which it matters that the authors rewrote interfaces by this file.
        "TUM_Net/iptables-save-2015-09-03_15-56-50.Ln.FWD" => {
            let file = root.join(SEMANTICS).join("haskell_tool/ipassmt_tumi8");
            std::fs::read_to_string(file).unwrap()
        }
        // Its assignment is not in the corpus. The lists show it: each `eth0.N` of the dump stands there as
        // 192.168.N.0/24, and `eth1` as all that is not private.
        "config_home_user/typical_home_user.Ln.FWD" => {
            let networks = (10..=24).map(|n| format!("eth0.{n} = [192.168.{n}.0/24]\n"));
            networks.collect::<String>()
                + "eth1 = all_but_those_ips [192.168.0.0/16, 172.16.0.0/12, 10.0.0.0/8]"
        }
        // Likewise: the list accepts from 192.168.13.0/24 what the dump accepts by `eth0` from there, and drops from
        // private addresses what the dump drops by `ppp0`, the only other interface.
        "rlworkman.net/iptables-save.Ln.INP" => "eth0 = [192.168.13.0/24]\n\
            ppp0 = all_but_those_ips [192.168.0.0/16, 172.16.0.0/12, 10.0.0.0/8]"
            .to_owned(),
        _ => String::new(),
    };
    Assumption {
        assigned: corpus::assignment(&assigned),
        is_closed: list.starts_with("rlworkman"),
    }
}
