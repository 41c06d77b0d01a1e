//! Source text and places in it: bytes in, spans out.
//!
//! Every later stage points back here with a [`Span`]. INVARIANT: a span counts *bytes of the file as it lies
//! on disk*, whatever its encoding, so that an editor, SARIF and a fix by offset agree. Decoding therefore
//! never changes lengths: see [`SourceFile::from_bytes`].

mod locate;
mod map;

pub use locate::Locator;
pub use map::{LineColumn, SourceFile, SourceMap, Undecodable};

/// The largest file that is read, in bytes. Spans are 32 bits wide; larger input is refused with an error.
pub const MAX_FILE_BYTES: u64 = 1 << 30;

/// Index of a file in the [`SourceMap`] of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(pub(crate) u32);

impl FileId {
    /// Position of the file in its map, counted from 0.
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// Bytes `start..end` of one file. Half open; empty at a point such as the end of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The file the bytes are in.
    pub file: FileId,
    /// Offset of the first byte, from 0.
    pub start: u32,
    /// Offset behind the last byte.
    pub end: u32,
}

impl Span {
    /// Bytes `start..end` of `file`.
    #[must_use]
    pub fn new(file: FileId, start: u32, end: u32) -> Self {
        debug_assert!(start <= end, "span ends before it starts");
        Self { file, start, end }
    }

    /// The smallest span that covers both. `other` must lie in the same file; if it does not, `self` is returned.
    #[must_use]
    pub fn to(self, other: Self) -> Self {
        if self.file != other.file {
            return self;
        }
        Self {
            file: self.file,
            start: self.start.min(other.start),
            end: self.end.max(other.end),
        }
    }

    /// The byte range, for slicing the file's text.
    #[must_use]
    pub fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }

    /// Whether `other` lies wholly inside `self`.
    #[must_use]
    pub fn contains(self, other: Self) -> bool {
        self.file == other.file && self.start <= other.start && other.end <= self.end
    }
}

/// A value and the bytes that wrote it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Spanned<T> {
    /// What was written.
    pub value: T,
    /// Where.
    pub span: Span,
}

impl<T> Spanned<T> {
    /// Pairs a value with its place.
    pub fn new(value: T, span: Span) -> Self {
        Self { value, span }
    }

    /// The same place with another value.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Spanned<U> {
        Spanned {
            value: f(self.value),
            span: self.span,
        }
    }
}

/// One file handed to a reader: its id and its text.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// Which file.
    pub file: FileId,
    /// The name under which it is shown, with `/` between folders.
    pub name: &'a str,
    /// The decoded text, byte for byte as long as the file (see [`SourceFile::from_bytes`]).
    pub text: &'a str,
}
