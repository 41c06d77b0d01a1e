//! What is in sets and maps.
//!
//! INVARIANT: an element that may be gone, or that something gates, is never taken to be in for sure.

use std::sync::Arc;

use super::Texts;
use super::program::Set;
use super::scope::behind;
use super::value::{Effort, Refusal, ranges};
use crate::dialect::nftables::ast::{Data, Element, Expr, ExprKind, Intervals, KeyType, Unread};
use crate::dialect::nftables::names::{Type, type_of_name};
use crate::model::Elements;
use crate::packet::RangeSet;

/// Elements that sets and definitions may have, however they are nested.
const MAX_ELEMENTS: usize = 1 << 24;

/// Elements of a set, read.
#[derive(Debug, Default)]
pub(super) struct Content<'p, 'a> {
    /// Keys of one part without anything else to them.
    pub(super) plain: RangeSet,
    /// All other elements.
    pub(super) tuples: Vec<Tuple<'p, 'a>>,
    /// What is wrong with some elements.
    pub(super) reversed: Vec<Unread<'a>>,
    /// Of a set with a name: its elements with their places.
    pub(super) elements: Option<Arc<Elements>>,
}

impl Content<'_, '_> {
    /// Whether nothing is in it.
    pub(super) fn is_empty(&self) -> bool {
        self.plain.is_empty() && self.tuples.is_empty()
    }
}

/// One element.
#[derive(Debug, Clone)]
pub(super) struct Tuple<'p, 'a> {
    pub(super) text: &'a str,
    pub(super) key: Vec<RangeSet>,
    /// It may be gone, or something gates it.
    pub(super) is_unsure: bool,
    pub(super) data: Option<&'p Data<'a>>,
}

/// Reads elements into one content.
struct Reader<'k, 'p, 'a> {
    kinds: &'k [Type],
    effort: Effort<'a>,
    plain: Vec<(u128, u128)>,
    tuples: Vec<Tuple<'p, 'a>>,
    /// Why some element is not known.
    unknown: Option<&'static str>,
    /// Whether `*` is among the elements: it stands for all others.
    has_wildcard: bool,
    /// The elements with their places, if they are asked for and none was taken out again.
    listed: Option<(Elements, Texts<'k, 'a>)>,
}

/// The elements of a set in braces, or of one value.
pub(super) fn of_expr<'p, 'a>(expr: &'p Expr<'a>, kinds: &[Type]) -> Result<Content<'p, 'a>, Refusal<'a>> {
    let mut reader = Reader {
        kinds,
        effort: Effort::new(MAX_ELEMENTS),
        plain: Vec::new(),
        tuples: Vec::new(),
        unknown: None,
        has_wildcard: false,
        listed: None,
    };
    reader.expr(expr)?;
    reader.content()
}

/// The elements of a named set.
pub(super) fn of_set<'p, 'a>(
    set: &'p Set<'a>,
    kinds: &[Type],
    texts: Texts<'_, 'a>,
) -> Result<Content<'p, 'a>, Refusal<'a>> {
    let mut reader = Reader {
        kinds,
        effort: Effort::new(MAX_ELEMENTS),
        plain: Vec::new(),
        tuples: Vec::new(),
        unknown: None,
        has_wildcard: false,
        listed: Some((Elements::new(kinds.len()), texts)),
    };
    for (is_added, expr) in &set.changes {
        if *is_added {
            reader.expr(expr)?;
        } else {
            reader.delete(expr)?;
        }
    }
    if set.intervals == Intervals::Apart && overlap(&reader) {
        let unread = Unread::new(set.text, "intervals of this set overlap");
        reader
            .effort
            .reversed
            .push(unread.help("declare it with `auto-merge`"));
    }
    reader.content()
}

