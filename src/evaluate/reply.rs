//! Requests that get through and whose answers do not.

use super::required::{Cell, Required, Status};
use super::view::{CLIENT_PORTS, Side, View};
use super::words;
use crate::finding::{Code, Finding};
use crate::packet::{Assignment, End, Field, OverBudget, PacketSet, RangeSet, Space, protocol, value};
use crate::policy::Row;

impl Required<'_, '_> {
    /// How the answers to a cell's requests are seen: as part of a connection, unless no request is tracked.
    fn reply_view(&self, cell: &Cell<'_>) -> View {
        let views = self.views(cell.side);
        let Some(unrelated) = views.unrelated_reply else {
            return views.reply;
        };
        let space = &self.filters.compiler.space;
        let untracked = [(
            Field::State,
            Assignment::OneOf(RangeSet::point(value::UNTRACKED), None),
        )];
        let outcomes = space
            .terminals_within(cell.required, views.first.ruling)
            .into_iter()
            .flat_map(|set| &set.outcomes);
        let mut accepted = outcomes.filter(|outcome| outcome.end == End::Accept);
        let is_untracked = accepted.all(|outcome| {
            space
                .assignments(outcome.edit)
                .iter()
                .any(|one| untracked.contains(one))
        });
        if is_untracked { unrelated } else { views.reply }
    }

    /// The finding that requests get through but the answers to them do not.
    pub(super) fn blocked_reply(
        &mut self,
        row: &Row,
        cells: &[Cell<'_>],
    ) -> Result<Option<Finding>, OverBudget> {
        for cell in cells {
            let view = self.reply_view(cell);
            let has_ports = cell.service.protocol.is_some_and(protocol::has_ports);
            if !has_ports || cell.status() != Status::Open || cell.party.unknown.is_some() {
                continue;
            }
            let space = &mut self.filters.compiler.space;
            let required = reply_packets(space, cell, view.side)?;
            let bounds = if cell.party.is_self {
                view.open
            } else {
                view.bounds(cell.party.interfaces.as_ref())
            };
            let blocked = space.difference(required, bounds.possibly)?;
            if blocked.is_empty() {
                continue;
            }
            let among = space.difference(required, view.open.possibly)?;
            let witness = space.witness(among).unwrap_or_default();
            let outcomes = self.outcomes(view, &witness);
            let blocks = outcomes.iter().find(|outcome| outcome.end != End::Accept);
            let decider = blocks.and_then(|outcome| self.filters.compiler.decider(outcome.cause));
            let label = decider
                .and_then(|decider| words::blocker(&self.filters.compiler, decider, "drops the answer"));
            let message = format!(
                "`{}` gets {} through, but the answers are blocked",
                row.id,
                words::service(cell.service)
            );
            let mut finding = Finding::new(Code::BlockedReply, message, label)
                .related(words::row_label(row, "requires it"))
                .help("accept established packets in this direction");
            finding.rows.push(words::citation(row));
            finding.witness = Some(witness.to_string());
            finding.extent = self.filters.extent(blocked, view.side);
            return Ok(Some(finding));
        }
        Ok(None)
    }
}

fn reply_packets(space: &mut Space, cell: &Cell<'_>, side: Side) -> Result<PacketSet, OverBudget> {
    let mut tests = vec![
        (Field::Family, RangeSet::point(cell.family.value())),
        (Field::SourcePort, cell.service.values.clone()),
        (Field::Service, RangeSet::range(CLIENT_PORTS.0, CLIENT_PORTS.1)),
        (
            side.peer(cell.family),
            cell.party.members.family(cell.family).clone(),
        ),
    ];
    if let Some(protocol) = cell.service.protocol {
        tests.push((Field::Protocol, RangeSet::point(protocol.into())));
    }
    if let Some(interfaces) = &cell.party.interfaces {
        tests.push((side.interface(), interfaces.clone()));
    }
    if cell.party.is_self {
        tests.push((
            side.own(cell.family),
            cell.party.members.family(cell.family).clone(),
        ));
    }
    space.product(&tests)
}
