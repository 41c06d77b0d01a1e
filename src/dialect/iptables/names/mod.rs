//! What the reader knows by name: match modules, targets, ICMP types, services.
//!
//! One table says for each module and target which options it has, how many arguments each takes and how far it is
//! modelled; the parser, the lowering and `portcullis dialects` all read it. INVARIANT: [`MODULES`] and
//! [`TARGETS`] are sorted by name.

mod argument;
mod builtin;
mod construct;
mod icmp;
mod matches;
mod services;
mod targets;

pub(super) use argument::{Argument, REPEAT, demand_of};
pub(super) use builtin::{BUILTIN, builtin_long, builtin_short};
pub(super) use construct::constructs;
pub(in crate::dialect) use icmp::{icmp_type, icmpv6_type};
pub(super) use matches::{MODULES, NEED_OPTIONS};
pub(in crate::dialect) use services::port_by_name;
pub(super) use targets::TARGETS;

/// How many words an option takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arity {
    /// None.
    Zero,
    /// One.
    One,
    /// Two.
    Two,
    /// One, unless the next word is an option.
    Optional,
    /// Two, or one that holds both: `-c 1 2`, `-c 1,2`.
    Counters,
}

/// What an option says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// `-p`
    Protocol,
    /// `-s`
    Source,
    /// `-d`
    Destination,
    /// `-i`
    InInterface,
    /// `-o`
    OutInterface,
    /// `-f`
    Fragment,
    /// `-j`
    Jump,
    /// `-g`
    Goto,
    /// `-m`
    Match,
    /// `-4`: the rule counts for IPv4 only.
    Only4,
    /// `-6`: the rule counts for IPv6 only.
    Only6,
    /// `-c`
    Counters,
    /// `-t` in a rule.
    Table,
    /// Source ports of the protocol.
    SourcePorts,
    /// Destination ports of the protocol.
    DestinationPorts,
    /// `--tcp-flags`
    TcpFlags,
    /// `--syn`
    Syn,
    /// `--icmp-type`
    IcmpType,
    /// `--icmpv6-type`
    Icmpv6Type,
    /// multiport's source ports.
    SourcePortList,
    /// multiport's destination ports.
    DestinationPortList,
    /// multiport's ports of either side.
    EitherPortList,
    /// `--state`, `--ctstate`
    State,
    /// `--src-range`
    SourceRange,
    /// `--dst-range`
    DestinationRange,
    /// `-m mark --mark`
    Mark,
    /// `--src-type`
    SourceType,
    /// `--dst-type`
    DestinationType,
    /// `--match-set`
    InSet,
    /// `-m ipv6header --header`
    Headers,
    /// Says nothing about packets: a comment, a counter.
    Silent,
    /// A test of its own that is not modelled.
    Test,
    /// Changes what the tests of its module ask.
    Detail,
    /// An argument of a target.
    Parameter,
}

/// One option of a module or target, without its dashes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    pub(super) name: &'static str,
    pub(super) arity: Arity,
    pub(super) meaning: Meaning,
    /// What its argument must look like, if it has one.
    pub(super) argument: Argument,
}

impl Entry {
    const fn takes(self, argument: Argument) -> Self {
        Self { argument, ..self }
    }
}

/// How long the answer of an unmodelled match stays the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keeps {
    /// Every test of it is modelled.
    Exact,
    /// As long as the packet lives.
    Always,
    /// Until the packet's destination may be translated.
    UntilTranslated,
    /// Unless some rule of the dump has a target of this kind.
    Unless(Change),
    /// Each question may be answered differently.
    Never,
    /// It is asked of an extension header of IPv6, and packets are taken to have none.
    Absent,
}

/// What a pass-through target changes apart from what is modelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// `CONNMARK`
    ConnectionMark,
    /// `DSCP`, `TOS`, `ECN`
    TypeOfService,
    /// `TTL`, `HL`
    HopLimit,
    /// `SET`
    Set,
    /// `TCPMSS`, `TCPOPTSTRIP`
    TcpOptions,
}

/// A match module.
#[derive(Debug)]
pub(super) struct Module {
    pub(super) name: &'static str,
    /// `-p` must name one of these; empty: it does not matter.
    pub(super) protocols: &'static [u8],
    pub(super) keeps: Keeps,
    pub(super) options: &'static [Entry],
}

/// What a target does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// Lets pass.
    Accept,
    /// Drops.
    Drop,
    /// Drops and answers.
    Reject,
    /// Back to the caller.
    Return,
    /// The next rule is next, and nothing that is modelled has changed.
    Pass,
    /// The next rule is next, but what some unmodelled matches ask has changed.
    Changes(Change),
    /// `MARK`
    Mark,
    /// `CONNMARK`
    Connmark,
    /// `DNAT`
    Dnat,
    /// `REDIRECT`
    Redirect,
    /// `SNAT`, `MASQUERADE`
    Snat,
    /// `NETMAP`
    Netmap,
    /// `NOTRACK`
    Notrack,
    /// `CT`
    Ct,
    /// The next rule is next; the mark may have become anything.
    AnyMark,
    /// May accept, drop or pass on.
    Unknown,
}

