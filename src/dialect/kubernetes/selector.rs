//! Label selectors: what they say, and what they select.
//!
//! INVARIANT: of labels that are all known, a selector that was read gives a sure answer.

use std::collections::BTreeMap;

use super::notes::Notes;
use super::truth::Truth;
use crate::source::Span;
use crate::tree::{Entry, Node};

/// Labels of a pod or a namespace.
pub(super) type Labels = BTreeMap<String, String>;

/// Of something that may have any labels besides those that are known.
pub(super) const ANY_KEY: &[&str] = &[""];

/// Labels as selectors see them.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    pub(super) labels: Labels,
    /// What the keys of labels begin with that may be there too, so [`ANY_KEY`] is any.
    pub(super) open: Vec<&'static str>,
}

/// What a requirement asks of the label of its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Operator {
    In,
    NotIn,
    Exists,
    DoesNotExist,
    /// Its value has the only one of the requirement in it.
    Contains,
    NotContains,
    StartsWith,
    NotStartsWith,
    EndsWith,
    NotEndsWith,
}

/// One requirement.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Requirement {
    pub(super) key: String,
    pub(super) operator: Operator,
    /// Sorted, each once.
    pub(super) values: Vec<String>,
}

/// What holds if all of it holds: requirements, and of each choice one.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Terms {
    /// In a fixed order.
    pub(super) requirements: Vec<Requirement>,
    /// Of none, nothing holds.
    pub(super) choices: Vec<Vec<Terms>>,
}

/// A `LabelSelector` (meta/v1), or a selector of another API. Without terms it selects everything.
#[derive(Debug, Clone)]
pub(super) struct Selector {
    pub(super) terms: Terms,
    /// Whether a part could not be read: then what it selects is not known beyond what the rest leaves out.
    pub(super) is_unread: bool,
    pub(super) span: Span,
}

impl Selector {
    /// One that selects everything.
    pub(super) fn everything(span: Span) -> Self {
        Self {
            terms: Terms::default(),
            is_unread: false,
            span,
        }
    }

    /// One that selects nothing: of no choice, none holds.
    pub(super) fn nothing(span: Span) -> Self {
        let terms = Terms {
            choices: vec![Vec::new()],
            ..Terms::default()
        };
        Self {
            terms,
            ..Self::everything(span)
        }
    }

    /// Reads one. What says nothing (`podSelector:`) selects everything.
    pub(super) fn read(entry: Entry<'_>, notes: &mut Notes) -> Self {
        Self::of(entry.value, notes)
    }

    /// Reads the item of a list.
    pub(super) fn of(node: Node<'_>, notes: &mut Notes) -> Self {
        let mut selector = Self::everything(node.span());
        if node.is_null() {
            return selector;
        }
        if !node.is_mapping() {
            notes.unread(
                node.span(),
                format!("expected a label selector, found {}", node.kind()),
                None,
            );
            selector.is_unread = true;
            return selector;
        }
        if !notes.knows(node, &["matchLabels", "matchExpressions"], "a label selector") {
            selector.is_unread = true;
        }
        if let Some(labels) = node.get("matchLabels") {
            selector.match_labels(labels, notes);
        }
        match notes.items(node.get("matchExpressions"), "requirements") {
            None => selector.is_unread = true,
            Some(expressions) => {
                for expression in expressions {
                    match Requirement::read(expression, notes) {
                        Some(requirement) => selector.terms.requirements.push(requirement),
                        None => selector.is_unread = true,
                    }
                }
            }
        }
        selector.terms.requirements.sort();
        selector
    }

    fn match_labels(&mut self, node: Node<'_>, notes: &mut Notes) {
        let mut labels = Labels::new();
        self.is_unread |= !notes.labels(node, &mut labels);
        let asked = labels.into_iter().map(|(key, value)| Requirement {
            key,
            operator: Operator::In,
            values: vec![value],
        });
        self.terms.requirements.extend(asked);
    }

