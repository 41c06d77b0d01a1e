//! Answers of which some are not known.
//!
//! INVARIANT: `Yes` and `No` hold whatever the unknown turns out to be; each `Maybe` is taken for an unknown of its own, so an
//! answer may be `Maybe` where a cleverer one is sure, never the other way about.

/// An answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Truth {
    /// Surely not.
    No,
    /// Not known.
    Maybe,
    /// Surely.
    Yes,
}

impl Truth {
    /// The answer to a question that has one.
    #[must_use]
    pub fn of(is_so: bool) -> Self {
        if is_so { Self::Yes } else { Self::No }
    }

    /// Whether both hold.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        self.min(other)
    }

    /// Whether one of them holds.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        self.max(other)
    }

    /// Whether it does not hold.
    #[must_use]
    pub fn negated(self) -> Self {
        match self {
            Self::No => Self::Yes,
            Self::Maybe => Self::Maybe,
            Self::Yes => Self::No,
        }
    }

    /// Whether any of them holds; of none, none does.
    #[must_use]
    pub fn any(answers: impl IntoIterator<Item = Self>) -> Self {
        let mut best = Self::No;
        for answer in answers {
            best = best.or(answer);
            if best == Self::Yes {
                break;
            }
        }
        best
    }

    /// Whether all of them hold.
    #[must_use]
    pub fn all(answers: impl IntoIterator<Item = Self>) -> Self {
        Self::any(answers.into_iter().map(Self::negated)).negated()
    }
}
