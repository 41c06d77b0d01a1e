//! Options of a rule: which module each belongs to, its negation and its arguments.
//!
//! Options are found as getopt_long finds them for iptables: by their whole name or an unambiguous beginning of it, among
//! those of the modules loaded so far, `--name=value` and `-pvalue` included; a protocol's own module is loaded when an
//! option asks for it (iptables(8), "MATCH AND TARGET EXTENSIONS").

use super::value::protocol;
use super::word::{next_word, skip_space};
use crate::dialect::iptables::ast::{Owner, Read, Rule, Target, Term, Unread, Use};
use crate::dialect::iptables::names::{
    Arity, BUILTIN, Entry, Meaning, builtin_long, builtin_short, module_by_name, module_of_protocol,
    target_by_name,
};

/// More modules in one rule than this are refused: options are looked up among all of them.
const MAX_MODULES: usize = 64;

/// More options in one rule than this are refused: those of one module are looked at together.
const MAX_OPTIONS: usize = 512;

/// An option that was found.
struct Found<'a> {
    owner: Owner,
    entry: Option<&'static Entry>,
    /// As written, with its dashes, without `=value`.
    name: &'a str,
    /// The value that is part of the same word.
    attached: Option<&'a str>,
}

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
                rest = option(found, negation.take().is_some(), rest, out)?;
            }
            _ => return Err(unexpected(word.0)),
        }
    }
    match negation {
        Some(at) => Err(Unread::new(at, "nothing follows the `!`")),
        None => Ok(()),
    }
}

fn unexpected(word: &str) -> Box<Unread<'_>> {
    let help = if word == "!" {
        "write one `!`"
    } else {
        "an option such as `-s` or `--dport` was expected here"
    };
    Unread::new(word, format!("unexpected `{word}`")).help(help)
}

/// Takes the arguments of an option, and puts it where it belongs. Returns what follows.
fn option<'a>(found: Found<'a>, negated: bool, rest: &'a str, out: &mut Rule<'a>) -> Read<'a, &'a str> {
    let mut negated = negated;
    let (arguments, rest) = arguments(&found, &mut negated, rest)?;
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

fn refuse_negation<'a>(negated: bool, name: &'a str) -> Read<'a, ()> {
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
        Arity::One => some_arguments(found.name, negated, rest, 1),
        Arity::Two => some_arguments(found.name, negated, rest, 2),
        Arity::Counters => {
            let one = some_arguments(found.name, negated, rest, 1)?;
            if one.0.contains(',') {
                return Ok(one);
            }
            some_arguments(found.name, negated, rest, 2)
        }
    }
}

/// The next `count` words, after an old-fashioned `!` (`--dport ! 22`).
fn some_arguments<'a>(
    name: &'a str,
    negated: &mut bool,
    rest: &'a str,
    count: usize,
) -> Read<'a, (&'a str, &'a str)> {
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
        if word.0 == "!" && taken == 0 && !*negated {
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

/// Finds what a word that starts with a dash means.
fn find<'a>(word: &'a str, out: &mut Rule<'a>) -> Read<'a, Found<'a>> {
    let Some(long) = word.strip_prefix("--") else {
        return short(word, out);
    };
    let (name, attached) = match long.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (long, None),
    };
    let written = word.get(..name.len() + 2).unwrap_or(word);
    let found = |(owner, entry)| Found {
        owner,
        entry,
        name: written,
        attached,
    };
    match lookup(name, out) {
        Some(place) => Ok(found(place)),
        None => Err(unknown_option(written, name, out)),
    }
}

/// `-p`, or `-pVALUE` in one word.
fn short<'a>(word: &'a str, out: &Rule<'a>) -> Read<'a, Found<'a>> {
    let letter = word.chars().nth(1).unwrap_or('-');
    let name_end = 1 + letter.len_utf8();
    let attached = word.get(name_end..).filter(|value| !value.is_empty());
    let meant = word.get(1..).unwrap_or("");
    let long =
        meant.len() > 2 && (candidates(out).any(|name| name == meant) || matches!(meant, "dport" | "sport"));
    match builtin_short(letter) {
        Some(entry) if !long => Ok(Found {
            owner: Owner::Builtin,
            entry: Some(entry),
            name: word.get(..name_end).unwrap_or(word),
            attached,
        }),
        _ if long => {
            Err(Unread::new(word, format!("unknown option `{word}`"))
                .help(format!("did you mean `-{word}`?")))
        }
        _ => Err(Unread::new(word, format!("unknown option `{word}`"))),
    }
}

/// Whose option a long name is, loading the protocol's module if that knows it.
fn lookup<'a>(name: &'a str, out: &mut Rule<'a>) -> Option<(Owner, Option<&'static Entry>)> {
    let in_target = target_options(out).iter().find(|entry| entry.name == name);
    if let Some(entry) = in_target {
        return Some((Owner::Target, Some(entry)));
    }
    if let Some(place) = in_modules(out, |entry| entry.name == name) {
        return Some(place);
    }
    if let Some(entry) = builtin_long(name) {
        return Some((Owner::Builtin, Some(entry)));
    }
    unique_beginning(name, out)
        .or_else(|| in_protocol(name, out))
        .or_else(|| in_unknown(out))
}

