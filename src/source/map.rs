//! The files of a run, and lines and columns for people.

use super::{FileId, Source, Span};

/// A 1-based line and a 1-based column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineColumn {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters (Unicode scalar values), from 1.
    pub column: usize,
}

/// Bytes of a file that are not UTF-8.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undecodable {
    /// Offset of the first such byte.
    pub start: u32,
    /// Offset behind the last.
    pub end: u32,
}

/// One file's name and text.
#[derive(Debug, Clone)]
pub struct SourceFile {
    name: String,
    text: String,
    undecodable: Vec<Undecodable>,
    line_starts: Vec<u32>,
    is_virtual: bool,
}

impl SourceFile {
    /// Decodes a file. Length never changes: a byte-order mark becomes spaces, and each byte that is not
    /// part of valid UTF-8 becomes one U+001A (SUBSTITUTE) and is listed in [`SourceFile::undecodable`].
    #[must_use]
    pub fn from_bytes(name: impl Into<String>, bytes: Vec<u8>) -> Self {
        let mut undecodable = Vec::new();
        let mut text = match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => substitute(error.as_bytes(), &mut undecodable),
        };
        if text.starts_with('\u{feff}') {
            text.replace_range(..'\u{feff}'.len_utf8(), "   ");
        }
        let line_starts = line_starts(&text);
        Self {
            name: name.into(),
            text,
            undecodable,
            line_starts,
            is_virtual: false,
        }
    }

    /// Text that lies in no file, such as the command line's arguments: shown under `name`, located nowhere.
    #[must_use]
    pub fn virtual_text(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self::virtual_bytes(name, text.into().into_bytes())
    }

    /// Bytes that lie in no file, such as standard input, decoded as [`SourceFile::from_bytes`] does.
    #[must_use]
    pub fn virtual_bytes(name: impl Into<String>, bytes: Vec<u8>) -> Self {
        let mut file = Self::from_bytes(name, bytes);
        file.is_virtual = true;
        file
    }

    /// The name it is shown under: the path as given, with `/` between folders.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The decoded text, as many bytes long as the file.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The file as a reader takes it, under the id that it has or will have.
    #[must_use]
    pub fn source(&self, id: FileId) -> Source<'_> {
        Source {
            file: id,
            name: &self.name,
            text: &self.text,
        }
    }

    /// The bytes that were not UTF-8, in order.
    #[must_use]
    pub fn undecodable(&self) -> &[Undecodable] {
        &self.undecodable
    }

    /// Whether there is no such file on disk.
    #[must_use]
    pub fn is_virtual(&self) -> bool {
        self.is_virtual
    }

    /// The 1-based line and column of a byte offset. An offset past the end is the end.
    #[must_use]
    pub fn line_column(&self, offset: u32) -> LineColumn {
        let line = self.line_starts.partition_point(|&start| start <= offset).max(1);
        let start = self.line_starts.get(line - 1).copied().unwrap_or(0) as usize;
        let end = (offset as usize).min(self.text.len());
        let column = self
            .text
            .get(start..end)
            .map_or(0, |before| before.chars().count())
            + 1;
        LineColumn { line, column }
    }

    /// The text of the line in which a byte offset lies, without its line break. An offset past the end is in the last line.
    #[must_use]
    pub fn line_around(&self, offset: u32) -> &str {
        let line = self.line_starts.partition_point(|&start| start <= offset).max(1);
        self.line(line).unwrap_or("")
    }

    /// The text of a 1-based line, without its line break.
    #[must_use]
    pub fn line(&self, line: usize) -> Option<&str> {
        let start = *self.line_starts.get(line.checked_sub(1)?)? as usize;
        let end = self
            .line_starts
            .get(line)
            .map_or(self.text.len(), |&next| next as usize);
        Some(self.text.get(start..end)?.trim_end_matches(['\n', '\r']))
    }

    /// Offsets at which lines start; the first is 0.
    #[must_use]
    pub fn line_starts(&self) -> &[u32] {
        &self.line_starts
    }
}

/// Offsets at which lines start. `\r\n` and `\n` end a line; a lone `\r` does not.
fn line_starts(text: &str) -> Vec<u32> {
    let ends = text
        .bytes()
        .enumerate()
        .filter(|&(_, byte)| byte == b'\n')
        .map(|(at, _)| at + 1);
    std::iter::once(0)
        .chain(ends)
        .map(|at| u32::try_from(at).unwrap_or(u32::MAX))
        .collect()
}

