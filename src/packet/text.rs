//! Regions in human form: services by name beside the number, the fewest CIDRs, merged ranges.

use super::address::describe;
use super::extent::Region;
use super::field::value;
use super::icmp::icmp_name;
use super::protocol::{has_ports, number, protocol_name};
use super::{Family, Field, RangeSet};

/// Well-known ports that are named beside their number, as IANA registers them or everybody calls them.
const NAMED_PORTS: &[(u16, &str)] = &[
    (20, "ftp-data"),
    (21, "ftp"),
    (22, "ssh"),
    (23, "telnet"),
    (25, "smtp"),
    (53, "domain"),
    (67, "dhcp-server"),
    (68, "dhcp-client"),
    (69, "tftp"),
    (80, "http"),
    (110, "pop3"),
    (111, "rpcbind"),
    (123, "ntp"),
    (143, "imap"),
    (161, "snmp"),
    (179, "bgp"),
    (389, "ldap"),
    (443, "https"),
    (445, "smb"),
    (514, "syslog"),
    (546, "dhcpv6-client"),
    (587, "submission"),
    (631, "ipp"),
    (636, "ldaps"),
    (873, "rsync"),
    (993, "imaps"),
    (995, "pop3s"),
    (1194, "openvpn"),
    (1433, "mssql"),
    (1521, "oracle"),
    (2049, "nfs"),
    (2375, "docker"),
    (2376, "docker-tls"),
    (2377, "swarm"),
    (2379, "etcd"),
    (2380, "etcd-peer"),
    (3128, "squid"),
    (3306, "mysql"),
    (3389, "rdp"),
    (4789, "vxlan"),
    (5353, "mdns"),
    (5432, "postgresql"),
    (5672, "amqp"),
    (5900, "vnc"),
    (6379, "redis"),
    (6443, "kubernetes-api"),
    (8080, "http-alt"),
    (9090, "prometheus"),
    (9093, "alertmanager"),
    (9100, "node-exporter"),
    (9200, "elasticsearch"),
    (10250, "kubelet"),
    (10255, "kubelet-read-only"),
    (11211, "memcached"),
    (27017, "mongodb"),
    (51820, "wireguard"),
];

/// The port that a service of this name has, if it is a well-known one.
#[must_use]
pub fn port_by_name(name: &str) -> Option<u16> {
    NAMED_PORTS
        .iter()
        .find(|entry| entry.1 == name)
        .map(|entry| entry.0)
}

/// Parts of one list that are printed before the rest is only counted.
const MAX_PARTS: usize = 8;

fn listed(parts: Vec<String>) -> String {
    let more = parts.len().saturating_sub(MAX_PARTS);
    let mut text = parts.into_iter().take(MAX_PARTS).collect::<Vec<_>>().join(", ");
    if more > 0 {
        text.extend([" and ", &more.to_string(), " more"]);
    }
    text
}

fn protocol_word(protocol: u8) -> String {
    protocol_name(protocol).map_or_else(|| format!("proto/{protocol}"), str::to_owned)
}

/// A protocol and values of [`Field::Service`] as tables write them: `tcp/443 (https)`, `udp/30000-32767`, `icmp/echo-request`.
#[must_use]
pub fn service_words(protocol: u8, values: &RangeSet) -> Vec<String> {
    let word = protocol_word(protocol);
    if values.is_full(Field::Service.maximum()) {
        return vec![word];
    }
    if protocol == number::ICMP || protocol == number::ICMPV6 {
        return values
            .ranges()
            .iter()
            .map(|&range| icmp_words(&word, protocol, range))
            .collect();
    }
    let one = |&(low, high): &(u128, u128)| {
        if low != high {
            return format!("{word}/{low}-{high}");
        }
        let named = NAMED_PORTS
            .iter()
            .find(|entry| u128::from(entry.0) == low && has_ports(protocol));
        named.map_or_else(
            || format!("{word}/{low}"),
            |(_, name)| format!("{word}/{low} ({name})"),
        )
    };
    values.ranges().iter().map(one).collect()
}

fn icmp_words(word: &str, protocol: u8, (low, high): (u128, u128)) -> String {
    let (first, last) = (low >> 8, high >> 8);
    let kind = u8::try_from(first).unwrap_or(0);
    let name = icmp_name(protocol, kind).map_or_else(|| first.to_string(), str::to_owned);
    match (first == last, low & 0xff, high & 0xff) {
        (true, 0, 0xff) => format!("{word}/{name}"),
        (true, code, end) if code == end => format!("{word}/{name}/{code}"),
        (true, code, end) => format!("{word}/{name}/{code}-{end}"),
        (false, ..) => format!("{word}/{first}-{last}"),
    }
}

