//! What the other layers of a host do to a packet that one of them opens or blocks.
//!
//! INVARIANT: asked of one packet, the witness of a finding; nothing is said of a layer whose answer is not known.

use super::excess::Excess;
use super::filters::Filters;
use super::host::Host;
use super::peer::World;
use super::permitted::Permitted;
use super::view::{Moment, Side};
use super::words;
use crate::finding::{Finding, Label};
use crate::model::{Compiler, Decider, HostFacts, Interpreter, Layer, Packet, Path, Ruleset, Verdict};
use crate::packet::{Concrete, Family, Field, OverBudget, RangeSet, Space, value};
use crate::policy::Row;

/// The rulesets of a host by layer; none where there is only one.
#[derive(Debug, Default)]
pub(super) struct Layers {
    all: Vec<(Layer, Vec<Ruleset>)>,
    facts: HostFacts,
}

/// What one layer does.
pub(super) struct Deed {
    pub(super) layer: Layer,
    pub(super) accepts: bool,
    /// Where it says so.
    pub(super) label: Option<Label>,
}

impl Layers {
    pub(super) fn of(host: &Host) -> Self {
        let mut kinds: Vec<Layer> = host.rulesets.iter().map(|ruleset| ruleset.layer).collect();
        kinds.sort_unstable();
        kinds.dedup();
        if kinds.len() < 2 {
            return Self::default();
        }
        let rulesets = |kind: Layer| {
            let of = host.rulesets.iter().filter(|ruleset| ruleset.layer == kind);
            of.cloned().collect::<Vec<_>>()
        };
        Self {
            all: kinds.into_iter().map(|kind| (kind, rulesets(kind))).collect(),
            facts: host.facts(),
        }
    }

    /// What each layer but one does to a packet. What is not known is left out, and so is a layer that does not filter the family.
    pub(super) fn others(&self, but: Layer, witness: &Concrete, side: Side) -> Vec<Deed> {
        let path = match side {
            Side::Ingress => Path::Input,
            Side::Egress => Path::Output,
            Side::Transit => Path::Forward,
            Side::Loopback => return Vec::new(),
        };
        let others = self.all.iter().filter(|(layer, _)| *layer != but);
        let deeds = others.filter_map(|(layer, rulesets)| {
            let packet = first_packet(witness, side);
            let answer = Interpreter::new(rulesets, &self.facts).route(path, packet);
            let accepts = answer.verdict()? == Verdict::Accept;
            let decider = answer.verdicts.iter().find_map(|(_, decider)| *decider);
            let does = if accepts { "lets it through" } else { "stops it" };
            let words = format!("the {} {does}", layer.word());
            let place = decider.and_then(|decider| place(rulesets, decider));
            Some(Deed {
                layer: *layer,
                accepts,
                label: place.map(|span| Label::new(span, words)),
            })
        });
        deeds.collect()
    }
}

/// The layer of a decider.
pub(super) fn layer_of(compiler: &Compiler<'_>, decider: Decider) -> Option<Layer> {
    Some(compiler.rulesets().get(decider.ruleset())?.layer)
}

/// The bytes of a decider that was written by somebody.
fn place(rulesets: &[Ruleset], decider: Decider) -> Option<crate::source::Span> {
    let span = match decider {
        Decider::Rule { ruleset, chain, rule } => {
            let chain = rulesets.get(ruleset)?.chains.get(chain.0 as usize)?;
            let rule = chain.rules.get(rule)?;
            words::asks_of(rule, Field::Service).map_or(rule.action_span, |one| one.span)
        }
        Decider::Default { ruleset, base } => rulesets.get(ruleset)?.bases.get(base)?.default_span,
    };
    (span.start < span.end).then_some(span)
}

/// A witness as the first packet of a connection.
fn first_packet(witness: &Concrete, side: Side) -> Packet {
    let ends = Family::ALL
        .into_iter()
        .flat_map(|family| [family.source(), family.destination()]);
    let told = [
        Field::Family,
        Field::Protocol,
        Field::Service,
        Field::SourcePort,
        Field::TcpFlags,
        Field::SourceIdentity,
        Field::DestinationIdentity,
    ];
    let mut packet = Packet::new();
    for field in ends.chain(told).chain([side.interface()]) {
        packet = packet.with(field, RangeSet::point(witness.value(field)));
    }
    let (own, peer) = match side {
        Side::Egress => (Field::SourceClass, Field::DestinationClass),
        _ => (Field::DestinationClass, Field::SourceClass),
    };
    let own_class = if side == Side::Transit {
        value::UNICAST
    } else {
        value::LOCAL
    };
    let facts = [
        (Field::State, value::NEW),
        (Field::Fragment, 0),
        (Field::StatusDnat, 0),
        (Field::StatusSnat, 0),
        (own, own_class),
        (peer, value::UNICAST),
    ];
    let marks = (0..32).map(|bit| (Field::Mark(bit), 0));
    facts
        .into_iter()
        .chain(marks)
        .fold(packet, |packet, (field, value)| {
            packet.with(field, RangeSet::point(value))
        })
}

/// Adds what one layer of a host would let in by itself and another one stops, as notes. Host endpoints are open at other interfaces,
/// and at ports that no policy can close: that is no finding where the host closes them.
pub(super) fn stopped(
    host: &Host,
    rows: &[Row],
    world: &World,
    budget: usize,
    findings: &mut Vec<Finding>,
) -> Result<(), OverBudget> {
    let layers = Layers::of(host);
    let judged = layers
        .all
        .iter()
        .filter(|(layer, _)| *layer != Layer::HostEndpoint);
    for (_, rulesets) in judged {
        let alone = Host {
            rulesets: rulesets.clone(),
            ..host.clone()
        };
        let mut filters = Filters::compile(&alone, world, Space::with_budget(budget), false)?;
        let families = host.families();
        filters.families.retain(|family| families.contains(family));
        filters.layers = Layers::of(host);
        let view = filters.view(Side::Ingress, Moment::First)?;
        let permitted = Permitted::of(&mut filters, rows, Side::Ingress)?;
        let mut found = Vec::new();
        let mut excess = Excess::new(&mut filters, view, &permitted, rows);
        excess.is_one_layer = true;
        let _judged = excess.findings(&mut found)?;
        findings.append(&mut found);
    }
    Ok(())
}
