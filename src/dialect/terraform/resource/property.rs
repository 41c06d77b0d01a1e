//! Values of the language to values of rules: what is known with its bytes, what is not with its doubt.
//!
//! INVARIANT: two unknowns have one key only if they are one value; what a condition chooses together stays together.

use std::sync::Arc;

use super::draft::Drafts;
use crate::cloud::{self, Guard};
use crate::dialect::terraform::value::{Doubt, Item, Kind, Reason, Unknown, Value, Why, scalar_text};

/// Ways in which the values of one rule may be combined.
const MAX_WAYS: usize = 64;

/// How deep lists are looked into for one attribute.
const MAX_DEPTH: usize = 8;

/// One way in which values may be combined, and what it depends on.
pub(super) struct Way {
    pub(super) values: Vec<Option<Value>>,
    pub(super) guards: Vec<Guard>,
}

/// One element of an attribute, and what it depends on.
#[derive(Debug, Clone)]
pub(super) struct Element {
    pub(super) value: Value,
    pub(super) guards: Vec<Guard>,
}

/// What has an identity: kept, so that its place in memory is no other's.
pub(super) enum Kept {
    Unknown(Arc<Unknown>),
    Why(Arc<Why>),
}

impl Kept {
    fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Unknown(one), Self::Unknown(other)) => Arc::ptr_eq(one, other),
            (Self::Why(one), Self::Why(other)) => Arc::ptr_eq(one, other),
            _ => false,
        }
    }

    pub(super) fn address(&self) -> usize {
        match self {
            Self::Unknown(unknown) => Arc::as_ptr(unknown).addr(),
            Self::Why(why) => Arc::as_ptr(why).addr(),
        }
    }
}

