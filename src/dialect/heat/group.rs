//! Security groups of a template: those that it defines, and those that its rules are put into.
//!
//! INVARIANT: a group that the template does not define has a rule more, of which nothing is known.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::names;
use super::rule::Written;
use crate::cloud::{Direction, Doubt, GroupName, Guard, Lowering, everything_unless, neutron};
use crate::dialect::cloudformation::condition::Truth;
use crate::dialect::cloudformation::list::{Item, items};
use crate::dialect::cloudformation::refer::Referred;
use crate::dialect::cloudformation::scope::{Notes, Scope, ways};
use crate::dialect::cloudformation::template::{Resource, Template};
use crate::dialect::cloudformation::value::Evaluated;
use crate::model::{Group, Layer, Side, Unknown};
use crate::source::Span;

/// One template on its way to groups.
pub(super) struct Lower<'a, 't> {
    pub(super) template: &'a Template<'t>,
    pub(super) notes: &'a Notes,
    lowering: Lowering,
    drafts: Vec<Draft>,
    by_key: BTreeMap<Arc<str>, usize>,
}

/// A group while its rules are collected.
struct Draft {
    group: GroupName,
    span: Span,
    others: Option<Doubt>,
    /// Rules within the group.
    inline: Vec<Written>,
    /// Resources of their own.
    apart: Vec<Written>,
}

impl<'a, 't> Lower<'a, 't> {
    pub(super) fn new(template: &'a Template<'t>, notes: &'a Notes) -> Self {
        Self {
            template,
            notes,
            lowering: Lowering::new(),
            drafts: Vec::new(),
            by_key: BTreeMap::new(),
        }
    }

    pub(super) fn n_rules(&self) -> usize {
        let of = |draft: &Draft| draft.inline.len() + draft.apart.len();
        self.drafts.iter().map(of).sum()
    }

    pub(super) fn resources(&mut self) {
        let resources: &[Resource<'t>] = &self.template.resources;
        for resource in resources.iter().filter(|resource| resource.kind == names::GROUP) {
            if self.presence(resource).is_some() {
                self.define(resource);
            }
        }
        for resource in resources.iter().filter(|resource| resource.kind == names::RULE) {
            if let Some(guards) = self.presence(resource) {
                self.rule_resource(resource, &guards);
            }
        }
    }

    /// What it depends on whether a resource is there; `None` if it is not.
    pub(super) fn presence(&self, resource: &Resource<'t>) -> Option<Vec<Guard>> {
        let Some(condition) = resource.condition else {
            return Some(Vec::new());
        };
        match Scope::new(self.template, self.notes, &[]).truth(condition) {
            Truth::Known(true) => Some(Vec::new()),
            Truth::Known(false) => None,
            Truth::Open { doubt, holds } => Some(vec![Guard { doubt, holds }]),
        }
    }

    pub(super) fn referred(&self, value: &Evaluated<'_>) -> Option<Referred> {
        self.template.referred(value, &[names::GROUP])
    }

    /// `OS::Neutron::SecurityGroup`, with its rules.
    fn define(&mut self, resource: &Resource<'t>) {
        let group = self.template.own(resource.id);
        let list = resource.property("rules");
        let found = list.map_or_else(Vec::new, |list| items(self.template, self.notes, list, &[]));
        let mut inline = Vec::new();
        for (guards, item) in found {
            match item {
                Item::Map(node) => {
                    let read = |scope: &Scope<'_, 't>| Written::inline(self, scope, node, &group);
                    let found = ways(self.template, self.notes, &guards, &read);
                    inline.extend(found.into_iter().map(|(guards, rule)| rule.on(guards)));
                }
                Item::Unknown(doubt) => inline.push(Written::unknown(&doubt).on(guards)),
                Item::Value(value) => {
                    let span = value
                        .into_text(self.template.unit)
                        .map_or(resource.id_span, |text| text.span());
                    let message = "a rule of a security group has properties".to_owned();
                    let help = "write a mapping with `protocol`";
                    let _said = self.lowering.refuse_at(span, "rule", message, help);
                }
            }
        }
        self.by_key.insert(group.key.clone(), self.drafts.len());
        self.drafts.push(Draft {
            group,
            span: resource.id_span,
            others: None,
            inline,
            apart: Vec::new(),
        });
    }

    /// `OS::Neutron::SecurityGroupRule`.
    fn rule_resource(&mut self, resource: &Resource<'t>, guards: &[Guard]) {
        let Some(properties) = resource.properties else {
            return;
        };
        let read = |scope: &Scope<'_, 't>| {
            let group = scope.property(properties, "security_group");
            (group, Written::resource(self, scope, properties))
        };
        for (guards, (group, rule)) in ways(self.template, self.notes, guards, &read) {
            let Some(referred) = self.referred(&group) else {
                let message = format!("`{}` is in no group", resource.id);
                let help = "name the group in `security_group`";
                let _said = self.lowering.refuse_at(resource.id_span, "rule", message, help);
                continue;
            };
            let is_missing = self
                .notes
                .dangling
                .borrow()
                .values()
                .any(|spans| spans.contains(&referred.span));
            if is_missing {
                continue;
            }
            let next = self.drafts.len();
            let at = *self.by_key.entry(referred.group.key.clone()).or_insert(next);
            if at == next {
                self.drafts.push(Draft {
                    others: Some(referred.others()),
                    group: referred.group,
                    span: referred.span,
                    inline: Vec::new(),
                    apart: Vec::new(),
                });
            }
            if let Some(draft) = self.drafts.get_mut(at) {
                draft.apart.push(rule.on(guards));
            }
        }
    }

    /// The groups, and what was found out about their rules.
    pub(super) fn finish(self) -> (Vec<Group>, Lowering) {
        let mut lowering = self.lowering;
        let drafts = self.drafts.into_iter();
        let groups = drafts.map(|draft| draft.finish(&mut lowering)).collect();
        (groups, lowering)
    }
}

impl Draft {
    fn finish(self, lowering: &mut Lowering) -> Group {
        if let Some(doubt) = &self.others {
            lowering.depends(doubt);
        }
        let ingress = self.side(lowering, Direction::Ingress);
        let egress = self.side(lowering, Direction::Egress);
        Group {
            calls: Arc::default(),
            key: self.group.key,
            name: self.group.name.to_string(),
            layer: Layer::SecurityGroup,
            span: self.span,
            ingress: Some(ingress),
            egress: Some(egress),
            rest: self.others.map(|doubt| Unknown {
                property: None,
                why: doubt.why,
            }),
        }
    }

    fn side(&self, lowering: &mut Lowering, direction: Direction) -> Side {
        let mut rules = Vec::new();
        let mut egress: Vec<Vec<Guard>> = Vec::new();
        for (is_inline, written) in [(true, &self.inline), (false, &self.apart)] {
            for rule in written {
                let Some(permission) = rule.in_direction(direction) else {
                    continue;
                };
                rules.extend(neutron::rules(
                    lowering,
                    direction,
                    rule.ethertype.as_ref(),
                    &permission,
                ));
                if is_inline {
                    egress.push(permission.guards);
                }
            }
        }
        if self.others.is_none() && direction == Direction::Egress {
            // Heat takes the rules that Neutron gives a new group away before it adds the first one for egress.
            let written = egress.iter().map(Vec::as_slice);
            rules.extend(everything_unless(lowering, self.span, written));
        }
        Side {
            rules,
            default_span: self.span,
        }
    }
}
