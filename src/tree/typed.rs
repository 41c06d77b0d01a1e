//! What a plain scalar is: by the tool that reads the file.
//!
//! INVARIANT: only a plain scalar is anything but text, unless it has a tag of YAML's own.

use super::Style;

/// Whose rules say which plain scalars are numbers, true or false, or nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Schema {
    /// JSON's own: there is nothing to guess.
    Json,
    /// YAML 1.2, section 10.3.2 "Core schema".
    Core,
    /// What Kubernetes reads (sigs.k8s.io/yaml, which is go-yaml 2): `yes`, `on` and `y` are true, `0777` is octal.
    Kubernetes,
    /// YAML 1.1 (<https://yaml.org/type/>) as Python and Java read it, so `CloudFormation`, Heat and Ansible: `yes` and `on`
    /// are true, `0777` is octal, `1:30` is ninety.
    Yaml11,
}

/// A value with its type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Typed<'t> {
    /// Nothing.
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number of 64 bits.
    Int(i64),
    /// Any other number, as it is written.
    Float(&'t str),
    /// Text.
    Text(&'t str),
    /// Keys and values.
    Mapping,
    /// Items.
    Sequence,
}

impl Schema {
    pub(super) fn typed<'t>(self, text: &'t str, style: Style, tag: Option<&str>) -> Typed<'t> {
        match tag {
            Some("!!str" | "!") => Typed::Text(text),
            Some("!!null") => Typed::Null,
            Some("!!int" | "!!bool" | "!!float") => self.plain(text),
            _ if style != Style::Plain => Typed::Text(text),
            _ => self.plain(text),
        }
    }

    fn plain(self, text: &str) -> Typed<'_> {
        if self == Self::Json {
            return match text {
                "null" => Typed::Null,
                "true" => Typed::Bool(true),
                "false" => Typed::Bool(false),
                _ => text.parse().map_or(Typed::Float(text), Typed::Int),
            };
        }
        if matches!(text, "" | "~" | "null" | "Null" | "NULL") {
            return Typed::Null;
        }
        if let Some(value) = self.bool(text) {
            return Typed::Bool(value);
        }
        if let Some(value) = self.int(text) {
            return Typed::Int(value);
        }
        if self.is_float(text) {
            return Typed::Float(text);
        }
        Typed::Text(text)
    }

    fn bool(self, text: &str) -> Option<bool> {
        let is_old = self != Self::Core;
        match text {
            "true" | "True" | "TRUE" => Some(true),
            "false" | "False" | "FALSE" => Some(false),
            "yes" | "Yes" | "YES" | "on" | "On" | "ON" if is_old => Some(true),
            "no" | "No" | "NO" | "off" | "Off" | "OFF" if is_old => Some(false),
            "y" | "Y" if self == Self::Kubernetes => Some(true),
            "n" | "N" if self == Self::Kubernetes => Some(false),
            _ => None,
        }
    }

    fn int(self, text: &str) -> Option<i64> {
        if !text.starts_with(|first: char| first.is_ascii_digit() || matches!(first, '+' | '-')) {
            return None;
        }
        let (is_negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let value = if self == Self::Core {
            // A sign stands before decimal digits alone.
            match (digits.strip_prefix("0x"), digits.strip_prefix("0o")) {
                (Some(hex), _) if digits == text => radix(hex, 16)?,
                (_, Some(octal)) if digits == text => radix(octal, 8)?,
                _ => radix(digits, 10)?,
            }
        } else {
            self.old_int(&digits.replace('_', ""))?
        };
        i64::try_from(if is_negative { -value } else { value }).ok()
    }

    /// A number by YAML 1.1, without its sign and `_`.
    fn old_int(self, digits: &str) -> Option<i128> {
        let prefixed = |prefix: &str| digits.strip_prefix(prefix);
        if let Some(hex) = prefixed("0x") {
            return radix(hex, 16);
        }
        if let Some(binary) = prefixed("0b") {
            return radix(binary, 2);
        }
        // strconv.ParseInt with base 0.
        if let (Self::Kubernetes, Some(octal)) = (self, prefixed("0o")) {
            return radix(octal, 8);
        }
        if let (Self::Yaml11, true) = (self, digits.contains(':')) {
            return sexagesimal(digits);
        }
        match prefixed("0") {
            Some(octal) if !octal.is_empty() => radix(octal, 8),
            _ => radix(digits, 10),
        }
    }

    fn is_float(self, text: &str) -> bool {
        let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
        if matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
            return true;
        }
        let looks_so = unsigned.starts_with(|first: char| first.is_ascii_digit() || first == '.')
            && unsigned.contains(|one: char| one.is_ascii_digit());
        let number = if self == Self::Core {
            unsigned.to_owned()
        } else {
            unsigned.replace('_', "")
        };
        looks_so && number.parse::<f64>().is_ok()
    }
}

fn radix(digits: &str, radix: u32) -> Option<i128> {
    let are_digits = !digits.is_empty() && digits.chars().all(|digit| digit.is_digit(radix));
    are_digits.then(|| i128::from_str_radix(digits, radix).ok())?
}

/// `1:30` is ninety.
fn sexagesimal(digits: &str) -> Option<i128> {
    let mut parts = digits.split(':');
    let first = parts.next().filter(|first| !first.starts_with('0'))?;
    parts.try_fold(radix(first, 10)?, |value, part| {
        let part = radix(part, 10).filter(|part| *part < 60)?;
        value.checked_mul(60)?.checked_add(part)
    })
}
