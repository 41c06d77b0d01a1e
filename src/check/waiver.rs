//! Findings that waivers of policies take back.
//!
//! INVARIANT: nothing is taken back uncounted, and a waiver that is past its day, or takes nothing back where it could, is a finding.

use super::policies::Policies;
use crate::evaluate::Host;
use crate::finding::{Code, Finding, Label};
use crate::policy::Waived;
use crate::policy::ast::Date;

/// The waivers of the policies in force.
pub(super) struct Waivers<'p> {
    all: Vec<Waiver<'p>>,
}

struct Waiver<'p> {
    said: &'p Waived,
    is_past: bool,
    /// Whether some host was of its roles.
    was_asked: bool,
    was_used: bool,
}

impl Waiver<'_> {
    fn is_about(&self, host: &Host) -> bool {
        let roles = &self.said.roles;
        roles.is_empty() || roles.iter().any(|role| host.roles.contains(role))
    }
}

impl<'p> Waivers<'p> {
    /// On `today` the last day of a waiver is still good; without a day, none is past.
    pub(super) fn of(policies: &'p Policies, today: Option<Date>) -> Self {
        let said = policies.resolved.iter().flat_map(|policy| &policy.waived);
        let all = said.map(|said| Waiver {
            said,
            is_past: said.until.zip(today).is_some_and(|(until, today)| until < today),
            was_asked: false,
            was_used: false,
        });
        Self { all: all.collect() }
    }

    /// Takes back what is found at a host of rows that are all waived there. Gives how many findings that were.
    pub(super) fn take_back(&mut self, host: &Host, findings: &mut Vec<Finding>) -> usize {
        for waiver in &mut self.all {
            waiver.was_asked |= waiver.is_about(host);
        }
        let n_before = findings.len();
        findings.retain(|finding| !self.is_waived(host, finding));
        n_before - findings.len()
    }

    fn is_waived(&mut self, host: &Host, finding: &Finding) -> bool {
        let is_of_rows = matches!(
            finding.code,
            Code::MissingOpening | Code::BlockedReply | Code::ForbiddenOpening
        );
        if !is_of_rows || finding.rows.is_empty() {
            return false;
        }
        let is_good =
            |waiver: &Waiver<'_>, id: &str| !waiver.is_past && waiver.said.id == id && waiver.is_about(host);
        let mut rows = finding.rows.iter();
        if !rows.all(|row| self.all.iter().any(|waiver| is_good(waiver, &row.id))) {
            return false;
        }
        for waiver in &mut self.all {
            waiver.was_used |= finding.rows.iter().any(|row| is_good(waiver, &row.id));
        }
        true
    }

    /// What there is to say of the waivers after the findings; of part of a site, not that one is of no use.
    pub(super) fn findings(&self, is_whole: bool) -> Vec<Finding> {
        self.all
            .iter()
            .filter_map(|waiver| waiver.judge(is_whole))
            .collect()
    }
}

impl Waiver<'_> {
    fn judge(&self, is_whole: bool) -> Option<Finding> {
        let Waived { id, until, span, .. } = self.said;
        if let Some(until) = until.filter(|_| self.is_past) {
            let label = Label::new(*span, "takes nothing back any more");
            let message = format!("the waiver of `{id}` was good until {until}");
            let finding = Finding::new(Code::ExpiredWaiver, message, Some(label));
            return Some(finding.help("mend what it was for and remove it, or give it a new day"));
        }
        if self.was_used || !self.was_asked || !is_whole {
            return None;
        }
        let message = format!("no finding of `{id}` is taken back here");
        let finding = Finding::new(Code::UnusedWaiver, message, Some(Label::new(*span, "of no use")));
        Some(finding.help("remove it, so that it hides nothing that comes later"))
    }
}
