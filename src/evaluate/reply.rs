//! Requests that get through, where the answers to them do not, or what follows them. INVARIANT: only those that surely get
//! through are asked about.

use super::missing::best_alternative;
use super::required::{Cell, Required};
use super::view::{CLIENT_PORTS, Side, View, all_but_loopback};
use super::words;
use crate::finding::{Code, Finding, Severity};
use crate::model::{Decider, Layer, delivered_classes};
use crate::packet::{
    Assignment, Bounds, EditId, End, Field, OverBudget, PacketSet, RangeSet, protocol, value,
};
use crate::policy::Row;

/// What must get through after some requests of a cell.
pub(super) struct Answers {
    what: What,
    /// How they are seen.
    pub(super) view: View,
    /// What must get through.
    pub(super) required: PacketSet,
    /// What does.
    open: Bounds,
}

/// Which packets of a connection.
#[derive(Clone, Copy)]
enum What {
    /// Those that come back.
    Answers,
    /// Those that follow the first one in its direction.
    Later,
}

impl What {
    /// What a rule does that blocks them.
    fn verb(self) -> &'static str {
        match self {
            Self::Answers => "drops the answer",
            Self::Later => "drops what follows",
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Answers => "the answers are blocked",
            Self::Later => "what follows the first packet is blocked",
        }
    }
}

/// Answers that are blocked.
pub(super) struct BlockedAnswers {
    pub(super) set: PacketSet,
    /// Whether all answers are.
    is_whole: bool,
    /// Whether it depends on who the peer is.
    pub(super) is_guess: bool,
}

/// Blocked answers of which fewer than one in so many are blocked are a ban, not a missing opening.
const BAN: f64 = 256.0;

