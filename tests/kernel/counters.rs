//! How often each rule decided, by our answers and by the kernel's counters. INVARIANT: rules are told apart by table,
//! chain and position, the same way in the text that was loaded and in the one that is read back.

use std::collections::BTreeMap;

use portcullis::packet::Family;

use crate::loading::{Tool, run};

/// The ruleset of the namespace with its counters, if the tool that loaded it can say.
pub(crate) fn read(tool: Tool, family: Family) -> Option<String> {
    match tool {
        Tool::Nft => Some(run("nft", &["list", "ruleset"], "").unwrap()),
        _ => tool
            .lister(family)
            .map(|program| run(program, &["-c"], "").unwrap()),
    }
}

/// Table, chain and position of a rule.
type Place<'t> = (&'t str, &'t str, usize);

/// The same for rulesets of nft, whose rules count where they say so: each met at least as many packets as it decided, for
/// others of a hook may decide them again.
pub(crate) fn compare_nft(text: &str, counted: &str, decided: &BTreeMap<usize, u64>) -> (usize, Vec<String>) {
    let (ours, mut theirs) = (nft_rules(text), nft_rules(counted));
    // The harness has a table of its own.
    theirs.retain(|rule| ours.iter().any(|our| our.place.0 == rule.place.0));
    // Lists break long lines: what is not printed rule by rule cannot be told apart.
    if !ours
        .iter()
        .map(|rule| rule.place)
        .eq(theirs.iter().map(|rule| rule.place))
    {
        return (0, Vec::new());
    }
    let counting = ours.iter().zip(&theirs).filter(|(rule, _)| rule.decides);
    let mut differing = Vec::new();
    let mut n_rules = 0;
    for (rule, met) in counting {
        let expected = decided.get(&rule.line).copied().unwrap_or(0);
        n_rules += 1;
        if met.packets < expected {
            differing.push(format!(
                "line {} decided {expected} packets by us, {} by the kernel",
                rule.line, met.packets
            ));
        }
    }
    (n_rules, differing)
}

/// The rules of a ruleset of nft with a line for each, by their tables and chains. One `decides` if it counts its packets and
/// then ends their way.
fn nft_rules(text: &str) -> Vec<Rule<'_>> {
    let (mut table, mut chain, mut position) = ("", None, 0);
    let mut rules = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let line = line.trim();
        if let Some(name) = line
            .strip_prefix("table ")
            .and_then(|rest| rest.split('{').next())
        {
            table = name.trim();
        } else if let Some(name) = line.strip_prefix("chain ") {
            (chain, position) = (name.split_whitespace().next(), 0);
        } else if line == "}" {
            chain = None;
        } else if let (Some(chain), false) = (chain, is_declaration(line)) {
            position += 1;
            let ends =
                ["accept", "drop"].iter().any(|verdict| line.ends_with(verdict)) || line.contains(" reject");
            let counter = line.split("counter packets ").nth(1);
            let packets = counter.and_then(|rest| rest.split_whitespace().next()?.parse().ok());
            rules.push(Rule {
                line: at + 1,
                place: (table, chain, position),
                packets: packets.unwrap_or(0),
                decides: ends && line.contains(" counter"),
            });
        }
    }
    // Tables of a name may come in any order, and are listed by family.
    rules.sort_by_key(|rule| rule.place);
    rules
}

/// What stands in a chain and is no rule.
fn is_declaration(line: &str) -> bool {
    let starts = ["type ", "policy ", "comment ", "#"];
    line.is_empty() || starts.iter().any(|start| line.starts_with(start))
}

/// Compares how often the rules of lines decided with how many packets the kernel's rules met: as often, or at least as
/// often if that is all that is known. Gives the number of rules that were compared, and what differs.
pub(crate) fn compare(
    text: &str,
    counted: &str,
    decided: &BTreeMap<usize, u64>,
    is_exact: bool,
) -> (usize, Vec<String>) {
    let (Some(ours), Some(theirs)) = (rules(text), rules(counted)) else {
        return (0, Vec::new());
    };
    let packets: BTreeMap<Place<'_>, u64> = theirs
        .into_iter()
        .map(|rule| (rule.place, rule.packets))
        .collect();
    // What a later table drops, the filter may have accepted before.
    let is_last = |line: &str| !["*mangle", "*security"].contains(&line.trim());
    let is_exact = is_exact && text.lines().all(is_last);
    let mut differing = Vec::new();
    let mut n_rules = 0;
    for rule in ours.iter().filter(|rule| rule.decides) {
        let expected = decided.get(&rule.line).copied().unwrap_or(0);
        let Some(&met) = packets.get(&rule.place) else {
            differing.push(format!("line {} was not read back", rule.line));
            continue;
        };
        n_rules += 1;
        if met < expected || (is_exact && met != expected) {
            differing.push(format!(
                "line {} decided {expected} packets by us, {met} by the kernel",
                rule.line
            ));
        }
    }
    (n_rules, differing)
}

struct Rule<'t> {
    line: usize,
    place: Place<'t>,
    packets: u64,
    /// Whether it ends a packet's way in a filter.
    decides: bool,
}

/// The rules of a dump; `None` if their positions are not their order: tables that come twice, insertions, deletions,
/// lists of addresses, which make a rule each.
fn rules(text: &str) -> Option<Vec<Rule<'_>>> {
    let mut rules = Vec::new();
    let mut table = "";
    let mut tables = Vec::new();
    let mut positions: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for (at, line) in text.lines().enumerate() {
        let line = line.trim();
        if let Some(name) = line.strip_prefix('*') {
            if tables.contains(&name) {
                return None;
            }
            (table, tables) = (name, [tables, vec![name]].concat());
            continue;
        }
        let (packets, rule) = match line.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((counters, rule)) => (counters.split(':').next()?.parse().ok()?, rule.trim()),
            None => (0, line),
        };
        let mut words = rule.split_whitespace();
        match words.next() {
            Some("-A" | "--append") => {}
            Some(word) if word.starts_with('-') => return None,
            _ => continue,
        }
        let chain = words.next()?;
        let mut addresses = words.clone().zip(words.clone().skip(1));
        if addresses.any(|(option, value)| matches!(option, "-s" | "-d") && value.contains(',')) {
            return None;
        }
        let position = positions.entry((table, chain)).or_default();
        *position += 1;
        let mut after_jump = words.skip_while(|word| !matches!(*word, "-j" | "--jump"));
        let decides = table == "filter" && matches!(after_jump.nth(1), Some("ACCEPT" | "DROP" | "REJECT"));
        rules.push(Rule {
            line: at + 1,
            place: (table, chain, *position),
            packets,
            decides,
        });
    }
    Some(rules)
}
