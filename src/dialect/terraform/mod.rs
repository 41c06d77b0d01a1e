//! Terraform and `OpenTofu`: a root module with all that it calls.
//!
//! Files become trees (`syntax`), folders of them modules (`module`), whose expressions are evaluated as Terraform does (`eval`,
//! `function`, `value`); resources become groups and members (`resource`). INVARIANT: reading never fails; what cannot be known is an
//! unknown value with its place and its reason.

mod claim;
mod console;
mod eval;
mod function;
mod module;
mod plan;
mod read;
mod resource;
mod syntax;
mod value;

pub use console::console;

use super::{Claim, Construct, Dialect, Given, Reading, Support, Tree};
use crate::source::Source;

/// The dialect.
#[derive(Debug)]
pub struct Terraform;

impl Dialect for Terraform {
    fn name(&self) -> &'static str {
        "terraform"
    }

    fn summary(&self) -> &'static str {
        "Terraform and OpenTofu: a root module with its values and the modules that it calls"
    }

    fn claims(&self, source: Source<'_>) -> Claim {
        claim::claim(source)
    }

    fn tree(&self, source: Source<'_>) -> Option<Tree> {
        claim::tree(source)
    }

    fn is_beside(&self, source: Source<'_>) -> bool {
        claim::is_values(source.name)
    }

    fn includes(&self, source: Source<'_>) -> Vec<Vec<String>> {
        claim::includes(source)
    }

    fn owners(&self) -> &'static [&'static str] {
        claim::MODULE
    }

    fn read(&self, unit: &[Source<'_>]) -> Reading {
        self.read_given(unit, &Given::default())
    }

    fn read_given(&self, unit: &[Source<'_>], given: &Given) -> Reading {
        read::read(unit, given)
    }

    fn given_files(&self, root: &str, given: &Given) -> Vec<String> {
        let files = given.variable_files.iter();
        files.map(|file| module::beside(root, &file.value)).collect()
    }

    fn makes_hosts(&self) -> bool {
        false
    }

    fn constructs(&self) -> Vec<Construct> {
        let construct = |name: String, support| Construct { name, support };
        let resources = resource::kinds().map(|kind| construct(kind.to_owned(), Support::Exact));
        let functions = function::names().map(|name| construct(format!("{name}()"), Support::Exact));
        let unknown = function::names_not_modelled();
        let unknown = unknown.map(|name| construct(format!("{name}()"), Support::UnknownProperty));
        let mut all: Vec<Construct> = resources.chain(functions).chain(unknown).collect();
        all.sort_by(|one, other| one.name.cmp(&other.name));
        all
    }
}
