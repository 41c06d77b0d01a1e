//! The shipped policies against the documents: each row transcribed here by hand a second time, from the documents
//! and not from the policies.
#![cfg(test)]

use std::collections::BTreeMap;

use portcullis::policy::{self, Choice, Kind, Peer, Resolved, Row, Service, Settings, Truth};
use portcullis::source::SourceMap;

fn resolved(name: &str, settings: impl FnOnce(&mut Settings, &mut SourceMap)) -> Resolved {
    let mut map = SourceMap::new();
    let file = map.add_text(format!("{name}.ports"), policy::builtin(name).unwrap());
    let mut set = Settings::default();
    settings(&mut set, &mut map);
    let parsed = policy::parse(map.source(file));
    policy::resolve(&parsed.policies[0], &set, &[]).unwrap()
}

fn peers(choice: &Choice<Peer>) -> String {
    let text = |peer: &Peer| match peer {
        Peer::This => "self".to_owned(),
        Peer::Any => "any".to_owned(),
        Peer::Every => "*".to_owned(),
        Peer::Zone(name) | Peer::Name(name) => name.clone(),
        Peer::Role { name, .. } => name.split_once('.').unwrap().1.to_owned(),
        Peer::Unset(reason) => format!("<{}>", reason.split('`').nth(3).unwrap()),
    };
    joined(choice, text)
}

fn services(choice: &Choice<Service>) -> String {
    let text = |service: &Service| {
        let protocol = match service.protocol {
            None => "any",
            Some(1) => "icmp",
            Some(6) => "tcp",
            Some(17) => "udp",
            Some(58) => "icmpv6",
            Some(other) => panic!("protocol {other}"),
        };
        match service.values.single() {
            _ if service.unset.is_some() => format!("{protocol} ?"),
            Some(port) => format!("{protocol} {port}"),
            None => protocol.to_owned(),
        }
    };
    joined(choice, text)
}

fn joined<T>(choice: &Choice<T>, text: impl Fn(&T) -> String) -> String {
    let items: Vec<String> = choice.items.iter().map(|item| text(&item.value)).collect();
    items.join(if choice.one_of { " or " } else { ", " })
}

fn by_place(resolved: &Resolved) -> BTreeMap<&str, Vec<&Row>> {
    let mut rows: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
    for row in &resolved.rows {
        rows.entry(&row.place).or_default().push(row);
    }
    rows
}

/// Hosts, port, scope: the columns of the MKE table, in its order.
const MKE: [(&str, &str, &str); 25] = [
    ("manager, worker", "tcp 179", "internal"),
    ("manager", "tcp 443", "external, internal"),
    ("manager", "tcp 2376", "internal"),
    ("manager", "tcp 2377", "internal"),
    ("manager, worker", "udp 4789", "internal"),
    ("manager", "tcp 6443", "external, internal"),
    ("manager, worker", "tcp 6444", "self"),
    ("manager, worker", "tcp 7946, udp 7946", "internal"),
    ("manager, worker", "tcp 9091", "self"),
    ("manager", "tcp 9094", "self"),
    ("manager, worker", "tcp 9099", "self"),
    ("manager, worker", "tcp 10250", "internal"),
    ("manager, worker", "tcp 12376", "internal"),
    ("manager, worker", "tcp 12378", "self"),
    ("manager", "tcp 12379", "internal"),
    ("manager", "tcp 12380", "internal"),
    ("manager", "tcp 12381", "internal"),
    ("manager", "tcp 12382", "internal"),
    ("manager", "tcp 12383", "internal"),
    ("manager", "tcp 12384", "internal"),
    ("manager", "tcp 12385", "internal"),
    ("manager", "tcp 12386", "internal"),
    ("manager", "tcp 12387", "internal"),
    ("manager", "tcp 12388", "internal"),
    ("manager, worker", "tcp 12389", "self"),
];

#[test]
fn the_mke_policy_has_the_rows_of_its_table_and_no_others() {
    let mke = resolved("mke", |_, _| {});
    assert_eq!(mke.rows.len(), 25);
    let rows = by_place(&mke);
    for (at, (hosts, port, scope)) in MKE.iter().enumerate() {
        let row = rows[format!("row {}", at + 1).as_str()][0];
        let says = (peers(&row.to), services(&row.services), peers(&row.from));
        assert_eq!(
            says,
            ((*hosts).to_owned(), (*port).to_owned(), (*scope).to_owned()),
            "row {}",
            at + 1
        );
        assert_eq!(row.kind, Kind::Require);
        assert_eq!(row.active, Truth::Yes);
        assert_eq!(row.document, "MKE: open ports to incoming traffic");
        assert!(!row.purpose.is_empty());
    }
}

