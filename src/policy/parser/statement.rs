//! Policies and their statements, rows apart.

use nom::Parser as _;
use nom::branch::alt;
use nom::combinator::{cut, opt};
use nom::multi::separated_list1;
use nom::sequence::preceded;

use super::Reader;
use super::token::{Expected, Res, consumed, keyword, miss, refuse, symbol, trivia, word};
use crate::policy::ast;
use crate::policy::error::ErrorKind;
use crate::policy::near::did_you_mean;
use crate::source::Spanned;

impl<'a> Reader<'a> {
    /// `statement ::= source | section | role-definition | zone-definition | feature-definition | parameter-definition | service-definition | row | closed | lift | waive | use`
    pub(super) fn statement(&self, input: &'a str) -> Res<'a, Spanned<ast::Statement>> {
        let start = trivia(input);
        let (rest, statement) = match word(start).map_or("", |(_, word)| word) {
            "source" => self.source(start)?,
            "section" => self.section(start)?,
            "role" => self.role_definition(start)?,
            "zone" => self.zone_definition(start)?,
            "feature" => self.feature_definition(start)?,
            "parameter" => self.parameter_definition(start)?,
            "service" => self.service_definition(start)?,
            "closed" => closed(start)?,
            "lift" => self.lift(start)?,
            "waive" => self.waive(start)?,
            "use" => self.use_(start)?,
            "require" | "allow" | "forbid" => {
                let (rest, row) = self.row(start)?;
                (rest, ast::Statement::Row(Box::new(row)))
            }
            _ => return miss(start, Expected::Something("a statement")),
        };
        Ok((rest, self.spanned(consumed(start, rest), statement)))
    }

    /// `source ::= "source" string`
    fn source(&self, input: &'a str) -> Res<'a, ast::Statement> {
        let title = preceded(keyword("source"), |i| self.string(i));
        title.map(ast::Statement::Source).parse(input)
    }

    /// `section ::= "section" string`
    fn section(&self, input: &'a str) -> Res<'a, ast::Statement> {
        let title = preceded(keyword("section"), |i| self.string(i));
        title.map(ast::Statement::Section).parse(input)
    }

    /// `role-definition ::= "role" names ("in" name)?`
    fn role_definition(&self, input: &'a str) -> Res<'a, ast::Statement> {
        let (rest, _) = keyword("role")(input)?;
        let (rest, names) = self.names("a role", rest)?;
        let home = preceded(keyword("in"), cut(|i| self.name("a zone", i)));
        let (rest, home) = opt(home).parse(rest)?;
        Ok((rest, ast::Statement::Role { names, home }))
    }

    /// `zone-definition ::= "zone" (name "=" name | names)`
    fn zone_definition(&self, input: &'a str) -> Res<'a, ast::Statement> {
        let (start, _) = keyword("zone")(input)?;
        let (rest, name) = self.name("a zone", start)?;
        if let Ok((rest, _)) = symbol("=")(rest) {
            let (rest, of) = self.name("a zone", rest)?;
            return Ok((rest, ast::Statement::ZoneAlias { name, of }));
        }
        let (rest, names) = self.names("a zone", start)?;
        Ok((rest, ast::Statement::Zone(names)))
    }

    /// `feature-definition ::= "feature" name string?`
    fn feature_definition(&self, input: &'a str) -> Res<'a, ast::Statement> {
        let (rest, _) = keyword("feature")(input)?;
        let (rest, name) = self.name("a feature", rest)?;
        let (rest, meaning) = opt(|i| self.string(i)).parse(rest)?;
        Ok((rest, ast::Statement::Feature { name, meaning }))
    }

    /// `parameter-definition ::= "parameter" name (":" parameter-type)? ("=" string ("," string)*)? string?`
    fn parameter_definition(&self, input: &'a str) -> Res<'a, ast::Statement> {
        let (rest, _) = keyword("parameter")(input)?;
        let (rest, name) = self.name("a parameter", rest)?;
        let (rest, kind) = opt(preceded(symbol(":"), cut(|i| self.parameter_type(i)))).parse(rest)?;
        let values = separated_list1(symbol(","), cut(|i| self.string(i)));
        let (rest, default) = opt(preceded(symbol("="), values)).parse(rest)?;
        let (rest, meaning) = opt(|i| self.string(i)).parse(rest)?;
        let parameter = ast::Statement::Parameter {
            name,
            kind,
            default: default.unwrap_or_default(),
            meaning,
        };
        Ok((rest, parameter))
    }

    /// `parameter-type ::= "host" | "label"`
    fn parameter_type(&self, input: &'a str) -> Res<'a, Spanned<ast::ParameterKind>> {
        let Some((rest, found)) = word(input) else {
            return miss(trivia(input), Expected::Something("`host` or `label`"));
        };
        let kind = match found {
            "host" => ast::ParameterKind::Host,
            "label" => ast::ParameterKind::Label,
            _ => {
                let otherwise = "it is `host`, a whole name, or `label`, one part of one";
                let hint = did_you_mean(found, ["host", "label"], otherwise);
                let word = found.to_owned();
                return refuse(found, ErrorKind::UnknownParameterType { word, hint });
            }
        };
        Ok((rest, self.spanned(found, kind)))
    }

    /// `service-definition ::= "service" name "=" services ("configurable" ("within" services)?)?`
    fn service_definition(&self, input: &'a str) -> Res<'a, ast::Statement> {
        let (rest, _) = keyword("service")(input)?;
        let (rest, name) = self.name("a name for the service", rest)?;
        let (rest, _) = symbol("=")(rest)?;
        let (rest, value) = self.services(rest)?;
        let (rest, configurable) = opt(keyword("configurable")).parse(rest)?;
        let configurable = configurable.is_some();
        let (rest, within) = if configurable {
            opt(preceded(keyword("within"), cut(|i| self.services(i)))).parse(rest)?
        } else {
            (rest, None)
        };
        let service = ast::Statement::Service {
            name,
            value,
            configurable,
            within,
        };
        Ok((rest, service))
    }

    /// `names ::= name ("," name)*`
    fn names(&self, what: &'static str, input: &'a str) -> Res<'a, Vec<Spanned<String>>> {
        separated_list1(symbol(","), cut(|i| self.name(what, i))).parse(input)
    }

    /// `lift ::= "lift" name "/" name string`
    fn lift(&self, input: &'a str) -> Res<'a, ast::Statement> {
        let (rest, _) = keyword("lift")(input)?;
        let (rest, policy) = self.name("a policy", rest)?;
        let (rest, _) = symbol("/")(rest)?;
        let (rest, row) = self.name("the id of a row", rest)?;
        let (rest, reason) = self
            .string(rest)
            .or_else(|_| miss(rest, Expected::Something("the reason in quotes")))?;
        Ok((rest, ast::Statement::Lift { policy, row, reason }))
    }

    /// `waive ::= "waive" name "/" name ("on" names)? string ("until" date)?`
    fn waive(&self, input: &'a str) -> Res<'a, ast::Statement> {
        let (rest, _) = keyword("waive")(input)?;
        let (rest, policy) = self.name("a policy", rest)?;
        let (rest, _) = symbol("/")(rest)?;
        let (rest, row) = self.name("the id of a row", rest)?;
        let on = preceded(keyword("on"), cut(|i| self.names("a role", i)));
        let (rest, roles) = opt(on).parse(rest)?;
        let (rest, reason) = self
            .string(rest)
            .or_else(|_| miss(rest, Expected::Something("the reason in quotes")))?;
        let (rest, until) = opt(preceded(keyword("until"), |i| self.day(i))).parse(rest)?;
        let waiver = ast::Waiver {
            policy,
            row,
            roles: roles.unwrap_or_default(),
            reason,
            until,
        };
        Ok((rest, ast::Statement::Waive(Box::new(waiver))))
    }

    /// `use ::= "use" name ("{" setting* "}")?`
    fn use_(&self, input: &'a str) -> Res<'a, ast::Statement> {
        let (rest, _) = keyword("use")(input)?;
        let (mut rest, policy) = self.name("a policy", rest)?;
        let mut settings = Vec::new();
        if let Ok((after, _)) = symbol("{")(rest) {
            rest = after;
            while !trivia(rest).starts_with('}') {
                let (after, setting) = self.setting(rest)?;
                settings.push(setting);
                rest = after;
            }
            (rest, _) = symbol("}")(rest)?;
        }
        Ok((rest, ast::Statement::Use { policy, settings }))
    }

    /// `setting ::= "version" "=" version | "feature" switch ("," switch)* | name "=" (string ("," string)* | services)`
    fn setting(&self, input: &'a str) -> Res<'a, Spanned<ast::Setting>> {
        let start = trivia(input);
        let version = preceded((keyword("version"), symbol("=")), |i| self.version(i));
        let switches = separated_list1(symbol(","), cut(|i| self.switch(i)));
        let features = preceded(keyword("feature"), switches);
        let (rest, setting) = match word(start).map_or("", |(_, word)| word) {
            "version" => version.map(ast::Setting::Version).parse(start)?,
            "feature" => features.map(ast::Setting::Features).parse(start)?,
            _ => self.value_setting(start)?,
        };
        Ok((rest, self.spanned(consumed(start, rest), setting)))
    }

    fn value_setting(&self, start: &'a str) -> Res<'a, ast::Setting> {
        let (rest, name) = self.name("a setting or `}`", start)?;
        let (rest, _) = symbol("=")(rest)?;
        if trivia(rest).starts_with('"') {
            let (rest, values) = separated_list1(symbol(","), cut(|i| self.string(i))).parse(rest)?;
            return Ok((rest, ast::Setting::Parameter(name, values)));
        }
        let (rest, services) = self.services(rest)?;
        Ok((rest, ast::Setting::Service(name, services)))
    }

    /// `switch ::= "not"? name`
    fn switch(&self, input: &'a str) -> Res<'a, Spanned<ast::Switch>> {
        let start = trivia(input);
        let (rest, not) = opt(keyword("not")).parse(start)?;
        let (rest, name) = self.name("a feature", rest)?;
        let switch = ast::Switch {
            name: name.value,
            on: not.is_none(),
        };
        Ok((rest, self.spanned(consumed(start, rest), switch)))
    }
}

/// `closed ::= "closed" "egress"`
fn closed(input: &str) -> Res<'_, ast::Statement> {
    preceded(keyword("closed"), alt((keyword("egress"),)))
        .map(|_| ast::Statement::ClosedEgress)
        .parse(input)
}
