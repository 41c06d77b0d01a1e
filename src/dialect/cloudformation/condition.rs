//! Conditions: what holds, what does not, and what depends on a value that is not known.
//!
//! INVARIANT: a condition and its negation depend on one doubt, with opposite answers.

use super::scope::Scope;
use super::value::Evaluated;
use crate::cloud::Doubt;
use crate::tree::Node;

/// Whether a condition holds.
#[derive(Debug, Clone)]
pub(in crate::dialect) enum Truth {
    /// It is known.
    Known(bool),
    /// It holds if the doubt turns out to be `holds`.
    Open {
        /// What is not known.
        doubt: Doubt,
        /// The answer with which it holds.
        holds: bool,
    },
}

impl Truth {
    fn not(self) -> Self {
        match self {
            Self::Known(holds) => Self::Known(!holds),
            Self::Open { doubt, holds } => Self::Open { doubt, holds: !holds },
        }
    }
}

impl<'t> Scope<'_, 't> {
    /// Whether a condition holds: its name, `{Condition: name}`, or a condition function.
    pub(in crate::dialect) fn truth(&self, node: Node<'t>) -> Truth {
        self.deeper(|scope| scope.truth_of(node)).unwrap_or_else(|| {
            let doubt = self.too_much(node.span());
            Truth::Open { doubt, holds: true }
        })
    }

    fn truth_of(&self, node: Node<'t>) -> Truth {
        let tag = node.tag().map(|tag| tag.trim_start_matches('!'));
        let mut entries = node.entries();
        let (name, argument) = match (tag, entries.next()) {
            (Some(tag), _) if !tag.is_empty() => (tag, node),
            (_, Some(entry)) => (entry.name(), entry.value),
            _ => ("Condition", node),
        };
        match name.strip_prefix("Fn::").unwrap_or(name) {
            "Condition" => self.named(argument),
            "Equals" | "equals" => self.equals(argument),
            "Not" | "not" if argument.is_sequence() => match argument.items().next() {
                Some(inner) => self.truth(inner).not(),
                None => self.open(argument),
            },
            "not" => self.truth(argument).not(),
            "And" | "and" => self.joined(argument, false),
            "Or" | "or" => self.joined(argument, true),
            _ => self.value_as_truth(node),
        }
    }

    /// A value that is true or false: Heat takes parameters for conditions.
    fn value_as_truth(&self, node: Node<'t>) -> Truth {
        match self.value(node) {
            Evaluated::Text(text) if text.value.eq_ignore_ascii_case("true") => Truth::Known(true),
            Evaluated::Text(text) if text.value.eq_ignore_ascii_case("false") => Truth::Known(false),
            Evaluated::Unknown(doubt) => Truth::Open { doubt, holds: true },
            _ => self.open(node),
        }
    }

    fn named(&self, name: Node<'t>) -> Truth {
        let text = name.text().unwrap_or("");
        if let Some(condition) = self.template.conditions.get(text) {
            return self.truth(*condition);
        }
        if let Some(literal) = name.as_bool() {
            return Truth::Known(literal);
        }
        let why = format!("there is no condition `{text}`");
        self.missing(why.clone(), name.span());
        let doubt = self
            .template
            .doubt(&format!("condition {text}"), why, name.span());
        Truth::Open { doubt, holds: true }
    }

    fn open(&self, node: Node<'t>) -> Truth {
        let span = node.span();
        let what = format!("condition at {}", span.start);
        let doubt = self
            .template
            .doubt(&what, "the condition cannot be evaluated", span);
        Truth::Open { doubt, holds: true }
    }

    fn equals(&self, argument: Node<'t>) -> Truth {
        let sides: Vec<_> = argument.items().map(|side| self.value(side)).collect();
        let [left, right] = sides.as_slice() else {
            return self.open(argument);
        };
        let (Some(left), Some(right)) = (shown(left), shown(right)) else {
            return self.open(argument);
        };
        let doubt = match (left.1.or(right.1), left.0 == right.0) {
            (None, is_equal) => return Truth::Known(is_equal),
            (Some(_), true) => return Truth::Known(true),
            (Some(doubt), false) => doubt,
        };
        // The same question, whichever side is written first.
        let (first, second) = if left.0 <= right.0 {
            (left.0, right.0)
        } else {
            (right.0, left.0)
        };
        let what = format!(
            "{} = {}",
            self.template.short(&first),
            self.template.short(&second)
        );
        let doubt = self.template.doubt(&what, doubt.why.to_string(), doubt.span);
        Truth::Open { doubt, holds: true }
    }

    /// `Fn::Or` (`decisive` is true) and `Fn::And`: one part that is decisive decides.
    fn joined(&self, argument: Node<'t>, decisive: bool) -> Truth {
        let mut open: Vec<(Doubt, bool)> = Vec::new();
        for part in argument.items() {
            match self.truth(part) {
                Truth::Known(holds) if holds == decisive => return Truth::Known(decisive),
                Truth::Known(_) => {}
                Truth::Open { doubt, holds } => {
                    if !open
                        .iter()
                        .any(|(known, as_well)| known.key == doubt.key && *as_well == holds)
                    {
                        open.push((doubt, holds));
                    }
                }
            }
        }
        match open.as_slice() {
            [] => Truth::Known(!decisive),
            [(doubt, holds)] => Truth::Open {
                doubt: doubt.clone(),
                holds: *holds,
            },
            [(first, _), ..] => {
                let word = if decisive { "any of" } else { "all of" };
                let mut parts: Vec<_> = open
                    .iter()
                    .map(|(doubt, holds)| {
                        format!(
                            "{}{}",
                            if *holds { "" } else { "not " },
                            self.template.short(&doubt.key)
                        )
                    })
                    .collect();
                parts.sort_unstable();
                let what = format!("{word} ({})", parts.join(", "));
                let doubt = self.template.doubt(&what, first.why.to_string(), first.span);
                Truth::Open { doubt, holds: true }
            }
        }
    }
}

/// A value as a part of a question's name, and why it is not known, if it is not.
fn shown(value: &Evaluated<'_>) -> Option<(String, Option<Doubt>)> {
    match value {
        Evaluated::Nothing => Some((String::new(), None)),
        Evaluated::Text(text) => Some((text.value.clone(), None)),
        Evaluated::Unknown(doubt) => Some((doubt.key.to_string(), Some(doubt.clone()))),
        Evaluated::List(list) => {
            let parts: Option<Vec<_>> = list.iter().map(shown).collect();
            let parts = parts?;
            let doubt = parts.iter().find_map(|(_, doubt)| doubt.clone());
            let texts: Vec<_> = parts.into_iter().map(|(text, _)| text).collect();
            Some((texts.join(","), doubt))
        }
        Evaluated::Map(_) | Evaluated::Resource(_) | Evaluated::Group(..) => None,
    }
}
