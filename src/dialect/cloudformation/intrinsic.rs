//! Intrinsic functions: those of `CloudFormation` in both of their forms (`!Ref X` and `{Ref: X}`, `!GetAtt a.b` and
//! `{"Fn::GetAtt": ["a", "b"]}`), and those of Heat (`{get_param: X}`).
//!
//! INVARIANT: calls that mean the same are the same [`Call`], in whichever form and language.

use crate::source::Span;
use crate::tree::Node;

/// What a function does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::dialect) enum Function {
    /// A parameter or a resource.
    Ref,
    /// A parameter, or a part of one.
    Parameter,
    /// A resource.
    Resource,
    /// An attribute of a resource.
    GetAtt,
    /// Text with values in it.
    Sub,
    /// Text in which words are replaced by values.
    Replace,
    /// A list as a text.
    Join,
    /// A text as a list.
    Split,
    /// One of a list.
    Select,
    /// A value of the mappings.
    FindInMap,
    /// Subnets of a network.
    Cidr,
    /// One of two values.
    If,
    /// What another stack exports.
    ImportValue,
    /// Any other: nobody knows what it gives.
    Unmodelled,
}

/// The functions whose values are computed, by their long names, `Ref` apart.
pub(in crate::dialect) const FUNCTIONS: &[(&str, Function)] = &[
    ("GetAtt", Function::GetAtt),
    ("Sub", Function::Sub),
    ("Join", Function::Join),
    ("Split", Function::Split),
    ("Select", Function::Select),
    ("FindInMap", Function::FindInMap),
    ("Cidr", Function::Cidr),
    ("If", Function::If),
    ("ImportValue", Function::ImportValue),
];

/// The functions of Heat whose values are computed.
pub(in crate::dialect) const HEAT_FUNCTIONS: &[(&str, Function)] = &[
    ("get_param", Function::Parameter),
    ("get_resource", Function::Resource),
    ("get_attr", Function::GetAtt),
    ("str_replace", Function::Replace),
    ("str_replace_strict", Function::Replace),
    ("str_replace_vstrict", Function::Replace),
    ("list_join", Function::Join),
    ("str_split", Function::Split),
    ("if", Function::If),
];

/// The other functions of Heat.
pub(in crate::dialect) const HEAT_UNMODELLED: &[&str] = &[
    "get_file",
    "digest",
    "repeat",
    "resource_facade",
    "map_merge",
    "map_replace",
    "list_concat",
    "list_concat_unique",
    "contains",
    "filter",
    "make_url",
    "yaql",
];

/// Whose template it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::dialect) enum Language {
    /// Of AWS.
    CloudFormation,
    /// Of `OpenStack`.
    Heat,
}

impl Language {
    /// The call that an expression is, if it is one.
    pub(in crate::dialect) fn call(self, node: Node<'_>) -> Option<Call<'_>> {
        match self {
            Self::CloudFormation => tagged_call(node).or_else(|| self.long_call(node)),
            Self::Heat => self.long_call(node),
        }
    }

    /// The call that a mapping with the name of a function as its one key is.
    pub(in crate::dialect) fn long_call(self, node: Node<'_>) -> Option<Call<'_>> {
        let mut entries = node.entries();
        let only = entries.next().filter(|_| entries.next().is_none())?;
        let name = only.name();
        let function = match (self, name.strip_prefix("Fn::")) {
            (Self::CloudFormation, Some(short)) => function(short),
            (Self::CloudFormation, None) if name == "Ref" => Function::Ref,
            (Self::CloudFormation, None) => return None,
            (Self::Heat, _) => {
                let found = HEAT_FUNCTIONS.iter().find(|(known, _)| *known == name);
                match found {
                    Some((_, function)) => *function,
                    None if HEAT_UNMODELLED.contains(&name) => Function::Unmodelled,
                    None => return None,
                }
            }
        };
        Some(Call {
            function,
            name,
            argument: only.value,
            span: only.value.span(),
        })
    }
}

/// A call of a function.
#[derive(Debug, Clone, Copy)]
pub(in crate::dialect) struct Call<'t> {
    pub(in crate::dialect) function: Function,
    /// As it is written: `!Ref`, `Fn::GetAtt`.
    pub(in crate::dialect) name: &'t str,
    pub(in crate::dialect) argument: Node<'t>,
    /// The bytes to point at.
    pub(in crate::dialect) span: Span,
}

/// The call in short form: a tag.
fn tagged_call(node: Node<'_>) -> Option<Call<'_>> {
    let tag = node.tag().filter(|tag| !tag.starts_with("!!") && *tag != "!")?;
    let short = tag.trim_start_matches('!');
    Some(Call {
        function: function(short.strip_prefix("Fn::").unwrap_or(short)),
        name: tag,
        argument: node,
        span: node.span(),
    })
}

fn function(short: &str) -> Function {
    if short == "Ref" {
        return Function::Ref;
    }
    let found = FUNCTIONS.iter().find(|(name, _)| *name == short);
    found.map_or(Function::Unmodelled, |entry| entry.1)
}
