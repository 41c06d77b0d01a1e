//! Templates (Helm, Jinja): text that becomes YAML once a program has filled it in.
//!
//! INVARIANT: nothing is guessed of what a template becomes; it is found out that it is one, and said.

use std::ops::Range;

/// The first place of a text that is a template's own and no YAML: an action that begins a line or a value. Quoted and
/// commented ones are text to YAML.
pub(super) fn find(text: &str) -> Option<Range<usize>> {
    let mut begin = 0;
    for line in text.split_inclusive('\n') {
        if let Some(at) = in_line(line) {
            return Some(action(text, begin + at));
        }
        begin += line.len();
    }
    None
}

fn in_line(line: &str) -> Option<usize> {
    let content = line.trim_start_matches([' ', '\t', '-']);
    let indent = line.len() - content.len();
    if begins(content) {
        return Some(indent);
    }
    if content.starts_with('#') {
        return None;
    }
    let (key, value) = content.split_once(": ")?;
    let value = value.trim_start();
    let is_key = !key.contains(['"', '\'']);
    (is_key && begins(value)).then_some(line.len() - value.len())
}

fn begins(text: &str) -> bool {
    ["{{", "{%", "{#"].iter().any(|mark| text.starts_with(mark))
}

/// From the beginning of an action to its end, on one line.
pub(super) fn action(text: &str, start: usize) -> Range<usize> {
    let line = text.get(start..).unwrap_or("").lines().next().unwrap_or("");
    let end = ["}}", "%}", "#}"]
        .iter()
        .filter_map(|mark| line.find(mark).map(|at| at + mark.len()))
        .min();
    start..start + end.unwrap_or(line.trim_end().len())
}
