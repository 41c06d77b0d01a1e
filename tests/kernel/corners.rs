//! Packets at the corners of a ruleset and anywhere, as they can be sent. INVARIANT: the packets of a ruleset depend on
//! it and the seed alone.

#[path = "../support/corpus/probe.rs"]
mod values;

use std::collections::BTreeSet;
use std::net::IpAddr;

use portcullis::model::{Condition, Path, Purpose, Ruleset};
use portcullis::packet::protocol::number as known;
use portcullis::packet::{Family, Field, value};

use crate::namespace::USUAL;
use crate::probe::{Probe, State};
use crate::random::Random;
use crate::wire::{ACK, FIN, PSH, RST, SYN, URG, is_error};
use values::{Corners, Values};

/// Interfaces that one ruleset may have: each takes its time to make.
const MAX_INTERFACES: usize = 40;

/// Packets for rulesets, fewer if it is hard to find them.
pub(crate) fn probes(rulesets: &[Ruleset], family: Family, n_probes: usize, seed: u64) -> Vec<Probe> {
    let mut maker = Maker {
        corners: Corners::of(rulesets),
        random: Random::new(seed),
        family,
        paths: filtered(rulesets),
        asks_classes: asks_classes(rulesets),
        interfaces: BTreeSet::from([USUAL.to_owned()]),
    };
    let tries = std::iter::repeat_with(|| maker.probe()).take(n_probes * 8);
    tries.flatten().take(n_probes).collect()
}

struct Maker {
    corners: Corners,
    random: Random,
    family: Family,
    paths: Vec<Path>,
    asks_classes: bool,
    interfaces: BTreeSet<String>,
}

impl Maker {
    fn probe(&mut self) -> Option<Probe> {
        let values = self.corners.packet(&mut self.random);
        let path = if self.paths.is_empty() || self.random.chance(1, 8) {
            [Path::Input, Path::Forward, Path::Output][self.random.index(3)]
        } else {
            self.paths[self.random.index(self.paths.len())]
        };
        let by = (path != Path::Output).then(|| self.interface(&values, Field::InInterface));
        let out = (path != Path::Input).then(|| self.interface(&values, Field::OutInterface));
        // A packet to oneself leaves by the real loopback device, which does not have its name here.
        if self.asks_classes && out.as_deref() == Some("lo") {
            return None;
        }
        let source = self.address(&values, self.family.source())?;
        let destination = self.address(&values, self.family.destination())?;
        let any_port = u128::from(self.random.below(0x1_0000));
        let service = values.get(&Field::Service).copied().unwrap_or(any_port);
        let service = u16::try_from(service).ok()?;
        // Flows are told apart by it, so it is often nobody's corner.
        let source_port = values
            .get(&Field::SourcePort)
            .copied()
            .filter(|_| self.random.chance(1, 2));
        let source_port = u16::try_from(source_port.unwrap_or(any_port)).ok()?;
        let [kind, code] = service.to_be_bytes();
        let probe = Probe {
            path,
            by,
            out,
            source,
            destination,
            protocol: self.protocol(&values),
            source_port,
            port: service,
            icmp: (kind, code),
            flags: u8::try_from(values.get(&Field::TcpFlags).copied().unwrap_or(0) & 0x3f).ok()?,
            state: State::New,
        };
        Some(self.in_state(probe, values.get(&Field::State).copied().unwrap_or(value::NEW)))
    }

    fn interface(&mut self, values: &Values, field: Field) -> String {
        let asked = values.get(&field).copied().and_then(interface_name);
        let Some(name) = asked else {
            return USUAL.to_owned();
        };
        if self.interfaces.contains(&name) || self.interfaces.len() < MAX_INTERFACES {
            self.interfaces.insert(name.clone());
            return name;
        }
        USUAL.to_owned()
    }

    fn address(&mut self, values: &Values, field: Field) -> Option<IpAddr> {
        let any = u128::from(self.random.bits()) << 64 | u128::from(self.random.bits());
        let unasked = match self.family {
            Family::V4 => any & u128::from(u32::MAX),
            Family::V6 => (0x2001_0db8 << 96) | (any >> 32),
        };
        let address = self
            .family
            .address(values.get(&field).copied().unwrap_or(unasked));
        is_ordinary(address).then_some(address)
    }

    fn protocol(&mut self, values: &Values) -> u8 {
        let asked = values
            .get(&Field::Protocol)
            .and_then(|&asked| u8::try_from(asked).ok());
        let own = if self.family == Family::V4 {
            known::ICMP
        } else {
            known::ICMPV6
        };
        match asked {
            // The other family's, what is a header of IPv6 itself, and what connection tracking gave up.
            None | Some(0 | 43 | 44 | 51 | 59 | 60 | 135 | 139 | 140 | known::DCCP) => known::UDP,
            Some(known::ICMP | known::ICMPV6) => own,
            Some(asked) => asked,
        }
    }

