//! Policies of all kinds in one form: who is the subject, and what a list of rules does with the traffic of peers.
//!
//! INVARIANT: a part that could not be read is [`Peer::Unread`], [`Ports::Unread`] or [`Action::Unread`], never left out.

use super::selector::Selector;
use super::tier::{Order, Tier};
use crate::packet::Network;
use crate::source::Span;

/// A policy.
#[derive(Debug, Clone)]
pub(super) struct Policy {
    pub(super) kind: &'static str,
    pub(super) name: String,
    /// Its namespace; `None` for those of the cluster.
    pub(super) namespace: Option<String>,
    pub(super) tier: Tier,
    /// Its place in the tier.
    pub(super) order: Order,
    /// How it stands to others of its kind that have the same place.
    pub(super) ties: Ties,
    /// The bytes of its name.
    pub(super) span: Span,
    pub(super) subject: PodSet,
    /// Whether the subject could not be read.
    pub(super) is_subject_unread: bool,
    /// `None`: it has nothing to do with that direction.
    pub(super) ingress: Option<Rules>,
    pub(super) egress: Option<Rules>,
}

impl Policy {
    /// Whether they have one place in one tier.
    pub(super) fn is_level_with(&self, other: &Self) -> bool {
        self.tier == other.tier && self.order == other.order
    }

    /// Of policies of one place, whether it makes a difference which is asked first, and is not known.
    pub(super) fn is_order_open(level: &[&Self]) -> bool {
        let is_mixed = |pair: &[&Self]| matches!(pair, [a, b] if a.kind != b.kind);
        level.len() > 1 && (level.windows(2).any(is_mixed) || level.iter().any(|one| one.ties == Ties::Open))
    }

    pub(super) fn full_name(&self) -> String {
        match &self.namespace {
            Some(namespace) => format!("{namespace}/{}", self.name),
            None => self.name.clone(),
        }
    }
}

/// Which of several policies of one kind and one place in a tier is asked first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ties {
    /// That makes no difference: they only accept (NetworkPolicy).
    Union,
    /// Whoever evaluates them decides.
    Open,
}

/// The rules of one direction.
#[derive(Debug, Clone)]
pub(super) struct Rules {
    pub(super) rules: Vec<Rule>,
    /// The bytes to point at where no rule applies.
    pub(super) span: Span,
}

/// What a rule does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Accept,
    Deny,
    /// Goes on with the next tier.
    Pass,
    Unread,
}

/// One rule.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    pub(super) span: Span,
    pub(super) action: Action,
    pub(super) action_span: Span,
    /// One of them is the other end; `None`: anything is.
    pub(super) peers: Option<Vec<Peer>>,
    /// One of them is what the packet is to; `None`: anything is.
    pub(super) ports: Option<Vec<Port>>,
}

/// Which namespaces.
#[derive(Debug, Clone)]
pub(super) enum Namespaces {
    /// That of the policy.
    Own(String),
    Selected(Selector),
    /// Those in which these labels have the values of the subject's namespace.
    Same(Vec<String>),
    /// Those in which they have others.
    NotSame(Vec<String>),
}

/// Pods with some labels in some namespaces.
#[derive(Debug, Clone)]
pub(super) struct PodSet {
    pub(super) namespaces: Namespaces,
    pub(super) pods: Selector,
}

/// The other end of traffic.
#[derive(Debug, Clone)]
pub(super) struct Peer {
    /// The smallest bytes that say it.
    pub(super) span: Span,
    pub(super) who: Who,
}

/// Who a peer is.
#[derive(Debug, Clone)]
pub(super) enum Who {
    Pods(PodSet),
    /// Addresses, without some.
    Block {
        network: Network,
        except: Vec<Network>,
        /// Whether pods are told by their addresses too (`networks`); the API leaves it open for `ipBlock`.
        applies_to_pods: bool,
    },
    /// Nodes of the cluster.
    Nodes,
    /// Whatever addresses names have.
    Names(Vec<String>),
    Unread,
}

/// A protocol with ports.
#[derive(Debug, Clone)]
pub(super) struct Port {
    /// The smallest bytes that say it.
    pub(super) span: Span,
    /// `None`: any.
    pub(super) protocol: Option<u8>,
    pub(super) ports: Ports,
}

/// Which ports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ports {
    All,
    Range(u16, u16),
    /// Those that the containers of the destination call so.
    Named(String),
    Unread,
}
