//! Tuples held against the lines under them: where both say the same, the words of the tuple are the places of the rule.
//!
//! The kernel loads the lines. INVARIANT: no meaning changes here; rules of one tuple that differ in the protocol alone become one,
//! which matches what they did.

use std::collections::{BTreeMap, BTreeSet};

use super::init::{prefix, table};
use super::lines::{limits, lines};
use super::signature::{Signature, join, rule_at, signatures};
use crate::dialect::Reading;
use crate::dialect::iptables::restore;
use crate::dialect::ufw::ast::{Unread, UserRule};
use crate::dialect::ufw::parser::{is_v6, tuple};
use crate::dialect::ufw::part::TUPLE;
use crate::finding::{Code, Finding, Label};
use crate::model::{Action, Condition, Rule, Ruleset};
use crate::packet::{Family, Field};
use crate::source::{Locator, Source, Span};

/// A tuple and the lines that belong to it.
struct Block<'a> {
    /// `None`: it could not be read.
    rule: Option<UserRule<'a>>,
    /// Where the tuple stands, without the mark before it.
    span: Span,
    /// Offset behind the last line.
    end: u32,
}

/// Holds the tuples of a file against the rules that its lines became.
pub(super) fn align(ruleset: &mut Ruleset, source: Source<'_>, family: Family, notices: &mut Vec<Finding>) {
    let at = Locator::new(source);
    let blocks = blocks(source, family, notices);
    let expected = expected(&blocks, family, notices);
    let mut of_block: Vec<Vec<(usize, usize)>> = blocks.iter().map(|_| Vec::new()).collect();
    let mut strays: Vec<Span> = Vec::new();
    for (chain_at, chain) in ruleset.chains.iter().enumerate() {
        let is_users = is_user_chain(&chain.path, family);
        for (rule_at, rule) in chain.rules.iter().enumerate() {
            if rule.span.file != source.file {
                continue;
            }
            // Blocks come in order, so the last that begins before the rule is the only one that it may be in.
            let begun = blocks.partition_point(|block| block.span.start <= rule.span.start);
            let inside = begun
                .checked_sub(1)
                .filter(|&block| blocks.get(block).is_some_and(|block| rule.span.start < block.end));
            match inside.and_then(|block| of_block.get_mut(block)) {
                Some(rules) => rules.push((chain_at, rule_at)),
                None if is_users => strays.push(rule.span),
                None => {}
            }
        }
    }
    notices.extend(stray(&strays));
    let mut gone: Vec<(usize, usize)> = Vec::new();
    for (block, places) in blocks.iter().zip(&of_block) {
        let Some(rule) = &block.rule else { continue };
        let actual = signatures(ruleset, places.iter().copied());
        let nothing = Vec::new();
        if expected.get(&block.span).unwrap_or(&nothing) == &actual {
            gone.extend(join(ruleset, places));
            for &(chain, at_rule) in places {
                let chains = ruleset.chains.get_mut(chain);
                if let Some(found) = chains.and_then(|chain| chain.rules.get_mut(at_rule)) {
                    place(found, rule, block.span, &at);
                }
            }
        } else {
            let spans = places
                .iter()
                .filter_map(|place| Some(rule_at(ruleset, *place)?.span));
            notices.push(mismatch(block.span, spans.collect()));
        }
    }
    remove(ruleset, gone);
}

/// Whether users' rules are in a chain.
fn is_user_chain(path: &str, family: Family) -> bool {
    let name = path
        .strip_prefix("filter/")
        .and_then(|name| name.strip_prefix(prefix(family)));
    matches!(name, Some("-user-input" | "-user-output" | "-user-forward"))
}

