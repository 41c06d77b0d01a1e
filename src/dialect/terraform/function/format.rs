//! `format` and `formatlist`, by Terraform's table of verbs.
//!
//! Terraform, "format Function": `%v %#v %t %b %d %o %x %X %e %E %f %F %g %G %s %q %%`, flags, widths, precisions and `[n]`.

use super::Function;
use super::arguments::Arguments;
use crate::dialect::terraform::eval::{MAX_TEXT, number, truth};
use crate::dialect::terraform::value::{
    Item, Kind, ListKind, Number, Outcome, Value, fault, over_limit, scalar_text, to_json,
};

pub(super) const TABLE: &[(&str, Function)] = &[("format", format), ("formatlist", formatlist)];

/// The widest that one piece may be made.
const MAX_WIDTH: usize = 4096;

fn format(call: &Arguments<'_, '_>) -> Outcome<Value> {
    let pattern = call.text(0)?;
    let arguments = call.values.get(1..).unwrap_or_default();
    // A pattern that is its only argument leaves it as it is, known or not.
    if let ("%s" | "%v", [only]) = (&*pattern, arguments)
        && matches!(only.kind, Kind::Reference(_) | Kind::String(_))
    {
        return Ok(only.clone());
    }
    Ok(call.string(formatted(&pattern, arguments)?))
}

/// Once for each element of the lists among the arguments, which must be equally long.
fn formatlist(call: &Arguments<'_, '_>) -> Outcome<Value> {
    let arguments = call.values.get(1..).unwrap_or_default();
    let mut length = None;
    for argument in arguments {
        if let Kind::List(list) = &argument.kind {
            let items = list.exact()?;
            if length.is_some_and(|length| length != items.len()) {
                return fault("the lists are of different lengths");
            }
            length = Some(items.len());
        }
    }
    let mut items = Vec::new();
    for at in 0..length.unwrap_or(1) {
        let one = |argument: &Value| match &argument.kind {
            Kind::List(list) => list
                .items
                .get(at)
                .map_or_else(|| argument.clone(), |item| item.value.clone()),
            _ => argument.clone(),
        };
        let chosen: Vec<Value> = arguments.iter().map(one).collect();
        call.evaluator.charge(chosen.len())?;
        let values: Vec<Value> = std::iter::once(call.value(0)?.clone()).chain(chosen).collect();
        let inner = Arguments {
            values: &values,
            ..*call
        };
        let value = crate::dialect::terraform::eval::known_unknown(format(&inner))?;
        items.push(Item::sure(value));
    }
    Ok(call.list_of(ListKind::List, items))
}

/// One verb with its flags.
#[expect(clippy::struct_excessive_bools, reason = "flags are that")]
#[derive(Default)]
struct Verb {
    minus: bool,
    plus: bool,
    sharp: bool,
    space: bool,
    zero: bool,
    width: Option<usize>,
    precision: Option<usize>,
    argument: Option<usize>,
    letter: char,
}

fn formatted(pattern: &str, arguments: &[Value]) -> Outcome<String> {
    let mut out = String::new();
    let mut chars = pattern.chars().peekable();
    let mut next = 0;
    let mut has_index = false;
    while let Some(char) = chars.next() {
        if char != '%' {
            out.push(char);
            continue;
        }
        let verb = verb(&mut chars)?;
        if verb.letter == '%' {
            out.push('%');
            continue;
        }
        if let Some(argument) = verb.argument {
            next = argument;
            has_index = true;
        }
        let Some(argument) = arguments.get(next) else {
            return fault("there are not enough arguments for the format");
        };
        next += 1;
        let text = write(&verb, argument)?;
        pad(&verb, &text, &mut out);
        if out.len() > MAX_TEXT {
            return over_limit("a string is too long");
        }
    }
    if next < arguments.len() && !has_index {
        return fault("there are more arguments than the format has verbs");
    }
    Ok(out)
}

fn verb(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Outcome<Verb> {
    let mut verb = Verb::default();
    while let Some(flag) = chars.peek() {
        match flag {
            '-' => verb.minus = true,
            '+' => verb.plus = true,
            '#' => verb.sharp = true,
            ' ' => verb.space = true,
            '0' => verb.zero = true,
            _ => break,
        }
        chars.next();
    }
    let digits = |chars: &mut std::iter::Peekable<std::str::Chars<'_>>| {
        let mut value: Option<usize> = None;
        while let Some(digit) = chars.peek().and_then(|char| char.to_digit(10)) {
            let digit = usize::try_from(digit).unwrap_or(0);
            value = Some(
                value
                    .unwrap_or(0)
                    .saturating_mul(10)
                    .saturating_add(digit)
                    .min(MAX_WIDTH),
            );
            chars.next();
        }
        value
    };
    verb.width = digits(chars);
    if chars.next_if_eq(&'.').is_some() {
        verb.precision = Some(digits(chars).unwrap_or(0));
    }
    if chars.next_if_eq(&'[').is_some() {
        let at = digits(chars);
        let closed = chars.next_if_eq(&']').is_some();
        match at.and_then(|at| at.checked_sub(1)).filter(|_| closed) {
            Some(at) => verb.argument = Some(at),
            None => return fault("`[` in a format needs the number of an argument"),
        }
    }
    match chars.next() {
        Some(letter) => {
            verb.letter = letter;
            Ok(verb)
        }
        None => fault("the format ends within a verb"),
    }
}

