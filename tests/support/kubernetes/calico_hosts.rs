//! What Calico's documents say of host endpoints, packet by packet, over the JSON itself ("Summary of host endpoint policies", "Failsafe
//! rules", "Pre-DNAT policy", "Apply on forwarded traffic"). INVARIANT: it shares no code with the reader or the lowering.

use std::net::Ipv4Addr;

use portcullis::model::Path;
use portcullis::packet::value;
use serde_json::Value;

/// A packet on its way to, from or through a node.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sent {
    pub(super) path: Path,
    pub(super) state: u128,
    pub(super) protocol: u8,
    pub(super) source: Ipv4Addr,
    pub(super) source_port: u16,
    pub(super) destination: Ipv4Addr,
    pub(super) port: u16,
    pub(super) interface: &'static str,
    pub(super) out: &'static str,
}

/// What becomes of it at one stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Allowed,
    Denied,
    /// No policy decided.
    GoesOn,
}

fn list<'v>(value: &'v Value, key: &str) -> &'v [Value] {
    value[key].as_array().map_or(&[], Vec::as_slice)
}

fn of_kind<'v>(items: &'v [Value], kind: &'v str) -> impl Iterator<Item = &'v Value> {
    items.iter().filter(move |item| item["kind"] == kind)
}

/// The selectors that are generated, by what they say.
fn selects(selector: &str, labels: &Value) -> bool {
    let role = labels["role"].as_str();
    match selector {
        "all()" => true,
        "role == 'a'" => role == Some("a"),
        "role != 'a'" => role != Some("a"),
        "!has(role)" => role.is_none(),
        other => panic!("{other}"),
    }
}

fn is_in(net: &str, address: Ipv4Addr) -> bool {
    let (base, bits) = net.split_once('/').unwrap();
    let base: Ipv4Addr = base.parse().unwrap();
    let bits: u32 = bits.parse().unwrap();
    let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
    u32::from(base) & mask == u32::from(address) & mask
}

fn number(protocol: &Value) -> u8 {
    match protocol.as_str().unwrap().to_lowercase().as_str() {
        "tcp" => 6,
        "udp" => 17,
        other => panic!("{other}"),
    }
}

/// What some objects mean to the packets of one of their endpoints.
pub(super) struct Meaning<'v> {
    pub(super) items: &'v [Value],
    pub(super) endpoint: &'v Value,
}

