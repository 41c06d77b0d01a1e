//! Spans of sub-slices: a parser works on plain `&str` and asks here where a piece of its input came from.

use super::{FileId, Source, Span};

/// Turns slices of one file's text into spans by their address.
///
/// nom parsers take and return `&str`, which keeps them free of a custom input type; `recognize` and `consumed`
/// give the slice of any production. INVARIANT: the slices asked about are slices of `text`.
#[derive(Debug, Clone, Copy)]
pub struct Locator<'a> {
    file: FileId,
    text: &'a str,
    /// Where all of the text stands, if it is no file's.
    pinned: Option<Span>,
}

impl<'a> Locator<'a> {
    /// A locator for slices of `source.text`.
    #[must_use]
    pub fn new(source: Source<'a>) -> Self {
        Self {
            file: source.file,
            text: source.text,
            pinned: None,
        }
    }

    /// A locator for text that lies in no file but follows from what stands at `span`: that is where each of its slices is.
    #[must_use]
    pub fn pinned(text: &'a str, span: Span) -> Self {
        Self {
            file: span.file,
            text,
            pinned: Some(span),
        }
    }

    /// Whether the text lies in no file.
    #[must_use]
    pub fn is_pinned(&self) -> bool {
        self.pinned.is_some()
    }

    /// The file whose spans it gives.
    #[must_use]
    pub fn file(&self) -> FileId {
        self.file
    }

    /// The whole text.
    #[must_use]
    pub fn text(&self) -> &'a str {
        self.text
    }

    /// The span of `part`, a slice of this text. A slice from elsewhere gives the end of the file.
    #[must_use]
    pub fn span(&self, part: &str) -> Span {
        if let Some(span) = self.pinned {
            return span;
        }
        let offset = (part.as_ptr() as usize).wrapping_sub(self.text.as_ptr() as usize);
        let inside = offset <= self.text.len() && offset + part.len() <= self.text.len();
        debug_assert!(inside, "a slice that is not of this text");
        let (start, end) = if inside {
            (offset, offset + part.len())
        } else {
            (self.text.len(), self.text.len())
        };
        Span::new(self.file, narrow(start), narrow(end))
    }

    /// The span from the start of `from` to the start of `rest`: what a parser consumed, less white space at its end.
    #[must_use]
    pub fn consumed(&self, from: &str, rest: &str) -> Span {
        if let Some(span) = self.pinned {
            return span;
        }
        let (start, end) = (self.span(from).start, self.span(rest).start);
        let text = self
            .text
            .get(start as usize..end.max(start) as usize)
            .unwrap_or("");
        Span::new(self.file, start, start + narrow(text.trim_end().len()))
    }
}

/// Offsets fit 32 bits: files over [`super::MAX_FILE_BYTES`] are refused before they get here.
fn narrow(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slice_knows_where_it_came_from() {
        let text = "-A INPUT -j DROP";
        let at = Locator::new(Source {
            file: FileId(0),
            name: "x",
            text,
        });
        assert_eq!(at.span(&text[3..8]), Span::new(FileId(0), 3, 8));
        assert_eq!(at.consumed(&text[3..], &text[9..]), Span::new(FileId(0), 3, 8));
    }
}
