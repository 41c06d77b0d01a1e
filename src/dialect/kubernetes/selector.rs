//! Label selectors: what they say, and what they select.
//!
//! INVARIANT: of labels that are all known, a selector that was read gives a sure answer.

use std::collections::BTreeMap;
use std::fmt;

use super::notes::Notes;
use super::truth::Truth;
use crate::source::Span;
use crate::tree::{Entry, Node};

/// Values of one requirement that are thought of apart.
const MAX_VALUES: usize = 16;

/// Labels of a pod or a namespace.
pub(super) type Labels = BTreeMap<String, String>;

/// What a requirement asks of the label of its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Operator {
    In,
    NotIn,
    Exists,
    DoesNotExist,
}

/// One requirement.
#[derive(Debug, Clone)]
pub(super) struct Requirement {
    pub(super) key: String,
    pub(super) operator: Operator,
    /// Sorted, each once.
    pub(super) values: Vec<String>,
}

/// A `LabelSelector` (meta/v1): all requirements hold. Without any it selects everything.
#[derive(Debug, Clone)]
pub(super) struct Selector {
    /// In a fixed order.
    pub(super) requirements: Vec<Requirement>,
    /// Whether a part could not be read: then what it selects is not known beyond what the rest leaves out.
    pub(super) is_unread: bool,
    pub(super) span: Span,
}

impl Selector {
    /// One that selects everything.
    pub(super) fn everything(span: Span) -> Self {
        Self {
            requirements: Vec::new(),
            is_unread: false,
            span,
        }
    }

    /// Reads one. What says nothing (`podSelector:`) selects everything.
    pub(super) fn read(entry: Entry<'_>, notes: &mut Notes) -> Self {
        let node = entry.value;
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
                        Some(requirement) => selector.requirements.push(requirement),
                        None => selector.is_unread = true,
                    }
                }
            }
        }
        selector
            .requirements
            .sort_by(|a, b| (&a.key, a.operator, &a.values).cmp(&(&b.key, b.operator, &b.values)));
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
        self.requirements.extend(asked);
    }

    /// Whether something with these labels is selected. If they are not all known, labels that are not among them may be
    /// there too.
    pub(super) fn selects(&self, labels: &Labels, are_all_known: bool) -> Truth {
        let asked = self
            .requirements
            .iter()
            .map(|one| one.holds(labels, are_all_known));
        let unread = if self.is_unread { Truth::Maybe } else { Truth::Yes };
        Truth::all(asked).and(unread)
    }

    /// Fewest labels that it selects, put to what is there already; `None` if there are none.
    pub(super) fn least(&self, mut labels: Labels) -> Option<Labels> {
        for requirement in &self.requirements {
            let value = match requirement.operator {
                Operator::In => requirement.values.first()?.clone(),
                Operator::Exists => "any".to_owned(),
                Operator::NotIn | Operator::DoesNotExist => continue,
            };
            labels.entry(requirement.key.clone()).or_insert(value);
        }
        (self.selects(&labels, true) == Truth::Yes).then_some(labels)
    }

    /// The fewest labels that it selects, once for each value that it lets one of its labels have.
    pub(super) fn fewest(&self) -> Vec<Labels> {
        let mut found: Vec<Labels> = self.least(Labels::new()).into_iter().collect();
        for requirement in self
            .requirements
            .iter()
            .filter(|one| one.operator == Operator::In)
        {
            for value in requirement.values.iter().skip(1).take(MAX_VALUES) {
                let labels = Labels::from([(requirement.key.clone(), value.clone())]);
                found.extend(self.least(labels));
            }
        }
        found
    }

    /// Whether it selects everything.
    pub(super) fn is_empty(&self) -> bool {
        self.requirements.is_empty() && !self.is_unread
    }
}

/// Selectors by labels that they ask for, so that of many only those are asked that may take something.
#[derive(Debug, Default)]
pub(super) struct Index {
    by_label: BTreeMap<String, BTreeMap<String, Vec<usize>>>,
    /// Those that ask for no value.
    others: Vec<usize>,
    n_selectors: usize,
}

impl Index {
    /// Takes the next selector, whose number is how many there were before.
    pub(super) fn add(&mut self, selector: &Selector) {
        let number = self.n_selectors;
        self.n_selectors += 1;
        let asked = selector.requirements.iter();
        match asked
            .filter(|asked| asked.operator == Operator::In)
            .min_by_key(|asked| asked.values.len())
        {
            Some(asked) => {
                let values = self.by_label.entry(asked.key.clone()).or_default();
                for value in &asked.values {
                    values.entry(value.clone()).or_default().push(number);
                }
            }
            None => self.others.push(number),
        }
    }

    /// The numbers of all that may take something with these labels, in their order.
    pub(super) fn candidates(&self, labels: &Labels, are_all_known: bool) -> Vec<usize> {
        if !are_all_known {
            return (0..self.n_selectors).collect();
        }
        let with = |(key, value)| self.by_label.get(key)?.get::<String>(value);
        let found = labels.iter().filter_map(with).flatten();
        let mut found: Vec<usize> = found.chain(&self.others).copied().collect();
        found.sort_unstable();
        found
    }
}

/// `app=web,tier in (a, b),!old`, as `kubectl --selector` takes it; the same for the same requirements.
impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, requirement) in self.requirements.iter().enumerate() {
            if index > 0 {
                f.write_str(",")?;
            }
            let (key, values) = (&requirement.key, requirement.values.join(", "));
            match requirement.operator {
                Operator::In if requirement.values.len() == 1 => write!(f, "{key}={values}")?,
                Operator::In => write!(f, "{key} in ({values})")?,
                Operator::NotIn => write!(f, "{key} notin ({values})")?,
                Operator::Exists => f.write_str(key)?,
                Operator::DoesNotExist => write!(f, "!{key}")?,
            }
        }
        Ok(())
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

    fn holds(&self, labels: &Labels, are_all_known: bool) -> Truth {
        let value = labels.get(&self.key);
        if value.is_none() && !are_all_known {
            return Truth::Maybe;
        }
        let is_one = value.is_some_and(|value| self.values.contains(value));
        Truth::of(match self.operator {
            Operator::In => is_one,
            // A label that is not there is in no set (apimachinery, labels.Requirement.Matches).
            Operator::NotIn => !is_one,
            Operator::Exists => value.is_some(),
            Operator::DoesNotExist => value.is_none(),
        })
    }
}
