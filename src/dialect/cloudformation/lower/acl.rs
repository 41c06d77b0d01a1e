//! Network ACLs: their entries, and the subnets that they are in front of.
//!
//! INVARIANT: an entry of which the direction is not known is there in both, on opposite conditions.

use std::sync::Arc;

use super::super::names;
use super::super::scope::{Scope, ways};
use super::super::template::Resource;
use super::super::value::Evaluated;
use super::Lower;
use crate::cloud::ec2::{AclEntry, Place, Subnets};
use crate::cloud::{Direction, Guard, Peer, Value};
use crate::model::Layer;
use crate::packet::Family;
use crate::source::Span;

impl<'t> Lower<'_, 't> {
    /// `AWS::EC2::NetworkAclEntry`.
    pub(super) fn entry(&mut self, resource: &Resource<'t>, guards: &[Guard]) {
        let Some(properties) = resource.properties else {
            return;
        };
        let read = |scope: &Scope<'_, 't>| {
            let acl = scope.property(properties, "NetworkAclId");
            let within = |outer: &str, inner: &str| match scope.property(properties, outer) {
                Evaluated::Map(node) => self.text(scope, node, inner),
                Evaluated::Unknown(doubt) => Some(Value::Unknown(doubt)),
                _ => None,
            };
            let networks = [("CidrBlock", Family::V4), ("Ipv6CidrBlock", Family::V6)];
            let peers = networks.into_iter().filter_map(|(name, family)| {
                let cidr = self.text(scope, properties, name)?;
                Some(Peer::Network {
                    cidr,
                    family: Some(family),
                })
            });
            let entry = AclEntry {
                span: properties.span(),
                number: self.text(scope, properties, "RuleNumber"),
                protocol: self.text(scope, properties, "Protocol"),
                action: self.text(scope, properties, "RuleAction"),
                peers: peers.collect(),
                ports: (within("PortRange", "From"), within("PortRange", "To")),
                icmp: (within("Icmp", "Type"), within("Icmp", "Code")),
                guards: Vec::new(),
            };
            (acl, entry, self.text(scope, properties, "Egress"))
        };
        let found = ways(self.template, self.notes, guards, &read);
        for (guards, (acl, mut entry, egress)) in found {
            entry.guards = guards;
            self.n_rules += 1;
            if entry.peers.is_empty() {
                let message = "the entry names no network".to_owned();
                let help = "give it a `CidrBlock` or an `Ipv6CidrBlock`";
                let doubt = self.lowering.refuse_at(entry.span, "peer", message, help);
                entry.peers.push(Peer::Unknown(doubt));
            }
            self.place(resource, &acl, entry, egress);
        }
    }

    fn place(
        &mut self,
        resource: &Resource<'t>,
        acl: &Evaluated<'t>,
        entry: AclEntry,
        egress: Option<Value<String>>,
    ) {
        let Some(referred) = self.referred(acl) else {
            let message = format!("`{}` is in no network ACL", resource.id);
            let help = "name the network ACL in `NetworkAclId`";
            let _said = self.lowering.refuse_at(resource.id_span, "entry", message, help);
            return;
        };
        if self.is_dangling(referred.span) {
            return;
        }
        let draft = self.draft(&referred, Layer::NetworkAcl);
        match egress {
            Some(Value::Unknown(doubt)) => {
                for (direction, holds) in [(Direction::Egress, true), (Direction::Ingress, false)] {
                    let mut entry = entry.clone();
                    entry.guards.push(Guard {
                        doubt: doubt.clone(),
                        holds,
                    });
                    draft.entries.push((direction, entry));
                }
            }
            Some(Value::Known(text)) if text.value.eq_ignore_ascii_case("true") => {
                draft.entries.push((Direction::Egress, entry));
            }
            _ => draft.entries.push((Direction::Ingress, entry)),
        }
    }

    /// Which subnets are behind which network ACLs.
    pub(super) fn subnets(&self) -> Subnets {
        let mut subnets = Subnets::default();
        let own = |resource: &Resource<'t>| self.template.own(resource.id).key;
        let mut defaults: Vec<(Arc<str>, Span)> = Vec::new();
        for draft in self
            .drafts
            .iter()
            .filter(|draft| draft.layer == Layer::NetworkAcl)
        {
            subnets.acl(&draft.group.key, draft.span);
            defaults.push((draft.group.key.clone(), draft.span));
        }
        for resource in &self.template.resources {
            let (Some(properties), Some(guards)) = (resource.properties, self.presence(resource)) else {
                continue;
            };
            let scope = Scope::new(self.template, self.notes, &[]);
            if resource.kind == names::SUBNET {
                if let Evaluated::Resource(vpc) = scope.property(properties, "VpcId") {
                    subnets.place(resource.id.to_owned(), vpc.id);
                }
            } else if resource.kind == names::VPC {
                let of_vpc = format!("{}.DefaultNetworkAcl", own(resource));
                let default = defaults.iter().find(|(key, _)| **key == *of_vpc);
                if let Some((key, span)) = default {
                    subnets.default_of(resource.id.to_owned(), key, *span);
                }
            } else if resource.kind == names::ACL_ASSOCIATION {
                let acl = self.referred(&scope.property(properties, "NetworkAclId"));
                let subnet = place(&scope.property(properties, "SubnetId"), properties.span());
                if let (Some(acl), Some(subnet)) = (acl, subnet) {
                    let doubt = guards.first().map(|guard| guard.doubt.why.clone());
                    subnets.associate(&acl.group.key, subnet, doubt);
                }
            }
        }
        subnets
    }
}

/// The subnet that a value names.
pub(super) fn place(value: &Evaluated<'_>, span: Span) -> Option<Place> {
    match value {
        Evaluated::Resource(subnet) => Some(Place::Subnet(subnet.id.clone(), subnet.span)),
        Evaluated::Text(text) => Some(Place::Subnet(text.value.clone(), text.span)),
        Evaluated::Unknown(doubt) => Some(Place::Unknown(doubt.why.clone(), doubt.span)),
        Evaluated::List(list) => match list.as_slice() {
            [only] => place(only, span),
            _ => Some(Place::Unknown(
                "which of several subnets is not known".into(),
                span,
            )),
        },
        Evaluated::Nothing | Evaluated::Map(_) | Evaluated::Group(..) => None,
    }
}
