//! Nodes and their edges, each distinct node once. INVARIANT: two nodes of a store differ in their level or in some edge.

use std::hash::Hasher;

use hashbrown::HashTable;
use rustc_hash::FxHasher;

use super::outcome::Kinds;
use super::space::Node;

#[derive(Debug, Clone, Copy)]
struct Entry {
    first: u32,
    n_edges: u32,
    level: u16,
    kinds: Kinds,
    /// Whether its edges lie among the wide ones.
    is_wide: bool,
}

/// Edges one behind the other: the inclusive upper ends of their ranges, ascending within a node, and where they lead.
#[derive(Debug)]
struct Edges<High> {
    highs: Vec<High>,
    kids: Vec<Node>,
}

/// The nodes of a space.
#[derive(Debug)]
pub(super) struct Store {
    entries: Vec<Entry>,
    /// Edges of fields of up to 32 bits: nearly all, and a third of the size.
    narrow: Edges<u32>,
    wide: Edges<u128>,
    /// Half a hash, which spares reading the node when the table grows, and the node's number.
    unique: HashTable<(u32, u32)>,
}

/// There are more nodes or edges than numbers for them.
pub(super) struct Full;

impl<High: Copy + Ord> Edges<High> {
    fn new() -> Self {
        Self {
            highs: Vec::new(),
            kids: Vec::new(),
        }
    }

    fn highs(&self, entry: &Entry) -> &[High] {
        self.highs.get(entry.range()).unwrap_or(&[])
    }

    fn kids(&self, entry: &Entry) -> &[Node] {
        self.kids.get(entry.range()).unwrap_or(&[])
    }

    /// Gallops, since the next edge is the likeliest.
    fn behind(&self, entry: &Entry, at: usize, high: High) -> usize {
        let highs = self.highs(entry).get(at..).unwrap_or(&[]);
        let mut reach = 1;
        while highs.get(reach - 1).is_some_and(|&end| end <= high) && reach < highs.len() {
            reach *= 2;
        }
        let from = reach / 2;
        let window = highs.get(from..reach.min(highs.len())).unwrap_or(&[]);
        at + from + window.partition_point(|&end| end <= high)
    }

    /// The edges, by number, that hold the values `low..=high`.
    fn within(&self, entry: &Entry, low: High, high: High) -> std::ops::Range<usize> {
        let highs = self.highs(entry);
        let last = highs.partition_point(|&end| end < high);
        highs.partition_point(|&end| end < low)..(last + 1).min(highs.len())
    }
}

impl Entry {
    fn range(&self) -> std::ops::Range<usize> {
        self.first as usize..(self.first + self.n_edges) as usize
    }
}

impl Store {
    pub(super) fn new() -> Self {
        Self {
            entries: Vec::new(),
            narrow: Edges::new(),
            wide: Edges::new(),
            unique: HashTable::new(),
        }
    }

