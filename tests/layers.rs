//! The layers of the crate: which module may name which. INVARIANT: every folder and file directly in `src/` has a
//! row here, and every path that leaves its module is one of the row's.
#![cfg(test)]

#[path = "support/file.rs"]
mod file;
#[path = "support/listing.rs"]
mod listing;
#[path = "support/rust_text.rs"]
mod rust_text;

use rust_text::code_only;

/// A layer and the layers that it may name.
const MAY_USE: &[(&str, &[&str])] = &[
    ("packet", &[]),
    ("source", &[]),
    ("finding", &["source"]),
    ("model", &["packet", "source"]),
    // Trees of YAML and JSON with the bytes of every key and value.
    ("tree", &["source"]),
    // What the rules of clouds mean, in whichever file they are written.
    ("cloud", &["finding", "model", "packet", "source"]),
    (
        "dialect",
        &["cloud", "finding", "model", "packet", "source", "tree"],
    ),
    ("policy", &["packet", "source"]),
    ("derive", &["packet", "policy", "source"]),
    ("site", &["finding", "packet", "policy", "source"]),
    (
        "evaluate",
        &["finding", "model", "packet", "policy", "site", "source"],
    ),
    ("connections", &["dialect", "packet"]),
    ("trace", &["evaluate", "model", "packet", "source"]),
    ("report", &["finding", "source"]),
    ("discover", &["source"]),
    (
        "check",
        &[
            "baseline", "dialect", "discover", "evaluate", "finding", "model", "packet", "policy", "site",
            "source", "suppress",
        ],
    ),
    // A first site file for a folder.
    (
        "init",
        &["check", "discover", "packet", "policy", "site", "source"],
    ),
    // Findings that a list of known ones takes back.
    ("baseline", &["finding", "packet", "source", "tree"]),
    // Findings that comments take back.
    ("suppress", &["finding", "policy", "source", "tree"]),
    // What a change of configs opens, closes, breaks and mends.
    (
        "diff",
        &["baseline", "check", "evaluate", "finding", "report", "source"],
    ),
    // The files of another revision of a git repository.
    ("revision", &["baseline", "check"]),
    (
        "suite",
        &[
            "check", "discover", "finding", "packet", "policy", "report", "site", "source",
        ],
    ),
];

/// Names of the crate's root that any layer may use.
const ROOT_ITEMS: &[&str] = &[];

/// The layer that a file of `src/` is in; `None` for the root and the binary, which may use everything.
fn layer_of(path: &str) -> Option<&str> {
    let inside = path.strip_prefix("src/")?;
    let first = inside.split('/').next()?;
    let name = first.strip_suffix(".rs").unwrap_or(first);
    (!["lib", "main", "bin"].contains(&name)).then_some(name)
}

/// How many modules below its layer's root a file's code is: `src/a.rs` and `src/a/mod.rs` 0, `src/a/b.rs` 1.
fn depth_of(path: &str) -> usize {
    let slashes = path.matches('/').count() - 1;
    if path.ends_with("/mod.rs") {
        slashes - 1
    } else {
        slashes
    }
}

/// The names directly under the crate's root that a file's code names, with their lines.
fn named(path: &str, source: &str) -> Vec<(usize, String)> {
    let code = code_only(source);
    let mut found = Vec::new();
    for (at, word) in words(&code) {
        let line = code[..at].matches('\n').count() + 1;
        let rest = &code[at + word.len()..];
        match word {
            "crate" => found.extend(first_names(rest).into_iter().map(|name| (line, name))),
            "super" if !before(&code, at).ends_with("::") => {
                found.extend(
                    outside(rest, nesting(&code, at) + depth_of(path))
                        .into_iter()
                        .map(|name| (line, name)),
                );
            }
            _ => {}
        }
    }
    found
}

/// The names that a chain of `super::` leads to if it leaves the layer, whose code lies `depth` modules deep.
fn outside(rest: &str, depth: usize) -> Vec<String> {
    let mut n_up = 1;
    let mut rest = rest.trim_start();
    while let Some(after) = rest
        .strip_prefix("::")
        .and_then(|rest| rest.trim_start().strip_prefix("super"))
    {
        n_up += 1;
        rest = after.trim_start();
    }
    if n_up > depth {
        first_names(rest)
    } else {
        Vec::new()
    }
}

/// The first names behind a `::`, or in the braces behind it; a glob is `*`, nothing at all is `self`.
fn first_names(rest: &str) -> Vec<String> {
    let Some(rest) = rest.trim_start().strip_prefix("::") else {
        return Vec::new();
    };
    let rest = rest.trim_start();
    let Some(inside) = rest.strip_prefix('{') else {
        return vec![first_word(rest)];
    };
    let mut names = Vec::new();
    let mut depth = 0usize;
    let mut is_start = true;
    for (at, c) in inside.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => is_start = true,
            c if is_start && !c.is_whitespace() => {
                names.push(first_word(&inside[at..]));
                is_start = false;
            }
            _ => {}
        }
    }
    names
}

