//! Text of the policy language to its tree, and every mistake on the way.
//!
//! Reading never stops at a mistake: it goes on at the next statement, so that one run names them all. Names are
//! not looked up and numbers not checked here. INVARIANT: a text without syntax errors is a sentence of the grammar,
//! and the reverse; the first line above each production is its rule there.
//!
//! ```ebnf
#![doc = include_str!("../../../grammar/ports.ebnf")]
//! ```

mod condition;
mod mistake;
mod row;
mod service;
mod statement;
mod token;

use nom::Parser as _;
use nom::combinator::opt;

pub use self::token::RESERVED;
pub(super) use self::token::comments;

use self::token::{
    Expected, Failure, Res, STATEMENTS, any_token, consumed, keyword, refuse, symbol, trivia, word,
};
use super::ast;
use super::error::{ErrorKind, PolicyError};
use super::near::did_you_mean;
use super::row::Choice;
use crate::source::{Locator, Source, Span, Spanned};

/// The largest policy file that is read, in bytes.
pub const MAX_BYTES: usize = 1 << 20;
/// The most rows a policy may have.
pub const MAX_ROWS: usize = 10_000;
/// Past this many mistakes a file is not read further.
const MAX_ERRORS: usize = 100;

/// What a file says, as far as it could be read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Parsed {
    /// Its policies, without the statements that could not be read.
    pub policies: Vec<ast::Policy>,
    /// The mistakes, in the order of the text. If there is none, the text is in the language.
    pub errors: Vec<PolicyError>,
}

/// Reads a file of policies.
#[must_use]
pub fn parse(source: Source<'_>) -> Parsed {
    let mut reader = Reader {
        at: Locator::new(source),
        errors: Vec::new(),
    };
    if source.text.len() > MAX_BYTES {
        let is_boundary = |&at: &usize| source.text.is_char_boundary(at);
        let end = (MAX_BYTES..source.text.len())
            .find(is_boundary)
            .unwrap_or(source.text.len());
        let kind = ErrorKind::TooLarge {
            size: source.text.len(),
            most: MAX_BYTES,
        };
        let span = reader.at.span(source.text.get(end..end).unwrap_or(""));
        return Parsed {
            policies: Vec::new(),
            errors: vec![PolicyError::new(kind, span)],
        };
    }
    let bad = undecodable(source.text);
    reader
        .errors
        .extend(bad.map(|bad| PolicyError::new(ErrorKind::NotText {}, reader.at.span(bad))));
    let policies = reader.file(source.text);
    Parsed {
        policies,
        errors: reader.errors,
    }
}

/// The runs of bytes that were not UTF-8: each stands as one U+001A, which is no text either.
fn undecodable(text: &str) -> impl Iterator<Item = &str> {
    const SUBSTITUTE: char = '\u{1a}';
    let starts = text.match_indices(SUBSTITUTE).filter_map(move |(at, _)| {
        let (before, from) = text.split_at_checked(at)?;
        (!before.ends_with(SUBSTITUTE)).then_some(from)
    });
    starts.map(|from| {
        from.get(..from.len() - from.trim_start_matches(SUBSTITUTE).len())
            .unwrap_or(from)
    })
}

/// Reads the services of a setting: `tcp/4443`. Spans are of `source`.
pub(super) fn parse_services(source: Source<'_>) -> Result<Choice<ast::Service>, PolicyError> {
    let reader = Reader {
        at: Locator::new(source),
        errors: Vec::new(),
    };
    let ended = |(rest, services)| match trivia(rest) {
        "" => Ok(services),
        _ => token::miss(rest, Expected::Something("the end")).map(|(_, services)| services),
    };
    let services = reader.services(source.text).and_then(ended);
    services.map_err(|failure| reader.error_of(failure))
}

/// The state of reading one file.
struct Reader<'a> {
    at: Locator<'a>,
    errors: Vec<PolicyError>,
}

impl<'a> Reader<'a> {
    /// `file ::= policy*`
    fn file(&mut self, input: &'a str) -> Vec<ast::Policy> {
        let mut policies = Vec::new();
        let mut rest = trivia(input);
        while !rest.is_empty() && self.errors.len() < MAX_ERRORS {
            if keyword("policy")(rest).is_err() {
                rest = self.skip_to_policy(rest);
                continue;
            }
            let (after, policy) = self.policy(rest);
            policies.extend(policy);
            rest = trivia(after);
        }
        policies
    }

