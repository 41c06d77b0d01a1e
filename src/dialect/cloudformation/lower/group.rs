//! Security groups: their own rules, and resources that add rules to them.
//!
//! INVARIANT: a permission is read once for each way that its conditions may turn out.

use super::super::list::Item;
use super::super::scope::{Scope, ways};
use super::super::template::Resource;
use super::super::value::Evaluated;
use super::Lower;
use super::draft::Draft;
use crate::cloud::{Direction, Guard, Permission};
use crate::model::Layer;
use crate::source::Span;

impl<'t> Lower<'_, 't> {
    /// Makes room for a group or ACL that the template defines.
    pub(super) fn define(&mut self, resource: &Resource<'t>, layer: Layer) {
        if self.presence(resource).is_none() {
            return;
        }
        let group = self.template.own(resource.id);
        self.by_key.insert(group.key.clone(), self.drafts.len());
        let mut draft = Draft::new(group, resource.id_span, layer);
        let empty_list = |name: &str| {
            let property = resource.property(name)?;
            (property.is_sequence() && property.is_empty()).then(|| property.span())
        };
        draft.ingress = empty_list("SecurityGroupIngress");
        draft.egress = empty_list("SecurityGroupEgress");
        self.drafts.push(draft);
    }

    /// The rules within a group.
    pub(super) fn inline(&mut self, resource: &Resource<'t>) {
        let sides = [
            ("SecurityGroupIngress", Direction::Ingress),
            ("SecurityGroupEgress", Direction::Egress),
        ];
        let at = self.by_key.get(&self.template.own(resource.id).key).copied();
        for (name, direction) in sides {
            let Some(list) = resource.property(name) else {
                continue;
            };
            let mut permissions = Vec::new();
            for (guards, item) in self.items(list, &[]) {
                match item {
                    Item::Map(node) => {
                        permissions.extend(self.permissions(node, node.span(), &guards, direction));
                    }
                    Item::Unknown(doubt) => permissions.push(Permission {
                        guards,
                        ..Permission::open(&doubt)
                    }),
                    Item::Value(value) => permissions.push(self.not_a_rule(&value, list.span())),
                }
            }
            self.n_rules += permissions.len();
            let draft = at.and_then(|at| self.drafts.get_mut(at));
            if let Some(draft) = draft {
                let permissions = permissions.into_iter().map(|permission| (direction, permission));
                draft.permissions.extend(permissions);
            }
        }
    }

    fn not_a_rule(&mut self, value: &Evaluated<'t>, list: Span) -> Permission {
        let span = match value {
            Evaluated::Text(text) => text.span,
            Evaluated::Resource(reference) => reference.span,
            _ => list,
        };
        let message = "a rule of a security group has properties".to_owned();
        let doubt = self
            .lowering
            .refuse_at(span, "rule", message, "write a mapping with `IpProtocol`");
        Permission::open(&doubt)
    }

    /// `AWS::EC2::SecurityGroupIngress` and `…Egress`.
    pub(super) fn rule_resource(&mut self, resource: &Resource<'t>, guards: &[Guard], direction: Direction) {
        let Some(properties) = resource.properties else {
            return;
        };
        let target = |scope: &Scope<'_, 't>| match scope.property(properties, "GroupId") {
            Evaluated::Nothing => scope.property(properties, "GroupName"),
            group => group,
        };
        for (guards, target) in ways(self.template, self.notes, guards, &target) {
            let Some(referred) = self.referred(&target) else {
                let message = format!("`{}` is in no group", resource.id);
                let help = "name the group in `GroupId`";
                let _said = self.lowering.refuse_at(resource.id_span, "rule", message, help);
                continue;
            };
            if self.is_dangling(referred.span) {
                continue;
            }
            let permissions = self.permissions(properties, properties.span(), &guards, direction);
            self.n_rules += permissions.len();
            let draft = self.draft(&referred, Layer::SecurityGroup);
            let permissions = permissions.into_iter().map(|permission| (direction, permission));
            draft.permissions.extend(permissions);
        }
    }
}
