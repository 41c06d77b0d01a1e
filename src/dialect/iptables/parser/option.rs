//! Which option a word means, and whose it is.
//!
//! Options are found as `getopt_long(3)` finds them for iptables: by their whole name or an unambiguous beginning of it,
//! among those of the modules loaded so far, `--name=value` and `-pvalue` included; a protocol's own module is loaded when
//! an option asks for it (iptables(8), "MATCH AND TARGET EXTENSIONS").

use super::value::protocol;
use super::word::bare;
use crate::dialect::iptables::ast::{Owner, Read, Rule, Term, Unread, Use};
use crate::dialect::iptables::names::{
    Arity, BUILTIN, Entry, Meaning, builtin_long, builtin_short, known_target, module_of_protocol,
};

/// More modules in one rule than this are refused: options are looked up among all of them.
pub(super) const MAX_MODULES: usize = 64;

/// Beginnings shorter than this are more likely a mistake than meant.
const MIN_BEGINNING: usize = 3;

/// An option that was found.
pub(super) struct Found<'a> {
    pub(super) owner: Owner,
    pub(super) entry: Option<&'static Entry>,
    /// As written, with its dashes, without `=value`.
    pub(super) name: &'a str,
    /// The value that is part of the same word.
    pub(super) attached: Option<&'a str>,
}

/// Beginnings that are meant though they are short: how `--to-destination` was long written.
const SHORT_BEGINNING: &str = "to";

/// Finds what a word that starts with a dash means.
pub(super) fn find<'a>(word: &'a str, out: &mut Rule<'a>) -> Read<'a, Found<'a>> {
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
        Some((owner, entry)) if entry.is_some() || is_option_name(name) => Ok(found((owner, entry))),
        _ => Err(unknown_option(written, name, out)),
    }
}

fn is_option_name(name: &str) -> bool {
    let valid = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    name.bytes().all(valid) && name.starts_with(|char: char| char.is_ascii_alphanumeric())
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
        Some(entry)
            if !long && attached.is_some() && !matches!(entry.meaning, Meaning::Match | Meaning::Goto) =>
        {
            let name = word.get(..name_end).unwrap_or(word);
            let help = match entry.arity {
                Arity::Zero => format!("write `{name}` alone"),
                _ => format!(
                    "iptables-restore refuses it: write `{name} {}`",
                    attached.unwrap_or("")
                ),
            };
            Err(Unread::new(word, format!("`{word}` is one word")).help(help))
        }
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
    if let Some(entry) = builtin_long(name) {
        return Some((Owner::Builtin, Some(entry)));
    }
    // Directly behind a module that is not known, an option is its own, whatever it is called.
    if let Some(owner @ Owner::Module(_)) = out.open {
        return Some((owner, None));
    }
    if let Some(place) = in_modules(out, |entry| entry.name == name) {
        return Some(place);
    }
    unique_beginning(name, out)
        .or_else(|| in_protocol(name, out))
        .or_else(|| in_unknown(out))
}

fn target_options(out: &Rule<'_>) -> &'static [Entry] {
    let known = out.target.and_then(|target| known_target(target.name));
    known.map_or(&[], |known| known.options)
}

/// The last loaded module that has such an option.
fn in_modules(out: &Rule<'_>, is_it: impl Fn(&Entry) -> bool) -> Option<(Owner, Option<&'static Entry>)> {
    out.uses.iter().enumerate().rev().find_map(|(at, used)| {
        let entry = used.module?.options.iter().find(|entry| is_it(entry))?;
        Some((Owner::Module(at), Some(entry)))
    })
}

/// The one option that begins so, as `getopt_long(3)` allows.
fn unique_beginning(name: &str, out: &Rule<'_>) -> Option<(Owner, Option<&'static Entry>)> {
    if name.len() < MIN_BEGINNING && name != SHORT_BEGINNING {
        return None;
    }
    // A type or a range: more likely cut off than meant.
    if matches!(name, "src-" | "dst-") {
        return None;
    }
    let of_target = target_options(out).iter().map(|entry| (Owner::Target, entry));
    let of_modules = out.uses.iter().enumerate().rev().flat_map(|(at, used)| {
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
        .all(|(_, other)| is_one_thing(other, entry))
        .then_some((owner, Some(entry)))
}

/// Whether two options ask the same.
fn is_one_thing(one: &Entry, other: &Entry) -> bool {
    let vague = |meaning| {
        matches!(
            meaning,
            Meaning::Test | Meaning::Detail | Meaning::Parameter | Meaning::Silent
        )
    };
    one.name == other.name || one.meaning == other.meaning && !vague(one.meaning)
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
    let module = module_of_protocol(protocol(bare(written))?)?;
    let exact = module.options.iter().find(|entry| entry.name == name);
    let entry = exact.or_else(|| {
        let is_long = name.len() >= MIN_BEGINNING;
        let mut begin = module
            .options
            .iter()
            .filter(|entry| is_long && entry.name.starts_with(name));
        begin
            .next()
            .filter(|entry| begin.all(|other| is_one_thing(other, entry)))
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

/// An option that can only belong to the module or target in front of it, which is not known.
fn in_unknown(out: &Rule<'_>) -> Option<(Owner, Option<&'static Entry>)> {
    out.open.map(|owner| (owner, None))
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

fn unknown_option<'a>(written: &'a str, name: &str, out: &Rule<'_>) -> Unread<'a> {
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
