//! Files that the site file names and that gave nothing to check: said aloud, since a host that was not read must
//! not look like one that passed.

use super::assemble::Assembled;
use super::inputs::Unit;
use super::sites::SiteGroup;
use crate::discover::Input;
use crate::finding::Summary;
use crate::model::{Chain, Default, Ruleset};
use crate::site::Binder;
use crate::source::FileId;

/// A file of which no dialect could make anything.
pub(crate) struct Unread {
    pub(super) input: Input,
    /// Whether it is no text: a dump saved as UTF-16 is none either.
    pub(super) is_binary: bool,
}

/// Ends of names that only configs of hosts have.
const NAMES_OF_CONFIGS: &[&str] = &[".rules", ".nft", ".v4", ".v6", ".iptables", ".ip6tables"];

/// What is said of a file that is no text.
const NO_TEXT: &str = "it is no text in UTF-8: save it as such";

/// Files that were named themselves, that no dialect knows and that are a part of nothing: the run has failed.
pub(super) fn named_but_unread(unread: &mut Vec<Unread>, summary: &mut Summary) {
    let help = "give its language with --dialect, if it is one of `portcullis dialects`";
    let named = unread.extract_if(.., |file| file.input.explicit);
    let failures = named.map(|file| format!("{}: no dialect knows this file: {help}", file.input.name));
    summary.failures.extend(failures);
}

/// Files bound by a site that no dialect knows: where they are named to the letter the run has failed.
pub(super) fn bound_but_unread(group: &SiteGroup, unread: &[Unread], summary: &mut Summary) {
    let Some(folder) = &group.folder else { return };
    let binder = Binder::new(&group.site);
    for file in unread {
        let name = &file.input.name;
        let names = binder.names(&Binder::path_from(folder, &file.input.path));
        if file.is_binary && names.is_some() {
            summary
                .failures
                .push(format!("{name}: a binding matches it, and {NO_TEXT}"));
            continue;
        }
        match names {
            None => {}
            Some(true) => summary.failures.push(format!(
                "{name}: a binding of the site file names it, and no dialect knows it"
            )),
            Some(false) => summary
                .unchecked
                .push(format!("{name}: a binding matches it, and no dialect knows it")),
        }
    }
}

/// Files that are called like configs and are no text, where no binding says whether they matter.
pub(super) fn binary_configs(unread: &[Unread], summary: &mut Summary) {
    let is_config = |name: &str| NAMES_OF_CONFIGS.iter().any(|end| name.ends_with(end));
    let files = unread.iter().filter(|file| file.is_binary);
    let files = files.filter(|file| is_config(&file.input.name));
    let lines = files.map(|file| format!("{}: {NO_TEXT}", file.input.name));
    summary.unchecked.extend(lines);
}

/// Files that only say what others ask for, with nobody who asks.
pub(super) fn unasked_companions(units: &[Assembled], companions: &[Vec<FileId>], summary: &mut Summary) {
    let is_asked = |file: &FileId| companions.iter().any(|files| files.contains(file));
    let unasked = units.iter().filter(|unit| unit.dialect.is_companion());
    let unasked = unasked.filter(|unit| !unit.files.iter().any(is_asked));
    let lines = unasked.map(|unit| format!("{}: no dump that goes with it was given", unit.name));
    summary.unchecked.extend(lines);
}

/// Two files of one host that both say what the same chain does: one of them is old, or of another host.
pub(super) fn said_twice(host: &str, units: &[Unit], summary: &mut Summary) {
    for (at, unit) in units.iter().enumerate() {
        for other in units.iter().skip(at + 1) {
            if let Some(chain) = common_chain(unit, other) {
                summary.failures.push(format!(
                    "{} and {} both hold the chain `{chain}` of host `{host}`: a host has one of each, so bind one of them elsewhere",
                    unit.name, other.name
                ));
            }
        }
    }
}

fn common_chain<'u>(unit: &'u Unit, other: &Unit) -> Option<&'u str> {
    let pairs = unit
        .reading
        .rulesets
        .iter()
        .flat_map(|ours| other.reading.rulesets.iter().map(move |theirs| (ours, theirs)));
    let same_family = pairs.filter(|(ours, theirs)| ours.families == theirs.families);
    same_family.into_iter().find_map(|(ours, theirs)| {
        let theirs = decisive(theirs);
        decisive(ours).into_iter().find(|path| theirs.contains(path))
    })
}

/// The base chains that decide something: a table that was never used is in every dump.
fn decisive(ruleset: &Ruleset) -> Vec<&str> {
    let chain = |base: &crate::model::Base| {
        let chain: &Chain = ruleset.chains.get(base.chain.0 as usize)?;
        let decides = !chain.rules.is_empty() || base.default == Default::Drop;
        decides.then_some(&*chain.path)
    };
    ruleset.bases.iter().filter_map(chain).collect()
}
