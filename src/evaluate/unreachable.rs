//! Chains that no packet comes to: no hook leads to them, or all that their jumps match is decided before.
//!
//! INVARIANT: a chain that some rule may lead to of which nothing is known is never called unreachable.

use std::collections::{BTreeMap, BTreeSet};

use super::shadow::asks_nothing;
use crate::finding::{Code, Finding, Label};
use crate::model::{Action, Chain, ChainId, Compiler, Decider, Ruleset, is_generated};
use crate::packet::OverBudget;
use crate::source::Span;

/// A chain, by its ruleset.
pub(super) type Place = (usize, ChainId);

/// Jumps of which is asked whether any packet comes to them, in all rulesets of one host: each costs what the rules before
/// it cost to compile.
const MAX_ASKED: usize = 64;

/// Chains that ufw keeps for settings that may be off (`ufw-init`).
const KEPT_BY_UFW: &[&str] = &["ufw-", "ufw6-"];

/// Tables in which `OpenWrt` and firewalld make chains for all zones, used or not.
const KEPT_TABLES: &[&str] = &["inet fw4/", "inet firewalld/"];

/// Who leads to a chain: the chain and the number of the rule.
type Callers = BTreeMap<Place, Vec<(ChainId, usize)>>;

/// Finds the chains that no hook leads to.
pub(super) fn uncalled(rulesets: &[Ruleset], findings: &mut Vec<Finding>) {
    // A chain that is read once for each family is one text.
    let mut seen = spans(rulesets, &called(rulesets));
    for (_, chain) in all_chains(rulesets) {
        if is_worth_saying(chain) && seen.insert(chain.span) {
            findings.push(uncalled_finding(chain));
        }
    }
}

/// Finds the chains whose jumps all match what is decided before. `alive` are the rules that decide some packet. Gives the
/// chains whose rules need no finding of their own.
pub(super) fn shadowed(
    compiler: &mut Compiler<'_>,
    alive: &BTreeSet<Decider>,
    findings: &mut Vec<Finding>,
) -> Result<BTreeSet<Place>, OverBudget> {
    let rulesets = compiler.rulesets();
    let called = called(rulesets);
    let dead = dead_jumps(compiler, &called, alive)?;
    let live: BTreeSet<Place> = called
        .into_iter()
        .filter(|place| !dead.contains_key(place))
        .collect();
    // Where several chains stand for one text and some of them live, it is the rules that nothing reaches.
    let alive_texts = spans(rulesets, &live);
    let mut said = BTreeSet::new();
    let mut silent = BTreeSet::new();
    for (&place, jump) in &dead {
        let Some(chain) = chain_at(rulesets, place) else {
            continue;
        };
        if !is_worth_saying(chain) {
            silent.insert(place);
        } else if !alive_texts.contains(&chain.span) {
            silent.insert(place);
            if said.insert(chain.span) {
                findings.push(shadowed_finding(chain, *jump));
            }
        }
    }
    Ok(silent)
}

/// The declarations of chains.
fn spans(rulesets: &[Ruleset], places: &BTreeSet<Place>) -> BTreeSet<Span> {
    let chains = places.iter().filter_map(|&place| chain_at(rulesets, place));
    chains.map(|chain| chain.span).collect()
}

fn all_chains(rulesets: &[Ruleset]) -> impl Iterator<Item = (Place, &Chain)> {
    rulesets.iter().enumerate().flat_map(|(at, ruleset)| {
        let chains = (0u32..).map(ChainId).zip(&ruleset.chains);
        chains.map(move |(id, chain)| ((at, id), chain))
    })
}

fn chain_at(rulesets: &[Ruleset], (at, id): Place) -> Option<&Chain> {
    rulesets.get(at)?.chains.get(id.0 as usize)
}

/// Whether it matters that nothing comes to a chain: it has rules, a name of its own, and no program keeps it.
pub(super) fn is_worth_saying(chain: &Chain) -> bool {
    let name = chain.path.rsplit('/').next().unwrap_or_default();
    let is_kept = KEPT_BY_UFW.iter().any(|prefix| name.starts_with(prefix))
        || KEPT_TABLES.iter().any(|table| chain.path.starts_with(table));
    !chain.rules.is_empty() && !name.starts_with('(') && !is_kept && !is_generated(&chain.path)
}

/// The chains that some base chain leads to; all, where a rule may lead anywhere.
fn called(rulesets: &[Ruleset]) -> BTreeSet<Place> {
    let mut called = BTreeSet::new();
    for (at, ruleset) in rulesets.iter().enumerate() {
        let mut pending: Vec<ChainId> = ruleset.bases.iter().map(|base| base.chain).collect();
        while let Some(id) = pending.pop() {
            if !called.insert((at, id)) {
                continue;
            }
            let rules = ruleset
                .chains
                .get(id.0 as usize)
                .into_iter()
                .flat_map(|chain| &chain.rules);
            for rule in rules {
                match rule.action {
                    Action::Jump(to) | Action::Goto(to) => pending.push(to),
                    _ if rule.may_lead_anywhere() => {
                        pending.extend((0u32..).map(ChainId).zip(&ruleset.chains).map(|(id, _)| id));
                        break;
                    }
                    _ => {}
                }
            }
        }
    }
    called
}

