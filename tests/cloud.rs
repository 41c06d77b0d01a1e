//! What permissions of clouds mean: one line a permission, with what the API's reference says that it lets through.

#![cfg(test)]

#[path = "support/model_text.rs"]
mod model_text;

use portcullis::cloud::{Direction, Doubt, Lowering, Peer, Permission, Value, ec2, neutron, nova};
use portcullis::model::{Families, Layer, Rule, Ruleset};
use portcullis::source::{FileId, SourceMap, Span};

/// `tcp 22 22 10.0.0.0/8`: words of a line with their places; `-` is absent, `?x` is not known.
struct Words {
    map: SourceMap,
    file: FileId,
    line: Span,
    values: Vec<Option<Value<String>>>,
}

fn words(line: &str) -> Words {
    let mut map = SourceMap::new();
    let file = map.add_text("permission", line);
    let span = |word: &str| {
        let start = u32::try_from(word.as_ptr() as usize - line.as_ptr() as usize).unwrap();
        Span::new(file, start, start + u32::try_from(word.len()).unwrap())
    };
    let value = |word: &str| match word.strip_prefix('?') {
        _ if word == "-" => None,
        Some(name) => Some(Value::Unknown(Doubt {
            key: name.into(),
            why: format!("`{name}` is not known").into(),
            span: span(word),
        })),
        None => Some(Value::new(word.to_owned(), span(word))),
    };
    let values = line.split(' ').map(value).collect();
    Words {
        line: span(line),
        map,
        file,
        values,
    }
}

impl Words {
    fn at(&self, index: usize) -> Option<Value<String>> {
        self.values.get(index).cloned().flatten()
    }

    /// Words from `from` on: protocol, first port, last port, networks.
    fn permission(&self, from: usize) -> Permission {
        let networks = self.values.iter().skip(from + 3).flatten();
        let mut peers: Vec<_> = networks
            .map(|cidr| Peer::Network {
                cidr: cidr.clone(),
                family: None,
            })
            .collect();
        if peers.is_empty() {
            let span = Span::new(self.file, 0, 0);
            peers.push(Peer::Everyone { span, family: None });
        }
        Permission {
            span: self.line,
            protocol: self.at(from),
            from_port: self.at(from + 1),
            to_port: self.at(from + 2),
            peers,
            guards: Vec::new(),
        }
    }

    fn text(&self, lowering: &Lowering, rules: &[Rule]) -> String {
        let nowhere = Ruleset {
            layer: Layer::SecurityGroup,
            families: Families::Both,
            chains: Vec::new(),
            bases: Vec::new(),
            sets: portcullis::model::NamedSets::default(),
        };
        let rules = rules
            .iter()
            .map(|rule| model_text::rule_text(rule, &nowhere, &self.map));
        let rules = rules.map(|rule| rule.trim_start_matches("line 1: ").to_owned());
        let said = lowering.notices().map(|finding| finding.message.clone());
        rules.chain(said).collect::<Vec<_>>().join("\n")
    }
}

#[test]
fn a_security_group_of_ec2_reads_ports_in_the_light_of_the_protocol() {
    for (line, expected) in [
        (
            "tcp 22 22 10.0.0.0/8",
            "protocol tcp `tcp`; service 22 `22`; (family IPv4 and from 10.0.0.0/8) `10.0.0.0/8`; => accept `10.0.0.0/8`",
        ),
        // Names in any case, numbers; a range is underlined as a whole.
        (
            "UDP 67 68 0.0.0.0/0",
            "protocol udp `UDP`; service 67-68 `67 68`; family IPv4 `0.0.0.0/0`; => accept `0.0.0.0/0`",
        ),
        (
            "6 0 0 ::/0",
            "protocol tcp `6`; service 0 `0`; family IPv6 `::/0`; => accept `::/0`",
        ),
        // Bits behind the prefix do not matter.
        (
            "tcp 80 80 0.0.2.0/0",
            "protocol tcp `tcp`; service 80 `80`; family IPv4 `0.0.2.0/0`; => accept `0.0.2.0/0`",
        ),
        (
            "tcp 80 80 100.68.0.18/18",
            "protocol tcp `tcp`; service 80 `80`; (family IPv4 and from 100.68.0.0/18) `100.68.0.18/18`; => accept `100.68.0.18/18`",
        ),
        // All protocols, and those without ports, are about all ports whatever is written.
        (
            "-1 0 0 0.0.0.0/0",
            "always `-1`; family IPv4 `0.0.0.0/0`; => accept `0.0.0.0/0`",
        ),
        (
            "-1 22 22 0.0.0.0/0",
            "always `-1`; family IPv4 `0.0.0.0/0`; => accept `0.0.0.0/0`",
        ),
        (
            "all - - ::/0",
            "always `all`; family IPv6 `::/0`; => accept `::/0`",
        ),
        (
            "50 22 22 ::/0",
            "protocol esp `50`; family IPv6 `::/0`; => accept `::/0`",
        ),
        // Type and code of ICMP: 8 is 2048 to 2303.
        (
            "icmp 8 0 0.0.0.0/0",
            "protocol icmp `icmp`; service 2048 `8 0`; family IPv4 `0.0.0.0/0`; => accept `0.0.0.0/0`",
        ),
        (
            "icmp 8 -1 0.0.0.0/0",
            "protocol icmp `icmp`; service 2048-2303 `8 -1`; family IPv4 `0.0.0.0/0`; => accept `0.0.0.0/0`",
        ),
        (
            "icmp -1 -1 0.0.0.0/0",
            "protocol icmp `icmp`; family IPv4 `0.0.0.0/0`; => accept `0.0.0.0/0`",
        ),
        (
            "icmpv6 - - ::/0",
            "protocol icmpv6 `icmpv6`; family IPv6 `::/0`; => accept `::/0`",
        ),
        (
            "58 128 0 ::/0",
            "protocol icmpv6 `58`; service 32768 `128 0`; family IPv6 `::/0`; => accept `::/0`",
        ),
    ] {
        let words = words(line);
        let mut lowering = Lowering::new();
        let rules = ec2::security_group_rules(&mut lowering, Direction::Ingress, &words.permission(0));
        assert_eq!(words.text(&lowering, &rules), expected, "{line}");
    }
}

