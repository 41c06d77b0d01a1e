//! One side of a host under the assumptions that a question makes: which packets get through, and who decides.

use super::address::Addresses;
use crate::model::{Compiler, Ruleset, cluster_addresses, loopback_interface};
use crate::packet::{
    Bounds, Concrete, Doubt, Family, Field, OverBudget, PacketSet, RangeSet, Ruling, Space, protocol, value,
};
use crate::policy::{Choice, Peer, Row};

/// Source ports that clients use: every one of them must get through (RFC 6335, section 6: all but the system ports).
pub(super) const CLIENT_PORTS: (u128, u128) = (1024, 65535);

/// Which side of the host a packet crosses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Side {
    /// It arrives; the peer is its source.
    Ingress,
    /// It leaves; the peer is its destination.
    Egress,
    /// It is passed on between other hosts: the peer is its source, and the far end stands where the host's own address
    /// does on the other sides.
    Transit,
    /// The host sends it to itself: it leaves and arrives by loopback.
    Loopback,
}

impl Side {
    /// The field of the peer's address.
    pub(super) fn peer(self, family: Family) -> Field {
        match self {
            Self::Ingress | Self::Transit | Self::Loopback => family.source(),
            Self::Egress => family.destination(),
        }
    }

    /// The field of who the peer is.
    pub(super) fn peer_identity(self) -> Field {
        match self {
            Self::Ingress | Self::Transit | Self::Loopback => Field::SourceIdentity,
            Self::Egress => Field::DestinationIdentity,
        }
    }

    /// The fields of who the host is.
    pub(super) fn own_identity(self) -> &'static [Field] {
        match self {
            Self::Ingress => &[Field::DestinationIdentity],
            Self::Egress => &[Field::SourceIdentity],
            Self::Loopback => &[Field::SourceIdentity, Field::DestinationIdentity],
            Self::Transit => &[],
        }
    }

    /// The field of the host's own address; in transit, of the far end's.
    pub(super) fn own(self, family: Family) -> Field {
        match self {
            Self::Ingress | Self::Transit | Self::Loopback => family.destination(),
            Self::Egress => family.source(),
        }
    }

    /// The end of a row that is this host, or in transit the far end.
    pub(super) fn bound(self, row: &Row) -> &Choice<Peer> {
        match self {
            Self::Ingress | Self::Transit | Self::Loopback => &row.to,
            Self::Egress => &row.from,
        }
    }

    /// The end of a row that is its peer.
    pub(super) fn far(self, row: &Row) -> &Choice<Peer> {
        match self {
            Self::Ingress | Self::Transit | Self::Loopback => &row.from,
            Self::Egress => &row.to,
        }
    }

    /// The word before the peer.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Ingress | Self::Transit | Self::Loopback => "from",
            Self::Egress => "to",
        }
    }

    /// The field of the interface it crosses on the peer's side.
    pub(super) fn interface(self) -> Field {
        match self {
            Self::Ingress | Self::Transit | Self::Loopback => Field::InInterface,
            Self::Egress => Field::OutInterface,
        }
    }

    /// A packet of this side where it has the addresses that any packet has: the peer is still the peer.
    pub(super) fn seen(self, packet: Concrete) -> Concrete {
        let family = if packet.value(Field::Family) == Family::V6.value() {
            Family::V6
        } else {
            Family::V4
        };
        let (own, peer) = (self.own(family), self.peer(family));
        if self != Self::Egress || packet.has(own) {
            return packet;
        }
        let usual = (packet.value(own), packet.value(peer));
        if packet.has(peer) {
            let host = Concrete::default()
                .with(Field::Family, family.value())
                .value(peer);
            if host == usual.1 {
                packet
            } else {
                packet.with(own, host)
            }
        } else {
            packet.with(own, usual.1).with(peer, usual.0)
        }
    }

    /// The ends that are other hosts, each with the interface that leads there.
    pub(super) fn others(self, family: Family) -> Vec<(Field, Field)> {
        match self {
            Self::Ingress | Self::Loopback => vec![(family.source(), Field::InInterface)],
            Self::Egress => vec![(family.destination(), Field::OutInterface)],
            Self::Transit => vec![
                (family.source(), Field::InInterface),
                (family.destination(), Field::OutInterface),
            ],
        }
    }
}

/// What the packets of a question have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    /// The first packet of a connection: new, and SYN where it is TCP.
    First,
    /// What follows it in the same direction once it was answered: established, ACK where it is TCP.
    Later,
    /// The answer to it: established, SYN and ACK where it is TCP.
    Reply,
    /// The answer to one that was not tracked, so that connection tracking has never heard of it.
    UnrelatedReply,
    /// The answer to a request whose destination was translated: established, of a translated connection.
    PublishedReply,
}

