//! Resources of a template to groups and members.
//!
//! INVARIANT: a rule stands in the group that its resource refers to, whether the template defines that group or not; of a
//! group that it does not define, what else it lets through is not known.

mod acl;
mod draft;
mod group;
mod member;
mod rule;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::list::{Item, items};
use super::refer::Referred;
use super::scope::{Notes, Scope};
use super::template::{Resource, Template};
use super::value::Evaluated;
use super::{condition::Truth, names};
use crate::cloud::{Doubt, Guard, Lowering};
use crate::dialect::Reading;
use crate::dialect::reference::{Uses, dangling};
use crate::finding::{Code, Finding, Label};
use crate::model::Layer;
use crate::source::Span;
use crate::tree::Node;
use draft::Draft;

/// One template on its way to groups.
pub(super) struct Lower<'a, 't> {
    template: &'a Template<'t>,
    notes: &'a Notes,
    lowering: Lowering,
    drafts: Vec<Draft>,
    by_key: BTreeMap<Arc<str>, usize>,
    n_rules: usize,
}

/// Reads the groups of a template and what it puts behind them.
pub(super) fn lower(template: &Template<'_>, reading: &mut Reading) {
    let notes = Notes::default();
    reading
        .parameters
        .extend(template.parameters.keys().map(|name| (*name).to_owned()));
    let mut lower = Lower {
        template,
        notes: &notes,
        lowering: Lowering::new(),
        drafts: Vec::new(),
        by_key: BTreeMap::new(),
        n_rules: 0,
    };
    lower.resources();
    let members = lower.members();
    let rewritten = lower.rewritten();
    let Lower {
        mut lowering,
        drafts,
        n_rules,
        ..
    } = lower;
    let groups = drafts
        .into_iter()
        .map(|draft| draft.finish(&mut lowering, &rewritten));
    reading.groups.extend(groups);
    reading.members.extend(members);
    reading.n_rules += n_rules;
    let dangling_spans = notes.dangling.into_inner();
    let is_said = |span| {
        rewritten.adds.iter().any(|doubt| doubt.span == span)
            || dangling_spans.values().any(|spans| spans.contains(&span))
    };
    reading.notices.extend(lowering.notices().cloned());
    reading.notices.extend(lowering.unknown_values(&is_said));
    if !reading.groups.is_empty() {
        reading.notices.extend(rewritten.adds.iter().map(rewrite_note));
    }
    for (what, spans) in dangling_spans {
        if let Some(&first) = spans.first() {
            let mut uses = Uses::new(first);
            uses.count = spans.len();
            reading.notices.push(dangling(&what, uses));
        }
    }
}

/// What may happen to groups when the template is deployed.
#[derive(Default)]
pub(super) struct Rewritten {
    /// Rules may come from there.
    adds: Vec<Doubt>,
    /// Rules are only there if this leaves them.
    keeps: Vec<Guard>,
}

fn rewrite_note(doubt: &Doubt) -> Finding {
    let label = Label::new(doubt.span, "may add and change resources");
    Finding::new(Code::UnsupportedMatch, doubt.why.to_string(), Some(label)).help(
        "check the template that it makes: `aws cloudformation get-template --template-stage Processed`",
    )
}

impl<'t> Lower<'_, 't> {
    fn resources(&mut self) {
        let resources: &[Resource<'t>] = &self.template.resources;
        for resource in resources {
            match resource.kind {
                names::GROUP => self.define(resource, Layer::SecurityGroup),
                names::ACL => self.define(resource, Layer::NetworkAcl),
                _ => {}
            }
        }
        for resource in resources {
            let Some(guards) = self.presence(resource) else {
                continue;
            };
            match resource.kind {
                names::GROUP => self.inline(resource),
                names::INGRESS => self.rule_resource(resource, &guards, crate::cloud::Direction::Ingress),
                names::EGRESS => self.rule_resource(resource, &guards, crate::cloud::Direction::Egress),
                names::ACL_ENTRY => self.entry(resource, &guards),
                _ => {}
            }
        }
    }

    fn items(&self, node: Node<'t>, guards: &[Guard]) -> Vec<(Vec<Guard>, Item<'t>)> {
        items(self.template, self.notes, node, guards)
    }

    /// The group or network ACL that a value names.
    fn referred(&self, value: &Evaluated<'_>) -> Option<Referred> {
        self.template.referred(value, &[names::GROUP, names::ACL])
    }

    /// Whether what is named at `span` is not there: that was noted.
    fn is_dangling(&self, span: Span) -> bool {
        let noted = self.notes.dangling.borrow();
        noted.values().any(|spans| spans.contains(&span))
    }

    /// The draft of a group that is referred to; made if it is from outside.
    fn draft(&mut self, referred: &Referred, layer: Layer) -> &mut Draft {
        let next = self.drafts.len();
        let at = *self.by_key.entry(referred.group.key.clone()).or_insert(next);
        if at == next {
            let mut draft = Draft::new(referred.group.clone(), referred.span, layer);
            if referred.foreign.is_some() {
                draft.others = Some(referred.others());
            }
            draft.is_part = true;
            self.drafts.push(draft);
        }
        #[expect(clippy::indexing_slicing, reason = "`at` is below `next`, or was just pushed")]
        &mut self.drafts[at]
    }

    /// What it depends on whether a resource is there; `None` if it is not.
    fn presence(&self, resource: &Resource<'t>) -> Option<Vec<Guard>> {
        let Some(condition) = resource.condition else {
            return Some(Vec::new());
        };
        let scope = Scope::new(self.template, self.notes, &[]);
        match scope.truth(condition) {
            Truth::Known(true) => Some(Vec::new()),
            Truth::Known(false) => None,
            Truth::Open { doubt, holds } => Some(vec![Guard { doubt, holds }]),
        }
    }

    /// What may change the template when it is deployed.
    fn rewritten(&self) -> Rewritten {
        let mut rewritten = Rewritten::default();
        for rewrite in &self.template.rewrites {
            let (name, span) = (&rewrite.name.value, rewrite.name.span);
            let why = format!("what `{name}` makes of the template is not known");
            let doubt = |what: &str| self.template.doubt(&format!("{what} {name}"), why.as_str(), span);
            rewritten.adds.push(doubt("rules made by"));
            if rewrite.changes {
                rewritten.keeps.push(Guard {
                    doubt: doubt("rules kept by"),
                    holds: true,
                });
            }
        }
        rewritten
    }
}
