//! Intrinsic functions in both of their forms: `!Ref X` and `{Ref: X}`, `!GetAtt a.b` and `{"Fn::GetAtt": ["a", "b"]}`.
//!
//! INVARIANT: both forms of one call are the same [`Call`].

use crate::source::Span;
use crate::tree::Node;

/// What a function does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    /// A parameter or a resource.
    Ref,
    /// An attribute of a resource.
    GetAtt,
    /// Text with values in it.
    Sub,
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
pub(super) const FUNCTIONS: &[(&str, Function)] = &[
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

/// A call of a function.
#[derive(Debug, Clone, Copy)]
pub(super) struct Call<'t> {
    pub(super) function: Function,
    /// As it is written: `!Ref`, `Fn::GetAtt`.
    pub(super) name: &'t str,
    pub(super) argument: Node<'t>,
    /// The bytes to point at.
    pub(super) span: Span,
}

/// The call that an expression is, if it is one.
pub(super) fn call(node: Node<'_>) -> Option<Call<'_>> {
    if let Some(tag) = node.tag().filter(|tag| !tag.starts_with("!!") && *tag != "!") {
        let short = tag.trim_start_matches('!');
        return Some(Call {
            function: function(short.strip_prefix("Fn::").unwrap_or(short)),
            name: tag,
            argument: node,
            span: node.span(),
        });
    }
    long_call(node)
}

/// The call that a mapping with the one key `Ref` or `Fn::…` is.
pub(super) fn long_call(node: Node<'_>) -> Option<Call<'_>> {
    let mut entries = node.entries();
    let only = entries.next().filter(|_| entries.next().is_none())?;
    let name = only.name();
    let short = match name.strip_prefix("Fn::") {
        Some(short) => short,
        None if name == "Ref" => name,
        None => return None,
    };
    Some(Call {
        function: function(short),
        name,
        argument: only.value,
        span: only.value.span(),
    })
}

fn function(short: &str) -> Function {
    if short == "Ref" {
        return Function::Ref;
    }
    let found = FUNCTIONS.iter().find(|(name, _)| *name == short);
    found.map_or(Function::Unmodelled, |entry| entry.1)
}
