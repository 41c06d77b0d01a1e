//! What `ufw status` and `ufw show added` print, to the rulesets that ufw has loaded.
//!
//! INVARIANT: what these commands do not show, `before.rules` and `after.rules`, is taken to be as ufw ships it, and that is said.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::init::{self, Text, table};
use super::lines::lines_alone;
use super::settings::Settings;
use super::{align, shipped, unread};
use crate::dialect::Reading;
use crate::dialect::iptables::restore;
use crate::dialect::ufw::ast::{Direction, Log, Read, Said, Side, Unread, UserRule, Verdict};
use crate::dialect::ufw::names::ports_of;
use crate::dialect::ufw::parser::command::command;
use crate::dialect::ufw::parser::profile::{Service, profiles, services};
use crate::dialect::ufw::parser::status::{self, Line, Listed};
use crate::dialect::ufw::part::{Part, part};
use crate::finding::{Code, Finding, Label};
use crate::model::{Action, Condition, Match, Rule, Ruleset, Unknown};
use crate::packet::Family;
use crate::source::{Locator, Source, Span};

/// Pairs of services that one row may stand for; more are not followed one by one.
const MAX_PAIRS: usize = 1024;

/// A rule of a listing, or one of those that an application stands for.
struct Row<'a> {
    rule: UserRule<'a>,
    is_v6: Option<bool>,
    /// An application of which no port is known, or all of a row that could not be read.
    unknown: Option<&'a str>,
}

/// What one text lists.
struct Listing<'a> {
    at: Locator<'a>,
    rows: Vec<Row<'a>>,
    /// Profiles that lie beside it.
    profiles: BTreeMap<&'a str, &'a str>,
    settings: Settings<'a>,
    has_defaults: bool,
    /// Applications whose ports are taken from what their packages ship.
    assumed: Vec<&'a str>,
}

/// Reads and lowers a text; `beside` are profiles.
pub(super) fn lower<'a>(source: Source<'a>, beside: &[Source<'a>], reading: &mut Reading) {
    let at = Locator::new(source);
    let first = source.text.lines().map(str::trim).find(|line| !line.is_empty());
    let origin = at.span(first.unwrap_or_else(|| source.text.get(..0).unwrap_or("")));
    let mut listing = Listing {
        at,
        rows: Vec::new(),
        profiles: BTreeMap::new(),
        settings: Settings::read(&[], origin, &mut reading.notices),
        has_defaults: false,
        assumed: Vec::new(),
    };
    for file in beside {
        let known = profiles(file.text).0.into_iter();
        listing
            .profiles
            .extend(known.map(|profile| (profile.name, profile.ports)));
    }
    let is_status = part(source) == Some(Part::Status);
    for line in source.text.split('\n') {
        if let Err(found) = listing.line(line, is_status) {
            reading.notices.push(unread(&at, &found));
            listing.unknown_row(line);
        }
    }
    listing.finish(origin, reading);
}

