//! Functions of dates that need no clock: `formatdate`, `timeadd`, `timecmp`.
//!
//! RFC 3339; Terraform, "Date and Time Functions". INVARIANT: a moment is seconds from 1970 in UTC beside its own offset.

use super::Function;
use super::arguments::Arguments;
use crate::dialect::terraform::value::{Number, Outcome, Value, fault};

pub(super) const TABLE: &[(&str, Function)] = &[
    ("formatdate", formatdate),
    ("timeadd", |call| {
        let (moment, seconds) = (moment(&call.text(0)?)?, duration(&call.text(1)?)?);
        let moved = Moment {
            seconds: moment.seconds.saturating_add(seconds),
            ..moment
        };
        call.changed(written(&moved))
    }),
    ("timecmp", |call| {
        let (one, other) = (moment(&call.text(0)?)?, moment(&call.text(1)?)?);
        let compared = one.seconds.cmp(&other.seconds) as i8;
        Ok(call.numeric(Number::integer(compared.into())))
    }),
];

struct Moment {
    seconds: i64,
    /// Minutes ahead of UTC.
    offset: i64,
}

struct Fields {
    year: i64,
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
    /// From Sunday.
    weekday: i64,
}

fn moment(text: &str) -> Outcome<Moment> {
    match parse(text) {
        Some(moment) => Ok(moment),
        None => fault(format!("`{text}` is no moment as RFC 3339 writes it")),
    }
}

/// `2017-11-22T00:00:00Z`, `…+01:00`.
fn parse(text: &str) -> Option<Moment> {
    let number = |from: usize, to: usize| -> Option<i64> {
        let digits = text.get(from..to)?;
        digits
            .bytes()
            .all(|byte| byte.is_ascii_digit())
            .then(|| digits.parse().ok())?
    };
    let punctuation = [(4, "-"), (7, "-"), (10, "T"), (13, ":"), (16, ":")];
    if punctuation
        .iter()
        .any(|(at, mark)| text.get(*at..at + 1) != Some(mark))
    {
        return None;
    }
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    let zone = text
        .get(19..)?
        .trim_start_matches(|char: char| char == '.' || char.is_ascii_digit());
    let offset = match zone.get(..1)? {
        "Z" if zone.len() == 1 => 0,
        sign @ ("+" | "-") if zone.len() == 6 => {
            let minutes = zone.get(1..3)?.parse::<i64>().ok()? * 60 + zone.get(4..6)?.parse::<i64>().ok()?;
            if sign == "-" { -minutes } else { minutes }
        }
        _ => return None,
    };
    let is_valid = (1..=12).contains(&month)
        && (1..=days_in(year, month)).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60;
    let seconds = ((days(year, month, day) * 24 + hour) * 60 + minute - offset) * 60 + second;
    is_valid.then_some(Moment { seconds, offset })
}

fn days_in(year: i64, month: i64) -> i64 {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 => 28 + i64::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 in the Gregorian calendar; years begin in March, so that leap days come last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

fn fields(moment: &Moment) -> Fields {
    let seconds = moment.seconds.saturating_add(moment.offset * 60);
    let (day, of_day) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let shifted = day + 719_468;
    let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153;
    let month_number = (month + 2) % 12 + 1;
    Fields {
        year: era * 400 + year_of_era + i64::from(month_number <= 2),
        month: month_number,
        day: of_year - (153 * month + 2) / 5 + 1,
        hour: of_day / 3600,
        minute: of_day / 60 % 60,
        second: of_day % 60,
        weekday: (day + 4).rem_euclid(7),
    }
}

fn zone(moment: &Moment, colon: &str) -> String {
    let sign = if moment.offset < 0 { '-' } else { '+' };
    let minutes = moment.offset.abs();
    format!("{sign}{:02}{colon}{:02}", minutes / 60, minutes % 60)
}

fn written(moment: &Moment) -> String {
    let at = fields(moment);
    let zone = if moment.offset == 0 {
        "Z".to_owned()
    } else {
        zone(moment, ":")
    };
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}{zone}",
        at.year, at.month, at.day, at.hour, at.minute, at.second
    )
}

