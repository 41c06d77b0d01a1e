//! Staged policies: they show what a policy would do, and do nothing.
//!
//! Semantics: docs.tigera.io, "Staged network policy". INVARIANT: each is said to be without effect.

use crate::dialect::kubernetes::notes::Notes;
use crate::dialect::kubernetes::object::Object;
use crate::finding::{Code, Finding, Label};

/// Says of one that it changes nothing.
pub(super) fn read(object: Object<'_>, notes: &mut Notes) {
    let (name, span) = object.name();
    let message = format!(
        "{} `{name}` changes nothing: staged policies are not enforced",
        object.kind
    );
    let label = Label::new(span, "without effect");
    let finding = Finding::new(Code::PolicyWithoutEffect, message, Some(label));
    let enforced = object.kind.trim_start_matches("Staged");
    let enforced = enforced.strip_prefix("Kubernetes").unwrap_or(enforced);
    notes
        .findings
        .push(finding.help(format!("make it a {enforced} when it is to be enforced")));
}
