//! Whether a file is a template: by what stands in it.
//!
//! INVARIANT: a template that lies within another file (a manifest, a program) does not make that file one.

use crate::dialect::Claim;
use crate::source::Source;

/// Claims texts with a version of templates, or with resources of AWS, in the first column of YAML or as JSON.
pub(super) fn claim(source: Source<'_>) -> Claim {
    let text = source.text;
    if !text.contains("AWS") {
        return Claim::No;
    }
    let is_template = if text.trim_start().starts_with('{') {
        has_key(text, "AWSTemplateFormatVersion") || (has_key(text, "Resources") && text.contains("\"AWS::"))
    } else {
        let at_start = |key: &str| {
            let begins = |line: &str| line.trim_matches(['"', '\'']).starts_with(key);
            text.lines().any(|line| !line.starts_with(' ') && begins(line))
        };
        at_start("AWSTemplateFormatVersion") || (at_start("Resources") && text.contains("AWS::"))
    };
    if is_template { Claim::Content } else { Claim::No }
}

/// Whether JSON has a key of this name somewhere.
fn has_key(text: &str, key: &str) -> bool {
    let quoted = format!("\"{key}\"");
    text.match_indices(&quoted).any(|(at, found)| {
        let behind = text.get(at + found.len()..).unwrap_or("");
        behind.trim_start().starts_with(':')
    })
}