    /// Says that the text up to the next policy is in none.
    fn skip_to_policy(&mut self, start: &'a str) -> &'a str {
        let found = mistake::describe(start);
        let kind = match word(start) {
            Some((_, word)) if !STATEMENTS.contains(&word) => ErrorKind::Unexpected {
                expected: "`policy`".to_owned(),
                found,
                hint: did_you_mean(word, ["policy"], "write `policy NAME { … }`"),
            },
            _ => ErrorKind::OutsidePolicy { found },
        };
        self.errors
            .push(PolicyError::new(kind, self.at.span(any_token(start))));
        let mut rest = start;
        loop {
            rest = trivia(behind(rest, any_token(rest)));
            if rest.is_empty() || keyword("policy")(rest).is_ok() {
                return rest;
            }
        }
    }

    /// `policy ::= "policy" name string? "{" statement* "}"`
    fn policy(&mut self, start: &'a str) -> (&'a str, Option<ast::Policy>) {
        let (rest, name, title, brace) = match self.policy_head(start) {
            Ok((rest, (name, title, brace))) => (rest, name, title, brace),
            Err(failure) => {
                let at = failed_at(&failure).unwrap_or(start);
                let error = self.error_of(failure);
                self.errors.push(error);
                return (self.after_head(start, at), None);
            }
        };
        let (rest, statements, closed) = self.statements(rest, &name.value);
        if !closed && self.errors.len() < MAX_ERRORS {
            let policy = name.value.clone();
            self.errors
                .push(PolicyError::new(ErrorKind::UnclosedPolicy { policy }, brace));
        }
        let span = self.at.consumed(start, rest);
        let policy = ast::Policy {
            name,
            title,
            statements,
            span,
            brace,
        };
        (rest, Some(policy))
    }

    fn policy_head(&self, start: &'a str) -> Res<'a, (Spanned<String>, Option<Spanned<String>>, Span)> {
        let (rest, _) = keyword("policy")(start)?;
        let (rest, name) = self.name("a name for the policy", rest)?;
        let (rest, title) = opt(|i| self.string(i)).parse(rest)?;
        let (rest, brace) = symbol("{")(rest)?;
        Ok((rest, (name, title, self.at.span(brace))))
    }

    /// Reads statements up to the closing brace. Says whether there was one.
    fn statements(&mut self, input: &'a str, policy: &str) -> (&'a str, Vec<Spanned<ast::Statement>>, bool) {
        let mut statements = Vec::new();
        let mut rest = input;
        let mut n_rows = 0;
        while self.errors.len() < MAX_ERRORS {
            let start = trivia(rest);
            if let Some(after) = start.strip_prefix('}') {
                return (after, statements, true);
            }
            if start.is_empty() || keyword("policy")(start).is_ok() {
                return (start, statements, false);
            }
            match self.statement(start) {
                Ok((after, statement)) => {
                    n_rows += usize::from(matches!(statement.value, ast::Statement::Row(_)));
                    if n_rows > MAX_ROWS {
                        let (policy, most) = (policy.to_owned(), MAX_ROWS);
                        let kind = ErrorKind::TooManyRows { policy, most };
                        self.errors.push(PolicyError::new(kind, statement.span));
                        return (end(rest), statements, true);
                    }
                    statements.push(statement);
                    rest = after;
                }
                Err(failure) => rest = self.recover(start, failure),
            }
        }
        (end(rest), statements, true)
    }

    /// Notes the mistake and gives the text from the next statement, closing brace or policy on.
    fn recover(&mut self, start: &'a str, failure: nom::Err<Failure<'a>>) -> &'a str {
        let at = failed_at(&failure).unwrap_or(start);
        let error = self.error_of(failure);
        self.errors.push(error);
        let mut rest = start;
        let mut depth = 0usize;
        let mut line_start = false;
        loop {
            let past = self.offset(rest) >= self.offset(at) && rest.len() < start.len();
            let begins = word(rest).is_some_and(|(_, word)| {
                word == "policy" || (STATEMENTS.contains(&word) && !(depth > 0 && word == "feature"))
            });
            if rest.is_empty() || (past && line_start && begins) {
                return rest;
            }
            match rest.chars().next() {
                Some('{') => depth += 1,
                Some('}') if depth == 0 => return rest,
                Some('}') => depth -= 1,
                _ => {}
            }
            let behind = behind(rest, any_token(rest));
            rest = trivia(behind);
            line_start = consumed(behind, rest).contains('\n');
        }
    }

    /// Where to go on after a policy whose head could not be read: in front of its first statement if it has a brace.
    fn after_head(&mut self, start: &'a str, at: &'a str) -> &'a str {
        let mut rest = start;
        loop {
            rest = trivia(behind(rest, any_token(rest)));
            let past = self.offset(rest) >= self.offset(at);
            if rest.is_empty() || (past && keyword("policy")(rest).is_ok()) {
                return rest;
            }
            if let Some(body) = rest.strip_prefix('{') {
                return self.statements(body, "").0;
            }
        }
    }

