//! What the arguments of options look like, so that a rule is refused where iptables refuses it.
//!
//! The forms are those of libxtables (`enum xt_option_type`). INVARIANT: [`DEMANDS`] is sorted by name.

/// The form of an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::dialect::iptables) enum Argument {
    /// Not looked at.
    Any,
    /// A number between two.
    Number(u64, u64),
    /// `a`, `a:b`, `a:`, `:b`: numbers up to this one, in order.
    Range(u64),
    /// One of these words, in any case.
    Word(&'static [&'static str]),
    /// Some of these words, with `,` between.
    Words(&'static [&'static str]),
    /// `3/minute`
    Rate,
    /// `00:11:22:33:44:55`
    HardwareAddress,
    /// A value, with or without a mask behind it.
    Masked,
    /// An address or a network of the dump's family.
    Address,
    /// A protocol that is not 0.
    Protocol,
    /// `13:30`, `13:30:59`
    TimeOfDay,
    /// A number from 0 to 1.
    Probability,
    /// Such a range, or one of names.
    RangeOrNames(u64),
    /// A value with or without a mask, or one of these words.
    MaskedOrWord(&'static [&'static str]),
    /// Numbers between two, or words, with `,` between.
    NumbersOrWords(u64, u64, &'static [&'static str]),
    /// Text of so many bytes at most.
    Text(usize),
}

impl Argument {
    /// `burst ::= /[1-9][0-9]{0,3}|10000/`
    pub(super) const BURST: Self = Self::Number(1, 10_000);
    pub(super) const BYTE: Self = Self::Number(0, 0xff);
    pub(super) const SHORT: Self = Self::Number(0, 0xffff);
    pub(super) const LONG: Self = Self::Number(0, 0xffff_ffff);
    pub(super) const SHORTS: Self = Self::Range(0xffff);
    pub(super) const LONGS: Self = Self::Range(0xffff_ffff);
}

/// Classes of `dscp`.
pub(super) const CLASSES: &[&str] = &[
    "CS0",
    "CS1",
    "CS2",
    "CS3",
    "CS4",
    "CS5",
    "CS6",
    "CS7",
    "BE",
    "AF11",
    "AF12",
    "AF13",
    "AF21",
    "AF22",
    "AF23",
    "AF31",
    "AF32",
    "AF33",
    "AF41",
    "AF42",
    "AF43",
    "EF",
    "LE",
    "VOICE-ADMIT",
];

/// Values of `tos` by name.
pub(super) const SERVICES: &[&str] = &[
    "Minimize-Delay",
    "Maximize-Throughput",
    "Maximize-Reliability",
    "Minimize-Cost",
    "Normal-Service",
];

/// Options of TCP by name.
pub(super) const TCP_OPTIONS: &[&str] = &["wscale", "mss", "sack-permitted", "sack", "timestamp", "md5"];

