//! The words that findings share: deciders with their spans, services, sources.

use super::view::Side;
use crate::finding::{Code, Label, RowCitation};
use crate::model::{Compiler, Condition, Decider, Default, Layer, Match, Rule, Ruleset};
use crate::packet::{Doubt, Field, service_words};
use crate::policy::{Row, Service};
use crate::source::Span;

/// `tcp/443 (https)`; a service's name where the row names one.
pub(super) fn service(service: &Service) -> String {
    match service.protocol {
        None => "any protocol".into(),
        Some(protocol) => {
            let words = service_words(protocol, &service.values);
            let shown = words.iter().take(4).cloned().collect::<Vec<_>>().join(", ");
            if words.len() > 4 {
                format!("{shown} and more")
            } else {
                shown
            }
        }
    }
}

/// The label of what blocks a packet.
pub(super) fn blocker(compiler: &Compiler<'_>, decider: Decider, verb: &str) -> Option<Label> {
    match decider {
        Decider::Rule { .. } => {
            let rule = compiler.rule(decider)?;
            Some(Label::new(rule.action_span, format!("{verb} here")))
        }
        Decider::Default { .. } => {
            let base = compiler.base(decider)?;
            let words = match base.default {
                Default::Accept => "accepts what no rule decides",
                Default::Drop => "drops what no rule accepts",
            };
            Some(Label::new(base.default_span, words))
        }
    }
}

/// The label of what opens: the port if the rule names one, else the verdict.
pub(super) fn opener(compiler: &Compiler<'_>, decider: Decider, what: &str) -> Option<Label> {
    match decider {
        Decider::Rule { .. } => {
            let rule = compiler.rule(decider)?;
            let port = asks_of(rule, Field::Service);
            let span = port.map_or(rule.action_span, |one| one.span);
            Some(Label::new(span, format!("opens {what}")))
        }
        Decider::Default { .. } => {
            let base = compiler.base(decider)?;
            Some(Label::new(base.default_span, "lets through what no rule decides"))
        }
    }
}

/// Where a policy says for whom it opens a port, if that is not what the finding is shown at.
pub(super) fn peers(compiler: &Compiler<'_>, decider: Decider, side: Side) -> Option<Label> {
    let of = compiler.rulesets().get(decider.ruleset())?;
    let rule = compiler
        .rule(decider)
        .filter(|_| matches!(of.layer, Layer::NetworkPolicy | Layer::HostEndpoint))?;
    asks_of(rule, Field::Service)?;
    let peers = asks_of(rule, side.peer_identity())?;
    Some(Label::new(peers.span, format!("{} these", side.word())))
}

/// Where the modules are called that the rule of a group comes from, innermost first.
pub(super) fn calls(compiler: &Compiler<'_>, decider: Decider) -> Vec<Label> {
    let calls = compiler.chain_of(decider).map(|chain| chain.calls.iter().rev());
    let called = |span: &Span| Label::new(*span, "called here");
    calls.into_iter().flatten().map(called).collect()
}

/// The label of what lets through a packet that another rule opens the host to.
pub(super) fn passes(compiler: &Compiler<'_>, decider: Decider) -> Option<Label> {
    let span = match compiler.base(decider) {
        Some(base) => base.default_span,
        None => compiler.rule(decider)?.action_span,
    };
    Some(Label::new(span, "lets them through"))
}

/// The match of a rule that asks about a field.
pub(super) fn asks_of(rule: &Rule, field: Field) -> Option<&Match> {
    rule.matches.iter().find(|one| asks(&one.condition, field))
}

/// The identities that rules ask about.
pub(super) fn asks_who(rulesets: &[Ruleset]) -> Vec<Field> {
    let asks = |field: &Field| {
        let chains = rulesets.iter().flat_map(|ruleset| &ruleset.chains);
        let mut rules = chains.flat_map(|chain| &chain.rules);
        rules.any(|rule| asks_of(rule, *field).is_some())
    };
    let mut fields = vec![Field::SourceIdentity, Field::DestinationIdentity];
    fields.retain(asks);
    fields
}

