//! What zones and policies do with packets: their elements and rules, in the order in which firewalld asks them.
//!
//! firewalld.richlanguage(5): rules with a priority below 0 first, then what denies, then what accepts, then rules with a
//! priority above 0. INVARIANT: what could not be read comes first, and may do anything.

use super::Lowering;
use super::chains::{Chains, jumps, own_rule};
use super::condition::{Side, is_family, is_in, is_interface, unknown};
use super::place::{Place, Table};
use crate::dialect::firewalld::ast::{self, Body, Element, End, Kind, RichRule, Target, Verb, Zone};
use crate::model::{Action, ChainId, Condition, Edit, Hook, Match, Rule, Unknown};
use crate::packet::{Family, Field, RangeSet};
use crate::source::Span;

/// Rules by when they are asked.
#[derive(Default)]
pub(super) struct Content {
    pre: Vec<(i32, Rule)>,
    deny: Vec<Rule>,
    allow: Vec<Rule>,
    post: Vec<(i32, Rule)>,
}

impl Content {
    fn put(&mut self, priority: i32, denies: bool, rule: Rule) {
        match priority {
            0 if denies => self.deny.push(rule),
            0 => self.allow.push(rule),
            _ if priority < 0 => self.pre.push((priority, rule)),
            _ => self.post.push((priority, rule)),
        }
    }

    /// One chain for each part that has rules, and one that calls them: `filter_IN_public`.
    pub(super) fn chain(
        mut self,
        chains: &mut Chains,
        name: &str,
        at: Span,
        last: Vec<Rule>,
    ) -> Option<ChainId> {
        self.pre.sort_by_key(|(priority, _)| *priority);
        self.post.sort_by_key(|(priority, _)| *priority);
        let without = |rules: Vec<(i32, Rule)>| rules.into_iter().map(|(_, rule)| rule).collect();
        let parts = [
            ("pre", without(self.pre)),
            ("deny", self.deny),
            ("allow", self.allow),
            ("post", without(self.post)),
        ];
        let parts = parts.map(|(suffix, rules)| chains.add(&format!("{name}_{suffix}"), rules));
        let mut rules = jumps(at, parts);
        rules.extend(last);
        chains.add(name, rules)
    }
}

/// Whose elements they are: where they apply depends on it.
#[derive(Clone, Copy)]
pub(super) enum Owner<'f> {
    Zone(&'f Zone),
    /// Of a policy, and where its packets are filtered.
    Policy(&'f ast::Policy, Place),
}

impl<'f> Owner<'f> {
    fn body(self) -> &'f Body {
        match self {
            Self::Zone(zone) => &zone.body,
            Self::Policy(policy, _) => &policy.body,
        }
    }

    /// Where what filters packets of it stands: of a zone, those that go to the host.
    fn filter(self) -> Place {
        match self {
            Self::Zone(_) => Place::INPUT,
            Self::Policy(_, place) => place,
        }
    }

    /// Where destinations of its packets are translated, and marks set.
    fn early(self, table: Table) -> Place {
        match self {
            Self::Policy(_, Place::OUTPUT) => Place::new(table, Hook::Output),
            _ => Place::new(table, Hook::Prerouting),
        }
    }

    fn place_of(self, kind: Option<&Kind>, verb: Option<Verb>) -> Place {
        match kind {
            _ if matches!(verb, Some(Verb::Mark { .. })) => self.early(Table::Mangle),
            Some(Kind::ForwardPort { .. }) => self.early(Table::Nat),
            Some(Kind::Masquerade) => Place::new(Table::Nat, Hook::Postrouting),
            _ => self.filter(),
        }
    }
}

