//! Fields of recorded objects, under the names that APIs and command lines give them: `remote_ip_prefix`, `IP Range`.
//!
//! INVARIANT: names are the same if they have the same letters and digits in the same order.

use crate::cloud::Value;
use crate::source::Span;
use crate::tree::{Node, Style};

/// The value of the first of these names that an object has, nothing written included.
pub(super) fn column<'t>(object: &Node<'t>, names: &[&str]) -> Option<Node<'t>> {
    let by_name = |name: &&str| {
        let entries = object.entries();
        entries
            .filter(|entry| is_same(entry.name(), name))
            .map(|entry| entry.value)
            .next()
    };
    names.iter().find_map(by_name)
}

fn is_same(key: &str, name: &str) -> bool {
    let letters = |text: &str| {
        let letters = text.chars().filter(|one| one.is_alphanumeric());
        letters.map(|one| one.to_ascii_lowercase()).collect::<String>()
    };
    letters(key) == letters(name)
}

/// The text of a field that says something: not null, and not the words by which command lines show that.
pub(super) fn text(node: Option<Node<'_>>) -> Option<Value<String>> {
    let node = node?;
    let text = node.text().filter(|_| !node.is_null())?;
    (!text.is_empty() && text != "None").then(|| Value::new(text.to_owned(), place(&node)))
}

/// The bytes of a scalar without its quotes.
pub(super) fn place(node: &Node<'_>) -> Span {
    let span = node.span();
    if node.style() == Some(Style::Quoted) && span.end >= span.start + 2 {
        return Span::new(span.file, span.start + 1, span.end - 1);
    }
    span
}