/// Chains all of whose callers are unreachable or shadowed, with the first such jump.
fn dead_jumps(
    compiler: &mut Compiler<'_>,
    called: &BTreeSet<Place>,
    alive: &BTreeSet<Decider>,
) -> Result<BTreeMap<Place, Span>, OverBudget> {
    let rulesets = compiler.rulesets();
    let callers = callers(rulesets, called);
    let quiet = quiet(rulesets, &callers, alive);
    let mut dead: BTreeMap<Place, Span> = BTreeMap::new();
    let mut to_ask = MAX_ASKED;
    // Whoever is called by a dead chain alone is dead too: again, until nothing changes.
    loop {
        let n_before = dead.len();
        for &(at, chain) in &quiet {
            let leads_anywhere = rulesets.get(at).is_some_and(may_lead_anywhere);
            if dead.contains_key(&(at, chain)) || leads_anywhere {
                continue;
            }
            let mut first = None;
            let mut is_dead = true;
            for &(caller, number) in callers.get(&(at, chain)).into_iter().flatten() {
                let rule = chain_at(rulesets, (at, caller)).and_then(|chain| chain.rules.get(number));
                first = first.or(rule.map(|rule| rule.span));
                if dead.contains_key(&(at, caller)) {
                    continue;
                }
                if rule.is_some_and(asks_nothing) {
                    // Nothing before it decides its packets: it has none.
                    is_dead = false;
                    break;
                }
                if to_ask == 0 || comes_to(compiler, (at, caller), number, &mut to_ask)? {
                    is_dead = false;
                    break;
                }
            }
            if let (true, Some(first)) = (is_dead, first) {
                dead.insert((at, chain), first);
            }
        }
        if dead.len() == n_before || to_ask == 0 {
            return Ok(dead);
        }
    }
}

fn comes_to(
    compiler: &mut Compiler<'_>,
    (at, chain): Place,
    number: usize,
    to_ask: &mut usize,
) -> Result<bool, OverBudget> {
    *to_ask -= 1;
    compiler.comes_to(at, chain, number)
}

pub(super) fn may_lead_anywhere(ruleset: &Ruleset) -> bool {
    let mut rules = ruleset.chains.iter().flat_map(|chain| &chain.rules);
    rules.any(crate::model::Rule::may_lead_anywhere)
}

fn callers(rulesets: &[Ruleset], called: &BTreeSet<Place>) -> Callers {
    let mut callers = Callers::new();
    for &(at, caller) in called {
        let rules = chain_at(rulesets, (at, caller))
            .into_iter()
            .flat_map(|chain| &chain.rules);
        for (number, rule) in rules.enumerate() {
            if let Action::Jump(to) | Action::Goto(to) = rule.action {
                callers.entry((at, to)).or_default().push((caller, number));
            }
        }
    }
    callers
}

/// The called chains that have verdicts, in them or in those that they call, none of which decides any packet: only
/// those can be unreachable. A chain without verdicts leaves no trace, and nothing is asked about it.
fn quiet(rulesets: &[Ruleset], callers: &Callers, alive: &BTreeSet<Decider>) -> Vec<Place> {
    let has = |wanted: &dyn Fn(Place, usize, &Action) -> bool| {
        let mut marked = BTreeSet::new();
        let mut pending: Vec<Place> = Vec::new();
        for (place, chain) in all_chains(rulesets) {
            let mut rules = chain.rules.iter().enumerate();
            if rules.any(|(number, rule)| wanted(place, number, &rule.action)) {
                pending.push(place);
            }
        }
        while let Some((at, chain)) = pending.pop() {
            if marked.insert((at, chain)) {
                let of = callers.get(&(at, chain)).into_iter().flatten();
                pending.extend(of.map(|&(caller, _)| (at, caller)));
            }
        }
        marked
    };
    let decides = |action: &Action| matches!(action, Action::Accept | Action::Drop | Action::Reject);
    let with_verdict = has(&|_, _, action| decides(action));
    let with_life = has(&|(ruleset, chain), rule, _| alive.contains(&Decider::Rule { ruleset, chain, rule }));
    let is_base = |&(at, chain): &Place| {
        let ruleset = rulesets.get(at);
        ruleset.is_some_and(|ruleset| ruleset.bases.iter().any(|base| base.chain == chain))
    };
    let quiet = with_verdict.difference(&with_life).copied();
    quiet
        .filter(|place| !is_base(place) && callers.contains_key(place))
        .collect()
}

fn uncalled_finding(chain: &Chain) -> Finding {
    let name = chain.path.rsplit('/').next().unwrap_or_default();
    let label = Label::new(chain.span, "no hook leads here");
    let message = format!("no packet comes to chain `{name}`: nothing jumps to it that a hook leads to");
    Finding::new(Code::UnreachableChain, message, Some(label))
        .help("jump to it where it is to take effect, or remove it")
}

fn shadowed_finding(chain: &Chain, jump: Span) -> Finding {
    let name = chain.path.rsplit('/').next().unwrap_or_default();
    let label = Label::new(chain.span, "no packet gets here undecided");
    let message = format!("no packet comes to chain `{name}`: earlier rules decide all that its jumps match");
    Finding::new(Code::UnreachableChain, message, Some(label))
        .related(Label::new(jump, "no packet comes to this jump"))
        .help("move the jump before the rules that decide its packets, or remove it with the chain")
}
