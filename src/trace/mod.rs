//! One packet through the layers of a host: from its text to the rules on its way.

mod json;
mod text;

pub use json::{JsonAnswer, JsonPacket, JsonRule};
pub use text::{PacketError, parse};

use crate::evaluate::Host;
use crate::model::{Answer, Decider, DoubtReason, Interpreter, Packet, Path, Ruleset, Verdict};
use crate::packet::{Family, Field, RangeSet, value};
use crate::source::{SourceMap, Span};

/// A packet with the path it is to take.
#[derive(Debug, Clone)]
pub struct Probe {
    /// Its way through the hooks.
    pub path: Path,
    /// What is known of it.
    pub packet: Packet,
}

/// Sends a packet through a host. What the host does to a family of which it has no filter is not known.
#[must_use]
pub fn trace(host: &Host, probe: Probe) -> Answer {
    let facts = host.facts();
    let family = probe.packet.values(Field::Family);
    let is_filtered = |family: Family| host.families().contains(&family);
    let unknown = Family::ALL
        .into_iter()
        .find(|asked| family.contains(asked.value()) && !is_filtered(*asked));
    if let Some(family) = unknown {
        let why = format!("there is no dump of what the host does to {}", family.word());
        let either = [Verdict::Accept, Verdict::Drop].map(|verdict| (verdict, None));
        return Answer {
            verdicts: either.into_iter().collect(),
            doubts: std::iter::once(DoubtReason {
                span: None,
                why: why.into(),
            })
            .collect(),
            ..Answer::default()
        };
    }
    Interpreter::new(&host.rulesets, &facts).route(probe.path, probe.packet)
}

/// The bytes of a decider: the rule, or the default verdict.
#[must_use]
pub fn place(rulesets: &[Ruleset], decider: Decider) -> Option<Span> {
    match decider {
        Decider::Rule { ruleset, chain, rule } => {
            let chain = rulesets.get(ruleset)?.chains.get(chain.0 as usize)?;
            Some(chain.rules.get(rule)?.span)
        }
        Decider::Default { ruleset, base } => {
            let ruleset = rulesets.get(ruleset)?;
            let base = ruleset.bases.get(base)?;
            let declared = ruleset.chains.get(base.chain.0 as usize)?.span;
            Some(if declared.contains(base.default_span) {
                declared
            } else {
                base.default_span
            })
        }
    }
}

/// Where a decider stands: file, 1-based line, the line's text.
#[must_use]
pub fn rule_line(sources: &SourceMap, rulesets: &[Ruleset], decider: Decider) -> Option<JsonRule> {
    let span = place(rulesets, decider)?;
    let file = sources.file(span.file);
    let line = file.line_column(span.start).line;
    Some(JsonRule {
        path: file.name().to_owned(),
        line,
        text: file.line(line).unwrap_or_default().trim().to_owned(),
    })
}

/// What every packet of a path has unless it says otherwise: no mark, not a fragment, not translated, and the
/// address classes that routing must have found.
fn usual(path: Path, packet: Packet) -> Packet {
    let point = RangeSet::point;
    let packet = (0..32u8).fold(packet, |packet, bit| packet.with(Field::Mark(bit), point(0)));
    let packet = packet
        .with(Field::Fragment, point(0))
        .with(Field::StatusDnat, point(0))
        .with(Field::StatusSnat, point(0));
    let is_loopback = |field| packet.values(field) == point(value::interface("lo"));
    let (source, destination) = match path {
        Path::Input if is_loopback(Field::InInterface) => (value::LOCAL, value::LOCAL),
        Path::Input => (value::UNICAST, value::LOCAL),
        Path::Forward => (value::UNICAST, value::UNICAST),
        Path::Output if is_loopback(Field::OutInterface) => (value::LOCAL, value::LOCAL),
        Path::Output => (value::LOCAL, value::UNICAST),
    };
    let destination = special_class(&packet).unwrap_or(destination);
    packet
        .with(Field::SourceClass, point(source))
        .with(Field::DestinationClass, point(destination))
}

/// The class that a destination has whatever the routing table says.
fn special_class(packet: &Packet) -> Option<u128> {
    let is_v6 = packet.values(Field::Family).single()? == value::V6;
    let field = if is_v6 {
        Field::Destination6
    } else {
        Field::Destination4
    };
    let to = packet.values(field).single()?;
    match (is_v6, to) {
        (false, 0xffff_ffff) => Some(value::BROADCAST),
        (false, 0xe000_0000..=0xefff_ffff) => Some(value::MULTICAST),
        (true, to) if to >> 120 == 0xff => Some(value::MULTICAST),
        _ => None,
    }
}
