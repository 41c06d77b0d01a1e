//! Puts a tree together from what a reader meets, in the order of the text.
//!
//! Duplicate keys, merge keys, depth and expansion are the same for both languages and are judged here. INVARIANT: every
//! `open` has its `close`, unless the document is given up ([`Builder::give_up`]).

use rustc_hash::FxHashMap;

use super::node::{Data, Shape, Style};
use super::{MAX_DEPTH, MAX_EXPANSION, MAX_VALUES, Problem, Schema, Tree};
use crate::source::Source;

/// A collection that is being read.
#[derive(Debug)]
struct Open {
    id: u32,
    is_mapping: bool,
    /// Whether it has brackets, so knows its own bytes.
    is_bracketed: bool,
    /// Where its children begin among those pending.
    first: usize,
    /// The anchor, 0 for none.
    anchor: usize,
    measure: Measure,
}

/// How much a value stands for, aliases followed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Measure {
    pub(super) n_values: u64,
    pub(super) height: u32,
}

const ONE: Measure = Measure {
    n_values: 1,
    height: 1,
};

/// Where a value is and what goes with it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Place {
    pub(super) start: usize,
    pub(super) end: usize,
    /// As [`Data::tag`].
    pub(super) tag: u32,
    /// The anchor, 0 for none.
    pub(super) anchor: usize,
}

/// A problem that ends the document.
pub(super) type Built = Result<(), Problem>;

#[derive(Debug)]
pub(super) struct Builder<'a> {
    pub(super) tree: Tree<'a>,
    open: Vec<Open>,
    pending: Vec<u32>,
    anchors: FxHashMap<usize, (u32, Measure)>,
    n_expanded: u64,
    root: Option<u32>,
}

impl<'a> Builder<'a> {
    pub(super) fn new(source: Source<'a>, schema: Schema) -> Self {
        Self {
            tree: Tree::new(source, schema),
            open: Vec::new(),
            pending: Vec::new(),
            anchors: FxHashMap::default(),
            n_expanded: 0,
            root: None,
        }
    }

    pub(super) fn problem(&self, start: usize, end: usize, message: impl Into<String>) -> Problem {
        Problem {
            span: self.tree.span(narrow(start), narrow(end)),
            message: message.into(),
            help: None,
        }
    }

    /// The number of a tag.
    pub(super) fn tag(&mut self, tag: String) -> u32 {
        let known = self.tree.tags.iter().position(|known| *known == tag);
        narrow(known.unwrap_or_else(|| {
            self.tree.tags.push(tag);
            self.tree.tags.len() - 1
        }))
        .saturating_add(1)
    }

    /// A scalar whose text stands in the file at `from..to`.
    pub(super) fn verbatim(&mut self, place: Place, style: Style, from: usize, to: usize) -> Built {
        self.scalar(place, Shape::Verbatim(style), from, to)
    }

    /// A scalar of another text than the file's.
    pub(super) fn unescaped(&mut self, place: Place, style: Style, text: &str) -> Built {
        let from = self.tree.unescaped.len();
        self.tree.unescaped.push_str(text);
        self.scalar(place, Shape::Unescaped(style), from, from + text.len())
    }

    fn scalar(&mut self, place: Place, shape: Shape, from: usize, to: usize) -> Built {
        let id = self.store(place, shape, from, to)?;
        self.anchored(place.anchor, id, ONE);
        self.add(id, ONE);
        Ok(())
    }

    fn store(&mut self, place: Place, shape: Shape, from: usize, to: usize) -> Result<u32, Problem> {
        if self.tree.nodes.len() >= MAX_VALUES {
            return Err(self.problem(place.start, place.end, format!("more than {MAX_VALUES} values")));
        }
        let id = narrow(self.tree.nodes.len());
        self.tree.nodes.push(Data {
            shape,
            tag: place.tag,
            start: narrow(place.start),
            end: narrow(place.end),
            from: narrow(from),
            to: narrow(to),
        });
        Ok(id)
    }

    /// An alias of an anchor that stands before it.
    pub(super) fn alias(&mut self, place: Place) -> Built {
        let Some(&(target, measure)) = self.anchors.get(&place.anchor) else {
            return Err(self.problem(place.start, place.end, "an alias stands inside of what it names"));
        };
        self.expand(place, measure)?;
        let id = self.store(place, Shape::Alias, target as usize, 0)?;
        self.add(id, measure);
        Ok(())
    }

    /// Whether there is room for what an alias or a merge key stands for.
    pub(super) fn expand(&mut self, place: Place, measure: Measure) -> Built {
        self.n_expanded = self.n_expanded.saturating_add(measure.n_values);
        if self.n_expanded > MAX_EXPANSION {
            let message = format!("aliases stand for more than {MAX_EXPANSION} values");
            return Err(self.problem(place.start, place.end, message));
        }
        if narrow(self.open.len()) + measure.height > MAX_DEPTH {
            return Err(self.too_deep(place));
        }
        Ok(())
    }

    fn too_deep(&self, place: Place) -> Problem {
        self.problem(
            place.start,
            place.end,
            format!("more than {MAX_DEPTH} values lie in each other here"),
        )
    }

