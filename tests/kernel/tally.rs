//! Answers and outcomes to numbers. INVARIANT: each packet that is compared is counted once.

use crate::answer::Answer;

/// How many packets there were of each kind.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally {
    pub(crate) compared: usize,
    /// Not compared: the kernel does not route them, or has another opinion of their connection.
    pub(crate) unfit: usize,
    pub(crate) unknown: usize,
    pub(crate) accepted: usize,
    /// Rejected, as we say, but the kernel keeps silent: it answers no ICMP error and no reset.
    pub(crate) silent: usize,
    pub(crate) refused_rules: usize,
    pub(crate) rules_counted: usize,
}

impl Tally {
    /// Counts an answer; says what is wrong with it.
    pub(crate) fn count(&mut self, answer: &Answer, outcome: &str) -> Option<String> {
        self.compared += 1;
        self.accepted += usize::from(outcome == "accept");
        match (answer.verdict.as_str(), outcome) {
            ("unknown", "accept" | "drop" | "reject") => self.unknown += 1,
            ("reject", "drop") => self.silent += 1,
            (ours, theirs) if ours == theirs => {}
            (ours, _) => return Some(format!("we say {ours}")),
        }
        None
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.compared += other.compared;
        self.unfit += other.unfit;
        self.unknown += other.unknown;
        self.accepted += other.accepted;
        self.silent += other.silent;
        self.refused_rules += other.refused_rules;
        self.rules_counted += other.rules_counted;
    }

    pub(crate) fn shown(&self) -> String {
        format!(
            "{} packets, {} accepted, {} unknown ({}%), {} rejected in silence, {} not comparable, {} rules counted, {} rules refused",
            self.compared,
            self.accepted,
            self.unknown,
            self.unknown * 100 / self.compared.max(1),
            self.silent,
            self.unfit,
            self.rules_counted,
            self.refused_rules
        )
    }
}
