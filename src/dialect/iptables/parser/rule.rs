//! A rule: its options in order, their negations and arguments.

use super::option::{Found, MAX_MODULES, find};
use super::word::{bare, next_word, space};
use crate::dialect::iptables::ast::{Owner, Read, Rule, Target, Term, Unread, Use, Word};
use crate::dialect::iptables::names::{Arity, Meaning, known_module, known_target};

/// More options in one rule than this are refused: those of one module are looked at together.
const MAX_OPTIONS: usize = 512;

/// `rule ::= (space term)* (space ( "-p" space protocol (space term)* | ("!" space "-p" space | "-p" space "!"
///     space)
///     /tcp|udp|icmp|sctp|esp|gre|vrrp|[1-9][0-9]?|1[0-9][0-9]|2[0-4][0-9]|25[0-5]|0+([1-7][0-7]?|[1-3][0-7][0-7])/
///     (space term)* | "-p" space "tcp" (space ("-m" space? "tcp" | ports | "--syn" | "!" space "--syn" | ("!"
///     space)? "--tcp-flags" space tcp-flags space tcp-flags | "--tcp-flags" space "!" space tcp-flags space
///     tcp-flags | term))* | "-p" space "udp" (space ("-m" space? "udp" | ("!" space)?
///     /--(spo(r(t)?)?|dpo(r(t)?)?|source-(p(o(r(t)?)?)?)?|destination-(p(o(r(t)?)?)?)?)/ (space | "=")
///     decimal-range | /--(spo(r(t)?)?|dpo(r(t)?)?|source-(p(o(r(t)?)?)?)?|destination-(p(o(r(t)?)?)?)?)/ space
///     "!" space decimal-range | term))* | "-p" space "sctp" (space ("-m" space? "sctp" | ports | term))* |
///     "-p" space /tcp|udp|sctp/ space "-m" space? "multiport" space (("!" space)?
///     /--(spo(r(t(s)?)?)?|dpo(r(t(s)?)?)?|por(t(s)?)?)/ (space | "=") port-list |
///     /--(spo(r(t(s)?)?)?|dpo(r(t(s)?)?)?|por(t(s)?)?)/ space "!" space port-list) (space (("!" space)?
///     /--(spo(r(t(s)?)?)?|dpo(r(t(s)?)?)?|por(t(s)?)?)/ (space | "=") port-list |
///     /--(spo(r(t(s)?)?)?|dpo(r(t(s)?)?)?|por(t(s)?)?)/ space "!" space port-list | term))* | "-p" space
///     "icmp" (space ("-m" space? "icmp" | ("!" space)? /--icm(p(-(t(y(p(e)?)?)?)?)?)?/ (space | "=")
///     icmp-types | /--icm(p(-(t(y(p(e)?)?)?)?)?)?/ space "!" space icmp-types | term))* ))? (space target
///     (space term)*)? (space comment)?`
pub(in crate::dialect::iptables) fn rule<'a>(input: &'a str, out: &mut Rule<'a>) -> Read<'a, ()> {
    out.clear();
    let mut rest = input;
    let mut negation = None;
    while let Some((word, after)) = next_option(rest)? {
        rest = after;
        let word = bare(word.0);
        match word.as_bytes() {
            b"!" if negation.is_none() => negation = Some(word),
            [b'-', _, ..] => {
                let found = find(word, out)?;
                rest = option(&found, negation.take().is_some(), rest, out)?;
            }
            _ => return Err(unexpected(word)),
        }
    }
    match negation {
        Some(at) => Err(Unread::new(at, "nothing follows the `!`")),
        None => Ok(()),
    }
}

/// The next word; `None` at the end or where a comment begins.
fn next_option(rest: &str) -> Read<'_, Option<(Word<'_>, &str)>> {
    let rest = space(rest);
    if rest.starts_with('#') {
        Ok(None)
    } else {
        next_word(rest)
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
    let is_named = matches!(meaning, Some(Meaning::Match | Meaning::Jump | Meaning::Goto));
    let arguments = if is_named { bare(arguments) } else { arguments };
    match meaning {
        _ if is_named && arguments.starts_with(['-', '!', '#', '\'']) => {
            return Err(Unread::new(found.name, format!("`{}` needs a name", found.name)));
        }
        _ if is_named && arguments.contains('"') => {
            return Err(Unread::new(arguments, format!("`{arguments}` is not a name"))
                .help("quotes go around the whole name, or are left out"));
        }
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
            let goto = meaning == Meaning::Goto;
            out.open = (!goto && known_target(arguments).is_none()).then_some(Owner::Target);
            out.target = Some(Target {
                goto,
                name: arguments,
            });
        }
        _ => {
            out.open = out.open.filter(|_| found.entry.is_none());
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
    let module = known_module(name);
    out.open = module.is_none().then_some(Owner::Module(out.uses.len()));
    out.uses.push(Use { name, module });
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
        (None, None) => return Ok(all_arguments(negated, rest)),
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
    let mut start = space(rest);
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
            start = space(after);
        } else {
            taken += 1;
        }
        end = after;
    }
    Ok((start.get(..start.len() - end.len()).unwrap_or(""), end))
}

/// Everything up to the next word that starts an option, after an old-fashioned `!`.
fn all_arguments<'a>(negated: &mut bool, rest: &'a str) -> (&'a str, &'a str) {
    let mut start = space(rest);
    if let Some(after) = start.strip_prefix('!').map(space)
        && after.len() + 1 < start.len()
        && !*negated
        && matches!(next_word(after), Ok(Some((word, _))) if !word.0.starts_with(['-', '!', '#']))
    {
        *negated = true;
        start = after;
    }
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
