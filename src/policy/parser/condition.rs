//! Conditions: `when a and not b or version >= 23.3`.

use nom::Parser as _;
use nom::branch::alt;
use nom::combinator::{cut, opt};
use nom::multi::separated_list1;

use super::Reader;
use super::token::{
    Expected, Res, any_token, consumed, keyword, miss, name, refuse, symbol, trivia, version, word,
};
use crate::policy::ast;
use crate::policy::error::ErrorKind;
use crate::source::Spanned;

impl<'a> Reader<'a> {
    /// `when ::= "when" conjunction ("or" conjunction)*`
    pub(super) fn when(&self, input: &'a str) -> Res<'a, ast::Condition> {
        let start = trivia(input);
        let (rest, _) = keyword("when")(start)?;
        let (mut rest, first) = cut(|i| self.conjunction(i)).parse(rest)?;
        let mut any_of = vec![first];
        while let Ok((after, _)) = keyword("or")(rest) {
            let (after, next) = cut(|i| self.conjunction(i)).parse(after)?;
            any_of.push(next);
            rest = after;
        }
        let span = self.at.consumed(start, rest);
        Ok((rest, ast::Condition { any_of, span }))
    }

    /// `conjunction ::= test ("and" test)*`
    fn conjunction(&self, input: &'a str) -> Res<'a, Vec<Spanned<ast::Test>>> {
        separated_list1(keyword("and"), cut(|i| self.test(i))).parse(input)
    }

    /// `test ::= "not"? ("version" comparison version | name)`
    fn test(&self, input: &'a str) -> Res<'a, Spanned<ast::Test>> {
        let start = trivia(input);
        let (rest, not) = opt(keyword("not")).parse(start)?;
        let (rest, fact) = if let Some((rest, "version")) = word(rest) {
            let (rest, comparison) = comparison(rest)?;
            let (rest, version) = self.version(rest)?;
            (rest, ast::Fact::Version(comparison, version.value))
        } else {
            let (rest, name) = name("a feature or `version`")(rest)?;
            (rest, ast::Fact::Feature(name.to_owned()))
        };
        let negated = not.is_some();
        Ok((
            rest,
            self.spanned(consumed(start, rest), ast::Test { negated, fact }),
        ))
    }

    pub(super) fn version(&self, input: &'a str) -> Res<'a, Spanned<ast::Version>> {
        let (rest, text) = version(input)?;
        Ok((rest, self.spanned(text, ast::Version::of_text(text))))
    }
}

/// `comparison ::= ">=" | "<=" | ">" | "<" | "="`
fn comparison(input: &str) -> Res<'_, ast::Comparison> {
    let found = any_token(input);
    if ["==", "!", "=>", "~"]
        .iter()
        .any(|wrong| trivia(input).starts_with(wrong))
    {
        let text = found.to_owned();
        return refuse(found, ErrorKind::UnknownComparison { text });
    }
    alt((
        symbol(">=").map(|_| ast::Comparison::AtLeast),
        symbol("<=").map(|_| ast::Comparison::AtMost),
        symbol(">").map(|_| ast::Comparison::Above),
        symbol("<").map(|_| ast::Comparison::Below),
        symbol("=").map(|_| ast::Comparison::Same),
    ))
    .parse(input)
    .or_else(|_| miss(input, Expected::Something("a comparison such as `>=`")))
}