impl Meaning<'_> {
    fn is_covered(&self, interface: &str) -> bool {
        let name = self.endpoint["spec"]["interfaceName"].as_str().unwrap();
        name == "*" || name == interface
    }

    /// Whether an address is one of those that labels stand for: sets of networks, and host endpoints.
    fn is_labelled(&self, selector: &str, address: Ipv4Addr) -> bool {
        let in_set = |set: &Value| {
            let mut nets = list(&set["spec"], "nets").iter();
            selects(selector, &set["metadata"]["labels"])
                && nets.any(|net| is_in(net.as_str().unwrap(), address))
        };
        let at_host = |host: &Value| {
            let mut all = list(&host["spec"], "expectedIPs").iter();
            selects(selector, &host["metadata"]["labels"]) && all.any(|one| *one == address.to_string())
        };
        of_kind(self.items, "GlobalNetworkSet").any(in_set)
            || of_kind(self.items, "HostEndpoint").any(at_host)
    }

    fn is_end(&self, end: &Value, address: Ipv4Addr, port: u16) -> bool {
        let nets = list(end, "nets");
        let not_nets = list(end, "notNets");
        let has = |nets: &[Value]| nets.iter().any(|net| is_in(net.as_str().unwrap(), address));
        let ports = list(end, "ports");
        let is_port = |one: &Value| match one.as_str() {
            Some(range) => {
                let (low, high) = range.split_once(':').unwrap();
                (low.parse().unwrap()..=high.parse().unwrap()).contains(&port)
            }
            None => one.as_u64() == Some(u64::from(port)),
        };
        (nets.is_empty() || has(nets))
            && !has(not_nets)
            && (ports.is_empty() || ports.iter().any(is_port))
            && end["selector"]
                .as_str()
                .is_none_or(|selector| self.is_labelled(selector, address))
    }

    fn applies(&self, rule: &Value, sent: &Sent) -> bool {
        (rule["protocol"].is_null() || number(&rule["protocol"]) == sent.protocol)
            && self.is_end(&rule["source"], sent.source, sent.source_port)
            && self.is_end(&rule["destination"], sent.destination, sent.port)
    }

    /// Whether one of the failsafe ports of a direction is at an end.
    fn is_failsafe(&self, key: &str, sent: &Sent, port: u16, other: Ipv4Addr) -> bool {
        let felix = of_kind(self.items, "FelixConfiguration").next().unwrap();
        list(&felix["spec"], key).iter().any(|one| {
            number(&one["protocol"]) == sent.protocol
                && one["port"].as_u64() == Some(u64::from(port))
                && one["net"].as_str().is_none_or(|net| is_in(net, other))
        })
    }

    /// The tiers in their order, each with what is at its end and the policies of a stage that filter a direction.
    pub(super) fn tiers(&self, stage: &str, is_ingress: bool) -> Vec<(bool, Vec<&Value>)> {
        let way = if is_ingress { "Ingress" } else { "Egress" };
        let is_meant = |policy: &&Value| {
            let spec = &policy["spec"];
            let is = |key: &str| spec[key] == true;
            let at = match stage {
                "untracked" => is("doNotTrack"),
                "early" => is("preDNAT"),
                "forward" => is("applyOnForward") && !is("doNotTrack") && !is("preDNAT"),
                _ => !is("doNotTrack") && !is("preDNAT"),
            };
            at && list(spec, "types").iter().any(|one| one == way)
                && selects(
                    spec["selector"].as_str().unwrap(),
                    &self.endpoint["metadata"]["labels"],
                )
        };
        let mut tiers: Vec<&Value> = of_kind(self.items, "Tier").collect();
        tiers.sort_by_key(|tier| tier["spec"]["order"].as_u64().unwrap());
        let of = |tier: &&Value| {
            let name = &tier["metadata"]["name"];
            let all = of_kind(self.items, "GlobalNetworkPolicy");
            let mut policies: Vec<&Value> = all
                .filter(|policy| policy["spec"]["tier"] == *name)
                .filter(is_meant)
                .collect();
            policies.sort_by_key(|policy| {
                let name = policy["metadata"]["name"].as_str().unwrap();
                (
                    policy["spec"]["order"].as_u64().unwrap_or(u64::MAX),
                    name.to_owned(),
                )
            });
            (tier["spec"]["defaultAction"] == "Pass", policies)
        };
        tiers
            .iter()
            .map(of)
            .filter(|(_, policies)| !policies.is_empty())
            .collect()
    }

    fn policies(&self, stage: &str, is_ingress: bool, sent: &Sent) -> Fate {
        let has_end = ["normal", "forward"].contains(&stage);
        let key = if is_ingress { "ingress" } else { "egress" };
        'tiers: for (passes, policies) in self.tiers(stage, is_ingress) {
            for rule in policies.iter().flat_map(|policy| list(&policy["spec"], key)) {
                if !self.applies(rule, sent) {
                    continue;
                }
                match rule["action"].as_str().unwrap() {
                    "Allow" => return Fate::Allowed,
                    "Deny" => return Fate::Denied,
                    "Pass" => continue 'tiers,
                    _ => {}
                }
            }
            if has_end && !passes {
                return Fate::Denied;
            }
        }
        Fate::GoesOn
    }

    /// The stage before connections are tracked.
    fn untracked(&self, is_ingress: bool, sent: &Sent) -> Fate {
        if self.endpoint["spec"]["interfaceName"] == "*" {
            return Fate::GoesOn;
        }
        let (own, others) = keys(is_ingress);
        let other = if is_ingress { sent.source } else { sent.destination };
        let is_left = self.is_failsafe(own, sent, sent.port, other)
            || self.is_failsafe(others, sent, sent.source_port, other);
        if is_left {
            Fate::GoesOn
        } else {
            self.policies("untracked", is_ingress, sent)
        }
    }

    /// The stage before destinations are translated.
    fn early(&self, sent: &Sent) -> Fate {
        match sent.state {
            value::ESTABLISHED => Fate::GoesOn,
            value::INVALID => {
                if self.tiers_of_early() {
                    Fate::Denied
                } else {
                    Fate::GoesOn
                }
            }
            _ if self.is_failsafe(keys(true).0, sent, sent.port, sent.source) => Fate::GoesOn,
            _ => self.policies("early", true, sent),
        }
    }

    /// Whether any policy is asked before translation, so that there is a chain for it.
    fn tiers_of_early(&self) -> bool {
        [true, false]
            .into_iter()
            .any(|way| !self.tiers("early", way).is_empty())
    }

    fn local(&self, is_ingress: bool, sent: &Sent) -> Fate {
        let other = if is_ingress { sent.source } else { sent.destination };
        let is_open = self.is_failsafe(keys(is_ingress).0, sent, sent.port, other);
        match sent.state {
            value::ESTABLISHED => return Fate::Allowed,
            value::INVALID => return Fate::Denied,
            _ if is_open => return Fate::Allowed,
            _ => {}
        }
        match self.policies("normal", is_ingress, sent) {
            Fate::GoesOn => {
                let mut profiles = list(&self.endpoint["spec"], "profiles").iter();
                let is_allowed = profiles.any(|name| name == "projectcalico-default-allow");
                if is_allowed { Fate::Allowed } else { Fate::Denied }
            }
            fate => fate,
        }
    }

    /// What is passed on: allowed "if no policies apply to the endpoint and direction".
    fn forwarded(&self, is_ingress: bool, sent: &Sent) -> Fate {
        if self.tiers("forward", is_ingress).is_empty() {
            return Fate::Allowed;
        }
        match sent.state {
            value::ESTABLISHED => Fate::Allowed,
            value::INVALID => Fate::Denied,
            _ => self.policies("forward", is_ingress, sent),
        }
    }

    pub(super) fn lets(&self, sent: &Sent) -> bool {
        let (comes, leaves) = (self.is_covered(sent.interface), self.is_covered(sent.out));
        let arrival = || match self.untracked(true, sent) {
            Fate::GoesOn => self.early(sent),
            fate => fate,
        };
        match sent.path {
            Path::Input => {
                !comes
                    || match arrival() {
                        Fate::GoesOn => self.local(true, sent) == Fate::Allowed,
                        fate => fate == Fate::Allowed,
                    }
            }
            Path::Output => {
                !leaves
                    || match self.untracked(false, sent) {
                        Fate::GoesOn => self.local(false, sent) == Fate::Allowed,
                        fate => fate == Fate::Allowed,
                    }
            }
            Path::Forward => {
                let arrives = !comes
                    || match arrival() {
                        Fate::GoesOn => self.forwarded(true, sent) != Fate::Denied,
                        fate => fate == Fate::Allowed,
                    };
                // A packet that was not tracked is in no state that the last chain asks about.
                let is_untracked = comes && self.untracked(true, sent) == Fate::Allowed;
                let state = if is_untracked {
                    value::UNTRACKED
                } else {
                    sent.state
                };
                arrives && (!leaves || self.forwarded(false, &Sent { state, ..*sent }) != Fate::Denied)
            }
        }
    }
}

/// The failsafe ports of a direction, and of the other.
fn keys(is_ingress: bool) -> (&'static str, &'static str) {
    let both = ("failsafeInboundHostPorts", "failsafeOutboundHostPorts");
    if is_ingress { both } else { (both.1, both.0) }
}
