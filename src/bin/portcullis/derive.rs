//! `derive`.

use std::io::{self, Read, Write};
use std::path::Path;

use portcullis::derive::{self, Derivation, Note, Options};
use portcullis::policy;
use portcullis::source::{FileId, SourceFile, SourceMap};

use crate::arguments::Derive;
use crate::errors::{self, Spotted};
use crate::output;
use crate::policy::parsed;
use crate::{Ending, complain};

pub(crate) fn derive(arguments: &Derive, out: &mut dyn Write) -> io::Result<Ending> {
    let mut sources = SourceMap::new();
    let Some(file) = read(&mut sources, &arguments.document) else {
        return Ok(Ending::Failed);
    };
    let options = Options {
        name: arguments.name.clone(),
        select: arguments.select.clone(),
    };
    let derivation = derive::derive(sources.source(file), &options);
    for problem in &derivation.problems {
        errors::show(&Spotted::new(
            &sources,
            problem.span,
            &problem.message,
            &problem.help,
        ));
    }
    if !derivation.problems.is_empty() {
        return Ok(Ending::Failed);
    }
    let text = match &arguments.update {
        Some(policy) => match updated(&mut sources, arguments, policy, &derivation)? {
            Some(text) => text,
            None => return Ok(Ending::Failed),
        },
        None => derivation.text.clone(),
    };
    match &arguments.output {
        None => out.write_all(text.as_bytes())?,
        Some(path) => {
            if let Err(error) = output::write_file(path, |out| out.write_all(text.as_bytes())) {
                complain(&format!("{} cannot be written: {error}", path.display()));
                return Ok(Ending::Failed);
            }
        }
    }
    account(&sources, &derivation)?;
    Ok(if derivation.left.is_empty() {
        Ending::Clean
    } else {
        Ending::Found
    })
}

/// The policy that is to be brought up to date with the document. Says on standard error what the document has changed.
fn updated(
    sources: &mut SourceMap,
    arguments: &Derive,
    policy: &Path,
    derivation: &Derivation,
) -> io::Result<Option<String>> {
    let one = |file: FileId, sources: &SourceMap| {
        let mut policies = parsed(sources, file)?;
        let policy = policies.pop().filter(|_| policies.is_empty());
        if policy.is_none() {
            complain(&format!("{} is not one policy", sources.file(file).name()));
        }
        policy
    };
    let Some(file) = read(sources, policy) else {
        return Ok(None);
    };
    let Some(mine) = one(file, sources) else {
        return Ok(None);
    };
    let new_file = sources.add_text("derived.ports", derivation.text.as_str());
    let Some(new) = one(new_file, sources) else {
        return Ok(None);
    };
    let mut old = None;
    if let Some(base) = &arguments.base {
        let Some(base) = read(sources, base) else {
            return Ok(None);
        };
        let before = derive::derive(
            sources.source(base),
            &Options {
                name: None,
                select: arguments.select.clone(),
            },
        );
        for problem in &before.problems {
            errors::show(&Spotted::new(
                sources,
                problem.span,
                &problem.message,
                &problem.help,
            ));
        }
        if !before.problems.is_empty() {
            return Ok(None);
        }
        let base = sources.add_text("before.ports", before.text.as_str());
        let Some(tree) = one(base, sources) else {
            return Ok(None);
        };
        old = Some(tree);
    }
    let mut error = io::stderr().lock();
    for change in policy::diff(old.as_ref().unwrap_or(&mine), &new) {
        writeln!(error, "{change}")?;
    }
    drop(error);
    let text = policy::update(
        sources.source(file),
        &mine,
        old.as_ref(),
        (&new, sources.source(new_file)),
    );
    if text.is_none() {
        complain("the updated policy cannot be read: report it");
    }
    Ok(text)
}

/// A file as a text.
fn read(sources: &mut SourceMap, path: &Path) -> Option<FileId> {
    let shown = path.display().to_string();
    let mut bytes = Vec::new();
    let read = if path == Path::new("-") {
        io::stdin().lock().read_to_end(&mut bytes).map(|_| ())
    } else {
        std::fs::read(path).map(|read| bytes = read)
    };
    if let Err(error) = read {
        complain(&format!("{shown} cannot be read: {error}"));
        return None;
    }
    if bytes.len() > derive::MAX_BYTES {
        complain(&format!("{shown} has more than {} bytes", derive::MAX_BYTES));
        return None;
    }
    Some(sources.add(SourceFile::from_bytes(shown, bytes)))
}

/// Says what became of every row: on standard error, so that the policy can be piped.
fn account(sources: &SourceMap, derivation: &Derivation) -> io::Result<()> {
    let mut error = io::stderr().lock();
    let mut say = |what: &str, note: &Note| {
        let place = sources.place(note.span);
        writeln!(error, "{place}: {what}: {}: {}", note.place, note.message)
    };
    for note in &derivation.skipped {
        say("not read", note)?;
    }
    for note in &derivation.guessed {
        say("review", note)?;
    }
    for note in &derivation.left {
        say("not derived", note)?;
    }
    writeln!(
        error,
        "{} of {} rows derived, {} to review, {} not derived",
        derivation.n_derived,
        derivation.n_rows,
        derivation.guessed.len(),
        derivation.left.len()
    )
}
