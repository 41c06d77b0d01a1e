//! Text of selectors to [`Expression`]s, by the grammar in `grammar/calico-selector.ebnf`.
//!
//! Semantics: docs.tigera.io, "Global network policy", Selectors; what stands between words is as the tokenizer of libcalico-go
//! has it (lib/selector/tokenizer). INVARIANT: recursion is as deep as parentheses lie in each other, and bounded.

use nom::branch::alt;
use nom::bytes::complete::{is_a, is_not, tag, take_while1};
use nom::character::complete::char;
use nom::combinator::{opt, value};
use nom::multi::{many0_count, separated_list1};
use nom::sequence::{delimited, preceded, terminated};
use nom::{IResult, Parser as _};

use super::expression::{Comparison, Expression};
use crate::dialect::kubernetes::selector::Operator;

/// The longest selector that is read, in bytes.
const MAX_BYTES: usize = 1 << 16;
/// How deep parentheses may lie in each other.
const MAX_DEPTH: usize = 64;
/// The longest key of a label (libcalico-go, `MaxLabelLength`).
const MAX_LABEL_BYTES: usize = 512;

/// Why a text is no selector: from which byte on, and what was wrong there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) at: usize,
    pub(super) message: String,
    pub(super) help: &'static str,
}

/// Where a production does not fit; `None` for words of ours: it is just not what is expected.
#[derive(Debug)]
struct Failure<'a> {
    at: &'a str,
    message: Option<&'static str>,
}

impl<'a> nom::error::ParseError<&'a str> for Failure<'a> {
    fn from_error_kind(at: &'a str, _: nom::error::ErrorKind) -> Self {
        Self { at, message: None }
    }

    fn append(_: &'a str, _: nom::error::ErrorKind, other: Self) -> Self {
        other
    }

    /// The one that got further.
    fn or(self, other: Self) -> Self {
        if self.at.len() <= other.at.len() {
            self
        } else {
            other
        }
    }
}

type Res<'a, T> = IResult<&'a str, T, Failure<'a>>;

/// `selector ::= blank? (expression blank?)?`
///
/// Reads a whole selector. An empty one is as `all()`.
pub(super) fn selector(text: &str) -> Result<Expression, Refusal> {
    const HELP: &str = "selectors are like `role == 'db' && has(tier)`";
    if text.len() > MAX_BYTES {
        return Err(Refusal {
            at: 0,
            message: format!("this selector has more than {MAX_BYTES} bytes"),
            help: "split the policy",
        });
    }
    let refusal = |at: &str, message: Option<&str>| Refusal {
        at: text.len() - at.len(),
        message: message.map_or_else(|| expected(at), str::to_owned),
        help: HELP,
    };
    let start = text.trim_start_matches([' ', '\t']);
    if start.is_empty() {
        return Ok(Expression::All);
    }
    let parsed = terminated(|input| expression(input, 0), opt(blank)).parse(start);
    match parsed {
        Ok(("", found)) => Ok(found),
        Ok((rest, _)) => Err(refusal(rest, None)),
        Err(nom::Err::Error(failure) | nom::Err::Failure(failure)) => {
            Err(refusal(failure.at, failure.message))
        }
        Err(nom::Err::Incomplete(_)) => Err(refusal("", None)),
    }
}

/// What is said of a text that does not fit from here on.
fn expected(at: &str) -> String {
    match at.chars().next() {
        None => "this selector ends too early".to_owned(),
        Some(one) => format!("`{one}` does not belong here in a selector"),
    }
}

/// `expression ::= conjunction (blank? "||" blank? conjunction)*`
fn expression(input: &str, depth: usize) -> Res<'_, Expression> {
    let parts = separated_list1(joint("||"), |input| conjunction(input, depth));
    parts.map(|parts| single(parts, Expression::Any)).parse(input)
}

/// `conjunction ::= operation (blank? "&&" blank? operation)*`
fn conjunction(input: &str, depth: usize) -> Res<'_, Expression> {
    let parts = separated_list1(joint("&&"), |input| operation(input, depth));
    parts.map(|parts| single(parts, Expression::Every)).parse(input)
}

/// A word between two parts.
fn joint<'a>(word: &'static str) -> impl nom::Parser<&'a str, Output = &'a str, Error = Failure<'a>> {
    delimited(opt(blank), tag(word), opt(blank))
}

/// Of one part, itself.
fn single(mut parts: Vec<Expression>, many: fn(Vec<Expression>) -> Expression) -> Expression {
    match (parts.pop(), parts.is_empty()) {
        (Some(only), true) => only,
        (last, _) => {
            parts.extend(last);
            many(parts)
        }
    }
}

