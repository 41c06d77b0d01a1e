//! `portcullis explain CODE`: the explanation of a code, as the table of codes has it.

use std::io;

use crate::finding::Code;

/// The parts of a code's explanation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// What a finding of the code says: the first paragraph, on one line.
    pub title: String,
    /// All of it, Markdown.
    pub text: String,
}

/// The explanation of a code.
#[must_use]
pub fn explanation(code: Code) -> Explanation {
    // The text is made of doc comments, which keep the blank behind `///`.
    let lines: Vec<_> = code
        .explain()
        .lines()
        .map(|line| line.strip_prefix(' ').unwrap_or(line))
        .collect();
    let title: Vec<_> = lines
        .iter()
        .take_while(|line| !line.is_empty())
        .copied()
        .collect();
    Explanation {
        title: title.join(" "),
        text: lines.join("\n").trim_end().to_owned(),
    }
}

/// Writes the explanation of a code.
pub fn write(code: Code, out: &mut dyn io::Write) -> io::Result<()> {
    writeln!(
        out,
        "{}[{}]\n\n{}",
        code.severity().word(),
        code.id(),
        explanation(code).text
    )
}
