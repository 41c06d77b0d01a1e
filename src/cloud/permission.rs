//! One permission of a security group, and the rules that it becomes: one for each peer.
//!
//! INVARIANT: the rules of a permission differ in their peer alone, and the peer is what each of them points at.

use super::{Doubt, Guard, Lowering, Peer, Value};
use crate::model::{Action, Match, Rule};
use crate::packet::{Family, Field};
use crate::source::Span;

/// Which packets of a member a rule is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Direction {
    /// Those that it receives.
    Ingress,
    /// Those that it sends.
    Egress,
}

impl Direction {
    /// The field of the peer's address.
    pub(super) fn peer_address(self, family: Family) -> Field {
        match self {
            Self::Ingress => family.source(),
            Self::Egress => family.destination(),
        }
    }

    /// The field of the peer's identity.
    pub(super) fn peer_identity(self) -> Field {
        match self {
            Self::Ingress => Field::SourceIdentity,
            Self::Egress => Field::DestinationIdentity,
        }
    }

    /// The end of a packet that the peer is.
    pub(super) fn peer_word(self) -> &'static str {
        match self {
            Self::Ingress => "source",
            Self::Egress => "destination",
        }
    }
}

/// A permission as it was written: a service, and those who may use it.
#[derive(Debug, Clone)]
pub struct Permission {
    /// All of it.
    pub span: Span,
    /// The name or number of the protocol.
    pub protocol: Option<Value<String>>,
    /// The first port, or the type of ICMP.
    pub from_port: Option<Value<String>>,
    /// The last port, or the code of ICMP.
    pub to_port: Option<Value<String>>,
    /// The others.
    pub peers: Vec<Peer>,
    /// What it depends on whether the permission is there at all.
    pub guards: Vec<Guard>,
}

impl Permission {
    /// One accepting rule for each peer, with these matches besides.
    pub(super) fn rules(
        &self,
        lowering: &mut Lowering,
        direction: Direction,
        service: &[Match],
        read_cidr: super::peer::ReadCidr,
    ) -> Vec<Rule> {
        for guard in &self.guards {
            lowering.depends(&guard.doubt);
        }
        let guards: Vec<Match> = self.guards.iter().map(Guard::to_match).collect();
        let rule = |peer: &Peer| {
            let who = peer.to_match(lowering, direction, read_cidr);
            Rule {
                span: self.span,
                action_span: who.span,
                matches: service
                    .iter()
                    .cloned()
                    .chain([who])
                    .chain(guards.clone())
                    .collect(),
                action: Action::Accept,
            }
        };
        self.peers.iter().map(rule).collect()
    }
}

impl Permission {
    /// A permission of which nothing is known but that it may be there.
    #[must_use]
    pub fn open(doubt: &Doubt) -> Self {
        Self {
            span: doubt.span,
            protocol: Some(Value::Unknown(doubt.clone())),
            from_port: None,
            to_port: None,
            peers: vec![Peer::Unknown(doubt.clone())],
            guards: Vec::new(),
        }
    }
}

/// A rule that nobody wrote and that lets everything through: what a new group has for egress.
#[must_use]
pub fn everything(at: Span) -> Rule {
    Rule {
        span: Span::new(at.file, at.start, at.start),
        matches: Vec::new(),
        action: Action::Accept,
        action_span: at,
    }
}

/// What a new group has for egress unless something is written for it; `written` is what each of those depends on. `None` if
/// something is surely written.
#[must_use]
pub fn everything_unless<'g>(
    lowering: &mut Lowering,
    at: Span,
    written: impl IntoIterator<Item = &'g [Guard]>,
) -> Option<Rule> {
    let mut rule = everything(at);
    for guards in written {
        let (first, others) = guards.split_first()?;
        let mut absent = Guard {
            holds: !first.holds,
            ..first.clone()
        };
        if !others.is_empty() {
            let keys: Vec<_> = guards.iter().map(|guard| &*guard.doubt.key).collect();
            absent.doubt.key = format!("all of ({})", keys.join(", ")).into();
            absent.holds = false;
        }
        lowering.depends(&absent.doubt);
        rule.matches.push(absent.to_match());
    }
    Some(rule)
}
