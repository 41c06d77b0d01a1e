//! YAML text to a tree, by the events of saphyr-parser.
//!
//! A document that cannot be read is left, and reading goes on at the next `---`. INVARIANT: places are found by line and
//! column ([`Places`]), never by the crate's offsets.

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Span as Marks, Tag};

use super::build::{Builder, Built, Place};
use super::node::Style;
use super::place::Places;
use super::{Problem, Schema, Tree, template};
use crate::source::Source;

/// What YAML takes for white space and line breaks.
const BLANKS: [char; 4] = [' ', '\t', '\r', '\n'];

/// Reads a whole text.
pub(super) fn read(source: Source<'_>, schema: Schema) -> Tree<'_> {
    read_from(source, source.text, schema)
}

/// Reads the end of a text.
pub(super) fn read_from<'a>(source: Source<'a>, rest: &str, schema: Schema) -> Tree<'a> {
    let mut builder = Builder::new(source, schema);
    let mut base = source.text.len() - rest.len();
    while let Some(text) = source.text.get(base..) {
        let mut reader = Reader {
            base,
            text,
            places: Places::new(text),
            builder,
        };
        let next = reader.run();
        builder = reader.builder;
        match next {
            Some(next) if !builder.is_full() => base += next,
            _ => break,
        }
    }
    builder.finish()
}

struct Reader<'a> {
    /// Where the text begins in the file.
    base: usize,
    text: &'a str,
    places: Places<'a>,
    builder: Builder<'a>,
}

