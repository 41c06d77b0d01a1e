//! The tool's own errors on standard error, through miette.

use std::io::{self, Write};

use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, Severity, SourceCode,
};
use portcullis::check::{LoadError, Refusal};
use portcullis::policy::PolicyError;
use portcullis::source::{SourceMap, Span};

use crate::terminal;

/// A message about bytes of some text.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Spotted {
    message: String,
    help: String,
    text: NamedSource<String>,
    label: LabeledSpan,
}

impl Spotted {
    pub(crate) fn new(
        sources: &SourceMap,
        at: Span,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Self {
        let file = sources.file(at.file);
        Self {
            message: message.into(),
            help: help.into(),
            text: NamedSource::new(file.name(), file.text().to_owned()),
            label: LabeledSpan::new_with_span(Some("here".into()), at.range()),
        }
    }
}

impl Diagnostic for Spotted {
    fn severity(&self) -> Option<Severity> {
        Some(Severity::Error)
    }

    fn help<'a>(&'a self) -> Option<Box<dyn std::fmt::Display + 'a>> {
        Some(Box::new(&self.help))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.text)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(std::iter::once(self.label.clone())))
    }
}

/// Writes one error.
pub(crate) fn show(error: &dyn Diagnostic) {
    let theme = if terminal::errors_want_color() {
        GraphicalTheme::unicode()
    } else {
        GraphicalTheme::unicode_nocolor()
    };
    let mut text = String::new();
    let rendered = GraphicalReportHandler::new_themed(theme)
        .with_width(110)
        .render_report(&mut text, error);
    if rendered.is_err() {
        text = error.to_string();
    }
    // If standard error is gone, there is nobody to tell.
    let _told = writeln!(io::stderr(), "{}", text.trim_end());
}

/// Writes errors of policies.
pub(crate) fn show_policy_errors(sources: &SourceMap, errors: &[PolicyError]) {
    for error in errors {
        show(&error.diagnostic(sources));
    }
}

/// Writes why a run cannot start.
pub(crate) fn show_refusal(refusal: &Refusal) {
    for error in &refusal.errors {
        match error {
            LoadError::Site(errors) => show(errors),
            LoadError::Policy(error) => show(&error.diagnostic(&refusal.sources)),
            LoadError::UnknownPolicy { at, name, help } => {
                show(&Spotted::new(
                    &refusal.sources,
                    *at,
                    format!("there is no policy `{name}`"),
                    help,
                ));
            }
            LoadError::Unknown { at, message, help } => {
                show(&Spotted::new(&refusal.sources, *at, message, help));
            }
            LoadError::Unreadable { name, why } => crate::complain(&format!("{name} cannot be read: {why}")),
        }
    }
}
