//! Text of `ipset save` to [`ast`](super::ast), line by line.
//!
//! INVARIANT: nothing here recurses, and every slice that is returned is a slice of the input.

use std::net::Ipv4Addr;

use super::ast::{Change, Create, Line, Read, Unread};
use super::element::{network, port_range};
use super::names::{Argument, OF_ADD, OF_CREATE, Part, kind_by_name, takes};
use crate::packet::Family;

/// The longest name of a set: `IPSET_MAXNAMELEN` less its terminator.
pub(in crate::dialect) const MAX_NAME_BYTES: usize = 31;

/// `lines ::= line (/\n/ line)*`
pub(super) fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.split('\n')
}

/// `line ::= blank? ((create | change | "flush" (blank name)? | "destroy" (blank name)? | "swap" blank name blank name |
///     "rename" blank name blank name | "COMMIT") blank? | /#[^\n]*/)?`
///
/// Reads one line. ipset(8), "restore": its commands are those of the command line.
pub(super) fn line(text: &str) -> Read<'_, Line<'_>> {
    let text = text.trim();
    let mut words = Words { rest: text };
    let Some(verb) = words.next().filter(|verb| !verb.starts_with('#')) else {
        return Ok(Line::Blank);
    };
    let line = match verb {
        "create" | "-N" => return create(&mut words, verb),
        "add" | "-A" => return change(&mut words, verb).map(Line::Add),
        "del" | "-D" => return change(&mut words, verb).map(Line::Delete),
        "flush" | "-F" => Line::Flush(words.opt_name(verb)?),
        "destroy" | "-X" => Line::Destroy(words.opt_name(verb)?),
        "swap" | "-W" => Line::Swap(words.name(verb)?, words.name(verb)?),
        "rename" | "-E" => Line::Rename(words.name(verb)?, words.name(verb)?),
        "COMMIT" => Line::Blank,
        _ => {
            return Err(Unread::new(verb, format!("`{verb}` is not a command"))
                .help("a set starts with `create NAME TYPE`, an element with `add NAME`"));
        }
    };
    match words.next() {
        None => Ok(line),
        Some(word) => Err(Unread::new(word, format!("unexpected `{word}`"))),
    }
}

/// The words of a line.
struct Words<'a> {
    rest: &'a str,
}

impl<'a> Iterator for Words<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        self.rest = blank(self.rest);
        let quoted = self.rest.strip_prefix('"').and_then(|rest| rest.find('"'));
        let is_whole = |at: &usize| {
            self.rest
                .get(at + 2..)
                .is_some_and(|rest| !rest.starts_with(|c: char| !c.is_whitespace()))
        };
        let end = match quoted.filter(is_whole) {
            Some(at) => at + 2,
            None => self.rest.find(char::is_whitespace).unwrap_or(self.rest.len()),
        };
        let (word, rest) = self.rest.split_at_checked(end)?;
        self.rest = rest;
        (!word.is_empty()).then_some(word)
    }
}

/// `blank ::= /[ \t]+/`
///
/// White space skipped.
fn blank(text: &str) -> &str {
    text.trim_start()
}

impl<'a> Words<'a> {
    /// `name ::= /[^ \t\n"#-][^ \t\n"]{0,30}/`
    fn name(&mut self, before: &'a str) -> Read<'a, &'a str> {
        let help = format!("names of sets are 1 to {MAX_NAME_BYTES} bytes long");
        match self.next() {
            Some(name)
                if name.len() <= MAX_NAME_BYTES && !name.starts_with(['-', '#']) && !name.contains('"') =>
            {
                Ok(name)
            }
            Some(name) => Err(Unread::new(name, format!("`{name}` is not the name of a set")).help(help)),
            None => Err(Unread::new(before, format!("`{before}` needs the name of a set"))),
        }
    }

    /// A name, if anything follows.
    fn opt_name(&mut self, before: &'a str) -> Read<'a, Option<&'a str>> {
        if blank(self.rest).is_empty() {
            return Ok(None);
        }
        self.name(before).map(Some)
    }

    /// `argument ::= /"[^"\n]*"|[^ \t\n"]+/`
    fn argument(&mut self, option: &'a str) -> Read<'a, &'a str> {
        let word = self
            .next()
            .ok_or_else(|| Unread::new(option, format!("`{option}` needs an argument")))?;
        let inner = word.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        if inner.unwrap_or(word).contains('"') {
            return Err(Unread::new(word, "a quote within a word"));
        }
        Ok(word)
    }
}

/// `create ::= "create" blank name blank kind (blank create-option)*`
fn create<'a>(words: &mut Words<'a>, verb: &'a str) -> Read<'a, Line<'a>> {
    let name = words.name(verb)?;
    let Some(written) = words.next() else {
        return Err(Unread::new(name, format!("`{name}` is created without a type")));
    };
    let kind = kind_by_name(written)
        .ok_or_else(|| Unread::new(written, format!("`{written}` is not a type of sets")))?;
    // What takes context is looked at behind what does not.
    let mut options = Vec::new();
    while let Some(option) = words.next() {
        options.push(create_option(option, words)?);
    }
    let mut create = Create {
        name,
        kind,
        family: kind.has_family().then_some(Family::V4),
        range: None,
        mask: None,
        mark_mask: u32::MAX,
        timeout: None,
        has_counters: false,
    };
    for option in &options {
        set_up(&mut create, option)?;
    }
    if kind.is_bitmap() && create.range.is_none() {
        return Err(Unread::new(written, format!("`{written}` without `range`")));
    }
    let is_mask = |option: &&CreateOption<'a>| matches!(option.name, "netmask" | "bitmask");
    if let Some(mask) = options.iter().rfind(is_mask) {
        create.mask = Some(address_mask(mask.argument, create.family.unwrap_or(Family::V4))?);
    }
    Ok(Line::Create(create))
}

