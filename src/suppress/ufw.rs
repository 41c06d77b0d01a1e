//! Suppressions in the comments that ufw keeps with its rules, in the digits of their bytes.
//!
//! `ufw allow 8080 comment 'portcullis: ignore[…] …'` is written into `user.rules` as `comment=706f…` at the end of the rule's
//! tuple; other comments there do not outlast the next command of ufw. Source: ufw, `UFWRule.set_comment` and
//! `UFWBackendIptables._write_rules`.

use super::comment::{MARK, TUPLE};
use super::{Placed, block};
use crate::finding::Finding;
use crate::source::{Source, Span};

const KEY: &str = " comment=";

/// The suppressions in the comments of tuples. What is wrong with one is said.
pub(super) fn of_source(source: Source<'_>, said: &mut Vec<Finding>) -> Vec<Placed> {
    let mut found = Vec::new();
    let mut start = 0;
    for line in source.text.split_inclusive('\n') {
        let place = start;
        start += line.len();
        let Some(at) = line.starts_with(TUPLE).then(|| line.find(KEY)).flatten() else {
            continue;
        };
        let digits = line.get(at + KEY.len()..).unwrap_or("");
        let digits = digits.split_whitespace().next().unwrap_or("");
        let from = place + at + KEY.len();
        let narrow = |offset: usize| u32::try_from(offset).unwrap_or(u32::MAX);
        let span = Span::new(source.file, narrow(from), narrow(from + digits.len()));
        let text = decoded(digits);
        let Some(body) = text.as_deref().and_then(|text| text.trim().strip_prefix(MARK)) else {
            continue;
        };
        found.extend(Placed::read(
            body,
            span,
            block::starting(source.text, place),
            said,
        ));
    }
    found
}

/// The text of bytes in hexadecimal digits.
fn decoded(digits: &str) -> Option<String> {
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let bytes: Option<Vec<u8>> = digits.as_bytes().chunks(2).map(byte).collect();
    String::from_utf8(bytes?).ok()
}
