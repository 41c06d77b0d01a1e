//! The sections of a template: parameters, mappings, conditions and resources, not yet evaluated.
//!
//! INVARIANT: what a template does to itself when it is deployed (macros, loops, included parts) is listed in
//! [`Template::rewrites`], since it may add or change anything.

use std::collections::BTreeMap;

use super::intrinsic::Language;
use super::names::{is_harmless_transform, is_loop};
use super::value::{inner_span, scalar};
use crate::cloud::Doubt;
use crate::dialect::Given;
use crate::source::{Span, Spanned};
use crate::tree::{Entry, Node};

/// One template.
pub(in crate::dialect) struct Template<'t> {
    /// What its keys and groups are told apart by from those of others.
    pub(in crate::dialect) unit: &'t str,
    pub(in crate::dialect) language: Language,
    pub(in crate::dialect) parameters: BTreeMap<&'t str, Parameter<'t>>,
    pub(in crate::dialect) mappings: Option<Node<'t>>,
    pub(in crate::dialect) conditions: BTreeMap<&'t str, Node<'t>>,
    pub(in crate::dialect) resources: Vec<Resource<'t>>,
    by_id: BTreeMap<&'t str, usize>,
    /// What changes the template when it is deployed.
    pub(in crate::dialect) rewrites: Vec<Rewrite>,
    /// Values of parameters from outside.
    pub(in crate::dialect) given: &'t Given,
}

/// A parameter as it is declared.
#[derive(Debug, Clone, Copy)]
pub(in crate::dialect) struct Parameter<'t> {
    /// Its type.
    pub(in crate::dialect) kind: &'t str,
    /// What it is if nothing is given for it.
    pub(in crate::dialect) default: Option<Node<'t>>,
}

/// Something that makes resources when the template is deployed.
#[derive(Debug, Clone)]
pub(in crate::dialect) struct Rewrite {
    pub(in crate::dialect) name: Spanned<String>,
    /// Whether it sees the whole template, and may change what is written there.
    pub(in crate::dialect) changes: bool,
}

/// One resource.
#[derive(Debug, Clone, Copy)]
pub(in crate::dialect) struct Resource<'t> {
    /// Its logical id.
    pub(in crate::dialect) id: &'t str,
    pub(in crate::dialect) id_span: Span,
    /// `AWS::EC2::SecurityGroup`.
    pub(in crate::dialect) kind: &'t str,
    pub(in crate::dialect) properties: Option<Node<'t>>,
    /// The condition on which it is there.
    pub(in crate::dialect) condition: Option<Node<'t>>,
}

/// The entries of a section that have a name.
fn named<'t>(root: Node<'t>, section: &str) -> impl Iterator<Item = Entry<'t>> {
    let section = root.get(section).into_iter();
    let entries = section.flat_map(|section| section.entries());
    entries.filter(|entry| !entry.name().is_empty())
}

impl<'t> Template<'t> {
    pub(in crate::dialect) fn new(root: Node<'t>, unit: &'t str, given: &'t Given) -> Self {
        let named = |section| named(root, section);
        let mut template = Self {
            unit,
            language: Language::CloudFormation,
            parameters: named("Parameters")
                .map(|entry| parameter(entry, "Type", "Default"))
                .collect(),
            mappings: root.get("Mappings"),
            conditions: named("Conditions")
                .map(|entry| (entry.name(), entry.value))
                .collect(),
            resources: Vec::new(),
            by_id: BTreeMap::new(),
            rewrites: root.get("Transform").map_or_else(Vec::new, transforms),
            given,
        };
        for entry in named("Resources") {
            template.resource(entry);
        }
        template
    }

    /// A template of Heat, whose words are written small.
    pub(in crate::dialect) fn heat(root: Node<'t>, unit: &'t str, given: &'t Given) -> Self {
        let named = |section| named(root, section);
        let mut template = Self {
            unit,
            language: Language::Heat,
            parameters: named("parameters")
                .map(|entry| parameter(entry, "type", "default"))
                .collect(),
            mappings: None,
            conditions: named("conditions")
                .map(|entry| (entry.name(), entry.value))
                .collect(),
            resources: Vec::new(),
            by_id: BTreeMap::new(),
            rewrites: Vec::new(),
            given,
        };
        for entry in named("resources") {
            template.push(entry, ["type", "properties", "condition"]);
        }
        template
    }

    fn resource(&mut self, entry: Entry<'t>) {
        if is_loop(entry.name()) || entry.name() == "Fn::Transform" {
            let name = Spanned::new(entry.name().to_owned(), inner_span(&entry.key));
            self.rewrites.push(Rewrite { name, changes: false });
            return;
        }
        self.push(entry, ["Type", "Properties", "Condition"]);
    }

    fn push(&mut self, entry: Entry<'t>, [kind, properties, condition]: [&str; 3]) {
        let resource = Resource {
            id: entry.name(),
            id_span: inner_span(&entry.key),
            kind: entry.value.get(kind).and_then(|kind| kind.text()).unwrap_or(""),
            properties: entry.value.get(properties),
            condition: entry.value.get(condition),
        };
        let inner = resource.properties.into_iter().flat_map(|node| node.entries());
        for entry in inner.filter(|entry| is_loop(entry.name())) {
            let name = Spanned::new(entry.name().to_owned(), inner_span(&entry.key));
            self.rewrites.push(Rewrite { name, changes: false });
        }
        self.by_id.insert(resource.id, self.resources.len());
        self.resources.push(resource);
    }

    /// The resource of a logical id.
    pub(in crate::dialect) fn resource_of(&self, id: &str) -> Option<&Resource<'t>> {
        self.resources.get(*self.by_id.get(id)?)
    }

    /// A doubt of this template; `what` is the same for what is settled together.
    pub(in crate::dialect) fn doubt(&self, what: &str, why: impl Into<String>, span: Span) -> Doubt {
        Doubt {
            key: format!("{} {what}", self.unit).into(),
            why: why.into().into(),
            span,
        }
    }

    /// What a doubt is called within the template.
    pub(in crate::dialect) fn short<'k>(&self, key: &'k str) -> &'k str {
        let rest = key.strip_prefix(self.unit).unwrap_or(key);
        rest.trim_start()
    }
}

impl<'t> Resource<'t> {
    /// A property, unevaluated.
    pub(in crate::dialect) fn property(&self, name: &str) -> Option<Node<'t>> {
        self.properties?.get(name)
    }
}

fn parameter<'t>(entry: Entry<'t>, kind: &str, default: &str) -> (&'t str, Parameter<'t>) {
    let parameter = Parameter {
        kind: entry
            .value
            .get(kind)
            .and_then(|kind| kind.text())
            .unwrap_or("String"),
        default: entry.value.get(default),
    };
    (entry.name(), parameter)
}

/// The macros of `Transform` that may do anything.
fn transforms(node: Node<'_>) -> Vec<Rewrite> {
    let one = |node: Node<'_>| {
        let named = node.get("Name").unwrap_or(node);
        Spanned::new(scalar(&named), inner_span(&named))
    };
    let all: Vec<_> = if node.is_sequence() {
        node.items().map(one).collect()
    } else {
        vec![one(node)]
    };
    all.into_iter()
        .filter(|name| !is_harmless_transform(&name.value))
        .map(|name| Rewrite { name, changes: true })
        .collect()
}
