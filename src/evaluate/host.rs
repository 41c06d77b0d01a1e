//! One host: its filters compiled once, every question put to them.

use std::sync::Arc;

use super::coverage::{self, Held, JudgedOpening};
use super::element::Elements;
use super::excess::Excess;
use super::extent::Extents;
use super::layers::{self, Layers};
use super::peer::{Addresses, Party, World};
use super::permitted::Permitted;
use super::publish::Publishers;
use super::redundant;
use super::required::Required;
use super::shadow;
use super::translate::{Translators, translates};
use super::view::{Moment, OwnAddresses, Side, View, onward_doubt, view};
use super::words;
use crate::finding::{Code, Finding, Label};
use crate::model::{
    Compiler, Decider, Families, HostFacts, Identities, Layer, Members, Path, Presence, Rule, Ruleset,
};
use crate::packet::{Cause, End, Family, Field, OverBudget, PacketSet, Pin, RangeSet, Ruling, Space};
use crate::policy::{Kind, Peer, Row};

/// One machine or workload with its layers.
#[derive(Debug, Clone)]
pub struct Host {
    /// Its name.
    pub name: String,
    /// Its roles, `policy.role`.
    pub roles: Vec<String>,
    /// The zone it lies in.
    pub zone: Option<String>,
    /// Its addresses, as far as they are known.
    pub addresses: Addresses,
    /// Its filters, all layers and families.
    pub rulesets: Vec<Ruleset>,
    /// Whether every opening needs a row: it has a role of a policy that is not `common`.
    pub is_closed: bool,
    /// Whether the same holds for what it sends.
    pub is_closed_egress: bool,
    /// Whether it is there to pass packets on between others, and the same holds for those.
    pub is_router: bool,
    /// Its number among the identities of the run, if it is behind groups.
    pub identity: Option<u32>,
    /// Who is in which group.
    pub members: Arc<Members>,
}

impl Host {
    /// The families that some ruleset filters. The others are unchecked: of a host with a firewall of its own, those that it
    /// says nothing of, whatever stands before it.
    #[must_use]
    pub fn families(&self) -> Vec<Family> {
        let is_own = |ruleset: &&Ruleset| ruleset.layer == Layer::HostFirewall;
        let has_own = self.rulesets.iter().any(|ruleset| is_own(&ruleset));
        let filters = |family: &Family| {
            let mut telling = self.rulesets.iter().filter(|ruleset| !has_own || is_own(ruleset));
            telling.any(|ruleset| match ruleset.families {
                Families::Both => true,
                Families::V4 => *family == Family::V4,
                Families::V6 => *family == Family::V6,
            })
        };
        Family::ALL.into_iter().filter(filters).collect()
    }

    /// Whether it is pods behind policies.
    #[must_use]
    pub fn is_workload(&self) -> bool {
        let mut layers = self.rulesets.iter().map(|ruleset| ruleset.layer);
        layers.any(|layer| layer == Layer::NetworkPolicy)
    }

    /// Whether the bound side of a row is this host.
    pub(super) fn is(&self, world: &World, peer: &Peer) -> bool {
        match peer {
            Peer::Every => true,
            Peer::Role { name, .. } => self.roles.contains(name),
            Peer::Zone(name) => {
                let zone = world.zone(name).map_or(name.as_str(), |zone| zone.name.as_str());
                self.zone.as_deref() == Some(zone)
            }
            Peer::Any | Peer::This | Peer::Name(_) | Peer::Unset(_) => false,
        }
    }

    /// What routing and translation need to know of it.
    #[must_use]
    pub fn facts(&self) -> HostFacts {
        let known = |family| Some(self.addresses.family(family).clone()).filter(|known| !known.is_empty());
        HostFacts {
            addresses4: known(Family::V4),
            addresses6: known(Family::V6),
            translates_to_others: false,
            members: self.members.clone(),
        }
    }

