//! Sentences made slightly wrong: each text is one edit away from a sentence. INVARIANT: nothing is claimed of the
//! result; it may still be a sentence, so recogniser and parser are both asked.

use super::generate::{Sentence, text_of};
use super::random::Random;

/// What was done to a sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Edit {
    DeleteToken,
    DoubleToken,
    SwapTokens,
    DeleteCharacter,
    DoubleCharacter,
}

const EDITS: [Edit; 5] = [
    Edit::DeleteToken,
    Edit::DoubleToken,
    Edit::SwapTokens,
    Edit::DeleteCharacter,
    Edit::DoubleCharacter,
];

/// A text one edit away; `None` for an empty sentence.
pub(crate) fn mutant(sentence: &Sentence, random: &mut Random) -> Option<(Edit, String)> {
    let edit = EDITS[random.index(EDITS.len())];
    let mut tokens = sentence.tokens.clone();
    let at = random.index(tokens.len());
    let token = tokens.get_mut(at)?;
    match edit {
        Edit::DeleteToken => {
            tokens.remove(at);
        }
        Edit::DoubleToken => {
            let again = token.clone();
            tokens.insert(at, again);
        }
        Edit::SwapTokens => {
            let other = random.index(tokens.len());
            let text = tokens[at].text.clone();
            tokens[at].text = std::mem::replace(&mut tokens[other].text, text);
        }
        Edit::DeleteCharacter | Edit::DoubleCharacter => {
            let (start, c) = token
                .text
                .char_indices()
                .nth(random.index(token.text.chars().count()))?;
            if edit == Edit::DeleteCharacter {
                token.text.remove(start);
            } else {
                token.text.insert(start, c);
            }
        }
    }
    Some((edit, text_of(&tokens)))
}