    /// Begins a mapping or a sequence.
    pub(super) fn open(&mut self, place: Place, is_mapping: bool, is_bracketed: bool) -> Built {
        if narrow(self.open.len()) >= MAX_DEPTH {
            return Err(self.too_deep(place));
        }
        let shape = if is_mapping {
            Shape::Mapping
        } else {
            Shape::Sequence
        };
        let id = self.store(place, shape, 0, 0)?;
        self.open.push(Open {
            id,
            is_mapping,
            is_bracketed,
            first: self.pending.len(),
            anchor: place.anchor,
            measure: ONE,
        });
        Ok(())
    }

    /// Ends the collection that was opened last; `end` is behind its bracket, if it has one.
    pub(super) fn close(&mut self, end: usize) -> Built {
        let Some(open) = self.open.pop() else {
            return Ok(());
        };
        let mut children = self.pending.split_off(open.first);
        let bounds = self.bounds(&children);
        if open.is_mapping {
            self.drop_duplicates(&mut children);
            self.merge(&mut children)?;
        }
        let from = self.tree.children.len();
        self.tree.children.extend(children);
        let to = self.tree.children.len();
        if let Some(data) = self.tree.nodes.get_mut(open.id as usize) {
            (data.from, data.to) = (narrow(from), narrow(to));
            if open.is_bracketed {
                data.end = narrow(end);
            } else if let Some(bounds) = bounds {
                (data.start, data.end) = bounds;
            }
        }
        self.anchored(open.anchor, open.id, open.measure);
        self.add(open.id, open.measure);
        Ok(())
    }

    /// The bytes from the first child to the end of the last.
    fn bounds(&self, children: &[u32]) -> Option<(u32, u32)> {
        let data = |id: &u32| self.tree.nodes.get(*id as usize);
        let first = children.first().and_then(data)?;
        let last = children.last().and_then(data)?;
        Some((first.start, last.end.max(first.end)))
    }

    fn anchored(&mut self, anchor: usize, id: u32, measure: Measure) {
        if anchor != 0 {
            self.anchors.insert(anchor, (id, measure));
        }
    }

    /// Hands a whole value to the collection that it is in.
    fn add(&mut self, id: u32, measure: Measure) {
        match self.open.last_mut() {
            Some(open) => {
                open.measure.n_values = open.measure.n_values.saturating_add(measure.n_values);
                open.measure.height = open.measure.height.max(measure.height.saturating_add(1));
                self.pending.push(id);
            }
            None => self.root = Some(id),
        }
    }

    /// The place of the key whose value comes next, if that is what comes.
    pub(super) fn key_before(&self) -> Option<(usize, usize)> {
        let open = self.open.last()?;
        let is_value = open.is_mapping && (self.pending.len() - open.first) % 2 == 1;
        let key = self.tree.nodes.get(*self.pending.last()? as usize)?;
        is_value.then_some((key.start as usize, key.end as usize))
    }

    /// Whether a key of a mapping in brackets comes next, directly behind the bracket at `start`.
    pub(super) fn is_first_key_behind(&self, start: usize) -> bool {
        self.open.last().is_some_and(|open| {
            let data = self.tree.nodes.get(open.id as usize);
            open.is_mapping
                && open.is_bracketed
                && self.pending.len() == open.first
                && data.is_some_and(|data| data.start as usize + 1 == start)
        })
    }

    pub(super) fn key_text(&self, id: u32) -> Option<&str> {
        let data = self.tree.nodes.get(id as usize)?;
        let range = data.from as usize..data.to as usize;
        match data.shape {
            Shape::Verbatim(_) => self.tree.text.get(range),
            Shape::Unescaped(_) => self.tree.unescaped.get(range),
            // Rare enough that its text need not be told apart.
            _ => None,
        }
    }

    /// Ends a document. One that says nothing is none.
    pub(super) fn end_document(&mut self) {
        let Some(root) = self.root.take() else { return };
        let data = self.tree.nodes.get(root as usize);
        let is_nothing = |data: &Data| data.shape == Shape::Verbatim(Style::Plain) && data.start == data.end;
        if !data.is_none_or(is_nothing) {
            self.tree.documents.push(root);
        }
        self.anchors.clear();
    }

    /// Leaves the document that is being read.
    pub(super) fn give_up(&mut self, problem: Problem) {
        self.discard();
        self.report(problem);
    }

    /// Forgets the document that is being read.
    pub(super) fn discard(&mut self) {
        self.open.clear();
        self.pending.clear();
        self.anchors.clear();
        self.root = None;
    }

    /// Notes a problem. Of very many, the first.
    pub(super) fn report(&mut self, problem: Problem) {
        if !self.is_full() {
            self.tree.problems.push(problem);
        }
    }

    /// Whether there are so many problems that no more are noted.
    pub(super) fn is_full(&self) -> bool {
        self.tree.problems.len() >= super::MAX_PROBLEMS
    }

    pub(super) fn finish(mut self) -> Tree<'a> {
        self.tree.problems.sort_by_key(|problem| problem.span);
        self.tree
    }
}

/// Offsets fit 32 bits: files over [`crate::source::MAX_FILE_BYTES`] are refused before they get here.
fn narrow(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(u32::MAX)
}