impl<'p, 'a> Reader<'_, 'p, 'a> {
    fn content(self) -> Result<Content<'p, 'a>, Refusal<'a>> {
        if let Some(why) = self.unknown {
            return Err(Refusal::Unknown(why));
        }
        Ok(Content {
            plain: RangeSet::from_ranges(self.plain),
            tuples: self.tuples,
            reversed: self.effort.reversed,
            elements: self.listed.map(|(elements, _)| Arc::new(elements)),
        })
    }

    /// Recursive over sets in sets, which definitions nest no deeper than a text has brackets.
    fn expr(&mut self, expr: &'p Expr<'a>) -> Result<(), Refusal<'a>> {
        match &behind(expr).kind {
            ExprKind::Set(elements) => elements.iter().try_for_each(|element| {
                let read = self.element(element);
                self.past_unknown(read)
            }),
            ExprKind::List(parts) if !self.kinds.first().is_some_and(|kind| kind.is_flags()) => {
                parts.iter().try_for_each(|part| {
                    let read = self.value(part);
                    self.past_unknown(read)
                })
            }
            _ => self.value(expr),
        }
    }

    /// Goes on behind an element that is not known: what is wrong with the others is said.
    fn past_unknown(&mut self, read: Result<(), Refusal<'a>>) -> Result<(), Refusal<'a>> {
        match read {
            Err(Refusal::Unknown(why)) => {
                self.unknown = Some(why);
                Ok(())
            }
            read => read,
        }
    }

    fn spend(&mut self, at: &'a str) -> Result<(), Refusal<'a>> {
        self.effort.left = self
            .effort
            .left
            .checked_sub(1)
            .ok_or_else(|| Unread::new(at, "there are too many elements"))?;
        Ok(())
    }

    fn value(&mut self, expr: &'p Expr<'a>) -> Result<(), Refusal<'a>> {
        self.spend(expr.text)?;
        self.has_wildcard |= matches!(expr.kind, ExprKind::Wildcard);
        if let [kind] = self.kinds {
            let before = self.plain.len();
            ranges(expr, *kind, &mut self.effort, &mut self.plain)?;
            if let Some((elements, texts)) = &mut self.listed {
                let at = texts.span(behind(expr).text);
                let new = self.plain.get(before..).unwrap_or(&[]).iter();
                new.for_each(|range| elements.push(at, std::iter::once(*range)));
            }
            return Ok(());
        }
        let key = self.key(expr)?;
        self.list(expr, &key);
        self.tuples.push(Tuple {
            text: expr.text,
            key,
            is_unsure: false,
            data: None,
        });
        Ok(())
    }

    fn element(&mut self, element: &'p Element<'a>) -> Result<(), Refusal<'a>> {
        let is_bare = !element.expires && !element.gated && element.data.is_none();
        if is_bare {
            return match &behind(&element.key).kind {
                ExprKind::Set(_) => {
                    self.spend(element.key.text)?;
                    self.expr(&element.key)
                }
                _ => self.value(&element.key),
            };
        }
        self.spend(element.key.text)?;
        let key = self.key(&element.key)?;
        self.list(&element.key, &key);
        self.tuples.push(Tuple {
            text: element.key.text,
            key,
            is_unsure: element.expires || element.gated,
            data: element.data.as_deref(),
        });
        Ok(())
    }

    /// Keeps the place of an element each of whose parts is one range.
    fn list(&mut self, element: &Expr<'a>, key: &[RangeSet]) {
        let single = |part: &RangeSet| <[(u128, u128); 1]>::try_from(part.ranges()).ok();
        let ranges: Option<Vec<_>> = key.iter().map(single).collect();
        if let (Some((elements, texts)), Some(ranges)) = (&mut self.listed, ranges) {
            let ranges = ranges.into_iter().map(|[range]| range);
            elements.push(texts.span(behind(element).text), ranges);
        }
    }

    /// The parts of a key.
    fn key(&mut self, expr: &Expr<'a>) -> Result<Vec<RangeSet>, Refusal<'a>> {
        let kinds = self.kinds;
        let mut part = |expr: &Expr<'a>, kind: Type| {
            let mut found = Vec::new();
            ranges(expr, kind, &mut self.effort, &mut found)?;
            Ok(RangeSet::from_ranges(found))
        };
        let whole = behind(expr);
        match (&whole.kind, kinds) {
            (ExprKind::Wildcard, _) => Ok(kinds.iter().map(|kind| RangeSet::range(0, kind.max())).collect()),
            (_, [kind]) => Ok(vec![part(whole, *kind)?]),
            (ExprKind::Concat(parts), _) => {
                let mut flat = Vec::new();
                flatten(parts, &mut flat);
                if flat.len() != kinds.len() {
                    let message = format!("this has {} parts, not {}", flat.len(), kinds.len());
                    return Err(Unread::new(expr.text, message).into());
                }
                flat.iter()
                    .zip(kinds)
                    .map(|(one, kind)| part(one, *kind))
                    .collect()
            }
            _ => Err(Unread::new(expr.text, format!("this has one part, not {}", kinds.len())).into()),
        }
    }

    /// Takes out what a deletion names.
    fn delete(&mut self, expr: &'p Expr<'a>) -> Result<(), Refusal<'a>> {
        let gone = of_expr(expr, self.kinds)?;
        self.listed = None;
        if !gone.plain.is_empty() {
            let plain = RangeSet::from_ranges(std::mem::take(&mut self.plain));
            self.plain = plain.difference(&gone.plain).ranges().to_vec();
            self.tuples
                .retain(|tuple| !matches!(tuple.key.as_slice(), [one] if one.is_subset(&gone.plain)));
        }
        self.tuples
            .retain(|tuple| gone.tuples.iter().all(|other| other.key != tuple.key));
        Ok(())
    }
}

