//! `policy` and `fmt`.

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use portcullis::policy::ast::Policy as Tree;
use portcullis::policy::{self, PolicyError, Settings};
use portcullis::source::{FileId, SourceFile, SourceMap};
use portcullis::suite;

use crate::arguments::{Fmt, Policy, PolicyCommand, PolicyTest, TableFormat};
use crate::output;
use crate::{Ending, complain, errors};

pub(crate) fn policy(arguments: &Policy, out: &mut dyn Write) -> io::Result<Ending> {
    match &arguments.command {
        PolicyCommand::List => list(out),
        PolicyCommand::Show { name, format, to } => {
            output::to(to.output.as_deref(), &[PathBuf::from(name)], out, |out| {
                show(name, *format, out)
            })
        }
        PolicyCommand::Check { names } => check(names, out),
        PolicyCommand::Test(asked) => test(asked, out),
        PolicyCommand::Diff { old, new } => diff(old, new, out),
    }
}

fn list(out: &mut dyn Write) -> io::Result<Ending> {
    for name in policy::BUILTIN {
        let mut sources = SourceMap::new();
        let file = sources.add_text(*name, policy::builtin(name).unwrap_or_default());
        let parsed = policy::parse(sources.source(file));
        let title = parsed.policies.first().and_then(|policy| policy.title.as_ref());
        writeln!(
            out,
            "{name:<18} {}",
            title.map_or("", |title| title.value.as_str())
        )?;
    }
    Ok(Ending::Clean)
}

/// A shipped policy by its name, or a file. Says it if there is neither.
fn load(sources: &mut SourceMap, name: &str) -> Option<FileId> {
    if let Some(text) = policy::builtin(name) {
        return Some(sources.add(SourceFile::virtual_text(format!("policies/{name}.ports"), text)));
    }
    match std::fs::read(name) {
        Ok(bytes) => Some(sources.add(SourceFile::from_bytes(name, bytes))),
        Err(error) => {
            let near = portcullis::policy::nearest(name, policy::BUILTIN.iter().copied());
            let hint = near.map_or_else(
                || format!("shipped are {}", policy::BUILTIN.join(", ")),
                |near| format!("did you mean `{near}`?"),
            );
            complain(&format!(
                "`{name}` is no shipped policy and no readable file ({error}): {hint}"
            ));
            None
        }
    }
}

/// The policies of a text, if it is read without an error of syntax. Says what is wrong with it.
pub(crate) fn parsed(sources: &SourceMap, file: FileId) -> Option<Vec<Tree>> {
    let parsed = policy::parse(sources.source(file));
    if parsed.errors.is_empty() {
        return Some(parsed.policies);
    }
    errors::show_policy_errors(sources, &parsed.errors);
    None
}

fn check(names: &[String], out: &mut dyn Write) -> io::Result<Ending> {
    let mut sources = SourceMap::new();
    let mut asked: Vec<Vec<Tree>> = Vec::new();
    let shipped: Vec<String> = policy::BUILTIN.iter().map(|name| (*name).to_owned()).collect();
    for name in if names.is_empty() { &shipped } else { names } {
        let Some(policies) = load(&mut sources, name).and_then(|file| parsed(&sources, file)) else {
            return Ok(Ending::Failed);
        };
        asked.push(policies);
    }
    let mut known: Vec<Tree> = asked.iter().flatten().cloned().collect();
    for builtin in policy::BUILTIN {
        if known.iter().all(|policy| policy.name.value != *builtin) {
            let file = sources.add_text(*builtin, policy::builtin(builtin).unwrap_or_default());
            known.extend(policy::parse(sources.source(file)).policies);
        }
    }
    let wrong = policy::check(&known);
    if !wrong.is_empty() {
        errors::show_policy_errors(&sources, &wrong);
        return Ok(Ending::Failed);
    }
    let groups = if names.is_empty() {
        asked
    } else {
        vec![asked.concat()]
    };
    let found: Vec<policy::Advice> = groups
        .iter()
        .flat_map(|group| policy::lint(group, &known))
        .collect();
    for advice in &found {
        let place = sources.place(advice.span);
        writeln!(
            out,
            "{place}: [{}] {}: {}",
            advice.code, advice.message, advice.help
        )?;
        if let Some(other) = advice.other {
            writeln!(out, "  the other one: {}", sources.place(other))?;
        }
    }
    Ok(if found.is_empty() {
        Ending::Clean
    } else {
        Ending::Found
    })
}

fn test(asked: &PolicyTest, out: &mut dyn Write) -> io::Result<Ending> {
    let pages = match suite::find(&asked.paths) {
        Ok(pages) => pages,
        Err(errors) => {
            for error in &errors {
                complain(&error.to_string());
            }
            return Ok(Ending::Failed);
        }
    };
    let mut is_failed = false;
    let mut tested = Vec::new();
    for page in &pages {
        match suite::test(page, asked.only.as_deref()) {
            Ok(page) => tested.push(page),
            Err(error) => {
                complain(&error.to_string());
                is_failed = true;
            }
        }
    }
    let written = output::to(asked.to.output.as_deref(), &pages, out, |out| {
        suite::write(&tested, asked.format.into(), out).map(|()| Ending::Clean)
    })?;
    is_failed |= matches!(written, Ending::Failed);
    let cases = || tested.iter().flat_map(|page| &page.cases);
    if cases().next().is_none() && !is_failed {
        complain("no case was run");
        is_failed = true;
    }
    Ok(if is_failed || cases().any(|case| case.refusal.is_some()) {
        Ending::Failed
    } else if cases().any(|case| !case.has_passed()) {
        Ending::Found
    } else {
        Ending::Clean
    })
}

