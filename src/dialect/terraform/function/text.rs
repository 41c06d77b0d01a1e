//! Functions of strings.
//!
//! INVARIANT: what is cut from a string, or is it in another form, comes from where the string did.

use std::sync::Arc;

use regex::Regex;

use super::Function;
use super::arguments::Arguments;
use crate::dialect::terraform::eval::MAX_TEXT;
use crate::dialect::terraform::value::{Item, Kind, ListKind, Map, Outcome, Value, fault, over_limit};

pub(super) const TABLE: &[(&str, Function)] = &[
    ("chomp", |call| {
        let text = call.text(0)?;
        call.changed(text.trim_end_matches(['\n', '\r']))
    }),
    ("endswith", |call| {
        let (text, end) = (call.text(0)?, call.text(1)?);
        Ok(call.bool(text.ends_with(&*end)))
    }),
    ("indent", indent),
    ("join", join),
    ("lower", |call| call.changed(call.text(0)?.to_lowercase())),
    ("regex", |call| {
        let (pattern, text) = (pattern(&call.text(0)?)?, call.text(1)?);
        match pattern.captures(&text) {
            Some(found) => Ok(captured(call, &pattern, &found)),
            None => fault("the pattern does not match"),
        }
    }),
    ("regexall", |call| {
        let (pattern, text) = (pattern(&call.text(0)?)?, call.text(1)?);
        let all = pattern.captures_iter(&text);
        let items = all.map(|found| Item::sure(captured(call, &pattern, &found)));
        Ok(call.list_of(ListKind::List, limited(items)?))
    }),
    ("replace", replace),
    ("split", split),
    ("startswith", |call| {
        let (text, start) = (call.text(0)?, call.text(1)?);
        Ok(call.bool(text.starts_with(&*start)))
    }),
    ("strcontains", |call| {
        let (text, part) = (call.text(0)?, call.text(1)?);
        Ok(call.bool(text.contains(&*part)))
    }),
    ("strrev", |call| {
        call.changed(call.text(0)?.chars().rev().collect::<String>())
    }),
    ("substr", substr),
    ("title", |call| {
        let mut at_start = true;
        let mut titled = String::new();
        for char in call.text(0)?.chars() {
            if at_start {
                titled.extend(char.to_uppercase());
            } else {
                titled.push(char);
            }
            at_start = char.is_whitespace();
        }
        call.changed(titled)
    }),
    ("trim", |call| {
        let (text, cut) = (call.text(0)?, call.text(1)?);
        call.changed(text.trim_matches(|char| cut.contains(char)))
    }),
    ("trimprefix", |call| {
        let (text, prefix) = (call.text(0)?, call.text(1)?);
        call.changed(text.strip_prefix(&*prefix).unwrap_or(&text))
    }),
    ("trimspace", |call| call.changed(call.text(0)?.trim())),
    ("trimsuffix", |call| {
        let (text, suffix) = (call.text(0)?, call.text(1)?);
        call.changed(text.strip_suffix(&*suffix).unwrap_or(&text))
    }),
    ("upper", |call| call.changed(call.text(0)?.to_uppercase())),
];

/// Parts that a string may be divided into.
const MAX_PARTS: usize = 200_000;

fn indent(call: &Arguments<'_, '_>) -> Outcome<Value> {
    let (width, text) = (call.count(0)?, call.text(1)?);
    let lines = text.matches('\n').count();
    if lines.saturating_mul(width).saturating_add(text.len()) > MAX_TEXT {
        return over_limit("a string is too long");
    }
    let indented = text.replace('\n', &format!("\n{}", " ".repeat(width)));
    Ok(call.string(indented))
}

/// Texts with a separator between them. One alone is what it is, known or not.
fn join(call: &Arguments<'_, '_>) -> Outcome<Value> {
    let separator = call.text(0)?;
    let mut texts: Vec<Value> = Vec::new();
    if let [_, only] = call.values
        && let [
            Item {
                value,
                doubt: Some(doubt),
                ..
            },
        ] = super::arguments::list(only)?.items.as_slice()
        && !doubt.many
    {
        let empty = call.string("");
        return Ok(crate::dialect::terraform::value::join(value, &empty, &doubt.why));
    }
    for at in 1..call.len() {
        texts.extend(call.items(at)?.iter().map(|item| item.value.clone()));
    }
    let mut pieces = Vec::with_capacity(texts.len() * 2);
    for (at, text) in texts.into_iter().enumerate() {
        if at > 0 && !separator.is_empty() {
            pieces.push(Value::with(
                Kind::String(separator.clone()),
                &call.value(0)?.origin,
            ));
        }
        pieces.push(text);
    }
    if let [only] = pieces.as_slice()
        && matches!(only.kind, Kind::Reference(_) | Kind::String(_))
    {
        return Ok(only.clone());
    }
    call.evaluator.concatenate(&pieces, call.span)
}

