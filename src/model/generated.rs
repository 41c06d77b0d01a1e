//! Names that programs give to the chains and tables that they keep: what stands in them is not the site's to tidy.

use super::{Action, Condition, Rule, Ruleset};
use crate::packet::{Family, Field, RangeSet, value};

/// Beginnings of names of chains of iptables, and the programs that keep them.
const CHAINS: &[(&str, &str)] = &[
    ("KUBE-", "kube-proxy"),
    ("cali-", "Calico"),
    ("CILIUM_", "Cilium"),
    ("ANTREA-", "Antrea"),
    ("FLANNEL-", "flannel"),
    ("WEAVE-", "Weave"),
    ("CNI-", "a CNI plugin"),
    ("DOCKER", "Docker"),
    ("LIBVIRT_", "libvirt"),
    ("f2b-", "fail2ban"),
    ("fail2ban-", "fail2ban"),
];

/// Tables of nft that such programs keep for themselves.
const TABLES: &[(&str, &str)] = &[
    ("kube-proxy", "kube-proxy"),
    ("docker-bridges", "Docker"),
    ("f2b-table", "fail2ban"),
    ("libvirt_network", "libvirt"),
    ("calico", "Calico"),
    ("cilium", "Cilium"),
    ("crowdsec", "CrowdSec"),
    ("crowdsec6", "CrowdSec"),
];

/// The program that keeps the chain of a path (`filter/KUBE-SERVICES`, `ip kube-proxy/services`), or the table that the path
/// begins with. `DOCKER-USER` is the one chain that Docker leaves to the site.
#[must_use]
pub fn keeper(path: &str) -> Option<&'static str> {
    let (table, chain) = path.split_once('/').unwrap_or((path, ""));
    let table = table.rsplit(' ').next().unwrap_or_default();
    let by_table = TABLES.iter().find(|(name, _)| *name == table);
    let by_chain = || {
        let mut kept = CHAINS.iter().filter(|_| chain != "DOCKER-USER");
        kept.find(|(prefix, _)| chain.starts_with(prefix))
    };
    by_table.or_else(by_chain).map(|(_, program)| *program)
}

/// Whether a program keeps the chain of a path.
#[must_use]
pub fn is_generated(path: &str) -> bool {
    keeper(path).is_some()
}

/// The addresses of services of a cluster: kube-proxy answers for them, and no interface of any host has one. They are the
/// destinations of the rules that lead to a service and ask for nothing but an address, a protocol and a port (virtual IPs,
/// Kubernetes documentation, reference/networking/virtual-ips).
#[must_use]
pub fn cluster_addresses(rulesets: &[Ruleset], family: Family) -> RangeSet {
    let mut found = Vec::new();
    for ruleset in rulesets {
        let leads_to_service = |rule: &&Rule| {
            let (Action::Jump(to) | Action::Goto(to)) = rule.action else {
                return false;
            };
            let to = ruleset.chains.get(to.0 as usize);
            to.is_some_and(|to| to.path.contains("/KUBE-SVC-") || to.path.contains("kube-proxy/service-"))
        };
        let services = ruleset.chains.iter().filter(|chain| {
            chain.path.ends_with("/KUBE-SERVICES") || chain.path.contains("kube-proxy/services")
        });
        for rule in services.flat_map(|chain| &chain.rules).filter(leads_to_service) {
            let mut tests = Vec::new();
            if rule
                .matches
                .iter()
                .all(|one| tests_of(&one.condition, &mut tests))
            {
                let at = tests.iter().filter(|(field, _)| *field == family.destination());
                found.extend(at.flat_map(|(_, values)| values.ranges().iter().copied()));
            }
        }
    }
    found.into_iter().collect()
}

/// Bridges of the networks that users of Docker made, of which rules speak: Docker calls them `br-` and the first twelve digits of
/// the network's id (Docker documentation, "Bridge network driver").
#[must_use]
pub fn docker_bridges<'r>(rulesets: impl Iterator<Item = &'r Ruleset>) -> RangeSet {
    let rules = rulesets.flat_map(|ruleset| ruleset.chains.iter().flat_map(|chain| &chain.rules));
    let mut found = Vec::new();
    for rule in rules {
        for one in &rule.matches {
            bridges_of(&one.condition, &mut found);
        }
    }
    found.into_iter().map(|name| (name, name)).collect()
}

fn bridges_of(condition: &Condition, found: &mut Vec<u128>) {
    match condition {
        Condition::Test(Field::InInterface | Field::OutInterface, values) => {
            let ends = values.ranges().iter();
            // What a rule leaves out lies beside the ranges that it takes.
            let near =
                ends.flat_map(|&(low, high)| [low, high, low.saturating_sub(1), high.saturating_add(1)]);
            found.extend(near.filter(|&name| is_docker_bridge(name)));
        }
        Condition::All(parts) | Condition::Any(parts) => {
            for part in parts {
                bridges_of(part, found);
            }
        }
        Condition::Not(inner) => bridges_of(inner, found),
        Condition::Test(..) | Condition::Member(_) | Condition::Unknown(_) => {}
    }
}

fn is_docker_bridge(name: u128) -> bool {
    let Some(name) = value::interface_name(name) else {
        return false;
    };
    let digits = name.strip_prefix("br-").unwrap_or_default();
    digits.len() == 12
        && digits
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Gathers the plain tests of a condition. False if it asks for anything but an address, a protocol and a port.
fn tests_of<'a>(condition: &'a Condition, into: &mut Vec<(Field, &'a RangeSet)>) -> bool {
    match condition {
        Condition::Test(field, values) => {
            into.push((*field, values));
            matches!(
                field,
                Field::Family | Field::Protocol | Field::Service | Field::Destination4 | Field::Destination6
            )
        }
        Condition::All(parts) => parts.iter().all(|part| tests_of(part, into)),
        Condition::Any(_) | Condition::Not(_) | Condition::Member(_) | Condition::Unknown(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chains_are_known_by_their_beginning_and_tables_by_their_name() {
        for path in [
            "filter/KUBE-SERVICES",
            "nat/DOCKER",
            "ip kube-proxy/services",
            "inet f2b-table",
        ] {
            assert!(is_generated(path), "{path}");
        }
        for path in [
            "filter/INPUT",
            "filter/DOCKER-USER",
            "filter/my-KUBE-",
            "inet filter/calico",
            "kube-proxy-of-ours/x",
        ] {
            assert!(!is_generated(path), "{path}");
        }
    }
}