impl<'a> Listing<'a> {
    fn line(&mut self, line: &'a str, is_status: bool) -> Read<'a, ()> {
        if !is_status {
            if line.trim_start().starts_with("ufw ") {
                self.add(command(line)?)?;
            }
            return Ok(());
        }
        match status::line(line)? {
            Line::Heading => {}
            Line::Inactive(word) => {
                self.settings.enabled.text = "no";
                self.settings.enabled.span = self.at.span(word);
            }
            Line::Defaults(words) => self.defaults(words),
            Line::Rule(row) => self.add(*row)?,
        }
        Ok(())
    }

    fn defaults(&mut self, words: [Option<&'a str>; 3]) {
        self.has_defaults = true;
        let settings = &mut self.settings;
        let places = [&mut settings.input, &mut settings.output, &mut settings.forward];
        for (place, word) in places.into_iter().zip(words) {
            let Some(word) = word else { continue };
            place.span = self.at.span(word);
            place.text = match word {
                "allow" => "ACCEPT",
                // What is not passed on at all needs no policy.
                "deny" | "disabled" => "DROP",
                "reject" => "REJECT",
                other => other,
            };
        }
    }

    /// Adds a rule, or for an application's those that its ports make.
    fn add(&mut self, listed: Listed<'a>) -> Read<'a, ()> {
        let to = listed.to_application.map(|name| (name, self.services(name)));
        let from = listed.from_application.map(|name| (name, self.services(name)));
        let unknown = [&to, &from]
            .into_iter()
            .flatten()
            .find_map(|(name, services)| services.is_none().then_some(*name));
        if unknown.is_some() {
            self.rows.push(Row {
                rule: listed.rule,
                is_v6: listed.is_v6,
                unknown,
            });
            return Ok(());
        }
        let ends = |end: Option<(&'a str, Option<Vec<Service<'a>>>)>| match end {
            Some((_, Some(services))) => services.into_iter().map(Some).collect(),
            _ => vec![None],
        };
        let (to, from) = (ends(to), ends(from));
        if to.len().saturating_mul(from.len()) > MAX_PAIRS {
            let message = format!("more than {MAX_PAIRS} pairs of ports");
            return Err(Unread::new(listed.rule.text, message));
        }
        for (to, from) in to.iter().flat_map(|to| from.iter().map(move |from| (to, from))) {
            if let Some(rule) = with_services(&listed.rule, to.as_ref(), from.as_ref()) {
                self.rows.push(Row {
                    rule,
                    is_v6: listed.is_v6,
                    unknown: None,
                });
            }
        }
        Ok(())
    }

    /// The ports of an application, said by its name.
    fn services(&mut self, name: &'a str) -> Option<Vec<Service<'a>>> {
        let own = self.profiles.get(name).copied();
        let ports = own.or_else(|| ports_of(name))?;
        if own.is_none() && !self.assumed.contains(&name) {
            self.assumed.push(name);
        }
        let services = services(ports).ok()?.into_iter().map(|service| {
            let named = |said: Said<'a>| Said {
                word: name,
                text: said.text,
            };
            Service {
                protocol: service.protocol.map(named),
                ports: service.ports.map(named),
            }
        });
        Some(services.collect())
    }

    /// A row that could not be read may be any rule, of any direction.
    fn unknown_row(&mut self, line: &'a str) {
        let text = line.trim();
        for (route, direction) in [
            (false, Direction::In),
            (false, Direction::Out),
            (true, Direction::In),
        ] {
            self.rows.push(Row {
                rule: UserRule {
                    text,
                    action: text,
                    verdict: Verdict::Allow,
                    log: Log::Nothing,
                    route,
                    direction,
                    protocol: None,
                    to: Side::default(),
                    from: Side::default(),
                    interface_in: None,
                    interface_out: None,
                },
                is_v6: None,
                unknown: Some(text),
            });
        }
    }

    fn finish(self, origin: Span, reading: &mut Reading) {
        if !self.settings.enabled.is_yes() {
            let text = init::off(self.settings.enabled.span);
            for family in Family::ALL {
                restore(&[text.locator()], family, reading);
            }
            return;
        }
        self.settings.check(&mut reading.notices);
        reading.n_rules += self.rows.len();
        let is_of_both = self.rows.iter().any(|row| row.is_v6.is_none());
        if is_of_both {
            reading.notes.push("IPv6 is taken to be on".into());
        }
        let mut notes = vec!["before.rules and after.rules are taken to be as ufw ships them".to_owned()];
        if !self.has_defaults {
            notes.push(
                "the default policies are taken to be as ufw ships them; `ufw status verbose` shows them"
                    .into(),
            );
        }
        notes.extend(self.assumed.iter().map(|name| {
            format!("application `{name}` is taken to have the ports that its package ships: `ufw status verbose` shows them")
        }));
        reading.notes.append(&mut notes);
        for family in Family::ALL {
            let has_rows = self.rows.iter().any(|row| row.is_v6 == Some(true));
            if family == Family::V4 || has_rows || self.rows.iter().any(|row| row.is_v6.is_none()) {
                self.family(family, origin, reading);
            }
        }
    }

    fn family(&self, family: Family, origin: Span, reading: &mut Reading) {
        let is_of = |row: &&Row<'a>| row.is_v6.is_none_or(|is_v6| is_v6 == (family == Family::V6));
        let rows: Vec<&Row<'a>> = self.rows.iter().filter(is_of).collect();
        let mut texts = init::primary(family, &self.settings, origin);
        texts.push(Text::Made(shipped::before(family), origin));
        texts.push(Text::Made(shipped::after(family), origin));
        texts.push(init::user_chains(family, origin));
        for row in &rows {
            let lines = table(&lines_alone(&row.rule, family));
            texts.push(Text::Made(lines, self.at.span(row.rule.text)));
        }
        texts.push(init::user_jumps(family, origin));
        texts.extend(init::policies(&self.settings));
        let locators: Vec<_> = texts.iter().map(Text::locator).collect();
        let mut of_family = Reading::default();
        restore(&locators, family, &mut of_family);
        self.settings.forget_said(&mut of_family.notices);
        if let Some(ruleset) = of_family.rulesets.first_mut() {
            let rules = rows.iter().map(|row| &row.rule);
            align::place_all(ruleset, rules, family, &self.at);
            doubt(ruleset, &rows, &self.at, &mut of_family.notices);
        }
        reading.notices.append(&mut of_family.notices);
        reading.rulesets.append(&mut of_family.rulesets);
    }
}

/// The rule for services of its ends; `None` if they have different protocols.
fn with_services<'a>(
    rule: &UserRule<'a>,
    to: Option<&Service<'a>>,
    from: Option<&Service<'a>>,
) -> Option<UserRule<'a>> {
    let mut rule = rule.clone();
    for (service, is_source) in [(to, false), (from, true)] {
        let Some(service) = service else { continue };
        if let Some(protocol) = &service.protocol {
            if rule
                .protocol
                .as_ref()
                .is_some_and(|other| other.text != protocol.text)
            {
                return None;
            }
            rule.protocol = Some(protocol.clone());
        }
        let side = if is_source { &mut rule.from } else { &mut rule.to };
        side.ports.clone_from(&service.ports);
    }
    Some(rule)
}

/// Has the rules of applications whose ports are not known hold or not, and what could not be read do anything.
fn doubt(ruleset: &mut Ruleset, rows: &[&Row<'_>], at: &Locator<'_>, notices: &mut Vec<Finding>) {
    let mut doubts: BTreeMap<Span, Doubt> = BTreeMap::new();
    for row in rows {
        let Some(name) = row.unknown else { continue };
        let doubt = Doubt::of(row, name, at);
        if let (Some(name), None) = (&doubt.application, doubts.get(&at.span(row.rule.text))) {
            let message = format!("the ports of `{name}` are not known");
            let label = Label::new(doubt.span, "may be any ports");
            let finding = Finding::new(Code::UnsupportedMatch, message, Some(label));
            notices
                .push(finding.help("give what `ufw status verbose` prints, or `applications.d` beside it"));
        }
        doubts.insert(at.span(row.rule.text), doubt);
    }
    for rule in ruleset.chains.iter_mut().flat_map(|chain| &mut chain.rules) {
        if let Some(doubt) = doubts.get(&rule.span) {
            doubt.apply(rule);
        }
    }
}

/// What is not known of a row.
struct Doubt {
    span: Span,
    why: Arc<str>,
    /// `None`: all of it could not be read.
    application: Option<String>,
}

impl Doubt {
    fn of(row: &Row<'_>, name: &str, at: &Locator<'_>) -> Self {
        let application = (name != row.rule.text).then(|| name.to_owned());
        let why = match &application {
            Some(name) => format!("the ports of `{name}` are not known").into(),
            None => "this text could not be read".into(),
        };
        Self {
            span: at.span(name),
            why,
            application,
        }
    }

    fn apply(&self, rule: &mut Rule) {
        let unknown = |property| Unknown {
            property,
            why: Arc::clone(&self.why),
        };
        match &self.application {
            Some(name) => {
                let property = Some(Arc::from(format!("ufw application {name}")));
                rule.matches.push(Match {
                    span: self.span,
                    condition: Condition::Unknown(unknown(property)),
                });
            }
            None => rule.action = Action::Unknown(unknown(None)),
        }
    }
}
