//! `baseline`.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use portcullis::baseline;
use portcullis::check::{self, Past};

use crate::arguments::BaselineArguments;
use crate::{Ending, complain, errors, output};

pub(crate) fn baseline(arguments: &BaselineArguments, out: &mut dyn Write) -> io::Result<Ending> {
    let asked = arguments.output.as_deref();
    let is_shown = asked.is_some_and(output::is_standard_output);
    let mut request = arguments.inputs.request(&arguments.paths);
    request.arguments.redundant = arguments.redundant;
    request.known = Past::Record(match asked {
        Some(output) if !is_shown => output.parent().map(Path::to_owned),
        _ => None,
    });
    let outcome = match check::check(&request) {
        Ok(outcome) => outcome,
        Err(refusal) => {
            errors::show_refusal(&refusal);
            return Ok(Ending::Failed);
        }
    };
    let failures = &outcome.summary.failures;
    let unread = outcome
        .findings
        .iter()
        .filter(|finding| finding.code.is_failure());
    let unread = unread.map(|finding| {
        let place = finding.primary.as_ref();
        let place = place.map_or(String::new(), |label| outcome.sources.place(label.span) + ": ");
        format!("{place}{}", finding.message)
    });
    let said: Vec<String> = failures.iter().cloned().chain(unread).collect();
    if !said.is_empty() {
        // A list of what was understood would be taken for a list of all there is.
        for failure in &said {
            complain(failure);
        }
        return Ok(Ending::Failed);
    }
    if is_shown {
        baseline::write(&outcome.entries, out)?;
        return Ok(Ending::Clean);
    }
    let by_site = outcome.baseline.as_deref();
    let file = asked.or(by_site).unwrap_or(Path::new(baseline::DEFAULT_NAME));
    if output::is_input(file, &output::files_of(&outcome.sources)) {
        return Ok(Ending::Failed);
    }
    if let Err(error) = write_file(file, &outcome.entries) {
        complain(&format!("cannot write `{}`: {error}", file.display()));
        return Ok(Ending::Failed);
    }
    let n: usize = outcome.entries.iter().map(|entry| entry.count).sum();
    let what = if n == 1 { "finding" } else { "findings" };
    writeln!(out, "{n} {what} written to {}", file.display())?;
    Ok(Ending::Clean)
}

fn write_file(path: &Path, entries: &[baseline::Entry]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut file = BufWriter::new(File::create(path)?);
    baseline::write(entries, &mut file)?;
    file.flush()
}
