//! JSON text to nodes that know where they lie.
//!
//! INVARIANT: nothing is deeper than [`MAX_DEPTH`], and every slice is one of the text. A string is what stands between its
//! quotes: nothing that is read here has escapes.

use crate::dialect::nftables::ast::{Read, Unread};

/// Brackets that may stand inside each other.
const MAX_DEPTH: usize = 64;

/// A value.
#[derive(Debug)]
pub(super) struct Node<'a> {
    pub(super) text: &'a str,
    pub(super) value: Value<'a>,
}

/// What a value is.
#[derive(Debug)]
pub(super) enum Value<'a> {
    /// `null`, `true`, `false`, a number.
    Plain,
    String(&'a str),
    Array(Vec<Node<'a>>),
    Object(Vec<(&'a str, Node<'a>)>),
}

impl<'a> Node<'a> {
    /// The value of a key of an object.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        match &self.value {
            Value::Object(entries) => entries.iter().find(|entry| entry.0 == key).map(|entry| &entry.1),
            _ => None,
        }
    }

    /// The only key of an object, and its value.
    pub(super) fn only(&self) -> Option<(&'a str, &Self)> {
        match &self.value {
            Value::Object(entries) => match entries.as_slice() {
                [(key, value)] => Some((key, value)),
                _ => None,
            },
            _ => None,
        }
    }

    /// What a string or a number says.
    pub(super) fn word(&self) -> Option<&'a str> {
        match self.value {
            Value::String(text) => Some(text),
            Value::Plain => Some(self.text),
            _ => None,
        }
    }

    /// The parts of an array; one part that is none.
    pub(super) fn parts(&self) -> &[Self] {
        match &self.value {
            Value::Array(parts) => parts,
            _ => std::slice::from_ref(self),
        }
    }
}

/// All of a text as one value.
pub(super) fn parse(text: &str) -> Read<'_, Node<'_>> {
    let (rest, node) = value(text, 0)?;
    match rest.trim_start() {
        "" => Ok(node),
        rest => Err(unexpected(rest)),
    }
}

fn unexpected(rest: &str) -> Unread<'_> {
    let end = rest.chars().next().map_or(0, char::len_utf8);
    let at = rest.get(..end).unwrap_or(rest);
    if at.is_empty() {
        return Unread::new(at, "the text ends in the middle of something");
    }
    Unread::new(at, format!("`{at}` is not expected here"))
}

/// Recursive, as deep as brackets are nested.
fn value(input: &str, depth: usize) -> Read<'_, (&str, Node<'_>)> {
    let from = input.trim_start();
    if depth > MAX_DEPTH {
        return Err(Unread::new(
            from.get(..1).unwrap_or(from),
            "brackets are nested too deep",
        ));
    }
    let (rest, value) = match from.as_bytes().first() {
        Some(b'"') => string(from).map(|(rest, text)| (rest, Value::String(text)))?,
        Some(b'{') => object(from, depth)?,
        Some(b'[') => array(from, depth)?,
        _ => {
            let end = from
                .bytes()
                .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.'))
                .count();
            if end == 0 {
                return Err(unexpected(from));
            }
            (from.get(end..).unwrap_or(""), Value::Plain)
        }
    };
    let text = from.get(..from.len() - rest.len()).unwrap_or("");
    Ok((rest, Node { text, value }))
}

fn string(from: &str) -> Read<'_, (&str, &str)> {
    let inside = from.get(1..).unwrap_or("");
    let mut is_escaped = false;
    for (at, byte) in inside.bytes().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => return Ok((inside.get(at + 1..).unwrap_or(""), inside.get(..at).unwrap_or(""))),
            _ => {}
        }
    }
    Err(Unread::new(
        from.get(..1).unwrap_or(from),
        "the quote is not closed",
    ))
}

fn object(from: &str, depth: usize) -> Read<'_, (&str, Value<'_>)> {
    let mut entries = Vec::new();
    let mut rest = from.get(1..).unwrap_or("").trim_start();
    if let Some(after) = rest.strip_prefix('}') {
        return Ok((after, Value::Object(entries)));
    }
    loop {
        if !rest.starts_with('"') {
            return Err(unexpected(rest));
        }
        let (after, key) = string(rest)?;
        let after = after.trim_start();
        let after = after.strip_prefix(':').ok_or_else(|| unexpected(after))?;
        let (after, node) = value(after, depth + 1)?;
        entries.push((key, node));
        rest = after.trim_start();
        if let Some(after) = rest.strip_prefix('}') {
            return Ok((after, Value::Object(entries)));
        }
        rest = rest
            .strip_prefix(',')
            .ok_or_else(|| unexpected(rest))?
            .trim_start();
    }
}

fn array(from: &str, depth: usize) -> Read<'_, (&str, Value<'_>)> {
    let mut parts = Vec::new();
    let mut rest = from.get(1..).unwrap_or("").trim_start();
    if let Some(after) = rest.strip_prefix(']') {
        return Ok((after, Value::Array(parts)));
    }
    loop {
        let (after, node) = value(rest, depth + 1)?;
        parts.push(node);
        rest = after.trim_start();
        if let Some(after) = rest.strip_prefix(']') {
            return Ok((after, Value::Array(parts)));
        }
        rest = rest.strip_prefix(',').ok_or_else(|| unexpected(rest))?;
    }
}
