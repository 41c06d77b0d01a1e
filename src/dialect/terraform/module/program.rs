//! The files of a unit to its modules, and what the root is given.
//!
//! Terraform, "Module Sources", "Assigning Values to Root Module Variables". INVARIANT: of several values of a variable the last in
//! Terraform's order is taken: `terraform.tfvars`, `*.auto.tfvars` by name, then files and values of arguments.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::folder::{Folder, ModuleCall, is_override};
use super::input::literal_source;
use crate::dialect::Given;
use crate::dialect::include::normal;
use crate::dialect::terraform::syntax;
use crate::dialect::terraform::syntax::ast::Expr;
use crate::dialect::terraform::syntax::hcl::{self, SyntaxMistake};
use crate::finding::{Code, Finding, Label};
use crate::source::{Source, Span, Spanned};
use crate::tree::{Node, Tree};

/// How deep modules may call modules.
pub(in super::super) const MAX_NESTING: usize = 24;

/// What the root is given for a variable.
#[derive(Debug)]
pub(in super::super) enum Assignment {
    Expression(Arc<Expr>),
    /// `-var name=text`.
    Text {
        text: String,
        span: Span,
        expr: Option<Arc<Expr>>,
    },
}

/// A root module with all that it calls.
#[derive(Debug, Default)]
pub(in super::super) struct Program<'a> {
    pub(in super::super) folders: Vec<Folder>,
    by_path: BTreeMap<String, usize>,
    /// The root's folder.
    pub(in super::super) root: String,
    /// All files, for functions that read them.
    pub(in super::super) texts: BTreeMap<String, Source<'a>>,
    /// Folders of modules that were installed, by the names of the calls.
    installed: BTreeMap<String, String>,
    pub(in super::super) assignments: BTreeMap<Arc<str>, Assignment>,
    /// The name of the workspace, if it is given.
    pub(in super::super) workspace: Option<Spanned<String>>,
}

