//! What must hold for a packet before a selector can be asked of it: its family, its protocol, its connection.
//!
//! INVARIANT: a rule holds of no packet without what its selectors read.

use super::allowed::check_place;
use super::chains::Lowering;
use super::condition::never;
use super::holds::icmp_types;
use super::place::{Place, When};
use super::value::Refusal;
use crate::dialect::nftables::ast::{Expr, TableFamily, Unread};
use crate::dialect::nftables::names::Key;
use crate::dialect::nftables::parser::canonical;
use crate::model::{Condition, Families, Match, Unknown};
use crate::packet::{Family, Field, RangeSet, value as packet_value};

impl<'p, 'a> Lowering<'p, 'a> {
    /// What a selector demands of the packet before it can be asked.
    pub(super) fn demand(
        &mut self,
        place: &mut Place<'p, 'a>,
        part: &Expr<'a>,
        key: &Key,
        into: &mut Vec<Match>,
    ) -> Result<(), Refusal<'a>> {
        // In text the name of the header; in JSON the whole object.
        let word = match part.text.split_ascii_whitespace().next() {
            Some(word) if !word.starts_with('{') => word.trim_start_matches('('),
            _ => part.text,
        };
        if let Some(family) = key.family() {
            self.demand_family(place, word, key, family, into)?;
        }
        check_place(place, part, key)?;
        if reads_port_of_connection(key) && !place.tells_protocol {
            let message = format!("`{}` without a protocol before it", canonical(part.text));
            return Err(Unread::new(part.text, message)
                .help("say the protocol first: `meta l4proto tcp`")
                .into());
        }
        if let Some(protocol) = key.protocol() {
            place.tells_protocol = true;
            if place.tell(Field::Protocol, protocol.into()).is_some() {
                place.refusal.get_or_insert_with(|| conflict(word));
            }
            let number = u128::from(protocol);
            self.demand_value(place, word, Field::Protocol, number, into);
            place.protocols = place.protocols.intersection(&RangeSet::point(number));
        }
        if let Key::Other(other) = key
            && let Some(types) = types_with(&other.name)
        {
            let types = types.iter().map(|kind| (*kind, *kind));
            into.push(Match {
                span: self.texts.span(word),
                condition: Condition::Test(Field::Service, icmp_types(&RangeSet::from_ranges(types))),
            });
        }
        if let Key::Other(other) = key
            && other.is_of_extension_header()
            && !other.asks_presence()
        {
            into.push(Match {
                span: self.texts.span(word),
                condition: Condition::never_met(),
            });
        } else if let Key::Other(other) = key
            && may_be_missing(&other.name)
        {
            // Without it there is nothing to compare: neither `==` nor `!=` holds.
            let why = self
                .unknowns
                .text(&format!("whether there is a `{}` is not known", other.name));
            let property = other
                .keeps
                .then(|| self.unknowns.text(&format!("{} is there", other.name)));
            into.push(Match {
                span: self.texts.span(word),
                condition: Condition::Unknown(Unknown { property, why }),
            });
        }
        if self.tests_fragments && key.reads_transport() {
            self.demand_value(place, word, Field::Fragment, 0, into);
        }
        if is_of_connection(key) {
            let span = self.texts.span(word);
            let tracked = RangeSet::range(packet_value::NEW, packet_value::RELATED);
            // Without a connection there is nothing to ask: the rule ends here.
            let condition = match place.met.tracking {
                When::After => Condition::Test(Field::State, tracked),
                When::Before => never(),
                When::Either => Condition::Unknown(Unknown {
                    property: None,
                    why: self
                        .unknowns
                        .text("the chain is called before and after connections are tracked"),
                }),
            };
            into.push(Match { span, condition });
        }
        Ok(())
    }

    fn demand_family(
        &mut self,
        place: &mut Place<'p, 'a>,
        word: &'a str,
        key: &Key,
        family: Family,
        into: &mut Vec<Match>,
    ) -> Result<(), Refusal<'a>> {
        let other = match place.table.name.family {
            TableFamily::Ip => Some(Family::V6),
            TableFamily::Ip6 => Some(Family::V4),
            _ => None,
        };
        if other == Some(family) {
            // `icmp` in a table of the other family asks for the protocol alone.
            if key.protocol().is_some() || place.table.name.family == TableFamily::Arp {
                return Ok(());
            }
            let message = format!(
                "`{word}` has no place in a table of family `{}`",
                family_word(place)
            );
            return Err(Unread::new(word, message).into());
        }
        if place.tell(Field::Family, family.value()).is_some() {
            place.refusal.get_or_insert_with(|| conflict(word));
        }
        match (place.families, family) {
            (Families::Both, _) => self.demand_value(place, word, Field::Family, family.value(), into),
            (Families::V4, Family::V6) | (Families::V6, Family::V4) => into.push(Match {
                span: self.texts.span(word),
                condition: never(),
            }),
            _ => place.demanded.push((Field::Family, family.value())),
        }
        Ok(())
    }

    fn demand_value(
        &mut self,
        place: &mut Place<'p, 'a>,
        word: &'a str,
        field: Field,
        number: u128,
        into: &mut Vec<Match>,
    ) {
        if place.demanded.contains(&(field, number)) {
            return;
        }
        place.demanded.push((field, number));
        into.push(Match {
            span: self.texts.span(word),
            condition: Condition::Test(field, RangeSet::point(number)),
        });
    }
}

