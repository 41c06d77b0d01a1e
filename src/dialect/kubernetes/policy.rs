//! Policies of all kinds in one form: who is the subject, and what a list of rules does with the traffic of peers.
//!
//! INVARIANT: a part that could not be read is [`Peer::Unread`], [`Ports::Unread`] or [`Action::Unread`], never left out.

use super::cilium;
use super::reach::Direction;
use super::selector::Selector;
use super::tier::{Order, Tier};
use super::truth::Truth;
use crate::packet::{Family, Network};
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
    /// Which host endpoints it is about too, if it may be about some; with a `nodeSelector` of Cilium, which nodes alone.
    pub(super) hosts: Option<Hosts>,
    /// `None`: it has nothing to do with that direction.
    pub(super) ingress: Option<Rules>,
    pub(super) egress: Option<Rules>,
    /// What it has besides, if it is one of Cilium's.
    pub(super) cilium: Option<cilium::Traits>,
}

/// Which host endpoints or nodes a policy is about, and what of their traffic.
#[derive(Debug, Clone)]
pub(super) struct Hosts {
    /// Of the labels of an endpoint, or a node.
    pub(super) selector: Selector,
    /// Whether it is about what is passed on too (`applyOnForward`).
    pub(super) on_forward: bool,
    /// When it is asked. Only what is asked at the usual time is about workloads too.
    pub(super) stage: Stage,
}

/// When host endpoints ask a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// Before connections are tracked (`doNotTrack`): what it lets through is not.
    Untracked,
    /// Before destinations are translated (`preDNAT`), on the way in.
    BeforeTranslation,
    Normal,
}

impl Policy {
    /// Which nodes it is about, if it is about nodes alone (a `nodeSelector` of Cilium).
    pub(super) fn of_nodes(&self) -> Option<&Selector> {
        let hosts = self.hosts.as_ref().filter(|_| self.cilium.is_some())?;
        Some(&hosts.selector)
    }

    /// Whether it is about host endpoints or nodes alone.
    pub(super) fn is_of_hosts_alone(&self) -> bool {
        let is_early = |hosts: &Hosts| hosts.stage != Stage::Normal;
        self.of_nodes().is_some() || self.hosts.as_ref().is_some_and(is_early)
    }

    /// Whether they have one place in one tier.
    pub(super) fn is_level_with(&self, other: &Self) -> bool {
        self.tier == other.tier && self.order == other.order
    }

    /// Of policies of one place, whether it makes a difference which is asked first, and is not known.
    pub(super) fn is_order_open(level: &[&Self]) -> bool {
        let is_mixed = |pair: &[&Self]| matches!(pair, [a, b] if a.kind != b.kind);
        let only_accepts = || level.iter().all(|one| one.only_accepts());
        let are_told_apart = || !level.windows(2).any(is_mixed) || only_accepts();
        // Of a union, denials go before what is accepted, wherever they stand.
        let is_union = level.iter().all(|one| one.ties == Ties::Union);
        level.len() > 1 && !is_union && (level.iter().any(|one| one.ties == Ties::Open) || !are_told_apart())
    }

    fn only_accepts(&self) -> bool {
        let rules = [&self.ingress, &self.egress].into_iter().flatten();
        let mut rules = rules.flat_map(|rules| &rules.rules);
        rules.all(|rule| matches!(rule.action, Action::Accept | Action::Log))
    }

    /// Whether what it does not accept in a direction is dropped at those that it selects.
    pub(super) fn isolates(&self, direction: Direction) -> bool {
        let leaves_open = |traits: &cilium::Traits| !traits.isolates(direction);
        direction.rules(self).is_some() && !self.cilium.as_ref().is_some_and(leaves_open)
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
    /// The first by name.
    ByName,
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
    /// Accepts, if something holds that no manifest says.
    MayAccept,
    Deny,
    /// Goes on with the next tier.
    Pass,
    /// Goes on with the next rule.
    Log,
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
    /// What must hold besides.
    pub(super) tests: Vec<Test>,
}

impl Rule {
    /// The peers that it names, whichever end they are.
    pub(super) fn all_peers(&self) -> impl Iterator<Item = &Peer> {
        let tested = self.tests.iter().flat_map(|test| match &test.asks {
            Asks::Peers(_, peers) => peers.as_slice(),
            _ => &[],
        });
        self.peers.iter().flatten().chain(tested)
    }

