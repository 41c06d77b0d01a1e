//! Rules that no packet reaches, and with them the chains.

use std::collections::{BTreeMap, BTreeSet};

use super::barred::{Left, deciders};
use super::calls::{Callers, called_chains, callers, is_base, is_called_with};
use super::idle::Idle;
use super::taker::{MAX_MEASURED_OF_HOST, Takes, largest_first, taker_of_a_corner, taker_of_all};
use super::unreachable;
use crate::finding::{Code, Finding, Label};
use crate::model::{Action, ChainId, Compiler, Condition, Decider, Rule, Ruleset, is_generated};
use crate::packet::{End, OverBudget, PacketSet, Pin};

/// Deciding rules named of a shadowed rule.
pub(super) const MAX_NAMED: usize = 3;

/// Rules without a verdict of one host of which is asked with what their chains are called.
const MAX_ASKED: usize = 200;

/// Edges of the diagram followed for them.
const MAX_FOLLOWED: usize = 192;

/// Finds the rules that no packet of any base chain comes to: those with a verdict decide about none, the others are not met
/// by any. Gives those rules.
pub(super) fn findings(
    compiler: &mut Compiler<'_>,
    findings: &mut Vec<Finding>,
) -> Result<BTreeSet<Decider>, OverBudget> {
    unreachable::uncalled(compiler.rulesets(), findings);
    let Some(deciding) = Deciding::of(compiler)? else {
        return Ok(BTreeSet::new());
    };
    compiler.space.make_room();
    let unreachable = unreachable::shadowed(compiler, &deciding.alive, findings)?;
    let mut shadow = Shadow {
        callers: callers(compiler.rulesets()),
        returns: returns(compiler.rulesets()),
        idle: Idle::new(),
        to_ask: MAX_ASKED,
        takes: Takes::default(),
        to_measure: MAX_MEASURED_OF_HOST,
        deciding,
        compiler,
    };
    let mut found = BTreeSet::new();
    let (mut with_verdict, mut without) = (Vec::new(), Vec::new());
    for (_, decider) in shadow.compiler.rule_causes() {
        let Decider::Rule { ruleset, chain, .. } = decider else {
            continue;
        };
        let Some(rule) = shadow.compiler.rule(decider) else {
            continue;
        };
        let leads_nowhere = match rule.action {
            Action::Jump(to) | Action::Goto(to) => unreachable.contains(&(ruleset, to)),
            _ => false,
        };
        if unreachable.contains(&(ruleset, chain)) || leads_nowhere || asks_nothing(rule) {
            // Said of the chain, or of the set that holds nothing: whoever counts on the rule counts on nothing.
            found.insert(decider);
        } else if shadow.is_asked(decider, rule) {
            let has_verdict = matches!(rule.action, Action::Accept | Action::Drop | Action::Reject);
            let kind = if has_verdict {
                &mut with_verdict
            } else {
                &mut without
            };
            kind.push((decider, rule));
        }
    }
    // Asking whether packets come to a rule collects what is not pinned: no set may be held yet.
    for (decider, rule) in without {
        let finding = match shadow.idle.taker(shadow.compiler, decider, rule)? {
            Some(by) if by.is_empty() => {
                let by = shadow.takers(decider, rule)?;
                Some(finding(shadow.compiler, rule, &by))
            }
            Some(by) => Some(finding(shadow.compiler, rule, &by)),
            None => shadow.not_called_with(decider, rule)?,
        };
        found.extend(finding.is_some().then_some(decider));
        findings.extend(finding);
    }
    for (decider, rule) in with_verdict {
        let finding = match shadow.finding(decider, rule)? {
            None => shadow.deciding.left.finding(shadow.compiler, decider, rule)?,
            found => found,
        };
        if let Some(finding) = finding {
            findings.push(finding);
            found.insert(decider);
        }
    }
    Ok(found)
}

/// Who decides about packets.
struct Deciding {
    /// The rules that decide about some packet.
    alive: BTreeSet<Decider>,
    /// The base chains: ruleset, chains that they lead to, what their rules decide.
    bases: Vec<(usize, BTreeSet<u32>, Pin)>,
    /// What earlier base chains leave to the later ones.
    left: Left,
}

