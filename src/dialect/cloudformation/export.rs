//! What a template hands to other stacks: the outputs that have names there.
//!
//! `CloudFormation`, "Outputs", `Export`. INVARIANT: a name that is not known before the stack is deployed names nothing.

use super::names;
use super::scope::{Notes, Scope};
use super::template::Template;
use super::value::Evaluated;
use crate::dialect::Exported;
use crate::tree::Node;

/// The exports of a template, by name.
pub(super) fn of(root: Node<'_>, template: &Template<'_>) -> Vec<(String, Exported)> {
    let notes = Notes::default();
    let scope = Scope::new(template, &notes, &[]);
    let outputs = root.get("Outputs");
    let outputs = outputs.into_iter().flat_map(|outputs| outputs.entries());
    let export = |output: Node<'_>| {
        let named = output.get("Export")?;
        if output.get("Condition").is_some() {
            return None;
        }
        let Evaluated::Text(name) = scope.property(named, "Name") else {
            return None;
        };
        let exported = match scope.property(output, "Value") {
            Evaluated::Text(text) => Exported::Text(text),
            Evaluated::Resource(reference) => {
                let resource = template.resource_of(&reference.id)?;
                let is_group = resource.kind == names::GROUP || resource.kind == names::ACL;
                let is_its_id = matches!(reference.attribute.as_deref(), None | Some("GroupId" | "Id"));
                if !is_group || !is_its_id {
                    return None;
                }
                let group = template.own(&reference.id);
                Exported::Group(group.key, group.name)
            }
            _ => return None,
        };
        Some((name.value, exported))
    };
    outputs.filter_map(|output| export(output.value)).collect()
}
