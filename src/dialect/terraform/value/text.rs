//! Values as text: what templates and `tostring` make of them, and JSON.
//!
//! INVARIANT: text is made only of values that are wholly known.

use std::sync::Arc;

use super::{Kind, Outcome, Reason, Stop, Value, Why, fault};

/// The text of a string, number or bool (Terraform, "tostring").
pub(in super::super) fn scalar_text(value: &Value) -> Outcome<Arc<str>> {
    match &value.kind {
        Kind::String(text) => Ok(text.clone()),
        Kind::Number(number) => Ok(number.to_string().into()),
        Kind::Bool(value) => Ok(if *value { "true" } else { "false" }.into()),
        Kind::Unknown(unknown) => Err(Stop::Unknown(unknown.why.clone())),
        Kind::Reference(reference) => Err(Stop::Unknown(known_after_apply(
            value,
            &reference.instance.address,
            &reference.attribute,
        ))),
        Kind::Null => fault("a string is needed, and this is null"),
        _ => fault(format!(
            "a string is needed, and this is of type {}",
            value.type_word()
        )),
    }
}

/// Why an attribute that a provider makes is not known.
fn known_after_apply(value: &Value, address: &str, attribute: &str) -> Arc<Why> {
    let text = format!("`{address}.{attribute}` is known only after apply");
    Why::new(value.origin.span, Reason::Apply, text)
}

/// As `jsonencode` writes it: keys sorted, `<`, `>`, `&`, U+2028 and U+2029 escaped (Terraform, "jsonencode").
pub(in super::super) fn to_json(value: &Value, out: &mut String) -> Outcome<()> {
    match &value.kind {
        Kind::Null => out.push_str("null"),
        Kind::Bool(_) | Kind::Number(_) => out.push_str(&scalar_text(value)?),
        Kind::String(text) => quoted(text, out),
        Kind::List(list) => {
            let items = list.exact()?;
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                to_json(&item.value, out)?;
            }
            out.push(']');
        }
        Kind::Map(map) => {
            out.push('{');
            for (at, (key, item)) in map.exact()?.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                quoted(key, out);
                out.push(':');
                to_json(&item.value, out)?;
            }
            out.push('}');
        }
        Kind::Unknown(_) | Kind::Reference(_) => drop(scalar_text(value)?),
        Kind::Instance(instance) => {
            let text = format!("`{}` is known only after apply", instance.address);
            return Err(Stop::Unknown(Why::new(value.origin.span, Reason::Apply, text)));
        }
        Kind::Module(_) => return fault("a module cannot be written as JSON here"),
    }
    Ok(())
}

fn quoted(text: &str, out: &mut String) {
    use std::fmt::Write as _;
    out.push('"');
    for char in text.chars() {
        match char {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\u{1f}' => {
                // Writing to a string does not fail.
                let _ = write!(out, "\\u{:04x}", u32::from(char));
            }
            _ => out.push(char),
        }
    }
    out.push('"');
}
