//! The demo site: every finding that was put there, and no other.
#![cfg(test)]

use std::path::PathBuf;

use portcullis::check::{self, Outcome, Past, Request, Watch};
use portcullis::finding::Severity;
use portcullis::packet::DEFAULT_BUDGET;
use portcullis::report::{self, Format, Report, Style};
use portcullis::site::Arguments;

#[path = "support/file.rs"]
mod file;
#[path = "support/golden.rs"]
mod golden;

/// What was done to the site, as `certainty code path | line | underlined | rows | hosts`.
/// A line is given by a part of it that no other line of the file has.
const EXPECTED: &[[&str; 7]] = &[
    // 12380 was forgotten between 12379 and 12381:12388; nothing else accepts it, so the chain's default drops it.
    [
        "surely",
        "missing-opening",
        "managers/m1/rules.v4",
        ":INPUT DROP",
        "DROP",
        "mke/etcd-peer",
        "m1",
    ],
    // A quarantine that was meant to end on Monday stands before the rule for BGP, which decides nothing any more.
    [
        "surely",
        "missing-opening",
        "managers/m2/rules.v4",
        "OPS-2117",
        "DROP",
        "mke/bgp",
        "m2",
    ],
    [
        "surely",
        "shadowed-rule",
        "managers/m2/rules.v4",
        "\"BGP\"",
        "the rule",
        "",
        "m2",
    ],
    // Gossip needs both protocols; udp was forgotten.
    [
        "surely",
        "missing-opening",
        "workers/w1/rules.v4",
        ":INPUT DROP",
        "DROP",
        "mke/gossip",
        "w1",
    ],
    // The read-only kubelet port is in no table.
    [
        "surely",
        "excess-opening",
        "workers/w1/rules.v4",
        "old dashboard",
        "10255",
        "",
        "w1",
    ],
    // Before StackLight 23.3 the node exporter was on 9100; the rules were not updated, nor were the policies below.
    [
        "surely",
        "missing-opening",
        "workers/w2/rules.v4",
        ":INPUT DROP",
        "DROP",
        "stacklight/node-exporter",
        "w2",
    ],
    [
        "surely",
        "excess-opening",
        "workers/w2/rules.v4",
        "StackLight exporters",
        "9091,9100,9126,24231",
        "",
        "w2",
    ],
    // The table keeps 9099 to the host itself.
    [
        "surely",
        "exposed-self-port",
        "workers/w2/rules.v4",
        "calico health",
        "9099",
        "mke/calico-health",
        "w2",
    ],
    // SSH is for the jump host; `-i eth0` is the world.
    [
        "surely",
        "forbidden-opening",
        "workers/w3/rules.v4",
        "for the vendor",
        "22",
        "common/ssh",
        "w3",
    ],
    // The database is for the cluster, but Docker publishes to everybody, and past INPUT: only the security group stops it.
    [
        "surely",
        "forbidden-opening",
        "workers/w3/rules.v4",
        "-A DOCKER -d 172.17.0.2/32",
        "5432",
        "common/postgresql",
        "w3",
    ],
    // The group of the workers lets the vendor in too, at w3 all the way; elsewhere the firewalls stop it.
    [
        "surely",
        "forbidden-opening",
        "network/groups.tf",
        "from_port   = 22",
        "22",
        "common/ssh",
        "w1 w2",
    ],
    [
        "surely",
        "excess-opening",
        "network/groups.tf",
        "from_port   = 22",
        "22",
        "",
        "w1 w2 w3",
    ],
    // The group of the cluster trusts its network, the hosts do not.
    [
        "surely",
        "excess-opening",
        "network/groups.tf",
        "default     =",
        "\"10.20.0.0/16\"",
        "",
        "m1 m2",
    ],
    [
        "surely",
        "excess-opening",
        "network/groups.tf",
        "default     =",
        "\"10.20.0.0/16\"",
        "",
        "w1 w2 w3",
    ],
    // The policy of Prometheus was written for 23.2: its exporters' new port is missing at both ends.
    [
        "surely",
        "missing-opening",
        "stacklight/prometheus.yaml",
        "egress:",
        "egress",
        "stacklight/node-exporter",
        "stacklight/prometheus-server",
    ],
    // `namespaceSelector: {}` is every pod there is, and every pod to come.
    [
        "surely",
        "excess-opening",
        "stacklight/prometheus.yaml",
        "port: queries",
        "queries",
        "",
        "stacklight/prometheus-server",
    ],
    // kube-proxy throws dice between the two managers.
    [
        "surely",
        "unsupported-match",
        "managers/m1/rules.v4",
        "-m statistic",
        "statistic",
        "",
        "",
    ],
    // Of StackLight's pods only Prometheus is here.
    [
        "surely",
        "unbound-role",
        "portcullis.toml",
        "policies =",
        "stacklight",
        "",
        "",
    ],
    // MKE's table scopes 9091 to the host, StackLight's has Prometheus read it.
    [
        "surely",
        "conflicting-rows",
        "policies/mke.ports",
        "require felix:",
        "the rule",
        "mke/felix stacklight/calico",
        "",
    ],
];