    /// The same, with what is assumed where nothing is known: that destinations are translated to containers and other
    /// hosts, not to addresses of this one.
    fn facts_for_evaluation(&self) -> HostFacts {
        HostFacts {
            translates_to_others: true,
            ..self.facts()
        }
    }
}

/// What the evaluation of one host gave.
#[derive(Debug, Clone, Default)]
pub struct Evaluation {
    /// The findings.
    pub findings: Vec<Finding>,
    /// The rows that were held against the host, with those that came out undecided.
    pub held: Vec<Held>,
    /// What it lets through, if that was asked for.
    pub openings: Vec<JudgedOpening>,
    /// Rows that depend on something the site does not say: id and what to set.
    pub undecided: Vec<(String, String)>,
}

/// A host's filters with every view of them.
pub(super) struct Filters<'m> {
    pub(super) host: &'m Host,
    pub(super) world: &'m World,
    pub(super) compiler: Compiler<'m>,
    pub(super) families: Vec<Family>,
    pub(super) translators: Translators,
    pub(super) publishers: Publishers,
    pub(super) elements: Elements,
    pub(super) extents: Extents,
    /// The layers one by one, if there are several.
    pub(super) layers: Layers,
    own: OwnAddresses,
    others: OwnAddresses,
    /// The identities that rules ask about.
    asks_who: Vec<Field>,
    arriving: Pin,
    leaving: Pin,
    /// What a host that routes or translates does to packets between others; of other hosts it is not asked.
    passing: Pin,
    /// What it does to packets that it sends to itself, if that is asked.
    loopback: Pin,
}

impl<'m> Filters<'m> {
    /// Compiles what is asked of every host; `has_own` asks for the way over loopback too.
    pub(super) fn compile(
        host: &'m Host,
        world: &'m World,
        space: Space,
        has_own: bool,
    ) -> Result<Self, OverBudget> {
        let mut compiler = Compiler::new(&host.rulesets, host.facts_for_evaluation(), space);
        let doubt = onward_doubt(&mut compiler);
        let arriving = compiler.arriving(doubt)?;
        let arriving = compiler.space.pin(arriving);
        let leaving = compiler.path(Path::Output)?;
        let leaving = compiler.space.pin(leaving);
        let passing = if host.is_router || translates(&host.rulesets) {
            compiler.path(Path::Forward)?
        } else {
            compiler.space.pass()
        };
        let passing = compiler.space.pin(passing);
        let loopback = if has_own {
            compiler.loopback()?
        } else {
            compiler.space.pass()
        };
        let loopback = compiler.space.pin(loopback);
        let own = OwnAddresses::new(&host.addresses, &host.rulesets);
        let others = OwnAddresses::of_others(&host.addresses);
        // Nothing is collected from here on.
        let translators = Translators::of(&mut compiler)?;
        let publishers = Publishers::of(&mut compiler)?;
        Ok(Self {
            translators,
            publishers,
            elements: Elements::of(&host.rulesets),
            extents: Extents::of(world, &own, &others),
            layers: Layers::of(host),
            host,
            world,
            compiler,
            families: host.families(),
            asks_who: words::asks_who(&host.rulesets),
            own,
            others,
            arriving,
            leaving,
            passing,
            loopback,
        })
    }

    pub(super) fn view(&mut self, side: Side, moment: Moment) -> Result<View, OverBudget> {
        let pin = match side {
            Side::Ingress => self.arriving,
            Side::Egress => self.leaving,
            Side::Transit => self.passing,
            Side::Loopback => self.loopback,
        };
        let mut ruling = self.compiler.space.pinned(pin);
        if let Some(identity) = self.host.identity {
            for &field in side.own_identity() {
                let own = RangeSet::point(identity.into());
                ruling = self.compiler.space.assume(ruling, field, &own, None)?;
            }
        }
        let outside = self.world.outside_interfaces();
        let ends = self.ends(side).clone();
        view(&mut self.compiler, ruling, side, moment, &ends, &outside)
    }

