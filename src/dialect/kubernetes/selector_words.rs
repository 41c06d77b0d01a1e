//! Selectors in words, and the fewest labels that each takes.
//!
//! INVARIANT: selectors that ask the same in the same order read alike, and no others do.

use std::fmt;

use super::selector::{Labels, Operator, Requirement, Selector, Terms};
use super::truth::Truth;

/// `app=web,tier in (a, b),!old`, as `kubectl --selector` takes it; the same for the same requirements.
impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.terms.fmt(f)
    }
}

impl fmt::Display for Terms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, requirement) in self.requirements.iter().enumerate() {
            f.write_str(if index > 0 { "," } else { "" })?;
            requirement.fmt(f)?;
        }
        for (index, choice) in self.choices.iter().enumerate() {
            f.write_str(if index + self.requirements.len() > 0 {
                ","
            } else {
                ""
            })?;
            let parts: Vec<String> = choice.iter().map(|terms| format!("({terms})")).collect();
            match parts.as_slice() {
                [] => f.write_str("nothing")?,
                _ => f.write_str(&parts.join(" or "))?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let values: Vec<String> = self.values.iter().map(|value| word(value)).collect();
        let (key, values) = (&self.key, values.join(", "));
        match self.operator {
            Operator::In if self.values.len() == 1 => write!(f, "{key}={values}"),
            Operator::In => write!(f, "{key} in ({values})"),
            Operator::NotIn => write!(f, "{key} notin ({values})"),
            Operator::Exists => f.write_str(key),
            Operator::DoesNotExist => write!(f, "!{key}"),
            Operator::Contains => write!(f, "{key} contains {values}"),
            Operator::NotContains => write!(f, "not {key} contains {values}"),
            Operator::StartsWith => write!(f, "{key} starts with {values}"),
            Operator::NotStartsWith => write!(f, "not {key} starts with {values}"),
            Operator::EndsWith => write!(f, "{key} ends with {values}"),
            Operator::NotEndsWith => write!(f, "not {key} ends with {values}"),
        }
    }
}

/// A value; what could be taken for something else is quoted, so that what reads alike is alike.
fn word(value: &str) -> String {
    let is_plain = |one: char| one.is_ascii_alphanumeric() || "-_.".contains(one);
    if value.chars().all(is_plain) {
        value.to_owned()
    } else {
        format!("{value:?}")
    }
}

/// Values of one requirement that are thought of apart.
const MAX_VALUES: usize = 16;
/// Ways to choose that are thought of, at the most.
const MAX_WAYS: usize = 64;

impl Selector {
    /// Fewest labels that it selects, put to what is there already; `None` if there are none.
    pub(super) fn least(&self, labels: &Labels) -> Option<Labels> {
        let ways = self.terms.ways();
        ways.iter().find_map(|way| self.by_way(way, labels))
    }

    /// The fewest labels that it selects, once for each value that it lets one of its labels have.
    pub(super) fn fewest(&self) -> Vec<Labels> {
        let mut found = Vec::new();
        for way in self.terms.ways() {
            found.extend(self.by_way(&way, &Labels::new()));
            for requirement in way.iter().filter(|one| one.operator == Operator::In) {
                for value in requirement.values.iter().skip(1).take(MAX_VALUES) {
                    let labels = Labels::from([(requirement.key.clone(), value.clone())]);
                    found.extend(self.by_way(&way, &labels));
                }
            }
        }
        found
    }

    /// Whether there are values, or ways to choose, beyond those that are thought of.
    pub(super) fn has_more(&self) -> bool {
        let ways = self.terms.ways();
        let has_more = |one: &&Requirement| one.operator == Operator::In && one.values.len() > MAX_VALUES + 1;
        ways.len() >= MAX_WAYS || ways.iter().flatten().any(has_more)
    }

    /// The fewest labels that meet requirements, put to what is there already.
    fn by_way(&self, way: &[&Requirement], labels: &Labels) -> Option<Labels> {
        let mut labels = labels.clone();
        for requirement in way {
            let value = match requirement.operator {
                Operator::In => requirement.values.first()?.clone(),
                Operator::Exists | Operator::Contains | Operator::StartsWith | Operator::EndsWith => {
                    composed(way, &requirement.key)
                }
                _ => continue,
            };
            labels.entry(requirement.key.clone()).or_insert(value);
        }
        (self.selects(&labels, &[]) == Truth::Yes).then_some(labels)
    }
}

/// A value that starts, goes on and ends as requirements of one label say; any, if they say nothing.
fn composed(way: &[&Requirement], key: &str) -> String {
    let of = |operator: Operator| {
        let asked = way
            .iter()
            .filter(move |one| one.key == key && one.operator == operator);
        asked.flat_map(|one| one.values.iter().map(String::as_str))
    };
    let parts = of(Operator::StartsWith).chain(of(Operator::Contains));
    let value: String = parts.chain(of(Operator::EndsWith)).collect();
    if value.is_empty() { "any".to_owned() } else { value }
}

impl Terms {
    /// The ways to choose, each with all requirements that then must hold.
    fn ways(&self) -> Vec<Vec<&Requirement>> {
        let mut ways: Vec<Vec<&Requirement>> = vec![self.requirements.iter().collect()];
        for choice in &self.choices {
            // Past the bound, the first alternative stands for all.
            let n_chosen = if ways.len() < MAX_WAYS { MAX_WAYS } else { 1 };
            let chosen: Vec<Vec<&Requirement>> = choice.iter().flat_map(Self::ways).take(n_chosen).collect();
            if let [only] = chosen.as_slice() {
                for way in &mut ways {
                    way.extend(only);
                }
                continue;
            }
            let mut joined = Vec::new();
            for way in &ways {
                joined.extend(chosen.iter().map(|other| [way.as_slice(), other].concat()));
            }
            joined.truncate(MAX_WAYS);
            ways = joined;
        }
        ways
    }
}