fn diff(old: &str, new: &str, out: &mut dyn Write) -> io::Result<Ending> {
    let mut sources = SourceMap::new();
    let mut policies = Vec::new();
    for name in [old, new] {
        let Some(found) = load(&mut sources, name).and_then(|file| parsed(&sources, file)) else {
            return Ok(Ending::Failed);
        };
        let [policy] = found.as_slice() else {
            complain(&format!(
                "{name} has {} policies: two of them can be compared, one a file",
                found.len()
            ));
            return Ok(Ending::Failed);
        };
        policies.push(policy.clone());
    }
    let changes = match policies.as_slice() {
        [old, new] => policy::diff(old, new),
        _ => Vec::new(),
    };
    for change in &changes {
        writeln!(out, "{change}")?;
    }
    Ok(if changes.is_empty() {
        Ending::Clean
    } else {
        Ending::Found
    })
}

fn show(name: &str, format: TableFormat, out: &mut dyn Write) -> io::Result<Ending> {
    let mut sources = SourceMap::new();
    let Some(asked) = load(&mut sources, name) else {
        return Ok(Ending::Failed);
    };
    let others: Vec<FileId> = policy::BUILTIN
        .iter()
        .filter(|builtin| **builtin != name)
        .map(|builtin| sources.add_text(*builtin, policy::builtin(builtin).unwrap_or_default()))
        .collect();
    let parsed = policy::parse(sources.source(asked));
    if !parsed.errors.is_empty() {
        errors::show_policy_errors(&sources, &parsed.errors);
        return Ok(Ending::Failed);
    }
    let mut known: Vec<_> = others
        .into_iter()
        .flat_map(|file| policy::parse(sources.source(file)).policies)
        .collect();
    known.retain(|other| {
        parsed
            .policies
            .iter()
            .all(|mine| mine.name.value != other.name.value)
    });
    known.extend(parsed.policies.iter().cloned());
    let mut shown = Vec::new();
    for one in &parsed.policies {
        match policy::show(one, &Settings::default(), &known) {
            Ok(table) => shown.push(table),
            Err(found) => {
                errors::show_policy_errors(&sources, &found);
                return Ok(Ending::Failed);
            }
        }
    }
    match (format, shown.as_slice()) {
        (TableFormat::Text, tables) => {
            for table in tables {
                writeln!(out, "{}: {}", table.name, table.title)?;
                write!(out, "{}", table.table())?;
            }
        }
        (TableFormat::Json, [one]) => {
            serde_json::to_writer_pretty(&mut *out, one)?;
            writeln!(out)?;
        }
        (TableFormat::Json, tables) => {
            serde_json::to_writer_pretty(&mut *out, tables)?;
            writeln!(out)?;
        }
    }
    Ok(Ending::Clean)
}

pub(crate) fn format(arguments: &Fmt, out: &mut dyn Write) -> io::Result<Ending> {
    let mut is_failed = false;
    let mut is_changed = false;
    for path in policy_files(&arguments.paths, &mut is_failed) {
        let is_standard_input = path == Path::new("-");
        let mut bytes = Vec::new();
        let read = if is_standard_input {
            io::stdin().lock().read_to_end(&mut bytes).map(|_| ())
        } else {
            std::fs::read(&path).map(|read| bytes = read)
        };
        if let Err(error) = read {
            complain(&format!("{} cannot be read: {error}", path.display()));
            is_failed = true;
            continue;
        }
        let mut sources = SourceMap::new();
        let file = sources.add(SourceFile::from_bytes(path.display().to_string(), bytes));
        match formatted(&sources, file) {
            Err(found) => {
                errors::show_policy_errors(&sources, &found);
                is_failed = true;
            }
            Ok(text) if arguments.check => {
                if text != sources.file(file).text() {
                    writeln!(out, "{} is not in canonical form", path.display())?;
                    is_changed = true;
                }
            }
            Ok(text) if is_standard_input => out.write_all(text.as_bytes())?,
            Ok(text) => {
                if text != sources.file(file).text() {
                    output::write_file(&path, |out| out.write_all(text.as_bytes()))?;
                    writeln!(out, "{} formatted", path.display())?;
                }
            }
        }
    }
    Ok(match (is_failed, is_changed) {
        (true, _) => Ending::Failed,
        (false, true) => Ending::Found,
        (false, false) => Ending::Clean,
    })
}

/// The canonical text. A file with bytes that are not text is refused: formatting would lose them.
fn formatted(sources: &SourceMap, file: FileId) -> Result<String, Vec<PolicyError>> {
    policy::format(sources.source(file))
}

/// The files to format: those named, and those that end in `.ports` below the folders named.
fn policy_files(paths: &[PathBuf], is_failed: &mut bool) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for path in paths {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let discovery = portcullis::discover::discover(std::slice::from_ref(path));
        for error in &discovery.errors {
            complain(&error.to_string());
            *is_failed = true;
        }
        let is_policy = |path: &Path| path.extension().is_some_and(|extension| extension == "ports");
        files.extend(
            discovery
                .inputs
                .into_iter()
                .map(|input| input.path)
                .filter(|path| is_policy(path)),
        );
    }
    files
}
