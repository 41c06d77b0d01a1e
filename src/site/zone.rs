//! Zones to addresses: what the site says, and the defaults where it says nothing.
//!
//! INVARIANT: what is a default is marked as one, so that reports can say on which assumption they rest.

use super::{Site, Zone};
use crate::packet::{Family, Network, RangeSet};
use crate::source::{Span, Spanned};

/// The zones that have networks without being defined.
pub(super) const DEFAULTED: [&str; 2] = ["internal", "external"];

/// Private ranges: RFC 1918 section 3, and RFC 4193 section 3.1 for IPv6. Not among them: 100.64.0.0/10, which
/// RFC 6598 section 4 reserves for providers and which a host may share with strangers, and the link-local
/// ranges, which no router passes on.
const PRIVATE: [&str; 4] = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"];

/// Where global unicast addresses come from: all of IPv4 less [`SPECIAL`], and in IPv6 what IANA allots
/// (RFC 4291 section 2.4, RFC 3587 section 3).
const GLOBAL: [&str; 2] = ["0.0.0.0/0", "2000::/3"];

/// Not global unicast. IPv4: the entries of IANA's special-purpose address registry (RFC 6890) that are not
/// globally reachable, with 192.88.99.0/24 (RFC 7526) and multicast (RFC 5771). IPv6, inside `2000::/3`: IETF
/// protocol assignments with Teredo (RFC 2928, RFC 4380), documentation (RFC 3849, RFC 9637), 6to4 (RFC 3056).
const SPECIAL: [&str; 18] = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/3",
    "2001::/23",
    "2001:db8::/32",
    "2002::/16",
    "3fff::/20",
];

/// Where a zone's networks come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The site says them.
    Site,
    /// The default of `internal`: the private ranges that no other zone claims.
    PrivateRanges,
    /// The default of `external`: global unicast addresses that no other zone claims.
    Remainder,
}

/// A zone with its addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZoneNetworks {
    /// Its name.
    pub name: String,
    /// Where its networks come from.
    pub origin: Origin,
    /// The interfaces on which its packets arrive. Empty: any but `lo`.
    pub interfaces: Vec<Spanned<String>>,
    /// The definition, if the site has one.
    pub span: Option<Span>,
    networks: [RangeSet; 2],
}

impl ZoneNetworks {
    /// Its addresses of a family.
    #[must_use]
    pub fn networks(&self, family: Family) -> &RangeSet {
        let [v4, v6] = &self.networks;
        match family {
            Family::V4 => v4,
            Family::V6 => v6,
        }
    }
}

/// All zones of a site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zones {
    zones: Vec<ZoneNetworks>,
}

impl Zones {
    /// Works out the zones of a site. `external` is always among them; `internal` is where the site or a policy speaks of it
    /// (`has_internal`), or where no zone has networks: it must not take addresses from zones that have other names.
    #[must_use]
    pub fn resolve(site: &Site, has_internal: bool) -> Self {
        let defined = |name: &str| site.zones.iter().find(|zone| zone.name.value == name);
        let said = |zone: &Zone| {
            zone.networks
                .as_ref()
                .map(|networks| sets(networks.iter().map(|it| it.value)))
        };
        let claimed = site
            .zones
            .iter()
            .filter_map(&said)
            .fold(<[RangeSet; 2]>::default(), |a, b| union(&a, &b));
        let zone = |name: &str, networks: [RangeSet; 2], origin| ZoneNetworks {
            name: name.to_owned(),
            origin,
            interfaces: defined(name)
                .map(|zone| zone.interfaces.clone())
                .unwrap_or_default(),
            span: defined(name).map(|zone| zone.span),
            networks,
        };
        let is_needed =
            has_internal || defined("internal").is_some() || claimed.iter().all(RangeSet::is_empty);
        let internal = is_needed.then(|| match defined("internal").and_then(&said) {
            Some(networks) => zone("internal", networks, Origin::Site),
            None => zone(
                "internal",
                difference(&known(&PRIVATE), &claimed),
                Origin::PrivateRanges,
            ),
        });
        let external = if let Some(networks) = defined("external").and_then(&said) {
            zone("external", networks, Origin::Site)
        } else {
            let global = difference(&known(&GLOBAL), &known(&SPECIAL));
            let rest = difference(&global, &claimed);
            let rest = match &internal {
                Some(internal) => difference(&rest, &internal.networks),
                None => rest,
            };
            zone("external", rest, Origin::Remainder)
        };
        let mut zones = vec![external];
        zones.extend(internal);
        for other in site
            .zones
            .iter()
            .filter(|zone| !DEFAULTED.contains(&zone.name.value.as_str()))
        {
            zones.push(zone(
                &other.name.value,
                said(other).unwrap_or_default(),
                Origin::Site,
            ));
        }
        zones.sort_by(|a, b| a.name.cmp(&b.name));
        Self { zones }
    }

    /// All zones, by name.
    pub fn iter(&self) -> impl Iterator<Item = &ZoneNetworks> {
        self.zones.iter()
    }

    /// The zone of a name. `None`: the site has to define it.
    #[must_use]
    pub fn zone(&self, name: &str) -> Option<&ZoneNetworks> {
        self.zones.iter().find(|zone| zone.name == name)
    }