#[test]
fn what_ec2_refuses_is_said_and_taken_both_ways() {
    for (line, said) in [
        (
            "tcp - - 0.0.0.0/0",
            "the protocol needs ports, and there are none",
        ),
        (
            "tcp 22 - 0.0.0.0/0",
            "the protocol needs ports, and there are none",
        ),
        (
            "icmp - - 0.0.0.0/0",
            "the protocol needs ports, and there are none",
        ),
        ("tcp -1 -1 0.0.0.0/0", "`-1` is no port"),
        ("tcp 1 65536 0.0.0.0/0", "`65536` is no port"),
        ("tcp ssh 22 0.0.0.0/0", "`ssh` is no port"),
        (
            "tcp 80 22 0.0.0.0/0",
            "the ports end at 22, before they start at 80",
        ),
        (
            "icmp -1 0 0.0.0.0/0",
            "all types of ICMP are meant, but only code 0",
        ),
        ("icmp 256 0 0.0.0.0/0", "`256` is no ICMP type"),
        ("tpc 22 22 0.0.0.0/0", "`tpc` is no protocol"),
        ("- 22 22 0.0.0.0/0", "the permission names no protocol"),
        ("tcp 22 22 10.0.0.1", "`10.0.0.1` is no network"),
        ("tcp 22 22 10.0.0.0/33", "`10.0.0.0/33` is no network"),
        (
            "tcp 22 22 10.0.0.0/255.0.0.0",
            "`10.0.0.0/255.0.0.0` is no network",
        ),
        ("tcp 22 22 anywhere", "`anywhere` is no network"),
    ] {
        let words = words(line);
        let mut lowering = Lowering::new();
        let rules = ec2::security_group_rules(&mut lowering, Direction::Ingress, &words.permission(0));
        let text = words.text(&lowering, &rules);
        assert!(text.ends_with(&format!("\n{said}")), "{line}: {text}");
        assert!(text.contains("unknown ["), "{line}: {text}");
        assert!(rules.iter().all(|rule| rule.span == words.line), "{line}");
    }
}

#[test]
fn values_that_are_not_known_are_questions_of_their_own() {
    for (line, expected) in [
        (
            "tcp 22 22 ?ours",
            "protocol tcp `tcp`; service 22 `22`; unknown [source in ours] `?ours`; => accept `?ours`",
        ),
        (
            "tcp ?port ?port 10.0.0.0/8",
            "protocol tcp `tcp`; unknown [ports port-port by port] `?port ?port`; (family IPv4 and from 10.0.0.0/8) `10.0.0.0/8`; => accept `10.0.0.0/8`",
        ),
        (
            "?any 22 22 0.0.0.0/0",
            "unknown [service 22-22 of any] `?any`; family IPv4 `0.0.0.0/0`; => accept `0.0.0.0/0`",
        ),
    ] {
        let words = words(line);
        let mut lowering = Lowering::new();
        let rules = ec2::security_group_rules(&mut lowering, Direction::Ingress, &words.permission(0));
        assert_eq!(words.text(&lowering, &rules), expected, "{line}");
        assert_eq!(lowering.doubts().count(), 1, "{line}");
    }
}