/// The services of a region: protocol by protocol, each with its ports.
#[must_use]
pub(super) fn region_services(region: &Region) -> String {
    let any = RangeSet::range(0, Field::Service.maximum());
    let services = region.values(Field::Service).unwrap_or(&any);
    let Some(protocols) = region.values(Field::Protocol) else {
        return if services == &any {
            "any protocol".into()
        } else {
            format!("any protocol, port {}", numbers(services))
        };
    };
    let single = |&(low, high): &(u128, u128)| (low..=high).filter_map(|n| u8::try_from(n).ok());
    let members: Vec<u8> = protocols.ranges().iter().flat_map(single).collect();
    if members.len() > MAX_PARTS {
        let others = protocols.complement(255);
        let others: Vec<_> = others
            .ranges()
            .iter()
            .flat_map(single)
            .map(protocol_word)
            .collect();
        let ports = if services == &any {
            String::new()
        } else {
            format!(", port {}", numbers(services))
        };
        return if others.len() <= MAX_PARTS {
            format!("any protocol but {}{ports}", others.join(", "))
        } else {
            format!("protocols {}{ports}", numbers(protocols))
        };
    }
    listed(
        members
            .into_iter()
            .flat_map(|protocol| service_words(protocol, services))
            .collect(),
    )
}

fn numbers(values: &RangeSet) -> String {
    let one = |&(low, high): &(u128, u128)| {
        if low == high {
            low.to_string()
        } else {
            format!("{low}-{high}")
        }
    };
    listed(values.ranges().iter().map(one).collect())
}

/// Interface names of a set: `eth0, bond*`, or `any but lo`.
#[must_use]
pub fn describe_interfaces(values: &RangeSet) -> String {
    if let Some(names) = interface_names(values) {
        return listed(names);
    }
    // That a packet has an interface goes without saying.
    let others = values.union(&RangeSet::point(0)).complement(u128::MAX);
    if others.is_empty() {
        return "any".into();
    }
    match interface_names(&others) {
        Some(names) => format!("any but {}", listed(names)),
        None => "some interfaces".into(),
    }
}

fn interface_names(values: &RangeSet) -> Option<Vec<String>> {
    let one = |&(low, high): &(u128, u128)| {
        let name = value::interface_name(low)?;
        match (low == high, value::interface_prefix(&name) == (low, high)) {
            (true, _) if name.is_empty() => Some("none".to_owned()),
            (true, _) => Some(name),
            (false, true) => Some(format!("{name}*")),
            (false, false) => None,
        }
    };
    values.ranges().iter().map(one).collect()
}

/// A region on one line: `tcp/22 (ssh) from 10.0.0.0/8 in eth0`. `name` may know a word for a set of addresses, `who` words for
/// identities.
#[must_use]
pub fn describe_region(
    region: &Region,
    name: &dyn Fn(Family, &RangeSet) -> Option<String>,
    who: &dyn Fn(&RangeSet) -> String,
) -> String {
    let mut text = region_services(region);
    let family = region.values(Field::Family).and_then(RangeSet::single);
    let family = family.map(|number| {
        if number == value::V4 {
            Family::V4
        } else {
            Family::V6
        }
    });
    let side = |word: &str, identity: Field, fields: [(Family, Field); 2]| {
        let parts: Vec<String> = fields
            .into_iter()
            .filter_map(|(family, field)| {
                let values = region.values(field)?;
                Some(name(family, values).map_or_else(|| describe(family, values), |name| vec![name]))
            })
            .flatten()
            .collect();
        match (region.values(identity).map(who), parts.is_empty()) {
            (None, true) => None,
            (None, false) => Some(format!(" {word} {}", listed(parts))),
            (Some(who), true) => Some(format!(" {word} {who}")),
            (Some(who), false) => Some(format!(" {word} {who} at {}", listed(parts))),
        }
    };
    let from = side(
        "from",
        Field::SourceIdentity,
        [(Family::V4, Field::Source4), (Family::V6, Field::Source6)],
    );
    match (from, family) {
        (Some(from), _) => text.push_str(&from),
        (None, Some(family)) => text.extend([" from any ", family.word(), " address"]),
        (None, None) if region.values(Field::Destination4).is_none() => text.push_str(" from anywhere"),
        (None, None) => {}
    }
    if let Some(ports) = region.values(Field::SourcePort) {
        text.extend([" source port ", &numbers(ports)]);
    }
    if let Some(to) = side(
        "to",
        Field::DestinationIdentity,
        [
            (Family::V4, Field::Destination4),
            (Family::V6, Field::Destination6),
        ],
    ) {
        text.push_str(&to);
    }
    for (word, field) in [("in", Field::InInterface), ("out", Field::OutInterface)] {
        if let Some(names) = region.values(field) {
            text.extend([" ", word, " ", &describe_interfaces(names)]);
        }
    }
    text
}
