//! A corpus of dumps that others wrote, found through `PORTCULLIS_CORPUS`, to rulesets. INVARIANT: the corpus is
//! read where it lies; nothing of it is in this repository.

pub(crate) mod closure;
pub(crate) mod matrix;
pub(crate) mod packet;
pub(crate) mod probe;
mod root;

pub(crate) use root::root;

use std::path::{Path, PathBuf};

use portcullis::dialect::iptables::Iptables;
use portcullis::dialect::{Claim, Dialect, Reading};
use portcullis::model::{Compiler, Hook, HostFacts, Purpose, Ruleset};
use portcullis::packet::{Family, Field, PacketSet, RangeSet, Ruling, Space, value};
use portcullis::source::{SourceFile, SourceMap};

/// One dump, read.
pub(crate) struct Dump {
    pub(crate) path: PathBuf,
    pub(crate) reading: Reading,
    /// Keeps the text that the reading's spans are in.
    pub(crate) sources: SourceMap,
}

impl Dump {
    /// Reads a file as a dump, whatever its name says.
    pub(crate) fn read(path: &Path) -> Self {
        let mut sources = SourceMap::new();
        let file = sources.add(decoded(path));
        let reading = Iptables.read(&[sources.source(file)]);
        Self {
            path: path.to_owned(),
            reading,
            sources,
        }
    }
}

fn decoded(path: &Path) -> SourceFile {
    let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    SourceFile::from_bytes(path.to_string_lossy(), bytes)
}

/// Every file of the corpus whose content is a dump.
pub(crate) fn dumps(root: &Path) -> Vec<Dump> {
    let mut found = Vec::new();
    for entry in walkdir::WalkDir::new(root).sort_by_file_name() {
        let entry = entry.unwrap();
        // Larger files are no dumps, and reading all of them would take the time.
        if !entry.file_type().is_file() || entry.metadata().is_ok_and(|about| about.len() > 1 << 20) {
            continue;
        }
        let mut sources = SourceMap::new();
        let file = sources.add(decoded(entry.path()));
        if Iptables.claims(sources.source(file)) == Claim::Content {
            found.push(Dump::read(entry.path()));
        }
    }
    found
}

/// What the filter chain of a hook decides about IPv4 packets, and nothing before it.
pub(crate) fn filter(rulesets: &[Ruleset], hook: Hook) -> (Compiler<'_>, Ruling) {
    let mut compiler = Compiler::new(rulesets, HostFacts::default(), Space::default());
    let mut bases = rulesets.iter().enumerate().flat_map(|(at, ruleset)| {
        let bases = ruleset.bases.iter().enumerate();
        bases.map(move |(base, of)| (at, base, of))
    });
    let (ruleset, base, _) = bases
        .find(|(_, _, base)| base.hook == hook && base.purpose == Purpose::Filter)
        .unwrap();
    let ruling = compiler.decided(ruleset, base).unwrap();
    let ruling = compiler.assume_properties(ruling).unwrap();
    (compiler, ruling)
}

/// Interfaces with the source addresses that arrive by them.
pub(crate) type Assignment = Vec<(String, RangeSet)>;

/// What is taken for granted of packets.
#[derive(Default)]
pub(crate) struct Assumption {
    pub(crate) assigned: Assignment,
    /// No other interface exists, and what opens a TCP connection is a SYN.
    pub(crate) is_closed: bool,
}

/// IPv4 packets that open a connection and arrive by an interface from an address that it is assigned. Loopback
/// addresses arrive by `lo` alone, as the kernel has it too.
pub(crate) fn opening(space: &mut Space, taken: &Assumption) -> PacketSet {
    let loopback = ("lo".to_owned(), network("127.0.0.0/8"));
    let assigned: Vec<_> = taken.assigned.iter().chain([&loopback]).collect();
    let names = assigned
        .iter()
        .map(|(name, _)| (value::interface(name), value::interface(name)));
    let mut tests = vec![
        (Field::Family, RangeSet::point(Family::V4.value())),
        (Field::State, RangeSet::point(value::NEW)),
    ];
    if taken.is_closed {
        tests.push((Field::InInterface, RangeSet::from_ranges(names)));
        tests.push((Field::TcpFlags, RangeSet::point(2)));
    }
    let mut packets = space.product(&tests).unwrap();
    let elsewhere = RangeSet::point(value::interface("lo")).complement(Field::InInterface.maximum());
    let strayed = [
        (Field::InInterface, elsewhere),
        (Field::Source4, loopback.1.clone()),
    ];
    let strayed = space.product(&strayed).unwrap();
    packets = space.difference(packets, strayed).unwrap();
    for (interface, sources) in assigned {
        let forged = space
            .product(&[
                (Field::InInterface, RangeSet::point(value::interface(interface))),
                (Field::Source4, sources.complement(Family::V4.max())),
            ])
            .unwrap();
        packets = space.difference(packets, forged).unwrap();
    }
    packets
}

/// An assignment as the authors write it: `eth1 = [10.0.0.0/8, ...]` or `eth1 = all_but_those_ips [...]`.
pub(crate) fn assignment(text: &str) -> Assignment {
    let one = |entry: &str| {
        let (interface, list) = entry.split_once('=')?;
        let (kind, networks) = list.split_once('[')?;
        let listed = networks
            .split(',')
            .map(str::trim)
            .filter(|one| !one.is_empty())
            .map(addresses)
            .fold(RangeSet::empty(), |all, one| all.union(&one));
        let sources = match kind.trim() {
            "" => listed,
            "all_but_those_ips" => listed.complement(Family::V4.max()),
            other => panic!("`{other}` is not expected"),
        };
        Some((interface.trim().to_owned(), sources))
    };
    text.split(']').filter_map(one).collect()
}

/// A network, an address, or two addresses with a hyphen between.
fn addresses(text: &str) -> RangeSet {
    match text.split_once('-') {
        Some((low, high)) => RangeSet::range(address_number(low), address_number(high)),
        None => network(text),
    }
}

/// A network such as `10.0.0.0/8`, or an address.
pub(crate) fn network(text: &str) -> RangeSet {
    let (address, bits) = text.split_once('/').unwrap_or((text, "32"));
    let bits: u32 = bits.parse().unwrap();
    let address = address_number(address);
    let host = (1u128 << (32 - bits)) - 1;
    RangeSet::range(address & !host, address | host)
}

/// An IPv4 address as a number.
pub(crate) fn address_number(text: &str) -> u128 {
    let address: std::net::Ipv4Addr = text
        .parse()
        .unwrap_or_else(|_| panic!("`{text}` is not an address"));
    u32::from(address).into()
}