/// The tuples of a file. The lines of one end where there is none, or where another mark stands.
fn blocks<'a>(source: Source<'a>, family: Family, notices: &mut Vec<Finding>) -> Vec<Block<'a>> {
    let at = Locator::new(source);
    let mut blocks: Vec<Block<'a>> = Vec::new();
    let mut is_open = false;
    for line in source.text.split('\n') {
        let line = line.trim_end();
        if line.starts_with(TUPLE) {
            let read = tuple(line).and_then(|rule| of_family(rule, family));
            let said = line.get(TUPLE.len()..).unwrap_or(line).trim_start();
            blocks.push(Block {
                span: read
                    .as_ref()
                    .map_or_else(|_| at.span(said), |rule| at.span(rule.text)),
                end: at.span(line).end,
                rule: read
                    .map_err(|unread| notices.push(super::unread(&at, &unread)))
                    .ok(),
            });
            is_open = true;
        } else if line.trim().is_empty() || line.starts_with("###") {
            is_open = false;
        } else if let Some(block) = blocks.last_mut().filter(|_| is_open) {
            block.end = at.span(line).end;
        }
    }
    blocks
}

/// Refuses an address of the other family: the file's rules are all of one.
fn of_family(rule: UserRule<'_>, family: Family) -> Result<UserRule<'_>, Unread<'_>> {
    let addresses = [rule.to.address, rule.from.address];
    let mut strange = addresses
        .into_iter()
        .flatten()
        .filter(|address| is_v6(address) != (family == Family::V6));
    match strange.next() {
        Some(address) => Err(Unread::new(
            address,
            format!(
                "`{address}` is no {} address, as all of this file are",
                family.word()
            ),
        )),
        None => Ok(rule),
    }
}

/// What the tuples mean, by their places.
fn expected(
    blocks: &[Block<'_>],
    family: Family,
    notices: &mut Vec<Finding>,
) -> BTreeMap<Span, Vec<Signature>> {
    let ufw = prefix(family);
    let chains = ["input", "output", "forward", "limit", "limit-accept"];
    let declared = chains.map(|chain| format!(":{ufw}-user-{chain} - [0:0]\n"));
    let Some(first) = blocks.first() else {
        return BTreeMap::new();
    };
    let mut texts = vec![(table(&(declared.concat() + &limits(family))), first.span)];
    for block in blocks {
        let rule = block.rule.as_ref().map(|rule| lines(rule, family).concat());
        texts.extend(rule.map(|lines| (table(&lines), block.span)));
    }
    let locators: Vec<_> = texts
        .iter()
        .map(|(text, span)| Locator::pinned(text, *span))
        .collect();
    let mut reading = Reading::default();
    restore(&locators, family, &mut reading);
    let is_unread = |finding: &Finding| finding.code == Code::UnreadText;
    notices.extend(reading.notices.into_iter().filter(is_unread));
    let mut places: BTreeMap<Span, Vec<(usize, usize)>> = BTreeMap::new();
    let Some(ruleset) = reading.rulesets.first() else {
        return BTreeMap::new();
    };
    for (chain_at, chain) in ruleset.chains.iter().enumerate() {
        for (rule_at, rule) in chain.rules.iter().enumerate() {
            if is_user_chain(&chain.path, family) {
                places.entry(rule.span).or_default().push((chain_at, rule_at));
            }
        }
    }
    let signatures = places
        .into_iter()
        .map(|(span, places)| (span, signatures(ruleset, places.into_iter())));
    signatures.collect()
}

/// Has the words of rules be the places of what they became, which lies where all of each rule stands.
pub(super) fn place_all<'r, 'a: 'r>(
    ruleset: &mut Ruleset,
    rules: impl Iterator<Item = &'r UserRule<'a>>,
    family: Family,
    at: &Locator<'_>,
) {
    let by_span: BTreeMap<Span, &UserRule<'_>> = rules.map(|rule| (at.span(rule.text), rule)).collect();
    let mut places: BTreeMap<(Span, usize), Vec<(usize, usize)>> = BTreeMap::new();
    for (chain_at, chain) in ruleset.chains.iter().enumerate() {
        let is_users = is_user_chain(&chain.path, family);
        for (rule_at, rule) in chain.rules.iter().enumerate().filter(|_| is_users) {
            if by_span.contains_key(&rule.span) {
                places
                    .entry((rule.span, chain_at))
                    .or_default()
                    .push((chain_at, rule_at));
            }
        }
    }
    let mut gone = Vec::new();
    for ((span, _), places) in &places {
        let Some(rule) = by_span.get(span) else { continue };
        gone.extend(join(ruleset, places));
        for &(chain, at_rule) in places {
            let chains = ruleset.chains.get_mut(chain);
            if let Some(found) = chains.and_then(|chain| chain.rules.get_mut(at_rule)) {
                place(found, rule, *span, at);
            }
        }
    }
    remove(ruleset, gone);
}