/// Every interface but loopback, and not "none".
pub(super) fn all_but_loopback() -> RangeSet {
    loopback_interface()
        .union(&RangeSet::point(0))
        .complement(u128::MAX)
}

/// Interfaces that lead to containers and virtual machines of the host itself, by the names that Docker, the bridge
/// plugin of CNI, Calico and libvirt give them: no other host's packets arrive there.
pub(super) fn container_interfaces() -> RangeSet {
    let exact = ["docker0", "docker_gwbridge", "cni0", "cbr0"];
    let exact = exact.map(|name| (value::interface(name), value::interface(name)));
    let prefixes = ["cali", "veth", "virbr"].map(value::interface_prefix);
    exact.into_iter().chain(prefixes).collect()
}

/// What a host does to packets of one side and moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct View {
    pub(super) side: Side,
    /// Who decides, by family, protocol, ports, interface and both addresses.
    pub(super) ruling: Ruling,
    /// What gets through, by the same fields.
    pub(super) open: Bounds,
    /// The same where the host's own address is not known among those it may have.
    pub(super) by_interface: Bounds,
    /// The same where the interface is not known either, but is not loopback.
    pub(super) anywhere: Bounds,
}

/// Restricts a ruling to what the packets of a question have in common.
pub(super) fn view(
    compiler: &mut Compiler<'_>,
    ruling: Ruling,
    side: Side,
    moment: Moment,
    own: &OwnAddresses,
    outside: &RangeSet,
) -> Result<View, OverBudget> {
    let ruling = assume_moment(compiler, ruling, side, moment)?;
    let ruling = compiler.assume_properties(ruling)?;
    let onward = onward_doubt(compiler);
    let space = &mut compiler.space;
    let mut open = space.accepted(ruling)?;
    // Where a translated packet leaves is routing, which no filter says: it is taken to be where the rules let it out,
    // or every published port would be in doubt.
    if open.surely != open.possibly {
        let routed = space.packets_within(open.possibly, ruling, &|set| set.doubts == [onward])?;
        open.surely = space.union(open.surely, routed)?;
    }
    let mut by_interface = open;
    for family in Family::ALL {
        by_interface = unknown_among(space, by_interface, side.own(family), own.among(family))?;
    }
    let anywhere = unknown_among(space, by_interface, side.interface(), outside)?;
    Ok(View {
        side,
        ruling,
        open,
        by_interface,
        anywhere,
    })
}

/// The addresses that a host may have. One that is not known is none that no host can have.
#[derive(Debug, Clone)]
pub(super) struct OwnAddresses {
    v4: RangeSet,
    v6: RangeSet,
}

impl OwnAddresses {
    /// The known addresses, per family; every address that a host may have where none is known.
    pub(super) fn new(known: &Addresses, rulesets: &[Ruleset]) -> Self {
        let among = |family: Family| {
            let known = known.family(family);
            if known.is_empty() {
                let no_hosts = odd_peers(family).union(&cluster_addresses(rulesets, family));
                no_hosts.complement(family.max())
            } else {
                known.clone()
            }
        };
        Self {
            v4: among(Family::V4),
            v6: among(Family::V6),
        }
    }

    /// The addresses of other hosts, where those of this one are `known`.
    pub(super) fn of_others(known: &Addresses) -> Self {
        let among = |family: Family| {
            let own = known.family(family).union(&odd_peers(family));
            own.complement(family.max())
        };
        Self {
            v4: among(Family::V4),
            v6: among(Family::V6),
        }
    }

    pub(super) fn among(&self, family: Family) -> &RangeSet {
        match family {
            Family::V4 => &self.v4,
            Family::V6 => &self.v6,
        }
    }
}

/// Bounds for packets whose `field` is not known among `values`: surely in if in for all, possibly if in for one.
pub(super) fn unknown_among(
    space: &mut Space,
    bounds: Bounds,
    field: Field,
    values: &RangeSet,
) -> Result<Bounds, OverBudget> {
    if !space.asks(field) {
        return Ok(bounds);
    }
    Ok(Bounds {
        surely: space.for_all(bounds.surely, field, values)?,
        possibly: space.exists(bounds.possibly, field, values)?,
    })
}

