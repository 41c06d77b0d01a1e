//! The targets of iptables-extensions(8), their options, and what each does to a packet.

use super::argument::{CLASSES, SERVICES, TCP_OPTIONS};
use super::{Argument, Arity, Change, Effect, Entry, Meaning, TargetEntry, entry, parameter, parameter_flag};

const fn target(name: &'static str, effect: Effect, options: &'static [Entry]) -> TargetEntry {
    TargetEntry {
        name,
        effect,
        options,
    }
}

/// Every target that is known, sorted by name.
#[rustfmt::skip] // one target a line or two: a table to be read across
pub(in crate::dialect::iptables) static TARGETS: &[TargetEntry] = &[
    target("ACCEPT", Effect::Accept, &[]),
    target("ACCOUNT", Effect::Pass, &[parameter("addr"), parameter("tname")]),
    target("AUDIT", Effect::Pass, &[parameter("type").takes(Argument::Word(&["accept", "drop", "reject"]))]),
    target("CHECKSUM", Effect::Pass, &[parameter_flag("checksum-fill")]),
    target("CLASSIFY", Effect::Pass, &[parameter("set-class")]),
    target("CLUSTERIP", Effect::Unknown, &[
        parameter_flag("new"), parameter("hashmode"), parameter("clustermac"), parameter("total-nodes"), parameter("local-node"),
        parameter("hash-init"),
    ]),
    target("CONNMARK", Effect::Connmark, &[
        parameter("set-xmark").takes(Argument::Masked), parameter("set-mark").takes(Argument::Masked), parameter_flag("save-mark"), parameter_flag("restore-mark"), parameter("ctmask").takes(Argument::LONG),
        parameter("nfmask").takes(Argument::LONG), parameter("mask").takes(Argument::LONG), parameter("and-mark").takes(Argument::LONG), parameter("or-mark").takes(Argument::LONG), parameter("xor-mark").takes(Argument::LONG),
        parameter("left-shift-mark"), parameter("right-shift-mark"),
    ]),
    target("CONNSECMARK", Effect::Pass, &[parameter_flag("save"), parameter_flag("restore")]),
    target("CT", Effect::Ct, &[
        parameter_flag("notrack"), parameter("helper"), parameter("timeout"), parameter("ctevents"), parameter("expevents"),
        parameter("zone"), parameter("zone-orig"), parameter("zone-reply"), parameter("nat-event"),
    ]),
    target("DNAT", Effect::Dnat, &[
        parameter("to-destination"), parameter_flag("random"), parameter_flag("random-fully"), parameter_flag("persistent"),
    ]),
    // Rewrites the prefix of the destination, in mangle, without connection tracking: not modelled.
    target("DNPT", Effect::Unknown, &[parameter("src-pfx"), parameter("dst-pfx")]),
    target("DROP", Effect::Drop, &[]),
    target("DSCP", Effect::Changes(Change::TypeOfService), &[parameter("set-dscp").takes(Argument::Number(0, 63)), parameter("set-dscp-class").takes(Argument::Word(CLASSES))]),
    target("ECN", Effect::Changes(Change::TypeOfService), &[
        parameter_flag("ecn-tcp-remove"), parameter("ecn-tcp-cwr").takes(Argument::Number(0, 1)), parameter("ecn-tcp-ece").takes(Argument::Number(0, 1)), parameter("ecn-ip-ect").takes(Argument::Number(0, 3)),
    ]),
    target("HL", Effect::Changes(Change::HopLimit), &[parameter("hl-set").takes(Argument::BYTE), parameter("hl-dec").takes(Argument::Number(1, 255)), parameter("hl-inc").takes(Argument::Number(1, 255))]),
    target("HMARK", Effect::AnyMark, &[
        parameter("hmark-tuple"), parameter("hmark-mod"), parameter("hmark-offset"), parameter("hmark-rnd"),
        parameter("hmark-src-prefix"), parameter("hmark-dst-prefix"), parameter("hmark-sport-mask"), parameter("hmark-dport-mask"),
        parameter("hmark-spi-mask"), parameter("hmark-sport"), parameter("hmark-dport"), parameter("hmark-spi"),
        parameter("hmark-proto-mask"),
    ]),
    target("IDLETIMER", Effect::Pass, &[
        parameter("timeout").takes(Argument::Number(1, 0xffff_ffff)), parameter("label"), parameter_flag("alarm"), parameter_flag("send_nl_msg"),
    ]),
    target("LED", Effect::Pass, &[parameter("led-trigger-id"), parameter("led-delay"), parameter_flag("led-always-blink")]),
    target("LOG", Effect::Pass, &[
        parameter("log-level"), parameter("log-prefix"), parameter_flag("log-tcp-sequence"), parameter_flag("log-tcp-options"),
        parameter_flag("log-ip-options"), parameter_flag("log-uid"), parameter_flag("log-macdecode"),
    ]),
    target("LOGMARK", Effect::Pass, &[parameter("log-level"), parameter("log-prefix")]),
    target("MARK", Effect::Mark, &[
        parameter("set-xmark"), parameter("set-mark"), parameter("and-mark").takes(Argument::LONG), parameter("or-mark").takes(Argument::LONG), parameter("xor-mark").takes(Argument::LONG),
    ]),
    target("MASQUERADE", Effect::Snat, &[parameter("to-ports"), parameter_flag("random"), parameter_flag("random-fully")]),
    target("NETFLOW", Effect::Pass, &[]),
    target("NETMAP", Effect::Netmap, &[parameter("to")]),
    target("NFLOG", Effect::Pass, &[
        parameter("nflog-group"), parameter("nflog-range"), parameter("nflog-size"), parameter("nflog-threshold"),
        parameter("nflog-prefix"),
    ]),
    target("NFQUEUE", Effect::Unknown, &[
        parameter("queue-num").takes(Argument::SHORT), parameter("queue-balance"), parameter_flag("queue-bypass"), parameter_flag("queue-cpu-fanout"),
    ]),
    target("NOTRACK", Effect::Notrack, &[]),
    target("QUEUE", Effect::Unknown, &[]),
    target("RATEEST", Effect::Pass, &[parameter("rateest-name"), parameter("rateest-interval"), parameter("rateest-ewmalog")]),
    target("REDIRECT", Effect::Redirect, &[parameter("to-ports"), parameter_flag("random"), parameter_flag("random-fully")]),
    target("REJECT", Effect::Reject, &[parameter("reject-with")]),
    target("RETURN", Effect::Return, &[]),
    target("SECMARK", Effect::Pass, &[parameter("selctx")]),
    target("SET", Effect::Changes(Change::Set), &[
        entry("add-set", Arity::Two, Meaning::Parameter), entry("del-set", Arity::Two, Meaning::Parameter),
        entry("map-set", Arity::Two, Meaning::Parameter), parameter_flag("exist"), parameter("timeout"),
        parameter_flag("map-mark"), parameter_flag("map-prio"), parameter_flag("map-queue"),
    ]),
    target("SNAT", Effect::Snat, &[
        parameter("to-source"), parameter_flag("random"), parameter_flag("random-fully"), parameter_flag("persistent"),
    ]),
    target("SNPT", Effect::Pass, &[parameter("src-pfx"), parameter("dst-pfx")]),
    target("SYNPROXY", Effect::Unknown, &[
        parameter_flag("sack-perm"), parameter_flag("timestamp"), parameter("wscale"), parameter("mss"), parameter_flag("ecn"),
    ]),
    // Answers in the host's stead and drops: xtables-addons(8), "TARPIT".
    target("TARPIT", Effect::Unknown, &[parameter_flag("tarpit"), parameter_flag("honeypot"), parameter_flag("reset")]),
    target("TCPMSS", Effect::Changes(Change::TcpOptions), &[parameter("set-mss").takes(Argument::SHORT), parameter_flag("clamp-mss-to-pmtu")]),
    target("TCPOPTSTRIP", Effect::Changes(Change::TcpOptions), &[parameter("strip-options").takes(Argument::NumbersOrWords(2, 255, TCP_OPTIONS))]),
    target("TEE", Effect::Pass, &[parameter("gateway").takes(Argument::Address), parameter("oif")]),
    target("TOS", Effect::Changes(Change::TypeOfService), &[
        parameter("set-tos").takes(Argument::MaskedOrWord(SERVICES)), parameter("and-tos"), parameter("or-tos"), parameter("xor-tos"),
    ]),
    target("TPROXY", Effect::Unknown, &[parameter("on-port").takes(Argument::SHORT), parameter("on-ip").takes(Argument::Address), parameter("tproxy-mark").takes(Argument::Masked)]),
    target("TRACE", Effect::Pass, &[]),
    target("TTL", Effect::Changes(Change::HopLimit), &[parameter("ttl-set").takes(Argument::BYTE), parameter("ttl-dec").takes(Argument::Number(1, 255)), parameter("ttl-inc").takes(Argument::Number(1, 255))]),
    target("ULOG", Effect::Pass, &[
        parameter("ulog-nlgroup"), parameter("ulog-cprange"), parameter("ulog-qthreshold"), parameter("ulog-prefix"),
    ]),
];
