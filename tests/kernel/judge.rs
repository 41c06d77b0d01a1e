//! Our answers against the kernel's. INVARIANT: a packet is compared only if the kernel lets it pass where there are no
//! rules, and says the same of its connection as we do; the others are counted.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Instant;

use portcullis::model::{Path, Ruleset};
use portcullis::packet::Family;

use crate::answer::ask;
use crate::corners::probes;
use crate::counters;
use crate::loading::{self, Loaded, Tool};
use crate::markers::{self, Seen};
use crate::namespace::{Namespace, Routes, USUAL};
use crate::probe::Probe;
use crate::subject::Subject;
use crate::tally::Tally;
use crate::wire;

/// Refused rules and mistakes that are printed, for one ruleset and for all.
const MAX_SHOWN: usize = 3;

/// What came of a comparison.
#[derive(Debug, Default)]
pub(crate) struct Judgement {
    pub(crate) tally: Tally,
    pub(crate) mistakes: Vec<String>,
    /// Rules that were left out on both sides.
    refused: Vec<String>,
}

/// Judges rulesets one after the other and says what came of it. Panics if a definite answer is wrong.
pub(crate) fn judge_all(what: &str, subjects: Vec<Subject>, n_packets: usize) {
    assert!(!subjects.is_empty());
    let (mut sum, mut mistakes) = (Tally::default(), Vec::new());
    let (mut n_judged, mut n_left_out) = (0, 0);
    for subject in subjects {
        let begun = Instant::now();
        match judge(&subject, n_packets) {
            Ok(judgement) => {
                for refused in judgement.refused.iter().take(MAX_SHOWN) {
                    println!("{subject}: the kernel refuses `{refused}`");
                }
                println!("{subject}: {}, {:.1?}", judgement.tally.shown(), begun.elapsed());
                sum.add(&judgement.tally);
                mistakes.extend(judgement.mistakes);
                n_judged += 1;
            }
            Err(why) => {
                println!("{subject}: left out: {why}");
                n_left_out += 1;
            }
        }
    }
    crate::say::say(&format!(
        "kernel: {what}: {n_judged} rulesets, {n_left_out} left out: {}",
        sum.shown()
    ));
    let shown = mistakes
        .iter()
        .take(8 * MAX_SHOWN)
        .cloned()
        .collect::<Vec<_>>()
        .join("\n");
    assert!(
        mistakes.is_empty(),
        "{} answers are not the kernel's:\n{shown}",
        mistakes.len()
    );
    assert!(
        n_judged > 0 && sum.unfit < sum.compared / 4,
        "too little could be compared"
    );
}

/// Sends packets through one ruleset. An error is why it cannot be judged.
pub(crate) fn judge(subject: &Subject, n_packets: usize) -> Result<Judgement, String> {
    let (rulesets, families) = subject.read()?;
    let mut judgement = Judgement::default();
    for family in families {
        let of_family = judge_family(subject, &rulesets, family, n_packets)?;
        judgement.tally.add(&of_family.tally);
        judgement.mistakes.extend(of_family.mistakes);
        judgement.refused.extend(of_family.refused);
    }
    Ok(judgement)
}

fn judge_family(
    subject: &Subject,
    rulesets: &[Ruleset],
    family: Family,
    n_packets: usize,
) -> Result<Judgement, String> {
    let probes = probes(rulesets, family, n_packets, 1);
    // A namespace belongs to a thread and is gone with it.
    let asked = std::thread::scope(|scope| scope.spawn(|| Kernel::ask(subject, family, &probes)).join());
    let kernel = asked.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
    let text = if subject.loaded.is_some() {
        &subject.text
    } else {
        &kernel.loaded.text
    };
    let mut taken = subject.clone();
    taken.text.clone_from(text);
    taken.sets.clone_from(&kernel.sets);
    let answers = ask(&taken.files(), &probes);
    let mut judgement = Judgement::default();
    judgement.tally.refused_rules = kernel.loaded.refused.len();
    judgement.refused.clone_from(&kernel.loaded.refused);
    let mut decided: BTreeMap<usize, u64> = BTreeMap::new();
    for (at, (probe, answer)) in probes.iter().zip(&answers).enumerate() {
        if !kernel.fit.contains(&at) {
            judgement.tally.unfit += 1;
            continue;
        }
        if let (true, Some((line, _))) = (answer.verdict != "unknown", &answer.rule) {
            *decided.entry(*line).or_default() += 1;
        }
        let outcome = kernel.outcome(number(at));
        if let Some(mistake) = judgement.tally.count(answer, outcome) {
            judgement.mistakes.push(format!(
                "{subject}: the kernel says {outcome}, {mistake}: {}\n    by {:?}",
                probe.json(),
                answer.rule
            ));
        }
    }
    if let (Some(counted), None) = (&kernel.counted, &subject.loaded) {
        // Where one of several rules decides, and all alike, none is named.
        let is_exact = judgement.tally.unknown == 0 && answers.iter().all(|answer| answer.rule.is_some());
        let (n_rules, differing) = if subject.tool == Tool::Nft {
            counters::compare_nft(text, counted, &decided)
        } else {
            counters::compare(text, counted, &decided, is_exact)
        };
        judgement.tally.rules_counted = n_rules;
        judgement
            .mistakes
            .extend(differing.into_iter().map(|line| format!("{subject}: {line}")));
    }
    Ok(judgement)
}

