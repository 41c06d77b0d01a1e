//! Which group a value refers to.
//!
//! INVARIANT: one value gives one key, wherever it stands: a group from outside of the template is known by what refers to it.

use std::sync::Arc;

use super::template::Template;
use super::value::{Evaluated, Reference};
use crate::cloud::{Doubt, GroupName};
use crate::source::Span;

/// A group that is referred to.
pub(in crate::dialect) struct Referred {
    pub(in crate::dialect) group: GroupName,
    /// The bytes that refer to it.
    pub(in crate::dialect) span: Span,
    /// Why it is not known what else it has, if the template does not define it.
    pub(in crate::dialect) foreign: Option<Arc<str>>,
}

impl Referred {
    /// What else it has: open, if the template does not define it.
    pub(in crate::dialect) fn others(&self) -> Doubt {
        let why = self.foreign.clone();
        Doubt {
            key: format!("other rules of {}", self.group.key).into(),
            why: why.unwrap_or_else(|| "the group is not defined here".into()),
            span: self.span,
        }
    }
}

impl Template<'_> {
    /// The name of a group of this template.
    pub(in crate::dialect) fn own(&self, id: &str) -> GroupName {
        GroupName {
            key: format!("{} {id}", self.unit).into(),
            name: id.into(),
        }
    }

    /// The group that a value names; `None` if there is no value, or one that names no group. `filters` are the types of
    /// resources that are groups.
    pub(in crate::dialect) fn referred(&self, value: &Evaluated<'_>, filters: &[&str]) -> Option<Referred> {
        match value {
            Evaluated::Nothing | Evaluated::Map(_) => None,
            Evaluated::List(list) => match list.as_slice() {
                [only] => self.referred(only, filters),
                _ => None,
            },
            Evaluated::Resource(reference) => Some(self.of_resource(reference, filters)),
            Evaluated::Group(group, span) => Some(Referred {
                group: group.clone(),
                span: *span,
                foreign: None,
            }),
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
                    name: self.short(&doubt.key).into(),
                },
                span: doubt.span,
                foreign: Some(doubt.why.clone()),
            }),
        }
    }

    fn of_resource(&self, reference: &Reference, filters: &[&str]) -> Referred {
        let resource = self.resource_of(&reference.id);
        if resource.is_some_and(|resource| filters.contains(&resource.kind)) {
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
}
