//! Functions that encode and decode: JSON, YAML, CSV, base64, URLs.

use std::fmt::Write as _;

use super::Function;
use super::arguments::Arguments;
use crate::dialect::terraform::value::{
    Item, Kind, ListKind, Map, Outcome, Reason, Stop, Value, Why, fault, parse_json, parse_yaml, scalar_text,
    to_json,
};

pub(super) const TABLE: &[(&str, Function)] = &[
    ("base64decode", |call| match decode(&call.text(0)?) {
        Some(bytes) => text_of(call, bytes),
        None => fault("this is no base64"),
    }),
    ("base64encode", |call| {
        call.changed(encode(call.text(0)?.as_bytes()))
    }),
    ("csvdecode", csvdecode),
    ("jsondecode", |call| {
        let origin = &call.value(0)?.origin;
        parse_json(&call.text(0)?, origin, whole_file(call)?)
    }),
    ("jsonencode", |call| {
        let mut text = String::new();
        to_json(call.value(0)?, &mut text)?;
        Ok(call.string(text))
    }),
    ("textdecodebase64", |call| {
        let Some(bytes) = decode(&call.text(0)?) else {
            return fault("this is no base64");
        };
        let units = |from: fn([u8; 2]) -> u16| -> Vec<u16> {
            let pairs = bytes.chunks_exact(2);
            pairs
                .filter_map(|pair| Some(from([*pair.first()?, *pair.get(1)?])))
                .collect()
        };
        match &*call.text(1)?.to_uppercase() {
            "UTF-8" => text_of(call, bytes),
            "UTF-16LE" => call.changed(String::from_utf16_lossy(&units(u16::from_le_bytes))),
            "UTF-16BE" => call.changed(String::from_utf16_lossy(&units(u16::from_be_bytes))),
            other => not_modelled(call, other),
        }
    }),
    ("textencodebase64", |call| {
        let text = call.text(0)?;
        let bytes: Vec<u8> = match &*call.text(1)?.to_uppercase() {
            "UTF-8" => text.bytes().collect(),
            "UTF-16LE" => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            "UTF-16BE" => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
            other => return not_modelled(call, other),
        };
        call.changed(encode(&bytes))
    }),
    ("urldecode", |call| {
        let text = call.text(0)?.replace('+', " ");
        let mut bytes = Vec::new();
        let mut rest = text.bytes();
        while let Some(byte) = rest.next() {
            if byte != b'%' {
                bytes.push(byte);
                continue;
            }
            let digits: Vec<u8> = rest.by_ref().take(2).collect();
            let digits = std::str::from_utf8(&digits).unwrap_or("");
            match u8::from_str_radix(digits, 16) {
                Ok(byte) if digits.len() == 2 => bytes.push(byte),
                _ => return fault("`%` needs two hexadecimal digits"),
            }
        }
        text_of(call, bytes)
    }),
    ("urlencode", |call| {
        let mut out = String::new();
        for byte in call.text(0)?.bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                    out.push(char::from(byte));
                }
                b' ' => out.push('+'),
                // Writing to a string does not fail.
                _ => {
                    let _ = write!(out, "%{byte:02X}");
                }
            }
        }
        call.changed(out)
    }),
    ("yamldecode", |call| {
        let origin = &call.value(0)?.origin;
        parse_yaml(&call.text(0)?, origin, whole_file(call)?)
    }),
    ("yamlencode", |call| {
        let mut text = String::new();
        yaml(call.value(0)?, 0, &mut text)?;
        Ok(call.string(format!("{}\n", text.trim_matches('\n'))))
    }),
];

/// The file that the first argument is all of, if it is.
fn whole_file<'w>(call: &Arguments<'_, 'w>) -> Outcome<Option<crate::source::Source<'w>>> {
    let (value, text) = (call.value(0)?, call.text(0)?);
    let mut files = call.evaluator.program.texts.values();
    let found = files.find(|source| source.file == value.origin.span.file && source.text == &*text);
    Ok(found.copied())
}

fn not_modelled(call: &Arguments<'_, '_>, encoding: &str) -> Outcome<Value> {
    let message = format!("the encoding `{encoding}` is not modelled");
    Err(Stop::Unknown(Why::new(call.span, Reason::Function, message)))
}

fn text_of(call: &Arguments<'_, '_>, bytes: Vec<u8>) -> Outcome<Value> {
    match String::from_utf8(bytes) {
        Ok(text) => call.changed(text),
        Err(_) => fault("what is encoded is no UTF-8 text"),
    }
}

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Base64 with padding (RFC 4648, section 4).
pub(super) fn encode(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or(0));
        let group = byte(0) << 16 | byte(1) << 8 | byte(2);
        for at in 0..4_u32 {
            let digit = (group >> (18 - 6 * at)) & 63;
            let is_padding = at as usize > chunk.len();
            let digit = DIGITS.get(digit as usize).copied().unwrap_or(b'=');
            out.push(char::from(if is_padding { b'=' } else { digit }));
        }
    }
    out
}

