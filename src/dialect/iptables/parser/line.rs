//! One line: a table, a declaration, a command, a comment, or something else.

use nom::bytes::complete::{tag, take_till, take_while1};
use nom::character::complete::{char, digit1, space0};
use nom::combinator::{all_consuming, opt, recognize};
use nom::sequence::{delimited, preceded, terminated};
use nom::{IResult, Parser};

use super::word::{bare, next_word, space, word};
use crate::dialect::iptables::ast::{Command, Declaration, Line, Read, Unread, Verb};
use crate::packet::Family;

pub(in crate::dialect::iptables) fn line(text: &str) -> Read<'_, Line<'_>> {
    let text = text.trim();
    Ok(match text.as_bytes().first() {
        None => Line::Blank,
        Some(b'#') => Line::Comment(text),
        Some(b'*') => {
            Line::Table(table(text).map_or(text, |(rest, name)| if is_blank(rest) { name } else { text }))
        }
        Some(b':') => {
            let (_, declaration) = declaration(text).map_err(|_| {
                Unread::new(text, "this declares no chain")
                    .help("a chain is declared as `:INPUT DROP [0:0]` or `:mine - [0:0]`")
            })?;
            Line::Declaration(declaration)
        }
        Some(b'C') if is_commit(text) => Line::Commit,
        Some(b'C') if text.starts_with("COMMIT") => {
            return Err(Unread::new(text, "unexpected text behind `COMMIT`"));
        }
        Some(b'-') => Line::Command(command(text, text)?),
        Some(b'[') => match counters(text) {
            Ok((rest, _)) if rest.starts_with('-') => Line::Command(command(text, rest)?),
            _ if text.as_bytes().get(1).is_some_and(u8::is_ascii_digit) => {
                return Err(Unread::new(text, "counters without a rule"));
            }
            _ => Line::Other(text),
        },
        Some(_) => match program(text) {
            Ok((rest, family)) if rest.starts_with('-') => {
                let mut command = command(text, rest)?;
                command.only = command.only.or(family);
                Line::Command(command)
            }
            _ => Line::Other(text),
        },
    })
}

fn table(input: &str) -> IResult<&str, &str> {
    preceded((char('*'), space0), name).parse(input)
}

/// `name ::= /[^ \t\n]+/`
fn name(input: &str) -> IResult<&str, &str> {
    take_while1(|char: char| !char.is_whitespace()).parse(input)
}

/// `declaration ::= ":" name space "-" (space counters)?`
fn declaration(input: &str) -> IResult<&str, Declaration<'_>> {
    let (rest, chain) = preceded(char(':'), name).parse(input)?;
    let (rest, default) = preceded(space0, name).parse(rest)?;
    let counters = match preceded(space0, all_consuming(opt(counters))).parse(rest) {
        Ok(_) => "",
        Err(_) => space(rest),
    };
    let declaration = Declaration {
        chain,
        default,
        counters,
    };
    Ok(("", declaration))
}

/// `counters ::= /\[[0-9]+:[0-9]+\]/`
fn counters(input: &str) -> IResult<&str, &str> {
    let both = recognize((digit1, char(':'), digit1));
    terminated(delimited(char('['), both, char(']')), space0).parse(input)
}

fn is_commit(text: &str) -> bool {
    text.strip_prefix("COMMIT").is_some_and(is_blank)
}

/// Nothing, or a comment.
fn is_blank(text: &str) -> bool {
    let text = space(text);
    text.is_empty() || text.starts_with('#')
}

/// `iptables`, `ip6tables`, also by path and behind `sudo`: the line of a script.
fn program(input: &str) -> IResult<&str, Option<Family>> {
    let (rest, _) = opt((tag("sudo"), space0)).parse(input)?;
    let (rest, path) = take_till(char::is_whitespace).parse(rest)?;
    let (rest, _) = space0.parse(rest)?;
    match path.rsplit('/').next() {
        Some("iptables" | "iptables-legacy" | "iptables-nft") => Ok((rest, Some(Family::V4))),
        Some("ip6tables" | "ip6tables-legacy" | "ip6tables-nft") => Ok((rest, Some(Family::V6))),
        _ => Err(nom::Err::Error(nom::error::Error::new(
            input,
            nom::error::ErrorKind::Tag,
        ))),
    }
}

