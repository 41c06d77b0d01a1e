//! Rulesets of workloads, asked packet by packet. INVARIANT: it shares no code with the plain meaning of policies.

use std::net::IpAddr;
use std::sync::Arc;

use portcullis::dialect::Reading;
use portcullis::dialect::kubernetes::{Flow, Truth};
use portcullis::model::{
    HostFacts, Identities, Identity, Interpreter, Packet, Path, Ruleset, Verdict, Workload,
};
use portcullis::packet::address::number;
use portcullis::packet::{Field, RangeSet, value};

/// The workloads of a cluster as hosts.
pub(crate) struct Hosts<'r> {
    workloads: &'r [Workload],
    classes: &'r [Identity],
    facts: HostFacts,
}

impl<'r> Hosts<'r> {
    pub(crate) fn new(reading: &'r Reading) -> Self {
        let mut identities = Identities::default();
        for identity in &reading.identities {
            identities.add(identity.clone());
        }
        let groups = groups_asked(reading.workloads.iter().map(|workload| &workload.ruleset));
        let facts = HostFacts {
            members: Arc::new(identities.members(&groups)),
            ..HostFacts::default()
        };
        Self {
            workloads: &reading.workloads,
            classes: &reading.identities,
            facts,
        }
    }

    pub(crate) fn may_reach(&self, from: usize, to: usize, flow: Flow) -> Truth {
        self.side(from, to, Path::Output, flow)
            .and(self.side(to, from, Path::Input, flow))
    }

    /// Whether a workload lets a connection with an address outside through, of whom nothing else is known.
    pub(crate) fn outside(&self, own: usize, address: IpAddr, is_ingress: bool, flow: Flow) -> Truth {
        let path = if is_ingress { Path::Input } else { Path::Output };
        self.ask(own, (0, &[address]), path, flow)
    }

    /// A packet with the address of one of its ends, if there is one.
    fn addressed(packet: Packet, addresses: &[IpAddr], is_destination: bool) -> Packet {
        let [address] = addresses else {
            return packet;
        };
        let (family, address) = number(*address);
        let field = if is_destination {
            family.destination()
        } else {
            family.source()
        };
        packet
            .with(Field::Family, RangeSet::point(family.value()))
            .with(field, RangeSet::point(address))
    }

    fn side(&self, own: usize, other: usize, path: Path, flow: Flow) -> Truth {
        let class = self.workloads[other].identity;
        let identity = u128::try_from(class + 1).unwrap();
        self.ask(own, (identity, &self.classes[class].addresses), path, flow)
    }

    /// What the ruleset of a workload does with a packet to or from who has an identity and perhaps an address.
    fn ask(&self, own: usize, other: (u128, &[IpAddr]), path: Path, flow: Flow) -> Truth {
        let (end, interface) = if path == Path::Output {
            (Field::DestinationIdentity, Field::OutInterface)
        } else {
            (Field::SourceIdentity, Field::InInterface)
        };
        let packet = Packet::new()
            .with(Field::State, RangeSet::point(value::NEW))
            .with(Field::Protocol, RangeSet::point(u128::from(flow.protocol)))
            .with(Field::Service, RangeSet::point(u128::from(flow.port)))
            .with(interface, RangeSet::point(value::interface("eth0")))
            .with(end, RangeSet::point(other.0));
        let packet = Self::addressed(packet, other.1, path == Path::Output);
        let own_addresses = &self.classes[self.workloads[own].identity].addresses;
        let packet = Self::addressed(packet, own_addresses, path != Path::Output);
        let rulesets = std::slice::from_ref(&self.workloads[own].ruleset);
        let answer = Interpreter::new(rulesets, &self.facts).run(path, packet);
        match answer.verdict() {
            Some(Verdict::Accept) => Truth::Yes,
            Some(_) => Truth::No,
            None => Truth::Maybe,
        }
    }
}

/// The groups that rulesets ask about: those that nobody is in are known too, nobody is.
pub(crate) fn groups_asked<'r>(rulesets: impl IntoIterator<Item = &'r Ruleset>) -> Vec<Arc<str>> {
    let mut groups: Vec<Arc<str>> = Vec::new();
    let chains = rulesets.into_iter().flat_map(|ruleset| &ruleset.chains);
    for rule in chains.flat_map(|chain| &chain.rules) {
        for one in &rule.matches {
            collect(&one.condition, &mut groups);
        }
    }
    groups
}

fn collect(condition: &portcullis::model::Condition, groups: &mut Vec<Arc<str>>) {
    use portcullis::model::Condition;
    match condition {
        Condition::Member(member) => groups.push(member.group.clone()),
        Condition::All(all) | Condition::Any(all) => all.iter().for_each(|one| collect(one, groups)),
        Condition::Not(one) => collect(one, groups),
        Condition::Test(..) | Condition::Unknown(_) => {}
    }
}