    /// The interfaces that a peer's packets surely do not arrive on.
    pub(super) fn interfaces_of_others(&self, party: &Party) -> Option<RangeSet> {
        self.interfaces(party)?;
        self.world.interfaces_of_others(party)
    }

    /// The interfaces that a peer's packets arrive on. Pods have none of their own that zones could name.
    pub(super) fn interfaces<'p>(&self, party: &'p Party) -> Option<&'p RangeSet> {
        let interfaces = party.interfaces.as_ref();
        interfaces.filter(|_| party.is_self || !self.host.is_workload())
    }

    /// Whether rules ask who the peers on a side are.
    pub(super) fn asks_who(&self, side: Side) -> bool {
        self.asks_who.contains(&side.peer_identity())
    }

    /// The packets of a set that somebody may send or get: who is a member of a group from where such members are, nobody by a number
    /// that no class has.
    pub(super) fn inside(&mut self, set: PacketSet, side: Side) -> Result<PacketSet, OverBudget> {
        if !self.asks_who(side) {
            return Ok(set);
        }
        let (mut set, inside) = (set, self.world.inside());
        let maximum = side.peer_identity().maximum();
        let members = RangeSet::point(Identities::UNKNOWN.into()).complement(maximum);
        let n_classes = self.world.identities.iter().count() as u128;
        if n_classes < maximum {
            let nobody = RangeSet::range(n_classes + 1, maximum);
            let nobody = self.compiler.space.product(&[(side.peer_identity(), nobody)])?;
            set = self.compiler.space.difference(set, nobody)?;
        }
        for family in Family::ALL {
            let elsewhere = self.compiler.space.product(&[
                (Field::Family, RangeSet::point(family.value())),
                (side.peer_identity(), members.clone()),
                (side.peer(family), inside.family(family).complement(family.max())),
            ])?;
            set = self.compiler.space.difference(set, elsewhere)?;
        }
        Ok(set)
    }

    /// The packets that a rule opens, as it asks for them: who the peer is where the rule asks that, else those of peers of
    /// whom only an address is known, whoever they are. Where another layer lets in nobody of whom only an address is known, those
    /// whom it does let in.
    pub(super) fn as_asked(
        &mut self,
        set: PacketSet,
        decider: Decider,
        view: &View,
    ) -> Result<PacketSet, OverBudget> {
        let field = view.side.peer_identity();
        let asks = |rule: &Rule| words::asks_of(rule, field).is_some();
        if !self.asks_who(view.side) || self.compiler.rule(decider).is_some_and(asks) {
            return Ok(set);
        }
        let unknown = RangeSet::point(Identities::UNKNOWN.into());
        let space = &mut self.compiler.space;
        let of_anybody = space.exists(set, field, &unknown)?;
        let open = space.exists(view.open.possibly, field, &unknown)?;
        let of_members = space.difference(set, open)?;
        space.union(of_anybody, of_members)
    }

    /// Whether all peers of a set are yet to be made.
    pub(super) fn is_to_nobody_yet(&self, set: PacketSet, side: Side) -> bool {
        let peers = self.compiler.space.values_of(set, side.peer_identity());
        let all = self.world.identities.iter();
        let mut there = all.filter(|(_, class)| class.presence == Presence::Here);
        !peers.contains(u128::from(Identities::UNKNOWN))
            && !there.any(|(number, _)| peers.contains(u128::from(number)))
    }

    /// The extent of a finding about this host. Its own addresses go without saying.
    pub(super) fn extent(&self, set: PacketSet, side: Side) -> Vec<String> {
        self.extents.lines(&self.compiler.space, set, side)
    }

    /// The packets of a set by who may accept them.
    pub(super) fn accepted_by(
        &mut self,
        among: PacketSet,
        ruling: Ruling,
    ) -> Result<Vec<(Cause, PacketSet)>, OverBudget> {
        self.compiler.space.partition(among, ruling, |set| {
            let accepts = set.outcomes.iter().filter(|outcome| outcome.end == End::Accept);
            accepts.map(|outcome| outcome.cause).collect()
        })
    }

    /// The addresses that the host may have.
    pub(super) fn own(&self) -> &OwnAddresses {
        &self.own
    }

    /// The addresses that the end may have which is not the peer: the host itself, or in transit any other host.
    pub(super) fn ends(&self, side: Side) -> &OwnAddresses {
        if side == Side::Transit {
            &self.others
        } else {
            &self.own
        }
    }
}

