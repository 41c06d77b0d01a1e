//! Which files are Terraform's, which belong together, and which they name.
//!
//! Terraform, "Files and Configuration Structure". INVARIANT: a file is a part of its own folder's module; a folder that another
//! calls is a part of that one's unit too.

use super::module::{folder_of, installed, is_configuration, local_source};
use super::syntax::ast::{Body, Call, Expr, ExprKind, Part, Step};
use crate::dialect::include::normal;
use crate::dialect::{Claim, Tree, beginning};
use crate::source::Source;

/// The files of a root module.
const PARTS: &[&str] = &[
    "*.tf",
    "*.tofu",
    "*.tf.json",
    "*.tofu.json",
    "terraform.tfvars",
    "terraform.tfvars.json",
    "*.auto.tfvars",
    "*.auto.tfvars.json",
    ".terraform/modules/modules.json",
];

/// The files of a module that is called.
pub(super) const MODULE: &[&str] = &["*.tf", "*.tofu", "*.tf.json", "*.tofu.json"];

/// Words that begin blocks at the top of a file.
const BLOCKS: &[&str] = &[
    "check",
    "data",
    "ephemeral",
    "import",
    "locals",
    "module",
    "moved",
    "output",
    "provider",
    "removed",
    "resource",
    "terraform",
    "variable",
];

/// Functions whose first argument is a file.
const READERS: &[&str] = &[
    "file",
    "filebase64",
    "filebase64sha256",
    "filebase64sha512",
    "fileexists",
    "filemd5",
    "filesha1",
    "filesha256",
    "filesha512",
    "templatefile",
];

pub(super) fn claim(source: Source<'_>) -> Claim {
    let named = is_configuration(source.name) || is_values(source.name);
    if is_installed(source.name) {
        return Claim::Name;
    }
    if super::plan::is_plan(source) {
        return Claim::Content;
    }
    let is_json = super::syntax::is_json(source.name);
    let begins_block = |line: &str| {
        let mut words = line.split_whitespace();
        let is_block = words.next().is_some_and(|word| BLOCKS.contains(&word));
        is_block
            && words
                .next()
                .is_some_and(|word| word.starts_with('"') || word.starts_with('{'))
    };
    let has_blocks = !is_json && beginning(source.text, 1 << 16).lines().any(begins_block);
    match (named, has_blocks) {
        (true, true) => Claim::Content,
        (true, false) => Claim::Name,
        // Text without a name has nothing else to say what it is.
        (false, true) if !source.name.contains('.') || source.name.starts_with('<') => Claim::Content,
        _ => Claim::No,
    }
}

pub(super) fn is_values(name: &str) -> bool {
    name.ends_with(".tfvars") || name.ends_with(".tfvars.json")
}

fn is_installed(name: &str) -> bool {
    name.ends_with(".terraform/modules/modules.json")
}

pub(super) fn tree(source: Source<'_>) -> Option<Tree> {
    let folder = if is_installed(source.name) {
        source.name.strip_suffix(".terraform/modules/modules.json")?
    } else if is_configuration(source.name) || is_values(source.name) || super::plan::is_plan(source) {
        folder_of(source.name)
    } else {
        return None;
    };
    Some(Tree {
        root: folder.trim_end_matches('/').to_owned(),
        parts: PARTS,
    })
}

/// The files of the modules that a file calls, and those that its functions read.
pub(super) fn includes(source: Source<'_>) -> Vec<Vec<String>> {
    let mut patterns = Vec::new();
    let mut add_folder = |folder: &str| {
        let inside = |part: &&str| {
            if folder.is_empty() {
                vec![(*part).to_owned()]
            } else {
                vec![format!("{folder}/{part}")]
            }
        };
        patterns.extend(MODULE.iter().map(inside));
    };
    if is_installed(source.name) {
        for (_, folder) in installed(source) {
            add_folder(&folder);
        }
        return patterns;
    }
    let names_files = ["module", "file(", "templatefile("];
    if !is_configuration(source.name) || !names_files.iter().any(|word| source.text.contains(word)) {
        return patterns;
    }
    let Ok(body) = super::syntax::body(source) else {
        return patterns;
    };
    let folder = folder_of(source.name);
    for block in body.blocks("module") {
        let called = block
            .body
            .attribute("source")
            .and_then(|source| source.value.literal());
        if let Some(called) = called.and_then(|called| local_source(folder, called)) {
            add_folder(&called);
        }
    }
    let mut files = Files {
        folder,
        found: Vec::new(),
    };
    files.body(&body);
    patterns.extend(files.found.into_iter().map(|file| vec![file]));
    patterns
}

