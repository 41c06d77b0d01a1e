//! YAML text to a tree, by the events of saphyr-parser.
//!
//! A document that cannot be read is left, and reading goes on at the next `---`. INVARIANT: places are found by line and
//! column ([`Places`]), never by the crate's offsets.

use std::ops::Range;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Span as Marks, Tag};

use super::build::{Builder, Built, Place};
use super::extent::{BLANKS, block_header, properties, quoted, underline, words};
use super::node::Style;
use super::place::Places;
use super::{Problem, Schema, Tree, tab, template};
use crate::source::Source;

/// Lines of a text whose tabs are made blanks, at the most.
const MAX_PATCHES: usize = 50;

/// Reads a whole text.
pub(super) fn read(source: Source<'_>, schema: Schema) -> Tree<'_> {
    read_from(source, source.text, schema)
}

/// Reads the end of a text.
pub(super) fn read_from<'a>(source: Source<'a>, rest: &str, schema: Schema) -> Tree<'a> {
    let mut builder = Builder::new(source, schema);
    let mut base = source.text.len() - rest.len();
    let mut patched: Option<String> = None;
    let mut n_patches = 0;
    loop {
        let whole = patched.as_deref().unwrap_or(source.text);
        let text = whole.get(base..).unwrap_or("");
        let mut reader = Reader {
            base,
            text,
            original: source.text.get(base..).unwrap_or(""),
            takes_tabs: schema == Schema::Kubernetes && n_patches < MAX_PATCHES,
            places: Places::new(text),
            builder,
        };
        let next = reader.run();
        builder = reader.builder;
        match next {
            Next::Document(next) if !builder.is_full() => base += next,
            Next::Again { document, tabs } => {
                let tabs = base + tabs.start..base + tabs.end;
                let blanks = " ".repeat(tabs.len());
                patched
                    .get_or_insert_with(|| source.text.to_owned())
                    .replace_range(tabs, &blanks);
                n_patches += 1;
                base += document;
            }
            Next::Document(_) | Next::End => return builder.finish(),
        }
    }
}

/// Where reading goes on.
enum Next {
    End,
    /// At a document.
    Document(usize),
    /// At the same document, once these tabs are blanks.
    Again {
        document: usize,
        tabs: Range<usize>,
    },
}

struct Reader<'a, 't> {
    /// Where the text begins in the file.
    base: usize,
    text: &'t str,
    /// The text as it lies on disk.
    original: &'t str,
    /// Whether tabs may indent lines between brackets.
    takes_tabs: bool,
    places: Places<'t>,
    builder: Builder<'a>,
}

impl Reader<'_, '_> {
    /// Reads documents up to the end, or up to one that cannot be read.
    fn run(&mut self) -> Next {
        let mut parser = Parser::new_from_str(self.text);
        let mut document = 0;
        while let Some(next) = parser.next_event() {
            let (at, problem) = match next {
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
                    if let Some(tabs) = self.tabs(&error, document, at) {
                        self.builder.discard();
                        return Next::Again { document, tabs };
                    }
                    (at, self.problem(&error, at, document))
                }
            };
            self.builder.give_up(problem);
            return next_document(self.text, at).map_or(Next::End, Next::Document);
        }
        Next::End
    }

    /// The tabs that an error is about, if the reader of the file would take them.
    fn tabs(&self, error: &ScanError, document: usize, at: usize) -> Option<Range<usize>> {
        let is_it = self.takes_tabs && error.info().contains("tab");
        let text = self.text.get(document..).filter(|_| is_it)?;
        let tabs = tab::between_brackets(text, at.checked_sub(document)?)?;
        Some(document + tabs.start..document + tabs.end)
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
        if self.original.get(from..from + text.len()) == Some(text) {
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

    fn template(&self, at: Range<usize>) -> Problem {
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
