//! The files of `/etc/ufw` to rulesets: in the order in which ufw's init script loads them.
//!
//! ufw-framework(8), "RULES FILES". INVARIANT: what is not there is taken to be as ufw ships it, and that is said; the user's own rules are
//! then not known.

use std::sync::Arc;

use super::init::{self, Text, prefix};
use super::settings::Settings;
use super::{align, shipped, unread};
use crate::dialect::Reading;
use crate::dialect::iptables::restore;
use crate::dialect::ufw::parser::profile::profiles;
use crate::dialect::ufw::part::{Part, Turn, is_copy, part};
use crate::finding::{Code, Finding, Label};
use crate::model::{Action, Rule, Ruleset, Unknown};
use crate::packet::Family;
use crate::source::{Locator, Source, Span};

/// The files of a unit by what they are.
#[derive(Default)]
struct Files<'a> {
    rules: Vec<(Turn, Family, Source<'a>)>,
    settings: Vec<Source<'a>>,
}

impl<'a> Files<'a> {
    /// Sorts the files. Of two that are the same part the first counts: what an old release left behind is not loaded.
    fn sort(unit: &[Source<'a>], reading: &mut Reading) -> Self {
        let mut files = Self::default();
        let is_rules = |source: &&Source<'_>| matches!(part(**source), Some(Part::Rules(..)));
        let are_copies = unit.iter().filter(is_rules).all(|source| is_copy(*source));
        for source in unit.iter().filter(|source| are_copies || !is_copy(**source)) {
            match part(*source) {
                Some(Part::Rules(turn, family)) => match files.rules(turn, family) {
                    Some(other) => {
                        let note = format!("{} is not read, since {} is", source.name, other.name);
                        reading.notes.push(note);
                    }
                    None => files.rules.push((turn, family, *source)),
                },
                Some(Part::Settings) => files.settings.push(*source),
                Some(Part::Profiles) => {
                    let at = Locator::new(*source);
                    let wrong = profiles(source.text).1;
                    reading
                        .notices
                        .extend(wrong.iter().map(|found| unread(&at, found)));
                }
                Some(Part::Script) if changes_rules(source.text) => reading.notes.push(format!(
                    "{} may change rules if it is executable, which was not followed",
                    source.name
                )),
                _ => {}
            }
        }
        files
    }

    fn rules(&self, turn: Turn, family: Family) -> Option<Source<'a>> {
        let mut of_part = self
            .rules
            .iter()
            .filter(|(other, of, _)| (*other, *of) == (turn, family));
        of_part.next().map(|(.., source)| *source)
    }

    fn has(&self, family: Family) -> bool {
        self.rules.iter().any(|(_, of, _)| *of == family)
    }
}

/// Whether a script has a line that calls a tool which changes rules.
fn changes_rules(text: &str) -> bool {
    let said = text.lines().map(str::trim).filter(|line| !line.starts_with('#'));
    let mut words = said.flat_map(|line| line.split(|char: char| !char.is_ascii_alphanumeric()));
    words.any(|word| matches!(word, "iptables" | "ip6tables" | "nft" | "ipset"))
}

