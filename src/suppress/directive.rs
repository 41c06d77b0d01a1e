//! What a suppression says: codes, a day, a port, a reason.

use std::ops::Range;

use super::invalid;
use super::ports::Ports;
use crate::finding::{Code, Finding};
use crate::policy::ast::Date;
use crate::policy::nearest;
use crate::source::Span;

/// Findings that are known.
#[derive(Debug)]
pub(super) struct Directive {
    /// All of it.
    pub(super) span: Span,
    /// Of which kinds.
    pub(super) codes: Vec<Code>,
    /// The last day on which it is good.
    pub(super) until: Option<Date>,
    /// Of which ports alone.
    ports: Option<Ports>,
    /// Why.
    pub(super) reason: String,
}

impl Directive {
    /// Reads `[CODE, …] [until=DATE] [port=PORT] REASON`, which is at `at` of its file; `whole` is all that is underlined.
    pub(super) fn read(
        text: &str,
        whole: Span,
        at: &dyn Fn(Range<usize>) -> Span,
    ) -> Result<Self, Box<Finding>> {
        let no_codes = || {
            let help = "write `ignore[excess-opening] REASON`; `portcullis explain` lists the codes";
            invalid(
                whole,
                "a suppression names no codes".to_owned(),
                "codes are missing",
                help,
            )
        };
        let inside = text.strip_prefix('[').ok_or_else(no_codes)?;
        let (codes, rest) = inside.split_once(']').ok_or_else(no_codes)?;
        let codes = read_codes(codes, &|part| at(part.start + 1..part.end + 1))?;
        if codes.is_empty() {
            return Err(no_codes());
        }
        let mut directive = Self {
            span: whole,
            codes,
            until: None,
            ports: None,
            reason: String::new(),
        };
        let mut rest = rest.trim_start_matches(':').trim_start();
        loop {
            let word = rest.split_whitespace().next().unwrap_or("");
            let start = text.len() - rest.len();
            if !directive.option(word, &at(start..start + word.len()))? {
                break;
            }
            rest = rest.get(word.len()..).unwrap_or("").trim_start();
        }
        let start = text.len() - rest.len();
        if let Some(word) = rest.split_whitespace().find(|word| is_like_option(word)) {
            let by = start + rest.find(word).unwrap_or(0);
            let message = format!("`{word}` stands in the reason, where it limits nothing");
            let help = "options are `until=DAY` and `port=PORT`, and stand before the reason";
            let span = at(by..by + word.len());
            return Err(invalid(span, message, "not an option here", help));
        }
        if !rest.chars().any(char::is_alphanumeric) {
            let message = "a suppression gives no reason".to_owned();
            let help =
                "say behind the codes why the finding is known and left: `ignore[…] until=2027-01-31 REASON`";
            return Err(invalid(whole, message, "the reason is missing", help));
        }
        rest.trim_end().clone_into(&mut directive.reason);
        Ok(directive)
    }

    /// Takes an option, if the word is one.
    fn option(&mut self, word: &str, span: &Span) -> Result<bool, Box<Finding>> {
        if let Some(day) = word.strip_prefix("until=") {
            let wrong = || {
                let message = format!("`{day}` is not a day");
                invalid(
                    *span,
                    message,
                    "not a day",
                    "write year, month and day: `until=2027-01-31`",
                )
            };
            let day = Date::of_text(day).filter(|day| day.exists());
            once(self.until.is_some(), word, *span)?;
            self.until = Some(day.ok_or_else(wrong)?);
        } else if let Some(ports) = word.strip_prefix("port=") {
            let wrong = || {
                let message = format!("`{ports}` is not a port");
                invalid(
                    *span,
                    message,
                    "not a port",
                    "write `port=3306`, `port=udp/53` or `port=tcp/8000-8010`",
                )
            };
            once(self.ports.is_some(), word, *span)?;
            self.ports = Some(Ports::of_text(ports).ok_or_else(wrong)?);
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    /// Whether its last day is over.
    pub(super) fn is_past(&self, today: Option<Date>) -> bool {
        self.until.zip(today).is_some_and(|(until, today)| today > until)
    }

    /// Whether a finding is of its codes, and about its ports alone.
    pub(super) fn names(&self, finding: &Finding) -> bool {
        let has_all =
            |ports: &Ports| !finding.extent.is_empty() && finding.extent.iter().all(|line| ports.cover(line));
        self.codes.contains(&finding.code) && self.ports.as_ref().is_none_or(has_all)
    }
}

/// Refuses an option that was there before.
fn once(is_there: bool, word: &str, span: Span) -> Result<(), Box<Finding>> {
    if !is_there {
        return Ok(());
    }
    let message = format!("`{word}` is a second one of its kind");
    let help = "write two comments if two things are meant";
    Err(invalid(span, message, "say it once", help))
}

/// Whether a word of a reason was meant to be an option: `until=…`, `untl=…`, `Port:`.
fn is_like_option(word: &str) -> bool {
    let Some(at) = word.find(['=', ':']) else {
        return false;
    };
    let key = word
        .get(..at)
        .unwrap_or("")
        .trim_start_matches(',')
        .to_ascii_lowercase();
    nearest(&key, ["until", "port"]).is_some() || ["until", "port"].contains(&key.as_str())
}

fn read_codes(text: &str, at: &dyn Fn(Range<usize>) -> Span) -> Result<Vec<Code>, Box<Finding>> {
    let mut codes = Vec::new();
    let mut start = 0;
    for part in text.split(',') {
        let id = part.trim();
        let from = start + (part.len() - part.trim_start().len());
        start += part.len() + 1;
        if id.is_empty() {
            continue;
        }
        let span = at(from..from + id.len());
        let Some(code) = Code::by_id(id) else {
            let near = nearest(id, Code::ALL.iter().map(|code| code.id()));
            let help = near.map_or_else(
                || "`portcullis explain` lists the codes".to_owned(),
                |near| format!("did you mean `{near}`?"),
            );
            return Err(invalid(
                span,
                format!("there is no code `{id}`"),
                "not a code",
                help,
            ));
        };
        if let Some(help) = why_not(code) {
            return Err(invalid(
                span,
                format!("findings of `{id}` cannot be taken back here"),
                "not here",
                help,
            ));
        }
        codes.push(code);
    }
    Ok(codes)
}

/// What to do instead, for codes that no comment takes back.
pub(super) fn why_not(code: Code) -> Option<&'static str> {
    match code {
        Code::MissingOpening | Code::BlockedReply => Some(
            "what is missing has no line of its own: `waive` its row in a policy of the site, or switch its feature off in portcullis.toml",
        ),
        Code::UnusedSuppression | Code::ExpiredSuppression | Code::InvalidSuppression => {
            Some("correct or remove the comment that it is about")
        }
        code if code.is_failure() => Some("what was not read is not known: correct the text"),
        _ => None,
    }
}