/// `command ::= (counters space?)? ("-A" | "-I") space? bare rule`
///
/// Reads the other commands of iptables(8), "COMMANDS", too, which iptables-save never prints.
fn command<'a>(whole: &'a str, input: &'a str) -> Read<'a, Command<'a>> {
    let (mut rest, mut table, mut only) = (input, None, None);
    let (word, verb, attached) = loop {
        let Some((word, after)) = next_word(rest)? else {
            return Err(Unread::new(whole, "this line has no command").help("a rule starts with `-A CHAIN`"));
        };
        rest = after;
        match word.0 {
            "-t" | "--table" => {
                let Some((name, after)) = next_word(rest)? else {
                    return Err(Unread::new(word.0, "no table follows"));
                };
                (table, rest) = (Some(name), after);
            }
            "-4" | "--ipv4" => only = Some(Family::V4),
            "-6" | "--ipv6" => only = Some(Family::V6),
            "-w" | "--wait" => rest = after_number(rest),
            "-v" | "--verbose" | "-n" | "--numeric" | "--noflush" => {}
            _ => match short_verb(word.0) {
                Some((short, verb, chain)) => break (short, Some(verb), Some(chain)),
                None => break (word.0, verb(word.0), None),
            },
        }
    };
    let Some(verb) = verb else {
        return Err(
            Unread::new(word, format!("`{word}` is not a command")).help("a rule starts with `-A CHAIN`")
        );
    };
    let (chain, rest) = match attached {
        Some(chain) => (Some(chain), rest),
        None => plain(rest),
    };
    let chain = chain.map(bare);
    if let Some(chain) = chain.filter(|chain| chain.contains('"')) {
        return Err(
            Unread::new(chain, format!("`{chain}` is not the name of a chain"))
                .help("quotes go around the whole name, or are left out"),
        );
    }
    let takes_number = matches!(verb, Verb::Insert | Verb::Delete | Verb::Replace);
    let (number, rest) = match plain(rest) {
        (Some(number), after) if takes_number && number.bytes().all(|byte| byte.is_ascii_digit()) => {
            (Some(number), after)
        }
        _ => (None, rest),
    };
    Ok(Command {
        verb,
        word,
        table,
        only,
        chain,
        number,
        rest: space(rest),
    })
}

/// `plain ::= /([^-!#' \t\n"]|"([^"\\\n]|\\[^\n])*")([^ \t\n"]|"([^"\\\n]|\\[^\n])*")*/`
///
/// A word that is no option.
fn plain(input: &str) -> (Option<&str>, &str) {
    let input = space(input);
    match word(input) {
        Ok((rest, text)) if !bare(text).starts_with(['-', '!', '#', '\'']) => (Some(text), rest),
        _ => (None, input),
    }
}

fn after_number(input: &str) -> &str {
    match plain(input) {
        (Some(number), rest) if number.bytes().all(|byte| byte.is_ascii_digit()) => rest,
        _ => input,
    }
}

/// `-AINPUT`: a verb of one letter that changes rules, and the chain in the same word.
fn short_verb(word: &str) -> Option<(&str, Verb, &str)> {
    let (short, chain) = word.split_at_checked(2)?;
    let is_name = !chain.is_empty() && !bare(chain).starts_with(['-', '!', '#', '\'']);
    let has_rule = matches!(short, "-A" | "-I" | "-D" | "-R");
    Some((short, verb(short).filter(|_| is_name && has_rule)?, chain))
}

fn verb(word: &str) -> Option<Verb> {
    Some(match word {
        "-A" | "--append" => Verb::Append,
        "-I" | "--insert" => Verb::Insert,
        "-D" | "--delete" => Verb::Delete,
        "-R" | "--replace" => Verb::Replace,
        "-P" | "--policy" => Verb::Policy,
        "-N" | "--new-chain" | "--new" => Verb::NewChain,
        "-X" | "--delete-chain" => Verb::DeleteChain,
        "-F" | "--flush" => Verb::Flush,
        "-Z" | "--zero" | "-L" | "--list" | "-S" | "--list-rules" | "-C" | "--check" => Verb::Nothing,
        "-E" | "--rename-chain" => Verb::Other,
        _ => return None,
    })
}
