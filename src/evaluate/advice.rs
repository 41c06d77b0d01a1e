//! What to do about an opening: the row that comes nearest to it, or a change of the rule. INVARIANT: a rule that a program keeps is
//! never said to be the reader's to change.

use super::host::Filters;
use super::peer::World;
use super::permitted::concerns;
use super::view::Side;
use super::words;
use crate::packet::{RangeSet, service_words};
use crate::policy::{Kind, Row, Service};

/// The rows that may come near to the openings of one side of a host.
pub(super) struct Advice<'f> {
    world: &'f World,
    side: Side,
    /// The services that some row has for this host.
    services: Vec<(&'f Row, &'f Service)>,
}

impl<'f> Advice<'f> {
    pub(super) fn new<'m: 'f>(filters: &Filters<'m>, side: Side, rows: &'f [Row]) -> Self {
        let (host, world) = (filters.host, filters.world);
        let mine = |row: &&Row| row.kind != Kind::Forbid && concerns(row, side, host, world);
        let services = rows.iter().filter(mine).flat_map(|row| {
            let services = row.services.items.iter();
            services.map(move |service| (row, &service.value))
        });
        Self {
            world,
            side,
            services: services.collect(),
        }
    }

    /// Names the row that comes nearest to an opening; if none comes near, what to do about the rule, which a program may keep.
    pub(super) fn nearest(&self, protocol: u8, port: u128, program: Option<&str>) -> String {
        let away = |&(low, high): &(u128, u128)| low.saturating_sub(port).max(port.saturating_sub(high));
        let distance = |service: &Service| service.values.ranges().iter().map(away).min();
        let nearest = self
            .services
            .iter()
            .filter(|(_, service)| service.protocol == Some(protocol))
            .filter_map(|&(row, service)| Some((distance(service)?, row, service)))
            .min_by_key(|found| found.0);
        match nearest {
            Some((0, row, service)) => {
                let peers = self.side.far(row).items.iter();
                let peers: Vec<_> = peers.map(|peer| self.world.party(&peer.value).word).collect();
                let (service, word) = (words::service(service), self.side.word());
                format!("`{}` has {service}, but {word} {} only", row.id, peers.join(", "))
            }
            Some((away, row, service)) if away <= 100 => {
                let this = service_words(protocol, &RangeSet::point(port)).join(", ");
                format!("`{}` has {}, this is {this}", row.id, words::service(service))
            }
            _ => {
                let remedy = program.map_or_else(|| "remove the rule".into(), kept);
                format!("{remedy}, or add a row that allows it to a policy of the site")
            }
        }
    }
}

/// What to do about an opening that no row can allow.
pub(super) fn narrow(program: Option<&str>) -> String {
    program.map_or_else(
        || "narrow the rule to the peers that need it, or remove it".into(),
        kept,
    )
}

fn kept(program: &str) -> String {
    format!("{program} keeps this rule: change what it publishes")
}
