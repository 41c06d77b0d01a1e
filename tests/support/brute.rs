//! Tiny universes of packets, counted out: a set of packets is a word with one bit a packet, so every law has an answer
//! that needs no thought. INVARIANT: the blocks of a field cover all its values, so what holds for one packet of each
//! kind, at both ends of its blocks, holds for every packet.

use portcullis::packet::{Field, OverBudget, PacketSet, RangeSet, Space};

/// Fields, each cut into a few blocks of values. A kind of packet is one block of each; there are at most 64.
#[derive(Debug, Clone)]
pub(crate) struct Universe {
    fields: Vec<(Field, Vec<(u128, u128)>)>,
}

impl Universe {
    /// Each field with the values at which a new block begins; 0 always begins one.
    pub(crate) fn new(fields: &[(Field, &[u128])]) -> Self {
        let blocks = |field: Field, cuts: &[u128]| {
            let starts: Vec<u128> = std::iter::once(0).chain(cuts.iter().copied()).collect();
            let ends = cuts.iter().map(|cut| cut - 1).chain([field.maximum()]);
            starts.iter().copied().zip(ends).collect()
        };
        let universe = Self {
            fields: fields
                .iter()
                .map(|(field, cuts)| (*field, blocks(*field, cuts)))
                .collect(),
        };
        assert!(
            universe.n_kinds() <= 64,
            "{} kinds do not fit into a word",
            universe.n_kinds()
        );
        universe
    }

    /// How many kinds of packets there are.
    pub(crate) fn n_kinds(&self) -> u32 {
        self.fields
            .iter()
            .map(|(_, blocks)| u32::try_from(blocks.len()).unwrap())
            .product()
    }

    /// The word of all packets.
    pub(crate) fn all(&self) -> u64 {
        u64::MAX >> (64 - self.n_kinds())
    }

    /// Which block of each field a kind is made of.
    fn blocks(&self, kind: u32) -> Vec<(Field, usize)> {
        let mut rest = kind as usize;
        let block = |(field, blocks): &(Field, Vec<_>)| {
            let block = rest % blocks.len();
            rest /= blocks.len();
            (*field, block)
        };
        self.fields.iter().map(block).collect()
    }

    fn range(&self, field: Field, block: usize) -> (u128, u128) {
        self.fields.iter().find(|(known, _)| *known == field).unwrap().1[block]
    }

    /// The values of a field that lie in the blocks of `chosen` (one bit a block).
    pub(crate) fn values(&self, field: Field, chosen: u64) -> RangeSet {
        let (_, blocks) = self.fields.iter().find(|(known, _)| *known == field).unwrap();
        (0..)
            .zip(blocks)
            .filter(|(bit, _)| chosen >> bit & 1 == 1)
            .map(|(_, range)| *range)
            .collect()
    }

    /// The fields with their numbers of blocks.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (Field, usize)> + '_ {
        self.fields.iter().map(|(field, blocks)| (*field, blocks.len()))
    }

    /// The set of a word.
    pub(crate) fn set(&self, space: &mut Space, word: u64) -> Result<PacketSet, OverBudget> {
        let mut set = PacketSet::empty();
        for kind in (0..self.n_kinds()).filter(|kind| word >> kind & 1 == 1) {
            let point = |(field, block)| {
                let (low, high) = self.range(field, block);
                (field, RangeSet::range(low, high))
            };
            let tests: Vec<_> = self.blocks(kind).into_iter().map(point).collect();
            let product = space.product(&tests)?;
            set = space.union(set, product)?;
        }
        Ok(set)
    }

    /// The word of a question that is asked of one packet at a time; it must answer alike for all packets of a kind.
    pub(crate) fn word(&self, question: impl Fn(&dyn Fn(Field) -> u128) -> bool) -> u64 {
        let mut word = 0;
        for kind in 0..self.n_kinds() {
            let mut answers = self.corners(kind).into_iter().map(|corner| {
                question(&|field| {
                    corner
                        .iter()
                        .find(|(known, _)| *known == field)
                        .map_or(0, |(_, value)| *value)
                })
            });
            let first = answers.next().unwrap();
            assert!(
                answers.all(|answer| answer == first),
                "kind {kind} is torn: {:?}",
                self.blocks(kind)
            );
            word |= u64::from(first) << kind;
        }
        word
    }

    /// The packets at the ends of a kind's blocks.
    fn corners(&self, kind: u32) -> Vec<Vec<(Field, u128)>> {
        let mut corners = vec![Vec::new()];
        for (field, block) in self.blocks(kind) {
            let (low, high) = self.range(field, block);
            let ends = if low == high { vec![low] } else { vec![low, high] };
            let longer = |corner: &Vec<_>, end: u128| {
                let mut corner = corner.clone();
                corner.push((field, end));
                corner
            };
            corners = corners
                .iter()
                .flat_map(|corner| ends.iter().map(move |end| longer(corner, *end)))
                .collect();
        }
        corners
    }

    /// The kinds that agree with a kind of the word in all fields but one, where it may have any of the blocks `among`.
    pub(crate) fn exists(&self, word: u64, field: Field, among: u64) -> u64 {
        self.by_neighbours(field, among, |neighbours| {
            neighbours.iter().any(|kind| word >> kind & 1 == 1)
        })
    }

    /// The kinds all of whose neighbours with one of the blocks `among` of a field are in the word.
    pub(crate) fn for_all(&self, word: u64, field: Field, among: u64) -> u64 {
        self.by_neighbours(field, among, |neighbours| {
            neighbours.iter().all(|kind| word >> kind & 1 == 1)
        })
    }

    fn by_neighbours(&self, field: Field, among: u64, holds: impl Fn(&[u32]) -> bool) -> u64 {
        let differs_elsewhere = |a: u32, b: u32| {
            let (a, b) = (self.blocks(a), self.blocks(b));
            a.iter().zip(&b).any(|(a, b)| a.0 != field && a.1 != b.1)
        };
        let chosen = |kind: u32| {
            self.blocks(kind)
                .iter()
                .any(|(known, block)| *known == field && among >> block & 1 == 1)
        };
        let mut word = 0;
        for kind in 0..self.n_kinds() {
            let neighbours: Vec<u32> = (0..self.n_kinds())
                .filter(|other| !differs_elsewhere(kind, *other) && chosen(*other))
                .collect();
            word |= u64::from(holds(&neighbours)) << kind;
        }
        word
    }
}
