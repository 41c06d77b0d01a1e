//! Network ACLs of EC2: numbered entries, each of which allows or denies.
//!
//! Source: the API reference, `CreateNetworkAclEntry`. INVARIANT: entries decide in the order of their numbers; one whose number
//! is not known may come before all others, and comes behind them at the latest.

use super::super::peer::with_prefix;
use super::super::service::{self, Ports, Protocol};
use super::super::{Direction, Doubt, Guard, Lowering, Peer, Value};
use super::{asked, icmp, port_range, read_protocol};
use crate::model::{Action, Condition, Match, Rule, Unknown};
use crate::packet::Family;
use crate::packet::protocol::number;
use crate::source::{Span, Spanned};

/// The highest number that an entry may have; the default verdict has the next.
const MAX_NUMBER: i64 = 32_766;

/// One entry as it was written.
#[derive(Debug, Clone)]
pub struct AclEntry {
    /// All of it.
    pub span: Span,
    /// Its place in the order.
    pub number: Option<Value<String>>,
    /// The number of the protocol, or its name; `-1` for all.
    pub protocol: Option<Value<String>>,
    /// `allow` or `deny`, in any case.
    pub action: Option<Value<String>>,
    /// The other ends, networks each of its own family: an entry has one.
    pub peers: Vec<Peer>,
    /// The ports, of TCP and UDP.
    pub ports: (Option<Value<String>>, Option<Value<String>>),
    /// Type and code, of ICMP.
    pub icmp: (Option<Value<String>>, Option<Value<String>>),
    /// What it depends on whether the entry is there at all.
    pub guards: Vec<Guard>,
}

/// The rules of one direction of a network ACL, in their order; what none of them decides is denied.
#[must_use]
pub fn network_acl_rules(lowering: &mut Lowering, direction: Direction, entries: &[AclEntry]) -> Vec<Rule> {
    let (mut ordered, mut first, mut last) = (Vec::new(), Vec::new(), Vec::new());
    for entry in entries {
        let rules = entry.rules(lowering, direction);
        match place(lowering, entry) {
            Ok(number) => ordered.push((number, entry.span, rules)),
            Err(doubt) => {
                lowering.depends(&doubt);
                first.extend(rules.iter().cloned().map(|mut rule| {
                    rule.matches.push(Match {
                        span: doubt.span,
                        condition: doubt.question("before others"),
                    });
                    rule
                }));
                last.extend(rules);
            }
        }
    }
    ordered.sort_by_key(|(number, ..)| *number);
    for pair in ordered.windows(2) {
        if let [(number, ..), (again, span, _)] = pair
            && number == again
            && are_surely_there(entries, *number)
        {
            let message = format!("there are two entries with the number {number}");
            let _said =
                lowering.refuse_at(*span, "number", message, "give each entry of a direction its own");
        }
    }
    let ordered = ordered.into_iter().flat_map(|(.., rules)| rules);
    first.into_iter().chain(ordered).chain(last).collect()
}

/// Whether the entries of a number are all there: of two that are there on conditions, only one may be.
fn are_surely_there(entries: &[AclEntry], number: i64) -> bool {
    let is_of = |entry: &&AclEntry| {
        let known = entry.number.as_ref().and_then(Value::known);
        known.is_some_and(|text| text.trim().parse() == Ok(number))
    };
    entries.iter().filter(is_of).all(|entry| entry.guards.is_empty())
}

fn place(lowering: &mut Lowering, entry: &AclEntry) -> Result<i64, Doubt> {
    if let Some(Value::Unknown(doubt)) = &entry.number {
        return Err(doubt.clone());
    }
    let number = service::number(
        lowering,
        entry.number.as_ref(),
        (1, MAX_NUMBER),
        "number of an entry",
    )?;
    number.ok_or_else(|| {
        let message = "the entry has no number".to_owned();
        let help = "number it from 1 to 32766: lower numbers decide first";
        lowering.refuse_at(entry.span, "number", message, help)
    })
}

impl AclEntry {
    /// An entry of which nothing is known but that it may be there.
    #[must_use]
    pub fn open(doubt: &Doubt) -> Self {
        let unknown = || Some(Value::Unknown(doubt.clone()));
        Self {
            span: doubt.span,
            number: unknown(),
            protocol: unknown(),
            action: unknown(),
            peers: vec![Peer::Unknown(doubt.clone())],
            ports: (None, None),
            icmp: (None, None),
            guards: Vec::new(),
        }
    }

