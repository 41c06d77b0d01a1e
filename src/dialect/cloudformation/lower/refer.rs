//! Which group a value refers to.
//!
//! INVARIANT: one value gives one key, wherever it stands: a group from outside of the template is known by what refers to it.

use std::sync::Arc;

use super::super::names;
use super::super::value::{Evaluated, Reference};
use super::Lower;
use super::draft::Draft;
use crate::cloud::{Doubt, GroupName};
use crate::model::Layer;
use crate::source::Span;

/// A group that is referred to.
pub(super) struct Referred {
    pub(super) group: GroupName,
    /// The bytes that refer to it.
    pub(super) span: Span,
    /// Why it is not known what else it has, if the template does not define it.
    pub(super) foreign: Option<Arc<str>>,
}

impl Lower<'_, '_> {
    /// The name of a group of this template.
    pub(super) fn own(&self, id: &str) -> GroupName {
        GroupName {
            key: format!("{} {id}", self.template.unit).into(),
            name: id.into(),
        }
    }

    /// The group that a value names; `None` if there is no value, or one that names no group.
    pub(super) fn referred(&self, value: &Evaluated<'_>) -> Option<Referred> {
        match value {
            Evaluated::Nothing | Evaluated::Map(_) => None,
            Evaluated::List(list) => match list.as_slice() {
                [only] => self.referred(only),
                _ => None,
            },
            Evaluated::Resource(reference) => Some(self.of_resource(reference)),
            Evaluated::Text(text) => Some(Referred {
                group: GroupName {
                    key: text.value.as_str().into(),
                    name: text.value.as_str().into(),
                },
                span: text.span,
                foreign: Some(format!("group `{}` is not defined here", text.value).into()),
            }),
            Evaluated::Unknown(doubt) => Some(Referred {
                group: GroupName {
                    key: doubt.key.clone(),
                    name: self.template.short(&doubt.key).into(),
                },
                span: doubt.span,
                foreign: Some(doubt.why.clone()),
            }),
        }
    }

    fn of_resource(&self, reference: &Reference) -> Referred {
        let resource = self.template.resource_of(&reference.id);
        let is_filter = resource.is_some_and(|resource| [names::GROUP, names::ACL].contains(&resource.kind));
        if is_filter {
            return Referred {
                group: self.own(&reference.id),
                span: reference.span,
                foreign: None,
            };
        }
        let words = reference.words();
        Referred {
            group: self.own(&words),
            span: reference.span,
            foreign: Some(format!("`{words}` is not known before it is deployed").into()),
        }
    }

    /// Whether what is named at `span` is not there: that was noted.
    pub(super) fn is_dangling(&self, span: Span) -> bool {
        let noted = self.notes.dangling.borrow();
        noted.values().any(|spans| spans.contains(&span))
    }

    /// The draft of a group that is referred to; made if it is from outside.
    pub(super) fn draft(&mut self, referred: Referred, layer: Layer) -> &mut Draft {
        let Referred { group, span, foreign } = referred;
        let next = self.drafts.len();
        let at = *self.by_key.entry(group.key.clone()).or_insert(next);
        if at == next {
            let mut draft = Draft::new(group.clone(), span, layer);
            let why = foreign.unwrap_or_else(|| "the group is not defined here".into());
            draft.others = Some(Doubt {
                key: format!("other rules of {}", group.key).into(),
                why,
                span,
            });
            self.drafts.push(draft);
        }
        #[expect(clippy::indexing_slicing, reason = "`at` is below `next`, or was just pushed")]
        &mut self.drafts[at]
    }
}
