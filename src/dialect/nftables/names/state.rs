//! What `meta` and `ct` know of a packet and its connection, with the type of each and whether a packet keeps it.
//!
//! nft(8), "META EXPRESSIONS" and "CT EXPRESSIONS". INVARIANT: the tables are sorted by name.

use super::Type;

const SHORT: Type = Type::Integer(16);
const LONG: Type = Type::Integer(32);

/// What `meta` knows, with `meta` before it: whether a packet keeps it.
pub(in crate::dialect::nftables) const META: &[(&str, Type, bool)] = &[
    ("bri_iifname", Type::Opaque, true),
    ("bri_iifpvid", Type::Integer(16), true),
    ("bri_iifvproto", Type::Opaque, true),
    ("bri_oifname", Type::Opaque, true),
    ("broute", Type::Integer(8), true),
    ("cgroup", LONG, true),
    ("cpu", LONG, false),
    ("day", Type::Opaque, true),
    ("hour", Type::Opaque, true),
    ("ibrhwaddr", Type::Opaque, true),
    ("ibriface", Type::Opaque, true),
    ("ibriport", Type::Opaque, true),
    ("ibrname", Type::Opaque, true),
    ("ibrpvid", SHORT, true),
    ("ibrvproto", Type::Opaque, true),
    ("iif", Type::Interface, true),
    ("iifgroup", Type::Opaque, true),
    ("iifkind", Type::Opaque, true),
    ("iifname", Type::Interface, true),
    ("iiftype", Type::Opaque, true),
    ("ipsec", Type::Opaque, true),
    ("l4proto", Type::Protocol, true),
    ("length", LONG, true),
    ("mark", Type::Mark, true),
    ("nfproto", Type::NfProto, true),
    ("nftrace", Type::Integer(1), false),
    ("obriport", Type::Opaque, true),
    ("obrname", Type::Opaque, true),
    ("oif", Type::Interface, true),
    ("oifgroup", Type::Opaque, true),
    ("oifkind", Type::Opaque, true),
    ("oifname", Type::Interface, true),
    ("oiftype", Type::Opaque, true),
    ("pkttype", Type::PacketClass, true),
    ("priority", Type::Opaque, true),
    ("protocol", Type::Ethernet, true),
    ("random", Type::Opaque, false),
    ("rtclassid", Type::Opaque, true),
    ("sdif", Type::Opaque, true),
    ("sdifname", Type::Opaque, true),
    ("secmark", Type::Opaque, true),
    ("secpath", Type::Opaque, true),
    ("skgid", Type::Opaque, true),
    ("skuid", Type::Opaque, true),
    ("time", Type::Opaque, true),
];

/// What may be asked without `meta` before it.
pub(in crate::dialect::nftables) const META_BARE: &[&str] = &[
    "cgroup",
    "cpu",
    "day",
    "hour",
    "ibriport",
    "ibrname",
    "iif",
    "iifgroup",
    "iifkind",
    "iifname",
    "iiftype",
    "ipsec",
    "mark",
    "nftrace",
    "obriport",
    "obrname",
    "oif",
    "oifgroup",
    "oifkind",
    "oifname",
    "oiftype",
    "pkttype",
    "random",
    "rtclassid",
    "skgid",
    "skuid",
    "time",
];

/// What `ct` knows.
pub(in crate::dialect::nftables) const CT: &[(&str, Type, bool)] = &[
    ("avgpkt", Type::Opaque, false),
    ("bytes", Type::Opaque, false),
    ("direction", Type::CtDirection, true),
    ("event", Type::Opaque, true),
    ("expiration", Type::Opaque, false),
    ("helper", Type::Opaque, true),
    ("id", Type::Opaque, true),
    ("l3proto", Type::NfProto, true),
    ("label", Type::Opaque, true),
    ("mark", Type::Mark, true),
    ("packets", Type::Opaque, false),
    ("protocol", Type::Protocol, true),
    ("secmark", Type::Opaque, true),
    ("state", Type::CtState, true),
    ("status", Type::CtStatus, true),
    ("zone", SHORT, true),
];

/// What `ct` knows of one direction.
pub(in crate::dialect::nftables) const CT_DIRECTED: &[(&str, Type, bool)] = &[
    ("avgpkt", Type::Opaque, false),
    ("bytes", Type::Opaque, false),
    ("daddr", Type::Opaque, true),
    ("l3proto", Type::Opaque, true),
    ("packets", Type::Opaque, false),
    ("proto-dst", Type::Port, true),
    ("proto-src", Type::Port, true),
    ("protocol", Type::Protocol, true),
    ("saddr", Type::Opaque, true),
    ("zone", SHORT, true),
];

/// The entry of a name in [`META`], [`CT`] or [`CT_DIRECTED`].
pub(in crate::dialect::nftables) fn lookup(
    table: &'static [(&'static str, Type, bool)],
    name: &str,
) -> Option<(Type, bool)> {
    let at = table.binary_search_by(|entry| entry.0.cmp(name)).ok()?;
    table.get(at).map(|entry| (entry.1, entry.2))
}
