//! What ufw makes of its files: texts for iptables-restore, which become rulesets.
//!
//! INVARIANT: a family has a ruleset if and only if something that was read says what filters it.

mod align;
mod folder;
mod init;
mod lines;
mod listing;
mod settings;
mod shipped;
mod signature;

use super::part::{Part, part};
use crate::dialect::Reading;
use crate::dialect::unread::Unread;
use crate::finding::{Code, Finding, Label};
use crate::source::{Locator, Source};

/// Reads and lowers a configuration, or what a command printed.
pub(super) fn read(unit: &[Source<'_>]) -> Reading {
    let mut reading = Reading::default();
    let is_listing = |source: &&Source<'_>| matches!(part(**source), Some(Part::Status | Part::Added));
    match unit.iter().find(is_listing) {
        Some(listing) => {
            let is_profiles = |source: &&Source<'_>| part(**source) == Some(Part::Profiles);
            let beside: Vec<_> = unit.iter().filter(is_profiles).copied().collect();
            listing::lower(*listing, &beside, &mut reading);
        }
        None => folder::lower(unit, &mut reading),
    }
    reading
}

/// The finding for a slice that could not be read.
fn unread(at: &Locator<'_>, unread: &Unread<'_>) -> Finding {
    let label = Label::new(at.span(unread.at), "not understood");
    let mut finding = Finding::new(Code::UnreadText, unread.message.as_str(), Some(label));
    finding.help.clone_from(&unread.help);
    finding
}