/// One option of `create` with its argument.
struct CreateOption<'a> {
    name: &'a str,
    argument: &'a str,
    /// The argument, if it is a number.
    number: u64,
}

/// `create-option ::= "family" blank ("inet" | "inet6") | "range" blank argument | ("netmask" | "bitmask") blank argument |
///     ("markmask" | "timeout" | "hashsize" | "maxelem" | "bucketsize" | "initval" | "size") blank number | "counters" |
///     "comment" | "skbinfo" | "forceadd" | "-exist"`
fn create_option<'a>(option: &'a str, words: &mut Words<'a>) -> Read<'a, CreateOption<'a>> {
    let Some((_, takes)) = OF_CREATE.iter().find(|(name, _)| *name == option) else {
        return Err(Unread::new(option, format!("unknown option `{option}`")));
    };
    let mut read = CreateOption {
        name: option,
        argument: option,
        number: 0,
    };
    if *takes != Argument::None {
        read.argument = words.argument(option)?;
    }
    match takes {
        Argument::Number => read.number = number(read.argument)?,
        Argument::Family if !matches!(read.argument, "inet" | "inet6") => {
            return Err(Unread::new(
                read.argument,
                format!("`{}` is not a family", read.argument),
            ));
        }
        _ => {}
    }
    Ok(read)
}

/// Does what an option says, if the type of the set takes it.
fn set_up<'a>(create: &mut Create<'a>, option: &CreateOption<'a>) -> Read<'a, ()> {
    if !takes(create.kind, option.name) {
        let message = format!("`{}` is no option of a `{}`", option.name, create.kind.name);
        return Err(Unread::new(option.name, message));
    }
    match option.name {
        "family" if option.argument == "inet6" => create.family = Some(Family::V6),
        "range" if create.kind.parts == [Part::Port] => create.range = Some(port_range(option.argument)?),
        "range" => {
            let found = network(option.argument, Family::V4)?;
            create.range = Some((found.low, found.high));
        }
        "timeout" => create.timeout = Some(option.number),
        "markmask" => create.mark_mask = u32::try_from(option.number).unwrap_or(u32::MAX),
        "counters" => create.has_counters = true,
        _ => {}
    }
    Ok(())
}

/// `change ::= ("add" | "del") blank name blank member (blank add-option)*`
fn change<'a>(words: &mut Words<'a>, verb: &'a str) -> Read<'a, Change<'a>> {
    let name = words.name(verb)?;
    let element = words.argument(name)?;
    if element.starts_with('"') {
        return Err(Unread::new(element, "elements are written without quotes"));
    }
    let mut change = Change {
        name,
        element,
        timeout: None,
        nomatch: false,
        wildcard: false,
    };
    while let Some(option) = words.next() {
        add_option(&mut change, option, words)?;
    }
    Ok(change)
}

/// `add-option ::= ("timeout" | "packets" | "bytes" | "skbqueue") blank number | "nomatch" | "wildcard" | ("comment" |
///     "skbmark" | "skbprio" | "before" | "after") blank argument | "-exist"`
fn add_option<'a>(change: &mut Change<'a>, option: &'a str, words: &mut Words<'a>) -> Read<'a, ()> {
    let Some((name, argument)) = OF_ADD.iter().find(|(name, _)| *name == option) else {
        return Err(Unread::new(option, format!("unknown option `{option}`")));
    };
    match (*name, argument) {
        ("nomatch", _) => change.nomatch = true,
        ("wildcard", _) => change.wildcard = true,
        ("timeout", _) => change.timeout = Some(number(words.argument(option)?)?),
        (_, Argument::None) => {}
        (_, Argument::Number) => {
            number(words.argument(option)?)?;
        }
        _ => {
            words.argument(option)?;
        }
    }
    Ok(())
}

/// `number ::= /[0-9]{1,19}|0x[0-9a-fA-F]{1,16}/`
fn number(text: &str) -> Read<'_, u64> {
    let read = match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    };
    read.filter(|_| !text.contains('+'))
        .ok_or_else(|| Unread::new(text, format!("`{text}` is not a number")))
}

/// A prefix length, or the bits themselves. ipset 7.17 prints a mask of its own with a prefix that says nothing.
fn address_mask(text: &str, family: Family) -> Read<'_, u128> {
    let wrong = || Unread::new(text, format!("`{text}` is not a mask"));
    let bits = family.bits();
    if let Ok(prefix) = text.parse::<u32>() {
        if prefix == 0 || prefix > bits || text.starts_with('+') {
            return Err(wrong());
        }
        return Ok(family.max() & !u128::MAX.checked_shr(128 - (bits - prefix)).unwrap_or(0));
    }
    let address = text.split_once('/').map_or(text, |(address, _)| address);
    match family {
        Family::V4 => address
            .parse::<Ipv4Addr>()
            .map(|mask| u128::from(u32::from(mask)))
            .map_err(|_| wrong()),
        Family::V6 => address
            .parse::<std::net::Ipv6Addr>()
            .map(u128::from)
            .map_err(|_| wrong()),
    }
}