impl Reader<'_> {
    /// Reads documents up to the end, or up to one that cannot be read: then where to go on.
    fn run(&mut self) -> Option<usize> {
        let mut parser = Parser::new_from_str(self.text);
        let mut document = 0;
        loop {
            let (at, problem) = match parser.next_event()? {
                Ok((event, marks)) => {
                    let at = self.byte(&marks.start);
                    if matches!(event, Event::DocumentStart(_)) {
                        document = at;
                    }
                    match self.event(event, &marks) {
                        Ok(()) => continue,
                        Err(problem) => (at, problem),
                    }
                }
                Err(error) => {
                    let at = self.byte(error.marker());
                    (at, self.problem(&error, at, document))
                }
            };
            self.builder.give_up(problem);
            return next_document(self.text, at);
        }
    }

    fn byte(&mut self, mark: &Marker) -> usize {
        self.places.byte(mark.line(), mark.col())
    }

    fn event(&mut self, event: Event<'_>, marks: &Marks) -> Built {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.scalar(&text, style, anchor, tag.as_deref(), marks)
            }
            Event::SequenceStart(anchor, tag) => self.open(anchor, tag.as_deref(), marks, false),
            Event::MappingStart(anchor, tag) => self.open(anchor, tag.as_deref(), marks, true),
            Event::SequenceEnd | Event::MappingEnd => {
                let end = self.byte(&marks.end);
                self.builder.close(self.base + end)
            }
            Event::Alias(anchor) => {
                let (start, end) = self.written(marks);
                self.builder.alias(Place {
                    start: self.base + start,
                    end: self.base + end,
                    tag: 0,
                    anchor,
                })
            }
            Event::DocumentEnd => {
                self.builder.end_document();
                Ok(())
            }
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentStart(_) => Ok(()),
        }
    }

    /// The bytes of marks, less white space at the end.
    fn written(&mut self, marks: &Marks) -> (usize, usize) {
        let (start, end) = (self.byte(&marks.start), self.byte(&marks.end));
        let text = self.text.get(start..end).unwrap_or("");
        (start, start + text.trim_end_matches(BLANKS).len())
    }

    fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        anchor: usize,
        tag: Option<&Tag>,
        marks: &Marks,
    ) -> Built {
        let (start, end) = self.written(marks);
        // Marks include tag and anchor; those of a block without them begin with its first line, whatever stands there.
        let has_properties = tag.is_some() || anchor != 0;
        let start = start
            + if has_properties {
                self.properties(start, end)
            } else {
                0
            };
        let style = match style {
            ScalarStyle::Plain => Style::Plain,
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => Style::Quoted,
            ScalarStyle::Literal | ScalarStyle::Folded => Style::Block,
        };
        let slice = self.text.get(start..end).unwrap_or("");
        // Marks of quoted text go on to the next token.
        let end = if style == Style::Quoted {
            start + quoted(slice)
        } else {
            end
        };
        let skipped = match style {
            Style::Quoted => 1,
            Style::Block if has_properties => block_header(slice),
            Style::Plain | Style::Block => 0,
        };
        let mut place = Place {
            start: self.base + start + if style == Style::Block { skipped } else { 0 },
            end: self.base + end,
            tag: self.tag(tag),
            anchor,
        };
        if style == Style::Plain && text.is_empty() {
            // Nothing is written: the marks may be those of whatever comes next.
            (place.start, place.end) = self.builder.key_before().unwrap_or((place.start, place.start));
        }
        let from = start + skipped;
        if self.text.get(from..from + text.len()) == Some(text) {
            let from = self.base + from;
            return self.builder.verbatim(place, style, from, from + text.len());
        }
        self.builder.unescaped(place, style, text)
    }

    fn open(&mut self, anchor: usize, tag: Option<&Tag>, marks: &Marks, is_mapping: bool) -> Built {
        let (start, end) = self.written(marks);
        let start = start + self.properties(start, end);
        let is_bracketed = matches!(self.text.get(start..end), Some("{" | "["));
        let place = Place {
            start: self.base + start,
            end: self.base + end,
            tag: self.tag(tag),
            anchor,
        };
        if is_mapping && is_bracketed && self.builder.is_first_key_behind(place.start) {
            return Err(self.template(template::action(self.text, start - 1)));
        }
        self.builder.open(place, is_mapping, is_bracketed)
    }

    fn properties(&self, start: usize, end: usize) -> usize {
        properties(self.text.get(start..end).unwrap_or(""))
    }

    fn tag(&mut self, tag: Option<&Tag>) -> u32 {
        let Some(tag) = tag else { return 0 };
        let (handle, suffix) = (&tag.handle, &tag.suffix);
        let written = if handle == "tag:yaml.org,2002:" {
            format!("!!{suffix}")
        } else {
            match format!("{handle}{suffix}").strip_prefix("tag:yaml.org,2002:") {
                Some(core) => format!("!!{core}"),
                None => format!("{handle}{suffix}"),
            }
        };
        self.builder.tag(written)
    }

    fn template(&self, at: std::ops::Range<usize>) -> Problem {
        let action = self.text.get(at.clone()).unwrap_or("");
        let message = format!("a template, not YAML: `{action}`");
        Problem {
            help: Some("give what it becomes: the output of `helm template` or the like".to_owned()),
            ..self.problem_at(at.start, at.end, message)
        }
    }

    fn problem_at(&self, start: usize, end: usize, message: impl Into<String>) -> Problem {
        self.builder.problem(self.base + start, self.base + end, message)
    }

    /// What the crate could not read, in our words.
    fn problem(&self, error: &ScanError, at: usize, document: usize) -> Problem {
        let end = next_document(self.text, at).unwrap_or(self.text.len());
        let action = self.text.get(document..end).and_then(template::find);
        if let Some(action) = action {
            return self.template(document + action.start..document + action.end);
        }
        let (start, end) = underline(self.text, at);
        let (message, help) = words(error.info());
        Problem {
            help: help.map(str::to_owned),
            ..self.problem_at(start, end, message)
        }
    }
}

/// Where the next document begins: at a line `---` behind `at`.
fn next_document(text: &str, at: usize) -> Option<usize> {
    let mut from = at;
    loop {
        let found = from + text.get(from..)?.find("\n---")?;
        let behind = text.get(found + "\n---".len()..)?;
        if behind.is_empty() || behind.starts_with([' ', '\t', '\r', '\n']) {
            return Some(found + 1);
        }
        from = found + 1;
    }
}

