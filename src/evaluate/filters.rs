//! The filters of one host, compiled once, and the views that questions have of them.

use super::element::Elements;
use super::extent::Extents;
use super::host::Host;
use super::layers::Layers;
use super::peer::{Party, World};
use super::publish::Publishers;
use super::translate::{Translators, translates};
use super::view::{Moment, OwnAddresses, Side, View, onward_doubt, view};
use super::words;
use crate::model::{Compiler, Decider, Identities, Path, Presence, Rule};
use crate::packet::{Cause, End, Family, Field, OverBudget, PacketSet, Pin, RangeSet, Ruling, Space};

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
