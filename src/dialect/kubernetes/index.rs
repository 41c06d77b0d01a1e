//! Selectors by what they ask for, so that of many only those are asked that may take something.
//!
//! INVARIANT: what is no candidate surely selects nothing of what was asked about.

use std::collections::BTreeMap;

use super::selector::{ANY_KEY, Operator, Seen, Selector};

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
        let asked = selector.terms.requirements.iter();
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
    pub(super) fn candidates(&self, seen: &Seen) -> Vec<usize> {
        if seen.open == ANY_KEY {
            return (0..self.n_selectors).collect();
        }
        let with = |(key, value)| self.by_label.get(key)?.get::<String>(value);
        let found = seen.labels.iter().filter_map(with).flatten();
        let mut found: Vec<usize> = found.chain(&self.others).copied().collect();
        for beginning in &seen.open {
            let keys = self.by_label.range((*beginning).to_owned()..);
            let keys = keys.take_while(|(key, _)| key.starts_with(beginning));
            found.extend(keys.flat_map(|(_, values)| values.values().flatten()));
        }
        found.sort_unstable();
        found.dedup();
        found
    }
}
