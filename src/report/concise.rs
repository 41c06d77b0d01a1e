//! The `concise` format: `path:line:column: error[code]: message`, one line a finding.

use std::io;

use super::Report;
use super::plain::{plain, short};
use crate::finding::{Certainty, Finding};

pub(super) fn write(report: &Report<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    for finding in report.sorted() {
        if let Some(label) = &finding.primary {
            write!(out, "{}: ", plain(&report.sources.place(label.span)))?;
        }
        writeln!(
            out,
            "{}[{}]: {}",
            finding.severity.word(),
            finding.code.id(),
            short(&headline(finding))
        )?;
    }
    Ok(())
}

/// The message, marked if it is only possible.
pub(super) fn headline(finding: &Finding) -> String {
    match finding.certainty {
        Certainty::Surely => finding.message.clone(),
        Certainty::Possibly => format!("possibly: {}", finding.message),
    }
}
