//! The ways of packets through a host: which hooks they meet, in which order.

use std::sync::Arc;

use super::compile::Compiler;
use super::{Decider, Hook, Purpose};
use crate::packet::{
    Cause, Doubt, EditId, End, Family, Field, Outcome, OverBudget, PacketSet, Pin, RangeSet, Ruling, value,
};

/// One way through the host's filters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Path {
    /// Arrives and is delivered here: prerouting, input.
    Input,
    /// Arrives and goes on: prerouting, forward, postrouting.
    Forward,
    /// Made here: output, postrouting.
    Output,
}

impl Path {
    /// The hooks on the way, in order.
    #[must_use]
    pub fn hooks(self) -> &'static [Hook] {
        match self {
            Self::Input => &[Hook::Prerouting, Hook::Input],
            Self::Forward => &[Hook::Prerouting, Hook::Forward, Hook::Postrouting],
            Self::Output => &[Hook::Output, Hook::Postrouting],
        }
    }
}

/// Loopback, as an interface.
#[must_use]
pub fn loopback_interface() -> RangeSet {
    RangeSet::point(value::interface("lo"))
}

/// Why a packet that was translated to loopback may be dropped.
pub(super) const MARTIAN: &str = "what is translated to a loopback address is dropped unless `route_localnet` of its interface is set, which is not known";

/// The addresses of loopback: `127.0.0.0/8` (RFC 1122, section 3.2.1.3) and `::1` (RFC 4291, section 2.5.3).
pub(super) fn loopback_addresses(family: Family) -> RangeSet {
    match family {
        Family::V4 => RangeSet::range(0x7f00_0000, 0x7fff_ffff),
        Family::V6 => RangeSet::point(1),
    }
}

/// Address classes that routing delivers to this host.
#[must_use]
pub fn delivered_classes() -> RangeSet {
    RangeSet::range(value::LOCAL, value::ANYCAST)
}

