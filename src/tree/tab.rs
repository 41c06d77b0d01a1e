//! Tabs between brackets: readers that come from libyaml, Kubernetes' among them, take them at the beginning of a line there,
//! which YAML 1.2 does not.
//!
//! INVARIANT: a text of which a line's tabs were made blanks is as long as it was.

use std::ops::Range;

/// The white space with tabs in it that begins the line of a place, if the line is between brackets that a document, which is
/// the text, has opened before.
pub(super) fn between_brackets(document: &str, at: usize) -> Option<Range<usize>> {
    let before = document.get(..at)?;
    let begin = before.rfind('\n').map_or(0, |end| end + 1);
    let line = document.get(begin..)?;
    let blanks = line.len() - line.trim_start_matches([' ', '\t']).len();
    let has_tab = line.get(..blanks)?.contains('\t');
    (has_tab && ends_in_brackets(document.get(..begin)?)).then(|| begin..begin + blanks)
}

/// Whether a text ends between brackets that open a collection.
fn ends_in_brackets(text: &str) -> bool {
    let (mut depth, mut before) = (0_usize, b'\n');
    let mut quote: Option<u8> = None;
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let is_at_start = before.is_ascii_whitespace() || matches!(before, b'[' | b'{' | b',');
        if let Some(open) = quote {
            if byte == b'\\' && open == b'"' {
                bytes.next();
            } else if byte == open {
                quote = None;
            }
            before = byte;
            continue;
        }
        match byte {
            b'#' if is_at_start => {
                bytes.by_ref().find(|byte| *byte == b'\n');
                before = b'\n';
                continue;
            }
            b'\'' | b'"' if is_at_start => quote = Some(byte),
            b'[' | b'{' if is_at_start => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        before = byte;
    }
    depth > 0
}
