//! The fields of a packet as its filters see it.

/// One thing that a match can look at.
///
/// In which order diagrams ask them is [`super::Order`]'s to say.
/// Every field is a number from 0 to [`Field::maximum`]; how a value is written is said at each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// Address family: [`value::V4`] or [`value::V6`].
    Family,
    /// IP protocol number, all 256.
    Protocol,
    /// Connection tracking's state of the packet: [`value::NEW`] and its like.
    State,
    /// TCP's flag byte: FIN 1, SYN 2, RST 4, PSH 8, ACK 16, URG 32, ECE 64, CWR 128. Only tcp reads it.
    TcpFlags,
    /// 1 for the second and later fragments of a datagram.
    Fragment,
    /// 1 once the connection's destination was translated.
    StatusDnat,
    /// 1 once the connection's source was translated.
    StatusSnat,
    /// Incoming interface, its name as 16 bytes: see [`value::interface`]. 0 where there is none.
    InInterface,
    /// Outgoing interface, likewise.
    OutInterface,
    /// Destination port; for ICMP and ICMPv6, type times 256 plus code. Belongs to the protocol.
    Service,
    /// Source port of the protocols that have ports.
    SourcePort,
    /// What the destination is apart from its address: an atom of memberships, numbered per run.
    DestinationIdentity,
    /// What the source is apart from its address.
    SourceIdentity,
    /// Destination address, IPv4 packets only.
    Destination4,
    /// Destination address, IPv6 packets only.
    Destination6,
    /// Source address, IPv4 packets only.
    Source4,
    /// Source address, IPv6 packets only.
    Source6,
    /// What the routing table says of the destination: [`value::UNICAST`] and its like.
    DestinationClass,
    /// What the routing table says of the source.
    SourceClass,
    /// One bit (0 to 31) of the packet mark. Single bits, since masks pick any of them.
    Mark(u8),
    /// A property of the packet that is not modelled (a set's membership, a uid), as an unknown truth value:
    /// it cancels against itself, and takes both values in the end.
    Property(u16),
}

impl Field {
    /// The largest value of the field.
    #[must_use]
    pub fn maximum(self) -> u128 {
        match self {
            Self::Family
            | Self::Fragment
            | Self::StatusDnat
            | Self::StatusSnat
            | Self::Mark(_)
            | Self::Property(_) => 1,
            Self::Protocol | Self::TcpFlags => 255,
            Self::State => 4,
            Self::DestinationClass | Self::SourceClass => 7,
            Self::Service | Self::SourcePort => 0xffff,
            Self::Destination4 | Self::Source4 | Self::DestinationIdentity | Self::SourceIdentity => {
                u128::from(u32::MAX)
            }
            Self::InInterface | Self::OutInterface | Self::Destination6 | Self::Source6 => u128::MAX,
        }
    }
}

/// The values of the fields that are not plain numbers.
pub mod value {
    /// [`super::Field::Family`]: IPv4.
    pub const V4: u128 = 0;
    /// [`super::Field::Family`]: IPv6.
    pub const V6: u128 = 1;

    /// [`super::Field::State`]: opens a connection.
    pub const NEW: u128 = 0;
    /// [`super::Field::State`]: belongs to a connection seen in both directions.
    pub const ESTABLISHED: u128 = 1;
    /// [`super::Field::State`]: opens a connection that another one announced, or an ICMP error about one.
    pub const RELATED: u128 = 2;
    /// [`super::Field::State`]: could not be identified.
    pub const INVALID: u128 = 3;
    /// [`super::Field::State`]: exempt from connection tracking.
    pub const UNTRACKED: u128 = 4;

    /// Address class: a unicast address of another host.
    pub const UNICAST: u128 = 0;
    /// Address class: an address of this host.
    pub const LOCAL: u128 = 1;
    /// Address class: a broadcast address.
    pub const BROADCAST: u128 = 2;
    /// Address class: a multicast address.
    pub const MULTICAST: u128 = 3;
    /// Address class: an anycast address of this host (IPv6).
    pub const ANYCAST: u128 = 4;
    /// Address class: blackhole, unreachable or prohibit route.
    pub const REFUSED: u128 = 5;
    /// Address class: the unspecified address.
    pub const UNSPECIFIED: u128 = 6;
    /// Address class: anything else (`NAT`, `XRESOLVE`).
    pub const OTHER_CLASS: u128 = 7;

    /// The longest interface name, in bytes (`IFNAMSIZ` less its terminator).
    pub const MAX_INTERFACE_BYTES: usize = 15;

    /// An interface's name as a number: its bytes from the left, zeros behind. Names sort as numbers do, so
    /// all names with one beginning are one range. Bytes past the 15th are cut, as the kernel's `IFNAMSIZ` cuts them.
    #[must_use]
    pub fn interface(name: &str) -> u128 {
        let mut bytes = [0u8; 16];
        for (to, from) in bytes.iter_mut().zip(name.bytes().take(MAX_INTERFACE_BYTES)) {
            *to = from;
        }
        u128::from_be_bytes(bytes)
    }

    /// The range of names that begin with `prefix` (iptables writes `eth+`, nft `eth*`); the prefix itself is in it.
    #[must_use]
    pub fn interface_prefix(prefix: &str) -> (u128, u128) {
        let low = interface(prefix);
        let bits = 8 * u32::try_from(prefix.len().min(MAX_INTERFACE_BYTES)).unwrap_or(0);
        (low, low | u128::MAX.checked_shr(bits).unwrap_or(0))
    }

    /// The name behind a number that [`interface`] made; `None` for a number that is no printable name.
    #[must_use]
    pub fn interface_name(value: u128) -> Option<String> {
        let bytes = value.to_be_bytes();
        let end = bytes.iter().position(|&byte| byte == 0)?;
        let (name, rest) = bytes.split_at(end);
        let printable = name.iter().all(u8::is_ascii_graphic) && rest.iter().all(|&byte| byte == 0);
        printable.then(|| String::from_utf8_lossy(name).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::value::*;

    #[test]
    fn names_with_one_beginning_are_one_range() {
        let (low, high) = interface_prefix("eth");
        for name in ["eth", "eth0", "eth0.100", "ethzz"] {
            assert!((low..=high).contains(&interface(name)), "{name}");
        }
        for name in ["et", "eti", "lo", "Eth0"] {
            assert!(!(low..=high).contains(&interface(name)), "{name}");
        }
        assert_eq!(interface_prefix(""), (0, u128::MAX));
        assert_eq!(interface_name(interface("eth0")).as_deref(), Some("eth0"));
        assert_eq!(interface_name(interface("")).as_deref(), Some(""));
    }
}
