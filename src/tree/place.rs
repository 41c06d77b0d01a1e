//! Lines and columns as the YAML crate counts them, to bytes.
//!
//! Its offsets count characters, and go wrong behind a directive (`%…`) that is not ASCII; its lines and columns do not.
//! INVARIANT: a place is on a character boundary of the text, its end at the most.

/// Turns lines and columns into bytes. Fast where questions come about in the order of the text.
#[derive(Debug)]
pub(super) struct Places<'a> {
    text: &'a str,
    /// Where each line begins.
    lines: Vec<usize>,
    /// The last answer: line, column, byte.
    last: (usize, usize, usize),
}

impl<'a> Places<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let bytes = text.as_bytes();
        let mut lines = vec![0];
        for (index, byte) in bytes.iter().enumerate() {
            let ends_line = match byte {
                b'\n' => true,
                b'\r' => bytes.get(index + 1) != Some(&b'\n'),
                _ => false,
            };
            if ends_line {
                lines.push(index + 1);
            }
        }
        Self {
            text,
            lines,
            last: (1, 0, 0),
        }
    }

    /// The byte of a line from 1 and a column from 0, in characters.
    pub(super) fn byte(&mut self, line: usize, column: usize) -> usize {
        let (known_line, known_column, known_byte) = self.last;
        let begin = self.lines.get(line.saturating_sub(1)).copied();
        let Some(begin) = begin else {
            return self.text.len();
        };
        let (from_column, from) = if known_line == line && column >= known_column / 2 {
            (known_column, known_byte)
        } else {
            (0, begin)
        };
        let byte = if column >= from_column {
            self.forth(from, column - from_column)
        } else {
            self.back(from, from_column - column)
        };
        self.last = (line, column, byte);
        byte
    }

    fn forth(&self, from: usize, n: usize) -> usize {
        let rest = self.text.get(from..).unwrap_or("");
        let is_ascii = rest.as_bytes().get(..n).is_some_and(<[u8]>::is_ascii);
        if is_ascii {
            return from + n;
        }
        let skipped = rest.char_indices().nth(n);
        skipped.map_or(self.text.len(), |(index, _)| from + index)
    }

    fn back(&self, from: usize, n: usize) -> usize {
        let before = self.text.get(..from).unwrap_or("");
        let place = before.char_indices().rev().take(n).last();
        place.map_or(from, |(index, _)| index)
    }
}
