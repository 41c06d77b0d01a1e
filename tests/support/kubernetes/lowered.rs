//! Rulesets of workloads, asked packet by packet. INVARIANT: it shares no code with the plain meaning of policies.

use std::sync::Arc;

use portcullis::dialect::Reading;
use portcullis::dialect::kubernetes::{Flow, Truth};
use portcullis::model::{HostFacts, Identities, Identity, Interpreter, Packet, Path, Verdict, Workload};
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
        // Groups that nobody is in are known too: nobody is.
        let mut groups: Vec<Arc<str>> = Vec::new();
        for workload in &reading.workloads {
            let rules = workload.ruleset.chains.iter().flat_map(|chain| &chain.rules);
            for condition in rules.flat_map(|rule| &rule.matches).map(|one| &one.condition) {
                collect(condition, &mut groups);
            }
        }
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

    /// A packet with the address of one of its ends, if the cluster says it.
    fn addressed(&self, packet: Packet, workload: usize, is_destination: bool) -> Packet {
        let class = &self.classes[self.workloads[workload].identity];
        let [address] = class.addresses.as_slice() else {
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
        let (end, interface) = if path == Path::Output {
            (Field::DestinationIdentity, Field::OutInterface)
        } else {
            (Field::SourceIdentity, Field::InInterface)
        };
        let identity = u128::try_from(self.workloads[other].identity + 1).unwrap();
        let packet = Packet::new()
            .with(Field::State, RangeSet::point(value::NEW))
            .with(Field::Protocol, RangeSet::point(u128::from(flow.protocol)))
            .with(Field::Service, RangeSet::point(u128::from(flow.port)))
            .with(interface, RangeSet::point(value::interface("eth0")))
            .with(end, RangeSet::point(identity));
        let packet = self.addressed(packet, other, path == Path::Output);
        let packet = self.addressed(packet, own, path != Path::Output);
        let rulesets = std::slice::from_ref(&self.workloads[own].ruleset);
        let answer = Interpreter::new(rulesets, &self.facts).run(path, packet);
        match answer.verdict() {
            Some(Verdict::Accept) => Truth::Yes,
            Some(_) => Truth::No,
            None => Truth::Maybe,
        }
    }
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
