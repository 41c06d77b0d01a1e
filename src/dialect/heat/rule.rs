//! One rule as it is written: within a group, or as a resource.
//!
//! The two differ: within a group, `remote_mode` says whether the network or the group counts, and no protocol is all; a resource
//! takes whichever is there, and no protocol is TCP. INVARIANT: what is not written is what Heat takes for it.

use super::group::Lower;
use crate::cloud::{Direction, Doubt, GroupName, Guard, Peer, Permission, Value};
use crate::dialect::cloudformation::scope::Scope;
use crate::dialect::cloudformation::value::Evaluated;
use crate::source::Span;
use crate::tree::Node;

/// A rule with its direction and family.
pub(super) struct Written {
    direction: Option<Value<String>>,
    pub(super) ethertype: Option<Value<String>>,
    permission: Permission,
}

impl Written {
    /// A rule of `OS::Neutron::SecurityGroup` (heat: `SecurityGroup._format_rule`).
    pub(super) fn inline<'t>(
        lower: &Lower<'_, 't>,
        scope: &Scope<'_, 't>,
        rule: Node<'t>,
        own: &GroupName,
    ) -> Self {
        let mode = scope.property(rule, "remote_mode");
        let group = lower.referred(&scope.property(rule, "remote_group_id"));
        let peer = match &mode {
            Evaluated::Text(mode) if mode.value == "remote_group_id" => match group {
                Some(group) => Peer::Group {
                    group: group.group,
                    span: group.span,
                },
                None => Peer::Group {
                    group: own.clone(),
                    span: mode.span,
                },
            },
            Evaluated::Unknown(doubt) => Peer::Unknown(doubt.clone()),
            _ => network(lower, scope, rule),
        };
        Self::of(lower, scope, rule, peer, None)
    }

    /// `OS::Neutron::SecurityGroupRule`.
    pub(super) fn resource<'t>(lower: &Lower<'_, 't>, scope: &Scope<'_, 't>, rule: Node<'t>) -> Self {
        let group = lower.referred(&scope.property(rule, "remote_group"));
        let peer = match group {
            Some(group) => Peer::Group {
                group: group.group,
                span: group.span,
            },
            None => network(lower, scope, rule),
        };
        Self::of(lower, scope, rule, peer, Some("tcp"))
    }

    /// A rule of which nothing is known.
    pub(super) fn unknown(doubt: &Doubt) -> Self {
        Self {
            direction: Some(Value::Unknown(doubt.clone())),
            ethertype: Some(Value::Unknown(doubt.clone())),
            permission: Permission::open(doubt),
        }
    }

    fn of<'t>(
        lower: &Lower<'_, 't>,
        scope: &Scope<'_, 't>,
        rule: Node<'t>,
        peer: Peer,
        protocol: Option<&str>,
    ) -> Self {
        let unit = lower.template.unit;
        let text = |name: &str| scope.property(rule, name).into_text(unit);
        let default = protocol.map(|protocol| Value::new(protocol.to_owned(), rule.span()));
        Self {
            direction: text("direction"),
            ethertype: text("ethertype"),
            permission: Permission {
                span: rule.span(),
                protocol: text("protocol").or(default),
                from_port: text("port_range_min"),
                to_port: text("port_range_max"),
                peers: vec![peer],
                guards: Vec::new(),
            },
        }
    }

    /// The rule, if these hold.
    pub(super) fn on(mut self, guards: Vec<Guard>) -> Self {
        self.permission.guards = guards;
        self
    }

    /// What it permits in a direction. If it is not known which it has, it is there in both, on opposite conditions.
    pub(super) fn in_direction(&self, direction: Direction) -> Option<Permission> {
        let mut permission = self.permission.clone();
        match &self.direction {
            Some(Value::Unknown(doubt)) => {
                permission.guards.push(Guard {
                    doubt: doubt.clone(),
                    holds: direction == Direction::Egress,
                });
                Some(permission)
            }
            known => {
                let known = known.as_ref().and_then(Value::known);
                let is_egress = known.is_some_and(|known| known == "egress");
                (is_egress == (direction == Direction::Egress)).then_some(permission)
            }
        }
    }
}

/// The network that a rule names; anybody if it names none.
fn network<'t>(lower: &Lower<'_, 't>, scope: &Scope<'_, 't>, rule: Node<'t>) -> Peer {
    // Where nobody is named, the service is what opens.
    let named = ["port_range_min", "protocol"]
        .into_iter()
        .find_map(|name| rule.get(name));
    let span: Span = named.unwrap_or(rule).span();
    match scope
        .property(rule, "remote_ip_prefix")
        .into_text(lower.template.unit)
    {
        Some(Value::Known(text)) if text.value.is_empty() => Peer::Everyone {
            span: text.span,
            family: None,
        },
        Some(cidr) => Peer::Network { cidr, family: None },
        None => Peer::Everyone { span, family: None },
    }
}
