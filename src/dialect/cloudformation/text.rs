//! Functions that make texts and lists: `Fn::Sub`, `Fn::Join`, `Fn::Split`, `Fn::Select`, `Fn::Cidr`.
//!
//! INVARIANT: a text of which a part is not known is not known, and is another value than that part.

use super::lookup::pieces;
use super::scope::Scope;
use super::value::{Evaluated, inner_span};
use crate::cloud::Doubt;
use crate::packet::{Family, Network};
use crate::source::{Span, Spanned};
use crate::tree::Node;

/// How long a text may become.
const MAX_TEXT: usize = 1 << 16;

/// How many subnets `Fn::Cidr` gives at the most (its documentation).
const MAX_SUBNETS: u32 = 256;

/// A text that is put together from parts.
struct Joined {
    text: String,
    /// As `text`, with the names of doubts for what is not known.
    named: String,
    doubt: Option<Doubt>,
    /// The place of the only part, if there is one.
    only: Option<Span>,
    n_parts: usize,
}

impl Joined {
    fn new() -> Self {
        Self {
            text: String::new(),
            named: String::new(),
            doubt: None,
            only: None,
            n_parts: 0,
        }
    }

    fn literal(&mut self, text: &str) {
        if !text.is_empty() {
            self.n_parts += 1;
            self.push(text);
        }
    }

    fn push(&mut self, text: &str) {
        if self.text.len() + text.len() <= MAX_TEXT && self.named.len() + text.len() <= MAX_TEXT {
            self.text.push_str(text);
            self.named.push_str(text);
        } else {
            self.n_parts = usize::MAX / 2;
        }
    }

    fn part(&mut self, unit: &str, part: Evaluated<'_>) {
        use crate::cloud::Value;
        match part.into_text(unit) {
            None => {}
            Some(Value::Known(text)) => {
                self.n_parts += 1;
                self.only = Some(text.span);
                self.push(&text.value);
            }
            Some(Value::Unknown(doubt)) => {
                self.n_parts += 1;
                self.only = Some(doubt.span);
                if self.named.len() + doubt.key.len() <= MAX_TEXT {
                    self.named.push_str(&doubt.key);
                }
                self.doubt.get_or_insert(doubt);
            }
        }
    }
}

