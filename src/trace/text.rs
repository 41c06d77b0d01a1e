//! Packets as people write them: `tcp 10.0.0.1:40000 -> 10.0.0.2:22 in eth0`.
//!
//! What is left out stays open, and the trace follows every possibility.

use std::net::IpAddr;

use super::{Probe, usual};
use crate::model::{Packet, Path};
use crate::packet::address::number;
use crate::packet::protocol::{has_ports, number as known, protocol_by_name};
use crate::packet::{Family, Field, RangeSet, icmp_type, value};

/// Why a packet cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct PacketError {
    /// What is wrong.
    pub message: String,
    /// The word it is about.
    pub word: String,
    /// What is expected.
    pub help: &'static str,
}

const FORM: &str =
    "write `PROTOCOL SOURCE[:PORT] -> DESTINATION[:PORT] [in INTERFACE] [out INTERFACE] [new|established|…]`";

fn refuse(word: &str, message: impl Into<String>, help: &'static str) -> PacketError {
    PacketError {
        message: message.into(),
        word: word.to_owned(),
        help,
    }
}

/// Reads a packet.
///
/// `SOURCE` and `DESTINATION` are addresses, `any` (open), or `host` for an address of the host itself, which is
/// open too. IPv6 addresses with a port are written in brackets. The path is output with `out` alone, forward
/// with `in` and `out`, else input.
pub fn parse(text: &str) -> Result<Probe, PacketError> {
    let mut words = text.split_whitespace();
    let first = words
        .next()
        .ok_or_else(|| refuse(text, "there is no packet here", FORM))?;
    let (protocol, service) = protocol(first)?;
    let source = words
        .next()
        .ok_or_else(|| refuse(first, "the source is missing", FORM))?;
    match words.next() {
        Some("->") => {}
        other => {
            return Err(refuse(
                other.unwrap_or(source),
                "expected `->` behind the source",
                FORM,
            ));
        }
    }
    let destination = words
        .next()
        .ok_or_else(|| refuse("->", "the destination is missing", FORM))?;
    let (source, source_port) = end(source, protocol)?;
    let (destination, port) = end(destination, protocol)?;
    let family = match (source, destination) {
        (Some((a, _)), Some((b, _))) if a != b => {
            return Err(refuse(
                text,
                "source and destination are of different families",
                FORM,
            ));
        }
        (Some((family, _)), _) | (_, Some((family, _))) => Some(family),
        (None, None) => None,
    };
    let mut packet = Packet::new().with(Field::Protocol, RangeSet::point(protocol.into()));
    if let Some(family) = family {
        packet = packet.with(Field::Family, RangeSet::point(family.value()));
    }
    if let Some((family, address)) = source {
        packet = packet.with(family.source(), RangeSet::point(address));
    }
    if let Some((family, address)) = destination {
        packet = packet.with(family.destination(), RangeSet::point(address));
    }
    let ports = [
        (Field::SourcePort, source_port),
        (Field::Service, port.or(service)),
    ];
    for (field, values) in ports {
        if let Some(values) = values {
            packet = packet.with(field, values);
        }
    }
    let (packet, path) = rest(packet, protocol, words)?;
    Ok(Probe {
        path,
        packet: usual(path, packet),
    })
}

/// The words behind the addresses: interfaces and state.
fn rest<'a>(
    mut packet: Packet,
    protocol: u8,
    mut words: impl Iterator<Item = &'a str>,
) -> Result<(Packet, Path), PacketError> {
    let (mut arrives, mut leaves, mut state) = (false, false, value::NEW);
    while let Some(word) = words.next() {
        let (field, seen) = match word {
            "in" => (Field::InInterface, &mut arrives),
            "out" => (Field::OutInterface, &mut leaves),
            _ => {
                state = state_of(word)
                    .ok_or_else(|| refuse(word, format!("`{word}` is not expected here"), FORM))?;
                continue;
            }
        };
        let name = words
            .next()
            .ok_or_else(|| refuse(word, "the interface is missing", FORM))?;
        packet = packet.with(field, RangeSet::point(value::interface(name)));
        *seen = true;
    }
    let flags = if state == value::NEW || state == value::UNTRACKED {
        0x02
    } else {
        0x10
    };
    packet = packet.with(Field::State, RangeSet::point(state));
    if protocol == known::TCP {
        packet = packet.with(Field::TcpFlags, RangeSet::point(flags));
    }
    let path = match (arrives, leaves) {
        (false, true) => Path::Output,
        (true, true) => Path::Forward,
        _ => Path::Input,
    };
    Ok((packet, path))
}

