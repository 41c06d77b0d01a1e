//! Rows: peers, arrow, services and what follows them.

use nom::Parser as _;
use nom::branch::alt;
use nom::combinator::{cut, opt};
use nom::multi::separated_list1;
use nom::sequence::terminated;

use super::Reader;
use super::token::{
    Expected, Res, any_token, consumed, date, keyword, miss, name, refuse, string, symbol, trivia, word,
};
use crate::policy::ast;
use crate::policy::error::ErrorKind;
use crate::policy::near::did_you_mean;
use crate::policy::row::{Choice, Kind};
use crate::source::Spanned;

/// The words and kinds of what may follow a row's services, in their order.
const OPTIONS: [&str; 6] = ["when", "owner", "expires", "severity", "tags", "row"];

impl<'a> Reader<'a> {
    /// `row ::= kind (name ":")? peers "->" peers ":" services when? owner? expires? severity? tags? string? place?`
    pub(super) fn row(&self, input: &'a str) -> Res<'a, ast::Row> {
        let (rest, kind) = self.kind(input)?;
        let (rest, id) = opt(terminated(|i| self.name("an id", i), symbol(":"))).parse(rest)?;
        let (rest, from) = self.peers(rest)?;
        let (rest, _) = arrow(rest)?;
        let (rest, to) = self.peers(rest)?;
        let (rest, _) = symbol(":")(rest)?;
        let (rest, services) = self.services(rest)?;
        let (rest, when) = opt(|i| self.when(i)).parse(rest)?;
        let (rest, owner) = opt(|i| self.owner(i)).parse(rest)?;
        let (rest, expires) = opt(|i| self.expires(i)).parse(rest)?;
        let (rest, severity) = opt(|i| self.severity(i)).parse(rest)?;
        let (rest, tags) = opt(|i| self.tags(i)).parse(rest)?;
        let (rest, purpose) = opt(|i| self.string(i)).parse(rest)?;
        let (rest, place) = opt(|i| self.place(i)).parse(rest)?;
        let row = ast::Row {
            kind,
            id,
            from,
            to,
            services,
            when,
            owner,
            expires,
            severity,
            tags: tags.unwrap_or_default(),
            purpose,
            place,
        };
        late_option(rest).map(|()| (rest, row))
    }

    /// `kind ::= "require" | "allow" | "forbid"`
    fn kind(&self, input: &'a str) -> Res<'a, Spanned<Kind>> {
        let (rest, word) = alt((keyword("require"), keyword("allow"), keyword("forbid"))).parse(input)?;
        let kind = match word {
            "require" => Kind::Require,
            "allow" => Kind::Allow,
            _ => Kind::Forbid,
        };
        Ok((rest, self.spanned(word, kind)))
    }

    /// `peers ::= peer (("," peer)+ | ("|" peer)+)?`
    fn peers(&self, input: &'a str) -> Res<'a, Choice<ast::Peer>> {
        choice(input, |i| self.peer(i))
    }

    /// `services ::= service (("," service)+ | ("|" service)+)?`
    pub(super) fn services(&self, input: &'a str) -> Res<'a, Choice<ast::Service>> {
        choice(input, |i| self.service(i))
    }

    /// `peer ::= "self" | "any" | "*" | string | name ("." name)?`
    fn peer(&self, input: &'a str) -> Res<'a, Spanned<ast::Peer>> {
        let start = trivia(input);
        if start.starts_with('"') {
            let (rest, host) = self.string(start)?;
            return Ok((rest, host.map(ast::Peer::Host)));
        }
        if let Ok((rest, star)) = symbol("*")(start) {
            return Ok((rest, self.spanned(star, ast::Peer::Every)));
        }
        match word(start) {
            Some((rest, found @ "self")) => Ok((rest, self.spanned(found, ast::Peer::This))),
            Some((rest, found @ "any")) => Ok((rest, self.spanned(found, ast::Peer::Any))),
            Some(_) => self.named_peer(start),
            None => address(start),
        }
    }

    fn named_peer(&self, start: &'a str) -> Res<'a, Spanned<ast::Peer>> {
        let (rest, first) = name("a zone, a role or a host name in quotes")(start)?;
        let Ok((after_dot, _)) = symbol(".")(rest) else {
            return Ok((rest, self.spanned(first, ast::Peer::Name(first.to_owned()))));
        };
        let (rest, role) = name("a role")(after_dot)?;
        if rest.starts_with('.') {
            let end = start.find(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c)));
            let host = start.get(..end.unwrap_or(start.len())).unwrap_or(start);
            return refuse(
                host,
                ErrorKind::UnquotedHost {
                    host: host.to_owned(),
                },
            );
        }
        let peer = ast::Peer::Qualified {
            policy: first.to_owned(),
            role: role.to_owned(),
        };
        Ok((rest, self.spanned(consumed(start, rest), peer)))
    }

    /// `owner ::= "owner" string`
    fn owner(&self, input: &'a str) -> Res<'a, Spanned<String>> {
        let (rest, _) = keyword("owner")(input)?;
        cut(|i| self.string(i)).parse(rest)
    }

    /// `expires ::= "expires" date`
    fn expires(&self, input: &'a str) -> Res<'a, Spanned<ast::Date>> {
        let (rest, _) = keyword("expires")(input)?;
        self.day(rest)
    }

    /// A date that must stand here.
    pub(super) fn day(&self, rest: &'a str) -> Res<'a, Spanned<ast::Date>> {
        let Ok((after, text)) = date(rest) else {
            return not_a_date(trivia(rest));
        };
        match ast::Date::of_text(text) {
            Some(date) => Ok((after, self.spanned(text, date))),
            None => not_a_date(trivia(rest)),
        }
    }

    /// `severity ::= "severity" ("error" | "warning" | "note")`
    fn severity(&self, input: &'a str) -> Res<'a, Spanned<ast::RowSeverity>> {
        let (rest, _) = keyword("severity")(input)?;
        let Some((after, word)) = word(rest) else {
            return cut(|i| miss(i, Expected::Something("`error`, `warning` or `note`"))).parse(rest);
        };
        let severity = match word {
            "error" => ast::RowSeverity::Error,
            "warning" => ast::RowSeverity::Warning,
            "note" => ast::RowSeverity::Note,
            _ => {
                let hint = did_you_mean(
                    word,
                    ["error", "warning", "note"],
                    "it is `error`, `warning` or `note`",
                );
                return refuse(
                    word,
                    ErrorKind::UnknownSeverity {
                        word: word.to_owned(),
                        hint,
                    },
                );
            }
        };
        Ok((after, self.spanned(word, severity)))
    }

    /// `tags ::= "tags" string ("," string)*`
    fn tags(&self, input: &'a str) -> Res<'a, Vec<Spanned<String>>> {
        let (rest, _) = keyword("tags")(input)?;
        separated_list1(symbol(","), cut(|i| self.string(i))).parse(rest)
    }

    /// `place ::= "row" number`
    fn place(&self, input: &'a str) -> Res<'a, Spanned<u64>> {
        let (rest, _) = keyword("row")(input)?;
        cut(|i| self.number(|number| ErrorKind::NumberTooLarge { number }, i)).parse(rest)
    }
}

/// Items with one kind of separator between them.
fn choice<'a, T>(input: &'a str, item: impl Fn(&'a str) -> Res<'a, Spanned<T>>) -> Res<'a, Choice<T>> {
    let (mut rest, first) = item(input)?;
    let mut items = vec![first];
    let mut separator = None;
    while let Ok((after, found)) = alt((symbol(","), symbol("|"))).parse(rest) {
        if *separator.get_or_insert(found) != found {
            return refuse(found, ErrorKind::MixedChoice {});
        }
        let (after, next) = item(after)?;
        items.push(next);
        rest = after;
    }
    let one_of = separator == Some("|");
    Ok((rest, Choice { items, one_of }))
}

fn arrow(input: &str) -> Res<'_, &str> {
    let start = trivia(input);
    if let Ok(matched) = symbol("->")(start) {
        return Ok(matched);
    }
    for wrong in ["<->", "<-", "<=", "=>", "-->", "→", "←"] {
        if let Some(part) = start.strip_prefix(wrong).map(|rest| consumed(start, rest)) {
            return refuse(
                part,
                ErrorKind::ReversedArrow {
                    arrow: wrong.to_owned(),
                },
            );
        }
    }
    refuse(any_token(start), ErrorKind::MissingArrow {})
}

/// An address where a peer would stand.
fn address<T>(start: &str) -> Res<'_, T> {
    let is_address = |c: char| c.is_ascii_hexdigit() || ".:/".contains(c);
    let length = start.find(|c: char| !is_address(c)).unwrap_or(start.len());
    let text = start.get(..length).unwrap_or("").trim_end_matches(':');
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        return refuse(
            text,
            ErrorKind::AddressPeer {
                address: text.to_owned(),
            },
        );
    }
    miss(
        start,
        Expected::Something("a zone, a role or a host name in quotes"),
    )
}

fn not_a_date<T>(start: &str) -> Res<'_, T> {
    let length = start.find(|c: char| !(c.is_ascii_alphanumeric() || "-./".contains(c)));
    match start.get(..length.unwrap_or(start.len())) {
        Some(text) if !text.is_empty() => refuse(
            text,
            ErrorKind::UnreadableDate {
                text: text.to_owned(),
            },
        ),
        _ => cut(|i| miss(i, Expected::Something("a date such as `2027-01-31`"))).parse(start),
    }
}

/// Refuses an option that stands behind one it should precede.
fn late_option(rest: &str) -> Result<(), nom::Err<super::token::Failure<'_>>> {
    let option = match word(rest) {
        Some((_, word)) if OPTIONS.contains(&word) => format!("`{word}`"),
        None if string(rest).is_ok() => "a purpose".to_owned(),
        _ => return Ok(()),
    };
    let part = any_token(rest);
    refuse(part, ErrorKind::OptionOrder { option }).map(|(_, ())| ())
}