/// Whether a condition asks about a field.
pub(super) fn asks(condition: &Condition, field: Field) -> bool {
    match condition {
        Condition::Test(tested, _) => *tested == field,
        Condition::All(parts) | Condition::Any(parts) => parts.iter().any(|part| asks(part, field)),
        Condition::Not(inner) => asks(inner, field),
        Condition::Member(member) => member.end == field,
        Condition::Unknown(_) => false,
    }
}

/// What is missing where nothing in a config is unknown.
pub(super) const UNKNOWN_END: &str = "it depends on the interface or the host's own address: name the zone's `interfaces` and the binding's \
                                      `addresses` in portcullis.toml";

/// The labels of doubts that lie in some text.
pub(super) fn doubts(compiler: &Compiler<'_>, doubts: &[Doubt]) -> Vec<Label> {
    let reasons = doubts.iter().filter_map(|&doubt| compiler.reason(doubt));
    reasons
        .filter_map(|reason| Some(Label::new(reason.span?, reason.why.to_string())))
        .collect()
}

/// Doubts that lie in no text: what neither a dump nor the site file says.
pub(super) fn spanless_doubts(compiler: &Compiler<'_>, doubts: &[Doubt]) -> Vec<String> {
    let reasons = doubts.iter().filter_map(|&doubt| compiler.reason(doubt));
    reasons
        .filter(|reason| reason.span.is_none())
        .map(|reason| reason.why.to_string())
        .collect()
}

/// The row as findings cite it.
#[must_use]
pub fn citation(row: &Row) -> RowCitation {
    let document = match (row.document.is_empty(), row.place.is_empty()) {
        (true, true) => format!("policy `{}`", row.policy),
        (true, false) => row.place.clone(),
        (false, true) => row.document.clone(),
        (false, false) => format!("{}, {}", row.document, row.place),
    };
    RowCitation {
        id: row.id.clone(),
        document,
        owner: row.owner.clone(),
        tags: row.tags.clone(),
    }
}

/// The row as a related label.
pub(super) fn row_label(row: &Row, verb: &str) -> Label {
    Label::new(row.span, format!("`{}` {verb}", row.id))
}

/// Which rows do something: the first by name.
fn who(first: &Row, all: &[&Row], one: &str, many: &str) -> String {
    match all.len() {
        0 | 1 => format!("`{}` {one}", first.id),
        n => format!("`{}` and {} more {many}", first.id, n - 1),
    }
}

/// What an excess opening is said to be.
pub(super) fn excess(code: Code, side: Side, what: &str, rows: &[&Row]) -> String {
    match (code, rows.first()) {
        (Code::ForbiddenOpening, Some(row)) if side == Side::Transit => {
            format!(
                "{} it, but the host passes on {what}",
                who(row, rows, "forbids", "forbid")
            )
        }
        (_, None) if side == Side::Transit => format!("the host passes on {what}, which no row allows"),
        (Code::ForbiddenOpening, Some(row)) => {
            format!("{} {what}", who(row, rows, "forbids", "forbid"))
        }
        (Code::ExposedSelfPort, Some(row)) => {
            let keeps = who(row, rows, "keeps its port", "keep their ports");
            format!("{keeps} to the host itself, but {what} gets in")
        }
        _ => format!("no row allows {what}"),
    }
}

/// The first line of an extent, without the family where the other one has the same.
pub(super) fn in_short(extent: &[String]) -> String {
    let Some(first) = extent.first() else {
        return String::new();
    };
    let [v4, v6] = ["any IPv4 address", "any IPv6 address"];
    let twin = if first.contains(v4) {
        first.replace(v4, v6)
    } else {
        first.replace(v6, v4)
    };
    if twin != *first && extent.contains(&twin) {
        first.replace(v4, "any address").replace(v6, "any address")
    } else {
        first.clone()
    }
}