impl Compiler<'_> {
    /// What happens to packets that take a path, whatever routing would say. Every packet is decided.
    pub fn path(&mut self, path: Path) -> Result<Ruling, OverBudget> {
        self.prepare(path.hooks())?;
        let ruling = self.in_turn(path.hooks(), path.hooks().last().copied())?;
        let none = RangeSet::point(0);
        let ruling = match path {
            Path::Input => self.space.assume(ruling, Field::OutInterface, &none, None)?,
            Path::Output => self.space.assume(ruling, Field::InInterface, &none, None)?,
            Path::Forward => ruling,
        };
        self.ends_accepted(ruling)
    }

    /// What happens to packets that arrive at one of the host's addresses: delivered here, or, where the
    /// destination is translated, sent on. `interface` is the doubt about the interface they then leave by.
    pub fn arriving(&mut self, interface: Doubt) -> Result<Ruling, OverBudget> {
        self.prepare(&[Hook::Prerouting, Hook::Input, Hook::Forward, Hook::Postrouting])?;
        let input = self.last_input()?;
        let mark = self.space.pin_mark();
        let before = self.hook(Hook::Prerouting, false)?;
        let before = self.space.pin(before);
        let input = self.space.pinned(input);
        let none = RangeSet::point(0);
        let mut after = self.space.assume(input, Field::OutInterface, &none, None)?;
        if self.assigns(self.space.pinned(before), Field::DestinationClass) {
            let input = self.space.pin(after);
            let forward = self.hook(Hook::Forward, false)?;
            let forward = self.space.pin(forward);
            let postrouting = self.hook(Hook::Postrouting, true)?;
            let onward = [self.space.pinned(forward), postrouting];
            let onward = self.space.sequence_all(&onward)?;
            let some = RangeSet::range(1, u128::MAX);
            let onward = self
                .space
                .assume(onward, Field::OutInterface, &some, Some(interface))?;
            let onward = self.space.pin(onward);
            let martians = self.martians()?;
            let input = self.space.sequence(martians, self.space.pinned(input))?;
            let input = self.space.pin(input);
            let delivered = self.space.test(Field::DestinationClass, &delivered_classes())?;
            let (input, onward) = (self.space.pinned(input), self.space.pinned(onward));
            after = self.space.choose(delivered, input, onward)?;
        }
        let ruling = self.space.sequence(self.space.pinned(before), after)?;
        self.space.release(mark);
        self.ends_accepted(ruling)
    }

    /// What routing does to IPv4 packets from elsewhere that were translated to loopback: it drops them as martians, unless
    /// `route_localnet` of their interface is set (Linux, `Documentation/networking/ip-sysctl.rst`), which no ruleset says. Of
    /// IPv6 it lets them in.
    fn martians(&mut self) -> Result<Ruling, OverBudget> {
        let doubt = self.doubt(None, &Arc::from(MARTIAN));
        let drops = Outcome {
            end: End::Drop,
            cause: Cause::NOBODY,
            edit: EditId::NONE,
        };
        let passes = Outcome {
            end: End::Fall,
            ..drops
        };
        let either = self.space.always(&[drops, passes], &[doubt]);
        let pass = self.space.pass();
        let among = self.space.product(&[
            (Field::Family, RangeSet::point(value::V4)),
            (Family::V4.destination(), loopback_addresses(Family::V4)),
            (Field::InInterface, loopback_interface().complement(u128::MAX)),
            (Field::StatusDnat, RangeSet::point(1)),
        ])?;
        self.space.choose(among, either, pass)
    }

    /// What happens to packets that the host sends to itself from addresses of loopback: they leave by loopback, and arrive by
    /// it as they are then. What is translated to another host's address never comes back.
    pub fn loopback(&mut self) -> Result<Ruling, OverBudget> {
        self.prepare(&[Path::Output.hooks(), Path::Input.hooks()].concat())?;
        let input = self.input_of_own()?;
        let mark = self.space.pin_mark();
        let gone = Outcome {
            end: End::Drop,
            cause: Cause::NOBODY,
            edit: EditId::NONE,
        };
        let gone = self.space.always(&[gone], &[]);
        let gone = self.space.pin(gone);
        let leaving = self.in_turn(Path::Output.hooks(), None)?;
        let from = loopback_addresses;
        let before = self.over_loopback(leaving, gone, (Field::OutInterface, Field::InInterface), from)?;
        let before = self.space.pin(before);
        let from = if self.assigns(self.space.pinned(before), Field::SourceClass) {
            |family: Family| RangeSet::range(0, family.max())
        } else {
            from
        };
        let arriving = self.hook_without_translation(Hook::Prerouting)?;
        let arriving = self.over_loopback(arriving, gone, (Field::InInterface, Field::OutInterface), from)?;
        let arriving = self.space.pin(arriving);
        let input = self.space.pinned(input);
        let input = self.over_loopback(input, gone, (Field::InInterface, Field::OutInterface), from)?;
        let arriving = [self.space.pinned(arriving), input];
        let after = self.space.sequence_all(&arriving)?;
        let delivered = self.space.test(Field::DestinationClass, &delivered_classes())?;
        let after = self.space.choose(delivered, after, self.space.pinned(gone))?;
        let ruling = self.space.sequence(self.space.pinned(before), after)?;
        self.space.release(mark);
        self.ends_accepted(ruling)
    }

    /// A ruling of packets from some addresses that cross loopback by one interface, and none by the other. The others are
    /// left out first: they are most of any ruleset.
    fn over_loopback(
        &mut self,
        ruling: Ruling,
        gone: Pin,
        (by, not_by): (Field, Field),
        from: fn(Family) -> RangeSet,
    ) -> Result<Ruling, OverBudget> {
        let mut within = PacketSet::empty();
        for family in Family::ALL {
            let own = self.space.product(&[
                (Field::Family, RangeSet::point(family.value())),
                (by, loopback_interface()),
                (not_by, RangeSet::point(0)),
                (family.source(), from(family)),
            ])?;
            within = self.space.union(within, own)?;
        }
        let ruling = self.space.choose(within, ruling, self.space.pinned(gone))?;
        let ruling = self.space.assume(ruling, by, &loopback_interface(), None)?;
        self.space.assume(ruling, not_by, &RangeSet::point(0), None)
    }

    /// What the input hook does at the end of a packet's way, pinned for good: it is most of many rulesets, and asked for twice.
    fn last_input(&mut self) -> Result<Pin, OverBudget> {
        if let Some(known) = self.last_input {
            return Ok(known);
        }
        let input = self.hook(Hook::Input, true)?;
        let input = self.space.pin(input);
        self.last_input = Some(input);
        Ok(input)
    }

    /// What the input hook does with packets whose connection began here, and was translated then or never.
    fn input_of_own(&mut self) -> Result<Pin, OverBudget> {
        let bases = || self.rulesets.iter().flat_map(|ruleset| &ruleset.bases);
        if !bases().any(|base| base.hook == Hook::Input && base.purpose == Purpose::Nat) {
            return self.last_input();
        }
        let input = self.hook_without_translation(Hook::Input)?;
        Ok(self.space.pin(input))
    }

    /// What hooks do one after the other. What `last` accepts is accepted at once.
    fn in_turn(&mut self, hooks: &[Hook], last: Option<Hook>) -> Result<Ruling, OverBudget> {
        let mark = self.space.pin_mark();
        let mut segments = Vec::new();
        for &hook in hooks {
            let ruling = self.hook(hook, last == Some(hook))?;
            segments.push(self.space.pin(ruling));
        }
        let rulings: Vec<_> = segments.iter().map(|&pin| self.space.pinned(pin)).collect();
        let ruling = self.space.sequence_all(&rulings)?;
        self.space.release(mark);
        Ok(ruling)
    }

    /// Whether a field of some packet is set on its way through a ruling.
    fn assigns(&self, ruling: Ruling, field: Field) -> bool {
        let outcomes = self
            .space
            .terminals(ruling)
            .into_iter()
            .flat_map(|set| &set.outcomes);
        let mut edits = outcomes.flat_map(|outcome| self.space.assignments(outcome.edit));
        edits.any(|(assigned, _)| *assigned == field)
    }

    /// What no hook stopped is accepted, by whoever accepted it last.
    fn ends_accepted(&mut self, ruling: Ruling) -> Result<Ruling, OverBudget> {
        let accepted = |outcome| Outcome {
            end: End::Accept,
            ..outcome
        };
        self.space
            .map_outcomes(ruling, &[End::Fall, End::Return], &accepted)
    }

    /// Who accepted a packet, of all its outcomes: the first that is somebody.
    #[must_use]
    pub fn accepter(&self, outcomes: &[Outcome]) -> Option<Decider> {
        let mut accepts = outcomes.iter().filter(|outcome| outcome.end == End::Accept);
        accepts.find_map(|outcome| self.decider(outcome.cause))
    }
}