    fn rules(&self, lowering: &mut Lowering, direction: Direction) -> Vec<Rule> {
        for guard in &self.guards {
            lowering.depends(&guard.doubt);
        }
        let (action, place) = self.action(lowering);
        let mut rules = Vec::new();
        for peer in &self.peers {
            let who = peer.to_match(lowering, direction, with_prefix);
            let mut matches = self.service(lowering, is_ipv4(peer));
            let opens = action == Action::Accept;
            let action_span = if opens { who.span } else { place };
            matches.push(who);
            matches.extend(self.guards.iter().map(Guard::to_match));
            rules.push(Rule {
                span: self.span,
                matches,
                action: action.clone(),
                action_span,
            });
        }
        rules
    }

    fn action(&self, lowering: &mut Lowering) -> (Action, Span) {
        let doubt = match &self.action {
            Some(Value::Known(known)) if known.value.eq_ignore_ascii_case("allow") => {
                return (Action::Accept, known.span);
            }
            Some(Value::Known(known)) if known.value.eq_ignore_ascii_case("deny") => {
                return (Action::Drop, known.span);
            }
            Some(Value::Known(known)) => wrong_action(lowering, known),
            Some(Value::Unknown(doubt)) => doubt.clone(),
            None => {
                let message = "the entry neither allows nor denies".to_owned();
                lowering.refuse_at(self.span, "action", message, "write `allow` or `deny`")
            }
        };
        lowering.depends(&doubt);
        let unknown = Unknown {
            property: None,
            why: doubt.why.clone(),
        };
        (Action::Unknown(unknown), doubt.span)
    }

    /// `CreateNetworkAclEntry`: `-1` and protocols other than TCP, UDP and ICMP are about all ports; so is ICMPv6 in an entry
    /// for IPv4.
    fn service(&self, lowering: &mut Lowering, is_ipv4: bool) -> Vec<Match> {
        let of_icmp = (self.icmp.0.as_ref(), self.icmp.1.as_ref());
        let of_ports = (self.ports.0.as_ref(), self.ports.1.as_ref());
        let named = match self.protocol.as_ref().and_then(Value::known) {
            Some(text) if is_icmp(text) => of_icmp,
            _ => of_ports,
        };
        let Some(protocol) = &self.protocol else {
            let message = "the entry names no protocol".to_owned();
            let doubt = lowering.refuse_at(self.span, "protocol", message, "name one, or `-1` for all");
            lowering.depends(&doubt);
            return vec![Match {
                span: self.span,
                condition: doubt.question("service of"),
            }];
        };
        service::matches(lowering, Some(protocol), named, read_protocol, |lowering, of| {
            entry_ports(lowering, of, named, is_ipv4, protocol.span())
        })
    }
}

fn entry_ports(
    lowering: &mut Lowering,
    protocol: Protocol,
    ports: Ports<'_>,
    is_ipv4: bool,
    place: Span,
) -> Option<Condition> {
    let read = match protocol {
        Protocol::One(number::TCP | number::UDP) => port_range(lowering, ports),
        Protocol::One(number::ICMP) => icmp(lowering, ports),
        Protocol::One(number::ICMPV6) if !is_ipv4 => icmp(lowering, ports),
        _ => return None,
    };
    asked(lowering, read, ports, place)
}

fn is_icmp(text: &str) -> bool {
    let number = service::protocol_number(text.trim()).or_else(|| service::protocol_by_name(text.trim()));
    matches!(number, Some(number::ICMP | number::ICMPV6))
}

fn is_ipv4(peer: &Peer) -> bool {
    match peer {
        Peer::Network { cidr, family } => match (cidr, family) {
            (_, Some(family)) => *family == Family::V4,
            (Value::Known(cidr), None) => !cidr.value.contains(':'),
            (Value::Unknown(_), None) => false,
        },
        _ => false,
    }
}

fn wrong_action(lowering: &mut Lowering, action: &Spanned<String>) -> Doubt {
    let message = format!("`{}` neither allows nor denies", action.value);
    lowering.refuse(action, message, "write `allow` or `deny`")
}
