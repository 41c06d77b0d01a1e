//! What firewalld knows of itself: services, ICMP types, zones and policies that files may override.
//!
//! As of firewalld 2.5. Facts of `firewall-cmd --get-services`, `--get-icmptypes`, `--list-all-zones`; where a host's
//! `/usr/lib/firewalld` is among the files, that counts instead.

mod icmp;

use std::collections::BTreeMap;

pub(super) use icmp::{has_code_zero, is_icmp_type, types as icmp_types};

use super::ast::{Ports, Service};
use super::value;

/// The services: one a line, described at the head of the file.
const SERVICES: &str = include_str!("services.txt");

/// All services.
pub(super) fn services() -> BTreeMap<String, Service> {
    let lines = SERVICES.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(service).collect()
}

/// `mdns: 5353/udp to=224.0.0.251 to=ff02::fb`
fn service(line: &str) -> Option<(String, Service)> {
    let (name, items) = line.split_once(':')?;
    let mut service = Service::default();
    for item in items.split_ascii_whitespace() {
        if let Some(included) = item.strip_prefix('+') {
            service.includes.push((included.to_owned(), None));
            continue;
        }
        match item.split_once('=') {
            Some(("to", network)) => service.destinations.extend(value::network(network)),
            Some(("protocol", name)) => service.protocols.extend(value::protocol(name)),
            Some((_, from)) => service.source_ports.extend(ports(from)),
            None => service.ports.extend(ports(item)),
        }
    }
    Some((name.to_owned(), service))
}

fn ports(item: &str) -> Option<Ports> {
    let (ports, protocol) = item.split_once('/')?;
    Some(Ports {
        protocol: value::transport(protocol)?,
        ports: value::ports(ports)?,
    })
}

/// The zones and policies, in the form of their files.
pub(super) const ZONES: &[(&str, &str)] = &[
    ("block", r#"<zone target="%%REJECT%%"><forward/></zone>"#),
    ("dmz", r#"<zone><service name="ssh"/><forward/></zone>"#),
    ("drop", r#"<zone target="DROP"><forward/></zone>"#),
    (
        "external",
        r#"<zone><service name="ssh"/><masquerade/><forward/></zone>"#,
    ),
    ("home", HOME),
    ("internal", HOME),
    // Of NetworkManager.
    ("nm-shared", NM_SHARED),
    ("public", PUBLIC),
    ("trusted", r#"<zone target="ACCEPT"><forward/></zone>"#),
    ("work", PUBLIC),
    // Of libvirt.
    ("libvirt", LIBVIRT),
];

const PUBLIC: &str = r#"<zone><service name="ssh"/><service name="dhcpv6-client"/><forward/></zone>"#;

const HOME: &str = r#"<zone><service name="ssh"/><service name="mdns"/><service name="samba-client"/><service
    name="dhcpv6-client"/><forward/></zone>"#;

const NM_SHARED: &str = r#"<zone target="ACCEPT"><protocol value="icmp"/><protocol value="ipv6-icmp"/><service
    name="dhcp"/><service name="dns"/><service name="ssh"/><rule priority="32767"><reject/></rule></zone>"#;

const LIBVIRT: &str = r#"<zone target="ACCEPT"><rule priority="32767"><reject/></rule><protocol value="icmp"/><protocol
    value="ipv6-icmp"/><service name="dhcp"/><service name="dhcpv6"/><service name="dns"/><service name="ssh"/><service
    name="tftp"/></zone>"#;

/// What firewalld does before every zone: lets IPv6 find its neighbours (RFC 4890, 4.4.1).
pub(super) const POLICIES: &[(&str, &str)] = &[(
    "allow-host-ipv6",
    r#"<policy target="CONTINUE" priority="-15000"><ingress-zone name="ANY"/><egress-zone name="HOST"/>
    <rule family="ipv6"><icmp-type name="neighbour-advertisement"/><accept/></rule>
    <rule family="ipv6"><icmp-type name="neighbour-solicitation"/><accept/></rule>
    <rule family="ipv6"><icmp-type name="router-advertisement"/><accept/></rule>
    <rule family="ipv6"><icmp-type name="redirect"/><accept/></rule>
    <rule family="ipv6"><icmp-type name="mld-listener-done"/><accept/></rule>
    <rule family="ipv6"><icmp-type name="mld-listener-query"/><accept/></rule>
    <rule family="ipv6"><icmp-type name="mld-listener-report"/><accept/></rule>
    <rule family="ipv6"><icmp-type name="mld2-listener-report"/><accept/></rule></policy>"#,
)];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_services_is_understood() {
        let lines = SERVICES.lines().filter(|line| !line.starts_with('#'));
        for line in lines {
            let (name, service) = service(line).unwrap();
            let n_read = service.ports.len()
                + service.source_ports.len()
                + service.protocols.len()
                + service.destinations.len()
                + service.includes.len();
            assert_eq!(n_read, line.split_ascii_whitespace().count() - 1, "{name}");
        }
    }

    #[test]
    fn what_services_include_is_there() {
        let services = services();
        for (name, service) in &services {
            for (included, _) in &service.includes {
                assert!(services.contains_key(included), "{name} includes {included}");
            }
        }
        assert!(services.len() >= 266);
    }
}
