//! Files to trees: HCL by hcl-edit, JSON by [`crate::tree`].
//!
//! INVARIANT: both syntaxes become the same tree, so nothing behind it knows which one was written.

pub(super) mod ast;
pub(super) mod hcl;
mod json;

use crate::source::Source;

/// Whether a file is in JSON syntax, by its name.
pub(super) fn is_json(name: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(_, ending)| ending == "json")
}

/// A file of declarations or values.
pub(super) fn body(source: Source<'_>) -> Result<ast::Body, hcl::SyntaxMistake> {
    if is_json(source.name) {
        json::body(source, source.name.ends_with(".tfvars.json"))
    } else {
        hcl::body(source)
    }
}
