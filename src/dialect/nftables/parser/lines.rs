//! Lines of blocks: what stands in braces, or in a file that is included there. INVARIANT: whatever cannot be read leaves a
//! complaint among the lines, and reading goes on behind it.

use super::statement::reason;
use super::token::{Parsed, blank, ends, has_symbol, is_end, skip_statement, unexpected};
use crate::dialect::nftables::ast::Unread;

/// The lines up to the brace that closes their block. Each has an end of its own, the last too.
pub(super) fn lines_of<'a, T>(
    input: &'a str,
    line: &impl Fn(&'a str) -> Parsed<'a, T>,
    bad: &impl Fn(Unread<'a>) -> T,
) -> (&'a str, Vec<T>) {
    let (mut rest, mut items) = (ends(input), Vec::new());
    while !rest.is_empty() && !has_symbol(rest, "}") {
        match line(rest) {
            Ok((after, item)) => {
                items.push(item);
                rest = after;
                if !is_end(rest) {
                    items.push(bad(unexpected(rest)));
                    rest = skip_statement(rest);
                } else if has_symbol(rest, "}") {
                    items.push(bad(unended(rest)));
                }
            }
            Err(error) => {
                items.push(bad(reason(error, rest)));
                rest = skip_statement(rest);
            }
        }
        rest = ends(rest);
    }
    (rest, items)
}

/// All of a text as lines: a brace that closes nothing is complained of.
pub(super) fn all_lines<'a, T>(
    text: &'a str,
    line: &impl Fn(&'a str) -> Parsed<'a, T>,
    bad: &impl Fn(Unread<'a>) -> T,
) -> Vec<T> {
    let (mut rest, mut items) = (text, Vec::new());
    loop {
        let (after, mut more) = lines_of(rest, line, bad);
        items.append(&mut more);
        if ends(after).is_empty() {
            return items;
        }
        items.push(bad(unexpected(after)));
        rest = blank(after).get(1..).unwrap_or("");
    }
}

/// A line that runs into the brace behind it.
pub(super) fn unended(rest: &str) -> Unread<'_> {
    let brace = blank(rest).get(..1).unwrap_or(rest);
    Unread::new(brace, "the line before this is not ended").help("write `;` or a line break before the brace")
}

/// Complains of the second of two lines that a block has once: `which` knows them, and gives their text.
pub(super) fn say_twice<'a, T>(
    items: &mut Vec<T>,
    which: impl Fn(&T) -> Option<&'a str>,
    bad: impl Fn(Unread<'a>) -> T,
) {
    if let Some(again) = items.iter().filter_map(which).nth(1) {
        items.push(bad(Unread::new(again, "this is said twice in one block")));
    }
}