    fn offset(&self, part: &str) -> u32 {
        self.at.span(part).start
    }

    /// The mistake behind a failure.
    fn error_of(&self, failure: nom::Err<Failure<'a>>) -> PolicyError {
        let (nom::Err::Error(failure) | nom::Err::Failure(failure)) = failure else {
            return PolicyError::new(mistake::of(&[], ""), self.at.span(end(self.at.text())));
        };
        match failure.kind {
            Some(kind) => PolicyError::new(*kind, self.at.span(failure.at)),
            None => self.unexpected(&failure),
        }
    }

    /// The mistake where something else was expected: at the end of a line, if that is where it was.
    fn unexpected(&self, failure: &Failure<'a>) -> PolicyError {
        let text = self.at.text();
        let before = text.get(..self.offset(failure.at) as usize).unwrap_or("");
        let kept = before.trim_end();
        let ends_line = before.get(kept.len()..).is_some_and(|gap| gap.contains('\n'));
        let line = kept.rsplit('\n').next().unwrap_or("");
        if ends_line && !line.contains('#') && failure.expected != [Expected::Something("a statement")] {
            let last = kept.char_indices().next_back().map_or(0, |(at, _)| at);
            let expected = mistake::alternatives(&failure.expected);
            let kind = ErrorKind::CutShort { expected };
            return PolicyError::new(kind, self.at.span(text.get(last..kept.len()).unwrap_or("")));
        }
        let found = any_token(failure.at);
        PolicyError::new(mistake::of(&failure.expected, failure.at), self.at.span(found))
    }

    fn spanned<T>(&self, part: &str, value: T) -> Spanned<T> {
        Spanned::new(value, self.at.span(part))
    }

    fn name(&self, what: &'static str, input: &'a str) -> Res<'a, Spanned<String>> {
        let (rest, name) = token::name(what)(input)?;
        Ok((rest, self.spanned(name, name.to_owned())))
    }

    /// A string without its quotes; its span is with them.
    fn string(&self, input: &'a str) -> Res<'a, Spanned<String>> {
        let (rest, text) = token::string(input)?;
        Ok((rest, self.spanned(text, text.trim_matches('"').to_owned())))
    }

    /// A number. One with more digits than the grammar allows is refused as `kind` says, with its text as written.
    fn number(&self, kind: fn(String) -> ErrorKind, input: &'a str) -> Res<'a, Spanned<u64>> {
        let (rest, text) = token::number(input)?;
        if text.len() > token::MAX_DIGITS {
            return refuse(text, kind(text.to_owned()));
        }
        Ok((rest, self.spanned(text, ast::saturated(text))))
    }
}

fn failed_at<'a>(failure: &nom::Err<Failure<'a>>) -> Option<&'a str> {
    match failure {
        nom::Err::Error(failure) | nom::Err::Failure(failure) => Some(failure.at),
        nom::Err::Incomplete(_) => None,
    }
}

/// The end of a text, as a slice of it.
fn end(text: &str) -> &str {
    text.get(text.len()..).unwrap_or(text)
}

/// The text behind `token`, its first token.
fn behind<'a>(start: &'a str, token: &str) -> &'a str {
    start.get(token.len()..).unwrap_or("")
}