/// Takes rules out.
fn remove(ruleset: &mut Ruleset, gone: Vec<(usize, usize)>) {
    let mut of_chain: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
    for (chain, rule) in gone {
        of_chain.entry(chain).or_default().insert(rule);
    }
    for (chain, gone) in of_chain {
        let mut at = 0..;
        if let Some(chain) = ruleset.chains.get_mut(chain) {
            chain
                .rules
                .retain(|_| at.next().is_some_and(|at| !gone.contains(&at)));
        }
    }
}

/// Has the words of a tuple be the places of a rule.
fn place(found: &mut Rule, rule: &UserRule<'_>, span: Span, at: &Locator<'_>) {
    found.span = span;
    for one in &mut found.matches {
        one.span = at.span(word_of(&one.condition, rule).unwrap_or(rule.action));
    }
    let lets_through = !matches!(found.action, Action::Drop | Action::Reject);
    let address = rule.from.address.or(rule.to.address);
    let source_port = rule.from.ports.as_ref().map(|ports| ports.word);
    let opener = source_port
        .or(address)
        .filter(|_| lets_through && rule.to.ports.is_none());
    found.action_span = at.span(opener.unwrap_or(rule.action));
}

/// The word of a rule that says a condition.
fn word_of<'a>(condition: &Condition, rule: &UserRule<'a>) -> Option<&'a str> {
    match condition {
        Condition::Test(field, _) => match field {
            Field::Service => rule.to.ports.as_ref().map(|ports| ports.word),
            Field::SourcePort => rule.from.ports.as_ref().map(|ports| ports.word),
            Field::Destination4 | Field::Destination6 => rule.to.address,
            Field::Source4 | Field::Source6 => rule.from.address,
            Field::InInterface => rule.interface_in,
            Field::OutInterface => rule.interface_out,
            Field::Protocol => rule.protocol.as_ref().map(|protocol| protocol.word),
            _ => None,
        },
        Condition::All(parts) | Condition::Any(parts) => parts.iter().find_map(|part| word_of(part, rule)),
        Condition::Not(part) => word_of(part, rule),
        Condition::Member(_) | Condition::Unknown(_) => None,
    }
}

/// A tuple whose lines say something else.
fn mismatch(tuple: Span, lines: Vec<Span>) -> Finding {
    let help = "give the rule to `ufw` again, which writes both anew";
    let (message, label) = if lines.is_empty() {
        (
            "no line loads this rule of ufw",
            "`ufw status` shows it, the kernel does not have it",
        )
    } else {
        (
            "the lines under this tuple are another rule",
            "`ufw status` shows this",
        )
    };
    let finding = Finding::new(Code::TupleMismatch, message, Some(Label::new(tuple, label)));
    let loaded = lines
        .into_iter()
        .map(|line| Label::new(line, "the kernel loads this"));
    let mut finding = finding.help(help);
    finding.related.extend(loaded);
    finding
}

/// Rules of the user's chains that no tuple says.
fn stray(lines: &[Span]) -> Option<Finding> {
    let first = *lines.first()?;
    let message = match lines.len() {
        1 => "a rule of the user's chains stands under no tuple".to_owned(),
        n => format!("{n} rules of the user's chains stand under no tuple"),
    };
    let label = Label::new(first, "`ufw status` does not show it, the kernel has it");
    let help =
        "give the rule to `ufw`, or write it into `before.rules`: ufw drops it when it next writes this file";
    Some(Finding::new(Code::TupleMismatch, message, Some(label)).help(help))
}
