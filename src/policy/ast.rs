//! The policy language as it is written: what the parser makes of text and the printer makes text of.
//!
//! Names are not looked up here, and numbers are not checked: `tcp/70000` is a legal tree with no legal meaning.
//! INVARIANT: every choice has at least one item; with one item it is not `one_of`.

use super::row::{Choice, Kind};
use crate::source::{Span, Spanned};

/// `policy NAME "Title" { … }`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// The name that ids begin with.
    pub name: Spanned<String>,
    /// What it is the policy of, for people.
    pub title: Option<Spanned<String>>,
    /// Its statements, in order.
    pub statements: Vec<Spanned<Statement>>,
    /// From the keyword to the closing brace.
    pub span: Span,
    /// The opening brace.
    pub brace: Span,
}

/// One statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Statement {
    /// `source "…"`: the document that the rows after it are taken from.
    Source(Spanned<String>),
    /// `section "…"`: the heading in the document that the rows after it stand under.
    Section(Spanned<String>),
    /// `role a, b in zone`.
    Role {
        /// The roles.
        names: Vec<Spanned<String>>,
        /// The zone their hosts are in if nothing is bound to them.
        home: Option<Spanned<String>>,
    },
    /// `zone a, b`.
    Zone(Vec<Spanned<String>>),
    /// `zone a = b`: `b` stands for `a` unless the site defines `a`.
    ZoneAlias {
        /// The zone.
        name: Spanned<String>,
        /// The one that stands for it.
        of: Spanned<String>,
    },
    /// `feature a "it is enabled"`.
    Feature {
        /// The name, as conditions have it.
        name: Spanned<String>,
        /// What it means that it is on.
        meaning: Option<Spanned<String>>,
    },
    /// `parameter a = "value" "what it is"`.
    Parameter {
        /// The name, as host names have it in angle brackets.
        name: Spanned<String>,
        /// What its values are, if that is said.
        kind: Option<Spanned<ParameterKind>>,
        /// Its values unless a site sets others.
        default: Vec<Spanned<String>>,
        /// What it is.
        meaning: Option<Spanned<String>>,
    },
    /// `service a = tcp/443 configurable`.
    Service {
        /// The name.
        name: Spanned<String>,
        /// What it is.
        value: Choice<Service>,
        /// Whether a site may set another.
        configurable: bool,
        /// What it may set; any of the protocol where this is not said.
        within: Option<Choice<Service>>,
    },
    /// One row of a table. Boxed, since it is several times as large as the others.
    Row(Box<Row>),
    /// `closed egress`: what hosts of its roles send is held against the policy too.
    ClosedEgress,
    /// `lift common/ssh "reason"`: what another policy forbids is not forbidden here.
    Lift {
        /// The other policy.
        policy: Spanned<String>,
        /// The id of its row.
        row: Spanned<String>,
        /// Why.
        reason: Spanned<String>,
    },
    /// `waive mke/tcp-2376 on manager "reason" until 2027-01-31`. Boxed, since it is larger than most.
    Waive(Box<Waiver>),
    /// `use NAME { … }`: the rows of another policy.
    Use {
        /// The other policy.
        policy: Spanned<String>,
        /// Its settings.
        settings: Vec<Spanned<Setting>>,
    },
}

/// What is found of a row of another policy, taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiver {
    /// The other policy.
    pub policy: Spanned<String>,
    /// The id of its row.
    pub row: Spanned<String>,
    /// Roles of that policy at whose hosts it is taken back; at all if there are none.
    pub roles: Vec<Spanned<String>>,
    /// Why.
    pub reason: Spanned<String>,
    /// The last day.
    pub until: Option<Spanned<Date>>,
}

/// `require id: from -> to : services …`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The keyword.
    pub kind: Spanned<Kind>,
    /// The id before the colon.
    pub id: Option<Spanned<String>>,
    /// Who opens the connection.
    pub from: Choice<Peer>,
    /// Who accepts it.
    pub to: Choice<Peer>,
    /// On what.
    pub services: Choice<Service>,
    /// `when …`
    pub when: Option<Condition>,
    /// `owner "…"`
    pub owner: Option<Spanned<String>>,
    /// `expires 2027-01-31`
    pub expires: Option<Spanned<Date>>,
    /// `severity warning`
    pub severity: Option<Spanned<RowSeverity>>,
    /// `tags "PCI DSS 1.3"`: what it is a part of for others.
    pub tags: Vec<Spanned<String>>,
    /// What it is for.
    pub purpose: Option<Spanned<String>>,
    /// `row 3`: its place under the section's heading.
    pub place: Option<Spanned<u64>>,
}

/// One end of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Peer {
    /// `self`
    This,
    /// `any`: anywhere.
    Any,
    /// `*`: the hosts of every role.
    Every,
    /// A host name, perhaps with parameters: `"<tenant>.app.stackstate.io"`.
    Host(String),
    /// A zone or a role of this policy.
    Name(String),
    /// `policy.role`
    Qualified {
        /// The policy.
        policy: String,
        /// Its role.
        role: String,
    },
}

/// A protocol and its ports or types.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Service {
    /// `any`: every protocol.
    Any,
    /// `?`: protocol and port are left to the site.
    Open,
    /// `tcp`, `tcp/443`, `udp/30000-32767`, `tcp/?`
    Ports {
        /// IP protocol number of a protocol that has ports.
        protocol: u8,
        /// `None` for all.
        ports: Option<Ports>,
    },
    /// `icmp`, `icmp/8`, `icmpv6/echo-request`
    Icmp {
        /// The number of ICMP for one of the two families.
        protocol: u8,
        /// `None` for all.
        kind: Option<IcmpType>,
    },
    /// `proto/112`
    Protocol(u64),
    /// A service of the policy, or a protocol without ports by its name.
    Name(String),
}