    /// Whether something with these labels is selected, which may have others that begin as those of `open`.
    pub(super) fn selects(&self, labels: &Labels, open: &[&str]) -> Truth {
        let unread = if self.is_unread { Truth::Maybe } else { Truth::Yes };
        self.terms.hold(labels, open).and(unread)
    }

    /// Whether it selects everything.
    pub(super) fn is_empty(&self) -> bool {
        self.terms == Terms::default() && !self.is_unread
    }
}

impl Terms {
    /// Recursion is as deep as choices lie in each other, which readers bound.
    fn hold(&self, labels: &Labels, open: &[&str]) -> Truth {
        let asked = self.requirements.iter().map(|one| one.holds(labels, open));
        let choices = self.choices.iter();
        let chosen = choices.map(|choice| Truth::any(choice.iter().map(|terms| terms.hold(labels, open))));
        Truth::all(asked.chain(chosen))
    }
}

impl Requirement {
    fn read(node: Node<'_>, notes: &mut Notes) -> Option<Self> {
        let is_known = notes.knows(
            node,
            &["key", "operator", "values"],
            "a requirement of a selector",
        );
        let key = node.get("key").and_then(|key| key.text());
        let operator = node.get("operator").and_then(|operator| operator.text());
        let operator = match operator {
            Some("In") => Some(Operator::In),
            Some("NotIn") => Some(Operator::NotIn),
            Some("Exists") => Some(Operator::Exists),
            Some("DoesNotExist") => Some(Operator::DoesNotExist),
            _ => None,
        };
        let values = node.get("values").into_iter().flat_map(|values| values.items());
        let values: Option<Vec<String>> = values
            .map(|value| notes.label_text(value).map(str::to_owned))
            .collect();
        let (Some(key), Some(operator), Some(mut values), true) = (key, operator, values, is_known) else {
            if is_known {
                let help = "give `key`, `operator` (In, NotIn, Exists or DoesNotExist) and `values`";
                notes.unread(node.span(), "not a requirement of a selector", Some(help));
            }
            return None;
        };
        // ValidateLabelSelectorRequirement: values exactly where the operator compares.
        let takes_values = matches!(operator, Operator::In | Operator::NotIn);
        if takes_values == values.is_empty() {
            let message = if takes_values {
                "this operator takes at least one value"
            } else {
                "this operator takes no values"
            };
            notes.unread(node.span(), message, None);
            return None;
        }
        values.sort();
        values.dedup();
        Some(Self {
            key: key.to_owned(),
            operator,
            values,
        })
    }

    fn holds(&self, labels: &Labels, open: &[&str]) -> Truth {
        let value = labels.get(&self.key);
        if value.is_none() && open.iter().any(|beginning| self.key.starts_with(beginning)) {
            return Truth::Maybe;
        }
        Truth::of(self.accepts(value.map(String::as_str)))
    }

    /// Whether a label may have a value; `None`: it is not there. Such a label is in no set, so what is denied of its value
    /// holds (apimachinery, `labels.Requirement.Matches`).
    pub(super) fn accepts(&self, value: Option<&str>) -> bool {
        let is_one = value.is_some_and(|value| self.values.iter().any(|one| one == value));
        let text = |holds: fn(&str, &str) -> bool| {
            value.is_some_and(|value| self.values.iter().any(|one| holds(value, one)))
        };
        let (contains, starts, ends) = (
            || text(|value, part| value.contains(part)),
            || text(|value, part| value.starts_with(part)),
            || text(|value, part| value.ends_with(part)),
        );
        match self.operator {
            Operator::In => is_one,
            Operator::NotIn => !is_one,
            Operator::Exists => value.is_some(),
            Operator::DoesNotExist => value.is_none(),
            Operator::Contains => contains(),
            Operator::NotContains => !contains(),
            Operator::StartsWith => starts(),
            Operator::NotStartsWith => !starts(),
            Operator::EndsWith => ends(),
            Operator::NotEndsWith => !ends(),
        }
    }
}