impl Cell<'_> {
    /// Whether there are answers to ask about: of services with ports, for peers that are known.
    pub(super) fn has_answers(&self) -> bool {
        self.service.protocol.is_some_and(protocol::has_ports) && self.party.unknown.is_none()
    }
}

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
        let best = best_alternative(cells).map(|(_, alternative)| alternative);
        let asked = cells.iter().filter(|cell| Some(cell.alternative) == best);
        for cell in asked.filter(|cell| cell.has_answers()) {
            for answers in self.answers(cell)? {
                if let Some(finding) = self.blocked_answers(row, cell, &answers)? {
                    return Ok(Some(finding));
                }
            }
        }
        Ok(None)
    }

    /// The answers to the requests of a cell that surely get through: those that the host gives, and those of other hosts that
    /// requests are sent on to.
    pub(super) fn answers(&mut self, cell: &Cell<'_>) -> Result<Vec<Answers>, OverBudget> {
        let sent_on = match cell.side {
            Side::Ingress => self.sent_on,
            _ => PacketSet::empty(),
        };
        let space = &mut self.filters.compiler.space;
        let open = space.difference(cell.required, cell.blocked.possibly)?;
        let open = self.likely(open, cell, cell.side)?;
        let space = &mut self.filters.compiler.space;
        let (here, there) = (
            space.difference(open, sent_on)?,
            space.intersection(open, sent_on)?,
        );
        let mut answers = Vec::new();
        // Protocols without connections may do with one packet.
        let is_long = matches!(
            cell.service.protocol,
            Some(protocol::number::TCP | protocol::number::SCTP | protocol::number::DCCP)
        );
        if is_long && !here.is_empty() {
            answers.push(self.later(cell, here));
        }
        if !here.is_empty() {
            answers.push(self.own_answers(cell, here, &cell.service.values)?);
        }
        if !there.is_empty() {
            answers.extend(self.published_answers(cell, there)?);
        }
        Ok(answers)
    }

    /// What follows requests that are not translated.
    fn later(&self, cell: &Cell<'_>, requests: PacketSet) -> Answers {
        let view = self.views(cell.side).later;
        let open = if cell.party.is_self {
            view.open
        } else {
            view.bounds(cell.party.interfaces.as_ref())
        };
        Answers {
            what: What::Later,
            view,
            required: requests,
            open,
        }
    }

    /// The answers that the host itself gives to requests, from these ports.
    fn own_answers(
        &mut self,
        cell: &Cell<'_>,
        requests: PacketSet,
        ports: &RangeSet,
    ) -> Result<Answers, OverBudget> {
        let view = self.reply_view(cell);
        let side = view.side;
        let mut tests = self.to_clients(cell, requests);
        tests.push((Field::SourcePort, ports.clone()));
        let clients = self.clients(cell, requests);
        tests.push((side.peer(cell.family), clients));
        if let Some(interfaces) = &cell.party.interfaces {
            tests.push((side.interface(), interfaces.clone()));
        }
        if cell.party.is_self {
            let own = cell.party.members.family(cell.family).clone();
            tests.push((side.own(cell.family), own));
        }
        let open = if cell.party.is_self {
            view.open
        } else {
            view.bounds(cell.party.interfaces.as_ref())
        };
        let required = self.filters.compiler.space.product(&tests)?;
        let what = What::Answers;
        Ok(Answers {
            what,
            view,
            required,
            open,
        })
    }

    /// The answers of other hosts to requests that are sent on to them: passed on, from the address and port that the requests
    /// were translated to.
    fn published_answers(
        &mut self,
        cell: &Cell<'_>,
        requests: PacketSet,
    ) -> Result<Vec<Answers>, OverBudget> {
        let ruling = self.views(cell.side).first.ruling;
        let mut answers = Vec::new();
        for edit in self.filters.edits_within(requests, ruling) {
            let (from, ports) = self.target(cell, edit);
            let ports = ports.unwrap_or_else(|| cell.service.values.clone());
            let Some(from) = from else {
                // Another port of the host itself.
                answers.push(self.own_answers(cell, requests, &ports)?);
                continue;
            };
            let mut tests = self.to_clients(cell, requests);
            tests.push((cell.family.source(), from));
            tests.push((Field::SourcePort, ports));
            tests.push((cell.family.destination(), self.clients(cell, requests)));
            let outside = self.filters.world.outside_interfaces();
            let leads_there = cell.party.interfaces.clone().unwrap_or(outside);
            tests.push((Field::OutInterface, leads_there));
            let space = &mut self.filters.compiler.space;
            let required = space.product(&tests)?;
            // Which interface leads to the other host is not known.
            let possibly = space.exists(
                self.published.open.possibly,
                Field::InInterface,
                &all_but_loopback(),
            )?;
            let open = Bounds {
                possibly,
                ..self.published.open
            };
            answers.push(Answers {
                what: What::Answers,
                view: self.published,
                required,
                open,
            });
        }
        Ok(answers)
    }

    /// Where a change sends packets: the address, if it is another host's, and the port, if it gives one.
    fn target(&self, cell: &Cell<'_>, edit: EditId) -> (Option<RangeSet>, Option<RangeSet>) {
        let assignments = self.filters.compiler.space.assignments(edit).iter();
        let (mut address, mut ports, mut is_here) = (None, None, false);
        for (field, assignment) in assignments {
            if let Assignment::OneOf(to, _) = assignment {
                match field {
                    Field::DestinationClass => is_here = to.is_subset(&delivered_classes()),
                    Field::Service => ports = Some(to.clone()),
                    field if *field == cell.family.destination() => address = Some(to.clone()),
                    _ => {}
                }
            }
        }
        (address.filter(|_| !is_here), ports)
    }

    /// What all answers to clients have in common.
    fn to_clients(&self, cell: &Cell<'_>, requests: PacketSet) -> Vec<(Field, RangeSet)> {
        let space = &self.filters.compiler.space;
        let ports = space.values_of(requests, Field::SourcePort);
        let clients = RangeSet::range(CLIENT_PORTS.0, CLIENT_PORTS.1);
        let protocol = cell.service.protocol.map(u128::from);
        let mut tests = vec![
            (Field::Family, RangeSet::point(cell.family.value())),
            (Field::Service, ports.intersection(&clients)),
        ];
        tests.extend(protocol.map(|protocol| (Field::Protocol, RangeSet::point(protocol))));
        tests
    }

    /// The addresses of the clients whose requests these are.
    fn clients(&self, cell: &Cell<'_>, requests: PacketSet) -> RangeSet {
        let space = &self.filters.compiler.space;
        let clients = space.values_of(requests, cell.side.peer(cell.family));
        clients.intersection(cell.party.members.family(cell.family))
    }

    /// The answers to a cell that are blocked: all of them, or so many that it is no ban of a few.
    pub(super) fn blocked_of(
        &mut self,
        cell: &Cell<'_>,
        answers: &Answers,
    ) -> Result<Option<BlockedAnswers>, OverBudget> {
        let space = &mut self.filters.compiler.space;
        let set = space.difference(answers.required, answers.open.possibly)?;
        let is_whole = set == answers.required;
        if set.is_empty() || !is_whole && space.share(set) * BAN < space.share(answers.required) {
            return Ok(None);
        }
        Ok(Some(BlockedAnswers {
            set,
            is_whole,
            is_guess: !is_whole && cell.party.is_assumed && !self.is_for_all(cell, answers, set),
        }))
    }

    /// The finding that answers are blocked.
    fn blocked_answers(
        &mut self,
        row: &Row,
        cell: &Cell<'_>,
        answers: &Answers,
    ) -> Result<Option<Finding>, OverBudget> {
        let Some(blocked) = self.blocked_of(cell, answers)? else {
            return Ok(None);
        };
        let BlockedAnswers {
            set: blocked,
            is_whole,
            is_guess,
        } = blocked;
        let space = &mut self.filters.compiler.space;
        let among = space.difference(blocked, answers.view.open.possibly)?;
        let among = self.likely(among, cell, answers.view.side)?;
        let witness = self.filters.compiler.space.witness(among).unwrap_or_default();
        let witness = answers.view.side.seen(witness);
        let outcomes = self.outcomes(answers.view, &witness);
        let blocks = outcomes.iter().find(|outcome| outcome.end != End::Accept);
        let decider = blocks.and_then(|outcome| self.filters.compiler.decider(outcome.cause));
        let label =
            decider.and_then(|decider| words::blocker(&self.filters.compiler, decider, answers.what.verb()));
        let message = format!(
            "`{}` gets {} through, but {}{}",
            row.id,
            words::service(cell.service),
            answers.what.words(),
            if is_whole { "" } else { " for some" }
        );
        let mut finding = Finding::new(Code::BlockedReply, message, label)
            .related(words::row_label(row, "requires it"))
            .help(self.remedy(decider));
        if !is_whole {
            finding.severity = Severity::Warning;
            if is_guess {
                let why = format!(
                    "it depends on who {} is: say it in portcullis.toml",
                    cell.party.word
                );
                finding = finding.possibly([]).help(why);
            }
        }
        finding.rows.push(words::citation(row));
        finding.witness = Some(witness.to_string());
        self.filters.describe(&mut finding, blocked, answers.view.side);
        Ok(Some(finding))
    }

    /// Whether some answers are blocked to each client: then it does not depend on who the clients are.
    fn is_for_all(&self, cell: &Cell<'_>, answers: &Answers, blocked: PacketSet) -> bool {
        let space = &self.filters.compiler.space;
        let client = answers.view.side.peer(cell.family);
        let clients = space.values_of(answers.required, client);
        clients.is_subset(&space.values_of(blocked, client))
    }

    fn remedy(&self, decider: Option<Decider>) -> &'static str {
        let rulesets = self.filters.compiler.rulesets();
        let layer = decider
            .and_then(|decider| rulesets.get(decider.ruleset()))
            .map(|ruleset| ruleset.layer);
        if layer == Some(Layer::NetworkAcl) {
            "a network ACL keeps no connections: let through to the ports of clients, 1024 to 65535"
        } else {
            "accept established packets in this direction"
        }
    }
}