/// Holds the rows against a host.
#[must_use]
pub fn evaluate(host: &Host, rows: &[Row], world: &World, space: Space) -> Evaluation {
    let mut evaluation = Evaluation::default();
    if let Err(over) = evaluate_into(host, rows, world, space, &mut evaluation) {
        evaluation.findings.push(over_budget(host, over));
        evaluation.held = coverage::given_up(host, rows, world);
        evaluation.openings.clear();
    }
    evaluation
}

fn evaluate_into(
    host: &Host,
    rows: &[Row],
    world: &World,
    space: Space,
    evaluation: &mut Evaluation,
) -> Result<(), OverBudget> {
    let is_own = |row: &Row| row.from.items.iter().any(|from| from.value == Peer::This);
    let has_own = rows.iter().any(|row| row.kind == Kind::Require && is_own(row));
    let budget = space.budget();
    let mut filters = Filters::compile(host, world, space, has_own)?;
    let first = filters.view(Side::Ingress, Moment::First)?;
    excess(&mut filters, first, rows, evaluation)?;
    if host.is_closed_egress {
        let leaving = filters.view(Side::Egress, Moment::First)?;
        excess(&mut filters, leaving, rows, evaluation)?;
    }
    if host.is_router {
        let passing = filters.view(Side::Transit, Moment::First)?;
        excess(&mut filters, passing, rows, evaluation)?;
    }
    Required::new(&mut filters, first, rows)?.check(rows, evaluation)?;
    let shadowed = shadow::findings(&mut filters.compiler, &mut evaluation.findings)?;
    if world.redundant {
        redundant::findings(&mut filters.compiler, &shadowed, &mut evaluation.findings);
    }
    layers::stopped(host, rows, world, budget, &mut evaluation.findings)?;
    for finding in &mut evaluation.findings {
        finding.hosts = vec![host.name.clone()];
    }
    Ok(())
}

/// What is open on a side and should not be. Of a host that no table closes that is what rows forbid: where no service that they
/// speak of is open there is nothing, and most groups of a repository are such.
fn excess(
    filters: &mut Filters<'_>,
    view: View,
    rows: &[Row],
    evaluation: &mut Evaluation,
) -> Result<(), OverBudget> {
    let is_covered = filters.world.coverage;
    if !filters.host.is_closed && !is_covered && !Permitted::may_forbid(filters, rows, view)? {
        return Ok(());
    }
    let permitted = Permitted::of(filters, rows, view.side)?;
    let before = evaluation.findings.len();
    let mut excess = Excess::new(filters, view, &permitted, rows);
    let judged = excess.findings(&mut evaluation.findings)?;
    if is_covered {
        evaluation.openings.extend(excess.judged_openings(&judged)?);
        let found = evaluation.findings.get(before..).unwrap_or_default();
        evaluation
            .held
            .extend(coverage::prohibitions(filters, rows, view.side, found));
    }
    Ok(())
}

fn over_budget(host: &Host, over: OverBudget) -> Finding {
    let place = host.rulesets.iter().find_map(|ruleset| ruleset.bases.first());
    let label = place.map(|base| Label::new(base.default_span, "in the ruleset of this chain"));
    let mut finding = Finding::new(
        Code::AnalysisBudget,
        format!("{over}: what the host lets through is not known"),
        label,
    )
    .help("check the host alone with a larger --budget, or split its ruleset");
    finding.hosts = vec![host.name.clone()];
    finding
}
