//! What nft prints of a loaded ruleset, as text and as JSON, against the text that was loaded: they mean the same.

use portcullis::dialect::nftables::Nftables;

use crate::loading::{Tool, run};
use crate::meaning::{Meaning, meanings, read};
use crate::namespace::Namespace;
use crate::subject::Subject;
use portcullis::packet::Family;

/// What came of the comparisons.
#[derive(Debug, Default)]
pub(crate) struct Listed {
    pub(crate) n_equal: usize,
    pub(crate) n_left_out: usize,
    pub(crate) differing: Vec<String>,
}

/// Loads each ruleset and compares what nft prints of it with what was loaded.
pub(crate) fn compare(subjects: Vec<Subject>) -> Listed {
    let mut listed = Listed::default();
    for subject in subjects {
        let printed = std::thread::scope(|scope| scope.spawn(|| printed(&subject)).join());
        let printed = printed.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        let Ok((loaded, prints)) = printed else {
            listed.n_left_out += 1;
            continue;
        };
        if loaded.lines().any(is_listed_wrongly) {
            listed.n_left_out += 1;
            continue;
        }
        for (form, text) in [("text", &prints[0]), ("JSON", &prints[1])] {
            // nft's JSON leaves out that a set is dynamic, so that its elements seem to be all there are.
            if form == "JSON" && loaded.contains("dynamic") {
                continue;
            }
            let both = meanings(read(&Nftables, &loaded).0, read(&Nftables, text).0, true);
            // A list does not say that it is all there is: what hooks without chains do is no part of it.
            let [one, two] = both.map(|mut meaning| {
                meaning.retain(|key, _| !key.0.contains("no chain at"));
                meaning
            });
            if one == two {
                listed.n_equal += 1;
            } else {
                let which = difference(&one, &two);
                listed.differing.push(format!("{subject}: {form}: {which}"));
            }
        }
    }
    listed
}

/// Whether a rule asks for a port by its place in packets of a protocol that has none: nft takes such a protocol for what the
/// port demands, and leaves it out, or asks ICMP for its field of that place, where it prints the rule.
fn is_listed_wrongly(rule: &str) -> bool {
    let has_ports = rule.contains(" th ") || rule.contains("@th,");
    let has_none = ["icmp ", "icmpv6 ", "protocol 47 ", "l4proto 47 "];
    has_ports && has_none.iter().any(|words| rule.contains(words))
}

/// The text without what was refused, and what nft prints of it.
fn printed(subject: &Subject) -> Result<(String, [String; 2]), String> {
    let _space = Namespace::new(&subject.interfaces().into_iter().collect());
    let loaded = Tool::Nft.load_without_refused(&subject.text, Family::V4)?;
    let text = run("nft", &["list", "ruleset"], "")?;
    let json = run("nft", &["-j", "list", "ruleset"], "")?;
    Ok((loaded.text, [text, json]))
}

/// The chains that decide otherwise.
fn difference(one: &Meaning, two: &Meaning) -> String {
    let keys = one.keys().chain(two.keys());
    let mut names: Vec<&str> = keys
        .filter(|key| one.get(*key) != two.get(*key))
        .map(|key| key.0.as_str())
        .collect();
    names.sort_unstable();
    names.dedup();
    names.join(", ")
}
