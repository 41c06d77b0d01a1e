//! One packet to ask about, in the words of `trace --packets`. INVARIANT: its state is what connection tracking makes of
//! it by its past and its bytes, as far as we know; the harness holds even that against the kernel.

use std::net::IpAddr;

use portcullis::model::Path;
use portcullis::packet::protocol::{has_ports, number as known};
use serde_json::{Value, json};

/// What connection tracking makes of a packet, and which past it needs for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    New,
    /// In the direction of the packet that opened the connection.
    Established,
    /// In the other direction.
    Reply,
    /// An ICMP error about a connection.
    Related,
    Invalid,
    Untracked,
}

impl State {
    /// As connection tracking says it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Established | Self::Reply => "established",
            Self::Related => "related",
            Self::Invalid => "invalid",
            Self::Untracked => "untracked",
        }
    }

    pub(crate) fn has_past(self) -> bool {
        matches!(self, Self::Established | Self::Reply | Self::Related)
    }
}

/// A packet and its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Probe {
    pub(crate) path: Path,
    /// The interface by which it arrives, if it does.
    pub(crate) by: Option<String>,
    /// The interface by which it leaves, if it does.
    pub(crate) out: Option<String>,
    pub(crate) source: IpAddr,
    pub(crate) destination: IpAddr,
    pub(crate) protocol: u8,
    pub(crate) source_port: u16,
    pub(crate) port: u16,
    pub(crate) icmp: (u8, u8),
    pub(crate) flags: u8,
    pub(crate) state: State,
}

impl Probe {
    /// As `trace --packets` reads it.
    pub(crate) fn json(&self) -> Value {
        let hook = match self.path {
            Path::Input => "input",
            Path::Forward => "forward",
            Path::Output => "output",
        };
        let mut said = json!({
            "hook": hook, "src": self.source, "dst": self.destination, "proto": self.protocol, "state": self.state.word(),
        });
        for (key, interface) in [("iif", &self.by), ("oif", &self.out)] {
            if let Some(interface) = interface {
                said[key] = json!(interface);
            }
        }
        if has_ports(self.protocol) {
            said["sport"] = json!(self.source_port);
            said["dport"] = json!(self.port);
        }
        if self.is_icmp() {
            said["icmp_type"] = json!(self.icmp.0);
            said["icmp_code"] = json!(self.icmp.1);
        }
        if self.protocol == known::TCP {
            let letters = "FSRPAU".chars().enumerate();
            let set = letters.filter(|(bit, _)| self.flags >> bit & 1 == 1);
            said["flags"] = json!(set.map(|(_, letter)| letter).collect::<String>());
        }
        said
    }

    pub(crate) fn is_icmp(&self) -> bool {
        matches!(self.protocol, known::ICMP | known::ICMPV6)
    }

    /// The same flow, the other way.
    pub(crate) fn turned(&self) -> Self {
        Self {
            source: self.destination,
            destination: self.source,
            source_port: self.port,
            port: self.source_port,
            ..self.clone()
        }
    }
}
