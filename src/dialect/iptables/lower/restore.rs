//! Texts that are loaded one after another into one ruleset.
//!
//! INVARIANT: what a later text says is added to what the earlier ones said, as the kernel has it.

use super::set::AskedSets;
use super::{Lines, Lowering, tests_fragments};
use crate::dialect::Reading;
use crate::packet::Family;
use crate::source::Locator;

/// What a table does that comes again: iptables-restore(8), "--noflush".
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Again {
    Replaces,
    GoesOn,
}

/// Reads and lowers texts that `iptables-restore --noflush` loads one after another, all of one family: tables go on, and a
/// chain that is declared again is emptied. Rules of pinned texts are not counted.
pub(in crate::dialect) fn restore(texts: &[Locator<'_>], family: Family, into: &mut Reading) {
    let Some(first) = texts.first() else { return };
    let mut lowering = Lowering::new(*first, family, AskedSets::new(None, first.text()));
    lowering.has_family = true;
    lowering.again = Again::GoesOn;
    lowering.tests_fragments = texts.iter().any(|at| tests_fragments(at.text()));
    for at in texts {
        lowering.at = *at;
        lowering.lines();
        lowering.end_of_table();
        lowering.lines = Lines::Read;
    }
    lowering.finish(into);
}
