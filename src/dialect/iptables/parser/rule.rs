//! A rule: its options in order, their negations and arguments.

use super::option::{Found, MAX_MODULES, find};
use super::word::{next_word, skip_space};
use crate::dialect::iptables::ast::{Owner, Read, Rule, Target, Term, Unread, Use};
use crate::dialect::iptables::names::{Arity, Meaning, module_by_name};

/// More options in one rule than this are refused: those of one module are looked at together.
const MAX_OPTIONS: usize = 512;

/// `rule ::= ( "!"? option )*`
pub(in crate::dialect::iptables) fn rule<'a>(input: &'a str, out: &mut Rule<'a>) -> Read<'a, ()> {
    out.clear();
    let mut rest = input;
    let mut negation = None;
    while let Some((word, after)) = next_word(rest)? {
        rest = after;
        match word.0.as_bytes() {
            [b'#', ..] => break,
            b"!" if negation.is_none() => negation = Some(word.0),
            [b'-', _, ..] => {
                let found = find(word.0, out)?;
                rest = option(&found, negation.take().is_some(), rest, out)?;
            }
            _ => return Err(unexpected(word.0)),
        }
    }
    match negation {
        Some(at) => Err(Unread::new(at, "nothing follows the `!`")),
        None => Ok(()),
    }
}

fn unexpected(word: &str) -> Unread<'_> {
    let help = if word == "!" {
        "write one `!`"
    } else {
        "an option such as `-s` or `--dport` was expected here"
    };
    Unread::new(word, format!("unexpected `{word}`")).help(help)
}

/// Takes the arguments of an option, and puts it where it belongs. Returns what follows.
fn option<'a>(found: &Found<'a>, negated: bool, rest: &'a str, out: &mut Rule<'a>) -> Read<'a, &'a str> {
    let mut negated = negated;
    let (arguments, rest) = arguments(found, &mut negated, rest)?;
    let meaning = found.entry.map(|entry| entry.meaning);
    match meaning {
        Some(Meaning::Match) => {
            refuse_negation(negated, found.name)?;
            load(arguments, out)?;
        }
        Some(meaning @ (Meaning::Jump | Meaning::Goto)) => {
            refuse_negation(negated, found.name)?;
            if let Some(target) = out.target {
                let message = format!("a second target, after `{}`", target.name);
                return Err(Unread::new(arguments, message).help("a rule has one target"));
            }
            out.target = Some(Target {
                goto: meaning == Meaning::Goto,
                name: arguments,
            });
        }
        _ => {
            let term = Term {
                owner: found.owner,
                negated,
                entry: found.entry,
                name: found.name,
                arguments,
            };
            if found.owner == Owner::Target {
                out.parameters.push(term);
            } else {
                out.terms.push(term);
            }
            if out.terms.len() + out.parameters.len() > MAX_OPTIONS {
                return Err(Unread::new(
                    found.name,
                    format!("more than {MAX_OPTIONS} options in one rule"),
                ));
            }
        }
    }
    Ok(rest)
}

fn refuse_negation(negated: bool, name: &str) -> Read<'_, ()> {
    if negated {
        return Err(Unread::new(name, format!("`{name}` cannot be negated")));
    }
    Ok(())
}

fn load<'a>(name: &'a str, out: &mut Rule<'a>) -> Read<'a, ()> {
    if out.uses.len() >= MAX_MODULES {
        return Err(Unread::new(
            name,
            format!("more than {MAX_MODULES} matches in one rule"),
        ));
    }
    out.uses.push(Use {
        name,
        module: module_by_name(name),
    });
    Ok(())
}

/// The arguments of an option: one slice from the first to the last, and what follows.
fn arguments<'a>(found: &Found<'a>, negated: &mut bool, rest: &'a str) -> Read<'a, (&'a str, &'a str)> {
    let arity = match (found.entry, found.attached) {
        (Some(entry), Some(value)) if entry.arity == Arity::Zero => {
            return Err(Unread::new(value, format!("`{}` takes no argument", found.name)));
        }
        (_, Some(value)) => return Ok((value, rest)),
        (Some(entry), None) => entry.arity,
        (None, None) => return Ok(all_arguments(rest)),
    };
    match arity {
        Arity::Zero => Ok((end_of(found.name), rest)),
        Arity::Optional => Ok(match next_word(rest)? {
            Some((word, after)) if !word.0.starts_with(['-', '!', '#']) => (word.0, after),
            _ => (end_of(found.name), rest),
        }),
        Arity::One => some_arguments(found, negated, rest, 1),
        Arity::Two => some_arguments(found, negated, rest, 2),
        Arity::Counters => {
            let one = some_arguments(found, negated, rest, 1)?;
            if one.0.contains(',') {
                return Ok(one);
            }
            some_arguments(found, negated, rest, 2)
        }
    }
}

/// The next `count` words, after an old-fashioned `!` (`--dport ! 22`).
fn some_arguments<'a>(
    found: &Found<'a>,
    negated: &mut bool,
    rest: &'a str,
    count: usize,
) -> Read<'a, (&'a str, &'a str)> {
    let name = found.name;
    let is_text = found
        .entry
        .is_some_and(|entry| matches!(entry.meaning, Meaning::Silent | Meaning::Parameter));
    let mut start = skip_space(rest);
    let mut end = start;
    let mut taken = 0;
    while taken < count {
        let Some((word, after)) = next_word(end)? else {
            let plural = if count == 1 {
                "an argument"
            } else {
                "two arguments"
            };
            return Err(Unread::new(name, format!("`{name}` needs {plural}")));
        };
        if word.0 == "!" && taken == 0 && !*negated && !is_text {
            *negated = true;
            start = skip_space(after);
        } else {
            taken += 1;
        }
        end = after;
    }
    Ok((start.get(..start.len() - end.len()).unwrap_or(""), end))
}

/// Everything up to the next word that starts an option.
fn all_arguments(rest: &str) -> (&str, &str) {
    let start = skip_space(rest);
    let mut end = start;
    while let Ok(Some((word, after))) = next_word(end) {
        if word.0.starts_with(['-', '!', '#']) {
            break;
        }
        end = after;
    }
    let taken = start.get(..start.len() - end.len()).unwrap_or("");
    (taken.trim_end(), end)
}

/// The empty slice behind `text`.
fn end_of(text: &str) -> &str {
    text.get(text.len()..).unwrap_or("")
}
