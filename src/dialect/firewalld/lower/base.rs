//! What firewalld does with every packet before and after the zones.

use super::Lowering;
use super::chains::{Chains, jumps, own_rule};
use super::condition::{Side, has_ports, is_in, is_interface, unknown};
use super::content::anything;
use super::place::Place;
use crate::dialect::firewalld::ast::{Element, Kind};
use crate::model::{Action, Condition, Hook, Rule};
use crate::packet::{Family, Field, RangeSet, value};
use crate::source::Span;

/// Addresses of IPv6 with an IPv4 address in them that must not be on the Internet: firewalld.conf(5), `RFC3964_IPv4`.
const RFC3964: &[&str] = &[
    "::/96",
    "::ffff:0.0.0.0/96",
    "2002::/24",
    "2002:a00::/24",
    "2002:7f00::/24",
    "2002:a9fe::/32",
    "2002:ac10::/28",
    "2002:c0a8::/32",
    "2002:e000::/19",
];

impl Lowering<'_> {
    /// Hooks a filtering chain around the rules that lead to the zones.
    pub(super) fn filter(
        &mut self,
        chains: &mut Chains,
        place: Place,
        direct: Vec<Rule>,
        dispatch: Vec<Rule>,
    ) {
        let at = self.default_span;
        let mut rules: Vec<Rule> = self
            .folder
            .unread
            .iter()
            .map(|&unread| anything(unread))
            .collect();
        rules.push(own_rule(
            at,
            vec![is_state(&[value::ESTABLISHED, value::RELATED])],
            Action::Accept,
        ));
        self.translated(chains, place, &mut rules);
        let loopback = match place.hook {
            Hook::Output => Field::OutInterface,
            _ => Field::InInterface,
        };
        rules.push(own_rule(at, vec![is_interface("lo", loopback)], Action::Accept));
        rules.extend(direct);
        if place.hook != Hook::Output {
            rules.push(own_rule(at, vec![is_state(&[value::INVALID])], Action::Drop));
        }
        if place.hook != Hook::Input && self.folder.conf.has_rfc3964 {
            rules.push(own_rule(at, vec![embeds_ipv4()], Action::Reject));
        }
        let dispatch = chains.add(&format!("{}_dispatch", place.base_name()), dispatch);
        rules.extend(jumps(at, [dispatch]));
        chains.hook(place, rules);
    }

    /// Packets whose destination was translated pass; with `StrictForwardPorts`, those that firewalld itself translates.
    fn translated(&mut self, chains: &mut Chains, place: Place, rules: &mut Vec<Rule>) {
        // Packets that are not tracked have no status.
        let is_translated = || {
            let tracked = is_state(&[value::NEW, value::ESTABLISHED, value::RELATED]);
            Condition::All(vec![
                tracked,
                Condition::Test(Field::StatusDnat, RangeSet::point(1)),
            ])
        };
        let Some(strict) = self.folder.conf.strict_forward_ports else {
            // What firewalld itself translates is accepted at the element that says so.
            let elements = self.forward_ports();
            for (element, at) in elements.iter().filter(|_| place.hook != Hook::Output) {
                let conditions = vec![is_translated(), leads_there(&element.kind)];
                rules.push(own_rule(*at, conditions, Action::Accept));
            }
            let mut conditions = vec![is_translated()];
            if place.hook == Hook::Output {
                let why = "whether what the host sends and is translated passes all zones depends on the version of firewalld";
                conditions.push(unknown(Some("translated output".to_owned()), why));
            }
            rules.push(own_rule(self.default_span, conditions, Action::Accept));
            return;
        };
        let mut own: Vec<Rule> = Vec::new();
        let elements: Vec<(Element, Span)> = self.forward_ports();
        for (element, at) in &elements {
            let accept = own_rule(*at, vec![leads_there(&element.kind)], Action::Accept);
            own.push(accept);
        }
        if !elements.is_empty() {
            let why =
                "whether a packet that others translate came to a port that firewalld forwards is not known";
            let perhaps = unknown(Some("ct original proto-dst".to_owned()), why);
            self.unsupported("StrictForwardPorts", strict);
            own.push(own_rule(strict, vec![perhaps], Action::Accept));
        }
        own.push(own_rule(strict, Vec::new(), Action::Reject));
        if let Some(chain) = chains.add(&format!("{}_dnat", place.base_name()), own) {
            rules.push(own_rule(strict, vec![is_translated()], Action::Jump(chain)));
        }
    }

    /// All that translates destinations.
    fn forward_ports(&self) -> Vec<(Element, Span)> {
        let zones = self.active().into_iter().map(|(_, zone)| &zone.body);
        let policies = self.folder.policies.values().filter(|policy| !policy.is_disabled);
        let bodies = zones.chain(policies.map(|policy| &policy.body));
        let elements = bodies.flat_map(|body| {
            let of_rules = body.rules.iter().filter_map(|rule| rule.element.as_ref());
            body.elements.iter().chain(of_rules)
        });
        elements
            .filter(|element| matches!(element.kind, Kind::ForwardPort { .. }))
            .map(|element| (element.clone(), element.span))
            .collect()
    }
}

/// Packets as a `forward-port` leaves them.
fn leads_there(kind: &Kind) -> Condition {
    let Kind::ForwardPort { from, to_ports, to } = kind else {
        return Condition::Any(Vec::new());
    };
    let mut ports = from.clone();
    if let Some(to_ports) = to_ports {
        ports.ports = to_ports.clone();
    }
    let mut all = vec![has_ports(&ports, Field::Service)];
    if let Some((family, address)) = to {
        all.push(is_in(Side::Destination, *family, RangeSet::point(*address)));
    }
    Condition::All(all)
}

fn is_state(states: &[u128]) -> Condition {
    let states = states.iter().map(|state| (*state, *state));
    Condition::Test(Field::State, RangeSet::from_ranges(states))
}

fn embeds_ipv4() -> Condition {
    let networks = RFC3964
        .iter()
        .filter_map(|text| text.parse::<crate::packet::Network>().ok());
    let ranges = networks.map(|network| (network.low, network.high));
    is_in(Side::Destination, Family::V6, RangeSet::from_ranges(ranges))
}