#[test]
fn just_the_ports_that_the_mke_table_calls_configurable_are() {
    let mke = resolved("mke", |_, _| {});
    let named = mke.rows.iter().flat_map(|row| &row.services.items);
    let named: Vec<_> = named.filter(|service| service.value.name.is_some()).collect();
    let ports: Vec<_> = named
        .iter()
        .map(|service| service.value.values.single().unwrap())
        .collect();
    assert_eq!(ports, [443, 2376, 2377, 6443]);
}

/// Section and row, connecting side, accepting side, port, condition ("" for none): the StackLight tables, in order.
/// Two lines of one row are two ports of different versions.
const STACKLIGHT: [(&str, &str, &str, &str, &str); 30] = [
    ("User interfaces, row 1", "external", "alerta", "tcp 443", ""),
    (
        "User interfaces, row 2",
        "external",
        "alertmanager",
        "tcp 443",
        "",
    ),
    ("User interfaces, row 3", "external", "grafana", "tcp 443", ""),
    (
        "User interfaces, row 4",
        "external",
        "opensearch-dashboards",
        "tcp 443",
        "logging",
    ),
    ("User interfaces, row 5", "external", "prometheus", "tcp 443", ""),
    (
        "Alertmanager notifications receivers, row 1",
        "alertmanager",
        "<smtp-host>",
        "tcp 25",
        "email-notifications",
    ),
    (
        "Alertmanager notifications receivers, row 2",
        "alertmanager",
        "<teams-host>",
        "tcp 443",
        "teams-notifications",
    ),
    (
        "Alertmanager notifications receivers, row 3",
        "alertmanager",
        "mirantis.my.salesforce.com, login.salesforce.com",
        "tcp 443",
        "salesforce-notifications",
    ),
    (
        "Alertmanager notifications receivers, row 4",
        "alertmanager",
        "<servicenow-host>",
        "tcp 443",
        "servicenow-notifications",
    ),
    (
        "Alertmanager notifications receivers, row 5",
        "alertmanager",
        "<slack-host>",
        "tcp 443",
        "slack-notifications",
    ),
    (
        "Alertmanager notifications receivers, row 6",
        "alertmanager",
        "<receiver-hosts>",
        "any ?",
        "custom-notifications",
    ),
    (
        "External integrations, row 1",
        "salesforce-reporter",
        "mirantis.my.salesforce.com, login.salesforce.com",
        "tcp 443",
        "salesforce-reporter",
    ),
    (
        "External integrations, row 2",
        "prometheus",
        "<remote-write-host>",
        "tcp ?",
        "remote-write",
    ),
    (
        "External integrations, row 3",
        "prometheus",
        "<scrape-hosts>",
        "tcp ?",
        "custom-scrapes",
    ),
    (
        "External integrations, row 4",
        "fluentd",
        "<syslog-host>",
        "tcp ? or udp ?",
        "remote-syslog",
    ),
    (
        "External integrations, row 5",
        "metric-collector",
        "mcc-metrics-prod-ns.servicebus.windows.net",
        "tcp 9093 or tcp 443",
        "management-cluster",
    ),
    (
        "External integrations, row 6",
        "endpoint-monitoring",
        "<monitored-hosts>",
        "tcp 80 or tcp 443",
        "endpoint-monitoring",
    ),
    (
        "External integrations, row 7",
        "certificate-monitoring",
        "<certificate-hosts>",
        "tcp 80 or tcp 443",
        "certificate-monitoring",
    ),
    (
        "Metrics exporters, row 1",
        "prometheus",
        "node",
        "tcp 19100",
        "version >= 23.3",
    ),
    (
        "Metrics exporters, row 1",
        "prometheus",
        "node",
        "tcp 9100",
        "version < 23.3",
    ),
    (
        "Metrics exporters, row 2",
        "prometheus",
        "node",
        "tcp 24231",
        "logging",
    ),
    ("Metrics exporters, row 3", "prometheus", "node", "tcp 9091", ""),
    ("Metrics exporters, row 4", "prometheus", "node", "tcp 9126", ""),
    ("Metrics exporters, row 5", "blackbox", "master", "tcp 4443", ""),
    ("Metrics exporters, row 6", "prometheus", "node", "tcp 12376", ""),
    ("Metrics exporters, row 7", "blackbox", "master", "tcp 5443", ""),
    (
        "Metrics exporters, row 8",
        "blackbox or prometheus",
        "compute",
        "tcp 9177",
        "",
    ),
    (
        "Metrics exporters, row 9",
        "blackbox or prometheus",
        "tf-control",
        "tcp 9779",
        "tungsten-fabric",
    ),
    (
        "Metrics exporters, row 10",
        "blackbox or prometheus",
        "compute",
        "tcp 9779",
        "tungsten-fabric",
    ),
    (
        "Container Cloud telemetry, row 1",
        "telemeter-client",
        "<telemeter-host>",
        "tcp 443",
        "",
    ),
];