fn substitute(bytes: &[u8], undecodable: &mut Vec<Undecodable>) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        let start = u32::try_from(text.len()).unwrap_or(u32::MAX);
        text.extend(chunk.invalid().iter().map(|_| '\u{1a}'));
        let end = u32::try_from(text.len()).unwrap_or(u32::MAX);
        match undecodable.last_mut() {
            _ if start == end => {}
            Some(last) if last.end == start => last.end = end,
            _ => undecodable.push(Undecodable { start, end }),
        }
    }
    text
}

/// All files of a run. Ids are given in the order of adding, so the caller adds in a sorted order.
#[derive(Debug, Default)]
pub struct SourceMap {
    files: Vec<SourceFile>,
}

impl SourceMap {
    /// An empty map.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The id that the next file added will have.
    #[must_use]
    pub fn next_id(&self) -> FileId {
        FileId(u32::try_from(self.files.len()).unwrap_or(u32::MAX))
    }

    /// Adds a file and names it.
    pub fn add(&mut self, file: SourceFile) -> FileId {
        let id = self.next_id();
        self.files.push(file);
        id
    }

    /// Calls a file otherwise, before anything has been said of it.
    pub fn rename(&mut self, file: FileId, name: &str) {
        if let Some(file) = self.files.get_mut(file.index()) {
            name.clone_into(&mut file.name);
        }
    }

    /// Adds text under a name: what tests and built-in policies use.
    pub fn add_text(&mut self, name: impl Into<String>, text: impl Into<String>) -> FileId {
        self.add(SourceFile::from_bytes(name, text.into().into_bytes()))
    }

    /// The file of an id that this map gave.
    ///
    /// # Panics
    /// If the id is another map's.
    #[must_use]
    #[expect(clippy::indexing_slicing, reason = "ids come from `add` of this map")]
    pub fn file(&self, id: FileId) -> &SourceFile {
        &self.files[id.index()]
    }

    /// The file as a reader takes it.
    #[must_use]
    pub fn source(&self, id: FileId) -> Source<'_> {
        let file = self.file(id);
        Source {
            file: id,
            name: file.name(),
            text: file.text(),
        }
    }

    /// All ids, in order.
    pub fn ids(&self) -> impl Iterator<Item = FileId> + '_ {
        (0..self.files.len()).map(|at| FileId(u32::try_from(at).unwrap_or(u32::MAX)))
    }

    /// The text under a span; empty if the span does not lie on character boundaries.
    #[must_use]
    pub fn text(&self, span: Span) -> &str {
        self.file(span.file).text().get(span.range()).unwrap_or("")
    }

    /// `name:line:column` of the start of a span.
    #[must_use]
    pub fn place(&self, span: Span) -> String {
        let file = self.file(span.file);
        let at = file.line_column(span.start);
        format!("{}:{}:{}", file.name(), at.line, at.column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_byte_keeps_every_offset() {
        let file = SourceFile::from_bytes("x", b"ab\xff\xfecd\n\xe4".to_vec());
        assert_eq!(file.text(), "ab\u{1a}\u{1a}cd\n\u{1a}");
        assert_eq!(
            file.undecodable(),
            [Undecodable { start: 2, end: 4 }, Undecodable { start: 7, end: 8 }]
        );
    }

    #[test]
    fn a_byte_order_mark_is_blank_and_keeps_offsets() {
        let file = SourceFile::from_bytes("x", b"\xef\xbb\xbf*filter\n".to_vec());
        assert_eq!(file.text(), "   *filter\n");
        assert!(file.undecodable().is_empty());
    }

    #[test]
    fn lines_count_from_one_and_columns_in_characters() {
        let file = SourceFile::from_bytes("x", "a\r\né!\n".as_bytes().to_vec());
        assert_eq!(file.line_column(0), LineColumn { line: 1, column: 1 });
        assert_eq!(file.line_column(3), LineColumn { line: 2, column: 1 });
        assert_eq!(file.line_column(5), LineColumn { line: 2, column: 2 });
        assert_eq!(file.line_column(99), LineColumn { line: 3, column: 1 });
        assert_eq!(
            (file.line(1), file.line(2), file.line(4)),
            (Some("a"), Some("é!"), None)
        );
    }
}
