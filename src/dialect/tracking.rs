//! Rulesets in which nothing has the kernel track connections: their NAT chains may meet no packet at all.
//!
//! The kernel tracks the connections of a family from when some rule asks for one or translates (`nf_ct_netns_get`); a packet
//! that is not tracked passes all NAT chains by (`nf_nat_inet_fn`). INVARIANT: rules of other files, or a setting of the kernel,
//! may have it track all the same, so this is unknown, never taken for granted.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::model::{
    Action, Base, ChainId, Condition, Default as Verdict, Edit, Match, Purpose, Rule, Ruleset, Unknown,
};
use crate::packet::{Family, Field};
use crate::source::Span;

/// What NAT chains are in doubt about: the same property in all rulesets of a host.
const PROPERTY: &str = "connections are not tracked";
const WHY: &str =
    "no rule has connections tracked: unless something else has, no packet meets a chain of type nat";

/// Has the NAT chains begin with the doubt whether packets meet them, where none of the rulesets has connections tracked.
pub(super) fn doubt_untracked(rulesets: &mut [Ruleset]) {
    let tracks = Family::ALL.map(|family| {
        rulesets
            .iter()
            .any(|ruleset| ruleset.families.include(family) && tracks(ruleset))
    });
    for ruleset in rulesets {
        let is_sure = Family::ALL
            .into_iter()
            .zip(tracks)
            .all(|(family, tracks)| tracks || !ruleset.families.include(family));
        if is_sure {
            continue;
        }
        let matters = |base: &&Base| {
            base.purpose == Purpose::Nat && (base.default == Verdict::Drop || decides(ruleset, base.chain))
        };
        let nat = ruleset.bases.iter().filter(matters);
        let places: Vec<_> = nat.map(|base| (base.chain, base.default_span)).collect();
        for (chain, place) in places {
            doubt(ruleset, chain, place);
        }
    }
}

fn tracks(ruleset: &Ruleset) -> bool {
    let mut rules = ruleset.chains.iter().flat_map(|chain| &chain.rules);
    rules.any(|rule| {
        matches!(
            rule.action,
            Action::Edit(Edit::Dnat { .. } | Edit::Redirect { .. } | Edit::Snat { .. })
        ) || rule.matches.iter().any(|one| asks(&one.condition))
    })
}

/// Whether a condition is about the packet's connection.
fn asks(condition: &Condition) -> bool {
    match condition {
        Condition::Test(field, _) => {
            matches!(field, Field::State | Field::StatusDnat | Field::StatusSnat)
        }
        Condition::All(all) | Condition::Any(all) => all.iter().any(asks),
        Condition::Not(inner) => asks(inner),
        Condition::Unknown(unknown) => unknown
            .property
            .as_ref()
            .is_some_and(|property| property.starts_with("ct ")),
        Condition::Member(_) => false,
    }
}

/// Whether some packet that a chain gets leaves it otherwise than it came, or not at all.
fn decides(ruleset: &Ruleset, chain: ChainId) -> bool {
    let (mut pending, mut seen) = (vec![chain], BTreeSet::new());
    while let Some(chain) = pending.pop() {
        let rules = ruleset.chains.get(chain.0 as usize).map(|chain| &chain.rules);
        if !seen.insert(chain) {
            continue;
        }
        for rule in rules.into_iter().flatten() {
            match rule.action {
                Action::Drop | Action::Reject | Action::Unknown(_) | Action::Edit(_) => return true,
                Action::Jump(to) | Action::Goto(to) => pending.push(to),
                Action::Accept | Action::Return | Action::Continue => {}
            }
        }
    }
    false
}

fn doubt(ruleset: &mut Ruleset, chain: ChainId, place: Span) {
    let Some(chain) = ruleset.chains.get_mut(chain.0 as usize) else {
        return;
    };
    let nowhere = Span::new(place.file, place.start, place.start);
    let condition = Condition::Unknown(Unknown {
        property: Some(Arc::from(PROPERTY)),
        why: Arc::from(WHY),
    });
    let passes = Rule {
        span: nowhere,
        matches: vec![Match {
            span: place,
            condition,
        }],
        action: Action::Accept,
        action_span: nowhere,
    };
    chain.rules.insert(0, passes);
}