impl Lowering<'_> {
    /// All that an owner has at a place. Translations are of one family; elsewhere rules are of both.
    pub(super) fn content(&mut self, owner: Owner<'_>, place: Place, family: Option<Family>) -> Content {
        let mut content = Content::default();
        let body = owner.body();
        for &unread in body.unread.iter().filter(|_| place.table == Table::Filter) {
            content.pre.push((i32::MIN, anything(unread)));
        }
        for element in &body.elements {
            if owner.place_of(Some(&element.kind), None) == place {
                self.plain(owner, element, family, &mut content);
            }
        }
        if let Owner::Zone(zone) = owner
            && place == Place::FORWARD
        {
            self.within(zone, &mut content);
        }
        for rule in &body.rules {
            let kind = rule.element.as_ref().map(|element| &element.kind);
            let verb = rule.action.as_ref().map(|action| action.verb);
            if owner.place_of(kind, verb) == place {
                self.rich(rule, body.is_own, family, &mut content);
            }
        }
        content
    }

    /// An element that stands in a zone or policy by itself.
    fn plain(&mut self, owner: Owner<'_>, element: &Element, family: Option<Family>, content: &mut Content) {
        let inverts = matches!(owner, Owner::Zone(zone) if zone.icmp_block_inversion.is_some());
        let mut matches = self.element(element);
        let (action, denies) = match &element.kind {
            Kind::IcmpBlock(_) if inverts => (Action::Accept, false),
            Kind::IcmpBlock(_) => (Action::Reject, true),
            Kind::ForwardPort { to, .. } => {
                let of = to.as_ref().map_or(Family::V4, |(family, _)| *family);
                if family.is_some_and(|family| family != of) {
                    return;
                }
                (translation(&element.kind), false)
            }
            Kind::Masquerade => {
                if family == Some(Family::V6) {
                    return;
                }
                matches.push(not_loopback(element.span));
                (Action::Edit(Edit::Snat { to: None }), false)
            }
            _ => (Action::Accept, false),
        };
        let rule = Rule {
            span: written(element.span, owner.body().is_own),
            matches,
            action,
            action_span: element.span,
        };
        content.put(0, denies, rule);
    }

    /// `<forward/>`: packets between interfaces and sources of one zone.
    fn within(&mut self, zone: &Zone, content: &mut Content) {
        let Some(at) = zone.forward else { return };
        let mut accept = |condition| {
            let mut rule = own_rule(at, vec![condition], Action::Accept);
            rule.action_span = at;
            content.allow.push(rule);
        };
        for interface in &zone.interfaces {
            accept(is_interface(&interface.value, Field::OutInterface));
        }
        for source in &zone.sources {
            if !matches!(source.value, ast::Peer::Mac(_)) {
                accept(self.is_peer(&source.value, Side::Destination, source.span));
            }
        }
        if self.is_default(zone) {
            let others = self.folder.zones.values().flat_map(|zone| &zone.interfaces);
            let mut free: Vec<Condition> = others
                .map(|one| Condition::Not(Box::new(is_interface(&one.value, Field::OutInterface))))
                .collect();
            free.push(unknown(
                Some("interfaces of the default zone".to_owned()),
                "whether an interface that no file assigns has been put in the default zone is not known",
            ));
            accept(Condition::All(free));
        }
    }

    /// A rich rule.
    fn rich(&mut self, rule: &RichRule, is_own: bool, family: Option<Family>, content: &mut Content) {
        let kind = rule.element.as_ref().map(|element| &element.kind);
        if let (Some(of), Some(family)) = (rule.family, family)
            && of != family
        {
            return;
        }
        let mut matches = Vec::new();
        if let Some(family) = rule.family {
            matches.push(Match {
                span: rule.span,
                condition: is_family(family),
            });
        }
        for (end, side) in [
            (&rule.destination, Side::Destination),
            (&rule.source, Side::Source),
        ] {
            matches.extend(end.as_ref().map(|end| self.end(end, side)));
        }
        if let Some(element) = &rule.element {
            matches.extend(self.element(element));
            matches.extend(self.of_version(element, is_own));
        }
        if let (Some(Kind::Service(name)), Some(_)) = (kind, &rule.destination)
            && self.has_destination(name)
        {
            self.two_destinations(rule);
            content.pre.push((i32::MIN, anything(rule.span)));
            return;
        }
        let Some(action) = self.rich_action(rule, &mut matches) else {
            return;
        };
        let denies = matches!(action, Action::Reject | Action::Drop);
        let at = rule.action.as_ref().map_or(rule.span, |action| action.span);
        let lowered = Rule {
            span: written(rule.span, is_own),
            matches,
            action,
            action_span: at,
        };
        content.put(rule.priority, denies, lowered);
    }

    /// Up to firewalld 2.3 its policy for the host's own IPv6 let in no multicast listener discovery
    /// (github.com/firewalld/firewalld/pull/1520). Which policy is installed only its own files say.
    fn of_version(&self, element: &ast::Element, is_own: bool) -> Option<Match> {
        let is_listening = matches!(&element.kind, Kind::IcmpType(name) if name.starts_with("mld"));
        (is_listening && !is_own && !self.folder.has_vendor_policies).then(|| {
            let why = "whether firewalld lets in multicast listener discovery depends on its version";
            Match {
                span: element.value,
                condition: unknown(Some("listener discovery".to_owned()), why),
            }
        })
    }

    /// What a rich rule does; `None` if nothing.
    fn rich_action(&mut self, rule: &RichRule, matches: &mut Vec<Match>) -> Option<Action> {
        let kind = rule.element.as_ref().map(|element| &element.kind);
        if let Some(limit) = rule.action.as_ref().and_then(|action| action.limit) {
            self.unsupported("limit", limit);
            matches.push(Match {
                span: limit,
                condition: unknown(None, "`limit` is not modelled"),
            });
        }
        let verb = rule.action.as_ref().map(|action| action.verb);
        Some(match (verb, kind) {
            (Some(Verb::Accept), _) => Action::Accept,
            (Some(Verb::Reject), _) | (None, Some(Kind::IcmpBlock(_))) => Action::Reject,
            (Some(Verb::Drop), _) => Action::Drop,
            (Some(Verb::Mark { clear, flip }), _) => Action::Edit(Edit::Mark { clear, flip }),
            (None, Some(kind @ Kind::ForwardPort { .. })) => translation(kind),
            (None, Some(Kind::Masquerade)) => {
                matches.push(not_loopback(rule.span));
                Action::Edit(Edit::Snat { to: None })
            }
            (None, _) => return None,
        })
    }

    fn end(&mut self, end: &End, side: Side) -> Match {
        let condition = self.is_peer(&end.peer, side, end.span);
        let condition = match (&end.peer, end.is_inverted) {
            (_, false) => condition,
            // `ip saddr != 10.0.0.0/8`: of the same family.
            (ast::Peer::Network(network), true) => {
                let all = RangeSet::range(network.low, network.high).complement(network.family.max());
                is_in(side, network.family, all)
            }
            (_, true) => Condition::Not(Box::new(condition)),
        };
        Match {
            span: end.span,
            condition,
        }
    }

    fn two_destinations(&mut self, rule: &RichRule) {
        let finding = crate::finding::Finding::new(
            crate::finding::Code::UnreadText,
            "a destination beside a service that has its own",
            Some(crate::finding::Label::new(rule.span, "not understood")),
        );
        self.notices
            .push(finding.help("firewalld refuses a configuration with such a rule; name the ports instead"));
    }
}

