//! What could not be read of a tree of YAML or JSON, as findings.
//!
//! INVARIANT: one finding a problem, at its bytes.

use crate::finding::{Code, Finding, Label};
use crate::tree::Tree;

/// The problems of a tree.
pub(super) fn unread(tree: &Tree<'_>) -> Vec<Finding> {
    let finding = |problem: &crate::tree::Problem| {
        let label = Label::new(problem.span, "cannot be read");
        let finding = Finding::new(Code::UnreadText, problem.message.clone(), Some(label));
        match &problem.help {
            Some(help) => finding.help(help.clone()),
            None => finding,
        }
    };
    tree.problems().iter().map(finding).collect()
}