impl Deciding {
    /// `None` where it is not known any more who decides some packets: then no rule can be said to decide none.
    fn of(compiler: &mut Compiler<'_>) -> Result<Option<Self>, OverBudget> {
        let mut alive = BTreeSet::new();
        let mut bases = Vec::new();
        let mut left = Left::default();
        for (ruleset, rules) in compiler.rulesets().iter().enumerate() {
            for base in 0..rules.bases.len() {
                let ruling = compiler.by_rules(ruleset, base)?;
                let Some(deciders) = deciders(compiler, ruling) else {
                    return Ok(None);
                };
                let ruling = compiler.space.pin(ruling);
                let called = called_chains(compiler, ruleset, base);
                left.add(compiler, (ruleset, base), ruling, &deciders)?;
                alive.extend(deciders);
                bases.push((ruleset, called, ruling));
            }
        }
        Ok(Some(Self { alive, bases, left }))
    }

    /// What the base chains decide that lead to a chain.
    fn leading(&self, ruleset: usize, chain: ChainId) -> impl Iterator<Item = Pin> + '_ {
        let leads = move |(other, called, _): &&(usize, BTreeSet<u32>, Pin)| {
            *other == ruleset && called.contains(&chain.0)
        };
        self.bases.iter().filter(leads).map(|(.., pin)| *pin)
    }
}

/// What is looked up again and again for the rules of one host.
struct Shadow<'c, 'm> {
    compiler: &'c mut Compiler<'m>,
    deciding: Deciding,
    callers: Callers,
    returns: BTreeMap<(usize, ChainId), Vec<usize>>,
    idle: Idle,
    /// Rules without a verdict of which may still be asked with what their chains are called.
    to_ask: usize,
    takes: Takes,
    to_measure: usize,
}

