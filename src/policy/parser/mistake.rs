//! What is said where the text does not go on as the grammar wants. INVARIANT: what was expected comes from the
//! productions; only the help line is chosen here.

use super::token::{Expected, RESERVED, STATEMENTS, any_token, word};
use crate::policy::error::ErrorKind;
use crate::policy::near::did_you_mean;

/// Words that people write where a statement would begin, since they belong to the one before.
const OPTIONS: &[&str] = &[
    "when",
    "owner",
    "expires",
    "severity",
    "tags",
    "row",
    "configurable",
    "in",
];

/// The mistake at `at`, where `expected` would fit.
pub(super) fn of(expected: &[Expected], at: &str) -> ErrorKind {
    let statement = [Expected::Something("a statement")];
    if let (true, Some((_, word))) = (expected == statement, word(at)) {
        let statements = STATEMENTS
            .iter()
            .map(|word| format!("`{word}`"))
            .collect::<Vec<_>>();
        let known = STATEMENTS.iter().chain(OPTIONS).copied();
        let hint = did_you_mean(
            word,
            known,
            format!("a statement begins with {}", any_of(&statements)),
        );
        let word = word.to_owned();
        return ErrorKind::UnknownStatement { word, hint };
    }
    ErrorKind::Unexpected {
        expected: alternatives(expected),
        found: describe(at),
        hint: hint(expected, at).to_owned(),
    }
}

/// `a`, `b` or `c`
pub(super) fn alternatives(expected: &[Expected]) -> String {
    let mut wanted: Vec<String> = Vec::new();
    for one in expected {
        let text = match one {
            Expected::Token(token) => format!("`{token}`"),
            Expected::Something(what) => (*what).to_owned(),
        };
        if !wanted.contains(&text) {
            wanted.push(text);
        }
    }
    any_of(&wanted)
}

fn any_of(words: &[String]) -> String {
    match words {
        [] => "something else".to_owned(),
        [one] => one.clone(),
        [all @ .., last] => format!("{} or {last}", all.join(", ")),
    }
}

fn hint(expected: &[Expected], at: &str) -> &'static str {
    let is_reserved = word(at).is_some_and(|(_, word)| RESERVED.contains(&word));
    match expected {
        [Expected::Token("=")] => "write what it is behind `=`, such as `ui = tcp/443`",
        [Expected::Token(":")] => "a row is written `require FROM -> TO : SERVICES`",
        [Expected::Token("{")] => "a policy is written `policy NAME \"Title\" { … }`",
        [Expected::Token("egress")] => "only egress can be closed: ingress always is",
        _ if at.starts_with(';') => "statements need no `;`: a new one begins with its keyword",
        _ if at.starts_with(|c: char| c.is_alphabetic() && !c.is_ascii()) => {
            "names have letters from a to z, digits, `_` and hyphens between them"
        }
        [Expected::Something(_)] if is_reserved => "keywords cannot be names",
        _ => "`grammar/ports.ebnf` says what may stand where",
    }
}

/// The first token, for a message.
pub(super) fn describe(at: &str) -> String {
    match any_token(at) {
        "" => "the end of the text".to_owned(),
        token if token.starts_with('"') => "a string".to_owned(),
        word if RESERVED.contains(&word) => format!("the keyword `{word}`"),
        token => format!("`{}`", token.escape_debug()),
    }
}
