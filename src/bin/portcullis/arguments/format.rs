//! What options with a few values may be: formats, severities, where reports go.

use std::ffi::OsStr;
use std::path::PathBuf;

use clap::builder::{PossibleValue, TypedValueParser};
use clap::error::ErrorKind;
use clap::{Arg, Args, Command, Error, ValueEnum};
use portcullis::connections;
use portcullis::finding::Severity;
use portcullis::policy::nearest;
use portcullis::report::Format;
use portcullis::suite;

/// A format, and the file that it is written to; without one, to standard output or where `-o` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FormatArgument {
    pub(crate) format: Format,
    pub(crate) file: Option<PathBuf>,
}

impl FormatArgument {
    /// What is written if nothing is asked for.
    pub(crate) const HUMAN: Self = Self {
        format: Format::Human,
        file: None,
    };
}

/// Reads `FORMAT` and `FORMAT=FILE`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FormatParser;

impl TypedValueParser for FormatParser {
    type Value = FormatArgument;

    fn parse_ref(
        &self,
        command: &Command,
        _argument: Option<&Arg>,
        value: &OsStr,
    ) -> Result<FormatArgument, Error> {
        let refuse = |message: String| Error::raw(ErrorKind::InvalidValue, message).with_cmd(command);
        let Some(text) = value.to_str() else {
            return Err(refuse("the format is no text\n".to_owned()));
        };
        let (word, file) = match text.split_once('=') {
            Some((word, file)) => (word, Some(file)),
            None => (text, None),
        };
        let words = || Format::ALL.into_iter().map(Format::word);
        let Some(format) = Format::by_word(word) else {
            let hint = match nearest(word, words()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("there are {}", words().collect::<Vec<_>>().join(", ")),
            };
            return Err(refuse(format!("there is no format `{word}`: {hint}\n")));
        };
        if file == Some("") {
            let message = format!("`{text}` names no file: write `{word}=FILE`, or `{word}` alone\n");
            return Err(refuse(message));
        }
        Ok(FormatArgument {
            format,
            file: file.map(PathBuf::from),
        })
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        let value = |format: Format| PossibleValue::new(format.word()).help(format.about());
        Some(Box::new(Format::ALL.into_iter().map(value)))
    }
}

/// Where one result goes.
#[derive(Debug, Args)]
pub(crate) struct Output {
    /// Where to write it, instead of to standard output
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

/// `--format` of results of tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TestFormat {
    /// A line a page, and what failed
    Text,
    /// For programs
    Json,
    /// For servers that run tests
    Junit,
}

impl From<TestFormat> for suite::Format {
    fn from(format: TestFormat) -> Self {
        match format {
            TestFormat::Text => Self::Text,
            TestFormat::Json => Self::Json,
            TestFormat::Junit => Self::Junit,
        }
    }
}

/// `--format` of tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TableFormat {
    Text,
    Json,
}

/// `--format` of connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum GraphFormat {
    /// A line a connection
    Text,
    /// For programs
    Json,
    /// For spreadsheets
    Csv,
    /// For Graphviz
    Dot,
    /// For Markdown
    Mermaid,
}

impl From<GraphFormat> for connections::Format {
    fn from(format: GraphFormat) -> Self {
        match format {
            GraphFormat::Text => Self::Text,
            GraphFormat::Json => Self::Json,
            GraphFormat::Csv => Self::Csv,
            GraphFormat::Dot => Self::Dot,
            GraphFormat::Mermaid => Self::Mermaid,
        }
    }
}

/// `--fail-on`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SeverityArgument {
    Note,
    Warning,
    Error,
}

impl From<SeverityArgument> for Severity {
    fn from(severity: SeverityArgument) -> Self {
        match severity {
            SeverityArgument::Note => Self::Note,
            SeverityArgument::Warning => Self::Warning,
            SeverityArgument::Error => Self::Error,
        }
    }
}
