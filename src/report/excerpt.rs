//! What codespan-reporting sees of the sources: files as they are, or an excerpt of the labelled lines where a
//! line is too long to print or has characters that a terminal must not see.
//!
//! INVARIANT: line and column numbers are those of the file, whatever is cut.

use std::ops::Range;

use codespan_reporting::files::{Error, Files, column_index};

use super::plain::{is_unsafe, safe};
use crate::source::{FileId, SourceFile, SourceMap, Span};

/// The longest line that is shown whole, in bytes.
const MAX_LINE: usize = 400;
/// How many characters of a longer line are shown.
const SHOWN: usize = 160;
/// How many of them stand before the label.
const BEFORE: usize = 40;

/// A file, or an excerpt of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Text {
    /// The file as it is.
    Whole(FileId),
    /// An excerpt, by its index in the view.
    Excerpt(usize),
}

/// The sources of one finding.
pub(super) struct View<'a> {
    sources: &'a SourceMap,
    excerpts: Vec<(FileId, Excerpt)>,
}

#[derive(Default)]
struct Excerpt {
    text: String,
    lines: Vec<Line>,
}

/// A line of an excerpt.
struct Line {
    /// Where it starts in the excerpt's text.
    start: usize,
    /// Its number in the file.
    number: usize,
    /// The bytes of the file it shows.
    shows: Range<usize>,
    /// How many characters of the file's line are cut before it.
    cut: usize,
}

impl<'a> View<'a> {
    /// A view for labels at `spans`.
    pub(super) fn new(sources: &'a SourceMap, spans: &[Span]) -> Self {
        let mut view = Self {
            sources,
            excerpts: Vec::new(),
        };
        let mut sorted = spans.to_vec();
        sorted.sort_unstable();
        for group in sorted.chunk_by(|a, b| a.file == b.file) {
            if let Some(first) = group.first() {
                let file = sources.file(first.file);
                if lines_shown(file, group).any(|line| !fits(line)) {
                    view.excerpts.push((first.file, Excerpt::of(file, group)));
                }
            }
        }
        view
    }

    /// Where a span lies in this view, on character boundaries.
    pub(super) fn locate(&self, span: Span) -> (Text, Range<usize>) {
        let (text, range) = self.place(span);
        let source = self.source(text).unwrap_or("");
        let start = (0..=range.start.min(source.len()))
            .rev()
            .find(|&at| source.is_char_boundary(at));
        let end = (range.end..source.len()).find(|&at| source.is_char_boundary(at));
        let start = start.unwrap_or(0);
        (text, start..end.unwrap_or(source.len()).max(start))
    }

    fn place(&self, span: Span) -> (Text, Range<usize>) {
        let excerpt = self.excerpts.iter().position(|excerpt| excerpt.0 == span.file);
        match excerpt.and_then(|at| Some((at, &self.excerpts.get(at)?.1))) {
            Some((at, excerpt)) => (
                Text::Excerpt(at),
                excerpt.locate(self.sources.file(span.file), span),
            ),
            None => (Text::Whole(span.file), span.range()),
        }
    }
}

fn fits(line: &str) -> bool {
    line.len() <= MAX_LINE && !line.contains(is_unsafe)
}

/// The lines that codespan-reporting prints for labels at `spans`: theirs, the first and last few of a label
/// over several lines, and a single line between two.
fn lines_shown<'f>(file: &'f SourceFile, spans: &[Span]) -> impl Iterator<Item = &'f str> {
    let mut numbers = Vec::new();
    for span in spans {
        let (first, last) = (file.line_column(span.start).line, file.line_column(span.end).line);
        numbers.extend((first..=last).take(5));
        numbers.extend((last.saturating_sub(2).max(first)..=last).take(3));
    }
    numbers.sort_unstable();
    let between = |pair: &[usize]| match pair {
        [a, b] if a + 2 == *b => Some(a + 1),
        _ => None,
    };
    let between: Vec<_> = numbers.windows(2).filter_map(between).collect();
    numbers.extend(between);
    numbers.into_iter().filter_map(|number| file.line(number))
}

impl Excerpt {
    /// An excerpt of the lines on which `spans` begin. Spans are of one file and sorted.
    fn of(file: &SourceFile, spans: &[Span]) -> Self {
        let mut excerpt = Self::default();
        for span in spans {
            let start = span.range().start.min(file.text().len());
            let number = file.line_column(span.start).line;
            let known = |line: &Line| {
                line.number == number && line.shows.contains(&start) && span.range().end <= line.shows.end
            };
            if !excerpt.lines.iter().any(known) {
                excerpt.add(file, number, start);
            }
        }
        excerpt
    }