    /// The packet in a state that it can be in, as near as possible to the one that is wished for.
    fn in_state(&mut self, probe: Probe, wished: u128) -> Probe {
        let established = if self.random.chance(1, 2) {
            State::Established
        } else {
            State::Reply
        };
        let (family, wishes_past) = (self.family, wished == value::ESTABLISHED);
        if wished == value::RELATED && (probe.is_icmp() || self.random.chance(1, 3)) {
            let (protocol, usual) = if family == Family::V4 {
                (known::ICMP, 3)
            } else {
                (known::ICMPV6, 1)
            };
            let error = Probe {
                protocol,
                state: State::Related,
                ..probe
            };
            // A redirect about a connection that is older than the first rule of translation is dropped with it.
            return if is_error(&error) && error.icmp.0 != 5 {
                error
            } else {
                Probe {
                    icmp: (usual, 1),
                    ..error
                }
            };
        }
        let state = match probe.protocol {
            known::TCP => return self.tcp_in_state(probe, wishes_past.then_some(established)),
            known::SCTP => State::New,
            known::ICMP | known::ICMPV6 => icmp_state(&probe, wishes_past),
            _ if wishes_past => established,
            _ => State::New,
        };
        Probe { state, ..probe }
    }

    fn tcp_in_state(&mut self, probe: Probe, past: Option<State>) -> Probe {
        if let Some(state) = past {
            let is_usual = probe.flags & (SYN | RST) == 0 && probe.flags & ACK != 0;
            let flags = if is_usual { probe.flags } else { ACK };
            return Probe {
                flags,
                state,
                ..probe
            };
        }
        let flags = if self.random.chance(1, 2) {
            SYN
        } else {
            probe.flags
        };
        // Flags that open a connection, or take one up that was there before; PSH is not looked at.
        let opens = matches!(flags & !(PSH | URG), SYN | ACK) && flags & FIN == 0;
        let opens = opens && flags & (SYN | PSH) != SYN | PSH;
        let state = if opens { State::New } else { State::Invalid };
        Probe {
            flags,
            state,
            ..probe
        }
    }
}

/// What connection tracking makes of an ICMP packet: requests open connections, and neighbours are not tracked.
fn icmp_state(probe: &Probe, wishes_past: bool) -> State {
    match (probe.protocol, probe.icmp.0) {
        (known::ICMP, 8) | (known::ICMPV6, 128) if wishes_past => State::Established,
        (known::ICMP, 0) | (known::ICMPV6, 129) if wishes_past => State::Reply,
        (known::ICMP, 8 | 13 | 15 | 17) | (known::ICMPV6, 128) => State::New,
        (known::ICMPV6, 130..=137 | 143) => State::Untracked,
        _ => State::Invalid,
    }
}

/// The name that a corner of names stands for: its printable beginning, and one letter more where it is the end of all
/// names that begin so.
fn interface_name(corner: u128) -> Option<String> {
    let bytes = corner.to_be_bytes();
    let end = bytes
        .iter()
        .position(|byte| !byte.is_ascii_graphic())
        .unwrap_or(15)
        .min(15);
    let mut name = String::from_utf8(bytes[..end].to_vec()).ok()?;
    if bytes[end] == 0xff && end < 15 {
        name.push('7');
    }
    // What `ip` and the kernel take for a name without being asked twice.
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "._-+".contains(letter);
    let is_name = name.starts_with(|first: char| first.is_ascii_alphanumeric()) && name.chars().all(is_plain);
    is_name.then_some(name)
}

/// Whether an address can be anybody's.
fn is_ordinary(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            let [first, second, ..] = address.octets();
            // 198.18.0.0/15 is the interfaces' own.
            let is_interface = first == 198 && matches!(second, 18 | 19);
            !is_interface && !matches!(first, 0 | 127 | 224..=255)
        }
        IpAddr::V6(address) => {
            let first = address.segments()[0];
            (0x100..0xfe80).contains(&first) && address.segments()[..2] != [0x2001, 2]
        }
    }
}

/// The paths on which some rule of a filter stands.
fn filtered(rulesets: &[Ruleset]) -> Vec<Path> {
    let has_rules = |ruleset: &Ruleset, path: Path| {
        let mut bases = ruleset
            .bases
            .iter()
            .filter(|base| base.purpose == Purpose::Filter);
        bases.any(|base| {
            let chain = ruleset.chains.get(base.chain.0 as usize);
            path.hooks().contains(&base.hook) && chain.is_some_and(|chain| !chain.rules.is_empty())
        })
    };
    let asks = |path: &Path| rulesets.iter().any(|ruleset| has_rules(ruleset, *path));
    [Path::Input, Path::Forward, Path::Output]
        .into_iter()
        .filter(asks)
        .collect()
}

fn asks_classes(rulesets: &[Ruleset]) -> bool {
    fn asks(condition: &Condition) -> bool {
        match condition {
            Condition::Test(field, _) => matches!(field, Field::SourceClass | Field::DestinationClass),
            Condition::All(inner) | Condition::Any(inner) => inner.iter().any(asks),
            Condition::Not(inner) => asks(inner),
            Condition::Member(_) | Condition::Unknown(_) => false,
        }
    }
    let chains = rulesets.iter().flat_map(|ruleset| &ruleset.chains);
    let mut rules = chains.flat_map(|chain| &chain.rules);
    rules.any(|rule| rule.matches.iter().any(|one| asks(&one.condition)))
}
