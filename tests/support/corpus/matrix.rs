//! Service matrices: for one port, which addresses may connect to which. INVARIANT: a pair that a matrix does not list
//! is closed by proof; a pair that it lists is open unless something is in doubt.

use std::path::Path;

use portcullis::model::Hook;
use portcullis::packet::{Family, Field, OutcomeSet, RangeSet};
use serde_json::Value;

use super::{Assumption, Dump, address_number, filter, opening};

/// One matrix of the corpus.
pub(crate) struct Matrix {
    origin: String,
    ruleset: Option<String>,
    hook: Hook,
    source_port: u128,
    port: u128,
    nodes: Vec<(String, RangeSet)>,
    edges: Vec<(String, String)>,
}

/// What came of a matrix.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) closed: usize,
    pub(crate) open: usize,
    pub(crate) mistakes: Vec<String>,
}

impl Matrix {
    /// All matrices of the file.
    pub(crate) fn all(text: &str) -> Vec<Self> {
        let list: Value = serde_json::from_str(text).unwrap();
        list.as_array().unwrap().iter().map(Self::of).collect()
    }

    fn of(from: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let range = |range: &Value| (address_number(&text(&range[0])), address_number(&text(&range[1])));
        let ranges = |node: &Value| node.as_array().unwrap().iter().map(range).collect::<Vec<_>>();
        let nodes = from["nodes"].as_object().unwrap().iter();
        let edges = from["edges_src_dst"].as_array().unwrap().iter();
        Self {
            origin: text(&from["origin"]),
            ruleset: from["ruleset"].as_str().map(str::to_owned),
            hook: match from["chain"].as_str() {
                Some("INPUT") => Hook::Input,
                Some("FORWARD") => Hook::Forward,
                other => panic!("the chain {other:?} is not expected"),
            },
            source_port: from["sport"].as_u64().unwrap().into(),
            port: from["dport"].as_u64().unwrap().into(),
            nodes: nodes
                .map(|(name, node)| (name.clone(), RangeSet::from_ranges(ranges(node))))
                .collect(),
            edges: edges.map(|edge| (text(&edge[0]), text(&edge[1]))).collect(),
        }
    }

    /// What it is of, for people.
    pub(crate) fn name(&self) -> String {
        format!("{} tcp/{}", self.origin, self.port)
    }

    /// The dump it is of, if the corpus has it.
    pub(crate) fn dump(&self, folder: &Path) -> Option<Dump> {
        let path = folder.join(self.ruleset.as_ref()?);
        path.is_file().then(|| Dump::read(&path))
    }

    /// Whether its nodes hold every address once.
    pub(crate) fn is_partition(&self) -> bool {
        let size: u128 = self.nodes.iter().map(|(_, node)| node.size()).sum();
        let all = self
            .nodes
            .iter()
            .fold(RangeSet::empty(), |all, (_, node)| all.union(node));
        all == RangeSet::range(0, Family::V4.max()) && size == 1 << 32
    }

    /// Holds a dump against it.
    pub(crate) fn check(&self, dump: &Dump) -> Outcome {
        let (mut compiler, ruling) = filter(&dump.reading.rulesets, self.hook);
        let space = &mut compiler.space;
        // The file names no assignment but the tool's own: the loopback interface has the loopback network.
        let packets = opening(space, &Assumption::default());
        let service = space
            .product(&[
                (Field::Protocol, RangeSet::point(6)),
                (Field::SourcePort, RangeSet::point(self.source_port)),
                (Field::Service, RangeSet::point(self.port)),
            ])
            .unwrap();
        let packets = space.intersection(packets, service).unwrap();
        let open = space
            .packets_within(packets, ruling, &OutcomeSet::possibly_accepts)
            .unwrap();
        let mut outcome = Outcome {
            closed: 0,
            open: 0,
            mistakes: Vec::new(),
        };
        for (from, sources) in &self.nodes {
            for (to, destinations) in &self.nodes {
                let pair = [
                    (Field::Source4, sources.clone()),
                    (Field::Destination4, destinations.clone()),
                ];
                let pair = space.product(&pair).unwrap();
                let met = space.intersection(open, pair).unwrap();
                let is_listed = self.edges.iter().any(|(a, b)| (a, b) == (from, to));
                match (is_listed, met.is_empty()) {
                    (true, false) => outcome.open += 1,
                    (false, true) => outcome.closed += 1,
                    (true, true) => outcome.mistakes.push(format!("{from} -> {to} is surely closed")),
                    (false, false) => {
                        let witness = space.witness(met);
                        outcome
                            .mistakes
                            .push(format!("{from} -> {to} may be open: {witness:?}"));
                    }
                }
            }
        }
        outcome
    }
}
