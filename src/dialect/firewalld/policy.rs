//! Policies between zones: firewalld.policy(5), firewalld.policies(5).

use roxmltree::Node;

use super::ast::{Body, Ends, Policy, Target};
use super::body;
use super::value;
use super::xml::{Reader, Schema, children};
use crate::source::Spanned;

const ROOT: Schema = &[("policy", &[], &["version", "target", "priority"])];

const PARTS: Schema = &[
    ("ingress-zone", &["name"], &[]),
    ("egress-zone", &["name"], &[]),
    ("disable", &[], &[]),
];

/// Policies that say no priority have this one.
const USUAL_PRIORITY: i32 = -1;

/// Reads the root element of a policy's file.
pub(super) fn read(reader: &mut Reader<'_>, root: Node<'_, '_>, is_own: bool) -> Policy {
    let head = reader.head(root);
    let mut policy = Policy {
        target: Target::Continue,
        target_span: head,
        priority: USUAL_PRIORITY,
        ingress: Ends::Zones(Vec::new()),
        egress: Ends::Zones(Vec::new()),
        is_disabled: false,
        body: Body {
            is_own,
            ..Body::default()
        },
    };
    if !reader.check(root, ROOT) {
        policy.body.unread.push(head);
    }
    if let Some(target) = reader.attribute(root, "target") {
        let help = "it is `CONTINUE`, `ACCEPT`, `REJECT` or `DROP`";
        match reader.known(&target, target_of(&target.value), "the target of a policy", help) {
            Some(found) => (policy.target, policy.target_span) = (found, target.span),
            None => policy.body.unread.push(target.span),
        }
    }
    if let Some(priority) = reader.attribute(root, "priority") {
        // Zones have priority 0.
        let found = value::priority(&priority.value).filter(|found| *found != 0);
        let help = "it is a number from -32768 to 32767, and not 0, which is that of zones";
        match reader.known(&priority, found, "the priority of a policy", help) {
            Some(found) => policy.priority = found,
            None => policy.body.unread.push(priority.span),
        }
    }
    let (mut ingress, mut egress) = (Vec::new(), Vec::new());
    for node in children(root) {
        let name = node.tag_name().name();
        if !PARTS.iter().any(|(part, ..)| *part == name) {
            body::read(reader, node, &mut policy.body);
        } else if !reader.check(node, PARTS) {
            policy.body.unread.push(reader.span(node));
        } else if name == "disable" {
            policy.is_disabled = true;
        } else if name == "ingress-zone" {
            ingress.extend(reader.attribute(node, "name"));
        } else {
            egress.extend(reader.attribute(node, "name"));
        }
    }
    policy.ingress = ends(reader, ingress, &mut policy.body);
    policy.egress = ends(reader, egress, &mut policy.body);
    if policy.ingress == Ends::Host && policy.egress == Ends::Host {
        let help = "`HOST` is at one end of a policy; loopback traffic is accepted before all policies";
        reader.refuse(head, "a policy from the host to itself", help);
        policy.is_disabled = true;
    }
    policy
}

fn target_of(text: &str) -> Option<Target> {
    Some(match text {
        "CONTINUE" | "" => Target::Continue,
        "ACCEPT" => Target::Accept,
        "REJECT" => Target::Reject,
        "DROP" => Target::Drop,
        _ => return None,
    })
}

/// "many regular zones, ANY, or HOST"
fn ends(reader: &mut Reader<'_>, zones: Vec<Spanned<String>>, body: &mut Body) -> Ends {
    let symbolic = zones
        .iter()
        .find(|zone| matches!(zone.value.as_str(), "ANY" | "HOST"));
    let Some(symbolic) = symbolic.cloned() else {
        return Ends::Zones(zones);
    };
    if zones.len() > 1 {
        let message = format!("`{}` beside other zones", symbolic.value);
        reader.refuse(
            symbolic.span,
            message,
            "an end of a policy is `ANY`, `HOST`, or a list of zones",
        );
        body.unread.push(symbolic.span);
    }
    if symbolic.value == "ANY" {
        Ends::Any
    } else {
        Ends::Host
    }
}