    /// Adds the part of a line around the byte `at` of the file.
    fn add(&mut self, file: &SourceFile, number: usize, at: usize) {
        let line_start = file
            .line_starts()
            .get(number.saturating_sub(1))
            .map_or(0, |&start| start as usize);
        let line = file.line(number).unwrap_or("");
        let before = line
            .char_indices()
            .take_while(|(offset, _)| line_start + offset < at)
            .count();
        let cut = if line.len() <= MAX_LINE {
            0
        } else {
            before.saturating_sub(BEFORE)
        };
        let n_shown = if line.len() <= MAX_LINE { line.len() } else { SHOWN };
        let byte = |n: usize| line.char_indices().nth(n).map_or(line.len(), |letter| letter.0);
        let (from, to) = (byte(cut), byte(cut + n_shown));
        let start = self.text.len();
        if cut > 0 {
            self.text.push('…');
        }
        self.text
            .extend(line.get(from..to).unwrap_or("").chars().map(safe));
        if to < line.len() {
            self.text.push('…');
        }
        self.text.push('\n');
        self.lines.push(Line {
            start,
            number,
            shows: line_start + from..line_start + to + 1,
            cut,
        });
    }

    /// The bytes of the excerpt that show a span, cut to the line it begins on.
    fn locate(&self, file: &SourceFile, span: Span) -> Range<usize> {
        let range = span.range();
        let number = file.line_column(span.start).line;
        let shows =
            |line: &&Line| line.number == number && line.shows.contains(&range.start.min(file.text().len()));
        let Some(line) = self
            .lines
            .iter()
            .find(|line| shows(line) && range.end <= line.shows.end)
            .or_else(|| self.lines.iter().find(shows))
        else {
            return 0..0;
        };
        // Shown and original text have the same number of characters, but not of bytes.
        let excerpt = self.text.get(line.start..).unwrap_or("");
        let lead = usize::from(line.cut > 0);
        let offset = |at: usize| {
            let n_letters = file
                .text()
                .get(line.shows.start..at.min(line.shows.end - 1))
                .map_or(0, |text| text.chars().count());
            let letter = excerpt.char_indices().nth(lead + n_letters);
            line.start + letter.map_or(excerpt.len(), |letter| letter.0)
        };
        offset(range.start)..offset(range.end)
    }

    fn line_range(&self, index: usize) -> Result<Range<usize>, Error> {
        let line = self.lines.get(index).ok_or(Error::LineTooLarge {
            given: index,
            max: self.lines.len(),
        })?;
        let end = self
            .lines
            .get(index + 1)
            .map_or(self.text.len(), |next| next.start);
        Ok(line.start..end)
    }
}

impl<'a> Files<'a> for View<'a> {
    type FileId = Text;
    type Name = String;
    type Source = &'a str;

    fn name(&'a self, id: Text) -> Result<String, Error> {
        let file = match id {
            Text::Whole(file) => file,
            Text::Excerpt(at) => self.excerpts.get(at).ok_or(Error::FileMissing)?.0,
        };
        Ok(super::plain::plain(self.sources.file(file).name()).into_owned())
    }

    fn source(&'a self, id: Text) -> Result<&'a str, Error> {
        match id {
            Text::Whole(file) => Ok(self.sources.file(file).text()),
            Text::Excerpt(at) => Ok(&self.excerpts.get(at).ok_or(Error::FileMissing)?.1.text),
        }
    }

    fn line_index(&'a self, id: Text, byte: usize) -> Result<usize, Error> {
        let before = match id {
            Text::Whole(file) => {
                let starts = self.sources.file(file).line_starts();
                starts.partition_point(|&start| start as usize <= byte)
            }
            Text::Excerpt(at) => {
                let lines = &self.excerpts.get(at).ok_or(Error::FileMissing)?.1.lines;
                lines.partition_point(|line| line.start <= byte)
            }
        };
        Ok(before.saturating_sub(1))
    }

    fn line_number(&'a self, id: Text, index: usize) -> Result<usize, Error> {
        match id {
            Text::Whole(_) => Ok(index + 1),
            Text::Excerpt(at) => {
                let lines = &self.excerpts.get(at).ok_or(Error::FileMissing)?.1.lines;
                Ok(lines.get(index).map_or(index + 1, |line| line.number))
            }
        }
    }

    fn column_number(&'a self, id: Text, index: usize, byte: usize) -> Result<usize, Error> {
        let column = column_index(self.source(id)?, self.line_range(id, index)?, byte) + 1;
        let cut = match id {
            Text::Whole(_) => 0,
            Text::Excerpt(at) => {
                let lines = &self.excerpts.get(at).ok_or(Error::FileMissing)?.1.lines;
                lines.get(index).map_or(0, |line| line.cut)
            }
        };
        // The mark for what is cut is a column of the excerpt, not of the file.
        Ok(if cut > 0 { column + cut - 1 } else { column })
    }

    fn line_range(&'a self, id: Text, index: usize) -> Result<Range<usize>, Error> {
        match id {
            Text::Excerpt(at) => self
                .excerpts
                .get(at)
                .ok_or(Error::FileMissing)?
                .1
                .line_range(index),
            Text::Whole(file) => {
                let file = self.sources.file(file);
                let starts = file.line_starts();
                let too_large = Error::LineTooLarge {
                    given: index,
                    max: starts.len(),
                };
                let start = starts.get(index).ok_or(too_large)?;
                let end = starts
                    .get(index + 1)
                    .map_or(file.text().len(), |&end| end as usize);
                Ok(*start as usize..end)
            }
        }
    }
}
