//! Packets and answers of `trace --packets`, one JSON object a line. Documented in `docs/json.md`.

use serde::{Deserialize, Serialize};

use super::text::state_of;
use super::{Probe, rule_line, usual};
use crate::model::{Answer, Packet, Path, Ruleset, Verdict};
use crate::packet::address::number;
use crate::packet::protocol::{has_ports, number as known, protocol_by_name};
use crate::packet::{Field, RangeSet, value};
use crate::source::SourceMap;

/// A protocol by name or number.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum Protocol {
    Number(u8),
    Name(String),
}

/// One packet. Every field but the addresses may be left out; then it is an ordinary packet's.
#[derive(Debug, Clone, Deserialize)]
pub struct JsonPacket {
    hook: Option<String>,
    iif: Option<String>,
    oif: Option<String>,
    src: std::net::IpAddr,
    dst: std::net::IpAddr,
    proto: Option<Protocol>,
    sport: Option<u16>,
    dport: Option<u16>,
    icmp_type: Option<u8>,
    icmp_code: Option<u8>,
    flags: Option<String>,
    state: Option<String>,
}

/// The deciding rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct JsonRule {
    /// The file.
    pub path: String,
    /// The line, from 1.
    pub line: usize,
    /// The line's text.
    pub text: String,
}

/// What happens to a packet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct JsonAnswer {
    /// `accept`, `drop`, `reject` or `unknown`.
    pub verdict: &'static str,
    /// The deciding rule, if one decides.
    pub rule: Option<JsonRule>,
    /// What is not known, if the verdict is unknown.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub doubts: Vec<String>,
}

impl JsonPacket {
    /// The packet and its path, or what is wrong with it.
    pub fn probe(&self) -> Result<Probe, String> {
        let protocol = match &self.proto {
            None => known::TCP,
            Some(Protocol::Number(number)) => *number,
            Some(Protocol::Name(name)) => name
                .parse()
                .ok()
                .or_else(|| protocol_by_name(name))
                .ok_or_else(|| format!("`{name}` is not a protocol"))?,
        };
        let path = match self.hook.as_deref() {
            None | Some("input") => Path::Input,
            Some("forward") => Path::Forward,
            Some("output") => Path::Output,
            Some(other) => return Err(format!("`{other}` is not a hook: input, forward or output")),
        };
        let state = self.state.as_deref().unwrap_or("new");
        let state = state_of(state).ok_or_else(|| format!("`{state}` is not a state"))?;
        let ((family, source), (other, destination)) = (number(self.src), number(self.dst));
        if family != other {
            return Err("src and dst are of different families".into());
        }
        let point = RangeSet::point;
        let interface = |name: &Option<String>| value::interface(name.as_deref().unwrap_or("tun0"));
        let mut packet = Packet::new()
            .with(Field::Family, point(family.value()))
            .with(family.source(), point(source))
            .with(family.destination(), point(destination))
            .with(Field::Protocol, point(protocol.into()))
            .with(Field::State, point(state))
            .with(Field::InInterface, point(interface(&self.iif)))
            .with(Field::OutInterface, point(interface(&self.oif)));
        if has_ports(protocol) {
            packet = packet
                .with(Field::SourcePort, point(self.sport.unwrap_or(40_000).into()))
                .with(Field::Service, point(self.dport.unwrap_or(0).into()));
        } else if matches!(protocol, known::ICMP | known::ICMPV6) {
            let usual_type = if protocol == known::ICMP { 8 } else { 128 };
            let kind = u128::from(self.icmp_type.unwrap_or(usual_type));
            packet = packet.with(
                Field::Service,
                point(kind << 8 | u128::from(self.icmp_code.unwrap_or(0))),
            );
        }
        if protocol == known::TCP {
            packet = packet.with(Field::TcpFlags, point(self.flag_byte(state)?));
        }
        Ok(Probe {
            path,
            packet: usual(path, packet),
        })
    }

    fn flag_byte(&self, state: u128) -> Result<u128, String> {
        let opens = state == value::NEW || state == value::UNTRACKED;
        let letters = self.flags.as_deref().unwrap_or(if opens { "S" } else { "A" });
        letters.chars().try_fold(0, |byte, letter| {
            let bit = "FSRPAU"
                .find(letter)
                .ok_or_else(|| format!("`{letter}` is not a TCP flag of FSRPAU"))?;
            Ok(byte | 1 << bit)
        })
    }
}

impl JsonAnswer {
    /// The answer for a host's rulesets.
    #[must_use]
    pub fn of(sources: &SourceMap, rulesets: &[Ruleset], answer: &Answer) -> Self {
        let verdict = match answer.verdict() {
            Some(Verdict::Accept) => "accept",
            Some(Verdict::Drop) => "drop",
            Some(Verdict::Reject) => "reject",
            None => "unknown",
        };
        let mut deciders = answer.verdicts.iter().map(|(_, decider)| *decider);
        let decider = match (deciders.next(), deciders.next()) {
            (Some(only), None) => only,
            _ => None,
        };
        let is_unknown = verdict == "unknown";
        let doubts = answer
            .doubts
            .iter()
            .filter(|_| is_unknown)
            .map(|doubt| doubt.why.to_string());
        Self {
            verdict,
            rule: decider.and_then(|decider| rule_line(sources, rulesets, decider)),
            doubts: doubts.collect(),
        }
    }
}