    /// Who they are, to be filled in.
    pub(super) fn all_who(&mut self) -> impl Iterator<Item = &mut Who> {
        let tested = self.tests.iter_mut().flat_map(|test| match &mut test.asks {
            Asks::Peers(_, peers) => peers.as_mut_slice(),
            _ => &mut [],
        });
        let peers = self.peers.iter_mut().flatten().chain(tested);
        peers.map(|peer| &mut peer.who)
    }

    /// The ports that it names, of either end.
    pub(super) fn all_ports(&self) -> impl Iterator<Item = &Port> {
        let tested = self.tests.iter().flat_map(|test| match &test.asks {
            Asks::Ports(_, ports) => ports.as_slice(),
            _ => &[],
        });
        self.ports.iter().flatten().chain(tested)
    }
}

/// An end of a packet, whoever the policy is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PacketEnd {
    Source,
    Destination,
}

/// A question about a packet that not every API can ask.
#[derive(Debug, Clone)]
pub(super) struct Test {
    /// The smallest bytes that say it.
    pub(super) span: Span,
    /// Whether it must not hold.
    pub(super) is_negated: bool,
    pub(super) asks: Asks,
}

/// What a test asks.
#[derive(Debug, Clone)]
pub(super) enum Asks {
    Family(Family),
    Protocol(u8),
    /// Messages of a protocol by their type and code; `None`: any.
    Icmp {
        protocol: u8,
        kind: Option<u8>,
        code: Option<u8>,
    },
    /// The end is one of them.
    Peers(PacketEnd, Vec<Peer>),
    /// The port of the end is one of them.
    Ports(PacketEnd, Vec<Port>),
    Unread,
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

/// Pods, and addresses that have labels too: those of sets of networks and of hosts.
#[derive(Debug, Clone)]
pub(super) struct Endpoints {
    pub(super) pods: PodSet,
    /// What is asked of the namespace of what is in none; `None`: such is not looked at.
    pub(super) global: Option<Selector>,
    /// What else is in it, found when all objects are read. If it is not sure that something is, it may be.
    pub(super) blocks: Vec<(Block, Truth)>,
}

/// Addresses, without some.
#[derive(Debug, Clone)]
pub(super) struct Block {
    pub(super) network: Network,
    pub(super) except: Vec<Network>,
    pub(super) pods: PodsIn,
}

/// Which pods a block of addresses is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum PodsIn {
    /// The API leaves it open (`ipBlock`).
    Open,
    /// Those that have one of the addresses, which of some is not known.
    ByAddress,
    /// Those that have one; where it is not known, it is surely another.
    NoneElse,
    /// Those that have one; where it is not known, it surely is one.
    AllElse,
}

/// Who a peer is.
#[derive(Debug, Clone)]
pub(super) enum Who {
    Pods(PodSet),
    Endpoints(Endpoints),
    Block(Block),
    /// Nodes of the cluster.
    Nodes,
    /// Whatever addresses names have.
    Names(Vec<String>),
    /// What Cilium alone has words for.
    Cilium(cilium::Who),
    Unread,
}

impl Block {
    /// A block that is about pods by their addresses.
    pub(super) fn of(network: Network) -> Self {
        Self {
            network,
            except: Vec::new(),
            pods: PodsIn::ByAddress,
        }
    }
}

impl Who {
    /// The blocks among them.
    pub(super) fn blocks_mut(&mut self) -> Vec<&mut Block> {
        match self {
            Self::Block(block) => vec![block],
            Self::Endpoints(endpoints) => endpoints.blocks.iter_mut().map(|(block, _)| block).collect(),
            _ => Vec::new(),
        }
    }

    /// The pods among them, if there are some.
    pub(super) fn pods(&self) -> Option<&PodSet> {
        match self {
            Self::Pods(set) | Self::Endpoints(Endpoints { pods: set, .. }) => Some(set),
            _ => None,
        }
    }

    /// The blocks of addresses that it names.
    pub(super) fn blocks(&self) -> Vec<&Network> {
        match self {
            Self::Block(block) => std::iter::once(&block.network).chain(&block.except).collect(),
            Self::Endpoints(endpoints) => {
                let blocks = endpoints.blocks.iter();
                blocks.map(|(block, _)| &block.network).collect()
            }
            Self::Cilium(cilium::Who::Addresses { network, except }) => {
                std::iter::once(network).chain(except).collect()
            }
            _ => Vec::new(),
        }
    }
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
    /// Those that containers anywhere call so: the destination need not be one of those.
    NamedAnywhere(String),
    Unread,
}
