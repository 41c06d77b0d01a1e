//! IPv4 and IPv6 addresses, networks and ranges, as numbers and as text.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use super::{Field, RangeSet, value};

/// An address family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// IPv4: 32-bit addresses.
    V4,
    /// IPv6: 128-bit addresses.
    V6,
}

impl Family {
    /// Both, in order.
    pub const ALL: [Self; 2] = [Self::V4, Self::V6];

    /// Address width in bits.
    #[must_use]
    pub fn bits(self) -> u32 {
        match self {
            Self::V4 => 32,
            Self::V6 => 128,
        }
    }

    /// The largest address.
    #[must_use]
    pub fn max(self) -> u128 {
        match self {
            Self::V4 => u128::from(u32::MAX),
            Self::V6 => u128::MAX,
        }
    }

    /// Its value of [`Field::Family`].
    #[must_use]
    pub fn value(self) -> u128 {
        match self {
            Self::V4 => value::V4,
            Self::V6 => value::V6,
        }
    }

    /// The field of source addresses.
    #[must_use]
    pub fn source(self) -> Field {
        match self {
            Self::V4 => Field::Source4,
            Self::V6 => Field::Source6,
        }
    }

    /// The field of destination addresses.
    #[must_use]
    pub fn destination(self) -> Field {
        match self {
            Self::V4 => Field::Destination4,
            Self::V6 => Field::Destination6,
        }
    }

    /// The name of the family.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::V4 => "IPv4",
            Self::V6 => "IPv6",
        }
    }

    /// Writes an address of this family.
    #[must_use]
    pub fn address(self, number: u128) -> IpAddr {
        match self {
            Self::V4 => IpAddr::V4(Ipv4Addr::from(u32::try_from(number).unwrap_or(u32::MAX))),
            Self::V6 => IpAddr::V6(Ipv6Addr::from(number)),
        }
    }
}

/// The family and number of an address.
#[must_use]
pub fn number(address: IpAddr) -> (Family, u128) {
    match address {
        IpAddr::V4(v4) => (Family::V4, u128::from(u32::from(v4))),
        IpAddr::V6(v6) => (Family::V6, u128::from(v6)),
    }
}

/// Consecutive addresses of one family: a CIDR block, one address, or any range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Network {
    /// The family.
    pub family: Family,
    /// First address.
    pub low: u128,
    /// Last address.
    pub high: u128,
}

impl Network {
    /// The block of `prefix` leading bits around `address`. Host bits are dropped. `None` if the prefix is too long.
    #[must_use]
    pub fn cidr(address: IpAddr, prefix: u32) -> Option<Self> {
        let (family, number) = number(address);
        let host_bits = family.bits().checked_sub(prefix)?;
        let host = u128::MAX.checked_shr(128 - host_bits).unwrap_or(0);
        Some(Self {
            family,
            low: number & !host,
            high: number | host,
        })
    }

    /// All addresses of a family.
    #[must_use]
    pub fn all(family: Family) -> Self {
        Self {
            family,
            low: 0,
            high: family.max(),
        }
    }

    /// Whether the other's addresses are all in it.
    #[must_use]
    pub fn contains(&self, other: &Self) -> bool {
        self.family == other.family && self.low <= other.low && other.high <= self.high
    }
}

impl FromStr for Network {
    type Err = String;

    /// Reads `10.0.0.0/8`, `10.0.0.1`, `10.0.0.0/255.0.0.0`, `10.0.0.1-10.0.0.9` and the same in IPv6.
    fn from_str(text: &str) -> Result<Self, String> {
        let address = |text: &str| {
            text.parse::<IpAddr>()
                .map_err(|_| format!("`{text}` is not an IP address"))
        };
        if let Some((low, high)) = text.split_once('-') {
            let ((family, low), (other, high)) =
                (number(address(low.trim())?), number(address(high.trim())?));
            if family != other {
                return Err(format!("`{text}` mixes IPv4 and IPv6"));
            }
            if low > high {
                return Err(format!("`{text}` ends before it starts"));
            }
            return Ok(Self { family, low, high });
        }
        let Some((base, prefix)) = text.split_once('/') else {
            let (family, number) = number(address(text)?);
            return Ok(Self {
                family,
                low: number,
                high: number,
            });
        };
        let base = address(base)?;
        let prefix = match (prefix.parse::<u32>(), prefix.parse::<Ipv4Addr>(), base) {
            (Ok(prefix), _, _) if prefix.to_string().len() == prefix_digits(text) => prefix,
            (_, Ok(mask), IpAddr::V4(_))
                if u32::from(mask).leading_ones() == u32::from(mask).count_ones() =>
            {
                u32::from(mask).leading_ones()
            }
            (_, Ok(_), IpAddr::V4(_)) => return Err(format!("the mask of `{text}` has holes")),
            _ => return Err(format!("`{text}` has no valid prefix length")),
        };
        Self::cidr(base, prefix).ok_or_else(|| format!("the prefix length of `{text}` is too large"))
    }
}

