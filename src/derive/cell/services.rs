//! Protocols and ports in the order in which people write them, to services: `TCP 80, 443`, `80/tcp, 53/udp`, `TCP/SMTP`.
//!
//! What comes first, protocols or ports, decides which belong together. INVARIANT: every protocol and every port ends up in a
//! service.

use super::token::{Kind, Separator, Token};
use crate::packet::protocol::{has_ports, protocol_name};

const TCP: u8 = 6;

/// Services under construction: protocols and ports that wait for each other.
#[derive(Default)]
pub(super) struct Services<'a> {
    default: &'a [u8],
    pub(super) list: Vec<String>,
    pub(super) one_of: bool,
    pub(super) guesses: Vec<String>,
    protocols: Vec<u8>,
    ports: Vec<(u64, u64)>,
    named: Vec<(u8, u16)>,
    all: bool,
}

impl<'a> Services<'a> {
    /// None yet; `default` are the protocols of ports that have none of their own.
    pub(super) fn new(default: &'a [u8]) -> Self {
        Self {
            default,
            ..Self::default()
        }
    }

    /// Takes the words of a line.
    pub(super) fn take(&mut self, words: &[Token]) -> Result<(), String> {
        let first = words
            .iter()
            .find(|word| matches!(word.kind, Kind::Ports(..) | Kind::Protocol(_)));
        let ports_first = matches!(
            first,
            Some(Token {
                kind: Kind::Ports(..),
                ..
            })
        );
        for word in words {
            self.one_of |= word.before == Separator::Or;
            match word.kind {
                Kind::Protocol(protocol) => {
                    // Behind ports and their protocols come other ports; behind protocols and their ports, protocols.
                    if !ports_first && (!self.ports.is_empty() || self.all) {
                        self.end()?;
                    }
                    self.protocols.push(protocol);
                }
                Kind::Ports(low, high) => {
                    if ports_first && !self.protocols.is_empty() {
                        self.end()?;
                    }
                    if word.before == Separator::Slash && !self.ports.is_empty() {
                        self.one_of = true;
                        self.guesses
                            .push("ports with a slash between them are read as either".to_owned());
                    }
                    self.ports.push(ports(low, high)?);
                }
                Kind::All => self.all = true,
                Kind::Named(named) => self.named.extend_from_slice(named),
                Kind::Open | Kind::Word(_) => {}
            }
        }
        self.end()
    }

    /// Writes down the services of the protocols and ports that are gathered.
    fn end(&mut self) -> Result<(), String> {
        let protocols = std::mem::take(&mut self.protocols);
        let ports = std::mem::take(&mut self.ports);
        let named = std::mem::take(&mut self.named);
        let all = std::mem::take(&mut self.all);
        match (protocols.is_empty(), ports.is_empty()) {
            (_, false) => {
                let protocols = self.with_default(protocols);
                for &protocol in &protocols {
                    if !has_ports(protocol) {
                        return Err(format!("{} has no ports", word(protocol)));
                    }
                    for &(low, high) in &ports {
                        let range = if low == high {
                            low.to_string()
                        } else {
                            format!("{low}-{high}")
                        };
                        self.push(format!("{}/{range}", word(protocol)));
                    }
                }
            }
            (_, true) if !named.is_empty() => self.end_named(&protocols, &named),
            (true, true) if all && self.default.is_empty() => {
                self.guesses.push("`any` is read as every protocol".to_owned());
                self.push("any".to_owned());
            }
            (true, true) if all || !self.default.is_empty() => {
                for &protocol in self.default {
                    self.push(if all || !has_ports(protocol) {
                        word(protocol)
                    } else {
                        format!("{}/?", word(protocol))
                    });
                }
            }
            (true, true) => {}
            (false, true) => {
                for protocol in protocols {
                    self.push(if all || !has_ports(protocol) {
                        word(protocol)
                    } else {
                        format!("{}/?", word(protocol))
                    });
                }
            }
        }
        if self.list.is_empty() {
            return Err("there is no port".to_owned());
        }
        Ok(())
    }

    /// A service by its name alone: its registered ports, of the protocols that are said.
    fn end_named(&mut self, protocols: &[u8], named: &[(u8, u16)]) {
        let said: &[u8] = if protocols.is_empty() {
            self.default
        } else {
            protocols
        };
        let fits = |entry: &&(u8, u16)| said.is_empty() || said.contains(&entry.0);
        let fitting: Vec<&(u8, u16)> = named.iter().filter(fits).collect();
        let chosen: Vec<String> = if fitting.is_empty() {
            let ports = named
                .iter()
                .flat_map(|entry| said.iter().map(|protocol| (*protocol, entry.1)));
            ports
                .map(|(protocol, port)| format!("{}/{port}", word(protocol)))
                .collect()
        } else {
            fitting
                .iter()
                .map(|entry| format!("{}/{}", word(entry.0), entry.1))
                .collect()
        };
        self.one_of |= chosen.len() > 1
            && fitting
                .iter()
                .all(|entry| fitting.first().is_some_and(|first| first.0 == entry.0));
        self.guesses.push(format!(
            "the port of a service that is only named is taken to be {}",
            chosen.join(" or ")
        ));
        for service in chosen {
            self.push(service);
        }
    }

    fn with_default(&mut self, protocols: Vec<u8>) -> Vec<u8> {
        if !protocols.is_empty() {
            return protocols;
        }
        if self.default.is_empty() {
            self.guesses
                .push("the protocol is not said, and taken to be TCP".to_owned());
            return vec![TCP];
        }
        self.default.to_vec()
    }

    fn push(&mut self, service: String) {
        if !self.list.contains(&service) {
            self.list.push(service);
        }
    }
}

fn ports(low: u64, high: u64) -> Result<(u64, u64), String> {
    if low.max(high) > 65_535 {
        return Err(format!("port {} does not exist", low.max(high)));
    }
    if low > high {
        return Err(format!("the range {low}-{high} ends before it begins"));
    }
    Ok((low, high))
}

fn word(protocol: u8) -> String {
    let named = ["tcp", "udp", "sctp", "dccp", "udplite", "icmp", "icmpv6"];
    let name = protocol_name(protocol).map(|name| if name == "ipv6-icmp" { "icmpv6" } else { name });
    match name.filter(|name| named.contains(name)) {
        Some(name) => name.to_owned(),
        None => format!("proto/{protocol}"),
    }
}
