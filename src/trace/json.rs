//! Packets and answers of `trace --packets`, one JSON object a line. Documented in `docs/json.md`.

use std::net::IpAddr;

use serde::Serialize;
use serde_json::{Map, Value};

use super::text::state_of;
use super::{Probe, rule_line, usual};
use crate::model::{Answer, Packet, Path, Ruleset, Verdict};
use crate::packet::address::number;
use crate::packet::protocol::{has_ports, number as known, protocol_by_name};
use crate::packet::{Field, RangeSet, value};
use crate::source::SourceMap;

/// One packet. Every field but the addresses may be left out; then it is an ordinary packet's.
#[derive(Debug, Clone)]
pub struct JsonPacket {
    hook: Option<String>,
    iif: Option<String>,
    oif: Option<String>,
    src: IpAddr,
    dst: IpAddr,
    proto: u8,
    sport: Option<u16>,
    dport: Option<u16>,
    icmp_type: Option<u8>,
    icmp_code: Option<u8>,
    flags: Option<String>,
    state: Option<String>,
}

/// The fields of one line.
struct Fields(Map<String, Value>);

impl Fields {
    fn read(line: &str) -> Result<Self, String> {
        match serde_json::from_str(line) {
            Ok(Value::Object(fields)) => Ok(Self(fields)),
            Ok(_) => Err("a packet is a JSON object: `{\"src\": …, \"dst\": …}`".into()),
            Err(error) if error.is_eof() => Err("the JSON breaks off: one object stands in one line".into()),
            Err(error) => Err(format!("this is not JSON from column {} on", error.column())),
        }
    }

    fn value(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    fn text(&self, name: &str) -> Result<Option<String>, String> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(other) => Err(format!("`{name}` is text, not `{other}`")),
        }
    }

    fn number<N: TryFrom<u64>>(&self, name: &str, largest: u64) -> Result<Option<N>, String> {
        let Some(value) = self.value(name) else {
            return Ok(None);
        };
        let number = value.as_u64().and_then(|number| N::try_from(number).ok());
        let wrong = || format!("`{name}` is a number from 0 to {largest}, not `{value}`");
        number.ok_or_else(wrong).map(Some)
    }

    fn address(&self, name: &str) -> Result<IpAddr, String> {
        let text = self.text(name)?.ok_or_else(|| format!("`{name}` is missing"))?;
        text.parse().map_err(|_| format!("`{text}` is not an IP address"))
    }

    fn protocol(&self) -> Result<u8, String> {
        match self.value("proto") {
            None => Ok(known::TCP),
            Some(Value::String(name)) => name
                .parse()
                .ok()
                .or_else(|| protocol_by_name(name))
                .ok_or_else(|| format!("`{name}` is not a protocol")),
            Some(_) => Ok(self.number("proto", 255)?.unwrap_or(known::TCP)),
        }
    }
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
    /// Reads one line. Fields that are not known are passed over.
    pub fn read(line: &str) -> Result<Self, String> {
        let fields = Fields::read(line)?;
        Ok(Self {
            hook: fields.text("hook")?,
            iif: fields.text("iif")?,
            oif: fields.text("oif")?,
            src: fields.address("src")?,
            dst: fields.address("dst")?,
            proto: fields.protocol()?,
            sport: fields.number("sport", 65_535)?,
            dport: fields.number("dport", 65_535)?,
            icmp_type: fields.number("icmp_type", 255)?,
            icmp_code: fields.number("icmp_code", 255)?,
            flags: fields.text("flags")?,
            state: fields.text("state")?,
        })
    }

    /// The packet and its path, or what is wrong with it.
    pub fn probe(&self) -> Result<Probe, String> {
        let protocol = self.proto;
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