/// The folder of a file's name.
pub(in super::super) fn folder_of(name: &str) -> &str {
    name.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// Whether a file declares things.
pub(in super::super) fn is_configuration(name: &str) -> bool {
    [".tf", ".tofu", ".tf.json", ".tofu.json"]
        .iter()
        .any(|end| name.ends_with(end))
}

impl<'a> Program<'a> {
    /// Reads the files of a unit. What is no HCL is said, and what it would have declared is not known.
    pub(in super::super) fn read(
        unit: &[Source<'a>],
        root: &str,
        given: &Given,
        notices: &mut Vec<Finding>,
    ) -> Self {
        let mut program = Self {
            root: root.to_owned(),
            workspace: given.workspace.clone(),
            ..Self::default()
        };
        let mut by_folder: BTreeMap<&str, Vec<Source<'a>>> = BTreeMap::new();
        for source in unit {
            program.texts.insert(normal(source.name), *source);
            if is_configuration(source.name) && !is_replaced(source.name, unit) {
                by_folder.entry(folder_of(source.name)).or_default().push(*source);
            }
        }
        for (folder, mut files) in by_folder {
            files.sort_unstable_by_key(|source| source.name);
            let mut bodies = Vec::new();
            for source in files {
                match syntax::body(source) {
                    Ok(body) => bodies.push((is_override(source.name), body)),
                    Err(mistake) => notices.push(unread(&mistake)),
                }
            }
            let path = normal(folder);
            program.by_path.insert(path.clone(), program.folders.len());
            program.folders.push(Folder::new(&path, bodies));
        }
        program.read_installed(unit);
        program.read_values(unit, notices);
        program.take(unit, given, notices);
        program
    }

    /// The root's folder among the folders.
    pub(in super::super) fn root_folder(&self) -> Option<usize> {
        self.by_path.get(&self.root).copied()
    }

    /// A folder's path from the root, as `path.module` has it.
    pub(in super::super) fn relative_to_root(&self, path: &str) -> String {
        if path == self.root {
            return ".".to_owned();
        }
        let inside = if self.root.is_empty() {
            Some(path)
        } else {
            path.strip_prefix(self.root.as_str())
                .and_then(|rest| rest.strip_prefix('/'))
        };
        match inside {
            Some(inside) => inside.to_owned(),
            None => relative(&self.root, path),
        }
    }

    /// The folder that a call means.
    pub(in super::super) fn source(&self, from: &Folder, call: &ModuleCall, key: &str) -> Option<usize> {
        let source = literal_source(&call.body.attribute("source")?.value)?;
        let path = match local(&from.path, source) {
            Some(path) => path,
            None => self.installed.get(key)?.clone(),
        };
        self.by_path.get(&path).copied()
    }

    /// A file by a path from where Terraform runs, which is the root's folder.
    pub(in super::super) fn file(&self, path: &str) -> Option<Source<'a>> {
        self.texts.get(&beside(&self.root, path)).copied()
    }

    fn read_installed(&mut self, unit: &[Source<'a>]) {
        let manifest = unit
            .iter()
            .find(|source| source.name.ends_with(".terraform/modules/modules.json"));
        if let Some(manifest) = manifest {
            self.installed = installed(*manifest).into_iter().collect();
        }
    }

    fn read_values(&mut self, unit: &[Source<'a>], notices: &mut Vec<Finding>) {
        let mut files: Vec<Source<'a>> = unit
            .iter()
            .filter(|source| normal(folder_of(source.name)) == self.root)
            .filter(|source| is_loaded(source.name))
            .copied()
            .collect();
        let rank = |source: &Source<'_>| {
            let file = source.name.rsplit('/').next().unwrap_or("").to_owned();
            (!file.starts_with("terraform.tfvars"), file)
        };
        files.sort_by_key(rank);
        for source in files {
            self.assign(source, notices);
        }
    }

    /// Takes what is given besides: files, then values.
    fn take(&mut self, unit: &[Source<'a>], given: &Given, notices: &mut Vec<Finding>) {
        for file in &given.variable_files {
            let path = beside(&self.root, &file.value);
            // Not every root has each of them.
            if let Some(source) = unit.iter().find(|source| normal(source.name) == path) {
                self.assign(*source, notices);
            }
        }
        for variable in &given.variables {
            let (text, span) = (variable.value.value.clone(), variable.value.span);
            let assignment = Assignment::Text {
                expr: hcl::expression_at(&text, span).ok().map(Arc::new),
                text,
                span,
            };
            self.assignments
                .insert(variable.name.value.as_str().into(), assignment);
        }
    }

    /// Takes the values of a file.
    pub(in super::super) fn assign(&mut self, source: Source<'a>, notices: &mut Vec<Finding>) {
        match syntax::body(source) {
            Ok(body) => {
                for attribute in body.attributes {
                    let value = Assignment::Expression(attribute.value);
                    self.assignments.insert(attribute.name, value);
                }
            }
            Err(mistake) => notices.push(unread(&mistake)),
        }
    }
}

/// A path from the folder of a root.
pub(in super::super) fn beside(root: &str, path: &str) -> String {
    if path.starts_with('/') || root.is_empty() {
        normal(path)
    } else {
        normal(&format!("{root}/{path}"))
    }
}

/// Whether Terraform loads a file of values by itself.
pub(in super::super) fn is_loaded(name: &str) -> bool {
    let file = name.rsplit('/').next().unwrap_or(name);
    matches!(file, "terraform.tfvars" | "terraform.tfvars.json")
        || file.ends_with(".auto.tfvars")
        || file.ends_with(".auto.tfvars.json")
}

/// Whether `OpenTofu` has a file of its own in the place of this one.
fn is_replaced(name: &str, unit: &[Source<'_>]) -> bool {
    let own = match (name.strip_suffix(".tf"), name.strip_suffix(".tf.json")) {
        (Some(stem), _) => format!("{stem}.tofu"),
        (_, Some(stem)) => format!("{stem}.tofu.json"),
        _ => return false,
    };
    unit.iter().any(|source| source.name == own)
}

/// What could not be read.
fn unread(mistake: &SyntaxMistake) -> Finding {
    let label = Label::new(mistake.span, "cannot be read from here on");
    Finding::new(Code::UnreadText, mistake.message.as_str(), Some(label))
        .help("correct the file: nothing in it was checked")
}

/// The folder of a local source: one that begins with `./` or `../`.
pub(in super::super) fn local(from: &str, source: &str) -> Option<String> {
    let is_local = matches!(source, "." | "..") || source.starts_with("./") || source.starts_with("../");
    if !is_local {
        return None;
    }
    Some(if from.is_empty() {
        normal(source)
    } else {
        normal(&format!("{from}/{source}"))
    })
}

/// The folders that `modules.json` names, by the names of the calls.
pub(in super::super) fn installed(manifest: Source<'_>) -> Vec<(String, String)> {
    let Some(root) = manifest.name.strip_suffix(".terraform/modules/modules.json") else {
        return Vec::new();
    };
    let tree = Tree::json(manifest);
    let modules = tree.documents().filter_map(|root| root.get("Modules"));
    let module = |module: Node<'_>| {
        let (key, folder) = (module.get("Key")?.as_str()?, module.get("Dir")?.as_str()?);
        (!key.is_empty()).then(|| (key.to_owned(), normal(&format!("{root}{folder}"))))
    };
    modules
        .flat_map(|modules| modules.items())
        .filter_map(module)
        .collect()
}

/// The way from one folder to another.
fn relative(from: &str, to: &str) -> String {
    let (from, to): (Vec<&str>, Vec<&str>) = (from.split('/').collect(), to.split('/').collect());
    let n_common = from
        .iter()
        .zip(&to)
        .take_while(|(one, other)| one == other)
        .count();
    let up = from
        .iter()
        .skip(n_common)
        .filter(|part| !part.is_empty())
        .map(|_| "..");
    let down = to.iter().skip(n_common).copied();
    up.chain(down).collect::<Vec<_>>().join("/")
}