impl Drafts<'_> {
    /// The number of something that is not known: the same for the same thing.
    fn identity(&mut self, kept: Kept) -> usize {
        let address = kept.address();
        if let Some((at, known)) = self.identities.get(&address)
            && known.is(&kept)
        {
            return *at;
        }
        let at = self.next_identity();
        self.identities.insert(address, (at, kept));
        at
    }

    fn next_identity(&mut self) -> usize {
        self.n_identities += 1;
        self.n_identities
    }

    pub(super) fn named_doubt(&mut self, why: &Arc<Why>, name: &str) -> cloud::Doubt {
        let key = format!("{} {name}", self.unit);
        self.doubt_of(why, key.into())
    }

    /// A doubt that has its key in the whole run.
    pub(super) fn doubt_of(&mut self, why: &Arc<Why>, key: Arc<str>) -> cloud::Doubt {
        self.reasons.entry(why.span).or_insert_with(|| why.clone());
        cloud::Doubt {
            key,
            why: why.text.as_str().into(),
            span: why.span,
        }
    }

    /// A doubt of its own.
    pub(super) fn new_doubt(&mut self, why: &Arc<Why>) -> cloud::Doubt {
        let at = self.next_identity();
        self.named_doubt(why, &format!("part {at}"))
    }

    /// What it depends on whether something is there.
    pub(super) fn guard(&mut self, doubt: Option<&Doubt>) -> Vec<Guard> {
        let Some(doubt) = doubt else {
            return Vec::new();
        };
        vec![Guard {
            doubt: self.new_doubt(&doubt.why),
            holds: true,
        }]
    }

    /// A scalar as rules take it. What is null is not there.
    pub(super) fn scalar(&mut self, value: Option<&Value>) -> Option<cloud::Value<String>> {
        let value = value.filter(|value| !value.is_null())?;
        self.keep_way(value);
        Some(match scalar_text(value) {
            Ok(text) => cloud::Value::new(text.to_string(), value.origin.span),
            Err(_) => cloud::Value::Unknown(self.doubt_about(value)),
        })
    }

    /// Why nothing is known of a value.
    pub(super) fn doubt_about(&mut self, value: &Value) -> cloud::Doubt {
        match &value.kind {
            Kind::Unknown(unknown) => {
                let at = self.identity(Kept::Unknown(unknown.clone()));
                self.named_doubt(&unknown.why, &format!("value {at}"))
            }
            Kind::Reference(reference) => {
                let instance = &reference.instance;
                let what = format!("{}.{}", instance.address, reference.attribute);
                let (reason, when) = if instance.is_data {
                    (Reason::Data, "read when Terraform runs")
                } else {
                    (Reason::Apply, "known only after apply")
                };
                let why = Why::new(instance.span, reason, format!("`{what}` is {when}"));
                self.named_doubt(&why, &what)
            }
            _ => {
                let text = format!("a value of type {} cannot stand here", value.type_word());
                self.new_doubt(&Why::new(value.origin.span, Reason::Mistake, text))
            }
        }
    }

    /// All ways in which values may be combined: those that one condition chooses go together.
    pub(super) fn ways(&mut self, values: &[Option<&Value>]) -> Vec<Way> {
        let mut pending = vec![Way {
            values: values.iter().map(|value| value.cloned()).collect(),
            guards: Vec::new(),
        }];
        let mut ways = Vec::new();
        while let Some(way) = pending.pop() {
            let Some(unknown) = first_open(&way) else {
                ways.push(way);
                continue;
            };
            if ways.len() + pending.len() + unknown.candidates.len() > MAX_WAYS {
                ways.push(Way {
                    values: way.values.into_iter().map(|value| value.map(closed)).collect(),
                    guards: way.guards,
                });
                continue;
            }
            for place in (0..unknown.candidates.len()).rev() {
                pending.push(self.chosen(&way, &unknown, place));
            }
        }
        ways
    }

    /// One candidate of an unknown, in all values that it decides.
    fn chosen(&mut self, way: &Way, unknown: &Arc<Unknown>, place: usize) -> Way {
        let choose = |value: &Option<Value>| {
            let value = value.as_ref()?;
            match &value.kind {
                Kind::Unknown(other) if settles(unknown, other) => other.candidates.get(place).cloned(),
                _ => Some(value.clone()),
            }
        };
        let at = self.identity(if unknown.is_choice {
            Kept::Why(unknown.why.clone())
        } else {
            Kept::Unknown(unknown.clone())
        });
        let is_pair = unknown.candidates.len() == 2;
        let name = if is_pair {
            format!("choice {at}")
        } else {
            format!("choice {at}:{place}")
        };
        let guard = Guard {
            doubt: self.named_doubt(&unknown.why, &name),
            holds: !is_pair || place == 0,
        };
        Way {
            values: way.values.iter().map(choose).collect(),
            guards: way.guards.iter().cloned().chain([guard]).collect(),
        }
    }

    /// The elements of a list, a set, or of one value alone; each with what it depends on.
    pub(super) fn elements(&mut self, value: Option<&Value>) -> Vec<Element> {
        let mut elements = Vec::new();
        if let Some(value) = value {
            self.elements_under(value, &[], &mut elements, 0);
        }
        elements
    }

    fn elements_under(&mut self, value: &Value, guards: &[Guard], out: &mut Vec<Element>, depth: usize) {
        match &value.kind {
            Kind::Null => {}
            Kind::List(list) if depth <= MAX_DEPTH => {
                for item in &list.items {
                    self.element(value, item, guards, out, depth);
                }
            }
            Kind::Unknown(unknown) if !unknown.candidates.is_empty() && depth <= MAX_DEPTH => {
                for way in self.ways(&[Some(value)]) {
                    let guards: Vec<Guard> = guards.iter().cloned().chain(way.guards).collect();
                    if let Some(Some(value)) = way.values.first() {
                        self.elements_under(value, &guards, out, depth + 1);
                    }
                }
            }
            _ => out.push(Element {
                value: value.clone(),
                guards: guards.to_vec(),
            }),
        }
    }

    fn element(&mut self, list: &Value, item: &Item, guards: &[Guard], out: &mut Vec<Element>, depth: usize) {
        let mut guards = guards.to_vec();
        // What is not known may be nothing: it needs no second question whether it is there.
        if !matches!(&item.value.kind, Kind::Unknown(unknown) if unknown.candidates.is_empty()) {
            guards.extend(self.guard(item.doubt.as_ref()));
        }
        let mut value = item.value.clone();
        for span in list.origin.way().into_iter().rev() {
            value = value.through(span);
        }
        self.elements_under(&value, &guards, out, depth + 1);
    }
}

fn settles(one: &Arc<Unknown>, other: &Arc<Unknown>) -> bool {
    Arc::ptr_eq(one, other) || one.is_choice && other.is_choice && Arc::ptr_eq(&one.why, &other.why)
}

/// The first unknown of a way of which candidates are known.
fn first_open(way: &Way) -> Option<Arc<Unknown>> {
    way.values.iter().flatten().find_map(|value| match &value.kind {
        Kind::Unknown(unknown) if !unknown.candidates.is_empty() => Some(unknown.clone()),
        _ => None,
    })
}

/// The value without its candidates.
fn closed(value: Value) -> Value {
    match &value.kind {
        Kind::Unknown(unknown) if !unknown.candidates.is_empty() => Value::unknown(&unknown.why),
        _ => value,
    }
}