fn outcome() -> Outcome {
    // Tests run in the folder of the package; a relative path keeps the output the same everywhere.
    let request = Request {
        paths: vec![PathBuf::from("fixtures/demo")],
        dialect: None,
        arguments: Arguments::default(),
        site: None,
        coverage: false,
        is_merged: true,
        skips_unknown: false,
        known: Past::default(),
        budget: DEFAULT_BUDGET,
        watch: Watch::default(),
    };
    check::check(&request).unwrap_or_else(|refusal| panic!("{:?}", refusal.errors))
}

#[test]
fn the_demo_has_the_findings_that_were_put_there_and_no_other() {
    let outcome = outcome();
    let mut actual: Vec<String> = Vec::new();
    let mut expected: Vec<String> = EXPECTED.iter().map(|it| it.join(" | ")).collect();
    for finding in &outcome.findings {
        let label = finding.primary.as_ref().unwrap();
        let source = outcome.sources.file(label.span.file);
        let line = source.line(source.line_column(label.span.start).line).unwrap();
        let underlined = &source.text()[label.span.start as usize..label.span.end as usize];
        let path = source.name().trim_start_matches("fixtures/demo/");
        let rows: Vec<_> = finding.rows.iter().map(|row| row.id.as_str()).collect();
        // The part of the line by which the table knows it, if it knows it at all.
        let part = EXPECTED
            .iter()
            .find(|it| {
                it[1] == finding.code.id() && it[2] == path && line.contains(it[3]) && it[5] == rows.join(" ")
            })
            .map_or(line, |it| it[3]);
        let is_whole_line = line.trim_end().ends_with(underlined) && underlined.contains(' ');
        let underlined = if is_whole_line { "the rule" } else { underlined };
        let parts = [
            finding.certainty.word(),
            finding.code.id(),
            path,
            part,
            underlined,
            &rows.join(" "),
            &finding.hosts.join(" "),
        ];
        actual.push(parts.join(" | "));
    }
    actual.sort();
    expected.sort();
    assert_eq!(actual, expected);
}

#[test]
fn the_demo_is_undecided_about_nothing() {
    let summary = outcome().summary;
    assert_eq!(summary.failures, Vec::<String>::new());
    // Nine IPv4 and IPv6 dumps of five hosts, of which one is not there; one file of groups, four of manifests.
    assert_eq!(summary.n_files, 14);
    assert_eq!(summary.n_hosts, 7);
    assert_eq!(
        summary.unchecked,
        [
            "workload `stacklight/node-exporter`: held against no table, since no binding means it",
            "IPv6 of host `w3`: no dump of it was given"
        ]
    );
}

#[test]
fn the_demo_reads_well() {
    let outcome = outcome();
    let report = Report {
        sources: &outcome.sources,
        findings: &outcome.findings,
        known: &outcome.known,
        shows_known: false,
        fail_on: Severity::Error,
        summary: &outcome.summary,
        coverage: None,
        site: outcome.site,
    };
    let mut out = Vec::new();
    report::write(&report, Format::Human, &Style::default(), &mut out).unwrap();
    golden::assert_golden("fixtures/demo.txt", &String::from_utf8(out).unwrap());
}