#[test]
fn each_network_is_a_rule_that_points_at_it() {
    let words = words("tcp 22 22 10.0.0.0/8 192.168.0.0/16 ::/0");
    let mut lowering = Lowering::new();
    let rules = ec2::security_group_rules(&mut lowering, Direction::Egress, &words.permission(0));
    let pointed: Vec<_> = rules
        .iter()
        .map(|rule| words.map.text(rule.action_span))
        .collect();
    assert_eq!(pointed, ["10.0.0.0/8", "192.168.0.0/16", "::/0"]);
    let text = words.text(&lowering, &rules);
    assert!(text.contains("(family IPv4 and to 10.0.0.0/8)"), "{text}");
}

#[test]
fn a_rule_of_neutron_is_about_one_family() {
    for (line, expected) in [
        (
            "- tcp 22 22 10.0.0.0/8",
            "protocol tcp `tcp`; service 22 `22`; (family IPv4 and from 10.0.0.0/8) `10.0.0.0/8`; => accept `10.0.0.0/8`",
        ),
        ("IPv6 any - -", "always `any`; family IPv6 ``; => accept ``"),
        ("IPv4 0 - -", "always `0`; family IPv4 ``; => accept ``"),
        ("IPv4 - - -", "family IPv4 ``; => accept ``"),
        ("IPv4 tcp - -", "protocol tcp `tcp`; family IPv4 ``; => accept ``"),
        (
            "IPv6 icmp - -",
            "protocol icmpv6 `icmp`; family IPv6 ``; => accept ``",
        ),
        ("IPv6 1 - -", "protocol icmpv6 `1`; family IPv6 ``; => accept ``"),
        (
            "IPv4 icmp 8 -",
            "protocol icmp `icmp`; service 2048-2303 `8`; family IPv4 ``; => accept ``",
        ),
        (
            "IPv4 icmp 3 4",
            "protocol icmp `icmp`; service 772 `3 4`; family IPv4 ``; => accept ``",
        ),
        (
            "IPv4 udp 1 65535 1.2.3.4",
            "protocol udp `udp`; service 1-65535 `1 65535`; (family IPv4 and from 1.2.3.4) `1.2.3.4`; => accept `1.2.3.4`",
        ),
        ("IPv4 pgm - -", "protocol 113 `pgm`; family IPv4 ``; => accept ``"),
        (
            "IPv4 ipv6-encap - -",
            "protocol ipv6 `ipv6-encap`; family IPv4 ``; => accept ``",
        ),
        (
            "IPv4 vrrp - -",
            "protocol vrrp `vrrp`; family IPv4 ``; => accept ``",
        ),
    ] {
        let words = words(line);
        let mut lowering = Lowering::new();
        let ethertype = words.at(0);
        let rules = neutron::rules(
            &mut lowering,
            Direction::Ingress,
            ethertype.as_ref(),
            &words.permission(1),
        );
        assert_eq!(words.text(&lowering, &rules), expected, "{line}");
    }
}

#[test]
fn what_neutron_refuses_is_said_and_taken_both_ways() {
    for (line, said) in [
        ("IPv4 tcp 0 80", "`0` is no port"),
        ("IPv4 tcp 80 -", "one end of the ports is missing"),
        ("IPv4 tcp 81 80", "the ports end before they start"),
        ("IPv4 - 80 80", "the protocol has no ports"),
        ("IPv4 vrrp 80 80", "the protocol has no ports"),
        ("IPv4 icmp - 0", "a code of ICMP needs a type"),
        ("IPv4 tcpp - -", "`tcpp` is no protocol"),
        ("IPv5 tcp 80 80", "`IPv5` is no ethertype"),
        ("IPv4 tcp 80 80 ::/0", "`::/0` is an IPv6 network"),
    ] {
        let words = words(line);
        let mut lowering = Lowering::new();
        let ethertype = words.at(0);
        let rules = neutron::rules(
            &mut lowering,
            Direction::Ingress,
            ethertype.as_ref(),
            &words.permission(1),
        );
        let text = words.text(&lowering, &rules);
        assert!(text.ends_with(&format!("\n{said}")), "{line}: {text}");
        assert!(text.contains("unknown ["), "{line}: {text}");
    }
}

#[test]
fn the_compute_service_writes_all_of_icmp_as_minus_one() {
    for (line, expected) in [
        (
            "icmp -1 -1 0.0.0.0/0",
            "protocol icmp `icmp`; family IPv4 `0.0.0.0/0`; => accept `0.0.0.0/0`",
        ),
        (
            "tcp 22 22 ::/0",
            "protocol tcp `tcp`; service 22 `22`; family IPv6 `::/0`; => accept `::/0`",
        ),
    ] {
        let words = words(line);
        let mut lowering = Lowering::new();
        let rules = nova::rules(&mut lowering, &words.permission(0));
        assert_eq!(words.text(&lowering, &rules), expected, "{line}");
    }
}