/// A target that is no chain.
#[derive(Debug)]
pub(super) struct TargetEntry {
    pub(super) name: &'static str,
    pub(super) effect: Effect,
    pub(super) options: &'static [Entry],
}

/// `known-module ::= "addrtype" | "ah" | "bpf" | "cgroup" | "cluster" | "comment" | "condition" | "connbytes" |
///     "connlabel" | "connlimit" | "connmark" | "conntrack" | "cpu" | "dccp" | "devgroup" | "dscp" | "dst" |
///     "ecn" | "esp" | "eui64" | "frag" | "geoip" | "hashlimit" | "hbh" | "helper" | "hl" | "icmp" | "icmp6" |
///     "ipcomp" | "iprange" | "ipv6header" | "ipvs" | "length" | "limit" | "mac" | "mark" | "mh" | "multiport"
///     | "nfacct" | "osf" | "owner" | "physdev" | "pkttype" | "policy" | "quota" | "random" | "rateest" |
///     "realm" | "recent" | "rpfilter" | "rt" | "sctp" | "set" | "socket" | "srh" | "state" | "statistic" |
///     "string" | "tcp" | "tcpmss" | "time" | "tos" | "ttl" | "u32" | "udp" | "udplite"`
///
/// The module of a name.
pub(super) fn known_module(name: &str) -> Option<&'static Module> {
    let at = MODULES.binary_search_by(|module| module.name.cmp(name)).ok()?;
    MODULES.get(at)
}

/// `known-target ::= "ACCEPT" | "ACCOUNT" | "AUDIT" | "CHECKSUM" | "CLASSIFY" | "CLUSTERIP" | "CONNMARK" |
///     "CONNSECMARK" | "CT" | "DNAT" | "DNPT" | "DROP" | "DSCP" | "ECN" | "HL" | "HMARK" | "IDLETIMER" | "LED"
///     | "LOG" | "LOGMARK" | "MARK" | "MASQUERADE" | "NETFLOW" | "NETMAP" | "NFLOG" | "NFQUEUE" | "NOTRACK" |
///     "QUEUE" | "RATEEST" | "REDIRECT" | "REJECT" | "RETURN" | "SECMARK" | "SET" | "SNAT" | "SNPT" |
///     "SYNPROXY" | "TARPIT" | "TCPMSS" | "TCPOPTSTRIP" | "TEE" | "TOS" | "TPROXY" | "TRACE" | "TTL" | "ULOG"`
///
/// The target of a name.
pub(super) fn known_target(name: &str) -> Option<&'static TargetEntry> {
    let at = TARGETS.binary_search_by(|target| target.name.cmp(name)).ok()?;
    TARGETS.get(at)
}

/// The module that `-p` loads on demand: iptables(8), "MATCH AND TARGET EXTENSIONS".
pub(super) fn module_of_protocol(protocol: u8) -> Option<&'static Module> {
    use crate::packet::protocol::number::{DCCP, ICMP, ICMPV6, SCTP, TCP, UDP, UDPLITE};
    known_module(match protocol {
        TCP => "tcp",
        UDP => "udp",
        UDPLITE => "udplite",
        SCTP => "sctp",
        DCCP => "dccp",
        ICMP => "icmp",
        ICMPV6 => "icmp6",
        50 => "esp",
        51 => "ah",
        108 => "ipcomp",
        135 => "mh",
        _ => return None,
    })
}

const fn entry(name: &'static str, arity: Arity, meaning: Meaning) -> Entry {
    Entry {
        name,
        arity,
        meaning,
        argument: Argument::Any,
    }
}

/// An unmodelled test with one argument.
const fn test(name: &'static str) -> Entry {
    entry(name, Arity::One, Meaning::Test)
}

/// An unmodelled test without argument.
const fn test_flag(name: &'static str) -> Entry {
    entry(name, Arity::Zero, Meaning::Test)
}

/// A modifier with one argument.
const fn detail(name: &'static str) -> Entry {
    entry(name, Arity::One, Meaning::Detail)
}

/// A modifier without argument.
const fn detail_flag(name: &'static str) -> Entry {
    entry(name, Arity::Zero, Meaning::Detail)
}

/// A target's option with one argument.
const fn parameter(name: &'static str) -> Entry {
    entry(name, Arity::One, Meaning::Parameter)
}

/// A target's option without argument.
const fn parameter_flag(name: &'static str) -> Entry {
    entry(name, Arity::Zero, Meaning::Parameter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_sorted_so_that_they_can_be_searched() {
        assert!(MODULES.is_sorted_by(|a, b| a.name < b.name));
        assert!(NEED_OPTIONS.is_sorted());
        assert!(NEED_OPTIONS.iter().all(|name| known_module(name).is_some()));
        assert!(TARGETS.is_sorted_by(|a, b| a.name < b.name));
    }

    #[test]
    fn what_an_exact_module_asks_is_all_modelled() {
        let loose = |module: &&Module| {
            module.keeps == Keeps::Exact
                && module
                    .options
                    .iter()
                    .any(|option| option.meaning == Meaning::Test)
        };
        assert_eq!(MODULES.iter().filter(loose).count(), 0);
    }
}