fn first_word(text: &str) -> String {
    let end = text
        .find(|c: char| !c.is_alphanumeric() && c != '_')
        .unwrap_or(text.len());
    if end == 0 {
        text.chars().take(1).collect()
    } else {
        text[..end].to_owned()
    }
}

/// How many `mod x { … }` of its file an offset is inside.
fn nesting(code: &str, at: usize) -> usize {
    let mut open = Vec::new();
    for (brace, c) in code[..at].char_indices().filter(|(_, c)| "{}".contains(*c)) {
        if c == '}' {
            open.pop();
        } else {
            let head = before(code, brace);
            let words: Vec<&str> = head
                .rsplit(['{', '}', ';'])
                .next()
                .unwrap_or("")
                .split_whitespace()
                .collect();
            open.push(words.len() >= 2 && words[words.len() - 2] == "mod");
        }
    }
    open.into_iter().filter(|is_module| *is_module).count()
}

fn before(code: &str, at: usize) -> &str {
    code[..at].trim_end()
}

/// The words of code and where they begin.
fn words(code: &str) -> impl Iterator<Item = (usize, &str)> {
    code.split(|c: char| !c.is_alphanumeric() && c != '_')
        .filter(|word| !word.is_empty())
        .map(|word| (word.as_ptr() as usize - code.as_ptr() as usize, word))
}

/// The edges of a file that its layer's row does not have.
fn forbidden(path: &str, source: &str) -> Vec<String> {
    let Some(layer) = layer_of(path) else {
        return Vec::new();
    };
    let Some((_, row)) = MAY_USE.iter().find(|(name, _)| *name == layer) else {
        return vec![format!("{path}: `{layer}` has no row in the table of layers")];
    };
    named(path, source)
        .into_iter()
        .filter(|(_, name)| {
            name != layer && !row.contains(&name.as_str()) && !ROOT_ITEMS.contains(&name.as_str())
        })
        .map(|(line, name)| format!("{path}:{line}: `{layer}` may not use `{name}`"))
        .collect()
}

#[test]
fn no_layer_uses_what_lies_above_it() {
    let wrong: Vec<String> = listing::below("src", "rs")
        .iter()
        .flat_map(|path| forbidden(path, &file::text(path)))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_table_has_no_cycles_and_each_layer_once() {
    for (at, (layer, row)) in MAY_USE.iter().enumerate() {
        for used in *row {
            let place = MAY_USE.iter().position(|(name, _)| name == used);
            assert!(
                place.is_some_and(|place| place < at || layer == &"check"),
                "`{layer}` uses `{used}`"
            );
        }
        assert_eq!(
            MAY_USE.iter().filter(|(name, _)| name == layer).count(),
            1,
            "`{layer}`"
        );
    }
}

#[test]
fn threads_and_arguments_have_their_places() {
    let places: &[(&str, &[&str])] = &[
        ("clap", &["src/bin/"]),
        (
            "rayon",
            &["src/bin/", "src/check.rs", "src/check/", "src/evaluate/excess.rs"],
        ),
    ];
    for path in listing::below("src", "rs") {
        let code = code_only(&file::text(&path));
        for (name, allowed) in places {
            let is_named = words(&code).any(|(_, word)| word == *name);
            let is_allowed = allowed.iter().any(|place| path.starts_with(place));
            assert!(!is_named || is_allowed, "{path} names {name}");
        }
    }
}

/// The names that a file names and may not.
fn offences(path: &str, source: &str) -> Vec<String> {
    forbidden(path, source)
        .iter()
        .map(|text| text.rsplit('`').nth(1).unwrap().to_owned())
        .collect()
}

#[test]
fn every_way_to_name_a_layer_is_seen() {
    for (source, expected) in [
        ("use crate::policy::Row;", &["policy"][..]),
        (
            "use crate::{packet::{Field, policy}, policy, source::Span};",
            &["policy"],
        ),
        ("fn f() -> crate :: site::Site {}", &["site"]),
        ("pub(in crate::dialect) fn f() {}", &["dialect"]),
        ("use crate::*;", &["*"]),
        ("use super::policy::Row;", &["policy"]),
        (
            "mod tests { use super::super::{policy, source}; use super::policy; }",
            &["policy"],
        ),
        ("// crate::policy\nconst X: &str = \"crate::policy\";", &[]),
        ("use crate::model::Rule; pub(crate) struct X;", &[]),
    ] {
        assert_eq!(offences("src/model/mod.rs", source), expected, "{source}");
    }
    assert_eq!(
        offences("src/model/a/b.rs", "use super::super::super::policy;"),
        ["policy"]
    );
    assert!(offences("src/model/a/b.rs", "use super::super::policy; use super::x;").is_empty());
    assert!(offences("src/model/a.rs", "use super::policy;").is_empty());
    assert!(offences("src/lib.rs", "use crate::check;").is_empty());
    assert!(offences("src/bin/portcullis/main.rs", "use portcullis::check;").is_empty());
    assert!(forbidden("src/utils.rs", "")[0].contains("no row"));
}