pub(super) fn state_of(word: &str) -> Option<u128> {
    match word {
        "new" => Some(value::NEW),
        "established" | "reply" => Some(value::ESTABLISHED),
        "related" => Some(value::RELATED),
        "invalid" => Some(value::INVALID),
        "untracked" => Some(value::UNTRACKED),
        _ => None,
    }
}

/// `tcp`, `47`, `proto/47`, `icmp/echo-request`, `icmp/3/4`.
fn protocol(word: &str) -> Result<(u8, Option<RangeSet>), PacketError> {
    const HELP: &str = "name a protocol: tcp, udp, icmp/echo-request, proto/47";
    let unknown = || refuse(word, format!("`{word}` is not a protocol"), HELP);
    let mut parts = word.split('/');
    let name = match parts.next().unwrap_or_default() {
        "proto" => parts.next().ok_or_else(unknown)?,
        name => name,
    };
    let protocol = name
        .parse()
        .ok()
        .or_else(|| protocol_by_name(name))
        .ok_or_else(unknown)?;
    let Some(kind) = parts.next() else {
        return Ok((protocol, None));
    };
    let kind = kind
        .parse()
        .ok()
        .or_else(|| icmp_type(protocol, kind))
        .ok_or_else(unknown)?;
    let code: u8 = match parts.next() {
        Some(code) => code.parse().map_err(|_| unknown())?,
        None => 0,
    };
    let service = u128::from(kind) << 8 | u128::from(code);
    Ok((protocol, Some(RangeSet::point(service))))
}

type End = (Option<(Family, u128)>, Option<RangeSet>);

/// `10.0.0.1:22`, `[2001:db8::1]:22`, `any`, `host:443`.
fn end(word: &str, protocol: u8) -> Result<End, PacketError> {
    const HELP: &str =
        "write an address, `any` or `host`, with `:PORT` behind it for tcp and udp; IPv6 in brackets";
    let (address, port) = match word.rsplit_once(':') {
        Some((address, port)) if !address.contains(':') || address.ends_with(']') => (address, Some(port)),
        _ => (word, None),
    };
    let port = match port {
        None => None,
        Some(_) if !has_ports(protocol) => {
            return Err(refuse(word, "this protocol has no ports", HELP));
        }
        Some(port) => {
            let number: u16 = port
                .parse()
                .map_err(|_| refuse(word, format!("`{port}` is not a port"), HELP))?;
            Some(RangeSet::point(number.into()))
        }
    };
    let address = address.trim_start_matches('[').trim_end_matches(']');
    if matches!(address, "any" | "host" | "*") {
        return Ok((None, port));
    }
    let parsed: IpAddr = address
        .parse()
        .map_err(|_| refuse(word, format!("`{address}` is not an IP address"), HELP))?;
    Ok((Some(number(parsed)), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_reads_as_it_is_written() {
        let probe = parse("tcp 10.0.0.1:40000 -> 10.0.0.2:22 in eth0").unwrap();
        assert_eq!(probe.path, Path::Input);
        assert_eq!(probe.packet.values(Field::Service), RangeSet::point(22));
        assert_eq!(probe.packet.values(Field::Source4), RangeSet::point(0x0a00_0001));
        assert_eq!(
            probe.packet.values(Field::InInterface),
            RangeSet::point(value::interface("eth0"))
        );
        assert_eq!(probe.packet.values(Field::State), RangeSet::point(value::NEW));
        let probe = parse("icmpv6/echo-request 2001:db8::1 -> host established").unwrap();
        assert_eq!(probe.packet.values(Field::Service), RangeSet::point(128 << 8));
        assert_eq!(
            probe.packet.values(Field::State),
            RangeSet::point(value::ESTABLISHED)
        );
        assert_eq!(
            parse("udp [::1]:1 -> [::2]:53 out eth0").unwrap().path,
            Path::Output
        );
    }

    #[test]
    fn a_mistake_names_its_word() {
        for (text, word) in [
            ("tpc 10.0.0.1 -> 10.0.0.2", "tpc"),
            ("tcp 10.0.0.1 10.0.0.2", "10.0.0.2"),
            ("tcp 10.0.0.300 -> 10.0.0.2", "10.0.0.300"),
            ("tcp 10.0.0.1:99999 -> 10.0.0.2", "10.0.0.1:99999"),
            ("esp 10.0.0.1:9 -> 10.0.0.2", "10.0.0.1:9"),
            ("tcp 10.0.0.1 -> 10.0.0.2 via eth0", "via"),
        ] {
            assert_eq!(parse(text).unwrap_err().word, word, "{text}");
        }
    }
}