#[test]
fn the_stacklight_policy_has_the_rows_of_its_tables_and_no_others() {
    let mut map = SourceMap::new();
    let file = map.add_text("stacklight.ports", policy::builtin("stacklight").unwrap());
    let parsed = policy::parse(map.source(file));
    let stacklight = policy::resolve(&parsed.policies[0], &Settings::default(), &[]).unwrap();
    let shown = policy::show(&parsed.policies[0], &Settings::default(), &[]).unwrap();
    assert_eq!(by_place(&stacklight).len(), 29);
    assert_eq!(stacklight.rows.len(), STACKLIGHT.len());
    for ((row, shown), (place, from, to, port, condition)) in
        stacklight.rows.iter().zip(&shown.rows).zip(STACKLIGHT)
    {
        assert_eq!(row.place, place);
        let says = (peers(&row.from), peers(&row.to), services(&row.services));
        assert_eq!(says, (from.to_owned(), to.to_owned(), port.to_owned()), "{place}");
        assert_eq!(shown.condition.as_deref().unwrap_or(""), condition, "{place}");
        assert_eq!(row.active == Truth::Yes, condition.is_empty(), "{place}");
        assert_eq!(
            (row.kind, row.document.as_str()),
            (Kind::Require, "StackLight: ports and protocols")
        );
        assert!(!row.purpose.is_empty());
    }
}

#[test]
fn consumers_in_the_cluster_network_have_it_for_home() {
    let stacklight = resolved("stacklight", |_, _| {});
    for row in stacklight
        .rows
        .iter()
        .filter(|row| row.place.starts_with("Metrics exporters"))
    {
        for peer in &row.from.items {
            assert!(
                matches!(&peer.value, Peer::Role { home: Some(home), .. } if home == "cluster"),
                "{}",
                row.id
            );
        }
    }
    let cluster = stacklight
        .zones
        .iter()
        .find(|zone| zone.name == "cluster")
        .unwrap();
    assert_eq!(cluster.alias.as_deref(), Some("internal"));
}

#[test]
fn the_stackstate_agent_goes_out_to_its_tenant_and_to_one_registry() {
    let agent = resolved("stackstate-agent", |_, _| {});
    let says: Vec<_> = agent
        .rows
        .iter()
        .map(|row| {
            (
                row.kind,
                peers(&row.from),
                peers(&row.to),
                services(&row.services),
            )
        })
        .collect();
    let text = ToOwned::to_owned;
    assert_eq!(
        says,
        [
            (Kind::Require, text("agent"), text("<tenant>"), text("tcp 443")),
            (
                Kind::Require,
                text("node"),
                text("quay.io or <mirror>"),
                text("tcp 443")
            ),
            (Kind::Forbid, text("<tenant>"), text("agent"), text("any")),
        ]
    );
}

#[test]
fn common_binds_every_host_and_requires_nothing() {
    let common = resolved("common", |_, _| {});
    for row in &common.rows {
        let egress = ["common/dhcp", "common/dns", "common/ntp"].contains(&row.id.as_str());
        let (bound, far) = if egress {
            (&row.from, &row.to)
        } else {
            (&row.to, &row.from)
        };
        assert_eq!(peers(bound), "*", "{}", row.id);
        assert_ne!(peers(far), "*", "{}", row.id);
        assert_eq!(row.kind == Kind::Forbid, peers(far) == "external", "{}", row.id);
        assert_ne!(row.kind, Kind::Require, "{}", row.id);
    }
    let permitted = |protocol: u8, value: u128| {
        let of_protocol =
            |service: &Service| service.protocol == Some(protocol) && service.values.contains(value);
        let allows = |row: &&Row| row.kind == Kind::Allow && peers(&row.to) == "*";
        let mut rows = common.rows.iter().filter(allows);
        rows.any(|row| {
            row.services
                .items
                .iter()
                .any(|service| of_protocol(&service.value))
        })
    };
    // RFC 4890, 4.4.1: destination unreachable, packet too big, time exceeded, parameter problem, echo, neighbour
    // discovery and its inverse, listener discovery, SEND, multicast router discovery; not redirects.
    let types = [
        1, 2, 3, 4, 128, 129, 130, 131, 132, 133, 134, 135, 136, 141, 142, 143, 148, 149, 151, 152, 153,
    ];
    for kind in 0..=255 {
        assert_eq!(
            permitted(58, kind * 256),
            types.contains(&kind),
            "icmpv6 type {kind}"
        );
    }
    for (kind, code, passes) in [
        (8, 0, true),
        (3, 4, true),
        (11, 0, true),
        (12, 0, true),
        (5, 0, false),
        (13, 0, false),
    ] {
        assert_eq!(permitted(1, kind * 256 + code), passes, "icmp type {kind}");
    }
}