/// `number action protocol first last network`.
fn entry(words: &Words) -> ec2::AclEntry {
    let permission = words.permission(2);
    let ports = (permission.from_port, permission.to_port);
    ec2::AclEntry {
        span: words.line,
        number: words.at(0),
        protocol: permission.protocol,
        action: words.at(1),
        peers: permission.peers,
        ports: ports.clone(),
        icmp: ports,
        guards: Vec::new(),
    }
}

/// The rules of entries, each with the text that it was read from.
fn acl(lines: &[&str]) -> Vec<String> {
    let mut lowering = Lowering::new();
    let text = lines.join("\n");
    let mut map = SourceMap::new();
    let file = map.add_text("acl", text.as_str());
    let shifted = |line: &str| {
        let start = u32::try_from(text.find(line).unwrap()).unwrap();
        let mut words = words(line);
        let shift = |span: Span| Span::new(file, span.start + start, span.end + start);
        words.line = shift(words.line);
        for value in words.values.iter_mut().flatten() {
            match value {
                Value::Known(known) => known.span = shift(known.span),
                Value::Unknown(doubt) => doubt.span = shift(doubt.span),
            }
        }
        entry(&words)
    };
    let entries: Vec<_> = lines.iter().map(|line| shifted(line)).collect();
    let rules = ec2::network_acl_rules(&mut lowering, Direction::Ingress, &entries);
    let nowhere = Ruleset {
        layer: Layer::NetworkAcl,
        families: Families::Both,
        chains: Vec::new(),
        bases: Vec::new(),
        sets: portcullis::model::NamedSets::default(),
    };
    let rules = rules
        .iter()
        .map(|rule| model_text::rule_text(rule, &nowhere, &map));
    let said = lowering.notices().map(|finding| finding.message.clone());
    rules.chain(said).collect()
}

#[test]
fn entries_of_a_network_acl_decide_in_the_order_of_their_numbers() {
    let rules = acl(&[
        "200 allow -1 - - 0.0.0.0/0",
        "100 DENY tcp 22 22 0.0.0.0/0",
        "90 allow 58 - - 10.0.0.0/8",
        "80 allow 1 8 -1 10.0.0.0/8",
    ]);
    assert_eq!(
        rules,
        [
            "line 4: protocol icmp `1`; service 2048-2303 `8 -1`; (family IPv4 and from 10.0.0.0/8) `10.0.0.0/8`; => accept `10.0.0.0/8`",
            "line 3: protocol icmpv6 `58`; (family IPv4 and from 10.0.0.0/8) `10.0.0.0/8`; => accept `10.0.0.0/8`",
            "line 2: protocol tcp `tcp`; service 22 `22`; family IPv4 `0.0.0.0/0`; => drop `DENY`",
            "line 1: always `-1`; family IPv4 `0.0.0.0/0`; => accept `0.0.0.0/0`",
        ]
    );
}

#[test]
fn an_entry_whose_number_is_not_known_may_decide_first_and_does_so_last() {
    let rules = acl(&["?n allow -1 - - ::/0", "100 deny -1 - - 0.0.0.0/0"]);
    assert_eq!(
        rules,
        [
            "line 1: always `-1`; family IPv6 `::/0`; unknown [before others n] `?n`; => accept `::/0`",
            "line 2: always `-1`; family IPv4 `0.0.0.0/0`; => drop `deny`",
            "line 1: always `-1`; family IPv6 `::/0`; => accept `::/0`",
        ]
    );
}

#[test]
fn wrong_entries_are_said() {
    for (lines, said) in [
        (
            &["40000 allow -1 - - ::/0"][..],
            "`40000` is no number of an entry",
        ),
        (&["- allow -1 - - ::/0"], "the entry has no number"),
        (&["1 permit -1 - - ::/0"], "`permit` neither allows nor denies"),
        (&["1 - -1 - - ::/0"], "the entry neither allows nor denies"),
        (&["1 allow - - - ::/0"], "the entry names no protocol"),
        (
            &["1 allow 58 - - ::/0"],
            "the protocol needs ports, and there are none",
        ),
        (
            &["1 allow 6 80 80 ::/0", "1 deny 6 90 90 ::/0"],
            "there are two entries with the number 1",
        ),
    ] {
        let rules = acl(lines);
        assert_eq!(rules.last().map(String::as_str), Some(said), "{rules:#?}");
    }
}