impl<'m> Shadow<'_, 'm> {
    /// Whether it matters that no packet comes to a rule: somebody wrote it, into a chain that is called.
    fn is_asked(&self, decider: Decider, rule: &Rule) -> bool {
        let is_written = rule.span.start < rule.span.end;
        let Decider::Rule { ruleset, chain, .. } = decider else {
            return false;
        };
        let of = self.compiler.rulesets().get(ruleset);
        let is_union = of.is_some_and(|of| of.layer.is_union());
        let is_kept = match rule.action {
            Action::Jump(to) | Action::Goto(to) => of
                .and_then(|rules| rules.chains.get(to.0 as usize))
                .is_some_and(|chain| is_generated(&chain.path)),
            _ => false,
        };
        is_written && !is_union && !is_kept && self.deciding.leading(ruleset, chain).next().is_some()
    }

    /// What there is to say of a rule with a verdict, if no packet comes to it.
    fn finding(&mut self, decider: Decider, rule: &'m Rule) -> Result<Option<Finding>, OverBudget> {
        let Decider::Rule { ruleset, chain, .. } = decider else {
            return Ok(None);
        };
        if self.deciding.alive.contains(&decider) {
            return Ok(None);
        }
        let mut leading = self.deciding.leading(ruleset, chain);
        if let (Some(only), None) = (leading.next(), leading.next())
            && let Some(all) = taker_of_a_corner(self.compiler, &mut self.takes, only, decider)
        {
            return Ok(Some(finding(self.compiler, rule, &[all])));
        }
        drop(leading);
        self.general(decider, rule)
    }

    /// The same of a rule with a verdict that decides about no packet.
    fn general(&mut self, decider: Decider, rule: &'m Rule) -> Result<Option<Finding>, OverBudget> {
        let Decider::Rule { ruleset, chain, .. } = decider else {
            return Ok(None);
        };
        let reach = self.compiler.reach(rule)?;
        if reach.is_empty() {
            return Ok(Some(contradiction(rule)));
        }
        if !is_called_with(self.compiler, &self.callers, (ruleset, chain), reach)? {
            return Ok(self.left_out((ruleset, chain), rule));
        }
        let mut by = self.met(decider, reach);
        if is_echo(self.compiler, rule, decider, &by) {
            return Ok(None);
        }
        self.add_returns(decider, &mut by);
        let by: Vec<Decider> = match taker_of_all(self.compiler, &mut self.takes, reach, decider, &by)? {
            Some(all) => vec![all],
            None => largest_first(self.compiler, reach, decider, &by, &mut self.to_measure)?,
        };
        Ok(Some(finding(self.compiler, rule, &by)))
    }

    /// The rules that take the packets of a rule without a verdict between them, as far as they are known.
    fn takers(&mut self, decider: Decider, rule: &'m Rule) -> Result<Vec<Decider>, OverBudget> {
        let reach = self.compiler.reach(rule)?;
        let mut by = self.met(decider, reach);
        self.add_returns(decider, &mut by);
        largest_first(self.compiler, reach, decider, &by, &mut self.to_measure)
    }

    /// What there is to say of a rule without a verdict, if its chain is not called with any of its packets.
    fn not_called_with(&mut self, decider: Decider, rule: &'m Rule) -> Result<Option<Finding>, OverBudget> {
        let Decider::Rule { ruleset, chain, .. } = decider else {
            return Ok(None);
        };
        if self.to_ask == 0 || is_base(self.compiler.rulesets(), ruleset, chain) {
            return Ok(None);
        }
        self.to_ask -= 1;
        let reach = self.compiler.reach(rule)?;
        let is_called = is_called_with(self.compiler, &self.callers, (ruleset, chain), reach)?;
        Ok(if is_called {
            None
        } else {
            self.left_out((ruleset, chain), rule)
        })
    }

    /// Who else decides packets of a set, and how often that was seen.
    fn met(&self, decider: Decider, reach: PacketSet) -> BTreeMap<Decider, usize> {
        let mut by: BTreeMap<Decider, usize> = BTreeMap::new();
        let Decider::Rule { ruleset, chain, .. } = decider else {
            return by;
        };
        for pin in self.deciding.leading(ruleset, chain) {
            let space = &self.compiler.space;
            for set in space.some_terminals_within(reach, space.pinned(pin), MAX_FOLLOWED) {
                let ended = set.outcomes.iter().filter(|outcome| outcome.end != End::Fall);
                for decider in ended.filter_map(|outcome| self.compiler.decider(outcome.cause)) {
                    *by.entry(decider).or_default() += 1;
                }
            }
        }
        by.remove(&decider);
        by
    }

    /// Adds the rules of the same chain that send packets back before they come to a rule.
    fn add_returns(&self, decider: Decider, by: &mut BTreeMap<Decider, usize>) {
        let Decider::Rule {
            ruleset,
            chain,
            rule: number,
        } = decider
        else {
            return;
        };
        let earlier = self.returns.get(&(ruleset, chain)).into_iter().flatten();
        for &rule in earlier.filter(|&&earlier| earlier < number) {
            let returning = Decider::Rule { ruleset, chain, rule };
            by.entry(returning).or_default();
        }
    }

    /// Whoever calls the chain of a rule leaves its packets out.
    fn left_out(&self, (at, chain): (usize, ChainId), rule: &Rule) -> Option<Finding> {
        let rules = self.compiler.rulesets().get(at)?;
        let is_said = unreachable::is_worth_saying(rules.chains.get(chain.0 as usize)?);
        if !is_said || unreachable::may_lead_anywhere(rules) {
            return None;
        }
        let label = Label::new(rule.span, "no packet that it matches comes to its chain");
        let mut finding = Finding::new(
            Code::ShadowedRule,
            "this rule never decides anything",
            Some(label),
        );
        for &(caller, number) in self
            .callers
            .get(&(at, chain))
            .into_iter()
            .flatten()
            .take(MAX_NAMED)
        {
            let of = rules.chains.get(caller.0 as usize);
            if let Some(jump) = of.and_then(|chain| chain.rules.get(number)) {
                if asks_nothing(jump) {
                    // Whatever is wrong is said of that.
                    return None;
                }
                finding = finding.related(Label::new(jump.span, "sends other packets there"));
            }
        }
        Some(finding.help("remove the rule, or widen what is sent to its chain"))
    }
}

