//! firewalld: the folder `/etc/firewalld`, with `/usr/lib/firewalld` where it lies beside; or what `firewall-cmd` lists.
//!
//! Files become what they say (`ast`, by `folder` and a module for each kind of file), over what firewalld knows of itself
//! (`data`); that becomes the rulesets that the nftables backend would load (`lower`). INVARIANT: reading never fails, and
//! nothing here decides what a ruleset lets through.

mod ast;
mod body;
mod claim;
mod conf;
mod data;
mod folder;
mod listing;
mod lower;
mod names;
mod object;
mod policy;
mod rich;
mod value;
mod xml;
mod zone;

use super::{Claim, Construct, Dialect, Reading, Tree};
use crate::source::Source;

/// The dialect.
#[derive(Debug)]
pub struct Firewalld;

impl Dialect for Firewalld {
    fn name(&self) -> &'static str {
        "firewalld"
    }

    fn summary(&self) -> &'static str {
        "the configuration folder of firewalld (zones, policies, services, ipsets, direct rules), and its listings of zones"
    }

    fn claims(&self, source: Source<'_>) -> Claim {
        claim::claim(source)
    }

    fn tree(&self, source: Source<'_>) -> Option<Tree> {
        claim::tree(source)
    }

    fn read(&self, unit: &[Source<'_>]) -> Reading {
        let mut reading = Reading::default();
        let folder = match unit {
            [listed] if listing::is_listing(listed.text) => {
                let mut folder = folder::shipped(unit);
                listing::read(*listed, &mut folder, &mut reading.notices, &mut reading.notes);
                folder
            }
            _ => folder::read(unit, &mut reading.notices),
        };
        lower::lower(&folder, unit, &mut reading);
        reading
    }

    fn constructs(&self) -> Vec<Construct> {
        names::constructs()
    }
}