fn target_options(out: &Rule<'_>) -> &'static [Entry] {
    let known = out.target.and_then(|target| target_by_name(target.name));
    known.map_or(&[], |known| known.options)
}

/// The last loaded module that has such an option.
fn in_modules(out: &Rule<'_>, is_it: impl Fn(&Entry) -> bool) -> Option<(Owner, Option<&'static Entry>)> {
    out.uses.iter().enumerate().rev().find_map(|(at, used)| {
        let entry = used.module?.options.iter().find(|entry| is_it(entry))?;
        Some((Owner::Module(at), Some(entry)))
    })
}

/// The one option that begins so, as getopt_long(3) allows.
fn unique_beginning(name: &str, out: &Rule<'_>) -> Option<(Owner, Option<&'static Entry>)> {
    let of_target = target_options(out).iter().map(|entry| (Owner::Target, entry));
    let of_modules = out.uses.iter().enumerate().flat_map(|(at, used)| {
        let options = used.module.map_or(&[][..], |module| module.options);
        options.iter().map(move |entry| (Owner::Module(at), entry))
    });
    let builtin = BUILTIN.iter().map(|(_, entry)| (Owner::Builtin, entry));
    let mut begin = of_target
        .chain(of_modules)
        .chain(builtin)
        .filter(|(_, entry)| entry.name.starts_with(name));
    let (owner, entry) = begin.next()?;
    // Two names of one thing are not ambiguous.
    begin
        .all(|(_, other)| other.meaning == entry.meaning && other.meaning != Meaning::Test)
        .then_some((owner, Some(entry)))
}

/// An option of the module that the rule's protocol loads.
fn in_protocol<'a>(name: &str, out: &mut Rule<'a>) -> Option<(Owner, Option<&'static Entry>)> {
    let of_protocol = |term: &&Term<'a>| term.entry.is_some_and(|entry| entry.meaning == Meaning::Protocol);
    let written = out
        .terms
        .iter()
        .find(of_protocol)
        .filter(|term| !term.negated)?
        .arguments;
    let module = module_of_protocol(protocol(written)?)?;
    let exact = module.options.iter().find(|entry| entry.name == name);
    let entry = exact.or_else(|| {
        let mut begin = module.options.iter().filter(|entry| entry.name.starts_with(name));
        begin
            .next()
            .filter(|entry| begin.all(|other| other.meaning == entry.meaning))
    })?;
    if out.uses.len() >= MAX_MODULES {
        return None;
    }
    out.uses.push(Use {
        name: written,
        module: Some(module),
    });
    Some((Owner::Module(out.uses.len() - 1), Some(entry)))
}

/// An option that can only belong to a module or target that is not known.
fn in_unknown(out: &Rule<'_>) -> Option<(Owner, Option<&'static Entry>)> {
    if out
        .target
        .is_some_and(|target| target_by_name(target.name).is_none())
    {
        return Some((Owner::Target, None));
    }
    let at = out.uses.iter().rposition(|used| used.module.is_none())?;
    Some((Owner::Module(at), None))
}

/// The names of all options that the rule has so far.
fn candidates<'r>(out: &'r Rule<'_>) -> impl Iterator<Item = &'static str> + 'r {
    let of_modules = out
        .uses
        .iter()
        .filter_map(|used| used.module)
        .flat_map(|module| module.options);
    let builtin = BUILTIN.iter().map(|(_, entry)| entry);
    target_options(out)
        .iter()
        .chain(of_modules)
        .chain(builtin)
        .map(|entry| entry.name)
}

fn unknown_option<'a>(written: &'a str, name: &str, out: &Rule<'_>) -> Box<Unread<'a>> {
    let unread = Unread::new(written, format!("unknown option `{written}`"));
    let of_protocol = ["dport", "sport", "tcp-flags", "syn", "icmp-type", "icmpv6-type"];
    if of_protocol.contains(&name) {
        return unread.help(format!(
            "`{written}` needs a protocol that has it, such as `-p tcp`, in front of it"
        ));
    }
    let dashed = candidates(out).chain(of_protocol);
    match closest(name, dashed) {
        Some(meant) => unread.help(format!("did you mean `--{meant}`?")),
        None => unread.help("the module that has it must be loaded in front of it with `-m`"),
    }
}

/// The candidate that is at most two edits away.
fn closest<'c>(name: &str, candidates: impl Iterator<Item = &'c str>) -> Option<&'c str> {
    if name.len() > 40 {
        return None;
    }
    let near = candidates.map(|candidate| (edits(name.as_bytes(), candidate.as_bytes()), candidate));
    near.filter(|(edits, candidate)| *edits <= 2 && *edits < candidate.len().div_ceil(2))
        .min()
        .map(|(_, candidate)| candidate)
}

/// How many bytes must be put in, left out or changed to make one into the other.
fn edits(left: &[u8], right: &[u8]) -> usize {
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (at, byte) in left.iter().enumerate() {
        let mut diagonal = at;
        let mut before = at + 1;
        if let Some(first) = row.first_mut() {
            *first = before;
        }
        for (cell, other) in row.iter_mut().skip(1).zip(right) {
            let changed = diagonal + usize::from(byte != other);
            diagonal = *cell;
            before = changed.min(before + 1).min(diagonal + 1);
            *cell = before;
        }
    }
    row.last().copied().unwrap_or(0)
}