/// Go's regular expressions are RE2's, as are those of the crate.
fn pattern(text: &str) -> Outcome<Regex> {
    match regex::RegexBuilder::new(text).size_limit(1 << 20).build() {
        Ok(pattern) => Ok(pattern),
        Err(_) => fault("this is no regular expression"),
    }
}

/// The whole match, or its groups as a list, or as an object if they have names.
fn captured(call: &Arguments<'_, '_>, pattern: &Regex, found: &regex::Captures<'_>) -> Value {
    let Ok(subject) = call.value(1) else {
        return call.string("");
    };
    let group = |at: usize| match found.get(at) {
        Some(part) => Value::text(part.as_str(), &subject.origin),
        None => Value::with(Kind::Null, &subject.origin),
    };
    if pattern.captures_len() == 1 {
        return group(0);
    }
    if pattern.capture_names().flatten().next().is_none() {
        let groups = (1..pattern.captures_len()).map(|at| Item::sure(group(at)));
        return Value::list(ListKind::Tuple, groups.collect(), &subject.origin);
    }
    let named = pattern.capture_names().enumerate().filter_map(|(at, name)| {
        let name: Arc<str> = name?.into();
        Some((name, Item::sure(group(at))))
    });
    let map = Map {
        is_object: true,
        entries: named.collect(),
        more: Vec::new(),
    };
    Value::map(map, &subject.origin)
}

/// `/…/` is a regular expression, `$1` its groups.
fn replace(call: &Arguments<'_, '_>) -> Outcome<Value> {
    let (text, wanted, with) = (call.text(0)?, call.text(1)?, call.text(2)?);
    let inner = wanted
        .strip_prefix('/')
        .and_then(|rest| rest.strip_suffix('/'))
        .filter(|_| wanted.len() > 1);
    let n_places = text.len().saturating_add(1).saturating_mul(with.len().max(1));
    if n_places > MAX_TEXT.saturating_mul(4) {
        return over_limit("a string is too long");
    }
    match inner {
        Some(inner) => {
            let replaced = pattern(inner)?.replace_all(&text, &*with).into_owned();
            call.changed(replaced)
        }
        None => call.changed(text.replace(&*wanted, &with)),
    }
}

/// Parts of a string, if they are not too many.
fn limited(parts: impl Iterator<Item = Item>) -> Outcome<Vec<Item>> {
    let parts: Vec<Item> = parts.take(MAX_PARTS + 1).collect();
    if parts.len() > MAX_PARTS {
        return over_limit(format!("more than {MAX_PARTS} parts of a string"));
    }
    Ok(parts)
}

fn split(call: &Arguments<'_, '_>) -> Outcome<Value> {
    let (separator, text) = (call.text(0)?, call.text(1)?);
    let origin = &call.value(1)?.origin;
    let part = |part: &str| Item::sure(Value::text(part, origin));
    let items: Vec<Item> = if text.is_empty() {
        vec![part("")]
    } else if separator.is_empty() {
        limited(text.chars().map(|char| part(&char.to_string())))?
    } else {
        limited(text.split(&*separator).map(part))?
    };
    call.evaluator.charge(items.len())?;
    Ok(Value::list(ListKind::List, items, origin))
}

/// A negative offset counts from the end; the length -1 means all the rest.
fn substr(call: &Arguments<'_, '_>) -> Outcome<Value> {
    let text = call.text(0)?;
    let (offset, length) = (call.whole(1)?, call.whole(2)?);
    let n_chars = i128::try_from(text.chars().count()).unwrap_or(i128::MAX);
    let start = if offset < 0 {
        (n_chars + offset).max(0)
    } else {
        offset.min(n_chars)
    };
    let end = if length < 0 {
        n_chars
    } else {
        (start.saturating_add(length)).min(n_chars)
    };
    let skip = usize::try_from(start).unwrap_or(0);
    let take = usize::try_from(end - start).unwrap_or(0);
    call.changed(text.chars().skip(skip).take(take).collect::<String>())
}
