//! Rules without a verdict (jumps, RETURN, LOG, marks, translations) that no packet comes to.
//!
//! Such a rule leaves no trace in what its chain decides, so it is asked for by its packets: if one of them goes on behind it,
//! the rule is met. INVARIANT: a rule is called idle only if it is known that none does.

use super::taker::{Takes, lowest, takes_product};
use super::unreachable::is_worth_saying;
use crate::model::{Chain, Compiler, Decider, Rule};
use crate::packet::{Cause, End, OverBudget};

/// Rules compiled, in all, to find out whether a packet comes to those behind them.
const MAX_COMPILED: usize = 1 << 9;

/// What is left of that, and what rules take.
pub(super) struct Idle {
    to_compile: usize,
    takes: Takes,
}

/// Where one packet of a rule goes in its chain.
enum Corner {
    /// To the rule, or past it: it is met.
    Behind,
    /// To a rule of the same chain before it.
    Before(Decider),
    /// Somewhere else.
    Elsewhere,
}

impl Idle {
    pub(super) fn new() -> Self {
        Self {
            to_compile: MAX_COMPILED,
            takes: Takes::default(),
        }
    }

    /// If no packet comes to a rule: the one that takes them all, where there is one.
    pub(super) fn taker(
        &mut self,
        compiler: &mut Compiler<'_>,
        decider: Decider,
        rule: &Rule,
    ) -> Result<Option<Vec<Decider>>, OverBudget> {
        let Decider::Rule {
            ruleset,
            chain,
            rule: number,
        } = decider
        else {
            return Ok(None);
        };
        let of = compiler.rulesets().get(ruleset);
        let of = of.and_then(|rules| rules.chains.get(chain.0 as usize));
        let Some(of) = of.filter(|of| number > 0 && is_worth_saying(of)) else {
            return Ok(None);
        };
        // What readers add behind a rule of several parts has no text of its own.
        if is_one_of_several(of, number) || compiler.reach(rule)?.is_empty() {
            return Ok(None);
        }
        let product = compiler.product_of(rule);
        let corner = match &product {
            Some(product) => {
                let ruling = compiler.rules_of(ruleset, chain)?;
                let set = compiler
                    .space
                    .outcomes_of(ruling, &|field| lowest(product, field));
                let outcomes = set.outcomes.iter().map(|outcome| (outcome.end, outcome.cause));
                corner(compiler, decider, &outcomes.collect::<Vec<_>>())
            }
            None => Corner::Elsewhere,
        };
        match (corner, product) {
            (Corner::Behind, _) => return Ok(None),
            (Corner::Before(earlier), Some(product)) => {
                let is_changed = product.iter().any(|(field, _)| compiler.changes(*field));
                if !is_changed && takes_product(compiler, &mut self.takes, earlier, &product) {
                    return Ok(Some(vec![earlier]));
                }
            }
            _ => {}
        }
        let n_rules: usize = of.rules.len().min(number);
        if n_rules > self.to_compile {
            return Ok(None);
        }
        self.to_compile -= n_rules;
        Ok((!compiler.comes_to(ruleset, chain, number)?).then(Vec::new))
    }
}

/// Whether a rule stands for a part of a text only: of `ip saddr . tcp dport vmap @ports`, say.
fn is_one_of_several(chain: &Chain, number: usize) -> bool {
    let span = |number: usize| chain.rules.get(number).map(|rule| rule.span);
    let before = number.checked_sub(1).and_then(span);
    before == span(number) || span(number + 1) == span(number)
}

/// Where a packet goes, by all that may happen to it.
fn corner(compiler: &Compiler<'_>, decider: Decider, outcomes: &[(End, Cause)]) -> Corner {
    let (Decider::Rule { ruleset, chain, .. }, is_sure) = (decider, outcomes.len() == 1) else {
        return Corner::Elsewhere;
    };
    let mut place = Corner::Elsewhere;
    for &(end, cause) in outcomes {
        let by = compiler.decider(cause);
        let in_chain =
            matches!(by, Some(Decider::Rule { ruleset: at, chain: of, .. }) if (at, of) == (ruleset, chain));
        match by {
            _ if end == End::Fall => return Corner::Behind,
            Some(by) if in_chain && by >= decider => return Corner::Behind,
            Some(by) if in_chain && is_sure => place = Corner::Before(by),
            _ => {}
        }
    }
    place
}