/// Ports of a protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ports {
    /// `?`: left to the site.
    Open,
    /// `443`
    One(u64),
    /// `30000-32767`
    Range(u64, u64),
}

/// Type and code of ICMP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IcmpType {
    /// `3`, `3/4`
    Number {
        /// The type.
        kind: u64,
        /// The code; `None` for all.
        code: Option<u64>,
    },
    /// `echo-request`
    Name(String),
}

/// Any of these, of which each needs all of its tests: `when a and b or c`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// The alternatives.
    pub any_of: Vec<Vec<Spanned<Test>>>,
    /// From `when` to its end.
    pub span: Span,
}

/// One fact about the site, or its opposite.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Test {
    /// `not`
    pub negated: bool,
    /// The fact.
    pub fact: Fact,
}

/// What a test asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// The feature is on.
    Feature(String),
    /// The product's version compares so.
    Version(Comparison, Version),
}

/// How versions are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `>=`
    AtLeast,
    /// `<=`
    AtMost,
    /// `>`
    Above,
    /// `<`
    Below,
    /// `=`
    Same,
}

/// A dotted version: `23.3`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version(pub Vec<u64>);

/// A day of the calendar as written: the month may be 13.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date {
    /// Four digits.
    pub year: u16,
    /// Two digits.
    pub month: u8,
    /// Two digits.
    pub day: u8,
}

impl std::fmt::Display for Date {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl Date {
    /// Reads `2027-01-31`. That there is such a day is not checked.
    #[must_use]
    pub fn of_text(text: &str) -> Option<Self> {
        let is_date = text.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
        let part = |range: std::ops::Range<usize>| text.get(range);
        (is_date && text.len() == 10).then_some(())?;
        Some(Self {
            year: part(0..4)?.parse().ok()?,
            month: part(5..7)?.parse().ok()?,
            day: part(8..10)?.parse().ok()?,
        })
    }

    /// Whether there is such a day in the Gregorian calendar.
    #[must_use]
    pub fn exists(self) -> bool {
        let year = u64::from(self.year);
        let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
        let last = match self.month {
            4 | 6 | 9 | 11 => 30,
            2 if is_leap => 29,
            2 => 28,
            1..=12 => 31,
            _ => 0,
        };
        (1..=last).contains(&self.day)
    }

    /// The day that is so many days after 1970-01-01, in the proleptic Gregorian calendar.
    #[must_use]
    pub fn of_days(days: u64) -> Self {
        let is_leap =
            |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
        let (mut year, mut left) = (1970, days.min(2_932_896));
        loop {
            let length = if is_leap(year) { 366 } else { 365 };
            if left < length {
                break;
            }
            left -= length;
            year += 1;
        }
        let february = if is_leap(year) { 29 } else { 28 };
        let mut month = 1u8;
        for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30] {
            if left < length {
                break;
            }
            left -= length;
            month += 1;
        }
        Self {
            year: u16::try_from(year).unwrap_or(9999),
            month,
            day: u8::try_from(left + 1).unwrap_or(31),
        }
    }
}

/// What a parameter's values are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ParameterKind {
    /// `host`: a whole host name, or an address.
    Host,
    /// `label`: one part of a host name, without dots.
    Label,
}

/// How bad it is if the row does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RowSeverity {
    /// `note`
    Note,
    /// `warning`
    Warning,
    /// `error`
    Error,
}

/// One setting of a used policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Setting {
    /// `version = 23.3`
    Version(Spanned<Version>),
    /// `feature logging, not telemetry`
    Features(Vec<Spanned<Switch>>),
    /// `tenant = "acme"`
    Parameter(Spanned<String>, Vec<Spanned<String>>),
    /// `ui = tcp/4443`
    Service(Spanned<String>, Choice<Service>),
}

/// A feature that is on or off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Switch {
    /// The feature.
    pub name: String,
    /// Whether it is on.
    pub on: bool,
}

impl Version {
    /// Reads dotted numbers; text between dots that is no number counts as 0.
    #[must_use]
    pub fn of_text(text: &str) -> Self {
        Self(text.split('.').map(saturated).collect())
    }
}

/// A run of digits as a number; the largest if it does not fit.
#[must_use]
pub fn saturated(digits: &str) -> u64 {
    digits.bytes().fold(0u64, |value, digit| {
        value
            .saturating_mul(10)
            .saturating_add(u64::from(digit.saturating_sub(b'0')))
    })
}

#[cfg(test)]
mod tests {
    use super::Date;

    #[test]
    fn days_are_counted_as_calendars_do() {
        let day = |text: &str| Date::of_text(text).unwrap();
        for (days, text) in [
            (0, "1970-01-01"),
            (58, "1970-02-28"),
            (59, "1970-03-01"),
            (789, "1972-02-29"),
            (11_016, "2000-02-29"),
            (20_454, "2026-01-01"),
            (20_908, "2027-03-31"),
            (47_540, "2100-02-28"),
            (47_541, "2100-03-01"),
        ] {
            assert_eq!(Date::of_days(days), day(text), "{days}");
        }
        assert!(Date::of_text("2027-3-31").is_none() && Date::of_text("20270331--").is_none());
    }
}