    /// What was assumed, for the summary of a run.
    #[must_use]
    pub fn notes(&self) -> Vec<String> {
        let note = |zone: &ZoneNetworks| match zone.origin {
            Origin::Site => None,
            Origin::PrivateRanges => Some(format!(
                "zone `{}` is taken to be the private ranges ({})",
                zone.name,
                described(zone)
            )),
            Origin::Remainder => Some(format!(
                "zone `{}` is taken to be the global unicast addresses of no other zone",
                zone.name
            )),
        };
        self.zones.iter().filter_map(note).collect()
    }
}

/// The networks of a zone, IPv4 first.
fn described(zone: &ZoneNetworks) -> String {
    let parts = Family::ALL
        .into_iter()
        .flat_map(|family| crate::packet::address::describe(family, zone.networks(family)));
    parts.collect::<Vec<_>>().join(", ")
}

/// The sets of the constants above; a test reads each of them.
fn known(texts: &[&str]) -> [RangeSet; 2] {
    sets(texts.iter().filter_map(|text| text.parse().ok()))
}

fn sets(networks: impl Iterator<Item = Network>) -> [RangeSet; 2] {
    let networks: Vec<_> = networks.collect();
    Family::ALL.map(|family| {
        let own = networks.iter().filter(|network| network.family == family);
        own.map(|network| (network.low, network.high)).collect()
    })
}

fn union([a4, a6]: &[RangeSet; 2], [b4, b6]: &[RangeSet; 2]) -> [RangeSet; 2] {
    [a4.union(b4), a6.union(b6)]
}

fn difference([a4, a6]: &[RangeSet; 2], [b4, b6]: &[RangeSet; 2]) -> [RangeSet; 2] {
    [a4.difference(b4), a6.difference(b6)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::SourceMap;

    fn zones(text: &str) -> Zones {
        let mut sources = SourceMap::new();
        let file = sources.add_text("portcullis.toml", text);
        Zones::resolve(&crate::site::read(sources.source(file)).unwrap(), true)
    }

    fn has(zones: &Zones, zone: &str, address: &str) -> bool {
        let network: Network = address.parse().unwrap();
        zones
            .zone(zone)
            .unwrap()
            .networks(network.family)
            .contains(network.low)
    }

    #[test]
    fn every_constant_is_a_network() {
        for text in PRIVATE.iter().chain(&GLOBAL).chain(&SPECIAL) {
            assert_eq!(text.parse::<Network>().unwrap().to_string(), *text);
        }
    }

    #[test]
    fn without_a_site_private_is_internal_and_the_rest_external() {
        let zones = zones("");
        for inside in ["10.1.2.3", "172.31.255.255", "192.168.0.1", "fd00::1"] {
            assert!(
                has(&zones, "internal", inside) && !has(&zones, "external", inside),
                "{inside}"
            );
        }
        for outside in [
            "8.8.8.8",
            "172.32.0.0",
            "1.0.0.0",
            "223.255.255.255",
            "2600::1",
            "2001:200::1",
        ] {
            assert!(
                !has(&zones, "internal", outside) && has(&zones, "external", outside),
                "{outside}"
            );
        }
        for neither in [
            "0.1.2.3",
            "127.0.0.1",
            "169.254.1.1",
            "100.64.0.1",
            "203.0.113.9",
            "224.0.0.1",
            "255.255.255.255",
            "::1",
            "fe80::1",
            "ff02::1",
            "2001:db8::1",
            "2002::1",
            "64:ff9b::1",
        ] {
            assert!(
                !has(&zones, "internal", neither) && !has(&zones, "external", neither),
                "{neither}"
            );
        }
        assert_eq!(zones.notes().len(), 2);
        assert_eq!(
            zones.notes()[1],
            "zone `internal` is taken to be the private ranges (10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, fc00::/7)"
        );
    }

    #[test]
    fn external_is_what_no_other_zone_claims() {
        let zones = zones(
            "[zones]\ninternal.networks = '8.8.0.0/16'\ndmz = { networks = ['9.9.9.0/24'] }\nexternal.interfaces = ['eth0']\n",
        );
        assert!(has(&zones, "internal", "8.8.8.8") && !has(&zones, "external", "8.8.8.8"));
        assert!(has(&zones, "dmz", "9.9.9.9") && !has(&zones, "external", "9.9.9.9"));
        assert!(!has(&zones, "internal", "10.0.0.1") && !has(&zones, "external", "10.0.0.1"));
        assert!(has(&zones, "external", "8.9.0.0"));
        let external = zones.zone("external").unwrap();
        assert_eq!(
            (external.origin, external.interfaces[0].value.as_str()),
            (Origin::Remainder, "eth0")
        );
        assert_eq!(zones.zone("nowhere"), None);
    }

    #[test]
    fn a_private_network_of_another_zone_is_not_internal_by_default() {
        let zones = zones("[zones]\nmanagement = { networks = ['10.9.0.0/16'] }\n");
        assert!(!has(&zones, "internal", "10.9.1.1") && has(&zones, "internal", "10.8.255.255"));
    }
}