/// `operation ::= ("!" blank?)* (has | all | global | comparison | "(" blank? expression blank? ")")`
fn operation(input: &str, depth: usize) -> Res<'_, Expression> {
    let nested = |input| {
        let (inner, _) = (char('('), opt(blank)).parse(input)?;
        if depth >= MAX_DEPTH {
            let message = "parentheses lie too deep in each other";
            return Err(nom::Err::Failure(Failure {
                at: input,
                message: Some(message),
            }));
        }
        terminated(|inner| expression(inner, depth + 1), (opt(blank), char(')'))).parse(inner)
    };
    let (rest, n_negations) = many0_count((char('!'), opt(blank))).parse(input)?;
    let (rest, found) = alt((has, all, global, comparison, nested)).parse(rest)?;
    let found = if n_negations % 2 == 1 {
        Expression::Not(Box::new(found))
    } else {
        found
    };
    Ok((rest, found))
}

/// `has ::= "has(" blank? label blank? ")"`
fn has(input: &str) -> Res<'_, Expression> {
    let inner = delimited(opt(blank), label, opt(blank));
    let has = delimited(tag("has("), inner, char(')'));
    has.map(|key: &str| compared(key, Operator::Exists, Vec::new()))
        .parse(input)
}

/// `all ::= "all(" blank? ")"`
fn all(input: &str) -> Res<'_, Expression> {
    value(Expression::All, (tag("all("), opt(blank), char(')'))).parse(input)
}

/// `global ::= "global(" blank? ")"`
fn global(input: &str) -> Res<'_, Expression> {
    value(Expression::Global, (tag("global("), opt(blank), char(')'))).parse(input)
}

/// `comparison ::= label (blank? ("==" | "!=") blank? string | blank text-operator blank? string | blank set-operator blank? set)`
///
/// "Matches resources without label 'k'": `!=` and `not in` hold where there is no such label.
fn comparison(input: &str) -> Res<'_, Expression> {
    let (rest, key) = label(input)?;
    let equal = alt((value(Operator::In, tag("==")), value(Operator::NotIn, tag("!="))));
    let equal = (preceded(opt(blank), equal), preceded(opt(blank), string)).map(one_value);
    let text = (preceded(blank, text_operator), preceded(opt(blank), string)).map(one_value);
    let of_set = (preceded(blank, set_operator), preceded(opt(blank), set));
    let (rest, (operator, values)) = alt((equal, text, of_set)).parse(rest)?;
    Ok((rest, compared(key, operator, values)))
}

fn one_value((operator, value): (Operator, String)) -> (Operator, Vec<String>) {
    (operator, vec![value])
}

fn compared(key: &str, operator: Operator, mut values: Vec<String>) -> Expression {
    values.sort();
    values.dedup();
    Expression::Compared(Comparison {
        key: key.to_owned(),
        operator,
        values,
    })
}

/// `text-operator ::= "contains" | "starts" blank? "with" | "ends" blank? "with"`
fn text_operator(input: &str) -> Res<'_, Operator> {
    let with = |word| (tag(word), opt(blank), tag("with"));
    alt((
        value(Operator::Contains, tag("contains")),
        value(Operator::StartsWith, with("starts")),
        value(Operator::EndsWith, with("ends")),
    ))
    .parse(input)
}

/// `set-operator ::= "in" | "not" blank? "in"`
fn set_operator(input: &str) -> Res<'_, Operator> {
    alt((
        value(Operator::In, tag("in")),
        value(Operator::NotIn, (tag("not"), opt(blank), tag("in"))),
    ))
    .parse(input)
}

/// `set ::= "{" (blank? string blank? ",")* (blank? string)? blank? "}"`
///
/// A set of none has nothing in it.
fn set(input: &str) -> Res<'_, Vec<String>> {
    let item = |input| preceded(opt(blank), string).parse(input);
    let items = nom::multi::many0(terminated(item, (opt(blank), char(','))));
    let (rest, (mut items, last)) = preceded(char('{'), (items, opt(item))).parse(input)?;
    items.extend(last);
    let (rest, _) = (opt(blank), char('}')).parse(rest)?;
    Ok((rest, items))
}

/// `label ::= /[a-zA-Z0-9_.\/-]{1,256}[a-zA-Z0-9_.\/-]{0,256}/`
fn label(input: &str) -> Res<'_, &str> {
    let is_of_label = |one: char| one.is_ascii_alphanumeric() || "_./-".contains(one);
    let (rest, label) = take_while1(is_of_label).parse(input)?;
    if label.len() > MAX_LABEL_BYTES {
        let message = "the key of this label is too long";
        return Err(nom::Err::Failure(Failure {
            at: input,
            message: Some(message),
        }));
    }
    Ok((rest, label))
}

/// `string ::= /"[^"]*"|'[^']*'/`
///
/// Nothing in it is an escape.
fn string(input: &str) -> Res<'_, String> {
    let double = delimited(char('"'), opt(is_not("\"")), char('"'));
    let single = delimited(char('\''), opt(is_not("'")), char('\''));
    alt((double, single))
        .map(|text: Option<&str>| text.unwrap_or_default().to_owned())
        .parse(input)
}

/// `blank ::= /[ \t]+/`
fn blank(input: &str) -> Res<'_, &str> {
    is_a(" \t").parse(input)
}