fn family_word(place: &Place<'_, '_>) -> &'static str {
    match place.table.name.family {
        TableFamily::Ip => "ip",
        TableFamily::Ip6 => "ip6",
        TableFamily::Inet => "inet",
        TableFamily::Arp => "arp",
        TableFamily::Bridge => "bridge",
        TableFamily::Netdev => "netdev",
    }
}

/// Whether packets of the right protocol can be without what is asked for: a sender's socket, an option, an extension.
fn may_be_missing(name: &str) -> bool {
    const THERE: &[&str] = &[
        "meta cpu",
        "meta day",
        "meta hour",
        "meta length",
        "meta pkttype",
        "meta priority",
        "meta random",
        "meta time",
        "meta iiftype",
        "meta oiftype",
        "meta iifgroup",
        "meta oifgroup",
        "meta iifkind",
        "meta oifkind",
        "meta sdif",
        "meta sdifname",
    ];
    let (header, field) = name.split_once(' ').unwrap_or((name, ""));
    match header {
        "ip" | "tcp" | "sctp" | "dccp" => field.starts_with("option") || field.starts_with("chunk"),
        "ct" => field.starts_with("helper"),
        "ip6" | "udp" | "udplite" | "icmp" | "icmpv6" | "igmp" | "esp" | "ah" | "comp" | "mh" | "exthdr"
        | "fib" | "numgen" | "jhash" | "symhash" => false,
        _ => !THERE.contains(&name),
    }
}

/// A selector of another family or protocol than one before it.
fn conflict(word: &str) -> Unread<'_> {
    let message = format!("`{word}` goes with another family or protocol than what stands before it");
    Unread::new(word, message).help("no packet is of both: write a rule for each")
}

/// Whether it reads a port of a connection, which nft only knows as one behind a protocol.
fn reads_port_of_connection(key: &Key) -> bool {
    matches!(key, Key::Other(other) if other.name.starts_with("ct ") && other.name.contains(" proto-"))
}

/// Whether there is nothing to ask without a connection.
pub(super) fn is_of_connection(key: &Key) -> bool {
    match key {
        Key::CtStatus | Key::CtDirection => true,
        Key::Other(other) => other.name.starts_with("ct "),
        _ => false,
    }
}

/// The types of ICMP that have a field.
fn types_with(field: &str) -> Option<&'static [u128]> {
    Some(match field {
        "icmp id" | "icmp sequence" => &[0, 8],
        "icmp gateway" => &[5],
        "icmp mtu" => &[3],
        "icmpv6 id" | "icmpv6 sequence" => &[128, 129],
        "icmpv6 mtu" | "icmpv6 packet-too-big" => &[2],
        "icmpv6 parameter-problem" => &[4],
        "icmpv6 max-delay" => &[130],
        "icmpv6 taddr" => &[130, 131, 132, 135, 136, 137],
        "icmpv6 daddr" => &[137],
        _ => return None,
    })
}