fn write(verb: &Verb, value: &Value) -> Outcome<String> {
    match verb.letter {
        'v' if matches!(value.kind, Kind::List(_) | Kind::Map(_)) || verb.sharp || value.is_null() => {
            let mut text = String::new();
            to_json(value, &mut text)?;
            Ok(text)
        }
        'v' | 's' => {
            let text = scalar_text(value)?;
            Ok(match verb.precision {
                Some(most) => text.chars().take(most).collect(),
                None => text.to_string(),
            })
        }
        'q' => {
            let mut text = String::new();
            to_json(&Value::text(scalar_text(value)?, &value.origin), &mut text)?;
            Ok(text)
        }
        't' => Ok(truth(value)?.to_string()),
        'd' | 'b' | 'o' | 'x' | 'X' => integer(verb, value),
        'f' | 'F' | 'e' | 'E' | 'g' | 'G' => {
            let text = float(verb, number(value)?);
            Ok(signed(verb, text))
        }
        letter => fault(format!("`%{letter}` is no verb of a format")),
    }
}

fn integer(verb: &Verb, value: &Value) -> Outcome<String> {
    if matches!(verb.letter, 'x' | 'X')
        && let Kind::String(text) = &value.kind
        && Number::parse(text).is_none()
    {
        let byte = |byte: u8| match verb.letter {
            'x' => format!("{byte:02x}"),
            _ => format!("{byte:02X}"),
        };
        return Ok(text.bytes().map(byte).collect());
    }
    let number = number(value)?;
    // A fraction is cut off.
    let whole = if number.is_negative() {
        number.ceiling()
    } else {
        number.floor()
    };
    let Some(whole) = whole.whole() else {
        return fault("a whole number is needed");
    };
    let digits = whole.unsigned_abs();
    let digits = match (verb.letter, verb.sharp) {
        ('b', _) => format!("{digits:b}"),
        ('o', true) => format!("0{digits:o}"),
        ('o', false) => format!("{digits:o}"),
        ('x', true) => format!("{digits:#x}"),
        ('x', false) => format!("{digits:x}"),
        ('X', true) => format!("0X{digits:X}"),
        ('X', false) => format!("{digits:X}"),
        _ => digits.to_string(),
    };
    let sign = if whole < 0 { "-" } else { "" };
    Ok(signed(verb, format!("{sign}{digits}")))
}

fn signed(verb: &Verb, text: String) -> String {
    match (text.starts_with('-'), verb.plus, verb.space) {
        (false, true, _) => format!("+{text}"),
        (false, false, true) => format!(" {text}"),
        _ => text,
    }
}

fn float(verb: &Verb, number: Number) -> String {
    let value = number.approximate();
    match verb.letter {
        'f' | 'F' => format!("{value:.*}", verb.precision.unwrap_or(6)),
        'e' | 'E' => {
            let text = format!("{value:.*e}", verb.precision.unwrap_or(6));
            let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
            let (sign, exponent) = match exponent.strip_prefix('-') {
                Some(exponent) => ('-', exponent),
                None => ('+', exponent),
            };
            format!("{mantissa}{}{sign}{exponent:0>2}", verb.letter)
        }
        _ => number.to_string(),
    }
}

fn pad(verb: &Verb, text: &str, out: &mut String) {
    let missing = verb.width.unwrap_or(0).saturating_sub(text.chars().count());
    let is_numeric = !matches!(verb.letter, 's' | 'q' | 'v' | 't');
    if verb.minus {
        out.push_str(text);
        out.push_str(&" ".repeat(missing));
    } else if verb.zero && (is_numeric || verb.letter == 'v') {
        let (sign, digits) = match text.strip_prefix(['-', '+']) {
            Some(digits) => text.split_at(text.len() - digits.len()),
            None => ("", text),
        };
        out.push_str(sign);
        out.push_str(&"0".repeat(missing));
        out.push_str(digits);
    } else {
        out.push_str(&" ".repeat(missing));
        out.push_str(text);
    }
}
