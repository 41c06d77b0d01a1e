//! Which codes a run reports: `--select` and `--ignore`, and the same in the site file.
//!
//! INVARIANT: what could not be read or judged is always reported, whatever is selected.

use std::collections::BTreeSet;

use super::Code;

/// The codes that are asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// These alone; `None` is all of them.
    pub only: Option<BTreeSet<Code>>,
    /// But not these.
    pub without: BTreeSet<Code>,
}

impl Selection {
    /// Whether findings of a code are reported.
    #[must_use]
    pub fn has(&self, code: Code) -> bool {
        let is_asked = self.only.as_ref().is_none_or(|only| only.contains(&code));
        code.is_failure() || (is_asked && !self.without.contains(&code))
    }

    /// The codes that are not reported.
    #[must_use]
    pub fn left_out(&self) -> BTreeSet<Code> {
        Code::ALL
            .iter()
            .copied()
            .filter(|code| !self.has(*code))
            .collect()
    }

    /// Whether a code is asked for by name.
    #[must_use]
    pub fn names(&self, code: Code) -> bool {
        self.only.as_ref().is_some_and(|only| only.contains(&code)) && self.has(code)
    }
}

impl Code {
    /// The codes that a text names: one by its id, or those whose ids begin with its words, as `unused` does `unused-suppression`.
    #[must_use]
    pub fn beginning_with(text: &str) -> Vec<Self> {
        let begins = |code: &&Self| {
            let rest = code.id().strip_prefix(text);
            !text.is_empty() && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
        };
        Self::ALL.iter().filter(begins).copied().collect()
    }
}
