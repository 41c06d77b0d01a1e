//! Conditions in cells: versions (`Since 23.3`), features (`Only when … is enabled`, `Applicable to … only`), options.
//!
//! INVARIANT: a sentence is a condition as a whole or not at all; what is none is given back.

use super::name;

/// A version that a row holds for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Guard {
    /// `>=` or `<`, as the policy language compares.
    pub(crate) comparison: &'static str,
    /// Dotted numbers.
    pub(crate) version: String,
}

/// What the comments of a row say of when it holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Conditions {
    /// Names of features that must be on, and the sentence that says so.
    pub(crate) features: Vec<(String, String)>,
    /// Versions.
    pub(crate) guards: Vec<Guard>,
    /// Whether the row may be open, but need not.
    pub(crate) optional: bool,
    /// What was guessed.
    pub(crate) guesses: Vec<String>,
    /// The sentences that are no conditions.
    pub(crate) rest: Vec<String>,
}

/// Words before a version, and what they mean.
const BEFORE: &[(&str, &str)] = &[
    ("since", ">="),
    ("starting with", ">="),
    ("starting from", ">="),
    ("as of", ">="),
    ("from version", ">="),
    ("before", "<"),
    ("prior to", "<"),
    ("earlier than", "<"),
    ("older than", "<"),
    (">=", ">="),
    ("<", "<"),
];

/// Words behind a version, and what they mean.
const BEHIND: &[(&str, &str)] = &[
    ("and later", ">="),
    ("or later", ">="),
    ("and newer", ">="),
    ("or newer", ">="),
    ("and above", ">="),
    ("or above", ">="),
    ("and up", ">="),
    ("onwards", ">="),
];

/// The version that a text is about, and the text without it.
pub(crate) fn guard(text: &str) -> Option<(Guard, String)> {
    // Bytes keep their places in ASCII lower case.
    let lower = text.to_ascii_lowercase();
    for (word, comparison) in BEFORE {
        let Some((at, after)) = found(&lower, word) else {
            continue;
        };
        let rest = text.get(after..)?;
        let skipped = rest.len()
            - rest
                .trim_start()
                .trim_start_matches("version ")
                .trim_start_matches(['v', 'V'])
                .len();
        if let Some(version) = version(rest.get(skipped..)?) {
            let behind = rest.get(skipped + version.len()..)?;
            let guard = Guard {
                comparison,
                version: version.to_owned(),
            };
            return Some((guard, format!("{} {}", text.get(..at)?, behind)));
        }
    }
    for (word, comparison) in BEHIND {
        let Some((at, after)) = found(&lower, word) else {
            continue;
        };
        let before = text.get(..at)?.trim_end();
        let start = before
            .rfind(|c: char| !(c.is_ascii_digit() || c == '.'))
            .map_or(0, |at| at + 1);
        let Some(version) = version(before.get(start..)?).filter(|version| version.contains('.')) else {
            continue;
        };
        let before = before.get(..start)?.trim_end_matches(['v', 'V']);
        let guard = Guard {
            comparison,
            version: version.to_owned(),
        };
        return Some((guard, format!("{before} {}", text.get(after..)?)));
    }
    None
}

/// Where a phrase stands as words of its own, and where it ends.
fn found(text: &str, phrase: &str) -> Option<(usize, usize)> {
    let mut from = 0;
    loop {
        let at = from + text.get(from..)?.find(phrase)?;
        let end = at + phrase.len();
        let is_word = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
        let inside = phrase.starts_with(|c: char| c.is_ascii_alphabetic())
            && (is_word(text.get(..at)?.chars().next_back()) || is_word(text.get(end..)?.chars().next()));
        if !inside {
            return Some((at, end));
        }
        from = end;
    }
}

/// Dotted numbers at the start.
fn version(text: &str) -> Option<&str> {
    let text = text.trim_start();
    let end = text
        .find(|c: char| !(c.is_ascii_digit() || c == '.'))
        .unwrap_or(text.len());
    let version = text.get(..end)?.trim_end_matches('.');
    let numbers = |part: &str| !part.is_empty() && part.len() <= 9;
    (version.split('.').all(numbers)).then_some(version)
}

