//! What `terraform show -json` says of a plan or a state: values as Terraform computed them.
//!
//! Terraform, "JSON Output Format". INVARIANT: a value is the plan's, its place the configuration's where that has the resource and the
//! attribute, else the bytes of the plan.

mod merge;
mod refer;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::resource::{self, Declared, Object, Unread};
use super::value::{
    Instance, Item, Kind, ListKind, Map, Origin, Reason, Reference, Repetition, Value, Why, of_node,
};
use crate::dialect::beginning;
use crate::finding::Finding;
use crate::source::{Source, Span};
use crate::tree::{Node, Tree};

pub(super) use merge::merged;
use refer::Configuration;

/// Whether a file is such output.
pub(super) fn is_plan(source: Source<'_>) -> bool {
    let start = beginning(source.text, 4096);
    super::syntax::is_json(source.name)
        && start.trim_start().starts_with('{')
        && start.contains("\"format_version\"")
        && start.contains("\"terraform_version\"")
}

/// One resource as a plan has it.
struct Planned<'t> {
    address: Arc<str>,
    kind: Arc<str>,
    name: Node<'t>,
    whole: Node<'t>,
    values: Node<'t>,
    /// Which of the values are known only after apply.
    unknown: Option<Node<'t>>,
    /// The address of its module.
    module: String,
    is_data: bool,
}

/// The resources of a plan that have to do with groups.
pub(super) fn declared(plan: Source<'_>, notices: &mut Vec<Finding>, unread: &mut Unread) -> Vec<Declared> {
    let tree = Tree::json(plan);
    notices.extend(crate::dialect::problem::unread(&tree));
    let mut planned = Vec::new();
    let Some(root) = tree.documents().next() else {
        return Vec::new();
    };
    if let Some(changes) = root.get("resource_changes") {
        planned.extend(changes.items().filter_map(changed));
    } else {
        let values = root.get("planned_values").or_else(|| root.get("values"));
        if let Some(module) = values.and_then(|values| values.get("root_module")) {
            stated(module, "", 0, &mut planned);
        }
    }
    let instances: BTreeMap<Arc<str>, Arc<Instance>> = planned
        .iter()
        .map(|one| (one.address.clone(), instance(one)))
        .collect();
    let configuration = Configuration::new(root.get("configuration"), &instances);
    for one in planned.iter().filter(|one| !one.is_data) {
        unread.meet(&one.kind);
    }
    let relevant = planned
        .iter()
        .filter(|one| !one.is_data && resource::turn(&one.kind).is_some());
    let declared = |one: &Planned<'_>| Declared {
        address: one.address.clone(),
        kind: one.kind.clone(),
        span: one.name.span(),
        whole: one.whole.span(),
        calls: Arc::default(),
        doubt: None,
        values: values(one, &configuration),
    };
    relevant.map(declared).collect()
}

/// Why a plan may leave something out. Terraform, "JSON Output Format", "Plan Representation": `complete` is false where more has to
/// be planned and applied, `errored` is true where planning failed.
pub(super) fn incomplete(plan: Source<'_>) -> Option<Arc<Why>> {
    let tree = Tree::json(plan);
    let root = tree.documents().next()?;
    let says = |key: &str, what: bool, text: &str| {
        let said = root.get(key).filter(|said| said.as_bool() == Some(what))?;
        Some(Why::new(said.span(), Reason::Apply, text))
    };
    says(
        "errored",
        true,
        "planning failed: what else the plan would have is not known",
    )
    .or_else(|| {
        says(
            "complete",
            false,
            "the plan is not complete: what else there will be is not known",
        )
    })
}

/// A resource that a plan leaves there.
fn changed(change: Node<'_>) -> Option<Planned<'_>> {
    let inner = change.get("change")?;
    let values = inner.get("after").filter(Node::is_mapping)?;
    let module = change.get("module_address").and_then(|module| module.as_str());
    planned(change, values, inner.get("after_unknown"), module.unwrap_or(""))
}

/// Resources of a module as a state has them.
fn stated<'t>(module: Node<'t>, address: &str, depth: usize, out: &mut Vec<Planned<'t>>) {
    let resources = module.get("resources");
    for resource in resources.into_iter().flat_map(|resources| resources.items()) {
        if let Some(values) = resource.get("values") {
            out.extend(planned(resource, values, None, address));
        }
    }
    if depth < super::module::MAX_NESTING {
        let children = module.get("child_modules");
        for child in children.into_iter().flat_map(|children| children.items()) {
            let address = child.get("address").and_then(|address| address.as_str());
            stated(child, address.unwrap_or(""), depth + 1, out);
        }
    }
}

