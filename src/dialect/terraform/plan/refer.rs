//! Which resources the expressions of a plan's configuration refer to.
//!
//! Terraform, "JSON Output Format", "Expression Representation": references are listed, not what is made of them. INVARIANT: of
//! several that may be meant, all are.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Planned;
use crate::dialect::terraform::value::Instance;
use crate::tree::Node;

/// How far references are followed through modules.
const MAX_STEPS: usize = 64;

/// The configuration of a plan, and the resources that it became.
pub(super) struct Configuration<'t> {
    root: Option<Node<'t>>,
    /// By their addresses without keys.
    instances: BTreeMap<String, Vec<Arc<Instance>>>,
}

/// An attribute whose value is asked for.
#[derive(Clone)]
pub(super) struct At<'c, 't> {
    configuration: &'c Configuration<'t>,
    module: &'c str,
    expression: Option<Node<'t>>,
    name: String,
    /// Which of several unknown elements of a list it is.
    place: Option<usize>,
    /// Whether the configuration of the resource is there, and does not have it.
    is_left_out: bool,
}

/// An address without its keys: `module.a["x"].aws_eip.b[0]` is `module.a.aws_eip.b`.
fn without_keys(address: &str) -> String {
    let mut plain = String::new();
    let mut depth = 0_u32;
    let mut is_quoted = false;
    for char in address.chars() {
        match char {
            '"' => is_quoted = !is_quoted,
            '[' if !is_quoted => depth += 1,
            ']' if !is_quoted => depth = depth.saturating_sub(1),
            _ if depth == 0 => plain.push(char),
            _ => {}
        }
    }
    plain
}

fn below(module: &str, what: &str) -> String {
    if module.is_empty() {
        what.to_owned()
    } else {
        format!("{module}.{what}")
    }
}

impl<'t> Configuration<'t> {
    pub(super) fn new(root: Option<Node<'t>>, known: &BTreeMap<Arc<str>, Arc<Instance>>) -> Self {
        let mut instances: BTreeMap<String, Vec<Arc<Instance>>> = BTreeMap::new();
        for (address, instance) in known {
            instances
                .entry(without_keys(address))
                .or_default()
                .push(instance.clone());
        }
        Self {
            root: root.and_then(|root| root.get("root_module")),
            instances,
        }
    }