/// How many bytes of tags, anchors, and what is between them and the value begin a text.
fn properties(text: &str) -> usize {
    let mut rest = text;
    while rest.starts_with(['!', '&']) {
        let end = rest.find(|one: char| one.is_ascii_whitespace());
        // `!Sub[a]` is no tag's end: a flow collection may follow the tag directly behind a blank only.
        rest = rest.get(end.unwrap_or(rest.len())..).unwrap_or("");
        rest = rest.trim_start_matches(BLANKS);
        while rest.starts_with('#') {
            rest = rest
                .find('\n')
                .and_then(|end| rest.get(end..))
                .unwrap_or("")
                .trim_start_matches(BLANKS);
        }
    }
    text.len() - rest.len()
}

/// How many bytes the quoted text is that a text begins with.
fn quoted(text: &str) -> usize {
    let bytes = text.as_bytes();
    let quote = bytes.first();
    let mut at = 1;
    while let Some(byte) = bytes.get(at) {
        let is_doubled = quote == Some(&b'\'') && bytes.get(at + 1) == quote;
        match byte {
            b'\\' if quote == Some(&b'"') => at += 1,
            _ if Some(byte) == quote && is_doubled => at += 1,
            _ if Some(byte) == quote => return at + 1,
            _ => {}
        }
        at += 1;
    }
    text.len()
}

/// How many bytes of a block scalar are its header and first indentation, if it begins with them.
fn block_header(text: &str) -> usize {
    if !text.starts_with(['|', '>']) {
        return 0;
    }
    let lines = text.find('\n').and_then(|end| text.get(end..)).unwrap_or("");
    text.len() - lines.trim_start_matches(BLANKS).len()
}

/// Some bytes to underline: the word at a place, or the last before it.
fn underline(text: &str, at: usize) -> (usize, usize) {
    let word = |start: usize| {
        let rest = text.get(start..).unwrap_or("");
        let end = rest.find(|one: char| one.is_whitespace()).unwrap_or(rest.len());
        (start, start + end)
    };
    let (start, end) = word(at);
    if end > start {
        return (start, end);
    }
    let rest = text.get(at..).unwrap_or("");
    let line_end = rest.find(['\r', '\n']).unwrap_or(rest.len());
    let blanks = rest
        .get(..line_end)
        .map_or(0, |line| line.len() - line.trim_start().len());
    if blanks < line_end {
        return word(at + blanks);
    }
    let before = text.get(..at).unwrap_or("").trim_end();
    let start = before.rfind(|one: char| one.is_whitespace());
    let after = start.map_or(0, |start| {
        start
            + before
                .get(start..)
                .and_then(|text| text.chars().next())
                .map_or(0, char::len_utf8)
    });
    (after, before.len())
}

/// The crate's words in ours, and what to do.
fn words(info: &str) -> (String, Option<&'static str>) {
    let known: &[(&str, &str, Option<&'static str>)] = &[
        (
            "tab",
            "a tab stands where YAML takes blanks alone",
            Some("indent with blanks"),
        ),
        (
            "unknown anchor",
            "this alias names no anchor that stands before it",
            None,
        ),
        (
            "mapping values are not allowed",
            "`:` makes no key here",
            Some("quote text that contains a colon and a blank, and mind the indentation"),
        ),
        (
            "recursion limit",
            "too many brackets lie in each other here",
            None,
        ),
        (
            "unexpected end of stream",
            "the quote that begins here does not end",
            None,
        ),
        (
            "did not find expected key",
            "this line is indented as no other of its mapping",
            Some("indent the keys of a mapping alike"),
        ),
        (
            "did not find expected <document start>",
            "this line is indented less than what it should belong to",
            Some("indent what belongs together alike"),
        ),
    ];
    let found = known.iter().find(|(theirs, _, _)| info.contains(theirs));
    match found {
        Some((_, ours, help)) => ((*ours).to_owned(), *help),
        None => (format!("not YAML: {}", info.replace('\'', "`")), None),
    }
}