fn assume_moment(
    compiler: &mut Compiler<'_>,
    ruling: Ruling,
    side: Side,
    moment: Moment,
) -> Result<Ruling, OverBudget> {
    let (state, flags) = match moment {
        Moment::First => (value::NEW, 0x02),
        Moment::Later => (value::ESTABLISHED, 0x10),
        Moment::Reply | Moment::PublishedReply => (value::ESTABLISHED, 0x12),
        Moment::UnrelatedReply => (value::NEW, 0x12),
    };
    let ruling = assume_state(compiler, ruling, state, moment)?;
    let mut facts = vec![
        (Field::TcpFlags, flags),
        (Field::Fragment, 0),
        (Field::StatusDnat, u128::from(moment == Moment::PublishedReply)),
        (Field::StatusSnat, 0),
    ];
    facts.extend((0..32).map(|bit| (Field::Mark(bit), 0)));
    if side == Side::Loopback {
        facts.push((Field::SourceClass, value::LOCAL));
    }
    let (own_class, peer_class) = match side {
        Side::Ingress | Side::Transit | Side::Loopback => (Field::DestinationClass, Field::SourceClass),
        Side::Egress => (Field::SourceClass, Field::DestinationClass),
    };
    let own = if side == Side::Transit {
        value::UNICAST
    } else {
        value::LOCAL
    };
    facts.push((own_class, own));
    let facts: Vec<_> = facts
        .into_iter()
        .map(|(field, value)| (field, RangeSet::point(value), None))
        .collect();
    let ruling = compiler.space.assume_all(ruling, &facts)?;
    if !compiler.space.asks(peer_class) {
        return Ok(ruling);
    }
    // Over loopback the peer is the host itself; elsewhere it is another host.
    let space = &mut compiler.space;
    let inside = space.assume(ruling, peer_class, &RangeSet::point(value::LOCAL), None)?;
    let outside = space.assume(ruling, peer_class, &RangeSet::point(value::UNICAST), None)?;
    let loopback = space.test(side.interface(), &loopback_interface())?;
    space.choose(loopback, inside, outside)
}

/// Assumes what connection tracking says. An answer that it has never heard of begins a connection, unless it is TCP:
/// no connection begins with SYN and ACK.
fn assume_state(
    compiler: &mut Compiler<'_>,
    ruling: Ruling,
    state: u128,
    moment: Moment,
) -> Result<Ruling, OverBudget> {
    let space = &mut compiler.space;
    let usual = space.assume(ruling, Field::State, &RangeSet::point(state), None)?;
    if moment != Moment::UnrelatedReply {
        return Ok(usual);
    }
    let invalid = space.assume(ruling, Field::State, &RangeSet::point(value::INVALID), None)?;
    let tcp = space.test(Field::Protocol, &RangeSet::point(protocol::number::TCP.into()))?;
    space.choose(tcp, invalid, usual)
}

impl View {
    /// What gets through for a peer whose interfaces are known, or not.
    pub(super) fn bounds(&self, interfaces: Option<&RangeSet>) -> Bounds {
        if interfaces.is_some() {
            self.by_interface
        } else {
            self.anywhere
        }
    }

    /// Packets between the host and a peer that are worth asking about: over an interface of `outside`, with no address
    /// that is no peer's, and with one that may be the host's own. Others only pass through.
    pub(super) fn feasible(
        self,
        space: &mut Space,
        own: &OwnAddresses,
        outside: &RangeSet,
    ) -> Result<PacketSet, OverBudget> {
        let mut feasible = space.test(self.side.interface(), outside)?;
        if self.side == Side::Transit {
            let leaving = space.test(Field::OutInterface, &all_but_loopback())?;
            feasible = space.intersection(feasible, leaving)?;
        }
        for family in Family::ALL {
            let others = space.product(&[
                (Field::Family, RangeSet::point(family.value())),
                (self.side.own(family), own.among(family).complement(family.max())),
            ])?;
            feasible = space.difference(feasible, others)?;
            let odd = odd_peers(family);
            let wrong = space.product(&[
                (Field::Family, RangeSet::point(family.value())),
                (self.side.peer(family), odd),
            ])?;
            feasible = space.difference(feasible, wrong)?;
        }
        Ok(feasible)
    }
}

/// Addresses that no peer can have: this network, loopback, multicast, reserved (RFC 1122, section 3.2.1.3;
/// RFC 4291, section 2.7).
pub(super) fn odd_peers(family: Family) -> RangeSet {
    match family {
        Family::V4 => RangeSet::from_ranges([
            (0, 0x00ff_ffff),
            (0x7f00_0000, 0x7fff_ffff),
            (0xe000_0000, 0xffff_ffff),
        ]),
        Family::V6 => RangeSet::from_ranges([(0, 1), (0xff << 120, u128::MAX)]),
    }
}

/// The doubt about the interface by which translated packets leave.
pub(super) fn onward_doubt(compiler: &mut Compiler<'_>) -> Doubt {
    compiler.doubt(
        None,
        &"which interface the translated packet leaves by is not known".into(),
    )
}