/// The number of a packet that is the `at`th. 0 is no packet's.
fn number(at: usize) -> u16 {
    u16::try_from(at + 1).unwrap()
}

/// What the kernel did.
struct Kernel {
    loaded: Loaded,
    /// The packets that it takes as we do, and that were sent.
    fit: BTreeSet<usize>,
    seen: Seen,
    /// The ruleset with how many packets each rule met, where the tool says so.
    counted: Option<String>,
    /// The sets that it took.
    sets: Option<String>,
}

impl Kernel {
    /// Sends the packets once without and once with the ruleset.
    fn ask(subject: &Subject, family: Family, probes: &[Probe]) -> Result<Self, String> {
        let interfaces = probes.iter().flat_map(|probe| [&probe.by, &probe.out]).flatten();
        let interfaces = interfaces.cloned().chain(subject.interfaces());
        let mut space = Namespace::new(&interfaces.collect());
        markers::begin();
        Namespace::settle();
        space.route(&Routes {
            family,
            out: USUAL,
            own: BTreeSet::new(),
        });
        for packet in probes
            .iter()
            .filter(|probe| probe.state.has_past())
            .flat_map(wire::past)
        {
            space.arrive(USUAL, &packet);
        }
        let batches = batches(probes);
        send(&mut space, family, probes, &batches);
        let control = markers::read();
        let agrees = |at: &usize| {
            let state = control.accepted.get(&number(*at));
            probes
                .get(*at)
                .is_some_and(|probe| state.map(String::as_str) == Some(probe.state.word()))
        };
        let batches: Vec<Batch> = batches.into_iter().map(|batch| batch.only(&agrees)).collect();
        let text = subject.loaded.as_ref().unwrap_or(&subject.text);
        let sets = subject.sets.as_deref().map(loading::load_sets).transpose()?;
        let loaded = subject.tool.load_without_refused(text, family)?;
        markers::begin();
        send(&mut space, family, probes, &batches);
        let counted = counters::read(subject.tool, family);
        Ok(Self {
            loaded,
            fit: batches.into_iter().flat_map(|batch| batch.probes).collect(),
            seen: markers::read(),
            counted,
            sets,
        })
    }

    fn outcome(&self, number: u16) -> &'static str {
        if self.seen.accepted.contains_key(&number) {
            "accept"
        } else if self.seen.refused.contains(&number) {
            "reject"
        } else if self.seen.arrived.contains(&number) || self.loaded.text.contains("hook ingress") {
            // A device's own chains come before the first that could write it down.
            "drop"
        } else {
            "nothing"
        }
    }
}

/// Packets that take the same routes.
struct Batch {
    out: String,
    /// Addresses of the host, and addresses of others.
    own: BTreeSet<IpAddr>,
    others: BTreeSet<IpAddr>,
    probes: Vec<usize>,
}

impl Batch {
    fn new(out: &str) -> Self {
        Self {
            out: out.to_owned(),
            own: BTreeSet::new(),
            others: BTreeSet::new(),
            probes: Vec::new(),
        }
    }

    fn only(mut self, keep: &dyn Fn(&usize) -> bool) -> Self {
        self.probes.retain(keep);
        self
    }
}

/// Batches of packets of one way at most: what can be in none of them is not sent.
const MAX_BATCHES: usize = 12;

impl Batch {
    /// Takes a packet, unless what is for the host itself by its way is not by the others' ways.
    fn take(&mut self, at: usize, probe: &Probe) -> bool {
        let (own, others) = match probe.path {
            Path::Input if probe.by.as_deref() == Some("lo") => {
                (vec![probe.source, probe.destination], vec![])
            }
            Path::Input => (vec![probe.destination], vec![probe.source]),
            Path::Output => (vec![probe.source], vec![probe.destination]),
            Path::Forward => (vec![], vec![probe.source, probe.destination]),
        };
        let is_new = |address: &IpAddr| !self.others.contains(address) && !others.contains(address);
        let fits = own.iter().all(is_new) && others.iter().all(|address| !self.own.contains(address));
        if fits {
            self.own.extend(own);
            self.others.extend(others);
            self.probes.push(at);
        }
        fits
    }
}

/// The packets by the routes that they need.
fn batches(probes: &[Probe]) -> Vec<Batch> {
    let mut by_routes: BTreeMap<(Path, &str), Vec<Batch>> = BTreeMap::new();
    for (at, probe) in probes.iter().enumerate() {
        let out = probe.out.as_deref().unwrap_or(USUAL);
        let batches = by_routes.entry((probe.path, out)).or_default();
        let is_taken = batches.iter_mut().any(|batch| batch.take(at, probe));
        if !is_taken && batches.len() < MAX_BATCHES {
            let mut batch = Batch::new(out);
            batch.take(at, probe);
            batches.push(batch);
        }
    }
    by_routes.into_values().flatten().collect()
}

fn send(space: &mut Namespace, family: Family, probes: &[Probe], batches: &[Batch]) {
    for batch in batches {
        space.route(&Routes {
            family,
            out: &batch.out,
            own: batch.own.clone(),
        });
        for &at in &batch.probes {
            let probe = &probes[at];
            let bytes = wire::bytes(probe, number(at));
            match &probe.by {
                Some(interface) => space.arrive(interface, &bytes),
                None => space.leave(probe.destination, &bytes),
            }
        }
    }
    space.unroute(family);
}