/// `10m`, `-1h30m`: hours, minutes, seconds and less, as Go writes durations.
fn duration(text: &str) -> Outcome<i64> {
    let (sign, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text),
    };
    let mut total = 0_f64;
    while !rest.is_empty() {
        let end = rest
            .find(|char: char| !char.is_ascii_digit() && char != '.')
            .unwrap_or(rest.len());
        let (number, unit) = rest.split_at(end);
        let unit_end = unit
            .find(|char: char| char.is_ascii_digit() || char == '.')
            .unwrap_or(unit.len());
        let (unit, next) = unit.split_at(unit_end);
        let factor = match unit {
            "h" => 3600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 1e-3,
            "us" | "µs" => 1e-6,
            "ns" => 1e-9,
            _ => return fault(format!("`{text}` is no duration")),
        };
        match number.parse::<f64>() {
            Ok(number) => total += number * factor,
            Err(_) => return fault(format!("`{text}` is no duration")),
        }
        rest = next;
    }
    match Number::of_float(total.trunc()).and_then(Number::whole) {
        Some(seconds) => Ok(sign * i64::try_from(seconds).unwrap_or(i64::MAX)),
        None => fault(format!("`{text}` is no duration")),
    }
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const WEEKDAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];

fn formatdate(call: &Arguments<'_, '_>) -> Outcome<Value> {
    let (format, moment) = (call.text(0)?, moment(&call.text(1)?)?);
    let at = fields(&moment);
    let mut out = String::new();
    let mut rest: &str = &format;
    while let Some(first) = rest.chars().next() {
        if first == '\'' {
            let inner = rest.get(1..).unwrap_or("");
            match inner.find('\'') {
                Some(0) => out.push('\''),
                Some(end) => out.push_str(inner.get(..end).unwrap_or("")),
                None => return fault("a quoted part of the format does not end"),
            }
            let end = inner.find('\'').unwrap_or(0);
            rest = inner.get(end + 1..).unwrap_or("");
            continue;
        }
        let width = rest.chars().take_while(|char| *char == first).count();
        let (run, next) = rest.split_at(width * first.len_utf8());
        rest = next;
        if !first.is_ascii_alphabetic() {
            out.push_str(run);
            continue;
        }
        match piece(run, &at, &moment) {
            Some(piece) => out.push_str(&piece),
            None => return fault(format!("`{run}` means nothing in a date")),
        }
    }
    Ok(call.string(out))
}

fn piece(run: &str, at: &Fields, moment: &Moment) -> Option<String> {
    let name = |names: &'static [&'static str], at: i64| {
        usize::try_from(at)
            .ok()
            .and_then(|at| names.get(at))
            .copied()
            .unwrap_or("")
    };
    let (month, weekday) = (name(&MONTHS, at.month - 1), name(&WEEKDAYS, at.weekday));
    let twelve = if at.hour % 12 == 0 { 12 } else { at.hour % 12 };
    Some(match run {
        "YYYY" => format!("{:04}", at.year),
        "YY" => format!("{:02}", at.year % 100),
        "MMMM" => month.to_owned(),
        "MMM" => month.get(..3)?.to_owned(),
        "MM" => format!("{:02}", at.month),
        "M" => at.month.to_string(),
        "DD" => format!("{:02}", at.day),
        "D" => at.day.to_string(),
        "EEEE" => weekday.to_owned(),
        "EEE" => weekday.get(..3)?.to_owned(),
        "hh" => format!("{:02}", at.hour),
        "h" => at.hour.to_string(),
        "HH" => format!("{twelve:02}"),
        "H" => twelve.to_string(),
        "AA" => if at.hour < 12 { "AM" } else { "PM" }.to_owned(),
        "aa" => if at.hour < 12 { "am" } else { "pm" }.to_owned(),
        "mm" => format!("{:02}", at.minute),
        "m" => at.minute.to_string(),
        "ss" => format!("{:02}", at.second),
        "s" => at.second.to_string(),
        "ZZZ" if moment.offset == 0 => "UTC".to_owned(),
        "Z" if moment.offset == 0 => "Z".to_owned(),
        "ZZZZZ" | "Z" => zone(moment, ":"),
        "ZZZZ" | "ZZZ" => zone(moment, ""),
        _ => return None,
    })
}