/// The files that expressions read, where their paths are written out from the module's folder.
struct Files<'f> {
    folder: &'f str,
    found: Vec<String>,
}

impl Files<'_> {
    fn body(&mut self, body: &Body) {
        for attribute in &body.attributes {
            self.expr(&attribute.value);
        }
        for block in &body.blocks {
            self.body(&block.body);
        }
    }

    fn call(&mut self, call: &Call) {
        if READERS.contains(&&*call.name)
            && let Some(path) = call.arguments.first().and_then(written_path)
        {
            let path = if self.folder.is_empty() {
                normal(&path)
            } else {
                normal(&format!("{}/{path}", self.folder))
            };
            if !path.contains(['*', '?', '[']) {
                self.found.push(path);
            }
        }
        for argument in &call.arguments {
            self.expr(argument);
        }
    }

    fn parts(&mut self, parts: &[Part]) {
        for part in parts {
            match part {
                Part::Literal(_) => {}
                Part::Interpolation(expr) => self.expr(expr),
                Part::If { condition, yes, no } => {
                    self.expr(condition);
                    self.parts(yes);
                    self.parts(no);
                }
                Part::For { collection, body, .. } => {
                    self.expr(collection);
                    self.parts(body);
                }
            }
        }
    }

    fn expr(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::Null
            | ExprKind::Bool(_)
            | ExprKind::Number(_)
            | ExprKind::String(_)
            | ExprKind::Variable(_) => {}
            ExprKind::Template(parts) => self.parts(parts),
            ExprKind::Tuple(items) => items.iter().for_each(|item| self.expr(item)),
            ExprKind::Object(entries) => entries.iter().for_each(|(key, value)| {
                self.expr(key);
                self.expr(value);
            }),
            ExprKind::Attribute(inner, _) | ExprKind::Not(inner) | ExprKind::Negative(inner) => {
                self.expr(inner);
            }
            ExprKind::Index(inner, key) => {
                self.expr(inner);
                self.expr(key);
            }
            ExprKind::Splat(inner, steps) => {
                self.expr(inner);
                for step in steps {
                    if let Step::Index(key) = step {
                        self.expr(key);
                    }
                }
            }
            ExprKind::Conditional(parts) => parts.iter().for_each(|part| self.expr(part)),
            ExprKind::Call(call) => self.call(call),
            ExprKind::Binary(sides) => {
                self.expr(&sides.0);
                self.expr(&sides.2);
            }
            ExprKind::For(one) => {
                self.expr(&one.collection);
                self.expr(&one.value);
                for part in one.key.iter().chain(&one.condition) {
                    self.expr(part);
                }
            }
        }
    }
}

/// `"x.json"`, `"${path.module}/x.json"`.
fn written_path(expr: &Expr) -> Option<String> {
    match &expr.kind {
        ExprKind::String(text) if !text.starts_with('/') => Some(text.to_string()),
        ExprKind::Template(parts) => match parts.as_slice() {
            [Part::Interpolation(root), Part::Literal(rest)] if is_path(root) => {
                Some(rest.trim_start_matches('/').to_owned())
            }
            _ => None,
        },
        _ => None,
    }
}

fn is_path(expr: &Expr) -> bool {
    let ExprKind::Attribute(root, name) = &expr.kind else {
        return false;
    };
    matches!(&root.kind, ExprKind::Variable(path) if &**path == "path")
        && matches!(&**name, "module" | "root")
}
