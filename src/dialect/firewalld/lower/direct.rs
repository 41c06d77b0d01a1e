//! Direct rules: firewalld.direct(5). They are iptables' own, and iptables' reader reads them.
//!
//! Each element becomes a command in a text of the same length, its arguments where they lie in the file, so that spans hold.
//! With the nftables backend iptables' chains stand before firewalld's, and both must accept; with the iptables backend a
//! direct rule that accepts ends firewalld's chain. INVARIANT: a rule that cannot be read is said, and may do anything.

use super::Lowering;
use super::chains::{Chains, own_rule};
use super::condition::is_family;
use super::place::Place;
use crate::dialect::firewalld::ast::{Direct, DirectKind};
use crate::dialect::{Reading, iptables};
use crate::model::{Action, Families, Purpose, Rule, Ruleset};
use crate::packet::Family;
use crate::source::{Source, Span};

/// The rulesets of direct rules, one a family.
pub(super) fn read(directs: &[Direct], unit: &[Source<'_>], into: &mut Reading) -> Vec<Ruleset> {
    let mut rulesets = Vec::new();
    for family in [Family::V4, Family::V6] {
        let of_family: Vec<&Direct> = directs.iter().filter(|direct| direct.family == family).collect();
        let Some(first) = of_family.first() else { continue };
        let Some(source) = unit.iter().find(|source| source.file == first.span.file) else {
            continue;
        };
        let text = commands(source.text, &of_family);
        let source = Source {
            file: source.file,
            name: source.name,
            text: &text,
        };
        let mut reading = Reading::default();
        iptables::read_commands(source, family, &mut reading);
        for ruleset in &mut reading.rulesets {
            for chain in &mut ruleset.chains {
                chain.rules.sort_by_key(|rule| rank(rule, &of_family, &text));
            }
            to_elements(ruleset, &of_family);
        }
        for label in reading.notices.iter_mut().flat_map(|notice| &mut notice.primary) {
            label.span = to_element(label.span, &of_family);
        }
        into.notices.append(&mut reading.notices);
        into.n_rules += reading.n_rules;
        rulesets.append(&mut reading.rulesets);
    }
    rulesets
}

/// The commands of some elements, at the bytes of their file.
fn commands(text: &str, directs: &[&Direct]) -> String {
    let mut bytes = vec![b' '; text.len()];
    let mut put = |at: usize, part: &str| {
        for (to, from) in bytes.iter_mut().skip(at).zip(part.bytes()) {
            *to = if from == b'\n' || from == b'\r' {
                b' '
            } else {
                from
            };
        }
    };
    let mut ends = Vec::new();
    for direct in directs {
        let (command, arguments) = match &direct.kind {
            DirectKind::Chain { table, chain } => (format!("-t {table} -N {chain}"), None),
            DirectKind::Rule {
                table,
                chain,
                arguments,
                ..
            } => (format!("-t {table} -A {chain}"), Some(arguments)),
            DirectKind::Passthrough { arguments } => {
                let names_table = has_word(text, *arguments, &["-t", "--table"]);
                let table = if names_table { "" } else { "-t filter" };
                (table.to_owned(), Some(arguments))
            }
        };
        // The start tag names all of it, and is longer.
        put(direct.span.range().start + 1, &command);
        if let Some(arguments) = arguments {
            let written = text.get(arguments.range()).unwrap_or("");
            put(arguments.range().start, &written.replace("&quot;", "\"     "));
        }
        ends.push(direct.span.range().start);
    }
    for at in ends {
        if let Some(byte) = bytes.get_mut(at) {
            *byte = b'\n';
        }
    }
    String::from_utf8(bytes).unwrap_or_default()
}

/// Points at elements where the made commands would be pointed at.
fn to_elements(ruleset: &mut Ruleset, directs: &[&Direct]) {
    for base in &mut ruleset.bases {
        base.default_span = to_element(base.default_span, directs);
    }
    for chain in &mut ruleset.chains {
        chain.span = to_element(chain.span, directs);
        for rule in &mut chain.rules {
            rule.span = to_element(rule.span, directs);
            rule.action_span = to_element(rule.action_span, directs);
            for one in &mut rule.matches {
                one.span = to_element(one.span, directs);
            }
        }
    }
}

/// A part of some arguments, or else the element that it lies in.
fn to_element(span: Span, directs: &[&Direct]) -> Span {
    let Some(direct) = of(span, directs) else {
        return span;
    };
    match &direct.kind {
        DirectKind::Rule { arguments, .. } | DirectKind::Passthrough { arguments }
            if arguments.contains(span) =>
        {
            span
        }
        _ => direct.span,
    }
}

/// The element that a span begins in.
fn of<'d>(span: Span, directs: &[&'d Direct]) -> Option<&'d Direct> {
    let behind = directs.partition_point(|direct| direct.span.start <= span.start);
    directs.get(behind.checked_sub(1)?).copied()
}

/// Where a rule stands in its chain: what a passthrough inserts, then direct rules by priority, then what passthroughs append.
fn rank(rule: &Rule, directs: &[&Direct], text: &str) -> (i8, i32) {
    match of(rule.span, directs).map(|direct| &direct.kind) {
        Some(DirectKind::Rule { priority, .. }) => (0, *priority),
        Some(DirectKind::Passthrough { arguments }) if has_word(text, *arguments, &["-I", "--insert"]) => {
            (-1, 0)
        }
        _ => (1, 0),
    }
}

/// Whether one of the words is among some arguments.
fn has_word(text: &str, arguments: Span, words: &[&str]) -> bool {
    let arguments = text.get(arguments.range()).unwrap_or("");
    arguments
        .split_ascii_whitespace()
        .any(|word| words.contains(&word))
}

impl Lowering<'_> {
    /// With the iptables backend: rules that lead from a filtering chain of firewalld to the direct rules at its hook.
    pub(super) fn graft(&self, chains: &mut Chains, place: Place, directs: &mut [Ruleset]) -> Vec<Rule> {
        let mut rules = Vec::new();
        if !self.folder.conf.is_iptables {
            return rules;
        }
        for ruleset in directs {
            let family = match ruleset.families {
                Families::V6 => Family::V6,
                _ => Family::V4,
            };
            let is_here = |base: &crate::model::Base| {
                base.hook == place.hook && base.purpose == Purpose::Filter && base.priority == 0
            };
            let Some(at) = ruleset.bases.iter().position(is_here) else {
                continue;
            };
            let base = ruleset.bases.remove(at);
            if let Some(to) = chains.copy(ruleset, base.chain) {
                rules.push(own_rule(
                    self.default_span,
                    vec![is_family(family)],
                    Action::Jump(to),
                ));
            }
        }
        rules
    }
}
