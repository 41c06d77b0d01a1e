//! The properties of one rule to a permission.
//!
//! INVARIANT: whoever a rule names is a peer of its permission; a rule that names nobody is said.

use super::super::list::Item;
use super::super::names;
use super::super::scope::{Scope, ways};
use super::super::value::Evaluated;
use super::Lower;
use crate::cloud::{Direction, Doubt, Guard, Peer, Permission, Value};
use crate::packet::Family;
use crate::source::Span;
use crate::tree::Node;

impl<'t> Lower<'_, 't> {
    /// The permissions that a rule may be, each with what it depends on.
    pub(super) fn permissions(
        &mut self,
        rule: Node<'t>,
        span: Span,
        guards: &[Guard],
        direction: Direction,
    ) -> Vec<Permission> {
        let unit = self.template.unit;
        let read = |scope: &Scope<'_, 't>| {
            let text = |name: &str| scope.property(rule, name).into_text(unit);
            let (protocol, from_port, to_port) = (text("IpProtocol"), text("FromPort"), text("ToPort"));
            (protocol, from_port, to_port, self.peers(scope, rule, direction))
        };
        let found = ways(self.template, self.notes, guards, &read);
        let mut permissions = Vec::new();
        for (guards, (protocol, from_port, to_port, mut peers)) in found {
            if peers.is_empty() {
                let message = "the rule names nobody".to_owned();
                let help = "give it a network, a prefix list or a group";
                peers.push(Peer::Unknown(
                    self.lowering.refuse_at(span, "peer", message, help),
                ));
            }
            permissions.push(Permission {
                span,
                protocol,
                from_port,
                to_port,
                peers,
                guards,
            });
        }
        permissions
    }

    fn peers(&self, scope: &Scope<'_, 't>, rule: Node<'t>, direction: Direction) -> Vec<Peer> {
        let mut peers = Vec::new();
        for (name, family) in [("CidrIp", Family::V4), ("CidrIpv6", Family::V6)] {
            let cidr = scope.property(rule, name).into_text(self.template.unit);
            peers.extend(cidr.map(|cidr| Peer::Network {
                cidr,
                family: Some(family),
            }));
        }
        let (groups, list): (&[&str], _) = match direction {
            Direction::Ingress => (
                &["SourceSecurityGroupId", "SourceSecurityGroupName"],
                "SourcePrefixListId",
            ),
            Direction::Egress => (&["DestinationSecurityGroupId"], "DestinationPrefixListId"),
        };
        for name in groups {
            let referred = self.referred(&scope.property(rule, name));
            peers.extend(referred.map(|referred| Peer::Group {
                group: referred.group,
                span: referred.span,
            }));
        }
        peers.extend(self.prefix_list(scope, &scope.property(rule, list)));
        peers
    }

    /// The networks of a prefix list: those of one in the template are known.
    fn prefix_list(&self, scope: &Scope<'_, 't>, value: &Evaluated<'t>) -> Option<Peer> {
        let (span, key, why) = match value {
            Evaluated::Resource(reference) => {
                let resource = self.template.resource_of(&reference.id);
                let resource = resource.filter(|resource| resource.kind == names::PREFIX_LIST);
                if let Some(resource) = resource {
                    let entries = resource.property("Entries");
                    return Some(self.entries(scope, reference.span, entries));
                }
                let words = reference.words();
                let why = format!("what prefix list `{words}` holds is not known");
                (reference.span, self.template.own(&words).key, why)
            }
            Evaluated::Text(text) => {
                let why = format!("what prefix list `{}` holds is not known", text.value);
                (text.span, text.value.as_str().into(), why)
            }
            Evaluated::Unknown(doubt) => (doubt.span, doubt.key.clone(), doubt.why.to_string()),
            Evaluated::Nothing | Evaluated::List(_) | Evaluated::Map(_) | Evaluated::Group(..) => {
                return None;
            }
        };
        let more = Doubt {
            key,
            why: why.into(),
            span,
        };
        Some(Peer::PrefixList {
            span,
            entries: Vec::new(),
            more: Some(more),
        })
    }

    fn entries(&self, scope: &Scope<'_, 't>, span: Span, list: Option<Node<'t>>) -> Peer {
        let mut entries = Vec::new();
        let mut more = None;
        let items = list.map_or_else(Vec::new, |list| self.items(list, &[]));
        for (guards, item) in items {
            match item {
                Item::Map(node) if guards.is_empty() => {
                    let cidr = scope.property(node, "Cidr").into_text(self.template.unit);
                    entries.extend(cidr);
                }
                Item::Unknown(doubt) => more = Some(doubt),
                Item::Map(_) | Item::Value(_) => {
                    let doubt = guards.first().map(|guard| guard.doubt.clone());
                    more = more.or(doubt);
                }
            }
        }
        Peer::PrefixList { span, entries, more }
    }

    /// A property as a text.
    pub(super) fn text(&self, scope: &Scope<'_, 't>, node: Node<'t>, name: &str) -> Option<Value<String>> {
        scope.property(node, name).into_text(self.template.unit)
    }
}
