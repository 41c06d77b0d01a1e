//! Functions of files and paths, within the unit.
//!
//! Terraform, "Filesystem Functions". INVARIANT: only files that belong to the unit are read; of others nothing is known.

use std::sync::Arc;

use super::Function;
use super::arguments::Arguments;
use crate::dialect::include::{normal, part_matches};
use crate::dialect::terraform::value::{Item, ListKind, Outcome, Reason, Stop, Value, Why, as_set, fault};
use crate::source::Span;

pub(super) const TABLE: &[(&str, Function)] = &[
    ("abspath", |call| {
        let path = call.text(0)?;
        if path.starts_with('/') {
            return call.changed(normal(&path));
        }
        Err(Stop::Unknown(Why::new(
            call.span,
            Reason::Function,
            "where Terraform is run is not known",
        )))
    }),
    ("basename", |call| {
        let path = call.text(0)?;
        let name = path
            .trim_end_matches('/')
            .rsplit('/')
            .next()
            .unwrap_or("")
            .to_owned();
        call.changed(match (name.as_str(), path.is_empty()) {
            ("", true) => ".".to_owned(),
            ("", false) => "/".to_owned(),
            _ => name,
        })
    }),
    ("dirname", |call| {
        let path = call.text(0)?;
        let folder = match path.rsplit_once('/') {
            Some(("", _)) => "/".to_owned(),
            Some((folder, _)) => normal(folder),
            None => ".".to_owned(),
        };
        call.changed(folder)
    }),
    ("file", |call| {
        let source = source(call)?;
        let end = u32::try_from(source.text.len()).unwrap_or(u32::MAX);
        let span = Span::new(source.file, 0, end);
        let origin = crate::dialect::terraform::value::Origin::new(span).through(call.span);
        Ok(Value::text(source.text, &origin))
    }),
    ("filebase64", |call| {
        Ok(call.string(super::encoding::encode(text(call)?.as_bytes())))
    }),
    ("fileexists", |call| match source(call) {
        Ok(_) => Ok(call.bool(true)),
        Err(stop) => Err(stop),
    }),
    ("fileset", |call| {
        let (folder, pattern) = (call.text(0)?, call.text(1)?);
        let program = call.evaluator.program;
        let root = normal(&format!("{}/{folder}", program.root));
        let root = root.trim_start_matches('/').to_owned();
        let inside = |path: &str| -> Option<String> {
            let rest = if root.is_empty() {
                path
            } else {
                path.strip_prefix(root.as_str())?.strip_prefix('/')?
            };
            glob(&pattern, rest).then(|| rest.to_owned())
        };
        let found = program.texts.keys().filter_map(|path| inside(path));
        let items: Vec<Item> = found.map(|path| Item::sure(call.string(path))).collect();
        if items.is_empty() {
            return Err(Stop::Unknown(Why::new(
                call.span,
                Reason::Function,
                format!("which files `{pattern}` matches is not known"),
            )));
        }
        Ok(call.list_of(ListKind::Set, as_set(items)))
    }),
    ("pathexpand", |call| {
        let path = call.text(0)?;
        if path.starts_with('~') {
            return Err(Stop::Unknown(Why::new(
                call.span,
                Reason::Function,
                "the home folder is not known",
            )));
        }
        call.changed(path)
    }),
];

/// Whether a path matches a pattern in which `**` stands for any folders.
fn glob(pattern: &str, path: &str) -> bool {
    fn parts(patterns: &[&str], names: &[&str]) -> bool {
        match patterns.split_first() {
            None => names.is_empty(),
            Some((&"**", rest)) => {
                (0..=names.len()).any(|at| parts(rest, names.get(at..).unwrap_or_default()))
            }
            Some((first, rest)) => names
                .split_first()
                .is_some_and(|(name, names)| part_matches(first, name) && parts(rest, names)),
        }
    }
    let patterns: Vec<&str> = pattern.split('/').collect();
    let names: Vec<&str> = path.split('/').collect();
    patterns.len() <= 16 && names.len() <= 32 && parts(&patterns, &names)
}

/// The file that the first argument names.
fn source<'w>(call: &Arguments<'_, 'w>) -> Outcome<crate::source::Source<'w>> {
    let path = call.text(0)?;
    match call.evaluator.program.file(&path) {
        Some(source) => Ok(source),
        None if path.is_empty() => fault("the path is empty"),
        None => Err(Stop::Unknown(Why::new(
            call.span,
            Reason::Function,
            format!("the file `{path}` is not here"),
        ))),
    }
}

/// The text of the file that the first argument names.
pub(super) fn text(call: &Arguments<'_, '_>) -> Outcome<Arc<str>> {
    Ok(source(call)?.text.into())
}
