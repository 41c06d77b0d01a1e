//! The match modules of iptables-extensions(8), their options, and how long what they ask stays true of a packet.
//!
//! The choices for unmodelled matches: what belongs to the packet, its sender or its connection from the start is
//! kept; what a rule's own state answers (`limit`, `recent`, `statistic`, counters) is asked afresh; `time` is kept, since a
//! packet crosses all chains in one moment; what another target can change is kept only in dumps without that
//! target; what looks at the destination is kept only behind translation (tables filter and security). What asks about an
//! extension header of IPv6 never holds: packets are taken to have none.

use super::argument::{CLASSES, SERVICES};
use super::{
    Argument, Arity, Change, Entry, Keeps, Meaning, Module, detail, detail_flag, entry, test, test_flag,
};
use crate::packet::protocol::number::{DCCP, ICMP, ICMPV6, SCTP, TCP, UDP, UDPLITE};

const SPORT: Entry = entry("sport", Arity::One, Meaning::SourcePorts);
const SPORTS: Entry = entry("source-port", Arity::One, Meaning::SourcePorts);
const DPORT: Entry = entry("dport", Arity::One, Meaning::DestinationPorts);
const DPORTS: Entry = entry("destination-port", Arity::One, Meaning::DestinationPorts);

/// `ports ::= ("!" space)? /--(spo(r(t)?)?|dpo(r(t)?)?|source-(p(o(r(t)?)?)?)?|destination-(p(o(r(t)?)?)?)?)/
///     (space | "=") port-range |
///     /--(spo(r(t)?)?|dpo(r(t)?)?|source-(p(o(r(t)?)?)?)?|destination-(p(o(r(t)?)?)?)?)/ space "!" space
///     port-range`
///
/// Options of every protocol with ports.
const PORTS: &[Entry] = &[SPORT, DPORT, SPORTS, DPORTS];

const fn module(name: &'static str, keeps: Keeps, options: &'static [Entry]) -> Module {
    Module {
        name,
        protocols: &[],
        keeps,
        options,
    }
}

const fn of(protocols: &'static [u8], module: &Module) -> Module {
    Module { protocols, ..*module }
}

use Keeps::{Absent, Always, Exact, Never, Unless, UntilTranslated};