/// Whether a rule asks for elements of a set that has none, or for what packets are taken not to have.
pub(super) fn asks_nothing(rule: &Rule) -> bool {
    fn asks(condition: &Condition) -> bool {
        match condition {
            Condition::All(parts) => parts.iter().any(asks),
            _ => condition.is_never_met(),
        }
    }
    rule.matches.iter().any(|one| asks(&one.condition))
}

/// Whether a rule is merely said again, by or after a program that keeps its own chains: kube-proxy and Docker both
/// accept established connections, and neither knows of the other.
fn is_echo(compiler: &Compiler<'_>, rule: &Rule, shadowed: Decider, by: &BTreeMap<Decider, usize>) -> bool {
    let is_generated = |decider: &Decider| {
        let Decider::Rule { ruleset, chain, .. } = decider else {
            return false;
        };
        let chains = compiler.rulesets().get(*ruleset).map(|ruleset| &ruleset.chains);
        let chain = chains.and_then(|chains| chains.get(chain.0 as usize));
        chain.is_some_and(|chain| is_generated(&chain.path))
    };
    let accepts = |rule: &Rule| matches!(rule.action, Action::Accept);
    let agrees = |decider: &Decider| {
        compiler
            .rule(*decider)
            .is_some_and(|other| accepts(other) == accepts(rule))
    };
    (is_generated(&shadowed) || by.keys().any(is_generated)) && by.keys().all(agrees)
}

/// A rule whose own matches leave no packet: no other is to blame.
fn contradiction(rule: &Rule) -> Finding {
    let label = Label::new(rule.span, "no packet is all that this asks for");
    let message = "this rule never decides anything: its matches exclude each other";
    Finding::new(Code::ShadowedRule, message, Some(label)).help("correct what it asks, or remove the rule")
}

fn finding(compiler: &Compiler<'_>, rule: &Rule, by: &[Decider]) -> Finding {
    let label = Label::new(rule.span, "no packet gets here undecided");
    let mut finding = Finding::new(
        Code::ShadowedRule,
        "this rule never decides anything",
        Some(label),
    );
    for earlier in named(compiler, rule, by) {
        finding = finding.related(Label::new(earlier.span, "decides packets that it matches"));
    }
    finding.help("remove the rule, or move it before those that decide its packets")
}

/// The first of some rules, with one among them that decides otherwise, if there is one.
fn named<'m>(compiler: &Compiler<'m>, rule: &Rule, by: &[Decider]) -> Vec<&'m Rule> {
    let accepts = |rule: &Rule| rule.action == Action::Accept;
    let mut all: Vec<&Rule> = Vec::new();
    for other in by.iter().filter_map(|decider| compiler.rule(*decider)) {
        // A line may stand for several rules.
        if all.iter().all(|known| known.span != other.span) {
            all.push(other);
        }
    }
    let mut named: Vec<_> = all.iter().take(MAX_NAMED).copied().collect();
    if named.iter().all(|other| accepts(other) == accepts(rule))
        && let Some(other) = all.iter().find(|other| accepts(other) != accepts(rule))
        && let Some(last) = named.last_mut()
    {
        *last = other;
    }
    named
}

/// RETURN rules looked at of a chain.
const MAX_RETURNS: usize = 32;

/// The first rules of each chain that send packets back to the caller.
fn returns(rulesets: &[Ruleset]) -> BTreeMap<(usize, ChainId), Vec<usize>> {
    let mut returns = BTreeMap::new();
    for (at, ruleset) in rulesets.iter().enumerate() {
        for (id, chain) in (0u32..).map(ChainId).zip(&ruleset.chains) {
            let of_chain = chain.rules.iter().enumerate();
            let of_chain = of_chain.filter(|(_, rule)| rule.action == Action::Return);
            let first: Vec<usize> = of_chain.map(|(number, _)| number).take(MAX_RETURNS).collect();
            if !first.is_empty() {
                returns.insert((at, id), first);
            }
        }
    }
    returns
}
