//! A packet in bytes, and the packets of its connection before it. INVARIANT: sums are right wherever the kernel's
//! REJECT checks them, for what is damaged is not answered.

use std::net::IpAddr;

use portcullis::packet::protocol::number as known;

use crate::probe::{Probe, State};

pub(crate) const FIN: u8 = 1;
pub(crate) const SYN: u8 = 2;
pub(crate) const RST: u8 = 4;
pub(crate) const PSH: u8 = 8;
pub(crate) const ACK: u8 = 16;
pub(crate) const URG: u8 = 32;

/// The packet with a number by which the markers know it.
pub(crate) fn bytes(probe: &Probe, number: u16) -> Vec<u8> {
    let upper = match (probe.protocol, probe.is_icmp()) {
        (_, true) => icmp(probe, flow_number(probe)),
        (known::TCP, _) => tcp(probe, number),
        (known::UDP | known::UDPLITE, _) => udp(probe),
        (known::SCTP, _) => sctp(probe),
        // Versions, flags and lengths of 0, room for a sum at the end.
        _ => vec![0; 16],
    };
    packet(probe, number, upper)
}

/// What must have passed before for connection tracking to say of the packet what its state says.
pub(crate) fn past(probe: &Probe) -> Vec<Vec<u8>> {
    let opening = match probe.state {
        State::Established => probe.clone(),
        State::Reply => probe.turned(),
        State::Related => about(probe),
        State::New | State::Invalid | State::Untracked => return Vec::new(),
    };
    let answer = opening.turned();
    let with = |probe: &Probe, flags, icmp| {
        bytes(
            &Probe {
                icmp,
                flags,
                ..probe.clone()
            },
            0,
        )
    };
    let code = probe.icmp.1;
    let (request, reply) = if opening.protocol == known::ICMPV6 {
        (128, 129)
    } else {
        (8, 0)
    };
    vec![
        with(&opening, SYN, (request, code)),
        with(&answer, SYN | ACK, (reply, code)),
        with(&opening, ACK, (request, code)),
    ]
}

/// The packet that an ICMP error is about: one that its receiver sent.
fn about(probe: &Probe) -> Probe {
    Probe {
        protocol: known::UDP,
        source_port: flow_number(probe),
        port: 9,
        state: State::New,
        ..probe.turned()
    }
}

/// A number that tells flows without ports apart, the same both ways.
fn flow_number(probe: &Probe) -> u16 {
    let seed = u32::from(probe.source_port) + u32::from(probe.port);
    1024 + u16::try_from(seed % 60_000).unwrap_or(0)
}

fn packet(probe: &Probe, number: u16, mut upper: Vec<u8>) -> Vec<u8> {
    let length = u16::try_from(upper.len()).unwrap();
    let protocol = probe.protocol;
    match (probe.source, probe.destination) {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            let addresses = [from.octets(), to.octets()].concat();
            fill_sum(
                &mut upper,
                protocol,
                &[&addresses[..], &[0, protocol], &length.to_be_bytes()].concat(),
            );
            let mut header = vec![0x45, 0];
            header.extend((20 + length).to_be_bytes());
            header.extend(number.to_be_bytes());
            header.extend([0, 0, 64, protocol, 0, 0]);
            header.extend(addresses);
            let sum = sum(&header).to_be_bytes();
            header[10..12].copy_from_slice(&sum);
            [header, upper].concat()
        }
        (IpAddr::V6(from), IpAddr::V6(to)) => {
            let addresses = [from.octets(), to.octets()].concat();
            let pseudo = [
                &addresses[..],
                &[0, 0],
                &length.to_be_bytes(),
                &[0, 0, 0, protocol],
            ]
            .concat();
            fill_sum(&mut upper, protocol, &pseudo);
            let mut header = (0x6000_0000 | u32::from(number)).to_be_bytes().to_vec();
            header.extend(length.to_be_bytes());
            header.extend([protocol, 64]);
            header.extend(addresses);
            [header, upper].concat()
        }
        _ => panic!("{probe:?} is of two families"),
    }
}

/// Writes the sum where the protocol has it; `pseudo` is what it counts besides.
fn fill_sum(upper: &mut [u8], protocol: u8, pseudo: &[u8]) {
    let at = match protocol {
        known::TCP => 16,
        known::UDP | known::UDPLITE => 6,
        known::ICMP | known::ICMPV6 => 2,
        known::SCTP => return,
        _ => 14,
    };
    // ICMP counts no addresses, and neither does the kernel for IPv4 where it does not know the protocol.
    let counts_addresses = matches!(protocol, known::TCP | known::UDP | known::UDPLITE | known::ICMPV6)
        || (protocol != known::ICMP && pseudo.len() > 12);
    let counted = if counts_addresses { pseudo } else { &[] };
    let sum = match sum(&[counted, upper].concat()) {
        0 => 0xffff,
        sum => sum,
    };
    upper[at..at + 2].copy_from_slice(&sum.to_be_bytes());
}

/// The internet checksum.
fn sum(bytes: &[u8]) -> u16 {
    let words = bytes
        .chunks(2)
        .map(|pair| u32::from(pair[0]) << 8 | u32::from(pair.get(1).copied().unwrap_or(0)));
    let mut sum: u32 = words.sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !u16::try_from(sum).unwrap()
}

/// The packet's number is in the upper bytes of both sequence numbers, so that a reset gives it back.
fn tcp(probe: &Probe, number: u16) -> Vec<u8> {
    let sequence = (u32::from(number) << 8).to_be_bytes();
    let mut upper = [probe.source_port.to_be_bytes(), probe.port.to_be_bytes()].concat();
    upper.extend([sequence, sequence].concat());
    upper.extend([0x50, probe.flags, 4, 0, 0, 0, 0, 0]);
    upper
}

fn udp(probe: &Probe) -> Vec<u8> {
    [
        probe.source_port.to_be_bytes(),
        probe.port.to_be_bytes(),
        [0, 8],
        [0, 0],
    ]
    .concat()
}

/// An INIT chunk, alone as it must be.
fn sctp(probe: &Probe) -> Vec<u8> {
    let mut upper = [probe.source_port.to_be_bytes(), probe.port.to_be_bytes()].concat();
    upper.extend([0; 8]);
    upper.extend([1, 0, 0, 20, 0, 0, 0, 1, 0, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 1]);
    upper
}

fn icmp(probe: &Probe, identifier: u16) -> Vec<u8> {
    let mut upper = vec![probe.icmp.0, probe.icmp.1, 0, 0];
    if is_error(probe) {
        upper.extend([0; 4]);
        upper.extend(bytes(&about(probe), 0));
    } else {
        upper.extend(identifier.to_be_bytes());
        upper.extend([0, 1]);
        // Room for what some types go on with.
        upper.extend([0; 24]);
    }
    upper
}

/// Whether the packet is an ICMP error, which has the packet that it is about in it.
pub(crate) fn is_error(probe: &Probe) -> bool {
    match probe.protocol {
        known::ICMP => matches!(probe.icmp.0, 3 | 4 | 5 | 11 | 12),
        known::ICMPV6 => (1..=4).contains(&probe.icmp.0),
        _ => false,
    }
}