/// What is wrong with an element of a set that has a verdict or a value.
pub(super) fn leads_nowhere(element: &str) -> Unread<'_> {
    Unread::new(element, "a key of a set leads nowhere")
}

/// The first prefix or range among the elements of a set that is not declared to hold any: nft refuses it.
pub(super) fn misplaced_interval<'a>(set: &Set<'a>) -> Option<&'a str> {
    let added = set
        .changes
        .iter()
        .filter(|(is_added, _)| *is_added && set.intervals == Intervals::None);
    added.map(|(_, expr)| expr).find_map(interval_in)
}

/// Recursive over sets in sets, which definitions nest no deeper than a text has brackets.
fn interval_in<'a>(expr: &Expr<'a>) -> Option<&'a str> {
    let expr = behind(expr);
    match &expr.kind {
        ExprKind::Prefix(..) | ExprKind::Range(_) => Some(expr.text),
        ExprKind::Concat(parts) | ExprKind::List(parts) => parts.iter().find_map(interval_in),
        ExprKind::Set(elements) => elements.iter().find_map(|element| interval_in(&element.key)),
        _ => None,
    }
}

/// Whether some ranges have values in common, and are not the same. The element for all others overlaps none.
fn overlap(read: &Reader<'_, '_, '_>) -> bool {
    let all = (0, read.kinds.first().map_or(u128::MAX, |kind| kind.max()));
    let ranges = read
        .plain
        .iter()
        .filter(|range| !read.has_wildcard || **range != all);
    let mut sorted: Vec<_> = ranges.collect();
    sorted.sort_unstable();
    sorted.dedup();
    sorted
        .windows(2)
        .any(|pair| matches!(pair, [one, two] if two.0 <= one.1))
}

/// Parts of parts side by side: a definition may stand for several.
fn flatten<'e, 'a>(parts: &'e [Expr<'a>], into: &mut Vec<&'e Expr<'a>>) {
    for part in parts {
        match &behind(part).kind {
            ExprKind::Concat(inner) => flatten(inner, into),
            _ => into.push(part),
        }
    }
}

/// The types of a set's keys as its declaration gives them; `None` where it does not, or where one is not known.
pub(super) fn declared<'a>(set: &Set<'a>) -> Result<Option<Vec<Type>>, Unread<'a>> {
    let mut kinds = Vec::with_capacity(set.keys.len());
    for key in &set.keys {
        kinds.push(match key {
            KeyType::Named(name) => {
                type_of_name(name).ok_or_else(|| Unread::new(name, format!("`{name}` is no type")))?
            }
            KeyType::Of(expr) => match &expr.kind {
                ExprKind::Selector(key) => key.kind(),
                _ => Type::Opaque,
            },
        });
    }
    Ok((!kinds.is_empty()).then_some(kinds))
}
