//! Chains as if hooks called them. INVARIANT: each that is wanted is called twice, once for each default verdict.

use portcullis::model::{Base, Chain, ChainId, Default, Hook, Purpose, Ruleset};

/// The ruleset with the wanted chains hooked, and no others.
pub(crate) fn hooked(mut ruleset: Ruleset, is_wanted: impl Fn(&Chain) -> bool) -> Ruleset {
    let wanted = ruleset
        .chains
        .iter()
        .enumerate()
        .filter(|(_, chain)| is_wanted(chain));
    let both = wanted.flat_map(|(at, chain)| {
        [Default::Accept, Default::Drop].map(|default| Base {
            hook: Hook::Input,
            priority: 0,
            order: [0; 3],
            purpose: Purpose::Filter,
            chain: ChainId(u32::try_from(at).unwrap()),
            default,
            default_span: chain.span,
        })
    });
    ruleset.bases = both.collect();
    ruleset
}
