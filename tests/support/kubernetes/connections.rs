//! Who may reach whom in clusters: what is listed, against tables made by hand, against the policies asked one by one, and as
//! it is written. INVARIANT: what is not listed is surely not let through.

use super::{Folder, corpus, flow, pod_set};
use crate::{file, golden, say};
use portcullis::connections::{self, Connections, Format};
use portcullis::dialect::kubernetes::{Cluster, Connection, End, Flow, PROTOCOLS, Party, Truth};
use portcullis::packet::address::number;

/// What a list says of one packet.
fn listed(
    all: &[Connection],
    (from, to): (&End, &End),
    flow: Flow,
    names: &[(String, &'static str)],
) -> Truth {
    let is_it = |party: &Party, end: &End| match (party, end) {
        (Party::Workload(name, kind), End::Workload(index)) => {
            names[*index].0 == *name && names[*index].1 == *kind
        }
        (Party::Outside(family, addresses), End::Outside(address)) => {
            let (of, value) = number(*address);
            of == *family && addresses.contains(value)
        }
        _ => false,
    };
    let at = PROTOCOLS.iter().position(|one| *one == flow.protocol).unwrap();
    let answers = all
        .iter()
        .filter(|one| is_it(&one.from, from) && is_it(&one.to, to))
        .filter(|one| one.services.0[at].contains(u128::from(flow.port)))
        .map(|one| if one.is_sure { Truth::Yes } else { Truth::Maybe });
    Truth::any(answers)
}

fn names(cluster: &Cluster) -> Vec<(String, &'static str)> {
    cluster.workloads().collect()
}

#[test]
fn the_tables_made_by_hand_are_listed() {
    let mut n_asked = 0;
    for folder in Folder::all(&file::place("fixtures/kubernetes")) {
        let name = folder.name();
        let (cluster, _) = folder.cluster();
        let (all, names) = (cluster.connections(), names(&cluster));
        let table = file::text(&format!("fixtures/kubernetes/{name}/connections.txt"));
        for line in table
            .lines()
            .filter(|line| !line.starts_with('#') && !line.is_empty())
        {
            let (ends, expected) = line.rsplit_once(' ').unwrap();
            let (from, rest) = ends.split_once("->").unwrap();
            let (to, service) = rest.trim().split_once(' ').unwrap();
            let (protocol, port) = service.trim().split_once('/').unwrap();
            let flow = flow(protocol, port.parse().unwrap());
            if !PROTOCOLS.contains(&flow.protocol) {
                continue;
            }
            let end = |name: &str| match name.parse() {
                Ok(address) => End::Outside(address),
                Err(_) => pod_set(&cluster, name),
            };
            let answer = match listed(&all, (&end(from.trim()), &end(to.trim())), flow, &names) {
                Truth::Yes => "yes",
                Truth::No => "no",
                Truth::Maybe => "maybe",
            };
            assert_eq!(answer, expected, "{name}: {line}");
            n_asked += 1;
        }
    }
    assert!(n_asked > 20, "{n_asked}");
}

/// Holds a list to the policies asked one by one, at ports at and beside those that policies name; how many packets, and lines.
pub(crate) fn hold(cluster: &Cluster, name: &str) -> (usize, usize) {
    let ports = [
        0, 52, 53, 54, 79, 80, 81, 443, 444, 5353, 7000, 8080, 8081, 9003, 9090, 65535,
    ];
    let names = names(cluster);
    let all = cluster.connections();
    let mut ends: Vec<End> = (0..names.len()).map(End::Workload).collect();
    let outside = ["10.1.2.3", "192.168.7.7", "172.17.0.1", "8.8.8.8", "2001:db8::1"];
    ends.extend(outside.map(|address| End::Outside(address.parse().unwrap())));
    let mut n_asked = 0;
    for (at, from) in ends.iter().enumerate() {
        for (other, to) in ends.iter().enumerate() {
            let are_outside = matches!((from, to), (End::Outside(_), End::Outside(_)));
            if are_outside || (at == other && names.get(at).is_some_and(|name| name.1 == "Pod")) {
                continue;
            }
            for protocol in PROTOCOLS {
                for port in ports {
                    let flow = Flow { protocol, port };
                    let plain = cluster.may_reach(*from, *to, flow);
                    let listed = listed(&all, (from, to), flow, &names);
                    assert_eq!(listed, plain, "{name}: {from:?} -> {to:?} {flow:?}");
                    n_asked += 1;
                }
            }
        }
    }
    (n_asked, all.len())
}

/// Every cluster of others.
#[test]
fn lists_say_what_the_policies_say_one_by_one() {
    let Some(root) = corpus("np-guard+netpol-analyzer") else {
        return;
    };
    let (mut n_asked, mut n_clusters, mut n_lines) = (0, 0, 0);
    for folder in Folder::all(&root.join("tests")) {
        let (cluster, _) = folder.cluster();
        let names = names(&cluster);
        // Where two workloads have one name, a list cannot tell them apart.
        let mut distinct = names.clone();
        distinct.sort();
        distinct.dedup();
        if names.is_empty() || names.len() > 12 || distinct.len() < names.len() {
            continue;
        }
        let (asked, lines) = hold(&cluster, &folder.name());
        n_clusters += 1;
        n_asked += asked;
        n_lines += lines;
    }
    say::say(&format!(
        "{n_asked} packets in {n_clusters} clusters listed as decided, {n_lines} lines"
    ));
    assert!(n_asked > 10_000);
}

#[test]
fn every_format_says_the_same() {
    let (cluster, _) = Folder::read(&file::place("fixtures/kubernetes/shop")).cluster();
    let all = [Connections::of("kubernetes".into(), &cluster)];
    for (format, extension) in [
        (Format::Text, "txt"),
        (Format::Json, "json"),
        (Format::Csv, "csv"),
        (Format::Dot, "dot"),
        (Format::Mermaid, "mmd"),
    ] {
        let mut out = Vec::new();
        connections::write(&all, format, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        golden::assert_golden(
            &format!("fixtures/kubernetes-connections/shop.{extension}"),
            &text,
        );
    }
}
