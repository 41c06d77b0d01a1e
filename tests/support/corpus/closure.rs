//! Flat lists in the form of `iptables -L -n`, to sets of packets: what a ruleset accepts at least, and at most.
//! INVARIANT: a list is read whole or not at all; a word that is not known is a failure.

use portcullis::packet::{Family, Field, PacketSet, RangeSet, Space};

use super::network;

/// The packets that one chain of a list accepts.
pub(crate) fn accepted(space: &mut Space, list: &str, chain: &str) -> PacketSet {
    let mut lines = list.lines();
    let head = format!("Chain {chain} (policy ");
    let policy = lines
        .by_ref()
        .find_map(|line| line.strip_prefix(head.as_str()))
        .unwrap();
    let rules: Vec<_> = lines.skip(1).take_while(|line| !line.trim().is_empty()).collect();
    let mut accepted = match policy.trim_end_matches(')') {
        "ACCEPT" => PacketSet::all(),
        "DROP" => PacketSet::empty(),
        other => panic!("the policy `{other}` is not expected"),
    };
    // From the last to the first, each rule has the word over what is behind it.
    for line in rules.into_iter().rev() {
        let (verdict, matched) = rule(space, line);
        accepted = match verdict {
            "ACCEPT" => space.union(accepted, matched).unwrap(),
            "DROP" => space.difference(accepted, matched).unwrap(),
            other => panic!("the verdict `{other}` is not expected"),
        };
    }
    accepted
}

fn rule<'t>(space: &mut Space, line: &'t str) -> (&'t str, PacketSet) {
    let mut words = line.split_whitespace();
    let mut word = || words.next().unwrap_or_else(|| panic!("`{line}` is too short"));
    let (verdict, protocol, _options, source, destination) = (word(), word(), word(), word(), word());
    let mut tests = vec![
        (Field::Family, RangeSet::point(Family::V4.value())),
        (Field::Source4, network(source)),
        (Field::Destination4, network(destination)),
    ];
    let number = match protocol {
        "all" => None,
        "icmp" => Some(1),
        "tcp" => Some(6),
        "udp" => Some(17),
        "esp" => Some(50),
        other => Some(other.parse().unwrap()),
    };
    tests.extend(number.map(|number| (Field::Protocol, RangeSet::point(number))));
    for word in words.skip_while(|&word| word == protocol) {
        let (name, ports) = word
            .split_once(':')
            .unwrap_or_else(|| panic!("`{word}` in `{line}`"));
        let (low, high) = ports.split_once(':').unwrap_or((ports, ports));
        let ports = RangeSet::range(low.parse().unwrap(), high.parse().unwrap());
        match name {
            "spt" | "spts" => tests.push((Field::SourcePort, ports)),
            "dpt" | "dpts" => tests.push((Field::Service, ports)),
            other => panic!("`{other}` in `{line}`"),
        }
    }
    (verdict, space.product(&tests).unwrap())
}
