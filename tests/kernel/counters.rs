//! How often each rule decided, by our answers and by the kernel's counters. INVARIANT: rules are told apart by table,
//! chain and position, the same way in the text that was loaded and in the one that is read back.

use std::collections::BTreeMap;

use portcullis::packet::Family;

use crate::loading::{Tool, run};

/// The ruleset of the namespace with its counters, if the tool that loaded it can say.
pub(crate) fn read(tool: Tool, family: Family) -> Option<String> {
    tool.lister(family)
        .map(|program| run(program, &["-c"], "").unwrap())
}

/// Table, chain and position of a rule.
type Place<'t> = (&'t str, &'t str, usize);

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