/// What a module or target asks of its options together.
#[derive(Debug)]
pub(in crate::dialect::iptables) struct Demand {
    name: &'static str,
    /// Of each of these at least one must be there.
    pub(in crate::dialect::iptables) some_of: &'static [&'static [&'static str]],
    /// Of each of these at most one may be.
    pub(in crate::dialect::iptables) one_of: &'static [&'static [&'static str]],
}

const fn demand(
    name: &'static str,
    some_of: &'static [&'static [&'static str]],
    one_of: &'static [&'static [&'static str]],
) -> Demand {
    Demand {
        name,
        some_of,
        one_of,
    }
}

/// What is demanded, sorted by name; targets have capital letters.
#[rustfmt::skip] // one name a line: a table to be read across
static DEMANDS: &[Demand] = &[
    demand("AUDIT", &[&["type"]], &[]),
    demand("CLASSIFY", &[&["set-class"]], &[]),
    demand("CONNMARK", &[&["set-xmark", "set-mark", "save-mark", "restore-mark", "and-mark", "or-mark", "xor-mark"]], &[]),
    demand("CONNSECMARK", &[&["save", "restore"]], &[&["save", "restore"]]),
    demand("DNPT", &[&["src-pfx"], &["dst-pfx"]], &[]),
    demand("DSCP", &[&["set-dscp", "set-dscp-class"]], &[&["set-dscp", "set-dscp-class"]]),
    demand("ECN", &[&["ecn-tcp-remove", "ecn-tcp-cwr", "ecn-tcp-ece", "ecn-ip-ect"]], &[]),
    demand("HL", &[&["hl-set", "hl-dec", "hl-inc"]], &[&["hl-set", "hl-dec", "hl-inc"]]),
    demand("IDLETIMER", &[&["timeout"], &["label"]], &[]),
    demand("LED", &[&["led-trigger-id"]], &[]),
    demand("NETMAP", &[&["to"]], &[]),
    demand("SECMARK", &[&["selctx"]], &[]),
    demand("SET", &[&["add-set", "del-set", "map-set"]], &[]),
    demand("SNAT", &[&["to-source"]], &[]),
    demand("SNPT", &[&["src-pfx"], &["dst-pfx"]], &[]),
    demand("TCPMSS", &[&["set-mss", "clamp-mss-to-pmtu"]], &[&["set-mss", "clamp-mss-to-pmtu"]]),
    demand("TEE", &[&["gateway"]], &[]),
    demand("TOS", &[&["set-tos", "and-tos", "or-tos", "xor-tos"]], &[&["set-tos", "and-tos", "or-tos", "xor-tos"]]),
    demand("TPROXY", &[&["on-port"]], &[]),
    demand("TTL", &[&["ttl-set", "ttl-dec", "ttl-inc"]], &[&["ttl-set", "ttl-dec", "ttl-inc"]]),
    demand("cgroup", &[], &[&["path", "cgroup"]]),
    demand("cluster", &[
        &["cluster-total-nodes"], &["cluster-local-node", "cluster-local-nodemask"], &["cluster-hash-seed"],
    ], &[&["cluster-local-node", "cluster-local-nodemask"]]),
    demand("connlimit", &[], &[&["connlimit-upto", "connlimit-above"], &["connlimit-saddr", "connlimit-daddr"]]),
    demand("dscp", &[], &[&["dscp", "dscp-class"]]),
    demand("frag", &[], &[&["fraglast", "fragmore"]]),
    demand("hashlimit", &[&["hashlimit-upto", "hashlimit-above", "hashlimit"], &["hashlimit-name"]], &[
        &["hashlimit-upto", "hashlimit-above", "hashlimit"],
    ]),
    demand("hl", &[], &[&["hl-eq", "hl-lt", "hl-gt"]]),
    demand("recent", &[&["set", "rcheck", "update", "remove"]], &[&["set", "rcheck", "update", "remove"]]),
    demand("set", &[&["match-set", "set"]], &[]),
    demand("statistic", &[&["mode"]], &[]),
    demand("string", &[&["string", "hex-string"], &["algo"]], &[&["string", "hex-string"]]),
    demand("time", &[], &[&["utc", "localtz", "kerneltz"]]),
    demand("ttl", &[], &[&["ttl-eq", "ttl", "ttl-lt", "ttl-gt"]]),
];

/// What a module or target of a name demands.
pub(in crate::dialect::iptables) fn demand_of(name: &str) -> Option<&'static Demand> {
    let at = DEMANDS.binary_search_by(|demand| demand.name.cmp(name)).ok()?;
    DEMANDS.get(at)
}

/// Modules whose options may come again, each for another part of what they ask, or are read by hand.
pub(in crate::dialect::iptables) const REPEAT: &[&str] = &["policy", "rateest", "set"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_so_that_it_can_be_searched() {
        assert!(DEMANDS.is_sorted_by(|a, b| a.name < b.name));
    }
}
