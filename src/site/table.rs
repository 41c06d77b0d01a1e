//! Typed reading of TOML items: what is not of the right type becomes an error, and reading goes on.

use std::ops::Range;

use toml_edit::{Item, TableLike, Value};

use super::error::{SiteError, bytes};
use crate::packet::Network;
use crate::policy::nearest;
use crate::source::{Source, Span, Spanned};

/// One text being read, and what was wrong with it so far.
pub(super) struct Reader<'a> {
    /// The text.
    pub(super) source: Source<'a>,
    /// The mistakes so far.
    pub(super) errors: Vec<SiteError>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(source: Source<'a>) -> Self {
        Self {
            source,
            errors: Vec::new(),
        }
    }

    /// The span of a range that `toml_edit` gave; the start of the file where it gave none.
    pub(super) fn span(&self, range: Option<Range<usize>>) -> Span {
        let narrow = |offset: usize| u32::try_from(offset.min(self.source.text.len())).unwrap_or(u32::MAX);
        let range = range.unwrap_or(0..0);
        let start = narrow(range.start);
        Span::new(self.source.file, start, narrow(range.end).max(start))
    }

    /// The span of an item that may be a `[[table]]` list, of which the first counts.
    pub(super) fn item_span(&self, item: &Item) -> Span {
        self.span(item.span())
    }

    /// The span of a key of a table.
    pub(super) fn key_span(&self, table: &dyn TableLike, key: &str) -> Span {
        let span = table.key(key).and_then(toml_edit::Key::span);
        self.span(span)
    }

    /// Refuses the keys of `table` that are not in `known`.
    pub(super) fn check_keys(&mut self, table: &dyn TableLike, place: &str, known: &[&str]) {
        for (key, _) in table.iter().filter(|(key, _)| !known.contains(key)) {
            let at = bytes(self.key_span(table, key));
            let help = match nearest(key, known.iter().copied()) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => format!("it can have {}", list(known)),
            };
            self.errors.push(SiteError::UnknownKey {
                key: key.to_owned(),
                place: place.to_owned(),
                help,
                at,
            });
        }
    }

    /// Says that a value is not what its key takes.
    pub(super) fn wrong_type(
        &mut self,
        key: &str,
        expected: &'static str,
        item: &Item,
        help: Option<String>,
    ) {
        let at = bytes(self.item_span(item));
        self.errors.push(SiteError::WrongType {
            key: key.to_owned(),
            expected,
            found: described(item),
            help,
            at,
        });
    }

    /// A table, written in any of TOML's ways.
    pub(super) fn table<'t>(&mut self, key: &str, item: &'t Item) -> Option<&'t dyn TableLike> {
        let table = item.as_table_like();
        if table.is_none() {
            self.wrong_type(key, "a table", item, None);
        }
        table
    }

    /// One string.
    pub(super) fn string(&mut self, key: &str, item: &Item) -> Option<Spanned<String>> {
        if let Some(value) = item.as_value().and_then(|value| self.text(value)) {
            return Some(value);
        }
        let bare = self.source.text.get(self.item_span(item).range()).unwrap_or("");
        let quotable = item.is_integer() || item.is_float() || item.is_bool();
        let help = quotable.then(|| format!("write it in quotes: \"{bare}\""));
        self.wrong_type(key, "a string", item, help);
        None
    }

    /// A list of strings; one string alone is a list of one.
    pub(super) fn strings(&mut self, key: &str, item: &Item) -> Vec<Spanned<String>> {
        if let Some(one) = item.as_value().and_then(|value| self.text(value)) {
            return vec![one];
        }
        let Some(array) = item.as_array() else {
            self.wrong_type(key, "a list of strings", item, None);
            return Vec::new();
        };
        let mut strings = Vec::with_capacity(array.len());
        for value in array {
            match self.text(value) {
                Some(text) => strings.push(text),
                None => self.wrong_type(key, "a list of strings", &Item::Value(value.clone()), None),
            }
        }
        strings
    }

    /// One boolean.
    pub(super) fn boolean(&mut self, key: &str, item: &Item) -> Option<Spanned<bool>> {
        if let Some(value) = item.as_bool() {
            return Some(Spanned::new(value, self.item_span(item)));
        }
        self.wrong_type(key, "`true` or `false`", item, None);
        None
    }

    /// A list of addresses, networks and ranges; one alone is a list of one.
    pub(super) fn networks(&mut self, key: &str, item: &Item) -> Vec<Spanned<Network>> {
        let strings = self.strings(key, item);
        strings
            .into_iter()
            .filter_map(|text| self.network(&text))
            .collect()
    }

    /// The network that a text names.
    pub(super) fn network(&mut self, text: &Spanned<String>) -> Option<Spanned<Network>> {
        match text.value.trim().parse() {
            Ok(network) => Some(Spanned::new(network, text.span)),
            Err(message) => {
                let at = bytes(text.span);
                self.errors.push(SiteError::Network { message, at });
                None
            }
        }
    }

    /// Adds an error about a value.
    pub(super) fn value_error(
        &mut self,
        span: Span,
        message: String,
        label: &'static str,
        help: impl Into<String>,
    ) {
        self.errors.push(SiteError::Value {
            message,
            label,
            help: help.into(),
            at: bytes(span),
        });
    }

    /// A string value with the bytes between its quotes, if they are the value as it stands.
    fn text(&self, value: &Value) -> Option<Spanned<String>> {
        let text = value.as_str()?;
        let whole = self.span(value.span());
        let inner = Span {
            start: whole.start.saturating_add(1).min(whole.end),
            end: whole.end.saturating_sub(1).max(whole.start),
            ..whole
        };
        let verbatim = inner.start <= inner.end && self.source.text.get(inner.range()) == Some(text);
        Some(Spanned::new(
            text.to_owned(),
            if verbatim { inner } else { whole },
        ))
    }
}

/// What an item is, as users call it.
fn described(item: &Item) -> &'static str {
    match item {
        Item::Value(Value::String(_)) => "a string",
        Item::Value(Value::Integer(_) | Value::Float(_)) => "a number",
        Item::Value(Value::Boolean(_)) => "a truth value",
        Item::Value(Value::Datetime(_)) => "a date",
        Item::Value(Value::Array(_)) | Item::ArrayOfTables(_) => "a list",
        Item::Value(Value::InlineTable(_)) | Item::Table(_) => "a table",
        Item::None => "nothing",
    }
}

/// `a`, `b` and `c`.
pub(super) fn list(words: &[&str]) -> String {
    let quoted: Vec<_> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
        None => "no keys".to_owned(),
    }
}