fn decode(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text
        .bytes()
        .filter(|byte| !matches!(byte, b'\n' | b'\r'))
        .collect();
    if !digits.len().is_multiple_of(4) {
        return None;
    }
    let mut bytes = Vec::with_capacity(digits.len() / 4 * 3);
    let n_padding = digits.iter().rev().take_while(|byte| **byte == b'=').count();
    let n_digits = digits.len() - n_padding;
    if n_padding > 2 {
        return None;
    }
    for chunk in digits.chunks(4) {
        let mut group: u32 = 0;
        for byte in chunk {
            let digit = match DIGITS.iter().position(|digit| digit == byte) {
                Some(digit) => u32::try_from(digit).ok()?,
                None if *byte == b'=' => 0,
                None => return None,
            };
            group = group << 6 | digit;
        }
        bytes.extend(group.to_be_bytes().get(1..)?);
    }
    bytes.truncate(n_digits * 3 / 4);
    let inner_padding = digits.get(..n_digits)?.contains(&b'=');
    (!inner_padding).then_some(bytes)
}

/// Rows as objects, by the names of the first row (RFC 4180).
fn csvdecode(call: &Arguments<'_, '_>) -> Outcome<Value> {
    let text = call.text(0)?;
    let origin = &call.value(0)?.origin;
    let mut rows = rows(&text)?.into_iter();
    let Some(header) = rows.next() else {
        return fault("the first row has the names, and there is none");
    };
    let mut items = Vec::new();
    for row in rows {
        if row.len() != header.len() {
            return fault("a row has not as many fields as the first");
        }
        call.evaluator.charge(row.len())?;
        let entry =
            |(name, field): (&String, String)| (name.as_str().into(), Item::sure(Value::text(field, origin)));
        let map = Map {
            is_object: true,
            entries: header.iter().zip(row).map(entry).collect(),
            more: Vec::new(),
        };
        items.push(Item::sure(Value::map(map, origin)));
    }
    Ok(Value::list(ListKind::List, items, origin))
}

fn rows(text: &str) -> Outcome<Vec<Vec<String>>> {
    let mut rows = Vec::new();
    let mut row: Vec<String> = Vec::new();
    let mut field = String::new();
    let mut chars = text.chars().peekable();
    let mut quoted = false;
    let mut has_content = false;
    while let Some(char) = chars.next() {
        match char {
            '"' if quoted => {
                if chars.next_if_eq(&'"').is_some() {
                    field.push('"');
                } else {
                    quoted = false;
                }
            }
            '"' if field.is_empty() => {
                quoted = true;
                has_content = true;
            }
            _ if quoted => field.push(char),
            ',' => {
                row.push(std::mem::take(&mut field));
                has_content = true;
            }
            '\r' if chars.peek() == Some(&'\n') => {}
            '\n' => {
                // Blank lines are no rows.
                if has_content || !field.is_empty() {
                    row.push(std::mem::take(&mut field));
                    rows.push(std::mem::take(&mut row));
                }
                has_content = false;
            }
            _ => field.push(char),
        }
    }
    if quoted {
        return fault("a quoted field does not end");
    }
    if has_content || !field.is_empty() {
        row.push(field);
        rows.push(row);
    }
    Ok(rows)
}

/// As `yamlencode` writes it: block style, strings and keys in double quotes.
fn yaml(value: &Value, depth: usize, out: &mut String) -> Outcome<()> {
    let indent = "  ".repeat(depth);
    match &value.kind {
        Kind::List(list) if !list.items.is_empty() => {
            for item in list.exact()? {
                let _ = write!(out, "\n{indent}- ");
                let mut inner = String::new();
                yaml(&item.value, depth + 1, &mut inner)?;
                out.push_str(inner.trim_start());
            }
        }
        Kind::Map(map) if !map.entries.is_empty() => {
            for (key, item) in map.exact()? {
                let mut name = String::new();
                to_json(&Value::text(key.clone(), &value.origin), &mut name)?;
                let _ = write!(out, "\n{indent}{name}:");
                let is_block = match &item.value.kind {
                    Kind::List(list) => !list.items.is_empty(),
                    Kind::Map(map) => !map.entries.is_empty(),
                    _ => false,
                };
                if !is_block {
                    out.push(' ');
                }
                let is_list = matches!(item.value.kind, Kind::List(_));
                yaml(&item.value, if is_list { depth } else { depth + 1 }, out)?;
            }
        }
        Kind::List(_) => out.push_str("[]"),
        Kind::Map(map) => {
            map.exact()?;
            out.push_str("{}");
        }
        Kind::String(text) if text.contains('\n') => {
            out.push('|');
            let is_open = !text.ends_with('\n');
            if is_open {
                out.push('-');
            }
            for line in text.trim_end_matches('\n').split('\n') {
                let _ = write!(out, "\n{indent}{line}");
            }
        }
        Kind::String(_) | Kind::Null => to_json(value, out)?,
        _ => out.push_str(&scalar_text(value)?),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_goes_both_ways() {
        // RFC 4648, section 10.
        for (plain, encoded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
        ] {
            assert_eq!(encode(plain.as_bytes()), encoded);
            assert_eq!(decode(encoded), Some(plain.as_bytes().to_vec()));
        }
        for wrong in ["Zg", "Z===", "Zg=a", "Z*=="] {
            assert_eq!(decode(wrong), None, "{wrong}");
        }
    }
}
