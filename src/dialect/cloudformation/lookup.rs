//! What expressions name: parameters, resources and their attributes, mappings, exports of other stacks.
//!
//! INVARIANT: a parameter without a value, and whatever is only there once a stack is deployed, is a doubt of its own name.

use super::names::is_text_parameter;
use super::scope::Scope;
use super::template::Parameter;
use super::value::{Evaluated, Reference, inner_span, scalar};
use crate::cloud::{Doubt, GroupName};
use crate::dialect::Exported;
use crate::source::{Span, Spanned};
use crate::tree::Node;

impl<'t> Scope<'_, 't> {
    /// `Ref`.
    pub(in crate::dialect) fn reference(&self, argument: Node<'t>) -> Evaluated<'t> {
        let Some(name) = argument.text() else {
            return self.malformed(argument, "`Ref` takes a name");
        };
        self.named_value(name, inner_span(&argument))
    }

    /// What a name in `Ref` or in the text of `Fn::Sub` stands for.
    pub(in crate::dialect) fn named_value(&self, name: &str, span: Span) -> Evaluated<'t> {
        if name == "AWS::NoValue" {
            return Evaluated::Nothing;
        }
        let given = self.template.given.parameter(name);
        if let Some(given) = given
            && (name.contains("::") || self.template.parameters.contains_key(name))
        {
            return self.typed_parameter(name, given.clone());
        }
        if let Some(parameter) = self.template.parameters.get(name) {
            return self.parameter(name, *parameter, span);
        }
        if self.template.resource_of(name).is_some() {
            return Evaluated::Resource(Reference {
                id: name.to_owned(),
                attribute: None,
                span,
            });
        }
        let why = if name.contains("::") {
            format!("`{name}` is not known before the stack is deployed")
        } else {
            let why = format!("there is no parameter or resource `{name}`");
            self.missing(why.clone(), span);
            why
        };
        Evaluated::Unknown(self.template.doubt(name, why, span))
    }

    fn parameter(&self, name: &str, parameter: Parameter<'t>, span: Span) -> Evaluated<'t> {
        let what = format!("parameter {name}");
        if !is_text_parameter(parameter.kind) {
            let why = format!("parameter `{name}` is looked up when the stack is deployed");
            return Evaluated::Unknown(self.template.doubt(&what, why, span));
        }
        match parameter.default {
            Some(default) if default.is_scalar() => {
                let text = Spanned::new(scalar(&default), inner_span(&default));
                self.typed_parameter(name, text)
            }
            Some(default) => self.value(default),
            None => {
                let why = format!("parameter `{name}` has no value");
                Evaluated::Unknown(self.template.doubt(&what, why, span))
            }
        }
    }

    /// A text as the type of the parameter takes it: lists are separated by commas.
    fn typed_parameter(&self, name: &str, text: Spanned<String>) -> Evaluated<'t> {
        let kind = self
            .template
            .parameters
            .get(name)
            .map_or("", |parameter| parameter.kind);
        let is_list =
            ["CommaDelimitedList", "comma_delimited_list"].contains(&kind) || kind.starts_with("List<");
        if is_list {
            return Evaluated::List(pieces(&text, ","));
        }
        Evaluated::Text(text)
    }

    /// `get_param`: a name, or a name and a way into the value.
    pub(in crate::dialect) fn get_param(&self, argument: Node<'t>) -> Evaluated<'t> {
        if let Some(name) = argument.text() {
            return self.parameter_value(name, inner_span(&argument));
        }
        let mut parts = argument.items();
        let Some((node, name)) = parts.next().and_then(|node| Some((node, node.text()?))) else {
            return self.malformed(argument, "`get_param` takes a name");
        };
        let mut value = self.parameter_value(name, inner_span(&node));
        for part in parts {
            let key = match self.value(part) {
                Evaluated::Text(key) => key.value,
                _ => return self.malformed(part, "the way into a parameter is made of keys"),
            };
            value = match value {
                Evaluated::Map(node) => self.property(node, &key),
                Evaluated::List(list) => {
                    let item = key.parse().ok().and_then(|at: usize| list.get(at).cloned());
                    item.unwrap_or(Evaluated::Nothing)
                }
                Evaluated::Unknown(doubt) => {
                    let what = format!("{} {key}", self.template.short(&doubt.key));
                    Evaluated::Unknown(self.template.doubt(&what, doubt.why.to_string(), doubt.span))
                }
                _ => return self.malformed(part, "the parameter has no such part"),
            };
        }
        value
    }

    fn parameter_value(&self, name: &str, span: Span) -> Evaluated<'t> {
        let is_known = name.starts_with("OS::") || self.template.parameters.contains_key(name);
        if is_known {
            return self.named_value(name, span);
        }
        let why = format!("there is no parameter `{name}`");
        self.missing(why.clone(), span);
        Evaluated::Unknown(self.template.doubt(name, why, span))
    }

    /// `get_resource`.
    pub(in crate::dialect) fn get_resource(&self, argument: Node<'t>) -> Evaluated<'t> {
        let Some(id) = argument.text() else {
            return self.malformed(argument, "`get_resource` takes a name");
        };
        let span = inner_span(&argument);
        if self.template.resource_of(id).is_some() {
            return Evaluated::Resource(Reference {
                id: id.to_owned(),
                attribute: None,
                span,
            });
        }
        let why = format!("there is no resource `{id}`");
        self.missing(why.clone(), span);
        Evaluated::Unknown(self.template.doubt(id, why, span))
    }

    /// `Fn::GetAtt`: `a.b`, or the two in a list.
    pub(in crate::dialect) fn attribute(&self, argument: Node<'t>) -> Evaluated<'t> {
        if let Some(text) = argument.text() {
            return match text.split_once('.') {
                Some((id, attribute)) => self.attribute_of(id, attribute, inner_span(&argument)),
                None => self.malformed(argument, "`Fn::GetAtt` takes a resource and an attribute"),
            };
        }
        let parts: Vec<_> = argument.items().collect();
        // Heat names a way into the attribute behind it.
        let ([id, attribute] | [id, attribute, ..]) = parts.as_slice() else {
            return self.malformed(argument, "`Fn::GetAtt` takes a resource and an attribute");
        };
        let (Some(id), Evaluated::Text(attribute)) = (id.text(), self.value(*attribute)) else {
            return self.malformed(argument, "`Fn::GetAtt` takes a resource and an attribute");
        };
        self.attribute_of(id, &attribute.value, inner_span(&argument))
    }

    /// An attribute of a resource: networks of VPCs are what their properties say.
    pub(in crate::dialect) fn attribute_of(&self, id: &str, attribute: &str, span: Span) -> Evaluated<'t> {
        let Some(resource) = self.template.resource_of(id) else {
            let why = format!("there is no resource `{id}`");
            self.missing(why.clone(), span);
            return Evaluated::Unknown(self.template.doubt(id, why, span));
        };
        if attribute == "CidrBlock"
            && let Some(property) = resource.property("CidrBlock")
        {
            return self.value(property);
        }
        Evaluated::Resource(Reference {
            id: id.to_owned(),
            attribute: Some(attribute.to_owned()),
            span,
        })
    }

    /// `Fn::FindInMap`: a map, a key, and a key in what that has. With a fourth part, what else.
    pub(in crate::dialect) fn find_in_map(&self, argument: Node<'t>) -> Evaluated<'t> {
        let mut parts = argument.items();
        let (Some(map), Some(top), Some(second)) = (parts.next(), parts.next(), parts.next()) else {
            return self.malformed(argument, "`Fn::FindInMap` takes a map and two keys");
        };
        let mut keys = Vec::new();
        for part in [map, top, second] {
            match self.value(part) {
                Evaluated::Text(text) => keys.push(text.value),
                Evaluated::Unknown(doubt) => return Evaluated::Unknown(self.looked_up(&keys, &doubt)),
                _ => return self.malformed(part, "a key of a map is a text"),
            }
        }
        let found = keys
            .iter()
            .try_fold(self.template.mappings, |map, key| Some(map?.get(key)));
        match found.flatten() {
            Some(value) => self.value(value),
            None => match parts.next().and_then(|rest| rest.get("DefaultValue")) {
                Some(default) => self.value(default),
                None => self.malformed(argument, "the map has no such key"),
            },
        }
    }

    /// A value of a map whose key is not known: another one than the key.
    fn looked_up(&self, keys: &[String], doubt: &Doubt) -> Doubt {
        let what = format!("{} of map {}", self.template.short(&doubt.key), keys.join(" "));
        self.template.doubt(&what, doubt.why.to_string(), doubt.span)
    }

    /// What another template of the run exports by a name.
    fn exported(&self, name: &str) -> Option<&Exported> {
        self.template.given.exports.get(name)?.as_ref()
    }

    /// `Fn::ImportValue`: exports have one name for all stacks.
    pub(in crate::dialect) fn import(&self, argument: Node<'t>) -> Evaluated<'t> {
        let span = inner_span(&argument);
        match self.argument(argument) {
            Evaluated::Text(name) if self.exported(&name.value).is_some() => {
                match self.exported(&name.value) {
                    Some(Exported::Text(text)) => Evaluated::Text(text.clone()),
                    Some(Exported::Group(key, group)) => Evaluated::Group(
                        GroupName {
                            key: key.clone(),
                            name: group.clone(),
                        },
                        name.span,
                    ),
                    None => Evaluated::Nothing,
                }
            }
            Evaluated::Text(name) => Evaluated::Unknown(Doubt {
                key: format!("export {}", name.value).into(),
                why: format!("`{}` is exported by another stack", name.value).into(),
                span: name.span,
            }),
            Evaluated::Unknown(doubt) => {
                let what = format!("export {}", self.template.short(&doubt.key));
                let why = "it is exported by another stack";
                Evaluated::Unknown(self.template.doubt(&what, why, doubt.span))
            }
            _ => Evaluated::Unknown(self.template.doubt(
                &format!("export at {}", span.start),
                "it is exported by another stack",
                span,
            )),
        }
    }
}

/// The pieces of a text between separators, each with its bytes where the text lies in the file as it is.
pub(in crate::dialect) fn pieces<'t>(text: &Spanned<String>, separator: &str) -> Vec<Evaluated<'t>> {
    let is_verbatim = (text.span.end - text.span.start) as usize == text.value.len();
    let piece = |piece: &str| {
        let trimmed = piece.trim();
        let offset = (trimmed.as_ptr() as usize).wrapping_sub(text.value.as_ptr() as usize);
        let start = u32::try_from(offset).ok().filter(|_| is_verbatim);
        let length = u32::try_from(trimmed.len()).unwrap_or(0);
        let span = start.map_or(text.span, |start| {
            let start = text.span.start + start;
            Span::new(text.span.file, start, start + length)
        });
        Evaluated::Text(Spanned::new(trimmed.to_owned(), span))
    };
    text.value.split(separator).map(piece).collect()
}
