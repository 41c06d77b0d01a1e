//! Text that is safe on a terminal.

use std::borrow::Cow;

/// Whether a character may not reach a terminal: a control character, which could move the cursor or start an
/// escape sequence, or one that reorders the text around it (Unicode UAX 9). Tabs are not among them.
pub(super) fn is_unsafe(letter: char) -> bool {
    let reorders = matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{61c}');
    (letter.is_control() && letter != '\t') || reorders
}

/// The text with a replacement character for each that is not safe, line breaks included.
pub(super) fn plain(text: &str) -> Cow<'_, str> {
    if text.chars().any(is_unsafe) {
        Cow::Owned(text.chars().map(safe).collect())
    } else {
        Cow::Borrowed(text)
    }
}

/// The text as [`plain`] has it, cut to a few lines of a terminal: a message may quote a list of any length.
pub(super) fn short(text: &str) -> Cow<'_, str> {
    const MAX: usize = 400;
    let text = plain(text);
    match text.chars().nth(MAX) {
        Some(_) => Cow::Owned(text.chars().take(MAX - 1).chain(['…']).collect()),
        None => text,
    }
}

/// The character, or what stands for it.
pub(super) fn safe(letter: char) -> char {
    if is_unsafe(letter) { '\u{fffd}' } else { letter }
}