/// How many characters stand behind the slash: `/08` and `/+8` are not prefix lengths.
fn prefix_digits(text: &str) -> usize {
    text.rsplit('/').next().map_or(0, str::len)
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.prefix() {
            Some(prefix) if prefix == self.family.bits() => write!(f, "{}", self.family.address(self.low)),
            Some(prefix) => write!(f, "{}/{prefix}", self.family.address(self.low)),
            None => write!(
                f,
                "{}-{}",
                self.family.address(self.low),
                self.family.address(self.high)
            ),
        }
    }
}

impl Network {
    /// The prefix length, if it is one CIDR block.
    #[must_use]
    pub fn prefix(&self) -> Option<u32> {
        let host_bits = (self.low ^ self.high).checked_ilog2().map_or(0, |bit| bit + 1);
        let host = u128::MAX.checked_shr(128 - host_bits).unwrap_or(0);
        (self.low & host == 0 && self.high & host == host)
            .then(|| self.family.bits().saturating_sub(host_bits))
    }
}

/// Writes a set of addresses the shortest way: for each run of addresses its CIDR blocks if they are at
/// most two, else the range.
#[must_use]
pub fn describe(family: Family, addresses: &RangeSet) -> Vec<String> {
    let mut parts = Vec::new();
    for &(low, high) in addresses.ranges() {
        let blocks: Vec<_> = blocks(family, low, high.min(family.max())).take(3).collect();
        if blocks.len() <= 2 {
            parts.extend(blocks.iter().map(Network::to_string));
        } else {
            parts.push(
                Network {
                    family,
                    low,
                    high: high.min(family.max()),
                }
                .to_string(),
            );
        }
    }
    parts
}

/// The fewest CIDR blocks that make up `low..=high`, ascending.
pub fn blocks(family: Family, low: u128, high: u128) -> impl Iterator<Item = Network> {
    let mut next = (low <= high).then_some(low);
    std::iter::from_fn(move || {
        let low = next?;
        let aligned = low.trailing_zeros().min(family.bits());
        let fits = match (high - low).checked_add(1) {
            Some(size) => size.ilog2(),
            None => 128,
        };
        let host_bits = aligned.min(fits);
        let end = low | u128::MAX.checked_shr(128 - host_bits).unwrap_or(0);
        next = end.checked_add(1).filter(|&start| start <= high);
        Some(Network {
            family,
            low,
            high: end,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_read_and_print() {
        for (text, printed) in [
            ("10.0.0.0/8", "10.0.0.0/8"),
            ("10.1.2.3/8", "10.0.0.0/8"),
            ("10.0.0.0/255.255.0.0", "10.0.0.0/16"),
            ("1.2.3.4", "1.2.3.4"),
            ("0.0.0.0/0", "0.0.0.0/0"),
            ("::/0", "::/0"),
            ("2001:db8::1-2001:db8::9", "2001:db8::1-2001:db8::9"),
            ("10.0.0.0-10.0.0.255", "10.0.0.0/24"),
        ] {
            assert_eq!(text.parse::<Network>().unwrap().to_string(), printed);
        }
        for text in [
            "10.0.0.0/33",
            "10.0.0.0/255.0.255.0",
            "10.0.0.9-10.0.0.1",
            "10.0.0.1-::1",
            "x/8",
            "1.2.3.4/+8",
        ] {
            assert!(text.parse::<Network>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_range_is_cut_into_the_fewest_blocks() {
        let texts: Vec<_> = blocks(Family::V4, 1, 10).map(|block| block.to_string()).collect();
        assert_eq!(
            texts,
            ["0.0.0.1", "0.0.0.2/31", "0.0.0.4/30", "0.0.0.8/31", "0.0.0.10"]
        );
        assert_eq!(blocks(Family::V6, 0, u128::MAX).count(), 1);
        assert_eq!(
            describe(Family::V4, &RangeSet::range(1, 10)),
            ["0.0.0.1-0.0.0.10"]
        );
    }
}
