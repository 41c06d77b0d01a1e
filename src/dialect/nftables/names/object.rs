//! Objects that rules use by their names: nft(8), "STATEFUL OBJECTS", "FLOWTABLES", "CONNTRACK STATEMENTS".
//!
//! INVARIANT: two objects of one table differ in their kind or their name.

/// An object of a table that rules use by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::dialect::nftables) struct Named<'a> {
    /// What it is, as [`OBJECTS`] says.
    pub(in crate::dialect::nftables) kind: &'static str,
    pub(in crate::dialect::nftables) name: &'a str,
}

/// The kinds of objects that rules use by their names: nft(8), "STATEFUL OBJECTS", "FLOWTABLES".
pub(in crate::dialect::nftables) const OBJECTS: &[&str] = &[
    "counter",
    "ct expectation",
    "ct helper",
    "ct timeout",
    "flowtable",
    "limit",
    "quota",
    "secmark",
    "synproxy",
    "tunnel",
];

impl<'a> Named<'a> {
    /// An object of a kind that there is; of `ct` kinds the second word tells.
    pub(in crate::dialect::nftables) fn new(kind: &str, name: &'a str) -> Option<Self> {
        let is_it = |known: &&&str| known.strip_prefix("ct ").unwrap_or(known) == kind || **known == kind;
        let kind = OBJECTS.iter().find(is_it)?;
        Some(Self { kind, name })
    }
}