/// Reads and lowers the files of one configuration.
pub(super) fn lower(unit: &[Source<'_>], reading: &mut Reading) {
    let files = Files::sort(unit, reading);
    let first = files.rules.first().map(|(.., source)| source);
    let Some(first) = first.or(files.settings.first()) else {
        reading.notices.extend(unit.first().map(nothing));
        return;
    };
    let settings = Settings::read(&files.settings, origin(*first), &mut reading.notices);
    if !settings.enabled.is_yes() {
        let text = init::off(settings.enabled.span);
        for family in Family::ALL {
            restore(&[text.locator()], family, reading);
        }
        reading.notes.push("ufw is off: nothing is filtered".into());
        return;
    }
    settings.check(&mut reading.notices);
    if files.has(Family::V4) {
        family(Family::V4, &files, &settings, reading);
    }
    if settings.has_defaults && !settings.ipv6.is_yes() {
        restore(
            &[init::loopback_only(settings.ipv6.span).locator()],
            Family::V6,
            reading,
        );
    } else if files.has(Family::V6) {
        family(Family::V6, &files, &settings, reading);
    }
    if !files.rules.is_empty() {
        reading.notes.extend(assumed(&settings).map(str::to_owned));
    }
}

/// Says that a unit has none of the files that decide.
fn nothing(source: &Source<'_>) -> Finding {
    let label = Label::new(origin(*source), "part of it, or of something else");
    let message = "there are no rules of ufw here";
    let finding = Finding::new(Code::UnreadText, message, Some(label));
    finding.help("give the folder that `user.rules` is in, or what `ufw status verbose` prints")
}

/// What no file says of the whole.
fn assumed(settings: &Settings<'_>) -> impl Iterator<Item = &'static str> {
    let conf = "there is no ufw.conf: ufw is taken to be on";
    let defaults =
        "there is no /etc/default/ufw: taken to be as ufw ships it, denying what comes in and what is routed";
    let absent = [(settings.has_conf, conf), (settings.has_defaults, defaults)];
    absent.into_iter().filter(|(has, _)| !has).map(|(_, note)| note)
}

/// The place of what no other place says: where the table begins, or the first line.
fn origin(source: Source<'_>) -> Span {
    let mut lines = source.text.lines().map(str::trim);
    let table = lines.clone().find(|line| *line == "*filter");
    let line = table.or_else(|| lines.find(|line| !line.is_empty()));
    Locator::new(source).span(line.unwrap_or_else(|| source.text.get(..0).unwrap_or("")))
}

/// Reads and lowers the files of one family.
fn family(family: Family, files: &Files<'_>, settings: &Settings<'_>, reading: &mut Reading) {
    let user = files.rules(Turn::User, family);
    let first = [Turn::User, Turn::Before, Turn::After]
        .into_iter()
        .find_map(|turn| files.rules(turn, family));
    let Some(origin) = first.map(origin) else { return };
    let mut texts = init::primary(family, settings, origin);
    let digit = if family == Family::V6 { "6" } else { "" };
    for (turn, name, shipped) in [
        (Turn::Before, "before", shipped::before as fn(Family) -> String),
        (Turn::After, "after", shipped::after),
    ] {
        texts.push(files.rules(turn, family).map_or_else(
            || {
                let note = format!("there is no {name}{digit}.rules: taken to be as ufw ships it");
                reading.notes.push(note);
                Text::Made(shipped(family), origin)
            },
            Text::File,
        ));
    }
    texts.push(init::user_chains(family, origin));
    texts.extend(user.map(Text::File));
    texts.push(init::user_jumps(family, origin));
    texts.extend(init::policies(settings));
    let locators: Vec<_> = texts.iter().map(Text::locator).collect();
    let mut of_family = Reading::default();
    restore(&locators, family, &mut of_family);
    settings.forget_said(&mut of_family.notices);
    if let Some(ruleset) = of_family.rulesets.first_mut() {
        match user {
            Some(source) => align::align(ruleset, source, family, &mut of_family.notices),
            None => doubt_user(ruleset, family, origin, &mut of_family.notices),
        }
    }
    reading.n_rules += of_family.n_rules;
    reading.notices.append(&mut of_family.notices);
    reading.rulesets.append(&mut of_family.rulesets);
}

/// Has the user's chains do anything: their rules are not there.
fn doubt_user(ruleset: &mut Ruleset, family: Family, origin: Span, notices: &mut Vec<Finding>) {
    let name = match family {
        Family::V4 => "user.rules",
        Family::V6 => "user6.rules",
    };
    let why = format!("the rules of `{name}` are not known");
    let label = Label::new(origin, "loaded together with it");
    let finding = Finding::new(Code::UnsupportedMatch, &*why, Some(label));
    notices.push(finding.help(format!("give `{name}` too: all that it may do was followed")));
    let why: Arc<str> = why.into();
    for suffix in ["input", "output", "forward"] {
        let path = format!("filter/{}-user-{suffix}", prefix(family));
        let chains = ruleset.chains.iter_mut().filter(|chain| chain.path == path);
        for chain in chains {
            chain.rules.push(Rule {
                span: origin,
                matches: Vec::new(),
                action: Action::Unknown(Unknown {
                    property: None,
                    why: Arc::clone(&why),
                }),
                action_span: origin,
            });
        }
    }
}