    /// The configuration of a module, by its address.
    fn module(&self, address: &str) -> Option<Node<'t>> {
        let plain = without_keys(address);
        let mut module = self.root?;
        let mut parts = plain.split('.').filter(|part| !part.is_empty());
        while let (Some("module"), Some(name)) = (parts.next(), parts.next()) {
            module = module.get("module_calls")?.get(name)?.get("module")?;
        }
        Some(module)
    }

    fn resource(&self, module: &str, address: &str) -> Option<Node<'t>> {
        let plain = without_keys(address);
        let own = match without_keys(module) {
            module if module.is_empty() => plain,
            module => plain.strip_prefix(&format!("{module}."))?.to_owned(),
        };
        let resources = self.module(module)?.get("resources")?;
        resources
            .items()
            .find(|resource| resource.get("address").and_then(|at| at.as_str()) == Some(own.as_str()))
    }

    /// The resources that an expression of a module refers to.
    fn resolve(&self, module: &str, expression: Node<'t>, steps: &mut usize, found: &mut Vec<Arc<Instance>>) {
        *steps += 1;
        let Some(references) = expression.get("references").filter(|_| *steps < MAX_STEPS) else {
            return;
        };
        for reference in references.items().filter_map(|reference| reference.as_str()) {
            let plain = without_keys(reference);
            let mut parts = plain.split('.');
            match (parts.next(), parts.next(), parts.next()) {
                (Some("var"), Some(name), _) => self.input(module, name, steps, found),
                (Some("module"), Some(call), Some(output)) => {
                    let inner = below(module, &format!("module.{call}"));
                    let outputs = self.module(&inner).and_then(|module| module.get("outputs"));
                    let output = outputs.and_then(|outputs| outputs.get(output));
                    if let Some(expression) = output.and_then(|output| output.get("expression")) {
                        self.resolve(&inner, expression, steps, found);
                    }
                }
                (Some("data"), Some(kind), Some(name)) => {
                    self.add(module, &format!("data.{kind}.{name}"), reference, found);
                }
                (Some("local" | "each" | "count" | "path" | "self" | "terraform"), ..) => {}
                (Some(kind), Some(name), _) => {
                    self.add(module, &format!("{kind}.{name}"), reference, found);
                }
                _ => {}
            }
        }
    }

    /// What whoever calls a module gives it.
    fn input(&self, module: &str, name: &str, steps: &mut usize, found: &mut Vec<Arc<Instance>>) {
        let plain = without_keys(module);
        let Some((parent, call)) = plain.rsplit_once("module.") else {
            return;
        };
        let parent = parent.trim_end_matches('.');
        let expression = self.module(parent).and_then(|module| {
            module
                .get("module_calls")?
                .get(call)?
                .get("expressions")?
                .get(name)
        });
        if let Some(expression) = expression {
            self.resolve(parent, expression, steps, found);
        }
    }

    /// The instances of a resource: those of the module's own instance, and those of the key that is written.
    fn add(&self, module: &str, resource: &str, reference: &str, found: &mut Vec<Arc<Instance>>) {
        let plain = below(&without_keys(module), resource);
        let Some(instances) = self.instances.get(&plain) else {
            return;
        };
        let is_own = |instance: &&Arc<Instance>| {
            module.is_empty() || instance.address.starts_with(&format!("{module}."))
        };
        let own: Vec<_> = instances.iter().filter(is_own).collect();
        let candidates = if own.is_empty() {
            instances.iter().collect()
        } else {
            own
        };
        let exact = candidates.iter().find(|instance| {
            let key = instance
                .address
                .rfind('[')
                .and_then(|at| instance.address.get(at..));
            key.is_some_and(|key| reference.contains(key))
        });
        let chosen: Vec<&&Arc<Instance>> = match exact {
            Some(exact) => vec![exact],
            None => candidates.iter().collect(),
        };
        for instance in chosen {
            if !found.iter().any(|known| known.address == instance.address) {
                found.push((**instance).clone());
            }
        }
    }
}

impl<'c, 't> At<'c, 't> {
    pub(super) fn new(configuration: &'c Configuration<'t>, of: &'c Planned<'_>, name: &str) -> Self {
        let resource = configuration.resource(&of.module, &of.address);
        let expressions = resource.and_then(|resource| resource.get("expressions"));
        Self {
            configuration,
            module: &of.module,
            expression: expressions.and_then(|expressions| expressions.get(name)),
            name: format!("{}.{name}", of.address),
            place: None,
            is_left_out: expressions.is_some_and(|expressions| expressions.get(name).is_none()),
        }
    }

    /// Whether nobody wrote it, so that a provider makes it.
    pub(super) fn is_left_out(&self) -> bool {
        self.is_left_out
    }

    /// What users call it.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// An element of it: a block of its own, or a part of the same expression.
    pub(super) fn element(&self, at: usize, place: Option<usize>) -> Self {
        let expression = match self.expression {
            Some(blocks) if blocks.is_sequence() => blocks.items().nth(at).or_else(|| blocks.items().next()),
            other => other,
        };
        Self {
            expression,
            place,
            ..self.clone()
        }
    }

    /// An attribute of it.
    pub(super) fn attribute(&self, name: &str) -> Self {
        Self {
            expression: match self.expression {
                Some(block) if block.get("references").is_none() => block.get(name),
                other => other,
            },
            name: format!("{}.{name}", self.name),
            ..self.clone()
        }
    }

    /// The resources that it may be about.
    pub(super) fn instances(&self) -> Vec<Arc<Instance>> {
        let mut found = Vec::new();
        if let Some(expression) = self.expression {
            self.configuration
                .resolve(self.module, expression, &mut 0, &mut found);
        }
        // Of a list, each unknown element is one of those that are named.
        if let Some(at) = self.place.filter(|at| *at < found.len()) {
            return vec![found.swap_remove(at)];
        }
        found
    }
}
