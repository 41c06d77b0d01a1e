//! `Tier`: where its policies are asked, and what becomes of what they leave.
//!
//! Semantics: docs.tigera.io, "Tier". INVARIANT: a tier that could not be read is as one that is not there.

use super::Calico;
use crate::dialect::kubernetes::notes::Notes;
use crate::dialect::kubernetes::object::Object;
use crate::dialect::kubernetes::tier::{EndOfTier, Order, Tier};
use crate::tree::{Node, Typed};

/// Reads one.
pub(super) fn read(object: Object<'_>, calico: &mut Calico, notes: &mut Notes) {
    let (name, span) = object.name();
    let spec = object.spec();
    if spec.is_some_and(|spec| !notes.knows(spec, &["order", "defaultAction"], "the specification of a Tier"))
    {
        return;
    }
    let get = |key| {
        spec.and_then(|spec| spec.get(key))
            .filter(|value| !value.is_null())
    };
    // "No value indicates highest order (lowest precedence)."
    let order = match get("order") {
        None => Some(Order::LAST),
        Some(value) => read_order(value, notes),
    };
    let end = match get("defaultAction").map(|action| (action, action.text())) {
        None | Some((_, Some("Deny"))) => Some(EndOfTier::Deny),
        Some((_, Some("Pass"))) => Some(EndOfTier::Pass),
        Some((action, _)) => {
            notes.unread(
                action.span(),
                "the default action of a tier is Deny or Pass",
                None,
            );
            None
        }
    };
    let (Some(order), Some(end)) = (order, end) else {
        return;
    };
    // The order of the default tier cannot be changed (libcalico-go, validator/v3).
    let order = if name == Tier::DEFAULT {
        Tier::default_tier().order
    } else {
        order
    };
    let tier = Tier {
        order,
        name: name.into(),
        end,
    };
    if calico.tiers.insert(name.to_owned(), tier).is_some() {
        notes.unread(span, format!("Tier `{name}` is there twice"), None);
        calico.tiers.remove(name);
    }
}

/// An order: a number with or without a fraction.
pub(super) fn read_order(node: Node<'_>, notes: &mut Notes) -> Option<Order> {
    let text = node
        .text()
        .filter(|_| matches!(node.typed(), Typed::Int(_) | Typed::Float(_)));
    let number = text.and_then(|text| text.parse().ok());
    let order = number
        .filter(|number: &f64| number.is_finite())
        .and_then(Order::new);
    if order.is_none() {
        let message = format!("`{}` is no order", node.text().unwrap_or(node.kind()));
        notes.unread(node.span(), message, Some("orders are numbers"));
    }
    order
}