/// Every module that is known, sorted by name.
#[rustfmt::skip] // one module a line or two: a table to be read across
pub(in crate::dialect::iptables) static MODULES: &[Module] = &[
    module("addrtype", Always, &[
        entry("src-type", Arity::One, Meaning::SourceType), entry("dst-type", Arity::One, Meaning::DestinationType),
        detail_flag("limit-iface-in"), detail_flag("limit-iface-out"),
    ]),
    module("ah", Always, &[test("ahspi").takes(Argument::LONGS), test("ahlen").takes(Argument::LONG), test_flag("ahres")]),
    module("bpf", UntilTranslated, &[test("bytecode"), test("object-pinned")]),
    module("cgroup", Always, &[test("path"), test("cgroup")]),
    module("cluster", Always, &[
        detail("cluster-total-nodes"), test("cluster-local-node"), test("cluster-local-nodemask"), detail("cluster-hash-seed"),
    ]),
    module("comment", Exact, &[entry("comment", Arity::One, Meaning::Silent)]),
    module("condition", Always, &[test("condition")]),
    module("connbytes", Never, &[test("connbytes").takes(Argument::Range(u64::MAX - 1)), detail("connbytes-dir").takes(Argument::Word(&["original", "reply", "both"])), detail("connbytes-mode").takes(Argument::Word(&["packets", "bytes", "avgpkt"]))]),
    module("connlabel", Never, &[test("label"), detail_flag("set")]),
    module("connlimit", Never, &[
        test("connlimit-upto").takes(Argument::LONG), test("connlimit-above").takes(Argument::LONG), detail("connlimit-mask"),
        detail_flag("connlimit-saddr"), detail_flag("connlimit-daddr"),
    ]),
    module("connmark", Unless(Change::ConnectionMark), &[test("mark").takes(Argument::Masked)]),
    module("conntrack", Always, &[
        entry("ctstate", Arity::One, Meaning::State), test("ctproto").takes(Argument::Protocol),
        test("ctorigsrc").takes(Argument::Address), test("ctorigdst").takes(Argument::Address), test("ctreplsrc").takes(Argument::Address), test("ctrepldst").takes(Argument::Address),
        test("ctorigsrcport").takes(Argument::SHORTS), test("ctorigdstport").takes(Argument::SHORTS), test("ctreplsrcport").takes(Argument::SHORTS), test("ctrepldstport").takes(Argument::SHORTS),
        test("ctstatus").takes(Argument::Words(&["NONE", "EXPECTED", "SEEN_REPLY", "ASSURED", "CONFIRMED"])), test("ctexpire").takes(Argument::LONGS), test("ctdir").takes(Argument::Word(&["ORIGINAL", "REPLY"])),
    ]),
    module("cpu", Never, &[test("cpu").takes(Argument::LONG)]),
    of(&[DCCP], &module("dccp", Always, &[SPORT, SPORTS, DPORT, DPORTS, test("dccp-types"), test("dccp-option").takes(Argument::Number(1, 255))])),
    module("devgroup", Always, &[test("src-group"), test("dst-group")]),
    module("dscp", Unless(Change::TypeOfService), &[test("dscp").takes(Argument::Number(0, 63)), test("dscp-class").takes(Argument::Word(CLASSES))]),
    module("dst", Absent, &[test("dst-len"), test("dst-opts")]),
    module("ecn", Unless(Change::TypeOfService), &[test_flag("ecn-tcp-cwr"), test_flag("ecn-tcp-ece"), test("ecn-ip-ect").takes(Argument::Number(0, 3))]),
    of(&[50], &module("esp", Always, &[test("espspi").takes(Argument::LONGS)])),
    module("eui64", Always, &[]),
    module("frag", Absent, &[
        test("fragid").takes(Argument::LONGS), test("fraglen").takes(Argument::LONG), test_flag("fragres"), test_flag("fragfirst"), test_flag("fragmore"), test_flag("fraglast"),
    ]),
    module("geoip", Always, &[test("src-cc"), test("source-country"), test("dst-cc"), test("destination-country")]),
    module("hashlimit", Never, &[
        test("hashlimit-upto").takes(Argument::Rate), test("hashlimit-above").takes(Argument::Rate), test("hashlimit").takes(Argument::Rate), detail("hashlimit-mode").takes(Argument::Words(&["srcip", "srcport", "dstip", "dstport"])), detail("hashlimit-srcmask").takes(Argument::Number(0, 128)),
        detail("hashlimit-dstmask").takes(Argument::Number(0, 128)), detail("hashlimit-name"), detail("hashlimit-burst"), detail("hashlimit-htable-size").takes(Argument::LONG),
        detail("hashlimit-htable-max").takes(Argument::LONG), detail("hashlimit-htable-gcinterval").takes(Argument::LONG), detail("hashlimit-htable-expire").takes(Argument::LONG),
        detail_flag("hashlimit-rate-match"), detail("hashlimit-rate-interval"),
    ]),
    module("hbh", Absent, &[test("hbh-len"), test("hbh-opts")]),
    module("helper", Always, &[test("helper").takes(Argument::Text(29))]),
    module("hl", Unless(Change::HopLimit), &[test("hl-eq").takes(Argument::BYTE), test("hl-lt").takes(Argument::BYTE), test("hl-gt").takes(Argument::BYTE)]),
    of(&[ICMP], &module("icmp", Exact, &[entry("icmp-type", Arity::One, Meaning::IcmpType)])),
    of(&[ICMPV6], &module("icmp6", Exact, &[entry("icmpv6-type", Arity::One, Meaning::Icmpv6Type)])),
    of(&[108], &module("ipcomp", Always, &[test("ipcompspi").takes(Argument::LONGS), detail_flag("compres")])),
    module("iprange", Exact, &[
        entry("src-range", Arity::One, Meaning::SourceRange), entry("dst-range", Arity::One, Meaning::DestinationRange),
    ]),
    module("ipv6header", Exact, &[entry("header", Arity::One, Meaning::Headers), entry("soft", Arity::Zero, Meaning::Silent)]),
    module("ipvs", UntilTranslated, &[
        test_flag("ipvs"), test("vproto"), test("vaddr"), test("vport"), test("vdir"), test("vmethod"), test("vportctl"),
    ]),
    module("length", Always, &[test("length").takes(Argument::SHORTS)]),
    module("limit", Never, &[test("limit").takes(Argument::Rate), detail("limit-burst").takes(Argument::BURST)]),
    module("mac", Always, &[test("mac-source").takes(Argument::HardwareAddress)]),
    module("mark", Exact, &[entry("mark", Arity::One, Meaning::Mark)]),
    of(&[135], &module("mh", Always, &[test("mh-type").takes(Argument::RangeOrNames(255))])),
    of(&[TCP, UDP, UDPLITE, DCCP, SCTP], &module("multiport", Exact, &[
        entry("sports", Arity::One, Meaning::SourcePortList), entry("source-ports", Arity::One, Meaning::SourcePortList),
        entry("dports", Arity::One, Meaning::DestinationPortList), entry("destination-ports", Arity::One, Meaning::DestinationPortList),
        entry("ports", Arity::One, Meaning::EitherPortList),
    ])),
    // Counts and always matches: iptables-extensions(8), "nfacct".
    module("nfacct", Exact, &[entry("nfacct-name", Arity::One, Meaning::Silent)]),
    of(&[TCP], &module("osf", Always, &[test("genre"), detail("ttl").takes(Argument::Number(0, 2)), detail("log").takes(Argument::Number(0, 2))])),
    module("owner", Always, &[
        test("uid-owner"), test("gid-owner"), test("pid-owner"), test("sid-owner"), test("cmd-owner"),
        test_flag("socket-exists"), detail_flag("suppl-groups"),
    ]),
    module("physdev", Always, &[
        test("physdev-in"), test("physdev-out"), test_flag("physdev-is-in"), test_flag("physdev-is-out"), test_flag("physdev-is-bridged"),
    ]),
    module("pkttype", Always, &[test("pkt-type").takes(Argument::Word(&["unicast", "broadcast", "multicast", "host", "otherhost", "bcast", "mcast"]))]),
    module("policy", Always, &[
        detail("dir"), detail("pol"), detail_flag("strict"), detail("reqid"), detail("spi"), detail("proto"), detail("mode"),
        detail("tunnel-src"), detail("tunnel-dst"), detail_flag("next"),
    ]),
    module("quota", Never, &[test("quota").takes(Argument::Number(0, u64::MAX))]),
    module("random", Never, &[test("average")]),
    module("rateest", Never, &[
        detail("rateest"), detail("rateest1"), detail("rateest2"), detail_flag("rateest-delta"),
        entry("rateest-bps", Arity::Optional, Meaning::Detail), entry("rateest-pps", Arity::Optional, Meaning::Detail),
        entry("rateest-bps1", Arity::Optional, Meaning::Detail), entry("rateest-bps2", Arity::Optional, Meaning::Detail),
        entry("rateest-pps1", Arity::Optional, Meaning::Detail), entry("rateest-pps2", Arity::Optional, Meaning::Detail),
        detail_flag("rateest-lt"), detail_flag("rateest-gt"), detail_flag("rateest-eq"),
    ]),
    module("realm", UntilTranslated, &[test("realm")]),
    module("recent", Never, &[
        test_flag("set"), test_flag("rcheck"), test_flag("update"), test_flag("remove"), detail("seconds").takes(Argument::Number(1, 0xffff_ffff)), detail_flag("reap"),
        detail("hitcount").takes(Argument::Number(1, 0xffff)), detail_flag("rttl"), detail("name").takes(Argument::Text(199)), detail_flag("rsource"), detail_flag("rdest"), detail("mask"),
    ]),
    module("rpfilter", Always, &[detail_flag("loose"), detail_flag("validmark"), detail_flag("accept-local"), detail_flag("invert")]),
    module("rt", Absent, &[
        test("rt-type").takes(Argument::LONG), test("rt-segsleft").takes(Argument::LONGS), test("rt-len").takes(Argument::LONG), detail_flag("rt-0-res"), detail("rt-0-addrs"), detail_flag("rt-0-not-strict"),
    ]),
    of(&[SCTP], &module("sctp", Always, &[SPORT, SPORTS, DPORT, DPORTS, entry("chunk-types", Arity::Two, Meaning::Test)])),
    module("set", Unless(Change::Set), &[
        entry("match-set", Arity::Two, Meaning::InSet), entry("set", Arity::Two, Meaning::InSet), detail_flag("return-nomatch"),
        detail_flag("update-counters"), detail_flag("update-subcounters"), detail("packets-eq"), detail("packets-lt"),
        detail("packets-gt"), detail("bytes-eq"), detail("bytes-lt"), detail("bytes-gt"),
    ]),
    module("socket", UntilTranslated, &[detail_flag("nowildcard"), detail_flag("transparent"), detail_flag("restore-skmark")]),
    module("srh", Absent, &[
        test("srh-next-hdr"), test("srh-hdr-len-eq"), test("srh-hdr-len-gt"), test("srh-hdr-len-lt"), test("srh-segs-left-eq"),
        test("srh-segs-left-gt"), test("srh-segs-left-lt"), test("srh-last-entry-eq"), test("srh-last-entry-gt"),
        test("srh-last-entry-lt"), test("srh-tag"), test("srh-psid"), test("srh-nsid"), test("srh-lsid"),
    ]),
    module("state", Exact, &[entry("state", Arity::One, Meaning::State)]),
    module("statistic", Never, &[detail("mode").takes(Argument::Word(&["random", "nth"])), test("probability").takes(Argument::Probability), test("every").takes(Argument::Number(1, 0xffff_ffff)), detail("packet").takes(Argument::LONG)]),
    module("string", UntilTranslated, &[
        detail("from").takes(Argument::SHORT), detail("to").takes(Argument::SHORT), detail("algo").takes(Argument::Word(&["bm", "kmp"])), detail_flag("icase"), test("string").takes(Argument::Text(128)), test("hex-string"),
    ]),
    of(&[TCP], &module("tcp", Always, &[
        SPORT, DPORT, SPORTS, DPORTS, entry("tcp-flags", Arity::Two, Meaning::TcpFlags),
        entry("syn", Arity::Zero, Meaning::Syn), test("tcp-option").takes(Argument::Number(1, 255)),
    ])),
    of(&[TCP], &module("tcpmss", Unless(Change::TcpOptions), &[test("mss").takes(Argument::SHORTS)])),
    module("time", Always, &[
        detail("datestart"), detail("datestop"), detail("timestart").takes(Argument::TimeOfDay), detail("timestop").takes(Argument::TimeOfDay), test("monthdays"), test("weekdays"),
        detail("days"), detail_flag("kerneltz"), detail_flag("utc"), detail_flag("localtz"), detail_flag("contiguous"),
    ]),
    module("tos", Unless(Change::TypeOfService), &[test("tos").takes(Argument::MaskedOrWord(SERVICES))]),
    module("ttl", Unless(Change::HopLimit), &[test("ttl-eq").takes(Argument::BYTE), test("ttl").takes(Argument::BYTE), test("ttl-lt").takes(Argument::BYTE), test("ttl-gt").takes(Argument::BYTE)]),
    module("u32", UntilTranslated, &[test("u32")]),
    of(&[UDP], &module("udp", Exact, PORTS)),
    of(&[UDPLITE], &module("udplite", Exact, PORTS)),
];

/// Modules that iptables refuses without an option, sorted.
pub(in crate::dialect::iptables) static NEED_OPTIONS: &[&str] = &[
    "addrtype",
    "bpf",
    "cgroup",
    "comment",
    "connbytes",
    "connlabel",
    "connmark",
    "conntrack",
    "cpu",
    "devgroup",
    "dscp",
    "hashlimit",
    "helper",
    "hl",
    "iprange",
    "ipv6header",
    "length",
    "mac",
    "mark",
    "multiport",
    "osf",
    "owner",
    "physdev",
    "pkttype",
    "quota",
    "realm",
    "recent",
    "set",
    "state",
    "statistic",
    "string",
    "tcpmss",
    "tos",
    "ttl",
    "u32",
];
