//! Jumps that lead in a circle: the kernel refuses a ruleset that has one which a packet can reach.
//!
//! INVARIANT: linear in the number of rules, and nothing here recurses.

use std::sync::Arc;

use crate::finding::{Code, Finding, Label};
use crate::model::{Action, ChainId, Ruleset, Unknown};

/// How far the search has come with a chain.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Seen {
    Not,
    /// The way to the chain at hand leads through it.
    OnTheWay,
    Done,
}

/// Makes each reachable jump that closes a circle one of which nothing is known, and says so.
pub(super) fn break_circles(ruleset: &mut Ruleset) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (chain, at, to) in closing_jumps(ruleset) {
        let path = ruleset
            .chains
            .get(to)
            .map_or(String::new(), |chain| chain.path.clone());
        let rule = ruleset
            .chains
            .get_mut(chain)
            .and_then(|chain| chain.rules.get_mut(at));
        if let Some(rule) = rule {
            let name = path.split_once('/').map_or("", |(_, name)| name);
            let message = format!("this leads in a circle, back to `{name}`");
            let label = Label::new(rule.action_span, "closes the circle");
            let finding = Finding::new(Code::DanglingReference, message, Some(label));
            findings.push(finding.help("the kernel refuses such a ruleset: take out one of the jumps"));
            rule.action = Action::Unknown(Unknown {
                property: None,
                why: Arc::from("the jump leads in a circle"),
            });
        }
    }
    findings
}

/// Chain and index of the rules that lead back to a chain on the way to them, and that chain.
fn closing_jumps(ruleset: &Ruleset) -> Vec<(usize, usize, usize)> {
    let mut seen = vec![Seen::Not; ruleset.chains.len()];
    let mut closing = Vec::new();
    for base in &ruleset.bases {
        let mut way: Vec<(usize, usize)> = Vec::new();
        enter(base.chain, &mut seen, &mut way);
        while let Some((chain, next)) = way.last_mut() {
            let rule = ruleset
                .chains
                .get(*chain)
                .and_then(|chain| chain.rules.get(*next));
            let (from, at) = (*chain, *next);
            *next += 1;
            match rule.map(|rule| &rule.action) {
                Some(Action::Jump(to) | Action::Goto(to)) => {
                    if seen.get(to.0 as usize) == Some(&Seen::OnTheWay) {
                        closing.push((from, at, to.0 as usize));
                    } else {
                        enter(*to, &mut seen, &mut way);
                    }
                }
                Some(_) => {}
                None => {
                    if let Some(state) = seen.get_mut(from) {
                        *state = Seen::Done;
                    }
                    way.pop();
                }
            }
        }
    }
    closing
}

/// Goes into a chain that has not been seen.
fn enter(chain: ChainId, seen: &mut [Seen], way: &mut Vec<(usize, usize)>) {
    let at = chain.0 as usize;
    if let Some(state) = seen.get_mut(at).filter(|state| **state == Seen::Not) {
        *state = Seen::OnTheWay;
        way.push((at, 0));
    }
}