impl<'t> Scope<'_, 't> {
    /// What the parts make together; `span` is where it is written.
    fn together(&self, joined: Joined, span: Span) -> Evaluated<'t> {
        if joined.n_parts >= usize::MAX / 2 {
            return Evaluated::Unknown(self.too_much(span));
        }
        let span = joined.only.filter(|_| joined.n_parts == 1).unwrap_or(span);
        match joined.doubt {
            None => Evaluated::Text(Spanned::new(joined.text, span)),
            Some(doubt) if joined.n_parts == 1 => Evaluated::Unknown(doubt),
            Some(doubt) => {
                let named = joined.named.replace(&format!("{} ", self.template.unit), "");
                let what = format!("text {named}");
                Evaluated::Unknown(self.template.doubt(&what, doubt.why.to_string(), span))
            }
        }
    }

    /// `Fn::Sub`: a text with `${name}` and `${resource.attribute}`, and perhaps values for more names.
    pub(in crate::dialect) fn sub(&self, argument: Node<'t>) -> Evaluated<'t> {
        let (text, values) = if argument.is_sequence() {
            let mut parts = argument.items();
            (parts.next(), parts.next())
        } else {
            (Some(argument), None)
        };
        let Some((node, text)) = text.and_then(|node| Some((node, node.text()?))) else {
            return self.malformed(argument, "`Fn::Sub` takes a text");
        };
        let (span, unit) = (inner_span(&node), self.template.unit);
        let mut joined = Joined::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            joined.literal(before);
            let Some((name, behind)) = after.split_once('}') else {
                joined.literal("${");
                rest = after;
                continue;
            };
            rest = behind;
            let name = name.trim();
            if let Some(literal) = name.strip_prefix('!') {
                joined.literal(&format!("${{{literal}}}"));
            } else if let Some(value) = values.and_then(|values| values.get(name)) {
                joined.part(unit, self.value(value));
            } else if let (Some((id, attribute)), false) = (name.split_once('.'), name.starts_with("AWS::")) {
                joined.part(unit, self.attribute_of(id, attribute, span));
            } else {
                joined.part(unit, self.named_value(name, span));
            }
        }
        joined.literal(rest);
        self.together(joined, span)
    }

    /// `str_replace`: a text, and values for words in it; of two words that fit, the longer.
    pub(in crate::dialect) fn replace(&self, argument: Node<'t>) -> Evaluated<'t> {
        let Evaluated::Text(text) = self.property(argument, "template") else {
            return self.malformed(argument, "`str_replace` takes a text");
        };
        let mut words: Vec<(&str, Node<'t>)> = argument
            .get("params")
            .into_iter()
            .flat_map(|params| params.entries())
            .map(|entry| (entry.name(), entry.value))
            .filter(|(word, _)| !word.is_empty())
            .collect();
        words.sort_by_key(|(word, _)| std::cmp::Reverse(word.len()));
        let mut joined = Joined::new();
        let (mut literal, mut rest) = (String::new(), text.value.as_str());
        while let Some(first) = rest.chars().next() {
            let word = words.iter().find(|(word, _)| rest.starts_with(word));
            if let Some((word, value)) = word {
                joined.literal(&std::mem::take(&mut literal));
                joined.part(self.template.unit, self.value(*value));
                rest = rest.get(word.len()..).unwrap_or("");
            } else {
                literal.push(first);
                rest = rest.get(first.len_utf8()..).unwrap_or("");
            }
        }
        joined.literal(&literal);
        self.together(joined, text.span)
    }

    /// `Fn::Join`: a separator, and a list.
    pub(in crate::dialect) fn join(&self, argument: Node<'t>) -> Evaluated<'t> {
        let parts: Vec<_> = argument.items().map(|part| self.value(part)).collect();
        let span = argument.span();
        let (separator, list) = match parts.as_slice() {
            [Evaluated::Text(separator), Evaluated::List(list)] => (separator, list.clone()),
            // Heat joins several lists.
            [Evaluated::Text(separator), lists @ ..] if lists.iter().all(is_list) => {
                let items = lists.iter().filter_map(|list| match list {
                    Evaluated::List(items) => Some(items.clone()),
                    _ => None,
                });
                (separator, items.flatten().collect())
            }
            [_, Evaluated::Unknown(doubt)] | [Evaluated::Unknown(doubt), _] => {
                return Evaluated::Unknown(self.made_of("join", doubt));
            }
            _ => return self.malformed(argument, "`Fn::Join` takes a separator and a list"),
        };
        let mut joined = Joined::new();
        for (at, part) in list.iter().enumerate() {
            if at > 0 {
                joined.literal(&separator.value);
            }
            joined.part(self.template.unit, part.clone());
        }
        self.together(joined, span)
    }

    /// `Fn::Split`: a separator, and a text.
    pub(in crate::dialect) fn split(&self, argument: Node<'t>) -> Evaluated<'t> {
        let parts: Vec<_> = argument.items().map(|part| self.value(part)).collect();
        match parts.as_slice() {
            [Evaluated::Text(separator), Evaluated::Text(text)] if !separator.value.is_empty() => {
                Evaluated::List(pieces(text, &separator.value))
            }
            [_, Evaluated::Unknown(doubt)] | [Evaluated::Unknown(doubt), _] => {
                Evaluated::Unknown(self.made_of("split", doubt))
            }
            // The id of a resource has nothing in it to split at, or is not known.
            [Evaluated::Text(_), Evaluated::Resource(reference)] => {
                Evaluated::List(vec![Evaluated::Resource(reference.clone())])
            }
            _ => self.malformed(argument, "`Fn::Split` takes a separator and a text"),
        }
    }

    /// `Fn::Select`: an index, and a list.
    pub(in crate::dialect) fn select(&self, argument: Node<'t>) -> Evaluated<'t> {
        let parts: Vec<_> = argument.items().map(|part| self.value(part)).collect();
        match parts.as_slice() {
            [Evaluated::Text(index), Evaluated::List(list)] => {
                let index = index.value.trim().parse().ok();
                match index.and_then(|index: usize| list.get(index)) {
                    Some(item) => item.clone(),
                    None => self.malformed(argument, "the list has no such item"),
                }
            }
            [Evaluated::Text(index), Evaluated::Unknown(doubt)] => {
                Evaluated::Unknown(self.made_of(&format!("item {}", index.value), doubt))
            }
            [Evaluated::Unknown(doubt), _] => Evaluated::Unknown(self.made_of("item", doubt)),
            _ => self.malformed(argument, "`Fn::Select` takes an index and a list"),
        }
    }

    /// `Fn::Cidr`: a network, how many subnets, and how many bits each leaves for hosts.
    pub(in crate::dialect) fn cidr(&self, argument: Node<'t>) -> Evaluated<'t> {
        let parts: Vec<_> = argument.items().map(|part| self.value(part)).collect();
        let mut texts = Vec::new();
        for part in &parts {
            match part {
                Evaluated::Text(text) => texts.push(text),
                Evaluated::Unknown(doubt) => return Evaluated::Unknown(self.made_of("subnets", doubt)),
                _ => return self.malformed(argument, "`Fn::Cidr` takes a network and two numbers"),
            }
        }
        let subnets = match texts.as_slice() {
            [network, count] => subnets(&network.value, &count.value, None),
            [network, count, bits] => subnets(&network.value, &count.value, Some(&bits.value)),
            _ => None,
        };
        let Some((subnets, first)) = subnets.zip(texts.first()) else {
            return self.malformed(argument, "there are no such subnets");
        };
        let text = |subnet: String| Evaluated::Text(Spanned::new(subnet, first.span));
        Evaluated::List(subnets.into_iter().map(text).collect())
    }

    /// A value that a function makes of one that is not known.
    fn made_of(&self, how: &str, doubt: &Doubt) -> Doubt {
        let what = format!("{how} of {}", self.template.short(&doubt.key));
        self.template.doubt(&what, doubt.why.to_string(), doubt.span)
    }
}

fn is_list(value: &Evaluated<'_>) -> bool {
    matches!(value, Evaluated::List(_))
}

/// The first `count` subnets of a network; without `host_bits`, of the size that `Fn::Cidr` has by default: 256 addresses of
/// IPv4, a /64 of IPv6.
fn subnets(network: &str, count: &str, host_bits: Option<&str>) -> Option<Vec<String>> {
    let network: Network = network.trim().parse().ok()?;
    let count: u32 = count.trim().parse().ok().filter(|count| *count <= MAX_SUBNETS)?;
    let default = if network.family == Family::V4 { 8 } else { 64 };
    let host_bits: u32 = match host_bits {
        Some(bits) => bits.trim().parse().ok()?,
        None => default,
    };
    let prefix = network.family.bits().checked_sub(host_bits)?;
    let size = 1u128.checked_shl(host_bits)?;
    (0..count)
        .map(|at| {
            let low = network.low.checked_add(size.checked_mul(at.into())?)?;
            let subnet = Network::cidr(network.family.address(low), prefix)?;
            network
                .contains(&subnet)
                .then(|| format!("{}/{prefix}", network.family.address(low)))
        })
        .collect()
}