/// A rule that may do anything with any packet.
pub(super) fn anything(at: Span) -> Rule {
    let why = "what this says could not be read".into();
    own_rule(at, Vec::new(), Action::Unknown(Unknown { property: None, why }))
}

/// Where a rule is written: nowhere, if it is not the host's own.
fn written(span: Span, is_own: bool) -> Span {
    if is_own {
        span
    } else {
        Span::new(span.file, span.start, span.start)
    }
}

/// Where `forward-port` leads: another address, or the host itself.
fn translation(kind: &Kind) -> Action {
    match kind {
        Kind::ForwardPort {
            to_ports,
            to: Some((_, address)),
            ..
        } => Action::Edit(Edit::Dnat {
            to: Some(RangeSet::point(*address)),
            ports: to_ports.clone(),
        }),
        Kind::ForwardPort { to_ports, .. } => Action::Edit(Edit::Redirect {
            ports: to_ports.clone(),
        }),
        _ => Action::Continue,
    }
}

fn not_loopback(at: Span) -> Match {
    Match {
        span: at,
        condition: Condition::Not(Box::new(is_interface("lo", Field::OutInterface))),
    }
}

/// What a target does; `None` for the one that leaves packets to what follows.
pub(super) fn verdict(target: Target) -> Option<Action> {
    match target {
        Target::Default | Target::Reject => Some(Action::Reject),
        Target::Accept => Some(Action::Accept),
        Target::Drop => Some(Action::Drop),
        Target::Continue => None,
    }
}