/// Reads the sentences of a comment.
pub(crate) fn read(text: &str) -> Conditions {
    let mut conditions = Conditions::default();
    for sentence in sentences(text) {
        let lower = sentence.to_ascii_lowercase();
        if let Some((feature, is_sure)) = feature(sentence, &lower) {
            if !is_sure {
                conditions
                    .guesses
                    .push(format!("`{sentence}` is read as the feature `{feature}`"));
            }
            conditions.features.push((feature, sentence.to_owned()));
        } else if let Some((guard, _)) =
            guard(sentence).filter(|(_, rest)| rest.split_whitespace().count() <= 2)
        {
            conditions.guards.push(guard);
        } else if lower == "optional" || lower.starts_with("optional,") || lower.starts_with("optional:") {
            conditions.optional = true;
        } else {
            conditions.rest.push(sentence.to_owned());
        }
    }
    conditions
}

/// Whether a text begins as a condition does.
pub(crate) fn begins(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    ["only when ", "only if ", "applicable ", "add ", "required only "]
        .iter()
        .any(|start| lower.starts_with(start))
}

/// Sentences without their full stops. A full stop within a word, as in a host name, ends none.
fn sentences(text: &str) -> impl Iterator<Item = &str> {
    text.split(". ")
        .map(|sentence| sentence.trim().trim_end_matches('.'))
        .filter(|sentence| !sentence.is_empty())
}

/// The feature that a sentence asks for, and whether it says so outright.
fn feature(sentence: &str, lower: &str) -> Option<(String, bool)> {
    let openings = [
        "only when ",
        "only if ",
        "required only when ",
        "required only if ",
        "required when ",
        "required if ",
        "needed only when ",
        "needed only if ",
        "needed when ",
        "needed if ",
        "when ",
        "if ",
        "used only when ",
        "used only if ",
    ];
    for opening in openings {
        let Some(rest) = lower.strip_prefix(opening) else {
            continue;
        };
        let rest = sentence.get(sentence.len() - rest.len()..)?;
        let verbs = [
            " is enabled",
            " are enabled",
            " is used",
            " are used",
            " is installed",
            " is deployed",
            " is configured",
            " enabled",
            " is active",
            " is in use",
        ];
        let lower_rest = rest.to_ascii_lowercase();
        for verb in verbs {
            if let Some(what) = lower_rest.strip_suffix(verb) {
                let what = what.strip_suffix(" feature").unwrap_or(what);
                return Some((name::short(rest.get(..what.len())?, 5)?, true));
            }
        }
        return Some((name::short(rest, 5)?, false));
    }
    let only = |rest: &str| rest.strip_suffix(" only").map(str::len);
    let what = if let Some(rest) = lower.strip_prefix("applicable to ") {
        let start = sentence.len() - rest.len();
        sentence.get(start..start + only(rest)?)?
    } else if let Some(rest) = lower.strip_prefix("only applicable to ") {
        sentence.get(sentence.len() - rest.len()..)?
    } else if let Some(rest) = lower.strip_prefix("for ") {
        let start = sentence.len() - rest.len();
        sentence.get(start..start + only(rest)?)?
    } else {
        return None;
    };
    Some((name::short(what, 5)?, false))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_with_what_they_mean() {
        for (text, comparison, version, rest) in [
            ("19100/TCP Since 23.3", ">=", "23.3", "19100/TCP"),
            ("9100/TCP Before 23.3", "<", "23.3", "9100/TCP"),
            ("tcp 80 (v1.2 and later)", ">=", "1.2", "tcp 80 ( )"),
            ("Starting with version 4", ">=", "4", ""),
        ] {
            let (guard, left) = guard(text).unwrap();
            assert_eq!(
                (guard.comparison, guard.version.as_str()),
                (comparison, version),
                "{text}"
            );
            assert_eq!(
                left.split_whitespace().collect::<Vec<_>>().join(" "),
                rest,
                "{text}"
            );
        }
        assert_eq!(guard("needed since the beginning"), None);
        assert_eq!(guard("443 and later"), None);
    }

    #[test]
    fn sentences_are_conditions_or_left() {
        let conditions =
            read("Only when the logging stack is enabled. Add the address of a.example.com. Since 2.1");
        assert_eq!(conditions.features[0].0, "logging-stack");
        assert_eq!(conditions.guards[0].version, "2.1");
        assert_eq!(conditions.rest, ["Add the address of a.example.com"]);
        assert!(conditions.guesses.is_empty());
        let conditions = read("Applicable to management clusters only.");
        assert_eq!(conditions.features[0].0, "management-clusters");
        assert_eq!(conditions.guesses.len(), 1);
        assert!(read("Optional").optional);
    }
}