fn planned<'t>(
    resource: Node<'t>,
    values: Node<'t>,
    unknown: Option<Node<'t>>,
    module: &str,
) -> Option<Planned<'t>> {
    let name = resource.get("address")?;
    Some(Planned {
        address: name.as_str()?.into(),
        kind: resource.get("type")?.as_str()?.into(),
        name,
        whole: resource,
        values,
        unknown,
        module: module.to_owned(),
        is_data: resource.get("mode").and_then(|mode| mode.as_str()) == Some("data"),
    })
}

fn instance(of: &Planned<'_>) -> Arc<Instance> {
    Arc::new(Instance {
        module: 0,
        resource: 0,
        repetition: Repetition::Single,
        address: of.address.clone(),
        kind: of.kind.clone(),
        is_data: of.is_data,
        span: of.name.span(),
    })
}

fn values(of: &Planned<'_>, configuration: &Configuration<'_>) -> Object {
    let mut object = Object::default();
    for entry in of.values.entries() {
        let name = entry.name();
        if !resource::wants(&of.kind, name) && !entry.value.is_mapping() && !entry.value.is_sequence() {
            continue;
        }
        let unknown = of.unknown.and_then(|unknown| unknown.get(name));
        let refers = refer::At::new(configuration, of, name);
        object.values.insert(
            name.into(),
            value(Some(entry.value), unknown, &refers, entry.key.span()),
        );
    }
    let unknown = of.unknown.into_iter().flat_map(|unknown| unknown.entries());
    for entry in unknown {
        let name = entry.name();
        if entry.value.as_bool() == Some(true) && !object.values.contains_key(name) {
            let refers = refer::At::new(configuration, of, name);
            // A provider marks all that it may fill in; what nobody wrote opens nothing.
            if refers.is_left_out() {
                continue;
            }
            let unknown = value(None, Some(entry.value), &refers, entry.key.span());
            object.values.insert(name.into(), unknown);
        }
    }
    object
}

/// A value with the parts of it that are known only after apply.
fn value(
    known: Option<Node<'_>>,
    unknown: Option<Node<'_>>,
    refers: &refer::At<'_, '_>,
    place: Span,
) -> Value {
    if unknown.is_some_and(|unknown| unknown.as_bool() == Some(true)) {
        return after_apply(refers, known.map_or(place, |known| known.span()));
    }
    let Some(known) = known else {
        return Value::null(place);
    };
    let Some(unknown) = unknown.filter(|unknown| !unknown.is_scalar()) else {
        return of_node(known, &Origin::new);
    };
    let origin = Origin::new(known.span());
    if known.is_sequence() {
        let n_items = known.len().max(unknown.len());
        let (mut items, mut others) = (known.items(), unknown.items());
        let mut n_unknown = 0;
        let mut list = Vec::new();
        for at in 0..n_items {
            let (item, other) = (items.next(), others.next());
            let is_unknown = other.is_some_and(|other| other.as_bool() == Some(true));
            let refers = refers.element(at, if is_unknown { Some(n_unknown) } else { None });
            n_unknown += usize::from(is_unknown);
            list.push(Item::sure(value(item, other, &refers, known.span())));
        }
        return Value::list(ListKind::Tuple, list, &origin);
    }
    let mut map = Map {
        is_object: true,
        ..Map::default()
    };
    for entry in known.entries().chain(unknown.entries()) {
        let name: Arc<str> = entry.name().into();
        if map.entries.contains_key(&name) {
            continue;
        }
        let refers = refers.attribute(&name);
        let item = value(known.get(&name), unknown.get(&name), &refers, known.span());
        map.entries.insert(name, Item::sure(item));
    }
    Value::map(map, &origin)
}

/// What is known only after apply: the resource that the configuration refers to, if it says so.
fn after_apply(refers: &refer::At<'_, '_>, place: Span) -> Value {
    let text = format!("`{}` is known only after apply", refers.name());
    let why = Why::new(place, Reason::Apply, text);
    let references: Vec<Value> = refers
        .instances()
        .into_iter()
        .map(|instance| {
            let reference = Reference {
                instance,
                attribute: "id".into(),
            };
            Value::new(Kind::Reference(Arc::new(reference)), place)
        })
        .collect();
    match references.as_slice() {
        [] => Value::unknown(&why),
        [only] => only.clone(),
        _ => Value::one_of(&why, references, true),
    }
}