    pub(super) fn n_nodes(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn n_edges(&self) -> usize {
        self.narrow.kids.len() + self.wide.kids.len()
    }

    /// What nodes and edges take to hold, as a number of narrow edges.
    pub(super) fn size(&self) -> usize {
        self.n_edges() + 2 * self.n_nodes() + 2 * self.wide.kids.len()
    }

    fn entry(&self, node: Node) -> Option<&Entry> {
        self.entries.get(node.index())
    }

    /// The level of an inner node.
    pub(super) fn level(&self, node: Node) -> Option<u16> {
        self.entry(node).map(|entry| entry.level)
    }

    /// What the terminals below an inner node do.
    pub(super) fn kinds(&self, node: Node) -> Option<Kinds> {
        self.entry(node).map(|entry| entry.kinds)
    }

    pub(super) fn n_edges_of(&self, node: Node) -> usize {
        self.entry(node).map_or(0, |entry| entry.n_edges as usize)
    }

    /// Edge `at` of an inner node.
    #[expect(
        clippy::indexing_slicing,
        reason = "callers count to `n_edges_of`; the hottest line of the crate"
    )]
    pub(super) fn edge(&self, node: Node, at: usize) -> (u128, Node) {
        let entry = &self.entries[node.index()];
        let at = entry.first as usize + at;
        if entry.is_wide {
            (self.wide.highs[at], self.wide.kids[at])
        } else {
            (u128::from(self.narrow.highs[at]), self.narrow.kids[at])
        }
    }

    /// The first edge of an inner node, from `at` on, that ends behind `high`.
    pub(super) fn edge_behind(&self, node: Node, at: usize, high: u128) -> usize {
        match self.entry(node) {
            None => at,
            Some(entry) if entry.is_wide => self.wide.behind(entry, at, high),
            Some(entry) => self.narrow.behind(entry, at, narrow(high)),
        }
    }

    fn within(&self, node: Node, low: u128, high: u128) -> std::ops::Range<usize> {
        match self.entry(node) {
            None => 0..0,
            Some(entry) if entry.is_wide => self.wide.within(entry, low, high),
            Some(entry) => self.narrow.within(entry, narrow(low), narrow(high)),
        }
    }

    /// Where a node leads for the values `low..=high` of its field.
    pub(super) fn kids_within(&self, node: Node, low: u128, high: u128) -> &[Node] {
        let kids = self.entry(node).map(|entry| {
            if entry.is_wide {
                self.wide.kids(entry)
            } else {
                self.narrow.kids(entry)
            }
        });
        let kids = kids.and_then(|kids| kids.get(self.within(node, low, high)));
        kids.unwrap_or(&[])
    }

    /// The edge of an inner node that holds a value of its field.
    pub(super) fn edge_at(&self, node: Node, value: u128) -> (u128, Node) {
        let last = self.n_edges_of(node).saturating_sub(1);
        self.edge(node, self.within(node, value, value).start.min(last))
    }

    /// The number of the node with these edges, of which there are two at least. Whether they are wide is the level's to say.
    pub(super) fn number(
        &mut self,
        (level, is_wide): (u16, bool),
        edges: &[(u128, Node)],
        kinds: impl FnOnce(&Self) -> Kinds,
        may_insert: impl FnOnce(&Self) -> bool,
    ) -> Result<Node, Full> {
        let half = hash_of(level, is_wide, edges);
        let same = |&(other, at): &(u32, u32)| other == half && self.is_same(at, level, edges);
        if let Some(&(_, found)) = self.unique.find(spread(half), same) {
            return Ok(Node::inner(found));
        }
        if !may_insert(self) {
            return Err(Full);
        }
        let first = if is_wide {
            self.wide.kids.len()
        } else {
            self.narrow.kids.len()
        };
        let number = u32::try_from(self.entries.len()).map_err(|_| Full)?;
        self.entries.push(Entry {
            first: u32::try_from(first + edges.len()).map_err(|_| Full)? - narrow(edges.len() as u128),
            n_edges: narrow(edges.len() as u128),
            level,
            kinds: kinds(self),
            is_wide,
        });
        if is_wide {
            self.wide.highs.extend(edges.iter().map(|edge| edge.0));
            self.wide.kids.extend(edges.iter().map(|edge| edge.1));
        } else {
            self.narrow.highs.extend(edges.iter().map(|edge| narrow(edge.0)));
            self.narrow.kids.extend(edges.iter().map(|edge| edge.1));
        }
        self.unique
            .insert_unique(spread(half), (half, number), |known| spread(known.0));
        Ok(Node::inner(number))
    }

    fn is_same(&self, number: u32, level: u16, edges: &[(u128, Node)]) -> bool {
        let Some(entry) = self.entries.get(number as usize) else {
            return false;
        };
        if entry.level != level || entry.n_edges as usize != edges.len() {
            return false;
        }
        if entry.is_wide {
            let known = self.wide.highs(entry).iter().zip(self.wide.kids(entry));
            known.eq(edges.iter().map(|(high, kid)| (high, kid)))
        } else {
            let known = self.narrow.highs(entry).iter().zip(self.narrow.kids(entry));
            edges
                .iter()
                .zip(known)
                .all(|(edge, (&high, &kid))| *edge == (u128::from(high), kid))
        }
    }
}

/// A value of a field of up to 32 bits.
fn narrow(value: u128) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

fn hash_of(level: u16, is_wide: bool, edges: &[(u128, Node)]) -> u32 {
    let mut hasher = FxHasher::default();
    hasher.write_u16(level);
    for &(high, kid) in edges {
        if is_wide {
            hasher.write_u128(high);
        } else {
            hasher.write_u32(narrow(high));
        }
        hasher.write_u32(kid.0);
    }
    u32::try_from(hasher.finish() >> 32).unwrap_or(0)
}

/// Half a hash as a whole one: the table takes its bits from both ends.
pub(super) fn spread(half: u32) -> u64 {
    u64::from(half).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}
